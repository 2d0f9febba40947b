"""Enrolling an authenticator: the registration ceremony, and what the policy says to the result."""

from typing import Any
from uuid import uuid4

from webauthn import generate_registration_options
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorSelectionCriteria,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from audit.access.authenticators.attestation import attested_by, fingerprints, leading, self_signed
from audit.access.authenticators.ceremonies import (
    ALGORITHMS,
    CeremonyError,
    RegistrationReply,
    read_registration,
    verify_registration,
)
from audit.access.authenticators.errors import AuthenticatorStateError, RegistrationRefusedError
from audit.access.authenticators.model import Authenticator, By, NewAuthenticator, Purpose
from audit.access.authenticators.policy import Conveyance
from audit.access.authenticators.repository import AuthenticatorRepository, AuthenticatorRow
from audit.access.authenticators.use_cases import TIMEOUT, UseCases, as_document, descriptors, key_name_of
from audit.access.model import Role
from audit.access.repository import AccessRepository
from audit.store.state import Session

__all__ = ["MAX_AUTHENTICATORS", "RegistrationUseCases"]

MAX_AUTHENTICATORS = 20


class RegistrationUseCases(UseCases):
    """From options to a stored authenticator."""

    def begin_registration(self, account_id: str, login_id: str, display_name: str, *, bound_to: str) -> dict[str, Any]:
        """Options for `navigator.credentials.create`.

        Args:
            account_id: whose authenticator it becomes; it is the user handle too.
            login_id: shown by browsers and authenticators beside the name.
            display_name: the same.
            bound_to: what the ceremony belongs to: a session id, or a link's token.

        Returns:
            The options as JSON-able dict (`PublicKeyCredentialCreationOptionsJSON`).
        """
        challenge = self._new_challenge(Purpose.ENROL, account_id, bound_to)
        with self._store.unit() as unit:
            known = AuthenticatorRepository(unit).of_account(account_id)
        wanted = self._policy().attestation is not Conveyance.NONE
        return as_document(
            generate_registration_options(
                rp_id=self.party.id,
                rp_name=self.party.name,
                user_id=account_id.encode(),
                user_name=login_id,
                user_display_name=display_name,
                challenge=challenge,
                timeout=TIMEOUT,
                attestation=AttestationConveyancePreference.DIRECT if wanted else AttestationConveyancePreference.NONE,
                authenticator_selection=AuthenticatorSelectionCriteria(
                    resident_key=ResidentKeyRequirement.REQUIRED,
                    user_verification=UserVerificationRequirement.REQUIRED,
                ),
                exclude_credentials=descriptors(known),
                supported_pub_key_algs=list(ALGORITHMS),
            )
        )

    def check_registration(
        self, account_id: str, response: str, *, roles: frozenset[Role], bound_to: str, by: By
    ) -> NewAuthenticator:
        """Verify what the browser gave; the challenge is used up, nothing else is stored. `add` stores it.

        Args:
            account_id: as at the beginning.
            response: the credential as JSON (`RegistrationResponseJSON`).
            roles: what its owner is, or becomes.
            bound_to: as at the beginning.
            by: who does it, for the log.

        Raises:
            RegistrationRefusedError: it cannot be enrolled; recorded.
        """
        try:
            reply = read_registration(response)
            self._use_challenge(reply.client.challenge, Purpose.ENROL, account_id, bound_to)
            return self._admit(account_id, reply, roles)
        except CeremonyError as error:
            raise self._refuse_registration(error.reason, by) from error

    def _admit(self, account_id: str, reply: RegistrationReply, roles: frozenset[Role]) -> NewAuthenticator:
        policy = self.policies.current()
        if policy is None:
            raise CeremonyError("no_policy")
        with self._store.unit() as unit:
            repository = AuthenticatorRepository(unit)
            model = self.metadata.model(unit, reply.aaguid)
            taken = repository.by_credential(reply.credential_id) is not None
            full = len(repository.of_account(account_id)) >= MAX_AUTHENTICATORS
        anchors = leading(reply.chain, model.roots if model else (), self._clock.now())
        key = verify_registration(reply, self.party, self_signed(anchors))
        attested = attested_by(reply.chain, reply.fmt, reply.aaguid, model, anchors)
        if attested is None:
            raise CeremonyError("attestation")
        chain = fingerprints(reply.chain)
        flags = reply.data.flags
        refusal = policy.refusal(
            aaguid=reply.aaguid, attested=attested, model=model, device_bound=not flags.be, roles=roles
        )
        if model is not None and model.compromised & set(chain):
            refusal = "model_revoked"
        reason = refusal or ("already_enrolled" if taken else "too_many" if full else "")
        if reason:
            raise CeremonyError(reason)
        return NewAuthenticator(
            account_id=account_id,
            credential_id=reply.credential_id,
            public_key=key.public_key,
            sign_count=key.sign_count,
            aaguid=reply.aaguid,
            attested=attested,
            device_bound=not flags.be,
            backed_up=flags.bs,
            transports=reply.transports,
            chain=chain,
            model=model,
            modalities=policy.modalities_of(model, attested),
        )

    def add(self, unit: Session, new: NewAuthenticator, *, name: str, by: By) -> Authenticator:
        """Store an authenticator; recorded here, committed by the caller. Its account exists by now.

        Args:
            unit: the caller's.
            new: from `check_registration`.
            name: as its owner calls it.
            by: who does it, for the log.

        Raises:
            AuthenticatorStateError: the name cannot be taken, or there is no such account.
            RegistrationRefusedError: it was enrolled at this very moment; recorded.
        """
        account = AccessRepository(unit).account(new.account_id)
        if account is None:
            raise AuthenticatorStateError("account")
        row = AuthenticatorRow(
            id=uuid4().hex,
            credential_id=new.credential_id,
            account_id=new.account_id,
            name=key_name_of(name),
            public_key=new.public_key,
            sign_count=new.sign_count,
            aaguid=new.aaguid,
            attested=new.attested.value,
            device_bound=new.device_bound,
            backed_up=new.backed_up,
            transports=" ".join(new.transports),
            chain=" ".join(new.chain),
            created_at=self._clock.now(),
        )
        if not AuthenticatorRepository(unit).add_authenticator(row):
            raise self._refuse_registration("already_enrolled", by)
        self._journal.write(
            "credential_issue",
            "authenticator.enrolled",
            by=by,
            target=account.login_id,
            auth={
                "factors": sorted(new.modalities | {"webauthn"}),
                "user_verified": True,
                "authenticator": f"aaguid-{new.aaguid}",
            },
            key=row.id,
            attested=new.attested.value,
            device_bound="yes" if new.device_bound else "no",
            sign_count=str(new.sign_count),
        )
        return self._shown(row, new.model, self._policy())

    def finish_registration(self, account_id: str, response: str, *, name: str, bound_to: str, by: By) -> Authenticator:
        """Verify and store an authenticator of an existing account, all or nothing.

        Raises:
            AuthenticatorStateError: the name cannot be taken, or there is no such account.
            RegistrationRefusedError: it cannot be enrolled; recorded.
        """
        key_name_of(name)
        with self._store.unit() as unit:
            account = AccessRepository(unit).account(account_id)
        if account is None:
            raise AuthenticatorStateError("account")
        new = self.check_registration(account_id, response, roles=account.roles_set(), bound_to=bound_to, by=by)
        with self._store.unit() as unit:
            return self.add(unit, new, name=name, by=by)

    def _refuse_registration(self, reason: str, by: By) -> RegistrationRefusedError:
        self._journal.write("security_event", f"authenticator.enrolment_refused.{reason}", "denied", by=by)
        return RegistrationRefusedError(reason)
