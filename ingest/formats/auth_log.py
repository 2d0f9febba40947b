"""auth.log: what sshd, PAM, sudo, su, login, cron, logind and the account tools write through syslog.

Every line that is syslog becomes a record, known or not: an unknown message is an `operation` of the system
with its text kept. `message repeated N times: [ … ]` and the older `last message repeated N times` are N
events, each a record of its own with the same line and bytes, because each attempt counts.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from ipaddress import ip_address

from audit.clock import SystemClock
from audit.events import Activity, Outcome, mask
from ingest.formats.auth_rules import find_rule
from ingest.formats.syslog import SyslogError, SyslogLine, parse_syslog
from ingest.formats.text import TextError, decode, present
from ingest.model import Doc, Record, Refused
from ingest.sources.profile import Profile

__all__ = ["MAX_REPEATS", "decode_auth_log"]

MAX_REPEATS = 10_000
"""sshd cuts a connection after a few attempts; a larger count is an attack on the reader."""
_REPEATED = re.compile(r"message repeated ([0-9]{1,9}) times: \[ ?(.*?) ?\]\s*", re.DOTALL)
_LAST_REPEATED = re.compile(r"last message repeated ([0-9]{1,9}) times\s*")
_SSHD = ("sshd", "sshd-session", "sshd-auth")
_DENIED = ("not allowed", "NOT in sudoers", "not in the sudoers")
_NOT_A_FACTOR = "none"
_MAX_HOSTS = 1000
"""How many machines' last messages are remembered: memory must not grow with the delivery."""


def decode_auth_log(
    lines: Iterable[tuple[int, bytes]], profile: Profile, *, reference: datetime | None = None
) -> Iterator[Record | Refused]:
    """Decode an auth.log; see `ingest.model.Decoder`.

    Args:
        lines: number and bytes of every line.
        profile: how this source writes.
        reference: a moment near which the lines were written, for their missing years; by default now.
    """
    reference = reference or SystemClock().now()
    last: dict[str | None, SyslogLine] = {}
    for line, raw in lines:
        if not raw.strip():
            continue
        try:
            text = decode(raw, profile.encoding, first=line == 1).rstrip("\r")
            entry = parse_syslog(text, zone=profile.zone, reference=reference)
            times, said = _expand(entry, last.get(entry.host))
            documents = [_document(entry, said, profile) for _ in range(times)]
        except TextError as error:
            yield Refused(line, raw, (f"record: {error}",))
            continue
        except SyslogError as error:
            yield Refused(line, raw, (str(error),))
            continue
        if entry.host in last or len(last) < _MAX_HOSTS:
            last[entry.host] = said
        yield from (Record(line, raw, doc) for doc in documents)


def _expand(entry: SyslogLine, before: SyslogLine | None) -> tuple[int, SyslogLine]:
    """How many events a line stands for, and what each of them says."""
    if match := _REPEATED.fullmatch(entry.message):
        said = _with_message(entry, entry.program, entry.pid, match[2])
    elif (match := _LAST_REPEATED.fullmatch(entry.message)) and entry.program is None and before:
        said = _with_message(entry, before.program, before.pid, before.message)
    else:
        return 1, entry
    times = int(match[1])
    if not 1 <= times <= MAX_REPEATS:
        raise SyslogError(f"message: repeated {times} times is outside 1 to {MAX_REPEATS} / 繰り返し回数が範囲外です")
    return times, said


def _with_message(entry: SyslogLine, program: str | None, pid: str | None, message: str) -> SyslogLine:
    return SyslogLine(
        entry.time,
        entry.host,
        program,
        pid,
        entry.msgid,
        entry.facility,
        entry.severity,
        message,
        entry.structured,
    )


def _document(entry: SyslogLine, said: SyslogLine, profile: Profile) -> Doc:
    program = (said.program or "").rsplit("/", 1)[-1]
    unmapped = present(
        {
            "host": entry.host,
            "program": said.program,
            "pid": said.pid,
            "message": entry.message,
            "msgid": entry.msgid,
            "facility": entry.facility,
            "severity": entry.severity,
            "structured_data": {name: [list(pair) for pair in pairs] for name, pairs in entry.structured.items()}
            or None,
        }
    )
    if entry.time is None:
        raise SyslogError("time: the line has none / 時刻がありません")
    doc: Doc = {"time": entry.time.isoformat(), "activity": Activity.OPERATION.value}
    found = find_rule(program, said.message)
    if found is None:
        doc |= {"operation_name": said.program or "message", "actor": {"kind": "system"}}
    else:
        rule, match = found
        facts = {name: value for name, value in match.groupdict().items() if value is not None}
        doc["activity"] = rule.activity.value
        outcome = _sudo_outcome(facts.get("problem"), rule.outcome)
        if outcome is not None:
            doc["outcome"] = outcome.value
        word, method = facts.pop("word", ""), facts.get("method", "")
        doc["operation_name"] = rule.name.format(word=word) or f"{word} {method}".strip()
        _people(doc, facts, unmapped, system=rule.system)
        _place(doc, facts, unmapped)
        method = facts.pop("method", "")
        if method and method != _NOT_A_FACTOR:
            doc["auth"] = {"factors": [method.partition("/")[0]]}
        unmapped |= present({name: value.strip() for name, value in facts.items()})
    if program in _SSHD and said.pid:
        doc["session"] = f"{mask(entry.host or '')[0]}/{said.pid}"  # sessions are not searched at the door
    for path, value in profile.constants.items():
        if "." not in path:
            doc.setdefault(path, value)
    doc["unmapped"] = unmapped
    return doc


def _sudo_outcome(problem: str | None, outcome: Outcome | None) -> Outcome | None:
    if problem is None:
        return outcome
    return Outcome.DENIED if any(words in problem for words in _DENIED) else Outcome.FAILURE


def _people(doc: Doc, facts: dict[str, str], unmapped: dict[str, object], *, system: bool) -> None:
    """Who did it, and to whom; a line that names nobody is the system's."""
    actor = facts.pop("actor", None)
    if not actor and facts.get("ruser"):
        actor = facts["ruser"]
    doc["actor"] = {"id": actor} if actor else {"kind": "system"}
    if system:
        doc["actor"]["kind"] = "system"
    if actor == "":
        unmapped["user"] = ""
    if target := facts.pop("target", ""):
        doc["target"] = {"id": target}


def _place(doc: Doc, facts: dict[str, str], unmapped: dict[str, object]) -> None:
    address = facts.pop("ip", "")
    if not address:
        return
    try:
        ip_address(address)
    except ValueError:
        unmapped["remote_host"] = address
    else:
        doc["terminal"] = {"ip": address}
