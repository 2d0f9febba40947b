"""The events that are measured: one town's, seeded, as files to take in and as rows made inside the engine."""

import csv
import io
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from audit.store.clickhouse import EventStore, Purpose

__all__ = ["LAST_DAY", "auth_log", "csv_rows", "fill", "json_lines", "pgaudit"]

LAST_DAY = datetime(2026, 10, 29, 23, 30, tzinfo=UTC)
"""A Friday, 08:30 in Japan; a filled log ends with it."""
_UNITS = ("hoken-nenkin/shikaku", "hoken-nenkin/fuka", "shimin/madoguchi", "zeimu/shuno", "fukushi/kaigo")
_WORDS = (("view", "照会"),) * 12 + (("search", "検索"),) * 4 + (("print", "帳票出力"), ("update", "異動入力"))
_HEADER = ("処理日時", "職員番号", "端末番号", "操作画面", "アクセス区分", "宛名番号", "検索区分", "件数", "結果")
_REASONS = ("window", "phone", "mail", "arrears", "correction")


def _times(count: int) -> Iterator[datetime]:
    """Moments of one long working day, in order, half a second apart."""
    begin = datetime(2026, 10, 5, 8, 30, tzinfo=UTC)
    return (begin + timedelta(milliseconds=500 * n) for n in range(count))


def json_lines(count: int, seed: int = 1) -> bytes:
    """Events in the contract's form, about 450 bytes each."""
    drawn = random.Random(seed)
    lines = []
    for n, at in enumerate(_times(count)):
        actor, (activity, word) = drawn.randrange(400), drawn.choice(_WORDS)
        event = {
            "time": at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+09:00",
            "event_id": f"nhi-{n:09d}",
            "activity": activity,
            "operation_name": word,
            "outcome": "success" if drawn.random() < 0.99 else "denied",
            "actor": {"id": f"s{actor:04d}", "org_unit": _UNITS[actor % 5], "role": "clerk", "kind": "staff"},
            "terminal": {"id": f"T-{actor:04d}", "ip": f"10.3.{actor // 100}.{actor % 100 + 20}"},
            "session": f"{drawn.getrandbits(48):012x}",
            "screen": f"SKK{drawn.randrange(40):04d}",
            "affair": "nhi-eligibility",
            "subjects": [f"00{drawn.randrange(90_000):08d}"],
            "subject_count": 1,
            "reason": drawn.choice(_REASONS),
            "case_id": f"c-{drawn.randrange(100_000)}",
            "sequence": n,
        }
        lines.append(json.dumps(event, ensure_ascii=False, separators=(",", ":")))
    return ("\n".join(lines) + "\n").encode()


def csv_rows(count: int, seed: int = 2) -> bytes:
    """The resident register's CP932 rows."""
    drawn = random.Random(seed)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_HEADER)
    for at in _times(count):
        actor = drawn.randrange(400)
        writer.writerow(
            [
                f"令和8年{at.month}月{at.day}日 {at:%H:%M:%S}",
                f"s{actor:04d}",
                f"T-{actor:04d}",
                "住民票照会",
                "照会",
                f"00{drawn.randrange(90_000):08d}",
                "氏名",
                "1",
                "正常",
            ]
        )
    return out.getvalue().encode("cp932")


def auth_log(count: int, seed: int = 3) -> bytes:
    """sshd's lines of a Debian machine."""
    drawn = random.Random(seed)
    words = ("Accepted publickey", "Accepted publickey", "Failed password")
    lines = [
        f"{at:%b} {at.day:2d} {at:%H:%M:%S} adm1 sshd[{drawn.randrange(9000)}]: "
        f"{drawn.choice(words)} for adm{drawn.randrange(9)} from 10.9.0.{drawn.randrange(60)} "
        f"port {20_000 + drawn.randrange(40_000)} ssh2"
        for at in _times(count)
    ]
    return ("\n".join(lines) + "\n").encode()


def pgaudit(count: int, seed: int = 4) -> bytes:
    """PostgreSQL's log with pgAudit's session records."""
    drawn = random.Random(seed)
    lines = [
        f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d} JST [{drawn.randrange(900, 9000)}] "
        f"user=s{drawn.randrange(400):04d},db=resident,app=atena,client=10.3.1.{drawn.randrange(20, 220)} "
        f"LOG:  AUDIT: SESSION,{n},1,READ,SELECT,TABLE,public.address,"
        f'"select * from address where key = ${drawn.randrange(9)}",<not logged>'
        for n, at in enumerate(_times(count))
    ]
    return ("\n".join(lines) + "\n").encode()


_FILL = """
INSERT INTO events (log_index, source, received_at, delivery, class_uid, activity_id, activity, actor_id,
    actor_kind, actor_org_unit, affair, event_id, operation_name, outcome, session, subjects, subject_count,
    terminal_id, terminal_ip, time)
WITH cityHash64(number, {seed:UInt64}) AS h, intDiv(h, 400) % 90000 AS resident, h % 400 AS actor,
    intDiv(number * {days:UInt64}, {count:UInt64}) AS day,
    {first:DateTime64(6, 'UTC')} + toIntervalDay(day) + toIntervalMillisecond(
        intDiv((number * {days:UInt64}) % {count:UInt64} * 31500000, {count:UInt64})) AS at
SELECT {base:UInt64} + number,
    ['nhi-eligibility', 'nhi-eligibility', 'nhi-levy', 'resident-register', 'resident-register', 'atena',
     'long-term-care', 'latter-elderly', 'tax', 'welfare', 'intermediate-server', 'child', 'pension',
     'server-admin-terminal'][intDiv(h, 7) % 14 + 1],
    at + toIntervalSecond(40), 1, 6005, 2,
    ['view', 'view', 'view', 'view', 'view', 'search', 'print', 'login'][intDiv(h, 11) % 8 + 1] AS act,
    concat('s', leftPad(toString(actor), 4, '0')), 'staff', concat('unit/', toString(actor % 20)), 'affair',
    concat('e-', leftPad(toString({base:UInt64} + number), 12, '0')), '照会',
    if(intDiv(h, 13) % 100 = 0, 'failure', 'success'), hex(cityHash64(actor, day)),
    if(act IN ('search', 'login'), [], [concat('00', leftPad(toString(resident), 8, '0'))]),
    if(act IN ('search', 'login'), 0, 1), concat('T-', toString(actor)),
    concat('10.3.', toString(intDiv(actor, 100)), '.', toString(actor % 100)), at
FROM numbers({count:UInt64})
SETTINGS max_partitions_per_insert_block = 0, max_insert_threads = 1
"""
"""Events run evenly from 08:30 to 17:15 of every day in Japan."""


def fill(store: EventStore, count: int, days: int, *, base: int = 0, last: datetime = LAST_DAY) -> None:
    """Put so many events of so many days straight into the log: 400 staff, 90,000 residents, 12 systems."""
    store.command(
        _FILL.replace(" div ", " div "),
        {"count": count, "days": days, "base": base, "seed": base, "first": last - timedelta(days=days - 1)},
        purpose=Purpose.MIGRATE,
    )
