"""Exceptions: what falls under them, for how long, and who may make them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tuning_bench import ANN, BOB, EVE, TODAY, TuningBench, draft, exception, refused_for

from audit.access.decisions import Actor
from audit.findings import Draft, FindingFilter, FindingStatus
from audit.store.errors import StoreUnavailableError
from audit.tuning import EVERY, ChangeState, ExceptionTerms, TuningRefusedError


def statuses(bench: TuningBench) -> dict[str, str]:
    """The status of each finding, by its actors and day."""
    found = [one for status in FindingStatus for one in bench.findings.listing(FindingFilter(status=status))]
    return {f"{'/'.join(one.actors)} {(one.start + timedelta(hours=9)):%m-%d}": one.status.value for one in found}


def refused(bench: TuningBench, **change: Any) -> str:
    with pytest.raises(TuningRefusedError) as caught:
        bench.previewed(replace(exception(actors=("s1",)), **change))
    assert caught.value.text("ja") != caught.value.text("en")
    return caught.value.reason


def test_what_falls_under_an_exception_is_kept_listed_by_status_and_named(bench: TuningBench) -> None:
    bench.find(TODAY, draft("s1"), draft("s2"))
    change = bench.in_force(exception(actors=("s1",)))
    assert statuses(bench) == {"s1 11-20": "excepted", "s2 11-20": "open"}, "at once, on the day of the confirmation"
    (hidden,) = bench.findings.listing(FindingFilter(status=FindingStatus.EXCEPTED))
    assert hidden.excepted_by == change.id == hidden.to_contract()["excepted_by"]
    assert [one.actors for one in bench.findings.listing(FindingFilter())] == [("s2",)]
    bench.find(TODAY, draft("s1"), draft("s2"))
    bench.find(TODAY + timedelta(days=1), draft("s1"))
    bench.find(TODAY - timedelta(days=1), draft("s1"))
    assert statuses(bench) == {
        "s1 11-19": "open", "s1 11-20": "excepted", "s1 11-21": "excepted", "s2 11-20": "open",
    }  # fmt: skip
    bench.find(TODAY, draft("s2"))
    assert statuses(bench)["s1 11-20"] == "withdrawn", "what is no longer found is withdrawn, excepted or not"


def test_the_result_of_a_run_is_the_same_with_and_without_exceptions(bench: TuningBench) -> None:
    bench.find(TODAY, draft("s1"))
    before = bench.findings.last_runs("off-hours")
    bench.in_force(exception(actors=("s1",)))
    bench.find(TODAY, draft("s1"))
    assert bench.findings.last_runs("off-hours") == before


def test_an_exception_that_is_over_leaves_what_it_hid_hidden(bench: TuningBench) -> None:
    bench.in_force(exception(actors=("s1",), days=2))
    for n in range(4):
        bench.find(TODAY + timedelta(days=n), draft("s1"))
    expected = {"s1 11-20": "excepted", "s1 11-21": "excepted", "s1 11-22": "open", "s1 11-23": "open"}
    assert statuses(bench) == expected
    bench.clock.advance(timedelta(days=30))
    bench.find(TODAY, draft("s1"))
    assert statuses(bench) == expected
    assert bench.tuning.changes()[0].state(bench.clock.now()) is ChangeState.OVER


def test_an_exception_that_is_ended_covers_the_days_before(bench: TuningBench) -> None:
    change = bench.in_force(exception(actors=("s1",)))
    bench.find(TODAY, draft("s1"))
    bench.clock.advance(timedelta(days=1))
    bench.find(TODAY + timedelta(days=1), draft("s1"))
    bench.tuning.end(change.id, by=EVE)
    assert statuses(bench) == {"s1 11-20": "excepted", "s1 11-21": "open"}
    bench.find(TODAY + timedelta(days=2), draft("s1"))
    assert statuses(bench)["s1 11-22"] == "open"
    event = bench.log.events[-1]
    assert (event["activity"], event["operation_name"]) == ("policy_change", "tuning.exception_ended")
    assert event["unmapped"]["old"]["scope"] == {"actors": ["s1"]}
    assert event["unmapped"]["affected"] == 1
    with refused_for("closed"):
        bench.tuning.end(change.id, by=EVE)


@pytest.mark.parametrize(
    ("scope", "covered", "others"),
    [
        ({"actors": ("s1", "s2")}, [draft("s1"), draft("s1", "s2")], [draft("s1", "s3"), draft()]),
        ({"sources": ("src",)}, [draft("s1")],
         [draft("s1", source="other"), draft("s1", evidence=("src:1", "other:2"))]),
        ({"subjects": ("r1", "r2")}, [draft("s1", subjects=("r1",))],
         [draft("s1"), draft("s1", subjects=("r1", "r3"))]),
        ({"weekdays": (4,)}, [draft("s1")], []),
        ({"weekdays": (0, 1, 2, 3, 5, 6)}, [], [draft("s1")]),
        ({"units": ("hoken",)}, [draft("s1")], [draft("s3"), draft("s1", "s3"), draft("nobody"), draft()]),
        ({"hours": (19, 20)}, [draft("s1", evidence=("src:19", "src:20"))],
         [draft("s1", evidence=("src:19", "src:3")), draft("s1", evidence=("src:19", "src:unknown")),
          draft("s1", evidence=("src:19",), total=300)]),
        ({"actors": ("s1",), "subjects": ("r1",)}, [draft("s1", subjects=("r1",))], [draft("s1", subjects=("r2",))]),
    ],
)  # fmt: skip
def test_all_of_a_finding_must_lie_within_the_scope(
    bench: TuningBench, scope: dict[str, Any], covered: list[Draft], others: list[Draft]
) -> None:
    bench.people.units = {"s1": ("hoken/kyufu", "hoken"), "s2": ("hoken",), "s3": ("zei",)}
    bench.people.times = {f"src:{hour}": datetime(2026, 11, 20, (hour - 9) % 24, 30, tzinfo=UTC) for hour in range(24)}
    bench.in_force(exception(**scope))
    for status, drafts in ((FindingStatus.EXCEPTED, covered), (FindingStatus.OPEN, others)):
        for one in drafts:
            bench.find(TODAY, one)
            standing = [found for found in statuses(bench).values() if found != "withdrawn"]
            assert standing == [status], one
            bench.find(TODAY)


def test_nobody_hides_what_is_found_about_themselves(bench: TuningBench) -> None:
    bench.in_force(exception(sources=("src",)))
    bench.find(TODAY, *(draft(name) for name in ("ann", "ann-2", "bob", "olga", "s1")), draft("s1", "bob"))
    assert {name for name, status in statuses(bench).items() if status == "excepted"} == {"s1 11-20"}


def test_an_exception_for_every_detector_leaves_the_guarded_alone(bench: TuningBench) -> None:
    bench.in_force(exception(EVERY, actors=("s1",)))
    for detector in ("off-hours", "scan", "log-cleared", "gone"):
        bench.find(TODAY, draft("s1"), detector=detector)
    hidden = bench.findings.listing(FindingFilter(status=FindingStatus.EXCEPTED))
    assert {one.detector for one in hidden} == {"off-hours", "scan"}
    bench.in_force(exception("log-cleared", actors=("s1",)))
    assert len(bench.findings.listing(FindingFilter(status=FindingStatus.EXCEPTED))) == 3, "by its own name it can be"


def test_what_the_installation_tells_of_itself_cannot_be_excepted(bench: TuningBench) -> None:
    assert refused(bench, detector="source-id-conflict") == "detector"


def test_E3_what_cannot_be_an_exception(bench: TuningBench) -> None:
    terms = exception(actors=("s1",))
    assert refused(bench, scope=replace(terms.scope, actors=())) == "scope"
    assert refused(bench, last=TODAY + timedelta(days=90)) == "period", "90 days at most"
    assert refused(bench, last=TODAY - timedelta(days=1)) == "period"
    assert refused(bench, first=TODAY - timedelta(days=1)) == "period", "it never reaches back"
    assert refused(bench, first=TODAY, last=date.max) == "period"
    assert refused(bench, owner="") == "owner"
    assert refused(bench, owner="s1-b") == "owner", "nobody answers for an exception of their own"
    bench.people.left = {"gone"}
    assert refused(bench, owner="gone") == "owner"
    assert refused(bench, scope=replace(terms.scope, hours=(24,))) == "shape"
    assert refused(bench, scope=replace(terms.scope, weekdays=(7,))) == "shape"
    assert refused(bench, scope=replace(terms.scope, units=(" ",))) == "shape"
    assert refused(bench, scope=replace(terms.scope, actors=tuple(map(str, range(101))))) == "shape"
    assert refused(bench, scope=replace(terms.scope, subjects=("123456789018",))) == "number"
    assert bench.tuning.changes() == []


def test_an_exception_may_reach_to_the_end_of_the_calendar(bench: TuningBench) -> None:
    change = bench.in_force(replace(exception(actors=("s1",)), first=date.max, last=date.max))
    assert change.span() == (date.max, date.max)


@pytest.mark.parametrize("scope", [{"actors": ("ann",)}, {"actors": ("s1", "ann-2")}, {"units": ("joho",)}])
def test_nobody_proposes_or_confirms_an_exception_of_their_own(
    bench: TuningBench, scope: dict[str, tuple[str]]
) -> None:
    bench.people.units = {"ann": ("joho/un-ei", "joho")}
    terms = exception(**scope)
    with refused_for("oneself"):
        bench.previewed(terms, ANN)
    assert (bench.log.events[-1]["outcome"], bench.log.events[-1]["actor"]["id"]) == ("denied", "ann")
    change = bench.proposed(terms, BOB)
    with refused_for("oneself"):
        bench.tuning.confirm(change.id, digest=change.digest, by=ANN)
    assert bench.log.operations[-1] == "tuning.confirmation_refused"
    bench.tuning.confirm(change.id, digest=change.digest, by=EVE)


def test_E3_it_takes_two_people_who_are_still_there(bench: TuningBench) -> None:
    change = bench.proposed(exception(actors=("s1",)))
    for same in (ANN, Actor(staff_id="ann-2")):
        with refused_for("same_person"):
            bench.tuning.confirm(change.id, digest=change.digest, by=same)
    bench.people.left = {"ann"}
    with refused_for("asker_left"):
        bench.tuning.confirm(change.id, digest=change.digest, by=BOB)
    bench.people.left = set()
    with refused_for("digest"):
        bench.tuning.confirm(change.id, digest="0" * 64, by=BOB)
    bench.clock.advance(timedelta(days=7))
    with refused_for("over"):
        bench.tuning.confirm(change.id, digest=change.digest, by=BOB)
    bench.find(TODAY, draft("s1"))
    assert statuses(bench) == {"s1 11-20": "open"}


def test_a_proposal_is_settled_once(bench: TuningBench) -> None:
    change = bench.proposed(exception(actors=("s1",)))
    bench.tuning.confirm(change.id, digest=change.digest, by=BOB)
    with refused_for("closed"):
        bench.tuning.confirm(change.id, digest=change.digest, by=EVE)
    other = bench.proposed(exception(actors=("s2",)))
    bench.tuning.end(other.id, by=BOB)
    assert bench.log.operations[-1] == "tuning.exception_dropped"
    with refused_for("closed"):
        bench.tuning.confirm(other.id, digest=other.digest, by=BOB)


def test_nothing_loosens_that_the_log_does_not_have(bench: TuningBench) -> None:
    preview = bench.previewed(exception(actors=("s1",)))
    bench.log.broken = True
    with pytest.raises(StoreUnavailableError):
        bench.tuning.propose(preview, reason="r", ticket="t", by=ANN)
    assert bench.tuning.changes() == []
    bench.log.broken = False
    change = bench.tuning.propose(preview, reason="r", ticket="t", by=ANN)
    bench.find(TODAY, draft("s1"))
    bench.log.broken = True
    with pytest.raises(StoreUnavailableError):
        bench.tuning.confirm(change.id, digest=change.digest, by=BOB)
    assert statuses(bench) == {"s1 11-20": "open"}
    assert bench.tuning.change(change.id).confirmed_at is None
    bench.log.broken = False
    bench.tuning.confirm(change.id, digest=change.digest, by=BOB)
    event = bench.log.events[-1]
    assert (event["activity"], event["unmapped"]["affected"]) == ("policy_change", 1)
    assert (event["unmapped"]["new"]["owner"], event["unmapped"]["proposed_by"]) == ("olga", "ann")
    bench.log.broken = True
    with pytest.raises(StoreUnavailableError):
        bench.tuning.end(change.id, by=BOB)
    assert statuses(bench) == {"s1 11-20": "open"}, "what shows more waits for no log"


@settings(max_examples=12, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["find", "end", "make", "wait"]), st.integers(0, 2)), max_size=12))
def test_a_finding_is_hidden_exactly_where_an_exception_covers_its_day(steps: list[tuple[str, int]]) -> None:
    with TemporaryDirectory() as folder:
        bench = TuningBench(Path(folder) / "state.sqlite")
        try:
            for step, number in steps:
                _take(bench, step, number)
            spans = [(one.terms, one.span()) for one in bench.tuning.changes()]
            for status in (FindingStatus.OPEN, FindingStatus.EXCEPTED):
                for found in bench.findings.listing(FindingFilter(status=status)):
                    day = (found.start + timedelta(hours=9)).date()
                    covered = any(
                        span and span[0] <= day <= span[1] and found.actors[0] in terms.scope.actors
                        for terms, span in spans
                        if isinstance(terms, ExceptionTerms)
                    )
                    assert covered == (status is FindingStatus.EXCEPTED)
        finally:
            bench.state.close()


def _take(bench: TuningBench, step: str, number: int) -> None:
    today = (bench.clock.now() + timedelta(hours=9)).date()
    standing = [one for one in bench.tuning.changes() if one.state(bench.clock.now()) is ChangeState.IN_FORCE]
    if step == "find":
        bench.find(today - timedelta(days=number), draft("s1"), draft("s2"))
    elif step == "end" and standing:
        bench.tuning.end(standing[number % len(standing)].id, by=BOB)
    elif step == "make":
        bench.in_force(replace(exception(actors=(f"s{number}",)), first=today, last=today + timedelta(days=number)))
    elif step == "wait":
        bench.clock.advance(timedelta(days=number))
