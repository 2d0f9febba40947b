"""Asking: pages without gaps or repeats, filters and sums that agree with a slow count in Python."""

import base64
import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from audit.clock import TOKYO, tokyo_date
from audit.events import AuditEvent
from audit.log import CursorError, Dimension, Filter, Measure

START = datetime(2026, 10, 2, 14, 0, tzinfo=UTC)  # a Friday evening in Tokyo, so that days and weekdays turn


def doc(n: int) -> bytes:
    event: dict[str, Any] = {
        "event_id": f"e{n:03d}",
        "time": (START + timedelta(minutes=37 * (n // 3), microseconds=n % 3 // 2)).isoformat(),
        "activity": ("view", "search", "print")[n % 3],
        "outcome": ("success", "failure", "")[n % 3],
        "actor": {"id": f"s{n % 5}", "org_unit": f"u{n % 2}"} if n % 7 else {"kind": "system"},
        "terminal": {"id": f"T{n % 4}"},
        "subjects": [f"p{n % 6}", f"p{n % 4}"][: n % 3],
    }
    return json.dumps(event).encode()


def fill(desk: Any) -> Any:
    for number, source in enumerate(("a", "b"), start=1):
        desk.take(desk.delivery(number, source), [(n, doc(n)) for n in range(60)])
    return desk


@pytest.fixture(scope="module")
def full(shared_desk: Any) -> Any:
    return fill(shared_desk)


def walk(log: Any, wanted: Filter, limit: int, *, newest_first: bool) -> list[AuditEvent]:
    found: list[AuditEvent] = []
    cursor = ""
    while True:
        page = log.search(wanted, limit=limit, cursor=cursor, newest_first=newest_first)
        assert len(page.events) <= limit
        found += page.events
        cursor = page.cursor
        if not cursor:
            return found


@pytest.mark.parametrize("limit", [1, 7, 60, 119, 120, 121])
def test_pages_have_no_gaps_and_no_repeats(full: Any, limit: int) -> None:
    wanted = Filter(sources=("a",), end=START + timedelta(hours=2)) if limit == 1 else Filter()
    expected = sorted(full.log.each(wanted), key=lambda e: (e.time, e.log_index))
    assert walk(full.log, wanted, limit, newest_first=False) == expected
    assert walk(full.log, wanted, limit, newest_first=True) == expected[::-1]


def test_a_page_stays_right_while_newer_events_arrive(desk: Any) -> None:
    full = fill(desk)
    first = full.log.search(Filter(), limit=10)
    late = json.dumps({"time": "2026-11-01T00:00:00Z", "activity": "view", "actor": {"id": "x"}}).encode()
    full.take(full.delivery(9), [(1, late)])
    second = full.log.search(Filter(), limit=10, cursor=first.cursor)
    assert first.events[-1].time >= second.events[0].time
    assert not {e.log_index for e in first.events} & {e.log_index for e in second.events}


def forged(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


FORGED = (
    "x", "===", "見守り", "\ud800", "A" * 5000, forged("a"), forged(None), forged([1]), forged([1, 2, 3]),
    forged({"a": 1, "b": 2}), forged([True, 1]), forged([1, False]), forged([1.5, 2]), forged(["1", "2"]),
    forged([2**61, 1]), forged([-(2**61), 1]), forged([1, -1]), forged([1, 2**63]), "WzEs", "W1tbW1tb" * 99,
)  # fmt: skip


@pytest.mark.parametrize("cursor", FORGED, ids=range(len(FORGED)))
def test_a_forged_cursor_is_refused(full: Any, cursor: str) -> None:
    with pytest.raises(CursorError):
        full.log.search(Filter(), cursor=cursor)


@pytest.mark.parametrize("at", [2**56 - 1, -(2**56) + 1, 0])
def test_a_cursor_at_the_edge_is_harmless(full: Any, at: int) -> None:
    for newest_first in (True, False):
        full.log.search(Filter(), cursor=forged([at, 2**63 - 1]), newest_first=newest_first)


FILTERS: list[tuple[Filter, Callable[[AuditEvent], bool]]] = [
    (Filter(), lambda _: True),
    (Filter(sources=("a",)), lambda e: e.source == "a"),
    (Filter(sources=("a", "b")), lambda _: True),
    (Filter(without_source="a"), lambda e: e.source == "b"),
    (Filter(actors=("s1", "s2")), lambda e: e.text("actor_id") in ("s1", "s2")),
    (Filter(subject="p3"), lambda e: "p3" in e.subjects),
    (Filter(activities=("view",)), lambda e: e.activity == "view"),
    (Filter(outcomes=("failure",)), lambda e: e.text("outcome") == "failure"),
    (Filter(org_units=("u1",)), lambda e: e.text("actor_org_unit") == "u1"),
    (Filter(terminals=("T0", "T3")), lambda e: e.text("terminal_id") in ("T0", "T3")),
    (Filter(event_ids=("e001", "e002", "none")), lambda e: e.event_id in ("e001", "e002")),
    (Filter(weekdays=(5,)), lambda e: e.time.astimezone(TOKYO).weekday() == 5),
    (Filter(hours=(0, 23)), lambda e: e.time.astimezone(TOKYO).hour in (0, 23)),
    (Filter(staff_only=True), lambda e: e.text("actor_id") != ""),
    (Filter(start=START, end=START + timedelta(microseconds=1)), lambda e: e.time == START),
    (Filter(start=START + timedelta(microseconds=1)), lambda e: e.time > START),
    (Filter(end=START + timedelta(minutes=37, microseconds=1)), lambda e: e.time <= START + timedelta(minutes=37)),
    (Filter(sources=("b",), subject="p1", activities=("print",)),
     lambda e: e.source == "b" and "p1" in e.subjects and e.activity == "print"),
]  # fmt: skip


def test_every_filter_agrees_with_a_slow_reading(full: Any) -> None:
    everything = list(full.log.each(Filter()))
    assert len(everything) == 120
    for wanted, fits in FILTERS:
        expected = [event for event in everything if fits(event)]
        assert list(full.log.each(wanted)) == expected, wanted
        assert full.log.count(wanted) == len(expected), wanted


DIMENSIONS: dict[Dimension, Callable[[AuditEvent], Any]] = {
    Dimension.ACTIVITY: lambda e: e.activity.value,
    Dimension.ACTOR: lambda e: e.text("actor_id"),
    Dimension.DAY: lambda e: e.time.astimezone(TOKYO).date(),
    Dimension.HOUR: lambda e: e.time.astimezone(TOKYO).hour,
    Dimension.ORG_UNIT: lambda e: e.text("actor_org_unit"),
    Dimension.OUTCOME: lambda e: e.text("outcome"),
    Dimension.QUARTER: lambda e: e.time.astimezone(TOKYO).hour * 4 + e.time.astimezone(TOKYO).minute // 15,
    Dimension.SOURCE: lambda e: e.source,
    Dimension.TERMINAL: lambda e: e.text("terminal_id"),
    Dimension.WEEKDAY: lambda e: e.time.astimezone(TOKYO).weekday(),
}


@pytest.mark.parametrize("dimension", [*DIMENSIONS, Dimension.SUBJECT])
def test_sums_agree_with_a_slow_count(full: Any, dimension: Dimension) -> None:
    events = list(full.log.each(Filter()))
    if dimension is Dimension.SUBJECT:
        expected = Counter(subject for event in events for subject in event.subjects)
    else:
        expected = Counter(map(DIMENSIONS[dimension], events))
    found = full.log.aggregate(Filter(), [dimension])
    assert {row[dimension]: row["events"] for row in found} == expected


def test_every_measure_agrees_with_a_slow_count(full: Any) -> None:
    events = [event for event in full.log.each(Filter()) if event.source == "a"]
    measures = [Measure.ACTORS, Measure.DAYS, Measure.EVENTS, Measure.FIRST, Measure.LAST, Measure.LAST_INDEX]
    found = full.log.aggregate(Filter(sources=("a",)), [], [*measures, Measure.SUBJECTS])
    assert found == [
        {
            "actors": len({event.columns.get("actor_id", "") for event in events}),
            "days": len({tokyo_date(event.time) for event in events}),
            "events": len(events),
            "first": min(event.time for event in events),
            "last": max(event.time for event in events),
            "last_index": max(event.log_index for event in events),
            "subjects": len({subject for event in events for subject in event.subjects}),
        }
    ]


def test_columns_come_in_the_order_of_time(full: Any) -> None:
    rows = list(full.log.columns(Filter(sources=("b",)), ["event_id", "time", "subjects"]))
    events = list(full.log.each(Filter(sources=("b",))))
    assert [row["event_id"] for row in rows] == [event.event_id for event in events]
    assert [tuple(row["subjects"]) for row in rows] == [event.subjects for event in events]


def test_only_our_own_columns_can_be_asked_for(full: Any) -> None:
    with pytest.raises(ValueError, match="no such columns"):
        list(full.log.columns(Filter(), ["event_id", "version()"]))


def test_a_limit_is_kept_within_bounds(full: Any) -> None:
    assert len(full.log.search(Filter(), limit=0).events) == 1
    assert len(full.log.search(Filter(), limit=10**9).events) == 120
