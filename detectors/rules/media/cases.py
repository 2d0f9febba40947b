"""Stories of media."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from detectors.cases import act, case, clock, feeds
from detectors.rules.outputs.stories import DAY, approval, output, staff

__all__ = ["CASES"]

_STAFF = staff("s1", "s2", "s3", "s9")
_GIVEN = feeds(staff=_STAFF)


def _write(person: str, medium: str = "M-1", day: date = DAY, at: str = "10:00", **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return output(person, 200, day, at, "media_write", source="device-control", medium=medium, to="usb", **more)


def _entry(activity: str, medium: str = "M-1", day: date = DAY, at: str = "09:30", by: str = "s9") -> dict[str, Any]:
    return act(clock(day, at), by, activity, source="media-ledger", export={"medium_id": medium} if medium else {})


def _as_it_should_be(person: str, medium: str, day: date) -> Iterator[dict[str, Any]]:
    yield _entry("media_checkout", medium, day)
    yield _write(person, medium, day)
    yield _entry("media_return", medium, day, "16:00")
    yield _entry("media_erase", medium, day, "16:10")


_HABIT = [one for week in (1, 2, 3) for one in _as_it_should_be("s2", "M-2", DAY - timedelta(days=7 * week))]


def _approved(person: str, medium: str = "M-1") -> dict[str, str]:
    return feeds(staff=_STAFF, approvals=[approval(person, kind="media", source="", medium_id=medium, max_rows="")])


CASES = (
    case("a private stick", DAY, _HABIT, _write("s1", "M-991"), finds=["s1"], given=_GIVEN),
    case("a stick, where there is neither ledger nor approval", DAY, _write("s1"), finds=["s1"], given=_GIVEN),
    case(
        "a medium that had been given back",
        DAY,
        _HABIT,
        _entry("media_checkout", at="09:00"),
        _entry("media_return", at="09:40"),
        _write("s1"),
        finds=["s1"],
        given=_GIVEN,
    ),
    case(
        "the lent one lies in the drawer",
        DAY,
        _HABIT,
        _entry("media_checkout"),
        _write("s1", "M-7"),
        finds=["s1"],
        given=_GIVEN,
    ),
    case("an export straight to a stick", DAY, _HABIT, output("s1", 300, to="USB"), finds=["s1"], given=_GIVEN),
    case(
        "approved, and not lent by the ledger that all others keep",
        DAY,
        _HABIT,
        _write("s1"),
        finds=["s1"],
        given=_approved("s1"),
    ),
    case("approved for another medium", DAY, _HABIT, _write("s1", "M-8"), finds=["s1"], given=_approved("s1")),
    case(
        "lent a month ago",
        DAY,
        _HABIT,
        _entry("media_checkout", day=DAY - timedelta(days=20)),
        _write("s1"),
        finds=["s1"],
        given=_GIVEN,
    ),
    case(
        "it never comes back, where all others do on the same day",
        DAY,
        _HABIT,
        _entry("media_checkout"),
        _write("s1"),
        act(clock(DAY, "18:00"), "s9", "login"),
        finds=["s1"],
        given=_approved("s1"),
    ),
    # To be left alone.
    case("as it should be", DAY, _HABIT, _as_it_should_be("s1", "M-1", DAY), given=_GIVEN),
    case(
        "lent on Friday",
        DAY,
        _HABIT,
        _entry("media_checkout", day=DAY - timedelta(days=3)),
        _write("s1"),
        _entry("media_return", at="17:00"),
        given=_GIVEN,
    ),
    case(
        "media stay out for days in this town",
        DAY,
        [_entry("media_checkout", f"M-{back}", DAY - timedelta(days=back)) for back in (4, 6, 7)],
        _entry("media_checkout"),
        _write("s1"),
        act(clock(DAY, "18:00"), "s9", "login"),
        given=_GIVEN,
    ),
    case("still at work with it at noon", DAY, _HABIT, _entry("media_checkout"), _write("s1"), given=_GIVEN),
    case(
        "entered in the ledger in the afternoon",
        DAY,
        _HABIT,
        _write("s1"),
        _entry("media_checkout", at="15:00"),
        _entry("media_return", at="16:00"),
        given=_GIVEN,
    ),
    case(
        "lent to the person, without a number",
        DAY,
        _HABIT,
        _entry("media_checkout", "", by="s1"),
        _write("s1"),
        given=_GIVEN,
    ),
    case("no ledger in this town, the approval names the medium", DAY, _write("s1"), given=_approved("s1")),
    case(
        "an approved export for a medium whose day in the ledger was over",
        DAY,
        _HABIT,
        _as_it_should_be("s1", "M-1", DAY),
        output("s1", 300, at="16:30", to="usb", medium="M-1"),
        given=feeds(staff=_STAFF, approvals=[approval("s1", medium_id="M-1")]),
    ),
    case("to the file server", DAY, _HABIT, output("s1", 300), given=_GIVEN),
    case("refused by device control", DAY, _HABIT, _write("s1", "M-991", outcome="denied"), given=_GIVEN),
    case("backup to tape by night", DAY, _HABIT, _write("backup", "LTO-3", at="03:00", kind="system"), given=_GIVEN),
)
