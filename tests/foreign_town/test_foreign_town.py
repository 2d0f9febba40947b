"""The foreign town keeps the contract, and its judge judges by the rules that it states."""

import hashlib
import json
from collections import defaultdict
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import foreign_leaks
import foreign_traps
import pytest
from foreign_judge import judge, pool, table, truth, wilson
from foreign_leaks import KINDS as LEAKS
from foreign_leaks import LOGS
from foreign_misuse import KINDS as MISUSE
from foreign_peeping import KINDS as PEEPING
from foreign_plot import Missing, Plot
from foreign_styles import style_of
from foreign_town import FEEDS, build

from audit.clock import TOKYO
from audit.context import FEEDS as READ
from audit.context import ContextService, FeedRow, read_rows
from audit.events import LOOKUPS, check
from audit.store.state import StateStore

STAFF, DAYS = 100, 60
NOW = datetime(2026, 11, 21, tzinfo=TOKYO)
A_DAY, A_WEEK = timedelta(days=1), timedelta(days=7)
SEEDS = (1, 2, 3)


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    folder = tmp_path_factory.mktemp("towns")
    return {seed: build(seed, folder / str(seed), staff=STAFF, days=DAYS) for seed in SEEDS}


@pytest.fixture(params=SEEDS)
def town(request: pytest.FixtureRequest, towns: dict[int, Path]) -> Path:
    return towns[request.param]


def labels(town: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (town / "labels.jsonl").read_text().splitlines()]


def feed(town: Path, kind: str) -> list[FeedRow]:
    return read_rows(kind, (town / "feeds" / f"{kind}.csv").read_bytes())


@cache
def events(town: Path) -> dict[str, dict[str, Any]]:
    """Every event of a town, by `source:event_id`."""
    found = {}
    for log in sorted((town / "logs").glob("*.jsonl")):
        for line in log.read_text().splitlines():
            event = json.loads(line)
            found[f"{log.stem}:{event['event_id']}"] = event
    return found


def digest(town: Path) -> str:
    total = hashlib.sha256()
    for path in sorted(one for one in town.rglob("*") if one.is_file()):
        total.update(path.relative_to(town).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def test_seeds_go_through_three_styles_of_town() -> None:
    assert [style_of(seed).name for seed in (1, 2, 3, 4)] == ["rural", "city", "ward", "rural"]


@pytest.mark.parametrize("kind", FEEDS)
def test_every_feed_is_taken_by_the_reader(town: Path, kind: str) -> None:
    assert set(FEEDS[kind].split()) == set(READ[kind])
    assert feed(town, kind)


def test_every_event_is_valid_and_has_an_id_of_its_own(town: Path) -> None:
    found = events(town)
    named = {one for label in labels(town) for one in label["event_ids"]}
    faults = [
        (name, checked.faults)
        for number, (name, event) in enumerate(found.items())
        if number % 4 == 0 or name in named
        if (checked := check(event, NOW)).faults or checked.masked or "unmapped" in checked.columns
    ]
    assert faults == []
    assert len({event["event_id"] for event in found.values()}) == len(found)


def test_labels_name_events_people_and_residents_that_exist(town: Path) -> None:
    found = events(town)
    staff = {row["staff_id"] for row in feed(town, "staff")}
    residents = {row["subject_id"] for row in feed(town, "subjects")}
    days = {event["time"][:10] for event in found.values()}
    for label in labels(town):
        assert set(label["actors"]) <= staff
        assert set(label["subjects"]) <= residents
        assert datetime.fromisoformat(label["from"]) <= datetime.fromisoformat(label["to"])
        assert {label["from"][:10], label["to"][:10]} <= days
        assert label["actors"] or label["sources"]
        assert label["event_ids"] or label["kind"] in {"source_silent", "sequence_gap", "clock_skew"}
        by = {found[name]["actor"].get("id") for name in label["event_ids"]}
        assert label["trap"] or by <= {*label["actors"], None}
    assert len({label["id"] for label in labels(town)}) == len(labels(town))


def test_every_kind_of_incident_and_of_trap_is_there(town: Path) -> None:
    incidents = {label["kind"] for label in labels(town) if not label["trap"]}
    traps = {label["kind"] for label in labels(town) if label["trap"]}
    assert len(incidents) == len((*PEEPING, *MISUSE, *LEAKS, *LOGS)) >= 30
    assert len(traps) == len(foreign_traps.TRAPS) >= 15
    assert any(label["hard"] for label in labels(town))


def test_a_seed_gives_the_same_town_again_and_another_seed_another(towns: dict[int, Path], tmp_path: Path) -> None:
    again = build(1, tmp_path / "again", staff=STAFF, days=DAYS)
    other = build(4, tmp_path / "other", staff=STAFF, days=DAYS)
    assert digest(again) == digest(towns[1]) != digest(other)


def test_casework_accounts_for_nearly_all_honest_look_ups_and_for_no_planted_one(town: Path) -> None:
    """The contract's own rule (DESIGN 4.4), applied to every look-up, is the best that matching can do."""
    household = {row["subject_id"]: row["household_id"] for row in feed(town, "subjects")}
    spans: dict[str, list[tuple[str, datetime, datetime]]] = defaultdict(list)
    for row in feed(town, "cases"):
        closed = row["closed_at"] or NOW
        spans[household[row["subject_id"]]].append((row["org_unit"], row["opened_at"] - A_DAY, closed + A_WEEK))
    units: dict[str, list[FeedRow]] = defaultdict(list)
    for row in feed(town, "staff"):
        units[row["staff_id"]].append(row)
    windows: dict[str, list[FeedRow]] = defaultdict(list)
    for row in feed(town, "approvals"):
        if row["kind"] == "time_window":
            windows[row["staff_id"]].append(row)

    def accounted(actor: str, source: str, subject: str, at: datetime) -> bool:
        if any(one["source"] in {"", source} and one["valid_from"] <= at < one["valid_to"] for one in windows[actor]):
            return True
        mine = [
            row["org_unit"]
            for row in units[actor]
            if (row["valid_from"] is None or row["valid_from"] <= at)
            and (row["valid_to"] is None or at < row["valid_to"])
        ]
        return any(
            first <= at <= last
            and any(f"{one}/".startswith(f"{unit}/") or f"{unit}/".startswith(f"{one}/") for one in mine)
            for unit, first, last in spans[household[subject]]
        )

    honest, planted = truth(town, [label for label in labels(town) if not label["trap"]])
    matched = set()
    for name, event in events(town).items():
        actor, source, at = event["actor"].get("id"), name.partition(":")[0], datetime.fromisoformat(event["time"])
        if actor and event["activity"] in LOOKUPS:
            day = at.astimezone(TOKYO).date().isoformat()
            matched |= {
                (day, actor, source, one) for one in event.get("subjects", ()) if accounted(actor, source, one, at)
            }
    assert 0.96 <= len(honest & matched) / len(honest) <= 0.985
    assert planted
    assert not planted & matched


def test_honest_work_keeps_the_hours_that_roster_and_calendar_give(town: Path, tmp_path: Path) -> None:
    """Sign-ins some minutes early and last steps some minutes late are part of life; nothing else is."""
    state = StateStore(f"sqlite:///{tmp_path / 'state.db'}")
    state.create_tables()
    service = ContextService(state)
    for kind in ("staff", "roster", "calendar", "approvals"):
        service.import_feed(kind, (town / "feeds" / f"{kind}.csv").read_bytes())
    work = service.over(NOW - timedelta(days=400), NOW)
    state.close()
    wrong = {one for label in labels(town) if not label["trap"] for one in label["event_ids"]}
    early, late = timedelta(minutes=13), timedelta(minutes=20)
    outside = []
    for name, event in events(town).items():
        person, at = event["actor"].get("id"), datetime.fromisoformat(event["time"])
        if person is None or name in wrong:
            continue
        spans = work.working(person, work.unit_of(person, at), at.astimezone(TOKYO).date())
        there = any(span.start - early <= at < span.end + late for span in spans)
        if work.on_leave(person, at) or not (there or work.window_at(person, name.partition(":")[0], at)):
            outside.append((name, event["time"], person))
    assert outside == []


def test_surnames_are_as_skewed_as_in_japan(town: Path) -> None:
    names = [row["name_key"] for row in feed(town, "subjects")]
    commonest = max(names.count(one) for one in {names[n] for n in range(0, len(names), 3)})
    assert 0.008 <= commonest / len(names) <= 0.025


def test_a_town_too_small_for_a_kind_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def nobody(_plot: Plot, _hard: bool) -> None:
        raise Missing

    monkeypatch.setattr(foreign_leaks, "LOGS", (nobody,))
    with pytest.raises(Missing, match="nobody: no room"):
        build(1, tmp_path, staff=STAFF, days=DAYS)


# The judge -----------------------------------------------------------------------------------------------------


def small_town(folder: Path) -> Path:
    """Two incidents and a trap, by hand: s1 peeped on Monday 5 October, a log was silent, s3 worked through a list."""
    (folder / "logs").mkdir(parents=True)
    (folder / "feeds").mkdir()
    (folder / "feeds" / "staff.csv").write_text("staff_id\n" + "".join(f"s{n}\n" for n in range(50)))

    def label(name: str, hour: int, **more: Any) -> dict[str, Any]:
        span = {"from": f"2026-10-05T{hour:02}:00:00+09:00", "to": f"2026-10-05T{hour:02}:30:00+09:00"}
        empty = {"trap": False, "actors": [], "subjects": [], "event_ids": [], "hard": False, "sources": []}
        return {"id": name, "kind": name, **empty, **span, **more}

    listed = [
        label("peep", 10, actors=["s1"], subjects=["r1"], event_ids=["tax:e1"]),
        label("silent", 13, sources=["tax"], hard=True),
        label("list", 9, trap=True, actors=["s3"], subjects=["r3"], event_ids=["tax:e3"]),
    ]
    (folder / "labels.jsonl").write_text("".join(json.dumps(one) + "\n" for one in listed))
    looked = [("e1", 10, "s1", "r1"), ("e2", 11, "s1", "r2"), ("e3", 9, "s3", "r3"), ("e4", 16, "s4", "r4")]
    (folder / "logs" / "tax.jsonl").write_text(
        "".join(
            json.dumps(
                {
                    "time": f"2026-10-05T{hour:02}:10:00+09:00",
                    "event_id": name,
                    "activity": "view",
                    "outcome": "success",
                    "actor": {"id": actor},
                    "subjects": [subject],
                }
            )
            + "\n"
            for name, hour, actor, subject in looked
        )
    )
    return folder


def case(number: int, actors: list[str], **more: Any) -> dict[str, Any]:
    window = {"from": "2026-10-05T00:00:00+09:00", "to": "2026-10-06T00:00:00+09:00"}
    rest = {"rank": 1, "subjects": [], "source": "", "window": window, "opened_on": "2026-10-06"}
    return {"id": f"c{number}", "actors": actors, **rest, **more}


def test_a_perfect_queue_finds_everything_and_flags_nothing(tmp_path: Path) -> None:
    scores = judge(small_town(tmp_path), [case(1, ["s1"]), case(2, [], source="tax", opened_on="2026-10-05")])
    assert (scores.recall, scores.hard, scores.precision, scores.trapped) == ((2, 2), (1, 1), (2, 2), (0, 1))
    assert sorted(scores.delays) == [0, 1]
    assert scores.missed == []


def test_only_the_ranks_within_the_budget_count(tmp_path: Path) -> None:
    town = small_town(tmp_path)
    assert judge(town, [case(1, ["s1"], rank=2)]).recall == (0, 2)  # 20 a day per 1,000 are one of 50
    assert judge(town, [case(1, ["s1"], rank=2)], staff=51).recall == (1, 2)


def test_a_case_on_another_day_or_about_another_person_finds_nothing(tmp_path: Path) -> None:
    early = {"from": "2026-10-01T00:00:00+09:00", "to": "2026-10-02T00:00:00+09:00"}
    scores = judge(
        small_town(tmp_path), [case(1, ["s1"], window=early), case(2, ["s2"]), case(3, ["s9"], source="tax")]
    )
    assert (scores.recall, scores.precision) == ((0, 2), (0, 3))


def test_a_trap_is_flagged_by_its_actor_unless_the_case_is_about_other_residents(tmp_path: Path) -> None:
    town = small_town(tmp_path)
    assert judge(town, [case(1, ["s3"])]).trapped == (1, 1)
    assert judge(town, [case(1, ["s3"], subjects=["r3", "r7"])]).flagged == ["list list by c1"]
    assert judge(town, [case(1, ["s3"], subjects=["r7"])]).trapped == (0, 1)


def test_matching_is_scored_by_rows_that_are_wholly_honest_or_wholly_planted(tmp_path: Path) -> None:
    rows = [
        {"day": "2026-10-05", "actor": actor, "source": "tax", "subject": subject, "result": result}
        for actor, subject, result in (
            ("s1", "r1", "unmatched"),
            ("s1", "r2", "matched"),
            ("s3", "r3", "matched"),
            ("s4", "r4", "contradicted"),
        )
    ]
    scores = judge(small_town(tmp_path), [], lookups=rows)
    assert (scores.honest_matched, scores.planted_matched) == ((2, 3), (0, 1))


def test_towns_are_pooled_and_shown(tmp_path: Path) -> None:
    one = judge(small_town(tmp_path / "one"), [case(1, ["s1"])])
    other = judge(small_town(tmp_path / "other"), [])
    both = pool([one, other])
    assert (both.recall, both.kinds["peep"], both.precision) == ((1, 4), (1, 2), (1, 1))
    shown = table(both)
    assert "recall                       0.250 [0.046, 0.699] 1 of 4 >= 0.95" in shown
    assert "honest look-ups matched      not measured" in shown
    assert "kinds below 0.8: 2 of 2" in shown


def test_wilson_intervals_are_those_of_the_books() -> None:
    assert [round(one, 3) for one in wilson((8, 10))] == [0.49, 0.943]
    assert wilson((0, 0)) == (0.0, 1.0)
