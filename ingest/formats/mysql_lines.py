"""Lines of text that MariaDB and MySQL write about who came and what was done.

MariaDB's server_audit writes ten fields between commas and escapes only the statement. A user chooses the name given
at the door, so a name may try to look like more fields, or like a whole record with another outcome. A record
therefore has exactly one reading or none: no field but the statement may hold a comma, and what follows the operation
must fit to the last character. A limit on the statement's length may cut a character in two; that half is left out,
and said so.

Of the servers' own error logs, refused log-ins are read; anything else there is the server's and keeps its text.
"""

import re
from ipaddress import ip_address

from ingest.formats.sql import mask_secrets, statement_target, statement_word
from ingest.formats.text import TextError, decode

__all__ = ["LineError", "Named", "about_statement", "decode_line", "error_line", "from_address", "server_audit_line"]

Named = list[tuple[str, str]]
"""Names and values of one record, in order, under the names that every form of these logs shares."""

_RECORD = re.compile(
    r"(?:(?P<day>[0-9]{8}) (?P<clock>[0-9]{2}:[0-9]{2}:[0-9]{2}),| ?)"
    r"(?P<server>[^,\s]*),(?P<user>[^,]*),(?P<host>[^,]*),"
    r"(?P<connection>[0-9]+),(?P<query>[0-9]+),(?P<operation>[A-Z_]+),(?P<rest>.*)",
    re.DOTALL,
)
_BEGINS = re.compile(r"[0-9]{8} [0-9]{2}:[0-9]{2}:[0-9]{2},")
_STATEMENT = re.compile(r"(?P<database>[^,]*),'(?P<object>(?:[^'\\]|\\.)*+)',(?P<status>-?[0-9]+)", re.DOTALL)
_OTHER = re.compile(r"(?P<database>[^,]*),(?P<object>[^,]*),(?P<status>-?[0-9]*)(?:,(?P<tls>(?:TLS[^,]*)?))?")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_HALF = re.compile(rb"[\xc2-\xf4][\x80-\xbf]{0,2}(?=',-?[0-9]+\r?$)")
_ERROR_LOG = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{6})[T ] ?(?P<clock>[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?)"
    r"(?P<offset>Z|[+-][0-9]{2}:[0-9]{2})?\s+(?:(?P<connection>[0-9]+)\s+)?"
    r"(?:\[(?P<level>[A-Za-z]+)\](?: \[(?P<code>[^\]]*)\])?(?: \[(?P<subsystem>[^\]]*)\])?"
    r"|(?P<command>Connect|Quit|Query|Init DB|Prepare|Execute|Close stmt|Statistics))\s+(?P<message>.*)",
    re.DOTALL,
)
_DENIED = re.compile(
    r"Access denied for user '(?P<user>.*)'@'(?P<host>[^']*)'(?: to database '(?P<database>.*)')?"
    r"(?: \(using password: (?P<password>YES|NO)\))?",
    re.DOTALL,
)


class LineError(ValueError):
    """A line that has no reading; the message says which part has none."""


def decode_line(raw: bytes, encoding: str, *, first: bool) -> tuple[str, bool]:
    """A line as text, and whether half a character was left out where the statement had been cut.

    Raises:
        TextError: when its bytes are not text.
    """
    try:
        return decode(raw, encoding, first=first).removesuffix("\r"), False
    except TextError:
        mended, times = _HALF.subn(b"", raw)
        if encoding != "utf-8" or not times:
            raise
        return decode(mended, encoding, first=first).removesuffix("\r"), True


def server_audit_line(text: str) -> Named | None:
    """Read a line of MariaDB's server_audit; None when it is none.

    Raises:
        LineError: when it begins as one and does not go on as one.
    """
    match = _RECORD.fullmatch(text)
    if match is None and _BEGINS.match(text):
        raise LineError(
            "record: not ten fields; a name may hold a comma / 項目が 10 個になりません (名前に , がある等)"
        )
    if match is None:
        return None
    part = match.groupdict()
    form = _STATEMENT if part["operation"].startswith("QUERY") else _OTHER
    rest = form.fullmatch(part["rest"])
    if rest is None:
        event = part["operation"]
        raise LineError(f"{event}: what follows has no single reading / {event} の後の項目を一通りに読めません")
    part |= rest.groupdict()
    named: Named = []
    if day := part["day"]:
        named.append(("timestamp", f"{day[:4]}-{day[4:6]}-{day[6:]} {part['clock']}"))
    named += [("server", part["server"]), ("user", part["user"]), *from_address(part["host"])]
    named += [("connection_id", part["connection"]), ("query_id", part["query"]), ("database", part["database"])]
    named.append(("status", part["status"]))
    if form is _STATEMENT:
        statement = _ESCAPE.sub(lambda one: _ESCAPED.get(one[1], one[1]), part["object"])
        return [*named, ("event", part["operation"]), *about_statement(statement, part["operation"])]
    operation = part["operation"]
    if part["database"] == "mysql" and operation in {"READ", "WRITE"}:
        operation += " mysql"  # the server's own tables: statistics, privileges; whoever reads them has a statement
    return [*named, ("operation", operation), ("object", part["object"]), ("tls", part.get("tls") or "")]


def error_line(text: str) -> Named | None:
    """Read a line of an error log or general log; None when it is none."""
    match = _ERROR_LOG.fullmatch(text)
    if match is None:
        return None
    day, clock = match["day"], match["clock"]
    if "-" not in day:
        day = f"20{day[:2]}-{day[2:4]}-{day[4:]}"
    named: Named = [("timestamp", f"{day} {clock.zfill(len(clock) + (clock[1] == ':'))}{match['offset'] or ''}")]
    named += [(name, match[name] or "") for name in ("level", "code", "subsystem", "command")]
    named.append(("connection_id", match["connection"] or ""))
    message = match["message"]
    if denied := _DENIED.fullmatch(message):
        named += [("operation", "Access denied"), ("user", denied["user"]), *from_address(denied["host"])]
        named += [("database", denied["database"] or ""), ("using_password", denied["password"] or "")]
        return [*named, ("result", "denied" if denied["database"] else "failure")]
    if match["command"] in {"Query", "Prepare", "Execute"}:
        return [*named, *about_statement(message, match["command"])]
    return [*named, ("operation", match["command"] or match["level"]), ("message", message)]


def about_statement(statement: str, event: str) -> Named:
    """What a statement says: its word, whom it is about, and its text without passwords."""
    return [
        ("operation", statement_word(statement) or event),
        ("target", statement_target(statement)),
        ("statement", mask_secrets(statement)),
    ]


def from_address(host: str) -> Named:
    """A client's address, with the port that MariaDB 12 adds, or its name."""
    bare, _, port = host.rpartition(":")
    if not bare or not port.isdigit() or (":" in bare and not bare.startswith("[")):
        bare, port = host, ""
    try:
        return [("ip", str(ip_address(bare.strip("[]")))), ("port", port)]
    except ValueError:
        return [("host", host)]
