"""What is refused to whoever registers records services for single sign-on; protocol errors are the standards' own."""

from typing import ClassVar

from audit.access.errors import AccessError, Words

__all__ = ["ClientStateError"]


class ClientStateError(AccessError):
    """A registration that cannot be taken."""

    words: ClassVar[Words] = {
        "source": (
            "発生元の識別子は英数字と . _ - で100文字までです。",
            "A source id has letters, digits, . _ - and at most 100 of them.",
        ),
        "redirect": ("戻り先の URI を一つ以上指定してください。", "At least one redirect URI is needed."),
        "uri": (
            "URI は https です（このコンピューター自身なら http も可）。ワイルドカードやフラグメントは使えません。",
            "A URI is https (http for this machine itself), without wildcard, fragment or user name.",
        ),
        "many": ("URI が多すぎます（20 件まで）。", "There are too many URIs (at most 20)."),
        "max_age": ("認証の有効秒数は 1 から 43200 です。", "The age of a sign-in is 1 to 43200 seconds."),
        "unknown": ("そのシステムは登録されていません。", "This system is not registered."),
    }
