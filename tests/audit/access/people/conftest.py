from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from audit.access.people import By, PeopleService
from audit.clock import FixedClock
from audit.context import ContextService, Imported
from audit.events import check
from audit.store.errors import StoreUnavailableError
from audit.store.state import StateStore

HEADER = "staff_id,name,org_unit,post,role,employment,manager_id,valid_from,valid_to,subject_id\n"


@dataclass
class Ledger:
    """A log that takes valid events only, many at a time, and can be down."""

    clock: FixedClock
    docs: list[dict[str, Any]] = field(default_factory=list)
    writes: int = 0
    down: bool = False

    def record(self, doc: dict[str, Any]) -> None:
        self.record_all([doc])

    def record_all(self, docs: Sequence[Mapping[str, Any]]) -> None:
        if self.down:
            raise StoreUnavailableError("disk full")
        for doc in docs:
            checked = check(doc, self.clock.now())
            assert not checked.faults, checked.faults
            assert not checked.masked
        self.docs += [dict(doc) for doc in docs]
        self.writes += bool(docs)

    def told(self) -> list[tuple[str, str, str]]:
        return [(doc["activity"], doc["operation_name"], doc.get("target", {}).get("id", "")) for doc in self.docs]


@dataclass
class Office:
    """A directory on a real database file."""

    path: Path
    clock: FixedClock = field(default_factory=lambda: FixedClock(datetime(2026, 10, 5, 0, 0, 10, tzinfo=UTC)))

    def __post_init__(self) -> None:
        self.state = StateStore(f"sqlite:///{self.path}")
        self.state.create_tables()
        self.ledger = Ledger(self.clock)
        self.context = ContextService(self.state, self.clock)
        self.people = PeopleService(self.state, self.clock, self.context, self.ledger)

    def bring(self, *rows: str, confirm: bool = False) -> Imported:
        """Bring rows of the staff feed in."""
        return self.people.import_staff(self.file(*rows), by=By("uid 0"), confirm=confirm)

    @staticmethod
    def file(*rows: str) -> bytes:
        return (HEADER + "".join(f"{row}\n" for row in rows)).encode()

    def held(self, staff_id: str, at: datetime) -> str:
        """The unit of the post held at a moment."""
        post = self.people.post_at(staff_id, at)
        return post.org_unit if post else ""


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(tmp_path / "state.db")
    yield office
    office.state.close()
