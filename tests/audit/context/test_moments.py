"""Subjects, policies, terminals and approvals, and what is asked of one moment."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.clock import TOKYO, FixedClock
from audit.context import FACTORS, ContextService, FeedError, Subject, Terminal, read_rows, units_above
from audit.context.service import _ranges_of
from audit.store.state import StateStore

NOW = datetime(2026, 10, 5, 3, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def service(tmp_path: Path, clock: FixedClock) -> Iterator[ContextService]:
    state = StateStore(f"sqlite:///{tmp_path / 'state.db'}")
    state.create_tables()
    yield ContextService(state, clock)
    state.close()


def test_subjects_are_pseudonyms_and_flags(service: ContextService) -> None:
    feed = (
        "subject_id,household_id,address_key,name_key,former_name_key,flags\n"
        "0004512345,h1,a1,n1,n0,vip; protected\n0004512346,h1,a1,n1,,\n"
    )
    assert service.import_feed("subjects", feed.encode()).new == 2
    found = service.subjects(["0004512345", "0004512346", "unknown"])
    assert found == {
        "0004512345": Subject("0004512345", "h1", "a1", "n1", "n0", frozenset({"protected", "vip"})),
        "0004512346": Subject("0004512346", "h1", "a1", "n1", "", frozenset()),
    }
    service.import_feed("subjects", b"subject_id,flags\n0004512345,deceased\n")
    assert service.subjects(["0004512345"])["0004512345"].flags == {"deceased"}
    assert service.subjects([]) == {}


@pytest.mark.parametrize(
    ("kind", "text", "fault"),
    [
        ("subjects", "subject_id\n山田太郎\n", "line 2, subject_id: is no pseudonym"),
        ("subjects", "subject_id,flags\n,vip\n", "line 2, subject_id: is missing"),
        ("subjects", "subject_id,address_key\nr1,1丁目2番\n", "line 2, address_key: is no pseudonym"),
        ("subjects", "subject_id,household_id\nr1,123412341234\n", "line 2, household_id: is no pseudonym"),
        ("subjects", "subject_id,flags\nr1,vip;rich\n", "line 2, flags: rich: is none of"),
        ("policies", "source,require\nnhi,password+palm\n", "line 2, require: palm: is no factor"),
        ("policies", "source,require\nnhi,password||totp\n", "line 2, require: '': is no factor"),
        ("policies", "source,require\nnhi,\n", "line 2, require: is missing"),
        ("policies", "source,valid_from\nnhi,2026-04-01\n", "columns are missing: require"),
        ("terminals", "terminal_id,ip_range\nT-1,10.3.1.31/24\n", "line 2, ip_range: is no address, and no network"),
        ("terminals", "terminal_id,ip_range\nT-1,10.3.1\n", "line 2, ip_range: is no address, and no network"),
        ("terminals", "terminal_id,ip_range\nT-1,0.0.0.0/0\n", "line 2, ip_range: is too wide"),
        ("terminals", "terminal_id,ip_range\nT-1,::/16\n", "line 2, ip_range: is too wide"),
        ("terminals", "terminal_id,kind\nT-1,phone\n", "line 2, kind: is none of desk"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(kind: str, text: str, fault: str) -> None:
    with pytest.raises(FeedError) as caught:
        read_rows(kind, text.encode())
    assert caught.value.faults[0].startswith(fault)


def test_the_policy_in_force_is_the_one_that_began_last(service: ContextService) -> None:
    april = datetime(2026, 4, 1, tzinfo=TOKYO)
    feed = (
        "source,valid_from,require\nnhi,,password\nnhi,2026-04-01,password + totp | webauthn\nnhi,2027-04-01,webauthn\n"
    )
    service.import_feed("policies", feed.encode())
    assert service.factor_policy("nhi", april - INSTANT) == "password"
    assert service.factor_policy("nhi", april) == "password+totp|webauthn"
    assert service.factor_policy("tax", april) == ""


@given(words=st.lists(st.lists(st.sampled_from(sorted(FACTORS)), min_size=1, max_size=4), min_size=1, max_size=4))
@settings(deadline=None, max_examples=50)
def test_every_policy_that_is_taken_can_be_read_by_whoever_asks_for_it(words: list[list[str]]) -> None:
    from audit.access.strength import FactorPolicy

    written = " | ".join(" + ".join(factors) for factors in words)
    (row,) = read_rows("policies", f"source,require\nnhi,{written}\n".encode())
    assert FactorPolicy.parse(row["require"]) == FactorPolicy(tuple(frozenset(factors) for factors in words))


def test_terminals_are_found_by_address_network_and_id(service: ContextService) -> None:
    assert not service.any_terminal()
    feed = (
        "terminal_id,org_unit,site,kind,ip_range\nT-1,hoken,本庁,counter,10.3.1.31\nN-1,hoken,支所,shared,10.3.2.0/24\n"
        "T-6,hoken,本庁,,fd00::31\nT-9,zeimu,本庁,desk,\n"
    )
    service.import_feed("terminals", feed.encode())
    assert service.any_terminal()

    def ids(address: str, terminal_id: str = "") -> list[str]:
        return sorted(terminal.terminal_id for terminal in service.terminals_at(address, terminal_id))

    assert service.terminals_at("10.3.1.31") == (Terminal("T-1", "hoken", "本庁", "counter", "10.3.1.31"),)
    assert (ids("10.3.2.255"), ids("10.3.3.0"), ids("10.3.1.32")) == (["N-1"], [], [])
    assert (ids("::ffff:10.3.1.31"), ids("fd00:0::31")) == (["T-1"], ["T-6"])
    assert (ids("", "T-9"), ids("10.3.1.31", "T-9"), ids("10.3.1.31", "T-1")) == (["T-9"], ["T-1", "T-9"], ["T-1"])
    assert [ids(text) for text in ("", "unknown", "10.3.1.31'; --", "010.3.1.31")] == [[]] * 4


@given(address=st.ip_addresses(), prefix=st.integers(0, 128))
@settings(deadline=None, max_examples=100)
def test_an_address_is_looked_up_under_each_network_it_lies_in(address: object, prefix: int) -> None:
    at = ip_address(str(address))
    length = min(prefix, at.max_prefixlen - 1)
    if at.version == 4 or not at.ipv4_mapped:  # type: ignore[union-attr]
        assert str(ip_network((at, length), strict=False)) in _ranges_of(str(at))
        assert str(at) in _ranges_of(str(at))


def test_approvals_count_from_when_they_were_entered_as_they_stand(service: ContextService, clock: FixedClock) -> None:
    header = "approval_id,kind,staff_id,approved_by,source,valid_from,valid_to,max_rows,note\n"
    first = "a-1,export,s1,s9,nhi,2026-10-01,2026-10-31,100,月次\n"
    service.import_feed("approvals", (header + first).encode())
    assert [approval.entered_at for approval in service.approvals_for("s1", "nhi", NOW)] == [NOW]
    clock.advance(timedelta(hours=1))
    service.import_feed("approvals", (header + first).encode())
    service.import_feed("approvals", (header + first.replace("月次", "年次")).encode())
    (approval,) = service.approvals_for("s1", "nhi", NOW)
    assert (approval.entered_at, approval.note, approval.max_rows) == (NOW, "年次", 100)
    service.import_feed("approvals", (header + first.replace("100", "9000")).encode())
    (approval,) = service.approvals_for("s1", "nhi", NOW)
    assert (approval.entered_at, approval.max_rows) == (NOW + timedelta(hours=1), 9000)  # a wider one is a new word


def test_approvals_are_of_one_person_one_system_and_their_time(service: ContextService) -> None:
    header = "approval_id,kind,staff_id,approved_by,source,valid_from,valid_to\n"
    rows = (
        "a-1,export,s1,s9,nhi,2026-10-05,2026-10-05\na-2,media,s1,s9,,,\na-3,export,s2,s9,nhi,,\n"
        "a-4,export,s1,s9,tax,,\na-5,export,s1,,nhi,,\na-6,maintenance,,s9,nhi,,\n"
    )
    service.import_feed("approvals", (header + rows).encode())
    first, after = datetime(2026, 10, 5, tzinfo=TOKYO), datetime(2026, 10, 6, tzinfo=TOKYO)

    def ids(at: datetime) -> list[str]:
        return sorted(approval.approval_id for approval in service.approvals_for("s1", "nhi", at))

    assert [ids(at) for at in (first - INSTANT, first, after - INSTANT, after)] == [
        ["a-2"], ["a-1", "a-2"], ["a-1", "a-2"], ["a-2"],
    ]  # fmt: skip


def test_working_time_of_one_person_is_that_of_the_whole_context(service: ContextService) -> None:
    service.import_feed("staff", b"staff_id,org_unit,valid_from\ns1,hoken/shikaku,2020-04-01\ns2,hoken,2020-04-01\n")
    service.import_feed(
        "roster",
        b"staff_id,start,end,kind,approved_by\n"
        b"s1,2026-10-04 22:00,2026-10-05 07:00,shift,\ns1,2026-10-05 18:00,2026-10-05 20:00,overtime,s9\n"
        b"s2,2026-10-05 18:00,2026-10-05 20:00,overtime,s9\ns1,2026-10-06 08:30,2026-10-06 17:15,leave,\n",
    )
    service.import_feed(
        "calendar",
        b"date,org_unit,kind,opens,closes\n2026-10-05,hoken,open,09:00,19:00\n2026-10-06,,closed,,\n"
        b"2026-10-05,zeimu,closed,,\n",
    )
    service.import_feed(
        "approvals",
        b"approval_id,kind,staff_id,approved_by,source,valid_from,valid_to\na-1,time_window,s1,s9,nhi,2026-10-05,\n",
    )
    day = date(2026, 10, 5)
    for hour in (0, 3, 12, 23):
        at = datetime(2026, 10, 5, hour, tzinfo=TOKYO)
        one, whole = service.work_of("s1", "hoken/shikaku", at), service.over(at, at)
        assert one.working("s1", "hoken/shikaku", day) == whole.working("s1", "hoken/shikaku", day)
        assert len(one.working("s1", "hoken/shikaku", day)) == 3
        assert one.window_at("s1", "nhi", at) == whole.window_at("s1", "nhi", at) is not None
        assert one.post_at("s1", at) == whole.post_at("s1", at) == service.post_at("s1", at)
        assert set(one.roster) == {"s1"}
        assert "zeimu" not in {entry.org_unit for entries in one.calendar.values() for entry in entries}
    at = datetime(2026, 10, 6, 12, tzinfo=TOKYO)
    assert service.work_of("s1", "hoken/shikaku", at).on_leave("s1", at) is not None


def test_staff_who_are_residents_are_found_by_their_keys(service: ContextService) -> None:
    feed = (
        "staff_id,org_unit,valid_from,valid_to,subject_id\ns1,hoken,2020-04-01,2026-03-31,r1\n"
        "s1,zeimu,2026-04-01,,r1\ns2,hoken,,2026-03-31,r2\ns3,hoken,,,\n"
    )
    service.import_feed("staff", feed.encode())
    assert [(post.staff_id, post.org_unit) for post in service.staff_among(["r1", "r2", "", "r9"], NOW)] == [
        ("s1", "zeimu")
    ]
    assert service.staff_among([""], NOW) == ()


def test_units_lie_in_each_other() -> None:
    assert units_above("fukushi/hoken/madoguchi") == ("fukushi/hoken/madoguchi", "fukushi/hoken", "fukushi", "")
    assert units_above("") == ("",)
