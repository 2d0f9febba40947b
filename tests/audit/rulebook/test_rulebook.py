"""Importing and removing rules: two people in office, on record before it counts, one in force."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from audit.clock import FixedClock
from audit.context import ContextService
from audit.rulebook import RuleBook, RuleRefusedError
from audit.store.errors import StoreUnavailableError
from audit.store.state import StateStore

NOW = FixedClock(datetime(2026, 10, 5, 3, tzinfo=UTC))
STAFF = (
    "staff_id,name,org_unit,subject_id,valid_from,valid_to\n"
    "a,見本一,zeimu,k-1,2020-04-01,\nb,見本二,zeimu,k-2,2020-04-01,\n"
    "a2,見本一,zeimu,k-1,2020-04-01,\ngone,見本三,zeimu,k-3,2020-04-01,2026-03-31\n"
)


class Log:
    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.broken = False

    def record(self, doc: dict[str, Any]) -> None:
        if self.broken:
            raise StoreUnavailableError("the log is gone")
        self.events.append(doc)


class Staff:
    def __init__(self, context: ContextService) -> None:
        self.context = context

    def post_at(self, staff_id: str, at: datetime) -> Any:
        return self.context.post_at(staff_id, at)

    def same_natural_person(self, a: str, b: str) -> bool:
        one, other = ({post.subject_id for post in self.context.person(who)} for who in (a, b))
        return a == b or bool(one & other)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[tuple[RuleBook, Log]]:
    state = StateStore(f"sqlite:///{tmp_path / 'state.sqlite'}")
    state.create_tables()
    context = ContextService(state)
    context.import_feed("staff", STAFF.encode())
    log = Log()
    yield RuleBook(state, NOW, log, Staff(context)), log
    state.close()


def bring(book: RuleBook, content: bytes = b"one", by: str = "a", confirmed_by: str = "b") -> Any:
    return book.bring_in("r", "a rule", content, b"stories", by=by, confirmed_by=confirmed_by, operator="uid 0")


def test_an_import_is_kept_told_and_in_force(desk: tuple[RuleBook, Log]) -> None:
    book, log = desk
    digest = bring(book).digest
    (kept,) = book.in_force()
    assert (kept.rule, kept.content, kept.stories, kept.digest) == ("r", b"one", b"stories", digest)
    assert (kept.imported_by, kept.confirmed_by, kept.imported_at) == ("a", "b", NOW.now())
    (event,) = log.events
    assert (event["activity"], event["operation_name"], event["actor"]["id"]) == ("config_change", "sigma.import", "a")
    assert event["unmapped"] == {
        "old": "", "new": digest, "stories": event["unmapped"]["stories"], "title": "a rule", "confirmed_by": "b",
        "operator": "uid 0",
    }  # fmt: skip


def test_another_version_takes_the_place_and_the_history_keeps_both(desk: tuple[RuleBook, Log]) -> None:
    book, log = desk
    first = bring(book)
    second = bring(book, b"two", by="b", confirmed_by="a")
    assert [rule.content for rule in book.in_force()] == [b"two"]
    assert [(rule.content, rule.ended_by) for rule in book.history("r")] == [(b"two", ""), (b"one", "b")]
    assert (log.events[1]["unmapped"]["old"], log.events[1]["unmapped"]["new"]) == (first.digest, second.digest)
    with pytest.raises(RuleRefusedError, match="same content"):
        bring(book, b"two")


def test_a_removed_rule_is_gone_from_force_and_stays_in_the_history(desk: tuple[RuleBook, Log]) -> None:
    book, log = desk
    bring(book)
    book.remove("r", by="b", confirmed_by="a", operator="uid 0")
    assert list(book.in_force()) == []
    (kept,) = book.history("r")
    assert (kept.ended_by, kept.end_confirmed_by, kept.ended_at) == ("b", "a", NOW.now())
    assert [event["operation_name"] for event in log.events] == ["sigma.import", "sigma.remove"]
    with pytest.raises(RuleRefusedError, match="no such rule"):
        book.remove("r", by="b", confirmed_by="a", operator="uid 0")
    assert bring(book).digest == kept.digest, "it may come back"


@pytest.mark.parametrize(
    ("by", "confirmed_by", "reason"),
    [
        ("a", "a", "same_person"), ("a", "a2", "same_person"), ("a", "gone", "not_in_office"),
        ("nobody", "b", "not_in_office"), ("", "b", "not_in_office"),
    ],
)  # fmt: skip
def test_it_takes_two_human_beings_in_office(
    desk: tuple[RuleBook, Log], by: str, confirmed_by: str, reason: str
) -> None:
    book, log = desk
    bring(book)
    with pytest.raises(RuleRefusedError) as refused:
        bring(book, b"two", by, confirmed_by)
    assert refused.value.reason == reason
    assert refused.value.text("ja") != refused.value.text("en")
    with pytest.raises(RuleRefusedError):
        book.remove("r", by=by, confirmed_by=confirmed_by, operator="uid 0")
    assert len(log.events) == len(book.in_force()) == 1


def test_what_cannot_be_recorded_does_not_happen(desk: tuple[RuleBook, Log]) -> None:
    book, log = desk
    bring(book)
    log.broken = True
    with pytest.raises(StoreUnavailableError):
        bring(book, b"two")
    with pytest.raises(StoreUnavailableError):
        book.remove("r", by="a", confirmed_by="b", operator="uid 0")
    assert [rule.content for rule in book.in_force()] == [b"one"]
    assert len(book.history("r")) == 1
