"""The detectors, by name. Registration is explicit: a file that lies in a folder detects nothing by itself."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from detectors.model import Detector
from detectors.windows.look_up_volume import detector as look_up_volume
from detectors.windows.off_hours import detector as off_hours
from detectors.windows.sign_in_guessing import detector as sign_in_guessing

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


DETECTORS = by_id([off_hours.DETECTOR, sign_in_guessing.DETECTOR, look_up_volume.DETECTOR])
