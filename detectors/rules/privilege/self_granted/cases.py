"""Stories that this detector must and must not find."""

from datetime import date, datetime, timedelta
from typing import Any

from detectors.cases import act, case, clock, feeds

__all__ = ["CASES"]

_DAY = date(2026, 10, 7)
_EVE = _DAY - timedelta(days=1)
_TWO_IDS = feeds(
    staff=[
        {"staff_id": "s1", "name": "職員 s1", "org_unit": "joho", "subject_id": "r-1"},
        {"staff_id": "s8", "name": "職員 s8", "org_unit": "joho", "subject_id": "r-1"},
        {"staff_id": "s2", "name": "職員 s2", "org_unit": "joho", "subject_id": "r-2"},
    ]
)


_ELEVEN = clock(_DAY, "11:00")


def _gives(
    actor: str,
    target: str,
    activity: str = "grant",
    at: datetime = _ELEVEN,
    **more: Any,  # noqa: ANN401 - any field
) -> dict[str, Any]:
    right = {"affair": "nhi-levy", **more.pop("right", {})}
    return act(at, actor, activity, source="rights", target={"id": target, **right}, **more)


CASES = (
    # To be found.
    case("a right for oneself", _DAY, _gives("s1", "s1"), finds=["s1"]),
    case("for one's second account", _DAY, _gives("s1", "s8"), finds=["s1"], given=_TWO_IDS),
    case("one's own request approved", _DAY, _gives("s1", "s1", "approve"), finds=["s1"]),
    case(
        "approved by oneself, then granted",
        _DAY,
        _gives("s1", "s1", "approve", clock(_EVE, "11:00")),
        _gives("s1", "s1"),
        finds=["s1"],
    ),
    case(
        "approved by one's second account",
        _DAY,
        _gives("s8", "s1", "approve", clock(_EVE, "11:00")),
        _gives("s1", "s1"),
        finds=["s1"],
        given=_TWO_IDS,
    ),
    case(
        "somebody else approved another right",
        _DAY,
        _gives("s2", "s1", "approve", clock(_EVE, "11:00"), right={"affair": "welfare"}),
        _gives("s1", "s1"),
        finds=["s1"],
    ),
    case(
        "approved by somebody else only afterwards",
        _DAY,
        _gives("s1", "s1"),
        _gives("s2", "s1", "approve", clock(_DAY, "15:00")),
        finds=["s1"],
    ),
    # To be left alone.
    case("for somebody else", _DAY, _gives("s1", "s2"), given=_TWO_IDS),
    case(
        "approved by somebody else the day before",
        _DAY,
        _gives("s2", "s1", "approve", clock(_EVE, "11:00")),
        _gives("s1", "s1"),
    ),
    case("refused", _DAY, _gives("s1", "s1", outcome="denied")),
    case("one's own right given back", _DAY, _gives("s1", "s1", "revoke")),
    case("asked for", _DAY, _gives("s1", "s1", "apply")),
    case("by a job of the system", _DAY, _gives("batch", "batch", kind="system")),
    case("to whom is not said", _DAY, act(clock(_DAY, "11:00"), "s1", "grant", source="rights")),
)
