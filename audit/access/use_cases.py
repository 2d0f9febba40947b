"""What every use case of this package shares: its parts, and how an attempt at a factor is counted."""

from audit.access.authenticators.model import NewAuthenticator
from audit.access.authenticators.service import AuthenticatorService
from audit.access.errors import SignInRefusedError, ThrottledError
from audit.access.journal import Journal, Outcome, Recorder
from audit.access.model import VIEWER_SEAL, AccessLimits, Role, Viewer, permissions_of
from audit.access.outbox import Outbox
from audit.access.passwords import Passwords
from audit.access.repository import AccessRepository
from audit.access.sealing import SecretBox
from audit.access.surroundings import EveryAddress, People, Strangers, Terminals
from audit.access.tables import AccountRow, SessionRow
from audit.access.throttle import Slot, reserve
from audit.clock import Clock
from audit.store.state import StateStore

__all__ = ["UseCases", "account_place", "key_name", "viewer_of"]


class UseCases:
    """The parts of sign-in.

    Args:
        store: the state database. A use case opens its own units: one to count an attempt, one for the act.
        clock: the time.
        recorder: the audit log.
        box: seals secrets; holds the key file's bytes.
        keys: security keys and recovery codes.
        passwords: hashes passwords.
        limits: how long things live, and a town's other choices.
        people: the staff directory.
        terminals: the register of terminals.
    """

    def __init__(
        self,
        store: StateStore,
        clock: Clock,
        recorder: Recorder,
        box: SecretBox,
        keys: AuthenticatorService,
        *,
        passwords: Passwords | None = None,
        limits: AccessLimits | None = None,
        people: People | None = None,
        terminals: Terminals | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._journal = Journal(recorder, clock)
        self._outbox = Outbox(store, recorder)
        self._box = box
        self._passwords = passwords or Passwords()
        self._limits = limits or AccessLimits()
        self._keys = keys
        self._people = people or Strangers()
        self._terminals = terminals or EveryAddress()

    @property
    def limits(self) -> AccessLimits:
        """How long things live."""
        return self._limits

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
        outcome: Outcome = "denied" if reason in {"disabled", "must_rebind", "no_post", "second_session"} else "failure"
        actor = account.login_id if account else None
        self._journal.write("login", f"{operation}.{reason}", outcome, actor=actor, address=address)
        return SignInRefusedError(reason)


def key_name(new: NewAuthenticator, typed: str) -> str:
    """What a new key is called: as its owner says, else by its model's name."""
    return typed.strip() or (new.model.description[:60] if new.model else "") or "Security key"


def account_place(account_id: str) -> str:
    """The place an account's secret is sealed for."""
    return f"account:{account_id}"


def viewer_of(session: SessionRow, account: AccountRow) -> Viewer:
    """The proof of a live session. Rights are read from the account each time: a change holds at once.

    Whom a sealed credential let in is here for a records service: in Mimamori itself they are a member of staff.
    """
    roles = account.roles_set()
    permissions = permissions_of(roles)
    if session.emergency:
        permissions &= permissions_of(frozenset({Role.STAFF}))
    return Viewer(
        account_id=account.id,
        login_id=account.login_id,
        display_name=account.display_name,
        roles=roles,
        permissions=permissions,
        session_id=session.id,
        second_factor_at=session.second_factor_at,
        proof=session.proof,
        previous_sign_in_at=session.previous_sign_in_at,
        failures_before=session.failures_before,
        language=session.language,
        address=session.address,
        terminal_id=session.terminal_id,
        emergency=session.emergency,
        limited_to=session.limited_to,
        seal=VIEWER_SEAL,
    )
