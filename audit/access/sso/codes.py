"""Codes and access tokens: made once, used once, gone with the session they came from."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from audit.access.decisions.model import LiveSession
from audit.access.model import within
from audit.access.sealing import token_hash
from audit.access.sso.journal import SsoJournal
from audit.access.sso.model import Client, Granted, SsoRules
from audit.access.sso.repository import CodeRow, SsoRepository, TokenRow
from audit.clock import Clock
from audit.store.state import StateStore

__all__ = ["Book", "Sessions"]


class Sessions(Protocol):
    """Whoever knows which sessions are open now."""

    def session_by_id(self, session_id: str) -> LiveSession | None:
        """The session of an id, if it is still open; looking does not keep it open."""


@dataclass(frozen=True, slots=True)
class Book:
    """Where codes and tokens are kept.

    Args:
        store: the state database.
        clock: the time.
        journal: the audit log.
        sessions: which sessions are open.
        rules: how long things live.
    """

    store: StateStore
    clock: Clock
    journal: SsoJournal
    sessions: Sessions
    rules: SsoRules

    def client(self, client_id: str) -> Client | None:
        """The registered system of a client id."""
        with self.store.unit() as unit:
            return SsoRepository(unit).client(client_id, self.clock.now())

    def keep_code(
        self, code: str, client: Client, granted: Granted, *, redirect_uri: str, nonce: str, challenge: str
    ) -> None:
        """Keep a code; the authorization is recorded before it is committed."""
        now = self.clock.now()
        with self.store.unit() as unit:
            repository = SsoRepository(unit)
            repository.forget(now - self.rules.remembered, now)
            repository.add(
                CodeRow(
                    code_hash=token_hash(code),
                    client_id=client.client_id,
                    source=client.system.source,
                    redirect_uri=redirect_uri,
                    nonce=nonce,
                    challenge=challenge,
                    login_id=granted.login_id,
                    session_id=granted.session_id,
                    acr=granted.acr.value,
                    amr=" ".join(granted.proof.amr),
                    auth_time=granted.proof.at,
                    created_at=now,
                )
            )
            self.journal.write(
                "authorize",
                "sso.authorized",
                actor=granted.login_id,
                session=granted.session_id,
                address=granted.address,
                source=client.system.source,
                proof=granted.proof,
                acr=granted.acr.value,
                client=client.client_id,
            )

    def use_code(self, code: str, client: Client, *, address: str) -> CodeRow | None:
        """What a code stands for, once; whatever is wrong with it is recorded, and it is used up all the same."""
        hashed, now = token_hash(code), self.clock.now()
        with self.store.unit() as unit:
            repository = SsoRepository(unit)
            row = repository.use_code(hashed, now)
            known = row or repository.replay(hashed, now)
        reason = "code_unknown" if known is None else "code_replayed" if row is None else self._fault(row, client, now)
        if not reason:
            return row
        grave = reason in {"code_replayed", "code_of_other_client"}
        self.journal.write(
            "security_event" if grave else "login",
            f"sso.{reason}",
            "denied" if grave else "failure",
            actor=known.login_id if known else "",
            session=known.session_id if known else "",
            address=address,
            source=client.system.source,
            client=client.client_id,
        )
        return None

    def _fault(self, row: CodeRow, client: Client, now: datetime) -> str:
        if row.client_id != client.client_id:
            return "code_of_other_client"
        if not within(row.created_at, now, self.rules.code):
            return "code_expired"
        return "" if self._open(row.session_id, row.login_id) else "session_ended"

    def issue_token(self, token: str, row: CodeRow, *, address: str) -> bool:
        """Keep an access token, recorded before it is committed; False when its code came again meanwhile."""
        now = self.clock.now()
        with self.store.unit() as unit:
            repository = SsoRepository(unit)
            if not repository.not_replayed(row.code_hash, now):
                return False
            repository.add(
                TokenRow(
                    token_hash=token_hash(token),
                    code_hash=row.code_hash,
                    client_id=row.client_id,
                    login_id=row.login_id,
                    session_id=row.session_id,
                    acr=row.acr,
                    amr=row.amr,
                    auth_time=row.auth_time,
                    issued_at=now,
                    expires_at=now + self.rules.access_token,
                )
            )
            self.journal.write(
                "login",
                "sso.token_issued",
                actor=row.login_id,
                session=row.session_id,
                address=address,
                source=row.source,
                amr=tuple(row.amr.split()),
                acr=row.acr,
                client=row.client_id,
            )
        return True

    def revoke_token(self, token: str, client_id: str, *, address: str) -> None:
        """End a token of the system that a client belongs to; recorded after that is committed."""
        now = self.clock.now()
        with self.store.unit() as unit:
            repository = SsoRepository(unit)
            client, row = repository.client(client_id, now), repository.token(token_hash(token))
            owner = repository.client(row.client_id, now) if row else None
            if client is None or row is None or owner is None or owner.system.source != client.system.source:
                return
            done = repository.drop_token(row.token_hash)
        if done:
            self.journal.write(
                "revoke",
                "sso.token_revoked",
                actor=row.login_id,
                session=row.session_id,
                address=address,
                source=client.system.source,
                client=client_id,
            )

    def live_token(self, token: str) -> tuple[TokenRow, Client, LiveSession] | None:
        """A token that opens something now: in time, of a registered system, in a session that is still open."""
        now = self.clock.now()
        with self.store.unit() as unit:
            repository = SsoRepository(unit)
            row = repository.token(token_hash(token))
            client = repository.client(row.client_id, now) if row else None
        if row is None or client is None or not within(row.issued_at, now, row.expires_at - row.issued_at):
            return None
        session = self._open(row.session_id, row.login_id)
        return (row, client, session) if session else None

    def _open(self, session_id: str, login_id: str) -> LiveSession | None:
        """The session, unless it is over, locked, or somebody else's by now."""
        session = self.sessions.session_by_id(session_id)
        return session if session and session.login_id == login_id and not session.locked else None
