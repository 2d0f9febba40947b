"""Who lives and works in the town: sections, staff, households.

Residents are numbers only, ten digits as a 宛名番号 often is and never twelve; they have no name, address or
birthday. Staff have neutral names made of their number.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from types import MappingProxyType

from detectors.lab.model import Person, Section

__all__ = [
    "ATENA",
    "DESK",
    "INTERMEDIATE",
    "NHI",
    "REGISTER",
    "SECTIONS",
    "SERVER",
    "hire",
    "settle_households",
]

NHI = "nhi-eligibility"
REGISTER = "resident-register"
INTERMEDIATE = "intermediate-server"
SERVER = "server-admin-terminal"
ATENA = "atena"

DESK = "shimin/madoguchi"
SYSTEMS_UNIT = "soumu/joho-system"


def _section(
    unit: str,
    name: str,
    share: float,
    looks: tuple[int, int],
    systems: dict[str, float],
    role: str = "clerk",
) -> Section:
    return Section(unit, name, share, looks, MappingProxyType(systems), role)


_TECHNICIANS = _section(
    SYSTEMS_UNIT, "総務課情報システム係", 4, (0, 0), {SERVER: 0.7, ATENA: 0.3}, "systems_administrator"
)
SECTIONS = (
    _section(DESK, "市民課窓口係", 7, (30, 52), {REGISTER: 0.9, NHI: 0.1}),
    _section(
        "hoken-nenkin/shikaku",
        "保険年金課資格係",
        6,
        (28, 48),
        {NHI: 0.75, REGISTER: 0.15, INTERMEDIATE: 0.1},
    ),
    _TECHNICIANS,
    _section("hoken-nenkin/kyufu", "保険年金課給付係", 8, (3, 9), {NHI: 0.8, INTERMEDIATE: 0.2}),
    _section("zeimu/kazei", "税務課課税係", 9, (3, 9), {REGISTER: 0.65, INTERMEDIATE: 0.35}),
    _section("zeimu/shuno", "税務課収納係", 9, (5, 10), {REGISTER: 0.7, NHI: 0.3}),
    _section("fukushi/kaigo", "福祉課介護係", 9, (3, 9), {INTERMEDIATE: 0.6, NHI: 0.4}),
    _section("fukushi/kosodate", "福祉課子育て係", 8, (3, 8), {INTERMEDIATE: 0.55, REGISTER: 0.45}),
)
"""In order of need: the smallest town has a counter, insurance and a technician before anything else."""

_FACTORS = (("password", "palm_vein"), ("password", "totp"))


def _sizes(staff: int) -> list[int]:
    """Largest remainders, so that any number of staff is spread over the sections without loss."""
    total = sum(section.share for section in SECTIONS)
    exact = [staff * section.share / total for section in SECTIONS]
    sizes = [int(share) for share in exact]
    by_need = sorted(range(len(SECTIONS)), key=lambda i: (sizes[i] > 0, i > 2, sizes[i] - exact[i]))
    for index in range(staff - sum(sizes)):
        sizes[by_need[index % len(by_need)]] += 1
    return sizes


def hire(rng: Random, *, staff: int, start: date, residents: Sequence[str]) -> list[Person]:
    """Fill the town hall.

    Args:
        rng: randomness of its own.
        staff: municipal staff; one contractor (two in a larger town) comes on top.
        start: the first simulated day; everybody was there before.
        residents: some of the staff are residents themselves.
    """
    people: list[Person] = []
    head = ""
    # Numbers have gaps, as people leave; sorted, so that seniority reads like it does in a real list.
    numbers = iter(sorted(rng.sample(range(101, 1000 + 4 * staff), staff)))
    for block, (section, size) in enumerate(zip(SECTIONS, _sizes(staff), strict=True)):
        chief = ""
        for seat in range(size):
            fixed_term = seat > 1 and rng.random() < 0.2
            person = Person(
                id=f"s{next(numbers):04}",
                section=section,
                post="係長" if not chief else ("会計年度任用職員" if fixed_term else "主事"),
                employment="fixed_term" if fixed_term else "regular",
                manager=chief or head,
                terminal=f"T-{(block + 1) * 100 + seat + 1:04}",
                address=f"10.3.{block + 1}.{seat + 11}",
                # A chief decides more than looks up.
                pace=rng.uniform(*section.looks) * (1.0 if chief else 0.6),
                factors=_FACTORS[rng.random() < 0.25],
                since=start - timedelta(days=rng.randint(60, 3000)),
                until=start + timedelta(days=365) if fixed_term else None,
                resident=rng.choice(residents) if rng.random() < 0.6 else "",
            )
            people.append(person)
            chief = chief or person.id
            head = head or person.id
    host = next((p.id for p in people if p.section is _TECHNICIANS), head)
    people += [
        Person(
            id=f"c{number:04}",
            section=_TECHNICIANS,
            post="保守委託先",
            employment="contractor",
            manager=host,
            terminal=f"T-{900 + number:04}",
            address=f"10.9.20.{10 + number}",
            pace=0.0,
            factors=("password",),
            since=start - timedelta(days=200),
            until=start + timedelta(days=365),
        )
        for number in range(1, 3 if staff >= 20 else 2)
    ]
    return people


def settle_households(rng: Random, count: int) -> list[tuple[str, ...]]:
    """Households of one to five residents, `count` residents in all or a few more."""
    numbers = iter(rng.sample(range(1_000_000, 90_000_000), count + 5))
    households: list[tuple[str, ...]] = []
    living = 0
    while living < count:
        size = rng.choices((1, 2, 3, 4, 5), (38, 28, 16, 13, 5))[0]
        households.append(tuple(f"{next(numbers):010}" for _ in range(size)))
        living += size
    return households
