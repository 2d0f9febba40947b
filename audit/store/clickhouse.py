"""The event store: one client class for both engines, one client for each purpose.

The embedded engine (chDB) and a ClickHouse server are reached through the same clickhouse-connect client, so the same
SQL runs on both. A purpose fixes a client's settings for its life: chDB keeps `readonly` for good once it was passed
with a call, and a reader that cannot write is the second lock on the log. The driver's types and errors end here.
"""

import fcntl
import os
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import clickhouse_connect
import pyarrow as pa
from clickhouse_connect.driver.exceptions import ClickHouseError

from audit.store.errors import (
    SchemaMissingError,
    StoreError,
    StoreHeldError,
    StoreLimitError,
    StoreReadOnlyError,
    StoreRefusedError,
    StoreTimeoutError,
    StoreUnavailableError,
)

__all__ = ["EventStore", "Purpose", "hold_directory"]


class Purpose(Enum):
    """What a client is for: its settings, and why."""

    READ = {  # noqa: RUF012 - an enum member, not a mutable class attribute
        "readonly": "2",  # 2 leaves the limits below adjustable, and writes refused
        "max_execution_time": "30",  # a page is not worth more of a two-core machine
        "max_rows_to_read": "2000000000",
        "use_query_cache": "0",
    }
    WRITE = {"max_execution_time": "600"}  # noqa: RUF012 - a bulk delivery may take its time
    MIGRATE = {"max_execution_time": "0"}  # noqa: RUF012 - a half-done migration is worse than a slow one


_ERRORS: Mapping[int, type[StoreError]] = {
    60: SchemaMissingError,
    81: SchemaMissingError,
    158: StoreLimitError,
    159: StoreTimeoutError,
    164: StoreReadOnlyError,
    241: StoreLimitError,
    307: StoreLimitError,
    396: StoreLimitError,
    # What passes: files and disks (74 to 76, 243, 425), connections (198, 203, 209, 210), too much at once (202, 252),
    # broken off (236, 394), read only for now (242), Keeper (999), and what has no number of its own (1000 to 1002).
    **dict.fromkeys(
        (74, 75, 76, 198, 202, 203, 209, 210, 236, 242, 243, 252, 394, 425, 999, 1000, 1001, 1002),
        StoreUnavailableError,
    ),
}
_CODE = re.compile(r"[Cc]ode:? (\d+)")


@contextmanager
def hold_directory(path: Path) -> Iterator[None]:
    """Hold a data directory for this process.

    Raises:
        StoreHeldError: naming the process that holds it.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreUnavailableError(f"{path} cannot be written: {error.strerror}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(descriptor, 64).decode(errors="replace").strip() or "unknown"
            raise StoreHeldError(f"{path} is held by process {holder}") from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _translate(error: Exception) -> StoreError:
    match = _CODE.search(str(error))
    code = int(match[1]) if match else getattr(error, "code", None)
    if code is None:
        return StoreUnavailableError(f"the event store does not answer ({type(error).__name__})")
    kind = _ERRORS.get(code, StoreRefusedError)
    return kind(f"the event store refused the statement ({kind.__name__}, code {code})", code)


class _HandedFile:
    """The file through which the embedded engine is handed columns: in memory, and the same pages for every batch.

    The driver would make a file in the system's temporary folder for each, which takes longer and leaves events there
    in clear when the process is killed.
    """

    def __init__(self) -> None:
        self._file = os.memfd_create("columns")
        self.path = f"/proc/self/fd/{self._file}"

    def fill(self, columns: pa.Table) -> None:
        """Put columns into it, in the place of what was there."""
        os.lseek(self._file, 0, os.SEEK_SET)
        with (
            os.fdopen(os.dup(self._file), "wb", buffering=0) as file,
            pa.ipc.new_stream(file, columns.schema) as writer,
        ):
            writer.write_table(columns)
        os.ftruncate(self._file, os.lseek(self._file, 0, os.SEEK_CUR))

    def close(self) -> None:
        """Give the memory back."""
        os.close(self._file)


class EventStore:
    """Clients of one event store by purpose.

    Args:
        path: folder of the embedded engine; or
        url: `http(s)://user:password@host:port` of a server.
        database: where our tables are.
        readers: how many reading clients; calls on one client wait for each other.
    """

    def __init__(
        self,
        *,
        path: Path | None = None,
        url: str | None = None,
        database: str = "mimamori",
        readers: int = 2,
    ) -> None:
        if (path is None) == (url is None):
            raise ValueError("an event store has either a path or a url")
        self.database = database
        self._where: dict[str, Any] = (
            {"interface": "chdb", "path": str(path)}
            if path is not None
            else {
                "dsn": url,
                "interface": urlsplit(str(url)).scheme,
            }  # the driver reads TLS from the port alone
        )
        self._clients: list[Any] = []
        self._handed = _HandedFile() if path is not None and hasattr(os, "memfd_create") else None
        with self._translated():
            self._migrator = self._open(Purpose.MIGRATE, "default")
            self._migrator.command(f"CREATE DATABASE IF NOT EXISTS `{database}`")
            self._migrator = self._open(Purpose.MIGRATE, database)
            self._writer = self._open(Purpose.WRITE, database)
            self._readers = [self._open(Purpose.READ, database) for _ in range(readers)]
        self._locks = {id(client): threading.Lock() for client in self._clients}
        self._turn = 0

    def _open(self, purpose: Purpose, database: str) -> Any:  # noqa: ANN401 - the driver's type stays here
        client = clickhouse_connect.get_client(
            **self._where, database=database, settings=dict(purpose.value), tz_mode="aware"
        )
        self._clients.append(client)
        return client

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except StoreError:
            raise
        except (ClickHouseError, OSError, RuntimeError) as error:
            raise _translate(error) from error

    @contextmanager
    def _client(self, purpose: Purpose) -> Iterator[Any]:
        if purpose is Purpose.READ:
            self._turn = (self._turn + 1) % len(self._readers)
            client = self._readers[self._turn]
        else:
            client = self._writer if purpose is Purpose.WRITE else self._migrator
        with self._locks[id(client)], self._translated():
            yield client

    def rows(
        self, sql: str, parameters: Mapping[str, Any] | None = None, purpose: Purpose = Purpose.READ
    ) -> list[dict[str, Any]]:
        """Run a question and read the whole answer.

        Args:
            sql: with `{name:Type}` for every value.
            parameters: the values, bound by the engine, never pasted into the text.
            purpose: which client asks.
        """
        with self._client(purpose) as client:
            result = client.query(sql, parameters=dict(parameters or {}))
            names = result.column_names
            return [dict(zip(names, row, strict=True)) for row in result.result_rows]

    def command(self, sql: str, parameters: Mapping[str, Any] | None = None, purpose: Purpose = Purpose.WRITE) -> None:
        """Run a statement."""
        with self._client(purpose) as client:
            client.command(sql, parameters=dict(parameters or {}))

    def insert(self, table: str, columns: pa.Table) -> None:
        """Insert columns into a table of the same column names."""
        with self._client(Purpose.WRITE) as client:
            if self._handed is None:  # a server, or a system without memory files
                client.insert_arrow(table, columns)
                return
            self._handed.fill(columns)
            names = ", ".join(f"`{name}`" for name in columns.column_names)
            client.command(f"INSERT INTO {table} ({names}) FROM INFILE '{self._handed.path}' FORMAT ArrowStream")

    def close(self) -> None:
        """Let go of every client."""
        for client in self._clients:
            client.close()
        self._clients.clear()
        handed, self._handed = self._handed, None
        if handed is not None:
            handed.close()
