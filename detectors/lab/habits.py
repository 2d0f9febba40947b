"""An ordinary day: planned work done in sessions, with the small failures of any day.

Each person's day has randomness of its own, drawn from the town's seed, the person and the day. So planting
an incident changes the day it happens on and no other, and two towns can be compared event by event.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from random import Random

from detectors.lab.acts import Act, Chore, Errand, Touch
from detectors.lab.handling import handle
from detectors.lab.model import Person
from detectors.lab.residents import Residents
from detectors.lab.seat import Seat
from detectors.lab.systems import SYSTEMS
from detectors.lab.timetable import Timetable, at

__all__ = ["Habits", "signed_in"]

_Block = tuple[datetime, datetime]
_PAUSE = timedelta(minutes=9)
"""Longer than anybody is late in signing out."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How people go about their day.

    Attributes:
        timetable: who works when.
        residents: whom they may come upon by mistake.
    """

    timetable: Timetable
    residents: Residents

    def day(
        self,
        rng: Random,
        person: Person,
        day: date,
        touches: Sequence[Touch],
        chores: Sequence[Chore],
        errands: Sequence[Errand],
    ) -> list[Act]:
        """What a person does on a day.

        Args:
            rng: randomness of this person's day.
            person: who.
            day: when.
            touches: planned casework.
            chores: other planned work.
            errands: what takes the place of ordinary work; it makes room for them.
        """
        if not touches and not chores:
            return []
        blocks = self.blocks(rng, person, day, errands)
        if not blocks:
            return []
        desk = _Desk(rng, person, day, blocks)
        items: list[Touch | Chore] = sorted((*touches, *chores), key=lambda item: item.at)
        for item in items:
            block, moment = desk.moment(item.at)
            if isinstance(item, Chore):
                desk.do(block, moment, item)
            else:
                desk.add(block, handle(rng, partial(desk.seat, block), moment, item, self.residents))
        return desk.acts()

    def blocks(self, rng: Random, person: Person, day: date, errands: Sequence[Errand]) -> list[_Block]:
        """Stretches of work: people come a little early or late, and split the day at lunch."""
        spans: list[_Block] = []
        for start, end in self.timetable.hours(person, day):
            if spans and start <= spans[-1][1]:
                spans[-1] = spans[-1][0], max(end, spans[-1][1])
            else:
                spans.append((start, end))
        noon = at(day, 12, 30)
        blocks: list[_Block] = []
        for start, end in spans:
            came = start + timedelta(minutes=rng.uniform(-7, 12))
            left = end + timedelta(minutes=rng.uniform(-12, 12))
            blocks += [(came, noon), (noon, left)] if came < noon < left else [(came, left)]
        for errand in errands:
            blocks = [piece for block in blocks for piece in _around(block, errand)]
        return blocks


def _around(block: _Block, errand: Errand) -> list[_Block]:
    """What an errand leaves of a stretch of work."""
    start, end = block
    if errand.end < start or end < errand.start:
        return [block]
    pieces = (start, errand.start - _PAUSE), (errand.end + _PAUSE, end)
    return [(first, last) for first, last in pieces if last - first > 2 * _PAUSE]


class _Desk:
    """One person's day at the own terminal: blocks of time, and a session in each system that is used."""

    def __init__(self, rng: Random, person: Person, day: date, blocks: Sequence[_Block]) -> None:
        self._rng = rng
        self._person = person
        self._day = day
        self._blocks = blocks
        self._length = sum((end - start).total_seconds() for start, end in blocks)
        self._free = blocks[0][0]
        self._done: dict[tuple[int, str], list[Act]] = {}
        self._seats: dict[tuple[int, str], Seat] = {}

    def moment(self, spot: float) -> tuple[int, datetime]:
        """The block and the moment at a share of the day, seldom in the lunch hour, never before the last work."""
        left = spot * self._length
        for number, (start, end) in enumerate(self._blocks):
            length = (end - start).total_seconds()
            if left > length and number + 1 < len(self._blocks):
                left -= length
                continue
            moment = start + timedelta(seconds=min(left, length))
            if moment.hour == 12 and moment + timedelta(hours=1) < end and self._rng.random() < 0.75:
                moment += timedelta(minutes=self._rng.uniform(30, 120))
            if start <= self._free < end:
                moment = max(moment, self._free)
            return number, moment
        return 0, self._free

    def seat(self, block: int, system: str) -> Seat:
        """The own account in a system, in the session of this block."""
        key = block, system
        if key not in self._seats:
            self._seats[key] = Seat.of(self._person, system, self._day, f"{block}{system[:5]}")
        return self._seats[key]

    def do(self, block: int, moment: datetime, chore: Chore) -> None:
        """Do a chore."""
        seat = self.seat(block, chore.system)
        acts = []
        for activity, more in chore.steps:
            acts.append(seat.act(moment, activity, plot=chore.plot, **more))
            moment += timedelta(seconds=self._rng.uniform(5, 40))
        self.add(block, acts)

    def add(self, block: int, acts: Iterable[Act]) -> None:
        """Put acts into their sessions."""
        for act in acts:
            self._done.setdefault((block, act.system), []).append(act)
            self._free = max(self._free, act.at + timedelta(seconds=self._rng.uniform(3, 30)))

    def acts(self) -> list[Act]:
        """Everything done, with the sign-ins and sign-outs around it."""
        found: list[Act] = []
        for (block, system), acts in self._done.items():
            if not SYSTEMS[system].require:  # a ledger or a door: nobody signs in
                found += acts
                continue
            latest = self._blocks[block][1] + timedelta(minutes=8)
            found += signed_in(self._rng, self.seat(block, system), acts, latest)
        return found


def signed_in(rng: Random, seat: Seat, acts: Sequence[Act], latest: datetime) -> list[Act]:
    """Put a sign-in before and a sign-out after, with now and then a mistyped password or no sign-out at all."""
    acts = sorted(acts, key=lambda act: act.at)
    login = acts[0].at - timedelta(seconds=rng.uniform(8, 50))
    logout = max(acts[-1].at + timedelta(seconds=1), min(acts[-1].at + timedelta(seconds=rng.uniform(5, 600)), latest))
    chance = rng.random()
    mistyped: list[Act] = []
    if chance < 0.03:
        mistyped = [seat.act(login - timedelta(seconds=rng.uniform(4, 15)), "login", outcome="failure")]
    forgotten = chance > 0.985
    return [
        *mistyped,
        seat.act(login, "login"),
        *acts,
        *(() if forgotten else (seat.act(logout, "logout"),)),
    ]
