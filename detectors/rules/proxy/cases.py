"""Stories of two who do together what neither is allowed."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from detectors.cases import act, case, clock, feeds
from detectors.rules.outputs.stories import DAY, UNIT, approval, output, staff

__all__ = ["CASES"]

_STAFF = [*staff("s1", "s2", "s9"), *staff("s8", unit="soumu/joho")]
_KEYS = [f"x-{number:02d}" for number in range(1, 5)]
_WORK = [f"w-{number:02d}" for number in range(1, 13)]
_SUBJECTS = [{"subject_id": key, "household_id": f"h-{key}"} for key in (*_KEYS, *_WORK)]


def _ticket(key: str, unit: str = "") -> dict[str, str]:
    return {
        "case_id": f"c-{key}",
        "source": "local-tax",
        "subject_id": key,
        "org_unit": unit,
        "kind": "application",
        "opened_at": "2026-08-03T09:00:00+09:00",
    }


_GIVEN = feeds(staff=_STAFF, subjects=_SUBJECTS, cases=[_ticket(key) for key in _WORK])


def _done(person: str, keys: list[str], at: str, activity: str = "view", **more: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    for number, key in enumerate(keys):
        moment = clock(DAY, at) + timedelta(minutes=number)
        yield act(moment, person, activity, subjects=[key], source="local-tax", **more)


_USUAL = [
    *_done("s1", _WORK[:4], "08:40"),
    *_done("s2", _WORK[4:8], "08:40"),
    *_done("s8", _WORK[8:], "08:40"),
]
"""Enough work with cases that what has none stands out."""
_FILE = "all.csv"


def _sent(person: str = "s1", at: str = "10:00", **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return output(person, 12000, at=at, file=_FILE, **more)


def _fetched(person: str = "s8", at: str = "13:00", activity: str = "download", **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return output(person, 12000, at=at, activity=activity, file=_FILE, source="file-share", to="pc", **more)


CASES = (
    case("a friend sends everything, another fetches it", DAY, _sent(), _fetched(), finds=["s8"], given=_GIVEN),
    case(
        "and writes it to a stick",
        DAY,
        _sent(),
        _fetched(),
        output("s8", 12000, at="13:20", activity="media_write", source="device-control", file=_FILE, to="usb"),
        finds=["s8"],
        given=_GIVEN,
    ),
    case(
        "the file of two days ago",
        DAY,
        _sent() | {"time": (clock(DAY, "16:00") - timedelta(days=2)).isoformat()},
        _fetched(),
        finds=["s8"],
        given=_GIVEN,
    ),
    case(
        "renamed, and the same by its hash",
        DAY,
        act(clock(DAY, "10:00"), "s1", "export", source="local-tax", export={"file": "a.csv", "sha256": "ab12"}),
        act(clock(DAY, "11:00"), "s8", "download", source="file-share", export={"file": "b.csv", "sha256": "ab12"}),
        finds=["s8"],
        given=_GIVEN,
    ),
    case(
        "looked at by one, printed by another",
        DAY,
        _USUAL,
        _done("s1", _KEYS, "10:00"),
        _done("s2", _KEYS, "10:30", "print"),
        finds=["s2"],
        given=_GIVEN,
    ),
    case(
        "copied from the screen in another section",
        DAY,
        _USUAL,
        _done("s1", _KEYS[:3], "10:00"),
        _done("s8", _KEYS[:3], "14:00", "screen_copy"),
        finds=["s8"],
        given=_GIVEN,
    ),
    case(
        "approved for a few, and everything goes out",
        DAY,
        _sent(),
        _fetched(),
        finds=["s8"],
        given=feeds(staff=_STAFF, approvals=[approval("s1", max_rows="100")]),
    ),
    case(
        "renamed, and the same by its number of records",
        DAY,
        output("s1", 4127, file="a.csv"),
        output("s8", 4127, at="11:00", activity="media_write", source="device-control", to="usb", medium="M-9"),
        finds=["s8"],
        given=_GIVEN,
    ),
    # To be left alone.
    case("one fetches one's own file", DAY, _sent(), _fetched("s1"), given=_GIVEN),
    case(
        "the output was approved",
        DAY,
        _sent(),
        _fetched(),
        given=feeds(staff=_STAFF, approvals=[approval("s1", max_rows="")]),
    ),
    case(
        "the fetching was approved",
        DAY,
        _sent(),
        _fetched(),
        given=feeds(staff=_STAFF, approvals=[approval("s8", source="", max_rows="")]),
    ),
    case("another file", DAY, _sent(), output("s8", 90, at="13:00", activity="download", file="b.csv"), given=_GIVEN),
    case("the file of a nightly job", DAY, _sent("batch", "02:00", kind="system"), _fetched(), given=_GIVEN),
    case(
        "one resident handed over the desk",
        DAY,
        _USUAL,
        _done("s1", _KEYS[:1], "10:00"),
        _done("s2", _KEYS[:1], "10:30", "print"),
        given=_GIVEN,
    ),
    case(
        "printed first, looked at afterwards",
        DAY,
        _USUAL,
        _done("s2", _KEYS, "09:30", "print"),
        _done("s1", _KEYS, "10:30"),
        given=_GIVEN,
    ),
    case(
        "with cases of the unit",
        DAY,
        _USUAL,
        _done("s1", _KEYS, "10:00"),
        _done("s2", _KEYS, "10:30", "print"),
        given=feeds(staff=_STAFF, subjects=_SUBJECTS, cases=[_ticket(key, UNIT) for key in (*_KEYS, *_WORK)]),
    ),
    case(
        "where no cases are delivered",
        DAY,
        _done("s1", _KEYS, "10:00"),
        _done("s2", _KEYS, "10:30", "print"),
        given=feeds(staff=_STAFF, subjects=_SUBJECTS),
    ),
)
