"""What the detector that learns promises beside the contract: its model, its explanation, what it learns from."""

import math
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from audit.clock import FixedClock
from audit.findings import DetectorRun, Draft, FindingService
from detectors.learned.unusual_day import model as learning
from detectors.learned.unusual_day.baseline import Baseline
from detectors.learned.unusual_day.detector import DETECTOR, anchor_of
from detectors.learned.unusual_day.features import COUNTED, FEATURES, PersonDays
from detectors.learned.unusual_day.model import MissingLibraryError, Model, fit
from detectors.learned.unusual_day.tails import Tail
from detectors.model import Case, Window
from detectors.reader import LogReader, Memory
from detectors.windows.stories import looks_at

Town = Any
MakeTown = Callable[[Iterable[Mapping[str, Any]], Mapping[str, str]], Town]
CASES = {case.name: case for case in DETECTOR.cases}
SMALL_THINGS = CASES["three strangers, found by name and printed"]
DAY = SMALL_THINGS.day
ANCHOR = anchor_of(DAY)
CLOCK = FixedClock(datetime(2026, 12, 1, tzinfo=UTC))


def named(case: Case) -> list[dict[str, Any]]:
    return [{"event_id": f"e{number:05d}", **event} for number, event in enumerate(case.events)]


def judge(told: Town, reader: LogReader) -> list[Draft]:
    told.match()
    return list(DETECTOR.detect(Window.of_day(DAY), reader, DETECTOR.parameters))


def reader_of(told: Town, memory: Memory | None = None, findings: FindingService | None = None) -> LogReader:
    return replace(told.reader(DETECTOR, DAY).reader, memory=memory or Memory(), findings=findings)


def learned_from(drafts: list[Draft]) -> str:
    return drafts[0].reasons[-1].en


# The explanation ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [case.name for case in DETECTOR.cases if case.expect])
def test_the_contributions_sum_to_the_score(name: str, town: MakeTown) -> None:
    (draft,) = town(named(CASES[name]), CASES[name].feeds).judge(DETECTOR, DAY)
    *parts, (_, whole) = draft.baseline
    assert math.fsum(value for _, value in parts) == whole == draft.score
    assert all(value > 0 for _, value in parts)
    labels = [feature.text for feature in COUNTED]
    assert all(label in labels for label, _ in parts)


def test_the_score_does_not_depend_on_who_else_is_judged_that_day(town: MakeTown) -> None:
    case = CASES["four strangers in the evening, in a system never used before"]
    (together,) = town(named(case), case.feeds).judge(DETECTOR, DAY)
    without_others = [
        event
        for event in named(case)
        if event["actor"]["id"] == "s1" or datetime.fromisoformat(event["time"]).date() != DAY
    ]
    (alone,) = town(without_others, case.feeds).judge(DETECTOR, DAY)
    assert (alone.score, alone.baseline, alone.reasons) == (together.score, together.baseline, together.reasons)


# What it is learned from ----------------------------------------------------------------------------------


def test_it_is_learned_again_only_when_what_it_is_made_of_has_changed(
    town: MakeTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits = list[date]()

    def counted(days: PersonDays, suspected: frozenset[tuple[date, str]], anchor: date, seed: int) -> Model:
        fits.append(anchor)
        return fit(days, suspected, anchor, seed)

    monkeypatch.setattr("detectors.learned.unusual_day.detector.fit", counted)
    told, memory = town(named(SMALL_THINGS), SMALL_THINGS.feeds), Memory()
    first = judge(told, reader_of(told, memory))
    assert judge(told, reader_of(told, memory)) == first
    assert fits == [ANCHOR]
    late = [{"event_id": "late", **next(looks_at(ANCHOR - timedelta(days=3), "s1", ["x-late"]))}]
    told.take_in(late, {})
    again = judge(told, reader_of(told, memory))
    assert len(fits) == 2
    assert learned_from(again) != learned_from(first)
    assert judge(told, replace(reader_of(told, memory), revision=7)) == again
    assert len(fits) == 3, "other feeds may account for other look-ups"


def test_days_with_open_findings_of_others_are_left_out(town: MakeTown) -> None:
    told = town(named(SMALL_THINGS), SMALL_THINGS.feeds)
    (without,) = judge(told, reader_of(told))
    findings = FindingService(told.state, CLOCK)

    def found(detector: str, day: date) -> None:
        window = Window.of_day(day)
        run = DetectorRun(detector, "1.0.0", "", window.start, window.end, 0, 1, 1)
        findings.record(run, [replace(without, actors=("s2",), entity="s2")])

    found("own-record", ANCHOR - timedelta(days=3))
    (one_less,) = judge(told, reader_of(told, findings=findings))
    assert "learned from 59 person-days" in learned_from([one_less])
    assert "; 1 with open findings" in learned_from([one_less])
    found(DETECTOR.meta.id, ANCHOR - timedelta(days=4))
    found("own-record", ANCHOR)
    assert judge(told, reader_of(told, findings=findings)) == [one_less], "its own, and what came after the anchor"


def person_days(rows: np.ndarray[Any, Any], actors: int = 10) -> PersonDays:
    keys = tuple((date(2026, 10, 1) + timedelta(days=n // actors), f"s{n % actors:02d}") for n in range(len(rows)))
    return PersonDays(keys, tuple("zeimu" for _ in keys), rows)


def random_days(number: int = 400) -> PersonDays:
    drawn = np.random.default_rng(7).poisson(1.0, (number, len(FEATURES)))
    return person_days(np.log1p(drawn))


def test_the_same_days_and_seed_give_the_same_model_and_another_seed_another_name() -> None:
    days = random_days()
    one, two, other = (fit(days, (), ANCHOR, seed) for seed in (1, 1, 2))
    assert one.fingerprint == two.fingerprint != other.fingerprint
    assert one.total.values.tobytes() == two.total.values.tobytes()


def test_of_many_days_some_are_drawn_by_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "_MOST_ROWS", 100)
    one, two, other = (fit(random_days(), (), ANCHOR, seed) for seed in (1, 1, 2))
    assert one.total.of == 100
    assert one.slopes.tobytes() == two.slopes.tobytes() != other.slopes.tobytes()


def test_to_the_last_bit_a_day_is_judged_the_same_alone_and_among_many() -> None:
    days = random_days()
    known = fit(days, (), ANCHOR, 1)
    actors = [actor for _, actor in days.keys]
    off = known.off(actors, days.units, days.values)
    together = known.surprises(days.values, off)
    for place in (0, 17, 399):
        row = days.values[place : place + 1]
        alone = known.off(actors[place : place + 1], ["zeimu"], row)
        assert alone.tobytes() == off[place].tobytes()
        assert known.surprises(row, alone) == [together[place]]


def test_a_share_of_ordinary_days_is_as_surprising_as_the_chance_says() -> None:
    drawn = np.log1p(np.random.default_rng(11).poisson(1.0, (8000, len(FEATURES))))
    known, fresh = fit(person_days(drawn[:4000]), (), ANCHOR, 1), person_days(drawn[4000:])
    actors = [actor for _, actor in fresh.keys]
    chances = [one.chance for one in known.surprises(drawn[4000:], known.off(actors, fresh.units, drawn[4000:]))]
    for chance in (0.1, 0.01):
        assert np.mean(np.array(chances) <= chance) == pytest.approx(chance, rel=0.35)


# Somebody's own and the unit's ----------------------------------------------------------------------------


def units_apart() -> Model:
    """A unit that prints much and one that does not; of 200 days each, ten people."""
    rows = np.log1p(np.random.default_rng(3).poisson(1.0, (400, len(FEATURES))).astype(np.float64))
    prints = FEATURES.index("outputs")
    rows[:200, prints] = np.log1p(np.random.default_rng(4).poisson(40.0, 200))
    keys = tuple((date(2026, 10, 1) + timedelta(days=n // 10), f"s{n % 10}-{n // 200}") for n in range(400))
    units = tuple("madoguchi" if n < 200 else "zeimu" for n in range(400))
    return fit(PersonDays(keys, units, rows), (), ANCHOR, 1)


def test_somebody_new_begins_with_the_unit_s_days() -> None:
    known = units_apart()
    prints = FEATURES.index("outputs")
    there, here = (np.expm1(known.baseline.expected("new", unit)[prints]) for unit in ("madoguchi", "zeimu"))
    assert 25 < there < 45
    assert here < 3
    town = known.baseline.expected("new", "a unit that was founded today")
    assert town == pytest.approx(known.baseline.town)


def test_a_transfer_begins_anew() -> None:
    known = units_apart()
    baseline = known.baseline
    assert baseline.own_days("s3-0", "madoguchi") == 20
    assert baseline.own_days("s3-0", "zeimu") == 0
    assert (baseline.expected("s3-0", "zeimu") == baseline.expected("new", "zeimu")).all()


def test_the_less_is_known_of_somebody_the_further_a_day_may_lie_off() -> None:
    level = np.tile(np.arange(10.0) / 3, 20)[:, None] + np.random.default_rng(8).normal(0, 0.2, (200, len(FEATURES)))
    baseline, _ = Baseline.of([f"s{n % 10}" for n in range(200)], ["zeimu"] * 200, level)
    new, old = (baseline.off(actor, "zeimu", baseline.expected(actor, "zeimu") + 1) for actor in ("new", "s3"))
    assert (new < 0.9 * old).all()


def test_their_own_days_take_over_from_the_unit_s() -> None:
    rows = np.tile(np.log1p(np.arange(10.0))[:, None], (40, len(FEATURES)))
    keys = [f"s{n % 10}" for n in range(400)]
    baseline, off = Baseline.of(keys, ["zeimu"] * 400, rows)
    assert np.expm1(baseline.expected("s9", "zeimu")) == pytest.approx(9, rel=0.1)
    assert np.abs(off).max() < 1, "everybody's days are as their others"


# Tails ----------------------------------------------------------------------------------------------------


def test_little_data_makes_nothing_look_rarer_than_it_can_tell() -> None:
    few, many = (Tail.learned(-np.log((np.arange(n) + 0.5) / n), n) for n in (60, 4000))
    far = np.array([15.0])
    assert many.chances(far)[0] == pytest.approx(math.exp(-15), rel=3)
    assert few.chances(far)[0] > 5 * many.chances(far)[0]


def test_what_was_never_seen_is_as_rare_as_the_days_are_many() -> None:
    assert Tail.learned(np.array([]), 499).chances(np.array([0.0]))[0] == pytest.approx(1 / 500)


def test_chances_fall_from_one() -> None:
    tail = Tail.learned(np.random.default_rng(6).gamma(2.0, 1.0, 500), 500)
    chances = tail.chances(np.linspace(0, 40, 200))
    assert (np.diff(chances) <= 1e-12).all()
    assert chances[0] == 1
    assert 0 < chances[-1] < 1e-6


# What else ------------------------------------------------------------------------------------------------


def test_colleagues_can_only_excuse(town: MakeTown) -> None:
    """A whole unit that does the same is silent; the score of who is found does not change by it."""
    more = [
        {"event_id": f"m{number}-{actor}", **event}
        for actor in ("s2", "s3", "s4", "s5", "s6")
        for number, event in enumerate(
            [
                *looks_at(DAY, actor, ["x-1", "x-2", "x-3"], query={"by": "name", "hits": 1}),
                *looks_at(DAY, actor, ["x-1", "x-2"], at="14:30", activity="print"),
            ]
        )
    ]
    assert town([*named(SMALL_THINGS), *more], SMALL_THINGS.feeds).judge(DETECTOR, DAY) == []


def test_without_scikit_learn_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    with pytest.raises(MissingLibraryError, match=r"必要です.*mimamori\[learned\]") as raised:
        fit(random_days(), (), ANCHOR, 1)
    assert "need scikit-learn" in str(raised.value)


def test_the_detectors_are_imported_without_it() -> None:
    asked = "import detectors.registry, sys; print('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout == "False\n"
