"""Limits on guessing (ASVS 6.1.1, 6.3.1; SP 800-63B 3.2.2).

Rules:
- An attempt is counted, and committed, before it is judged: parallel guesses share no place, and a failing
  audit log gives no free guesses. One that turns out right is taken off again.
- Counted per login id *and* network, and per network; never per login id alone: a stranger's failures do
  not keep out the owner, who sits elsewhere. Beside that, only the hard limit of failures per account.
- Unknown login ids count like known ones. They are kept as keyed hashes only.
- Moving windows in the state database: a restart or a second node forgets nothing, and the clock is ours.
  (The `limits` library reads the system's time itself and has no store in SQL.)
"""

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from audit.access.repository import AccessRepository
from audit.access.tables import AttemptRow

__all__ = [
    "BEGINNINGS",
    "LIMITS",
    "REFUSED_KEYS",
    "Slot",
    "count_refused_key",
    "network_of",
    "reserve",
    "reserve_beginning",
    "settle",
]


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `failures` within `window`; for one login id from a network, or for everybody from it."""

    failures: int
    window: timedelta
    per_login: bool


# Growing waits: five slips of a tired person, then a quarter of an hour, then the rest of the day. The wider
# limit bounds one address that tries many login ids, and leaves room for an office that shares one address.
LIMITS = (
    Limit(5, timedelta(minutes=15), per_login=True),
    Limit(20, timedelta(days=1), per_login=True),
    Limit(50, timedelta(minutes=15), per_login=False),
)
_LONGEST = max(limit.window for limit in LIMITS)
BEGINNINGS = Limit(300, timedelta(minutes=5), per_login=False)
"""Sign-ins by key that one network may begin, finished or not: one a second, for an office on a Monday morning."""

REFUSED_KEYS = Limit(50, timedelta(minutes=15), per_login=True)
"""Refused answers of keys that one network may give before they are told by their count: as many as passwords."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Leave to try once. `exhausted`: the account is past its consecutive failures and cannot succeed."""

    attempt_id: str
    account_id: str | None
    exhausted: bool


def network_of(address: str) -> str:
    """What counts as one place: an IPv4 address, or an IPv6 /64, of which one machine has them all."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((int(ip), 64), strict=False))
    return str(ip)


def reserve(
    repository: AccessRepository,
    *,
    login_key: str,
    address: str,
    account_id: str | None,
    failure_limit: int,
    now: datetime,
) -> Slot | timedelta:
    """Take a place for one attempt.

    Args:
        repository: within a unit of its own, to be committed before the attempt is judged.
        login_key: keyed hash of the login id.
        address: where it comes from.
        account_id: the account, if there is one.
        failure_limit: consecutive failures that an account may have.
        now: the present moment.

    Returns:
        The place, or how long to wait.
    """
    network = network_of(address)
    repository.forget_attempts(now - _LONGEST)
    # Writing first takes the lock (SQLite: of the database, PostgreSQL: of the account), so that what is
    # counted next stays true. An unknown login id has no row to lock, and no secret to guess.
    row = AttemptRow(id=uuid4().hex, at=now, login_key=login_key, network=network)
    repository.add(row)
    counted = account_id is None or repository.count_failure(account_id, failure_limit)
    slot = Slot(row.id, account_id, exhausted=not counted)
    wait = timedelta(0)
    for limit in LIMITS:
        key = login_key if limit.per_login else None
        filled = repository.attempt_at_limit(now - limit.window, limit.failures, network, key, row.id)
        if filled is not None:
            wait = max(wait, filled + limit.window - now)
    if wait > timedelta(0):
        settle(repository, slot)
        # A clock gone back must not show a wait longer than the longest window.
        return min(wait, _LONGEST)
    return slot


def reserve_beginning(repository: AccessRepository, address: str, now: datetime) -> bool | timedelta:
    """Take a place for one sign-in by key. These have places of their own and cost no password a try.

    Args:
        repository: within a unit of its own, to be committed before anything is begun.
        address: where it comes from.
        now: the present moment.

    Returns:
        Whether there is room for another after this one, or how long to wait.
    """
    network, since = f"key {network_of(address)}"[:64], now - BEGINNINGS.window
    repository.forget_attempts(since, network)
    row = AttemptRow(id=uuid4().hex, at=now, login_key="", network=network)
    repository.add(row)
    filled = repository.attempt_at_limit(since, BEGINNINGS.failures, network, None, row.id)
    if filled is not None:
        repository.drop_attempt(row.id)
        return min(filled - since, BEGINNINGS.window)
    return repository.attempt_at_limit(since, BEGINNINGS.failures, network, None, "") is None


def count_refused_key(repository: AccessRepository, address: str, login_id: str, now: datetime) -> timedelta | None:
    """Count one refused answer of a security key. A right one is never counted, and never kept out.

    Args:
        repository: within a unit of its own.
        address: where it comes from.
        login_id: of the known user whose answer it was; empty for nobody's, which are counted apart.
        now: the present moment.

    Returns:
        How long until there is room again; None while there is.
    """
    network, since = f"refused {network_of(address)}"[:64], now - REFUSED_KEYS.window
    repository.forget_attempts(since, network)
    row = AttemptRow(id=uuid4().hex, at=now, login_key=login_id, network=network)
    repository.add(row)
    filled = repository.attempt_at_limit(since, REFUSED_KEYS.failures, network, login_id, row.id)
    if filled is None:
        return None
    repository.drop_attempt(row.id)
    return min(filled - since, REFUSED_KEYS.window)


def settle(repository: AccessRepository, slot: Slot) -> None:
    """The attempt was right, or not let through: take it off the counts. Earlier failures stay."""
    repository.drop_attempt(slot.attempt_id)
    if slot.account_id is not None and not slot.exhausted:
        repository.uncount_failure(slot.account_id)
