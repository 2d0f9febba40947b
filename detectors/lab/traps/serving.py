"""How honest work is planted, so that a trap's label names exactly the acts that look wrong."""

from datetime import date, timedelta

from detectors.lab.model import Case, Person
from detectors.lab.stage import Stage
from detectors.lab.systems import SYSTEMS
from detectors.lab.timetable import at

__all__ = ["open_case", "serve"]


def open_case(
    stage: Stage, person: Person, subject: str, day: date, *, kind: str = "application", days: int = 5, source: str = ""
) -> Case:
    """Enter a case early on a day, assigned to a person; it lives for some days."""
    closed = at(day, 16) + timedelta(days=days)
    return stage.case(person, subject, day, kind=kind, closed=closed, hour=8.6, source=source)


def serve(
    stage: Stage,
    person: Person,
    day: date,
    case: Case,
    *others: str,
    changes: bool = False,
    prints: bool = False,
    spot: float | None = None,
) -> None:
    """Work on a case between other work: its subject, then others of the household, as it should be."""
    because = {"cause": case.id, **({"case": case.id} if SYSTEMS[case.source].cites else {})}
    steps: list[tuple[str, dict[str, object]]] = [
        ("search", {"by": "name", "hits": stage.rng.randint(1, 5), **because}),
        ("view", {"subjects": (case.subject,), "by": "number", "hits": 1, **because}),
    ]
    steps.extend(("view", {"subjects": (one,), "by": "household", "hits": 1, **because}) for one in others)
    done = [activity for activity, wanted in (("update", changes), ("print", prints)) if wanted]
    steps.extend((activity, {"subjects": (case.subject,), **because}) for activity in done)
    where = stage.rng.uniform(0.15, 0.9) if spot is None else spot
    stage.chore(person, day, case.source, *steps, spot=where)
