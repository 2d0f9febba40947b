"""The sections of the town hall: what casework each has, in which systems, and how much of it."""

from types import MappingProxyType

from detectors.lab.model import Line, Section
from detectors.lab.systems import (
    ARREARS,
    ATENA,
    BENEFIT,
    CARE,
    CHILDCARE,
    COLLECTION,
    FAMILY,
    INTERMEDIATE,
    LEVY,
    NHI,
    PENSION,
    REGISTER,
    SERVER,
    TAX,
    WELFARE,
)

__all__ = ["DESK", "SECTIONS", "SYSTEMS_UNIT", "TECHNICIANS"]

DESK = "shimin/madoguchi"
SYSTEMS_UNIT = "soumu/joho-system"

_MOVING = frozenset({3, 4})
_SPRING = frozenset({4, 5, 6})
_RENEWAL = frozenset({7, 10})
_DUNNING = frozenset({5, 10, 11, 12})


def _section(unit: str, name: str, share: float, looks: tuple[int, int], *lines: Line) -> Section:
    systems: dict[str, float] = {}
    total = sum(line.weight for line in lines)
    for line in lines:
        share_of_line = line.weight / total
        for system, weight in ((line.source, 1.0), *(line.also or {}).items(), (INTERMEDIATE, line.asks)):
            if weight:
                systems[system] = systems.get(system, 0.0) + share_of_line * weight
    return Section(unit, name, share, looks, MappingProxyType(systems), lines)


TECHNICIANS = Section(
    SYSTEMS_UNIT,
    "総務課情報システム係",
    4,
    (0, 0),
    MappingProxyType({SERVER: 0.7, ATENA: 0.3}),
    role="systems_administrator",
)

SECTIONS = (
    _section(
        DESK,
        "市民課窓口係",
        7,
        (30, 52),
        Line("reception", REGISTER, 0.80, family=0.3, prints=0.5, months=_MOVING),
        Line("application", REGISTER, 0.16, (0, 4), (0, 1), 0.9, {NHI: 0.25}, changes=0.9, prints=0.4, months=_MOVING),
        Line("call", REGISTER, 0.04, family=0.1, changes=0.0, prints=0.0),
    ),
    _section(
        "hoken-nenkin/shikaku",
        "保険年金課資格係",
        6,
        (28, 48),
        Line("reception", NHI, 0.55, family=0.4, also={REGISTER: 0.15}, prints=0.3, months=_MOVING),
        Line("application", NHI, 0.35, (2, 14), (0, 2), 0.5, {REGISTER: 0.3}, 0.6, 0.3, asks=0.25, months=_MOVING),
        Line("call", NHI, 0.10, family=0.2, changes=0.0, prints=0.0),
    ),
    TECHNICIANS,
    _section(
        "hoken-nenkin/kyufu",
        "保険年金課給付係",
        8,
        (4, 9),
        Line("application", BENEFIT, 0.75, (7, 40), (1, 3), 0.15, {NHI: 0.5}, 0.5, 0.4, asks=0.1),
        Line("call", BENEFIT, 0.15, also={NHI: 0.4}, family=0.1, changes=0.0, prints=0.0),
        Line("inquiry", NHI, 0.10, (1, 10), (0, 1), 0.0, changes=0.0, prints=0.8),
    ),
    _section(
        "zeimu/kazei",
        "税務課課税係",
        9,
        (4, 9),
        Line("notice", TAX, 0.35, (1, 20), (0, 2), 0.3, {REGISTER: 0.3}, 0.5, 0.4, months=_SPRING),
        Line("application", TAX, 0.35, (1, 15), (0, 1), 0.3, {REGISTER: 0.4}, 0.3, 0.6, months=_SPRING),
        Line("inquiry", TAX, 0.30, (2, 30), (0, 2), 0.1, {REGISTER: 0.2}, 0.1, 0.4, asks=0.6),
    ),
    _section(
        "zeimu/shuno",
        "税務課収納係",
        9,
        (5, 10),
        Line(
            "arrears",
            ARREARS,
            0.55,
            (40, 300),
            (2, 6),
            0.35,
            {COLLECTION: 0.6, REGISTER: 0.5},
            0.4,
            0.2,
            asks=0.1,
            standing=0.6,
            months=_DUNNING,
        ),
        Line("call", COLLECTION, 0.25, (0, 1), family=0.1, also={REGISTER: 0.2}, changes=0.2, prints=0.0),
        Line("reception", COLLECTION, 0.20, family=0.1, also={NHI: 0.2}, changes=0.3, prints=0.4),
    ),
    _section(
        "fukushi/kaigo",
        "福祉課介護係",
        9,
        (4, 9),
        Line("application", CARE, 0.55, (10, 45), (1, 4), 0.4, {REGISTER: 0.3}, 0.4, 0.4, asks=0.4),
        Line("visit", CARE, 0.25, (3, 120), (1, 4), 0.3, {NHI: 0.2}, 0.5, 0.1, standing=0.4),
        Line("call", CARE, 0.20, family=0.2, changes=0.0, prints=0.0),
    ),
    _section(
        "fukushi/kosodate",
        "福祉課子育て係",
        8,
        (4, 9),
        Line(
            "application",
            CHILDCARE,
            0.65,
            (5, 60),
            (0, 3),
            0.8,
            {REGISTER: 0.4},
            0.4,
            0.4,
            asks=0.35,
            months=frozenset({11, 12, 3}),
        ),
        Line("reception", CHILDCARE, 0.35, family=0.7, prints=0.2),
    ),
    _section(
        "fukushi/hogo",
        "福祉課保護係",
        6,
        (4, 8),
        Line("visit", WELFARE, 0.60, (60, 360), (2, 6), 0.6, {NHI: 0.2, REGISTER: 0.2}, 0.4, 0.1, standing=0.7),
        Line("application", WELFARE, 0.25, (7, 30), (1, 4), 0.8, {TAX: 0.5, REGISTER: 0.4}, 0.6, 0.4, asks=0.5),
        Line("call", WELFARE, 0.15, family=0.2, changes=0.1, prints=0.0),
    ),
    _section(
        "hoken-nenkin/fuka",
        "保険年金課賦課係",
        6,
        (4, 9),
        Line("notice", LEVY, 0.45, (1, 20), (0, 2), 0.5, {NHI: 0.5}, 0.5, 0.4, months=_RENEWAL),
        Line("application", LEVY, 0.35, (1, 15), (0, 1), 0.5, {TAX: 0.3, NHI: 0.3}, 0.5, 0.4, asks=0.2),
        Line("call", LEVY, 0.20, family=0.2, changes=0.0, prints=0.0),
    ),
    _section(
        "hoken-nenkin/nenkin",
        "保険年金課年金係",
        4,
        (5, 11),
        Line("reception", PENSION, 0.6, family=0.2, also={REGISTER: 0.4}, changes=0.4, prints=0.3),
        Line("application", PENSION, 0.4, (2, 20), (0, 2), 0.3, {REGISTER: 0.4, NHI: 0.2}, 0.5, 0.3),
    ),
    _section(
        "shimin/koseki",
        "市民課戸籍係",
        4,
        (6, 13),
        Line("application", FAMILY, 0.6, (0, 6), (0, 2), 0.6, {REGISTER: 0.7}, 0.8, 0.3),
        Line("reception", FAMILY, 0.4, family=0.3, prints=0.8),
    ),
)
"""In order of need: the smallest town has a counter, insurance and a technician before anything else."""
