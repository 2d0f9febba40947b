"""What a trial advises: words to add, fields to map, encodings and time zones to look at again."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from audit.events import FIELDS, Activity, Outcome, mask
from audit.events.mynumber import MASK
from audit.texts import Texts
from ingest.formats.japanese import TimeTextError, parse_time
from ingest.formats.text import TextError, decode
from ingest.sources.knowledge import Knowledge
from ingest.sources.profile import Profile
from ingest.sources.sample import likely_encodings
from ingest.sources.showing import shown

__all__ = ["Advice", "Unmapped", "Word", "advise", "toml_text", "toml_word"]

_UNKNOWN = re.compile(r"(activity|outcome): (?:operation|outcome) '(.+?)' is not in the vocabulary")
_NOT_OURS = re.compile(r"(activity|outcome|actor\.kind): '(.+?)' is not in the vocabulary")
_OFFSET = re.compile(r"[0-9](?:[Zz]|\s?[+-][0-9]{2}:?[0-9]{2})$")
_PATHS = frozenset(one.path for one in FIELDS)
_ESCAPED = {'"': '\\"', "\\": "\\\\"}
_LONGEST_WORD = 100
_LINES = 5
"""So many line numbers are named."""
_NIGHT = frozenset({*range(6), 21, 22, 23})
_DAY = range(8, 19)
_UTC_HOURS = 9
_LEAST_TIMES = 20
_MANY_WORDS = 300


@dataclass(frozen=True, slots=True)
class Word:
    """A word that the profile's vocabulary does not have.

    Attributes:
        path: `activity`, `outcome` or `actor.kind`.
        word: the source's.
        count: how many records have it.
        taken_as: ours, where `*` caught it; empty where its records are refused.
        suggestion: ours; empty where nothing is like it.
        why: the reason for the suggestion.
        line: what to add to the profile's TOML.
    """

    path: str
    word: str
    count: int
    taken_as: str
    suggestion: str
    why: Texts
    line: str


@dataclass(frozen=True, slots=True)
class Unmapped:
    """A field of the source's that nothing maps.

    Attributes:
        name: the source's.
        count: how many of the records looked at have it.
        suggestion: our path, `drop`, or empty where nobody knows.
        line: what to add to the profile's TOML; empty where nobody knows.
    """

    name: str
    count: int
    suggestion: str
    line: str


@dataclass(slots=True)
class Advice:
    """What was noticed while reading."""

    words: Counter[tuple[str, str]] = field(default_factory=Counter)
    caught: Counter[str] = field(default_factory=Counter)
    names: Counter[str] = field(default_factory=Counter)
    strange: dict[str, list[int]] = field(default_factory=dict)
    misread: dict[str, list[int]] = field(default_factory=dict)
    offsets: Counter[bool] = field(default_factory=Counter)
    hours: Counter[int] = field(default_factory=Counter)

    def see_bytes(self, line: int, raw: bytes, encoding: str) -> None:
        """Notice a line that is not written in the profile's encoding, or that reads as another one all the same."""
        if raw.isascii() or encoding.startswith("utf-16"):
            return
        try:
            decode(raw, encoding, first=line == 1)
        except TextError:
            other = next(iter(likely_encodings(raw)), "")
            self.strange.setdefault(other, []).append(line)
            return
        if encoding != "utf-8" and (likely := likely_encodings(raw)[:1]) == ("utf-8",):
            # Text in another encoding is valid UTF-8 by chance only where it is very short.
            self.misread.setdefault(likely[0], []).append(line)

    def see_values(self, named: Sequence[tuple[str, str]], profile: Profile, *, tabular: bool) -> None:
        """Notice which fields there are, if all names are the source's own, and whether times carry an offset."""
        for name, value in named:
            if not value.strip():
                continue
            path = profile.fields.get(name)
            if tabular and path is None and name not in profile.drop and name not in _PATHS:
                self.names[name] += 1
            if (path or name) == "time":
                self._see_time(value, profile)

    def _see_time(self, value: str, profile: Profile) -> None:
        try:
            at = parse_time(value, profile.zone, profile.times)
        except TimeTextError:
            return
        written = _OFFSET.search(value) is not None and ":" in value
        self.offsets[written] += 1
        if not written:
            self.hours[at.hour] += 1

    def see_operation(self, word: str, profile: Profile) -> None:
        """Notice a word that nothing but `*` catches."""
        if "*" not in profile.activities or word in profile.activities or word in set(Activity):
            return
        if any(one.endswith("*") and len(one) > 1 and word.startswith(one[:-1]) for one in profile.activities):
            return
        if len(self.caught) < _MANY_WORDS or word in self.caught:
            self.caught[word] += 1

    def see_reasons(self, reasons: Sequence[str]) -> None:
        """Notice the words for which a record is refused."""
        for reason in reasons:
            for pattern in (_UNKNOWN, _NOT_OURS):
                if (match := pattern.search(reason)) and (
                    len(self.words) < _MANY_WORDS or match.groups() in self.words
                ):
                    self.words[match[1], match[2]] += 1


def advise(
    seen: Advice, profile: Profile, knowledge: Knowledge
) -> tuple[tuple[Word, ...], tuple[Unmapped, ...], tuple[Texts, ...]]:
    """Words to add, fields to map, and doubts.

    Args:
        seen: what was noticed.
        profile: under which it was read.
        knowledge: for suggestions.
    """
    words = [_word(path, word, count, "", knowledge) for (path, word), count in seen.words.most_common()]
    rest = profile.activities.get("*", "")
    words += [_word("activity", word, count, rest, knowledge) for word, count in seen.caught.most_common()]
    unmapped = tuple(_unmapped(name, count, knowledge) for name, count in seen.names.most_common())
    return tuple(words), unmapped, tuple(_notes(seen, profile))


def _word(path: str, word: str, count: int, taken_as: str, knowledge: Knowledge) -> Word:
    guess = {"activity": knowledge.activity, "outcome": knowledge.outcome}.get(path, lambda _: None)(word)
    ours = guess.ours if guess else ""
    why = guess.why if guess else Texts("近い語がありません", "nothing is like it")
    quoted = toml_word(word)
    line = f"{quoted} = {toml_text(ours)}" if ours else f"# {quoted} = ?  ({', '.join(_choices(path))})"
    return Word(path, shown(word), count, taken_as, ours, why, line)


def toml_text(text: str) -> str:
    """A text as TOML writes it: exact, with whatever is not visible escaped; My Numbers masked."""
    masked, _ = mask(text)
    return '"' + "".join(_ESCAPED.get(char) or _escaped(char) for char in masked) + '"'


def _escaped(char: str) -> str:
    """A character, or its number where it cannot be seen or would not survive."""
    if unicodedata.category(char)[0] != "C" and char not in "\u2028\u2029":
        return char
    code = ord(char)
    if 0xD800 <= code <= 0xDFFF:
        return "?"
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def toml_word(word: str) -> str:
    """A source's word as a key of a vocabulary; of one with a My Number in it, or a very long one, its beginning."""
    masked, found = mask(word)
    if found:
        return toml_text(masked.partition(MASK)[0] + "*")
    return toml_text(word) if len(word) <= _LONGEST_WORD else toml_text(word[:_LONGEST_WORD] + "*")


def _choices(path: str) -> tuple[str, ...]:
    return tuple(Outcome) if path == "outcome" else ("view", "search", "create", "update", "…", "operation")


def _unmapped(name: str, count: int, knowledge: Knowledge) -> Unmapped:
    if knowledge.is_dropped(name):
        return Unmapped(shown(name), count, "drop", f"drop = [{toml_text(name)}]")
    guess = next(iter(knowledge.paths(name)), None)
    if guess is None:
        return Unmapped(shown(name), count, "", "")
    return Unmapped(shown(name), count, guess.ours, f"{toml_text(name)} = {toml_text(guess.ours)}")


def _notes(seen: Advice, profile: Profile) -> list[Texts]:
    notes = list[Texts]()
    for other, lines in seen.strange.items():
        where, count, mine = _where(lines), len(lines), profile.encoding
        if other:
            ja, en = f"{other} です（{mine} ではありません）", f"are {other}, not {mine}"
        else:
            ja, en = f"{mine} ではありません", f"are not {mine}"
        notes.append(Texts(f"{where} 行目のバイトは {ja}（{count} 行）", f"bytes at line {where} {en} ({count} lines)"))
    for other, lines in seen.misread.items():
        where, count, mine = _where(lines), len(lines), profile.encoding
        notes.append(
            Texts(
                f"{where} 行目は {mine} として読めますが {other} と思われます（文字化けの恐れ、{count} 行）",
                f"line {where} can be read as {mine} but looks like {other} ({count} lines)",
            )
        )
    return notes + _time_notes(seen, profile)


def _where(lines: Sequence[int]) -> str:
    return ", ".join(map(str, lines[:_LINES])) + ("…" if len(lines) > _LINES else "")


def _time_notes(seen: Advice, profile: Profile) -> list[Texts]:
    without = seen.offsets[False]
    if not without:
        return []
    notes = [
        Texts(
            f"時差のない時刻は {profile.timezone} として読みました（{without} 件）",
            f"times without an offset are read as {profile.timezone} ({without} records)",
        )
    ]
    if seen.offsets[True]:
        notes.append(
            Texts(
                f"時差のある時刻（{seen.offsets[True]} 件）とない時刻が混ざっています。同じ時計か確かめてください",
                f"times with an offset ({seen.offsets[True]}) and without one are mixed: are they of one clock?",
            )
        )
    whole = seen.hours.total()
    night = sum(count for hour, count in seen.hours.items() if hour in _NIGHT)
    moved = sum(count for hour, count in seen.hours.items() if (hour + _UTC_HOURS) % 24 in _DAY)
    if whole >= _LEAST_TIMES and night > whole / 2 and moved > whole * 0.8:
        notes.append(
            Texts(
                '大半が夜間で、9 時間足すと業務時間に入ります。UTC なら timezone = "UTC" としてください',
                'most fall into the night, and into office hours nine hours later: if it is UTC, set timezone = "UTC"',
            )
        )
    return notes
