"""Somebody of the simulated town at a terminal: signs in, asks for each look-up, signs out; and the clock for it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

import pyotp

from api.cli.sample_people import passphrase
from api.installation import Installation
from audit.access import Role, SignedIn, new_secret
from audit.access.decisions import Actor, Answer, Question
from audit.clock import SystemClock
from audit.context import Post

__all__ = ["Desk", "TownClock"]

_BETWEEN, _STAY = timedelta(seconds=105), timedelta(seconds=150)
"""Between two residents, and between two signs of life: together below the time after which a session locks."""


class TownClock:
    """The machine's clock, unless it is set back to tell what happened before."""

    def __init__(self) -> None:
        self._machine = SystemClock()
        self._set: datetime | None = None

    def now(self) -> datetime:
        """The present moment, in UTC and aware."""
        return self._set or self._machine.now()

    def set(self, at: datetime | None) -> None:
        """Stand at a moment; None goes on with the machine's time."""
        self._set = at


class Desk:
    """One person at one terminal; as a context manager signed in, and signed out at the end.

    Args:
        installation: which town.
        clock: goes on with every question.
        system: the records service that asks.
        login_id: who.
        password: theirs.
        totp_secret: theirs.
        address: the terminal's.
    """

    def __init__(
        self,
        installation: Installation,
        clock: TownClock,
        system: str,
        *,
        login_id: str,
        password: str,
        totp_secret: str,
        address: str,
    ) -> None:
        self._installation = installation
        self._clock = clock
        self._system = system
        self._login_id = login_id
        self._password = password
        self._totp = pyotp.TOTP(totp_secret)
        self._address = address
        self._opened: SignedIn | None = None
        self._seen = clock.now()

    @classmethod
    def of(cls, installation: Installation, clock: TownClock, system: str, post: Post, address: str) -> "Desk":
        """A desk of somebody of the town, with an account that nobody knows the password of."""
        password, secret = passphrase(), new_secret()
        installation.access.create_account(post.staff_id, post.name, frozenset({Role.STAFF}), password, secret)
        return cls(
            installation,
            clock,
            system,
            login_id=post.staff_id,
            password=password,
            totp_secret=secret,
            address=address,
        )

    def __enter__(self) -> Self:
        """Sign in."""
        access = self._installation.access
        first = access.begin_sign_in(self._login_id, self._password, address=self._address)
        code = self._totp.at(self._clock.now())
        opened = access.finish_sign_in(first.ticket, code, address=self._address)
        if not isinstance(opened, SignedIn):
            raise TypeError("somebody sits at two desks")
        self._opened, self._seen = opened, self._clock.now()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Sign out."""
        if self._opened and (viewer := self._installation.access.authenticate(self._opened.token)):
            self._installation.access.sign_out(viewer)
        self._opened = None

    @property
    def actor(self) -> Actor:
        """Whoever sits here, as the ledger and emergencies know them."""
        return Actor(
            staff_id=self._login_id,
            address=self._address,
            session=self._opened.session.id if self._opened else "",
        )

    def ask(self, activity: str, **details: Any) -> Answer:  # noqa: ANN401 - of `Question`
        """Ask what the records service asks, a moment later than the time before."""
        self._clock.set(self._clock.now() + _BETWEEN)
        self._stay()
        who = self.actor
        question = Question(
            person=who.staff_id,
            system=self._system,
            activity=activity,
            address=who.address,
            session=who.session,
            **details,
        )
        return self._installation.decisions.service.decide(question)

    def _stay(self) -> None:
        """Keep the session from locking: hands are on the keyboard."""
        now = self._clock.now()
        if self._opened and now - self._seen >= _STAY:
            self._seen = now
            self._installation.access.authenticate(self._opened.token)

    def look_up(self, residents: Iterable[str]) -> None:
        """Ask for one resident after the other."""
        for resident in residents:
            self.ask("view", subjects=(resident,))
