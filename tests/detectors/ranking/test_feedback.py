"""What reviewers said of former cases moves later ones, and silences nobody."""

from collections import Counter
from datetime import date, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ranking_stories import DETECTORS, WEIGHTS, day, facts, found

from audit.clock import day_start
from audit.dispositions import Disposition, DispositionKind, Judged
from audit.findings import Finding, Severity
from detectors.ranking import Case, CaseStatus, Outcomes, cases_of, outcomes_by_day

PROPERTY = settings(max_examples=100, deadline=None)
LONG_AGO = -60
"""A day before every finding of these tests."""
KINDS = st.sampled_from(DispositionKind)


def said(
    kind: DispositionKind,
    *judged: Judged,
    on: int = LONG_AGO,
    case: str = "c-1",
    ended: int | None = None,
    two: bool = False,
    confirmed: int | None = None,
) -> Disposition:
    """A disposition of some day; days are those of the stories."""

    def noon(number: int) -> datetime:
        return day_start(day(number)) + timedelta(hours=12)

    return Disposition(
        id=f"{case}-{on}",
        case=case,
        kind=kind,
        reason="r",
        severity=Severity.HIGH if two else Severity.MEDIUM,
        findings=judged,
        two=two,
        closed_by="ann",
        closed_at=noon(on),
        confirmed_at=None if confirmed is None else noon(confirmed),
        ended_at=None if ended is None else noon(ended),
    )


def history(detector: str, score: float, kinds: list[DispositionKind]) -> list[Disposition]:
    """What was said of cases in each of which one detector found something."""
    return [said(kind, Judged(f"f{n}", detector, score), case=f"c-{n}") for n, kind in enumerate(kinds)]


def queue(some: list[Finding], told: list[Disposition], places: int = 2) -> list[Case]:
    known = facts(places)
    return cases_of(some, type(known)(known.through, known.places, known.closed, outcomes_by_day(told)), WEIGHTS)


def place(case: Case) -> tuple[bool, date, int]:
    """The smaller, the sooner a reviewer sees it."""
    return not case.within_budget, case.opened_on, case.rank


def ranks(cases: list[Case]) -> dict[tuple[str, ...], int]:
    return {case.actors: case.rank for case in cases}


# What counts, and from when --------------------------------------------------------------------------------------


def test_a_word_counts_from_the_day_after_it_was_settled_to_the_day_it_is_undone() -> None:
    one = said(DispositionKind.BENIGN, Judged("f", "night", 0.5), on=3, ended=8)
    known = outcomes_by_day([one])
    assert [bool(known(day(number))) for number in range(2, 11)] == [False] * 2 + [True] * 5 + [False] * 2
    waits = outcomes_by_day([said(DispositionKind.BENIGN, Judged("f", "night", 0.5), on=3, two=True)])
    assert waits(day(50)) == {}
    agreed = outcomes_by_day([said(DispositionKind.BENIGN, Judged("f", "night", 0.5), on=3, two=True, confirmed=6)])
    assert (agreed(day(6)), agreed(day(7))) == ({}, {"night": Outcomes(0.5, 0, 1)})


def test_a_case_counts_once_for_each_detector_and_a_fault_in_the_data_for_none() -> None:
    habit = [Judged(f"f{n}", "night", 0.2 + n / 10) for n in range(4)]
    known = outcomes_by_day(
        [
            said(DispositionKind.POLICY_BREACH, *habit, Judged("o", "own", 0.6), case="c-1"),
            said(DispositionKind.EXPLAINED, Judged("n", "night", 0.3), case="c-2"),
            said(DispositionKind.DATA_FAULT, Judged("b", "bulk", 0.9), case="c-3"),
        ]
    )(day(0))
    assert known == {"night": Outcomes(0.4, 1, 1), "own": Outcomes(0.6, 1, 0)}


@PROPERTY
@given(st.lists(st.tuples(KINDS, st.integers(0, 30), st.none() | st.integers(0, 30)), max_size=12), st.randoms())
def test_what_is_known_on_a_day_is_what_was_said_and_not_undone_before(
    told: list[tuple[DispositionKind, int, int | None]],
    chance: Random,
) -> None:
    every = [
        said(kind, Judged(f"f{n}", "night", 0.5), on=on, ended=None if ended is None else max(on, ended), case=f"c{n}")
        for n, (kind, on, ended) in enumerate(told)
    ]
    chance.shuffle(every)
    known = outcomes_by_day(every)
    for number in range(32):
        counts = Counter(
            kind.true for kind, on, ended in told if on < number and (ended is None or max(on, ended) >= number)
        )
        own = known(day(number)).get("night", Outcomes(0.5))
        assert (own.true, own.false) == (counts[True], counts[False])
        assert own.expected == pytest.approx(0.5)


# What it does to the queue ---------------------------------------------------------------------------------------


def test_a_detector_that_was_wrong_falls_behind_one_of_which_nothing_is_known() -> None:
    some = [found("s1", score=0.5, detector="bulk"), found("s2", score=0.45, detector="own")]
    assert ranks(queue(some, [])) == {("s1",): 1, ("s2",): 2}
    wrong = history("bulk", 0.5, [DispositionKind.FALSE_ALARM] * 10)
    assert ranks(queue(some, wrong)) == {("s1",): 2, ("s2",): 1}
    held = wrong + history("bulk", 0.5, [DispositionKind.CONFIRMED_MISUSE] * 40)
    assert ranks(queue(some, held)) == {("s1",): 1, ("s2",): 2}


def test_closing_moves_nothing_that_was_there_and_a_week_later_the_word_counts() -> None:
    before = [found(f"s{n}", on=n % 3, score=0.3 + n / 20, detector="bulk") for n in range(8)]
    today = history("bulk", 0.5, [DispositionKind.FALSE_ALARM] * 10)
    later = [said(one.kind, *one.findings, on=2, case=one.case) for one in today]
    assert queue(before, later) == queue(before, [])
    again = [found("s9", on=2, score=0.6, detector="bulk"), found("s9", on=3, score=0.6, detector="bulk")]
    assert queue(again, later) == queue(again, []), "nor a case that had begun by then"
    (new,), (plain,) = (queue([found("s9", on=3, detector="bulk")], told) for told in (later, []))
    assert new.risk.probability < plain.risk.probability


@PROPERTY
@given(
    scores=st.lists(st.floats(0.05, 0.97), min_size=2, max_size=12),
    kinds=st.lists(KINDS, max_size=60),
    expected=st.floats(0.05, 0.97),
    places=st.integers(1, 6),
)
def test_what_is_said_of_a_common_detector_takes_no_place_from_one_of_which_nothing_is_said(
    scores: list[float], kinds: list[DispositionKind], expected: float, places: int
) -> None:
    some = [
        found(f"s{n}", score=score, detector=("bulk", "own", "unheard-of")[n % 3]) for n, score in enumerate(scores)
    ]
    plain = {case.actors: case for case in queue(some, [], places)}
    after = {case.actors: case for case in queue(some, history("bulk", expected, kinds), places)}
    assert plain.keys() == after.keys(), "a case stays a case, whatever is said"
    for actors, case in after.items():
        if case.findings[0].detector != "bulk":
            assert case.risk == plain[actors].risk
            assert place(case) <= place(plain[actors])


@PROPERTY
@given(st.floats(0.25, 0.97), st.floats(0.02, 1.0), st.integers(0, 3))
def test_three_wrong_findings_leave_a_rare_kind_its_case(score: float, usual: float, wrong: int) -> None:
    told = history("own", usual, [DispositionKind.BENIGN] * wrong)
    (plain,), (after,) = (queue([found("s1", score=score, detector="own")], words) for words in ([], told))
    assert after.within_budget
    assert after.risk.probability >= 0.55 * plain.risk.probability


@PROPERTY
@given(st.sampled_from(DETECTORS), st.floats(0.25, 0.97), st.integers(0, 3))
def test_three_wrong_findings_of_the_usual_score_leave_most_of_the_risk(
    detector: str, score: float, wrong: int
) -> None:
    some = [found("s1", score=score, detector=detector)]
    told = history(detector, score, [DispositionKind.BENIGN] * wrong)
    (plain,), (after,) = queue(some, []), queue(some, told)
    assert after.within_budget
    assert after.risk.probability >= 20 / 23 * plain.risk.probability - 1e-9
    rival = found("s2", score=20 / 23 * score - 0.01, detector="rival")
    assert ranks(queue([*some, rival], told, places=1))[("s1",)] == 1


@pytest.mark.parametrize("score", [0.26, 0.5, 0.97])
def test_nobody_silences_a_detector_by_closing_its_cases(score: float) -> None:
    told = history("bulk", score, [DispositionKind.FALSE_ALARM] * 300)
    (case,) = queue([found("s1", score=score, detector="bulk")], told)
    assert case.within_budget
    assert case.risk.probability < score


def test_true_words_of_a_noisy_town_bring_more_misuse_before_reviewers() -> None:
    """Two detectors claim a half; of one a tenth is true, of the other six in ten."""
    truth = {"bulk": 0.1, "own": 0.6}

    def week(first: int, name: str) -> list[tuple[Finding, bool]]:
        return [
            (found(f"{name}{n}-{detector}", on=first + n % 5, score=0.4 + (n * 7 % 10) / 50, detector=detector),
             n % 10 < round(10 * share))
            for detector, share in truth.items()
            for n in range(30)
        ]  # fmt: skip

    misuse, wrong = DispositionKind.CONFIRMED_MISUSE, DispositionKind.FALSE_ALARM
    told = [
        said(misuse if true else wrong, Judged(one.id, one.detector, one.score), on=LONG_AGO, case=one.id)
        for one, true in week(LONG_AGO - 7, "t")
    ]
    fresh = week(0, "n")
    right = {one.actors for one, true in fresh if true}

    def caught(words: list[Disposition]) -> int:
        cases = queue([one for one, _ in fresh], words, places=5)
        return sum(case.within_budget and case.actors in right for case in cases)

    assert caught(told) > caught([])


# What becomes of a case -----------------------------------------------------------------------------------------


def test_a_case_is_closed_while_what_was_said_is_about_all_of_it() -> None:
    (case,) = queue([found("s1", on=0), found("s1", on=1)], [])
    judged = [Judged(one.id, one.detector, one.score) for one in case.findings]
    settled = said(DispositionKind.BENIGN, *judged, on=5, case=case.id)
    closed = case.judged(settled)
    assert (closed.status, closed.rank, closed.opened_on) == (CaseStatus.CLOSED, case.rank, case.opened_on)
    assert closed.to_contract()["disposition"]["disposition"] == "benign"
    assert closed.undone() == case
    waits = said(DispositionKind.BENIGN, *judged, on=5, case=case.id, two=True)
    assert case.judged(waits).status is CaseStatus.OPEN
    part = said(DispositionKind.BENIGN, judged[0], on=5, case=case.id)
    assert (case.judged(part).status, case.judged(part).disposition) == (CaseStatus.OPEN, part)


def test_a_day_is_a_day_of_the_town() -> None:
    late = said(DispositionKind.BENIGN, Judged("f", "night", 0.5), on=0)
    assert late.settled_at is not None
    known = outcomes_by_day([late])
    assert (known(date(2026, 10, 5)), bool(known(date(2026, 10, 6)))) == ({}, True)
