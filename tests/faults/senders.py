"""What the fault suite sends, and what must become of it: the rules of identity, written down a second time.

The judge here is slow and knows nothing of the code under test: an event is its source and its id, or its source, the
hash of its bytes and its ordinal among identical records of its delivery, or of the stream that its delivery is a part
of. The first content of an id is kept; what is no event is kept once, by its bytes and its ordinal.
"""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

DESK, DOOR, FILES, PIPE = "nhi-eligibility", "door-access", "collection", "server-admin-terminal"
_HEADER = "操作日時,ユーザー名,端末名,操作画面,アクセス区分,アクセス対象者,操作内容,件数".encode("cp932")


@dataclass(frozen=True)
class Parcel:
    """One delivery as its sender knows it."""

    name: str
    source: str
    data: bytes
    key: str = ""
    stream: str = ""
    fmt: str = "jsonl"


def line(time: str = "2026-10-05T09:13:22.120+09:00", **more: Any) -> bytes:
    """One event."""
    return json.dumps({"time": time, "activity": "view", "actor": {"id": "s0412"}} | more, ensure_ascii=False).encode()


def numbered(prefix: str, count: int, **more: Any) -> list[bytes]:
    """Events with ids."""
    return [line(event_id=f"{prefix}-{n:04d}", subjects=[f"p{n}"], **more) for n in range(count)]


def _parcel(name: str, source: str, lines: list[bytes], **more: str) -> Parcel:
    return Parcel(name, source, b"".join(raw + b"\n" for raw in lines), **more)


def mixed() -> list[Parcel]:
    """Every kind of delivery that the writer treats in its own way."""
    bad, same = b'{"time": "yesterday"', line(reason="窓口")
    september, october = "2026-09-30T23:30:00+00:00", "2026-10-01T00:30:00+00:00"
    rows = [
        f"2026-10-05 08:{n:02d}:15,S16{n:02d},医保0-55,収納状況,照会,004712{n:02d},,".encode("cp932") for n in range(9)
    ]
    return [
        _parcel("ids", DESK, numbered("a", 5), key="k-1"),
        _parcel("nameless", DESK, [same, bad, same, *numbered("a", 1), same, bad]),
        _parcel("two months", DOOR, [line(october, event_id="m-1"), line(september, event_id="m-2"), line(september)]),
        _parcel("conflict", DESK, [line(event_id="a-0001", reason="other"), line(event_id="a-0002b"), bad]),
        _parcel("within", DOOR, [line(september, event_id="m-9"), line(october, event_id="m-9"), line(event_id="m-8")]),
        _parcel("large", DOOR, [*numbered("l", 120), bad, *([same] * 30), *numbered("l", 130)], key="k-2"),
        _parcel("rows", FILES, [_HEADER, *rows, rows[0]], fmt="csv"),
        _parcel("stream 1", PIPE, [same, same, *numbered("s", 2)], stream="tcp 7"),
        _parcel("stream 2", PIPE, [same, bad, line(september)], stream="tcp 7"),
        _parcel("nothing", DOOR, []),
        _parcel("last", DESK, [same, *numbered("z", 3)], key="k-3"),
    ]


@dataclass
class Verdict:
    """What must have become of some deliveries.

    Attributes:
        events: the stored events: source and name.
        outcomes: of each delivery, in their order: read, stored, duplicates, quarantined.
        refused: what is in quarantine: source, hash of the bytes, ordinal.
        conflicts: the deliveries that claimed a known id with other content.
    """

    events: Counter[tuple[str, str]] = field(default_factory=Counter)
    outcomes: list[tuple[int, int, int, int]] = field(default_factory=list)
    refused: set[tuple[str, str, int]] = field(default_factory=set)
    conflicts: list[str] = field(default_factory=list)


def judge(parcels: list[Parcel]) -> Verdict:
    """Say what must become of deliveries that are brought to the log in this order."""
    verdict, contents, seen = Verdict(), dict[tuple[str, str], Any](), Counter[tuple[str, str, bytes]]()
    for place, parcel in enumerate(parcels):
        read = stored = duplicates = quarantined = 0
        again = Counter[bytes]()
        conflicts: list[bytes] = []

        def refuse(raws: list[bytes], source: str, counted: Counter[bytes]) -> None:
            for raw in raws:
                digest = hashlib.sha256(raw).digest()
                verdict.refused.add((source, digest.hex(), counted[digest]))
                counted[digest] += 1

        records = parcel.data.splitlines()[1:] if parcel.fmt == "csv" else parcel.data.splitlines()
        faulty = [raw for raw in records if parcel.fmt == "jsonl" and not _is_event(raw)]
        for raw in records:
            read += 1
            if raw in faulty:
                continue
            doc = json.loads(raw) if parcel.fmt == "jsonl" else {"row": raw.hex()}
            name = doc.pop("event_id", "")
            if not name:
                scope = parcel.source, parcel.stream or str(place), raw
                name = f"h-{hashlib.sha256(raw).digest()[:16].hex()}-{seen[scope]}"
                seen[scope] += 1
            known = contents.setdefault((parcel.source, name), doc)
            if (parcel.source, name) not in verdict.events:
                verdict.events[parcel.source, name] += 1
                stored += 1
            elif known == doc:
                duplicates += 1
            else:
                conflicts.append(raw)
        refuse(faulty, parcel.source, again)
        refuse(conflicts, parcel.source, again)
        if conflicts:
            verdict.conflicts.append(parcel.name)
        quarantined = len(faulty) + len(conflicts)
        verdict.outcomes.append((read, stored, duplicates, quarantined))
    return verdict


def _is_event(raw: bytes) -> bool:
    try:
        return "actor" in json.loads(raw)
    except ValueError:
        return False
