"""OCSF 1.8.0, one event a line: what has a place in the contract moves there.

The rest stays in `unmapped.ocsf`, as the producer wrote it; what the contract has a field for and OCSF has not is taken
from its `unmapped`. A class or activity outside the tables is an `operation`: the event is still somebody's act and is
kept. The profile's own vocabulary goes first, by `activity_name`: a producer's words are more exact than numbers.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from audit.events import Activity, Outcome, parse_json, parse_time
from ingest.formats.text import put
from ingest.model import Doc, Record, Refused
from ingest.sources.profile import Profile

__all__ = ["decode_ocsf"]

_A = Activity
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BOM = b"\xef\xbb\xbf"
_LIFTED = (
    "affair", "case_id", "counterparty.body", "counterparty.permit", "counterparty.purpose_no", "counterparty.system",
    "export.approval_id", "export.destination", "export.medium_id", "query.by", "reason", "screen", "subjects",
)  # fmt: skip
"""Fields of the contract that no attribute of OCSF holds."""
_ACTIVITIES: Mapping[int, Mapping[int, Activity]] = {
    1001: {  # File System Activity
        1: _A.CREATE,
        2: _A.VIEW,
        3: _A.UPDATE,
        4: _A.DELETE,
        5: _A.UPDATE,
        14: _A.VIEW,
    },
    1006: {  # Scheduled Job Activity
        **dict.fromkeys((1, 2, 3, 4, 5), _A.CONFIG_CHANGE),
        6: _A.JOB_RUN,
    },
    1008: {  # Event Log Activity: a log that stops is what an intruder wants
        1: _A.LOG_CLEAR,
        2: _A.PURGE,
        3: _A.EXPORT,
        4: _A.BACKUP,
        7: _A.SECURITY_EVENT,
        10: _A.SECURITY_EVENT,
        **dict.fromkeys((5, 6, 8, 9), _A.MAINTENANCE),
    },
    3001: {  # Account Change
        1: _A.CREDENTIAL_ISSUE,
        2: _A.GRANT,
        3: _A.CREDENTIAL_RESET,
        4: _A.CREDENTIAL_RESET,
        5: _A.REVOKE,
        6: _A.REVOKE,
        7: _A.GRANT,
        8: _A.REVOKE,
        9: _A.LOCK,
        10: _A.CREDENTIAL_ISSUE,
        11: _A.CREDENTIAL_RESET,
        12: _A.UNLOCK,
    },
    3002: {1: _A.LOGIN, 2: _A.LOGOUT},
    3003: {1: _A.AUTHORIZE, 2: _A.AUTHORIZE},
    3004: {2: _A.VIEW, **dict.fromkeys((1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13), _A.CONFIG_CHANGE)},
    3005: {1: _A.GRANT, 2: _A.REVOKE},
    3006: {
        1: _A.GRANT,
        2: _A.REVOKE,
        3: _A.GRANT,
        4: _A.REVOKE,
        **dict.fromkeys((5, 6, 7, 8), _A.CONFIG_CHANGE),
    },
    4010: {  # Network File Activity
        1: _A.UPLOAD,
        2: _A.DOWNLOAD,
        3: _A.UPDATE,
        4: _A.DELETE,
        5: _A.UPDATE,
        8: _A.RESTORE,
        9: _A.VIEW,
        14: _A.VIEW,
    },
    6001: {  # Web Resources Activity
        1: _A.CREATE,
        2: _A.VIEW,
        3: _A.UPDATE,
        4: _A.DELETE,
        5: _A.SEARCH,
        6: _A.IMPORT,
        7: _A.EXPORT,
    },
    6003: {1: _A.CREATE, 2: _A.VIEW, 3: _A.UPDATE, 4: _A.DELETE},
    6005: {  # Datastore Activity
        1: _A.VIEW,
        2: _A.UPDATE,
        4: _A.SEARCH,
        5: _A.UPDATE,
        6: _A.CREATE,
        7: _A.DELETE,
        8: _A.SEARCH,
    },
}
_USER_IS_TARGET = frozenset({3001, 3005, 3006})
_SYSTEM_USER = 3
_DENIED_ACTION = 2
_STATUS = {1: Outcome.SUCCESS, 2: Outcome.FAILURE}
_FACTORS = {
    1: "sms",
    4: "biometric",
    5: "push",
    6: "hardware_token",
    7: "totp",  # one-time passwords: the word of our policies
    8: "email",
    9: "u2f",
    10: "webauthn",
    11: "password",
}
_WORDS = frozenset(Activity)


class _FieldError(ValueError):
    """A field that makes the event unusable; the message locates it."""


class _Rest:
    """An OCSF event from which what has found its place is taken away."""

    def __init__(self, event: dict[str, Any]) -> None:
        self.event = event

    def see(self, *path: str) -> Any:  # noqa: ANN401 - anything JSON can hold
        """The value at a path, or None."""
        here: Any = self.event
        for name in path:
            if not isinstance(here, dict):
                return None
            here = here.get(name)
        return here

    def number(self, *path: str) -> int | None:
        """The whole number at a path, left where it is."""
        value = self.see(*path)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def drop(self, *path: str) -> None:
        """Take away a value, and the objects it leaves empty."""
        for depth in range(len(path), 0, -1):
            parent = self.see(*path[: depth - 1]) if depth > 1 else self.event
            if depth == len(path) or parent.get(path[depth - 1]) == {}:
                parent.pop(path[depth - 1])

    def text(self, *paths: str) -> str:
        """Take the first of some dotted paths that holds text or a whole number; empty when none does."""
        for dotted in paths:
            path = dotted.split(".")
            value = self.see(*path)
            if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
                self.drop(*path)
                return str(value)
        return ""


def decode_ocsf(lines: Iterable[tuple[int, bytes]], profile: Profile) -> Iterator[Record | Refused]:
    """Decode OCSF JSON Lines; see `ingest.model.Decoder`."""
    for line, raw in lines:
        if not raw.strip():
            continue
        event, fault = parse_json(raw.removeprefix(_BOM) if line == 1 else raw)
        if event is None:
            yield Refused(line, raw, (str(fault),))
            continue
        try:
            yield Record(line, raw, _document(_Rest(event), profile))
        except _FieldError as error:
            yield Refused(line, raw, (str(error),))


def _document(rest: _Rest, profile: Profile) -> Doc:
    class_uid = rest.number("class_uid")
    if class_uid is None:
        raise _FieldError("class_uid: is missing or no whole number / class_uid がないか整数ではありません")
    doc: Doc = {"time": _time(rest).isoformat(), **_activity(rest, class_uid, profile)}
    if (outcome := _outcome(rest)) is not None:
        doc["outcome"] = outcome.value
    _people(doc, rest, class_uid)
    for path, sources in (
        ("terminal.ip", ("src_endpoint.ip", "device.ip")),
        ("terminal.id", ("src_endpoint.uid", "device.uid", "src_endpoint.hostname", "device.hostname")),
        ("session", ("session.uid", "actor.session.uid")),
        ("event_id", ("metadata.uid", "metadata.original_event_uid")),
    ):
        if value := rest.text(*sources):
            put(doc, path, value)
    if (sequence := rest.number("metadata", "sequence")) is not None and sequence >= 0:
        doc["sequence"] = sequence
        rest.drop("metadata", "sequence")
    if (logged := rest.number("metadata", "logged_time")) is not None:
        doc["recorded_at"] = _moment("metadata.logged_time", logged).isoformat()
        rest.drop("metadata", "logged_time")
    if factors := _factors(rest):
        doc["auth"] = {"factors": factors}
    for path, value in profile.constants.items():
        if "." not in path:
            doc.setdefault(path, value)
    _lift(doc, rest)
    doc["unmapped"] = {"ocsf": rest.event}
    return doc


def _lift(doc: Doc, rest: _Rest) -> None:
    """Take what the contract has a field for and OCSF has not: whose record it was, the case, who asked.

    Producers put such things under `unmapped`; there they are believed only in the form in which we name them.
    """
    for path in _LIFTED:
        value = rest.see("unmapped", *path.split("."))
        texts = isinstance(value, list) and all(isinstance(one, str) for one in value)
        if value and (texts if path == "subjects" else isinstance(value, str)):
            put(doc, path, value)
            rest.drop("unmapped", *path.split("."))


def _time(rest: _Rest) -> datetime:
    millis = rest.number("time")
    if millis is not None:
        rest.drop("time")
        return _moment("time", millis)
    if "time" not in rest.event and isinstance(written := rest.event.get("time_dt"), str):
        found = parse_time(written)
        if isinstance(found, datetime):
            return found
        raise _FieldError(f"time_dt: {found.what} / {found.what_ja}")
    raise _FieldError("time: must be whole milliseconds since 1970 / 1970 年からのミリ秒 (整数) が必要です")


def _moment(where: str, millis: int) -> datetime:
    try:
        return _EPOCH + timedelta(milliseconds=millis)
    except OverflowError as error:
        raise _FieldError(f"{where}: no such moment / 存在しない時刻です") from error


def _activity(rest: _Rest, class_uid: int, profile: Profile) -> Doc:
    """The activity, and the producer's own word for it; the numbers stay where they are."""
    number = rest.number("activity_id")
    if number is None and (type_uid := rest.number("type_uid")) is not None:
        number = type_uid - class_uid * 100
    names = [word for word in (rest.see("activity_name"), rest.see("api", "operation")) if isinstance(word, str)]
    ours = next((profile.activities[word] for word in names if profile.activities.get(word) in _WORDS), None)
    found = _ACTIVITIES.get(class_uid, {}).get(-1 if number is None else number)
    if ours is None and found is None:
        ours = next((word for word in names if word in _WORDS), None)
    doc: Doc = {"activity": str(ours or (found or _A.OPERATION).value)}
    doc["operation_name"] = rest.text("api.operation", "activity_name") or f"{class_uid}/{number}"
    return doc


def _outcome(rest: _Rest) -> Outcome | None:
    denied = _DENIED_ACTION in {rest.number("action_id"), rest.number("disposition_id")}
    return Outcome.DENIED if denied else _STATUS.get(rest.number("status_id") or 0)


def _people(doc: Doc, rest: _Rest, class_uid: int) -> None:
    """Who acted, and on whom: `user` is the target of account changes and the actor of authentications."""
    bases = ["actor.user"] if class_uid in _USER_IS_TARGET else ["actor.user", "user"]
    base = next((base for base in bases if isinstance(rest.see(*base.split(".")), dict)), "actor.user")
    system = rest.number(*base.split("."), "type_id") == _SYSTEM_USER
    actor: dict[str, str] = {}
    if identity := rest.text(f"{base}.uid", f"{base}.name", f"{base}.email_addr"):
        actor["id"] = identity
        for name, paths in (
            ("name", (f"{base}.full_name", f"{base}.name")),
            ("org_unit", (f"{base}.org.ou_uid", f"{base}.org.ou_name")),
        ):
            if value := rest.text(*paths):
                actor[name] = value
    if system or not actor:
        actor["kind"] = "system"
    doc["actor"] = actor
    if class_uid in _USER_IS_TARGET and (target := rest.text("user.uid", "user.name")):
        doc["target"] = {"id": target}


def _factors(rest: _Rest) -> list[str]:
    listed = rest.see("auth_factors")
    if not isinstance(listed, list):
        return []
    numbers = [one.get("factor_type_id") for one in listed if isinstance(one, dict)]
    return [_FACTORS[number] for number in numbers if isinstance(number, int) and number in _FACTORS]
