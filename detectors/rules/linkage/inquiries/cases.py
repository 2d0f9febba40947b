"""Stories of inquiries."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from detectors.cases import act, case, clock, feeds
from detectors.rules.outputs.stories import DAY, UNIT, staff

__all__ = ["CASES"]

_SERVER = "intermediate-server"
_KEYS = [f"x-{number:02d}" for number in range(1, 6)]
_WORK = [f"w-{number:02d}" for number in range(1, 13)]
_SUBJECTS = [{"subject_id": key, "household_id": f"h-{key}"} for key in (*_KEYS, *_WORK)]
_STAFF = staff("s1", "s2")


def _ticket(key: str, **more: str) -> dict[str, str]:
    return {
        "case_id": f"c-{key}",
        "source": "local-tax",
        "subject_id": key,
        "org_unit": UNIT,
        "kind": "inquiry",
        "opened_at": "2026-08-03T09:00:00+09:00",
        **more,
    }


def _given(*keys: str) -> dict[str, str]:
    return feeds(staff=_STAFF, subjects=_SUBJECTS, cases=[_ticket(key) for key in keys])


_GIVEN = _given(*_WORK)


def _asks(
    person: str,
    keys: list[str],
    day: date = DAY,
    at: str = "10:00",
    permit: str = "P000001",
    purpose: str = "9",
    **more: Any,  # noqa: ANN401
) -> Iterator[dict[str, Any]]:
    party = {"body": "another town", "permit": permit, "purpose_no": purpose}
    kept = {name: value for name, value in party.items() if value}
    for number, key in enumerate(keys):
        moment = clock(day, at) + timedelta(minutes=2 * number)
        doing = more.get("activity", "inquiry")
        rest = {name: value for name, value in more.items() if name != "activity"}
        yield act(moment, person, doing, subjects=[key], source=_SERVER, counterparty=kept, **rest)


_PAST = list(_asks("s2", _WORK, DAY - timedelta(days=3)))
_WITHOUT = list(_asks("s2", _WORK, DAY - timedelta(days=3), permit="", purpose=""))
_TODAY = [*_asks("s2", _WORK, at="14:00")]

CASES = (
    case("without permit and case", DAY, _PAST, _TODAY, _asks("s1", _KEYS[:1], permit=""), finds=["s1"], given=_GIVEN),
    case(
        "four residents without permit, purpose and case",
        DAY,
        _PAST,
        _TODAY,
        _asks("s1", _KEYS[:4], permit="", purpose=""),
        finds=["s1"],
        given=_GIVEN,
    ),
    case(
        "without the number of a purpose",
        DAY,
        _PAST,
        _TODAY,
        _asks("s1", _KEYS[:2], purpose=""),
        finds=["s1"],
        given=_GIVEN,
    ),
    case(
        "told another body without permit",
        DAY,
        _asks("s2", _WORK, DAY - timedelta(days=3), activity="provision"),
        _TODAY,
        _asks("s1", _KEYS[:1], permit="", purpose="", activity="provision"),
        finds=["s1"],
        given=_GIVEN,
    ),
    case(
        "with every number, and no case, several times",
        DAY,
        _PAST,
        _TODAY,
        _asks("s1", _KEYS[:4]),
        finds=["s1"],
        given=_GIVEN,
    ),
    case(
        "two a day, now and again",
        DAY,
        _PAST,
        _TODAY,
        _asks("s1", _KEYS[:2], DAY - timedelta(days=4)),
        _asks("s1", _KEYS[2:4]),
        finds=["s1"],
        given=_GIVEN,
    ),
    case(
        "a case of another section is none",
        DAY,
        _PAST,
        _TODAY,
        _asks("s1", _KEYS[:1], permit=""),
        finds=["s1"],
        given=feeds(
            staff=_STAFF, subjects=_SUBJECTS, cases=[*map(_ticket, _WORK), _ticket("x-01", org_unit="fukushi/kaigo")]
        ),
    ),
    case("the permit was forgotten", DAY, _PAST, _TODAY, _asks("s1", _WORK[:1], permit=""), finds=["s1"], given=_GIVEN),
    # To be left alone.
    case("with permit, purpose and case", DAY, _PAST, _TODAY, _asks("s1", _WORK[:5]), given=_GIVEN),
    case(
        "one with every number, whose case was not written down",
        DAY,
        _PAST,
        _TODAY,
        _asks("s1", _KEYS[:1]),
        given=_GIVEN,
    ),
    case("the system never names permits", DAY, _WITHOUT, _asks("s1", _KEYS[:1], permit="", purpose=""), given=_GIVEN),
    case("no cases are delivered", DAY, _PAST, _asks("s1", _KEYS[:4]), given=feeds(staff=_STAFF, subjects=_SUBJECTS)),
    case(
        "refused by the network", DAY, _PAST, _TODAY, _asks("s1", _KEYS[:1], permit="", outcome="denied"), given=_GIVEN
    ),
    case(
        "by the nightly job",
        DAY,
        _PAST,
        _TODAY,
        _asks("batch", _KEYS, permit="", at="02:00", kind="system"),
        given=_GIVEN,
    ),
    case("the first days of the connection", DAY, _asks("s1", _WORK[:2], permit="", purpose=""), given=_GIVEN),
)
