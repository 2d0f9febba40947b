"""Codes that people copy from paper: no sign looks like another, and groups, capitals and widths do not matter."""

import secrets
import unicodedata

__all__ = ["grouped", "new_code", "plain_code"]

_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""32 signs, 5 bits each; none that looks like another."""
_GROUP = 4
_BETWEEN = " -\N{HYPHEN}\N{MINUS SIGN}\N{KATAKANA-HIRAGANA PROLONGED SOUND MARK}"
"""What stands between groups, as keyboards and Japanese input write it."""
_MAX_TYPED = 100


def new_code(length: int) -> str:
    """A code of so many signs, 5 bits each."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def grouped(code: str) -> str:
    """A code as it is shown."""
    return "-".join(code[start : start + _GROUP] for start in range(0, len(code), _GROUP))


def plain_code(typed: str) -> str:
    """What was typed as a code: groups, small letters and full-width signs are the same; empty when it is too long."""
    if len(typed) > _MAX_TYPED:
        return ""
    return "".join(sign for sign in unicodedata.normalize("NFKC", typed).upper() if sign not in _BETWEEN)
