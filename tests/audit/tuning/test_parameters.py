"""Values of detectors, and the previews that everything begins with."""

from datetime import date, timedelta

import pytest
from tuning_bench import ANN, BOB, EVE, TODAY, TuningBench, exception, refused_for, values

from audit.access.decisions import Actor
from audit.findings import Severity
from audit.texts import Texts
from audit.tuning import ChangeState, PreviewState, Seen, TuningRefusedError, TuningUnknownError, preview_document
from audit.tuning.previews import MOST_ROWS, digest_of
from audit.tuning.repository import TuningRepository


def states(bench: TuningBench) -> list[str]:
    return [one.state(bench.clock.now()).value for one in bench.tuning.changes()[::-1]]


def test_E5_values_are_in_force_once_a_second_person_has_confirmed(bench: TuningBench) -> None:
    change = bench.proposed(values(limit=20))
    assert bench.tuning.overrides() == {}
    bench.tuning.confirm(change.id, digest=change.digest, by=BOB)
    assert bench.tuning.overrides() == {"off-hours": {"limit": 20}}
    event = bench.log.events[-1]
    assert (event["activity"], event["operation_name"]) == ("config_change", "tuning.parameters_confirmed")
    assert (event["unmapped"]["old"], event["unmapped"]["new"]) == ({"values": {}}, {"values": {"limit": 20}})


def test_E5_going_back_is_a_new_change_and_the_history_stays(bench: TuningBench) -> None:
    first = bench.in_force(values(limit=20))
    with refused_for("in_force"):
        bench.tuning.end(first.id, by=EVE)
    bench.clock.advance(timedelta(hours=1))
    bench.in_force(values(limit=10))
    assert bench.tuning.overrides() == {"off-hours": {}}
    assert states(bench) == ["replaced", "in_force"]
    assert bench.log.events[-1]["unmapped"]["old"] == {"values": {"limit": 20}}
    with refused_for("same"):
        bench.previewed(values())


def test_windows_before_a_change_keep_the_values_of_their_day(bench: TuningBench) -> None:
    assert bench.tuning.overrides_before() == {}
    bench.in_force(values(limit=20))
    bench.clock.advance(timedelta(days=2))
    bench.in_force(values(limit=30))
    bench.in_force(values("scan", limit=5))
    bench.proposed(values("log-cleared", limit=5))
    assert bench.tuning.overrides_before() == {
        "off-hours": [(TODAY, {}), (TODAY + timedelta(days=2), {"limit": 20})],
        "scan": [(TODAY + timedelta(days=2), {})],
    }


def test_a_change_made_against_other_values_is_refused(bench: TuningBench) -> None:
    one, other = bench.proposed(values(limit=20)), bench.proposed(values(limit=30), EVE)
    waiting = bench.previewed(values(limit=40))
    bench.tuning.confirm(one.id, digest=one.digest, by=BOB)
    with refused_for("changed"):
        bench.tuning.confirm(other.id, digest=other.digest, by=BOB)
    assert bench.tuning.change(other.id).state(bench.clock.now()) is ChangeState.PROPOSED, "nothing of it was kept"
    with refused_for("changed"):
        bench.tuning.propose(waiting, reason="r", ticket="t", by=ANN)
    assert bench.tuning.overrides() == {"off-hours": {"limit": 20}}


def test_a_detector_has_one_set_of_values_whoever_confirms_at_the_same_moment(bench: TuningBench) -> None:
    one, other = bench.proposed(values(limit=20)), bench.proposed(values(limit=30), EVE)
    with bench.state.unit() as unit:
        assert TuningRepository(unit).put_in_force(one.id, "off-hours")
    with bench.state.unit() as unit:
        assert not TuningRepository(unit).put_in_force(other.id, "off-hours")
    assert bench.tuning.overrides() == {"off-hours": {"limit": 20}}


@pytest.mark.parametrize(
    ("detector", "given", "reason"),
    [
        ("nobody", {"limit": 20}, "detector"), ("*", {"limit": 20}, "every_parameters"),
        ("off-hours", {"limit": "x"}, "values"), ("off-hours", {"other": 1}, "values"),
        ("off-hours", {"limit": 10}, "same"), ("off-hours", {}, "same"),
    ],
)  # fmt: skip
def test_values_that_cannot_be(bench: TuningBench, detector: str, given: dict[str, object], reason: str) -> None:
    with refused_for(reason):
        bench.previewed(values(detector, **given))


def test_nobody_proposes_without_a_preview_of_their_own(bench: TuningBench) -> None:
    def refuse(preview: str, by: Actor = ANN, reason: str = "r", ticket: str = "t") -> str:
        with pytest.raises(TuningRefusedError) as caught:
            bench.tuning.propose(preview, reason=reason, ticket=ticket, by=by)
        return caught.value.reason

    running = bench.tuning.begin_preview(values(limit=20), first=TODAY, by=ANN)
    assert refuse("unknown") == refuse(running.id) == "preview"
    done = bench.previewed(values(limit=20))
    assert refuse(done, BOB) == "preview"
    assert refuse(done, reason="  ") == refuse(done, reason="x" * 501) == "reason"
    assert refuse(done, ticket="") == refuse(done, ticket="x" * 101) == "ticket"
    bench.clock.advance(timedelta(days=1))
    assert refuse(done) == "over"
    assert bench.tuning.changes() == []


def test_what_was_typed_is_masked(bench: TuningBench) -> None:
    preview = bench.previewed(values(limit=20))
    change = bench.tuning.propose(preview, reason="番号 123456789018 の件", ticket="T-123456789018", by=ANN)
    assert "123456789018" not in f"{change.reason} {change.ticket} {bench.log.events}"


def test_values_that_no_day_was_judged_with_are_not_proposed_where_there_are_days(bench: TuningBench) -> None:
    bench.people.events = True
    with refused_for("nothing_judged"):
        bench.proposed(values(limit=20))
    judged = bench.previewed(values(limit=20), judged=1)
    assert bench.tuning.propose(judged, reason="r", ticket="t", by=ANN).terms == values(limit=20)
    assert bench.proposed(exception(actors=("s1",))), "no finding in view is nothing that an exception could hide"


def test_who_drops_a_proposal_that_is_confirmed_meanwhile_drops_nothing(
    bench: TuningBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for terms in (values(limit=20), exception(actors=("s1",))):
        seen = bench.proposed(terms)
        bench.tuning.confirm(seen.id, digest=seen.digest, by=BOB)
        with monkeypatch.context() as patched, refused_for("closed"):
            patched.setattr(bench.tuning, "change", lambda _number, seen=seen: seen)
            bench.tuning.end(seen.id, by=EVE)
        assert not [name for name in bench.log.operations if name.endswith("dropped")]
        assert bench.tuning.change(seen.id).state(bench.clock.now()) is ChangeState.IN_FORCE
    assert bench.tuning.overrides() == {"off-hours": {"limit": 20}}


def test_the_values_in_force_are_ended_by_no_statement(bench: TuningBench) -> None:
    change = bench.in_force(values(limit=20))
    with bench.state.unit() as unit:
        assert not TuningRepository(unit).end(change.id, "eve", bench.clock.now())
        assert not TuningRepository(unit).drop(change.id, "eve", bench.clock.now())


def test_a_preview_that_waits_its_turn_is_not_given_up(bench: TuningBench) -> None:
    waiting = bench.tuning.begin_preview(values(limit=20), first=TODAY, by=ANN)
    lost = bench.tuning.begin_preview(values(limit=20), first=TODAY, by=ANN)
    bench.clock.advance(timedelta(hours=23))
    assert bench.tuning.preview(waiting.id).state is PreviewState.QUEUED
    assert bench.tuning.advance(waiting.id, 0, 0)
    assert bench.tuning.preview(waiting.id).state is PreviewState.RUNNING
    bench.clock.advance(timedelta(hours=2))
    assert bench.tuning.preview(lost.id).state is PreviewState.FAILED, "its process is gone"


def test_a_preview_says_how_far_it_is_and_is_given_up_when_nobody_makes_it(bench: TuningBench) -> None:
    preview = bench.tuning.begin_preview(exception(actors=("s1",)), first=TODAY, by=ANN)
    assert bench.tuning.advance(preview.id, 3, 9)
    shown = bench.tuning.preview(preview.id)
    assert (shown.state, shown.done, shown.total, shown.digest) == (PreviewState.RUNNING, 3, 9, "")
    bench.clock.advance(timedelta(minutes=11))
    assert bench.tuning.preview(preview.id).state is PreviewState.FAILED
    assert not bench.tuning.advance(preview.id, 4, 9)
    with refused_for("given_up"):
        bench.tuning.finish(preview.id, {"late": 1})
    assert bench.tuning.preview(preview.id).state is PreviewState.FAILED
    with pytest.raises(TuningUnknownError):
        bench.tuning.preview("unknown")


def test_the_document_counts_everything_lists_the_gravest_first_and_claims_no_disposition() -> None:
    def seen(number: int, severity: Severity) -> Seen:
        day = date(2026, 10, 1) + timedelta(days=number % 40)
        texts = Texts("題", "title")
        return Seen("hidden", f"f-{number}", f"d{number % 2}", day, severity, 0.5, ("s1",), "src", texts)

    rows = [seen(n, Severity.LOW) for n in range(MOST_ROWS + 5)] + [seen(900, Severity.CRITICAL)]
    terms = exception(actors=("s1",))
    document = preview_document(terms, date(2026, 10, 1), TODAY, rows, 700)
    counts = document["counts"]["hidden"]
    assert (counts["total"], counts["grave"], document["judged"]) == (MOST_ROWS + 6, 1, 700)
    assert sum(counts["by_month"].values()) == sum(counts["by_detector"].values()) == MOST_ROWS + 6
    assert set(counts["by_month"]) == {"2026-10", "2026-11"}
    assert document["findings"][0]["id"] == "f-900"
    assert {row["disposition"] for row in document["findings"]} == {"unknown"}
    assert (len(document["findings"]), document["findings_omitted"], document["known_true"]) == (MOST_ROWS, 6, None)
    assert digest_of(document) == digest_of(preview_document(terms, date(2026, 10, 1), TODAY, rows[::-1], 700))
    assert digest_of(document) != digest_of(document | {"judged": 701})
