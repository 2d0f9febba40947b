"""What the pages about tuning are given."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from audit.texts import Texts
from dashboards.model import Choice
from dashboards.rights_model import PersonView

__all__ = [
    "ChangeRow",
    "ChangeView",
    "ExceptionForm",
    "ParameterField",
    "ParametersForm",
    "Picture",
    "PreviewRow",
    "PreviewView",
    "TermRow",
    "TuningView",
    "picture_of",
]


@dataclass(frozen=True, slots=True)
class TermRow:
    """One line of what is changed: its name, and its values as text; `before` where something had another value."""

    name: Texts
    values: tuple[str, ...] | Texts
    before: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRow:
    """A proposal, an exception or values in force, or what is over.

    Attributes:
        state: a word of `change_state`.
        last: the last day of an exception.
        hidden: how many findings of the past the preview counted as hidden; None for parameters.
        changed: how many it counted as appearing and disappearing; None for exceptions.
        may_confirm: whether whoever looks may be the second person.
        may_end: whether they may end or drop it.
    """

    id: str
    kind: str
    detector: Texts
    terms: tuple[TermRow, ...]
    reason: str
    ticket: str
    state: str
    proposed_by: PersonView
    proposed_at: datetime
    expires_at: datetime
    confirmed_by: PersonView | None = None
    confirmed_at: datetime | None = None
    ended_by: PersonView | None = None
    ended_at: datetime | None = None
    first: date | None = None
    last: date | None = None
    may_confirm: bool = False
    may_end: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningView:
    """The list. `excepted`: findings that exceptions hide now."""

    waiting: tuple[ChangeRow, ...]
    in_force: tuple[ChangeRow, ...]
    over: tuple[ChangeRow, ...]
    excepted: int
    may_tune: bool
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceptionForm:
    """What was typed, and what there is to choose from."""

    detector: str = ""
    actors: str = ""
    units: str = ""
    source: str = ""
    subjects: str = ""
    weekdays: tuple[str, ...] = ()
    hour_from: str = ""
    hour_to: str = ""
    owner: str = ""
    first: str = ""
    last: str = ""
    detectors: tuple[Choice, ...] = ()
    sources: tuple[Choice, ...] = ()
    longest: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True)
class ParameterField:
    """One parameter: what it means, its default, its value in force, and what was typed."""

    name: str
    meaning: Texts
    default: str
    in_force: str
    typed: str
    truth: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ParametersForm:
    """A detector's parameters; without a detector, the choice of one."""

    detector: str = ""
    title: Texts = Texts("", "")  # noqa: RUF009 - a tuple, which nobody changes
    fields: tuple[ParameterField, ...] = ()
    days: str = ""
    most_days: int = 365
    detectors: tuple[Choice, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewRow:
    """A finding that a change would have hidden, brought or taken away. `kept`: it has a page of its own."""

    effect: str
    id: str
    kept: bool
    detector: Texts
    day: date
    severity: str
    actors: tuple[PersonView, ...]
    title: Texts


@dataclass(frozen=True, slots=True)
class Bar:
    """A week of the picture: left edge, top and height of its two parts, and what it says."""

    left: int
    upper_top: int
    upper: int
    lower_top: int
    lower: int
    week: date
    upper_count: int
    lower_count: int


@dataclass(frozen=True, slots=True)
class Picture:
    """A bar a week.

    Of an exception, what it hides and, darker, what of that is grave; of parameters, what appears above the line and
    what disappears below it.
    """

    bars: tuple[Bar, ...]
    months: tuple[tuple[int, date], ...]
    width: int
    height: int
    base: int
    most: int
    bar: int
    diverging: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewView:
    """A preview, waiting, running or done.

    Attributes:
        counts: by effect (`hidden`, `appears`, `disappears`), as the document has them.
        mine: whether whoever looks made it, and may propose with it.
        renews: whether the page asks again by itself; not for so long that it would keep a left seat unlocked.
    """

    id: str
    kind: str
    state: str
    done: int
    total: int
    first: date
    last: date
    detector: Texts
    terms: tuple[TermRow, ...]
    mine: bool
    renews: bool = False
    digest: str = ""
    judged: int = 0
    counts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    by_detector: tuple[tuple[Texts, int], ...] = ()
    by_month: tuple[tuple[str, tuple[int, ...]], ...] = ()
    rows: tuple[PreviewRow, ...] = ()
    omitted: int = 0
    picture: Picture | None = None
    error: str | None = None
    reason: str = ""
    ticket: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeView:
    """One change with the preview that it was proposed with."""

    row: ChangeRow
    preview: PreviewView
    error: str | None = None


_TALL, _LEFT = 96, 34
_WIDEST = 640


def picture_of(
    first: date, last: date, upper: Mapping[str, int], lower: Mapping[str, int], *, diverging: bool
) -> Picture:
    """The picture of a preview.

    Args:
        first: the first day.
        last: the last day.
        upper: how many a day (ISO), above the line: what is hidden, or appears.
        lower: the same for what disappears (diverging), or for the grave share of `upper`.
        diverging: which of the two.
    """
    monday = first - timedelta(days=first.weekday())
    weeks = [monday + timedelta(days=7 * n) for n in range((last - monday).days // 7 + 1)]
    above, below = _by_week(upper, monday, len(weeks)), _by_week(lower, monday, len(weeks))
    most = max([1, *above, *(below if diverging else [])])
    base = _TALL + 6
    step = max(13, min(36, _WIDEST // len(weeks)))
    bars = []
    for place, week in enumerate(weeks):
        up, down = _height(above[place], most), _height(below[place], most)
        low_top = base if diverging else base - down
        bars.append(Bar(_LEFT + place * step, base - up, up, low_top, down, week, above[place], below[place]))
    months = [(bar.left, bar.week + timedelta(days=6)) for bar in bars if (bar.week + timedelta(days=6)).day <= 7]
    height = base + (_TALL if diverging else 0) + 24
    return Picture(tuple(bars), tuple(months), _LEFT + len(weeks) * step + 8, height, base, most, step - 3, diverging)


def _by_week(days: Mapping[str, int], monday: date, weeks: int) -> list[int]:
    found = [0] * weeks
    for day, count in days.items():
        found[(date.fromisoformat(day) - monday).days // 7] += count
    return found


def _height(count: int, most: int) -> int:
    return max(2, round(_TALL * count / most)) if count else 0
