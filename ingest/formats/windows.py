"""Windows event logs, the Security log above all, as XML and as JSON.

XML is what Windows itself writes: one `<Event>` a line, over lines, or within `<Events>`. JSON comes in the shapes of
those who carry it: flat (NXLog), under `winlog` (Winlogbeat), `Event.System` and `Event.EventData` (converters of
.evtx files), and `Get-WinEvent | ConvertTo-Json`, which leaves out the names of values, so that their order must do.

Who acted depends on the event: coming and going name the person as `Target…`, everything else as `Subject…`, where
`Target…` is whom it was done to. Machine accounts and the system's own are `actor.kind` system. An object's access is
judged by its mask; a handle that was asked for and granted (4656) is not yet an access, one that was refused is an
attempt. Times are UTC and finer than ours by a digit, so their text is kept.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

from audit.events import Outcome
from ingest.formats.mapping import Builtin, Mapper
from ingest.formats.pieces import MAX_NAMES, Form, Piece, cut, flat
from ingest.formats.text import decode
from ingest.formats.windows_events import (
    ACTIVITIES,
    ACTOR_IS_TARGET,
    AT_THE_MACHINE,
    BY_MASK,
    DENIED_STATUS,
    MEMBERSHIP,
    POSITIONS,
    SYSTEM_SIDS,
    by_mask,
)
from ingest.formats.xml_tree import Element, XmlError, parse_element
from ingest.model import Record, Refused
from ingest.sources.profile import Profile

__all__ = ["decode_windows"]

_BUILTIN = Builtin(
    fields={
        "SystemTime": "time",
        "event": "activity",
        "result": "outcome",
        "actor": "actor.id",
        "actor_kind": "actor.kind",
        "about": "target.id",
        "address": "terminal.ip",
        "machine": "terminal.id",
        "logon": "session",
        "EventRecordID": "sequence",
    },
    activities=ACTIVITIES,
    constants={"actor.kind": "system"},
)
_NAMES: Mapping[str, str] = {
    **dict.fromkeys(("EventID", "event_id", "Id", "winlog.event_id"), "EventID"),
    **dict.fromkeys(("Channel", "LogName", "log_name", "winlog.channel"), "Channel"),
    **dict.fromkeys(("Computer", "Hostname", "MachineName", "computer_name", "winlog.computer_name"), "Computer"),
    **dict.fromkeys(
        ("EventRecordID", "RecordNumber", "RecordId", "record_number", "winlog.record_id"), "EventRecordID"
    ),
    **dict.fromkeys(("Provider", "SourceName", "ProviderName", "source_name", "winlog.provider_name"), "Provider"),
    **dict.fromkeys(("Keywords", "KeywordsDisplayNames", "keywords", "winlog.keywords"), "Keywords"),
}
"""What the carriers call the parts of an event's head, and what Windows calls them."""
_SHORT = {"Provider.Name": "Provider", "TimeCreated.SystemTime": "SystemTime"}
_DATA = ("winlog.event_data.", "winlog.user_data.", "event_data.", "user_data.", "Event.EventData.", "Event.UserData.")
_TIMES = (
    "SystemTime", "TimeCreated", "TimeCreated.value", "winlog.time_created", "@timestamp", "event.created",
    "EventTime", "EventReceivedTime",
)  # fmt: skip
"""The moment of the event, best first; what follows the first that is there is kept as it is."""
_EPOCH_TEXT = re.compile(r"/Date\((-?[0-9]{1,15})\)/")
_ZONED = re.compile(r"(?:[Zz]|[+-][0-9]{2}:?[0-9]{2})$")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AUDITING = frozenset({"", "Microsoft-Windows-Security-Auditing", "Microsoft-Windows-Eventlog"})
_NOBODY = frozenset({"", "-", "NULL SID", "S-1-0-0"})
_NO_ADDRESS = frozenset({"", "-", "LOCAL", "localhost"})
_AT_KEYBOARD = frozenset({"2", "7", "11", "12", "13"})
"""Types of log-on at the machine itself: typed in, unlocked, and both with cached credentials."""
_FAILURE, _SUCCESS = 1 << 52, 1 << 53
_SYSTEM_DOMAINS = frozenset({"NT AUTHORITY", "NT SERVICE", "Window Manager", "Font Driver Host", "IIS APPPOOL"})
_LOG_WORDS = {
    **dict.fromkeys(("audit_success", "audit success", "success", "成功の監査"), Outcome.SUCCESS),
    **dict.fromkeys(("audit_failure", "audit failure", "failure", "失敗の監査"), Outcome.FAILURE),
}


def decode_windows(lines: Iterable[tuple[int, bytes]], profile: Profile) -> Iterator[Record | Refused]:
    """Decode Windows events; see `ingest.model.Decoder`."""
    mapper = Mapper(profile, _BUILTIN)
    for piece in cut(lines, profile.encoding, "Event"):
        if not piece.fault and not piece.raw.strip():
            continue
        try:
            said = _said(piece, profile)
            doc, faults = mapper.document([*_judged(said), *said.items()])
        except XmlError as error:
            faults, doc = [str(error)], {}
        except ValueError as error:
            faults, doc = [f"record: {error}"], {}
        yield Refused(piece.line, piece.raw, tuple(faults)) if faults else Record(piece.line, piece.raw, doc)


def _said(piece: Piece, profile: Profile) -> dict[str, str]:
    """What an event says, under Windows' own names."""
    if piece.fault:
        raise XmlError(piece.fault)
    if piece.form is Form.XML:
        said = _xml(parse_element(decode(piece.raw, profile.encoding)))
    elif piece.found is not None:
        said = _json(dict(piece.found))
    else:
        raise ValueError(
            "neither an Event in XML nor a JSON object / XML の Event でも JSON オブジェクトでもありません"
        )
    if not said.get("EventID", "").isdigit():
        raise ValueError("EventID is missing or no number / EventID がないか数値ではありません")
    return said


def _xml(event: Element) -> dict[str, str]:
    said: dict[str, str] = {}
    system = event.child("System")
    for part in system.children if system else ():
        for name, value in part.attributes.items():
            if name != "xmlns":
                said[_SHORT.get(f"{part.name}.{name}", f"{part.name}.{name}")] = value
        if part.text.strip():
            said[part.name] = part.text.strip()
    unnamed: list[str] = []
    for group in event.children:
        for inner in group.children:
            if group.name == "EventData":
                name = inner.attributes.get("Name", "" if inner.name == "Data" else inner.name)
                if name:
                    _put(said, name, inner.text)
                else:
                    unnamed.append(inner.text)
            elif group.name == "UserData":
                _leaves(inner, said)
            elif group.name == "RenderingInfo":
                said[f"RenderingInfo.{inner.name}"] = inner.text or ", ".join(one.text for one in inner.children)
    return _with_positions(said, unnamed)


def _leaves(element: Element, said: dict[str, str]) -> None:
    for child in element.children:
        if child.children:
            _leaves(child, said)
        else:
            _put(said, child.name, child.text)


def _put(said: dict[str, str], name: str, value: str) -> None:
    """Keep a value under its name, or beside one that has the name already: data must not replace the head."""
    if name == "time":
        name = "unmapped.time"  # a carrier's; the event's own goes by another name
    if len(said) >= MAX_NAMES:
        raise ValueError(f"more than {MAX_NAMES} names / 項目が {MAX_NAMES} を超えています")
    while name in said:
        name += "'"
    said[name] = value


def _json(found: dict[str, Any]) -> dict[str, str]:
    event = found.pop("Event", None)
    if isinstance(event, dict):
        found = {**found, **_from_converter(event)}
    properties = found.pop("Properties", None)
    said: dict[str, str] = {}
    for path, value in flat(found):
        name = _NAMES.get(path, path)
        if path.startswith(_DATA):
            name = path.rpartition(".")[2]
        _put(said, name, value.strip('"') if name == "EventID" else value)
    if "event.code" in said:
        said.setdefault("EventID", said["event.code"])
    values = properties if isinstance(properties, list) else []
    return _with_positions(said, [_text(one.get("Value") if isinstance(one, dict) else one) for one in values])


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _from_converter(event: dict[str, Any]) -> dict[str, Any]:
    """The head and the data of an event that was XML, with what had been attributes in their places."""
    made: dict[str, Any] = {}
    system = event.get("System")
    for name, value in system.items() if isinstance(system, dict) else ():
        if not isinstance(value, dict):
            made[name] = value
            continue
        attributes = value.get("#attributes", value)
        for key, said in attributes.items() if isinstance(attributes, dict) else ():
            path = f"{name}.{key.lstrip('@')}"
            made[name if key == "#text" else _SHORT.get(path, path)] = said
        if "#text" in value:
            made[name] = value["#text"]
    for group in ("EventData", "UserData", "RenderingInfo"):
        data = event.get(group)
        listed = data.get("Data") if isinstance(data, dict) else None
        if isinstance(listed, list) and all(isinstance(one, dict) and "@Name" in one for one in listed):
            data = {str(one["@Name"]): one.get("#text") for one in listed}
        if data:
            made[f"Event.{group}"] = data
    return made


def _with_positions(said: dict[str, str], values: list[str]) -> dict[str, str]:
    """Values without names, named by their place where the event's order is known."""
    known = POSITIONS.get(said.get("EventID", ""), ())
    for place, value in enumerate(values):
        _put(said, known[place] if place < len(known) else f"Data {place + 1}", value)
    return said


def _judged(said: dict[str, str]) -> Iterator[tuple[str, str]]:
    """What follows from an event: these names are ours to map, and a profile's too."""
    number = said["EventID"]
    channel = said.get("Channel") or ("Security" if said.get("Provider", "") in _AUDITING else said["Provider"])
    secure = channel.lower() == "security"
    outcome = _outcome(said, number) if secure else None
    yield "SystemTime", _time(said)
    yield "event", _event(said, number, outcome) if secure else f"{channel}/{number}"
    if outcome is not None:
        yield "result", outcome.value
    yield from _people(said, number)
    yield from _place(said, number)


def _time(said: dict[str, str]) -> str:
    for name in _TIMES:
        if written := said.get(name, ""):
            if name == "SystemTime":
                said.pop(name)
                return written if _ZONED.search(written) else f"{written}Z"
            if (epoch := _EPOCH_TEXT.fullmatch(written)) is not None:
                return (_EPOCH + timedelta(milliseconds=int(epoch[1]))).isoformat()
            if _ZONED.search(written):
                return written
    # NXLog's EventTime is local and says no offset: the profile's zone holds, where nothing better is there
    return next((said[name] for name in _TIMES if said.get(name)), "")


def _outcome(said: dict[str, str], number: str) -> Outcome | None:
    status = (said.get("SubStatus", "").lower(), said.get("Status", "").lower())
    if number in {"4625", "4771"}:
        return Outcome.DENIED if DENIED_STATUS & set(status) else Outcome.FAILURE
    if number in {"4768", "4769", "4776"} and status[1]:
        if status[1].strip("0x") == "":
            return Outcome.SUCCESS
        return Outcome.DENIED if status[1] in DENIED_STATUS else Outcome.FAILURE
    found = _logged_as(said)
    # A refused use of an object or a privilege is a refusal, not a mistake.
    refusable = number in BY_MASK or number in {"4673", "4674"}
    return Outcome.DENIED if found is Outcome.FAILURE and refusable else found


def _logged_as(said: dict[str, str]) -> Outcome | None:
    """Success or failure as the log marks every event: by two bits, or by words for them."""
    for name in ("EventType", "Keywords", "event.outcome", "RenderingInfo.Keywords"):
        written = said.get(name, "").strip()
        try:
            bits = int(written, 0)
        except ValueError:
            words = re.split(r'[\[\]",]+', written.lower())
            found = next((_LOG_WORDS[word.strip()] for word in words if word.strip() in _LOG_WORDS), None)
            if found is not None:
                return found
        else:
            if name == "Keywords" and bits & (_FAILURE | _SUCCESS):
                return Outcome.FAILURE if bits & _FAILURE else Outcome.SUCCESS
    return None


def _event(said: dict[str, str], number: str, outcome: Outcome | None) -> str:
    if number in {"4768", "4776"} and outcome not in {None, Outcome.SUCCESS}:
        return f"{number} failure"
    asked = number == "4656" and outcome is not Outcome.DENIED
    if number in BY_MASK and not asked and said.get("ObjectType", "File") == "File":
        try:
            return f"{number} {by_mask(int(said.get('AccessMask', ''), 0))}".strip()
        except ValueError:
            return number
    return number


def _people(said: dict[str, str], number: str) -> Iterator[tuple[str, str]]:
    side = "Target" if number in ACTOR_IS_TARGET else "Subject"
    name = said.get(f"{side}UserName", "")
    if name in _NOBODY and side == "Target":
        name = said.get("AccountName", "")  # 4778 and 4779 name nobody else
    if name not in _NOBODY:
        yield "actor", name
        if _is_system(name, said.get(f"{side}UserSid", ""), said.get(f"{side}DomainName", "")):
            yield "actor_kind", "system"
    if number in MEMBERSHIP:
        about = next((said[key] for key in ("MemberName", "MemberSid") if said.get(key, "-") not in _NOBODY), "")
    else:
        about = said.get("TargetUserName", said.get("TargetSid", "")) if side == "Subject" else ""
    if about not in _NOBODY:
        yield "about", about


def _is_system(name: str, sid: str, domain: str) -> bool:
    return (
        name.endswith("$")
        or domain in _SYSTEM_DOMAINS
        or any(sid == known or (known.endswith("-") and sid.startswith(known)) for known in SYSTEM_SIDS)
        or name in {"SYSTEM", "LOCAL SERVICE", "NETWORK SERVICE", "ANONYMOUS LOGON"}
    )


def _place(said: dict[str, str], number: str) -> Iterator[tuple[str, str]]:
    """The terminal: where the person sits, which is the event's machine only for log-ons at its keyboard."""
    computer = said.get("Computer", "")
    here = number in AT_THE_MACHINE or said.get("LogonType") in _AT_KEYBOARD
    address = next((said[key] for key in ("IpAddress", "ClientAddress") if said.get(key, "-") not in _NO_ADDRESS), "")
    if address:
        try:
            found = ip_address(address.removeprefix("::ffff:").partition("%")[0])
        except ValueError:
            yield "remote", address
        else:
            here = here or found.is_loopback
            if not found.is_loopback:
                yield "address", str(found)
    named = next((said[key] for key in ("WorkstationName", "Workstation", "ClientName") if said.get(key)), "")
    if number == "4740":
        named = said.get("TargetDomainName", "")  # there, and only there, the machine that tried
    if named.strip("\\- "):
        yield "machine", named.strip("\\ ")
    elif here:
        yield "machine", computer
    logon = said.get("TargetLogonId" if number in ACTOR_IS_TARGET else "SubjectLogonId", "").lower()
    if logon.strip("0x-"):
        yield "logon", f"{computer}/{logon}"
