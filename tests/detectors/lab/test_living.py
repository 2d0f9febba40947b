"""The town lives by casework: what the feeds say and what the logs say fit together, read from the files alone."""

import json
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lab_reading import read_events, read_feed, read_labels

from audit.context.feeds import FEEDS, read_rows
from audit.events import check
from detectors.lab import Town, TownFiles, simulate

RECEIVED = datetime(2027, 6, 1, tzinfo=UTC)
LOOKS = {"view", "print", "screen_copy", "inquiry", "answer"}


def read_docs(files: TownFiles) -> list[tuple[str, dict[str, Any]]]:
    return [(source, json.loads(line)) for source, path in files.logs for line in path.read_text("utf-8").splitlines()]


def planted(files: TownFiles) -> set[tuple[str, str, str, str]]:
    return {tuple(look) for label in read_labels(files) for look in label["looks"]}


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


class Accounts:
    """DESIGN 4.4, read slowly: a case accounts for look-ups of that person and the household by its unit."""

    def __init__(self, files: TownFiles) -> None:
        self.home = {row["subject_id"]: row["household_id"] for row in read_feed(files, "subjects")}
        self.cases = defaultdict(list)
        for row in read_feed(files, "cases"):
            closed = moment(row["closed_at"]) + timedelta(days=7) if row["closed_at"] else RECEIVED
            span = moment(row["opened_at"]) - timedelta(days=1), closed
            self.cases[self.home[row["subject_id"]], row["org_unit"]].append(span)
        self.windows = defaultdict(list)
        for row in read_feed(files, "approvals"):
            if row["kind"] == "time_window":
                self.windows[row["staff_id"]].append((moment(row["valid_from"]), moment(row["valid_to"])))

    def accounted(self, at: datetime, actor: str, unit: str, subject: str) -> bool:
        spans = self.cases[self.home[subject], unit] + self.windows[actor]
        return any(start <= at <= end for start, end in spans)


def share_accounted(files: TownFiles) -> tuple[float, float]:
    """The share of honest look-ups and of planted ones that the feeds account for."""
    accounts, plants = Accounts(files), planted(files)
    honest: set[tuple[str, ...]] = set()
    wrong: set[tuple[str, ...]] = set()
    fine: set[tuple[str, ...]] = set()
    for source, doc in read_docs(files):
        if doc["activity"] not in LOOKS or "subjects" not in doc:
            continue
        at, actor = moment(doc["time"]), doc["actor"]
        for subject in doc["subjects"]:
            key = (at.date().isoformat(), actor["id"], source, subject)
            (wrong if key in plants else honest).add(key)
            if accounts.accounted(at, actor["id"], actor["org_unit"], subject):
                fine.add(key)
    return len(honest & fine) / len(honest), len(wrong & fine) / max(1, len(wrong))


def test_casework_accounts_for_96_to_98_of_a_hundred_honest_look_ups(plain_files: TownFiles) -> None:
    honest, wrong = share_accounted(plain_files)
    assert 0.96 <= honest <= 0.98
    assert wrong <= 0.01


@pytest.mark.parametrize("seed", [4, 5])
def test_other_towns_are_accounted_for_as_well(tmp_path: Path, seed: int) -> None:
    town = simulate(staff=40, days=14, start=date(2027, 3, 25), seed=seed, incidents=False)
    honest, _ = share_accounted(town.write(tmp_path, native=False))
    assert 0.955 <= honest <= 0.985


def test_every_event_is_valid(plain_files: TownFiles) -> None:
    ids = set()
    for source, doc in read_docs(plain_files):
        checked = check(doc, RECEIVED)
        assert checked.faults == (), (source, doc, checked.faults)
        assert checked.masked == 0
        assert "unmapped" not in checked.columns
        ids.add((source, doc["event_id"]))
    assert len(ids) == len(read_docs(plain_files))


def test_every_feed_can_be_imported(plain_files: TownFiles) -> None:
    assert set(plain_files.feeds) == set(FEEDS)
    for kind, path in plain_files.feeds.items():
        assert len(read_rows(kind, path.read_bytes())) == len(read_feed(plain_files, kind)) > 0


def test_native_and_contract_form_tell_the_same_acts(files: TownFiles, plain_files: TownFiles) -> None:
    def told(written: TownFiles, source: str) -> Counter[tuple[Any, ...]]:
        events = [event for event in read_events(written) if event.source == source]
        return Counter((int(e.at.timestamp()), e.actor, e.good, e.subjects) for e in events)

    for source in ("nhi-eligibility", "intermediate-server"):
        assert told(files, source) == told(plain_files, source)
    native, plain = told(files, "resident-register"), told(plain_files, "resident-register")
    assert set(native) == set(plain)  # its machine now and then writes a row twice
    assert sum(native.values()) >= sum(plain.values())


def test_keys_are_consistent_across_feeds(plain_files: TownFiles) -> None:
    residents = {row["subject_id"]: row for row in read_feed(plain_files, "subjects")}
    staff = {row["staff_id"] for row in read_feed(plain_files, "staff")}
    units = {row["org_unit"] for row in read_feed(plain_files, "staff")}
    cases = {row["case_id"]: row for row in read_feed(plain_files, "cases")}
    assert len(cases) == len(read_feed(plain_files, "cases"))
    for row in cases.values():
        assert row["subject_id"] in residents
        assert row["assignee"] in staff
        assert row["org_unit"] in units
        assert not row["closed_at"] or row["opened_at"] < row["closed_at"]
    for _, doc in read_docs(plain_files):
        assert set(doc.get("subjects", ())) <= residents.keys()
        if "case_id" in doc:
            case = cases[doc["case_id"]]
            # Nobody quotes a ticket that is not written yet.
            assert moment(case["opened_at"]) <= moment(doc["time"]) + timedelta(seconds=1)


def test_homes_names_and_families_are_those_of_a_town(plain_files: TownFiles) -> None:
    rows = read_feed(plain_files, "subjects")
    names = Counter(row["name_key"] for row in rows)
    assert 0.008 < names.most_common(1)[0][1] / len(rows) < 0.03
    assert len(names) > 500
    homes = defaultdict(set)
    members = Counter(row["household_id"] for row in rows)
    for row in rows:
        homes[row["address_key"]].add(row["household_id"])
    assert 0.3 < sum(len(inside) > 1 for inside in homes.values()) / len(homes) < 0.7
    assert 1.8 < len(rows) / len(members) < 3.2
    assert sum(bool(row["former_name_key"]) for row in rows) > 20
    flags = Counter(flag for row in rows for flag in row["flags"].split(";") if flag)
    assert set(flags) == {"staff", "protected", "vip", "deceased"}
    resident_staff = [row["subject_id"] for row in read_feed(plain_files, "staff") if row["subject_id"]]
    assert 0.4 < len(resident_staff) / 60 < 0.8
    assert len(set(resident_staff)) == len(resident_staff)
    of = {row["subject_id"]: row for row in rows}
    assert sum(members[of[one]["household_id"]] > 1 for one in resident_staff) > len(resident_staff) / 3
    addresses = Counter(of[one]["address_key"] for one in resident_staff)
    assert any(count > 1 for count in addresses.values())  # colleagues who are neighbours


@pytest.fixture(scope="module")
def spring(tmp_path_factory: pytest.TempPathFactory) -> tuple[Town, TownFiles]:
    """A span with 1 April inside."""
    town = simulate(staff=80, days=24, start=date(2027, 3, 20), seed=3, incidents=False)
    return town, town.write(tmp_path_factory.mktemp("spring"), native=False)


def test_on_1_april_people_move_leave_and_join(spring: tuple[Town, TownFiles]) -> None:
    _, files = spring
    posts = defaultdict(list)
    for row in read_feed(files, "staff"):
        posts[row["staff_id"]].append(row)
    moved = {person for person, rows in posts.items() if len({row["org_unit"] for row in rows}) == 2}
    assert any(len(rows) == 2 and person not in moved for person, rows in posts.items())  # a new desk
    assert len(moved) >= 8
    for person in moved:
        old, new = sorted(posts[person], key=lambda row: row["valid_from"])
        assert (old["valid_to"], new["valid_from"]) == ("2027-03-31", "2027-04-01")
        assert old["org_unit"] != new["org_unit"]
    left = {p for p, rows in posts.items() if len(rows) == 1 and rows[0]["valid_to"] == "2027-03-31"}
    joined = {p for p, rows in posts.items() if len(rows) == 1 and rows[0]["valid_from"] == "2027-04-01"}
    assert left
    assert joined
    rights = Counter((doc["activity"], doc["target"]["id"]) for _, doc in read_docs(files) if "target" in doc)
    assert {who for act, who in rights if act == "grant"} >= joined
    assert {who for act, who in rights if act == "revoke"} >= left
    assert any("引継ぎ" in row["note"] for row in read_feed(files, "approvals"))


def test_nobody_works_outside_of_a_post_and_cases_are_handed_over(spring: tuple[Town, TownFiles]) -> None:
    _, files = spring
    posts = defaultdict(list)
    for row in read_feed(files, "staff"):
        posts[row["staff_id"]].append((row["valid_from"], row["valid_to"] or "9999", row["org_unit"]))
    left = {person: max(end for _, end, _ in held) for person, held in posts.items()}
    for _, doc in read_docs(files):
        actor, day = doc["actor"], doc["time"][:10]
        if actor.get("kind") == "system":
            continue
        units = [unit for start, end, unit in posts[actor["id"]] if start <= day <= end]
        assert units == [actor["org_unit"]], doc
    visits = defaultdict(set)
    for _, doc in read_docs(files):
        if "case_id" in doc:
            visits[doc["case_id"]].add(doc["actor"]["id"])
    handed = [case for case, who in visits.items() if len(who) > 1]
    assert len(handed) > 20
    assert any(left[row["assignee"]] == "9999" for row in read_feed(files, "cases") if row["case_id"] in handed)
