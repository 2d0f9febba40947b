"""Oracle Database: the unified audit trail and the older audit files, in every form they leave the database in.

Unified auditing keeps its trail in the database; it arrives as an export of `UNIFIED_AUDIT_TRAIL` (CSV with the view's
column names, or JSON objects with them) or, in part, through syslog. Traditional auditing writes files: `.aud` text,
the same through syslog, and XML. All come under the column names of `UNIFIED_AUDIT_TRAIL`, which a profile maps;
what has no column there keeps its own name. Whether text holds CSV is told by its first line.

`EVENT_TIMESTAMP_UTC` goes before `EVENT_TIMESTAMP`, which is local to whoever exported it. Both may be written as
Oracle's `NLS` settings have it by default, in English or in Japan. Actions by number get their names. Passwords in
statements are masked.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain

from audit.clock import SystemClock
from audit.events import Activity, Outcome
from ingest.formats.csv_rows import read_rows
from ingest.formats.mapping import Builtin, Mapper
from ingest.formats.oracle_text import ACTION_NAMES, Block, header_line, read_blocks, read_pairs
from ingest.formats.pieces import Form, cut, flat
from ingest.formats.sql import SQL_ACTIVITIES, mask_secrets, statement_target, statement_word
from ingest.formats.syslog import SyslogError, parse_syslog
from ingest.formats.text import decode
from ingest.formats.xml_tree import XmlError, parse_element
from ingest.model import Record, Refused
from ingest.sources.profile import Profile

__all__ = ["decode_oracle"]

_A = Activity
_LOGINS = ("LOGON", "CONNECT", "PROXY AUTHENTICATION ONLY")
_BUILTIN = Builtin(
    fields={
        "EVENT_TIMESTAMP_UTC": "time",
        "EVENT_TIMESTAMP": "time",
        "ACTION_NAME": "activity",
        "RETURN_CODE": "outcome",
        "DBUSERNAME": "actor.id",
        "OS_USERNAME": "actor.id",
        "USERHOST": "terminal.id",
        "address": "terminal.ip",
        "SESSIONID": "session",
        "TARGET_USER": "target.id",
        "ROWS_PROCESSED": "query.hits",
    },
    activities={
        **SQL_ACTIVITIES,
        **dict.fromkeys(_LOGINS, _A.LOGIN),
        **dict.fromkeys(("LOGOFF", "LOGOFF BY CLEANUP", "DISCONNECT"), _A.LOGOUT),
        **dict.fromkeys(("CHANGE PASSWORD", "PASSWORD"), _A.CREDENTIAL_RESET),
        **dict.fromkeys(("ALTER USER", "CREATE PROFILE", "ALTER PROFILE", "DROP PROFILE"), _A.POLICY_CHANGE),
        **dict.fromkeys(("EXPORT", "UNLOAD"), _A.EXPORT),
        **dict.fromkeys(("IMPORT", "DIRECT PATH LOAD", "LOAD"), _A.IMPORT),
        **dict.fromkeys(("GRANT OBJECT", "GRANT ROLE", "SYSTEM GRANT"), _A.GRANT),
        **dict.fromkeys(("REVOKE OBJECT", "REVOKE ROLE", "SYSTEM REVOKE"), _A.REVOKE),
        **dict.fromkeys(("SYSTEM AUDIT", "SYSTEM NOAUDIT"), _A.POLICY_CHANGE),
        **dict.fromkeys(("STARTUP", "SHUTDOWN"), _A.MAINTENANCE),
        **dict.fromkeys(("BACKUP", "RMAN BACKUP"), _A.BACKUP),
        **dict.fromkeys(("RESTORE", "RECOVER", "RMAN RESTORE", "RMAN RECOVER"), _A.RESTORE),
        # only for the session's own convenience
        **dict.fromkeys(("ALTER SESSION", "SET ROLE"), _A.OPERATION),
        "*": _A.OPERATION,
    },
    outcomes={
        # 28002, 28011: logged in, and told that the password expires soon
        **dict.fromkeys(("0", "28002", "28011"), Outcome.SUCCESS),
        # no privilege; no CREATE SESSION; account locked; password expired; restricted session; refused by policy
        **dict.fromkeys(("1031", "1045", "28000", "28001", "1035", "47306", "46373"), Outcome.DENIED),
        "*": Outcome.FAILURE,
    },
    constants={"actor.kind": "system"},
)
_COLUMNS: Mapping[str, str] = {
    "EVENTTIMESTAMPUTC": "EVENT_TIMESTAMP_UTC",
    **dict.fromkeys(("EVENTTIMESTAMP", "EXTENDEDTIMESTAMP", "TIMESTAMP"), "EVENT_TIMESTAMP"),
    **dict.fromkeys(("DBUSERNAME", "DBUSER", "DATABASEUSER", "USERID", "USERNAME"), "DBUSERNAME"),
    **dict.fromkeys(("OSUSERNAME", "OSUSER", "CLIENTUSER", "OSUSERID"), "OS_USERNAME"),
    **dict.fromkeys(("USERHOST", "OSHOST"), "USERHOST"),
    **dict.fromkeys(("TERMINAL", "CLIENTTERMINAL"), "TERMINAL"),
    **dict.fromkeys(("ACTIONNAME", "ACTION"), "ACTION_NAME"),
    **dict.fromkeys(("RETURNCODE", "RETCODE", "STATUS"), "RETURN_CODE"),
    **dict.fromkeys(("OBJECTSCHEMA", "SCHEMA", "OBJCREATOR", "OWNER"), "OBJECT_SCHEMA"),
    **dict.fromkeys(("OBJECTNAME", "OBJNAME"), "OBJECT_NAME"),
    **dict.fromkeys(("SQLTEXT",), "SQL_TEXT"),
    **dict.fromkeys(("SESSIONID", "SESID"), "SESSIONID"),
    **dict.fromkeys(("TARGETUSER", "AUTHGRANTEE", "GRANTEE"), "TARGET_USER"),
    **dict.fromkeys(("COMMENTTEXT", "AUTHENTICATIONTYPE"), "AUTHENTICATION_TYPE"),
    **dict.fromkeys(("CLIENTIDENTIFIER", "CLIENTID"), "CLIENT_IDENTIFIER"),
    **dict.fromkeys(("PRIVUSED", "PRIVILEGE", "SYSTEMPRIVILEGEUSED"), "SYSTEM_PRIVILEGE_USED"),
}
"""What the forms call the columns, in capitals and without signs, and the view's own names."""
_SIGNS = re.compile(r"[^A-Z0-9]")
_HOST = re.compile(r"\(HOST=([^()\s]+)\)", re.IGNORECASE)
_ORA = re.compile(r"(?:ORA-)?0*([0-9]+)")
_NLS = re.compile(
    r"(?P<a>[0-9]{2})-(?P<month>[A-Z]{3}|[0-9]{2})-(?P<b>[0-9]{2}) "
    r"(?P<hour>[0-9]{2})[.:](?P<minute>[0-9]{2})[.:](?P<second>[0-9]{2})(?P<fraction>\.[0-9]{1,9})?"
    r"(?: (?P<half>[AP]M))?(?: ?(?P<offset>[+-][0-9]{2}:[0-9]{2}))?"
)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_ZONED = re.compile(r"(?:Z|[+-][0-9]{2}:?[0-9]{2})$")
_SYSLOG = re.compile(rb"<[0-9]{1,3}>|[A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2} [^0-9]")
_TAG = re.compile(rb"\s*(?:Oracle (?:Unified )?Audit\[[0-9]*\]: ?)?(?:\[ID [0-9]+ [a-z0-9.]+\] ?)?")
"""What stands in front of a syslog message: the program with its number, and on Solaris the message's own."""
_TELLING = frozenset({"DBUSERNAME", "ACTION_NAME", "EVENT_TIMESTAMP", "EVENT_TIMESTAMP_UTC", "RETURN_CODE"})
Named = list[tuple[str, str]]


def decode_oracle(
    lines: Iterable[tuple[int, bytes]], profile: Profile, *, reference: datetime | None = None
) -> Iterator[Record | Refused]:
    """Decode an Oracle audit trail; see `ingest.model.Decoder`.

    Args:
        lines: number and bytes of every line.
        profile: how this source writes.
        reference: a moment near which the lines were written, for syslog's missing years; by default now.
    """
    mapper = Mapper(profile, _BUILTIN)
    source = iter(lines)
    first = next(((line, raw) for line, raw in source if raw.strip()), None)
    if first is None:
        return
    everything = chain([first], source)
    start = first[1].removeprefix(b"\xef\xbb\xbf").lstrip()
    found: Iterator[tuple[int, bytes, Named | str]]
    if _is_header(first[1], profile):
        found = _rows(everything, profile)
    elif start.startswith((b"<?xml", b"<Audit", b"{", b"[")):
        found = _objects(everything, profile)
    else:
        near = reference or SystemClock().now()
        found = ((block.line, block.raw, _block(block, profile, near)) for block in read_blocks(everything))
    for line, raw, named in found:
        doc, faults = ({}, [named]) if isinstance(named, str) else mapper.document(_judged(named))
        yield Refused(line, raw, tuple(faults)) if faults else Record(line, raw, doc)


def _column(name: str) -> str:
    return _COLUMNS.get(_SIGNS.sub("", name.upper()), name)


def _is_header(raw: bytes, profile: Profile) -> bool:
    names = {_column(name.strip(' "\r')) for name in raw.decode("latin-1").split(profile.delimiter)}
    return len(names & _TELLING) >= 2


def _rows(lines: Iterable[tuple[int, bytes]], profile: Profile) -> Iterator[tuple[int, bytes, Named | str]]:
    """The rows of an export; SQL*Plus repeats the header from page to page."""
    names: list[str] = []
    for line, raw, read in read_rows(lines, profile):
        if isinstance(read, str):
            yield line, raw, read
        elif not names:
            names = [_column(name.strip()) for name in read]
        elif [_column(name.strip()) for name in read] == names:
            continue
        elif len(read) != len(names):
            english = f"record: {len(read)} columns where {len(names)} belong"
            yield line, raw, f"{english} / 列が {len(read)} 個あります ({len(names)} 個のはずです)"
        else:
            yield line, raw, list(zip(names, read, strict=True))


def _objects(lines: Iterable[tuple[int, bytes]], profile: Profile) -> Iterator[tuple[int, bytes, Named | str]]:
    for piece in cut(lines, profile.encoding, "AuditRecord"):
        said: Named | str = piece.fault
        if not piece.fault and not piece.raw.strip():
            continue
        try:
            if piece.fault:
                pass
            elif piece.form is Form.XML:
                record = parse_element(decode(piece.raw, profile.encoding))
                said = [(_column(child.name), child.text) for child in record.children]
            elif piece.found is not None:
                said = [(_column(name), value) for name, value in flat(piece.found)]
            else:
                said = "record: neither an AuditRecord nor an object / AuditRecord でもオブジェクトでもありません"
        except XmlError as error:
            said = str(error)
        except ValueError as error:
            said = f"record: {error}"
        yield piece.line, piece.raw, said


def _block(block: Block, profile: Profile, near: datetime) -> Named | str:
    """One record of text: its time stands in front of it, or in a syslog header."""
    if block.fault:
        return block.fault
    named: Named = []
    body = block.body
    encoding = "utf-8" if profile.encoding.startswith("utf-16") else profile.encoding  # the reader has converted it
    try:
        if block.at:
            named.append(("EVENT_TIMESTAMP", block.at))
        elif _SYSLOG.match(body):
            header = parse_syslog(decode(body, profile.encoding), zone=profile.zone, reference=near)
            body = header.message.encode(encoding)
            named += [("host", header.host or ""), ("EVENT_TIMESTAMP", header.time.isoformat() if header.time else "")]
        tag = _TAG.match(body)
        pairs = read_pairs(body[tag.end() :] if tag else body)
        said = [(decode(name, profile.encoding), decode(value, profile.encoding)) for name, value in pairs]
    except SyslogError as error:
        return str(error)
    except ValueError as error:
        return f"record: {error}"
    return [*named, *((_column(name), value) for name, value in said)]


def _judged(named: Named) -> Named:
    """What a record says and what follows from it."""
    said: dict[str, str] = {}
    doubles: Named = []
    for name, value in named:
        if value.strip() and said.setdefault(name, value) is not value:
            doubles.append((name, value))
    for name in ("EVENT_TIMESTAMP_UTC", "EVENT_TIMESTAMP"):
        if written := said.get(name):
            said[name] = _iso(written.strip(), utc=name.endswith("UTC"))
    about = _action(said)
    if code := _ORA.fullmatch(said.get("RETURN_CODE", "").strip()):
        said["RETURN_CODE"] = code[1]
    if host := said.get("USERHOST"):
        said["USERHOST"] = host.rpartition("\\")[2]  # Windows writes its domain in front
    if said.get("DBUSERNAME", "").strip() == "/":
        # signed in by the operating system: its user is who acted
        said["connected_as"] = said.pop("DBUSERNAME")
    if (client := _HOST.search(said.get("AUTHENTICATION_TYPE", ""))) and _looks_like_address(client[1]):
        about.append(("address", client[1]))
    return [*about, *said.items(), *doubles]


def _action(said: dict[str, str]) -> Named:
    """The action's name and the statement without its passwords, taken out of what a record says."""
    action, statement = said.pop("ACTION_NAME", "").strip(), said.pop("SQL_TEXT", "")
    if action.isascii() and action.isdigit():
        said["ACTION"] = action
        action = ACTION_NAMES.get(int(action[:9]), action)
    elif " " in action and not statement and action not in _BUILTIN.activities:
        statement, action = action, ""  # SYS: the action is the statement itself
    if not statement:
        return [("ACTION_NAME", action)]
    if not action or action == "ALTER USER":
        action = statement_word(statement)
    if target := statement_target(statement):
        said.setdefault("TARGET_USER", target)
    return [("ACTION_NAME", action), ("statement", mask_secrets(statement, backslash=False))]


def _looks_like_address(text: str) -> bool:
    return ":" in text or text.replace(".", "").isdigit()


def _iso(text: str, *, utc: bool) -> str:
    """A time as Oracle writes it by default, as ISO has it; other forms as they are, for the profile's patterns."""
    match = _NLS.fullmatch(text)
    if match is None:
        at = header_line(text) or text
    else:
        month = match["month"]
        year, number, day = match["a"], month, match["b"]  # Japan: RR-MM-DD
        if month in _MONTHS:
            year, number, day = match["b"], f"{_MONTHS.index(month) + 1:02}", match["a"]
        hour = int(match["hour"])
        if match["half"]:
            hour = hour % 12 + (12 if match["half"] == "PM" else 0)
        at = f"20{year}-{number}-{day}T{hour:02}:{match['minute']}:{match['second']}{match['fraction'] or ''}"
        at += match["offset"] or ""
    return f"{at}Z" if utc and not _ZONED.search(at) else at
