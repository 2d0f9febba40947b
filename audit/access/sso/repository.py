"""Tables and statements of single sign-on. Nothing here commits: the unit of work does.

What must happen once (a code) is one UPDATE whose row count is the answer. A code's second use and the token that its
first use leads to meet in the code's row: whichever comes second sees the other.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, Delete, Integer, String, Text, Update, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from audit.access.machines.repository import CredentialRow
from audit.access.sso.model import Client, System
from audit.store.state import Base, Session, UtcTime

__all__ = ["CodeRow", "SsoRepository", "SystemRow", "TokenRow"]

_HASH = 64
_ID = 32
_SOURCE = 100
_LOGIN_ID = 64


class SystemRow(Base):
    """A registered records service."""

    __tablename__ = "access_sso_systems"

    source: Mapped[str] = mapped_column(String(_SOURCE), primary_key=True)
    redirect_uris: Mapped[str] = mapped_column(Text)  # separated by spaces, which no URI holds
    post_logout_uris: Mapped[str] = mapped_column(Text)
    max_age_seconds: Mapped[int | None] = mapped_column(Integer)
    algorithm: Mapped[str] = mapped_column(String(16))
    changed_at: Mapped[datetime] = mapped_column(UtcTime)

    def system(self) -> System:
        """The system as a value."""
        return System(
            source=self.source,
            redirect_uris=tuple(self.redirect_uris.split()),
            post_logout_uris=tuple(self.post_logout_uris.split()),
            max_age=None if self.max_age_seconds is None else timedelta(seconds=self.max_age_seconds),
            algorithm="RS256" if self.algorithm == "RS256" else "ES256",
        )


class CodeRow(Base):
    """An authorization code: only its hash, and what was granted with it."""

    __tablename__ = "access_sso_codes"

    code_hash: Mapped[str] = mapped_column(String(_HASH), primary_key=True)
    client_id: Mapped[str] = mapped_column(String(_ID))
    source: Mapped[str] = mapped_column(String(_SOURCE))
    redirect_uri: Mapped[str] = mapped_column(Text)
    nonce: Mapped[str] = mapped_column(Text)
    challenge: Mapped[str] = mapped_column(String(128))
    login_id: Mapped[str] = mapped_column(String(_LOGIN_ID))
    session_id: Mapped[str] = mapped_column(String(_ID))
    acr: Mapped[str] = mapped_column(String(16))
    amr: Mapped[str] = mapped_column(Text)  # separated by spaces
    auth_time: Mapped[datetime] = mapped_column(UtcTime)
    created_at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    used_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    replayed_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)


class TokenRow(Base):
    """An access token: only its hash. It opens nothing once its session has ended."""

    __tablename__ = "access_sso_tokens"

    token_hash: Mapped[str] = mapped_column(String(_HASH), primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(_HASH), index=True)
    client_id: Mapped[str] = mapped_column(String(_ID))
    login_id: Mapped[str] = mapped_column(String(_LOGIN_ID))
    session_id: Mapped[str] = mapped_column(String(_ID))
    acr: Mapped[str] = mapped_column(String(16))
    amr: Mapped[str] = mapped_column(Text)
    auth_time: Mapped[datetime] = mapped_column(UtcTime)
    issued_at: Mapped[datetime] = mapped_column(UtcTime)
    expires_at: Mapped[datetime] = mapped_column(UtcTime, index=True)


class SsoRepository:
    """The statements, within one unit of work."""

    def __init__(self, unit: Session) -> None:
        self._unit = unit

    def add(self, row: Base) -> None:
        """Insert a row now."""
        self._unit.add(row)
        self._unit.flush()

    def _change(self, statement: Update | Delete) -> int:
        done = self._unit.execute(statement, execution_options={"synchronize_session": False})
        return cast("CursorResult[Any]", done).rowcount

    # Systems

    def system(self, source: str) -> SystemRow | None:
        """A registered system."""
        return self._unit.get(SystemRow, source)

    def systems(self) -> Sequence[SystemRow]:
        """Every registered system, by source id."""
        return self._unit.scalars(select(SystemRow).order_by(SystemRow.source)).all()

    def drop_system(self, source: str) -> None:
        """Forget a system; its tokens open nothing from then on."""
        self._change(delete(SystemRow).where(SystemRow.source == source))

    def client(self, client_id: str, now: datetime) -> Client | None:
        """The registered system that a live client id belongs to."""
        row = self._unit.execute(
            select(SystemRow, CredentialRow)
            .join(CredentialRow, CredentialRow.source == SystemRow.source)
            .where(CredentialRow.client_id == client_id)
        ).one_or_none()
        return Client(client_id, row[0].system()) if row is not None and row[1].live(now) else None

    # Codes

    def use_code(self, code_hash: str, now: datetime) -> CodeRow | None:
        """Use a code up; None when it is unknown or was used before."""
        done = self._change(
            update(CodeRow).where(CodeRow.code_hash == code_hash, CodeRow.used_at.is_(None)).values(used_at=now)
        )
        return self._unit.get(CodeRow, code_hash) if done == 1 else None

    def replay(self, code_hash: str, now: datetime) -> CodeRow | None:
        """A code came again: end what its first use led to, now and for a token still under way."""
        self._change(update(CodeRow).where(CodeRow.code_hash == code_hash).values(replayed_at=now))
        self._change(delete(TokenRow).where(TokenRow.code_hash == code_hash))
        return self._unit.get(CodeRow, code_hash)

    def not_replayed(self, code_hash: str, now: datetime) -> bool:
        """Whether a used code was presented only once until now; holds its row until the unit ends."""
        return (
            self._change(
                update(CodeRow).where(CodeRow.code_hash == code_hash, CodeRow.replayed_at.is_(None)).values(used_at=now)
            )
            == 1
        )

    # Tokens

    def token(self, token_hash: str) -> TokenRow | None:
        """An access token."""
        return self._unit.get(TokenRow, token_hash)

    def drop_token(self, token_hash: str) -> bool:
        """End an access token; False when it has ended."""
        return self._change(delete(TokenRow).where(TokenRow.token_hash == token_hash)) == 1

    def forget(self, codes_before: datetime, now: datetime) -> None:
        """Drop codes and tokens whose time is over."""
        self._change(delete(CodeRow).where(CodeRow.created_at < codes_before))
        self._change(delete(TokenRow).where(TokenRow.expires_at <= now))
