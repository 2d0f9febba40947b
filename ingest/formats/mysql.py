"""MySQL and MariaDB: who logged in, what they read, wrote, granted and changed.

Four products write four forms, and a delivery may hold any of them: MariaDB's server_audit as lines (in a file, or
behind a syslog header), MySQL Enterprise and Percona as JSON, and both as XML with everything in attributes (old) or
in children (new). All come under the same names: `timestamp server user host ip connection_id database object status
operation statement`; a profile maps these.

Times in XML and JSON are UTC by the vendors' manuals, with or without saying so; MariaDB's are local. The operation of
a statement is its first word. `Query Start`, `Query Status End` and the like are phases of a query that has a record
of its own, so they are an `operation` and no second look-up. Passwords in statements are masked.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from audit.clock import SystemClock
from audit.events import Activity, Outcome
from ingest.formats.mapping import Builtin, Mapper
from ingest.formats.mysql_lines import (
    LineError,
    Named,
    about_statement,
    decode_line,
    error_line,
    from_address,
    server_audit_line,
)
from ingest.formats.pieces import Form, Piece, cut, flat
from ingest.formats.sql import SQL_ACTIVITIES
from ingest.formats.syslog import SyslogError, parse_syslog
from ingest.formats.text import decode
from ingest.formats.xml_tree import Element, XmlError, parse_element
from ingest.model import Record, Refused
from ingest.sources.profile import Profile

__all__ = ["decode_mysql"]

_A = Activity
_BUILTIN = Builtin(
    fields={
        "timestamp": "time",
        "operation": "activity",
        "result": "outcome",
        "status": "outcome",
        "user": "actor.id",
        "ip": "terminal.ip",
        "connection_id": "session",
        "target": "target.id",
    },
    activities={
        **SQL_ACTIVITIES,
        **dict.fromkeys(("CONNECT", "FAILED_CONNECT", "PROXY_CONNECT", "CHANGEUSER"), _A.LOGIN),
        **dict.fromkeys(("Connect", "Change user", "connect", "change_user", "Access denied"), _A.LOGIN),
        **dict.fromkeys(("DISCONNECT", "Quit", "disconnect"), _A.LOGOUT),
        **dict.fromkeys(("READ", "TableRead", "read"), _A.VIEW),
        **dict.fromkeys(("TableInsert", "insert"), _A.CREATE),
        **dict.fromkeys(("WRITE", "TableUpdate", "update"), _A.UPDATE),
        **dict.fromkeys(("TableDelete", "delete"), _A.DELETE),
        # Who switches auditing on or off, or restarts the server with other options.
        **dict.fromkeys(("Audit", "NoAudit", "Startup", "startup", "shutdown"), _A.SECURITY_EVENT),
        "Shutdown": _A.MAINTENANCE,
        **dict.fromkeys(("READ mysql", "WRITE mysql"), _A.OPERATION),
        "*": _A.OPERATION,
    },
    outcomes={
        "0": Outcome.SUCCESS,
        # no privilege: for a database, a table, a column, a routine, a statement, for logging in at all
        **dict.fromkeys(("1044", "1142", "1143", "1227", "1370", "1698", "3118", "3955"), Outcome.DENIED),
        "*": Outcome.FAILURE,
    },
    constants={"actor.kind": "system"},
)
_SYSLOG = re.compile(
    rb"<[0-9]{1,3}>|[A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(?:Z|[+-][0-9:]{5}) \S+ \S+:"
)
_ACCOUNT = re.compile(r"(?P<user>.*?)\[(?P<privileges>.*?)\] @ (?P<host>\S*) \[(?P<ip>.*?)\]", re.DOTALL)
_ZONED = re.compile(r"(?:Z|[+-][0-9]{2}:?[0-9]{2})$")
_DATA = re.compile(r"[a-z_]+_data")
_WHOLE = frozenset({"Query", "Execute", "Prepare", "status", "log", "Long Data"})
"""Events whose statement is what was done; the others that carry one are its phases."""
_KNOWN = {
    "server_id": "server",
    "connection_id": "connection_id",
    "db": "database",
    "table": "object",
    "os_login": "os_user",
    "os_user": "os_user",
    "time": "unix_time",
}
"""Names in XML and JSON, in small letters and without what they are nested in, and the shared names."""


def decode_mysql(
    lines: Iterable[tuple[int, bytes]], profile: Profile, *, reference: datetime | None = None
) -> Iterator[Record | Refused]:
    """Decode an audit log of MySQL, MariaDB or Percona; see `ingest.model.Decoder`.

    Args:
        lines: number and bytes of every line.
        profile: how this source writes.
        reference: a moment near which the lines were written, for syslog's missing years; by default now.
    """
    mapper = Mapper(profile, _BUILTIN)
    near = reference or SystemClock().now()
    for piece in cut(lines, profile.encoding, "AUDIT_RECORD"):
        if piece.fault:
            yield Refused(piece.line, piece.raw, (piece.fault,))
            continue
        if not piece.raw.strip():
            continue
        try:
            doc, faults = mapper.document(_named(piece, profile, near))
        except (LineError, SyslogError, XmlError) as error:
            yield Refused(piece.line, piece.raw, (str(error),))
        except ValueError as error:
            yield Refused(piece.line, piece.raw, (f"record: {error}",))
        else:
            yield (Refused(piece.line, piece.raw, tuple(faults)) if faults else Record(piece.line, piece.raw, doc))


def _named(piece: Piece, profile: Profile, near: datetime) -> Named:
    if piece.form is Form.XML:
        return _xml(parse_element(decode(piece.raw, profile.encoding)))
    if piece.found is not None:
        inner = piece.found.get("audit_record")
        return _json(inner if isinstance(inner, dict) else dict(piece.found))
    return _line(piece.raw, piece.line == 1, profile, near)


def _line(raw: bytes, first: bool, profile: Profile, near: datetime) -> Named:
    text, mended = decode_line(raw, profile.encoding, first=first)
    named = server_audit_line(text) or error_line(text)
    if named is None and _SYSLOG.match(raw):
        header = parse_syslog(text, zone=profile.zone, reference=near)
        named = server_audit_line(header.message) or error_line(header.message)
        if named is not None and header.time is not None and named[0][0] != "timestamp":
            named.insert(0, ("timestamp", header.time.isoformat()))
    if named is None:
        raise LineError("record: neither an audit record nor a log line / 監査記録でもログ行でもありません")
    if mended:
        named.append(("truncated", "true"))
    return named


def _xml(record: Element) -> Named:
    said = {name.lower(): value for name, value in record.attributes.items()}
    said |= {child.name.lower(): child.text for child in record.children if not child.children}
    attributes = [
        (f"{child.name.lower()}.{_inner(pair, 'NAME') or pair.name.lower()}", _inner(pair, "VALUE") or pair.text)
        for child in record.children
        for pair in child.children
    ]
    event = said.pop("name", "")
    named: Named = [("timestamp", _utc(said.pop("timestamp", "")))]
    named += _account(said.pop("user", ""), said.pop("host", ""), said.pop("ip", ""))
    statement, verb = said.pop("sqltext", ""), said.get("command_class", "")
    named += _done(event, statement, verb) + [(_KNOWN.get(name, name), value) for name, value in said.items()]
    return named + attributes


def _inner(element: Element, name: str) -> str:
    found = element.child(name)
    return found.text if found else ""


def _json(found: dict[str, object]) -> Named:
    said: dict[str, str] = {}
    doubles: Named = []
    for path, value in flat(found):
        # `login.user` and `account.user` agree but for proxies: the first is kept in place, the second beside it
        group, _, leaf = path.rpartition(".")
        # names deeper down are chosen by clients (`connection_attributes`) and must not pass for the server's
        if leaf in said or not (group in {"", "account", "login"} or _DATA.fullmatch(group)):
            doubles.append((path, value))
        else:
            said[leaf] = value
    event = said.pop("event", "") or said.pop("name", "") or said.get("class", "")
    if said.get("class") == "table_access":
        said["statement"] = said.pop("query", "")
        said.pop("sqltext", None)
        done: Named = [("operation", event)]
    else:
        done = _done(event, said.pop("query", "") or said.pop("sqltext", ""), said.get("sql_command", ""))
    named: Named = [("timestamp", _utc(said.pop("timestamp", "")))]
    named += _account(said.pop("user", ""), said.pop("host", ""), said.pop("ip", ""))
    named += [(_KNOWN.get(name, name), value) for name, value in said.items()]
    return [*done, *named, *doubles]


def _done(event: str, statement: str, verb: str) -> Named:
    """The operation: a whole statement's first word, otherwise the event's own name."""
    if event not in _WHOLE:
        about = about_statement(statement, event)[1:] if statement else []
        return [("operation", event), *about]
    if not statement:
        return [("event", event), ("operation", verb.upper().replace("_", " ") or event)]
    return [("event", event), *about_statement(statement, event)]


def _account(user: str, host: str, ip: str) -> Named:
    """Who and from where: MySQL writes `root[root] @ localhost [127.0.0.1]` where it means all three."""
    named: Named = []
    if match := _ACCOUNT.fullmatch(user):
        user, host, ip = match["user"], host or match["host"], ip or match["ip"]
        if match["privileges"] != user:
            named.append(("priv_user", match["privileges"]))
    return [("user", user), *named, *(from_address(ip) if ip else ()), ("host", host)]


def _utc(text: str) -> str:
    """A time that is UTC by the manual, saying so."""
    bare = text.strip().removesuffix(" UTC")
    return bare if not bare or _ZONED.search(bare) else f"{bare}Z"
