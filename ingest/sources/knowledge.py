"""What the catalogue knows about how systems write: which column is usually which of ours, and which word means what.

Nothing is known twice: operation words, result words and most column names are counted out of the profiles
themselves, so that every profile added makes the suggestions better. Only column names that no profile has yet stand
in `column_names.toml`. A guess always says how it was made; what is not the very same word is never certain.
"""

import difflib
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from audit.events import Activity, Outcome
from audit.texts import Texts
from ingest.sources.profile import Profile

__all__ = ["Alike", "Guess", "Knowledge", "plain"]

_NEAR = 0.75
_SHORT = 3
"""A longer name may end in any Japanese one, but in an English one only if that is longer than this: `format`, `at`."""
_IGNORED = str.maketrans(dict.fromkeys(" _-.　・", None))


def plain(name: str) -> str:
    """A name without what makes no difference: case, width, blanks and joints."""
    return unicodedata.normalize("NFKC", name).casefold().translate(_IGNORED)


@dataclass(frozen=True, slots=True)
class Guess:
    """What something probably is.

    Attributes:
        ours: an activity, an outcome or a path.
        share: from 0 to 1, how much of what is known says so.
        known: whether the very word is known; otherwise it only resembles `like`.
        like: the word or name that is known.
    """

    ours: str
    share: float
    known: bool
    like: str

    @property
    def why(self) -> Texts:
        """The reason, for people."""
        if self.known:
            return Texts(f"カタログの「{self.like}」と同じ", f"as {self.like!r} in the catalogue")
        return Texts(f"近い語: 「{self.like}」", f"nearest: {self.like!r}")


@dataclass(frozen=True, slots=True)
class Alike:
    """How much a source of the catalogue resembles a sample.

    Attributes:
        profile: the source, as the city named has it.
        city: empty for the catalogue's own.
        names: column names that both have.
        words: operation words that both have.
    """

    profile: Profile
    city: str
    names: tuple[str, ...]
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Names and words, and how often each of them is what.

    Attributes:
        names: plain column names and the paths they are mapped to.
        drops: plain names of what must not be kept.
        activities: operation words (exact and with `*`) and our activities.
        outcomes: the same for results.
        words: the same by other paths.
        variants: every profile with the city it is of.
    """

    names: Mapping[str, Mapping[str, int]]
    drops: frozenset[str]
    activities: Mapping[str, Counter[str]]
    outcomes: Mapping[str, Counter[str]]
    words: Mapping[str, Mapping[str, Counter[str]]]
    variants: tuple[tuple[str, Profile], ...]

    @classmethod
    def of(cls, profiles: Iterable[Profile]) -> "Knowledge":
        """Count it out of some profiles, each with what its cities say otherwise."""
        counting = _Counting()
        for profile in profiles:
            counting.add(profile)
        return counting.done()

    def paths(self, name: str) -> tuple[Guess, ...]:
        """What a column of this name usually is, most usual first; nothing when nobody knows."""
        bare = plain(name)
        if found := self.names.get(bare):
            return _shares(found, name, known=True)
        like = _ending(bare, self.names)
        if not like and not bare.isascii():
            begun = (one for one in self.names if len(one) >= _SHORT and bare.startswith(one))
            within = (one for one in self.names if len(one) > _SHORT and one in bare)
            like = max(begun, key=len, default="") or max(within, key=len, default="")
        return _shares(self.names[like], like, known=False) if like else ()

    def is_dropped(self, name: str) -> bool:
        """Whether a column of this name holds what must not be kept."""
        bare = plain(name)
        if bare in self.drops or bare in self.names:
            return bare in self.drops
        like = _ending(bare, self.drops)
        return len(like) > len(_ending(bare, self.names))

    def activity(self, word: str) -> Guess | None:
        """The activity that an operation word means, or resembles."""
        return _judge(word, self.activities, frozenset(Activity))

    def outcome(self, word: str) -> Guess | None:
        """The outcome that a result word means; one that only resembles another may be its opposite."""
        found = _judge(word, self.outcomes, frozenset(Outcome))
        return found if found and found.known else None

    def word(self, path: str, word: str) -> Guess | None:
        """Our word at another path for a source's."""
        table = self.words.get(path, {})
        found = _judge(word, table, frozenset())
        return found if found and found.known else None

    def alike(self, names: frozenset[str], words: frozenset[str]) -> Alike | None:
        """The source of the catalogue that shares most with a sample; None when nothing is shared."""
        bare = {plain(name): name for name in names if name}
        best: tuple[float, Alike] | None = None
        for city, profile in self.variants:
            theirs = {plain(name) for name in (*profile.fields, *profile.drop)}
            shared = tuple(shown for one, shown in bare.items() if one in theirs)
            common = tuple(sorted(words & profile.activities.keys()))
            score = _overlap(len(shared), len(bare), len(theirs)) * 2
            score += _overlap(len(common), len(words), len(profile.activities))
            if score and (best is None or score > best[0]):
                best = score, Alike(profile, city, shared, common)
        return best[1] if best else None


class _Counting:
    def __init__(self) -> None:
        self.names: dict[str, Counter[str]] = {}
        self.drops = set[str]()
        self.activities: dict[str, Counter[str]] = {}
        self.outcomes: dict[str, Counter[str]] = {}
        self.words: dict[str, dict[str, Counter[str]]] = {}
        self.variants: list[tuple[str, Profile]] = []

    def add(self, profile: Profile) -> None:
        seen = set[tuple[str, ...]]()
        for city in ("", *profile.cities):
            variant = profile.in_city(city) if city else profile
            self.variants.append((city, variant))
            self.drops |= {plain(name) for name in variant.drop}
            for kind, table in (("f", variant.fields), ("a", variant.activities), ("o", variant.outcomes)):
                for said, ours in table.items():
                    if (key := (kind, said, ours)) not in seen and not (kind != "f" and said == "*"):
                        seen.add(key)
                        self._table(kind).setdefault(plain(said) if kind == "f" else said, Counter())[ours] += 1
            for path, words in variant.words.items():
                for said, ours in words.items():
                    if (key := (path, said, ours)) not in seen:
                        seen.add(key)
                        self.words.setdefault(path, {}).setdefault(said, Counter())[ours] += 1

    def _table(self, kind: str) -> dict[str, Counter[str]]:
        return {"f": self.names, "a": self.activities, "o": self.outcomes}[kind]

    def done(self) -> Knowledge:
        supplement = _supplement()
        names: dict[str, Mapping[str, int]] = dict(self.names)
        for path, theirs in supplement["fields"].items():
            for name in theirs:
                names.setdefault(plain(name), {path: 1})
        drops = self.drops | {plain(name) for name in supplement["drop"]}
        return Knowledge(
            names=MappingProxyType(names),
            drops=frozenset(drops),
            activities=MappingProxyType(self.activities),
            outcomes=MappingProxyType(self.outcomes),
            words=MappingProxyType(self.words),
            variants=tuple(self.variants),
        )


@cache
def _supplement() -> Mapping[str, Any]:
    text = resources.files("ingest.sources").joinpath("column_names.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _shares(counts: Mapping[str, int], like: str, *, known: bool) -> tuple[Guess, ...]:
    whole = sum(counts.values())
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(
        Guess(path.removeprefix("unmapped."), count / whole, known, like)
        for path, count in ordered
        if not path.startswith("unmapped.")
    )


def _judge(word: str, table: Mapping[str, Counter[str]], own: frozenset[str]) -> Guess | None:
    """The same word, or one with `*`, or of other case or width; else the longest that it ends in, holds or nears."""
    if word in own:
        return Guess(word, 1.0, known=True, like=word)
    if counts := table.get(word):
        return _first(counts, word, known=True)
    starts = [one for one in table if one.endswith("*") and word.startswith(one[:-1])]
    if starts:
        like = max(starts, key=len)
        return _first(table[like], like, known=True)
    bare = plain(word)
    by_plain = {plain(one): one for one in (*own, *table) if not one.endswith("*")}
    same = by_plain.get(bare, "")
    like = same or _resembled(bare, by_plain)
    if like in own:
        return Guess(like, 1.0, known=bool(same), like=like)
    return _first(table[like], like, known=bool(same)) if like else None


def _ending(bare: str, known: Iterable[str]) -> str:
    """The longest known name that a name ends in."""
    least = {True: _SHORT + 1, False: 2}
    fitting = (one for one in known if len(one) >= least[one.isascii()] and bare.endswith(one))
    return max(fitting, key=len, default="")


def _resembled(bare: str, by_plain: Mapping[str, str]) -> str:
    """The known word that a word ends in, or begins with, or holds; in Japanese the verb stands last."""
    known = [one for one in by_plain if len(one) > 1]
    for fits in (bare.endswith, bare.startswith, bare.__contains__):
        if found := max((one for one in known if fits(one)), key=len, default=""):
            return by_plain[found]
    near = difflib.get_close_matches(bare, known, n=1, cutoff=_NEAR)
    return by_plain[near[0]] if near else ""


def _first(counts: Counter[str], like: str, *, known: bool) -> Guess:
    ours, count = min(counts.items(), key=lambda item: (-item[1], item[0]))
    return Guess(ours, count / counts.total(), known, like)


def _overlap(shared: int, mine: int, theirs: int) -> float:
    return shared / (mine + theirs - shared) if shared else 0.0
