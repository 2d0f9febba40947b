"""Three towns that are run differently, as data: what fits one of them by its numbers misses the other two."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

__all__ = ["STYLES", "Section", "Style", "style_of"]


@dataclass(frozen=True, slots=True)
class Section:
    """One section of the town hall.

    Attributes:
        unit: the organisational unit that its cases bear.
        teams: the units that its staff belong to, equal to `unit` or below it.
        share: its part of the staff.
        systems: what it works in, with weights; empty for sections that handle no records.
        counter: whether residents come to it.
        site: where it sits.
        pace: look-ups a day, against the town's usual.
    """

    unit: str
    teams: tuple[str, ...]
    share: float
    systems: Mapping[str, float]
    counter: bool = False
    site: str = "main"
    pace: float = 1.0


@dataclass(frozen=True, slots=True)
class Style:
    """How one town is run. Rates are per person and working day unless another unit is named."""

    name: str
    start: date
    sections: tuple[Section, ...]
    admin_unit: str
    admin_source: str
    bulk_source: str
    subject_id: str
    household_id: str
    staff_id: str
    terminal_id: str
    case_id: str
    words: Mapping[str, str]
    policies: Mapping[str, tuple[tuple[int, str], ...]]
    residents_per_staff: int
    surname_offset: float
    flats: tuple[int, int]
    tasks: float
    errands: float
    reopened: float
    lasting: tuple[int, int]
    quoted_case: float
    late_ticket: float
    household_views: bool
    household_cases: bool
    shown: frozenset[str]
    sequenced: frozenset[str]
    stamped: frozenset[str]
    utc: frozenset[str]
    roster_for_all: bool
    evening_counter: bool
    contractor_counter: float
    transfer_share: float
    resident_staff: float
    part_time: float


_KINDS = ("window", "application", "notice", "arrears", "visit", "call", "inquiry")

_RURAL = Style(
    name="rural",
    start=date(2026, 8, 17),
    sections=(
        Section("jumin", ("jumin",), 0.17, {"resident-register": 6, "nhi-core": 3, "welfare": 1}, counter=True),
        Section("zeimu", ("zeimu",), 0.12, {"tax": 6, "resident-register": 2, "nhi-core": 1}, counter=True),
        Section("hoken", ("hoken",), 0.17, {"nhi-core": 5, "welfare": 3, "resident-register": 2}, counter=True),
        Section("fukushi", ("fukushi",), 0.17, {"welfare": 6, "resident-register": 2, "nhi-core": 1}),
        Section("shisho", ("shisho",), 0.07, {"resident-register": 3, "nhi-core": 2, "tax": 1}, True, "branch"),
        Section("soumu", ("soumu",), 0.08, {"common-platform": 1}, pace=0.1),
        Section("kensetsu", ("kensetsu",), 0.12, {}),
        Section("kyoiku", ("kyoiku",), 0.10, {"resident-register": 1}, pace=0.3),
    ),
    admin_unit="soumu",
    admin_source="common-platform",
    bulk_source="nhi-core",
    subject_id="A-{:08d}",
    household_id="S{:06d}",
    staff_id="y{:03d}",
    terminal_id="PC{:03d}",
    case_id="{}-{:05d}",
    words=dict(zip(_KINDS, ("窓口", "申請", "届出", "滞納整理", "訪問", "電話", "照会"), strict=True)),
    policies={
        "resident-register": ((0, "password+ic_card"),),
        "nhi-core": ((0, "password"),),
        "tax": ((0, "password+ic_card"),),
        "welfare": ((0, "password"),),
        "intermediate-server": ((0, "password+ic_card"),),
        "common-platform": ((0, "password"),),
        "file-share": ((0, "password"),),
    },
    residents_per_staff=26,
    surname_offset=10.5,
    flats=(2, 3),
    tasks=6.0,
    errands=0.05,
    reopened=0.25,
    lasting=(0, 12),
    quoted_case=0.04,
    late_ticket=0.15,
    household_views=True,
    household_cases=True,
    shown=frozenset({"ip"}),
    sequenced=frozenset({"tax", "nhi-core", "resident-register"}),
    stamped=frozenset({"nhi-core", "tax"}),
    utc=frozenset(),
    roster_for_all=False,
    evening_counter=False,
    contractor_counter=0.0,
    transfer_share=0.02,
    resident_staff=0.8,
    part_time=0.15,
)

_CITY = Style(
    name="city",
    start=date(2026, 6, 1),
    sections=(
        Section(
            "shimin/madoguchi",
            ("shimin/madoguchi/idou", "shimin/madoguchi/shomei"),
            0.15,
            {"resident-register": 7, "juki-net": 1, "atena": 1},
            counter=True,
            pace=1.3,
        ),
        Section(
            "kenko/hoken-nenkin",
            ("kenko/hoken-nenkin/shikaku", "kenko/hoken-nenkin/kyufu", "kenko/hoken-nenkin/nenkin"),
            0.16,
            {"nhi-eligibility": 4, "nhi-benefit": 3, "nhi-levy": 2, "pension": 1, "resident-register": 1},
            counter=True,
        ),
        Section(
            "zaimu/shuno",
            ("zaimu/shuno/seiri-1", "zaimu/shuno/seiri-2"),
            0.10,
            {"arrears": 6, "nhi-arrears": 2, "tax": 2, "collection": 1},
            pace=1.2,
        ),
        Section("zaimu/shiminzei", ("zaimu/shiminzei/fuka",), 0.09, {"tax": 7, "resident-register": 1}),
        Section(
            "fukushi/kaigo",
            ("fukushi/kaigo/nintei", "fukushi/kaigo/kyufu"),
            0.10,
            {"ltci-core": 6, "latter-elderly": 2, "resident-register": 1},
            site="annex",
        ),
        Section("fukushi/seikatsu", ("fukushi/seikatsu/hogo-1",), 0.08, {"public-assistance": 6, "atena": 1}),
        Section(
            "kodomo/hoiku",
            ("kodomo/hoiku/nyuen",),
            0.07,
            {"childcare": 5, "resident-register": 1},
            counter=True,
            site="annex",
        ),
        Section("kenko/kenshin", ("kenko/kenshin/yobou",), 0.05, {"health-management": 5}, site="annex"),
        Section("soumu/joho", ("soumu/joho/system",), 0.05, {"common-platform": 1}, pace=0.1),
        Section("toshi/doboku", ("toshi/doboku/iji",), 0.10, {}),
        Section("kyoiku/gakuji", ("kyoiku/gakuji/shugaku",), 0.05, {"resident-register": 1}, pace=0.4),
    ),
    admin_unit="soumu/joho",
    admin_source="common-platform",
    bulk_source="nhi-levy",
    subject_id="{:010d}",
    household_id="h{:07d}",
    staff_id="s{:04d}",
    terminal_id="T-{:04d}",
    case_id="c-{}{:06d}",
    words=dict(zip(_KINDS, _KINDS, strict=True)),
    policies={
        **dict.fromkeys(
            (
                "resident-register",
                "nhi-eligibility",
                "nhi-benefit",
                "nhi-levy",
                "nhi-arrears",
                "tax",
                "public-assistance",
                "juki-net",
                "atena",
                "intermediate-server",
            ),
            ((0, "password+palm_vein|password+totp"),),
        ),
        **dict.fromkeys(
            (
                "arrears",
                "collection",
                "ltci-core",
                "latter-elderly",
                "pension",
                "childcare",
                "health-management",
                "common-platform",
                "file-share",
                "contractor-terminal",
            ),
            ((0, "password"),),
        ),
    },
    residents_per_staff=60,
    surname_offset=10.5,
    flats=(6, 24),
    tasks=11.0,
    errands=0.06,
    reopened=0.45,
    lasting=(1, 60),
    quoted_case=0.7,
    late_ticket=0.06,
    household_views=False,
    household_cases=False,
    shown=frozenset({"ip", "unit", "role", "session", "reason"}),
    sequenced=frozenset({"resident-register", "nhi-eligibility", "common-platform"}),
    stamped=frozenset({"resident-register", "nhi-eligibility", "tax", "ltci-core", "common-platform"}),
    utc=frozenset({"health-management", "common-platform"}),
    roster_for_all=False,
    evening_counter=True,
    contractor_counter=0.0,
    transfer_share=0.03,
    resident_staff=0.55,
    part_time=0.12,
)

_WARD = Style(
    name="ward",
    start=date(2026, 3, 9),
    sections=(
        Section("k01/koseki", ("k01/koseki",), 0.20, {"resident-register": 6, "family-register": 2}, True, pace=1.4),
        Section("k01/kokuho", ("k01/kokuho",), 0.18, {"nhi-standard": 6, "resident-register": 2, "pension": 1}, True),
        Section("k02/zei", ("k02/zei",), 0.13, {"tax": 6, "phone-dunning": 2}, pace=1.1),
        Section("k03/kaigo", ("k03/kaigo",), 0.12, {"ltci-core": 5, "latter-elderly": 2}, True),
        Section("k03/hogo", ("k03/hogo",), 0.10, {"public-assistance": 5, "resident-register": 1}),
        Section("k03/kodomo", ("k03/kodomo",), 0.08, {"childcare": 4, "welfare": 2}, True),
        Section("k03/hoken-c", ("k03/hoken-c",), 0.05, {"health-welfare": 4}, site="health-centre"),
        Section("k09/denzan", ("k09/denzan",), 0.05, {"gov-cloud": 1}, pace=0.1),
        Section("k05/doro", ("k05/doro",), 0.06, {}),
        Section("k06/gakko", ("k06/gakko",), 0.03, {"resident-register": 1}, pace=0.5),
    ),
    admin_unit="k09/denzan",
    admin_source="gov-cloud",
    bulk_source="nhi-standard",
    subject_id="R{:07x}q",
    household_id="{:06x}-hh",
    staff_id="K-{:05d}",
    terminal_id="W3-{:03d}",
    case_id="{}{:07d}",
    words={**{kind: kind for kind in _KINDS}, "window": "reception", "inquiry": "official_inquiry"},
    policies={
        "resident-register": ((0, "password"), (24, "password+ic_card|password+totp")),
        "family-register": ((0, "password+ic_card"),),
        "nhi-standard": ((0, "password+ic_card|password+totp"),),
        "tax": ((0, "password+ic_card"),),
        "public-assistance": ((0, "password+fingerprint"),),
        **dict.fromkeys(
            (
                "pension",
                "phone-dunning",
                "ltci-core",
                "latter-elderly",
                "childcare",
                "welfare",
                "health-welfare",
                "gov-cloud",
                "file-share",
                "intermediate-server",
                "contractor-terminal",
            ),
            ((0, "password"),),
        ),
    },
    residents_per_staff=45,
    surname_offset=10.5,
    flats=(12, 60),
    tasks=8.5,
    errands=0.075,
    reopened=0.35,
    lasting=(0, 35),
    quoted_case=0.3,
    late_ticket=0.1,
    household_views=False,
    household_cases=False,
    shown=frozenset({"kind", "unit", "reason"}),
    sequenced=frozenset({"resident-register", "nhi-standard"}),
    stamped=frozenset({"nhi-standard", "resident-register", "gov-cloud"}),
    utc=frozenset({"gov-cloud"}),
    roster_for_all=True,
    evening_counter=True,
    contractor_counter=0.35,
    transfer_share=0.16,
    resident_staff=0.35,
    part_time=0.2,
)

STYLES = (_RURAL, _CITY, _WARD)


def style_of(seed: int) -> Style:
    """The style that a seed's town has: 1, 2, 3 are rural, city and ward, and so on."""
    return STYLES[(seed - 1) % len(STYLES)]
