"""Making a day's look-ups and asking about them.

What the feeds say stands in the state database; the engine that joins millions of look-ups with it has a copy, which
is filled anew when the context has changed since.
"""

import threading
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa

from audit.casework.model import LookUp, LookUpDimension, LookUpFilter, LookUpMeasure, LookUpSummary, Result
from audit.casework.repository import LookUpRepository
from audit.clock import day_start
from audit.context import BEFORE_ENTRY, BEYOND_CLOSING, ContextService
from audit.log import OWN_SOURCE

__all__ = ["VERSION", "Casework"]

VERSION = "1.1.0"
"""Changes whenever the same events and feeds may be joined otherwise."""
_EVER, _NEVER = datetime(1970, 1, 1, tzinfo=UTC), datetime(2261, 1, 1, tzinfo=UTC)
_TIME = pa.timestamp("us", "UTC")


class Casework:
    """Every look-up with what accounts for it.

    Args:
        repository: its SQL.
        context: the feeds.
    """

    def __init__(self, repository: LookUpRepository, context: ContextService) -> None:
        self._repository = repository
        self._context = context
        self._making = threading.Lock()
        self._copied: int | None = None

    @property
    def shared(self) -> bool:
        """Whether other nodes write look-ups into the same tables."""
        return bool(self._repository.apart)

    def marks(self, first: date, last: date) -> dict[date, str]:
        """By which making the look-ups of each day are there, and how many; a day without any is left out."""
        return self._repository.marks(first, last)

    def make(self, first: date, last: date, made: int = 0) -> dict[date, str]:
        """Join the look-ups of some business days with the feeds as they now are; their former ones are replaced.

        Args:
            first: the first day.
            last: the last one, included.
            made: marks the rows: the token of the lease under which this is done.

        Returns:
            The mark of each day, as `marks` gives it; a day without look-ups is left out.
        """
        days = [date.fromordinal(number) for number in range(first.toordinal(), last.toordinal() + 1)]
        with self._making:
            revision = self._context.revision()
            if self._copied != revision:
                if self._copied is None:
                    self._repository.prepare()
                self._copied = None
                self._copy()
                self._copied = revision
            end = day_start(last + timedelta(days=1))
            return self._repository.make(days, day_start(first), end, OWN_SOURCE, made)

    def rows(self, wanted: LookUpFilter) -> Iterator[LookUp]:
        """Every look-up, in the order of time."""
        return self._repository.rows(wanted)

    def aggregate(
        self,
        wanted: LookUpFilter,
        by: Sequence[LookUpDimension],
        measures: Sequence[LookUpMeasure],
        at_least: Mapping[LookUpMeasure, int] | None = None,
    ) -> list[dict[str, Any]]:
        """Measures by dimensions; one row a combination that occurs, in no particular order.

        Args:
            wanted: which look-ups.
            by: what they are counted by.
            measures: what is counted.
            at_least: leaves out the combinations that have less of a measure.
        """
        return self._repository.aggregate(wanted, by, measures, at_least or {})

    def summary(self, start: date, end: date) -> LookUpSummary:
        """How many look-ups of a span of days (`end` exclusive) are accounted for."""
        rows = self.aggregate(LookUpFilter(start=start, end=end), (LookUpDimension.RESULT,), (LookUpMeasure.LOOKS,))
        counts = {row["result"]: int(row["looks"]) for row in rows}
        return LookUpSummary(
            counts.get(Result.MATCHED, 0), counts.get(Result.UNMATCHED, 0), counts.get(Result.CONTRADICTED, 0)
        )

    # The copy of the feeds --------------------------------------------------------------------------------------

    def _copy(self) -> None:
        staff, subjects = self._context.table("staff"), self._context.table("subjects")
        residents = _residents(subjects, staff)
        self._repository.refill("casework_residents", residents)
        self._repository.refill("casework_posts", _posts(staff, subjects))
        self._repository.refill("casework_cases", _cases(self._context.table("cases"), subjects, staff))
        self._repository.refill("casework_approvals", _approvals(self._context.table("approvals")))


_Columns = Mapping[str, Sequence[Any]]


def _residents(subjects: _Columns, staff: _Columns) -> pa.Table:
    addresses, surnames = Counter(subjects["address_key"]), Counter(subjects["name_key"])
    former = Counter(subjects["former_name_key"])
    who = {subject: person for person, subject in zip(staff["staff_id"], staff["subject_id"], strict=True) if subject}
    known = set(subjects["subject_id"])
    missing = sorted(who.keys() - known)  # members of staff whom the feed of residents does not name
    blank = [""] * len(missing)

    def column(name: str) -> list[str]:
        return [*subjects[name], *blank]

    keys = [*subjects["subject_id"], *missing]
    return pa.table(
        {
            "subject": pa.array(keys, pa.string()),
            "household": pa.array(column("household_id"), pa.string()),
            "address": pa.array(column("address_key"), pa.string()),
            "surname": pa.array(column("name_key"), pa.string()),
            "former_surname": pa.array(column("former_name_key"), pa.string()),
            "flags": pa.array(
                [[flag for flag in flags.split(";") if flag] for flags in column("flags")], pa.list_(pa.string())
            ),
            "staff_id": pa.array([who.get(key, "") for key in keys], pa.string()),
            "at_address": pa.array([addresses[key] if key else 0 for key in column("address_key")], pa.uint32()),
            "of_surname": pa.array([surnames[key] if key else 0 for key in column("name_key")], pa.uint32()),
            "of_former_surname": pa.array(
                [former[key] if key else 0 for key in column("former_name_key")], pa.uint32()
            ),
        }
    )


def _posts(staff: _Columns, subjects: _Columns) -> pa.Table:
    places = {key: place for place, key in enumerate(subjects["subject_id"])}
    own = {person: subject for person, subject in zip(staff["staff_id"], staff["subject_id"], strict=True) if subject}

    def of(person: str, name: str) -> str:
        place = places.get(own.get(person, ""))
        return "" if place is None else str(subjects[name][place])

    people = staff["staff_id"]
    return pa.table(
        {
            "staff_id": pa.array(people, pa.string()),
            "since": pa.array([at or _EVER for at in staff["valid_from"]], _TIME),
            "until": pa.array([at or _NEVER for at in staff["valid_to"]], _TIME),
            "unit": pa.array(staff["org_unit"], pa.string()),
            "manager": pa.array(staff["manager_id"], pa.string()),
            "own_subject": pa.array([own.get(person, "") for person in people], pa.string()),
            "own_household": pa.array(
                [of(person, "household_id") or (f"={own[person]}" if person in own else "") for person in people],
                pa.string(),
            ),
            "own_address": pa.array([of(person, "address_key") for person in people], pa.string()),
            "own_surname": pa.array([of(person, "name_key") for person in people], pa.string()),
            "own_former_surname": pa.array([of(person, "former_name_key") for person in people], pa.string()),
        }
    )


def _cases(cases: _Columns, subjects: _Columns, staff: _Columns) -> pa.Table:
    households = dict(zip(subjects["subject_id"], subjects["household_id"], strict=True))
    posts: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    for person, since, unit in zip(staff["staff_id"], staff["valid_from"], staff["org_unit"], strict=True):
        posts[person].append((since or _EVER, unit))
    for held in posts.values():
        held.sort()

    def unit_of(person: str, at: datetime) -> str:
        """The unit of an assignee when a case was opened: where the feed does not say who handles it."""
        held = posts.get(person, [])
        place = bisect_right(held, at, key=lambda post: post[0])
        return held[place - 1][1] if place else ""

    return pa.table(
        {
            "household": pa.array([households.get(key) or f"={key}" for key in cases["subject_id"]], pa.string()),
            "case_id": pa.array(cases["case_id"], pa.string()),
            "unit": pa.array(
                [
                    unit or unit_of(person, at)
                    for unit, person, at in zip(cases["org_unit"], cases["assignee"], cases["opened_at"], strict=True)
                ],
                pa.string(),
            ),
            "assignee": pa.array(cases["assignee"], pa.string()),
            "kind": pa.array(cases["kind"], pa.string()),
            "since": pa.array([at - BEFORE_ENTRY for at in cases["opened_at"]], _TIME),
            "until": pa.array([at + BEYOND_CLOSING if at else _NEVER for at in cases["closed_at"]], _TIME),
        }
    )


def _approvals(approvals: _Columns) -> pa.Table:
    """Approved times that name look-ups: by the system they are for, or by how many rows. Overtime names none."""
    columns = ("kind", "approved_by", "staff_id", "source", "max_rows")
    rows = [
        place
        for place, (kind, by, person, source, most) in enumerate(
            zip(*(approvals[name] for name in columns), strict=True)
        )
        if kind == "time_window" and by not in ("", person) and (source or most is not None)
    ]

    def chosen(name: str) -> list[Any]:
        return [approvals[name][place] for place in rows]

    return pa.table(
        {
            "approval_id": pa.array(chosen("approval_id"), pa.string()),
            "staff_id": pa.array(chosen("staff_id"), pa.string()),
            "source": pa.array(chosen("source"), pa.string()),
            "since": pa.array([at or _EVER for at in chosen("valid_from")], _TIME),
            "until": pa.array([at or _NEVER for at in chosen("valid_to")], _TIME),
        }
    )
