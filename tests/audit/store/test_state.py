"""The state database of an earlier version gets what a later one added, and keeps what it has."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, String, create_engine, inspect, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from audit.store import state as state_module
from audit.store.errors import StoreRefusedError, StoreUnavailableError
from audit.store.state import StateStore


class LaterBase(DeclarativeBase):
    """The tables of a later version."""


class Note(LaterBase):
    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    word: Mapped[str] = mapped_column(String(10))
    colour: Mapped[str | None] = mapped_column(String(10))
    size: Mapped[int] = mapped_column(server_default="3", index=True)


@pytest.fixture
def earlier(tmp_path: Path) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{tmp_path / 'state.db'}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE notes (id INTEGER PRIMARY KEY, word VARCHAR(10) NOT NULL)"))
        connection.execute(text("INSERT INTO notes VALUES (7, 'kept')"))
    yield engine
    engine.dispose()


def test_missing_columns_are_added_and_rows_stay(earlier: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_module, "Base", LaterBase)
    for _ in range(2):
        store = StateStore(str(earlier.url))
        store.create_tables()
        store.close()
    assert {column["name"] for column in inspect(earlier).get_columns("notes")} == {"id", "word", "colour", "size"}
    assert [index["column_names"] for index in inspect(earlier).get_indexes("notes")] == [["size"]]
    with earlier.connect() as connection:
        assert tuple(connection.execute(text("SELECT id, word, colour, size FROM notes")).one()) == (7, "kept", None, 3)


def test_what_the_database_refuses_is_an_error_of_ours(earlier: Engine) -> None:
    store = StateStore(str(earlier.url))
    with pytest.raises(StoreRefusedError), store.unit() as unit:
        unit.execute(text("INSERT INTO notes (id, word) VALUES (7, 'twice')"))
    with pytest.raises(StoreRefusedError), store.unit() as unit:
        unit.execute(text("INSERT INTO notes (id, word) VALUES (8, NULL)"))
    with pytest.raises(StoreUnavailableError), store.unit() as unit:
        unit.execute(text("SELECT * FROM nowhere"))  # SQLite has one error for this and for a disk that is full
    with store.unit() as unit:
        assert unit.scalar(text("SELECT count(*) FROM notes")) == 1
    store.close()
