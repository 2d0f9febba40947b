"""Emergencies as the pages show them."""

from itertools import islice

from api.emergencies import conduct_of, is_overdue, reviews
from api.installation import Installation
from api.ledger_views import LedgerViews
from api.views import source_name
from audit.access import Permission, Viewer
from audit.access.decisions.emergencies.model import Emergency
from audit.events import AuditEvent
from audit.texts import Texts
from dashboards.ledger_model import ConductRow, EmergencyRow, EnvelopeRow, ReviewedRow
from dashboards.model import Choice

__all__ = ["EmergencyViews", "emergency_systems"]

_CONDUCT_SHOWN = 20
_REVIEWED_SHOWN = 50
_LIFTED = "lifted_"


def emergency_systems(installation: Installation) -> tuple[tuple[Choice, ...], int]:
    """The systems in which an emergency may be declared, each with its limit, and the longest limit in minutes."""
    policy = installation.decisions.policy.current()
    limits = {
        Choice(system, source_name(installation.catalogue, system)): found.break_glass_minutes
        for system in sorted(installation.rights.systems)
        if (found := policy.of(system)) is not None and found.break_glass
    }
    choices = tuple(
        Choice(choice.value, Texts(f"{choice.name.ja}({most} 分まで)", f"{choice.name.en} (up to {most} minutes)"))
        for choice, most in limits.items()
    )
    return choices, max(limits.values(), default=0)


class EmergencyViews:
    """What of emergencies is one viewer's to see.

    Args:
        installation: whose emergencies.
        viewer: who looks.
    """

    def __init__(self, installation: Installation, viewer: Viewer) -> None:
        self._installation = installation
        self._viewer = viewer
        self._now = installation.clock.now()
        self._shown = LedgerViews(installation, viewer)

    @property
    def trouble(self) -> Texts | None:
        """What is wrong with the town's policy; nothing for whoever does not read the ledger."""
        return self._shown.trouble

    def allowed(self) -> tuple[tuple[Choice, ...], int]:
        """The systems in which an emergency may be declared, each with its limit, and the longest limit in minutes."""
        return emergency_systems(self._installation)

    def envelopes(self) -> tuple[EnvelopeRow, ...]:
        """The envelopes there are, and those that are asked for."""
        return tuple(
            EnvelopeRow(
                id=one.id,
                state=one.state.value,
                asked_by=self._shown.person(one.asked_by),
                asked_at=one.asked_at,
                confirmed_by=self._shown.person(one.confirmed_by) if one.confirmed_by else None,
                expires_at=one.expires_at,
                opened_by=self._shown.person(one.opened_by) if one.opened_by else None,
                opened_at=one.opened_at,
                mine=one.asked_by == self._viewer.login_id,
            )
            for one in self._installation.decisions.envelopes.listing()
        )

    def own(self) -> tuple[EmergencyRow, ...]:
        """The viewer's emergencies that nobody has reviewed, those that are open first."""
        mine = [one for one in self._unreviewed() if one.declared.person == self._viewer.login_id]
        return tuple(map(self._row, sorted(mine, key=lambda one: one.declared.end, reverse=True)))

    def unreviewed(self) -> tuple[EmergencyRow, ...]:
        """Everybody's, with what was done under them, the first due first."""
        return tuple(self._row(one, whole=True) for one in self._unreviewed())

    def _unreviewed(self) -> list[Emergency]:
        return self._installation.decisions.emergencies.unreviewed()

    def _row(self, emergency: Emergency, *, whole: bool = False) -> EmergencyRow:
        declared = emergency.declared
        is_open = self._now < declared.end
        conduct = list(conduct_of(self._installation, emergency)) if whole else []
        others = declared.person != self._viewer.login_id
        may_review = Permission.EMERGENCIES_EMERGENCY_REVIEW in self._viewer.permissions
        return EmergencyRow(
            id=declared.id,
            person=self._shown.person(declared.person),
            system=self._shown.system(declared.system),
            reason=declared.reason,
            start=declared.start,
            end=declared.end,
            sealed=declared.sealed,
            review_due=emergency.review_due,
            open=is_open,
            overdue=is_overdue(emergency, self._now),
            conduct=tuple(map(_conduct, islice(conduct, _CONDUCT_SHOWN))),
            conduct_total=len(conduct),
            may_review=whole and may_review and others and not is_open,
        )

    def reviewed(self) -> tuple[ReviewedRow, ...]:
        """What was reviewed of late, the newest first."""
        return tuple(map(self._reviewed, islice(reviews(self._installation), _REVIEWED_SHOWN)))

    def _reviewed(self, event: AuditEvent) -> ReviewedRow:
        document = event.to_contract()
        told, target = document.get("unmapped", {}), document.get("target", {})
        review = told.get("review", {})
        return ReviewedRow(
            time=event.time,
            event_id=event.text("event_id"),
            person=self._shown.person(target.get("id", "")),
            system=self._shown.system(target.get("system", "")),
            reason=told.get("why", ""),
            reviewer=self._shown.person(document["actor"]["id"]),
            verdict=review.get("verdict", ""),
            note=review.get("note", ""),
        )


def _conduct(event: AuditEvent) -> ConductRow:
    document = event.to_contract()
    decision = document["unmapped"]["decision"]
    notes = decision.get("notes", [])
    return ConductRow(
        time=event.time,
        event_id=event.text("event_id"),
        activity=decision.get("activity", ""),
        outcome=document["outcome"],
        subjects=len(document.get("subjects", [])),
        lifted=tuple(note.removeprefix(_LIFTED) for note in notes if note.startswith(_LIFTED)),
    )
