"""The judge: what a queue of cases found of a town's incidents, at a budget, and what it found that was nothing.

The rules:

- *Budget.* A case counts when its rank within its `opened_on` day is at most ceil(20 x staff / 1000).
- *Found.* An incident is found when a budgeted case overlaps [from, to + 1 day] and names one of its actors; one that
  is about a log (silent, with a gap, a wrong clock, cleared, one side of a linkage) also when the case names that
  source and no actor.
- *Precision.* The share of budgeted cases by which some incident is found.
- *Trap flagged.* A budgeted case by which no incident is found names one of the trap's actors, overlaps its window,
  and, where both name residents, shares one; so a case that is wrong about something else is
  counted as wrong, not as this.
- *Time to detect.* Working days from the incident's last event to the earliest `opened_on` by which it is found; 0
  where it is found before its end. `since_first` counts from its first event instead.
- *Look-ups.* One row is (day in Asia/Tokyo, actor, source, resident). It is planted when one of its events is of an
  incident and none is of anything else, honest when none is of an incident; mixed rows count as neither.
"""

import argparse
import csv
import json
import math
import statistics
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import jpholiday
import orjson

__all__ = ["Scores", "judge", "pool", "table", "wilson"]

_TOKYO = timezone(timedelta(hours=9))
_LOOKUPS = frozenset({"view", "update", "print", "screen_copy", "inquiry", "answer"})
"""Acts in which a record is seen; hits of a search are none (DESIGN 4.3)."""
_Row = tuple[str, str, str, str]


@dataclass(slots=True)
class Scores:
    """Counts, so that towns can be pooled; pairs are (how many, of how many)."""

    kinds: dict[str, tuple[int, int]] = field(default_factory=dict)
    hard: tuple[int, int] = (0, 0)
    precision: tuple[int, int] = (0, 0)
    traps: dict[str, tuple[int, int]] = field(default_factory=dict)
    honest_matched: tuple[int, int] = (0, 0)
    planted_matched: tuple[int, int] = (0, 0)
    delays: list[int] = field(default_factory=list)
    since_first: list[int] = field(default_factory=list)
    cases: int = 0
    days: int = 0
    findings: int = 0
    missed: list[str] = field(default_factory=list)
    flagged: list[str] = field(default_factory=list)

    @property
    def recall(self) -> tuple[int, int]:
        """Incidents found, of all."""
        return _total(self.kinds)

    @property
    def trapped(self) -> tuple[int, int]:
        """Traps flagged, of all."""
        return _total(self.traps)


def wilson(pair: tuple[int, int], z: float = 1.96) -> tuple[float, float]:
    """Wilson's interval of a share, 95 % by default; (0, 1) of nothing."""
    hits, count = pair
    if count == 0:
        return 0.0, 1.0
    share, square = hits / count, z * z / count
    middle, half = share + square / 2, z * math.sqrt(share * (1 - share) / count + square / (4 * count))
    return max(0.0, (middle - half) / (1 + square)), min(1.0, (middle + half) / (1 + square))


def judge(
    folder: Path,
    cases: Iterable[Mapping[str, Any]],
    findings: Iterable[Mapping[str, Any]] = (),
    lookups: Iterable[Mapping[str, Any]] = (),
    staff: int = 0,
) -> Scores:
    """Score a town.

    Args:
        folder: the town, as `foreign_town.build` wrote it.
        cases: what the command `cases` lists.
        findings: what the command `alerts` lists; only counted.
        lookups: rows of `day`, `actor`, `source`, `subject` (or `resident`) and `result`; without any, matching is
            not scored.
        staff: how many people work there; by default as many as the staff feed names.
    """
    labels = [orjson.loads(line) for line in (folder / "labels.jsonl").read_bytes().splitlines()]
    incidents = [one for one in labels if not one["trap"]]
    budget = math.ceil(20 * (staff or _staff(folder)) / 1000)
    listed = list(cases)
    within = [case for case in listed if int(case["rank"]) <= budget]
    scores = Scores(cases=len(listed), days=_days(folder), findings=len(list(findings)))
    true: set[int] = set()
    kinds: dict[str, list[bool]] = defaultdict(list)
    for incident in incidents:
        by = [(n, case) for n, case in enumerate(within) if _names(case, incident) and _overlaps(case, incident)]
        true |= {n for n, _ in by}
        kinds[incident["kind"]].append(bool(by))
        if by:
            opened = min(date.fromisoformat(case["opened_on"]) for _, case in by)
            scores.delays.append(_workdays(_day(incident["to"]), opened))
            scores.since_first.append(_workdays(_day(incident["from"]), opened))
        else:
            scores.missed.append(f"{incident['id']} {incident['kind']}{' (hard)' if incident['hard'] else ''}")
    scores.kinds = {kind: (sum(found), len(found)) for kind, found in sorted(kinds.items())}
    difficult = [one["kind"] for one in incidents if one["hard"]]
    scores.hard = (len(difficult) - sum(one.endswith("(hard)") for one in scores.missed), len(difficult))
    scores.precision = (len(true), len(within))
    wrong = [case for n, case in enumerate(within) if n not in true]
    _traps(scores, [one for one in labels if one["trap"]], wrong)
    _matching(scores, folder, incidents, list(lookups))
    return scores


def pool(towns: Iterable[Scores]) -> Scores:
    """Several towns as one."""
    total = Scores()
    for one in towns:
        for mine, theirs in ((total.kinds, one.kinds), (total.traps, one.traps)):
            for kind, pair in theirs.items():
                mine[kind] = _add(mine.get(kind, (0, 0)), pair)
        total.hard = _add(total.hard, one.hard)
        total.precision = _add(total.precision, one.precision)
        total.honest_matched = _add(total.honest_matched, one.honest_matched)
        total.planted_matched = _add(total.planted_matched, one.planted_matched)
        total.delays += one.delays
        total.since_first += one.since_first
        total.cases += one.cases
        total.days += one.days
        total.findings += one.findings
        total.missed += one.missed
        total.flagged += one.flagged
    return total


def table(scores: Scores) -> str:
    """The scores as text, each share with its 95 % interval and what is asked for."""
    lines = [
        _line("recall", scores.recall, ">= 0.95"),
        _line("  of hard ones", scores.hard, ""),
        _line("precision at budget", scores.precision, ">= 0.60"),
        _line("traps flagged", scores.trapped, "<= 0.05"),
        _line("honest look-ups matched", scores.honest_matched, ">= 0.95"),
        _line("planted matched away", scores.planted_matched, "<= 0.01"),
        f"{'working days to detect':28} median {_median(scores.delays)} from the last event",
        f"{'':28} median {_median(scores.since_first)} from the first",
        f"{'cases':28} {scores.cases} in {scores.days} days, {scores.precision[1]} within the budget",
        f"{'findings':28} {scores.findings}",
    ]
    below = [(kind, pair) for kind, pair in scores.kinds.items() if pair[0] < 0.8 * pair[1]]
    lines += ["", f"kinds below 0.8: {len(below)} of {len(scores.kinds)}"]
    lines += [_line(f"  {kind}", pair, ">= 0.80") for kind, pair in below]
    lines += ["", "missed: " + (", ".join(scores.missed) or "none"), "traps: " + (", ".join(scores.flagged) or "none")]
    return "\n".join(lines)


def _line(name: str, pair: tuple[int, int], asked: str) -> str:
    if not pair[1]:
        return f"{name:28} not measured"
    low, high = wilson(pair)
    return f"{name:28} {pair[0] / pair[1]:.3f} [{low:.3f}, {high:.3f}] {pair[0]} of {pair[1]} {asked}".rstrip()


def _median(delays: list[int]) -> str:
    return f"{statistics.median(delays):g}" if delays else "-"


def _total(pairs: Mapping[str, tuple[int, int]]) -> tuple[int, int]:
    return sum(pair[0] for pair in pairs.values()), sum(pair[1] for pair in pairs.values())


def _add(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return one[0] + other[0], one[1] + other[1]


def _names(case: Mapping[str, Any], label: Mapping[str, Any]) -> bool:
    if set(case["actors"]) & set(label["actors"]):
        return True
    return case.get("source") in label["sources"] and not case["actors"]


def _overlaps(case: Mapping[str, Any], label: Mapping[str, Any], grace: timedelta = timedelta(days=1)) -> bool:
    first, last = _moment(case["window"]["from"]), _moment(case["window"]["to"])
    return first <= _moment(label["to"]) + grace and _moment(label["from"]) <= last


def _traps(scores: Scores, traps: list[dict[str, Any]], wrong: list[Mapping[str, Any]]) -> None:
    flagged: Counter[str] = Counter()
    for trap in traps:
        for case in wrong:
            apart = case["subjects"] and trap["subjects"] and not set(case["subjects"]) & set(trap["subjects"])
            if _names(case, trap) and _overlaps(case, trap, timedelta()) and not apart:
                flagged[trap["kind"]] += 1
                scores.flagged.append(f"{trap['id']} {trap['kind']} by {case['id']}")
                break
    count = Counter(one["kind"] for one in traps)
    scores.traps = {kind: (flagged[kind], number) for kind, number in sorted(count.items())}


def _matching(scores: Scores, folder: Path, incidents: list[dict[str, Any]], lookups: list[Mapping[str, Any]]) -> None:
    if not lookups:
        return
    honest, planted = truth(folder, incidents)
    results = {
        (
            str(row["day"])[:10],
            str(row["actor"]),
            str(row["source"]),
            str(row.get("subject") or row.get("resident")),
        ): row["result"]
        for row in lookups
    }
    scores.honest_matched = (sum(results.get(row) == "matched" for row in honest), len(honest))
    scores.planted_matched = (sum(results.get(row) == "matched" for row in planted), len(planted))


def truth(folder: Path, incidents: Iterable[Mapping[str, Any]]) -> tuple[set[_Row], set[_Row]]:
    """The look-ups that are honest, and those that are planted; mixed ones are neither."""
    wrong = {one for incident in incidents for one in incident["event_ids"]}
    honest: set[_Row] = set()
    planted: set[_Row] = set()
    for log in sorted((folder / "logs").glob("*.jsonl")):
        with log.open("rb") as lines:
            for line in lines:
                event = orjson.loads(line)
                actor = event["actor"].get("id")
                if event["activity"] not in _LOOKUPS or not actor or "subjects" not in event:
                    continue
                if event["outcome"] != "success":
                    continue
                into = planted if f"{log.stem}:{event['event_id']}" in wrong else honest
                day = _day(event["time"]).isoformat()
                into.update((day, actor, log.stem, one) for one in event["subjects"])
    mixed = honest & planted
    return honest - mixed, planted - mixed


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=_TOKYO)


def _day(text: str) -> date:
    return _moment(text).astimezone(_TOKYO).date()


def _workdays(first: date, last: date) -> int:
    """How many working days lie after `first`, up to and with `last`."""
    days = (first + timedelta(days=n) for n in range(1, max(0, (last - first).days) + 1))
    return sum(day.weekday() < 5 and not jpholiday.is_holiday(day) for day in days)


def _staff(folder: Path) -> int:
    data = (folder / "feeds" / "staff.csv").read_bytes()
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode("cp932")
    return len({row["staff_id"] for row in csv.DictReader(text.splitlines())})


def _days(folder: Path) -> int:
    """How many days the logs cover."""
    days: set[date] = set()
    for log in (folder / "logs").glob("*.jsonl"):
        lines = log.read_bytes().splitlines()
        days |= {_day(orjson.loads(line)["time"]) for line in (lines[0], lines[-1])}
    return (max(days) - min(days)).days + 1


def _listed(path: Path, name: str) -> list[dict[str, Any]]:
    """A command's JSON document, its list alone, or JSON Lines."""
    text = path.read_text()
    try:
        found = json.loads(text)
    except ValueError:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    listed: list[dict[str, Any]] = found.get(name, [found]) if isinstance(found, dict) else found
    return listed


def main() -> None:
    """Print one town's scores."""
    parser = argparse.ArgumentParser(prog="python -m tests.foreign_town.foreign_judge")
    parser.add_argument("town", type=Path)
    parser.add_argument("--cases", type=Path, required=True)
    parser.add_argument("--alerts", type=Path)
    parser.add_argument("--lookups", type=Path)
    parser.add_argument("--staff", type=int, default=0)
    asked = parser.parse_args()
    scores = judge(
        asked.town,
        _listed(asked.cases, "cases"),
        _listed(asked.alerts, "findings") if asked.alerts else (),
        _listed(asked.lookups, "lookups") if asked.lookups else (),
        asked.staff,
    )
    sys.stdout.write(table(scores) + "\n")


if __name__ == "__main__":
    main()
