"""What is refused about rights.

```
AccessError
└── RightsError
    ├── ApplicationRefusedError     it cannot be asked for like this
    │   └── PartRefusedError        one part of an application for several persons, and whose
    ├── DecisionRefusedError        it cannot be approved, refused or withdrawn by this person, now
    ├── DelegationRefusedError      nobody can be named as deputy like this
    ├── RightUnknownError           there is no such thing, as far as this person may know
    └── ReconciliationRefusedError  a list of held rights that cannot be read; names every fault
```

`reason` is for the audit log and for tests; nothing here ever holds what was typed.
"""

from collections.abc import Sequence
from typing import ClassVar

from audit.access.errors import AccessError, Words

__all__ = [
    "ApplicationRefusedError",
    "DecisionRefusedError",
    "DelegationRefusedError",
    "PartRefusedError",
    "ReconciliationRefusedError",
    "RightUnknownError",
    "RightsError",
]

_END_OF_POST = (
    "任期のある職員・委託先の権限には、任期の終わりまでの終了日が必要です。",
    "The right of temporary or contracted staff needs an end, no later than that of their post.",
)
_MOVED = (
    "開始の時点で、この人はその所属にいません。",
    "The person does not hold a post in that unit when the right begins.",
)
_PAST = ("終了日が過ぎています。", "The end has passed.")


class RightsError(AccessError):
    """Something about rights was refused."""


class ApplicationRefusedError(RightsError):
    """It cannot be applied for like this."""

    words: ClassVar[Words] = {
        "applicant": (
            "申請できるのは、本人か、その上司・所属長です。",
            "A right is applied for by the person, or by the manager or head of the unit.",
        ),
        "chain": (
            "このシステムには承認の経路が決められていません。",
            "No approval chain is laid down for this system.",
        ),
        "chain_applicant": (
            "このシステムの権限は、決められた役職の人が申請します。",
            "For this system, rights are applied for by whoever holds the post laid down for it.",
        ),
        "decision_ref": (
            "このシステムの権限には決裁番号が必要です。",
            "This system needs the number of a written decision.",
        ),
        "fixed_term": _END_OF_POST,
        "together": (
            "まとめて申請できるのは、同じ内容の新しい権限だけです。",
            "Only the same new right can be asked for together.",
        ),
        "together_number": ("まとめて申請できるのは2人から100人までです。", "Together: 2 to 100 persons."),
        "together_twice": ("同じ人が2回書かれています。", "Somebody is named twice."),
        "together_unit": (
            "まとめて申請できるのは、開始の時点で同じ所属にいる人だけです。",
            "Only persons who are in one unit when the right begins can be asked for together.",
        ),
        "function": ("機能を選んでください。", "Choose the functions."),
        "number": (
            "12 桁の個人番号のような数字は書けません。",
            "A number like an individual number cannot be written here.",
        ),
        "past": _PAST,
        "period": ("終了日は開始日より後にしてください。", "The end must come after the start."),
        "reason": ("理由を 1〜500 文字で書いてください。", "Give a reason of 1 to 500 characters."),
        "replaces": (
            "対象の権限がないか、別の人・システムのものです。",
            "The rights to change are not there, or are another person's or system's.",
        ),
        "shape": ("使えない文字があります。", "Something holds characters that cannot be used."),
        "system": ("そのシステムはありません。", "There is no such system."),
        "unit": _MOVED,
        "unknown_person": (
            "職員名簿に在職の記録がありません。",
            "The staff directory has no post for this person.",
        ),
    }


class PartRefusedError(ApplicationRefusedError):
    """One part of an application for several persons; nothing was asked for.

    Args:
        reason: as above.
        person: whose part.
    """

    def __init__(self, reason: str, person: str) -> None:
        super().__init__(reason)
        self.person = person

    def text(self, language: str) -> str:
        """Whose part, and why."""
        return f"{self.person}: {super().text(language)}"


class DecisionRefusedError(RightsError):
    """It cannot be decided by this person, or not now."""

    words: ClassVar[Words] = {
        "applicant": ("自分の申請は承認できません。", "Nobody approves an application of their own."),
        "chain_changed": (
            "承認の経路が変わりました。申請し直してください。",
            "The approval chain has changed since: it must be applied for again.",
        ),
        "closed": ("この申請は既に終わっています。", "This application has been decided."),
        "expired": ("この申請は期限が切れました。", "This application has expired."),
        "fixed_term": _END_OF_POST,
        "not_named": (
            "今この申請を決められる役職にいません。",
            "You do not hold the post that decides this, now.",
        ),
        "oneself": ("自分の権限は承認できません。", "Nobody approves a right of their own."),
        "past": _PAST,
        "reason": ("理由を 1〜500 文字で書いてください。", "Give a reason of 1 to 500 characters."),
        "replaces": ("対象の権限が、もうありません。", "A right that was to be changed is no longer there."),
        "same_person": (
            "同じ人が 2 つの段階を承認することはできません。",
            "One person does not give two approvals.",
        ),
        "unit": _MOVED,
    }


class DelegationRefusedError(RightsError):
    """Nobody can be named as deputy like this."""

    words: ClassVar[Words] = {
        "deputy": ("代理にする人の在職の記録がありません。", "The deputy holds no post."),
        "oneself": ("自分を代理にすることはできません。", "Nobody is their own deputy."),
        "period": (
            "期間は、これから 1 年以内で終わるようにしてください。",
            "The time must end after its start, in the future, within a year.",
        ),
        "post": ("在職の記録がないため、代理を指定できません。", "You hold no post: you have nothing to delegate."),
    }


class RightUnknownError(RightsError):
    """There is no such thing, as far as this person may know."""

    otherwise = ("見つかりません。", "Not found.")


class ReconciliationRefusedError(RightsError):
    """A list of held rights that cannot be read.

    Attributes:
        faults: each in both languages, with its place.
    """

    otherwise = ("一覧を読み取れません。", "The list cannot be read.")

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("list")
        self.faults = tuple(faults[:50])

    def text(self, language: str) -> str:
        """The words for a person, every fault on a line of its own."""
        return "\n".join([super().text(language), *self.faults])
