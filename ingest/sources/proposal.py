"""From a sample alone to a profile: a commented TOML that `parse_profile` accepts and under which the sample ingests.

What is certain stands there as it is. What is not carries `要確認 / check`, its reason and the alternatives, so that
nothing is guessed silently. Words and most column names are known from the catalogue (`ingest.sources.knowledge`). A
proposal is tried on its own sample before it is shown, and says how many records it would refuse.
"""

import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from audit.events import Activity, ActorKind, Kind, Outcome
from audit.texts import Texts
from ingest.formats.mapping import KINDS
from ingest.reader import Readable
from ingest.sources.advice import toml_text, toml_word
from ingest.sources.knowledge import Alike, Guess, Knowledge
from ingest.sources.layout import TABULAR, Column, Layout, lay_out
from ingest.sources.profile import Profile, parse_profile
from ingest.sources.roles import DROP, Role, Roles, assign
from ingest.sources.sample import Sample, read_sample
from ingest.sources.showing import shown
from ingest.sources.trial import Summary, try_profile

__all__ = ["Proposal", "propose"]

_INVENTED: Mapping[str, str] = {
    "time": "日時",
    "actor.id": "操作者",
    "actor.kind": "操作者区分",
    "actor.org_unit": "所属",
    "terminal.id": "端末",
    "terminal.ip": "IPアドレス",
    "activity": "操作",
    "operation_name": "操作内容",
    "screen": "画面",
    "subjects": "対象者",
    "export.rows": "件数",
    "outcome": "結果",
    DROP: "氏名",
}
"""What columns without a name are called; others are numbered."""
_SPLITS = (";", "+", "、", "/", "|")
_MOST_WORDS = 200
_ID = re.compile(r"[^a-z0-9]+")
_REFUSED = 5


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposed profile.

    Attributes:
        toml: its text, with comments in both languages.
        profile: the same, read.
        layout: how the sample is laid out.
        roles: what its columns are; nothing for formats that bring their own names.
        alike: the source of the catalogue that is most alike, if any is.
        summary: what the proposal makes of its own sample.
        sample: what was looked at.
    """

    toml: str
    profile: Profile
    layout: Layout
    roles: Roles | None
    alike: Alike | None
    summary: Summary
    sample: Sample


def propose(
    stream: Readable,
    knowledge: Knowledge,
    now: datetime,
    *,
    name: str = "",
    fmt: str = "",
    encoding: str = "",
    base: Profile | None = None,
) -> Proposal:
    """Propose a profile for a file.

    Args:
        stream: the file; only its beginning is read (`ingest.sources.sample`).
        knowledge: what is known of names and words.
        now: taken as the moment of receipt.
        name: the file's name, from which the id is made.
        fmt: the format, if somebody knows it.
        encoding: the encoding, if somebody knows it.
        base: a profile whose id and names the proposal takes over.

    Raises:
        SampleError: nothing can be proposed, with the reason.
    """
    sample = read_sample(stream, encoding)
    layout = lay_out(sample, knowledge, now, fmt)
    roles = assign(layout, knowledge) if layout.format in TABULAR else None
    writing = _Writing(sample, layout, roles, knowledge, name, base)
    writing.body()
    profile = parse_profile("\n".join(writing.lines), "proposal")
    summary = _tried(profile, sample, now, knowledge)
    if roles is None and (summary.words or summary.unmapped):
        writing.left_open(summary)
        profile = parse_profile("\n".join(writing.lines), "proposal")
        summary = _tried(profile, sample, now, knowledge)
    toml = "\n".join([*_head(sample, layout, writing.alike, summary), *writing.lines]) + "\n"
    return Proposal(toml, parse_profile(toml, "proposal"), layout, roles, writing.alike, summary, sample)


def _tried(profile: Profile, sample: Sample, now: datetime, knowledge: Knowledge) -> Summary:
    text = b"\n".join(raw for _, raw in _gapless(sample.lines))
    if sample.encoding.startswith("utf-16"):  # its lines are UTF-8 by now
        text = text.decode("utf-8", "surrogatepass").encode(sample.encoding, "surrogatepass")
    return try_profile(profile, io.BytesIO(text), now, knowledge, most=0).summary


def _gapless(lines: Sequence[tuple[int, bytes]]) -> Iterable[tuple[int, bytes]]:
    last = 0
    for line, raw in lines:
        yield from ((n, b"") for n in range(last + 1, line))
        yield line, raw
        last = line


def _head(sample: Sample, layout: Layout, alike: Alike | None, summary: Summary) -> list[str]:
    extent = Texts("全体", "all of the file") if sample.whole else Texts("先頭のみ", "its beginning only")
    lines = [
        "Mimamori: サンプルから作ったプロファイル案 / a profile proposed from a sample.",
        f"見た範囲 / looked at: {extent.ja} {extent.en}, {sample.size} bytes, {summary.read} records.",
        "「要確認 / check」の行は理由を読み、直してから使うこと。操作と結果の語のほか、値は含まれない。",
        "Lines marked 要確認 / check are not certain: read the reason. No values are here but operations and results.",
        "",
        (
            f"試行 / tried on the sample: 読込 read {summary.read}, 受入 accepted {summary.accepted}, "
            f"拒否 refused {summary.refused}, 個人番号 My Numbers masked {summary.masked}"
        ),
    ]
    lines += [f"  拒否 refused {count}: {reason}" for reason, count in summary.reasons.most_common(_REFUSED)]
    if alike:
        where = f"{alike.profile.id}@{alike.city}" if alike.city else alike.profile.id
        lines.append(
            f"最も似た発生元 / most alike in the catalogue: {where} "
            f"({alike.profile.name_ja} / {alike.profile.name_en}): "
            f"列 columns {_listed(alike.names)}; 語 words {_listed(alike.words)}"
        )
    lines += [f"要確認 / check: {_both(doubt)}" for doubt in (*sample.doubts, *layout.doubts)]
    return [_comment(line) for line in lines] + [""]


class _Writing:
    """The TOML, line by line."""

    def __init__(
        self,
        sample: Sample,
        layout: Layout,
        roles: Roles | None,
        knowledge: Knowledge,
        name: str,
        base: Profile | None,
    ) -> None:
        self._sample = sample
        self._layout = layout
        self._roles = roles
        self._knowledge = knowledge
        self._name = name
        self._base = base
        self._called = _called(roles, layout)
        self.lines: list[str] = []
        words = frozenset(roles.of("activity")[0].filled if roles and roles.of("activity") else ())
        self.alike = knowledge.alike(frozenset(column.name for column in layout.columns), words)

    def body(self) -> None:
        """Everything but the head."""
        self._identity()
        self._setting("format", toml_text(self._layout.format))
        self._setting("encoding", toml_text(self._sample.encoding))
        self._setting("timezone", '"Asia/Tokyo"')
        roles = self._roles
        if roles is None:
            return
        self._shape()
        drops = [self._name_of(role) for role in roles.roles if role.path == DROP]
        if drops:
            for role in roles.roles:
                if role.path == DROP and role.doubt:
                    self._check(f"{self._name_of(role)}: {_both(role.doubt)}")
            self._setting("drop", _list(drops))
        if roles.times.patterns:
            self._setting("times", _list(roles.times.patterns), roles.times.doubt)
        if not roles.times.columns and roles.times.doubt:
            self._check(_both(roles.times.doubt))
        self._fields()
        self._vocabulary()
        self._others()

    def left_open(self, summary: Summary) -> None:
        """What a format that brings its own names and words does not know."""
        if summary.unmapped:
            self.lines += ["", "[fields]"]
        for one in summary.unmapped:
            kept = "unmapped に残る / kept under unmapped"
            self.lines.append(_comment(f"{one.line or one.name}  {one.count} 件 records, {kept}"))
        for path, table in (("activity", "activities"), ("outcome", "outcomes")):
            found = [word for word in summary.words if word.path == path and not word.taken_as]
            if found:
                self.lines += ["", f"[{table}]"]
                for word in found:
                    ours = word.suggestion or ("operation" if path == "activity" else "")
                    self._said(toml_word(word.word), ours, word.count, word.why)

    def _identity(self) -> None:
        base = self._base
        stem = _ID.sub("-", self._name.rsplit(".", 1)[0].lower()).strip("-")
        self._setting("id", toml_text(base.id if base else stem or "new-source"))
        if base is None:
            self._check("識別子・名称・分類を決めること / choose id, names and kind")
        self._setting("name_ja", toml_text(base.name_ja if base else "新しい発生元"))
        self._setting("name_en", toml_text(base.name_en if base else "New source"))
        self._setting("kind", toml_text(base.kind if base else self.alike.profile.kind if self.alike else "core"))

    def _shape(self) -> None:
        layout = self._layout
        if layout.format != "fixed" and layout.delimiter != ",":
            self._setting("delimiter", '"\\t"' if layout.delimiter == "\t" else toml_text(layout.delimiter))
        if layout.format == "csv" and not layout.header:
            self._setting("header", "false")
        unnamed = [self._called[id(column)] for column in layout.columns if not column.name]
        if layout.format == "fixed" or (layout.format == "csv" and not layout.header):
            self._check("列名はファイルになく、値から付けた / the file names no columns: these come from the values")
            self._setting("columns", _list(unnamed))
        elif layout.format == "key_value":
            # Without any setting a first bare value would be called `time`.
            self._setting("columns", _list(unnamed))
        if layout.widths:
            self._setting("widths", f"[{', '.join(map(str, layout.widths))}]")

    def _fields(self) -> None:
        roles = self._roles.roles if self._roles else ()
        self.lines += ["", "[fields]"]
        for role in roles:
            name = toml_text(self._name_of(role))
            more = role.others if role.path else role.others[1:]
            others = f"（他の候補 / others: {', '.join(more)}）" if more else ""
            if role.path == DROP or (not role.path and not role.column.filled and not role.others):
                continue
            if not role.path:
                kept = "unmapped に残る / kept under unmapped"
                self.lines.append(_comment(f'{name} = "{role.others[0] if role.others else "?"}"  {kept}{others}'))
                continue
            if role.doubt:
                self._check(f"{name}: {_both(role.doubt)}{others}")
            self.lines.append(f'{name} = "{role.path}"')

    def _vocabulary(self) -> None:
        roles = self._roles
        if roles is None:
            return
        self._table("activities", _words(roles.of("activity"), roles.of("operation_name")), self._knowledge.activity)
        self._table("outcomes", _words(roles.of("outcome")), self._knowledge.outcome)

    def _table(self, table: str, words: Counter[str], judge: Callable[[str], Guess | None]) -> None:
        own = frozenset(Activity) if table == "activities" else frozenset(Outcome)
        said = [(word, count) for word, count in words.most_common() if word not in own]
        if not said:
            return
        self.lines += ["", f"[{table}]"]
        written = set[str]()
        for word, count in said[:_MOST_WORDS]:
            guess: Guess | None = judge(word)
            fallback = "operation" if table == "activities" else ""
            nothing = Texts("語彙にない語です", "a word that the catalogue does not have")
            if (key := toml_word(word)) in written:
                continue
            written.add(key)
            if guess and guess.known and guess.share >= 0.5:
                self.lines.append(f"{key} = {toml_text(guess.ours)}")
            else:
                self._said(key, guess.ours if guess else fallback, count, guess.why if guess else nothing)
        if len(said) > _MOST_WORDS:
            self._check(f"ほかに {len(said) - _MOST_WORDS} 語 / {len(said) - _MOST_WORDS} more words")
            self.lines.append('"*" = "operation"' if table == "activities" else '"*" = ""')
        elif table == "activities":
            self.lines.append(_comment('"*" = "operation"  挙げていない語も受け入れる場合 / to accept words not named'))

    def _said(self, key: str, ours: str, count: int, why: Texts) -> None:
        self._check(f"{count} 件 records, {_both(why)}")
        self.lines.append(f"{key} = {toml_text(ours)}")

    def _others(self) -> None:
        roles = self._roles
        if roles is None:
            return
        splits: dict[str, str] = {}
        for path, kind in KINDS.items():
            columns = roles.of(path)
            if kind is Kind.IDS and columns and (separator := _separator(columns)):
                splits[path] = separator
        for path in ("auth.factors", "actor.kind"):
            self._translated(path, roles.of(path), splits.get(path, ""))
        if splits:
            self.lines += ["", "[split]", *(f'"{path}" = "{separator}"' for path, separator in splits.items())]
        if roles.constants:
            self.lines += ["", "[constants]"]
            for path, (value, why) in roles.constants.items():
                self._check(_both(why))
                self.lines.append(f'{toml_text(path)} = "{value}"')

    def _translated(self, path: str, columns: Sequence[Column], separator: str) -> None:
        own = frozenset(ActorKind) if path == "actor.kind" else frozenset[str]()
        words = _words(columns, separator=separator)
        judged = {word: self._knowledge.word(path, word) for word in words if word not in own}
        if path == "actor.kind" and any(guess is None or guess.like == "*" for guess in judged.values()):
            self.lines += ["", f'[words."{path}"]']
            self._check(
                "この列がある記録はシステムによるものとみなす / records with this column are taken as a system's own"
            )
            self.lines.append('"*" = "system"')
            return
        found = {guess.like: guess.ours for guess in judged.values() if guess}
        if found:
            self.lines += ["", f'[words."{path}"]']
            self.lines += [f"{toml_text(word)} = {toml_text(ours)}" for word, ours in found.items()]

    def _name_of(self, role: Role) -> str:
        return self._called[id(role.column)]

    def _setting(self, name: str, value: str, doubt: Texts | None = None) -> None:
        if doubt:
            self._check(_both(doubt))
        self.lines.append(f"{name} = {value}")

    def _check(self, why: str) -> None:
        self.lines.append(_comment(f"要確認 / check: {why}"))


def _called(roles: Roles | None, layout: Layout) -> dict[int, str]:
    """The name of each column: its own, else one that says what it is, else its number; no two alike."""
    called: dict[int, str] = {}
    taken = {column.name for column in layout.columns if column.name}
    for number, column in enumerate(layout.columns, 1):
        role = roles.roles[number - 1] if roles else None
        name = column.name or _INVENTED.get(role.path if role else "", f"列{number}")
        if not column.name and name in taken:
            name = f"{name}{number}"
        taken.add(name)
        called[id(column)] = name
    return called


def _words(columns: Iterable[Column], otherwise: Iterable[Column] = (), separator: str = "") -> Counter[str]:
    """The words of some columns; of the others only where the first have none in a record."""
    first, second = list(columns), list(otherwise)
    words = Counter[str]()
    for values in zip(*(column.values for column in first), strict=True):
        for value in filter(None, values):
            words.update(part.strip() for part in (value.split(separator) if separator else [value]))
    for column in second:
        said = [any(values) for values in zip(*(one.values for one in first), strict=True)]
        words.update(value for n, value in enumerate(column.values) if value and not (said and said[n]))
    return words


def _separator(columns: Sequence[Column]) -> str:
    values = [value for column in columns for value in column.filled]
    return next((one for one in _SPLITS if any(one in value.strip(one) for value in values)), "")


def _list(items: Iterable[str]) -> str:
    return f"[{', '.join(map(toml_text, items))}]"


def _listed(items: Sequence[str]) -> str:
    return "、".join(items) if items else "—"


def _both(text: Texts) -> str:
    return f"{text.ja} / {text.en}"


def _comment(text: str) -> str:
    """A comment of one line in which nothing that a source wrote can end it, hide or be a My Number."""
    return f"# {shown(text, len(text))}".rstrip()
