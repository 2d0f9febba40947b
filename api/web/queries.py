"""What was typed into a page's filters, read; the same words serve the JSON API."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar

from audit.clock import TOKYO, day_start
from audit.events import Activity, Outcome
from audit.log import OWN_SOURCE, Filter
from audit.texts import Texts

__all__ = [
    "QueryError",
    "Typed",
    "as_filter",
    "day_bounds",
    "no_such_place",
    "part_of",
    "read_day",
    "read_moment",
    "read_span",
]


class QueryError(ValueError):
    """A filter that cannot be read; `texts` says which and why."""

    def __init__(self, texts: Texts) -> None:
        super().__init__(texts.en)
        self.texts = texts


_YEARS = range(1990, 2200)
"""The log holds nothing older; the engine cannot count much further."""
_Date = TypeVar("_Date", bound=date)
_Item = TypeVar("_Item")


def no_such_place() -> QueryError:
    """What a cursor is refused with that leads nowhere; the caller raises it."""
    return QueryError(Texts("cursor: 続きの位置が無効です", "cursor: no such place"))


def part_of(
    items: Sequence[_Item], key: Callable[[_Item], str], cursor: str, limit: int
) -> tuple[Sequence[_Item], str]:
    """A part of a list, and the cursor of the next part; empty at the end.

    Args:
        items: all of it.
        key: names an item.
        cursor: the last item of the part before, by its name; empty for the beginning.
        limit: how many.

    Raises:
        QueryError: there is no such item.
    """
    begin = 0
    if cursor:
        places = [place for place, item in enumerate(items, start=1) if key(item) == cursor]
        if not places:
            raise no_such_place()
        begin = places[0]
    shown = items[begin : begin + limit]
    return shown, key(shown[-1]) if shown and begin + limit < len(items) else ""


def _read(read: Callable[[str], _Date], text: str) -> _Date | None:
    try:
        found = read(text)
    except ValueError:
        return None
    return found if found.year in _YEARS else None


def read_moment(text: str, name: str) -> datetime | None:
    """A moment in Asia/Tokyo unless it says otherwise, or a date for its beginning.

    Raises:
        QueryError: it is neither.
    """
    if not text:
        return None
    at = _read(datetime.fromisoformat, text)
    if at is None:
        raise QueryError(
            Texts(
                f"{name}: 日時として読めません（例 2026-10-05T09:00）",
                f"{name}: no date or time like 2026-10-05T09:00",
            )
        )
    return at if at.tzinfo else at.replace(tzinfo=TOKYO)


def read_span(start: str, end: str) -> tuple[datetime | None, datetime | None]:
    """A span, `start` inclusive and `end` exclusive.

    Raises:
        QueryError: one cannot be read, or the end does not come after the start.
    """
    first, last = read_moment(start, "from"), read_moment(end, "to")
    if first and last and last <= first:
        raise QueryError(Texts("終了が開始より後ではありません", "the end does not come after the start"))
    return first, last


def read_day(text: str, name: str) -> date | None:
    """A business day.

    Raises:
        QueryError: it is none.
    """
    if not text:
        return None
    day = _read(date.fromisoformat, text)
    if day is None:
        raise QueryError(Texts(f"{name}: 日付として読めません（例 2026-10-05）", f"{name}: no date like 2026-10-05"))
    return day


def _word(text: str, name: str, words: type[Activity | Outcome]) -> tuple[str, ...]:
    if not text:
        return ()
    if text not in set(words):
        raise QueryError(Texts(f"{name}: 語彙にない言葉です", f"{name}: not a word of the vocabulary"))
    return (text,)


def _number(text: str, name: str, below: int) -> tuple[int, ...]:
    if not text:
        return ()
    if text not in map(str, range(below)):
        raise QueryError(Texts(f"{name}: 0 から {below - 1} の数です", f"{name}: a number from 0 to {below - 1}"))
    return (int(text),)


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed."""

    from_: str = ""
    to: str = ""
    source: str = ""
    actor: str = ""
    subject: str = ""
    activity: str = ""
    outcome: str = ""
    weekday: str = ""
    hour: str = ""


def as_filter(typed: Typed) -> Filter:
    """What was typed, as a question to the log.

    What people do with the records comes before what is done with the log: Mimamori's own events are left out unless
    their source, or a person, is asked for.

    Raises:
        QueryError: the first part that cannot be read.
    """
    start, end = read_span(typed.from_, typed.to)
    return Filter(
        start=start,
        end=end,
        sources=(typed.source,) if typed.source else (),
        actors=(typed.actor,) if typed.actor else (),
        subject=typed.subject,
        activities=_word(typed.activity, "activity", Activity),
        outcomes=_word(typed.outcome, "outcome", Outcome),
        weekdays=_number(typed.weekday, "weekday", 7),
        hours=_number(typed.hour, "hour", 24),
        without_source="" if typed.source or typed.actor else OWN_SOURCE,
    )


def day_bounds(first: date | None, last: date | None) -> tuple[datetime | None, datetime | None]:
    """Inclusive days as moments, the end exclusive."""
    return (day_start(first) if first else None, day_start(last + timedelta(days=1)) if last else None)
