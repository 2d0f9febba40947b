"""Stories that this detector must and must not find."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from detectors.cases import act, case, clock, look_ups
from detectors.windows.stories import UNIT, looks_at, open_cases

__all__ = ["CASES"]

_DAY = date(2026, 10, 30)
_PAST = [date(2026, 10, day) for day in (9, 13, 14, 15, 16, 19, 20, 21, 22, 23)]
_UNIT_S = ("s1", "s2", "s3", "s4", "s5", "s6")
_OTHER = "zeimu"
_STRANGERS = [f"x-{number:03d}" for number in (17, 480, 93, 702, 255, 31, 868, 140, 599, 322, 711, 64)]
_BY_NAME: dict[str, Any] = {"query": {"by": "name", "hits": 1}}
_TOWN = open_cases()


def _approved(kind: str, start: str = "2026-10-30", end: str = "2026-10-30") -> dict[str, str]:
    return open_cases(
        approvals=[
            {
                "approval_id": "a-1",
                "kind": kind,
                "staff_id": "s1",
                "approved_by": "s9",
                "valid_from": start,
                "valid_to": end,
            }
        ]
    )


def _usual(
    actors: Sequence[str] = _UNIT_S,
    days: Sequence[date] = (*_PAST, _DAY),
    unit: str = UNIT,
    first: int = 1,
) -> Iterator[dict[str, Any]]:
    """Days with a few residents each, of whom the unit has cases; now and then one of whom it has none."""
    for number, day in enumerate(days):
        for place, actor in enumerate(actors):
            yield from look_ups(day, actor, 4 + (number + place) % 4, unit=unit, first=first)
            if day != _DAY and (number + 3 * place) % 7 == 0:
                yield from looks_at(day, actor, [f"y-{number}-{place}"], at="11:00", unit=unit)


def _strangers(actor: str, many: int, at: str = "14:00", **more: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    """Look-ups of residents of whom nobody has a case."""
    return looks_at(_DAY, actor, _STRANGERS[:many], at=at, **more)


def _prints(actor: str, many: int, at: str = "14:30", **more: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    return looks_at(_DAY, actor, _STRANGERS[:many], at=at, **{"activity": "print", **more})


def _export(day: date, actor: str, rows: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return act(clock(day, "15:00"), actor, "export", unit=UNIT, export={"rows": rows}, **more)


CASES = (
    # To be found.
    case(
        "three strangers, found by name and printed",
        _DAY,
        _usual(),
        _strangers("s1", 3, **_BY_NAME),
        _prints("s1", 2),
        finds=["s1"],
        given=_TOWN,
    ),
    case(
        "four strangers in the evening, in a system never used before",
        _DAY,
        _usual(),
        _strangers("s1", 4, at="19:30", source="atena"),
        finds=["s1"],
        given=_TOWN,
    ),
    case(
        "a dozen strangers, and copies of the screens",
        _DAY,
        _usual(),
        _strangers("s1", 12, every=3),
        _prints("s1", 5, activity="screen_copy"),
        finds=["s1"],
        given=_TOWN,
    ),
    case(
        "somebody without a past, in a unit that has one",
        _DAY,
        _usual(),
        look_ups(_DAY, "s7", 5, unit=UNIT),
        _strangers("s7", 4, **_BY_NAME),
        _prints("s7", 2),
        finds=["s7"],
        given=_TOWN,
    ),
    case(
        "what was usual in the former unit is not in this one",
        _DAY,
        _usual(),
        [
            look
            for day in _PAST
            for number in range(6)
            for look in looks_at(day, "s7", [f"z-{number}"], at=f"{10 + number}:30", unit=_OTHER, **_BY_NAME)
        ],
        look_ups(_DAY, "s7", 5, unit=UNIT),
        _strangers("s7", 6, **_BY_NAME),
        _prints("s7", 2),
        finds=["s7"],
        given=_TOWN,
    ),
    case(
        "rows taken out after refusals, at a second terminal",
        _DAY,
        _usual(),
        act(clock(_DAY, "14:40"), "s1", "export", outcome="denied", unit=UNIT, terminal={"id": "t-1"}),
        act(clock(_DAY, "14:45"), "s1", "export", outcome="denied", unit=UNIT, terminal={"id": "t-9"}),
        _export(_DAY, "s1", 3000, terminal={"id": "t-9"}),
        finds=["s1"],
        given=_TOWN,
    ),
    case(
        "one of them looks much further than the busy unit",
        _DAY,
        _usual(),
        [look for actor in _UNIT_S for look in _strangers(actor, 1)],
        _strangers("s1", 11, at="10:00", **_BY_NAME),
        _prints("s1", 3),
        finds=["s1"],
        given=_TOWN,
    ),
    # To be left alone.
    case("ordinary days", _DAY, _usual(), given=_TOWN),
    case("one stranger, found by name", _DAY, _usual(), _strangers("s1", 1, **_BY_NAME), given=_TOWN),
    case("much work, all of it with cases", _DAY, _usual(), look_ups(_DAY, "s1", 60, unit=UNIT), given=_TOWN),
    case(
        "the whole unit answers the telephone",
        _DAY,
        _usual(),
        [look for actor in _UNIT_S for look in _strangers(actor, 6, **_BY_NAME)],
        given=_TOWN,
    ),
    case(
        "a unit whose cases nobody delivers, and somebody new in it",
        _DAY,
        _usual(first=101),
        look_ups(_DAY, "s7", 6, unit=UNIT, first=101),
        given=_TOWN,
    ),
    case(
        "prints of strangers that are this person's every day",
        _DAY,
        _usual(),
        [
            look
            for day in (*_PAST, _DAY)
            for activity in ("view", "print")
            for look in looks_at(day, "s1", _STRANGERS[:4], at="14:00", activity=activity, **_BY_NAME)
        ],
        given=_TOWN,
    ),
    case("an export that was approved", _DAY, _usual(), _export(_DAY, "s1", 3000), given=_approved("export")),
    case(
        "practice that was approved in working time",
        _DAY,
        _usual(),
        _strangers("s1", 12, at="10:00"),
        given=_approved("time_window", "2026-10-30T08:30:00+09:00", "2026-10-30T17:15:00+09:00"),
    ),
    case(
        "an evening that was ordered",
        _DAY,
        _usual(),
        [act(clock(_DAY, "20:00"), "s1", unit=UNIT, subjects=[f"k-{number:04d}"]) for number in (11, 12, 13)],
        given=_approved("time_window", "2026-10-30T17:15:00+09:00", "2026-10-30T21:00:00+09:00"),
    ),
    case(
        "the first week of the log",
        _DAY,
        _usual(days=(*_PAST[5:], _DAY)),
        _strangers("s1", 12, **_BY_NAME),
        given=_TOWN,
    ),
    case("nobody is there", _DAY, _usual(days=_PAST), given=_TOWN),
)
