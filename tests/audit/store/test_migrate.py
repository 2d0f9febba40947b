"""Migrations: applied once, in order, checked against their record."""

import re

import pytest

from audit.clock import FixedClock
from audit.store.clickhouse import EventStore, Purpose
from audit.store.errors import MigrationError, SchemaMissingError, StoreError
from audit.store.migrate import Migration, migrate, shipped_migrations

ONE = Migration("0001_one.sql", "-- first;\nCREATE TABLE one (n UInt8) ENGINE = Memory;\nINSERT INTO one VALUES (1);\n")
TWO = Migration("0002_two.sql", "CREATE TABLE two (n UInt8) ENGINE = Memory")
BROKEN = Migration("0002_two.sql", "CREATE TABLE two (n UInt8) ENGINE = Memory; SELECT nonsense(")


def tables(store: EventStore) -> set[str]:
    rows = store.rows("SELECT name FROM system.tables WHERE database = currentDatabase()")
    return {row["name"] for row in rows}


def test_migrations_are_applied_once(store: EventStore, clock: FixedClock) -> None:
    assert migrate(store, clock, [ONE, TWO]) == [ONE.name, TWO.name]
    assert migrate(store, clock, [ONE, TWO]) == []
    assert tables(store) == {"migrations", "one", "two"}
    assert store.rows("SELECT n FROM one") == [{"n": 1}]


def test_a_later_version_adds_only_what_is_new(store: EventStore, clock: FixedClock) -> None:
    migrate(store, clock, [ONE])
    assert migrate(store, clock, [ONE, TWO]) == [TWO.name]


def test_a_dry_run_changes_nothing(store: EventStore, clock: FixedClock) -> None:
    assert migrate(store, clock, [ONE, TWO], dry_run=True) == [ONE.name, TWO.name]
    assert tables(store) == set()


def test_the_shipped_ones_apply_twice(store: EventStore, clock: FixedClock) -> None:
    names = [migration.name for migration in shipped_migrations()]
    assert names == sorted(names)
    assert names
    assert migrate(store, clock) == names
    assert migrate(store, clock) == []
    assert "events" in tables(store)


def test_a_changed_migration_is_refused(store: EventStore, clock: FixedClock) -> None:
    migrate(store, clock, [ONE])
    with pytest.raises(MigrationError, match="changed"):
        migrate(store, clock, [Migration(ONE.name, ONE.text + " ")])


def test_an_unknown_migration_is_refused(store: EventStore, clock: FixedClock) -> None:
    migrate(store, clock, [ONE, TWO])
    with pytest.raises(MigrationError, match="unknown"):
        migrate(store, clock, [ONE])


def test_a_half_done_migration_stops_everything(store: EventStore, clock: FixedClock) -> None:
    with pytest.raises(StoreError):
        migrate(store, clock, [ONE, BROKEN])
    for again in ([ONE, BROKEN], [ONE, TWO]):
        with pytest.raises(MigrationError, match="half done"):
            migrate(store, clock, again)


DANGEROUS = (
    "DROP TABLE one", "TRUNCATE TABLE one", "DELETE FROM one WHERE 1", "SELECT 1; DROP TABLE one",
    "ALTER TABLE one\nDROP COLUMN n", "ALTER TABLE `my one` DELETE WHERE 1", "ALTER TABLE one UPDATE n = 2 WHERE 1",
    "ALTER TABLE one ADD COLUMN m UInt8, DROP COLUMN n", "CREATE OR REPLACE TABLE one (n UInt8) ENGINE = Memory",
    "rename table one to two", "-- a remark\n  drop table one",
)  # fmt: skip


def test_a_dangerous_migration_needs_permission(store: EventStore, clock: FixedClock) -> None:
    migrate(store, clock, [ONE])
    for text in DANGEROUS:
        with pytest.raises(MigrationError, match="allow-dangerous"):
            migrate(store, clock, [ONE, Migration("0002_danger.sql", text)])
    assert store.rows("SELECT n FROM one") == [{"n": 1}]


def test_a_dangerous_migration_runs_with_permission(store: EventStore, clock: FixedClock) -> None:
    migrate(store, clock, [ONE])
    assert migrate(store, clock, [ONE, Migration("0002_danger.sql", "DROP TABLE one")], allow_dangerous=True)
    with pytest.raises(SchemaMissingError):
        store.rows("SELECT n FROM one")


def test_adding_is_not_dangerous(store: EventStore, clock: FixedClock) -> None:
    adding = Migration("0002_more.sql", "ALTER TABLE one ADD COLUMN dropped UInt8; -- we drop nothing")
    migrate(store, clock, [ONE])
    assert migrate(store, clock, [ONE, adding]) == [adding.name]


def test_no_shipped_migration_is_dangerous(store: EventStore, clock: FixedClock) -> None:
    assert migrate(store, clock, dry_run=True)


def test_the_record_says_when(store: EventStore, clock: FixedClock) -> None:
    migrate(store, clock, [ONE])
    rows = store.rows("SELECT state, at, checksum FROM migrations ORDER BY state", purpose=Purpose.MIGRATE)
    assert [row["state"] for row in rows] == ["in progress", "completed"]
    assert {row["at"] for row in rows} == {clock.now()}
    assert all(re.fullmatch(r"[0-9a-f]{64}", row["checksum"]) for row in rows)
