"""Registering records services for single sign-on, and changing the signing key: an administrator's acts."""

from collections.abc import Sequence

from audit.access.machines.model import SOURCE_ID
from audit.access.sso.errors import ClientStateError
from audit.access.sso.journal import SsoJournal
from audit.access.sso.keys import SigningKeys
from audit.access.sso.model import System
from audit.access.sso.repository import SsoRepository, SystemRow
from audit.clock import Clock
from audit.events import mask
from audit.store.state import StateStore

__all__ = ["SystemUseCases"]


class SystemUseCases:
    """The registry of systems, and the key.

    Args:
        store: the state database.
        clock: the time.
        journal: the audit log.
        keys: what ID tokens are signed with.
    """

    def __init__(self, store: StateStore, clock: Clock, journal: SsoJournal, keys: SigningKeys) -> None:
        self._store = store
        self._clock = clock
        self._journal = journal
        self._keys = keys

    def register(self, system: System, *, by: str) -> None:
        """Register a system, or give a registered one other addresses; the event tells the old and the new.

        Args:
            system: as it is to be.
            by: who does this, for the log.

        Raises:
            ClientStateError: its id cannot be one.
        """
        if not SOURCE_ID.fullmatch(system.source) or mask(system.source)[1]:
            raise ClientStateError("source")
        with self._store.unit() as unit:
            repository = SsoRepository(unit)
            row = repository.system(system.source)
            old = row.system().document() if row else None
            values = {
                "redirect_uris": " ".join(system.redirect_uris),
                "post_logout_uris": " ".join(system.post_logout_uris),
                "max_age_seconds": int(system.max_age.total_seconds()) if system.max_age else None,
                "algorithm": system.algorithm,
                "changed_at": self._clock.now(),
            }
            if row is None:
                repository.add(SystemRow(source=system.source, **values))
            else:
                for name, value in values.items():
                    setattr(row, name, value)
            self._journal.write(
                "config_change",
                "sso.system_registered" if old is None else "sso.system_changed",
                source=system.source,
                by=by,
                old=old,
                new=system.document(),
            )

    def remove(self, source: str, *, by: str) -> None:
        """Forget a system; its tokens open nothing from the next request on.

        Raises:
            ClientStateError: it is not registered.
        """
        with self._store.unit() as unit:
            repository = SsoRepository(unit)
            row = repository.system(source)
            if row is None:
                raise ClientStateError("unknown")
            old = row.system().document()
            repository.drop_system(source)
        self._journal.write("config_change", "sso.system_removed", source=source, by=by, old=old)

    def systems(self) -> Sequence[System]:
        """Every registered system, by source id."""
        with self._store.unit() as unit:
            return [row.system() for row in SsoRepository(unit).systems()]

    def rotate_keys(self, *, by: str) -> list[str]:
        """Sign with new keys from now on; those before stay published until their last tokens are over.

        Returns:
            The new keys' `kid`.
        """
        keys, old = self._keys.successors(), self._keys.kids()
        new = [str(key.kid) for key in keys]
        self._journal.write("config_change", "sso.keys_rotated", by=by, old=old, new=new)
        self._keys.succeed(keys, self._clock.now())
        return new

    def drop_former_keys(self) -> int:
        """Forget the keys that sign no more and that nothing needs any more; how many."""
        dropped = self._keys.drop_former(self._clock.now())
        if dropped:
            self._journal.write("config_change", "sso.keys_dropped", old=dropped)
        return len(dropped)
