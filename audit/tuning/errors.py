"""What is refused about tuning.

```
AccessError
└── TuningError
    ├── TuningRefusedError   it cannot be proposed, confirmed or ended like this, or by this person
    └── TuningUnknownError   there is no such change or preview
```

`reason` is for the audit log and for tests; nothing here ever holds what was typed.
"""

from typing import ClassVar

from audit.access.errors import AccessError, Words

__all__ = ["TuningError", "TuningRefusedError", "TuningUnknownError"]


class TuningError(AccessError):
    """Something about tuning was refused."""


class TuningRefusedError(TuningError):
    """It cannot be done like this, or by this person."""

    words: ClassVar[Words] = {
        "asker_left": (
            "提案した人が検知調整担当ではなくなりました。提案し直してください。",
            "Whoever proposed this no longer tunes detectors: it must be proposed again.",
        ),
        "changed": (
            "提案の後に、この検知器の値が変わりました。試算からやり直してください。",
            "The values of this detector have changed since: begin with a new preview.",
        ),
        "closed": ("この提案は既に終わっています。", "This has been settled already."),
        "detector": ("その検知器はありません。", "There is no such detector."),
        "digest": (
            "確認した試算が、提案に付いた試算と違います。開き直してください。",
            "This is not the preview that the proposal was made with: open it again.",
        ),
        "every_parameters": ("値は検知器ごとに変えます。", "Values are changed detector by detector."),
        "given_up": (
            "試算が途中で打ち切られました。もう一度試算してください。",
            "The preview was given up half-way: make another one.",
        ),
        "in_force": (
            "有効な値は終わらせられません。元に戻すには、新しい変更を提案してください。",
            "Values in force cannot be ended: to go back, propose a new change.",
        ),
        "nothing_judged": (
            "試算した期間に記録がありません。記録のある日を含めて試算し直してください。",
            "The preview looked at days without any event: make one over days that hold events.",
        ),
        "number": (
            "12 桁の個人番号のような数字は書けません。",
            "A number like an individual number cannot be written here.",
        ),
        "oneself": (
            "自分が対象に含まれる例外は、提案も確認もできません。",
            "Nobody proposes or confirms an exception that covers themselves.",
        ),
        "over": ("期限が切れています。試算からやり直してください。", "It is too old: begin with a new preview."),
        "owner": (
            "責任者は、職員の名簿で在職していて、例外の対象でない人にしてください。",
            "The owner must hold a post in the staff directory and not be covered by the exception.",
        ),
        "period": (
            "終わりの日は、始まりより後で、決められた日数以内にしてください。始まりは今日以降です。",
            "The last day must come after the first, within the days allowed; the first is today at the earliest.",
        ),
        "preview": (
            "試算が終わっていないか、別の人のものです。先に試算してください。",
            "There is no finished preview of yours: make one first.",
        ),
        "reason": ("理由を 1〜500 文字で書いてください。", "Give a reason of 1 to 500 characters."),
        "same": ("今の値と同じです。", "These are the values in force."),
        "same_person": (
            "提案した人とは別の人が確認してください。",
            "Somebody other than the one who proposed this must confirm it.",
        ),
        "scope": (
            "対象を絞り込む条件（職員、所属、システム、曜日、時刻、対象者）を 1 つ以上指定してください。",
            "Restrict it by at least one of staff, units, systems, weekdays, hours, residents.",
        ),
        "shape": ("使えない値があります。", "Something holds a value that cannot be used."),
        "ticket": ("チケット番号を 1〜100 文字で書いてください。", "Give a ticket of 1 to 100 characters."),
        "values": ("検知器が受け付けない値です。", "The detector does not take these values."),
    }


class TuningUnknownError(TuningError):
    """There is no such change or preview."""

    otherwise = ("見つかりません。", "Not found.")
