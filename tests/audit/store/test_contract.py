"""What every engine must do alike: clients by purpose, bound values, errors by code."""

import socket
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.store.clickhouse import EventStore, Purpose
from audit.store.errors import (
    SchemaMissingError,
    StoreError,
    StoreLimitError,
    StoreReadOnlyError,
    StoreRefusedError,
    StoreUnavailableError,
)

HOSTILE = (
    "it's", '"', "`", "\\", "\\'", "a\\", "{name:String}", "${x}", "%s", "'; DROP TABLE words; --", "/*", "--",
    "a\0b", "\0", "\t\n\r\v", "𠮷野家", "🙂", "\u202e", "\ufeff", "é", "e\u0301", "\\N", "NULL", "[]", "x" * 6000,
)  # fmt: skip
CAPABILITIES: Mapping[str, Mapping[str, bool]] = {
    "chdb": {"query log": False, "roles": False},
    "http": {"query log": False, "roles": False},
    "server": {"query log": True, "roles": True},
}
"""Where engines differ: a difference is stated here, never skipped."""
ANY_TEXT = st.text(st.characters(codec="utf-8"), max_size=40)


@pytest.fixture
def words(store: EventStore) -> EventStore:
    store.command("CREATE TABLE words (n UInt32, word String, at DateTime64(6, 'UTC')) ENGINE = MergeTree ORDER BY n")
    return store


def fill(store: EventStore, words: list[str], at: datetime = datetime(2026, 1, 2, tzinfo=UTC)) -> None:
    store.insert(
        "words",
        pa.table(
            {
                "n": pa.array(range(len(words)), pa.uint32()),
                "word": words,
                "at": pa.array([at] * len(words), pa.timestamp("us", "UTC")),
            }
        ),
    )


def test_a_store_has_one_place() -> None:
    with pytest.raises(ValueError, match="either"):
        EventStore()


def test_hostile_texts_come_back_as_they_went_in(words: EventStore) -> None:
    fill(words, list(HOSTILE))
    stored = words.rows("SELECT word FROM words ORDER BY n")
    assert [row["word"] for row in stored] == list(HOSTILE)


def test_hostile_values_are_bound_not_pasted(words: EventStore) -> None:
    fill(words, list(HOSTILE))
    for n, text in enumerate(HOSTILE):
        bound = {"word": text, "list": [text, "other"]}
        one = words.rows("SELECT n, {word:String} AS back FROM words WHERE word = {word:String}", bound)
        many = words.rows("SELECT n FROM words WHERE word IN {list:Array(String)}", bound)
        assert one == [{"n": n, "back": text}]
        assert many == [{"n": n}]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(ANY_TEXT, min_size=1, max_size=20), micros=st.integers(0, 10**16))
def test_bound_values_survive(store: EventStore, texts: list[str], micros: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
    back = store.rows(
        "SELECT {one:String} AS one, {all:Array(String)} AS all, {at:DateTime64(6, 'UTC')} AS at",
        {"one": texts[0], "all": texts, "at": moment},
    )
    assert back == [{"one": texts[0], "all": texts, "at": moment}]


def test_a_bound_list_longer_than_an_address_may_be(words: EventStore) -> None:
    fill(words, ["here"])
    many = [f"word-{n:06d}" for n in range(5000)] + ["here"]
    assert words.rows("SELECT n FROM words WHERE word IN {many:Array(String)}", {"many": many}) == [{"n": 0}]


def test_times_are_aware_and_exact(words: EventStore) -> None:
    at = datetime(2026, 10, 5, 0, 13, 22, 123456, tzinfo=UTC)
    fill(words, ["x"], at)
    found = words.rows("SELECT at FROM words WHERE at = {at:DateTime64(6, 'UTC')}", {"at": at})
    assert found == [{"at": at}]
    assert found[0]["at"].tzinfo is not None


def test_an_empty_answer_is_empty(words: EventStore) -> None:
    assert words.rows("SELECT n, word FROM words") == []


@pytest.mark.parametrize(
    "statement",
    ["INSERT INTO words VALUES (1, 'x', now())", "CREATE TABLE other (n UInt8) ENGINE = Memory",
     "DROP TABLE words", "TRUNCATE TABLE words", "ALTER TABLE words DELETE WHERE 1", "SET readonly = 0"],
)  # fmt: skip
def test_a_reader_cannot_write_and_a_writer_still_can(words: EventStore, statement: str) -> None:
    fill(words, ["kept"])
    for _ in range(3):  # every one of the readers
        with pytest.raises(StoreReadOnlyError) as refused:
            words.command(statement, purpose=Purpose.READ)
        assert refused.value.code == 164
    fill(words, ["more"])
    assert words.rows("SELECT count() AS n FROM words") == [{"n": 2}]


@pytest.mark.parametrize(
    ("sql", "kind", "code"),
    [
        ("SELECT * FROM missing", SchemaMissingError, 60),
        ("SELECT * FROM nowhere.words", SchemaMissingError, 81),
        ("SELECT sum(number) FROM numbers(1000000) SETTINGS max_rows_to_read = 10", StoreLimitError, 158),
        ("SELECT groupArray(number) FROM numbers(10000000) SETTINGS max_memory_usage = 1000000", StoreLimitError, 241),
        ("SELECT number FROM numbers(100) SETTINGS max_result_rows = 5", StoreLimitError, 396),
        ("SELECT nonsense(", StoreRefusedError, 62),
        ("SELECT unknown_column", StoreRefusedError, 47),
        ("SELECT throwIf(1, 'secret-of-a-resident')", StoreRefusedError, 395),
    ],
)
def test_errors_are_translated_by_code(store: EventStore, sql: str, kind: type[StoreError], code: int) -> None:
    with pytest.raises(StoreError) as error:
        store.rows(sql)
    assert (type(error.value), error.value.code) == (kind, code)
    assert "secret" not in str(error.value)
    assert error.value.__cause__ is not None


def test_an_engine_that_is_not_there_is_unavailable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(StoreUnavailableError):
        EventStore(url=f"http://default@127.0.0.1:{port}")


def test_an_https_address_is_never_spoken_to_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    def client(**given: Any) -> None:
        asked.update(given)
        raise ConnectionRefusedError

    monkeypatch.setattr("clickhouse_connect.get_client", client)
    with pytest.raises(StoreUnavailableError):
        EventStore(url="https://user:word@db.example:9440")
    assert asked["interface"] == "https"


def test_databases_do_not_see_each_other(words: EventStore, engine: Any) -> None:
    fill(words, ["mine"])
    other = engine.open("default")
    try:
        with pytest.raises(SchemaMissingError):
            other.rows("SELECT * FROM words")
    finally:
        other.close()


def test_the_capability_table_is_true(store: EventStore, engine: Any) -> None:
    found = {"query log": True, "roles": True}
    try:
        store.rows("SELECT count() FROM system.query_log")
    except StoreError:
        found["query log"] = False
    try:
        store.command("CREATE ROLE contract_probe", purpose=Purpose.MIGRATE)
        store.command("DROP ROLE contract_probe", purpose=Purpose.MIGRATE)
    except StoreError:
        found["roles"] = False
    assert found == CAPABILITIES[engine.name]
