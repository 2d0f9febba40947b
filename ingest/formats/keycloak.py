"""Keycloak: sign-ins and what administrators change, as log lines and as JSON.

The `jboss-logging` listener writes `type="LOGIN", realmId="…", …` into the server's log, which may be plain text, JSON
or syslog; before version 22 without quotes. Exports and the admin API give events and admin events as JSON objects,
their moment in milliseconds since 1970. Both come under the same names; what is not one of an event's own fields is
`details.…`. A name that stands twice in a line keeps its first value: the event's own fields are written first, and
what a visitor typed must not replace them.

A person is named by what was typed to sign in, and where that is not written by Keycloak's own id; `userId` is kept
beside it. A profile that maps `userId` to `actor.id` turns this around. Secrets in an administrator's `representation`
are masked.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from audit.clock import SystemClock
from audit.events import Activity, Outcome, parse_json
from ingest.formats.mapping import Builtin, Mapper
from ingest.formats.pieces import MAX_NAMES, Form, Piece, cut, flat
from ingest.formats.syslog import SyslogError, parse_syslog
from ingest.formats.text import decode
from ingest.model import Record, Refused
from ingest.sources.profile import Profile

__all__ = ["decode_keycloak"]

_A = Activity
_MASKED = "[秘匿]"
_SIGN_INS = ("LOGIN", "IDENTITY_PROVIDER_LOGIN", "CLIENT_LOGIN", "IDENTITY_PROVIDER_POST_LOGIN", "VERIFY_X509")
_CREDENTIALS = (
    "UPDATE_PASSWORD", "RESET_PASSWORD", "UPDATE_TOTP", "REMOVE_TOTP", "UPDATE_CREDENTIAL", "REMOVE_CREDENTIAL",
)  # fmt: skip
_LINKS = ("FEDERATED_IDENTITY_LINK", "FEDERATED_IDENTITY_OVERRIDE_LINK", "REMOVE_FEDERATED_IDENTITY")
_TYPES: Mapping[str, str] = {
    **dict.fromkeys(_SIGN_INS, _A.LOGIN),
    "LOGOUT": _A.LOGOUT,
    "REGISTER": _A.CREDENTIAL_ISSUE,
    **dict.fromkeys(_CREDENTIALS, _A.CREDENTIAL_RESET),
    **dict.fromkeys(("UPDATE_PROFILE", "UPDATE_EMAIL"), _A.UPDATE),
    **dict.fromkeys(("GRANT_CONSENT", "UPDATE_CONSENT"), _A.GRANT),
    **dict.fromkeys(("REVOKE_GRANT", "DELETE_ACCOUNT"), _A.REVOKE),
    **dict.fromkeys(("USER_DISABLED_BY_TEMPORARY_LOCKOUT", "USER_DISABLED_BY_PERMANENT_LOCKOUT"), _A.LOCK),
    **dict.fromkeys(("IMPERSONATE", "SEND_RESET_PASSWORD", "RESET_PASSWORD_SEND"), _A.SECURITY_EVENT),
    **dict.fromkeys(_LINKS, _A.POLICY_CHANGE),
    "PERMISSION_TOKEN": _A.AUTHORIZE,
}
_MEMBERSHIPS = ("REALM_ROLE_MAPPING", "CLIENT_ROLE_MAPPING", "GROUP_MEMBERSHIP")
_BUILTIN = Builtin(
    fields={
        "time": "time",
        "operation": "activity",
        "error": "outcome",
        "result": "outcome",
        "details.username": "actor.id",
        "userId": "actor.id",
        "kind": "actor.kind",
        "ipAddress": "terminal.ip",
        "sessionId": "session",
        "details.code_id": "session",
        "id": "event_id",
        "target": "target.id",
    },
    activities={
        **_TYPES,
        **{f"{word}_ERROR": ours for word, ours in _TYPES.items()},
        "CREATE USER": _A.CREDENTIAL_ISSUE,
        "UPDATE USER": _A.POLICY_CHANGE,
        "DELETE USER": _A.REVOKE,
        "ACTION USER reset-password": _A.CREDENTIAL_RESET,
        **{f"CREATE {what}": _A.GRANT for what in _MEMBERSHIPS},
        **{f"DELETE {what}": _A.REVOKE for what in _MEMBERSHIPS},
        "DELETE USER_SESSION": _A.SECURITY_EVENT,
        **dict.fromkeys(("CREATE *", "UPDATE *", "DELETE *", "ACTION *"), _A.CONFIG_CHANGE),
        "*": _A.OPERATION,
    },
    outcomes={
        **dict.fromkeys(("user_disabled", "user_temporarily_disabled", "client_disabled"), Outcome.DENIED),
        **dict.fromkeys(("access_denied", "not_allowed", "permission_denied", "rejected_by_user"), Outcome.DENIED),
        **dict.fromkeys(("user_session_limit_exceeded", "session_expired", "ssl_required"), Outcome.DENIED),
        "*": Outcome.FAILURE,
    },
    constants={"actor.kind": "system"},
)
_HEAD = re.compile(
    r"(?P<time>[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9:]{8}(?:[.,][0-9]{1,9})?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)"
    r"\s+(?P<level>[A-Z]+)\s+\[(?P<logger>[^\]]*)\]\s+\((?P<thread>[^)]*)\)\s+(?P<message>.*)",
    re.DOTALL,
)
_PAIR = re.compile(
    r"(?P<name>[\w.\-]+)=(?:\"(?P<double>(?:[^\"\\]|\\.)*+)\"|'(?P<single>(?:[^'\\]|\\.)*+)'|(?P<bare>.*?))"
    r"(?:, (?=[\w.\-]+=)|\s*\Z)",
    re.DOTALL,
)
_OWN = (
    "type", "operationType", "realmId", "realmName", "clientId", "userId", "sessionId", "ipAddress", "error",
    "resourceType", "resourcePath", "id", "time",
)  # fmt: skip
"""An event's own fields; in a line everything else is a detail of it."""
_SYSLOG = re.compile(rb"<[0-9]{1,3}>|[A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:")
_USER_PATH = re.compile(r"users/([^/]+)")
_SECRET = re.compile(r"password|secret|^value$|credential|token|private", re.IGNORECASE)
_SECRET_TEXT = re.compile(r'("[^"]*(?:password|secret|value|token)[^"]*"\s*:\s*)"(?:[^"\\]|\\.)*+"?', re.IGNORECASE)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def decode_keycloak(
    lines: Iterable[tuple[int, bytes]], profile: Profile, *, reference: datetime | None = None
) -> Iterator[Record | Refused]:
    """Decode Keycloak's events; see `ingest.model.Decoder`.

    Args:
        lines: number and bytes of every line.
        profile: how this source writes.
        reference: a moment near which the lines were written, for syslog's missing years; by default now.
    """
    mapper = Mapper(profile, _BUILTIN)
    near = reference or SystemClock().now()
    for piece in cut(lines, profile.encoding):
        if piece.fault:
            yield Refused(piece.line, piece.raw, (piece.fault,))
            continue
        if not piece.raw.strip():
            continue
        try:
            doc, faults = mapper.document(_judged(_said(piece, profile, near)))
        except SyslogError as error:
            doc, faults = {}, [str(error)]
        except ValueError as error:
            doc, faults = {}, [f"record: {error}"]
        yield Refused(piece.line, piece.raw, tuple(faults)) if faults else Record(piece.line, piece.raw, doc)


def _said(piece: Piece, profile: Profile, near: datetime) -> dict[str, str]:
    if piece.form is Form.JSON and piece.found is not None:
        return _object(dict(piece.found))
    text = decode(piece.raw, profile.encoding, first=piece.line == 1).removesuffix("\r")
    if not _SYSLOG.match(piece.raw):
        return _text(text)
    header = parse_syslog(text, zone=profile.zone, reference=near)
    message = header.message.lstrip()
    found, _ = parse_json(message.encode()) if message.startswith("{") else (None, None)
    said = _text(message) if found is None else _object(found)
    if header.time is not None:
        said.setdefault("time", header.time.isoformat())
    return said | ({"host": header.host} if header.host else {})


def _object(found: dict[str, Any]) -> dict[str, str]:
    """An event, an admin event, or a log line in JSON whose message is either."""
    message = found.get("message")
    if isinstance(message, str) and "type" not in found and "operationType" not in found:
        said = _text(message)
        said.setdefault("time", str(found.get("timestamp", found.get("@timestamp", ""))))
        rest = {name: value for name, value in found.items() if name not in {"message", "timestamp"}}
        return said | {f"log.{name}": value for name, value in flat(rest)}
    if isinstance(shown := found.get("representation"), str):
        found["representation"] = _masked(shown)
    elif shown is not None:
        found["representation"] = _without_secrets(shown)
    acting = found.pop("authDetails", None)
    said = dict(flat(found))
    if isinstance(acting, dict):
        for name, value in flat(acting):
            said.setdefault("auth.realmId" if name == "realmId" else name, value)
    millis = found.get("time")
    if type(millis) is int:
        said["time"] = _moment(millis)
    return said


def _moment(millis: int) -> str:
    try:
        return (_EPOCH + timedelta(milliseconds=millis)).isoformat()
    except OverflowError as error:
        raise ValueError("time: no such moment / 存在しない時刻です") from error


def _text(text: str) -> dict[str, str]:
    """A line of the server's log; a message that is no event keeps its text."""
    said: dict[str, str] = {}
    if head := _HEAD.fullmatch(text):
        said = {"time": head["time"], "level": head["level"], "logger": head["logger"], "thread": head["thread"]}
        text = head["message"]
    if not text.startswith(("type=", "operationType=")):
        if not head:
            raise ValueError("neither an event nor a log line / イベントでもログ行でもありません")
        return {**said, "type": said["level"], "message": text}
    at = 0
    while at < len(text):
        pair = _PAIR.match(text, at)
        if pair is None:
            raise ValueError(f"no name and value at character {at + 1} / {at + 1} 文字目から項目として読めません")
        name = pair["name"] if pair["name"] in _OWN else f"details.{pair['name']}"
        value = pair["bare"]
        if value is None:
            value = re.sub(r"\\([\"'\\])", r"\1", pair["double"] if pair["double"] is not None else pair["single"])
        if name == "details.representation":
            name, value = "representation", _masked(value)
        if len(said) >= MAX_NAMES:
            raise ValueError(f"more than {MAX_NAMES} names / 項目が {MAX_NAMES} を超えています")
        while name in said:
            name += "'"
        said[name] = value
        at = pair.end()
    return said


def _judged(said: dict[str, str]) -> Iterator[tuple[str, str]]:
    """What an event says and what follows from it; `null` is how a line says nothing."""
    kind, path = said.pop("type", ""), said.get("resourcePath", "")
    if change := said.get("operationType", ""):
        what = f"{change} {said.get('resourceType', '')}".strip()
        yield "operation", f"{what} reset-password" if path.endswith("/reset-password") else what
        if about := _USER_PATH.match(path):
            yield "target", about[1]
    else:
        yield "operation", kind
    if said.get("error", "null") == "null" and "message" not in said:
        yield "result", Outcome.FAILURE.value if kind.endswith("_ERROR") else Outcome.SUCCESS.value
    if said.get("details.username", "").startswith("service-account-"):
        yield "kind", "system"
    yield from ((name, value) for name, value in said.items() if value != "null")


def _masked(representation: str) -> str:
    """What an administrator sent, without the secrets in it."""
    try:
        found = json.loads(representation)
    except (ValueError, RecursionError):
        return _SECRET_TEXT.sub(rf'\1"{_MASKED}"', representation)
    return json.dumps(_without_secrets(found), ensure_ascii=False, separators=(",", ":"))


def _without_secrets(value: Any, depth: int = 0) -> Any:  # noqa: ANN401 - anything JSON can hold
    if depth > 32:
        return _MASKED
    if isinstance(value, list):
        return [_without_secrets(item, depth + 1) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _MASKED if _SECRET.search(name) and isinstance(inner, str) else _without_secrets(inner, depth + 1)
        for name, inner in value.items()
    }
