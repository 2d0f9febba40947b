"""Proving to hold an authenticator: the authentication ceremony, for whatever it is wanted."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal

from webauthn import generate_authentication_options
from webauthn.helpers.structs import UserVerificationRequirement

from audit.access.authenticators.ceremonies import AssertionReply, CeremonyError, read_assertion, verify_assertion
from audit.access.authenticators.errors import AssertionRefusedError
from audit.access.authenticators.model import Asserted, Attested, By, Model, Purpose
from audit.access.authenticators.policy import AuthenticatorPolicy
from audit.access.authenticators.repository import AuthenticatorRepository, AuthenticatorRow
from audit.access.authenticators.use_cases import TIMEOUT, UseCases, as_document, descriptors, refused_now
from audit.access.errors import AccessError, ThrottledError
from audit.access.repository import AccessRepository
from audit.access.tables import AccountRow
from audit.access.throttle import count_refused_key
from audit.store.state import Session

__all__ = ["AssertionUseCases"]

_ACTIVITY: dict[Purpose, Literal["login", "security_event", "unlock"]] = {
    Purpose.SIGN_IN: "login",
    Purpose.SECOND_FACTOR: "login",
    Purpose.STEP_UP: "security_event",
    Purpose.UNLOCK: "unlock",
}
_ALARMS = frozenset({"backup_eligibility_changed", "sign_count_rollback", "model_revoked"})
"""Said of a key that proved itself: not a slip, and looked at as what they are."""


@dataclass(frozen=True, slots=True)
class _Refusal:
    reason: str
    account: AccountRow | None = None
    row: AuthenticatorRow | None = None
    seen: int | None = None


class AssertionUseCases(UseCases):
    """From options to a proof."""

    def begin_assertion(self, purpose: Purpose, *, bound_to: str, account_id: str | None = None) -> dict[str, Any]:
        """Options for `navigator.credentials.get`.

        Args:
            purpose: what it is for.
            bound_to: what the ceremony belongs to: a session id, a ticket, or the anonymous cookie of the page.
            account_id: whose authenticators may answer; None to sign in without saying who one is, where any
                discoverable one may and no list is given, so that nobody learns which accounts have one.

        Returns:
            The options as JSON-able dict (`PublicKeyCredentialRequestOptionsJSON`).
        """
        if purpose is Purpose.ENROL or (account_id is None) != (purpose is Purpose.SIGN_IN):
            raise ValueError("signing in by key alone names no account; everything else names one")
        challenge = self._new_challenge(purpose, account_id, bound_to)
        rows = []
        if account_id is not None:
            with self._store.unit() as unit:
                rows = list(AuthenticatorRepository(unit).of_account(account_id))
        return as_document(
            generate_authentication_options(
                rp_id=self.party.id,
                challenge=challenge,
                timeout=TIMEOUT,
                allow_credentials=descriptors(rows) or None,
                user_verification=UserVerificationRequirement.REQUIRED,
            )
        )

    def finish_assertion(
        self, purpose: Purpose, response: str, *, bound_to: str, account_id: str | None = None, by: By
    ) -> Asserted:
        """Verify what the browser gave, and count the authenticator's signature.

        A success is not recorded here: the caller records what it gives by it, before that is committed.

        Args:
            purpose: as at the beginning.
            response: the credential as JSON (`AuthenticationResponseJSON`).
            bound_to: as at the beginning.
            account_id: as at the beginning.
            by: who does it, for the log; where nobody is known yet, only the address.

        Raises:
            AssertionRefusedError: it proves nothing, or may not be used; recorded.
            ThrottledError: the same, once so much was refused from here that it is told by its count. What is right is
                taken all the same, so nobody's failures keep anybody out.
        """
        try:
            reply = read_assertion(response)
            self._use_challenge(reply.client.challenge, purpose, account_id, bound_to)
        except CeremonyError as error:
            raise self._refuse(purpose, _Refusal(error.reason), by) from error
        policy = self._policy()
        with self._store.unit() as unit:
            found = self._judge(unit, purpose, reply, account_id, policy)
            if isinstance(found, Asserted) and found.notes:
                self._tell_risk(found, by)
        if isinstance(found, _Refusal):
            raise self._refuse(purpose, found, by)
        return found

    def _judge(
        self,
        unit: Session,
        purpose: Purpose,
        reply: AssertionReply,
        account_id: str | None,
        policy: AuthenticatorPolicy,
    ) -> Asserted | _Refusal:
        row = AuthenticatorRepository(unit).by_credential(reply.credential_id)
        if row is None:
            return _Refusal("unknown_credential")
        account = AccessRepository(unit).account(row.account_id)
        if account is None or row.revoked_at is not None:
            return _Refusal("unknown_credential", account, row)
        reason = _not_theirs(row, reply, account_id, purpose)
        if reason:
            return _Refusal(reason, account, row)
        try:
            count = verify_assertion(reply, self.party, row.public_key)
        except CeremonyError as error:
            return _Refusal(error.reason, account, row)
        # From here on the key itself has spoken, and what is odd about it is worth an alarm.
        model = self.metadata.model(unit, row.aaguid)
        reason = _unfit(row, reply, account, model, policy)
        if reason:
            return _Refusal(reason, account, row, count)
        asserted = self._asserted(row, account, model, policy, count)
        return self._counted(unit, asserted, row, account, reply, policy)

    def _asserted(
        self, row: AuthenticatorRow, account: AccountRow, model: Model | None, policy: AuthenticatorPolicy, count: int
    ) -> Asserted:
        return Asserted(
            account_id=account.id,
            login_id=account.login_id,
            authenticator_id=row.id,
            aaguid=row.aaguid,
            device_bound=row.device_bound,
            sign_count=count,
            modalities=policy.modalities_of(model, Attested(row.attested)),
            at=self._clock.now(),
        )

    def _counted(
        self,
        unit: Session,
        asserted: Asserted,
        row: AuthenticatorRow,
        account: AccountRow,
        reply: AssertionReply,
        policy: AuthenticatorPolicy,
    ) -> Asserted | _Refusal:
        """Count the signature, last of all: nothing changes when anything is refused."""
        repository, now = AuthenticatorRepository(unit), self._clock.now()
        if repository.count_up(row.id, asserted.sign_count, backed_up=reply.data.flags.bs, now=now):
            return asserted
        if policy.refuses_rollback(account.roles_set()):
            return _Refusal("sign_count_rollback", account, row, asserted.sign_count)
        if not repository.used(row.id, now):
            return _Refusal("unknown_credential", account, row)
        return replace(asserted, notes=("sign_count_rollback",))

    def _tell_risk(self, asserted: Asserted, by: By) -> None:
        self._journal.write(
            "security_event",
            "authenticator.sign_count_rollback",
            by=replace(by, actor=asserted.login_id),
            target=asserted.login_id,
            auth=asserted.auth(),
            key=asserted.authenticator_id,
            sign_count=str(asserted.sign_count),
        )

    def _refuse(self, purpose: Purpose, refusal: _Refusal, by: By) -> AccessError:
        """Record a refusal, or count it with others like it; the caller raises what comes back."""
        alarm = refusal.reason in _ALARMS
        if not alarm and by.address is not None and (wait := self._crowded(purpose, refusal, by, by.address)):
            return ThrottledError(wait)
        login_id = refusal.account.login_id if refusal.account else None
        row = refusal.row
        self._journal.write(
            "security_event" if alarm else _ACTIVITY[purpose],
            f"authenticator.{refusal.reason}",
            "denied" if alarm or refusal.reason in {"account_disabled", "not_device_bound"} else "failure",
            by=replace(by, actor=by.actor or login_id),
            target=login_id,
            auth={"authenticator": f"aaguid-{row.aaguid}"} if row else None,
            purpose=purpose.value,
            key=row.id if row else "",
            sign_count="" if refusal.seen is None else str(refusal.seen),
            stored_count=str(row.sign_count) if row and refusal.seen is not None else "",
        )
        return AssertionRefusedError(refusal.reason)

    def _crowded(self, purpose: Purpose, refusal: _Refusal, by: By, address: str) -> timedelta | None:
        """Count a refusal; where there were too many before it, it is told with those, and this says for how long."""
        person = by.actor or (refusal.account.login_id if refusal.account else "")
        with self._store.unit() as unit:
            wait = count_refused_key(AccessRepository(unit), address, person, self._clock.now())
        if wait is not None:
            self._refusals.refuse(
                _ACTIVITY[purpose], "authenticator.refusals", refusal.reason, source="", person=person, address=address
            )
        return wait


def _not_theirs(row: AuthenticatorRow, reply: AssertionReply, account_id: str | None, purpose: Purpose) -> str:
    """Why an authenticator may not answer for the account that was asked; empty when it may."""
    if account_id is not None and row.account_id != account_id:
        return "credential_not_allowed"
    if reply.user_handle is None:
        return "user_handle_missing" if purpose is Purpose.SIGN_IN else ""
    return "" if reply.user_handle == row.account_id.encode() else "wrong_user_handle"


def _unfit(
    row: AuthenticatorRow,
    reply: AssertionReply,
    account: AccountRow,
    model: Model | None,
    policy: AuthenticatorPolicy,
) -> str:
    """Why an authenticator that proved itself is refused nevertheless; empty when it is not."""
    if reply.data.flags.be is row.device_bound:
        return "backup_eligibility_changed"
    if account.disabled_at is not None or account.closed_at is not None:
        return "account_disabled"
    if reason := refused_now(row, model):
        return reason
    if not row.device_bound and policy.demands_device_bound(account.roles_set()):
        return "not_device_bound"
    return ""
