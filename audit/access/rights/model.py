"""Rights in the systems that hold residents' records: who holds which, from when to when. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

__all__ = ["FUNCTIONS", "FUNCTION_OF", "Entitlement"]

FUNCTIONS = (
    "view", "update", "print", "export", "media", "backup", "inquiry", "provision", "number_view", "administer",
)  # fmt: skip
"""What a right is for; each is applied for by itself (C-061, C-062). A system may have others beside them."""

FUNCTION_OF: Mapping[str, str] = MappingProxyType(
    {
        "search": "view", "view": "view",
        "create": "update", "update": "update", "delete": "update", "answer": "update", "import": "update",
        "upload": "update", "bind_number": "update", "copy_register": "update",
        "print": "print", "screen_copy": "print",
        "export": "export", "download": "export", "transfer": "export",
        "media_checkout": "media", "media_write": "media", "media_return": "media", "media_erase": "media",
        "media_dispose": "media",
        "backup": "backup", "restore": "backup", "maintenance": "backup", "job_run": "backup",
        "inquiry": "inquiry", "receive": "inquiry",
        "provision": "provision",
        "grant": "administer", "revoke": "administer", "credential_issue": "administer",
        "credential_reset": "administer",
        "policy_change": "administer", "config_change": "administer", "purge": "administer", "log_clear": "administer",
    }
)  # fmt: skip
"""Which right an activity needs; one that is not here needs none beside being allowed to work in the system."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitlement:
    """One right that holds: (affair, system, function, unit, person, validity). `end` is exclusive.

    Attributes:
        id: its own.
        person: the staff id of the holder.
        system: the source id.
        affair: the business; empty for every one of the system.
        function: of `FUNCTIONS`, or the system's own.
        unit: the unit for whose work it was granted; it ends when the holder leaves the unit.
        start: from when.
        end: until when; None without end.
        application: by which application it came.
    """

    id: str
    person: str
    system: str
    affair: str
    function: str
    unit: str
    start: datetime
    end: datetime | None
    application: str
