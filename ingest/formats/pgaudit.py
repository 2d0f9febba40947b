"""PostgreSQL with pgAudit: who logged in, what they read, wrote, granted and changed.

pgAudit writes its line once the statement has been allowed; should it fail afterwards, PostgreSQL writes an
ERROR line of its own, and a refused statement has only that one. So an AUDIT record is a success, and its
failure, if any, is the event after it. One statement can make several records (`substatement_id`); each is an
event.
"""

import re
from collections.abc import Iterable, Iterator
from ipaddress import ip_address

from audit.events import Activity, Outcome
from ingest.formats.csv_rows import RowError, split_row
from ingest.formats.japanese import parse_number
from ingest.formats.pg_entries import Entry, read_entries
from ingest.formats.text import present
from ingest.model import Doc, Record, Refused
from ingest.sources.profile import Profile

__all__ = ["AuditError", "audit_fields", "decode_pgaudit"]

_AUDIT = "AUDIT: "
_FIELDS = [
    "audit_type",
    "statement_id",
    "substatement_id",
    "class",
    "command",
    "object_type",
    "object_name",
    "statement",
    "parameter",
    "rows",
]
_ALWAYS = 9
_A = Activity
_WRITES = {
    "INSERT": _A.CREATE,
    "UPDATE": _A.UPDATE,
    "MERGE": _A.UPDATE,
    "DELETE": _A.DELETE,
    "TRUNCATE": _A.DELETE,
    "TRUNCATE TABLE": _A.DELETE,
    "COPY": _A.IMPORT,
    "COPY FROM": _A.IMPORT,
}
_ROLES = {
    "GRANT": _A.GRANT,
    "GRANT ROLE": _A.GRANT,
    "REVOKE": _A.REVOKE,
    "REVOKE ROLE": _A.REVOKE,
    "CREATE ROLE": _A.CREDENTIAL_ISSUE,
    "CREATE USER": _A.CREDENTIAL_ISSUE,
    "CREATE USER MAPPING": _A.CREDENTIAL_ISSUE,
    "ALTER USER MAPPING": _A.CREDENTIAL_RESET,
    "DROP ROLE": _A.REVOKE,
    "DROP USER": _A.REVOKE,
    "DROP USER MAPPING": _A.REVOKE,
}
_NAME = r'("(?:[^"]|"")+"|[\w$]+)'
_ABOUT_ROLE = re.compile(
    rf"\s*(?:CREATE|ALTER|DROP)\s+(?:ROLE|USER|GROUP)\s+(?:IF\s+EXISTS\s+)?(?!MAPPING\b){_NAME}",
    re.IGNORECASE,
)
_GRANTEE = re.compile(rf".*\b(?:TO|FROM)\s+(?:GROUP\s+)?{_NAME}", re.IGNORECASE | re.DOTALL)
"""The first of those named; the statement is kept whole beside it."""
_PASSWORD = re.compile(r"\bPASSWORD\b", re.IGNORECASE)

_AUTHORIZED = re.compile(
    r"(?:replication )?connection authorized: user=(?P<user>.*?)"
    r"(?: database=(?P<database>\S*))?(?: application_name=.*)?(?: SSL enabled .*)?",
    re.DOTALL,
)
_DISCONNECTED = re.compile(
    r"disconnection: session time: (?P<session_time>\S+) user=(?P<user>.*) database=(?P<database>.*) "
    r"host=(?P<client>\S+)(?: port=(?P<port>[0-9]+))?",
    re.DOTALL,
)
_LOGIN_FAILURES = (
    (
        re.compile(r'(?P<method>[\w-]+) authentication failed for user "(?P<user>.*)"', re.DOTALL),
        Outcome.FAILURE,
    ),
    (re.compile(r'role "(?P<user>.*)" does not exist', re.DOTALL), Outcome.FAILURE),
    (re.compile(r'database "(?P<database>.*)" does not exist', re.DOTALL), Outcome.FAILURE),
    (re.compile(r'too many connections for (?:role|database) ".*"', re.DOTALL), Outcome.FAILURE),
    (re.compile(r'role "(?P<user>.*)" is not permitted to log in', re.DOTALL), Outcome.DENIED),
    (re.compile(r'permission denied for database "(?P<database>.*)"', re.DOTALL), Outcome.DENIED),
    (
        re.compile(
            r"(?:no pg_hba\.conf entry|pg_hba\.conf rejects connection) for "
            r"(?:replication connection from )?host "
            r'"(?P<client>[^"]*)", user "(?P<user>.*?)"(?:, database "(?P<database>.*?)")?(?:, .*)?',
            re.DOTALL,
        ),
        Outcome.DENIED,
    ),
)
_FAILURES = frozenset({"ERROR", "FATAL", "PANIC"})
_NO_PRIVILEGE = "42501"


class AuditError(ValueError):
    """An AUDIT payload that breaks pgAudit's form; the message says how."""


def decode_pgaudit(lines: Iterable[tuple[int, bytes]], profile: Profile) -> Iterator[Record | Refused]:
    """Decode a PostgreSQL server log; see `ingest.model.Decoder`."""
    for entry in read_entries(lines, profile):
        if isinstance(entry, Refused):
            yield entry
            continue
        try:
            yield Record(entry.line, entry.raw, _document(entry, profile))
        except AuditError as error:
            yield Refused(entry.line, entry.raw, (f"AUDIT: {error}",))


def audit_fields(payload: str) -> dict[str, str]:
    """Read what follows `AUDIT: `.

    Raises:
        AuditError: when it is not nine or ten fields of CSV.
    """
    try:
        cells = split_row(payload, ",")
    except RowError as error:
        raise AuditError(str(error)) from error
    if not _ALWAYS <= len(cells) <= len(_FIELDS):
        raise AuditError(
            f"{len(cells)} fields where 9 or 10 belong / 項目が {len(cells)} 個あります (9 か 10 のはずです)"
        )
    if cells[0] not in {"SESSION", "OBJECT"}:
        raise AuditError("neither SESSION nor OBJECT / SESSION でも OBJECT でもありません")
    return dict(zip(_FIELDS, cells, strict=False))


def _document(entry: Entry, profile: Profile) -> Doc:
    facts = dict(entry.facts)
    doc: Doc = {
        "time": entry.at.isoformat(),
        "activity": _A.OPERATION.value,
        "operation_name": entry.severity,
    }
    unmapped: dict[str, object] = {"severity": entry.severity}
    if entry.message.startswith(_AUDIT):
        _audit(doc, unmapped, audit_fields(entry.message.removeprefix(_AUDIT)))
    else:
        unmapped["message"] = entry.message
        _message(doc, facts, entry)
    user = facts.pop("user", None)
    doc["actor"] = {"id": str(user)} if user else {"kind": "system"}
    if client := facts.pop("client", None):
        try:
            ip_address(str(client))
            doc["terminal"] = {"ip": str(client)}
        except ValueError:
            unmapped["client"] = str(client)
    session, number = facts.get("session_id"), facts.get("session_line")
    if session:
        doc["session"] = str(session)
        if number is not None:
            doc["event_id"] = f"{session}:{number}"
    for path, value in profile.constants.items():
        if "." not in path:
            doc.setdefault(path, value)
    doc["unmapped"] = unmapped | present(facts)
    return doc


def _audit(doc: Doc, unmapped: dict[str, object], fields: dict[str, str]) -> None:
    kind, command, statement = fields["class"], fields["command"], fields["statement"]
    activity = _A.OPERATION
    if kind == "READ":
        activity = _A.EXPORT if command.startswith("COPY") else _A.VIEW
    elif kind == "WRITE":
        activity = _WRITES.get(command, _A.UPDATE)
    elif kind == "DDL":
        activity = _ROLES.get(command, _A.CONFIG_CHANGE) if command.endswith("USER MAPPING") else _A.CONFIG_CHANGE
    elif kind == "ROLE":
        changed = _A.CREDENTIAL_RESET if _PASSWORD.search(statement) else _A.POLICY_CHANGE
        activity = _ROLES.get(command, changed)
        target = _GRANTEE.match(statement) if activity in {_A.GRANT, _A.REVOKE} else None
        if target := target or _ABOUT_ROLE.match(statement):
            doc["target"] = {"id": _unquote(target[1])}
    doc |= {"activity": activity.value, "outcome": Outcome.SUCCESS.value}
    doc["operation_name"] = command or kind
    rows = fields.get("rows", "")
    if kind == "READ" and rows:
        try:
            doc["query"] = {"hits": parse_number(rows)}
        except ValueError as error:
            raise AuditError(f"rows: {error}") from error
    unmapped |= present(dict(fields))


def _unquote(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def _message(doc: Doc, facts: dict[str, object], entry: Entry) -> None:
    """What PostgreSQL itself says; a name in the message stands in for one the prefix lacks."""
    if entry.severity == "LOG":
        if match := _AUTHORIZED.fullmatch(entry.message):
            doc |= {"activity": _A.LOGIN.value, "outcome": Outcome.SUCCESS.value}
            doc["operation_name"] = "connection authorized"
            _fill(facts, match)
        elif match := _DISCONNECTED.fullmatch(entry.message):
            doc |= {"activity": _A.LOGOUT.value, "outcome": Outcome.SUCCESS.value}
            doc["operation_name"] = "disconnection"
            _fill(facts, match)
        return
    if entry.severity not in _FAILURES:
        return
    denied = facts.get("sqlstate") == _NO_PRIVILEGE or entry.message.startswith("permission denied")
    doc["outcome"] = (Outcome.DENIED if denied else Outcome.FAILURE).value
    if entry.severity != "FATAL":
        return
    for pattern, outcome in _LOGIN_FAILURES:
        if match := pattern.fullmatch(entry.message):
            doc |= {"activity": _A.LOGIN.value, "outcome": outcome.value}
            doc["operation_name"] = "connection refused" if outcome is Outcome.DENIED else "authentication failed"
            _fill(facts, match)
            if method := facts.pop("method", None):
                doc["auth"] = {"factors": [str(method).lower()]}
            return


def _fill(facts: dict[str, object], match: re.Match[str]) -> None:
    for name, value in match.groupdict().items():
        if value:
            facts.setdefault(name, value)
