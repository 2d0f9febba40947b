"""Stories of the flag that keeps a record from being answered by itself."""

from datetime import timedelta
from typing import Any

from detectors.cases import act, case, clock, feeds
from detectors.rules.outputs.stories import DAY, UNIT, staff

__all__ = ["CASES"]

_STAFF = staff("s1", "s2")
_SUBJECTS = [{"subject_id": "x-1", "household_id": "h-1", "flags": "protected"}, {"subject_id": "x-2"}]
_GIVEN = feeds(staff=_STAFF, subjects=_SUBJECTS)
_ENDED = feeds(
    staff=_STAFF,
    subjects=_SUBJECTS,
    cases=[
        {
            "case_id": "c-1",
            "source": "intermediate-server",
            "subject_id": "x-1",
            "org_unit": UNIT,
            "assignee": "s1",
            "kind": "application",
            "opened_at": "2026-08-03T09:00:00+09:00",
        }
    ],
)


def _does(activity: str, words: str = "", at: str = "10:00", who: str = "s1", **more: Any) -> dict[str, Any]:  # noqa: ANN401
    kept = {"operation_name": words} if words else {}
    return act(clock(DAY, at), who, activity, **{"source": "intermediate-server", "subjects": ["x-1"], **kept, **more})


_OFF = "自動応答不可フラグ解除"

CASES = (
    case("the flag is removed", DAY, _does("config_change", _OFF), finds=["s1"], given=_GIVEN),
    case(
        "removed, and told another body at once",
        DAY,
        _does("config_change", _OFF),
        _does("provision", at="10:02", counterparty={"body": "another town"}),
        finds=["s1"],
        given=_GIVEN,
    ),
    case(
        "looked at first, without a case",
        DAY,
        _does("view", at="09:58"),
        _does("update", _OFF),
        finds=["s1"],
        given=_GIVEN,
    ),
    case("in another system's words", DAY, _does("operation", "auto-answer block removed"), finds=["s1"], given=_GIVEN),
    case("put back to automatic", DAY, _does("config_change", "自動応答を有効化"), finds=["s1"], given=_GIVEN),
    case(
        "without a word of whose",
        DAY,
        _does("config_change", "自動応答停止の解除", subjects=[]),
        finds=["s1"],
        given=_GIVEN,
    ),
    case(
        "a case of the household next door",
        DAY,
        _does("view", at="09:58", subjects=["x-2"]),
        _does("config_change", _OFF),
        finds=["s1"],
        given=_GIVEN,
    ),
    case(
        "by hand, of somebody under protection",
        DAY,
        _does("view", at="10:00"),
        _does("provision", at="10:03", counterparty={"body": "another town"}),
        finds=["s1"],
        given=_GIVEN,
    ),
    # To be left alone.
    case(
        "by hand, with its case",
        DAY,
        _does("view", at="10:00"),
        _does("provision", at="10:03", counterparty={"body": "another town"}),
        given=_ENDED,
    ),
    case(
        "by hand, of somebody who needs no protection",
        DAY,
        _does("view", at="10:00", subjects=["x-2"]),
        _does("answer", at="10:03", subjects=["x-2"]),
        given=_GIVEN,
    ),
    case("the flag is set", DAY, _does("config_change", "自動応答不可フラグ設定"), given=_GIVEN),
    case("the flag is looked at", DAY, _does("operation", "自動応答不可フラグ照会"), given=_GIVEN),
    case(
        "protection ended, and its case says so",
        DAY,
        _does("view", at="09:58"),
        _does("config_change", _OFF),
        given=_ENDED,
    ),
    case(
        "looked at with its case last week",
        DAY,
        act(clock(DAY - timedelta(days=4), "10:00"), "s1", subjects=["x-1"], source="intermediate-server"),
        _does("config_change", _OFF),
        given=_ENDED,
    ),
    case("another setting", DAY, _does("config_change", "画面配色の設定解除"), given=_GIVEN),
    case("refused", DAY, _does("config_change", _OFF, outcome="denied"), given=_GIVEN),
    case(
        "by the system, when the term ends", DAY, _does("config_change", _OFF, who="batch", kind="system"), given=_GIVEN
    ),
)
