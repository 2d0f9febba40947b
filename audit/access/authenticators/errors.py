"""What is refused around authenticators.

```
AccessError
├── SignInRefusedError
│   └── AssertionRefusedError     one public text for every reason
├── RegistrationRefusedError      an authenticator that cannot be enrolled
├── AuthenticatorStateError       an act that does not fit
├── PolicyError                   a policy that cannot be used
└── MetadataRefusedError          FIDO metadata that cannot be taken in
```

`reason` is a short stable word, for the log and for tests. A refusal of a ceremony is recorded before it is raised.
"""

from typing import ClassVar

from audit.access.errors import AccessError, SignInRefusedError, Words

__all__ = [
    "AssertionRefusedError",
    "AuthenticatorStateError",
    "MetadataRefusedError",
    "PolicyError",
    "RegistrationRefusedError",
]


_AGAIN = (
    "時間が経ちすぎたか、既に使われた要求です。もう一度はじめからお試しください。",
    "This took too long or was used already. Start again.",
)


class AssertionRefusedError(SignInRefusedError):
    """A security key did not prove what was asked; the public text is the same for every reason."""

    otherwise = (
        "セキュリティキーを確認できませんでした。もう一度お試しください。続く場合はセキュリティ管理者に連絡してください。",
        "The security key could not be verified. Try again; if it goes on, ask your security administrator.",
    )


class RegistrationRefusedError(AccessError):
    """An authenticator cannot be enrolled."""

    words: ClassVar[Words] = {
        "challenge_unknown": _AGAIN,
        "challenge_expired": _AGAIN,
        "user_not_verified": (
            "キーによる本人確認（生体認証またはPIN）が必要です。キーに設定してからお試しください。",
            "The key must verify you, by a biometric or a PIN. Set that up on the key and try again.",
        ),
        "already_enrolled": ("このキーは既に登録されています。", "This key is enrolled already."),
        "algorithm": (
            "このキーの署名方式には対応していません。",
            "This key signs in a way that is not supported.",
        ),
        "not_attested": (
            "製造元を確認できないキーは登録できません。管理者が指定した機種を使ってください。",
            "Only keys whose maker can be verified may be enrolled. Use a model that your administrator names.",
        ),
        "model_unknown": (
            "この機種は登録できません。管理者が指定した機種を使ってください。",
            "This model may not be enrolled. Use one that your administrator names.",
        ),
        "model_not_allowed": (
            "この機種は登録できません。管理者が指定した機種を使ってください。",
            "This model may not be enrolled. Use one that your administrator names.",
        ),
        "model_revoked": (
            "この機種には安全上の問題が公表されているため、登録できません。",
            "This model may not be enrolled: a security problem of it has been published.",
        ),
        "not_device_bound": (
            "あなたの役割では、鍵を端末の外に複製できないキーが必要です。同期されるパスキーは使えません。",
            "Your role needs a key that cannot be copied off its device; synced passkeys cannot be used.",
        ),
        "too_many": (
            "登録できるキーの数の上限です。使わないキーを削除してください。",
            "No more keys can be enrolled. Remove one that you do not use.",
        ),
        "no_policy": (
            "認証器の方針が読み込めないため、登録できません。管理者に連絡してください。",
            "Nothing can be enrolled: the authenticator policy cannot be read. Ask your administrator.",
        ),
    }
    otherwise = (
        "このキーを登録できませんでした。もう一度お試しください。",
        "This key could not be enrolled. Try again.",
    )


class AuthenticatorStateError(AccessError):
    """An act does not fit the state of an account's authenticators."""

    words: ClassVar[Words] = {
        "unknown": ("そのキーは登録されていません。", "There is no such key."),
        "name": (
            "キーの名前は1〜60文字で指定してください。",
            "A key's name has 1 to 60 characters.",
        ),
        "account": ("その利用者は登録されていません。", "There is no such user."),
    }


class PolicyError(AccessError):
    """An authenticator policy cannot be used.

    Args:
        reason: a short word.
        detail: what is wrong, in both languages: a name in the file, never its other contents.
    """

    otherwise = ("認証器の方針に誤りがあります。", "The authenticator policy is wrong.")

    def __init__(self, reason: str, ja: str = "", en: str = "") -> None:
        super().__init__(reason)
        self._detail = (ja, en)

    def text(self, language: str) -> str:
        """The words for a person, in `ja` or `en`."""
        return f"{super().text(language)} {self._detail[language == 'en']}".rstrip()


class MetadataRefusedError(AccessError):
    """FIDO metadata cannot be taken in."""

    words: ClassVar[Words] = {
        "too_large": ("ファイルが大きすぎます。", "The file is too large."),
        "unreadable": ("FIDO メタデータ（MDS3）として読めません。", "This cannot be read as FIDO metadata (MDS3)."),
        "root": ("ルート証明書（PEM）として読めません。", "This cannot be read as a root certificate (PEM)."),
        "root_missing": (
            "最初の取り込みではルート証明書（--root）が必要です。",
            "The first import needs the root certificate (--root).",
        ),
        "root_changed": (
            "前回と異なるルート証明書です。変更するには --change-root を付けてください。",
            "This is another root certificate than before; --change-root changes it.",
        ),
        "chain": (
            "署名証明書がルート証明書と発行先名まで検証できません。",
            "The signing certificate does not lead to the root certificate, or has another name.",
        ),
        "signature": ("署名が正しくありません。", "The signature does not hold."),
        "older": (
            "既に取り込んだメタデータと同じか古い版です。",
            "This is the same as, or older than, what was taken in before.",
        ),
    }
