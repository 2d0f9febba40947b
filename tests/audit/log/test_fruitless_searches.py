"""Counting searches, and those after which nobody's record was opened."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from audit.log import Dimension, Filter, Measure

START = datetime(2026, 10, 2, 0, 0, tzinfo=UTC)
_HITS = {"by": "name", "hits": 3}


def _search(minute: float, **query: Any) -> dict[str, Any]:
    return {"minute": minute, "activity": "search", "query": {**_HITS, **query}}


def _view(minute: float) -> dict[str, Any]:
    return {"minute": minute, "activity": "view", "subjects": ["k1"]}


@pytest.mark.parametrize(
    ("acts", "searches", "fruitless"),
    [
        ([_search(0), _view(1)], 1, 0),
        ([_search(0), _search(1), _view(2)], 2, 1),
        ([_search(0), _view(11)], 1, 1),
        ([_search(0), _view(10)], 1, 0),
        ([_search(0)], 1, 1),
        ([_view(0), _search(1), _search(2)], 2, 2),
        ([_search(0, by="number"), _search(1, by="Household"), _view(30)], 0, 0),
        ([_search(0, hits=0)], 0, 0),
        ([_search(0, hits=None)], 1, 1),  # the system does not write it
        ([_search(0, by="")], 1, 1),
        ([{**_search(0), "outcome": "denied"}], 0, 0),
        ([_view(0)], 0, 0),
    ],
)
def test_a_search_is_fruitless_when_nobody_is_opened_next(
    desk: Any, acts: list[dict[str, Any]], searches: int, fruitless: int
) -> None:
    docs = []
    for number, told in enumerate(acts):
        doc = {"event_id": f"e{number}", "actor": {"id": "s1"}, **told}
        doc["time"] = (START + timedelta(minutes=doc.pop("minute"))).isoformat()
        if "query" in doc:
            doc["query"] = {name: value for name, value in doc["query"].items() if value is not None}
        docs.append((number, json.dumps(doc).encode()))
    desk.take(desk.delivery(1, "a"), docs)
    found = desk.log.aggregate(Filter(), (Dimension.ACTOR,), (Measure.SEARCHES, Measure.FRUITLESS))
    assert found == [{"actor": "s1", "searches": searches, "fruitless": fruitless}]
