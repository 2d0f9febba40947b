"""What is refused to sending systems.

```
AccessError
├── ClientRefusedError      at an OAuth endpoint; one public text for every reason
├── MachineRefusedError     at the receiver: no proof, or none that holds (401)
├── SourceRefusedError      at the receiver: proved, but to be another source than claimed (403)
├── DigestRefusedError      at the receiver: the bytes are not those of the Content-Digest header (400)
└── MachineStateError       an administrator's act that does not fit
```

`reason` is for the audit log and for tests; nothing here ever holds a token, a secret or what was sent.
"""

from typing import ClassVar

from audit.access.errors import AccessError, Words

__all__ = [
    "ClientRefusedError",
    "DigestRefusedError",
    "MachineRefusedError",
    "MachineStateError",
    "SourceRefusedError",
]


class ClientRefusedError(AccessError):
    """A client did not prove itself; the public text is the same for every reason."""

    otherwise = ("クライアントを認証できませんでした。", "Client authentication failed.")


class MachineRefusedError(AccessError):
    """A sender did not prove which source it is; the public text tells only what it must bring.

    Attributes:
        token_sent: whether a token came, which the answer's challenge must then call invalid (RFC 6750 3.1).
    """

    words: ClassVar[Words] = {
        "signature_missing": (
            "この発生元のバッチには署名が必要です。",
            "Batches of this source must be signed (Content-Digest and X-JWS-Signature).",
        ),
        "signature_wrong": ("バッチの署名が正しくありません。", "The batch's signature does not hold."),
        "certificate_missing": (
            "この発生元にはクライアント証明書が必要です。",
            "This source must show its client certificate.",
        ),
    }
    otherwise = (
        "送信元を認証できませんでした。有効なアクセストークンまたは証明書が必要です。",
        "The sender is not authenticated: a valid access token or certificate is needed.",
    )

    def __init__(self, reason: str, *, token_sent: bool = False) -> None:
        super().__init__(reason)
        self.token_sent = token_sent


class SourceRefusedError(AccessError):
    """A sender wrote under another source's name."""

    otherwise = (
        "この認証情報では、指定された発生元として送信できません。",
        "These credentials may not write as the named source.",
    )


class DigestRefusedError(AccessError):
    """The bytes that came are not those that were announced."""

    words: ClassVar[Words] = {
        "digest_unreadable": (
            "Content-Digest に sha-256 の値がありません。",
            "Content-Digest holds no sha-256 value (RFC 9530).",
        ),
    }
    otherwise = (
        "届いた内容が Content-Digest と一致しません。",
        "The content is not the one that Content-Digest names.",
    )


class MachineStateError(AccessError):
    """An administrator's act on credentials does not fit."""

    words: ClassVar[Words] = {
        "source": (
            "発生元の識別子は英数字と . _ - で100文字までです。",
            "A source id has letters, digits, . _ - and at most 100 of them.",
        ),
        "unknown": ("その認証情報はこの発生元にありません。", "This source has no such credential."),
        "taken": ("既に登録されている証明書または鍵です。", "This certificate or key is bound already."),
        "certificate": (
            "証明書（PEM）または SHA-256 フィンガープリントではありません。",
            "This is neither a PEM certificate nor a SHA-256 fingerprint.",
        ),
        "certificate_expired": ("証明書の有効期限が切れています。", "The certificate has expired."),
        "key": ("Ed25519 の公開鍵（PEM または JWK）ではありません。", "This is no Ed25519 public key (PEM or JWK)."),
        "private_key": (
            "これは秘密鍵です。公開鍵だけを登録し、この鍵は作り直してください。",
            "This is a private key: bind the public key only, and make a new pair.",
        ),
        "life": ("有効期間は未来でなければなりません。", "The end of a credential lies in the future."),
    }
