"""XML as audit logs use it, read with nothing that can reach out or blow up.

A record is parsed on its own. A document type declaration anywhere in it refuses it, so there are no entities but the
five that XML has and characters by number; nothing is fetched and nothing expands. Depth and size are bounded.
Namespaces are not resolved: prefixes are taken off, because an audit record has one vocabulary.
"""

from dataclasses import dataclass, field
from xml.parsers import expat

from ingest.formats.pieces import MAX_DEPTH

__all__ = ["Element", "XmlError", "parse_element"]

_MAX_ELEMENTS = 5000


class XmlError(ValueError):
    """XML that cannot or must not be read; the message locates the fault."""


@dataclass(slots=True)
class Element:
    """One element: `text` is all of its own, without that of its children."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list["Element"] = field(default_factory=list)
    text: str = ""

    def child(self, name: str) -> "Element | None":
        """The first child of that name."""
        return next((one for one in self.children if one.name == name), None)


class _Builder:
    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []
        self._count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) >= MAX_DEPTH or self._count > _MAX_ELEMENTS:
            raise XmlError(
                f"XML: more than {MAX_DEPTH} levels or {_MAX_ELEMENTS} elements / XML の階層または要素が多すぎます"
            )
        element = Element(_bare(name), {_bare(key): value for key, value in attributes.items()})
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def end(self, _name: str) -> None:
        self._open.pop()

    def data(self, text: str) -> None:
        self._open[-1].text += text


def parse_element(text: str) -> Element:
    """Read one element.

    Raises:
        XmlError: when it is not well-formed, declares a document type, or is larger than any record.
    """
    builder = _Builder()
    # The text is decoded already: whatever encoding a declaration names, these bytes are UTF-8.
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code)
        raise XmlError(
            f"XML: line {error.lineno}, character {error.offset + 1}: {reason}"
            f" / XML の {error.lineno} 行目 {error.offset + 1} 文字目が読めません"
        ) from error
    except UnicodeEncodeError as error:
        raise XmlError("XML: half of a surrogate pair / サロゲートペアの片方だけがあります") from error
    if builder.root is None:
        raise XmlError("XML: no element / 要素がありません")
    return builder.root


def _refuse_doctype(_name: str, _system: str | None, _public: str | None, _internal: bool) -> None:
    raise XmlError("XML: a document type declaration is refused / DOCTYPE 宣言は受け付けません")


def _bare(name: str) -> str:
    return name.rpartition(":")[2]
