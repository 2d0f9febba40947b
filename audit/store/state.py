"""The state database: staff, credentials, sessions, findings, jobs. SQLite by default, PostgreSQL by configuration.

One request or job is one unit of work, committed at its edge: a service takes a `Session` and never commits.
Times are stored as integers (microseconds since 1970 UTC), so that both engines keep them exactly and aware.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Dialect, Engine, MetaData, create_engine, event, inspect
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
    TimeoutError,  # noqa: A004 - no connection is free
)
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.schema import CreateColumn
from sqlalchemy.types import TypeDecorator

from audit.store.errors import StoreRefusedError, StoreUnavailableError

__all__ = ["Base", "Session", "StateStore", "UtcTime"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class UtcTime(TypeDecorator[datetime]):
    """An aware moment, stored as microseconds since 1970 UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """To the database; refuses naive times."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive times are not stored")
        return (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ANN401, ARG002
        """From the database, aware and in UTC."""
        return None if value is None else _EPOCH + timedelta(microseconds=int(value))


class Base(DeclarativeBase):
    """Every table of the state database; constraint names are stable so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def _sqlite_settings(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")  # readers do not wait for the writer
    cursor.execute("PRAGMA synchronous=FULL")  # what was committed survives a power cut
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA busy_timeout=10000")
    cursor.close()


class StateStore:
    """The state database and its units of work."""

    def __init__(self, url: str) -> None:
        self._engine: Engine = create_engine(url)
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _sqlite_settings)
        self._sessions = sessionmaker(self._engine, expire_on_commit=False)

    def create_tables(self) -> None:
        """Create what is missing: tables, columns and indexes that later versions added. Nothing is changed or dropped.

        A column added to a table of an earlier version must be nullable or have a `server_default`.
        """
        earlier = set(inspect(self._engine).get_table_names())
        Base.metadata.create_all(self._engine)
        known = inspect(self._engine)
        with self._engine.begin() as connection:
            for table in Base.metadata.sorted_tables:
                if table.name not in earlier:
                    continue  # just created, whole
                present = {column["name"] for column in known.get_columns(table.name)}
                for column in table.columns:
                    if column.name not in present:
                        definition = CreateColumn(column).compile(dialect=self._engine.dialect)
                        name = self._engine.dialect.identifier_preparer.format_table(table)
                        connection.exec_driver_sql(f"ALTER TABLE {name} ADD COLUMN {definition}")
                for index in table.indexes:
                    index.create(connection, checkfirst=True)

    @contextmanager
    def unit(self) -> Iterator[Session]:
        """One unit of work: committed when the block ends, rolled back when it raises.

        Raises:
            StoreUnavailableError: the database cannot be read or written: its disk is full, it is locked, it is gone.
            StoreRefusedError: it refuses what was asked, above all because somebody else was faster. What a use case
                has words for it catches inside the unit.
        """
        try:
            with self._sessions() as session, session.begin():
                yield session
        except (DataError, IntegrityError, NotSupportedError, ProgrammingError) as error:
            raise StoreRefusedError("the state database refused a statement") from error
        except (DBAPIError, TimeoutError) as error:
            raise StoreUnavailableError("the state database cannot be read or written") from error

    def close(self) -> None:
        """Let go of every connection."""
        self._engine.dispose()
