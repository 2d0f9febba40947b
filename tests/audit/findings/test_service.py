"""Findings are kept once: run again, withdrawn, found again, and read page by page."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.clock import FixedClock
from audit.findings import DetectorRun, Draft, FindingFilter, FindingService, FindingStatus, Severity
from audit.store.state import StateStore
from audit.texts import Texts

DAY = datetime(2026, 10, 4, 15, tzinfo=UTC)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[FindingService]:
    state = StateStore(f"sqlite:///{tmp_path / 'state.sqlite'}")
    state.create_tables()
    yield FindingService(state, FixedClock(datetime(2026, 12, 1, tzinfo=UTC)))
    state.close()


def run(days: int = 0, version: str = "1.0.0") -> DetectorRun:
    start = DAY + timedelta(days=days)
    return DetectorRun("d", version, "p", start, start + timedelta(days=1), 0, 10, 9)


def draft(entity: str, score: float = 0.5) -> Draft:
    texts = Texts("題", "title")
    return Draft(entity, Severity.LOW, score, (entity,), (), "src", texts, (texts,), ("src:e",), 0, 0, 1)


def test_the_same_run_twice_changes_nothing(service: FindingService) -> None:
    first = service.record(run(), [draft("a"), draft("b")])
    before = service.listing(FindingFilter())
    again = service.record(run(), [draft("b"), draft("a")])
    assert (first.new, again.new, again.known, again.withdrawn) == (2, 0, 2, 0)
    assert service.listing(FindingFilter()) == before


def test_what_is_no_longer_found_is_withdrawn_and_may_return(service: FindingService) -> None:
    service.record(run(), [draft("a"), draft("b")])
    assert service.record(run(), [draft("a")]).withdrawn == 1
    assert [finding.actors for finding in service.listing(FindingFilter())] == [("a",)]
    (gone,) = service.listing(FindingFilter(status=FindingStatus.WITHDRAWN))
    assert gone.actors == ("b",)
    assert service.record(run(), [draft("a"), draft("b")]).new == 0
    assert len(service.listing(FindingFilter())) == 2


def test_another_window_or_major_version_is_another_finding(service: FindingService) -> None:
    service.record(run(), [draft("a")])
    assert service.record(run(days=1), [draft("a")]).new == 1
    assert service.record(run(version="1.4.2"), [draft("a")]).new == 0
    assert service.record(run(version="2.0.0"), [draft("a")]).new == 1


def test_the_last_evaluation_is_known(service: FindingService) -> None:
    service.record(run(), [])
    last = service.last_runs("d")[DAY]
    assert (last.version, last.events, last.high_water) == ("1.0.0", 10, 9)
    assert service.last_look("d") is None
    service.looked(["d"])
    assert service.last_look("d") == datetime(2026, 12, 1, tzinfo=UTC)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scores=st.lists(st.sampled_from([0.25, 0.5, 0.75]), min_size=1, max_size=12), size=st.integers(1, 5))
def test_pages_hold_everything_once_in_order(service: FindingService, scores: list[float], size: int) -> None:
    for day in range(3):
        service.record(run(days=day), [draft(f"a{n}", score) for n, score in enumerate(scores)])
    everything = service.listing(FindingFilter())
    assert [(-f.start.timestamp(), -f.score, f.id) for f in everything] == sorted(
        (-f.start.timestamp(), -f.score, f.id) for f in everything
    )
    seen, after = [], ""
    while page := service.listing(FindingFilter(), limit=size, after=after):
        seen += page
        after = page[-1].id
    assert seen == everything
    assert len(everything) == 3 * len(scores)


def test_going_on_behind_nothing_is_said(service: FindingService) -> None:
    with pytest.raises(LookupError):
        service.listing(FindingFilter(), after="f-unknown")


def test_findings_are_counted_by_detector_and_window_without_those_that_no_longer_stand(
    service: FindingService,
) -> None:
    service.record(run(), [draft("a"), draft("b"), draft("c")])
    service.record(run(), [draft("a"), draft("b")])
    service.record(run(days=1), [draft("a")])
    service.record(replace(run(), detector="e"), [draft("a")])
    day = timedelta(days=1)
    assert service.count_by_detector(FindingFilter()) == [("d", DAY, 2), ("d", DAY + day, 1), ("e", DAY, 1)]
    assert service.count_by_detector(FindingFilter(start=DAY + day, detector="d")) == [("d", DAY + day, 1)]
