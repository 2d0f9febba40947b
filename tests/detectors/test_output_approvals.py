"""What of an approval the detectors' stories cannot tell: when it was entered."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from audit.clock import TOKYO
from audit.context import Approval, WorkContext
from detectors.rules.linkage.answers.detector import opens
from detectors.rules.outputs.approvals import Approvals

ACT = datetime(2026, 10, 5, 14, tzinfo=TOKYO)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
GIVEN = Approval(
    approval_id="a-1",
    kind="export",
    staff_id="s1",
    approved_by="s9",
    source="local-tax",
    start=ACT - 5 * HOUR,
    end=ACT + 3 * HOUR,
    max_rows=100,
    medium_id="",
    note="",
    entered_at=ACT - 6 * HOUR,
)
OTHERS = [
    replace(GIVEN, approval_id=f"o-{n}", staff_id="s2", start=ACT - n * DAY, entered_at=ACT - n * DAY - HOUR)
    for n in range(3, 9)
]
"""What came before it began, as it should."""


def event(**more: Any) -> dict[str, Any]:
    return {
        "actor_id": "s1",
        "source": "local-tax",
        "time": ACT,
        "activity": "export",
        "export_medium_id": "",
        "export_destination": "file_share",
        **more,
    }


def covering(approval: Approval, others: Sequence[Approval] = OTHERS) -> bool:
    context = WorkContext(approvals={"s1": (approval,), "s2": tuple(others)})
    return bool(Approvals.of(context).covering(event()))


def test_an_approval_entered_before_the_output_covers_it() -> None:
    assert covering(GIVEN)


def test_an_approval_entered_after_the_output_covers_nothing() -> None:
    late = replace(GIVEN, entered_at=ACT + HOUR)
    assert not covering(late)
    told = Approvals.of(WorkContext(approvals={"s1": (late,), "s2": tuple(OTHERS)})).why_none(event())
    assert (told.ja, told.en) == ("承認 a-1 は出力の後に登録されました。", "Approval a-1 was entered after the output.")


def test_when_it_was_entered_says_nothing_of_the_time_before_the_feed_began() -> None:
    imported = ACT + 30 * DAY
    assert covering(replace(GIVEN, entered_at=imported), [replace(one, entered_at=imported) for one in OTHERS])


def test_nor_where_the_feed_always_comes_after_the_day() -> None:
    evening = [replace(one, entered_at=(one.start or ACT) + 9 * HOUR) for one in OTHERS]
    assert covering(replace(GIVEN, entered_at=ACT + 4 * HOUR), evening)


def test_a_print_may_be_approved_as_one_and_an_export_may_not() -> None:
    approvals = Approvals.of(WorkContext(approvals={"s1": (replace(GIVEN, kind="print"),)}))
    assert approvals.covering(event(activity="print"))
    assert not approvals.covering(event())


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("自動応答不可フラグ解除", True),
        ("自動応答不可設定の取消", True),
        ("自動応答停止の解除", True),
        ("自動応答を許可", True),
        ("自動回答の強制実行", True),
        ("Auto-Reply hold released", True),
        ("auto-answer block removed", True),
        ("remove auto-answer block", True),
        ("自動応答不可フラグ無効化", True),
        ("自動応答フラグの変更", True),
        ("automatic response override", True),
        ("自動応答不可フラグ設定", False),
        ("自動応答の停止", False),
        ("自動応答不可フラグ照会", False),
        ("auto answer disabled", False),
        ("自動応答の無効化", False),
        ("自動応答設定の照会", False),
        ("アクセス制限の解除", False),
        ("", False),
    ],
)
def test_the_words_that_open_a_record_to_automatic_answers_are_told_from_those_that_close_it(
    words: str, expected: bool
) -> None:
    assert (opens(words) > 0) is expected
