"""How foreign text is shown to a person: control characters visible, My Numbers masked, never endless.

A terminal obeys escape sequences and a reader believes what looks like the next line, so neither reaches them. A raw
record in which a number was found that cannot be covered where it stands (cut over several fields) is not shown.
"""

import re
import unicodedata

from audit.events import mask

__all__ = ["hidden", "shown", "shown_raw"]

_LONG = 2000
_WIDE = re.compile(r"[^\x00-\x7f]")
_NOT_SHOWN = "［個人番号を含むため表示しません / not shown: it holds a My Number］"
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def shown(text: str, most: int = 200) -> str:
    """A text as it may be shown."""
    masked, _ = mask(text)
    visible = "".join(_visible(char) for char in masked[:most])
    return visible + ("…" if len(masked) > most else "")


def shown_raw(text: str, masked: int) -> str:
    """A record's text as it may be shown.

    Args:
        text: what the source wrote; empty for what must not be shown.
        masked: how many My Numbers were found in it by field; where fewer show, it is not shown at all.
    """
    if not text or mask(text)[1] < masked:
        return _NOT_SHOWN
    return shown(text, _LONG)


def hidden(text: str) -> str:
    """A text of which only the structure shows, for a record in which people's names cannot be told from the rest."""
    return _WIDE.sub("●", text)


def _visible(char: str) -> str:
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    return f"\\u{code:04x}" if unicodedata.category(char) in _INVISIBLE else char
