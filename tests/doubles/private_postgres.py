"""A PostgreSQL server for one run of tests, and databases in it that have the tables already."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from ports import free_port
from sqlalchemy import URL, create_engine, make_url

from audit.store.state import StateStore

_OWNER = "postgres"
_SETTINGS = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "32MB", "max_connections": "200"}
_TEMPLATE = "ready"


@dataclass
class Postgres:
    """A running server."""

    port: int
    made: dict[str, str] = field(default_factory=dict)
    """Which database stands for which name."""

    def url(self, database: str) -> URL:
        return make_url(f"postgresql+psycopg://{_OWNER}@127.0.0.1:{self.port}/{database}")

    def prepare(self) -> None:
        """Make the database that the others are copies of."""
        self._administer(f"CREATE DATABASE {_TEMPLATE}")
        store = StateStore(self.url(_TEMPLATE).render_as_string())
        store.create_tables()
        store.close()

    def database(self, name: str) -> URL:
        """The database that stands for a name; made at the first time, with all tables."""
        if name not in self.made:
            self.made[name] = f"t{len(self.made)}"
            self._administer(f"CREATE DATABASE {self.made[name]} TEMPLATE {_TEMPLATE}")
        return self.url(self.made[name])

    def drop(self, name: str) -> None:
        """Make room."""
        self._administer(f"DROP DATABASE IF EXISTS {self.made[name]} WITH (FORCE)")

    def _administer(self, statement: str) -> None:
        engine = create_engine(self.url(_OWNER), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)
        engine.dispose()


@contextmanager
def private_postgres() -> Iterator[Postgres]:
    """A server of this run alone; where none can be had the test skips, but in CI it fails."""
    homes = sorted(Path("/usr/lib/postgresql").glob("[0-9]*/bin"), key=lambda home: int(home.parent.name))
    runuser = shutil.which("runuser", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if not homes or runuser is None or os.geteuid() != 0:
        reason = "no PostgreSQL can be started here (tests/system/install.sh installs it; it wants root)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    as_owner, home = [runuser, "-u", _OWNER, "--"], Path(tempfile.mkdtemp(prefix="mimamori-state-"))
    shutil.chown(home, _OWNER, _OWNER)
    postgres, data = Postgres(free_port()), home / "data"
    given = {"port": str(postgres.port), "listen_addresses": "127.0.0.1", "unix_socket_directories": str(home)}
    options = " ".join(f"-c {name}={value}" for name, value in (_SETTINGS | given).items())
    control = [*as_owner, str(homes[-1] / "pg_ctl"), "-D", str(data), "-w", "-t", "60", "-l", str(home / "log")]

    def run(*command: str) -> None:
        subprocess.run(command, cwd="/", stdout=subprocess.DEVNULL, check=True, timeout=120)

    try:
        run(*as_owner, str(homes[-1] / "initdb"), "-D", str(data), "-A", "trust", "-N", "-E", "UTF8", "--no-locale")
        run(*control, "-o", options, "start")
        try:
            postgres.prepare()
            yield postgres
        finally:
            run(*control, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)
