"""One-time links: the only way to factors.

Rules:
- A link holds its own secret, so opening the page twice shows the same QR code; each opening is recorded.
- A new link for the same login id replaces the one before.
- A link made for somebody who stands beside the administrator lives for minutes, one of many that are handed
  over on paper for days, any other for a day.
"""

from datetime import timedelta
from uuid import uuid4

from audit.access.errors import AccountStateError, LinkRefusedError
from audit.access.model import within
from audit.access.repository import AccessRepository
from audit.access.sealing import new_token, token_hash
from audit.access.second_factor import new_secret
from audit.access.tables import AccountRow, EnrolmentRow, format_roles
from audit.access.use_cases import UseCases
from audit.store.state import Session

__all__ = ["LinkUseCases", "link_place"]


def link_place(link_id: str) -> str:
    """The place a link's secret is sealed for."""
    return f"enrolment:{link_id}"


class LinkUseCases(UseCases):
    """Making and finding links."""

    def _add_link(
        self,
        unit: Session,
        row: EnrolmentRow,
        operation: str,
        *,
        actor: str | None,
        address: str | None = None,
        session: str | None = None,
        **details: str,
    ) -> str:
        """Store a link in the place of any other for the same login id; the event is durable before it can be used.

        Returns:
            The token, in clear only here.
        """
        repository, now, token = AccessRepository(unit), self._clock.now(), new_token()
        repository.end_links(row.login_id, now)
        row.id = uuid4().hex
        row.token_hash, row.created_at, row.created_by = token_hash(token), now, actor
        row.totp_secret = self._box.seal(new_secret(), link_place(row.id))
        repository.add(row)
        self._journal.write(
            "credential_issue" if row.account_id is None else "credential_reset",
            operation,
            actor=actor,
            address=address,
            session=session,
            target=row.login_id,
            roles=row.roles.split(),
            link=row.id,
            also=details,
        )
        return token

    def _link_for(
        self,
        unit: Session,
        account: AccountRow,
        operation: str,
        *,
        actor: str | None,
        address: str | None = None,
        session: str | None = None,
        in_person: bool = False,
        **details: str,
    ) -> str:
        """A link that binds the factors of an existing account anew.

        Raises:
            AccountStateError: the account is disabled.
        """
        if account.disabled_at is not None:
            raise AccountStateError("disabled")
        row = EnrolmentRow(
            account_id=account.id,
            login_id=account.login_id,
            display_name=account.display_name,
            roles=format_roles(account.roles_set()),
            in_person=in_person,
        )
        return self._add_link(unit, row, operation, actor=actor, address=address, session=session, **details)

    def _live_link(self, unit: Session, token: str) -> EnrolmentRow | None:
        link = AccessRepository(unit).link(token_hash(token))
        if link is None or link.ended_at is not None:
            return None
        return link if within(link.created_at, self._clock.now(), self._life(link)) else None

    def _life(self, link: EnrolmentRow) -> timedelta:
        """How long a link may be used."""
        if link.in_person:
            return self._limits.in_person
        return self._limits.sheet if link.sheet else self._limits.link

    def _refuse_link(self, address: str) -> LinkRefusedError:
        self._journal.write("security_event", "link.refused", "denied", actor=None, address=address)
        return LinkRefusedError("link")
