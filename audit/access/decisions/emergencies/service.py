"""Break-glass: declared by a signed-in person, recorded and alerted before it holds, reviewed by somebody else."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from audit.access.decisions.emergencies.model import Alarm, Emergency, Surroundings, Verdict
from audit.access.decisions.emergencies.repository import EmergencyRepository, EmergencyRow
from audit.access.decisions.errors import EmergencyRefusedError
from audit.access.decisions.journal import ActsJournal, GroupRecorder, new_id
from audit.access.decisions.model import Actor, BreakGlass
from audit.access.decisions.policy import DecisionPolicy
from audit.access.outbox import Outbox
from audit.access.sealing import token_hash
from audit.access.typed_codes import plain_code
from audit.clock import Clock, tokyo_date
from audit.events import mask
from audit.store.state import StateStore

__all__ = ["EmergencyService"]

_LEAST_REASON, _MOST_REASON = 10, 500
_LONGEST_CLOSURE = 60


class EmergencyService:
    """Emergencies of a town.

    Args:
        store: the state database.
        clock: the time.
        recorder: the audit log.
        policy: the policy in force.
        surroundings: sessions, posts, the calendar.
        alarm: tells those who watch.
    """

    def __init__(
        self,
        store: StateStore,
        clock: Clock,
        recorder: GroupRecorder,
        policy: Callable[[], DecisionPolicy],
        surroundings: Surroundings,
        alarm: Alarm,
    ) -> None:
        self._store = store
        self._clock = clock
        self._journal = ActsJournal(recorder, clock)
        self._outbox = Outbox(store, recorder)
        self._policy = policy
        self._surroundings = surroundings
        self._alarm = alarm

    def declare(self, system: str, reason: str, minutes: int, *, by: Actor, sealed_code: str = "") -> Emergency:
        """Declare an emergency for oneself. It holds from now, and the alert has gone out when this returns.

        Args:
            system: for which system.
            reason: what has happened; masked before it is kept.
            minutes: how long, up to the limit of the policy.
            by: who declares it, signed in.
            sealed_code: of a sealed credential, where the second factor is not at hand; used up by this.

        Raises:
            EmergencyRefusedError: why it cannot be declared.
            StoreError: it cannot be recorded or alerted, so there is none.
        """
        self.check(system, reason, minutes)
        session = self._surroundings.live_session(by.staff_id)
        if session is None or session.locked or session.id != by.session:
            raise EmergencyRefusedError("no_session")
        return self._declare(system, reason, minutes, by, sealed_code)

    def declare_at_the_door(self, system: str, reason: str, minutes: int, *, by: Actor, sealed_code: str) -> Emergency:
        """The same for somebody who has no session yet, has proved the password, and holds a sealed credential.

        Raises:
            EmergencyRefusedError: why it cannot be declared.
            StoreError: it cannot be recorded or alerted, so there is none.
        """
        self.check(system, reason, minutes)
        if not sealed_code:
            raise EmergencyRefusedError("credential")
        return self._declare(system, reason, minutes, by, sealed_code)

    def _declare(self, system: str, reason: str, minutes: int, by: Actor, sealed_code: str) -> Emergency:
        now, post = self._clock.now(), self._surroundings.post_at(by.staff_id, self._clock.now())
        if post is None:
            raise EmergencyRefusedError("no_post")
        declared = BreakGlass(
            id=new_id(),
            person=by.staff_id,
            system=system,
            reason=mask(reason.strip())[0],
            start=now,
            end=now + timedelta(minutes=minutes),
            sealed=bool(sealed_code),
        )
        emergency = Emergency(declared=declared, review_due=self._next_open_day(post.org_unit, tokyo_date(now)))
        envelope = self._use(sealed_code, by) if sealed_code else ""
        event = self._event("grant", "break_glass.declared", emergency, by, envelope=envelope)
        self._journal.record(event)
        # The alert is kept in the same database, so it goes before this unit and not inside it. One that no emergency
        # follows, because the disk is full now, does no harm.
        self._alarm.alert(emergency, event["event_id"])
        with self._store.unit() as unit:
            EmergencyRepository(unit).add(
                EmergencyRow(
                    id=declared.id,
                    person=declared.person,
                    system=declared.system,
                    reason=declared.reason,
                    start=declared.start,
                    end=declared.end,
                    sealed=declared.sealed,
                    review_due=emergency.review_due,
                )
            )
        return emergency

    def end(self, number: str, *, by: Actor) -> None:
        """End one's own emergency before its time.

        Raises:
            EmergencyRefusedError: no such emergency of this person, or over already.
        """
        with self._outbox.unit() as (unit, told):
            repository = EmergencyRepository(unit)
            emergency = repository.emergency(number)
            own = emergency is not None and emergency.declared.person == by.staff_id
            if emergency is None or not own or not repository.end(number, self._clock.now()):
                raise EmergencyRefusedError("unknown")
            told.append(self._event("revoke", "break_glass.ended", emergency, by))

    def review(self, number: str, verdict: Verdict, note: str, *, by: Actor) -> None:
        """Enter what somebody else found about an emergency that is over.

        Raises:
            EmergencyRefusedError: unknown, one's own, still open, without words, or reviewed before.
            StoreError: it cannot be recorded; it stays listed.
        """
        now = self._clock.now()
        with self._store.unit() as unit:
            repository = EmergencyRepository(unit)
            emergency = repository.emergency(number)
            if emergency is None:
                raise EmergencyRefusedError("unknown")
            if self._surroundings.same_natural_person(by.staff_id, emergency.declared.person):
                raise EmergencyRefusedError("oneself")
            if self._surroundings.post_at(by.staff_id, now) is None:
                raise EmergencyRefusedError("no_post")
            if now < emergency.declared.end:
                raise EmergencyRefusedError("open")
            if not 1 <= len(note.strip()) <= _MOST_REASON:
                raise EmergencyRefusedError("reason")
            if not repository.review(number, verdict, by.staff_id, mask(note.strip())[0], now):
                raise EmergencyRefusedError("settled")
            found = {"verdict": verdict, "note": mask(note.strip())[0]}
            self._journal.record(self._event("approve", "break_glass.reviewed", emergency, by, found))

    def unreviewed(self) -> list[Emergency]:
        """Emergencies that nobody has reviewed, the first due first."""
        with self._store.unit() as unit:
            return EmergencyRepository(unit).unreviewed()

    def open_for(self, person: str, system: str, at: datetime) -> BreakGlass | None:
        """The emergency that a person has open for a system at a moment."""
        with self._store.unit() as unit:
            return EmergencyRepository(unit).open_for(person, system, at)

    def check(self, system: str, reason: str, minutes: int) -> None:
        """Whether an emergency could be declared so, whoever declares it.

        Raises:
            EmergencyRefusedError: why not.
        """
        policy = self._policy().of(system)
        if policy is None or not policy.break_glass:
            raise EmergencyRefusedError("not_allowed")
        if not 1 <= minutes <= policy.break_glass_minutes:
            raise EmergencyRefusedError("minutes")
        if not _LEAST_REASON <= len(reason.strip()) <= _MOST_REASON:
            raise EmergencyRefusedError("reason")

    def _use(self, code: str, by: Actor) -> str:
        """Use a sealed credential up, and say which envelope it was in; a wrong one is a security event."""
        now, hashed = self._clock.now(), token_hash(plain_code(code))
        with self._outbox.unit() as (unit, told):
            repository = EmergencyRepository(unit)
            row = repository.sealed(hashed, now)
            used = row is not None and repository.use_sealed(hashed, by.staff_id, now)
            if row is not None and used:  # told by itself: it stays used up where the emergency cannot be recorded
                event = self._journal.event("security_event", "break_glass.envelope_opened", by=by, envelope=row.id)
                told.append(event)
        if row is None or not used:
            self._journal.write("security_event", "break_glass.sealed_refused", by=by, outcome="denied")
            raise EmergencyRefusedError("credential")
        return row.id

    def _next_open_day(self, unit: str, day: date) -> date:
        for ahead in range(1, _LONGEST_CLOSURE):
            if not self._surroundings.closed(unit, day + timedelta(days=ahead)):
                return day + timedelta(days=ahead)
        return day + timedelta(days=_LONGEST_CLOSURE)

    def _event(
        self,
        activity: str,
        operation: str,
        emergency: Emergency,
        by: Actor,
        review: dict[str, str] | None = None,
        envelope: str = "",
    ) -> dict[str, Any]:
        declared = emergency.declared
        return self._journal.event(
            activity,
            operation,
            by=by,
            target=declared.person,
            system=declared.system,
            emergency=declared.id,
            why=declared.reason,
            until=declared.end.isoformat(),
            sealed=declared.sealed,
            review_due=emergency.review_due.isoformat(),
            review=review,
            envelope=envelope,
        )
