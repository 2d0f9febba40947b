"""What the rules ask of the log agrees with a slow count in Python, and reads what is new alone."""

import random
import statistics
from collections import defaultdict
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from audit.clock import TOKYO
from audit.events import AuditEvent
from audit.log import Dimension, Filter, Measure
from ingest.gaps.questions import Questions

START = datetime(2026, 10, 5, 12, tzinfo=TOKYO)


def test_the_measures_and_filters_agree_with_a_slow_count(town: Any) -> None:
    chance = random.Random(3)  # noqa: S311 - seeded events
    town.at(START + timedelta(hours=5))
    for _ in range(3):
        town.take(
            *(
                {
                    "time": (at := START + timedelta(seconds=chance.randrange(18_200))).isoformat(),
                    **({"sequence": chance.randrange(4000)} if chance.random() < 0.9 else {}),
                    **({"recorded_at": (at + timedelta(hours=chance.randrange(48))).isoformat()} if n % 3 else {}),
                }
                for n in range(400)
            )
        )
    events = list(town.log.each(Filter()))
    measures = [measure for measure in Measure if measure is not Measure.SUBJECTS]
    groups: dict[int, list[AuditEvent]] = defaultdict(list)
    for event in events:
        if "sequence" in event.columns:
            groups[event.columns["sequence"] // 1024].append(event)
    rows = town.log.aggregate(Filter(first_sequence=0), (Dimension.SEQUENCE_BLOCK,), measures)
    assert {row["sequence_block"] for row in rows} == set(groups)
    for row in rows:
        of_block = groups[row["sequence_block"]]
        numbers = [event.columns["sequence"] for event in of_block]
        delays = [
            (event.received_at - event.columns.get("recorded_at", event.time)).total_seconds() for event in of_block
        ]
        steps = sorted((event.columns["sequence"], event.time) for event in of_block)
        falls = [(a[1] - b[1]).total_seconds() for a, b in pairwise(steps)]
        assert (row["first_sequence"], row["last_sequence"]) == (min(numbers), max(numbers))
        assert (row["events"], row["sequences"]) == (len(numbers), len(set(numbers)))
        assert row["last_received"] == max(event.received_at for event in of_block)
        assert abs(row["delay"] - statistics.median(delays)) <= 1
        assert row["delay_low"] <= row["delay"] <= row["delay_high"]
        assert row["step_back"] == max(0, *falls)
        assert 1 <= row["last_delivery"] <= 3
        assert row["deliveries"] == 3

    def matching(wanted: Filter) -> set[int]:
        return {event.log_index for event in town.log.each(wanted)}

    assert matching(Filter(first_index=700)) == set(range(700, len(events)))
    assert matching(Filter(first_sequence=10, last_sequence=99)) == {
        event.log_index for event in events if 10 <= event.columns.get("sequence", -1) <= 99
    }
    assert matching(Filter(mark="skew")) == {event.log_index for event in events if "skew" in event.marks} != set()
    day = timedelta(days=1)
    assert matching(Filter(recorded_after=day)) == {
        event.log_index for event in events if event.columns.get("recorded_at", event.time) - event.time >= day
    }


def test_a_look_asks_about_what_is_new(town: Any) -> None:
    town.at(START).hear("10-05 11:00", "10-05 11:30")
    assert town.look().events == 2
    assert town.look().events == 0
    town.hear("10-05 11:45")
    assert town.look().events == 1
    ask = Questions(town.log)
    assert ask.news(3) == {}
    assert ask.news(2)["src"].events == 1


def test_our_own_acts_are_no_source(town: Any) -> None:
    town.at(START)
    town.log.record({"time": START.isoformat(), "activity": "heartbeat", "actor": {"kind": "system"}})
    assert town.look().events == 0
    assert town.gaps.healths() == {}
