"""Rights as the pages show them: people by name and post, systems by name, whole days in Asia/Tokyo."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from api.installation import Installation
from api.views import source_name
from audit.access.rights import (
    FUNCTIONS,
    Application,
    Delegation,
    Doer,
    Due,
    LedgerEntry,
    Reconciliation,
    RightsService,
    Status,
)
from audit.clock import tokyo_date
from audit.context import post_held
from dashboards.model import Choice
from dashboards.rights_model import (
    ApplicationRow,
    DelegationRow,
    DifferenceRow,
    PersonView,
    ReconciliationView,
    RightRow,
    StepRow,
)

__all__ = ["RightsViews"]


class RightsViews:
    """Makes the values of one page; each person is looked up once.

    Args:
        installation: whose rights.
        by: who looks.
    """

    def __init__(self, installation: Installation, by: Doer) -> None:
        self._installation = installation
        self._by = by
        self._now = installation.clock.now()
        self._people: dict[str, PersonView] = {}

    @property
    def _rights(self) -> RightsService:
        return self._installation.rights

    def person(self, staff_id: str) -> PersonView:
        """Somebody by the post held now."""
        if staff_id not in self._people:
            post = post_held(self._installation.context.person(staff_id), self._now)
            shown = (post.name, post.org_unit, post.post) if post else ()
            self._people[staff_id] = PersonView(staff_id, *shown)
        return self._people[staff_id]

    def systems(self) -> tuple[Choice, ...]:
        """The systems for which rights are kept."""
        catalogue = self._installation.catalogue
        return tuple(Choice(name, source_name(catalogue, name)) for name in sorted(self._rights.systems))

    def functions(self, *more: str) -> tuple[str, ...]:
        """The functions to choose from, and those that somebody has beside them."""
        return tuple(dict.fromkeys((*FUNCTIONS, *more)))

    def right(self, entry: LedgerEntry, *, ending: bool = True) -> RightRow:
        """One right; with `ending`, whether the viewer may end it."""
        right = entry.right
        return RightRow(
            id=right.id,
            person=self.person(right.person),
            system=source_name(self._installation.catalogue, right.system),
            affair=right.affair,
            function=right.function,
            unit=right.unit,
            start=tokyo_date(right.start),
            last=_last(right.end),
            approvers=tuple(self.person(one.by) for one in entry.application.approvals),
            reason=entry.application.wish.reason,
            holds=entry.holds,
            applied_on=tokyo_date(entry.applied_at) if entry.applied_at else None,
            may_end=ending and self._rights.may_end(right, self._by),
        )

    def application(self, application: Application) -> ApplicationRow:
        """One application for its applicant."""
        wish = application.wish
        waits = application.status is Status.WAITING
        return ApplicationRow(
            id=application.id,
            kind=wish.kind,
            person=self.person(wish.person),
            system=source_name(self._installation.catalogue, wish.system),
            affair=wish.affair,
            functions=wish.functions,
            outside=application.outside,
            unit=wish.unit,
            start=tokyo_date(wish.start),
            last=_last(wish.end),
            reason=wish.reason,
            decision_ref=wish.decision_ref,
            applicant=self.person(application.applicant),
            beside=len(application.beside),
            created_at=application.created_at,
            expires_on=_last(application.expires_at) or tokyo_date(application.expires_at),
            status=application.status,
            steps=self._steps(application),
            closing_reason=application.closing_reason,
            may_withdraw=waits and self._by.id in (application.applicant, wish.person),
        )

    def due(self, due: Due) -> ApplicationRow:
        """One application for its approver: with what the person holds, and what the unit normally needs."""
        wish = due.application.wish
        row = self.application(due.application)
        held = [entry for entry in self._rights.held_by(wish.person) if entry.right.system == wish.system]
        normal = self._rights.rules.normal(wish.unit, wish.system)
        known = {name: getattr(row, name) for name in row.__dataclass_fields__}
        return ApplicationRow(
            **known
            | {
                "deputy_for": self.person(due.deputy_for).name or due.deputy_for if due.deputy_for else "",
                "present": tuple(self.right(entry, ending=False) for entry in held),
                "normal": None if normal is None else tuple(sorted(normal, key=_order)),
            }
        )

    def _steps(self, application: Application) -> tuple[StepRow, ...]:
        chain = self._rights.rules.chain(application.wish.system)
        steps = chain.steps if chain and chain.fingerprint == application.chain else ()
        rows = []
        for number, step in enumerate(steps):
            if number < application.step:
                given = application.approvals[number]
                deputy_for = self.person(given.deputy_for).name or given.deputy_for if given.deputy_for else ""
                rows.append(StepRow(title=step.title, who=self.person(given.by), deputy_for=deputy_for, at=given.at))
            else:
                due = number == application.step
                named = self._rights.next_approver(application) if due else ""
                rows.append(
                    StepRow(title=step.title, who=self.person(named) if named else None, alone=bool(step.head_of))
                )
        return tuple(rows)

    def delegation(self, delegation: Delegation) -> DelegationRow:
        """One deputy."""
        return DelegationRow(
            id=delegation.id,
            approver=self.person(delegation.approver),
            deputy=self.person(delegation.deputy),
            start=delegation.start,
            end=delegation.end,
            mine=delegation.approver == self._by.id,
        )

    def reconciliation(self, result: Reconciliation | None) -> ReconciliationView | None:
        """The last comparison."""
        if result is None:
            return None
        return ReconciliationView(
            at=result.at,
            by=self.person(result.by).name or result.by if result.by else "",
            matched=result.matched,
            rows=tuple(
                DifferenceRow(
                    what=one.what,
                    person=self.person(one.person),
                    function=one.function,
                    affair=one.affair,
                    approved=one.approved,
                    reported=one.reported,
                )
                for one in sorted(result.differences, key=lambda one: (one.what != "unapproved", one.person))
            ),
        )

    def rights(self, entries: Iterable[LedgerEntry]) -> tuple[RightRow, ...]:
        """Several rights."""
        return tuple(map(self.right, entries))


def _last(end: datetime | None) -> date | None:
    """The last day of something with an exclusive end."""
    return tokyo_date(end - timedelta(microseconds=1)) if end else None


def _order(function: str) -> tuple[int, str]:
    return (FUNCTIONS.index(function) if function in FUNCTIONS else len(FUNCTIONS)), function
