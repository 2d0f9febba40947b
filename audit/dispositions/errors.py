"""What is refused about closing cases.

```
AccessError
└── DispositionError
    └── DispositionRefusedError   a case cannot be closed, confirmed or reopened like this, or by this person
```

`reason` is for the audit log and for tests; nothing here ever holds what was typed.
"""

from typing import ClassVar

from audit.access.errors import AccessError, Words

__all__ = ["DispositionError", "DispositionRefusedError"]


class DispositionError(AccessError):
    """Something about closing cases was refused."""


class DispositionRefusedError(DispositionError):
    """It cannot be done like this, or by this person."""

    words: ClassVar[Words] = {
        "another": (
            "提案された判定と違います。案件を開き直してください。",
            "This is not the disposition that was proposed: open the case again.",
        ),
        "asker_left": (
            "提案した人が案件を終える権限を失いました。再開してから、判定し直してください。",
            "Whoever proposed this may no longer close cases: reopen the case and close it again.",
        ),
        "changed": (
            "判定の後に検知が増えたか、重くなりました。判定し直してください。",
            "The case holds more, or graver, findings than were judged: close it anew.",
        ),
        "closed": ("この案件は既に終わっています。", "This case is closed already."),
        "not_entitled": ("案件を終える権限がありません。", "You may not close cases."),
        "oneself": ("自分が関わる案件は判定できません。", "Nobody judges a case about themselves."),
        "open": ("この案件には判定がありません。", "This case has no disposition."),
        "overtaken": (
            "同時に別の人が判定しました。案件を開き直してください。",
            "Somebody else was faster: open the case again.",
        ),
        "proposed": (
            "別の人の確認を待っています。",
            "It waits for somebody else to confirm it.",
        ),
        "reason": ("理由を 1〜500 文字で書いてください。", "Give a reason of 1 to 500 characters."),
        "same_person": (
            "最初に判定した人とは別の人が確認してください。",
            "Somebody other than the one who judged first must confirm it.",
        ),
        "superior": ("上司が関わる案件は判定できません。", "Nobody judges a case about a superior of theirs."),
        "withdrawn": (
            "検知がすべて取り下げられた案件です。",
            "All findings of this case are withdrawn.",
        ),
    }
