"""The OAuth endpoints: from a client's secret to an access token.

Rules:
- A token is 256 random bits of which only the hash is stored, bound to one source, one scope and us as audience.
- Tokens and credentials are looked up at every call; a revoked or expired credential ends its tokens at once.
- Every refusal looks the same from outside and costs the same, whether the client id exists or not.
"""

import base64
import binascii
import hmac
from datetime import timedelta
from typing import Any
from urllib.parse import unquote_plus

from audit.access.machines.assertions import Assertion, BadAssertionError, check_assertion, read_assertion
from audit.access.machines.errors import ClientRefusedError
from audit.access.machines.model import CLIENT_ID_LENGTH, AccessToken, Client, scopes_of, usual_scopes
from audit.access.machines.repository import (
    AssertionRow,
    CredentialRow,
    MachineRepository,
    TakenError,
    TokenRow,
)
from audit.access.machines.use_cases import MAX_HEADER, UseCases, secret_place
from audit.access.sealing import new_token, token_hash

__all__ = ["TokenUseCases"]

REMEMBERED = timedelta(hours=1)
"""Used assertions are kept this much longer than they live, so that a clock set back does not revive them."""
_NOBODY = "x" * 43
"""An unknown or revoked client is judged against this, so that it costs the same; being right then helps nobody."""


class TokenUseCases(UseCases):
    """From a secret to a token."""

    def client_by_assertion(self, assertion: str, *, address: str, claimed: str | None = None) -> Client:
        """Whose assertion this is; it is used up.

        Args:
            assertion: `client_assertion`, a JWT signed with the client's secret.
            address: the peer's address.
            claimed: the parameter `client_id`, which need not be sent but must then be the same.

        Raises:
            ClientRefusedError: anything is wrong.
        """
        row: CredentialRow | None = None
        try:
            read = read_assertion(assertion)
            row = self._credential(read.client_id)
            known = self._check(read, row, claimed)
        except BadAssertionError as error:
            raise self._refuse_client(error.reason, row.source if row else "", address) from error
        return Client(known.client_id, known.source)

    def client_by_secret(self, authorization: str, *, address: str) -> Client:
        """Whose secret an `Authorization: Basic` header holds, where the installation takes that method.

        Args:
            authorization: the header.
            address: the peer's address.

        Raises:
            ClientRefusedError: anything is wrong, or the method is not taken.
        """
        if not self.rules.basic:
            raise self._refuse_client("basic_not_taken", "", address)
        return self._client_by_basic(authorization, address)

    def _client_by_basic(self, authorization: str, address: str) -> Client:
        client_id, secret = _basic(authorization)
        row = self._credential(client_id)
        right = hmac.compare_digest(self._secret(row).encode(), secret.encode("utf-8", "surrogatepass"))
        if row is None or not right:
            reason = "secret_wrong" if row else "client_unknown"
            raise self._refuse_client(reason, row.source if row else "", address)
        if not row.live(self._clock.now()):
            raise self._refuse_client("credential_over", row.source, address)
        return Client(row.client_id, row.source)

    def issue_token(self, client: Client, scope: str, *, address: str) -> AccessToken | None:
        """Give a client an access token.

        Args:
            client: who has just proved itself.
            scope: what was asked for, separated by spaces; empty for what is usual.
            address: the peer's address.

        Returns:
            The token; None when the scope asked for is not one that its source may have.
        """
        asked = frozenset(scope.split()) or usual_scopes(client.source)
        if not asked <= scopes_of(client.source):
            self._journal.refuse("login", "token.refused", "scope", source=client.source, address=address)
            return None
        now, token = self._clock.now(), new_token()
        granted = " ".join(sorted(asked))
        with self._store.unit() as unit:
            repository = MachineRepository(unit)
            repository.forget(now)
            repository.used(client.client_id, now)
            repository.add(
                TokenRow(
                    token_hash=token_hash(token),
                    client_id=client.client_id,
                    scope=granted,
                    audience=self.rules.issuer,
                    issued_at=now,
                    expires_at=now + self.rules.token,
                )
            )
            self._journal.write(
                "login",
                "token.issued",
                actor=client.source,
                address=address,
                source=client.source,
                client=client.client_id,
                scope=granted,
            )
        return AccessToken(token=token, scope=granted, expires_in=int(self.rules.token.total_seconds()))

    def introspect(self, token: str, client: Client) -> dict[str, Any]:
        """What a token is (RFC 7662). A client learns about tokens of its own source only.

        Args:
            token: what to look up.
            client: who asks.
        """
        found = self._live_token(token)
        if found is None or found[1].source != client.source:
            return {"active": False}
        row, credential = found
        return {
            "active": True,
            "scope": row.scope,
            "client_id": row.client_id,
            "token_type": "Bearer",
            "sub": credential.source,
            "aud": row.audience,
            "iss": self.rules.issuer,
            "iat": int(row.issued_at.timestamp()),
            "exp": int(row.expires_at.timestamp()),
        }

    def revoke_token(self, token: str, client: Client, *, address: str) -> None:
        """End a token of the client's own source (RFC 7009); any other is left, and nobody learns of it."""
        with self._store.unit() as unit:
            done = MachineRepository(unit).drop_token(token_hash(token), client.source)
        if done:
            self._journal.write("revoke", "token.revoked", actor=client.source, address=address, source=client.source)

    def _check(self, read: Assertion, row: CredentialRow | None, claimed: str | None) -> CredentialRow:
        """Judge an assertion and use it up; the credential comes back as one that exists.

        Raises:
            BadAssertionError: it does not hold, or was used before.
        """
        now = self._clock.now()
        check_assertion(read, self._secret(row), self.rules, now)
        if row is None or not row.live(now):
            raise BadAssertionError("credential_over" if row else "client_unknown")
        if claimed is not None and claimed != read.client_id:
            raise BadAssertionError("client_id_differs")
        life = self.rules.assertion + 2 * self.rules.skew
        try:
            with self._store.unit() as unit:
                repository = MachineRepository(unit)
                repository.forget(now)
                repository.add(AssertionRow(id=read.once, forget_at=now + life + REMEMBERED))
        except TakenError as error:
            raise BadAssertionError("assertion_replayed") from error
        return row

    def _credential(self, client_id: str) -> CredentialRow | None:
        if len(client_id) != CLIENT_ID_LENGTH or not client_id.isascii():
            return None
        with self._store.unit() as unit:
            return MachineRepository(unit).credential(client_id)

    def _secret(self, row: CredentialRow | None) -> str:
        if row is None or not row.secret:
            return _NOBODY
        return self._box.open(row.secret, secret_place(row.client_id))

    def _refuse_client(self, reason: str, source: str, address: str) -> ClientRefusedError:
        """Record a refusal; the caller raises what comes back."""
        self._journal.refuse("login", "token.refused", reason, source=source, address=address)
        return ClientRefusedError(reason)


def _basic(authorization: str) -> tuple[str, str]:
    """Client id and secret of a Basic header (RFC 6749 2.3.1: each form-encoded); empty when unreadable."""
    scheme, _, value = authorization[:MAX_HEADER].partition(" ")
    try:
        pair = base64.b64decode(value.strip(), validate=True).decode() if scheme.lower() == "basic" else ""
    except (binascii.Error, ValueError):
        return "", ""
    client_id, _, secret = pair.partition(":")
    return unquote_plus(client_id), unquote_plus(secret)
