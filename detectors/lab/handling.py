"""How a case is worked on at the desk: find the person, look at the household, look elsewhere, do what was asked.

Two to four of a hundred look-ups have nothing that accounts for them, and no harm in them: a mistyped number, a
namesake opened first, a question by telephone that nobody wrote down.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any

from detectors.lab.acts import Act, Counterparty, Touch
from detectors.lab.residents import Residents
from detectors.lab.seat import Seat
from detectors.lab.systems import INTERMEDIATE, SYSTEMS

__all__ = ["NOISE", "counterparty", "handle"]

NOISE = "noise"
"""The cause of an honest look-up that nothing accounts for."""

_MISTAKEN = 0.024
_NAMESAKE = 0.06
_TELEPHONE = 0.012
_BODIES = ("甲市", "乙市", "丙町", "丁県", "日本年金機構")
_PERMITS = {"nhi-eligibility": "9-12", "nhi-benefit": "9-14", "local-tax": "9-20", "long-term-care": "9-94"}


def handle(
    rng: Random, seat_in: Callable[[str], Seat], moment: datetime, touch: Touch, residents: Residents
) -> list[Act]:
    """Work on a case.

    Args:
        rng: randomness of the person's day.
        seat_in: the session in a system.
        moment: when it begins.
        touch: what is to be done.
        residents: whom one may come upon by mistake.

    Returns:
        Acts in several systems, in order of time.
    """
    acts: list[Act] = []
    case = touch.case

    def act(system: str, activity: str, *, cause: str = case.id, **more: Any) -> None:  # noqa: ANN401 - of Act
        nonlocal moment
        # A ticket that is not written yet has no number to quote.
        cited = case.id if cause == case.id and SYSTEMS[system].cites and case.opened <= moment else ""
        acts.append(seat_in(system).act(moment, activity, case=cited, cause=cause, **more))
        moment += timedelta(seconds=rng.uniform(4, 35))

    main, *others = touch.systems
    subject = touch.seen[0]
    if rng.random() < _TELEPHONE:
        act(main, "view", cause=NOISE, subjects=(rng.choice(residents.ids),), by="number", hits=1)
    if rng.random() < _MISTAKEN:
        act(main, "view", cause=NOISE, subjects=(rng.choice(residents.ids),), by="number", hits=1)
    if rng.random() < 0.5:
        by = rng.choice(("number", "name", "name_birth", "name", "address"))
        act(main, "search", by=by, hits=1 if by == "number" else rng.randint(1, 9))
        other = residents.namesake(rng, subject) if by == "name" else subject
        if other != subject and rng.random() < _NAMESAKE:
            act(main, "view", cause=NOISE, subjects=(other,), by="number", hits=1)
    refused = rng.random()
    outcome = "denied" if refused < 0.002 else "failure" if refused < 0.006 else "success"
    act(main, "view", subjects=(subject,), by="number", hits=1, outcome=outcome)
    for member in touch.seen[1:]:
        act(main, "view", subjects=(member,), by="household", hits=1)
    for system in others:
        if system == INTERMEDIATE:
            _ask(rng, act, subject, SYSTEMS[main].affair)
        else:
            act(system, "view", subjects=(subject,), by="number", hits=1)
    if touch.changes:
        act(main, "update", subjects=(subject,))
    if touch.prints and case.kind == "inquiry":
        act(main, "answer", subjects=(subject,))
    elif touch.prints:
        # A certificate of the whole household is one print about several people.
        act(main, "print", subjects=touch.seen if rng.random() < 0.3 else (subject,))
    return acts


def _ask(rng: Random, act: Callable[..., None], subject: str, affair: str) -> None:
    """Ask another body, and look at its answer."""
    other = counterparty(rng, affair)
    act(INTERMEDIATE, "inquiry", subjects=(subject,), counterparty=other)
    act(INTERMEDIATE, "view", subjects=(subject,), by="number", hits=1)


def counterparty(rng: Random, affair: str) -> Counterparty:
    """Another body, and by which rule the two may exchange something."""
    return Counterparty(
        rng.choice(_BODIES), "情報提供ネットワーク", _PERMITS.get(affair, "9-30"), f"p-{rng.randint(100, 999)}"
    )
