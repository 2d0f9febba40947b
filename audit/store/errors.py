"""What can go wrong below the log.

StoreError
├── StoreUnavailableError   the engine does not answer
├── StoreDamagedError      a part of the installation is missing, or holds less than it should
├── StoreHeldError          another process holds the data directory
├── StoreTimeoutError       a budget of time was used up
├── StoreLimitError         a budget of rows or memory was used up
├── StoreReadOnlyError      a reader tried to write
├── SchemaMissingError      a table is missing: migrations have not run
├── MigrationError          a migration is unknown, changed or half done
└── StoreRefusedError       the engine refused the statement for any other reason
"""

__all__ = [
    "MigrationError",
    "SchemaMissingError",
    "StoreDamagedError",
    "StoreError",
    "StoreHeldError",
    "StoreLimitError",
    "StoreReadOnlyError",
    "StoreRefusedError",
    "StoreTimeoutError",
    "StoreUnavailableError",
]


class StoreError(Exception):
    """An engine failed. `code` is the engine's own number, where it gave one."""

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


class StoreUnavailableError(StoreError):
    """The engine does not answer; the same call may work later."""


class StoreDamagedError(StoreError):
    """A part of the installation is missing, or holds less than it should."""


class StoreHeldError(StoreError):
    """Another process holds the data directory."""


class StoreTimeoutError(StoreError):
    """A budget of time was used up."""


class StoreLimitError(StoreError):
    """A budget of rows or memory was used up."""


class StoreReadOnlyError(StoreError):
    """A reader tried to write."""


class SchemaMissingError(StoreError):
    """A table is missing: migrations have not run."""


class MigrationError(StoreError):
    """A migration is unknown, changed or half done."""


class StoreRefusedError(StoreError):
    """The engine refused the statement."""
