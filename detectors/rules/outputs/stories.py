"""The words in which detectors of outputs tell their stories."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from detectors.cases import act, clock

__all__ = ["DAY", "UNIT", "approval", "output", "staff", "weekly_lists"]

DAY = date(2026, 10, 5)
"""A Monday on which and half a year before which offices are open."""
UNIT = "zeimu/kazei"


def staff(*ids: str, unit: str = UNIT, **more: str) -> list[dict[str, str]]:
    """Rows of the staff feed."""
    return [{"staff_id": one, "name": f"職員 {one}", "org_unit": unit, **more} for one in ids]


def approval(person: str, day: date = DAY, number: str = "a-1", **more: str) -> dict[str, str]:
    """One row of the approvals' feed: an export from the tax system on a day."""
    return {
        "approval_id": number,
        "kind": "export",
        "staff_id": person,
        "approved_by": "s9",
        "source": "local-tax",
        "valid_from": f"{day}T08:30:00",
        "valid_to": f"{day}T17:15:00",
        "max_rows": "500",
        **more,
    }


def output(
    person: str,
    rows: int = 100,
    day: date = DAY,
    at: str = "10:00",
    activity: str = "export",
    **more: Any,  # noqa: ANN401 - any field
) -> dict[str, Any]:
    """Data taken out of the tax system. `to`, `file` and `medium` are the export's."""
    sheet = {
        "rows": rows,
        "destination": more.pop("to", "file_share"),
        "file": more.pop("file", ""),
        "medium_id": more.pop("medium", ""),
    }
    kept = {name: value for name, value in sheet.items() if value}
    return act(clock(day, at), person, activity, export=kept, **{"source": "local-tax", **more})


def weekly_lists(person: str, rows: int = 100, weeks: int = 3, **more: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    """The same list on the same weekday of the weeks before."""
    for week in range(1, weeks + 1):
        yield output(person, rows, DAY - timedelta(days=7 * week), **more)
