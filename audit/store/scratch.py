"""A database beside the real one, for what is only tried: it is emptied at will, and gone in the end."""

from audit.store.clickhouse import EventStore, Purpose

__all__ = ["ScratchStore"]


class ScratchStore(EventStore):
    """An event store that may be emptied; the log's own never may."""

    def empty(self) -> None:
        """Empty every table but the list of migrations."""
        tables = "SELECT name FROM system.tables WHERE database = currentDatabase() AND name != 'migrations'"
        for row in self.rows(tables, purpose=Purpose.MIGRATE):
            self.command("TRUNCATE TABLE {name:Identifier}", {"name": row["name"]}, Purpose.MIGRATE)

    def close(self) -> None:
        """Drop the database and let go of every client."""
        try:
            self.command("DROP DATABASE IF EXISTS {name:Identifier}", {"name": self.database}, Purpose.MIGRATE)
        finally:
            super().close()
