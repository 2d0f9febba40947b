"""What the ledger, emergencies and confirmations refuse, and the words for it.

```
AccessError
├── ConfirmRefusedError    no such output decision, or it was confirmed before
├── LedgerRefusedError     an approval that cannot be asked for or given
├── MediumRefusedError     a medium that is not where the step needs it
├── EmergencyRefusedError  an emergency that cannot be declared or reviewed
└── EnvelopeRefusedError   a sealed credential that cannot be made or ended
```
"""

from typing import ClassVar

from audit.access.errors import AccessError

__all__ = [
    "ConfirmRefusedError",
    "EmergencyRefusedError",
    "EnvelopeRefusedError",
    "LedgerRefusedError",
    "MediumRefusedError",
]

Words = dict[str, tuple[str, str]]


class ConfirmRefusedError(AccessError):
    """An output cannot be confirmed; the text does not say whether the decision ever existed."""

    otherwise = (
        "確認できません。その判定はないか、既に確認済みです。",
        "This cannot be confirmed: there is no such decision, or it was confirmed before.",
    )


class LedgerRefusedError(AccessError):
    """An approval cannot be asked for, given or ended."""

    words: ClassVar[Words] = {
        "unknown": ("その申請はありません。", "There is no such request."),
        "settled": ("この申請は既に処理されています。", "This request has been settled already."),
        "oneself": (
            "自分に関わる申請は、自分では承認できません。別の承認者に依頼してください。",
            "Nobody approves for themselves. Ask another approver.",
        ),
        "not_head": (
            "この申請を承認できるのは、所属の長またはその上位の長です。",
            "Only the head of the unit, or of a unit above it, approves this.",
        ),
        "no_post": ("在籍が確認できません。", "There is no post at present."),
        "not_own": ("他の人の申請は取り下げられません。", "A request of somebody else cannot be withdrawn."),
        "span": (
            "期間は、終わりが始まりより後で、92日以内にしてください。",
            "The period must end after it begins, not before now, and last at most 92 days.",
        ),
        "subjects": (
            "確認者の事前承認には、対象者を1〜100人指定してください。",
            "A second person's approval needs the residents it is for, 1 to 100.",
        ),
        "number": ("件数・回数は1以上にしてください。", "Numbers of records and uses begin at 1."),
        "medium": ("媒体の番号を指定してください。", "Say which medium."),
        "reason": ("理由を1〜500文字で入力してください。", "Give the reason in 1 to 500 characters."),
    }


class MediumRefusedError(AccessError):
    """A medium cannot take this step."""

    words: ClassVar[Words] = {
        "unknown": ("その媒体は登録されていません。", "There is no such medium."),
        "known": ("その媒体は既に登録されています。", "This medium is registered already."),
        "shape": ("媒体の番号は1〜64文字です。", "A medium's number has 1 to 64 characters."),
        "state": ("媒体は今、この操作ができる状態ではありません。", "The medium is not where this step needs it."),
        "holder": ("この媒体を持ち出したのは別の人です。", "Somebody else has taken this medium out."),
    }


class EmergencyRefusedError(AccessError):
    """An emergency cannot be declared, ended or reviewed."""

    words: ClassVar[Words] = {
        "not_allowed": (
            "このシステムでは緊急利用は認められていません。",
            "This system has no emergency access.",
        ),
        "minutes": (
            "時間は1分以上、定められた上限以内にしてください。",
            "The time must be at least a minute and within the limit.",
        ),
        "reason": ("理由を10〜500文字で入力してください。", "Give the reason in 10 to 500 characters."),
        "no_session": ("サインインしてください。", "Sign in first."),
        "no_post": ("在籍が確認できません。", "There is no post at present."),
        "credential": (
            "封緘された緊急用の証明が使えません。使用済みか、誤りです。",
            "The sealed credential cannot be used: it was used or is wrong.",
        ),
        "unknown": ("その緊急利用はありません。", "There is no such emergency."),
        "oneself": ("自分の緊急利用は自分では確認できません。", "Nobody reviews their own emergency."),
        "open": ("まだ終わっていない緊急利用です。", "The emergency is not over yet."),
        "settled": ("既に確認済みです。", "This was reviewed already."),
    }


class EnvelopeRefusedError(AccessError):
    """A sealed credential cannot be asked for, made or ended."""

    words: ClassVar[Words] = {
        "unknown": ("その封筒はないか、既に処理されています。", "There is no such envelope, or it was settled before."),
        "oneself": (
            "自分の依頼は自分では確認できません。もう一方の担当者が確認してください。",
            "Nobody confirms their own wish. Somebody of the other office does.",
        ),
        "office": (
            "セキュリティ管理者とシステム管理者の 2 人がそろって作ります。",
            "A security administrator and an administrator make it together.",
        ),
        "over": (
            "依頼から 1 日を過ぎたか、依頼した人がその役割を離れています。取り下げて、改めて依頼してください。",
            "The wish is more than a day old, or the asker holds the office no more. Drop it and ask anew.",
        ),
    }
