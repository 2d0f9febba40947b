"""The simulated town, read back from the files it wrote: nothing here looks at the simulator's own values."""

import json
import re
from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import jpholiday
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lab_reading import START, Read, everything, read_events, read_feed, read_labels, within

from audit.clock import TOKYO
from detectors.lab import Town, TownFiles, simulate
from detectors.lab.systems import SYSTEMS

SERVICES = {"batch_atena", "batch_renkei", "root"}
TYPED_BY_INTRUDERS = {"admin", "test", "oracle", "postgres", "backup"}
KINDS = {
    "night-without-overtime": False,
    "sunday-visit": False,
    "holiday-visit": False,
    "look-up-spree": False,
    "quiet-spree": False,
    "ssh-guessing": False,
    "account-guessing": False,
    "leave-day": False,
    "approved-overtime": True,
    "weekend-counter": True,
    "evening-shift": True,
    "forgotten-password": True,
    "busy-week": True,
    "maintenance-night": True,
    "list-work": True,
    "colleague-as-client": True,
    "vip-application": True,
    "colleagues-records": False,
    "celebrity-curiosity": False,
    "export-without-approval": False,
    "stalked-resident": False,
    "ex-partner": False,
    "private-medium": False,
    "contractor-dump": False,
    "self-granted": False,
    "family-record": False,
    "silent-source": False,
}


def test_same_arguments_same_bytes_other_seed_other_town(files: TownFiles, tmp_path: Path) -> None:
    again = simulate(staff=60, days=30, start=START, seed=1).write(tmp_path / "again")
    other = simulate(staff=60, days=30, start=START, seed=2).write(tmp_path / "other")
    settled = {"policies.csv", "terminals.csv"}  # the same house, whoever works in it
    for one, same, different in zip(everything(files), everything(again), everything(other), strict=True):
        assert one.read_bytes() == same.read_bytes(), one
        assert one.name in settled or one.read_bytes() != different.read_bytes(), one


def test_a_month_of_sixty_staff_has_the_stated_size(files: TownFiles) -> None:
    lines = sum(len(path.read_bytes().splitlines()) for _, path in files.logs)
    assert 40_000 <= lines <= 60_000


def test_every_staff_id_in_the_logs_is_in_the_staff_feed(files: TownFiles, events: list[Read]) -> None:
    staff = {row["staff_id"] for row in read_feed(files, "staff")}
    assert len(staff) == 62
    assert {event.actor for event in events} - staff == SERVICES | TYPED_BY_INTRUDERS
    assert all(re.fullmatch(r"[sc]\d{4}", person) for person in staff)
    assert {row["manager_id"] for row in read_feed(files, "staff")} <= staff | {""}


def test_feeds_have_the_contract_s_columns(files: TownFiles) -> None:
    heads = {kind: path.read_text("utf-8").splitlines()[0] for kind, path in files.feeds.items()}
    assert heads == {
        "subjects": "subject_id,household_id,address_key,name_key,former_name_key,flags",
        "cases": "case_id,source,subject_id,org_unit,assignee,kind,opened_at,closed_at",
        "policies": "source,valid_from,require",
        "terminals": "terminal_id,org_unit,site,kind,ip_range",
        "staff": "staff_id,name,kana,org_unit,post,role,employment,manager_id,valid_from,valid_to,subject_id",
        "roster": "staff_id,start,end,kind,approved_by",
        "calendar": "date,org_unit,kind,opens,closes,note",
        "approvals": "approval_id,kind,staff_id,approved_by,source,valid_from,valid_to,max_rows,medium_id,note",
    }
    assert {row["kind"] for row in read_feed(files, "approvals")} == {"time_window", "export", "print", "media"}
    assert {row["kind"] for row in read_feed(files, "roster")} == {"shift", "overtime", "leave", "training"}
    assert {row["kind"] for row in read_feed(files, "calendar")} == {"open", "busy"}


def test_a_whole_month_plants_every_story_once_and_casts_nobody_twice(files: TownFiles) -> None:
    labels = read_labels(files)
    assert {label["kind"]: label["trap"] for label in labels} == KINDS
    assert len({label["id"] for label in labels}) == len(KINDS)
    # The whole counter has Sunday duty; whoever works there may have a story of another day.
    lone = Counter(label["actors"][0] for label in labels if len(label["actors"]) == 1)
    assert set(lone.values()) == {1}
    for label in labels:
        assert bool(label["detectors"]) != label["trap"]
        assert label["story_ja"]
        assert label["story_en"]
        assert label["story_en"].isascii()


def test_labels_match_events_in_the_files(files: TownFiles, events: list[Read]) -> None:
    for label in read_labels(files):
        own = [event for event in events if within(label, event)]
        assert {event.actor for event in own} == set(label["actors"]), label["id"]
        assert set(label["subjects"]) <= {subject for event in own for subject in event.subjects}, label["id"]
        looked = {
            (event.at.date().isoformat(), event.actor, event.source, subject)
            for event in own
            for subject in event.subjects
        }
        assert {tuple(look) for look in label["looks"]} <= looked
        assert bool(label["looks"]) <= (not label["trap"])


def _accounted(files: TownFiles, grace: timedelta) -> Any:
    """A second, slow reading of DESIGN 4.4: when the feeds say that a person works."""
    roster, approvals = defaultdict(list), defaultdict(list)
    for row in read_feed(files, "roster"):
        span = datetime.fromisoformat(row["start"]), datetime.fromisoformat(row["end"])
        roster[row["staff_id"]].append((row["kind"], *span))
    for row in read_feed(files, "approvals"):
        span = datetime.fromisoformat(row["valid_from"]), datetime.fromisoformat(row["valid_to"])
        approvals[row["staff_id"], row["source"]].append(span)
    units = {row["staff_id"]: row["org_unit"] for row in read_feed(files, "staff")}
    contractors = {row["staff_id"] for row in read_feed(files, "staff") if row["employment"] == "contractor"}
    opened = {(r["date"], r["org_unit"]): r for r in read_feed(files, "calendar") if r["kind"] == "open"}

    def accounted(event: Read) -> bool:
        at = event.at.astimezone(TOKYO)
        rows = roster[event.actor]
        covering = {kind for kind, start, end in rows if start - grace <= at <= end + grace}
        if any(kind == "leave" and start <= at < end and end - start >= timedelta(days=1) for kind, start, end in rows):
            return False
        if covering & {"shift", "overtime", "standby"}:
            return True
        if any(start - grace <= at <= end + grace for start, end in approvals[event.actor, event.source]):
            return True
        if any(kind == "shift" and start.date() == at.date() for kind, start, _ in rows):
            return False
        if event.actor in contractors:
            return False  # they come when the roster says so
        opens, closes = "08:30", "17:15"
        if row := opened.get((str(at.date()), units[event.actor])):
            opens, closes = row["opens"], row["closes"]
        elif at.weekday() >= 5 or jpholiday.is_holiday(at.date()) or (at.month, at.day) > (12, 28):
            return False
        day = str(at.date())
        first, last = (datetime.fromisoformat(f"{day}T{clock}+09:00") for clock in (opens, closes))
        return first - grace <= at <= last + grace

    return accounted


def test_the_feeds_account_for_all_work_but_the_off_hours_incidents(files: TownFiles, events: list[Read]) -> None:
    accounted = _accounted(files, timedelta(minutes=25))
    staff = {row["staff_id"] for row in read_feed(files, "staff")}
    wrong = [event for event in events if event.actor in staff and not accounted(event)]
    planted = [label for label in read_labels(files) if "off-hours-access" in label["detectors"]]
    assert len(planted) == 5
    for label in planted:
        assert any(within(label, event) for event in wrong), label["id"]
    assert [event for event in wrong if not any(within(label, event) for label in planted)] == []


def _volumes(events: list[Read]) -> dict[str, dict[date, int]]:
    seen: dict[str, dict[date, set[str]]] = defaultdict(lambda: defaultdict(set))
    for event in events:
        if event.what == "view":
            seen[event.actor][event.at.astimezone(TOKYO).date()].update(event.subjects)
    return {actor: {day: len(s) for day, s in days.items()} for actor, days in seen.items()}


def test_sprees_stand_out_from_the_own_past_and_ordinary_days_do_not(files: TownFiles, events: list[Read]) -> None:
    volumes = _volumes(events)
    about = [x for x in read_labels(files) if "look-up-volume" in x["detectors"] + x["tempts"]]
    labelled = {actor: label for label in about for actor in label["actors"]}
    for actor, days in volumes.items():
        usual = median(days.values())
        label = labelled.get(actor)
        span = range(0)
        if label:
            first, last = (datetime.fromisoformat(label[key]).date().toordinal() for key in ("from", "to"))
            span = range(first, last + 1)
            there = max(count for day, count in days.items() if day.toordinal() in span)
            low, high = {"busy-week": (1.5, 3.5), "quiet-spree": (2.5, 6)}.get(label["kind"], (4, 100))
            assert low <= there / usual <= high, (label["id"], there, usual)
        elsewhere = [count for day, count in days.items() if day.toordinal() not in span]
        assert max(elsewhere) <= 2 * usual + 8, (actor, usual)


def test_guessing_is_a_burst_of_failures_and_then_success(files: TownFiles, events: list[Read]) -> None:
    labels = {label["kind"]: label for label in read_labels(files)}
    for kind, low, high in (
        ("ssh-guessing", 14, 14),
        ("account-guessing", 8, 8),
        ("forgotten-password", 2, 3),
    ):
        tries = [event.good for event in events if within(labels[kind], event) and event.what == "login"]
        assert low <= len(tries) - 1 <= high
        assert tries == [False] * (len(tries) - 1) + [True]
    runs: Counter[tuple[str, str, date]] = Counter()
    for event in events:
        planted = any(within(labels[kind], event) for kind in ("ssh-guessing", "account-guessing"))
        if event.what == "login" and not event.good and not planted and event.actor not in TYPED_BY_INTRUDERS:
            runs[event.source, event.actor, event.at.date()] += 1
    assert max(runs.values()) <= 4


def test_every_session_begins_with_a_sign_in(town: Town) -> None:
    sessions = defaultdict(list)
    for act in town.acts:
        sessions[act.system, act.session].append(act)
    left = 0
    silent = {trouble.source for trouble in town.stage.troubles}
    for (system, _), acts in sessions.items():
        if system in silent or not SYSTEMS[system].require or acts[0].actor in {"root", "batch_renkei"}:
            continue
        assert acts[0].activity == "login"
        entered = [act for act in acts if act.activity == "login" and act.outcome == "success"]
        assert len({act.actor for act in acts}) == 1
        if entered:
            left += acts[-1].activity != "logout"
            assert all(act.at > entered[0].at for act in acts if act.activity != "login")
        else:
            assert {act.activity for act in acts} == {"login"}
    assert 0 < left < 0.03 * len(sessions)  # now and then somebody forgets to sign out


def test_planting_changes_only_what_it_touches(town: Town) -> None:
    plain = simulate(staff=60, days=30, start=START, seed=1, incidents=False)
    assert plain.labels == ()
    assert set(plain.stage.approvals) < set(town.stage.approvals)
    cast = {actor for label in town.labels for actor in label.actors}
    # The superior looks into a few of the cases that a plot brought.
    chiefs = {person.manager for person in town.stage.people}
    bystanders = {person.id for person in town.stage.people} - cast - chiefs
    assert len(bystanders) > 15
    silent = {trouble.source for trouble in town.stage.troubles}
    one, other = (
        [act for act in t.acts if act.actor in bystanders and act.system not in silent] for t in (town, plain)
    )
    assert one == other


def test_quirks_of_the_real_systems_are_there(files: TownFiles) -> None:
    logs = dict(files.logs)
    rows = logs["resident-register"].read_bytes().decode("cp932", "strict").splitlines()
    assert rows[0] == "処理日時,職員番号,所属,端末番号,操作画面,アクセス区分,宛名番号,検索区分,件数,結果"
    assert any(re.match(r"令和8年10月\d+日 \d+時\d\d分\d\d秒,", row) and row[2].isascii() for row in rows)
    assert any(row.startswith("令和８年１０月") for row in rows)
    assert any(one == two for one, two in pairwise(rows))
    assert any(";" in row for row in rows)
    atena = logs["atena"].read_text("utf-8")
    assert "\n\tFROM public.juki_delta" in atena
    numbers = [json.loads(line)["sequence"] for line in logs["nhi-eligibility"].read_text("utf-8").splitlines()]
    assert numbers == list(range(1, len(numbers) + 1))


def _numbers_like_my_number(files: TownFiles) -> list[str]:
    register = dict(files.logs)["resident-register"]
    texts = (path.read_bytes().decode("cp932" if path == register else "utf-8", "strict") for path in everything(files))
    # In Python \d is any digit, full-width ones too.
    return [number for text in texts for number in re.findall(r"(?<!\d)\d{12}(?!\d)", text)]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    staff=st.integers(5, 40),
    days=st.integers(3, 10),
    seed=st.integers(0, 10**6),
    start=st.dates(date(2024, 1, 1), date(2028, 12, 31)),
)
def test_any_small_town_holds_together(tmp_path: Path, staff: int, days: int, seed: int, start: date) -> None:
    town = simulate(staff=staff, days=days, start=start, seed=seed)
    files = town.write(tmp_path)
    events = read_events(files, start)
    people = {row["staff_id"] for row in read_feed(files, "staff")}
    assert len(people) >= staff + (2 if staff >= 20 else 1)  # some join
    assert {event.actor for event in events} <= people | SERVICES | TYPED_BY_INTRUDERS
    for event in events:
        day = event.at.astimezone(TOKYO).date()
        assert start <= day < start + timedelta(days=days)
    for label in read_labels(files):
        own = [event for event in events if within(label, event)]
        assert {event.actor for event in own} == set(label["actors"]), label["id"]
    accounted = _accounted(files, timedelta(minutes=25))
    planted = [label for label in read_labels(files) if "off-hours-access" in label["detectors"]]
    for event in events:
        if event.actor in people and not any(within(label, event) for label in planted):
            assert accounted(event), event
    assert _numbers_like_my_number(files) == []


def test_no_number_in_the_month_has_the_length_of_a_my_number(files: TownFiles) -> None:
    assert _numbers_like_my_number(files) == []
