"""A log, feeds and the look-ups made of them, on the real engine."""

import itertools
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from audit.casework import Casework, LookUp, LookUpFilter
from audit.casework.repository import LookUpRepository
from audit.clock import TOKYO, FixedClock
from audit.context import ContextService
from audit.log import Delivery, EventLog, LineReader, Lines, LogRepository
from audit.store.clickhouse import EventStore
from audit.store.state import StateStore

LATER = FixedClock(datetime(2026, 12, 1, tzinfo=UTC))
DAY = date(2026, 10, 5)
_numbers = itertools.count(1)


class Desk:
    """A small town's log and feeds."""

    def __init__(self, store: EventStore, state: StateStore) -> None:
        state.create_tables()
        self.log = EventLog(LogRepository(store), LATER)
        self.context = ContextService(state, LATER)
        self.casework = Casework(LookUpRepository(store), self.context)

    def feed(self, kind: str, text: str) -> None:
        self.context.import_feed(kind, text.encode())

    def take_in(self, events: Iterable[Mapping[str, Any]]) -> None:
        by_source: dict[str, list[bytes]] = defaultdict(list)
        for event in events:
            doc = {**event}
            by_source[doc.pop("source", "nhi-eligibility")].append(json.dumps(doc).encode())
        for source, delivered in by_source.items():
            lines = Lines.of(b"\n".join(delivered))
            delivery = Delivery(next(_numbers), source, LATER.now())
            assert self.log.append(delivery, LineReader(LATER.now()).read(lines)).stored == len(delivered)

    def made(self, day: date) -> list[LookUp]:
        self.casework.make(day, day)
        return list(self.casework.rows(LookUpFilter(start=day, end=date.fromordinal(day.toordinal() + 1))))


def act(at: str, actor: str, subject: str, activity: str = "view", on: date = DAY, **more: Any) -> dict[str, Any]:
    """One look of somebody at somebody's record."""
    who = {"id": actor, "kind": more.pop("kind", "staff"), "org_unit": more.pop("unit", "")}
    return {
        "time": datetime.combine(on, time.fromisoformat(at), TOKYO).isoformat(),
        "activity": activity,
        "actor": who,
        "subjects": [subject],
        **more,
    }


MakeDesk = Callable[[], Desk]
