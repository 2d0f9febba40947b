"""Applies the numbered migrations: forward only, checksummed, with their state on record.

A migration is recorded as `in progress` before its first statement and as `completed` after its last. One found in
progress stops everything: an operator must look, because some statements cannot be taken back (docs/operate.md).
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources

from audit.clock import Clock
from audit.store.clickhouse import EventStore, Purpose
from audit.store.errors import MigrationError

__all__ = ["Migration", "migrate", "shipped_migrations"]

_NAME = re.compile(r"\d{4}_[a-z0-9_]+\.sql")
_DANGEROUS = re.compile(
    r"(DROP|TRUNCATE|DELETE|UPDATE|DETACH|RENAME|EXCHANGE|REPLACE|CREATE\s+OR\s+REPLACE"
    r"|ALTER\b.*\b(DROP|DELETE|UPDATE|MODIFY(?!\s+SETTING\b)|CLEAR|DETACH|REPLACE|RENAME))\b",
    re.IGNORECASE | re.DOTALL,
)
_STATE = """CREATE TABLE IF NOT EXISTS migrations
(name String, checksum String, state Enum8('in progress' = 1, 'completed' = 2), at DateTime64(6, 'UTC'))
ENGINE = MergeTree ORDER BY (name, at)"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file."""

    name: str
    text: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the file, in hex."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def statements(self) -> list[str]:
        """Its statements; comments begin a line."""
        bare = "\n".join(line for line in self.text.splitlines() if not line.lstrip().startswith("--"))
        return [statement.strip() for statement in bare.split(";") if statement.strip()]


def shipped_migrations() -> list[Migration]:
    """The migrations of this version, in order."""
    folder = resources.files("audit.store.migrations")
    found = [Migration(item.name, item.read_text()) for item in folder.iterdir() if _NAME.fullmatch(item.name)]
    return sorted(found, key=lambda migration: migration.name)


def migrate(
    store: EventStore,
    clock: Clock,
    migrations: Iterable[Migration] | None = None,
    *,
    dry_run: bool = False,
    allow_dangerous: bool = False,
) -> list[str]:
    """Bring the tables up to date.

    Args:
        store: whose tables.
        clock: for the record of when.
        migrations: other ones than those shipped (tests).
        dry_run: only say what would run.
        allow_dangerous: let a migration drop or delete.

    Returns:
        The names of the migrations applied, or that would be.

    Raises:
        MigrationError: a migration that ran was changed or is unknown, one is half done, or one is dangerous.
    """
    wanted = shipped_migrations() if migrations is None else list(migrations)
    if not dry_run:
        store.command(_STATE, purpose=Purpose.MIGRATE)
    exists = store.rows("SELECT 1 FROM system.tables WHERE database = currentDatabase() AND name = 'migrations'")
    done = (
        store.rows("SELECT name, any(checksum) AS checksum, max(state) AS state FROM migrations GROUP BY name")
        if exists
        else []
    )
    known = {migration.name: migration for migration in wanted}
    for row in done:
        migration = known.get(row["name"])
        if migration is None:
            raise MigrationError(f"{row['name']} ran here but is unknown to this version: it is older than the data")
        if row["state"] != "completed":
            raise MigrationError(f"{row['name']} is half done: see docs/operate.md")
        if row["checksum"] != migration.checksum:
            raise MigrationError(f"{row['name']} was changed after it ran")
    finished = {row["name"] for row in done}
    pending = [migration for migration in wanted if migration.name not in finished]
    for migration in pending:
        if any(map(_DANGEROUS.match, migration.statements)) and not allow_dangerous:
            raise MigrationError(f"{migration.name} drops or deletes: run it with --allow-dangerous after a backup")
    if dry_run:
        return [migration.name for migration in pending]
    for migration in pending:
        _record(store, clock, migration, "in progress")
        for statement in migration.statements:
            store.command(statement, purpose=Purpose.MIGRATE)
        _record(store, clock, migration, "completed")
    return [migration.name for migration in pending]


def _record(store: EventStore, clock: Clock, migration: Migration, state: str) -> None:
    store.command(
        "INSERT INTO migrations VALUES ({name:String}, {checksum:String}, {state:String}, {at:DateTime64(6)})",
        {"name": migration.name, "checksum": migration.checksum, "state": state, "at": clock.now()},
        purpose=Purpose.MIGRATE,
    )
