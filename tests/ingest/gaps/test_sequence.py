"""Missing numbers: opened after a grace, followed, filled; restarts, full counters and late parts are no gaps."""

import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.clock import TOKYO
from audit.findings import Severity
from ingest.gaps import SourceState
from ingest.gaps.sequence import Island, Missing, Run, clusters, merged, place, run_at, without

SEQUENCE = "source-sequence"
NOON = datetime(2026, 10, 5, 12, tzinfo=TOKYO)
MINUTE = timedelta(minutes=1)


def numbers_of(finding: Any) -> str:
    """What is missing, in its own words."""
    return str(finding.reasons[0].en)


def test_T5_a_sequence_gap_opens_after_grace_and_is_closed_when_filled(town: Any) -> None:
    town.source("src", sequence=True)
    town.at(NOON + MINUTE).number([1, 2, 3, 7, 8], NOON, step=10)
    assert town.look().opened == 0  # 4 to 6 may be on their way
    town.at(NOON + 10 * MINUTE).number([9], NOON + 10 * MINUTE)
    assert town.look().opened == 0
    town.at(NOON + 16 * MINUTE).number([10], NOON + 16 * MINUTE)
    assert town.look().opened == 1
    (found,) = town.found(SEQUENCE)
    assert (found.status, found.severity, found.actors, found.source) == ("open", Severity.HIGH, (), "src")
    assert (found.start, found.end) == (NOON + timedelta(seconds=20), NOON + timedelta(seconds=30))
    assert "4–6 (3)" in numbers_of(found)
    assert "通番 3 件の欠け" in found.title.ja
    assert [event.columns["sequence"] for event in evidence(town, found)] == [3, 7]
    assert town.gaps.health("src").state is SourceState.GAP
    town.number([5], NOON + timedelta(seconds=25), name="part")
    town.look()
    (partly,) = town.found(SEQUENCE)
    assert (partly.id, partly.status) == (found.id, "open")
    assert "4, 6 (2)" in numbers_of(partly)
    assert "1 of 3 have arrived" in partly.reasons[-1].en
    town.number([4, 6], NOON + timedelta(seconds=22), name="rest")
    assert town.look().filled == 1
    (filled,) = town.found(SEQUENCE)
    assert (filled.id, filled.status, filled.settled_by) == (found.id, "filled", "5 rest")
    assert town.gaps.health("src").state is SourceState.OK


def evidence(town: Any, finding: Any) -> list[Any]:
    return [town.log.find(*ref.split(":", 1)) for ref in finding.evidence]


def test_a_gap_opens_when_nothing_more_comes(town: Any) -> None:
    town.source("src", sequence=True)
    town.at(NOON + MINUTE).number([1, 3], NOON)
    assert town.at(NOON + 15 * MINUTE).look().opened == 0
    assert town.at(NOON + 16 * MINUTE).look().opened == 1


def test_numbers_out_of_order_and_late_within_the_grace_open_nothing(town: Any) -> None:
    town.source("src", sequence=True)
    numbers = list(range(1, 3000))
    start = NOON
    late = numbers[500:700] + numbers[1500:1501]
    shuffled = [n for n in numbers if n not in set(late)]
    random.Random(7).shuffle(shuffled)  # noqa: S311 - a seeded order
    town.at(NOON + 60 * MINUTE)
    for part in (shuffled[:1000], shuffled[1000:], late):
        town.take(*({"time": (start + n * timedelta(seconds=0.25)).isoformat(), "sequence": n} for n in part))
        town.look()
    assert town.at(NOON + 600 * MINUTE).look().opened == 0
    assert town.found() == []
    (run,) = town.announcements.memories()["src"]["runs"]
    assert [(island["first"], island["last"]) for island in run["islands"]] == [(1, 2999)]


def test_joined_in_the_middle_nothing_before_is_missing(town: Any) -> None:
    town.source("src", sequence=True)
    town.at(NOON).number(range(88_123, 88_140), NOON - MINUTE)
    assert town.at(NOON + 60 * MINUTE).look().opened == 0
    town.number(range(88_000, 88_100), NOON - 60 * MINUTE)  # then older ones come: what lies between is missing
    assert town.at(NOON + 120 * MINUTE).look().opened == 1
    assert "88100–88122 (23)" in numbers_of(town.found(SEQUENCE)[0])


@pytest.mark.parametrize("first", [0, 1])
def test_a_restart_is_no_gap_and_each_run_has_its_own(town: Any, first: int) -> None:
    town.source("src", sequence=True)
    runs = [list(range(400, 500)), list(range(first, 300)), [*range(first, 50), *range(53, 80)]]
    town.at(NOON + 600 * MINUTE)
    for place_, run in enumerate(runs):
        town.number(run, NOON + place_ * 60 * MINUTE)
        town.look()
    assert town.at(NOON + 660 * MINUTE).look().opened == 1
    (found,) = town.found(SEQUENCE)
    assert "50–52 (3)" in numbers_of(found)
    assert found.start == NOON + 120 * MINUTE + timedelta(seconds=49 - first)
    town.number([50, 51, 52], NOON + 120 * MINUTE + timedelta(seconds=49 - first, milliseconds=100), step=0.1)
    assert town.look().filled == 1


def test_restarts_in_one_delivery_and_the_late_end_of_the_run_before(town: Any) -> None:
    town.source("src", sequence=True)
    town.at(NOON + 600 * MINUTE)
    first = [(n, NOON + n * timedelta(seconds=1)) for n in range(1, 101)]
    second = [(n, NOON + 60 * MINUTE + n * timedelta(seconds=1)) for n in range(1, 41)]
    third = [(n, NOON + 120 * MINUTE + n * timedelta(seconds=1)) for n in range(1, 11)]
    for part in (first[:90] + second + third, first[90:]):
        town.take(*({"time": at.isoformat(), "sequence": n} for n, at in part))
        assert town.look().opened == 0
    assert town.at(NOON + 700 * MINUTE).look().opened == 0
    assert len(town.announcements.memories()["src"]["runs"]) == 3


def test_a_restart_that_is_heard_of_late(town: Any) -> None:
    """The first events of the new run come after its later ones, which were taken for the old run's."""
    town.source("src", sequence=True)
    town.at(NOON + 300 * MINUTE).number(range(1, 501), NOON)
    town.look()
    town.number(range(51, 81), NOON + 61 * MINUTE)
    town.look()
    town.number(range(1, 51), NOON + 60 * MINUTE)
    town.look()
    town.number(range(81, 90), NOON + 62 * MINUTE)
    assert town.at(NOON + 400 * MINUTE).look().opened == 0
    assert town.found() == []


def test_a_full_counter_goes_on_from_zero(town: Any) -> None:
    town.source("src", sequence=True)
    town.source("cut", sequence=True)
    town.at(NOON + 60 * MINUTE)
    town.number([*range(65_500, 65_536), *range(50)], NOON)
    town.number([*range(65_500, 65_530), *range(50)], NOON, source="cut")
    assert town.at(NOON + 75 * MINUTE).look().opened == 1
    (found,) = town.found(SEQUENCE)
    assert found.source == "cut"
    assert "65530–65535 (6)" in numbers_of(found)


def test_numbers_that_jitter_at_a_restart(town: Any) -> None:
    town.source("src", sequence=True)
    town.at(NOON + 60 * MINUTE).number(range(1, 101), NOON)
    start = NOON + 10 * MINUTE
    moments = {2: start, 1: start + timedelta(milliseconds=3), 3: start + timedelta(milliseconds=5)}
    town.take(*({"time": at.isoformat(), "sequence": n} for n, at in moments.items()))
    town.number(range(4, 30), start + timedelta(seconds=1))
    assert town.look().opened == 0
    assert town.at(NOON + 120 * MINUTE).look().opened == 0


def test_a_missing_one_that_comes_late_is_no_restart(town: Any) -> None:
    town.source("src", sequence=True)
    town.at(NOON + 60 * MINUTE).number([0, 2, 3], NOON, step=1200)
    assert town.look().opened == 1
    town.number([1], NOON + 5 * MINUTE)
    assert town.look().filled == 1
    assert len(town.announcements.memories()["src"]["runs"]) == 1


def test_many_losses_are_few_findings_and_ranges_are_named(town: Any) -> None:
    town.source("src", sequence=True)
    numbers = [n for n in range(1, 6000) if n % 3 or n > 3000] + [n + 400_000 for n in range(10)]
    town.at(NOON + 600 * MINUTE).number(numbers, NOON)
    assert town.at(NOON + 620 * MINUTE).look().opened == 2
    small, large = sorted(town.found(SEQUENCE), key=lambda finding: finding.start)
    assert "1000 sequence numbers" in small.title.en
    assert "and 980 more ranges (1000)" in numbers_of(small)
    assert "6000–399999 (394000)" not in numbers_of(small)
    assert "6000–400000" not in numbers_of(large)
    assert "6000–399999 (394000)" in numbers_of(large)


def test_numbers_that_do_not_count_are_said_not_to(town: Any) -> None:
    town.source("src", sequence=True)
    town.at(NOON + 60 * MINUTE).number([0] * 300, NOON)
    assert town.look().opened == 1
    assert "do not grow" in town.found(SEQUENCE)[0].title.en
    assert town.found(SEQUENCE)[0].severity is Severity.LOW


def test_a_source_without_a_sequence_has_no_gap(town: Any) -> None:
    town.source("src", sequence=False)
    town.at(NOON + 60 * MINUTE).number([1, 5, 9], NOON)
    assert town.look().opened == 0


def test_two_sources_do_not_share_numbers(town: Any) -> None:
    for source in ("a", "b"):
        town.source(source, sequence=True)
    town.at(NOON + 60 * MINUTE).number([1, 2, 4], NOON, source="a")
    town.number([3], NOON, source="b")
    assert town.at(NOON + 75 * MINUTE).look().opened == 1
    assert town.found(SEQUENCE)[0].source == "a"


# The rules alone ----------------------------------------------------------------------------------------------


def island(first: int, last: int) -> Island:
    return Island(first, last, NOON + first * MINUTE, NOON + last * MINUTE)


@settings(max_examples=200, deadline=None)
@given(st.sets(st.integers(0, 60), min_size=1), st.randoms(use_true_random=False))
def test_islands_are_what_has_arrived_in_any_order(present: set[int], chance: random.Random) -> None:
    order = sorted(present)
    chance.shuffle(order)
    islands: list[Island] = []
    for number in order:
        islands = merged([*islands, island(number, number)])
    run = Run(None, islands)
    missing = {n for one in run.missing for n in range(one.first, one.last + 1)}
    assert missing == set(range(min(present), max(present))) - present
    assert {n for low, high in run.arrived for n in range(low, high + 1)} == present
    assert all(one.after < one.before for one in run.missing)
    left = without([(0, 60)], run.arrived)
    assert {n for low, high in left for n in range(low, high + 1)} == set(range(61)) - present


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 40), st.integers(2, 120)), min_size=1, max_size=6), st.integers(0, 1))
def test_every_restart_is_found_and_nothing_else(runs: list[tuple[int, int]], first: int) -> None:
    """Runs one after another, each event a restart if it is a 0 or 1 without a place."""
    at, found = NOON, [Run(None)]
    for length, pause in runs:
        for number in range(first, first + length):
            if number <= 1:
                place(found, number, at)
            run = run_at(found, at)
            assert run is not None
            run.islands = merged([*run.islands, Island(number, number, at, at)])
            at += timedelta(seconds=10)
        at += pause * MINUTE
    assert len(found) == len(runs)
    assert [run.islands[-1].last for run in found] == [first + length - 1 for length, _ in runs]
    assert all(run.missing == [] for run in found)


def test_clusters_are_never_more_than_asked_for() -> None:
    missing = [Missing(n * 1000, n * 1000 + 1, NOON, NOON) for n in range(1, 300)]
    assert len(clusters(missing[:20], 20)) == 20
    parts = clusters(missing, 20)
    assert len(parts) <= 20
    assert [one for part in parts for one in part] == missing
    assert clusters([], 20) == []
