"""The text of Oracle's traditional audit: records in `.aud` files and syslog messages.

A record is a line with its time and then names and values, `ACTION :[7] 'CONNECT'`. The number is the value's length
in bytes: only that tells where a value ends, for a statement may hold quotes, line ends, and, if its author wants,
lines that look like the next record. So a line with a time begins a record only where no value is open. A value whose
length does not fit (a file cut off) is given up with its record, and reading goes on at the next line with a time.
Versions before 10g wrote no lengths; there a value ends at the next quote.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from audit.events import MAX_RECORD_BYTES
from ingest.formats.pieces import MAX_NAMES

__all__ = ["ACTION_NAMES", "Block", "PairError", "header_line", "read_blocks", "read_pairs"]

_MAX_LINES = 2000
_MAX_TRIES = 20
"""So many lines within values may look like the next record; more are made to keep a reader busy."""
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_AT = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?P<month>[A-Z][a-z]{2}) +(?P<day>[0-9]{1,2}) "
    r"(?P<clock>[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?) (?P<year>[0-9]{4})(?: ?(?P<offset>[+-][0-9]{2}:[0-9]{2}))?"
)
_PREAMBLE = re.compile(
    rb"Audit file |Oracle (?:Database|[0-9]+[a-z]? )|With the |and .* options|ORACLE_HOME|System name:|Node name:"
    rb"|Release:|Version|Machine:|Instance name:|Redo thread mounted|Oracle process number|Unix process pid|Build label"
    rb"|Windows |CPU |Process Affinity|Memory |VM name|Database (?:name|Id)|Unified Auditing|JServer"
)
_NAME = re.compile(
    rb"\s*(?P<name>[A-Za-z][A-Za-z0-9_$ ]{0,63}?) ?:? ?(?:\[(?P<length>[0-9]{1,7})\])? ?=? ?(?P<quote>['\"])"
)
_NUMBER = re.compile(rb"\s*(?P<name>[A-Za-z][A-Za-z0-9_$]*)\s*:\s*(?P<value>[0-9]+)(?=\s|$)")
_BLANK = re.compile(rb"\s*\Z")
ACTION_NAMES = {
    1: "CREATE TABLE", 2: "INSERT", 3: "SELECT", 4: "CREATE CLUSTER", 6: "UPDATE", 7: "DELETE", 9: "CREATE INDEX",
    10: "DROP INDEX", 11: "ALTER INDEX", 12: "DROP TABLE", 13: "CREATE SEQUENCE", 14: "ALTER SEQUENCE",
    15: "ALTER TABLE", 16: "DROP SEQUENCE", 17: "GRANT OBJECT", 18: "REVOKE OBJECT", 19: "CREATE SYNONYM",
    20: "DROP SYNONYM", 21: "CREATE VIEW", 22: "DROP VIEW", 24: "CREATE PROCEDURE", 25: "ALTER PROCEDURE", 26: "LOCK",
    28: "RENAME", 29: "COMMENT", 30: "AUDIT OBJECT", 31: "NOAUDIT OBJECT", 32: "CREATE DATABASE LINK",
    33: "DROP DATABASE LINK", 34: "CREATE DATABASE", 35: "ALTER DATABASE", 39: "CREATE TABLESPACE",
    40: "ALTER TABLESPACE", 41: "DROP TABLESPACE", 42: "ALTER SESSION", 43: "ALTER USER", 44: "COMMIT", 45: "ROLLBACK",
    46: "SAVEPOINT", 47: "PL/SQL EXECUTE", 48: "SET TRANSACTION", 49: "ALTER SYSTEM", 50: "EXPLAIN", 51: "CREATE USER",
    52: "CREATE ROLE", 53: "DROP USER", 54: "DROP ROLE", 55: "SET ROLE", 59: "CREATE TRIGGER", 60: "ALTER TRIGGER",
    61: "DROP TRIGGER", 65: "CREATE PROFILE", 66: "DROP PROFILE", 67: "ALTER PROFILE", 68: "DROP PROCEDURE",
    79: "ALTER ROLE", 85: "TRUNCATE TABLE", 91: "CREATE FUNCTION", 93: "DROP FUNCTION", 94: "CREATE PACKAGE",
    96: "DROP PACKAGE", 100: "LOGON", 101: "LOGOFF", 102: "LOGOFF BY CLEANUP", 103: "SESSION REC",
    104: "SYSTEM AUDIT", 105: "SYSTEM NOAUDIT", 106: "AUDIT DEFAULT", 107: "NOAUDIT DEFAULT", 108: "SYSTEM GRANT",
    109: "SYSTEM REVOKE", 110: "CREATE PUBLIC SYNONYM", 111: "DROP PUBLIC SYNONYM", 114: "GRANT ROLE",
    115: "REVOKE ROLE", 116: "EXECUTE PROCEDURE", 128: "FLASHBACK", 129: "CREATE SESSION", 189: "MERGE",
    197: "PURGE USER_RECYCLEBIN", 198: "PURGE DBA_RECYCLEBIN", 224: "DROP DIRECTORY", 225: "ALTER DATABASE LINK",
}  # fmt: skip
"""Names of actions by number, after the view AUDIT_ACTIONS."""


class PairError(ValueError):
    """Names and values that break their form; the message gives the position."""


class _OpenValueError(PairError):
    """A value that goes on in the next line, or should have, by so many bytes."""

    def __init__(self, at: int, missing: int) -> None:
        super().__init__(f"byte {at}: the value never ends / {at} バイト目からの値が途中で切れています")
        self.missing = missing


@dataclass(frozen=True, slots=True)
class Block:
    """One record: its bytes, and within them its time and what follows; or why it is none."""

    line: int
    raw: bytes
    at: str
    body: bytes
    fault: str = ""


def header_line(text: str) -> str:
    """The line in front of a record as an ISO time; empty when it is no such line."""
    match = _AT.fullmatch(text.strip())
    if match is None or match["month"] not in _MONTHS:
        return ""
    month = _MONTHS.index(match["month"]) + 1
    return f"{match['year']}-{month:02}-{int(match['day']):02}T{match['clock']}{match['offset'] or ''}"


def read_blocks(lines: Iterable[tuple[int, bytes]]) -> Iterator[Block]:
    """Cut text into records, leaving out what Oracle writes at the top of each file."""
    source = iter(lines)
    waiting: deque[tuple[int, bytes]] = deque()
    while (taken := waiting.popleft() if waiting else next(source, None)) is not None:
        line, raw = taken
        if not raw.strip() or _PREAMBLE.match(raw):
            continue
        at = header_line(raw.decode("latin-1"))
        if not at:
            yield Block(line, raw, "", raw.removesuffix(b"\r"))
            continue
        yield _record(line, raw, at, source, waiting)


def _record(
    line: int, raw: bytes, at: str, source: Iterator[tuple[int, bytes]], waiting: deque[tuple[int, bytes]]
) -> Block:
    """The record that a line with a time begins; what turns out to belong to the next goes back to the waiting."""
    held: list[tuple[int, bytes]] = []
    size, first_other, open_until, tries = 0, -1, 0, 0
    while (following := waiting.popleft() if waiting else next(source, None)) is not None:
        starts = bool(header_line(following[1].decode("latin-1")))
        if starts and size >= open_until:
            missing = _missing(held)
            tries += 1
            if missing == 0 or tries > _MAX_TRIES:
                waiting.appendleft(following)
                break
            first_other = len(held) if first_other < 0 else first_other
            open_until = size + missing
        held.append(following)
        size += len(following[1]) + 1
        if len(held) > _MAX_LINES or size > MAX_RECORD_BYTES:
            first_other = max(first_other, 1)
            break
    body = b"\n".join(part for _, part in held)
    if first_other >= 0 and (len(held) > _MAX_LINES or size > MAX_RECORD_BYTES or not _sound(body)):
        waiting.extendleft(reversed(held[first_other:]))
        held = held[:first_other]
        body = b"\n".join(part for _, part in held)
    body = body.rstrip()
    return Block(line, raw + (b"\n" + body if body else b""), at, body)


def _missing(held: list[tuple[int, bytes]]) -> int:
    """How many bytes an open value still wants."""
    try:
        read_pairs(b"\n".join(part for _, part in held))
    except _OpenValueError as error:
        return error.missing
    except PairError:
        return 0
    return 0


def _sound(body: bytes) -> bool:
    try:
        read_pairs(body)
    except PairError:
        return False
    return True


def read_pairs(body: bytes) -> list[tuple[bytes, bytes]]:
    """Names and values in order.

    Raises:
        PairError: naming the byte from which it cannot be read.
    """
    found: list[tuple[bytes, bytes]] = []
    at = 0
    while not _BLANK.match(body, at):
        if len(found) >= MAX_NAMES:
            raise PairError(f"more than {MAX_NAMES} names / 項目が {MAX_NAMES} を超えています")
        if bare := _NUMBER.match(body, at):
            found.append((bare["name"], bare["value"]))
            at = bare.end()
            continue
        name = _NAME.match(body, at)
        if name is None:
            raise PairError(f"no name and value at byte {at + 1} / {at + 1} バイト目から項目として読めません")
        quote = name["quote"]
        if name["length"] is None:
            end = body.find(quote, name.end())
        else:
            end = name.end() + int(name["length"])
            if end >= len(body):
                raise _OpenValueError(name.end(), end + 1 - len(body))
        if end < 0 or body[end : end + 1] != quote:
            raise PairError(f"byte {name.end()}: the value does not end where it should / 値の終わりが合いません")
        found.append((name["name"], body[name.end() : end]))
        at = end + 1
    if not found:
        raise PairError("no name and value / 項目がありません")
    return found
