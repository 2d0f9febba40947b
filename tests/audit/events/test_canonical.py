"""Canonical bytes: one event, one sequence of bytes, the same in Python, in the engine and on paper."""

import hashlib
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.clock import TOKYO
from audit.events import COLUMNS, FIELDS, Activity, Kind, canonical_bytes, digest
from audit.log import Filter, ReadRecord, read_records
from audit.log.intake import DIGEST

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TEXT = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=20),
    st.sampled_from(("", "'", "\\", "\0", "5:a,", "🙂", "見守り", ",", ":", "0", "\ufeff", "x" * 1000)),
)
TIME = st.integers(0, 10**16).map(lambda n: EPOCH + timedelta(microseconds=n))
VALUES = {
    Kind.TEXT: TEXT,
    Kind.IDS: st.lists(TEXT.filter(bool), max_size=4),
    Kind.COUNT: st.one_of(st.none(), st.integers(0, 10**18 - 1)),
    Kind.FLAG: st.one_of(st.none(), st.booleans()),
    Kind.TIME: st.one_of(st.none(), TIME),
}
EVENTS = st.fixed_dictionaries(
    {
        "time": TIME,
        "activity": st.sampled_from(sorted(Activity)),
        "actor_id": TEXT,
    },
    optional={
        field.column: VALUES[field.kind]
        for field in FIELDS
        if field.column not in ("time", "activity", "actor_id", "event_id")
    },
)
_BATCH = count(1)


def test_the_bytes_are_what_the_rule_says() -> None:
    columns = {
        "time": datetime(1970, 1, 1, 0, 0, 1, 5, tzinfo=UTC), "activity": "view", "actor_id": "担当", "reason": "",
        "auth_user_verified": False, "query_hits": 0, "subjects": ["a", "b,"], "auth_factors": [], "sequence": None,
    }  # fmt: skip
    assert (
        canonical_bytes("src", columns)
        == (
            "6:source,3:src,8:activity,4:view,8:actor.id,6:担当,18:auth.user_verified,1:0,10:query.hits,1:0,"
            "8:subjects,9:1:a,2:b,,,4:time,7:1000005,"
        ).encode()
    )
    assert digest("src", columns) == hashlib.sha256(canonical_bytes("src", columns)).digest()[:16]


def test_absent_in_every_writing_is_absent() -> None:
    absent: tuple[Any, ...] = (None, "", [], ())
    for nothing in absent:
        assert canonical_bytes("s", {"reason": nothing}) == canonical_bytes("s", {})


def test_false_and_zero_are_not_absent() -> None:
    assert canonical_bytes("s", {"query_hits": 0}) != canonical_bytes("s", {})
    assert canonical_bytes("s", {"auth_user_verified": False}) != canonical_bytes("s", {})


def test_the_order_is_that_of_the_paths() -> None:
    paths = [field.path for field in FIELDS]
    assert paths == sorted(paths)
    assert len(set(COLUMNS)) == len(COLUMNS)


@given(first=EVENTS, second=EVENTS)
def test_different_events_have_different_bytes(first: dict[str, Any], second: dict[str, Any]) -> None:
    def present(columns: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in columns.items() if value not in (None, "", [])}

    same = present(first) == present(second)
    assert (canonical_bytes("s", first) == canonical_bytes("s", second)) is same


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(events=st.lists(EVENTS, min_size=5, max_size=25))
def test_the_engine_computes_the_same_digest(chdb_desk: Any, events: list[dict[str, Any]]) -> None:
    batch = next(_BATCH)
    source = f"canonical-{batch}-'\\"
    named = [{**columns, "event_id": f"e{n:04d}"} for n, columns in enumerate(events)]
    records = [ReadRecord(n, b"", columns) for n, columns in enumerate(named)]
    desk = chdb_desk
    assert desk.log.append(desk.delivery(batch, source), read_records(records)).stored == len(events)
    rows = desk.store.rows(
        f"SELECT event_id, toFixedString({DIGEST}, 16) AS digest FROM events "
        "WHERE source = {source:String} ORDER BY event_id",
        {"source": source},
    )
    assert [row["digest"] for row in rows] == [digest(source, columns) for columns in named]
    read_back = {event.event_id: digest(source, event.columns) for event in desk.log.each(Filter(sources=(source,)))}
    assert read_back == {row["event_id"]: row["digest"] for row in rows}


def test_a_moment_has_one_number_whatever_its_zone() -> None:
    at = datetime(2026, 10, 5, 0, 13, 22, 120000, tzinfo=UTC)
    assert canonical_bytes("s", {"time": at}) == canonical_bytes("s", {"time": at.astimezone(TOKYO)})
    assert canonical_bytes("s", {"time": at}) != canonical_bytes("s", {"time": at + timedelta(microseconds=1)})
