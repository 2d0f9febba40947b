"""The words in which detectors of look-ups without a case tell their stories: residents, staff, cases.

Cases stand open for the whole story, so that only what a story leaves out is missing.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

from detectors.cases import act, clock

__all__ = ["DAY", "UNIT", "block", "list_work", "look", "resident", "staff", "ticket", "without_prints"]

DAY = date(2026, 10, 5)
"""A Monday on which and half a year before which offices are open."""
UNIT = "hoken-nenkin/shikaku"


def resident(
    key: str, household: str = "", address: str = "", surname: str = "", former: str = "", flags: str = ""
) -> dict[str, str]:
    """One row of the residents' feed."""
    return {
        "subject_id": key,
        "household_id": household or f"h-{key}",
        "address_key": address,
        "name_key": surname,
        "former_name_key": former,
        "flags": flags,
    }


def block(people: int, **more: str) -> list[dict[str, str]]:
    """So many residents of a kind, each a household."""
    return [resident(f"q-{number:03d}", **more) for number in range(people)]


def staff(person: str, lives_as: str = "", unit: str = UNIT, manager: str = "") -> dict[str, str]:
    """One row of the staff feed."""
    return {
        "staff_id": person,
        "name": f"職員 {person}",
        "org_unit": unit,
        "subject_id": lives_as,
        "manager_id": manager,
    }


def ticket(subject: str, unit: str = UNIT, assignee: str = "", number: str = "c-1", closed: str = "") -> dict[str, str]:
    """One row of the cases' feed."""
    return {
        "case_id": number,
        "source": "nhi-eligibility",
        "subject_id": subject,
        "org_unit": unit,
        "assignee": assignee,
        "kind": "application",
        "opened_at": "2026-08-03T09:00:00+09:00",
        "closed_at": closed,
    }


def list_work(person: str, by: str = "s9") -> dict[str, str]:
    """One row of the approvals' feed: list work on the day of the story."""
    return {
        "approval_id": "a-1",
        "kind": "time_window",
        "staff_id": person,
        "approved_by": by,
        "source": "nhi-eligibility",
        "valid_from": "2026-10-05",
        "valid_to": "2026-10-05",
        "max_rows": "100",
    }


def look(
    person: str,
    *subjects: str,
    day: date = DAY,
    at: str = "10:00",
    **more: Any,  # noqa: ANN401 - any field
) -> Iterator[dict[str, Any]]:
    """Look-ups one after the other, a minute apart, without a word of why."""
    for number, subject in enumerate(subjects):
        moment = clock(day, at)
        yield act(moment.replace(minute=(moment.minute + number) % 60), person, subjects=[subject], **more)


def without_prints() -> Iterator[dict[str, Any]]:
    """A colleague's day without prints: where a fifth of the look-ups end in one, certificates are the unit's work."""
    return look("s2", *(f"z-{number}" for number in range(6)))
