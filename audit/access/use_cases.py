"""What every use case of this package shares: its parts, and how an attempt at a factor is counted."""

from audit.access.errors import SignInRefusedError, ThrottledError
from audit.access.journal import Journal, Outcome, Recorder
from audit.access.model import VIEWER_SEAL, AccessLimits, Viewer, permissions_of
from audit.access.passwords import Passwords
from audit.access.repository import AccessRepository, AccountRow, SessionRow
from audit.access.sealing import SecretBox
from audit.access.throttle import Slot, reserve
from audit.clock import Clock
from audit.store.state import StateStore

__all__ = ["UseCases", "account_place", "viewer_of"]


class UseCases:
    """The parts of sign-in.

    Args:
        store: the state database. A use case opens its own units: one to count an attempt, one for the act.
        clock: the time.
        recorder: the audit log.
        box: seals secrets; holds the key file's bytes.
        passwords: hashes passwords.
        limits: how long things live.
    """

    def __init__(
        self,
        store: StateStore,
        clock: Clock,
        recorder: Recorder,
        box: SecretBox,
        *,
        passwords: Passwords | None = None,
        limits: AccessLimits | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._journal = Journal(recorder, clock)
        self._box = box
        self._passwords = passwords or Passwords()
        self._limits = limits or AccessLimits()

    def _attempt(self, typed: str, account: AccountRow | None, address: str) -> Slot:
        """Count an attempt before it is judged.

        Raises:
            ThrottledError: too many from here.
        """
        with self._store.unit() as unit:
            slot = reserve(
                AccessRepository(unit),
                login_key=self._box.keyed_hash(typed),
                address=address,
                account_id=account.id if account else None,
                failure_limit=self._limits.failures,
                now=self._clock.now(),
            )
        if isinstance(slot, Slot):
            return slot
        actor = account.login_id if account else None
        self._journal.write("login", "sign_in.throttled", "denied", actor=actor, address=address)
        raise ThrottledError(slot)

    def _refuse(self, operation: str, reason: str, account: AccountRow | None, address: str) -> SignInRefusedError:
        """Record a refusal; the caller raises what comes back."""
        outcome: Outcome = "denied" if reason in {"disabled", "must_rebind"} else "failure"
        actor = account.login_id if account else None
        self._journal.write("login", f"{operation}.{reason}", outcome, actor=actor, address=address)
        return SignInRefusedError(reason)


def account_place(account_id: str) -> str:
    """The place an account's secret is sealed for."""
    return f"account:{account_id}"


def viewer_of(session: SessionRow, account: AccountRow) -> Viewer:
    """The proof of a live session. Rights are read from the account each time: a change holds at once."""
    roles = account.roles_set()
    return Viewer(
        account_id=account.id,
        login_id=account.login_id,
        display_name=account.display_name,
        roles=roles,
        permissions=permissions_of(roles),
        session_id=session.id,
        second_factor_at=session.second_factor_at,
        previous_sign_in_at=session.previous_sign_in_at,
        language=session.language,
        address=session.address,
        seal=VIEWER_SEAL,
    )
