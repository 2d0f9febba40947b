"""Stories of outputs that are large, or late, and of those that only look so."""

from collections.abc import Iterator
from typing import Any

from detectors.cases import act, case, clock, feeds, weekdays_before
from detectors.rules.outputs.stories import DAY, approval, output, staff

__all__ = ["CASES"]

_GIVEN = feeds(staff=staff("s1", "s2", "s3", "s9"))
_DAYS = weekdays_before(DAY, 6)


def _lists(person: str, rows: int, count: int = 4, **more: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    for number, day in enumerate(_DAYS[:count]):
        yield output(person, rows + 5 * number, day, **more)


def _log() -> Iterator[dict[str, Any]]:
    for day in _DAYS:
        yield act(clock(day, "10:00"), "s9", subjects=[f"k-{day.day:04d}"])


_LOG = list(_log())

CASES = (
    case("a hundred times one's own", DAY, _LOG, _lists("s1", 100), output("s1", 12000), finds=["s1"], given=_GIVEN),
    case("five times one's own", DAY, _LOG, _lists("s1", 100), output("s1", 520), finds=["s1"], given=_GIVEN),
    case(
        "in small files",
        DAY,
        _LOG,
        _lists("s1", 100),
        [output("s1", 90, at=f"1{n}:00", file=f"{n}.csv") for n in range(7)],
        finds=["s1"],
        given=_GIVEN,
    ),
    case(
        "one large day before does not hide the next",
        DAY,
        _LOG,
        _lists("s1", 100),
        output("s1", 9000, _DAYS[4]),
        output("s1", 9000),
        finds=["s1"],
        given=_GIVEN,
    ),
    case("the first of its kind in this town", DAY, _LOG, output("s1", 2500), finds=["s1"], given=_GIVEN),
    case(
        "somebody new takes out far more than the unit",
        DAY,
        _LOG,
        _lists("s2", 100, 6),
        output("s1", 900),
        finds=["s1"],
        given=_GIVEN,
    ),
    case(
        "of the usual size, at night",
        DAY,
        _LOG,
        _lists("s1", 100),
        output("s1", 110, at="22:40"),
        finds=["s1"],
        given=_GIVEN,
    ),
    case(
        "a list of everybody on paper",
        DAY,
        _LOG,
        output("s1", 4000, activity="print", to="printer"),
        finds=["s1"],
        given=_GIVEN,
    ),
    case(
        "approved for fewer",
        DAY,
        _LOG,
        _lists("s1", 100),
        output("s1", 5000),
        finds=["s1"],
        given=feeds(staff=staff("s1", "s9"), approvals=[approval("s1")]),
    ),
    # To be left alone.
    case("as usual", DAY, _LOG, _lists("s1", 100), output("s1", 140), given=_GIVEN),
    case("twice the usual", DAY, _LOG, _lists("s1", 100), output("s1", 220), given=_GIVEN),
    case(
        "the largest list of the month, approved",
        DAY,
        _LOG,
        _lists("s1", 100),
        output("s1", 15000),
        given=feeds(staff=staff("s1", "s9"), approvals=[approval("s1", max_rows="20000")]),
    ),
    case(
        "approved print of a list",
        DAY,
        _LOG,
        output("s1", 1500, activity="print", to="printer"),
        given=feeds(staff=staff("s1", "s9"), approvals=[approval("s1", kind="print", max_rows="3000")]),
    ),
    case("somebody new takes out what the unit does", DAY, _LOG, _lists("s2", 100, 6), output("s1", 120), given=_GIVEN),
    case("a few records", DAY, _LOG, output("s1", 12), given=_GIVEN),
    case(
        "certificates at the counter",
        DAY,
        _LOG,
        [act(clock(DAY, f"1{n}:00"), "s1", "print", subjects=[f"k-{n}"]) for n in range(8)],
        given=_GIVEN,
    ),
    case(
        "exported and fetched again, once",
        DAY,
        _LOG,
        _lists("s1", 200),
        output("s1", 390, file="a.csv"),
        output("s1", 390, at="10:05", activity="download", file="a.csv"),
        given=_GIVEN,
    ),
    case("the first days of the log", DAY, output("s1", 5000), given=_GIVEN),
    case(
        "at night, by approved overtime",
        DAY,
        _LOG,
        _lists("s1", 100),
        output("s1", 110, at="20:10"),
        given=feeds(
            staff=staff("s1", "s9"),
            roster=[
                {
                    "staff_id": "s1",
                    "start": f"{DAY}T17:15:00",
                    "end": f"{DAY}T22:00:00",
                    "kind": "overtime",
                    "approved_by": "s9",
                }
            ],
        ),
    ),
)
