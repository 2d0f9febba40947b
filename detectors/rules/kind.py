"""What tells one kind of residents from another, and the settings that all of them share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from audit.casework import LookUp, Result
from audit.findings import Severity
from audit.texts import Texts
from detectors.model import Reader, Window, setting

__all__ = ["READS", "UNACCOUNTED", "Group", "Groups", "Kind", "Parameters"]

READS = ("time", "activity", "outcome", "actor_id", "actor_kind", "actor_org_unit", "source", "subjects", "case_id")
UNACCOUNTED = (Result.CONTRADICTED, Result.UNMATCHED)

Group = Callable[[LookUp], float]
"""How many residents a look-up might as well have hit to be of the same kind."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """Settings of these detectors."""

    least_score: float = setting(0.1, "この確からしさに満たなければ検知しない", "what is less likely is left out")
    history_days: int = setting(28, "繰り返しを何日前までみるか", "how far back repetition is looked for", most=28)
    fewest_residents: int = setting(
        2000, "住民数をこれより少なくは見積もらない", "the town is never taken for smaller than this"
    )
    list_residents: int = setting(
        10,
        "承認された一覧作業で、この人数以上なら家族が含まれていても検知しない",
        "approved list work of so many people may include a relative",
    )


Groups = Callable[[Window, Reader, Sequence[LookUp], Parameters], Group]
"""Finds out, for the look-ups found, how large each one's group is."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of resident.

    Attributes:
        whom: the residents, with `{n}` for how many.
        before: how likely somebody with such a look-up had it in mind on any day, before chance is weighed.
        least: the least score, whatever chance says.
        severity: how bad it is where it is likely; one step less elsewhere.
        groups: how many residents are of the kind, for each of the look-ups found.
        own_affair: whether these are nobody's work in their own unit; approved lists are then looked at as well.
        handled: whether only the unit that has their case may look; one that merely changed or printed is asked.
        relations: what the residents are to the actor; any is enough.
        flags: what they are to the town.
    """

    whom: Texts
    before: float
    severity: Severity
    groups: Groups
    least: float = 0.0
    own_affair: bool = False
    handled: bool = False
    relations: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
