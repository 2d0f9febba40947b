"""What the engine tells of numbers and of the time from an event to its recording."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from audit.log import Dimension, Filter, Measure

START = datetime(2026, 10, 5, 0, 0, tzinfo=UTC)


def at(minutes: float) -> int:
    """So many minutes after the start, as microseconds of the epoch."""
    return int((START + timedelta(minutes=minutes)).timestamp() * 1_000_000)


def take(desk: Any, rows: Iterable[tuple[int | None, float, float | None]]) -> None:
    """Events by number, minutes after the start, and seconds until they were recorded."""
    docs = []
    for n, (number, minutes, lag) in enumerate(rows):
        time = START + timedelta(minutes=minutes)
        event: dict[str, Any] = {
            "event_id": f"e{n}",
            "time": time.isoformat(),
            "activity": "view",
            "actor": {"id": "s1"},
        }
        if number is not None:
            event["sequence"] = number
        if lag is not None:
            event["recorded_at"] = (time + timedelta(seconds=lag)).isoformat()
        docs.append((n, json.dumps(event).encode()))
    desk.take(desk.delivery(1, "a"), docs)


def ask(desk: Any, *measures: Measure) -> dict[str, Any]:
    (row,) = desk.log.aggregate(Filter(), (Dimension.SOURCE,), measures)
    found: dict[str, Any] = row
    return found


def test_numbers_left_out_and_times_that_fall_are_breaks(desk: Any) -> None:
    take(desk, [(5, 60, 1), (1, 0, 1), (2, 1, 1), (3, 2, 1), (6, 40, 1), (7, 41, 1)])
    told = [tuple(one) for one in ask(desk, Measure.BREAKS)["breaks"]]
    assert told == [(3, at(2), 5, at(60)), (5, at(60), 6, at(40))]


def test_order_within_ten_minutes_and_the_same_number_twice_are_none(desk: Any) -> None:
    take(desk, [(1, 5, 1), (2, 0, 1), (2, 3, 1), (3, 4, None)])
    assert list(ask(desk, Measure.BREAKS)["breaks"]) == []


def test_what_was_recorded_late_breaks_nothing(desk: Any) -> None:
    take(desk, [(1, 0, 1), (2, 1, 1), (900, 2, 86400)])
    assert list(ask(desk, Measure.BREAKS)["breaks"]) == []


def test_events_without_numbers_have_no_breaks(desk: Any) -> None:
    take(desk, [(None, 0, 1), (None, 9, None)])
    assert list(ask(desk, Measure.BREAKS)["breaks"]) == []


def test_lags_are_seconds_of_those_that_say_when_they_were_recorded(desk: Any) -> None:
    take(desk, [(None, n, lag) for n, lag in enumerate([1, 2, 3, 4, 5, 6, 7, 8, 9, -240, None])])
    row = ask(desk, Measure.LAG, Measure.LAG_LOW, Measure.LAG_HIGH)
    assert row["lag"] in {4, 5}
    assert row["lag_low"] in {-240, 1}
    assert row["lag_high"] in {8, 9}


def test_without_any_there_is_no_lag(desk: Any) -> None:
    take(desk, [(None, 0, None)])
    assert ask(desk, Measure.LAG)["lag"] is None


def test_events_are_told_apart_by_how_soon_they_were_recorded(desk: Any) -> None:
    take(desk, [(1, 0, 1), (2, 1, 7200), (3, 2, None)])

    def numbers(wanted: Filter) -> set[int]:
        return {row["sequence"] for row in desk.log.columns(wanted, ("sequence",))}

    hour = timedelta(hours=1)
    assert numbers(Filter(recorded_within=hour)) == {1, 3}
    assert numbers(Filter(recorded_after=hour)) == {2}
