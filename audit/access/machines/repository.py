"""Tables and statements of machine credentials. Nothing here commits: the unit of work does.

What must happen once (the id of an assertion) is a row whose primary key is the answer, so two requests at the same
moment cannot both win.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import (
    CursorResult,
    Delete,
    ForeignKey,
    LargeBinary,
    String,
    Text,
    Update,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from audit.access.machines.model import CLIENT_ID_LENGTH, Binding, BindingKind, CredentialInfo
from audit.store.state import Base, Session, UtcTime

__all__ = ["AssertionRow", "BindingRow", "CredentialRow", "MachineRepository", "TakenError", "TokenRow"]

_HASH = 64
_SOURCE = 100


class CredentialRow(Base):
    """One client id and secret of a source. The secret is sealed, not hashed: HS256 needs it to verify."""

    __tablename__ = "access_machine_credentials"

    client_id: Mapped[str] = mapped_column(String(CLIENT_ID_LENGTH), primary_key=True)
    source: Mapped[str] = mapped_column(String(_SOURCE), index=True)
    secret: Mapped[bytes] = mapped_column(LargeBinary)  # sealed; empty once revoked
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    expires_at: Mapped[datetime] = mapped_column(UtcTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)

    def live(self, now: datetime) -> bool:
        """Whether it still proves anything."""
        return self.revoked_at is None and now < self.expires_at

    def info(self) -> CredentialInfo:
        """The credential as it may be shown."""
        return CredentialInfo(
            source=self.source,
            client_id=self.client_id,
            created_at=self.created_at,
            expires_at=self.expires_at,
            revoked_at=self.revoked_at,
            last_used_at=self.last_used_at,
        )


class BindingRow(Base):
    """A certificate or signing key of one source; the id is that of the thing, so it belongs to one source only."""

    __tablename__ = "access_machine_bindings"

    id: Mapped[str] = mapped_column(String(_HASH), primary_key=True)
    source: Mapped[str] = mapped_column(String(_SOURCE), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    public_key: Mapped[str] = mapped_column(Text)  # a JWK; empty for a certificate
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcTime)

    def binding(self) -> Binding:
        """The binding as it may be shown."""
        return Binding(
            id=self.id,
            source=self.source,
            kind=BindingKind(self.kind),
            created_at=self.created_at,
            expires_at=self.expires_at,
        )


class TokenRow(Base):
    """A live access token: only its hash."""

    __tablename__ = "access_machine_tokens"

    token_hash: Mapped[str] = mapped_column(String(_HASH), primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("access_machine_credentials.client_id"), index=True)
    scope: Mapped[str] = mapped_column(String(200))
    audience: Mapped[str] = mapped_column(Text)
    issued_at: Mapped[datetime] = mapped_column(UtcTime)
    expires_at: Mapped[datetime] = mapped_column(UtcTime, index=True)


class AssertionRow(Base):
    """An assertion that was used, kept until it could not be used anyway."""

    __tablename__ = "access_machine_assertions"

    id: Mapped[str] = mapped_column(String(_HASH), primary_key=True)  # hash of client id and jti
    forget_at: Mapped[datetime] = mapped_column(UtcTime, index=True)


class TakenError(Exception):
    """Something that may be there once only is there already."""


class MachineRepository:
    """The statements, within one unit of work."""

    def __init__(self, unit: Session) -> None:
        self._unit = unit

    def add(self, row: Base) -> None:
        """Insert a row now.

        Raises:
            TakenError: its key is taken; it must end the unit.
        """
        self._unit.add(row)
        try:
            self._unit.flush()
        except IntegrityError as error:
            raise TakenError from error

    def _change(self, statement: Update | Delete) -> int:
        done = self._unit.execute(statement, execution_options={"synchronize_session": False})
        return cast("CursorResult[Any]", done).rowcount

    # Credentials

    def credential(self, client_id: str) -> CredentialRow | None:
        """A credential by its client id."""
        return self._unit.get(CredentialRow, client_id)

    def credentials(self, source: str) -> Sequence[CredentialRow]:
        """The credentials of one source, or of all of them, the oldest first."""
        query = select(CredentialRow).order_by(CredentialRow.source, CredentialRow.created_at, CredentialRow.client_id)
        return self._unit.scalars(query.where(CredentialRow.source == source) if source else query).all()

    def used(self, client_id: str, now: datetime) -> None:
        """A credential proved itself."""
        self._change(update(CredentialRow).where(CredentialRow.client_id == client_id).values(last_used_at=now))

    def revoke(self, source: str, client_id: str, now: datetime) -> bool:
        """End a credential and its tokens, and forget its secret; False when there is none to end."""
        done = self._change(
            update(CredentialRow)
            .where(
                CredentialRow.client_id == client_id,
                CredentialRow.source == source,
                CredentialRow.revoked_at.is_(None),
            )
            .values(revoked_at=now, secret=b"")
        )
        if done:
            self._change(delete(TokenRow).where(TokenRow.client_id == client_id))
        return done == 1

    # Certificates and keys

    def bindings(self, source: str) -> Sequence[BindingRow]:
        """What is bound to one source, or to any, the oldest first."""
        query = select(BindingRow).order_by(BindingRow.source, BindingRow.created_at, BindingRow.id)
        return self._unit.scalars(query.where(BindingRow.source == source) if source else query).all()

    def bound(self, identifier: str, kind: BindingKind, now: datetime) -> BindingRow | None:
        """A certificate or key that holds now."""
        return self._unit.scalar(
            select(BindingRow).where(
                BindingRow.id == identifier,
                BindingRow.kind == kind,
                or_(BindingRow.expires_at.is_(None), BindingRow.expires_at > now),
            )
        )

    def has_bound(self, source: str, kind: BindingKind) -> bool:
        """Whether a source must show a certificate or sign; an expired one still says so."""
        query = select(func.count()).select_from(BindingRow).where(BindingRow.source == source, BindingRow.kind == kind)
        return bool(self._unit.scalar(query))

    def unbind(self, source: str, identifier: str) -> bool:
        """Forget a certificate or key; False when the source has none of this id."""
        return self._change(delete(BindingRow).where(BindingRow.id == identifier, BindingRow.source == source)) == 1

    # Tokens and assertions

    def token(self, token_hash: str) -> tuple[TokenRow, CredentialRow] | None:
        """A token and whose it is."""
        row = self._unit.execute(
            select(TokenRow, CredentialRow)
            .join(CredentialRow, CredentialRow.client_id == TokenRow.client_id)
            .where(TokenRow.token_hash == token_hash)
        ).one_or_none()
        return None if row is None else (row[0], row[1])

    def drop_token(self, token_hash: str, source: str) -> bool:
        """End a token of one source; False when it has none such."""
        of_source = select(CredentialRow.client_id).where(CredentialRow.source == source)
        return (
            self._change(delete(TokenRow).where(TokenRow.token_hash == token_hash, TokenRow.client_id.in_(of_source)))
            == 1
        )

    def forget(self, now: datetime) -> None:
        """Drop tokens and assertions whose time is over."""
        self._change(delete(TokenRow).where(TokenRow.expires_at <= now))
        self._change(delete(AssertionRow).where(AssertionRow.forget_at <= now))
