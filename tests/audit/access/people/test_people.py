"""The staff directory: what a file does, what it may not do, and what access control learns from it."""

import random
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.access.outbox import Outbox
from audit.access.people import By, ChangeKind, Draft, PeopleRefusedError, Plan
from audit.clock import TOKYO
from audit.context import FeedError, Imported
from audit.store.errors import StoreUnavailableError

sys.path.insert(0, str(Path(__file__).parent))

from conftest import Office

APRIL = datetime(2026, 4, 1, tzinfo=TOKYO)
INSTANT = timedelta(microseconds=1)


def row(staff_id: str, unit: str, start: str = "2020-04-01", end: str = "", **more: str) -> str:
    """One row of the feed."""
    cells = {
        "name": "職員",
        "post": "主事",
        "role": "clerk",
        "employment": "regular",
        "manager": "",
        "subject": "",
    } | more
    return ",".join(
        (staff_id, cells["name"], unit, cells["post"], cells["role"], cells["employment"], cells["manager"], start, end,
         cells["subject"])
    )  # fmt: skip


def test_posts_change_at_the_first_moment_of_their_day(office: Office) -> None:
    office.bring(row("s1", "hoken", end="2026-03-31"), row("s1", "zeimu", "2026-04-01"))
    assert (office.held("s1", APRIL - INSTANT), office.held("s1", APRIL)) == ("hoken", "zeimu")
    assert office.people.holds_post("s1", APRIL)


def test_a_later_post_overtakes_one_without_an_end(office: Office) -> None:
    office.bring(row("s1", "hoken"), row("s1", "zeimu", "2026-04-01"), row("s2", "hoken"))
    assert (office.held("s1", APRIL - INSTANT), office.held("s1", APRIL)) == ("hoken", "zeimu")
    assert [post.staff_id for post in office.context.staff_in("hoken", APRIL)] == ["s2"]
    assert [post.staff_id for post in office.context.staff_in("hoken", APRIL - INSTANT)] == ["s1", "s2"]


def test_each_change_of_a_person_is_an_event_with_old_and_new_values(office: Office) -> None:
    office.bring(row("s1", "hoken"), row("s2", "hoken"), row("s3", "hoken", end="2027-03-31"), row("s4", "hoken"))
    assert office.ledger.told()[:2] == [("grant", "people.joined", "s1"), ("grant", "people.joined", "s2")]
    office.ledger.docs.clear()
    done = office.bring(
        row("s1", "hoken", end="2026-10-31"),
        row("s2", "zeimu", "2026-11-01"),
        row("s3", "hoken", end="2028-03-31"),
        row("s4", "hoken", name="改姓"),
        row("s5", "hoken"),
    )
    assert done == Imported(read=5, new=2, changed=3, unchanged=0)
    assert office.ledger.told() == [
        ("revoke", "people.left", "s1"),
        ("config_change", "people.moved", "s2"),
        ("grant", "people.extended", "s3"),
        ("config_change", "people.changed", "s4"),
        ("grant", "people.joined", "s5"),
        ("import", "people.imported", ""),
    ]
    left, moved, *_, renamed, _joined, file = (doc["unmapped"] for doc in office.ledger.docs)
    assert "valid_to" not in left["old"][0]
    assert left["new"][0]["valid_to"] == "2026-11-01T00:00:00+09:00"
    assert (moved["old"], moved["new"][0]["org_unit"], moved["by"]) == ([], "zeimu", "uid 0")
    assert (renamed["old"][0]["name"], renamed["new"][0]["name"]) == ("職員", "改姓")
    assert {"read": "5", "joined": "1", "moved": "1", "left": "1"}.items() <= file.items()


def test_the_same_file_again_changes_and_tells_nothing(office: Office) -> None:
    rows = (row("s1", "hoken"), row("s2", "hoken", employment="contractor", end="2027-03-31"))
    office.bring(*rows)
    told = len(office.ledger.docs)
    assert office.people.import_staff(office.file(*rows).decode().encode("cp932"), by=By("uid 0")).unchanged == 2
    assert len(office.ledger.docs) == told


def test_the_transfer_of_april_is_one_write_of_a_thousand_events_and_one(office: Office) -> None:
    people = [f"s{n:04}" for n in range(1000)]
    office.bring(*(row(staff_id, f"u{n % 40}") for n, staff_id in enumerate(people)))
    office.ledger.docs.clear()
    office.ledger.writes = 0
    office.bring(*(row(staff_id, f"u{(n + 1) % 40}", "2027-04-01") for n, staff_id in enumerate(people)))
    told = office.ledger.told()
    assert told.count(("import", "people.imported", "")) == 1
    assert {staff_id for _, operation, staff_id in told if operation == "people.moved"} == set(people)
    assert (len(told), office.ledger.writes) == (1001, 1)


def test_a_leaver_comes_back(office: Office) -> None:
    office.bring(row("s1", "hoken", end="2026-06-30"))
    now = office.clock.now()
    assert not office.people.holds_post("s1", now)
    office.bring(row("s1", "hoken", "2026-10-01"))
    assert office.people.holds_post("s1", now)
    assert office.ledger.told()[-2] == ("grant", "people.joined", "s1")
    assert not office.people.holds_post("s1", datetime(2026, 8, 1, tzinfo=TOKYO))


@pytest.mark.parametrize("employment", ["fixed_term", "contractor"])
def test_temporary_staff_have_an_end(office: Office, employment: str) -> None:
    """A file is taken all the same: a town whose directory is sloppy must still be watched over."""
    plan = office.people.plan_staff(office.file(row("s1", "hoken"), row("s2", "hoken", employment=employment)))
    assert [warning.en for warning in plan.endless] == [
        f"s2, {employment}, needs an end (valid_to); until then they can be given no right"
    ]
    office.bring(row("s1", "hoken"), row("s2", "hoken", employment=employment))
    assert office.people.holds_post("s2", datetime(2027, 4, 1, tzinfo=TOKYO))
    office.bring(row("s2", "hoken", employment=employment, end="2027-03-31"))
    assert not office.people.holds_post("s2", datetime(2027, 4, 1, tzinfo=TOKYO))


def test_half_a_file_is_refused_until_somebody_confirms_it(office: Office) -> None:
    office.bring(*(row(f"s{n}", "hoken") for n in range(20)))
    few = [row(f"s{n}", "hoken", end="2026-10-05") for n in range(5)]
    many = [row(f"s{n}", "hoken", end="2026-10-05") for n in range(6)]
    assert not office.people.plan_staff(office.file(*few)).many_leave
    plan = office.people.plan_staff(office.file(*many))
    assert (plan.many_leave, plan.in_office, plan.count(ChangeKind.LEFT)) == (True, 20, 6)
    told = len(office.ledger.docs)
    with pytest.raises(PeopleRefusedError, match="--confirm"):
        office.bring(*many)
    assert len(office.ledger.docs) == told
    assert office.people.holds_post("s0", datetime(2027, 1, 1, tzinfo=TOKYO))
    office.bring(*many, confirm=True)
    assert not office.people.holds_post("s0", datetime(2027, 1, 1, tzinfo=TOKYO))


def test_whom_a_file_does_not_name_stays(office: Office) -> None:
    office.bring(row("s1", "hoken"), row("s2", "hoken"))
    office.bring(row("s1", "hoken"))
    assert office.people.holds_post("s2", office.clock.now())


def test_a_plan_changes_nothing(office: Office) -> None:
    plan = office.people.plan_staff(office.file(row("s1", "hoken", manager="s9"), row("s2", "hoken", manager="s1")))
    assert [(change.staff_id, change.kind) for change in plan.changes] == [("s1", "joined"), ("s2", "joined")]
    assert [warning.en for warning in plan.warnings] == ["manager s9 is not in the directory"]
    assert (office.context.people(), office.ledger.docs) == ({}, [])


@pytest.mark.parametrize(
    "rows",
    [
        [("s1", "s2"), ("s2", "s1")],
        [("s1", "s2"), ("s2", "s3"), ("s3", "s4"), ("s4", "s2")],
    ],
)
def test_managers_in_a_circle_are_refused(office: Office, rows: list[tuple[str, str]]) -> None:
    with pytest.raises(FeedError, match="managers in a circle") as caught:
        office.bring(*(row(staff_id, "hoken", manager=manager) for staff_id, manager in rows))
    assert len(caught.value.faults) == 1
    assert office.context.people() == {}


def test_the_top_may_be_named_as_its_own_manager(office: Office) -> None:
    office.bring(row("s1", "hoken", manager="s1"), row("s2", "hoken", manager="s1"))
    now = office.clock.now()
    assert (office.people.manager_of("s1", now), office.people.manager_of("s2", now)) == (None, "s1")


def test_a_circle_that_closes_later_or_with_people_of_before_is_refused(office: Office) -> None:
    office.bring(row("s1", "hoken", manager="s2"), row("s2", "hoken"))
    with pytest.raises(FeedError, match="managers in a circle"):
        office.bring(row("s2", "hoken", "2027-04-01", manager="s1"))
    office.bring(row("s1", "hoken", "2027-04-01"), row("s2", "hoken", "2027-04-01", manager="s1"))  # they change places


def test_who_leads_whom(office: Office) -> None:
    office.bring(
        row("b1", "fukushi", post="部長"),
        row("k1", "fukushi/hoken", post="課長", end="2026-12-31"),
        row("k2", "fukushi/hoken", post="係長"),
        row("h1", "fukushi/hoken/madoguchi", post="主査", role="head"),
        row("s1", "fukushi/hoken/madoguchi", manager="s9"),
        row("s2", "fukushi/hoken/madoguchi", manager="s1"),
        row("s3", "kankou"),
    )
    now, later = office.clock.now(), datetime(2027, 1, 1, tzinfo=TOKYO)
    heads = [office.people.head_of(unit, now) for unit in ("fukushi", "fukushi/hoken", "fukushi/hoken/madoguchi", "x")]
    assert heads == ["b1", "k1", "h1", None]
    assert office.people.head_of("fukushi/hoken", later) == "k2"
    people = ("s1", "s2", "h1", "k1", "b1", "s3", "nobody")
    assert [office.people.manager_of(staff_id, now) for staff_id in people] == [
        "h1", "s1", "k1", "b1", None, None, None,
    ]  # fmt: skip
    office.bring(row("s1", "fukushi/hoken/madoguchi", end="2026-12-31"))
    assert office.people.manager_of("s2", later) == "h1"  # the one who is named has left


def test_two_ids_of_one_human_being(office: Office) -> None:
    office.bring(
        row("s1", "hoken", post="係長", subject="r1"),
        row("t1", "hoken", subject="r1"),
        row("s2", "hoken"),
        row("s3", "hoken"),
    )
    same = office.people.same_natural_person
    assert [same("s1", "s1"), same("s1", "t1"), same("t1", "s1"), same("nobody", "nobody")] == [True] * 4
    assert [same("s1", "s2"), same("s2", "s3"), same("nobody", "s1")] == [False] * 3  # no resident is no sameness
    assert office.people.manager_of("t1", office.clock.now()) is None  # not oneself by another id


def test_e10_whom_the_directory_does_not_know_is_no_leaver_and_holds_no_post(office: Office) -> None:
    office.bring(row("s1", "hoken", end="2026-10-04"))
    now = office.clock.now()
    assert office.people.holds_post("installer", now)
    assert office.people.post_at("installer", now) is None
    assert not office.people.holds_post("s1", now)


def test_e10_a_failing_log_lets_leavers_go_and_nobody_in(office: Office) -> None:
    office.bring(row("s1", "hoken"), row("s2", "hoken"), row("s3", "hoken"))
    office.ledger.down = True
    with pytest.raises(StoreUnavailableError):
        office.bring(row("s1", "hoken", end="2026-10-04"), row("s2", "zeimu", "2026-10-05"), row("s4", "hoken"))
    now = office.clock.now()
    assert [office.held(staff_id, now) for staff_id in ("s1", "s2", "s3", "s4")] == ["", "hoken", "hoken", ""]
    office.ledger.down = False
    office.bring(row("s1", "hoken", end="2026-10-04"), row("s2", "zeimu", "2026-10-05"), row("s4", "hoken"))
    assert [office.held(staff_id, now) for staff_id in ("s1", "s2", "s3", "s4")] == ["", "zeimu", "hoken", "hoken"]
    assert ("revoke", "people.left", "s1") not in office.ledger.told()
    outbox = Outbox(office.state, office.ledger)
    assert (outbox.catch_up(), outbox.catch_up()) == (1, 0)
    assert office.ledger.told().count(("revoke", "people.left", "s1")) == 1


def test_a_deletion_that_the_log_refused_is_told_later(office: Office) -> None:
    office.bring(row("s1", "hoken"))
    office.ledger.down = True
    with pytest.raises(StoreUnavailableError):
        office.people.delete("s1", by=By("hr"))
    office.ledger.down = False
    assert Outbox(office.state, office.ledger).catch_up() == 1
    assert office.ledger.told()[-1] == ("revoke", "people.left", "s1")
    assert office.ledger.docs[-1]["unmapped"]["deleted"] == "true"


def test_of_two_rows_of_one_post_the_later_holds(office: Office) -> None:
    office.bring(row("s1", "hoken"), row("s1", "zeimu"))
    assert office.held("s1", office.clock.now()) == "zeimu"
    assert len(office.context.person("s1")) == 1


ROWS = st.tuples(
    st.sampled_from(["s1", "s2", "s3"]),
    st.sampled_from(["a", "a/b", "c"]),
    st.sampled_from(["", "2020-04-01", "2026-04-01", "2026-10-06", "2027-04-01"]),
    st.sampled_from(["", "2028-03-31", "2029-03-31"]),
)


@settings(max_examples=40, deadline=None)
@given(files=st.lists(st.lists(ROWS, min_size=1, max_size=6), max_size=5), encoding=st.sampled_from(["utf-8", "cp932"]))
def test_the_directory_is_the_last_word_on_each_person_and_begin(
    files: Sequence[Sequence[tuple[str, str, str, str]]], encoding: str
) -> None:
    expected: dict[tuple[str, str], tuple[str, str]] = {}
    with TemporaryDirectory() as folder:
        office = Office(Path(folder) / "state.db")
        for rows in files:
            content = office.file(*(row(staff_id, unit, start, end) for staff_id, unit, start, end in rows))
            office.people.import_staff(content.decode().encode(encoding), by=By("uid 0"), confirm=True)
            expected.update({(staff_id, start): (unit, end) for staff_id, unit, start, end in rows})
        found = {
            (post.staff_id, _day(post.start)): (post.org_unit, _day(post.end - INSTANT if post.end else None))
            for posts in office.context.people().values()
            for post in posts
        }
        assert found == expected
        told = [doc for doc in office.ledger.docs if doc["operation_name"] != "people.imported"]
        assert _replayed(told) == expected
        office.state.close()


def _day(at: datetime | None) -> str:
    return at.astimezone(TOKYO).date().isoformat() if at else ""


def _replayed(docs: Sequence[dict[str, object]]) -> dict[tuple[str, str], tuple[str, str]]:
    """The directory as the events alone tell it."""
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for doc in docs:
        for values in doc["unmapped"]["new"]:  # type: ignore[index]
            start, end = (values.get(name, "") for name in ("valid_from", "valid_to"))
            last = _day(datetime.fromisoformat(end) - INSTANT) if end else ""
            found[doc["target"]["id"], start[:10]] = (values["org_unit"], last)  # type: ignore[index]
    return found


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_no_file_that_is_taken_leaves_a_circle(seed: int) -> None:
    """Whatever is accepted, walking up the managers comes to an end at every moment."""
    dice = random.Random(seed)  # noqa: S311 - seeded on purpose
    with TemporaryDirectory() as folder:
        office = Office(Path(folder) / "state.db")
        for _ in range(6):
            rows = [
                row(f"s{n}", "a", dice.choice(["2020-04-01", "2027-04-01"]), manager=f"s{dice.randrange(5)}")
                for n in dice.sample(range(5), 2)
            ]
            before = office.context.people()
            try:
                office.bring(*rows)
            except FeedError:
                assert office.context.people() == before
        for at in (office.clock.now(), datetime(2027, 4, 1, tzinfo=TOKYO), datetime(2030, 4, 1, tzinfo=TOKYO)):
            for n in range(5):
                assert _top(office, f"s{n}", at)
        office.state.close()


def _top(office: Office, staff_id: str, at: datetime) -> bool:
    for _ in range(6):
        post = office.people.post_at(staff_id, at)
        if post is None or post.manager_id in ("", staff_id):
            return True
        staff_id = post.manager_id
    return False


def test_whoever_was_ended_while_a_change_was_on_its_way_stays_ended(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    hr = By("hr")
    office.people.create(Draft(staff_id="s1", org_unit="hoken"), by=hr)
    plan = office.people._plan

    def ended_in_between(*args: Any) -> Plan:
        found: Plan = plan(*args)
        monkeypatch.undo()
        office.people.delete("s1", by=hr)
        return found

    monkeypatch.setattr(office.people, "_plan", ended_in_between)
    office.clock.advance(timedelta(seconds=1))
    with pytest.raises(StoreUnavailableError):
        office.people.change(Draft(staff_id="s1", org_unit="hoken", name="職員"), by=hr)
    assert office.held("s1", office.clock.now()) == ""
    assert office.people.find("s1") is None


def test_a_file_that_was_planned_before_another_change_is_not_brought_in(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.bring(row("s1", "hoken"), row("s2", "hoken"))
    plan = office.people._plan

    def ended_in_between(*args: Any) -> Plan:
        found: Plan = plan(*args)
        monkeypatch.undo()
        office.bring(row("s1", "hoken", end="2026-10-01"))
        return found

    monkeypatch.setattr(office.people, "_plan", ended_in_between)
    with pytest.raises(StoreUnavailableError):
        office.bring(row("s1", "hoken"), row("s2", "hoken", end="2026-10-01"))
    assert (office.held("s1", office.clock.now()), office.held("s2", office.clock.now())) == ("", "hoken")


def test_whoever_comes_back_begins_anew_whatever_day_is_said(office: Office) -> None:
    hr, begun = By("hr"), office.clock.now() - timedelta(days=400)
    office.people.create(Draft(staff_id="s1", org_unit="hoken", start=begun.isoformat()), by=hr)
    office.people.delete("s1", by=hr)
    gone = office.clock.now()
    office.clock.advance(timedelta(days=1))
    office.people.create(Draft(staff_id="s1", org_unit="hoken", start=begun.isoformat()), by=hr)
    assert office.held("s1", office.clock.now()) == "hoken"
    assert office.held("s1", gone) == ""
