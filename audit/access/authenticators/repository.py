"""Tables and statements of authenticators. Nothing here commits: the unit of work does.

What must happen once (a challenge, a recovery code, a step of a counter) is one UPDATE or DELETE whose row count is the
answer.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    CursorResult,
    Delete,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Text,
    Update,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from audit.store.state import Base, Session, UtcTime

__all__ = [
    "AuthenticatorRepository",
    "AuthenticatorRow",
    "ChallengeRow",
    "MetadataRow",
    "ModelRow",
    "PolicyRow",
    "RecoveryRow",
]

_HEX = 32
_HASH = 64


class AuthenticatorRow(Base):
    """A credential of an account. A revoked one stays, so that nobody can enrol its id again."""

    __tablename__ = "access_authenticators"

    id: Mapped[str] = mapped_column(String(_HEX), primary_key=True)
    credential_id: Mapped[bytes] = mapped_column(LargeBinary(1023), unique=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("access_accounts.id"), index=True)
    name: Mapped[str] = mapped_column(String(60))
    public_key: Mapped[bytes] = mapped_column(LargeBinary)  # COSE
    sign_count: Mapped[int] = mapped_column(BigInteger)
    aaguid: Mapped[str] = mapped_column(String(36))
    attested: Mapped[str] = mapped_column(String(8))
    device_bound: Mapped[bool]
    backed_up: Mapped[bool]
    transports: Mapped[str] = mapped_column(String(100))  # separated by a space
    chain: Mapped[str] = mapped_column(Text)  # SHA-256 of the attestation's certificates, separated by a space
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)


class ChallengeRow(Base):
    """A challenge that waits for its answer. `account_id` is null where nobody has said who they are."""

    __tablename__ = "access_challenges"

    challenge_hash: Mapped[str] = mapped_column(String(_HASH), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(16))
    account_id: Mapped[str | None] = mapped_column(String(_HEX))  # no foreign key: its account may be yet to come
    bound_hash: Mapped[str] = mapped_column(String(_HASH))
    created_at: Mapped[datetime] = mapped_column(UtcTime, index=True)


class RecoveryRow(Base):
    """A recovery code of an account."""

    __tablename__ = "access_recovery_codes"

    code_hash: Mapped[str] = mapped_column(String(_HASH), primary_key=True)  # keyed, of the account and the code
    account_id: Mapped[str] = mapped_column(ForeignKey("access_accounts.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class ModelRow(Base):
    """A model of authenticators, from the FIDO metadata."""

    __tablename__ = "access_authenticator_models"

    aaguid: Mapped[str] = mapped_column(String(36), primary_key=True)
    description: Mapped[str] = mapped_column(String(200))
    modalities: Mapped[str] = mapped_column(String(100))  # separated by a space
    always: Mapped[bool]
    roots: Mapped[str] = mapped_column(Text)  # PEM, one after the other
    refused: Mapped[str] = mapped_column(String(40))
    compromised: Mapped[str] = mapped_column(Text)  # SHA-256 of certificates, separated by a space


class MetadataRow(Base):
    """The FIDO metadata that the models are from; one row."""

    __tablename__ = "access_authenticator_metadata"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
    next_update: Mapped[datetime] = mapped_column(UtcTime)
    imported_at: Mapped[datetime] = mapped_column(UtcTime)
    sha256: Mapped[str] = mapped_column(String(_HASH))
    root: Mapped[str] = mapped_column(Text)  # PEM


class PolicyRow(Base):
    """A version of the policy; the highest is the one in force."""

    __tablename__ = "access_authenticator_policies"

    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime] = mapped_column(UtcTime)


class AuthenticatorRepository:
    """The statements, within one unit of work."""

    def __init__(self, unit: Session) -> None:
        self._unit = unit

    def add(self, row: Base) -> None:
        """Insert a row now, so that a broken constraint shows here."""
        self._unit.add(row)
        self._unit.flush()

    def _change(self, statement: Update | Delete) -> int:
        done = self._unit.execute(statement, execution_options={"synchronize_session": False})
        return cast("CursorResult[Any]", done).rowcount

    # Challenges

    def take_challenge(self, challenge_hash: str) -> ChallengeRow | None:
        """Use a challenge up and say what it was for; None when it was used, forgotten or never given."""
        return self._unit.scalar(
            delete(ChallengeRow).where(ChallengeRow.challenge_hash == challenge_hash).returning(ChallengeRow),
            execution_options={"synchronize_session": False},
        )

    def forget_challenges(self, before: datetime) -> None:
        """Drop challenges that nobody answered."""
        self._change(delete(ChallengeRow).where(ChallengeRow.created_at < before))

    # Authenticators

    def add_authenticator(self, row: AuthenticatorRow) -> bool:
        """Insert an authenticator; False when its credential id is there already."""
        try:
            self.add(row)
        except IntegrityError:
            return False
        return True

    def by_credential(self, credential_id: bytes) -> AuthenticatorRow | None:
        """An authenticator, revoked or not, by the id that it chose."""
        return self._unit.scalar(select(AuthenticatorRow).where(AuthenticatorRow.credential_id == credential_id))

    def of_account(self, account_id: str) -> Sequence[AuthenticatorRow]:
        """The authenticators of an account, oldest first."""
        query = select(AuthenticatorRow).where(
            AuthenticatorRow.account_id == account_id, AuthenticatorRow.revoked_at.is_(None)
        )
        return self._unit.scalars(query.order_by(AuthenticatorRow.created_at, AuthenticatorRow.id)).all()

    def count_up(self, row_id: str, sign_count: int, *, backed_up: bool, now: datetime) -> bool:
        """Store a higher sign count, or another 0 of one that does not count; False when it went back or was revoked.

        The comparison and the change are one statement: of two copies of a key, one at most counts up.
        """
        forward = AuthenticatorRow.sign_count < sign_count if sign_count else AuthenticatorRow.sign_count == 0
        return (
            self._change(
                update(AuthenticatorRow)
                .where(AuthenticatorRow.id == row_id, AuthenticatorRow.revoked_at.is_(None), forward)
                .values(sign_count=sign_count, backed_up=backed_up, last_used_at=now)
            )
            == 1
        )

    def used(self, row_id: str, now: datetime) -> bool:
        """Note a use that leaves the count as it is; False when it was revoked meanwhile."""
        return (
            self._change(
                update(AuthenticatorRow)
                .where(AuthenticatorRow.id == row_id, AuthenticatorRow.revoked_at.is_(None))
                .values(last_used_at=now)
            )
            == 1
        )

    def revoke(self, account_id: str, row_id: str, now: datetime) -> bool:
        """End an authenticator of an account; False when there is none."""
        return self._change(_live(update(AuthenticatorRow), account_id, row_id).values(revoked_at=now)) == 1

    def revoke_all(self, account_id: str, now: datetime) -> list[str]:
        """End every authenticator of an account; returns which."""
        ended = self._unit.scalars(
            update(AuthenticatorRow)
            .where(AuthenticatorRow.account_id == account_id, AuthenticatorRow.revoked_at.is_(None))
            .values(revoked_at=now)
            .returning(AuthenticatorRow.id),
            execution_options={"synchronize_session": False},
        )
        return sorted(ended)

    # Recovery codes

    def end_codes(self, account_id: str) -> int:
        """Drop the codes of an account; returns how many there were."""
        return self._change(delete(RecoveryRow).where(RecoveryRow.account_id == account_id))

    def take_code(self, account_id: str, code_hash: str) -> bool:
        """Use a code up; False when there is none."""
        statement = delete(RecoveryRow).where(RecoveryRow.account_id == account_id, RecoveryRow.code_hash == code_hash)
        return self._change(statement) == 1

    def codes_left(self, account_id: str) -> int:
        """How many codes an account has."""
        query = select(func.count()).select_from(RecoveryRow).where(RecoveryRow.account_id == account_id)
        return self._unit.scalar(query) or 0

    # Metadata and policy

    def metadata(self) -> MetadataRow | None:
        """The metadata that is in force."""
        return self._unit.get(MetadataRow, 1)

    def replace_metadata(self, row: MetadataRow, models: Iterable[ModelRow]) -> bool:
        """Put newer metadata in the place of what there is; False when what there is, is as new."""
        if self._change(delete(MetadataRow).where(MetadataRow.number < row.number)) == 0 and self.metadata():
            return False
        self._change(delete(ModelRow))
        self._unit.expire_all()
        self.add(row)
        self._unit.add_all(models)
        self._unit.flush()
        return True

    def model(self, aaguid: str) -> ModelRow | None:
        """A model by its identifier."""
        return self._unit.get(ModelRow, aaguid)

    def models(self) -> Sequence[ModelRow]:
        """Every model, by its name."""
        return self._unit.scalars(select(ModelRow).order_by(ModelRow.description, ModelRow.aaguid)).all()

    def model_count(self) -> int:
        """How many models the metadata describes."""
        return self._unit.scalar(select(func.count()).select_from(ModelRow)) or 0

    def policy(self) -> PolicyRow | None:
        """The version of the policy that is in force; None while there was none but the built-in one."""
        return self._unit.scalar(select(PolicyRow).order_by(PolicyRow.version.desc()).limit(1))


def _live(statement: Update, account_id: str, row_id: str) -> Update:
    return statement.where(
        AuthenticatorRow.id == row_id,
        AuthenticatorRow.account_id == account_id,
        AuthenticatorRow.revoked_at.is_(None),
    )
