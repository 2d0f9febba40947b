"""Recovery codes: for whoever lost their authenticators, to bind new ones and for nothing else.

Ten codes of 80 bits, shown once and kept as keyed hashes; each is good once, and new ones replace the old. The right
that a code gives is the caller's to keep small: `recovery_code` meets no system's factor policy (`strength`).
"""

from audit.access.authenticators.journal import AuthenticatorJournal
from audit.access.authenticators.model import By
from audit.access.authenticators.repository import AuthenticatorRepository, RecoveryRow
from audit.access.repository import AccessRepository
from audit.access.sealing import SecretBox
from audit.access.typed_codes import grouped, new_code, plain_code
from audit.clock import Clock
from audit.store.state import Session, StateStore

__all__ = ["CODES", "RecoveryCodes"]

CODES = 10
_LENGTH = 16


class RecoveryCodes:
    """The recovery codes of accounts.

    Args:
        store: the state database.
        clock: the time.
        journal: the audit log.
        box: hashes codes with a key.
    """

    def __init__(self, store: StateStore, clock: Clock, journal: AuthenticatorJournal, box: SecretBox) -> None:
        self._store = store
        self._clock = clock
        self._journal = journal
        self._box = box

    def issue(self, unit: Session, account_id: str, *, by: By) -> tuple[str, ...]:
        """Give an account new codes in the place of its old ones; recorded here, committed by the caller.

        Returns:
            The codes, in clear only here.
        """
        repository, now = AuthenticatorRepository(unit), self._clock.now()
        replaced = repository.end_codes(account_id)
        codes = tuple(new_code(_LENGTH) for _ in range(CODES))
        for code in codes:
            repository.add(RecoveryRow(code_hash=self._hash(account_id, code), account_id=account_id, created_at=now))
        self._journal.write(
            "credential_issue",
            "recovery_codes.issued",
            by=by,
            target=_login_id(unit, account_id),
            codes=str(CODES),
            replaced=str(replaced),
        )
        return tuple(map(grouped, codes))

    def use(self, unit: Session, account_id: str, typed: str, *, by: By) -> bool:
        """Use a code up; recorded here when it was right, committed by the caller.

        Args:
            unit: the caller's.
            account_id: whose code it should be.
            typed: as typed: groups, small letters and full-width signs are the same code.
            by: who does it, for the log.

        Returns:
            Whether it was right. A wrong one is the caller's to count and to record.
        """
        code = plain_code(typed)
        repository = AuthenticatorRepository(unit)
        if len(code) != _LENGTH or not repository.take_code(account_id, self._hash(account_id, code)):
            return False
        self._journal.write(
            "security_event",
            "recovery_code.used",
            by=by,
            target=_login_id(unit, account_id),
            left=str(repository.codes_left(account_id)),
        )
        return True

    def end(self, unit: Session, account_id: str) -> int:
        """Drop the codes of an account that is closed or reset; the caller records that. Returns how many."""
        return AuthenticatorRepository(unit).end_codes(account_id)

    def left(self, account_id: str) -> int:
        """How many codes an account still has."""
        with self._store.unit() as unit:
            return AuthenticatorRepository(unit).codes_left(account_id)

    def _hash(self, account_id: str, code: str) -> str:
        return self._box.keyed_hash(f"recovery code of {account_id}: {code}")


def _login_id(unit: Session, account_id: str) -> str | None:
    account = AccessRepository(unit).account(account_id)
    return account.login_id if account else None
