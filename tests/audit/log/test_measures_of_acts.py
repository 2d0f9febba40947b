"""Counting acts of some sorts in one question: outputs, changes, refusals, and at how many systems and terminals."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from audit.log import Dimension, Filter, Measure

START = datetime(2026, 10, 2, 0, 0, tzinfo=UTC)


def _ask(desk: Any, acts: list[dict[str, Any]], *measures: Measure) -> list[dict[str, Any]]:
    for source in sorted({act.get("source", "a") for act in acts}):
        docs = []
        for number, act in enumerate(acts):
            if act.get("source", "a") == source:
                told = {name: value for name, value in act.items() if name != "source"}
                at = (START + timedelta(minutes=number)).isoformat()
                doc = {"event_id": f"e{number}", "time": at, "actor": {"id": "s1"}, **told}
                docs.append((number, json.dumps(doc).encode()))
        desk.take(desk.delivery(ord(source), source), docs)
    found: list[dict[str, Any]] = desk.log.aggregate(Filter(), (Dimension.ACTOR,), measures)
    return found


@pytest.mark.parametrize(
    ("act", "outputs", "changes", "denied"),
    [
        ({"activity": "print"}, 1, 0, 0),
        ({"activity": "export", "outcome": "success"}, 1, 0, 0),
        ({"activity": "export", "outcome": "denied"}, 0, 0, 1),
        ({"activity": "update"}, 0, 1, 0),
        ({"activity": "update", "outcome": "failure"}, 0, 0, 1),
        ({"activity": "view"}, 0, 0, 0),
        ({"activity": "login", "outcome": "failure"}, 0, 0, 0),  # a matter of its own
        ({"activity": "security_event", "outcome": "denied"}, 0, 0, 0),  # what is done to an account
    ],
)
def test_an_act_counts_as_what_it_did(desk: Any, act: dict[str, Any], outputs: int, changes: int, denied: int) -> None:
    found = _ask(desk, [act], Measure.OUTPUTS, Measure.CHANGES, Measure.DENIED)
    assert found == [{"actor": "s1", "outputs": outputs, "changes": changes, "denied": denied}]


def test_systems_and_terminals_are_counted_once_each(desk: Any) -> None:
    acts = [
        {"activity": "view", "terminal": {"id": "t-1"}},
        {"activity": "view", "terminal": {"id": "t-1"}, "source": "b"},
        {"activity": "view", "terminal": {"id": "t-2"}},
        {"activity": "view"},
    ]
    assert _ask(desk, acts, Measure.SOURCES, Measure.TERMINALS) == [{"actor": "s1", "sources": 2, "terminals": 2}]
