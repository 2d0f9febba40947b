"""The plots' vocabulary: what each word plants is what the files then say."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from detectors.lab import Town, simulate
from detectors.lab.acts import Act, Export, Story, Target
from detectors.lab.model import Person
from detectors.lab.stage import Plot, Stage
from detectors.lab.systems import MEDIA, NHI, PLATFORM, REGISTER, TAX
from detectors.lab.timetable import at

START = date(2026, 10, 1)


def play(plot: Plot, *, staff: int = 40, days: int = 14) -> Town:
    return simulate(staff=staff, days=days, start=START, seed=1, plots=(plot,))


def story(stage: Stage, person: Person | None, source: str, *, detectors: tuple[str, ...] = ("d",)) -> Story:
    actors = (person.id,) if person else ()
    days = stage.timetable.days
    return Story("it", actors, source, at(days[0], 0), at(days[-1], 24), "話", "story", detectors=detectors)


def own(town: Town) -> list[Act]:
    return [act for act in town.acts if act.plot]


def test_a_slip_is_hidden_in_the_sessions_of_an_ordinary_day() -> None:
    seen: dict[str, str] = {}

    def plot(stage: Stage) -> Story | None:
        part = stage.cast("zeimu/kazei")
        assert part
        person, day = part
        seen["whom"] = stage.stranger(person, day)
        assert stage.uninvolved((seen["whom"],), day) == [seen["whom"]]
        stage.slip(person, day, seen["whom"], by="name")
        return story(stage, person, TAX)

    town = play(plot)
    (label,) = town.labels
    acts = own(town)
    assert [act.activity for act in acts] == ["search", "view"]
    assert label.subjects == (seen["whom"],)
    assert label.looks == ((acts[1].at.date(), acts[1].actor, TAX, seen["whom"]),)
    same = [act for act in town.acts if act.session == acts[0].session and act.system == TAX]
    assert len(same) > 3
    assert same[0].activity == "login"
    assert acts[1].cause == ""


def test_clients_have_a_case_and_strangers_have_none() -> None:
    def plot(stage: Stage) -> Story | None:
        for _ in range(8):
            part = stage.cast(history=3)
            assert part
            person, day = part
            found = stage.client_of(person, day)
            assert found
            client, case = found
            assert case.subject == client
            assert case.covers(at(day, 17)) or case.covers(at(day, 10))
            assert stage.uninvolved((client,), day) == []
            other = stage.stranger(person, day)
            assert other not in {*stage.household_of(person), *stage.neighbours_of(person)}
            assert case.unit == person.unit
        return None

    assert play(plot).labels == ()


def test_relations_of_staff_are_found() -> None:
    counts = {"family": 0, "neighbours": 0, "namesakes": 0, "former": 0}

    def plot(stage: Stage) -> Story | None:
        for person in stage.people:
            home = stage.household_of(person)
            assert bool(home) == bool(person.resident)
            counts["family"] += len(home) > 1
            counts["neighbours"] += bool(stage.neighbours_of(person))
            counts["namesakes"] += bool(stage.namesakes_of(person))
            counts["former"] += bool(stage.former_family_of(person))
            day = stage.timetable.days[1]
            assert all(one.unit == person.unit for one in stage.colleagues_of(person, day))
        assert stage.residents.by_id[stage.celebrity()].flags == {"vip"}
        assert stage.residents.by_id[stage.protected()].flags == {"protected"}
        return None

    play(plot, staff=100, days=3)
    assert min(counts.values()) >= 3


def test_outputs_media_and_rights_carry_what_the_contract_has_for_them() -> None:
    def plot(stage: Stage) -> Story | None:
        part = stage.cast("hoken-nenkin/shikaku")
        assert part
        person, day = part
        sheet = Export(900, "all.csv", destination="usb", medium="M-777", approval="a-9")
        stage.chore(person, day, NHI, ("export", {"export": sheet}), spot=0.4)
        stage.ledger(person, day, "M-777", 900, spot=0.4)
        stage.chore(person, day, PLATFORM, ("grant", {"target": Target(person.id, "nhi-levy", "nhi-levy")}))
        return story(stage, person, NHI)

    town = play(plot)
    assert {act.activity for act in own(town)} >= {"export", "media_checkout", "media_write", "media_erase", "grant"}
    (label,) = town.labels
    assert label.sources == tuple(sorted((NHI, MEDIA, PLATFORM)))
    assert label.looks == ()


@pytest.mark.parametrize("counted", [True, False])
def test_a_silent_source_writes_nothing_and_counted_silence_leaves_a_gap(tmp_path: Path, *, counted: bool) -> None:
    day = START + timedelta(days=5)

    def plot(stage: Stage) -> Story | None:
        stage.silence(NHI, at(day, 9), at(day, 16), counted=counted)
        return story(stage, None, NHI)

    town = play(plot)
    assert [label.actors for label in town.labels] == [()]
    inside = [act for act in town.acts if act.system == NHI and at(day, 9) <= act.at < at(day, 16)]
    assert inside == []
    assert bool(town.lost) == counted
    lines = dict(town.write(tmp_path).logs)[NHI].read_text("utf-8").splitlines()
    numbers = [int(line.split('"sequence":')[1].split(",")[0]) for line in lines]
    assert numbers[-1] - len(numbers) == len(town.lost)


def test_a_wrong_clock_and_a_backdated_act_differ_from_when_they_were_written() -> None:
    day = START + timedelta(days=6)

    def plot(stage: Stage) -> Story | None:
        part = stage.cast("hoken-nenkin/shikaku")
        assert part
        person, when = part
        act = stage.seat(person, NHI, when).act(at(when, 16), "update", subjects=(stage.stranger(person, when),))
        stage.plant("", [stage.backdated(act, timedelta(days=2))])
        stage.skew(REGISTER, at(day, 0), at(day, 24), timedelta(hours=-9))
        return story(stage, person, NHI)

    town = play(plot)
    (act,) = own(town)
    assert act.written - act.at == timedelta(days=2)
    skewed = [act for act in town.acts if act.system == REGISTER and act.at < at(day, 0) and act.at.date() == day]
    assert skewed == []
    assert [act for act in town.acts if act.system == REGISTER and at(day, -1) < act.at < at(day, 8)]


def test_who_is_retired_does_no_ordinary_work_any_more() -> None:
    last = START + timedelta(days=6)
    who: list[str] = []

    def plot(stage: Stage) -> Story | None:
        part = stage.cast(fits=lambda person: person.pace > 0 and person.employment == "regular")
        assert part
        person = stage.retire(part[0], last)
        who.append(person.id)
        assert stage.post(person.id, last) == person
        assert stage.post(person.id, last + timedelta(days=1)) is None
        seat = stage.seat(person, REGISTER, last + timedelta(days=4))
        stage.visit(seat, at(last + timedelta(days=4), 10), looks=3, instead=False)
        return story(stage, person, REGISTER)

    town = play(plot)
    late = [act for act in town.acts if act.actor == who[0] and act.at.date() > last]
    assert late == own(town)
    assert [act.activity for act in late] == ["login", "view", "view", "view", "logout"]


def test_a_real_case_of_a_colleague_is_honest_work() -> None:
    def plot(stage: Stage) -> Story | None:
        part = stage.cast("hoken-nenkin/shikaku")
        assert part
        person, day = part
        mate = next(one for one in stage.people if one.resident and one.id != person.id)
        case = stage.case(person, mate.resident, day)
        stage.work_on(person, day, case)
        return Story("it", (person.id,), NHI, at(day, 0), at(day, 24), "話", "story", tempts=("d",))

    town = play(plot)
    (label,) = town.labels
    assert label.story.trap
    assert label.looks == ()
    work = [act for act in town.acts if act.cause.startswith("c-") and act.actor == label.actors[0]]
    assert any(act.cause in town.stage.planner.work.cases for act in work)


def test_more_work_brings_cases_not_look_ups_out_of_nothing() -> None:
    def plot(stage: Stage) -> Story | None:
        part = stage.cast("zeimu/kazei", history=4)
        assert part
        person, day = part
        stage.more_work(person, day, 3.0)
        return Story("it", (person.id,), TAX, at(day, 0), at(day, 24), "話", "story", tempts=("d",))

    town, calm = play(plot), simulate(staff=40, days=14, start=START, seed=1, incidents=False)
    (label,) = town.labels

    def looks(of: Town) -> set[tuple[str, str]]:
        day = label.first.date()
        acts = [act for act in of.acts if act.actor == label.actors[0] and act.at.date() == day]
        return {(subject, act.cause) for act in acts for subject in act.subjects}

    assert len(looks(town)) > 1.7 * len(looks(calm))
    assert all(cause for _, cause in looks(town))
