"""Who asks for decisions: a records service by its token, a reverse proxy by its secret, either by a certificate.

Rules:
- A reverse proxy can make no assertion and fetch no token: here alone its secret itself is taken, whatever the
  installation says of `client_secret_basic`. It opens nothing but questions about its own system.
- A certificate that is bound to the source is demanded beside the secret, as it is beside a token.
- Nobody names a system: it is the one that the proof belongs to.
"""

from audit.access.machines.errors import ClientRefusedError, MachineRefusedError
from audit.access.machines.model import MACHINE_SEAL, Machine, Proof, Scope, scopes_of
from audit.access.machines.senders import SenderUseCases
from audit.access.machines.tokens import TokenUseCases

__all__ = ["GatewayUseCases"]


class GatewayUseCases(TokenUseCases, SenderUseCases):
    """From a request to the system that asks."""

    def authenticate_asker(self, authorization: str, fingerprint: str | None, *, address: str) -> Machine:
        """Which system asks for a decision, by its access token or certificate.

        Args:
            authorization: the Authorization header; empty when there is none.
            fingerprint: SHA-256 of the client certificate that a trusted proxy was shown.
            address: the peer's address.

        Raises:
            MachineRefusedError: it did not prove any system, or not one that may ask.
        """
        return self.authenticate(authorization, fingerprint, claimed=None, address=address, scope=Scope.ACCESS_DECIDE)

    def authenticate_gateway(self, authorization: str, fingerprint: str | None, *, address: str) -> Machine:
        """Which system a reverse proxy stands before, by its secret, or as `authenticate_asker` does.

        Args:
            authorization: the Authorization header; empty when there is none.
            fingerprint: SHA-256 of the client certificate that a trusted proxy was shown.
            address: the peer's address.

        Raises:
            MachineRefusedError: it did not prove any system, or not one that may ask.
        """
        if authorization.partition(" ")[0].lower() != "basic":
            return self.authenticate_asker(authorization, fingerprint, address=address)
        try:
            client = self._client_by_basic(authorization, address)
        except ClientRefusedError as error:
            raise MachineRefusedError(error.reason, token_sent=True) from error
        fault = "" if Scope.ACCESS_DECIDE in scopes_of(client.source) else "scope"
        fault = fault or self._certificate_fault(client.source, self._certificate_source(fingerprint), fingerprint)
        if fault:
            self._refuse("machine.refused", fault, client.source, address)
            raise MachineRefusedError(fault, token_sent=True)
        return Machine(source=client.source, how=Proof.SECRET, client_id=client.client_id, seal=MACHINE_SEAL)
