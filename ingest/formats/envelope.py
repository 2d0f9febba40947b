"""A syslog message around a record: what its header says goes beside the record, which its own format reads.

The header's time is the record's only where the record has none: it is when the message was sent. The header's host
is kept under `unmapped.host`, the rest of the header under `unmapped.syslog`. Bytes and line numbers of a record
are those of the whole message as it was delivered.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, tzinfo
from typing import Any

from audit.events import parse_json
from ingest.formats.syslog import SyslogError, SyslogLine, parse_syslog
from ingest.formats.text import TextError, decode, present
from ingest.model import Doc, Record, Refused
from ingest.sources.profile import Profile

__all__ = ["decode_enveloped", "decode_json_lines", "keep_header", "take_header"]

_BOM = b"\xef\xbb\xbf"
_NO_TIME = "1900-01-01T00:00:00+00:00"
"""Given to a record as its constant time, so that its decoder does not miss one; replaced or refused afterwards."""
_NO_HEADER = SyslogLine(None, None, None, None, None, None, None, "")
_TIME_MISSING = "time: is missing / 時刻がありません"
_SHORT_HEADER = re.compile(r"((?:<[0-9]{1,3}>)?)1 ([0-9]{4}-[0-9]{2}-[0-9]{2}T\S+ \S+)")
_PRIORITY_ALONE = re.compile(r"<([0-9]{1,3})>")


def decode_enveloped(
    lines: Iterable[tuple[int, bytes]],
    profile: Profile,
    inner: Callable[[Iterable[tuple[int, bytes]], Profile], Iterator[Record | Refused]],
    reference: datetime,
) -> Iterator[Record | Refused]:
    """Decode records that come inside syslog messages, one message a line.

    Args:
        lines: number and bytes of every line.
        profile: how this source writes.
        inner: the decoder of what the messages say.
        reference: a moment near which the lines were written, for their missing years.
    """
    messages = _Messages(lines, profile, reference)
    said = replace(
        profile,
        envelope="none",
        constants={"time": _NO_TIME, **profile.constants},
        header=profile.header and not profile.columns,  # messages come one by one: none of them is a CSV header
    )
    for found in inner(messages.texts(), said):
        yield from messages.refused()
        raw, header = messages.around(found)
        if isinstance(found, Refused):
            yield Refused(found.line, raw, found.reasons)
            continue
        doc = keep_header(found.doc, header)
        if doc.get("time") == _NO_TIME and header.time is None:
            yield Refused(found.line, raw, (_TIME_MISSING,))
            continue
        if doc.get("time") == _NO_TIME and header.time is not None:
            doc["time"] = header.time.isoformat()
        yield Record(found.line, raw, doc)
    yield from messages.refused()


class _Messages:
    """The messages of a delivery on their way through a decoder, with what was taken off them."""

    def __init__(self, lines: Iterable[tuple[int, bytes]], profile: Profile, reference: datetime) -> None:
        self._lines = lines
        self._profile = profile
        self._reference = reference
        self._taken: dict[int, tuple[bytes, SyslogLine]] = {}
        self._refused: list[Refused] = []

    def texts(self) -> Iterator[tuple[int, bytes]]:
        """What the messages say, in the encoding they came in."""
        encoding = "utf-8" if self._profile.encoding.startswith("utf-16") else self._profile.encoding
        for line, raw in self._lines:
            if not raw.strip():
                continue
            try:
                text = decode(raw, self._profile.encoding, first=line == 1).removesuffix("\r")
                header = parse_syslog(text, zone=self._profile.zone, reference=self._reference)
            except TextError as error:
                self._refused.append(Refused(line, raw, (f"record: {error}",)))
            except SyslogError as error:
                self._refused.append(Refused(line, raw, (str(error),)))
            else:
                if not header.message.strip():
                    self._refused.append(Refused(line, raw, ("record: an empty message / 本文がありません",)))
                    continue
                self._taken[line] = (raw, header)
                yield line, header.message.encode(encoding)

    def refused(self) -> Iterator[Refused]:
        """Lines that were no messages, since last asked."""
        found, self._refused = self._refused, []
        yield from found

    def around(self, found: Record | Refused) -> tuple[bytes, SyslogLine]:
        """The delivered bytes of a record, and its header; what came before it is forgotten."""
        for line in [line for line in self._taken if line < found.line]:
            del self._taken[line]
        spanned = range(found.line, found.line + found.raw.count(b"\n") + 1)
        parts = [self._taken[line][0] for line in spanned if line in self._taken]
        raw, header = self._taken.get(found.line, (found.raw, _NO_HEADER))
        return b"\n".join(parts) or raw, header


def keep_header(doc: Doc, header: SyslogLine) -> Doc:
    """Add to a record what its header says of the machine and program that sent it."""
    host, program = header.host, header.program
    if host is not None and program is None and host.endswith(":"):
        # nginx and others can leave out the host, so that the tag stands in its place.
        program, host = host[:-1], None
    rest: Mapping[str, Any] = present(
        {
            "program": program,
            "pid": header.pid,
            "msgid": header.msgid,
            "facility": header.facility,
            "severity": header.severity,
            "structured_data": {name: [list(pair) for pair in pairs] for name, pairs in header.structured.items()}
            or None,
        }
    )
    unmapped = doc.setdefault("unmapped", {})
    if not isinstance(unmapped, dict):
        unmapped = doc["unmapped"] = {"unmapped": unmapped}
    for name, value in present({"host": host, "syslog": rest or None}).items():
        unmapped.setdefault(name, value)
    if not unmapped:
        del doc["unmapped"]
    return doc


def take_header(prefix: str, zone: tzinfo, reference: datetime) -> SyslogLine:
    """What stands before a record that marks its own beginning, as CEF and LEEF do: any syslog header, or hardly one.

    Security devices leave out parts of the header that RFC 5424 wants; what cannot be read is kept as the message.
    """
    bare = prefix.removesuffix("\ufeff").strip()
    short = _SHORT_HEADER.fullmatch(bare)
    try:
        return parse_syslog(f"{short[1]}{short[2]}" if short else bare, zone=zone, reference=reference)
    except SyslogError:
        priority = _PRIORITY_ALONE.fullmatch(bare)
        code = int(priority[1]) if priority else None
        facility, severity = (None, None) if code is None else divmod(code, 8)
        return SyslogLine(None, None, None, None, None, facility, severity, "" if priority else bare)


def decode_json_lines(lines: Iterable[tuple[int, bytes]], profile: Profile) -> Iterator[Record | Refused]:
    """Decode JSON in the contract's form, one event a line; outside of messages the engine reads it without Python."""
    for line, raw in lines:
        if not raw.strip():
            continue
        doc, fault = parse_json(raw.removeprefix(_BOM) if line == 1 else raw)
        if doc is None:
            yield Refused(line, raw, (str(fault),))
            continue
        for path, value in profile.constants.items():
            if "." not in path and doc.get(path) is None:
                doc[path] = value
        yield Record(line, raw, doc)
