"""The stories that come with a rule: told in the contract's events, each with whom it must find."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from audit.context import FEEDS
from audit.texts import Texts
from detectors.cases import feeds
from detectors.model import Case
from detectors.sigma.errors import SigmaRefusedError
from detectors.sigma.rules import documents_of

__all__ = ["MOST_STORY_BYTES", "read_stories"]

MOST_STORY_BYTES = 1 << 20
_MOST_STORIES, _MOST_EVENTS, _MOST_TOLD = 100, 2_000, 4 << 20
_KEYS = frozenset({"name", "day", "events", "feeds", "finds"})


def read_stories(data: bytes) -> tuple[Case, ...]:
    """Read a file of stories: a YAML list, or JSON Lines.

    A story has a `name`, a business `day` to judge, `events` in the contract's form with `source` beside it, the
    entities that it `finds` (none: it must stay silent), and `feeds`, rows or CSV text by kind. An event may say
    `repeat: {count: 20, every: 30}` (seconds). YAML's aliases and merging cannot be used.

    Raises:
        SigmaRefusedError: naming every fault; also where no story fires, or none is silent.
    """
    told = _told(data)
    if not isinstance(told, list) or len(told) > _MOST_STORIES:
        said = Texts(
            f"話の一覧が必要です（{_MOST_STORIES} 個まで）", f"a list of stories is required, at most {_MOST_STORIES}"
        )
        raise SigmaRefusedError([said])
    faults: list[Texts] = []
    cases = []
    for number, story in enumerate(told, start=1):
        try:
            cases.append(_story(story))
        except (ArithmeticError, KeyError, TypeError, ValueError) as error:
            what = f"{type(error).__name__}: {error}"
            faults.append(Texts(f"話 {number}: {what}", f"story {number}: {what}"))
    if len({case.name for case in cases}) < len(cases):
        faults.append(Texts("同じ名前の話があります", "two stories have the same name"))
    if not faults and not any(case.expect for case in cases):
        faults.append(Texts("検知する話が 1 つ以上必要です", "at least one story must fire"))
    if not faults and all(case.expect for case in cases):
        faults.append(Texts("検知しない話が 1 つ以上必要です", "at least one story must stay silent"))
    if faults:
        raise SigmaRefusedError(faults)
    return tuple(cases)


def _told(data: bytes) -> Any:  # noqa: ANN401 - any YAML
    lines = [line for line in data.splitlines() if line.strip()]
    if lines and all(line.lstrip().startswith(b"{") for line in lines):
        data = b"[" + b",\n".join(lines) + b"]"
    documents = documents_of(data, MOST_STORY_BYTES, aliases=False)
    return documents[0] if len(documents) == 1 else None


def _story(story: Any) -> Case:  # noqa: ANN401 - any YAML
    if not isinstance(story, dict) or not {"name", "day", "events"} <= story.keys() <= _KEYS:
        raise ValueError("a story has name, day, events; feeds, finds")
    day = story["day"]
    day = date.fromisoformat(day) if isinstance(day, str) else day
    if type(day) is not date:
        raise TypeError("day: YYYY-MM-DD")
    told = [_told_event(event) for event in story["events"]]
    if sum(one.count for one in told) > _MOST_EVENTS:
        raise ValueError(f"at most {_MOST_EVENTS} events")
    if sum(one.count * one.size for one in told) > _MOST_TOLD:
        raise ValueError(f"at most {_MOST_TOLD} bytes of events, repeated as they are")
    events = tuple(event for one in told for event in one.events())
    finds = story.get("finds") or []
    if not isinstance(finds, list):
        raise TypeError("finds: a list")
    return Case(str(story["name"]), events, _feeds(story.get("feeds") or {}), frozenset(map(str, finds)), day)


@dataclass(frozen=True, slots=True)
class _Told:
    """An event, which is told `count` times."""

    document: Mapping[str, Any]
    size: int
    first: datetime
    count: int
    every: timedelta

    def events(self) -> Iterator[Mapping[str, Any]]:
        """It, as often."""
        for place in range(self.count):
            yield {**self.document, "time": (self.first + place * self.every).isoformat()}


def _told_event(event: Any) -> _Told:  # noqa: ANN401 - any YAML
    """An event with how often it is told; its time must say where it is."""
    if not isinstance(event, dict) or not isinstance(event.get("source"), str):
        raise TypeError("an event is a map with a source")
    repeat = event.get("repeat", {"count": 1, "every": 0})
    at = event["time"]
    at = datetime.fromisoformat(at) if isinstance(at, str) else at
    if not isinstance(at, datetime) or at.utcoffset() is None:
        raise ValueError("time: with an offset")
    count, every = int(repeat["count"]), float(repeat["every"])
    if not 1 <= count <= _MOST_EVENTS:
        raise ValueError(f"repeat.count: 1 to {_MOST_EVENTS}")
    plain = json.dumps({key: value for key, value in event.items() if key != "repeat"}, default=str)
    return _Told(json.loads(plain), len(plain), at, count, timedelta(seconds=every))


def _feeds(given: Any) -> dict[str, str]:  # noqa: ANN401 - any YAML
    if not isinstance(given, dict) or not given.keys() <= FEEDS.keys():
        raise ValueError(f"feeds: {', '.join(FEEDS)}")
    made = {kind: value for kind, value in given.items() if isinstance(value, str)}
    rows = {kind: value for kind, value in given.items() if not isinstance(value, str)}
    return made | feeds(
        **{kind: [{k: str(v) for k, v in row.items()} for row in value] for kind, value in rows.items()}
    )
