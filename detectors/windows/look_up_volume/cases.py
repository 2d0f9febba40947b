"""Stories that this detector must and must not find."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from detectors.cases import act, case, clock, feeds, look_ups, weekdays_before
from detectors.windows.stories import open_cases

__all__ = ["CASES"]

_DAY = date(2026, 10, 30)
_PAST = weekdays_before(_DAY, 15)
_PEERS = ("p1", "p2", "p3", "p4")
_UNIT = "hoken-nenkin/shikaku"
_LIST_WORK = feeds(
    approvals=[
        {
            "approval_id": "a-1",
            "kind": "time_window",
            "staff_id": "s1",
            "approved_by": "s9",
            "source": "atena",
            "valid_from": "2026-10-30",
            "valid_to": "2026-10-30",
        }
    ]
)


def _usual(
    actor: str,
    people: Sequence[int] = (10, 11, 9),
    **more: Any,  # noqa: ANN401 - any field
) -> Iterator[dict[str, Any]]:
    """Three weeks of working days, with so many people looked up in turn."""
    for number, day in enumerate(_PAST):
        yield from look_ups(day, actor, people[number % len(people)], **{"unit": _UNIT, **more})


def _peers(today: int) -> Iterator[dict[str, Any]]:
    """Colleagues with a usual past, and their day."""
    for peer in _PEERS:
        yield from _usual(peer)
        yield from look_ups(_DAY, peer, today, unit=_UNIT)


def _today(actor: str, people: int, **more: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - any field
    return look_ups(_DAY, actor, people, **{"unit": _UNIT, **more})


CASES = (
    # To be found.
    case("six times one's own usual", _DAY, _usual("s1"), _today("s1", 60), finds=["s1"]),
    case("colleagues have an ordinary day", _DAY, _usual("s1"), _peers(10), _today("s1", 60), finds=["s1"]),
    case("a new person, far above the colleagues", _DAY, _peers(10), _today("s1", 70), finds=["s1"]),
    case(
        "a busy day does not explain eight times",
        _DAY,
        _usual("s1"),
        _peers(20),
        _today("s1", 80),
        finds=["s1"],
    ),
    case(
        "the whole unit's day explains at most three",
        _DAY,
        _usual("s1"),
        _peers(50),
        _today("s1", 120),
        finds=["s1"],
    ),
    case("one odd day does not teach", _DAY, _usual("s1", (10,) * 14 + (200,)), _today("s1", 60), finds=["s1"]),
    case("a quiet person's long list", _DAY, _usual("s1", (2, 3)), _today("s1", 40), finds=["s1"]),
    case(
        "a little in each of three systems",
        _DAY,
        _usual("s1"),
        _today("s1", 20),
        _today("s1", 20, first=100, source="atena"),
        _today("s1", 20, first=200, source="resident-register"),
        finds=["s1"],
    ),
    case(
        "a past of the same people in two systems is not a past of twice as many",
        _DAY,
        _usual("s1"),
        _usual("s1", source="atena", unit=""),
        _today("s1", 38),
        finds=["s1"],
    ),
    case(
        "list work was approved in another system only",
        _DAY,
        _usual("s1"),
        _today("s1", 60),
        finds=["s1"],
        given=_LIST_WORK,
    ),
    case(
        "cases for some, but not for the increase",
        _DAY,
        _usual("s1"),
        _today("s1", 60),
        finds=["s1"],
        given=open_cases(12),
    ),
    # To be left alone.
    case("a case for each of them", _DAY, _usual("s1"), _today("s1", 60), given=open_cases(60)),
    case("every record was changed", _DAY, _usual("s1"), _today("s1", 60, activity="update")),
    case("an ordinary day", _DAY, _usual("s1"), _peers(10), _today("s1", 13)),
    case("everyone is busy", _DAY, _usual("s1"), _peers(32), _today("s1", 36)),
    case("a quiet person moderately up", _DAY, _usual("s1", (2, 3)), _today("s1", 9)),
    case("small numbers, whatever the factor", _DAY, _usual("s1", (1,)), _today("s1", 14)),
    case("up and down is usual for them", _DAY, _usual("s1", (8, 60, 20, 35)), _today("s1", 75)),
    case("a new person as busy as the colleagues", _DAY, _peers(12), _today("s1", 18)),
    case("nobody to compare with", _DAY, _today("s1", 60)),
    case(
        "one household, looked at again and again",
        _DAY,
        _usual("s1"),
        [
            act(clock(_DAY, "09:00") + timedelta(minutes=n), "s1", unit=_UNIT, subjects=[f"k-{n % 4}"])
            for n in range(60)
        ],
    ),
    case(
        "hits of searches",
        _DAY,
        _usual("s1"),
        _today("s1", 10),
        _today("s1", 90, first=20, activity="search"),
    ),
    case("refused look-ups", _DAY, _usual("s1"), _today("s1", 10), _today("s1", 90, first=20, outcome="denied")),
    case(
        "the same people in a system that writes another unit",
        _DAY,
        _usual("s1", (11, 12)),
        _today("s1", 20),
        _today("s1", 20, source="atena", unit=""),
    ),
    case("list work that was approved", _DAY, _usual("s1"), _today("s1", 60, source="atena"), given=_LIST_WORK),
    case("the busiest days were nearly as busy", _DAY, _usual("s1", (10, 10, 10, 45)), _today("s1", 60)),
    case("a batch over everyone", _DAY, _usual("batch", kind="system"), _today("batch", 300, kind="system")),
)
