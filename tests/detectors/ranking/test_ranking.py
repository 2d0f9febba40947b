"""Findings become cases, one a person-episode, each with one place in one day's queue."""

import itertools
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ranking_stories import DETECTORS, WEIGHTS, day, facts, findings, found

from audit.clock import tokyo_date
from audit.findings import Finding, FindingStatus, Severity
from detectors.ranking import (
    Case,
    CaseStatus,
    Outcomes,
    Said,
    Told,
    Weights,
    WeightsError,
    cases_of,
    fit,
    load_weights,
    render,
)
from detectors.ranking.queue import WAITS
from detectors.ranking.risk import risk_of
from detectors.registry import DETECTORS as REGISTERED

PROPERTY = settings(max_examples=120, deadline=None)
A_DAY = timedelta(days=1)


def ranked(some: list[Finding], places: int = 2, through: int = 60) -> list[Case]:
    return cases_of(some, facts(places, through), WEIGHTS)


def days_of(cases: list[Case]) -> list[tuple[str, ...]]:
    """Each case's detectors with the days of their findings, by day and rank."""
    return [tuple(f"{one.detector} {tokyo_date(one.start).day}" for one in case.findings) for case in cases]


# Episodes ------------------------------------------------------------------------------------------------------


def test_what_a_person_does_within_days_is_one_case() -> None:
    (case,) = ranked([found(on=0, subjects=["r1"]), found(on=1, detector="own", subjects=["r2", "r1"])])
    assert (case.actors, case.start, case.end) == (("s1",), found(on=0).start, found(on=1).end)
    assert set(case.subjects) == {"r1", "r2"}
    assert case.title.en.endswith("(and 1 more)")
    assert case.reasons[0] == case.findings[0].reasons[0]


@pytest.mark.parametrize(
    ("second", "cases"),
    [(2, 1), (3, 2), (7, 2)],
    ids=["one business day between", "two business days between", "a week later"],
)
def test_at_most_one_business_day_lies_between_the_findings_of_an_episode(second: int, cases: int) -> None:
    assert len(ranked([found(on=0), found(on=second)])) == cases


def test_closed_days_do_not_count_as_between() -> None:
    friday, tuesday_after_holiday = 4, 8
    assert len(ranked([found(on=friday), found(on=tuesday_after_holiday)])) == 1


def test_a_habit_comes_before_a_reviewer_again_after_seven_days() -> None:
    cases = ranked([found(on=number) for number in range(16)], places=9)
    assert [(tokyo_date(case.end) - tokyo_date(case.start)).days for case in cases] == [2, 7, 7]


def test_a_finding_about_several_people_joins_the_one_of_whom_most_is_known() -> None:
    crowd = found("s1 s2 s3", 1, detector="own")
    weak, strong = found("s1", 0, 0.3), found("s2", 0, 0.8)
    cases = {case.actors[0]: case for case in ranked([weak, strong, crowd])}
    assert crowd in cases["s2"].findings
    assert set(cases["s2"].actors) == {"s1", "s2", "s3"}
    assert cases["s1"].findings == (weak,)


def test_a_crowd_of_whom_nothing_else_is_known_is_one_case_and_goes_on_as_one() -> None:
    (case,) = ranked([found("s1 s2 s3 s4 s5 s6 s7", 0, detector="own"), found("s7 s8", 1, detector="own")])
    assert set(case.actors) == {f"s{n}" for n in range(1, 9)}


def test_what_a_person_does_later_draws_no_earlier_finding_to_itself() -> None:
    crowd = found("s1 s2", 0, detector="own")
    before = ranked([crowd], through=0)
    assert {case.id for case in before} <= {case.id for case in ranked([crowd, found("s1", 1, 0.9)])}


# Ranks ---------------------------------------------------------------------------------------------------------


def test_sources_come_behind_people_unless_it_is_grave() -> None:
    def order(severity: Severity) -> list[tuple[str, ...]]:
        return [case.actors for case in ranked([found("", score=0.9, severity=severity), found("s1", score=0.4)])]

    assert order(Severity.MEDIUM) == [("s1",), ()]
    assert order(Severity.HIGH) == [(), ("s1",)]


def test_what_finds_a_full_day_waits_for_the_next() -> None:
    cases = ranked([found(f"s{n}", 0, 0.9 - n / 10) for n in range(5)], places=2)
    assert [(case.opened_on, case.rank, case.actors[0]) for case in cases] == [
        (day(2), 1, "s4"),
        (day(1), 1, "s2"),
        (day(1), 2, "s3"),
        (day(0), 1, "s0"),
        (day(0), 2, "s1"),
    ]


def test_what_finds_no_place_stays_behind_the_budget_of_its_riskiest_day() -> None:
    cases = ranked([found(f"s{n}", 0, 0.9 - n / 20) for n in range(7)], places=1)
    assert [case.opened_on for case in cases if case.within_budget] == [day(3), day(2), day(1), day(0)]
    assert [(case.opened_on, case.rank) for case in cases if not case.within_budget] == [
        (day(0), rank) for rank in (2, 3, 4)
    ]


def test_nothing_is_opened_on_a_day_that_was_not_judged_yet() -> None:
    cases = ranked([found(f"s{n}", 0) for n in range(3)], places=2, through=0)
    assert [(case.opened_on, case.within_budget) for case in cases] == [(day(0), True)] * 2 + [(day(0), False)]


def test_a_hint_is_no_case_until_something_corroborates_it() -> None:
    hint = found(score=0.1)
    assert ranked([hint]) == []
    (case,) = ranked([hint, found(on=2, detector="own", score=0.2), found(on=2, detector="bulk", score=0.2)])
    assert hint in case.findings
    assert case.opened_on == day(2)


def test_a_case_is_withdrawn_when_all_its_findings_are_and_takes_no_place() -> None:
    gone = found("s1", 0, 0.9, status=FindingStatus.WITHDRAWN)
    cases = ranked([gone, found("s2", 0)], places=1)
    assert [(case.actors, case.status, case.rank) for case in cases] == [
        (("s2",), CaseStatus.OPEN, 1),
        (("s1",), CaseStatus.WITHDRAWN, 2),
    ]
    assert cases[1].to_contract()["findings"] == [gone.id]
    assert cases[1].risk.parts == ()


def test_a_case_keeps_its_name_when_its_first_finding_is_withdrawn() -> None:
    first, second = found(on=0), found(on=1)
    (before,), (after,) = ranked([first, second]), ranked([replace(first, status=FindingStatus.WITHDRAWN), second])
    assert before.id == after.id
    assert after.findings == (second,)
    assert (after.start, after.opened_on) == (second.start, day(1))


@PROPERTY
@given(findings(), st.integers(1, 4), st.randoms(use_true_random=False))
def test_the_order_of_findings_changes_nothing(some: list[Finding], places: int, chance: object) -> None:
    shuffled = [*some]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert [case.to_contract() for case in ranked(shuffled, places)] == [
        case.to_contract() for case in ranked(some, places)
    ]


@PROPERTY
@given(findings(), st.integers(1, 4))
def test_every_finding_is_in_one_case_at_most_and_every_case_in_one_day_s_queue(
    some: list[Finding], places: int
) -> None:
    cases = ranked(some, places)
    named = [finding.id for case in cases for finding in case.findings]
    assert len(named) == len(set(named))
    assert len({case.id for case in cases}) == len(cases)
    for _, queue in itertools.groupby(cases, key=lambda case: case.opened_on):
        ranks = [case.rank for case in queue if case.status is CaseStatus.OPEN]
        assert ranks == list(range(1, len(ranks) + 1))
    for case in cases:
        first, last = tokyo_date(case.start), tokyo_date(case.end - A_DAY)
        assert first <= case.opened_on <= last + WAITS
        assert last - first < timedelta(days=7)


@PROPERTY
@given(findings(), st.integers(1, 3), st.integers(0, 20))
def test_later_days_change_neither_a_case_s_name_nor_the_place_it_took(
    some: list[Finding], places: int, until: int
) -> None:
    known = [finding for finding in some if tokyo_date(finding.start) <= day(until)]
    after = {case.id: case for case in ranked(some, places)}
    for case in ranked(known, places, until):
        if case.status is CaseStatus.OPEN:
            later = after[case.id]
            assert {finding.id for finding in case.findings} <= {finding.id for finding in later.findings}
            if case.within_budget:
                assert later.opened_on == case.opened_on
                assert later.within_budget


# Risk ----------------------------------------------------------------------------------------------------------


@PROPERTY
@given(findings(min_size=1))
def test_the_parts_sum_to_the_log_odds_and_each_finding_has_one(some: list[Finding]) -> None:
    for case in ranked(some):
        said = case.to_contract()["log_odds"]
        assert said["base"] + sum(part["value"] for part in said["parts"]) == pytest.approx(said["sum"], abs=1e-9)
        assert 0 < case.risk.probability < 1
        assert all(part["value"] >= 0 for part in said["parts"])
        if case.status is CaseStatus.OPEN:
            assert {part["finding"] for part in said["parts"]} == set(case.to_contract()["findings"])


@PROPERTY
@given(findings(min_size=1), st.data())
def test_a_higher_score_or_one_more_finding_never_lowers_the_risk(some: list[Finding], data: st.DataObject) -> None:
    before = risk_of(some, WEIGHTS).log_odds
    number = data.draw(st.integers(0, len(some) - 1))
    raised = replace(some[number], score=data.draw(st.floats(some[number].score, 1.0)))
    assert risk_of([*some[:number], raised, *some[number + 1 :]], WEIGHTS).log_odds >= before - 1e-9
    assert risk_of([*some[:number], *some[number + 1 :]], WEIGHTS).log_odds <= before + 1e-9


@given(st.floats(0.02, 0.97))
@settings(max_examples=50, deadline=None)
def test_one_finding_alone_is_worth_what_its_author_says(score: float) -> None:
    assert risk_of([found(score=score)], WEIGHTS).probability == pytest.approx(score)


def test_groups_that_agree_say_more_than_one_group_twice() -> None:
    same = risk_of([found(score=0.3), found(score=0.3, detector="sunday")], WEIGHTS)
    other = risk_of([found(score=0.3), found(score=0.3, detector="own")], WEIGHTS)
    assert 0.3 < same.probability < other.probability


# Weights -------------------------------------------------------------------------------------------------------


def test_outcomes_move_a_weight_and_never_to_nothing() -> None:
    def weight(true: int, false: int) -> float:
        return WEIGHTS.after({"own": Outcomes(0.4, true, false)}).weight("own")

    assert weight(0, 0) == 1
    assert weight(8, 12) == pytest.approx(1)
    assert weight(5, 0) > weight(1, 0) > 1 > weight(0, 1) > weight(0, 10) > 0.2
    assert weight(0, 100_000) > 0.2
    assert weight(100_000, 0) <= 1.5


@given(st.floats(0, 1), st.integers(0, 500), st.integers(0, 500))
@settings(max_examples=100, deadline=None)
def test_one_more_true_finding_never_lowers_a_weight(expected: float, true: int, false: int) -> None:
    def weight(more: int) -> float:
        return WEIGHTS.after({"own": Outcomes(expected, true + more, false)}).weight("own")

    assert weight(1) >= weight(0) - 1e-12 or true + false == 0


def test_the_calibration_keeps_the_order() -> None:
    flat = replace(WEIGHTS, offset=-1.0, slope=0.5, least_risk=0.0)
    some = [found(f"s{n}", 0, 0.1 + n / 20) for n in range(12)]
    assert [case.actors for case in cases_of(some, facts(20), flat)] == [
        case.actors for case in cases_of(some, facts(20), replace(WEIGHTS, least_risk=0.0))
    ]


def test_every_detector_of_the_registry_has_a_group() -> None:
    assert sorted(REGISTERED.keys() - load_weights().groups.keys()) == []


@pytest.mark.parametrize(
    "text",
    ["[risk", "[risk]\nbase_rate = 0.02", "[groups]\na = ['x']\nb = ['x']\n[risk]\n[weights]"]
    + [
        f"[groups]\n[weights]\n{weight}\n[risk]\n{risk}"
        for weight, risk in (("own = 0", ""), ("", "slope = 0"), ("", "base_rate = 1"), ("", "nonsense = 1"))
    ],
)
def test_a_table_of_weights_that_is_not_one_is_refused(text: str) -> None:
    with pytest.raises(WeightsError):
        load_weights(text)


def test_weights_are_1_where_the_table_says_nothing() -> None:
    shipped = load_weights()
    assert isinstance(shipped, Weights)
    assert {shipped.weight(name) for name in DETECTORS} == {1.0}
    assert shipped.group("unheard-of") == "unheard-of"


def test_the_days_of_a_case_are_told_in_the_order_of_weight() -> None:
    cases = ranked([found(on=0, score=0.3), found(on=1, score=0.8)])
    assert days_of(cases) == [("night 6", "night 5")]
    assert cases[0].opened_on == date(2026, 10, 5)


# Fitting -------------------------------------------------------------------------------------------------------


def told(true: int, false: int, score: float, detector: str = "own") -> list[Told]:
    return [
        Told(number < true, (Said(f"{detector}{number}", detector, score, number < true),))
        for number in range(true + false)
    ]


def test_a_fitted_risk_is_the_share_that_was_misuse() -> None:
    fitted = fit([*told(60, 140, 0.8), *told(190, 10, 0.4, "bulk")], WEIGHTS)
    assert fitted.weight("own") < 1 < fitted.weight("bulk")
    assert risk_of([found(detector="own", score=0.8)], fitted).probability == pytest.approx(0.3, abs=0.1)
    assert risk_of([found(detector="bulk", score=0.4)], fitted).probability == pytest.approx(0.95, abs=0.1)


def test_without_episodes_the_weights_are_as_they_were() -> None:
    assert fit([], WEIGHTS) == WEIGHTS


def test_a_detector_without_episodes_keeps_its_author_s_word() -> None:
    fitted = fit(told(0, 300, 0.5), WEIGHTS)
    assert fitted.weight("night") == 1
    assert fitted.weight("own") < 1


@pytest.mark.parametrize("true", [0, 300])
def test_whatever_the_outcomes_the_calibration_keeps_the_order(true: int) -> None:
    fitted = fit(told(true, 300 - true, 0.5), WEIGHTS)
    risks = [risk_of([found(score=score)], fitted).log_odds for score in (0.1, 0.5, 0.9)]
    assert risks == sorted(risks)
    assert fitted.slope > 0


def test_a_fitted_table_is_read_as_it_was_written() -> None:
    fitted = fit(told(30, 20, 0.4), load_weights())
    read = load_weights(render(fitted, ["all of 60 staff, 60 days, seed 1"]))
    assert (read.groups, read.offset, read.slope) == (fitted.groups, fitted.offset, fitted.slope)
    assert read.weight("own") == pytest.approx(fitted.weight("own"), abs=1e-3)
