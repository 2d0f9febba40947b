"""Which prints nothing but the habit of printing accounts for."""

from datetime import timedelta

from audit.casework import Because, LookUpDimension, LookUpFilter, LookUpMeasure
from detectors.model import Reader, Window

__all__ = ["UNACCOUNTED_PRINTS", "cases_delivered"]

UNACCOUNTED_PRINTS = ("", Because.PRINT)
"""That a unit's work is printing accounts for one certificate. It does not for many: a day of copying makes any unit
look so."""
_MATCHED_SHARE = 0.4


def cases_delivered(window: Window, reader: Reader, unit: str) -> bool:
    """Whether a unit's look-ups of the day have their cases often enough for the others to mean something."""
    wanted = LookUpFilter(start=window.day, end=window.day + timedelta(days=1), units=(unit,) if unit else ())
    rows = reader.count_look_ups(wanted, (LookUpDimension.BECAUSE,), (LookUpMeasure.SUBJECTS,))
    counts = {row["because"]: row["subjects"] for row in rows}
    total = sum(counts.values())
    without = sum(counts.get(one, 0) for one in UNACCOUNTED_PRINTS)
    return bool(total - without >= _MATCHED_SHARE * total > 0)
