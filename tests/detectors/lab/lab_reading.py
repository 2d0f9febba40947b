"""The files of a simulated town, read back: nothing here looks at the simulator's own values."""

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from audit.clock import TOKYO
from detectors.lab import TownFiles

START = date(2026, 10, 1)


@dataclass(frozen=True)
class Read:
    """One event as a file tells it."""

    source: str
    at: datetime
    actor: str
    what: str
    good: bool
    subjects: tuple[str, ...] = ()


def _read_contract(source: str, path: Path) -> Iterator[Read]:
    for line in path.read_text("utf-8").splitlines():
        doc = json.loads(line)
        at = datetime.fromisoformat(doc["time"])
        subjects = tuple(doc.get("subjects", ()))
        yield Read(source, at, doc["actor"]["id"], doc["activity"], doc["outcome"] == "success", subjects)


def _read_register(path: Path) -> Iterator[Read]:
    words = {"ログイン": "login", "ログアウト": "logout", "検索": "search", "照会": "view", "異動": "update"} | {
        "発行": "print"
    }
    with path.open(encoding="cp932", errors="strict", newline="") as file:
        for row in csv.DictReader(file):
            # Python's int reads full-width digits.
            era, month, day, *clock = (int(n) for n in re.findall(r"\d+", row["処理日時"]))
            at = datetime.combine(date(2018 + era, month, day), time(clock[0], clock[1], clock[2]), TOKYO)
            what = words.get(row["アクセス区分"], row["アクセス区分"])
            subjects = tuple(filter(None, row["宛名番号"].split(";")))
            yield Read("resident-register", at, row["職員番号"], what, row["結果"] == "正常", subjects)


def _read_intermediate(path: Path) -> Iterator[Read]:
    words = {300201: "login", 300202: "logout", 600302: "inquiry", 600501: "view"}
    for line in path.read_text("utf-8").splitlines():
        doc = json.loads(line)
        at = datetime.fromtimestamp(doc["time"] / 1000, UTC)
        what = words.get(doc["type_uid"], "other")
        subjects = tuple(doc["unmapped"].get("subjects", ()))
        yield Read("intermediate-server", at, doc["actor"]["user"]["uid"], what, doc["status_id"] == 1, subjects)


def _read_server(path: Path, start: date) -> Iterator[Read]:
    shapes = (
        (r"Accepted password for (\S+) from", "login", True),
        (r"Failed password for (?:invalid user )?(\S+) from", "login", False),
        (r"sudo: +(\S+) : TTY", "operation", True),
        (r"Disconnected from user (\S+)", "logout", True),
    )
    for line in path.read_text("utf-8").splitlines():
        # A leap year lets 29 February through; the year follows from the span.
        at = datetime.strptime(f"2024 {line[:15]}", "%Y %b %d %H:%M:%S").replace(tzinfo=TOKYO)
        at = at.replace(year=start.year + (at.month < start.month))
        for shape, what, good in shapes:
            if found := re.search(shape, line):
                yield Read("server-admin-terminal", at, found[1], what, good)


def _read_atena(path: Path) -> Iterator[Read]:
    for line in path.read_text("utf-8").splitlines():
        if found := re.match(r"(\S+ \S+) JST \[\d+\] user=(\S+?),db=\S+ LOG:  (AUDIT|connection auth|disconn)", line):
            at = datetime.fromisoformat(found[1]).replace(tzinfo=TOKYO)
            what = {"AUDIT": "operation", "connection auth": "login", "disconn": "logout"}[found[3]]
            yield Read("atena", at, found[2], what, True)


def read_events(files: TownFiles, start: date = START) -> list[Read]:
    found: list[Read] = []
    for source, path in files.logs:
        if source in files.contract:
            found += _read_contract(source, path)
        elif source == "server-admin-terminal":
            found += _read_server(path, start)
        else:
            readers = {
                "resident-register": _read_register,
                "intermediate-server": _read_intermediate,
                "atena": _read_atena,
            }
            found += readers[source](path)
    return found


def read_labels(files: TownFiles) -> list[dict[str, Any]]:
    return [json.loads(line) for line in files.labels.read_text("utf-8").splitlines()]


def read_feed(files: TownFiles, kind: str) -> list[dict[str, str]]:
    with files.feeds[kind].open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def within(label: dict[str, Any], event: Read) -> bool:
    start, end = datetime.fromisoformat(label["from"]), datetime.fromisoformat(label["to"])
    return event.source in label["sources"] and event.actor in label["actors"] and start <= event.at < end


def everything(files: TownFiles) -> list[Path]:
    return [*files.feeds.values(), *(path for _, path in files.logs), files.labels]
