"""What a profile makes of a file, field by field, before anything is stored: the same reading as of a real delivery.

Nothing is written and nothing is opened but the file. Every record is read and counted; the first ones are shown. What
is shown is what would be stored, with where it came from; a person's My Number is masked wherever it stands, what the
profile drops is named and never shown, and control characters are made visible.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from audit.clock import TOKYO
from audit.events import FIELDS, MAX_RECORD_BYTES, Checked, Kind, check
from audit.events.mynumber import split_numbers
from audit.texts import Texts
from ingest.formats.mapping import Mapper
from ingest.formats.registry import decode
from ingest.model import Record, Refused
from ingest.reader import LongLine, Readable, read_blocks
from ingest.sources.advice import Advice, Unmapped, Word, advise
from ingest.sources.knowledge import Knowledge
from ingest.sources.layout import TABULAR, named_values
from ingest.sources.profile import Profile
from ingest.sources.sample import likely_encodings
from ingest.sources.showing import hidden, shown, shown_raw

__all__ = ["Part", "Shown", "Summary", "Trial", "try_profile"]

_NAMED = 2000
"""Records whose values are looked at by name, for what is said about columns; all are read and counted."""
_HEADER_LINES = 5
_COLUMN_PATHS = {one.column: one.path for one in FIELDS}
_CELLS = re.compile(r"[,\t;|]")
_COVER = "［除外 dropped］"
_LONG = Texts("長すぎる行です", "a line longer than any event")


@dataclass(frozen=True, slots=True)
class Part:
    """One field of ours, or one of the source's that is none of ours.

    Attributes:
        path: ours; `unmapped.NAME` for what is only kept; empty for what is dropped.
        name: the source's name; empty where the value is the profile's or the format's.
        said: what the source wrote; empty for what is dropped.
        value: what it became.
        how: `mapped`, `constant`, `format`, `unmapped` or `dropped`.
    """

    path: str
    name: str
    said: str
    value: str
    how: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One record.

    Attributes:
        line: the number of its first line.
        raw: its text, fit to be shown.
        parts: what it became; of a refused record, what its source says.
        reasons: why it is refused; empty for a good one.
    """

    line: int
    raw: str
    parts: tuple[Part, ...]
    reasons: tuple[str, ...]


@dataclass(slots=True)
class Summary:
    """What became of the whole file.

    Attributes:
        read: records in all.
        refused: of them, how many would go to quarantine.
        masked: My Numbers found.
        filled: how many records have each of our fields.
        reasons: why records were refused, and how many.
        words: words outside of the vocabulary.
        unmapped: the source's fields that nothing maps.
        missing: documented fields that no record has.
        notes: encodings, time zones and other doubts.
    """

    read: int = 0
    refused: int = 0
    masked: int = 0
    filled: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    words: tuple[Word, ...] = ()
    unmapped: tuple[Unmapped, ...] = ()
    missing: tuple[str, ...] = ()
    notes: tuple[Texts, ...] = ()

    @property
    def accepted(self) -> int:
        """How many records would be stored."""
        return self.read - self.refused


@dataclass(frozen=True, slots=True)
class Trial:
    """The first records, and the sum of all."""

    shown: tuple[Shown, ...]
    summary: Summary


def try_profile(
    profile: Profile,
    stream: Readable,
    now: datetime,
    knowledge: Knowledge,
    *,
    fmt: str = "",
    most: int = 20,
    progress: Callable[[int], None] = lambda _read: None,
) -> Trial:
    """Read a file as a delivery would be read, and say what became of it.

    Args:
        profile: how the source writes.
        stream: the file.
        now: taken as the moment of receipt.
        knowledge: for suggestions.
        fmt: the format, if not the profile's.
        most: how many records to show.
        progress: told how many records were read so far.
    """
    fmt = fmt or profile.format
    if fmt == "jsonl" and profile.envelope == "none":
        profile = replace(profile, constants={})  # such deliveries are taken as they are
    work = _Work(profile, fmt, now, knowledge, most)
    for found in decode(work.fmt, work.lines(stream), profile, now):
        work.take(found)
        progress(work.read)
    return work.done()


class _Work:
    def __init__(self, profile: Profile, fmt: str, now: datetime, knowledge: Knowledge, most: int) -> None:
        self.fmt = fmt
        self._profile = profile
        self._now = now
        self._knowledge = knowledge
        self._most = most
        self._mapper = Mapper(profile)
        self._header: list[bytes] = []
        self._shown: list[Shown] = []
        self._sums = Summary()
        self._advice = Advice()
        self._looked_at = 0

    @property
    def read(self) -> int:
        """How many records were read."""
        return self._sums.read

    def lines(self, stream: Readable) -> Iterator[tuple[int, bytes]]:
        """Every line that an event could be, as a delivery's."""
        headed = self.fmt == "csv" and self._profile.header
        for block in read_blocks(stream, MAX_RECORD_BYTES, as_written=True, encoding=self._profile.encoding):
            if isinstance(block, LongLine):
                self._long(block.line)
                continue
            if headed and not self._header and block.lines:
                self._header = self._first_record(block.lines)
            for line, raw in block.lines:
                self._advice.see_bytes(line, raw, self._profile.encoding)
                yield line, raw

    def _first_record(self, lines: Sequence[tuple[int, bytes]]) -> list[bytes]:
        """The lines of the header, which may have a quoted name over several."""
        head = list[bytes]()
        for _, raw in lines:
            if raw.strip() or head:
                head.append(raw)
            closed = b"\n".join(head).count(b'"') % 2 == 0
            if (head and closed) or len(head) == _HEADER_LINES:
                break
        return head

    def _long(self, line: int) -> None:
        self._sums.read += 1
        self._refuse(line, "…", (), (f"record: {_LONG.en} / {_LONG.ja}",))

    def take(self, found: Record | Refused) -> None:
        """Count one record, and show it if it is one of the first."""
        self._sums.read += 1
        checked: Checked | None = None
        reasons: tuple[str, ...] = ()
        if isinstance(found, Refused):
            reasons = found.reasons
        else:
            checked = check(found.doc, self._now)
            self._sums.masked += checked.masked
            reasons = tuple(map(str, checked.faults))
        looked_at = len(self._shown) < self._most or self._looked_at < _NAMED
        named = self._named(found) if looked_at else []
        self._looked_at += looked_at
        self._advice.see_values(named, self._profile, tabular=self.fmt in TABULAR)
        if reasons or checked is None:
            self._refuse(found.line, self._raw(found.raw, named, 0), self._said(named), reasons)
            return
        if looked_at and self.fmt not in TABULAR and "unmapped" in checked.columns:
            self._advice.names.update(json.loads(checked.columns["unmapped"]).keys())
        for column, value in checked.columns.items():
            self._sums.filled[_COLUMN_PATHS[column]] += 1
            if column == "operation_name":
                self._advice.see_operation(str(value), self._profile)
        if len(self._shown) < self._most:
            raw = self._raw(found.raw, named, checked.masked)
            self._shown.append(Shown(found.line, raw, tuple(self._parts(checked.columns, named)), ()))

    def done(self) -> Trial:
        """Everything said at the end."""
        sums = self._sums
        sums.words, sums.unmapped, sums.notes = advise(self._advice, self._profile, self._knowledge)
        sums.missing = tuple(path for path in self._profile.documented if not sums.filled[path])
        return Trial(tuple(self._shown), sums)

    def _refuse(self, line: int, raw: str, parts: tuple[Part, ...], reasons: tuple[str, ...]) -> None:
        self._sums.refused += 1
        reasons = tuple(shown(reason, len(reason)) for reason in reasons)
        self._sums.reasons.update(reasons)
        self._advice.see_reasons(reasons)
        if len(self._shown) < self._most:
            self._shown.append(Shown(line, raw, parts, reasons))

    def _named(self, found: Record | Refused) -> list[tuple[str, str]]:
        return named_values(found.raw, self._profile, self._header, self.fmt, found.line)

    def _raw(self, raw: bytes, named: Sequence[tuple[str, str]], masked: int) -> str:
        text = self._text(raw).removesuffix("\r")
        if not named and self._profile.drop:
            return shown_raw(hidden(text), masked)
        # Cells without names are taken as having nothing to do with each other.
        cells = named or [("x" * n, cell) for n, cell in enumerate(_CELLS.split(text), 1)]
        if split_numbers([value.strip() for _, value in cells], [name for name, _ in cells]):
            return shown_raw("", 1)
        for name, value in named:
            if self._covered(name) and value.strip():
                text = text.replace(value, _COVER)
        return shown_raw(text, masked)

    def _text(self, raw: bytes) -> str:
        """What a record's bytes say, in another encoding if not in the profile's."""
        mine = "utf-8" if self._profile.encoding.startswith("utf-16") else self._profile.encoding
        for encoding in (mine, *likely_encodings(raw)):
            try:
                return raw.decode(encoding)
            except UnicodeDecodeError:
                continue
        return raw.decode(mine, "backslashreplace")

    def _covered(self, name: str) -> bool:
        """Whether a field's value is not for showing: the profile drops it, or its name says that it should."""
        return name in self._profile.drop or (not self._path(name) and self._knowledge.is_dropped(name))

    def _said(self, named: Sequence[tuple[str, str]]) -> tuple[Part, ...]:
        """Of a refused record, what its source says and where it would go."""
        parts = list[Part]()
        for name, value in named:
            path = self._path(name)
            if name in self._profile.drop:
                parts.append(Part("", shown(name), "", "", "dropped"))
            else:
                how = "mapped" if path else "unmapped"
                said = _COVER if self._covered(name) else shown(value)
                parts.append(Part(path or f"unmapped.{shown(name)}", shown(name), said, "", how))
        return tuple(parts)

    def _path(self, name: str) -> str:
        path = self._profile.fields.get(name)
        if path is None:
            path = self._mapper.path_of(name) if self.fmt in TABULAR else ""
        return "" if path.startswith("unmapped.") else path

    def _parts(self, columns: Mapping[str, Any], named: Sequence[tuple[str, str]]) -> Iterator[Part]:
        sources = self._sources(named)
        for one in FIELDS:
            if one.column not in columns or one.path == "unmapped":
                continue
            value = _text(columns[one.column], one.kind)
            names = sources.get(one.path) or sources.get(self._other_place(one.path), [])
            if not names and self.fmt not in TABULAR:
                said_so = [(name, said) for name, said in named if said == value]
                names = [(one.path, value)] if self.fmt == "jsonl" else said_so
            if names:
                name, said = "+".join(name for name, _ in names), " ".join(said for _, said in names)
                yield Part(one.path, shown(name), shown(said), shown(value), "mapped")
            else:
                how = "constant" if one.path in self._profile.constants else "format"
                yield Part(one.path, "", "", shown(value), how)
        used = {name for found in sources.values() for name, _ in found}
        for name, kept in json.loads(columns.get("unmapped", "{}")).items():
            if name not in used:
                value = shown(kept if isinstance(kept, str) else json.dumps(kept, ensure_ascii=False))
                value = _COVER if self._covered(name) else value
                yield Part(f"unmapped.{shown(name)}", shown(name), value, value, "unmapped")
        for name in dict.fromkeys(name for name, _ in named if name in self._profile.drop):
            yield Part("", shown(name), "", "", "dropped")

    def _other_place(self, path: str) -> str:
        """An operation's word says what it is called and, where nothing else does, which activity it is."""
        if path == "activity" and "activity" not in self._profile.constants:
            return "operation_name"
        return "activity" if path == "operation_name" else ""

    def _sources(self, named: Iterable[tuple[str, str]]) -> dict[str, list[tuple[str, str]]]:
        """What the source says for each path of ours, in the record's order; only times and lists have several."""
        kinds = {one.path: one.kind for one in FIELDS}
        found: dict[str, list[tuple[str, str]]] = {}
        for name, value in named:
            path = self._path(name)
            if path and value.strip() and (path == "time" or kinds.get(path) is Kind.IDS or path not in found):
                found.setdefault(path, []).append((name, value))
        return found


def _text(value: Any, kind: Kind) -> str:  # noqa: ANN401 - what an event can hold
    if kind is Kind.TIME:
        return str(value.astimezone(TOKYO).isoformat())
    if kind is Kind.IDS:
        return ", ".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
