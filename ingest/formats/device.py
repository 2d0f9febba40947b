"""What the formats of security devices share: the way through a delivery, their times, and their words for results.

Every line is an event of its own, mostly behind a syslog header, which is optional; where the event says no time, the
header's counts.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo

from audit.clock import SystemClock
from ingest.formats.envelope import keep_header, take_header
from ingest.formats.mapping import Builtin, Mapper
from ingest.formats.syslog import SyslogError, SyslogLine, parse_syslog
from ingest.formats.text import TextError, decode
from ingest.model import Record, Refused
from ingest.sources.profile import Profile

__all__ = ["DEVICE_OUTCOMES", "DeviceError", "Named", "decode_device", "device_time"]

Named = list[tuple[str, str]]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLIS = re.compile(r"-?[0-9]{12,14}")
_SECONDS = re.compile(r"[0-9]{9,10}(?:\.[0-9]{1,9})?")
_ZONE = re.compile(r" (?:(UTC|GMT|Z)|(JST)|((?:UTC|GMT)?[+-][0-9]{2}:?[0-9]{2}))$")
_MONTH_FIRST = re.compile(r"[A-Z][a-z]{2} {1,2}[0-9]{1,2} (?:[0-9]{4} )?[0-9:.]{8,18}")
_WORDS = {
    "denied": ("deny", "denied", "block", "blocked", "drop", "dropped", "reject", "rejected", "prevented"),
    "failure": ("failure", "fail", "failed", "error"),
    "success": ("success", "successful", "succeeded", "allow", "allowed", "permit", "permitted", "accept", "accepted"),
}  # fmt: skip
DEVICE_OUTCOMES = {
    form: outcome
    for outcome, words in _WORDS.items()
    for word in words
    for form in (word, word.capitalize(), word.upper())
}
"""What security devices call their results and what they did."""


class DeviceError(ValueError):
    """A line that is none of its format; the message says where."""


def decode_device(
    lines: Iterable[tuple[int, bytes]],
    profile: Profile,
    builtin: Builtin,
    start: re.Pattern[str],
    read: Callable[[str, re.Match[str] | None, Mapper, datetime], Named],
    reference: datetime | None,
) -> Iterator[Record | Refused]:
    """Decode a delivery, line by line.

    Args:
        lines: number and bytes of every line.
        profile: how this source writes.
        builtin: what the format knows by itself.
        start: how an event begins; what stands before is a syslog header.
        read: the names and values of an event, from the text, its beginning (None where there is none), the mapper and
            the reference; raises `DeviceError`.
        reference: a moment near which the lines were written, for their missing years; by default now.
    """
    near = reference or SystemClock().now()
    mapper = Mapper(profile, builtin)
    for line, raw in lines:
        if not raw.strip():
            continue
        try:
            text = decode(raw, profile.encoding, first=line == 1).rstrip("\r")
            begin = start.search(text)
            named = read(text, begin, mapper, near)
            header = take_header(text[: begin.start() if begin else 0], profile.zone, near)
        except TextError as error:
            yield Refused(line, raw, (f"record: {error}",))
            continue
        except DeviceError as error:
            yield Refused(line, raw, (str(error),))
            continue
        doc, faults = mapper.document([("prefix", header.message), *named, *_time_of(header, named, mapper)])
        yield Refused(line, raw, tuple(faults)) if faults else Record(line, raw, keep_header(doc, header))


def _time_of(header: SyslogLine, named: Named, mapper: Mapper) -> Named:
    """The header's time, where the event says none."""
    if header.time is None or any(value and mapper.path_of(name) == "time" for name, value in named):
        return []
    return [("time", header.time.isoformat())]


def device_time(text: str, zone: tzinfo, reference: datetime) -> str:
    """A device's way of writing a time as RFC 3339; what is in none of those ways stays as it is.

    Args:
        text: milliseconds or seconds since 1970, or `Oct 05 2026 09:13:22.120 JST` with the year and the zone optional.
        zone: the zone of times that say none.
        reference: a moment near which it was written, for a missing year.
    """
    value = text.strip()
    try:
        if _MILLIS.fullmatch(value):
            return (_EPOCH + timedelta(milliseconds=int(value))).isoformat()
        if _SECONDS.fullmatch(value):
            seconds, _, fraction = value.partition(".")
            return (_EPOCH + timedelta(seconds=int(seconds), microseconds=int(fraction[:6].ljust(6, "0")))).isoformat()
        named = _ZONE.search(value)
        if not _MONTH_FIRST.fullmatch(value[: named.start()] if named else value):
            return value
        if named is None:
            at = parse_syslog(f"{value} -", zone=zone, reference=reference).time
            return value if at is None else at.isoformat()
        bare = parse_syslog(f"{value[: named.start()]} -", zone=UTC, reference=reference).time
        if bare is None:
            return value
        offset = "+00:00" if named[1] else "+09:00" if named[2] else named[3].removeprefix("UTC").removeprefix("GMT")
        return bare.replace(tzinfo=datetime.strptime(offset, "%z").tzinfo).isoformat()
    except (SyslogError, OverflowError, ValueError):
        return value
