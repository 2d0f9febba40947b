"""What is remembered of a source between two looks, so that no look reads the log again from its beginning."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from ingest.gaps.clocks import ClockHour, Episode
from ingest.gaps.sequence import Island, Run
from ingest.gaps.silence import Heard

__all__ = ["Memory", "NumberGap", "Told"]


@dataclass(frozen=True, slots=True)
class Told:
    """A silence that a finding tells of: the last event before it, and the first after it when it has ended."""

    heard: datetime
    again: datetime | None = None


@dataclass(slots=True)
class NumberGap:
    """Missing numbers that a finding tells of.

    Attributes:
        finding: its id.
        run: the beginning of the run they belong to.
        ranges: what was missing when it opened.
        left: what is missing still.
        first: the first of them, by which the finding is named.
        count: how many were missing when it opened.
        watched: whether they are still looked out for.
        after: when the event before them happened.
        before: when the event after them happened.
    """

    finding: str
    run: datetime | None
    ranges: list[tuple[int, int]]
    left: list[tuple[int, int]]
    first: int
    count: int
    after: datetime
    before: datetime
    watched: bool = True


@dataclass(slots=True)
class Memory:
    """One source.

    Attributes:
        since: from when on we listen to it.
        last: when its latest event happened.
        received: when its last event arrived.
        calendar: the rhythm and state of the calendar that `heard` was judged by.
        heard: when it was heard.
        told: silences that findings tell of, by their first missed moment.
        usual: silences that were no longer than chance makes them: when they ended, by their first missed moment.
        runs: the runs of its counter, in order.
        gaps: missing numbers that findings tell of.
        clock: the time over which its clock has been wrong.
        clock_hour: the last hour whose clock was judged.
    """

    since: datetime
    last: datetime | None = None
    received: datetime | None = None
    calendar: str = ""
    heard: list[Heard] = field(default_factory=list)
    told: dict[datetime, Told] = field(default_factory=dict)
    usual: dict[datetime, datetime] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    gaps: list[NumberGap] = field(default_factory=list)
    clock: Episode | None = None
    clock_hour: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        """As it is kept."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> "Memory":
        """From how it is kept."""
        episode = kept["clock"]
        return cls(
            since=datetime.fromisoformat(kept["since"]),
            last=_time(kept["last"]),
            received=_time(kept["received"]),
            calendar=kept["calendar"],
            heard=[Heard(*map(datetime.fromisoformat, (span["first"], span["last"]))) for span in kept["heard"]],
            told={
                datetime.fromisoformat(due): Told(datetime.fromisoformat(told["heard"]), _time(told["again"]))
                for due, told in kept["told"].items()
            },
            usual={
                datetime.fromisoformat(due): datetime.fromisoformat(again)
                for due, again in kept.get("usual", {}).items()  # a memory of an earlier version has none
            },
            runs=[_run(run) for run in kept["runs"]],
            gaps=[_gap(gap) for gap in kept["gaps"]],
            clock=_episode(episode) if episode else None,
            clock_hour=_time(kept["clock_hour"]),
        )


def _plain(value: Any) -> Any:  # noqa: ANN401 - any part of a memory
    if isinstance(value, dict):
        return {_plain(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, datetime) else value


def _time(kept: str | None) -> datetime | None:
    return datetime.fromisoformat(kept) if kept else None


def _run(kept: Mapping[str, Any]) -> Run:
    islands = [
        Island(i["first"], i["last"], datetime.fromisoformat(i["began"]), datetime.fromisoformat(i["ended"]))
        for i in kept["islands"]
    ]
    full = kept["full_at"]
    return Run(_time(kept["start"]), islands, (full[0], datetime.fromisoformat(full[1])) if full else None)


def _gap(kept: Mapping[str, Any]) -> NumberGap:
    return NumberGap(
        kept["finding"],
        _time(kept["run"]),
        [(first, last) for first, last in kept["ranges"]],
        [(first, last) for first, last in kept["left"]],
        kept["first"],
        kept["count"],
        datetime.fromisoformat(kept["after"]),
        datetime.fromisoformat(kept["before"]),
        watched=kept["watched"],
    )


def _episode(kept: Mapping[str, Any]) -> Episode:
    worst = {**kept["worst"], "start": datetime.fromisoformat(kept["worst"]["start"])}
    start, end = datetime.fromisoformat(kept["start"]), datetime.fromisoformat(kept["end"])
    return Episode(start, end, ClockHour(**worst), kept["refused"])
