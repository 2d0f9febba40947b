"""The integrated addressee database: PostgreSQL's stderr log with pgAudit session records.

As with `log_line_prefix = '%m [%p] user=%u,db=%d,app=%a,client=%h '`, `log_connections`,
`log_disconnections`, `log_timezone = 'Asia/Tokyo'`, `pgaudit.log = 'read, write'`,
`pgaudit.log_relation` and `pgaudit.log_rows`.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from detectors.lab.acts import Act

__all__ = ["pgaudit_lines"]

_CLASSES = {"SELECT": "READ", "INSERT": "WRITE", "UPDATE": "WRITE", "DELETE": "WRITE"}
_RULE = 'Connection matched pg_hba.conf line 97: "host all all 10.0.0.0/8 scram-sha-256"'
_RELATION = re.compile(r"(?:FROM|INTO|UPDATE)\s+([a-z_.]+)")


@dataclass(slots=True)
class _Connection:
    pid: int
    port: int
    opened: datetime
    statements: int = 0


def pgaudit_lines(acts: Iterable[tuple[int, Act]], rng: Random) -> Iterator[str]:
    """Connections, statements and disconnections; a line feed in a statement continues behind a tab."""
    connections: dict[str, _Connection] = {}
    pid = 2100
    for _, act in acts:
        if act.session not in connections:
            pid += rng.randint(1, 40)
            connections[act.session] = _Connection(pid, rng.randint(32768, 60999), act.at)
        own = connections[act.session]
        app = "psql" if act.person else "batch"
        head = f"[{own.pid}] user={act.actor},db=atena"
        known, early = (f"{head},app={name},client={act.address} " for name in (app, "[unknown]"))
        match act.activity, act.outcome:
            case "login", outcome:
                blank = f"[{own.pid}] user=[unknown],db=[unknown],app=[unknown],client={act.address} "
                yield f"{_time(act.at)} {blank}LOG:  connection received: host={act.address} port={own.port}"
                if outcome == "failure":
                    reason = f'password authentication failed for user "{act.actor}"'
                    yield f"{_time(act.at)} {early}FATAL:  {reason}"
                    yield f"{_time(act.at)} {early}DETAIL:  {_RULE}"
                    # The server closes a refused connection: the next attempt is a process of its own.
                    del connections[act.session]
                else:
                    text = f"connection authorized: user={act.actor} database=atena application_name={app}"
                    yield f"{_time(act.at)} {early}LOG:  {text}"
            case "logout", _:
                text = f"session time: {_elapsed(act.at - own.opened)} user={act.actor} database=atena"
                yield f"{_time(act.at)} {known}LOG:  disconnection: {text} host={act.address} port={own.port}"
            case _:
                own.statements += 1
                yield from f"{_time(act.at)} {known}LOG:  AUDIT: {_record(act, own.statements)}".splitlines()


def _record(act: Act, statement: int) -> str:
    command = act.detail.split()[0]
    relation = _RELATION.search(act.detail)
    kind, name = ("TABLE", relation[1]) if relation else ("", "")
    quoted = re.search(r'[,"\n]', act.detail)
    text = '"' + act.detail.replace('"', '""').replace("\n", "\n\t") + '"' if quoted else act.detail
    return f"SESSION,{statement},1,{_CLASSES[command]},{command},{kind},{name},{text},<not logged>,{act.hits}"


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03} JST"


def _elapsed(span: timedelta) -> str:
    minutes, seconds = divmod(span.total_seconds(), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02}:{seconds:06.3f}"
