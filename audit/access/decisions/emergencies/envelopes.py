"""Sealed credentials: made by two people, kept in an envelope, good once in the place of the second factor.

Rules:
- One person asks and another confirms: two human beings, who speak for security and for the systems together. The code
  is shown to the second, once, and nobody can make it show again.
- A wish that nobody confirms within a day is forgotten, and so is that of an asker who has left or changed office: an
  envelope stands on two people who are there when it comes into being.
- Opening an envelope makes it void, whatever comes of it. One that is lost is made void by either office.
- A wrong code at the door is a failed sign-in like any other; the emergency is recorded and alerted before the session.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Protocol

from audit.access.decisions.emergencies.model import Envelope, SealedCredential, Surroundings
from audit.access.decisions.emergencies.repository import EmergencyRepository, EnvelopeWishRow, SealedRow
from audit.access.decisions.emergencies.service import EmergencyService
from audit.access.decisions.errors import EmergencyRefusedError, EnvelopeRefusedError
from audit.access.decisions.journal import ActsJournal, GroupRecorder, new_id
from audit.access.decisions.model import Actor, BreakGlass
from audit.access.errors import SignInRefusedError
from audit.access.model import Role, SignedIn, within
from audit.access.outbox import Outbox
from audit.access.sealing import token_hash
from audit.access.typed_codes import grouped, new_code, plain_code
from audit.clock import Clock
from audit.store.state import StateStore

__all__ = ["OFFICES", "Door", "EnvelopeService"]

OFFICES = frozenset({Role.ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR})
"""Who makes an envelope together: whoever runs the systems, and whoever watches over them."""
_SIGNS = 24
_LIFE = timedelta(days=365)
"""An envelope is looked at and made anew once a year, with the emergency drill."""
_WISH = timedelta(days=1)
"""Two people who make an envelope together do so on one day; an older wish speaks for an office of another time."""


class Door(Protocol):
    """Sign-in (`audit.access.AccessService`)."""

    def begin_sealed_sign_in(self, login_id: str, password: str, *, sealed: bool, address: str) -> tuple[str, str]:
        """The password: a ticket and the login id as it is stored."""

    def finish_sealed_sign_in(
        self, ticket: str, emergency: BreakGlass, *, address: str, language: str = "ja"
    ) -> SignedIn:
        """A session for the emergency."""

    def roles_in_office(self, login_id: str) -> frozenset[Role]:
        """The roles of somebody who may sign in and holds a post; none of everybody else."""


class EnvelopeService:
    """The envelopes of a town.

    Args:
        store: the state database.
        clock: the time.
        recorder: the audit log.
        emergencies: declares what an envelope is opened for.
        surroundings: who is the same natural person, who holds a post.
        door: opens the session.
    """

    def __init__(
        self,
        store: StateStore,
        clock: Clock,
        recorder: GroupRecorder,
        emergencies: EmergencyService,
        surroundings: Surroundings,
        door: Door,
    ) -> None:
        self._store = store
        self._clock = clock
        self._journal = ActsJournal(recorder, clock)
        self._outbox = Outbox(store, recorder)
        self._emergencies = emergencies
        self._surroundings = surroundings
        self._door = door

    def listing(self) -> list[Envelope]:
        """The wishes that wait, then the envelopes there have been, the newest first."""
        with self._store.unit() as unit:
            return EmergencyRepository(unit).envelopes(self._clock.now())

    def ask(self, *, by: Actor, offices: Collection[Role]) -> Envelope:
        """Ask for an envelope.

        Args:
            by: who asks.
            offices: the roles that they hold.

        Raises:
            EnvelopeRefusedError: they hold no office that makes envelopes.
            StoreError: it cannot be recorded.
        """
        held = OFFICES & set(offices)
        if not held:
            raise EnvelopeRefusedError("office")
        row = EnvelopeWishRow(
            id=new_id(), asked_by=by.staff_id, offices=" ".join(sorted(held)), asked_at=self._clock.now()
        )
        with self._store.unit() as unit:
            EmergencyRepository(unit).add(row)
            self._journal.write("apply", "break_glass.envelope_asked", by=by, envelope=row.id)
        return row.envelope()

    def confirm(self, number: str, *, by: Actor, offices: Collection[Role]) -> SealedCredential:
        """Confirm somebody else's wish: the credential comes into being, and its code is in clear only here.

        Raises:
            EnvelopeRefusedError: no such wish; or, recorded: one's own, too old, the asker's office has ended, or both
                people speak for the same office.
            StoreError: it cannot be recorded, so there is none.
        """
        now, code = self._clock.now(), new_code(_SIGNS)
        with self._store.unit() as unit:
            wish = EmergencyRepository(unit).wish(number)
        if wish is None:
            raise EnvelopeRefusedError("unknown")
        if reason := self._hindrance(wish, by, offices, now):
            self._journal.write(
                "authorize", "break_glass.envelope_refused", by=by, outcome="denied", envelope=number, refusal=reason
            )
            raise EnvelopeRefusedError(reason)
        with self._store.unit() as unit:
            repository = EmergencyRepository(unit)
            if not repository.end_wish(number, now):
                raise EnvelopeRefusedError("unknown")
            row = SealedRow(
                id=number,
                code_hash=token_hash(code),
                issued_by=wish.asked_by,
                issued_at=now,
                confirmed_by=by.staff_id,
                expires_at=now + _LIFE,
            )
            repository.add(row)
            self._journal.write(
                "credential_issue",
                "break_glass.sealed_issued",
                by=by,
                envelope=number,
                asked_by=wish.asked_by,
                expires_at=(now + _LIFE).isoformat(),
            )
        return SealedCredential(id=number, code=grouped(code), expires_at=now + _LIFE)

    def _hindrance(self, wish: EnvelopeWishRow, by: Actor, offices: Collection[Role], now: datetime) -> str:
        """Why somebody cannot confirm a wish; empty when they can."""
        if self._surroundings.same_natural_person(by.staff_id, wish.asked_by):
            return "oneself"
        asked = set(wish.offices.split()) & self._door.roles_in_office(wish.asked_by)
        if not asked or not within(wish.asked_at, now, _WISH):
            return "over"
        held = OFFICES & set(offices)
        return "" if held and held | asked == OFFICES else "office"

    def end(self, number: str, *, by: Actor) -> None:
        """Make an envelope void that is lost or no longer wanted, or drop a wish.

        Raises:
            EnvelopeRefusedError: there is none that could be used.
        """
        now = self._clock.now()
        with self._outbox.unit() as (unit, told):
            repository = EmergencyRepository(unit)
            if not (repository.end_sealed(number, now) or repository.end_wish(number, now)):
                raise EnvelopeRefusedError("unknown")
            told.append(self._journal.event("revoke", "break_glass.envelope_ended", by=by, envelope=number))

    def open(
        self,
        login_id: str,
        password: str,
        code: str,
        *,
        system: str,
        reason: str,
        minutes: int,
        address: str,
        language: str = "ja",
    ) -> SignedIn:
        """Sign in with an envelope: declares the emergency, alerts, and opens a session for it.

        Args:
            login_id: one's own, as typed.
            password: as typed.
            code: from the envelope, as typed.
            system: for which system.
            reason: what has happened.
            minutes: for how long.
            address: the peer's address.
            language: `ja` or `en`.

        Raises:
            EmergencyRefusedError: an emergency cannot be declared so; says nothing of who asks.
            SignInRefusedError: login id, password or code is wrong, or the directory does not know of a post; which of
                them is not said.
            ThrottledError: too many attempts.
            StoreError: it cannot be recorded or alerted; the envelope may be used up, and nobody is signed in.
        """
        self._emergencies.check(system, reason, minutes)
        with self._store.unit() as unit:
            good = EmergencyRepository(unit).sealed(token_hash(plain_code(code)), self._clock.now()) is not None
        ticket, staff_id = self._door.begin_sealed_sign_in(login_id, password, sealed=good, address=address)
        by = Actor(staff_id=staff_id, address=address)
        try:
            declared = self._emergencies.declare_at_the_door(system, reason, minutes, by=by, sealed_code=code)
        except EmergencyRefusedError as error:
            self._journal.write("login", f"sealed_sign_in.{error.reason}", by=by, outcome="denied", system=system)
            raise SignInRefusedError(error.reason) from error
        return self._door.finish_sealed_sign_in(ticket, declared.declared, address=address, language=language)
