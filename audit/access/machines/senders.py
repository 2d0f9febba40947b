"""The receiver's questions: which source is sending, and are these its bytes?

Rules:
- Once a certificate is bound to a source, a token of that source does nothing without one of its certificates: a
  stolen secret alone opens nothing (RFC 8705). Once a signing key is bound, each batch must be signed with one.
- An expired certificate still demands one: a lapse must not make the door wider.
- Whoever proves to be one source and writes as another is refused, and that is a security event.
"""

import hmac

from audit.access.machines.errors import DigestRefusedError, MachineRefusedError, SourceRefusedError
from audit.access.machines.model import MACHINE_SEAL, BindingKind, Machine, Proof, Scope, scopes_of
from audit.access.machines.repository import MachineRepository, TokenRow
from audit.access.machines.signatures import digest_of, read_signature, verifies
from audit.access.machines.use_cases import MAX_HEADER, UseCases

__all__ = ["SenderUseCases"]


class SenderUseCases(UseCases):
    """From a request to a source."""

    def authenticate(
        self,
        authorization: str,
        fingerprint: str | None,
        *,
        claimed: str | None,
        address: str,
        scope: Scope = Scope.EVENTS_WRITE,
    ) -> Machine:
        """Which source is sending.

        Args:
            authorization: the Authorization header; empty when there is none.
            fingerprint: SHA-256 of the client certificate that the TLS connection showed, from a trusted proxy only.
            claimed: the source it says it is; None where it says nothing, and is the one it proves to be.
            address: the peer's address.
            scope: what it wants to do.

        Raises:
            MachineRefusedError: it did not prove any source.
            SourceRefusedError: it proved to be another source than it says.
        """
        shown = self._certificate_source(fingerprint)
        sent = bool(authorization)
        found = self._live_token(_bearer(authorization)) if sent else None
        reason, source = "", shown or ""
        if sent:
            if found is None:
                reason = "token_unknown"
            else:
                source = found[1].source
                reason = self._token_fault(found[0], source, scope, shown, fingerprint)
        elif shown is None:
            reason = "certificate_unknown" if fingerprint else "nothing_shown"
        if not reason and scope not in scopes_of(source):
            reason = "scope"
        if reason:
            self._refuse("machine.refused", reason, source if found else "", address, claimed or "")
            raise MachineRefusedError(reason, token_sent=sent)
        if claimed is not None and source != claimed:
            self._refuse("machine.source_refused", "other_source", source, address, claimed)
            raise SourceRefusedError("other_source")
        how = Proof.TOKEN_AND_CERTIFICATE if sent and shown else Proof.TOKEN if sent else Proof.CERTIFICATE
        return Machine(source=source, how=how, client_id=found[0].client_id if found else None, seal=MACHINE_SEAL)

    def expected_digest(self, machine: Machine, content_digest: str, signature: str, *, address: str) -> str | None:
        """The SHA-256 that the bytes of a batch must have; None when nothing was announced and nothing is demanded.

        Args:
            machine: who sends.
            content_digest: the header Content-Digest; empty when there is none.
            signature: the header X-JWS-Signature; empty when there is none.
            address: the peer's address.

        Raises:
            MachineRefusedError: the source must sign, and this is not signed by it.
            DigestRefusedError: the header holds no SHA-256.
        """
        with self._store.unit() as unit:
            must_sign = MachineRepository(unit).has_bound(machine.source, BindingKind.SIGNING_KEY)
        if must_sign:
            reason = "signature_missing"
            if content_digest and signature:
                reason = "" if self._signed_by(machine.source, content_digest, signature) else "signature_wrong"
            if reason:
                self._refuse("batch.refused", reason, machine.source, address)
                raise MachineRefusedError(reason)
        if not content_digest:
            return None
        digest = digest_of(content_digest)
        if digest is None:
            raise DigestRefusedError("digest_unreadable")
        return digest

    def check_digest(self, machine: Machine, expected: str | None, actual: str, *, address: str) -> None:
        """Compare what came with what was announced, once the last byte is here and before it is accepted.

        Args:
            machine: who sends.
            expected: from `expected_digest`.
            actual: SHA-256 of the bytes as they came over the wire, in hexadecimal.
            address: the peer's address.

        Raises:
            DigestRefusedError: they differ.
        """
        if expected is not None and not hmac.compare_digest(expected, actual):
            self._refuse("batch.refused", "digest_differs", machine.source, address)
            raise DigestRefusedError("digest_differs")

    def _token_fault(self, row: TokenRow, source: str, scope: Scope, shown: str | None, fingerprint: str | None) -> str:
        return "scope" if scope not in row.scope.split() else self._certificate_fault(source, shown, fingerprint)

    def _certificate_fault(self, source: str, shown: str | None, fingerprint: str | None) -> str:
        """What is wrong with the certificate beside another proof; empty when nothing is."""
        if shown == source:
            return ""
        with self._store.unit() as unit:
            demanded = MachineRepository(unit).has_bound(source, BindingKind.CERTIFICATE)
        if demanded:
            return "certificate_wrong" if fingerprint else "certificate_missing"
        return "certificate_of_other_source" if shown else ""

    def _certificate_source(self, fingerprint: str | None) -> str | None:
        if not fingerprint:
            return None
        with self._store.unit() as unit:
            row = MachineRepository(unit).bound(fingerprint, BindingKind.CERTIFICATE, self._clock.now())
        return row.source if row else None

    def _signed_by(self, source: str, content_digest: str, signature: str) -> bool:
        read = read_signature(signature, content_digest)
        if read is None:
            return False
        with self._store.unit() as unit:
            row = MachineRepository(unit).bound(read[0], BindingKind.SIGNING_KEY, self._clock.now())
        return row is not None and row.source == source and verifies(read[1], row.public_key)

    def _refuse(self, operation: str, reason: str, source: str, address: str, claimed: str = "") -> None:
        self._journal.refuse("security_event", operation, reason, source=source, address=address, claimed=claimed)


def _bearer(authorization: str) -> str:
    """The token of an Authorization header; empty, which is nobody's, when it holds none."""
    scheme, _, token = authorization[:MAX_HEADER].partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
