"""Three questions of the detectors asked of DuckDB and of pandas too, over the same events and feeds.

Each asks for less than the detectors do: no reasons, no evidence, no exceptions. What is asked is the same, and so are
the answers, or the difference is printed.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from audit.casework import Casework, LookUpDimension, LookUpFilter, LookUpMeasure
from audit.clock import day_start
from audit.context import BEFORE_ENTRY, BEYOND_CLOSING, ContextService
from audit.events import LOOKUPS
from audit.log import Dimension, EventLog, Filter, Measure
from audit.store.clickhouse import EventStore, Purpose

__all__ = ["Beside"]

_LOOKS = tuple(sorted(str(one) for one in LOOKUPS))
_EXPORT = """
INSERT INTO FUNCTION file({path:String}, 'Parquet')
SELECT toString(source) AS source, toUnixTimestamp64Micro(time) AS moment, toString(activity) AS activity,
    toString(actor_id) AS actor, toString(actor_kind) AS kind, toString(actor_org_unit) AS unit,
    toString(outcome) AS outcome, subjects, subjects[1] AS subject
FROM events
"""
_TOKYO = 9 * 3_600_000_000
_MINUTE = 60_000_000
_OPENS, _CLOSES = 8 * 60, 17 * 60 + 45
"""Half an hour before and after the hours of an office, in minutes of the day."""
_LOOKED = f"outcome IN ('', 'success') AND kind != 'system' AND actor != '' AND activity IN {_LOOKS}"
_DUCK = {
    "off hours": f"""
        SELECT actor, count(*) AS n FROM events
        WHERE moment >= $start AND moment < $end AND kind != 'system' AND actor != '' AND outcome IN ('', 'success')
            AND (moment + {_TOKYO}) // {_MINUTE} % 1440 NOT BETWEEN {_OPENS} AND {_CLOSES - 1}
            AND NOT EXISTS (SELECT 1 FROM roster WHERE staff_id = actor AND moment >= since AND moment < until)
        GROUP BY actor
    """,
    "volume": f"""
        WITH days AS (
            SELECT actor, (moment + {_TOKYO}) // 86400000000 AS day, count(DISTINCT one) AS n
            FROM (SELECT actor, moment, unnest(subjects) AS one FROM events WHERE moment < $end AND {_LOOKED})
            WHERE one != '' GROUP BY actor, day
        )
        SELECT actor, max(n) FILTER (day = ($start + {_TOKYO}) // 86400000000) AS n FROM days GROUP BY actor
        HAVING max(n) FILTER (day = ($start + {_TOKYO}) // 86400000000)
            > 2 * avg(n) FILTER (day < ($start + {_TOKYO}) // 86400000000)
    """,
    "cases": f"""
        WITH looked AS (
            SELECT actor, source, one AS subject, min(unit) AS unit, min(moment) AS first, max(moment) AS last
            FROM (
                SELECT actor, source, unit, moment, unnest(subjects) AS one FROM events
                WHERE moment >= $start AND moment < $end AND {_LOOKED}
            )
            GROUP BY actor, source, one
        )
        SELECT count(*) AS n FROM looked JOIN residents USING (subject)
        WHERE EXISTS (
            SELECT 1 FROM cases WHERE cases.household = residents.household AND since <= last AND until > first
                AND (cases.unit = looked.unit OR cases.assignee = looked.actor)
        )
    """,
}


@dataclass(slots=True)
class Beside:
    """The same events and feeds for three engines.

    Attributes:
        folder: for what is handed over.
        day: the day that is judged.
        past: how many days before it the log holds.
    """

    store: EventStore
    log: EventLog
    casework: Casework
    context: ContextService
    folder: Path
    day: date

    def run(self) -> list[list[Any]]:
        """What each needs for each question: seconds, and whether the answers are the same."""
        path = self.folder / "events.parquet"
        self.store.command(_EXPORT, {"path": str(path)}, purpose=Purpose.MIGRATE)
        feeds = self._feeds()
        start, end = day_start(self.day), day_start(self.day + timedelta(days=1))
        ours = {
            "off hours": lambda: self._off_hours(start, end),
            "volume": self._volume,
            "cases": self._cases,
        }
        found: dict[str, list[tuple[float, object]]] = {name: [_timed(ask)] for name, ask in ours.items()}
        loading = [0.0]
        for engine in (_Duck, _Pandas):
            began = perf_counter()
            one = engine(path, feeds, _micro(start), _micro(end))
            loading.append(perf_counter() - began)
            for name in ours:
                found[name].append(_timed(lambda one=one, name=name: one.ask(name)))
            del one
        rows: list[list[Any]] = [["reading the events in", *loading, "", ""]]
        for name, answers in found.items():
            (own, answer), *others = answers
            same = "same" if all(other == answer for _, other in others) else str([_size(one) for _, one in answers])
            fastest = min(seconds for seconds, _ in others)
            rows.append([name, own, *(seconds for seconds, _ in others), f"{own / fastest:.2f}", same])
        return rows

    def _feeds(self) -> Mapping[str, pa.Table]:
        subjects, cases = self.context.table("subjects"), self.context.table("cases")
        home = dict(zip(subjects["subject_id"], subjects["household_id"], strict=True))
        never = datetime(2100, 1, 1, tzinfo=day_start(self.day).tzinfo)
        work = self.context.over(day_start(self.day), day_start(self.day + timedelta(days=1)))
        grace = timedelta(minutes=30)
        spans = [span for spans in work.roster.values() for span in spans if span.approved]
        return {
            "residents": pa.table({"subject": list(home), "household": list(home.values())}),
            "cases": pa.table(
                {
                    "household": [home[one] for one in cases["subject_id"]],
                    "unit": cases["org_unit"],
                    "assignee": cases["assignee"],
                    "since": [_micro(at - BEFORE_ENTRY) for at in cases["opened_at"]],
                    "until": [_micro(at + BEYOND_CLOSING if at else never) for at in cases["closed_at"]],
                }
            ),
            "roster": pa.table(
                {
                    "staff_id": [span.staff_id for span in spans],
                    "since": [_micro(span.start - grace) for span in spans],
                    "until": [_micro(span.end + grace) for span in spans],
                }
            ),
        }

    # Ours ---------------------------------------------------------------------------------------------------------

    def _off_hours(self, start: datetime, end: datetime) -> dict[str, int]:
        work = self.context.over(start, end)
        grace = timedelta(minutes=30)
        found = Counter[str]()
        rows = self.log.aggregate(
            Filter(
                start=start,
                end=end,
                outcomes=("", "success"),
                staff_only=True,
                hours=tuple(hour for hour in range(24) if not _OPENS // 60 <= hour < _CLOSES // 60),
            ),
            (Dimension.ACTOR, Dimension.QUARTER),
            (Measure.EVENTS, Measure.FIRST),
        )
        for row in rows:
            if not _OPENS <= row["quarter"] * 15 < _CLOSES and not any(
                span.approved and span.start - grace <= row["first"] < span.end + grace
                for span in work.roster.get(row["actor"], ())
            ):
                found[row["actor"]] += row["events"]
        return dict(found)

    def _volume(self) -> dict[str, int]:
        today: dict[str, int] = {}
        past: dict[str, list[int]] = defaultdict(list)
        wanted = LookUpFilter(start=date(2000, 1, 1), end=self.day + timedelta(days=1))
        by = (LookUpDimension.ACTOR, LookUpDimension.DAY)
        for row in self.casework.aggregate(wanted, by, (LookUpMeasure.SUBJECTS,)):
            if row["day"] == self.day:
                today[row["actor"]] = row["subjects"]
            else:
                past[row["actor"]].append(row["subjects"])
        return {
            actor: count
            for actor, count in today.items()
            if past[actor] and count > 2 * sum(past[actor]) / len(past[actor])
        }

    def _cases(self) -> int:
        """Far more than is asked of the others: every look-up with every reason, stored."""
        self.casework.make(self.day, self.day)
        wanted = LookUpFilter(start=self.day, end=self.day + timedelta(days=1), because=("cited", "assigned", "case"))
        rows = self.casework.aggregate(
            wanted, (LookUpDimension.ACTOR, LookUpDimension.SOURCE), (LookUpMeasure.SUBJECTS,)
        )
        return sum(int(row["subjects"]) for row in rows)


class _Duck:
    def __init__(self, path: Path, feeds: Mapping[str, pa.Table], start: int, end: int) -> None:
        self._base = duckdb.connect(config={"threads": 2})
        self._base.execute(f"CREATE TABLE events AS SELECT * FROM read_parquet('{path}')")
        for name, table in feeds.items():
            self._base.register("handed", table)
            self._base.execute(f"CREATE TABLE {name} AS SELECT * FROM handed")
        self._span = {"start": start, "end": end}

    def ask(self, name: str) -> object:
        wanted = {key: value for key, value in self._span.items() if f"${key}" in _DUCK[name]}
        rows = self._base.execute(_DUCK[name], wanted).fetchall()
        return rows[0][0] if name == "cases" else dict(rows)


class _Pandas:
    def __init__(self, path: Path, feeds: Mapping[str, pa.Table], start: int, end: int) -> None:
        words = ["source", "activity", "actor", "kind", "unit", "outcome"]
        table = pq.read_table(path, columns=[*words, "moment", "subject"], read_dictionary=words)
        self._events = table.to_pandas(types_mapper=lambda kind: pd.ArrowDtype(kind) if kind == pa.string() else None)
        self._feeds = {name: one.to_pandas() for name, one in feeds.items()}
        self._start, self._end = start, end

    def ask(self, name: str) -> object:
        asked: dict[str, Callable[[], object]] = {
            "off hours": self._off_hours,
            "volume": self._volume,
            "cases": self._cases,
        }
        return asked[name]()

    def _of_day(self) -> pd.DataFrame:
        events = self._events
        return events[(events["moment"] >= self._start) & (events["moment"] < self._end)]

    @staticmethod
    def _done(events: pd.DataFrame) -> pd.DataFrame:
        return events[events["outcome"].isin(["", "success"]) & (events["kind"] != "system") & (events["actor"] != "")]

    def _off_hours(self) -> object:
        events = self._done(self._of_day())
        minute = (events["moment"] + _TOKYO) // _MINUTE % 1440
        late = events[(minute < _OPENS) | (minute >= _CLOSES)][["actor", "moment"]].reset_index()
        late["actor"] = late["actor"].astype(object)
        joined = late.merge(self._feeds["roster"], left_on="actor", right_on="staff_id")
        covered = joined[(joined["moment"] >= joined["since"]) & (joined["moment"] < joined["until"])]["index"]
        return late[~late["index"].isin(covered)].groupby("actor").size().to_dict()

    def _volume(self) -> object:
        events = self._done(self._events)
        events = events[events["activity"].isin(_LOOKS) & (events["subject"] != "")][["actor", "subject", "moment"]]
        events["day"] = (events["moment"] + _TOKYO) // 86_400_000_000
        days = events.groupby(["actor", "day"], observed=True)["subject"].nunique().reset_index()
        today = (self._start + _TOKYO) // 86_400_000_000
        usual = days[days["day"] < today].groupby("actor", observed=True)["subject"].mean()
        now = days[days["day"] == today].set_index("actor")["subject"]
        both = pd.DataFrame({"now": now, "usual": usual}).dropna()
        return both[both["now"] > 2 * both["usual"]]["now"].astype(int).to_dict()

    def _cases(self) -> object:
        events = self._done(self._of_day())
        events = events[events["activity"].isin(_LOOKS) & (events["subject"] != "")]
        events = events.astype({"actor": object, "source": object, "unit": object, "subject": object})
        looked = events.groupby(["actor", "source", "subject"], as_index=False).agg(
            unit=("unit", "min"), first=("moment", "min"), last=("moment", "max")
        )
        joined = looked.merge(self._feeds["residents"], on="subject").merge(self._feeds["cases"], on="household")
        fits = joined[
            (joined["since"] <= joined["last"])
            & (joined["until"] > joined["first"])
            & ((joined["unit_x"] == joined["unit_y"]) | (joined["assignee"] == joined["actor"]))
        ]
        return len(fits[["actor", "source", "subject"]].drop_duplicates())


def _micro(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000)


def _size(answer: object) -> object:
    return len(answer) if isinstance(answer, dict) else answer


def _timed(ask: Callable[[], object]) -> tuple[float, object]:
    began = perf_counter()
    answer = ask()
    return perf_counter() - began, answer
