"""Which of somebody's look-ups nothing accounts for, as far as casework can tell at all.

Where a unit's cases are not delivered, everything is unmatched and says nothing.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from audit.casework import LookUp, LookUpDimension, LookUpFilter, LookUpMeasure, Result
from detectors.model import Reader, Window

__all__ = ["by_person", "casework_tells", "unaccounted", "unaccounted_of", "units_that_tell"]

_MATCHED_SHARE = 0.4
"""Of a unit whose cases are delivered at least so many look-ups are accounted for."""


def casework_tells(window: Window, reader: Reader, unit: str) -> bool:
    """Whether a unit's look-ups of the day are accounted for often enough for the others to mean something."""
    wanted = LookUpFilter(
        start=window.day, end=window.day + timedelta(days=1), units=(unit,) if unit else (), no_relations=("self",)
    )
    rows = reader.count_look_ups(wanted, (LookUpDimension.RESULT,), (LookUpMeasure.SUBJECTS,))
    return _tells({row["result"]: row["subjects"] for row in rows})


def unaccounted(window: Window, reader: Reader, actor: str) -> list[LookUp]:
    """Somebody's look-ups of the day that nothing accounts for, in the order of time."""
    return list(unaccounted_of(window, reader, (actor,)).get(actor, ()))


def unaccounted_of(window: Window, reader: Reader, actors: Collection[str]) -> Mapping[str, Sequence[LookUp]]:
    """The same of several people in one question, by person."""
    wanted = LookUpFilter(
        start=window.day, end=window.day + timedelta(days=1), results=(Result.UNMATCHED, Result.CONTRADICTED)
    )
    return by_person(reader, wanted, actors)


def by_person(reader: Reader, wanted: LookUpFilter, actors: Collection[str]) -> Mapping[str, Sequence[LookUp]]:
    """Look-ups of some people by person, each in the order of time; one question, however many they are."""
    found: dict[str, list[LookUp]] = defaultdict(list)
    if actors:
        for look_up in reader.look_ups(replace(wanted, actors=tuple(sorted(actors)))):
            found[look_up.actor].append(look_up)
    return found


def units_that_tell(window: Window, reader: Reader, units: Collection[str]) -> frozenset[str]:
    """Those of some units of which `casework_tells`."""
    named = tuple(sorted({unit for unit in units if unit}))
    told = {""} if "" in units and casework_tells(window, reader, "") else set[str]()
    if not named:
        return frozenset(told)
    wanted = LookUpFilter(start=window.day, end=window.day + timedelta(days=1), units=named, no_relations=("self",))
    by = (LookUpDimension.UNIT, LookUpDimension.RESULT)
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for row in reader.count_look_ups(wanted, by, (LookUpMeasure.SUBJECTS,)):
        counts[row["unit"]][row["result"]] = row["subjects"]
    return frozenset(told | {unit for unit, results in counts.items() if _tells(results)})


def _tells(counts: Mapping[str, int]) -> bool:
    total = sum(counts.values())
    return total > 0 and bool(counts.get(Result.MATCHED, 0) >= _MATCHED_SHARE * total)
