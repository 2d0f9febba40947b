"""C1 to C4, R3: every window once and in order, by one node, by the time of events, and the same when asked again."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from two_nodes import FIRST, TERM, Killed, Site, window_of

from audit.clock import TOKYO
from audit.findings import Draft, Due, FindingFilter
from audit.findings.run_repository import RunRow
from audit.leases import FencedError
from detectors.model import Reader, Window
from detectors.runner import CASEWORK
from detectors.schedule.due import Past

DAY = timedelta(days=1)
MakeSite = Callable[..., Site]


def history(site: Site, detector: str = "day") -> list[tuple[date, Due, bool]]:
    """The evaluations of a detector in the order in which they were made."""
    found = site.findings.history(detector=detector, limit=1000)[::-1]
    return [(one.run.start.astimezone(TOKYO).date(), one.run.due, one.run.late) for one in found]


def test_C1_after_three_days_down_every_window_is_run_once_in_order_and_marked_late(site: Site) -> None:
    a, _ = site.nodes
    site.happens(FIRST, "s1")
    a.runner.run()  # at noon of the first day; then the host is down for three days
    for ahead in range(1, 4):
        site.happens(FIRST + ahead * DAY, "s1")
    site.happens(FIRST, "s2", hour=15)
    site.clock.advance(timedelta(days=3))
    summary = a.runner.run()
    assert (summary.windows, summary.late) == (8, 6)
    for detector in ("day", "three-days"):
        assert history(site, detector)[1:] == [
            (FIRST, Due.EVENTS, True),
            (FIRST + DAY, Due.FIRST, True),
            (FIRST + 2 * DAY, Due.FIRST, True),
            (FIRST + 3 * DAY, Due.FIRST, False),  # today has not ended: this is its turn
        ]
    assert a.runner.run().windows == 0
    assert site.shown() == site.expected()


def test_C1_what_arrives_late_while_turns_were_kept_is_no_missed_turn(site: Site) -> None:
    a, _ = site.nodes
    site.happens(FIRST, "s1")
    a.runner.run()
    site.clock.advance(2 * DAY)
    a.runner.run()
    site.happens(FIRST, "s2")
    assert a.runner.run().late == 0
    assert history(site)[-1] == (FIRST, Due.EVENTS, False)


def test_T4_late_events_re_open_every_window_that_looks_back_at_them(site: Site) -> None:
    a, _ = site.nodes
    for ahead in (0, 1, 2, 3):
        site.happens(FIRST + ahead * DAY, "s1")
    a.runner.run()
    site.happens(FIRST, "s1")
    assert a.runner.run().windows == 2 + 3  # by the day: itself and the next morning; over three days: three
    assert site.shown() == site.expected()
    assert a.runner.run().windows == 0


def test_C2_two_nodes_at_once_keep_one_set_of_results(site: Site) -> None:
    for ahead in range(4):
        for actor in ("s1", "s2"):
            site.happens(FIRST + ahead * DAY, actor)
    at_once, done = threading.Barrier(2), []

    def work(index: int) -> None:
        at_once.wait()
        done.append(site.nodes[index].runner.run())

    threads = [threading.Thread(target=work, args=(index,)) for index in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(one.windows for one in done) == 8
    assert (
        Counter((one.run.detector, one.run.start) for one in site.findings.history(limit=1000)).most_common(1)[0][1]
        == 1
    )
    assert site.shown() == site.expected()


def test_C2_the_other_node_finds_nothing_to_do(site: Site) -> None:
    a, b = site.nodes
    site.happens(FIRST, "s1")
    assert a.runner.run().windows == 2
    summary = b.runner.run()
    assert (summary.windows, summary.elsewhere) == (0, False)


@pytest.mark.parametrize("apart", [False, True], ids=["embedded", "shared server"])
def test_C3_a_holder_that_was_away_too_long_keeps_nothing(make_site: MakeSite, *, apart: bool) -> None:
    site = make_site(apart=apart)
    a, b = site.nodes
    site.happens(FIRST, "s1")
    a.runner.run()
    site.happens(FIRST, "s2")

    def away_for_ten_minutes() -> None:
        assert b.runner.run().elsewhere, "the lease is held"
        site.elapsed.now += TERM.total_seconds()
        site.happens(FIRST, "s3")
        assert b.runner.run().windows == 2

    a.meanwhile.append(away_for_ten_minutes)
    with pytest.raises(FencedError):
        a.runner.run()
    tokens = [one.run.token for one in site.findings.history(limit=1000)][::-1]
    assert tokens == sorted(tokens)
    assert {one.run.node for one in site.findings.history(limit=3)} == {"b"}
    assert site.shown() == site.expected()
    assert a.runner.run().windows == 0


def test_C3_look_ups_that_a_fenced_node_leaves_behind_are_joined_again(make_site: MakeSite) -> None:
    site = make_site(apart=True)
    a, b = site.nodes
    site.happens(FIRST, "s1")
    a.runner.run()
    site.happens(FIRST, "s2")
    b.runner.run()
    a.runner._casework.make(FIRST, FIRST, 1)  # what was under way when the machine stood still is done now
    assert b.runner.run().windows == 2
    assert history(site, CASEWORK)[-1] == (FIRST, Due.PARAMETERS, False)
    assert b.runner.run().windows == 0


def test_C3_look_ups_replaced_while_they_are_read_are_not_judged(make_site: MakeSite) -> None:
    site = make_site(apart=True)
    a, b = site.nodes
    site.happens(FIRST, "s1")
    b.meanwhile.append(lambda: a.runner._casework.make(FIRST, FIRST, 99) and None)
    with pytest.raises(Exception, match="were replaced"):
        b.runner.run()
    assert site.shown() == {}
    assert b.runner.run().windows == 2
    assert site.shown() == site.expected()


def test_C4_a_clock_set_back_or_forward_changes_no_window_and_stops_nothing(site: Site) -> None:
    a, _ = site.nodes
    for ahead in range(3):
        site.happens(FIRST + ahead * DAY, "s1")
    a.runner.run()
    before = site.shown()
    for step in (-400 * DAY, 800 * DAY, -400 * DAY):
        site.clock.advance(step)
        summary = a.runner.run(start=window_of(FIRST), end=window_of(FIRST + 3 * DAY))
        assert (summary.windows, summary.reproduced, summary.differences) == (6, 6, [])
        assert site.shown() == before
    site.clock.advance(-10 * DAY)
    site.happens(FIRST + 3 * DAY, "s1")
    assert a.runner.run().windows == 2
    assert site.shown() == site.expected()


def test_a_crash_between_judging_and_keeping_leaves_the_window_due(site: Site) -> None:
    a, _ = site.nodes
    site.happens(FIRST, "s1")

    def killed() -> None:
        raise Killed

    a.meanwhile.append(killed)
    with pytest.raises(Killed):
        a.runner.run()
    assert site.shown() == {}
    again = site.node("a")
    assert again.runner.run().windows == 2  # the same node takes back at once what it held
    assert site.shown() == site.expected()


def test_a_detector_that_fails_is_told_and_the_others_go_on(site: Site) -> None:
    a, _ = site.nodes
    for ahead in range(3):
        site.happens(FIRST + ahead * DAY, "s1")

    def fails() -> None:
        raise ZeroDivisionError

    a.meanwhile.append(fails)
    summary = a.runner.run()
    assert summary.failed == {"three-days": "ZeroDivisionError"}
    assert summary.windows == 3
    assert site.findings.last_look("three-days") is None
    (failure,) = site.findings.history(detector="three-days")
    assert (failure.error, failure.result) == ("ZeroDivisionError", "")
    summary = a.runner.run()
    assert (summary.windows, summary.failed) == (3, {})
    assert site.shown() == site.expected()


def test_settings_that_a_detector_does_not_take_leave_only_it_out(site: Site) -> None:
    a, _ = site.nodes
    site.happens(FIRST, "s1")
    site.settings = {"day": {"acts": "many"}}
    summary = a.runner.run()
    assert (summary.windows, summary.failed) == (1, {"day": "ParameterError"})
    site.settings = {"day": {"acts": 2}}
    assert a.runner.run().windows == 1
    assert [key[0] for key in site.shown()] == ["three-days"]
    (run,) = site.findings.history(detector="day")
    assert run.run.settings == {"acts": 2}


def test_windows_before_a_change_keep_what_they_were_judged_with(site: Site) -> None:
    a, _ = site.nodes
    for ahead in range(3):
        site.happens(FIRST + ahead * DAY, "s1")
    a.runner.run()
    site.settings = {"day": {"acts": 2}}
    site.past = Past(overrides={"day": [(FIRST + 2 * DAY, {})]})
    assert (a.runner.run().windows, history(site)[-1]) == (1, (FIRST + 2 * DAY, Due.PARAMETERS, False))
    stand = {(FIRST, "s1"), (FIRST + DAY, "s1")}
    assert {key[1:] for key in site.shown() if key[0] == "day"} == stand
    again = a.runner.run(start=window_of(FIRST), only=["day"])
    assert (again.windows, again.reproduced) == (3, 3)
    site.happens(FIRST, "s2")
    assert a.runner.run().windows == 5, "two of it, and the three of the other"
    assert {key[1:] for key in site.shown() if key[0] == "day"} == stand | {(FIRST, "s2")}
    assert [one.run.settings for one in site.findings.history(detector="day", limit=1)] == [{"acts": 1}]


def test_windows_before_a_rule_was_replaced_are_judged_by_the_one_before(site: Site) -> None:
    a, _ = site.nodes
    for ahead in range(3):
        site.happens(FIRST + ahead * DAY, "s1")
    now = a.detectors["day"]
    blind = replace(now, meta=replace(now.meta, version="0.9.0"), detect=lambda *_: [])
    site.past = Past(detectors={"day": [(FIRST + 2 * DAY, blind)]})
    assert a.runner.run().failed == {}
    assert [one.run.version for one in site.findings.history(detector="day")] == ["1.0.0", "0.9.0", "0.9.0"]
    assert [key[1] for key in site.shown() if key[0] == "day"] == [FIRST + 2 * DAY]
    assert a.runner.run().windows == 0


def test_values_of_the_past_that_a_detector_takes_no_more_give_way_to_those_in_force(site: Site) -> None:
    a, _ = site.nodes
    site.happens(FIRST, "s1")
    site.settings = {"day": {"acts": 2}}
    site.past = Past(overrides={"day": [(FIRST + DAY, {"gone": 1})]})
    assert a.runner.run().failed == {}
    assert [one.run.settings for one in site.findings.history(detector="day")] == [{"acts": 2}]


def test_R3_what_other_detectors_found_explains_another_result_and_an_exception_changes_none(site: Site) -> None:
    a, _ = site.nodes
    for ahead in range(2):
        site.happens(FIRST + ahead * DAY, "s1")
    day = a.detectors["day"]

    def detect(window: Window, reader: Reader, params: Any) -> Iterable[Draft]:
        suspected = reader.suspected(FIRST, FIRST + DAY, "three-days")
        return [] if (FIRST, "s1") in suspected else day.detect(window, reader, params)

    a.detectors["three-days"] = replace(a.detectors["three-days"], detect=detect)
    a.runner.run()
    again = a.runner.run(only=["three-days"], start=window_of(FIRST + DAY))
    assert (again.reproduced, again.differences) == (1, [])
    site.findings.except_by(lambda _unit: lambda _finding: "an exception")
    with site.states[0].unit() as unit:
        assert site.findings.reconsider(unit, window_of(FIRST)) > 0
    again = a.runner.run(only=["three-days"], start=window_of(FIRST + DAY))
    assert (again.reproduced, again.differences) == (1, [])
    site.settings = {"day": {"acts": 2}}
    a.runner.run(only=["day"])
    (difference,) = a.runner.run(only=["three-days"], start=window_of(FIRST + DAY)).differences
    assert difference.inputs == (Due.FINDINGS,)


def test_R3_no_evaluation_is_ever_overwritten(site: Site) -> None:
    a, _ = site.nodes
    site.happens(FIRST, "s1")
    a.runner.run()
    (first,) = site.findings.history(detector="day")
    site.happens(FIRST, "s2")
    a.runner.run()
    site.settings = {"day": {"acts": 2}}
    a.runner.run()
    third, second, kept = site.findings.history(detector="day")
    assert kept == first
    assert [one.run.due for one in (kept, second, third)] == [Due.FIRST, Due.EVENTS, Due.PARAMETERS]
    assert [one.findings for one in (kept, second, third)] == [1, 2, 0]
    assert [one.run.settings for one in (kept, third)] == [{"acts": 1}, {"acts": 2}]
    assert site.findings.history(detector="day", before=third.id, limit=1) == [second]


def test_R3_judged_again_a_window_is_the_same_byte_for_byte_or_says_what_is_not(site: Site) -> None:
    a, _ = site.nodes
    for ahead in range(3):
        site.happens(FIRST + ahead * DAY, "s1")
    a.runner.run()
    span = {"start": window_of(FIRST), "end": window_of(FIRST + 3 * DAY)}

    def told() -> str:
        return json.dumps([one.to_contract() for one in site.findings.listing(FindingFilter())], ensure_ascii=False)

    before = told()
    summary = a.runner.run(**span)
    assert (summary.windows, summary.reproduced, summary.differences) == (6, 6, [])
    assert told() == before
    site.happens(FIRST, "s1")
    differences = a.runner.run(**span).differences
    assert {(one.detector, one.start) for one in differences} == {
        ("day", window_of(FIRST)),
        *(("three-days", window_of(FIRST + ahead * DAY)) for ahead in range(3)),
    }
    assert {one.inputs for one in differences} == {(Due.EVENTS,)}
    site.settings = {"day": {"acts": 2}}
    assert {one.inputs for one in a.runner.run(**span).differences} == {(Due.PARAMETERS,)}


def test_R3_another_result_from_the_same_inputs_is_told(site: Site) -> None:
    a, _ = site.nodes
    site.happens(FIRST, "s1")
    a.runner.run()
    with site.states[0].unit() as unit:
        for row in unit.query(RunRow).where(RunRow.detector == "day"):
            row.result = "0" * 64  # somebody has been at the record
    (difference,) = a.runner.run(start=window_of(FIRST)).differences
    assert (difference.detector, difference.inputs) == ("day", ())


def test_a_rehearsal_judges_and_keeps_nothing(site: Site) -> None:
    a, _ = site.nodes
    for ahead in range(3):
        site.happens(FIRST + ahead * DAY, "s1")
    a.runner.run()
    before, runs = site.shown(), len(site.findings.history(limit=1000))
    detector = a.runner.known()["three-days"]
    start, end = window_of(FIRST + DAY), window_of(FIRST + 3 * DAY)
    found = [
        (window.day, [draft.title.en for draft in drafts]) for window, drafts in a.runner.rehearse(detector, start, end)
    ]
    assert found == [(FIRST + DAY, ["2 acts"]), (FIRST + 2 * DAY, ["3 acts"])]
    assert [drafts for _, drafts in a.runner.rehearse(detector, start, end, {"acts": 2})] == [[], []]
    assert (site.shown(), len(site.findings.history(limit=1000))) == (before, runs)
