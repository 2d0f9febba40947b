"""A town that nobody tuned anything to: `python -m tests.foreign_town.foreign_town OUT --seed 1`.

It is written from the contract (DESIGN 4.3 and 4.4) and from how town halls work, and shares no line, rule or constant
with the lab. A folder gets `feeds/*.csv`, `logs/{source}.jsonl` and `labels.jsonl`.
"""

import argparse
import csv
import sys
from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import orjson

sys.path.insert(0, str(Path(__file__).parent))

from foreign_model import Act, Label, Town
from foreign_people import populate
from foreign_routine import routine
from foreign_styles import STYLES, style_of
from foreign_work import work

__all__ = ["FEEDS", "build"]

FEEDS = {
    "staff": "staff_id name kana org_unit post role employment manager_id valid_from valid_to subject_id",
    "subjects": "subject_id household_id address_key name_key former_name_key flags",
    "cases": "case_id source subject_id org_unit assignee kind opened_at closed_at",
    "roster": "staff_id start end kind approved_by",
    "calendar": "date org_unit kind opens closes note",
    "approvals": "approval_id kind staff_id approved_by source valid_from valid_to max_rows medium_id note",
    "policies": "source valid_from require",
    "terminals": "terminal_id org_unit site kind ip_range",
}
"""Each feed's columns, as DESIGN 4.4 names them."""


def build(
    seed: int,
    folder: Path,
    *,
    staff: int = 300,
    days: int = 60,
    start: date | None = None,
    style: str = "",
    incidents: bool = True,
) -> Path:
    """Write a town.

    Args:
        seed: everything follows from it, and from the arguments below.
        folder: where to; made when it is not there.
        staff: how many people work for the town.
        days: how many calendar days its logs cover, at least 45 for every kind of incident to find room.
        start: the first day; by default one that suits the style.
        style: `rural`, `city` or `ward`; by default the seed's.
        incidents: whether anything wrong happens, and any trap is laid.

    Returns:
        The folder.
    """
    chosen = next((one for one in STYLES if one.name == style), style_of(seed))
    town = Town(seed, chosen, staff, days, start or chosen.start)
    populate(town)
    work(town)
    routine(town)
    if incidents:
        from foreign_incidents import plant
        from foreign_traps import lay

        lay(town)
        plant(town)
    _write(town, folder)
    return folder


def _write(town: Town, folder: Path) -> None:
    for name in ("feeds", "logs"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    _write_logs(town, folder / "logs")
    _fill_feeds(town)
    for kind, columns in FEEDS.items():
        rows = [{name: row.get(name, "") for name in columns.split()} for row in town.feeds[kind]]
        encoding = "cp932" if town.style.name == "rural" and kind in {"staff", "calendar"} else "utf-8"
        with (folder / "feeds" / f"{kind}.csv").open("w", encoding=encoding, newline="") as out:
            writer = csv.DictWriter(out, columns.split())
            writer.writeheader()
            writer.writerows(rows)
    labels = sorted(town.labels, key=lambda one: (one.trap, one.kind, one.start))
    with (folder / "labels.jsonl").open("wb") as lines:
        for number, label in enumerate(labels, start=1):
            lines.write(orjson.dumps(_label(town, label, number)) + b"\n")


def _label(town: Town, label: Label, number: int) -> dict[str, Any]:
    acts = sorted((act for act in label.acts if not act.gone and not act.lost), key=lambda act: act.at)
    return {
        "id": f"{'trap' if label.trap else 'incident'}-{number:03d}",
        "kind": label.kind,
        "trap": label.trap,
        "actors": label.actors,
        "subjects": label.subjects,
        "source": label.source,
        "from": town.stamp(label.start),
        "to": town.stamp(label.end),
        "event_ids": [f"{act.source}:{act.id}" for act in acts],
        "hard": label.hard,
        "sources": label.sources,
    }


def _write_logs(town: Town, folder: Path) -> None:
    """Each source's events in the order in which they were written; ids follow that order."""
    style = town.style
    by_source: dict[str, list[Act]] = defaultdict(list)
    for act in town.acts:
        if not act.gone:
            by_source[act.source].append(act)
    for source in sorted(by_source):
        acts = sorted(by_source[source], key=lambda act: (act.written, act.at))
        lines = []
        for number, act in enumerate(acts, start=1):
            act.id = f"{source}-{number:07d}"
            if act.lost:
                continue
            doc = {"time": town.stamp(act.at, utc=source in style.utc), "event_id": act.id, **act.doc}
            if "session" in style.shown and "id" in doc["actor"]:
                doc["session"] = f"{doc['actor']['id']}-{town.day_of(act.at)}"
            if source in style.stamped:
                doc["recorded_at"] = town.stamp(act.written, utc=source in style.utc)
            if source in style.sequenced:
                doc["sequence"] = number + 1000
            lines.append(orjson.dumps(doc))
        (folder / f"{source}.jsonl").write_bytes(b"\n".join(lines) + b"\n")


def _fill_feeds(town: Town) -> None:
    feeds, style = town.feeds, town.style
    feeds["subjects"] = [
        {
            "subject_id": town.subject(one),
            "household_id": style.household_id.format(one.household),
            "address_key": one.address,
            "name_key": f"n{one.name:05d}",
            "former_name_key": f"n{one.former:05d}" if one.former else "",
            "flags": ";".join(sorted(one.flags)),
        }
        for one in town.residents
    ]
    feeds["cases"] = [
        {
            "case_id": one.id,
            "source": one.source,
            "subject_id": town.subject(one.resident),
            "org_unit": one.unit,
            "assignee": one.assignee,
            "kind": one.kind,
            "opened_at": town.local(one.opened),
            "closed_at": "" if one.closed is None else town.local(one.closed),
        }
        for one in sorted(town.tickets, key=lambda one: (one.opened, one.id))
        if one.opened < town.when(town.days, 0)
    ]
    signed = {act.source for act in town.acts if act.doc["activity"] == "login"}
    for source in sorted(signed | set(style.policies)):
        for first, require in style.policies.get(source, ((0, "password"),)):
            begins = "2024-04-01" if first == 0 else town.on(first).isoformat()
            feeds["policies"].append({"source": source, "valid_from": begins, "require": require})


def main() -> None:
    """Write one town, or one of each style."""
    parser = argparse.ArgumentParser(prog="python -m tests.foreign_town.foreign_town")
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--staff", type=int, default=300)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--start", type=date.fromisoformat)
    parser.add_argument("--style", choices=[one.name for one in STYLES], default="")
    asked = parser.parse_args()
    folder = build(asked.seed, asked.out, staff=asked.staff, days=asked.days, start=asked.start, style=asked.style)
    sys.stdout.write(f"{folder}\n")


if __name__ == "__main__":
    main()
