"""Stories that these detectors must and must not find."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from detectors.cases import act, case, clock, feeds, weekdays_before

__all__ = ["MANY", "SINGLE"]

_DAY = date(2026, 10, 7)
_BEFORE = weekdays_before(_DAY, 5)


def _right(at: datetime, to: str, activity: str = "grant", actor: str = "s9", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    right = {"system": "nhi-levy", **more.pop("right", {})}
    return act(at, actor, activity, source="rights", target={"id": to, **right}, **more)


def _habit(*, approved: bool = True) -> Iterator[dict[str, Any]]:
    """A grant a day, with or without the head's approval."""
    for number, day in enumerate(_BEFORE):
        if approved:
            yield _right(clock(day, "09:00"), f"t{number}", "approve", "s5")
        yield _right(clock(day, "10:00"), f"t{number}")


_GIVEN = _right(clock(_DAY, "11:00"), "s1")

SINGLE = (
    # To be found.
    case("without an approval, unlike the others", _DAY, _habit(), _GIVEN, finds=["s9"]),
    case("at night", _DAY, _habit(), _right(clock(_DAY, "22:00"), "s1"), finds=["s9"]),
    case(
        "approved only afterwards",
        _DAY,
        _habit(),
        _GIVEN,
        _right(clock(_DAY, "12:00"), "s1", "approve", "s5"),
        finds=["s9"],
    ),
    case(
        "approved by whoever gives it",
        _DAY,
        _habit(),
        _right(clock(_DAY, "10:00"), "s1", "approve", "s9"),
        _GIVEN,
        finds=["s9"],
    ),
    case(
        "approved by whoever gets it",
        _DAY,
        _habit(),
        _right(clock(_DAY, "10:00"), "s1", "approve", "s1"),
        _GIVEN,
        finds=["s9"],
    ),
    case(
        "another right approved",
        _DAY,
        _habit(),
        _right(clock(_DAY, "10:00"), "s1", "approve", "s5", right={"system": "atena"}),
        _GIVEN,
        finds=["s9"],
    ),
    case(
        "the first grant of all, to somebody whose post did not change",
        _DAY,
        _GIVEN,
        finds=["s9"],
        given=feeds(staff=[{"staff_id": "s1", "org_unit": "zeimu", "valid_from": "2020-04-01"}]),
    ),
    # To be left alone.
    case(
        "transferred this week",
        _DAY,
        _habit(),
        _GIVEN,
        given=feeds(staff=[{"staff_id": "s1", "org_unit": "zeimu", "valid_from": "2026-10-05"}]),
    ),
    case("approved that morning", _DAY, _habit(), _right(clock(_DAY, "10:00"), "s1", "approve", "s5"), _GIVEN),
    case("a system that writes no approvals", _DAY, _habit(approved=False), _GIVEN),
    case("the first grants of all", _DAY, _GIVEN),
    case("a right taken away", _DAY, _habit(), _right(clock(_DAY, "11:00"), "s1", "revoke")),
    case("refused", _DAY, _habit(), _right(clock(_DAY, "11:00"), "s1", outcome="denied")),
    case("by a job of the system", _DAY, _habit(), _right(clock(_DAY, "11:00"), "s1", kind="system")),
)


def _many(people: int, day: date = _DAY, **more: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - any field
    return [_right(clock(day, f"13:{n:02d}"), f"s1{n:02d}", **more) for n in range(people)]


def _begin(since: str, people: int = 15) -> dict[str, str]:
    return feeds(staff=[{"staff_id": f"s1{n:02d}", "org_unit": "zeimu", "valid_from": since} for n in range(people)])


MANY = (
    # To be found.
    case("fifteen people in an afternoon", _DAY, _many(15), finds=["s9"]),
    case("ten, against one a day", _DAY, _habit(), _many(10), finds=["s9"]),
    case("of old staff", _DAY, _many(15), finds=["s9"], given=_begin("2020-04-01")),
    case(
        "several rights each",
        _DAY,
        _many(12),
        _many(12, right={"system": "atena"}),
        finds=["s9"],
    ),
    case("by a contractor", _DAY, _many(12, actor="s7", kind="contractor"), finds=["s7"]),
    # To be left alone.
    case("nine people", _DAY, _many(9)),
    case("transferred this week", _DAY, _many(15), given=_begin("2026-10-05")),
    case("as many as last week", _DAY, _many(12, _BEFORE[2]), _many(15)),
    case(
        "each approved by the head",
        _DAY,
        [_right(clock(_DAY, f"09:{n:02d}"), f"s1{n:02d}", "approve", "s5") for n in range(15)],
        _many(15),
    ),
    case(
        "many rights for one",
        _DAY,
        [_right(clock(_DAY, f"13:{n:02d}"), "s1", right={"affair": f"a{n}"}) for n in range(15)],
    ),
    case("refused", _DAY, _many(15, outcome="denied")),
)
