"""Which column of a sample is which field of ours: by its name as the catalogue uses it, checked against its values.

A name proposes, the values decide: what a column's values do not fit is not proposed, by the very rules by which
deliveries are read (`ingest.formats.mapping`). A column without a name, or with one that nobody knows, is judged by
its values alone. Whatever is not certain carries its reason.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_address

from audit.events import Activity, Kind, Outcome
from audit.texts import Texts
from ingest.formats.mapping import KINDS, Mapper
from ingest.sources.knowledge import Guess, Knowledge
from ingest.sources.layout import Column, Layout
from ingest.sources.profile import Profile
from ingest.sources.times import Times, find_times

__all__ = ["DROP", "Role", "Roles", "assign"]

DROP = "drop"
_COUNT_PATHS = frozenset({"export.rows", "query.hits", "subject_count"})
_DISTINCT = 200
"""Different values looked at in one column; vocabularies are shorter, and keys are all alike."""
_MOST_WORDS = 60
"""A column with more different words is no vocabulary."""
_FIT = 0.98
_ENOUGH = 35.0
"""What a column must score to be the operation's."""
_NAMES = re.compile(
    r"[一-龯々〆]{1,4}[ \u3000][一-龯々ぁ-んァ-ヶー]{1,6}|[ァ-ヶー]{2,8}[ \u3000][ァ-ヶー]{2,8}|[ｦ-ﾟ]{2,12} [ｦ-ﾟ]{2,12}"
)
_STAFF_ID = re.compile(r"[A-Za-z]{0,3}-?[0-9]{2,7}")
_TERMINAL = re.compile(r"[^\s,;=]*[A-Za-z一-龯ァ-ヶ][^\s,;=]*[-_]?[0-9]{1,4}")
_SUBJECT = re.compile(r"(?:[A-Z]-)?[0-9]{7,15}(?:[;、/ ](?:[A-Z]-)?[0-9]{7,15})*")
_COUNTED = re.compile(r"[0-9,]+\s*(?:件|枚|部|行|名|人)")
_DIGITS = re.compile(r"[0-9]+")
_BY_VALUES = Texts(
    "列名がないか知られていないため、値から推定しました", "judged by its values: its name says nothing known"
)
_INSTEAD = Texts("操作者のない記録にだけ値があります", "it is there only where no person is")


@dataclass(frozen=True, slots=True)
class Role:
    """What one column is.

    Attributes:
        column: which.
        path: ours, `DROP`, or empty for what is kept as unmapped.
        doubt: why it is not certain; None when it is.
        others: paths that it might be instead, or could be if nothing else were.
    """

    column: Column
    path: str
    doubt: Texts | None = None
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Roles:
    """What all columns are.

    Attributes:
        roles: in the columns' order.
        times: how times are written.
        constants: our paths for which there is no column, with their values and why.
    """

    roles: tuple[Role, ...]
    times: Times
    constants: Mapping[str, tuple[str, Texts]] = field(default_factory=dict)

    def of(self, path: str) -> tuple[Column, ...]:
        """The columns of one path."""
        return tuple(role.column for role in self.roles if role.path == path)


def assign(layout: Layout, knowledge: Knowledge) -> Roles:
    """Decide what each column of a sample is."""
    work = _Assigning(layout, knowledge)
    work.drop()
    times = work.time()
    work.activity()
    work.by_name()
    work.by_values()
    constants = work.constants()
    roles = tuple(
        work.found.get(n) or Role(column, "", None, tuple(guess.ours for guess in work.guesses[n]))
        for n, column in enumerate(layout.columns)
    )
    return Roles(roles, times, constants)


class _Assigning:
    def __init__(self, layout: Layout, knowledge: Knowledge) -> None:
        self._layout = layout
        self._knowledge = knowledge
        self._columns = layout.columns
        self.found: dict[int, Role] = {}
        self._distinct = [_distinct(column) for column in layout.columns]
        self.guesses = [
            _by_address(knowledge.paths(column.name), values) if column.name else ()
            for column, values in zip(layout.columns, self._distinct, strict=True)
        ]

    def drop(self) -> None:
        """Columns with people's names in them, by their name or by their look."""
        for n, column in enumerate(self._columns):
            if column.name and self._knowledge.is_dropped(column.name):
                self.found[n] = Role(column, DROP)
            elif _share(self._distinct[n], _NAMES) > 0.6 and not self._is_actor(n):
                doubt = Texts(
                    "値が人の氏名に見えます。氏名は保存しません", "looks like people's names, which are not kept"
                )
                self.found[n] = Role(column, DROP, doubt)

    def time(self) -> Times:
        """The column of the time, or of its day and its time of day."""
        others = {
            n for n, guesses in enumerate(self.guesses) if guesses and guesses[0].known and guesses[0].ours != "time"
        }
        named = {n for n, guesses in enumerate(self.guesses) if guesses and guesses[0].ours == "time"}
        free = [n for n in range(len(self._columns)) if n not in self.found]
        times = find_times(
            [(n, self._columns[n], n in named) for n in sorted(free, key=lambda n: (n not in named, n in others, n))],
            key_value=self._layout.format == "key_value",
        )
        for n in times.columns:
            self.found[n] = Role(self._columns[n], "time", times.doubt)
        return times

    def activity(self) -> None:
        """The column whose name and words say most clearly what was done."""
        scored = [(self._operation(n), -n) for n in range(len(self._columns)) if n not in self.found]
        score, place = max(scored, default=(0.0, 0))
        if score < _ENOUGH:
            return
        n = -place
        guess = next((guess for guess in self.guesses[n] if guess.ours == "activity"), None)
        doubt = None
        if guess is None or not guess.known:
            doubt = Texts("語から操作の列とみなしました", "taken as the operation because of its words")
        self.found[n] = Role(self._columns[n], "activity", doubt, self._others(n, "activity"))

    def by_name(self) -> None:
        """Everything else that has a known name, the surest first."""
        wanted = sorted(
            (
                (-guess.share * (1.0 if guess.known else 0.6), n, guess)
                for n, guesses in enumerate(self.guesses)
                for guess in guesses
                if n not in self.found and guess.ours not in {"time", "activity"}
            ),
            key=lambda one: one[:2],
        )
        for _, n, guess in wanted:
            if n not in self.found and self._fits(n, guess):
                self._settle(n, guess)

    def by_values(self) -> None:
        """What has no known name."""
        for n, column in enumerate(self._columns):
            if n in self.found or (self.guesses[n] and not self._unused(n)):
                continue
            for path in self._looks(n):
                if self._free(path, n) and self._fits(n, Guess(path, 1.0, known=True, like="")):
                    self.found[n] = Role(column, path, _BY_VALUES, self._others(n, path))
                    break
        self._instead_of_an_actor()

    def _instead_of_an_actor(self) -> None:
        """Where some records name nobody, the column that stands there instead of a person: a job or a machine."""
        acting = [k for k, role in self.found.items() if role.path in {"actor.id", "actor.kind"}]
        if not acting:
            return
        somebody = [any(values) for values in zip(*(self._columns[k].values for k in acting), strict=True)]
        if all(somebody):
            return
        for n, column in enumerate(self._columns):
            certain = n in self.found and self.found[n].doubt is not _BY_VALUES
            if not certain and [bool(value) for value in column.values] == [not one for one in somebody]:
                self.found[n] = Role(column, "actor.kind", _INSTEAD, self._others(n, "actor.kind"))
                return

    def constants(self) -> dict[str, tuple[str, Texts]]:
        """What every record needs and no column says."""
        paths = {role.path for role in self.found.values()}
        found: dict[str, tuple[str, Texts]] = {}
        if not paths & {"activity", "operation_name"}:
            found["activity"] = (
                "operation",
                Texts(
                    "操作の列が見つかりません。全件がこの種別になります",
                    "no column says what was done: all become this",
                ),
            )
        if "actor.id" not in paths and "actor.kind" not in paths:
            found["actor.kind"] = (
                "system",
                Texts(
                    "操作者の列が見つかりません。システムの記録なら正しく、職員の操作なら [fields] に足してください",
                    "no column says who: right for a system's own records; otherwise add the column to [fields]",
                ),
            )
        return found

    def _operation(self, n: int) -> float:
        """How much a column looks like the operation's: by its name, and by how many of its words are known."""
        shares = {guess.ours: guess.share * (1.0 if guess.known else 0.5) for guess in self.guesses[n]}
        named = 60 * shares.get("activity", 0) + 30 * shares.get("operation_name", 0) + 10 * shares.get("screen", 0)
        if self.guesses[n] and not named:
            return 0.0
        words = self._distinct[n]
        if not words or len(words) > _MOST_WORDS:
            return named / 2
        score = sum(self._known(word) for word in words) / len(words)
        if not self._columns[n].name and score and not any(any(map(str.isdigit, word)) for word in words):
            named = 20  # words, and nothing says what else they are
        if not score and named <= _ENOUGH:
            return 0.0
        coverage = len(self._columns[n].filled) / len(self._columns[n].values)
        return (named + 60 * score) * (0.7 + 0.3 * coverage)

    def _known(self, word: str) -> float:
        """How surely a word is an operation: ours beyond doubt, the catalogue's, or only like one of these."""
        if word in set(Activity):
            return 1.6
        guess = self._knowledge.activity(word)
        return 0.0 if guess is None else 1.0 if guess.known else 0.6

    def _fits(self, n: int, guess: Guess) -> bool:
        path, values = guess.ours, self._distinct[n]
        if path not in KINDS or not values:
            return path in KINDS
        if path == "outcome":
            return len(values) <= 20 and _share(values, _COUNTED) < 0.5
        if path == "actor.kind":
            least = all((found := self._knowledge.word(path, word)) and found.like != "*" for word in values)
            return least or (guess.share >= 0.5 and not self._overlaps(n, "actor.id"))
        if path in {"terminal.ip", "terminal.id"}:
            return _are_addresses(values) is (path == "terminal.ip")
        if path in _COUNT_PATHS or KINDS[path] is not Kind.TEXT:
            return _fitting(path, values) >= _FIT
        return True

    def _settle(self, n: int, guess: Guess) -> None:
        path = guess.ours
        if not self._free(path, n):
            if guess == self.guesses[n][0]:
                self._rival(n, path)
            return
        doubt = None
        if not guess.known:
            doubt = Texts(f"列名が「{guess.like}」に似ています", f"its name resembles {guess.like!r}")
        elif path == "actor.id" and _share(self._distinct[n], _NAMES) > 0.6:
            doubt = Texts(
                "値が氏名に見えます。番号の列があればそちらに", "looks like names: use a column of numbers if any"
            )
        elif guess.share < 0.75:
            doubt = Texts(
                "カタログでは他の意味にも使われる列名です", "the catalogue uses this name for other things as well"
            )
        self.found[n] = Role(self._columns[n], path, doubt, self._others(n, path))

    def _rival(self, n: int, path: str) -> None:
        """Say of a column that another one has the same claim to its place."""
        for k, role in self.found.items():
            if role.path == path and role.doubt is None:
                name = self._columns[n].name
                doubt = Texts(f"「{name}」も同じ意味に見えます", f"{name!r} may be meant instead")
                self.found[k] = replace(role, doubt=doubt)

    def _looks(self, n: int) -> Iterator[str]:
        """What a column may be by the look of its values, likeliest first."""
        values = self._distinct[n]
        guesses = [self._knowledge.outcome(word) for word in values]
        looks: tuple[tuple[bool, str], ...] = (
            (_are_addresses(values), "terminal.ip"),
            (all(guesses) and not _share(values, _DIGITS), "outcome"),
            (_share(values, _COUNTED) > 0.5, "export.rows"),
        )
        numbered = _share(values, _STAFF_ID) >= 0.9 and not all(value.isdigit() for value in values)
        if not self._columns[n].name:
            looks += (
                (_share(values, _SUBJECT) >= 0.9, "subjects"),
                (numbered, "actor.id"),
                (_share(values, _TERMINAL) >= 0.9, "terminal.id"),
            )
        elif not any(role.path in {"actor.id", "actor.kind"} for role in self.found.values()):
            looks += ((numbered, "actor.id"),)
        yield from (path for fits, path in looks if values and fits)

    def _is_actor(self, n: int) -> bool:
        """Whether a column with names in it is the only one that could say who acted."""
        mine = any(guess.ours == "actor.id" for guess in self.guesses[n])
        return mine and not any(
            guess.ours == "actor.id" for k, guesses in enumerate(self.guesses) if k != n for guess in guesses
        )

    def _unused(self, n: int) -> bool:
        """Whether a column's name only resembles others, so that its values may say more."""
        return not self.guesses[n][0].known

    def _free(self, path: str, n: int) -> bool:
        holders = [k for k, role in self.found.items() if role.path == path]
        return not holders or (self._layout.format == "key_value" and not self._overlaps(n, path))

    def _overlaps(self, n: int, path: str) -> bool:
        """Whether some record has both this column and another one of a path."""
        mine = self._columns[n].values
        return any(
            any(a and b for a, b in zip(mine, self._columns[k].values, strict=True))
            for k, role in self.found.items()
            if role.path == path
        )

    def _others(self, n: int, path: str) -> tuple[str, ...]:
        return tuple(guess.ours for guess in self.guesses[n] if guess.ours != path)[:3]


def _by_address(guesses: tuple[Guess, ...], values: Sequence[str]) -> tuple[Guess, ...]:
    """A terminal that is named by its address has its own place."""
    if not values or not _are_addresses(values):
        return guesses
    return tuple(replace(guess, ours="terminal.ip") if guess.ours == "terminal.id" else guess for guess in guesses)


def _distinct(column: Column) -> tuple[str, ...]:
    return tuple(dict.fromkeys(column.filled))[:_DISTINCT]


def _share(values: Sequence[str], pattern: re.Pattern[str]) -> float:
    return sum(1 for value in values if pattern.fullmatch(value)) / len(values) if values else 0.0


def _are_addresses(values: Iterable[str]) -> bool:
    try:
        for value in values:
            ip_address(value.strip("[]"))
    except ValueError:
        return False
    return True


def _fitting(path: str, values: Sequence[str]) -> float:
    """The share of values that the profile's own rules accept at a path."""
    constants = {"time": "2000-01-01T00:00:00Z", "activity": str(Activity.OPERATION), "outcome": str(Outcome.SUCCESS)}
    mapper = Mapper(Profile("sample", "sample", "sample", fields={"x": path}, constants=constants))
    good = sum(1 for value in values if not mapper.document([("x", value)])[1])
    return good / len(values)
