"""What the stories of look-ups share: a unit whose work is entered as cases, and its ordinary days."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from detectors.cases import act, clock, feeds, look_ups

__all__ = ["UNIT", "looks_at", "open_cases", "ordinary_days"]

UNIT = "hoken-nenkin/shikaku"
_SINCE = "2026-08-01T09:00:00+09:00"


def open_cases(
    people: int = 60,
    *,
    unit: str = UNIT,
    more: Iterable[str] = (),
    **others: Sequence[dict[str, str]],
) -> dict[str, str]:
    """Feeds in which a unit has open cases of the residents `k-0001` and so on, and of more; other feeds as given."""
    keys = [*(f"k-{number:04d}" for number in range(1, people + 1)), *more]
    cases = [
        {"case_id": f"c-{key}", "subject_id": key, "org_unit": unit, "kind": "application", "opened_at": _SINCE}
        for key in keys
    ]
    return feeds(cases=cases, **others)


def ordinary_days(
    days: Iterable[date],
    *actors: str,
    people: int = 30,
    **more: Any,  # noqa: ANN401 - any field
) -> Iterator[dict[str, Any]]:
    """Days on which everyone looks at people of whom the unit has cases, on list screens."""
    for day in days:
        for actor in actors:
            yield from look_ups(day, actor, people, **{"unit": UNIT, **more})


def looks_at(
    day: date,
    actor: str,
    subjects: Sequence[str],
    at: str = "14:00",
    every: int = 11,
    **more: Any,  # noqa: ANN401 - any field
) -> Iterator[dict[str, Any]]:
    """One look after another, some minutes apart."""
    for number, subject in enumerate(subjects):
        moment = clock(day, at) + timedelta(minutes=every * number)
        yield act(moment, actor, subjects=[subject], **{"unit": UNIT, **more})
