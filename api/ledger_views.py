"""Approvals and media: whom a request concerns, and how the pages show it."""

from collections.abc import Sequence
from datetime import timedelta

from api.installation import Installation
from api.rights import doer_of
from api.rights_views import RightsViews
from audit.access import Permission, Viewer
from audit.access.decisions import Actor
from audit.access.decisions.ledger.model import ApprovalState, Entry, Medium
from audit.access.decisions.ledger.service import heads_for
from audit.log import OWN_SOURCE, Filter
from audit.texts import Texts
from dashboards.ledger_model import MediumRow, RequestRow

__all__ = ["LedgerViews", "actor_of"]

_EVERY_SYSTEM = Texts("すべてのシステム", "every system")
_LATEST = 2000
"""So many requests are looked through, the newest first."""
_MOMENT = timedelta(seconds=2)


def actor_of(viewer: Viewer) -> Actor:
    """Whoever is signed in, as one who acts: a person's login id is the staff id."""
    return Actor(staff_id=viewer.login_id, address=viewer.address, session=viewer.session_id)


class LedgerViews:
    """What of the ledger is one viewer's to see.

    Args:
        installation: whose ledger.
        viewer: who looks.
    """

    def __init__(self, installation: Installation, viewer: Viewer) -> None:
        self._installation = installation
        self._viewer = viewer
        self._me = viewer.login_id
        self._now = installation.clock.now()
        shown = RightsViews(installation, doer_of(viewer))
        self.person, self.systems = shown.person, shown.systems
        self._names = {choice.value: choice.name for choice in shown.systems()}

    @property
    def reads_all(self) -> bool:
        """Whether every request is theirs to see."""
        return Permission.APPROVALS_LEDGER_READ in self._viewer.permissions

    @property
    def trouble(self) -> Texts | None:
        """What is wrong with the town's policy; nothing for whoever does not read the ledger."""
        found = self._installation.decisions.policy.trouble() if self.reads_all else None
        return found.texts if found else None

    def system(self, name: str) -> Texts:
        """What a system is called."""
        return self._names.get(name, Texts.same(name)) if name else _EVERY_SYSTEM

    def mine(self, limit: int, after: str = "") -> list[Entry]:
        """What the viewer asked for, or what was asked for them, the newest first; what comes after one by its id.

        Raises:
            LookupError: there is none of this id for the viewer.
        """
        return self._installation.decisions.ledger.entries(person=self._me, limit=limit, after=after)

    def all(self) -> list[Entry]:
        """Every request, the newest first."""
        return self._installation.decisions.ledger.entries(limit=_LATEST)

    def concerns(self, number: str) -> bool:
        """Whether there is such a request for the viewer: theirs, theirs to answer, or everybody's to an auditor."""
        return any(entry.id == number and (self.reads_all or self._is_of(entry)) for entry in self.all())

    def _is_of(self, entry: Entry) -> bool:
        return self._me in {entry.asked_by, entry.wanted.person} or self._leads(entry)

    def _leads(self, entry: Entry) -> bool:
        return self._me in heads_for(self._installation.people, entry.wanted.person, self._now)

    def rows(self, entries: Sequence[Entry]) -> tuple[RequestRow, ...]:
        """Requests as the pages show them."""
        return tuple(map(self.row, entries))

    def row(self, entry: Entry) -> RequestRow:
        """One request."""
        wanted, state = entry.wanted, self._state(entry)
        own = self._me in {entry.asked_by, wanted.person}
        return RequestRow(
            id=entry.id,
            kind=wanted.kind,
            person=self.person(wanted.person),
            system=self.system(wanted.system),
            start=wanted.start,
            end=wanted.end,
            reason=wanted.reason,
            max_rows=wanted.max_rows,
            max_uses=wanted.max_uses,
            medium_id=wanted.medium_id,
            subjects=wanted.subjects,
            state=state,
            asked_by=self.person(entry.asked_by),
            asked_at=entry.asked_at,
            settled_by=self.person(entry.settled_by) if entry.settled_by else None,
            settled_at=entry.settled_at,
            uses=entry.uses,
            rows=entry.rows,
            why_not=self._why_not(entry) if own else "",
            may_withdraw=own and entry.state is ApprovalState.ASKED,
            may_end=state == ApprovalState.IN_FORCE and (own or self._leads(entry)),
        )

    def _state(self, entry: Entry) -> str:
        wanted = entry.wanted
        if entry.state is ApprovalState.IN_FORCE and wanted.max_uses is not None and entry.uses >= wanted.max_uses:
            return "used"
        if entry.state in {ApprovalState.ASKED, ApprovalState.IN_FORCE} and wanted.end <= self._now:
            return "over"
        return entry.state

    def _why_not(self, entry: Entry) -> str:
        """The reason that a refusal gave: only the log has it."""
        if entry.state is not ApprovalState.REFUSED or entry.settled_at is None:
            return ""
        told = Filter(
            start=entry.settled_at - _MOMENT,
            end=entry.settled_at + _MOMENT,
            sources=(OWN_SOURCE,),
            actors=(entry.settled_by,),
            activities=("approve",),
        )
        for event in self._installation.log.each(told):
            document = event.to_contract()
            if document.get("export", {}).get("approval_id") == entry.id:
                return str(document.get("unmapped", {}).get("why", ""))
        return ""

    def medium(self, medium: Medium) -> MediumRow:
        """One medium; who holds it is for the ledger's readers."""
        return MediumRow(
            id=medium.id,
            kind=medium.kind,
            state=medium.state,
            holder=self.person(medium.holder) if medium.holder and self.reads_all else None,
            mine=medium.holder == self._me,
            since=medium.since,
        )
