"""Stories that these detectors must and must not find."""

from collections.abc import Mapping
from datetime import timedelta

from detectors.cases import act, case, clock, feeds
from detectors.model import Case
from detectors.rules.stories import DAY, UNIT, block, list_work, look, resident, staff, ticket, without_prints

__all__ = ["CASES"]

_LONG_AGO = [DAY - timedelta(days=back) for back in (7, 14, 20)]
_PRINTED = act(clock(DAY, "10:02"), "s1", "print", subjects=["r-1"])
_NIGHT = "21:40"
_STRANGER = resident("r-9", surname="n-9", address="a-9")

# Oneself: s1 lives as r-0, with r-1.

_HOME = feeds(
    staff=[staff("s1", "r-0"), staff("s2")],
    subjects=[resident("r-0", "h-1"), resident("r-1", "h-1"), _STRANGER],
)


def _home(**more: list[dict[str, str]]) -> dict[str, str]:
    return {**_HOME, **feeds(**more)}


def _own_affair(subject: str) -> tuple[Case, ...]:
    others = [f"k-1{number:03d}" for number in range(12)]
    assigned = _home(cases=[ticket(subject, assignee="s1")])
    return (
        case("in working time", DAY, look("s1", subject), finds=["s1"], given=_HOME),
        case("at night", DAY, look("s1", subject, at=_NIGHT), finds=["s1"], given=_HOME),
        case("changed as well", DAY, look("s1", subject), act(clock(DAY, "10:05"), "s1", "update", subjects=[subject]),
             finds=["s1"], given=_HOME),
        case("the unit has a case of it, another colleague's", DAY, look("s1", subject), finds=["s1"],
             given=_home(cases=[ticket(subject, assignee="s2")])),
        case("citing a case of somebody else", DAY, look("s1", subject, case_id="c-1"), finds=["s1"],
             given=_home(cases=[ticket("r-9", assignee="s1")])),
        case("list work approved, of nobody else", DAY, look("s1", subject), finds=["s1"],
             given=_home(approvals=[list_work("s1")])),
        case("list work approved by oneself", DAY, look("s1", subject), look("s1", *others, at="11:00"), finds=["s1"],
             given=_home(approvals=[list_work("s1", by="s1")])),
        case("among many others", DAY, look("s1", subject), look("s1", *others, at="11:00"), finds=["s1"], given=_HOME),
        # To be left alone.
        case("somebody else", DAY, look("s1", "r-9"), given=_HOME),
        case("a colleague looks", DAY, look("s2", subject), given=_HOME),
        case("a case assigned to this person", DAY, look("s1", subject), given=assigned),
        case("list work approved, of many", DAY, look("s1", subject), look("s1", *others, at="11:00"),
             given=_home(approvals=[list_work("s1")])),
        case("a search that was not followed", DAY, act(clock(DAY, "10:00"), "s1", "search", subjects=[subject]),
             given=_HOME),
        case("refused", DAY, look("s1", subject, outcome="denied"), given=_HOME),
        case("residents unknown", DAY, look("s1", "r-1"), given=feeds(staff=[staff("s1")])),
    )  # fmt: skip


def _kin(given: Mapping[str, str], common: Mapping[str, str], stranger: Mapping[str, str]) -> tuple[Case, ...]:
    """Stories of s1 and of r-1 and r-2, who are related.

    Args:
        given: the feeds.
        common: feeds in which so many are so related that it means nothing.
        stranger: feeds in which they are not related.
    """
    ours = {**given, **feeds(cases=[ticket("r-1"), ticket("r-2", number="c-2")])}
    theirs = {**given, **feeds(cases=[ticket("r-1", unit="zeimu")])}
    weeks = [look("s1", "r-1", day=day) for day in _LONG_AGO]
    return (
        case("once, without a case", DAY, look("s1", "r-1"), finds=["s1"], given=given),
        case("two of them", DAY, look("s1", "r-1", "r-2"), finds=["s1"], given=given),
        case("printed", DAY, look("s1", "r-1"), _PRINTED, without_prints(), finds=["s1"], given=given),
        case("at night", DAY, look("s1", "r-1", at=_NIGHT), finds=["s1"], given=given),
        case("another unit has the case", DAY, look("s1", "r-1"), finds=["s1"], given=theirs),
        case("citing another unit's case", DAY, look("s1", "r-1", case_id="c-1"), finds=["s1"], given=theirs),
        case("once a week, though many are so related", DAY, *weeks, look("s1", "r-1"), finds=["s1"], given=common),
        # To be left alone.
        case("many are so related", DAY, look("s1", "r-1"), given=common),
        case("a case of the unit", DAY, look("s1", "r-1", "r-2"), given=ours),
        case("the record was changed at the same time", DAY, look("s1", "r-1"),
             act(clock(DAY, "10:05"), "s1", "update", subjects=["r-1"]), given=given),
        case("a stranger", DAY, look("s1", "r-1", "r-2"), given=stranger),
        case("a colleague looks", DAY, look("s2", "r-1"), given=given),
        case("approved list work", DAY, look("s1", "r-1"), given={**given, **feeds(approvals=[list_work("s1")])}),
        case("a unit whose cases are not delivered", DAY,
             look("s1", "r-1", *(f"z-{number}" for number in range(40))),
             given={**given, **feeds(subjects=[*block(30, address="a-1", surname="n-1", former="n-1")])}),
    )  # fmt: skip


_PEOPLE = [staff("s1", "r-0"), staff("s2")]
_KIN = {
    "former-family": _kin(
        feeds(
            staff=_PEOPLE,
            subjects=[resident("r-0", surname="n-1"), *(resident(key, former="n-1") for key in ("r-1", "r-2"))],
        ),
        feeds(
            staff=_PEOPLE,
            subjects=[resident("r-0", surname="n-1"), resident("r-1", former="n-1"), *block(60, former="n-1")],
        ),
        feeds(staff=_PEOPLE, subjects=[resident("r-0", surname="n-1"), resident("r-1", former="n-2"), _STRANGER]),
    ),
    "neighbour-record": _kin(
        feeds(staff=_PEOPLE, subjects=[resident(key, address="a-1") for key in ("r-0", "r-1", "r-2")]),
        feeds(
            staff=_PEOPLE,
            subjects=[*(resident(key, address="a-1") for key in ("r-0", "r-1")), *block(60, address="a-1")],
        ),
        feeds(staff=_PEOPLE, subjects=[resident("r-0", address="a-1"), resident("r-1", address="a-2"), _STRANGER]),
    ),
    "namesake-record": _kin(
        feeds(staff=_PEOPLE, subjects=[resident(key, surname="n-1") for key in ("r-0", "r-1", "r-2")]),
        feeds(
            staff=_PEOPLE,
            subjects=[*(resident(key, surname="n-1") for key in ("r-0", "r-1")), *block(60, surname="n-1")],
        ),
        feeds(staff=_PEOPLE, subjects=[resident("r-0", surname="n-1"), resident("r-1", surname="n-2"), _STRANGER]),
    ),
}
_OFFICE = [staff("s1"), staff("s2", "r-1"), staff("s3", "r-2"), staff("s4", "r-4", unit="zeimu"), staff("s5")]
_COLLEAGUE = feeds(staff=_OFFICE, subjects=[resident(key, flags="staff") for key in ("r-1", "r-2", "r-4")])
_ANY_STAFF = feeds(
    staff=[staff("s1"), staff("s2", "r-1", unit="zeimu"), *(staff(f"t{n}", f"q-{n:03d}", "kouen") for n in range(60))],
    subjects=[resident("r-1", flags="staff"), *block(60, flags="staff")],
)
_MANAGER = feeds(
    staff=[staff("s1", manager="s2"), staff("s2", "r-1", unit="hoken-nenkin")],
    subjects=[resident("r-1", flags="staff")],
)
CASES: Mapping[str, tuple[Case, ...]] = {
    "own-record": _own_affair("r-0"),
    "household-record": _own_affair("r-1"),
    **_KIN,
    "colleague-record": (
        case("of the unit", DAY, look("s1", "r-1"), finds=["s1"], given=_COLLEAGUE),
        case("two of the unit", DAY, look("s1", "r-1", "r-2"), finds=["s1"], given=_COLLEAGUE),
        case("the manager", DAY, look("s1", "r-1"), finds=["s1"], given=_MANAGER),
        case("printed", DAY, look("s1", "r-1"), _PRINTED, without_prints(), finds=["s1"], given=_COLLEAGUE),
        case("of another unit, in a small town hall", DAY, look("s1", "r-4"), finds=["s1"], given=_COLLEAGUE),
        case("several of all who work for the town", DAY, look("s1", "r-1", "q-001", "q-002"), finds=["s1"],
             given=_ANY_STAFF),
        # To be left alone.
        case("one of very many who work for the town", DAY, look("s1", "r-1"), given=_ANY_STAFF),
        case("a case of the unit", DAY, look("s1", "r-1"), given={**_COLLEAGUE, **feeds(cases=[ticket("r-1")])}),
        case("their own record is another matter", DAY, look("s2", "r-1"), given=_COLLEAGUE),
        case("no member of staff", DAY, look("s1", "r-9"), given=_COLLEAGUE),
        case("the manager, as the unit's case", DAY, look("s1", "r-1", unit=UNIT),
             given={**_MANAGER, **feeds(cases=[ticket("r-1")])}),
        case("who lives where, nobody says", DAY, look("s1", "r-1"), given=feeds(staff=[staff("s1"), staff("s2")])),
        case("approved list work", DAY, look("s1", "r-1", "r-2"),
             given={**_COLLEAGUE, **feeds(approvals=[list_work("s1")])}),
    ),
}  # fmt: skip
