"""A source's clock ahead, behind, moved and repaired; impossible times; events written long after they happened."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from audit.clock import TOKYO
from audit.findings import Severity
from audit.log import Filter
from ingest.gaps.clocks import ClockHour, follow

CLOCK, BACKDATING = "source-clock", "source-backdating"
NOON = datetime(2026, 10, 5, 12, tzinfo=TOKYO)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def stream(town: Any, start: datetime, offset: timedelta, batches: int = 5, size: int = 5) -> None:
    """Deliveries every few minutes of an hour, each event sent seconds after it happened by a clock that is off."""
    for number in range(batches):
        at = start + (5 + number * 7) * MINUTE
        town.at(at)
        events = [at - timedelta(seconds=size - n) + offset for n in range(size)]
        town.take(*({"time": time.isoformat()} for time in events))


def test_T6_times_within_tolerance_are_kept_and_marked_and_all_others_are_refused(town: Any) -> None:
    town.at(NOON)
    kept = [NOON + 4 * MINUTE, NOON - 5 * MINUTE, NOON + timedelta(minutes=5), NOON + timedelta(seconds=59)]
    refused = ["1970-01-01T00:00:00Z", "2099-01-01T00:00:00Z", (NOON + 6 * MINUTE).isoformat()]
    faulty = ["2026-10-05T12:00:00", "2026-10-05T11:59:60+09:00", "2026-10-05T24:00:00+09:00"]
    sums = town.take(*({"time": time} for time in [*(at.isoformat() for at in kept), *refused, *faulty]))
    assert (sums.stored, sums.quarantined) == (4, 6)
    stored = {event.time: event.marks for event in town.log.each(Filter())}
    assert stored == {kept[0]: ("skew",), kept[1]: (), kept[2]: ("skew",), kept[3]: ()}  # never re-timed
    assert town.look().opened == 1
    (found,) = town.found(CLOCK)
    assert (found.source, found.actors, found.severity) == ("src", (), Severity.MEDIUM)
    assert "ahead" in found.title.en
    assert "2 in an hour, by 4 minutes" in found.reasons[0].en or "by 5 minutes" in found.reasons[0].en
    assert "3 records with impossible times" in found.reasons[1].en  # a wrong form says nothing of a clock
    assert len(found.evidence) == 2


def test_a_clock_that_is_ahead_and_repaired(town: Any) -> None:
    stream(town, NOON, 3 * MINUTE, 2)
    assert town.look().opened == 1
    stream(town, NOON + HOUR, 3 * MINUTE, 1)
    assert town.look().opened == 0
    stream(town, NOON + 2 * HOUR, timedelta(0), 1)
    assert town.look().filled == 1
    stream(town, NOON + 3 * HOUR, timedelta(0), 1)
    assert town.look().opened == 0
    (found,) = town.found(CLOCK)
    assert (found.status, found.start) == ("filled", NOON)
    assert found.end >= NOON + 2 * HOUR
    assert "agree with their receipt" in found.reasons[-1].en
    stream(town, NOON + 5 * HOUR, 2 * MINUTE, 1)
    assert town.look().opened == 1  # moved again: another finding
    assert [one.status for one in town.found(CLOCK)] == ["filled", "open"]


def test_C4_a_clock_that_was_moved_back(town: Any) -> None:
    stream(town, NOON, timedelta(0), 1)
    assert town.look().opened == 0
    stream(town, NOON + HOUR + 10 * MINUTE, -10 * MINUTE)
    assert town.look().opened == 1
    (found,) = town.found(CLOCK)
    assert "behind" in found.title.en
    assert "about 10 minutes" in found.reasons[0].en
    stream(town, NOON + 4 * HOUR, timedelta(0), 1)
    assert town.look().filled == 1


def test_a_backlog_a_file_and_a_slow_shipper_are_no_wrong_clock(town: Any) -> None:
    town.at(NOON + 3 * HOUR)
    for number in range(6):  # a backlog after an outage, in parts
        start = NOON + number * 7 * MINUTE
        town.take(*({"time": (start + n * MINUTE).isoformat()} for n in range(7)), source="backlog")
    town.take(*({"time": (NOON + timedelta(seconds=n)).isoformat()} for n in range(60)), source="file")
    for number in range(5):  # every five minutes what has happened since
        at = NOON + 3 * HOUR + number * 5 * MINUTE
        town.at(at).take(*({"time": (at - timedelta(seconds=30 * n)).isoformat()} for n in range(10)), source="slow")
    assert town.look().opened == 0


def test_refused_records_alone_open_a_finding(town: Any) -> None:
    town.at(NOON).take({"time": "2099-01-01T00:00:00Z"}, b"{broken", {"time": "2026-10-05T12:00:00"})
    assert town.look().opened == 1
    town.at(NOON + MINUTE).take({"time": "1970-01-01T00:00:00Z"})
    assert town.look().opened == 0
    (found,) = town.found(CLOCK)
    assert "2 records with impossible times" in found.reasons[0].en
    assert found.evidence == ()


def test_an_episode_ends_after_a_day_for_a_source_that_is_never_prompt() -> None:
    def hour(hours: float, **said: Any) -> ClockHour:
        return ClockHour(NOON + hours * HOUR, **{"events": 10, "delay": 9000.0, **said})

    verdict = follow(None, [hour(0, ahead=2), hour(1), hour(20)])
    assert verdict.open is not None
    verdict = follow(verdict.open, [hour(25)])
    assert (verdict.open, [one.end for one in verdict.ended]) == (None, [NOON + HOUR])


@pytest.mark.parametrize(
    ("kind", "days", "told"), [("core", 2, 1), ("core", 0.5, 0), ("ledger", 2, 0), ("ledger", 9, 1)]
)
def test_events_recorded_long_after_their_time(town: Any, kind: str, days: float, told: int) -> None:
    town.source("src", kind=kind)
    recorded = NOON + days * DAY
    events = [
        {"time": (NOON + n * MINUTE).isoformat(), "recorded_at": (recorded + n * MINUTE).isoformat()} for n in range(3)
    ]
    town.at(recorded + HOUR).take(*events)
    assert town.look().opened == told
    for found in town.found(BACKDATING):
        assert found.evidence_total == 3
        assert "3 events dated 5 October 2026" in found.reasons[0].en
        town.take({"time": (NOON + HOUR).isoformat(), "recorded_at": (recorded + HOUR).isoformat()})
        assert town.look().opened == 0
        assert town.found(BACKDATING)[0].evidence_total == 4


def test_late_delivery_alone_is_no_backdating(town: Any) -> None:
    town.at(NOON + 5 * DAY).take(
        {"time": NOON.isoformat(), "recorded_at": NOON.isoformat()}, {"time": NOON.isoformat()}
    )
    assert town.look().opened == 0


def test_an_event_whose_number_is_newer_than_its_time(town: Any) -> None:
    town.source("src", sequence=True)
    town.at(NOON + 4 * DAY).number(range(1, 2001), NOON, step=60)
    town.look()
    town.number(range(2001, 2011), NOON + 2 * DAY, step=60)
    town.take(
        {"time": (NOON + HOUR + timedelta(seconds=7)).isoformat(), "sequence": 2011, "event_id": "forged"},
        {"time": (NOON + 2 * DAY + HOUR).isoformat(), "sequence": 2012},
    )
    assert town.look().opened == 1
    (found,) = town.found(BACKDATING)
    assert found.severity is Severity.HIGH
    assert found.evidence == ("src:forged",)
    assert town.found("source-sequence") == []
    town.take({"time": (NOON + HOUR + timedelta(seconds=9)).isoformat(), "sequence": 2013, "event_id": "forged-2"})
    assert town.look().opened == 0
    (found,) = town.found(BACKDATING)
    assert (found.evidence, found.evidence_total) == (("src:forged", "src:forged-2"), 2)
