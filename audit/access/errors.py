"""What sign-in refuses, and the words for it.

```
AccessError
├── SignInRefusedError      one public text for every reason, so nobody learns which login ids exist
├── ThrottledError          too many attempts from here; says when to come back
├── ForbiddenError          the viewer lacks the permission
├── StepUpRequiredError     the permission is held, the second factor is too old
├── LinkRefusedError        an enrolment link that is unknown, used, replaced or expired
├── CodeRefusedError        the code does not prove the new authenticator
├── PasswordRefusedError    a new password against the rules
├── LoginIdRefusedError     a login id or name that cannot be taken
└── AccountStateError       an administrator's act that the account's state does not allow
```

`reason` is for the audit log and for tests; `text()` is for people. Neither ever holds what was typed.
"""

from datetime import timedelta
from typing import ClassVar

__all__ = [
    "AccessError",
    "AccountStateError",
    "CodeRefusedError",
    "ForbiddenError",
    "LinkRefusedError",
    "LoginIdRefusedError",
    "PasswordRefusedError",
    "SheetRefusedError",
    "SignInRefusedError",
    "StepUpRequiredError",
    "ThrottledError",
]

Words = dict[str, tuple[str, str]]


class AccessError(Exception):
    """Sign-in or a right was refused.

    Args:
        reason: the internal reason, a short stable word.
    """

    words: ClassVar[Words] = {}
    otherwise: ClassVar[tuple[str, str]] = ("受け付けられませんでした。", "This was refused.")

    def __init__(self, reason: str) -> None:
        super().__init__(self.words.get(reason, self.otherwise)[1])
        self.reason = reason

    def text(self, language: str) -> str:
        """The words for a person, in `ja` or `en`."""
        japanese, english = self.words.get(self.reason, self.otherwise)
        return english if language == "en" else japanese


class SignInRefusedError(AccessError):
    """Sign-in was refused; the public text is the same for every reason."""

    otherwise = (
        "サインインできませんでした。入力を確かめてください。続く場合はセキュリティ管理者に連絡してください。",
        "Sign-in failed. Check what you entered; if it goes on, ask your security administrator.",
    )


class ThrottledError(AccessError):
    """Too many attempts.

    Args:
        retry_after: how long to wait.
    """

    otherwise = (
        "試行が多すぎます。しばらく待ってからもう一度お試しください。",
        "Too many attempts. Wait a while and try again.",
    )

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__("throttled")
        self.retry_after = retry_after


class ForbiddenError(AccessError):
    """The viewer does not hold the permission."""

    otherwise = ("この操作の権限がありません。", "You do not have the permission for this.")


class StepUpRequiredError(AccessError):
    """The viewer must prove the second factor again before this act."""

    otherwise = (
        "この操作には認証コードの再入力が必要です。",
        "Enter a new code from your authenticator to go on.",
    )


class LinkRefusedError(AccessError):
    """The enrolment link cannot be used; the public text does not say whether it ever existed."""

    otherwise = (
        "このリンクは使えません。使用済みか、期限切れか、誤りです。新しいリンクを依頼してください。",
        "This link cannot be used: it was used, has expired or is wrong. Ask for a new one.",
    )


class CodeRefusedError(AccessError):
    """The code entered at enrolment does not belong to the secret shown."""

    otherwise = (
        "認証コードが一致しません。端末の時計を確かめ、表示中の新しいコードを入力してください。",
        "The code does not match. Check the device's clock and enter the code it shows now.",
    )


class PasswordRefusedError(AccessError):
    """A new password is against the rules."""

    words: ClassVar[Words] = {
        "too_short": ("パスワードは12文字以上にしてください。", "Use a password of at least 12 characters."),
        "too_long": ("パスワードは256文字以内にしてください。", "Use a password of at most 256 characters."),
        "common": (
            "よく使われる、または推測しやすいパスワードです。別のものにしてください。",
            "This password is common or easy to guess. Choose another.",
        ),
        "context": (
            "製品名やログインIDを含むパスワードは使えません。",
            "A password may not contain the product's name or your login id.",
        ),
        "differ": ("2 回のパスワードが一致しません。", "The two passwords differ."),
        "same": ("今と同じパスワードは使えません。", "Choose another password than the present one."),
        "not_text": (
            "パスワードに使えない文字があります。",
            "The password has a character that cannot be used.",
        ),
    }


class LoginIdRefusedError(AccessError):
    """A login id or display name cannot be taken."""

    words: ClassVar[Words] = {
        "shape": (
            "ログインIDは1〜64文字の文字・数字と . _ - @ で指定してください(12桁以上の数字は不可)。",
            "A login id has 1 to 64 letters, digits or . _ - @, and no run of 12 digits or more.",
        ),
        "name": ("表示名は1〜100文字で指定してください。", "A display name has 1 to 100 characters."),
        "taken": ("このログインIDは既に使われています。", "This login id is already in use."),
        "fixed": ("このリンクのログインIDは変更できません。", "The login id of this link cannot be changed."),
    }


class SheetRefusedError(AccessError):
    """Sheets for several new users cannot be made.

    Args:
        reason: of `LoginIdRefusedError`, `AccountStateError`, or about all of them.
        login_id: whose cannot; empty for all.
    """

    def __init__(self, reason: str, login_id: str) -> None:
        super().__init__(reason)
        self.login_id = login_id

    def text(self, language: str) -> str:
        """Whose, and why."""
        words = LoginIdRefusedError.words | AccountStateError.words | _SHEETS
        japanese, english = words.get(self.reason, self.otherwise)
        told = english if language == "en" else japanese
        return f"{self.login_id}: {told}" if self.login_id else told


_SHEETS: Words = {
    "sheets_number": ("1人から100人まで選んでください。", "Choose 1 to 100 persons."),
    "sheets_twice": ("同じ人が2回選ばれています。", "Somebody was chosen twice."),
    "sheets_unknown": (
        "在職の職員ではないか、名前のない人です。",
        "Nobody of this id holds a post, or the directory has no name.",
    ),
}


class AccountStateError(AccessError):
    """An administrator's act does not fit the account's state."""

    words: ClassVar[Words] = {
        "unknown": ("その利用者は登録されていません。", "There is no such user."),
        "oneself": ("自分自身には実行できません。", "This cannot be done to oneself."),
        "disabled": ("無効な利用者です。", "The user is disabled."),
        "two_people": (
            "登録済みの利用者です。認証の再設定は、利用者の一覧から依頼し、別の管理者が確認します。",
            "This user exists. Ask for a reset in the list of users; another administrator confirms it.",
        ),
        "second_person": (
            "依頼した人とは別の管理者が確認してください。",
            "Another administrator than the one who asked must confirm this.",
        ),
        "no_reset": ("確認を待っている依頼はありません。", "Nothing waits for a confirmation."),
        "last_factor": (
            "最後の認証手段は削除できません。先に別の手段を追加してください。",
            "The last authenticator cannot be removed. Add another one first.",
        ),
        "unknown_factor": ("その認証手段は登録されていません。", "There is no such authenticator."),
        "no_roles": ("役割を 1 つ以上選んでください。", "Choose at least one role."),
        "not_first": ("最初の管理者は既に登録済みです。", "The first administrator exists already."),
        "roles": ("新しい利用者には役割が必要です。", "A new user needs a role."),
    }
