"""The detectors, by name. Registration is explicit: a file that lies in a folder detects nothing by itself."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from detectors.learned.unusual_day import detector as unusual_day
from detectors.model import Detector
from detectors.rules.contractors import family as contractors
from detectors.rules.contradicted import detector as contradicted
from detectors.rules.crowd import detector as crowd
from detectors.rules.flags import detector as flags
from detectors.rules.linkage.answers import detector as answers
from detectors.rules.linkage.inquiries import detector as inquiries
from detectors.rules.linkage.sides import detector as sides
from detectors.rules.media import detector as media
from detectors.rules.outputs import detector as outputs
from detectors.rules.privilege import family as privilege
from detectors.rules.proxy import detector as proxy
from detectors.rules.relations import detector as relations
from detectors.rules.sign_in import family as sign_in
from detectors.sources import family as sources
from detectors.windows.browsing import detector as browsing
from detectors.windows.leaving import detector as leaving
from detectors.windows.look_up_volume import detector as look_up_volume
from detectors.windows.off_hours import detector as off_hours
from detectors.windows.output_spike.exports import detector as unusual_export
from detectors.windows.output_spike.prints import detector as print_spike
from detectors.windows.outside_affair import detector as outside_affair
from detectors.windows.prints import detector as prints
from detectors.windows.scan import detector as scan
from detectors.windows.serial import detector as serial
from detectors.windows.sign_in_guessing import detector as sign_in_guessing
from detectors.windows.spraying import detector as spraying
from detectors.windows.unaccounted import detector as unaccounted

__all__ = ["DETECTORS", "by_id"]


def by_id(detectors: Iterable[Detector]) -> Mapping[str, Detector]:
    """Detectors by id.

    Raises:
        ValueError: two of them have the same id.
    """
    found: dict[str, Detector] = {}
    for detector in detectors:
        if detector.meta.id in found:
            raise ValueError(f"two detectors are called {detector.meta.id}")
        found[detector.meta.id] = detector
    return MappingProxyType(found)


DETECTORS = by_id(
    [
        off_hours.DETECTOR,
        sign_in_guessing.DETECTOR,
        look_up_volume.DETECTOR,
        contradicted.DETECTOR,
        unaccounted.DETECTOR,
        serial.DETECTOR,
        prints.DETECTOR,
        scan.DETECTOR,
        outside_affair.DETECTOR,
        browsing.DETECTOR,
        *relations.DETECTORS,
        *flags.DETECTORS,
        *crowd.DETECTORS,
        *outputs.DETECTORS,
        media.DETECTOR,
        proxy.DETECTOR,
        inquiries.DETECTOR,
        sides.DETECTOR,
        answers.DETECTOR,
        unusual_export.DETECTOR,
        print_spike.DETECTOR,
        leaving.DETECTOR,
        *sign_in.DETECTORS,
        *privilege.DETECTORS,
        *contractors.DETECTORS,
        spraying.DETECTOR,
        *sources.DETECTORS,
        unusual_day.DETECTOR,
    ]
)
