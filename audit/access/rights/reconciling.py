"""Comparing what a target system has with what was approved: what is missing there, what nobody approved, what differs.

A right that nobody approved is a security event: somebody gave it outside this book.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from audit.access.rights.errors import ReconciliationRefusedError
from audit.access.rights.model import Doer, Entitlement, lost_at
from audit.access.rights.reported import Reported, read_reported
from audit.access.rights.repository import RightsRepository
from audit.access.rights.use_cases import UseCases
from audit.clock import tokyo_date

__all__ = ["Difference", "Reconciliation", "ReconcilingUseCases"]

_NAMED = 200
"""So many rights without approval are named in the event; their number is always said."""
_Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One right that is not the same on both sides; days as `2026-04-01`, the last included, empty for none.

    Attributes:
        what: `missing` in the target, `unapproved`, or `validity`.
        approved: the first and last day approved.
        reported: the first and last day in the target.
    """

    what: str
    person: str
    function: str
    affair: str
    approved: tuple[str, str] = ("", "")
    reported: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """One comparison.

    Attributes:
        system: the source id.
        at: when.
        by: the staff id of who brought the list; empty for the machine itself.
        matched: how many rights agree.
        differences: everything else, by person.
    """

    system: str
    at: datetime
    by: str
    matched: int
    differences: tuple[Difference, ...]

    def count(self, what: str) -> int:
        """How many differences are of a kind."""
        return sum(difference.what == what for difference in self.differences)


class ReconcilingUseCases(UseCases):
    """Comparing with target systems."""

    def reconcile(self, system: str, data: bytes, by: Doer | None) -> Reconciliation:
        """Compare a system's own list with what holds now; the result replaces the last one.

        Args:
            system: the source id.
            data: the list, see `reported`.
            by: who brings it; None for a command on the machine.

        Raises:
            ReconciliationRefusedError: no such system, or the list cannot be read.
        """
        if system not in self.systems:
            raise ReconciliationRefusedError([f"{system}: そのシステムはありません / no such system"])
        reported = read_reported(data)
        now = self._clock.now()
        with self._store.unit() as unit:
            repository = RightsRepository(unit)
            approved = self._in_force(repository, system, now)
            result, seen = _compared(approved, reported, Reconciliation(
                system=system, at=now, by=by.id if by else "", matched=0, differences=(),
            ))  # fmt: skip
            applied = repository.applied(seen, now)
            self._record(result, applied, by)
            repository.keep_reconciliation(system, now, result.by, json.dumps(_to_doc(result)))
        return result

    def last_reconciliation(self, system: str) -> Reconciliation | None:
        """The last comparison of a system; None when there was none."""
        with self._store.unit() as unit:
            row = RightsRepository(unit).reconciliation(system)
            return _from_doc(system, row.at, row.by, json.loads(row.result)) if row else None

    def _in_force(self, repository: RightsRepository, system: str, now: datetime) -> list[Entitlement]:
        rights = [row.entitlement() for row in repository.rights(system=system)]
        posts = {name: self._people.posts(name) for name in {right.person for right in rights}}
        return [right for right in rights if right.in_force(now) and lost_at(posts[right.person], right, now) is None]

    def _record(self, result: Reconciliation, applied: int, by: Doer | None) -> None:
        counts = {what: str(result.count(what)) for what in ("missing", "unapproved", "validity")}
        target = ("", result.system, "")
        self._journal.record(
            self._journal.event(
                "ledger_entry", "rights.reconciled", result.at, by, target=target,
                matched=str(result.matched), newly_applied=str(applied), **counts,
            )
        )  # fmt: skip
        strange = [one for one in result.differences if one.what == "unapproved"]
        if strange:
            self._journal.record(
                self._journal.event(
                    "security_event", "rights.unapproved_found", result.at, by, "denied", target=target,
                    count=str(len(strange)),
                    rights_found=[f"{one.person} {one.function} {one.affair}".strip() for one in strange[:_NAMED]],
                )
            )  # fmt: skip


def _compared(
    approved: Sequence[Entitlement], reported: Sequence[Reported], empty: Reconciliation
) -> tuple[Reconciliation, list[str]]:
    """The comparison, and the ids of the rights that the target has."""
    wanted: dict[_Key, Entitlement] = {}
    for right in approved:
        key = (right.person, right.function, right.affair)
        wanted[key] = max(wanted.get(key, right), right, key=_reach)
    found = {(one.person, one.function, one.affair): one for one in reported}
    differences = [_difference(key, wanted.get(key), found.get(key)) for key in sorted(wanted.keys() | found.keys())]
    kept = tuple(difference for difference in differences if difference is not None)
    seen = [right.id for right in approved if (right.person, right.function, right.affair) in found]
    matched = len(differences) - len(kept)
    return Reconciliation(
        system=empty.system, at=empty.at, by=empty.by, matched=matched, differences=kept
    ), seen  # fmt: skip


def _reach(right: Entitlement) -> tuple[bool, float]:
    """Of two rights to the same thing, the one that lasts longer is what the target should have."""
    return right.end is None, right.end.timestamp() if right.end else 0.0


def _difference(key: _Key, right: Entitlement | None, there: Reported | None) -> Difference | None:
    person, function, affair = key
    approved = _days(right) if right else ("", "")
    reported = (_iso(there.first), _iso(there.last)) if there else ("", "")
    if right is None or there is None:
        what = "missing" if there is None else "unapproved"
    elif approved[1] != reported[1] or (reported[0] and reported[0] < approved[0]):
        what = "validity"  # beginning later than approved is no more than was approved
    else:
        return None
    return Difference(
        what=what, person=person, function=function, affair=affair, approved=approved, reported=reported
    )  # fmt: skip


def _days(right: Entitlement) -> tuple[str, str]:
    last = tokyo_date(right.end - timedelta(microseconds=1)).isoformat() if right.end else ""
    return tokyo_date(right.start).isoformat(), last


def _iso(day: Any) -> str:  # noqa: ANN401 - a date or none
    return day.isoformat() if day else ""


def _to_doc(result: Reconciliation) -> dict[str, Any]:
    rows = [
        [one.what, one.person, one.function, one.affair, *one.approved, *one.reported] for one in result.differences
    ]
    return {"matched": result.matched, "differences": rows}


def _from_doc(system: str, at: datetime, by: str, doc: Mapping[str, Any]) -> Reconciliation:
    return Reconciliation(
        system=system,
        at=at,
        by=by,
        matched=doc["matched"],
        differences=tuple(
            Difference(
                what=row[0],
                person=row[1],
                function=row[2],
                affair=row[3],
                approved=(row[4], row[5]),
                reported=(row[6], row[7]),
            )
            for row in doc["differences"]
        ),
    )
