"""Stories that these detectors must and must not find."""

from collections.abc import Mapping
from datetime import timedelta

from detectors.cases import act, case, clock, feeds
from detectors.model import Case
from detectors.rules.stories import DAY, UNIT, block, list_work, look, resident, staff, ticket, without_prints

__all__ = ["CASES"]

_FRIDAY = DAY - timedelta(days=3)
_PEOPLE = [staff("s1"), staff("s2")]
_OFFICES = feeds(staff=[*_PEOPLE, staff("s3", unit="zeimu")])


def _given(flag: str, **more: list[dict[str, str]]) -> dict[str, str]:
    marked = [resident(key, flags=flag) for key in ("r-1", "r-2", "r-3")]
    return feeds(staff=_PEOPLE, subjects=[*marked, resident("r-9")], **more)


def _any_look(flag: str) -> tuple[Case, ...]:
    """Stories of residents of whom one look-up is enough."""
    given = _given(flag)
    return (
        case("once, without a case", DAY, look("s1", "r-1"), finds=["s1"], given=given),
        case("two of them", DAY, look("s1", "r-1", "r-2"), finds=["s1"], given=given),
        case("at night", DAY, look("s1", "r-1", at="21:40"), finds=["s1"], given=given),
        case("by two people", DAY, look("s1", "r-1"), look("s2", "r-1"), finds=["s1", "s2"], given=given),
        case("another unit has the case", DAY, look("s1", "r-1"), finds=["s1"],
             given=_given(flag, cases=[ticket("r-1", unit="zeimu")])),
        case("the case is long closed", DAY, look("s1", "r-1", case_id="c-1"), finds=["s1"],
             given=_given(flag, cases=[ticket("r-1", closed="2026-09-01T12:00:00+09:00")])),
        case("in a list that nobody else approved", DAY, look("s1", "r-1"), finds=["s1"],
             given=_given(flag, approvals=[list_work("s1", by="s1")])),
        # To be left alone.
        case("a case of the unit", DAY, look("s1", "r-1"), given=_given(flag, cases=[ticket("r-1")])),
        case("the case the event names", DAY, look("s1", "r-1", case_id="c-1"),
             given=_given(flag, cases=[ticket("r-1")])),
        case("approved list work", DAY, look("s1", "r-1", "r-2"), given=_given(flag, approvals=[list_work("s1")])),
        case("somebody without a mark", DAY, look("s1", "r-9"), given=given),
        case("refused", DAY, look("s1", "r-1", outcome="denied"), given=given),
        case("hits of a search", DAY, act(clock(DAY, "10:00"), "s1", "search", subjects=["r-1"]), given=given),
        case("a case of the department, worked by its section", DAY, look("s1", "r-1", unit=UNIT),
             given=_given(flag, cases=[ticket("r-1", unit="hoken-nenkin")])),
    )  # fmt: skip


_DEAD = _given("deceased")
_SETTLING = feeds(
    staff=_PEOPLE,
    subjects=block(40, flags="deceased"),
    cases=[ticket(f"q-{n:03d}", number=f"c-{n}") for n in range(36)],
)
"""A unit that settles the affairs of those who have died."""
_CHANGED = act(clock(DAY, "10:05"), "s1", "update", subjects=["r-1"])
_ELSEWHERE = {**_given("protected", cases=[ticket("r-1", unit="zeimu")]), **_OFFICES}
_HANDLED = (
    case("changed, while another unit handles the case", DAY, look("s1", "r-1"), _CHANGED, look("s3", "r-1"),
         finds=["s1"], given=_ELSEWHERE),
    case("changed, and nobody has a case", DAY, look("s1", "r-1"), _CHANGED, given=_given("protected")),
)  # fmt: skip
CASES: Mapping[str, tuple[Case, ...]] = {
    "protected-record": (*_any_look("protected"), *_HANDLED),
    "celebrity-record": _any_look("vip"),
    "deceased-record": (
        case("three in a day", DAY, look("s1", "r-1", "r-2", "r-3"), finds=["s1"], given=_DEAD),
        case("two in a day", DAY, look("s1", "r-1", "r-2"), finds=["s1"], given=_DEAD),
        case("the same on several days", DAY, look("s1", "r-1", day=_FRIDAY), look("s1", "r-1"),
             finds=["s1"], given=_DEAD),
        case("printed", DAY, look("s1", "r-1"), act(clock(DAY, "10:02"), "s1", "print", subjects=["r-1"]),
             without_prints(), finds=["s1"], given=_DEAD),
        case("at night", DAY, look("s1", "r-1", at="21:40"), finds=["s1"], given=_DEAD),
        case("another unit has the cases", DAY, look("s1", "r-1", "r-2"), finds=["s1"],
             given=_given("deceased", cases=[ticket("r-1", unit="zeimu"), ticket("r-2", "zeimu", number="c-2")])),
        # To be left alone.
        case("a case of the unit", DAY, look("s1", "r-1"), given=_given("deceased", cases=[ticket("r-1")])),
        case("one of them, in a town where many are known to have died", DAY, look("s1", "q-001"),
             look("s2", *(f"q-{n:03d}" for n in range(30)), day=_FRIDAY),
             given={**_DEAD, **feeds(subjects=block(30, flags="deceased"))}),
        case("approved list work", DAY, look("s1", "r-1", "r-2", "r-3"),
             given=_given("deceased", approvals=[list_work("s1")])),
        case("the living", DAY, look("s1", "r-9"), given=_DEAD),
        case("refused", DAY, look("s1", "r-1", "r-2", outcome="denied"), given=_DEAD),
        case("a unit that works with them every day", DAY,
             look("s1", *(f"q-{n:03d}" for n in range(36)), day=_FRIDAY),
             look("s1", "q-038", "q-039"), given=_SETTLING),
        case("residents unknown", DAY, look("s1", "r-1", "r-2"), given=feeds(staff=_PEOPLE)),
    ),
}  # fmt: skip
