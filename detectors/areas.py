"""What the detectors watch, in the groups in which people look for them."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from detectors.model import DetectorMeta

__all__ = ["Area", "area_of"]


class Area(StrEnum):
    """Groups of detectors, in the order of a list."""

    LOOK_UPS = "look_ups"
    RELATIONS = "relations"
    OUTPUTS = "outputs"
    SIGN_IN = "sign_in"
    TIME = "time"
    PRIVILEGE = "privilege"
    LINKAGE = "linkage"
    SOURCES = "sources"
    IMPORTED = "imported"
    OTHER = "other"


_MEMBERS: Mapping[Area, str] = {
    Area.LOOK_UPS: "look-up-volume contradicted-case unaccounted-look-ups serial-look-ups sequential-scan "
    "outside-affair name-browsing crowd-on-one-resident repeated-resident unusual-day",
    Area.RELATIONS: "own-record household-record former-family neighbour-record namesake-record colleague-record "
    "protected-record celebrity-record deceased-record",
    Area.OUTPUTS: "export-without-approval export-over-approval unusual-export media-without-ledger "
    "proxy-through-colleague prints-without-case print-spike staging-before-leaving",
    Area.SIGN_IN: "sign-in-guessing password-spraying missing-second-factor leaver-active transferee-active "
    "dormant-account absent-yet-active concurrent-sessions lent-id new-terminal",
    Area.TIME: "off-hours-access contractor-outside-window contractor-reads-residents",
    Area.PRIVILEGE: "self-granted granted-used-removed credential-reset-then-use grant-without-approval mass-privilege "
    "log-cleared audit-scope-reduced",
    Area.LINKAGE: "inquiry-without-permit unmatched-send-receive automatic-answer-overridden",
    Area.SOURCES: "silent-source missing-numbers shifted-clock backdated-acts",
}
_AREAS: Mapping[str, Area] = MappingProxyType(
    {name: area for area, members in _MEMBERS.items() for name in members.split()}
)


def area_of(meta: DetectorMeta) -> Area:
    """What a detector watches; one that a town has imported is among the imported ones."""
    return Area.IMPORTED if meta.family == "sigma" else _AREAS.get(meta.id, Area.OTHER)
