"""The rules in force as detectors of every round."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

from audit.rulebook import ImportedRule
from detectors.registry import DETECTORS, by_id
from detectors.sigma.imported import ImportedDetectors

RULE = {
    "title": "a rule", "id": "5a4b8c1e-6d0f-4a3b-9e2c-7f1d2a3b4c5d", "logsource": {"product": "mimamori"},
    "detection": {"sel": {"actor.id": "x"}, "condition": "sel"},
}  # fmt: skip
EVENT = {"source": "x", "time": "2026-10-05T10:00:00+09:00", "activity": "login", "actor": {"id": "x"}}
STORIES = [
    {"name": "one", "day": "2026-10-05", "finds": ["x"], "events": [EVENT]},
    {"name": "two", "day": "2026-10-06", "events": [EVENT]},
]
KEPT = ImportedRule(
    1, RULE["id"], "a rule", "", json.dumps(RULE).encode(), json.dumps(STORIES).encode(), "a", "b",
    datetime(2026, 10, 5, tzinfo=UTC),
)  # fmt: skip


@dataclass
class Book:
    rules: Sequence[ImportedRule] = field(default_factory=list)
    former: Sequence[ImportedRule] = field(default_factory=list)

    def in_force(self) -> Sequence[ImportedRule]:
        return self.rules

    def ended(self) -> Sequence[ImportedRule]:
        return self.former


def test_what_is_in_force_is_asked_each_time() -> None:
    book = Book()
    imported = ImportedDetectors(book)
    assert imported.detectors() == {}
    book.rules = [KEPT]
    (first,) = imported.detectors().values()
    assert first.meta.id == f"sigma-{RULE['id']}"
    assert imported.detectors()[first.meta.id] is first, "the same bytes are read once"
    assert len(by_id([*DETECTORS.values(), first])) == len(DETECTORS) + 1
    book.rules = [replace(KEPT, number=2, content=json.dumps({**RULE, "level": "high"}).encode())]
    (second,) = imported.detectors().values()
    assert (second.meta.id, second.meta.version != first.meta.version) == (first.meta.id, True)
    book.rules = []
    assert imported.detectors() == {}


def test_what_a_rule_was_before_is_known_by_the_day_on_which_it_was_replaced() -> None:
    last = replace(KEPT, number=4, content=json.dumps({**RULE, "level": "high"}).encode())
    first = replace(KEPT, ended_at=datetime(2026, 10, 7, 20, tzinfo=UTC))
    unreadable = replace(
        KEPT, number=2, content=b"title: of another version", ended_at=datetime(2026, 10, 9, tzinfo=UTC)
    )
    removed = replace(KEPT, number=3, rule="removed", ended_at=datetime(2026, 10, 9, tzinfo=UTC))
    imported = ImportedDetectors(Book([last], [first, unreadable, removed]))
    ((name, now),) = imported.detectors().items()
    ((until, before),) = imported.before()[name]
    assert (until, before.meta.version != now.meta.version) == (date(2026, 10, 8), True)
    assert list(imported.before()) == [name], "what is removed judges nothing more"


def test_a_rule_that_is_not_understood_any_more_is_left_out_and_told() -> None:
    other = replace(KEPT, number=2, rule="other", content=b"title: of another version")
    imported = ImportedDetectors(Book([KEPT, other]))
    assert list(imported.detectors()) == [f"sigma-{RULE['id']}"]
    assert list(imported.broken()) == ["sigma-other"]
    assert imported.broken()["sigma-other"].text("ja")
