"""From a source's named values to an event in the contract's form: the part that every format shares.

A format cuts a record into names and values; what they mean is the profile's to say, and what it leaves open may be
known from the format itself (`Builtin`). The two differ in strictness. What the profile maps must fit: a word
outside its vocabulary or a count that is no number is a fault, because somebody meant it otherwise. What only the
format suggests is a convention that vendors bend: where it does not fit, or its place is taken, it is kept as
unmapped. Time is never a suggestion: a record whose time cannot be read has a fault.

Nothing that a source says is lost: a name in nobody's table is kept under `unmapped`, the source's own word is kept
beside ours, and a second value for a place that holds one is kept under its own name. Only `drop` drops: a word
that a vocabulary maps to nothing leaves our field empty and is kept under its own name too.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from audit.events import FIELDS, Activity, Kind, Outcome
from ingest.formats.japanese import ascii_forms, finer_than_kept, parse_number, parse_time
from ingest.formats.text import put, quoted
from ingest.model import Doc
from ingest.sources.profile import Profile

__all__ = ["KINDS", "Builtin", "Mapper"]

KINDS: Mapping[str, Kind] = MappingProxyType({one.path: one.kind for one in FIELDS if one.path != "unmapped"})
"""Our paths and what each of them holds."""
_JUDGED = {"activity": "operation", "outcome": "outcome"}
"""Paths with a closed vocabulary, and what their words are called in messages."""
_ACTIVITIES = frozenset(Activity)
_OUTCOMES = frozenset(Outcome)
_TRUE = frozenset({"1", "true", "yes", "y", "○", "〇", "有", "はい", "済"})
_FALSE = frozenset({"0", "false", "no", "n", "×", "無", "いいえ", "未"})
_KEYS = frozenset({"actor.id", "case_id", "export.approval_id", "session", "subjects", "terminal.id", "terminal.ip"})
"""Keys by which records are brought together: ００１２ and 0012 are one person."""
_COUNTED = re.compile(r"\s*(?:件|名|人|枚|部|通|行|回|世帯)$")
"""What Japanese systems write behind a number of things."""
_EMPTY: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Builtin:
    """What a format knows by itself; the profile's own settings go first.

    Attributes:
        fields: from the format's field name to a path of ours; of several for one path the earliest here wins.
        activities: from its operation words to our activities, with `*` as in the profile.
        outcomes: from its result words to our outcomes, with `*` as in the profile.
        constants: our paths with a fixed value. `activity` holds where no word is known, `actor.kind` where the record
            names no `actor.id`.
    """

    fields: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    activities: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    outcomes: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    constants: Mapping[str, str] = field(default_factory=lambda: _EMPTY)


_NOTHING = Builtin()


class _Slot(NamedTuple):
    """Where a name's value goes: `path` is ours, or a name under unmapped, or empty for what is dropped."""

    path: str
    rank: int = -1
    """-1: by the profile; from 0: by the format, in its order of preference."""


class _Vocabulary:
    """Words of a source and of its format, and what they are in ours."""

    def __init__(self, *tables: Mapping[str, str], own: frozenset[str] = frozenset()) -> None:
        self._exact = [dict(table) for table in tables if table]
        globs = [{word[:-1]: ours for word, ours in table.items() if word.endswith("*")} for table in tables if table]
        self._globs = [sorted(table.items(), key=lambda item: -len(item[0])) for table in globs]
        self._rest = next((table[""] for table in globs if "" in table), None)
        self._own = own

    def find(self, word: str) -> str | None:
        """Ours for a word, empty when it means nothing; None when nobody knows it."""
        for exact, globs in zip(self._exact, self._globs, strict=True):
            if (ours := exact.get(word)) is not None:
                return ours
            for prefix, ours in globs:
                if prefix and word.startswith(prefix):
                    return ours
        return word if word in self._own else self._rest


class Mapper:
    """What a profile, and under it a format, makes of named values. Tables are built once; records are many."""

    def __init__(self, profile: Profile, builtin: Builtin = _NOTHING) -> None:
        self.profile = profile
        self.builtin = builtin
        self.activities = _Vocabulary(profile.activities, builtin.activities, own=_ACTIVITIES)
        self.outcomes = _Vocabulary(profile.outcomes, builtin.outcomes, own=_OUTCOMES)
        self.words = {path: _Vocabulary(table) for path, table in profile.words.items()}
        # Where a format has names of its own, one that happens to be a path of ours is a suggestion like the others.
        suggested = {**{path: path for path in KINDS}, **builtin.fields}
        self.slots: dict[str, _Slot] = {
            name: _Slot(path, rank if builtin.fields else -1) for rank, (name, path) in enumerate(suggested.items())
        }
        self.slots |= {name: _Slot(path) for name, path in profile.fields.items()}
        self.slots |= dict.fromkeys(profile.drop, _Slot(""))

    def path_of(self, name: str) -> str:
        """Our path for a source's field name; empty for what is dropped or kept as unmapped."""
        slot = self.slots.get(name)
        return slot.path if slot and slot.path in KINDS else ""

    def document(
        self, named: Iterable[tuple[str, str]], where: Callable[[str], str] | None = None
    ) -> tuple[Doc, list[str]]:
        """One record in the contract's form, and everything wrong with it.

        Args:
            named: the source's field names and values in the record's order; values are stripped, empty ones ignored.
            where: how a message should point at a field; by default its name in quotes.
        """
        reading = _Reading(self, where or quoted)
        for name, value in named:
            if bare := value.strip():
                reading.take(name, bare)
        reading.close()
        if reading.unmapped:
            reading.doc["unmapped"] = reading.unmapped
        return reading.doc, reading.faults


class _Said(NamedTuple):
    """A word that is judged once the record is read: who said it, and whether it must fit."""

    name: str
    word: str
    strict: bool


class _Reading:
    """One record while it is read."""

    def __init__(self, mapper: Mapper, where: Callable[[str], str]) -> None:
        self._mapper = mapper
        self._profile = mapper.profile
        self._where = where
        self.doc: Doc = {}
        self.unmapped: dict[str, Any] = {}
        self.faults: list[str] = []
        self._said: dict[str, _Said] = {}
        self._suggested: list[tuple[int, str, str]] = []

    def take(self, name: str, value: str) -> None:
        """Put one value where the profile wants it, or aside until the profile's own are known."""
        slot = self._mapper.slots.get(name)
        if slot is None:
            self._keep(name, value)
        elif not slot.path:
            return
        elif slot.rank >= 0:
            self._suggested.append((slot.rank, name, value))
        elif slot.path == "time" and (before := self._said.get("time")):
            self._said["time"] = _Said(name, f"{before.word} {value}", strict=True)
        else:
            self._place(slot.path, name, value, strict=True)

    def close(self) -> None:
        """What can only be decided once everything is read."""
        self._suggested.sort(key=lambda one: one[0])
        for _, name, value in self._suggested:
            self._place(self._mapper.slots[name].path, name, value, strict=False)
        self._constants(self._profile.constants)
        constants = self._mapper.builtin.constants
        if constants:
            named = _has(self.doc, "actor.id")
            self._constants(
                {
                    path: value
                    for path, value in constants.items()
                    if path not in _JUDGED and not (named and path == "actor.kind")
                }
            )
        self._time()
        self._activity()
        self._outcome()

    def _place(self, path: str, name: str, value: str, *, strict: bool) -> None:
        if path == "time" or path in _JUDGED:
            if path in self._said:
                self._keep(name, value)
            else:
                self._said[path] = _Said(name, value, strict)
        elif path not in KINDS:
            self._keep(path, value)
        elif KINDS[path] is not Kind.IDS and _has(self.doc, path):
            self._keep(name, value)
        else:
            try:
                self._fill(path, name, value)
            except ValueError as error:
                if strict:
                    self.faults.append(f"{self._where(name)}: {path}: {error}")
                else:
                    self._keep(name, value)

    def _fill(self, path: str, name: str, value: str) -> None:
        vocabulary = self._mapper.words.get(path)
        if KINDS[path] is not Kind.IDS:
            translated = value if vocabulary is None else _word(vocabulary, value)
            translated = _narrow(translated) if path in _KEYS else translated
            if translated:
                put(self.doc, path, self._convert(KINDS[path], translated))
            if translated != value:
                self._keep(name, value)
            return
        items = _items(value, self._profile.split.get(path))
        ours = items if vocabulary is None else [word for item in items if (word := _word(vocabulary, item))]
        ours = [_narrow(item) for item in ours] if path in _KEYS else ours
        if ours != items:
            self._keep(name, value)
        if ours:
            group, _, leaf = path.rpartition(".")
            (self.doc.setdefault(group, {}) if group else self.doc).setdefault(leaf, []).extend(ours)

    def _convert(self, kind: Kind, value: str) -> object:
        if kind is Kind.COUNT:
            return parse_number(_COUNTED.sub("", value))
        if kind is Kind.TIME:
            return parse_time(value, self._profile.zone, self._profile.times).isoformat()
        if kind is Kind.FLAG:
            word = ascii_forms(value).lower()
            if word not in _TRUE | _FALSE:
                raise ValueError("neither yes nor no / はい・いいえのどちらでもありません")
            return word in _TRUE
        return value

    def _keep(self, name: str, value: str) -> None:
        """Keep a value as unmapped; a name that stands twice has a list of values."""
        key = name.removeprefix("unmapped.")
        before = self.unmapped.setdefault(key, value)
        if before is not value:
            self.unmapped[key] = [*before, value] if isinstance(before, list) else [before, value]

    def _constants(self, constants: Mapping[str, str]) -> None:
        for path, value in constants.items():
            if path in _JUDGED:
                continue
            if path == "time":
                self._said.setdefault(path, _Said(path, value, strict=True))
            elif path not in KINDS:
                self.unmapped.setdefault(path.removeprefix("unmapped."), value)
            elif not _has(self.doc, path):
                try:
                    self._fill(path, path, value)
                except ValueError as error:
                    self.faults.append(f"profile: {path}: {error}")

    def _time(self) -> None:
        said = self._said.get("time")
        if said is None:
            self.faults.append("time: is missing / 時刻がありません")
            return
        try:
            self.doc["time"] = self._convert(Kind.TIME, said.word)
        except ValueError as error:
            self.faults.append(f"{self._where(said.name)}: time: {error}")
        if finer_than_kept(said.word):
            self._keep(said.name, said.word)

    def _activity(self) -> None:
        """The record's own word; else the profile's constant; else the operation's name; else the format's constant."""
        said = self._said.get("activity")
        find = self._mapper.activities.find
        if said is not None and (ours := find(said.word)):
            self._set_activity(ours, said.word)
            return
        if said is not None and said.strict and find(said.word) is None:
            self._unknown("activity", said.word)
            return
        if said is not None and "operation_name" in self.doc:
            self._keep(said.name, said.word)
        elif said is not None:
            self.doc["operation_name"] = said.word
        constant = self._profile.constants.get("activity")
        if constant is not None:
            ours = find(constant) or constant
            self._set_activity(ours, constant if constant != ours else "")
            return
        word = self.doc.get("operation_name", "")
        if ours := find(word) if word else None:
            self._set_activity(ours, word)
        elif (constant := self._mapper.builtin.constants.get("activity")) is not None:
            self._set_activity(constant, "")
        elif word:
            self._unknown("activity", word)
        else:
            self.faults.append("activity: is missing / 操作の種類がありません")

    def _set_activity(self, ours: str, word: str) -> None:
        if ours not in _ACTIVITIES:
            self._unknown("activity", ours)
            return
        self.doc["activity"] = str(ours)
        if word:
            self.doc.setdefault("operation_name", word)

    def _outcome(self) -> None:
        said = self._said.get("outcome")
        if said is not None:
            ours = self._mapper.outcomes.find(said.word)
            if ours is not None and ours in _OUTCOMES:
                self.doc["outcome"] = str(ours)
                if ours != said.word:
                    self._keep(said.name, said.word)
                return
            if ours == "":
                self._keep(said.name, said.word)
            elif said.strict:
                self._unknown("outcome", said.word)
                return
            else:
                self._keep(said.name, said.word)
        constant = self._profile.constants.get("outcome", self._mapper.builtin.constants.get("outcome"))
        if constant is not None:
            ours = self._mapper.outcomes.find(constant) or constant
            if ours in _OUTCOMES:
                self.doc["outcome"] = str(ours)
            else:
                self._unknown("outcome", constant)

    def _unknown(self, path: str, word: str) -> None:
        self.faults.append(
            f"{path}: {_JUDGED[path]} {quoted(word)} is not in the vocabulary of source {self._profile.id}"
            f" / {quoted(word)} は {self._profile.id} の語彙にありません"
        )


def _word(vocabulary: _Vocabulary, word: str) -> str:
    """Ours for a word; a word that no table knows stays as it is."""
    ours = vocabulary.find(word)
    return word if ours is None else ours


def _narrow(key: str) -> str:
    """A key in narrow letters and digits; most are."""
    return key if key.isascii() else ascii_forms(key).strip()


def _items(value: str, separator: str | None) -> list[str]:
    return [item for part in (value.split(separator) if separator else (value,)) if (item := part.strip())]


def _has(doc: Doc, path: str) -> bool:
    group, _, leaf = path.rpartition(".")
    return leaf in (doc.get(group, ()) if group else doc)
