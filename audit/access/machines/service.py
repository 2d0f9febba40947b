"""The door to sending systems: every use case in one class, and the administrator's acts on their credentials."""

from collections.abc import Sequence
from datetime import datetime

from audit.access.machines.errors import MachineStateError
from audit.access.machines.gateways import GatewayUseCases
from audit.access.machines.keys import read_certificate, read_public_key
from audit.access.machines.model import (
    SOURCE_ID,
    Binding,
    BindingKind,
    Credential,
    CredentialInfo,
    new_client_id,
    new_client_secret,
)
from audit.access.machines.repository import BindingRow, CredentialRow, MachineRepository, TakenError
from audit.access.machines.use_cases import secret_place
from audit.events import mask

__all__ = ["MachineService"]


class MachineService(GatewayUseCases):
    """Credentials, tokens, certificates and signing keys of sending systems."""

    def register(self, source: str, *, expires_at: datetime | None = None, by: str = "") -> Credential:
        """Give a source one more credential; older ones go on until they are revoked or expire.

        Args:
            source: whose it is.
            expires_at: its end; a year and a month from now otherwise.
            by: who does this, for the log.

        Returns:
            The credential with its secret, which is never shown again.

        Raises:
            MachineStateError: no source can have this id, or the end is past.
        """
        now = self._clock.now()
        end = expires_at or now + self.rules.credential
        if not SOURCE_ID.fullmatch(source) or mask(source)[1]:
            raise MachineStateError("source")
        if end <= now:
            raise MachineStateError("life")
        client_id, secret = new_client_id(), new_client_secret()
        with self._store.unit() as unit:
            MachineRepository(unit).add(
                CredentialRow(
                    client_id=client_id,
                    source=source,
                    secret=self._box.seal(secret, secret_place(client_id)),
                    created_at=now,
                    expires_at=end,
                )
            )
            self._journal.write(
                "credential_issue",
                "machine.credential_issued",
                source=source,
                client=client_id,
                expires_at=end.isoformat(),
                by=by,
            )
        return Credential(source=source, client_id=client_id, client_secret=secret, expires_at=end)

    def bind_certificate(self, source: str, certificate: str, *, by: str = "") -> Binding:
        """Let a source prove itself by a client certificate; from then on its tokens need one, too.

        Args:
            source: whose it is.
            certificate: PEM, or its SHA-256 fingerprint in hexadecimal.
            by: who does this, for the log.

        Raises:
            MachineStateError: it is no certificate, has expired, or is bound already.
        """
        fingerprint, end = read_certificate(certificate)
        if end is not None and end <= self._clock.now():
            raise MachineStateError("certificate_expired")
        return self._bind(source, BindingKind.CERTIFICATE, fingerprint, "", end, by)

    def bind_signing_key(self, source: str, public_key: str, *, by: str = "") -> Binding:
        """Demand that every batch of a source is signed with this key, or another one bound to it.

        Args:
            source: whose it is.
            public_key: an Ed25519 public key, PEM or JWK.
            by: who does this, for the log.

        Raises:
            MachineStateError: it is no such key, or bound already.
        """
        thumbprint, pem = read_public_key(public_key)
        return self._bind(source, BindingKind.SIGNING_KEY, thumbprint, pem, None, by)

    def _bind(
        self, source: str, kind: BindingKind, identifier: str, public_key: str, end: datetime | None, by: str
    ) -> Binding:
        if not SOURCE_ID.fullmatch(source) or mask(source)[1]:
            raise MachineStateError("source")
        row = BindingRow(
            id=identifier,
            source=source,
            kind=kind,
            public_key=public_key,
            created_at=self._clock.now(),
            expires_at=end,
        )
        try:
            with self._store.unit() as unit:
                MachineRepository(unit).add(row)
                self._journal.write(
                    "credential_issue", f"machine.{kind}_bound", source=source, binding=identifier, by=by
                )
        except TakenError as error:
            raise MachineStateError("taken") from error
        return row.binding()

    def revoke(self, source: str, identifier: str, *, by: str = "") -> None:
        """End a credential with its tokens, or a certificate or key; it holds for the next request.

        Args:
            source: whose it is.
            identifier: a client id, a certificate's fingerprint or a key's thumbprint.
            by: who does this, for the log.

        Raises:
            MachineStateError: the source has nothing of this id that still holds.
        """

        def tell() -> None:
            self._journal.write("revoke", "machine.credential_revoked", source=source, credential=identifier, by=by)

        with self._store.unit() as unit:
            repository = MachineRepository(unit)
            ended = repository.revoke(source, identifier, self._clock.now())
            if not ended:
                if not repository.unbind(source, identifier):
                    raise MachineStateError("unknown")
                tell()  # before it is committed: without the last certificate or key less is asked of the source
        if ended:
            tell()

    def listing(self, source: str = "") -> Sequence[CredentialInfo]:
        """The credentials of a source, or of all of them, revoked and expired ones included."""
        with self._store.unit() as unit:
            return [row.info() for row in MachineRepository(unit).credentials(source)]

    def bindings(self, source: str = "") -> Sequence[Binding]:
        """The certificates and signing keys of a source, or of all of them."""
        with self._store.unit() as unit:
            return [row.binding() for row in MachineRepository(unit).bindings(source)]
