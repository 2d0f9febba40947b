"""From bytes to searchable events, beside the fastest thing there is: the engine's own reading of the same bytes.

The yardstick is `raw_insert` of JSONEachRow into one MergeTree with the same nested fields, ordered by time. It gives
no verdicts, ids, digests or log indexes, finds no duplicate and writes no book.
"""

import io
from pathlib import Path
from time import perf_counter
from typing import Any

import clickhouse_connect

from api.installation import Installation, open_installation
from api.settings import Settings
from audit.events import FIELDS, Kind
from audit.log import Filter
from audit.store.clickhouse import EventStore
from tests.bench import samples
from tests.bench.tables import table

__all__ = ["Raw", "run"]

_EVENTS = 300_000
_DECODED = 50_000
_ROUNDS = 3
_TYPES = {
    Kind.TEXT: "String",
    Kind.IDS: "Array(String)",
    Kind.COUNT: "Nullable(UInt64)",
    Kind.FLAG: "Nullable(Bool)",
    Kind.TIME: "DateTime64(6, 'UTC')",
}


def _raw_columns() -> dict[str, str]:
    groups: dict[str, list[str]] = {}
    columns = {}
    for field in FIELDS:
        group, _, name = field.path.partition(".")
        if name:
            groups.setdefault(group, []).append(f"`{name}` {_TYPES[field.kind]}")
        else:
            columns[group] = _TYPES[field.kind]
    return columns | {group: f"Tuple({', '.join(parts)})" for group, parts in groups.items()}


class Raw:
    """The yardstick."""

    def __init__(self, engine: Path) -> None:
        self._client: Any = clickhouse_connect.get_client(
            interface="chdb", path=str(engine), settings={"date_time_input_format": "best_effort"}
        )
        columns = ", ".join(f"`{name}` {kind}" for name, kind in _raw_columns().items())
        self._client.command(f"CREATE TABLE default.raw ({columns}) ENGINE = MergeTree ORDER BY time")

    def insert(self, data: bytes) -> float:
        began = perf_counter()
        self._client.raw_insert("default.raw", insert_block=data, fmt="JSONEachRow")
        return perf_counter() - began


def _take(town: Installation, data: bytes, source: str, fmt: str = "jsonl") -> tuple[float, str]:
    began = perf_counter()
    sums = town.ingest(io.BytesIO(data), name="bench", profile=town.profile(source), fmt=fmt)
    found = town.log.search(Filter(sources=(source,)), limit=1).events
    took = perf_counter() - began
    outcome = f"{sums.stored:,} / {sums.duplicates:,} / {sums.quarantined:,}" + ("" if found else ", nothing found")
    return took, outcome


def _line(name: str, count: int, data: bytes, times: list[float], outcome: str) -> list[object]:
    best, middle = min(times), sorted(times)[len(times) // 2]
    rates = (round(count / best), round(count / middle), round(len(data) / best / 1e6))
    return [name, *rates, middle / count * 1e6, outcome]


def _bytes(store: EventStore, per: str) -> list[dict[str, Any]]:
    return store.rows(
        f"SELECT {per}, sum(column_data_compressed_bytes) AS bytes FROM system.parts_columns "
        "WHERE active AND database = currentDatabase() AND table = 'events' GROUP BY 1 ORDER BY bytes DESC"
    )


def _sizes(store: EventStore) -> tuple[int, int, int]:
    row = store.rows(
        "SELECT count() AS parts, sum(bytes_on_disk) AS bytes, sum(rows) AS events FROM system.parts "
        "WHERE active AND database = currentDatabase() AND table = 'events' AND rows > 1000"
    )[0]
    return row["parts"], row["bytes"], row["events"]


def run(folder: Path, *, full: bool) -> None:
    """Measure taking in, and what it leaves on disk."""
    del full
    data = samples.json_lines(_EVENTS)
    with open_installation(Settings.model_validate({"data": folder})) as town:
        engine = folder / "events"
        store = EventStore(path=engine, readers=1)
        raw = Raw(engine)
        _take(town, samples.json_lines(2_000, seed=9), "warm-up")
        ours, theirs, again, outcomes = list[float](), list[float](), list[float](), ["", ""]
        inserted = (0, 0, 0)
        for number in range(_ROUNDS):
            theirs.append(raw.insert(data))
            took, outcomes[0] = _take(town, data, f"bench-{number}")
            ours.append(took)
            inserted = inserted if number else _sizes(store)
        for _ in range(_ROUNDS):
            took, outcomes[1] = _take(town, data, "bench-0")
            again.append(took)
        lines = [
            _line("raw JSONEachRow", _EVENTS, data, theirs, ""),
            _line("ingest jsonl", _EVENTS, data, ours, outcomes[0]),
            _line("ingest jsonl again", _EVENTS, data, again, outcomes[1]),
        ]
        for source, fmt, text in (
            ("resident-register", "csv", samples.csv_rows(_DECODED)),
            ("server-admin-terminal", "auth_log", samples.auth_log(_DECODED)),
            ("atena", "pgaudit", samples.pgaudit(_DECODED)),
        ):
            took, outcome = _take(town, text, source, fmt)
            lines.append(_line(f"ingest {fmt}", _DECODED, text, [took], outcome))
        table(
            f"Taking in: {_EVENTS:,} events of {len(data) / _EVENTS:.0f} bytes, {_ROUNDS} rounds in turn; "
            f"decoded formats {_DECODED:,} events, once",
            ("", "best events/s", "median events/s", "best MB/s", "median µs/event", "stored / duplicate / refused"),
            lines,
        )
        ratios = sorted(raw / own for raw, own in zip(theirs, ours, strict=True))
        print(f"\nspeed against raw, round by round: {', '.join(f'{ratio:.2f}' for ratio in ratios)}; "
              f"best against best {min(theirs) / min(ours):.2f} (goal 1.0, at least 0.6)")  # fmt: skip
        _record(town)
        store.command("OPTIMIZE TABLE events FINAL")
        merged = _sizes(store)
        table(
            "Stored bytes (columns, indexes, marks)",
            ("", "parts", "bytes", "events", "bytes/event"),
            [["as inserted", *inserted, inserted[1] / max(1, inserted[2])], ["merged", *merged, merged[1] / merged[2]]],
        )
        table(
            "The largest columns, merged",
            ("column", "bytes/event"),
            [[row["column"], row["bytes"] / merged[2]] for row in _bytes(store, "column")[:12]],
        )
        store.close()


def _record(town: Installation) -> None:
    times = []
    for number in range(50):
        doc = {"time": town.clock.now().isoformat(), "activity": "search", "actor": {"id": f"s{number}"}}
        began = perf_counter()
        town.log.record(doc)
        times.append(perf_counter() - began)
    times.sort()
    print(f"one act of our own: median {times[25] * 1000:.1f} ms, 95 % within {times[47] * 1000:.1f} ms")
