"""The words in which detectors tell their cases: acts, feeds, and days around a day.

Cases ship with their detector, because they say what it means better than its description does, and because a
canary can replay them in production. So they are kept small: a whole day of look-ups is a handful of events.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from itertools import chain, islice
from typing import Any

from audit.clock import TOKYO
from audit.context import FEEDS
from detectors.model import Case

__all__ = ["act", "case", "clock", "feeds", "look_ups", "sign_in", "weekdays_before"]

_LIST_LENGTH = 10
"""So many people stand on one list screen."""


def clock(day: date, at: str) -> datetime:
    """A moment of a business day, `08:30` or `20:15:07`."""
    return datetime.combine(day, time.fromisoformat(at), TOKYO)


def act(at: datetime, actor: str, activity: str = "view", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    """One event in the contract's form.

    Args:
        at: when.
        actor: whose account.
        activity: what was done.
        more: fields of the contract beside these. `unit` and `kind` belong to the actor, `ip` to the terminal;
            a look-up without `subjects` is of one person.
    """
    who = {"id": actor, "org_unit": more.pop("unit", ""), "kind": more.pop("kind", "staff")}
    ip = more.pop("ip", "")
    fields = {"source": "nhi-eligibility", "outcome": "success", **more}
    if activity == "view":
        fields.setdefault("subjects", ["k-0001"])
    return {
        "time": at.isoformat(),
        "activity": activity,
        "actor": {name: value for name, value in who.items() if value},
        **({"terminal": {"ip": ip}} if ip else {}),
        **fields,
    }


def sign_in(at: datetime, actor: str, ip: str = "", outcome: str = "success", **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """One attempt to sign in."""
    return act(at, actor, "login", ip=ip, outcome=outcome, **more)


def look_ups(
    day: date,
    actor: str,
    people: int,
    activity: str = "view",
    **more: Any,  # noqa: ANN401 - any field
) -> Iterator[dict[str, Any]]:
    """A day's look-ups of so many different people, as list screens of up to ten.

    Args:
        day: when, from nine o'clock on.
        actor: whose account.
        people: how many.
        activity: by what act.
        more: as in `act`; `first` numbers the first person.
    """
    first = more.pop("first", 1)
    keys = [f"k-{number:04d}" for number in range(first, first + people)]
    for screen, start in enumerate(range(0, people, _LIST_LENGTH)):
        at = clock(day, "09:00") + timedelta(minutes=7 * screen)
        yield act(at, actor, activity, subjects=keys[start : start + _LIST_LENGTH], **more)


def weekdays_before(day: date, count: int) -> list[date]:
    """The last working days before a day, latest first; holidays are not left out."""
    earlier = (day - timedelta(days=back) for back in range(1, 7 * count))
    return list(islice((past for past in earlier if past.weekday() < 5), count))


def feeds(**rows: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Context feeds as CSV text, by kind; columns that a row leaves out are empty."""
    texts = {}
    for kind, entries in rows.items():
        text = io.StringIO()
        writer = csv.DictWriter(text, FEEDS[kind].keys(), restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(entries)
        texts[kind] = text.getvalue()
    return texts


def case(
    name: str,
    day: date,
    *events: Mapping[str, Any] | Iterable[Mapping[str, Any]],
    finds: Iterable[str] = (),
    given: Mapping[str, str] | None = None,
) -> Case:
    """One story.

    Args:
        name: in a few words.
        day: the business day to judge.
        events: what happened, singly or in series.
        finds: the entities that must be found; none for a silent story.
        given: the context feeds.
    """
    told = chain.from_iterable([event] if isinstance(event, Mapping) else event for event in events)
    return Case(name, tuple(told), given or {}, frozenset(finds), day)
