"""Leases with fencing: one node at a time does a piece of work, and one that was away too long can no longer keep any.

No wall clock decides. Whoever wants a lease that another node holds watches it: a holder at work changes its row, and
one whose row has not changed for a whole term, measured on the watcher's own monotonic clock, has lost it. The next
holder gets a higher token. Work is kept in units of work that begin with `guard`, an UPDATE of that row by token: it
waits for a take-over that is under way, and fails after one.
"""

import threading
import time
from collections.abc import Callable
from datetime import timedelta

from audit.leases.model import FencedError, Lease
from audit.leases.repository import LeaseRepository, LeaseState
from audit.store.errors import StoreRefusedError
from audit.store.state import Session, StateStore

__all__ = ["LeaseService"]

TERM = timedelta(minutes=10)
"""So long a holder may be silent before its work goes to another node."""
_PULSE = 4
"""Times a term that a holder tells of itself, at least."""


class LeaseService:
    """The leases that one node takes.

    Args:
        state: which every node shares.
        node: what this one is called. It must be no other's, and only one process may be this node: it takes back
            at once what it held when it was killed.
        term: how long a silent holder keeps a lease.
        elapsed: seconds of a clock that nobody sets.
    """

    def __init__(
        self,
        state: StateStore,
        node: str,
        term: timedelta = TERM,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self.node = node
        self._state = state
        self._term = term.total_seconds()
        self._elapsed = elapsed
        self._watched: dict[str, tuple[LeaseState, float]] = {}
        self._told: dict[str, float] = {}
        self._lock = threading.Lock()

    def take(self, name: str) -> Lease | None:
        """Take a lease; nothing while another node holds it.

        Raises:
            StoreUnavailableError: the state database cannot be read or written.
        """
        with self._lock:
            seen = self._seen(name)
            if seen.holder not in ("", self.node) and not self._silent(name, seen):
                return None
            with self._state.unit() as session:
                taken = LeaseRepository(session).take(name, seen, self.node)
            self._watched.pop(name, None)
            self._told[name] = self._elapsed()
            return Lease(name, self.node, seen.token + 1) if taken else None

    def _seen(self, name: str) -> LeaseState:
        with self._state.unit() as session:
            seen = LeaseRepository(session).state(name)
        if seen is not None:
            return seen
        try:
            with self._state.unit() as session:
                LeaseRepository(session).begin(name)
        except StoreRefusedError:
            return self._seen(name)  # another node was faster
        return LeaseState()

    def _silent(self, name: str, seen: LeaseState) -> bool:
        """Whether a lease has been watched for a whole term and nothing was heard of its holder."""
        now = self._elapsed()
        watched, since = self._watched.get(name, (None, now))
        if watched != seen:
            self._watched[name] = (seen, now)
            return False
        return now - since >= self._term

    def guard(self, lease: Lease) -> Callable[[Session], None]:
        """What every unit of work that keeps something under a lease begins with.

        Returns:
            A function of the unit; it raises `FencedError` where the lease has gone to another node.
        """

        def check(session: Session) -> None:
            if not LeaseRepository(session).beat(lease.name, lease.token):
                raise FencedError(f"{lease.name}: token {lease.token} of {lease.holder} is no longer the highest")
            self._told[lease.name] = self._elapsed()

        return check

    def renew(self, lease: Lease) -> None:
        """Tell that the holder is at work, if it has not told so lately.

        Raises:
            FencedError: the lease has gone to another node.
        """
        if self._elapsed() - self._told.get(lease.name, 0.0) >= self._term / _PULSE:
            with self._state.unit() as session:
                self.guard(lease)(session)

    def release(self, lease: Lease) -> None:
        """Give a lease back; one that went to another node already is left alone."""
        with self._state.unit() as session:
            LeaseRepository(session).release(lease.name, lease.token)
