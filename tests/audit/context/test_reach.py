"""Which time a change of the context reaches."""

from datetime import datetime
from pathlib import Path

import pytest

from audit.clock import TOKYO, FixedClock
from audit.context import ContextService, Reach
from audit.store.state import StateStore

NOW = datetime(2026, 10, 20, 9, tzinfo=TOKYO)


@pytest.fixture
def context(tmp_path: Path) -> ContextService:
    state = StateStore(f"sqlite:///{tmp_path}/state.db")
    state.create_tables()
    return ContextService(state, FixedClock(NOW))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=TOKYO)


def changed(context: ContextService, kind: str, before: str, after: str) -> list[Reach]:
    header, _, _ = before.partition("\n")
    context.import_feed(kind, f"{before}\n".encode())
    known = context.revision()
    context.import_feed(kind, f"{header}\n{after}\n".encode())
    return context.reaches_since(known)


CASES = "case_id,subject_id,opened_at,closed_at\nc0,k0,2026-01-01,"
ROSTER = "staff_id,start,end,kind\ns0,2026-01-01T08:00,2026-01-01T17:00,shift"
STAFF = "staff_id,org_unit,valid_from,valid_to\ns0,u,2020-01-01,2026-12-31"


@pytest.mark.parametrize(
    ("kind", "before", "after", "start", "end"),
    [
        ("cases", CASES, "c1,k1,2026-10-05,2026-10-06", "2026-10-04", "2026-10-14"),
        ("cases", CASES, "c1,k1,2026-10-05,", "2026-10-04", None),
        ("cases", f"{CASES}\nc1,k1,2026-10-05,", "c1,k1,2026-10-05,2026-10-09", "2026-10-09", None),
        ("cases", f"{CASES}\nc1,k1,2026-10-05,2026-10-09", "c1,k2,2026-10-05,2026-10-09", "2026-10-04", "2026-10-17"),
        ("roster", ROSTER, "s1,2026-10-05T22:00,2026-10-06T07:00,shift", "2026-10-05T22:00", "2026-10-06T07:00"),
        ("staff", STAFF, "s0,u,2020-01-01,2026-10-09", "2026-10-10", "2027-01-01"),
        ("staff", STAFF, "s1,u,2026-10-01,", "2026-10-01", None),
        ("calendar", "date,kind\n2026-01-05,closed", "2026-10-05,closed", "2026-10-04", "2026-10-07"),
        ("subjects", "subject_id\nk1", "k2", "2026-10-19T09:00", None),
        ("policies", "source,require\na,password", "b,password", None, None),
    ],
)
def test_a_change_reaches_the_time_it_is_about(
    context: ContextService, kind: str, before: str, after: str, start: str | None, end: str | None
) -> None:
    # Days are told as those on which something may be judged otherwise; a whole last day ends with the next.
    assert changed(context, kind, before, after) == [Reach(at(start) if start else None, at(end) if end else None)]


def test_the_first_feed_of_a_kind_reaches_everything(context: ContextService) -> None:
    context.import_feed("subjects", b"subject_id\nk1\n")
    assert context.reaches_since(0) == [Reach(None, None)]


def test_the_same_feed_again_reaches_nothing(context: ContextService) -> None:
    context.import_feed("roster", f"{ROSTER}\n".encode())
    known = context.revision()
    context.import_feed("roster", f"{ROSTER}\n".encode())
    assert (context.revision(), context.reaches_since(known)) == (known, [])
