"""The look-ups' SQL. Every value is bound; every name is one of ours."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from audit.casework.model import LookUp, LookUpDimension, LookUpFilter, LookUpMeasure
from audit.casework.statements import ACTS, EXPLAIN
from audit.store.clickhouse import EventStore, Purpose

__all__ = ["LookUpRepository", "mark"]

_D, _M = LookUpDimension, LookUpMeasure
_DIMENSIONS: Mapping[LookUpDimension, str] = {
    **{dimension: str(dimension) for dimension in LookUpDimension},
    _D.HOUR: "toHour(first, 'Asia/Tokyo')",
}
_NEAR, _SOON = 20, 600
"""Resident numbers this close follow each other, a check digit included; seconds in which the next one is looked up."""
_STEP = (
    f"this.1 = before.1 AND this.2 - before.2 <= {_SOON} AND this.3 != before.3 AND this.5 != before.5"
    f" AND this.4 != 0 AND before.4 != 0 AND abs(this.4 - before.4) BETWEEN 1 AND {_NEAR}"
)
_NUMBER = "toInt64OrZero(substring(extract(toString(subject), '[0-9]+$'), -12))"
_IN_ORDER = f"arraySort(groupArray((actor, toUnixTimestamp(first), first_index, {_NUMBER}, household)))"
_MEASURES: Mapping[LookUpMeasure, str] = {
    _M.ACTORS: "uniqExact(actor)",
    _M.CONTRADICTED: "uniqExactIf(subject, result = 'contradicted')",
    _M.DAYS: "uniqExact(day)",
    _M.FIRST: "min(first)",
    _M.HOUSEHOLDS: "uniqExact(household)",
    _M.LAST: "max(last)",
    _M.LAST_INDEX: "max(last_index)",
    _M.LOOKS: "sum(looks)",
    _M.MATCHED: "uniqExactIf(subject, result = 'matched')",
    _M.PRINTED: "uniqExactIf(subject, prints > 0)",
    _M.STEPS: f"arrayCount((this, before) -> {_STEP}, arrayPopFront({_IN_ORDER}), arrayPopBack({_IN_ORDER}))",
    _M.SUBJECTS: "uniqExact(subject)",
    _M.UNMATCHED: "uniqExactIf(subject, result = 'unmatched')",
    _M.VISITS: "uniqExact(sipHash64(day, actor, household))",
}
_COLUMNS = tuple(LookUp.__dataclass_fields__)
_LISTS = ("relations", "flags")


_WORKING = (
    "casework_residents", "casework_posts", "casework_cases", "casework_approvals", "casework_acts", "lookups_made",
)  # fmt: skip


def mark(made: int, rows: int) -> str:
    """How a day's look-ups are told apart from others of the same day."""
    return f"{made}:{rows}"


def _where(wanted: LookUpFilter) -> tuple[str, dict[str, Any]]:
    parts = ["day >= {start:Date}", "day < {end:Date}"]
    values: dict[str, Any] = {"start": wanted.start, "end": wanted.end}
    for column, name in (
        ("actor", "actors"), ("actor_kind", "kinds"), ("unit", "units"), ("source", "sources"),
        ("subject", "subjects"), ("household", "households"), ("result", "results"), ("because", "because"),
        ("because", "becauses"),
    ):  # fmt: skip
        if chosen := getattr(wanted, name):
            parts.append(f"{column} IN {{{name}:Array(String)}}")
            values[name] = list(chosen)
    if wanted.printed:
        parts.append("prints > 0")
    if wanted.by_name:
        parts.append("by_name")
    for column, name, sign in (
        ("relations", "relations", ""),
        ("relations", "no_relations", "NOT "),
        ("flags", "flags", ""),
    ):
        if chosen := getattr(wanted, name):
            parts.append(f"{sign}hasAny({column}, {{{name}:Array(String)}})")
            values[name] = list(chosen)
    return " AND ".join(parts), values


class LookUpRepository:
    """Reads and writes the tables of casework.

    Args:
        store: where they are.
        apart: what the working tables of this node are marked with, letters and digits, where nodes share a server.
    """

    def __init__(self, store: EventStore, apart: str = "") -> None:
        self._store = store
        self.apart = apart

    def prepare(self) -> None:
        """Make this node's own working tables anew, where nodes share a server: none then writes into another's."""
        if self.apart:
            for table in _WORKING:
                self._store.command(self._own(f"DROP TABLE IF EXISTS {table}"))
                self._store.command(f"CREATE TABLE {self._own(table)} AS {table}")

    def _own(self, text: str) -> str:
        """A statement about this node's working tables."""
        if self.apart:
            for table in _WORKING:
                text = text.replace(table, f"{table}_{self.apart}")
        return text

    def refill(self, table: str, columns: pa.Table) -> None:
        """Put a copy of what the feeds say in the place of the one before."""
        self._store.command(self._own(f"TRUNCATE TABLE {table}"))
        if columns.num_rows:
            self._store.insert(self._own(table), columns)

    def make(
        self, days: Sequence[date], start: datetime, end: datetime, without_source: str, made: int
    ) -> dict[date, str]:
        """Join the look-ups of some days anew and put them in the place of those before, day by day.

        Args:
            days: consecutive ones.
            start: when the first begins.
            end: when the last ends.
            without_source: whose acts are left out.
            made: what the rows are marked with.

        Returns:
            The mark of each day that has look-ups.
        """
        self._store.command(self._own("TRUNCATE TABLE casework_acts"))
        self._store.command(self._own("TRUNCATE TABLE lookups_made"))
        self._store.command(self._own(ACTS), {"start": start, "end": end, "without_source": without_source})
        self._store.command(self._own(EXPLAIN), {"start": start, "end": end, "made": made})
        sizes = self._own("SELECT day, count() AS size FROM lookups_made GROUP BY day")
        joined = {row["day"]: row["size"] for row in self._store.rows(sizes, purpose=Purpose.WRITE)}
        stored = "SELECT DISTINCT day FROM lookups WHERE day >= {first:Date} AND day <= {last:Date}"
        span = {"first": days[0], "last": days[-1]}
        gone = {row["day"] for row in self._store.rows(stored, span, Purpose.WRITE)}
        put = self._own("ALTER TABLE lookups REPLACE PARTITION {day:Date} FROM lookups_made")
        for day in sorted(joined):
            self._store.command(put, {"day": day})
            gone.discard(day)
        for day in sorted(gone):
            self._store.command("ALTER TABLE lookups DROP PARTITION {day:Date}", {"day": day})
        return {day: mark(made, size) for day, size in joined.items()}

    def marks(self, first: date, last: date) -> dict[date, str]:
        """What the look-ups of each day are marked with, and how many rows there are; days without any are left out."""
        rows = self._store.rows(
            "SELECT day, min(made) AS lowest, max(made) AS highest, count() AS size FROM lookups"
            " WHERE day >= {first:Date} AND day <= {last:Date} GROUP BY day",
            {"first": first, "last": last},
        )
        return {
            row["day"]: mark(row["lowest"], row["size"]) if row["lowest"] == row["highest"] else "mixed" for row in rows
        }

    def aggregate(
        self,
        wanted: LookUpFilter,
        by: Sequence[LookUpDimension],
        measures: Sequence[LookUpMeasure],
        at_least: Mapping[LookUpMeasure, int],
    ) -> list[dict[str, Any]]:
        """Measures by dimensions; one row a combination that occurs, in no particular order."""
        where, values = _where(wanted)
        names = [
            *(f"{_DIMENSIONS[d]} AS by_{d}" for d in by),
            *(f"{_MEASURES[m]} AS of_{m}" for m in dict.fromkeys((*measures, *at_least))),
        ]
        group = f" GROUP BY {', '.join(f'by_{d}' for d in by)}" if by else ""
        bounds = " AND ".join(f"of_{m} >= {{least_{m}:UInt64}}" for m in at_least)
        having = f" HAVING {bounds}" if bounds else ""
        values |= {f"least_{m}": least for m, least in at_least.items()}
        rows = self._store.rows(
            f"SELECT {', '.join(names)} FROM lookups WHERE {where}{group}{having}",
            values,
        )
        return [{key.partition("_")[2]: value for key, value in row.items()} for row in rows]

    def rows(self, wanted: LookUpFilter) -> Iterator[LookUp]:
        """Every look-up, in the order of time."""
        where, values = _where(wanted)
        found = self._store.rows(
            f"SELECT {', '.join(_COLUMNS)} FROM lookups WHERE {where} ORDER BY first, first_index, actor, subject",
            values,
        )
        for row in found:
            yield LookUp(**{**row, "by_name": bool(row["by_name"]), **{name: tuple(row[name]) for name in _LISTS}})
