"""The systems of the town hall, by their ids in the catalogue."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = [
    "ARREARS",
    "ATENA",
    "BENEFIT",
    "CARE",
    "CHILDCARE",
    "COLLECTION",
    "DOOR",
    "FAMILY",
    "INTERMEDIATE",
    "LEVY",
    "MEDIA",
    "NHI",
    "PENSION",
    "PLATFORM",
    "REGISTER",
    "SERVER",
    "SYSTEMS",
    "TAX",
    "WELFARE",
    "System",
]

NHI = "nhi-eligibility"
REGISTER = "resident-register"
INTERMEDIATE = "intermediate-server"
SERVER = "server-admin-terminal"
ATENA = "atena"
LEVY = "nhi-levy"
BENEFIT = "nhi-benefit"
TAX = "tax"
COLLECTION = "collection"
ARREARS = "arrears"
CARE = "ltci-core"
CHILDCARE = "childcare"
WELFARE = "welfare"
PENSION = "pension"
FAMILY = "family-register"
PLATFORM = "common-platform"
MEDIA = "media-ledger"
DOOR = "door-access"


@dataclass(frozen=True, slots=True)
class System:
    """One system.

    Attributes:
        id: its id in the catalogue.
        affair: the affair its events name.
        screens: what its screen numbers begin with.
        cites: whether its events carry the number of the case.
        require: the factors it asks for, as in the policies feed; empty where people do not sign in.
    """

    id: str
    affair: str
    screens: str
    cites: bool = False
    require: str = "password+palm_vein|password+totp"


SYSTEMS: Mapping[str, System] = MappingProxyType(
    {
        system.id: system
        for system in (
            System(NHI, "nhi-eligibility", "SKK", cites=True),
            System(REGISTER, "resident-register", "JKI"),
            System(INTERMEDIATE, "", "CHS", cites=True),
            System(SERVER, "", "", require="password"),
            System(ATENA, "atena", "", require="password"),
            System(LEVY, "nhi-levy", "FKA"),
            System(BENEFIT, "nhi-benefit", "KYU", cites=True),
            System(TAX, "local-tax", "ZEI"),
            System(COLLECTION, "collection", "SHU", cites=True),
            System(ARREARS, "arrears", "TAI"),
            System(CARE, "long-term-care", "KAI", cites=True),
            System(CHILDCARE, "childcare", "HOI", cites=True),
            System(WELFARE, "welfare", "FUK", cites=True),
            System(PENSION, "pension", "NEN"),
            System(FAMILY, "family-register", "KOS", require="password+palm_vein"),
            System(PLATFORM, "", "KYO"),
            System(MEDIA, "", "", require=""),
            System(DOOR, "", "", require=""),
        )
    }
)
