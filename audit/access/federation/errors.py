"""What goes wrong with verifiers."""

from typing import ClassVar

from audit.access.errors import AccessError, Words
from audit.texts import Texts

__all__ = ["VerificationRefusedError", "VerifierConfigError"]


class VerificationRefusedError(AccessError):
    """A verifier's answer proves nothing; the public text tells only whether it is worth trying again.

    `reason` is for the audit log and for tests.
    """

    words: ClassVar[Words] = {
        "unreachable": (
            "認証装置のサーバーに接続できません。しばらくしてからもう一度お試しください。",
            "The verifier does not answer. Please try again shortly.",
        ),
        "too_slow": (
            "認証装置のサーバーの応答に時間がかかりすぎています。しばらくしてからもう一度お試しください。",
            "The verifier takes too long to answer. Please try again shortly.",
        ),
        "unknown_verifier": ("この認証方法は設定されていません。", "There is no such way to sign in."),
    }
    otherwise = (
        "認証装置による確認が完了しませんでした。最初からやり直してください。",
        "The verifier did not confirm you. Please start again.",
    )


class VerifierConfigError(ValueError):
    """The town's file of verifiers cannot be used.

    Args:
        texts: where, and why.
    """

    def __init__(self, texts: Texts) -> None:
        super().__init__(f"{texts.ja} / {texts.en}")
        self.texts = texts
