"""Scorecards count by the rules of the foreign town's judge, and a town can be scored end to end."""

import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
import structlog

sys.path.insert(0, str(Path(__file__).parents[2] / "foreign_town"))  # `foreign_judge`

from foreign_judge import judge

from api.cli import main
from audit.casework import LookUp
from audit.clock import TOKYO
from detectors.lab.acts import Label, Story
from detectors.lab.scorecard import Entry, QueueScore, Share, matching, score
from detectors.lab.scorecard_baselines import clock_rules, isolation_forest, queue_of, three_sigma
from detectors.lab.scorecard_report import Scorecard, as_document, as_markdown, misses
from detectors.ranking import load_weights

MONDAY = date(2026, 10, 5)
PEOPLE, RESIDENTS, SOURCES = ("s1", "s2", "s3", "s4"), ("r1", "r2", "r3"), ("tax", "care")
MIMAMORI = (sys.executable, "-c", "from api.cli import main; raise SystemExit(main())")


def at(number: int, hour: int = 0) -> datetime:
    """An hour of a day counted from Monday 5 October 2026."""
    return datetime.combine(MONDAY, datetime.min.time(), TOKYO) + timedelta(days=number, hours=hour)


def label(
    name: str,
    actors: Sequence[str],
    first: datetime,
    last: datetime,
    *,
    trap: bool = False,
    sources: Sequence[str] = ("tax",),
    subjects: Sequence[str] = (),
    looks: Sequence[tuple[date, str, str, str]] = (),
    hard: bool = False,
) -> Label:
    detectors = () if trap else ("any",)
    story = Story(
        name.partition("-")[0], tuple(actors), sources[0], first, last, "", "", detectors=detectors, hard=hard
    )
    return Label(name, story, tuple(actors), tuple(sources), first, last, tuple(subjects), tuple(looks))


def entry(actors: Sequence[str] = ("s1",), on: int = 0, *, subjects: Sequence[str] = (), **more: Any) -> Entry:
    kept = {"source": "tax", "start": at(on), "end": at(on + 1), "opened_on": at(on).date(), "within": True, **more}
    return Entry(frozenset(actors), frozenset(subjects), **kept)


def chance_labels(chance: Random) -> list[Label]:
    labels = []
    for number in range(30):
        day, hour = chance.randrange(20), chance.randrange(8, 18)
        trap = chance.random() < 0.4
        about_source = not trap and chance.random() < 0.2
        labels.append(
            label(
                f"{chance.choice('abc')}-{number}",
                () if about_source else chance.sample(PEOPLE, chance.choice((1, 1, 2))),
                at(day, hour),
                at(day + chance.choice((0, 0, 3)), hour + 2),
                trap=trap,
                sources=(chance.choice(SOURCES),),
                subjects=chance.sample(RESIDENTS, chance.randrange(3)),
                hard=chance.random() < 0.3,
            )
        )
    return labels


def chance_entries(chance: Random) -> list[Entry]:
    return [
        entry(
            chance.sample(PEOPLE, chance.choice((0, 1, 1, 2))),
            day := chance.randrange(20),
            subjects=chance.sample(RESIDENTS, chance.randrange(3)),
            source=chance.choice(SOURCES),
            opened_on=at(day + chance.randrange(4)).date(),
            within=chance.random() < 0.7,
        )
        for _ in range(15)
    ]


@pytest.mark.parametrize("seed", range(12))
def test_a_queue_is_scored_as_the_foreign_judge_scores_it(seed: int, tmp_path: Path) -> None:
    chance = Random(seed)  # noqa: S311 - repeatable, not secret
    labels, entries = chance_labels(chance), chance_entries(chance)
    rows = [
        {
            "id": one.id,
            "kind": one.story.kind,
            "trap": one.story.trap,
            "hard": one.story.hard,
            "actors": one.actors,
            "sources": one.sources,
            "subjects": one.subjects,
            "from": one.first.isoformat(),
            "to": one.last.isoformat(),
            "event_ids": [],
        }
        for one in labels
    ]
    (tmp_path / "labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "tax.jsonl").write_text('{"time":"2026-10-05T09:00:00+09:00"}\n')
    cases = [
        {
            "id": f"c{number}",
            "rank": 1 if one.within else 9,
            "actors": sorted(one.actors),
            "subjects": sorted(one.subjects),
            "source": one.source,
            "window": {"from": one.start.isoformat(), "to": one.end.isoformat()},
            "opened_on": one.opened_on.isoformat(),
        }
        for number, one in enumerate(entries)
    ]
    theirs, ours = judge(tmp_path, cases, staff=50), score(entries, labels, days=20)
    assert {kind: (share.hits, share.of) for kind, share in ours.kinds.items()} == theirs.kinds
    assert (ours.recall.hits, ours.recall.of) == theirs.recall
    assert (ours.hard.hits, ours.hard.of) == theirs.hard
    assert (ours.precision.hits, ours.precision.of) == theirs.precision
    assert (ours.traps.hits, ours.traps.of) == theirs.trapped
    assert list(ours.delays) == theirs.delays


def test_reviewing_takes_five_minutes_a_case() -> None:
    labels = [label("a-1", ["s1"], at(0, 9), at(0, 10)), label("a-2", ["s2"], at(1, 9), at(1, 10))]
    scored = score([entry(["s1"]), entry(["s3"]), entry(["s4"], within=False)], labels, days=4)
    assert (scored.per_hour, scored.cases_a_day) == (6, 0.5)
    assert scored.missed == ("a-2",)
    nothing = score([], labels, days=4)
    assert (nothing.per_hour, nothing.precision.value, nothing.recall.value) == (0, None, 0)


def test_intervals_are_wilson_s() -> None:
    assert [round(one, 3) for one in Share(8, 10).interval] == [0.49, 0.943]
    assert Share(0, 0).interval == (0.0, 1.0)


def look(actor: str, subject: str, result: str) -> LookUp:
    moment = at(0, 9)
    return LookUp(
        MONDAY, actor, "staff", "unit", "tax", subject, "h", moment, moment, 1, 0, 0, False, (), 0, 1, (), "", "e",
        1, 1, result, "", "",
    )  # fmt: skip


def test_matching_tells_honest_look_ups_from_planted_ones() -> None:
    labels = [
        label("a-1", ["s1"], at(0, 9), at(0, 10), looks=[(MONDAY, "s1", "tax", "r1")]),
        label("b-1", ["s2"], at(0, 9), at(0, 10), trap=True, looks=[(MONDAY, "s2", "tax", "r1")]),
    ]
    rows = [look("s1", "r1", "unmatched"), look("s1", "r2", "matched"), look("s2", "r1", "contradicted")]
    found = matching(rows, labels)
    assert (found.honest, found.planted) == (Share(1, 2), Share(0, 1))


def person_days() -> dict[tuple[str, date], dict[str, float]]:
    """Ten people's usual fortnight; on its last day s1 looks at ten times as many, s2 stays late."""
    usual = {"events": 30.0, "subjects": 10.0, "look_ups": 12.0, "changes": 3.0, "outputs": 1.0, "outside": 0.0}
    days = {
        (f"s{n}", MONDAY + timedelta(days=day)): {**usual, "subjects": 10.0 + (n + day) % 3, "sources": 2.0}
        for n in range(10)
        for day in range(12)
    }
    last = MONDAY + timedelta(days=11)
    days["s1", last] |= {"events": 300.0, "subjects": 100.0, "look_ups": 120.0}
    days["s2", last] |= {"outside": 12.0}
    return days


def test_the_baselines_find_what_they_look_at() -> None:
    days, last = person_days(), MONDAY + timedelta(days=11)
    assert clock_rules(days) == {("s2", last): 12.0}
    assert three_sigma(days).keys() == {("s1", last)}
    forest = isolation_forest(days)
    assert forest == isolation_forest(days)
    assert max(forest, key=lambda key: forest[key]) == ("s1", last)
    assert isolation_forest({}) == {}


def test_a_baseline_s_queue_is_cut_to_the_same_budget() -> None:
    odd = {("s1", MONDAY): 3.0, ("s2", MONDAY): 5.0, ("s3", MONDAY): 4.0}
    queue = list(queue_of(odd, lambda _day: 2))
    assert [sorted(one.actors) for one in queue] == [["s2"], ["s3"]]
    assert {(one.opened_on, one.start, one.within) for one in queue} == {(MONDAY, at(0), True)}


def card(queue: QueueScore) -> Scorecard:
    return Scorecard({"seed": 1}, queue, queue, matching([], []), [], {"clock rules": queue}, [])


def test_floors_are_missed_from_the_right_side() -> None:
    labels = [label("a-1", ["s1"], at(0, 9), at(0, 10)), label("b-2", ["s2"], at(1, 9), at(1, 10))]
    labels.append(label("t-1", ["s3"], at(0, 9), at(0, 10), trap=True))
    scored = card(score([entry(["s1"]), entry(["s3"])], labels, days=4))
    assert misses(scored, {"recall": 0.5, "precision": 0.5, "traps": 1.0, "days": 0}) == []
    assert misses(scored, {"recall": 0.6, "kind": 0.1, "traps": 0.5, "honest": 0.0}) == [
        "recall: 0.500, at least 0.6",
        "kind: 0.000, at least 0.1",
        "traps: 1.000, at most 0.5",
        "honest: -, at least 0",
    ]
    assert json.loads(json.dumps(as_document(scored)))["queue"]["recall"]["value"] == 0.5
    assert "| recall at budget | 0.500 [0.095, 0.905] (1/2) |" in as_markdown(scored)


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*MIMAMORI, *words], capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.slow
def test_a_tiny_town_is_simulated_judged_ranked_and_scored(tmp_path: Path) -> None:
    done = run(
        *("--data", str(tmp_path / "data"), "--json", "lab", "run", "--staff", "12", "--days", "8", "--seed", "3"),
        *(
            "--scenario",
            "sunday-visit",
            "--out",
            str(tmp_path / "out"),
            "--floor",
            "recall=1",
            "--floor",
            "precision=1.1",
        ),
    )
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)
    assert found["queue"]["kinds"] == {"sunday-visit": found["queue"]["recall"]}
    assert found["queue"]["recall"]["hits"] == found["unlimited"]["recall"]["hits"] == 1
    assert found["queue"]["days_to_detect"] == [0]
    assert [line.partition(":")[0] for line in found["floors_missed"]] == ["precision"]
    assert found["lookups"]["honest_matched"]["value"] > 0.9
    assert set(found["baselines"]) == {"clock rules", "3-sigma volume", "IsolationForest"}
    by_id = {one["detector"]: one for one in found["detectors"]}
    assert by_id["off-hours-access"]["found"] == ["plot-sunday-visit"]
    saved = tmp_path / "out" / "sunday-visit-12-8-3"
    assert json.loads(saved.with_suffix(".json").read_text("utf-8"))["queue"] == found["queue"]
    assert saved.with_suffix(".md").read_text("utf-8").startswith("# Scorecard")
    assert not (tmp_path / "data").exists(), "the town lived in a folder that is gone"


@pytest.mark.parametrize(
    "words",
    [
        ("run", "--scenario", "nonsense"),
        ("run", "--floor", "nonsense=1"),
        ("run", "--floor", "recall=x"),
        ("run", "--staff", "0"),
        ("run", "card.json"),
        ("fit",),
        ("fit", "nowhere.json"),
    ],
)
def test_what_does_not_exist_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    try:
        assert main(["--data", str(tmp_path), "lab", *words]) == 2
    finally:
        structlog.reset_defaults()
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.strip()


def test_weights_are_fitted_on_saved_scorecards(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    findings = [{"id": f"f-{n}", "detector": "own-record", "score": 0.6, "true": n == 0} for n in range(9)]
    town = {"scenario": "all", "staff": 60, "days": 60, "seed": 4}
    card_of = {"town": town, "episodes": [{"true": one["true"], "findings": [one]} for one in findings]}
    (tmp_path / "card.json").write_text(json.dumps(card_of))
    try:
        assert main(["lab", "fit", str(tmp_path / "card.json")]) == 0
    finally:
        structlog.reset_defaults()
    printed = capsys.readouterr().out
    assert 'towns = [\n  "all of 60 staff, 60 days, seed 4",\n]' in printed
    assert 0.25 <= load_weights(printed).weight("own-record") < 1
