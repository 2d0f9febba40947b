"""Which of somebody's look-ups nothing accounts for, as far as casework can tell at all.

Where a unit's cases are not delivered, everything is unmatched and says nothing.
"""

from datetime import timedelta

from audit.casework import LookUp, LookUpDimension, LookUpFilter, LookUpMeasure, Result
from detectors.model import Reader, Window

__all__ = ["casework_tells", "unaccounted"]

_MATCHED_SHARE = 0.4
"""Of a unit whose cases are delivered at least so many look-ups are accounted for."""


def casework_tells(window: Window, reader: Reader, unit: str) -> bool:
    """Whether a unit's look-ups of the day are accounted for often enough for the others to mean something."""
    wanted = LookUpFilter(
        start=window.day, end=window.day + timedelta(days=1), units=(unit,) if unit else (), no_relations=("self",)
    )
    rows = reader.count_look_ups(wanted, (LookUpDimension.RESULT,), (LookUpMeasure.SUBJECTS,))
    counts = {row["result"]: row["subjects"] for row in rows}
    total = sum(counts.values())
    return total > 0 and bool(counts.get(Result.MATCHED, 0) >= _MATCHED_SHARE * total)


def unaccounted(window: Window, reader: Reader, actor: str) -> list[LookUp]:
    """Somebody's look-ups of the day that nothing accounts for, in the order of time."""
    wanted = LookUpFilter(
        start=window.day,
        end=window.day + timedelta(days=1),
        actors=(actor,),
        results=(Result.UNMATCHED, Result.CONTRADICTED),
    )
    return list(reader.look_ups(wanted))
