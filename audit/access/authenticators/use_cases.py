"""What every use case of this package shares: its parts, and challenges."""

import secrets
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from webauthn.helpers import bytes_to_base64url, options_to_json_dict
from webauthn.helpers.structs import AuthenticatorTransport, PublicKeyCredentialDescriptor

from audit.access.authenticators.ceremonies import CeremonyError
from audit.access.authenticators.errors import AuthenticatorStateError
from audit.access.authenticators.journal import AuthenticatorJournal
from audit.access.authenticators.metadata import MetadataBook
from audit.access.authenticators.model import CHALLENGE_LIFE, Attested, Authenticator, Model, Purpose, RelyingParty
from audit.access.authenticators.policy import STRICTEST, AuthenticatorPolicy
from audit.access.authenticators.policy_book import PolicyBook
from audit.access.authenticators.recovery import RecoveryCodes
from audit.access.authenticators.repository import AuthenticatorRepository, AuthenticatorRow, ChallengeRow
from audit.access.journal import Recorder
from audit.access.machines.journal import MachineJournal
from audit.access.model import within
from audit.access.sealing import SecretBox, token_hash
from audit.clock import Clock
from audit.events import mask
from audit.store.state import StateStore

__all__ = ["TIMEOUT", "UseCases", "as_document", "descriptors", "key_name_of", "refused_now"]

TIMEOUT = int(CHALLENGE_LIFE.total_seconds() * 1000)
"""What browsers are told, in milliseconds."""
_CHALLENGE_BYTES = 32
_MAX_NAME = 60


class UseCases:
    """The parts.

    Args:
        store: the state database. A ceremony opens its own units: one to use its challenge up, one for the act.
        clock: the time.
        recorder: the audit log.
        box: hashes recovery codes with a key.
        party: as whom browsers know us.
        policy_file: where the town writes its policy.
    """

    def __init__(
        self,
        store: StateStore,
        clock: Clock,
        recorder: Recorder,
        box: SecretBox,
        party: RelyingParty,
        policy_file: Path,
    ) -> None:
        self.party = party
        self._store = store
        self._clock = clock
        self._journal = AuthenticatorJournal(recorder, clock)
        self._refusals = MachineJournal(recorder, clock)
        self.policies = PolicyBook(store, clock, self._journal, policy_file)
        self.metadata = MetadataBook(store, clock, self._journal)
        self.recovery = RecoveryCodes(store, clock, self._journal, box)

    def flush_refusals(self, *, everything: bool = False) -> None:
        """Tell the refusals that were counted."""
        self._refusals.flush(everything=everything)

    def _policy(self) -> AuthenticatorPolicy:
        return self.policies.current() or STRICTEST

    def _new_challenge(self, purpose: Purpose, account_id: str | None, bound_to: str) -> bytes:
        """A challenge of 256 bits that is good once, for this alone."""
        if not bound_to:
            raise ValueError("a ceremony belongs to something that the browser holds")
        challenge, now = secrets.token_bytes(_CHALLENGE_BYTES), self._clock.now()
        with self._store.unit() as unit:
            repository = AuthenticatorRepository(unit)
            repository.forget_challenges(now - 2 * CHALLENGE_LIFE)  # a late answer still learns that it is late
            repository.add(
                ChallengeRow(
                    challenge_hash=token_hash(bytes_to_base64url(challenge)),
                    purpose=purpose.value,
                    account_id=account_id,
                    bound_hash=token_hash(bound_to),
                    created_at=now,
                )
            )
        return challenge

    def _use_challenge(self, challenge: str, purpose: Purpose, account_id: str | None, bound_to: str) -> None:
        """Use the challenge of a response up, and insist that it was given for this.

        It is gone whatever is found: a challenge that was shown to anybody is good for nobody.

        Raises:
            CeremonyError: it was not given, or not for this.
        """
        with self._store.unit() as unit:
            row = AuthenticatorRepository(unit).take_challenge(token_hash(challenge))
        if row is None:
            raise CeremonyError("challenge_unknown")
        for holds, reason in (
            (row.purpose == purpose.value, "challenge_wrong_purpose"),
            (row.account_id == account_id, "challenge_wrong_account"),
            (row.bound_hash == token_hash(bound_to), "challenge_wrong_session"),
            (within(row.created_at, self._clock.now(), CHALLENGE_LIFE), "challenge_expired"),
        ):
            if not holds:
                raise CeremonyError(reason)

    def _shown(self, row: AuthenticatorRow, model: Model | None, policy: AuthenticatorPolicy) -> Authenticator:
        """An authenticator as it may be shown."""
        attested = Attested(row.attested)
        return Authenticator(
            id=row.id,
            account_id=row.account_id,
            name=row.name,
            model=model.description if model and attested is Attested.MAKER else "",
            aaguid=row.aaguid,
            attested=attested,
            modalities=policy.modalities_of(model, attested),
            device_bound=row.device_bound,
            created_at=row.created_at,
            last_used_at=row.last_used_at,
            refused=refused_now(row, model),
        )


def refused_now(row: AuthenticatorRow, model: Model | None) -> str:
    """Why the metadata has an authenticator refused, as a word; empty when it does not."""
    if model is None:
        return ""
    return "model_revoked" if model.refused or model.compromised & set(row.chain.split()) else ""


def descriptors(rows: Sequence[AuthenticatorRow]) -> list[PublicKeyCredentialDescriptor]:
    """Authenticators as browsers are told about them."""
    return [
        PublicKeyCredentialDescriptor(
            id=row.credential_id, transports=[AuthenticatorTransport(word) for word in row.transports.split()]
        )
        for row in rows
    ]


def as_document(options: Any) -> dict[str, Any]:  # noqa: ANN401 - two classes of the library without a common one
    """Options as JSON-able dict, bytes in base64url."""
    return dict(options_to_json_dict(options))


def key_name_of(text: str) -> str:
    """A key's name in its stored form: NFC, trimmed, numbers that could be a person's masked.

    Raises:
        AuthenticatorStateError: it cannot be one.
    """
    if len(text) > 4 * _MAX_NAME:
        raise AuthenticatorStateError("name")
    name = mask(unicodedata.normalize("NFC", text).strip())[0]
    if not 1 <= len(name) <= _MAX_NAME or not name.isprintable():
        raise AuthenticatorStateError("name")
    return name
