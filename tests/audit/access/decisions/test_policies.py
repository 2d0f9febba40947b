"""The policy as data: read whole or refused whole, the last good one kept, every change in the log."""

import os
from pathlib import Path

import pytest
from asking import BASE, SYSTEM, Log

from audit.access.decisions import PolicyBook, PolicyError, parse_policy
from audit.access.decisions.repository import DecisionRepository
from audit.clock import FixedClock
from audit.events import check
from audit.store.state import StateStore

GOOD = 'version = 1\nask_for = "purpose"\n[systems.tax]\nhours = "free"\n'
BROKEN = [
    "",
    "   \n",
    "version = 1\nhours = ",
    "ask_for = 'purpose'",
    "version = 2",
    "version = 1\nno_such_key = 1",
    "version = 1\nhours = 'sometimes'",
    "version = 1\nhours = ['free']",
    "version = 1\nlife_seconds = 11",
    "version = 1\nlife_seconds = true",
    "version = 1\nstep_up_seconds = 301",
    "version = 1\nbreak_glass_minutes = 61",
    "version = 1\nbreak_glass = 1",
    "version = 1\nbreak_glass_lifts = ['session']",
    "version = 1\nsensitive = ['gossip']",
    "version = 1\ntwo_persons = ['gossip']",
    "version = 1\npurposes = 'levy'",
    "version = 1\napproval_from = { gossip = 1 }",
    "version = 1\napproval_from = { export = -1 }",
    "version = 1\nhours = 'free'\nhours = 'noted'",
    "version = 1\n[systems.tax]\nhours = 'free'\n[systems.tax]\nhours = 'noted'",
    "version = 1\nsystems = 3",
    "version = 1\nsystems = { tax = 3 }",
    "version = 1\nask_for = 'case'\npurposes = ['levy']",
    "version = 1\n[systems.tax]\nversion = 1",
]


@pytest.mark.parametrize("text", BROKEN)
def test_E18_what_cannot_be_read_whole_is_refused_whole(text: str) -> None:
    with pytest.raises(PolicyError) as refused:
        parse_policy(text or "\n")
    assert refused.value.text("ja") != refused.value.text("en")


def test_a_system_builds_on_the_town_and_the_town_on_the_shipped_policy() -> None:
    policy = parse_policy(
        'version = 1\nhours = "noted"\napproval_from = { print = 5 }\n[systems.tax]\nself = "noted"\n'
    )
    general, tax = policy.of(SYSTEM), policy.of("tax")
    assert general is not None
    assert tax is not None
    assert (general.hours, general.self, tax.hours, tax.self) == ("noted", "deny", "noted", "noted")
    assert dict(tax.approval_from) == {"export": 0, "maintenance": 0, "media": 0, "print": 5, "transfer": 0}


def test_the_version_is_of_what_a_policy_says_not_of_how_it_is_written() -> None:
    assert parse_policy("# nothing of our own\nversion = 1\n").version == BASE.version
    assert parse_policy('version = 1\nhours = "enforced"').version == BASE.version
    assert parse_policy('version = 1\nhours = "noted"').version != BASE.version


class Town:
    """A data directory with a policy in it."""

    def __init__(self, folder: Path, store: StateStore, log: Log, clock: FixedClock) -> None:
        self.path = folder / "decisions.toml"
        self.parts = (store, log, clock)
        self.book = PolicyBook(self.path, *self.parts)
        self.turn = 0

    def write(self, text: str | bytes) -> None:
        self.path.write_bytes(text if isinstance(text, bytes) else text.encode())
        self.turn += 1
        os.utime(self.path, ns=(self.turn * 10**9, self.turn * 10**9))  # files of one clock tick are told apart too

    def restart(self) -> None:
        self.book = PolicyBook(self.path, *self.parts)


@pytest.fixture
def town(tmp_path: Path, store: StateStore, log: Log, clock: FixedClock) -> Town:
    return Town(tmp_path, store, log, clock)


def test_a_town_without_a_file_has_the_shipped_policy_and_the_log_says_since_when(town: Town, log: Log) -> None:
    assert town.book.current() == BASE
    assert town.book.trouble() is None
    town.restart()
    assert town.book.current() == BASE
    assert log.operations() == ["policy.decisions"]


def test_a_change_is_in_the_log_with_old_and_new_before_it_holds(town: Town, log: Log, clock: FixedClock) -> None:
    town.book.current()
    town.write(GOOD)
    policy = town.book.current()
    assert policy.general is not None
    assert policy.general.ask_for == "purpose"
    doc = log.last()
    assert (doc["activity"], doc["operation_name"]) == ("policy_change", "policy.decisions")
    old, new = doc["unmapped"]["old"], doc["unmapped"]["new"]
    assert (old["version"], old["ask_for"]) == (BASE.version, "nothing")
    assert (new["version"], new["ask_for"], new["systems.tax.hours"]) == (policy.version, "purpose", "free")
    assert "self" not in new
    assert check(doc, clock.now()).faults == ()


def test_a_change_that_cannot_be_recorded_does_not_hold(town: Town, log: Log, store: StateStore) -> None:
    town.book.current()
    town.write(GOOD)
    log.down = True
    with pytest.raises(ConnectionError):
        town.book.current()
    log.down = False
    assert town.book.current().version == parse_policy(GOOD).version
    with store.unit() as unit:
        assert len(DecisionRepository(unit).policies()) == 2


@pytest.mark.parametrize("fault", [b"", b"version = 1\nhours = ", b"\xff\xfe", b"# " + b"x" * (1 << 20), None])
def test_E18_the_last_good_policy_is_kept_also_over_a_restart(town: Town, log: Log, fault: bytes | None) -> None:
    town.write(GOOD)
    good = town.book.current()
    if fault is None:
        town.path.unlink()
    else:
        town.write(fault)
    assert town.book.current() == good
    assert town.book.trouble() is not None
    assert town.book.current() == good
    assert log.operations() == ["policy.decisions", "policy.refused"]
    assert log.last()["unmapped"]["in_force"] == good.version
    town.restart()
    assert town.book.current() == good


def test_E18_a_file_put_right_again_holds(town: Town) -> None:
    town.write(GOOD)
    town.book.current()
    town.write("version = 1\nhours = ")
    town.book.current()
    town.write('version = 1\nhours = "noted"\n')
    general = town.book.current().general
    assert general is not None
    assert general.hours == "noted"
    assert town.book.trouble() is None


def test_E18_where_none_was_ever_good_everything_is_denied(town: Town, log: Log) -> None:
    town.write("version = 1\nhours = ")
    assert town.book.current().of(SYSTEM) is None
    assert log.operations() == ["policy.refused"]


def test_E18_a_broken_file_beside_the_shipped_policy_keeps_the_shipped_one(town: Town) -> None:
    town.book.current()
    town.write("version = 1\nhours = ")
    assert town.book.current() == BASE
    town.restart()
    assert town.book.current() == BASE


def test_a_file_that_did_not_change_is_not_read_again(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    town.write(GOOD)
    first = town.book.current()
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("read again"))
    assert town.book.current() is first
