"""The incident library: every kind can be told, is labelled as it was lived, and stays what its name says."""

from collections import Counter, defaultdict
from datetime import date, timedelta
from pathlib import Path
from random import Random

import pytest

from detectors.lab import Town, simulate
from detectors.lab.acts import Act, Label
from detectors.lab.incidents import INCIDENTS
from detectors.lab.programme import programme
from detectors.lab.stage import Plot
from detectors.lab.systems import MEDIA, PLATFORM
from detectors.lab.traps import TRAPS

START = date(2026, 10, 1)
LIBRARY = (*TRAPS, *INCIDENTS)


def kind_of(plot: Plot) -> str:
    return plot.__name__.replace("_", "-")


def dice(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - repeatable on purpose


@pytest.fixture(scope="module")
def large() -> Town:
    """A town that carries every kind once."""
    return simulate(staff=220, days=60, start=START, seed=7, plots=LIBRARY)


@pytest.fixture(scope="module")
def told(large: Town) -> dict[str, Label]:
    return {label.story.kind: label for label in large.labels}


@pytest.fixture(scope="module")
def planted(large: Town) -> dict[str, list[Act]]:
    """What each kind planted, in order."""
    acts: dict[str, list[Act]] = defaultdict(list)
    for act in large.acts:
        if act.plot:
            acts[kind_of(LIBRARY[int(act.plot[1:]) - 1])].append(act)
    return acts


def test_the_library_is_large_and_every_kind_has_a_name_of_its_own() -> None:
    assert len(INCIDENTS) >= 34
    assert len(TRAPS) >= 16
    assert len({kind_of(plot) for plot in LIBRARY}) == len(LIBRARY)
    assert all(plot.__doc__ for plot in LIBRARY)


def test_a_large_town_tells_every_kind(large: Town, told: dict[str, Label]) -> None:
    assert {kind_of(plot) for plot in LIBRARY} - set(told) == set()
    assert len(large.labels) == len(LIBRARY)
    traps = {kind_of(plot) for plot in TRAPS}
    for kind, label in told.items():
        assert label.story.trap == (kind in traps)
        assert bool(label.story.tempts) == label.story.trap
        assert label.story.ja
        assert label.story.en.isascii()
    hard = [label for label in large.labels if label.story.hard]
    assert len(hard) >= len(INCIDENTS) / 4


def test_nobody_plays_in_two_stories_at_once(large: Town) -> None:
    for one in large.labels:
        for other in large.labels:
            if one.id < other.id and set(one.actors) & set(other.actors):
                assert one.last < other.first or other.last < one.first, (one.id, other.id)


def test_planted_look_ups_have_no_casework_of_the_actor_s_unit(large: Town) -> None:
    work, residents = large.stage.planner.work, large.stage.residents
    looks = {look for label in large.labels for look in label.looks}
    assert looks
    accounted = set()
    for act in large.acts:
        for subject in act.subjects if act.plot else ():
            key = (act.at.date(), act.actor, act.system, subject)
            if key not in looks or not act.person:
                continue
            cases = work.about(residents.household(subject))
            if any(case.unit == act.person.unit and case.covers(act.at) for case in cases):
                accounted.add(key)
    assert len(accounted) <= 0.01 * len(looks), accounted


def test_what_excuses_a_trap_is_in_the_feeds(large: Town, planted: dict[str, list[Act]]) -> None:
    work, residents = large.stage.planner.work, large.stage.residents
    by_case = {kind_of(plot) for plot in TRAPS if plot.__module__.endswith((".people", ".work"))}
    checked = 0
    for kind in by_case - {"list-work", "busy-week", "enrolment-week"}:
        for act in planted[kind]:
            if act.activity != "view":
                continue
            case = work.cases[act.cause]
            assert case.covers(act.at), kind
            assert act.subjects[0] in residents.household(case.subject)
            assert act.person
            units = {person.unit for person in large.stage.people if person.id == act.actor}
            assert case.unit in units, kind
            checked += 1
    assert checked > 40


def test_a_label_names_the_actors_sources_and_span_of_what_was_planted(
    told: dict[str, Label], planted: dict[str, list[Act]]
) -> None:
    for kind, acts in planted.items():
        label = told[kind]
        own = [act for act in acts if act.actor in label.story.actors]
        assert {act.actor for act in own} == set(label.actors)
        assert {act.system for act in own} == set(label.sources)
        assert (min(act.at for act in own), max(act.at for act in own)) == (label.first, label.last)


def test_slow_kinds_are_slow_and_hidden_in_ordinary_days(large: Town, planted: dict[str, list[Act]]) -> None:
    for kind, most in (("slow-trickle", 2), ("stalked-resident", 1), ("detective-leak", 2), ("ex-partner", 2)):
        views = [act for act in planted[kind] if act.activity == "view"]
        a_day = Counter(act.at.date() for act in views)
        assert len(a_day) >= 3, kind
        assert max(a_day.values()) <= most, kind
        assert max(a_day) - min(a_day) >= timedelta(days=7), kind
        for act in views:
            session = [one for one in large.acts if (one.system, one.session) == (act.system, act.session)]
            assert any(one.activity == "login" for one in session)
    assert len({act.at.date() for act in planted["slow-trickle"]}) >= 12


def test_accounts_without_their_owner(large: Town, planted: dict[str, list[Act]], told: dict[str, Label]) -> None:
    dormant = planted["dormant-account"]
    earlier = [act for act in large.acts if act.actor == dormant[0].actor and act.at < dormant[0].at]
    assert earlier == []
    retired = planted["retired-account"][0]
    (post,) = [person for person in large.stage.people if person.id == retired.actor]
    assert post.until
    assert post.until < retired.at.date()
    lent = planted["lent-id"]
    own = [a for a in large.acts if a.actor == lent[0].actor and a.terminal != lent[0].terminal]
    assert any(lent[0].at - timedelta(hours=4) < act.at < lent[0].at + timedelta(hours=4) for act in own)
    absent = planted["absent-colleagues-account"][0]
    assert any(
        row.kind == "leave" and row.start <= absent.at < row.end
        for row in large.stage.timetable.roster
        if row.person == absent.actor
    )
    assert len(told["password-spraying"].actors) >= 9
    logins = [act for act in planted["password-spraying"] if act.activity == "login"]
    assert [act.outcome for act in logins][-1] == "success"
    assert sum(act.outcome == "success" for act in logins) == 1


def test_many_look_at_one_and_one_asks_through_another(planted: dict[str, list[Act]], told: dict[str, Label]) -> None:
    crowd = told["crowd-on-patient"]
    assert len(crowd.actors) >= 6
    assert len(crowd.subjects) == 1
    one, other = (told["proxy-export"].story.actors[number] for number in (0, 1))
    steps = [(act.actor, act.system, act.activity) for act in planted["proxy-export"]]
    assert [activity for _, _, activity in steps] == ["export", "media_write", "config_change"]
    assert steps[0][0] == other
    assert steps[1][:2] == (one, MEDIA)
    assert steps[2][:2] == (one, PLATFORM)
    assert planted["proxy-export"][2].target
    assert planted["proxy-export"][2].target.id == other


def test_outputs_lack_exactly_what_their_name_says(large: Town, planted: dict[str, list[Act]]) -> None:
    def allowed(act: Act) -> list[int]:
        return [
            given.max_rows or 0
            for given in large.stage.approvals
            if given.person == act.actor and given.source == act.system and given.start <= act.at <= given.end
        ]

    for kind in ("export-without-approval", "night-export", "private-medium", "sent-outside"):
        (act,) = (one for one in planted[kind] if one.activity == "export")
        assert not allowed(act), kind
    (over,) = planted["export-over-approval"]
    assert over.export
    assert 0 < max(allowed(over)) < over.export.rows
    (bulk,) = (act for act in planted["month-end-bulk"] if act.activity == "export")
    assert bulk.export
    assert max(allowed(bulk)) >= bulk.export.rows
    medium = planted["medium-not-returned"][0].export
    assert medium
    later = [act.activity for act in large.acts if act.export and act.export.medium == medium.medium]
    assert later == ["media_checkout", "export", "media_write"]


@pytest.mark.parametrize("plot", LIBRARY, ids=kind_of)
def test_a_tiny_town_tells_a_kind_or_leaves_it(plot: Plot, tmp_path: Path) -> None:
    town = simulate(staff=9, days=12, start=START, seed=2, plots=(plot,))
    assert [label.story.kind for label in town.labels] in ([], [kind_of(plot)])
    for native in (True, False):
        town.write(tmp_path / str(native), native=native)


@pytest.mark.parametrize("seed", range(5))
def test_a_programme_fits_the_size_of_the_town(seed: int) -> None:
    full = Counter(kind_of(plot) for plot in programme(dice(seed), 300))
    assert set(full) == {kind_of(plot) for plot in LIBRARY}
    assert max(full.values()) in (2, 3)
    assert len(programme(dice(seed), 60)) <= 0.5 * 60
    assert 8 <= len(programme(dice(seed), 12)) <= 12


def test_another_seed_casts_other_people() -> None:
    plots = INCIDENTS[4:10]
    one, other = (simulate(staff=40, days=15, start=START, seed=seed, plots=plots) for seed in (1, 2))
    assert one.labels
    assert {label.actors for label in one.labels} != {label.actors for label in other.labels}


def test_nobody_approves_the_own_hours_and_honest_grants_were_asked_for(large: Town) -> None:
    assert [row for row in large.stage.timetable.roster if row.approved_by == row.person] == []
    asked = {
        (act.target.id, act.target.system) for act in large.acts if act.target and act.activity in ("apply", "approve")
    }
    heads = {person.unit for person in large.stage.people if person.post == "係長"}
    units = defaultdict(set)
    for person in large.stage.people:
        units[person.id].add(person.unit)
    grants = [act for act in large.acts if act.activity == "grant" and not act.plot and act.target]
    assert grants
    for act in grants:
        assert act.target
        assert (act.target.id, act.target.system) in asked or not units[act.target.id] & heads
