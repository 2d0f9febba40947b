"""A lease is one node's; whoever was silent for a term has lost it, and every unit of work finds that out."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from audit.clock import FixedClock
from audit.leases import ClockReadings, FencedError, LeaseService
from audit.store.state import StateStore

TERM = timedelta(minutes=10)
NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)


@dataclass
class Ticking:
    """Seconds of a clock that nobody sets."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def elapsed() -> Ticking:
    return Ticking()


def keep(state: StateStore, service: LeaseService, lease: object) -> None:
    with state.unit() as unit:
        service.guard(lease)(unit)  # type: ignore[arg-type]  # None fails the test as it should


def test_a_lease_is_one_node_s_until_it_gives_it_back(state: StateStore, elapsed: Ticking) -> None:
    a, b = (LeaseService(state, name, TERM, elapsed) for name in "ab")
    held = a.take("detect")
    assert held is not None
    assert b.take("detect") is None
    a.release(held)
    taken = b.take("detect")
    assert taken is not None
    assert taken.token == held.token + 1
    with pytest.raises(FencedError):
        keep(state, a, held)
    keep(state, b, taken)


def test_names_do_not_mind_each_other(state: StateStore, elapsed: Ticking) -> None:
    a, b = (LeaseService(state, name, TERM, elapsed) for name in "ab")
    assert a.take("detect") is not None
    assert b.take("canaries") is not None


def test_C3_who_is_silent_for_a_term_has_lost_it_and_who_is_at_work_has_not(
    state: StateStore, elapsed: Ticking
) -> None:
    a, b = (LeaseService(state, name, TERM, elapsed) for name in "ab")
    held = a.take("detect")
    for _ in range(8):
        assert b.take("detect") is None
        elapsed.now += TERM.total_seconds() / 2
        a.renew(held)  # type: ignore[arg-type]
    assert b.take("detect") is None
    elapsed.now += TERM.total_seconds() - 1
    assert b.take("detect") is None
    elapsed.now += 1
    taken = b.take("detect")
    assert taken is not None
    for late in (lambda: keep(state, a, held), lambda: a.renew(held)):  # type: ignore[arg-type]
        with pytest.raises(FencedError):
            late()
    a.release(held)  # type: ignore[arg-type]
    keep(state, b, taken)


def test_who_has_just_begun_to_watch_knows_nothing_of_silence(state: StateStore, elapsed: Ticking) -> None:
    a, b = (LeaseService(state, name, TERM, elapsed) for name in "ab")
    assert a.take("detect") is not None
    elapsed.now += 100 * TERM.total_seconds()
    assert b.take("detect") is None


def test_a_node_that_starts_again_takes_back_what_it_held(state: StateStore, elapsed: Ticking) -> None:
    held = LeaseService(state, "a", TERM, elapsed).take("detect")
    again = LeaseService(state, "a", TERM, elapsed)
    taken = again.take("detect")
    assert held is not None
    assert taken is not None
    assert taken.token > held.token
    with pytest.raises(FencedError):
        keep(state, again, held)


def test_C2_of_many_at_once_one_takes_it(url: str, elapsed: Ticking) -> None:
    states = [StateStore(url) for _ in range(4)]
    services = [LeaseService(state, f"n{number}", TERM, elapsed) for number, state in enumerate(states)]
    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda service: service.take("detect"), services))
    assert sum(lease is not None for lease in taken) == 1
    for state in states:
        state.close()


def test_C3_a_take_over_waits_for_what_is_being_kept_and_then_finds_the_holder_at_work(
    url: str, state: StateStore, elapsed: Ticking
) -> None:
    other = StateStore(url)
    a, b = LeaseService(state, "a", TERM, elapsed), LeaseService(other, "b", TERM, elapsed)
    held = a.take("detect")
    assert held is not None
    assert b.take("detect") is None
    elapsed.now += TERM.total_seconds()
    with ThreadPoolExecutor(1) as pool:
        with state.unit() as unit:
            a.guard(held)(unit)
            taken = pool.submit(b.take, "detect")
        assert taken.result() is None, "it was watched for a term, but was at work in the end"
    keep(state, a, held)
    other.close()


def readings(state: StateStore, clock: FixedClock, elapsed: Ticking) -> ClockReadings:
    return ClockReadings(state, "a", clock, elapsed)


@pytest.mark.parametrize("minutes", [-60 * 24, -3, 3, 60 * 24])
def test_C4_a_clock_that_is_set_is_told_of(state: StateStore, elapsed: Ticking, minutes: int) -> None:
    clock = FixedClock(NOW)
    clocks = readings(state, clock, elapsed)
    assert clocks.look() is None
    clock.advance(timedelta(minutes=1 + minutes))
    elapsed.now += 60
    step = clocks.look()
    assert step is not None
    assert (step.before, step.by) == (NOW, timedelta(minutes=minutes))
    clocks.keep()
    clock.advance(timedelta(minutes=1))
    elapsed.now += 60
    assert clocks.look() is None, "once"


def test_C4_what_a_time_server_puts_right_and_a_night_s_sleep_are_no_step(state: StateStore, elapsed: Ticking) -> None:
    clock = FixedClock(NOW)
    clocks = readings(state, clock, elapsed)
    clocks.look()
    for minutes, seconds in ((1, 60 + 90), (1, 60 - 90), (600, 600 * 60)):
        clock.advance(timedelta(minutes=minutes))
        elapsed.now += seconds
        assert clocks.look() is None


def test_C4_a_restart_hides_no_step_back(state: StateStore, elapsed: Ticking) -> None:
    clock = FixedClock(NOW)
    readings(state, clock, elapsed).look()
    clock.advance(timedelta(days=30))
    assert readings(state, clock, elapsed).look() is None  # how long nothing ran nobody knows
    clock.advance(timedelta(hours=-5))
    step = readings(state, clock, elapsed).look()
    assert step is not None
    assert step.by == timedelta(hours=-5)


@pytest.mark.parametrize("restarted", [False, True])
def test_C4_a_step_is_told_until_it_was_kept(state: StateStore, elapsed: Ticking, restarted: bool) -> None:
    clock = FixedClock(NOW)
    clocks = readings(state, clock, elapsed)
    clocks.look()
    clock.advance(timedelta(hours=-5))
    first = clocks.look()
    assert first is not None
    if restarted:
        clocks = readings(state, clock, elapsed)
    again = clocks.look()
    assert again == first
    clocks.keep()
    assert clocks.look() is None
