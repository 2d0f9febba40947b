"""Syslog headers: RFC 3164 as it is written in practice, RFC 5424 strictly, and rsyslog's RFC 3339 times.

RFC 3164 has no year. The latest year is taken that puts the time no more than a day after a reference
moment, so a file that crosses New Year is read rightly; the day allows for clocks that differ.
RFC 3164 has no zone either, so the caller gives one.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from types import MappingProxyType

from ingest.formats.japanese import TimeTextError, parse_time

__all__ = ["StructuredData", "SyslogError", "SyslogLine", "parse_syslog"]

StructuredData = Mapping[str, tuple[tuple[str, str], ...]]
_NONE: StructuredData = MappingProxyType({})
_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
_SLACK = timedelta(days=1)
_MAX_PRIORITY = 191
_PRIORITY = re.compile(r"<(0|[1-9][0-9]{0,2})>")
_OLD = re.compile(
    r"(?P<month>[A-Z][a-z]{2}) {1,2}(?P<day>[0-9]{1,2}) (?:(?P<year>[0-9]{4}) )?"
    r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,9}))?(?: |$)"
)
_RFC3339 = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,18}(?:Z|[+-][0-9]{2}:[0-9]{2})(?= |$)")
_HOST_AND_REST = re.compile(r"(\S+)(?: +(.*))?", re.DOTALL)
_TAG = re.compile(r"([^\s:\[]{1,64})(?:\[([^\]\s]{0,64})\])?: ?(.*)", re.DOTALL)
_NEW = re.compile(
    r"1 (?P<time>\S+) (?P<host>[!-~]{1,255}) (?P<program>[!-~]{1,48}) (?P<pid>[!-~]{1,128}) "
    r"(?P<msgid>[!-~]{1,32}) "
)
_SD_NAME = re.compile(r"[!#-<>-\\^-~]{1,32}")
_SD_PARAM = re.compile(r' ([!#-<>-\\^-~]{1,32})="((?:[^"\\\]]|\\.)*+)"', re.DOTALL)
_SD_ESCAPE = re.compile(r'\\(["\\\]])')


class SyslogError(ValueError):
    """A line that is no syslog; the message says which part is not."""


@dataclass(frozen=True, slots=True)
class SyslogLine:
    """One line's header and message; None where the line says nothing.

    Attributes:
        time: the moment, aware.
        host: the machine that wrote it.
        program: the program, without path or process id.
        pid: its process id.
        msgid: RFC 5424's kind of message.
        facility: 0 to 23.
        severity: 0 (emergency) to 7 (debug).
        structured: RFC 5424's structured data: names and values by element.
        message: the text.
    """

    time: datetime | None
    host: str | None
    program: str | None
    pid: str | None
    msgid: str | None
    facility: int | None
    severity: int | None
    message: str
    structured: StructuredData = field(default_factory=lambda: _NONE)


def parse_syslog(text: str, *, zone: tzinfo, reference: datetime) -> SyslogLine:
    """Read one line.

    Args:
        text: the line.
        zone: the zone of times without an offset.
        reference: an aware moment near which, and not more than a day after which, the line was written.

    Raises:
        SyslogError: naming the part that is wrong.
    """
    facility, severity, rest = _priority(text)
    if rest.startswith("1 ") and facility is not None:
        return _rfc5424(rest, facility, severity, zone)
    if match := _OLD.match(rest):
        at = _old_time(match, zone, reference)
        rest = rest[match.end() :]
    elif match := _RFC3339.match(rest):
        at = _exact_time(match[0], zone)
        rest = rest[match.end() :].removeprefix(" ")
    else:
        raise SyslogError("time: no syslog time where one belongs / syslog の時刻がありません")
    host, program, pid, message = _tail(rest)
    return SyslogLine(at, host, program, pid, None, facility, severity, message)


def _priority(text: str) -> tuple[int | None, int | None, str]:
    match = _PRIORITY.match(text)
    if match is None:
        if text.startswith("<"):
            raise SyslogError("priority: not a number in angle brackets / 優先度が読めません")
        return None, None, text
    value = int(match[1])
    if value > _MAX_PRIORITY:
        raise SyslogError(f"priority: {value} is more than {_MAX_PRIORITY} / 優先度が範囲外です")
    return value // 8, value % 8, text[match.end() :]


def _tail(rest: str) -> tuple[str | None, str | None, str | None, str]:
    match = _HOST_AND_REST.match(rest)
    if match is None:
        return None, None, None, rest
    host = None if match[1] == "-" else match[1]
    body = match[2] or ""
    tag = _TAG.match(body)
    if tag is None:
        return host, None, None, body
    # gdm writes `gdm-password]: …`, half of a bracket of its own.
    return host, tag[1].rstrip("]"), tag[2] or None, tag[3]


def _old_time(match: re.Match[str], zone: tzinfo, reference: datetime) -> datetime:
    month = _MONTHS.get(match["month"])
    if month is None:
        raise SyslogError("time: no such month / 月の名前が読めません")
    clock = f"{match['hour']}:{match['minute']}:{match['second']}" + (
        f".{match['fraction']}" if match["fraction"] else ""
    )
    if match["year"]:
        return _exact_time(f"{match['year']}-{month:02}-{match['day']} {clock}", zone)
    latest = (reference + _SLACK).astimezone(zone)
    # Eight years hold a leap day even around a century that has none.
    for year in range(latest.year, latest.year - 9, -1):
        day = int(match["day"])
        if month == 2 and day == 29 and not _is_leap(year):
            continue
        at = _exact_time(f"{year:04}-{month:02}-{day:02} {clock}", zone)
        if at <= latest:
            return at
    raise SyslogError("time: no year fits / 年を定められません")


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _exact_time(text: str, zone: tzinfo) -> datetime:
    try:
        return parse_time(text, zone)
    except TimeTextError as error:
        raise SyslogError(f"time: {error}") from error


def _rfc5424(rest: str, facility: int, severity: int | None, zone: tzinfo) -> SyslogLine:
    match = _NEW.match(rest)
    if match is None:
        raise SyslogError("header: not as RFC 5424 has it / RFC 5424 のヘッダーとして読めません")
    at = None
    if match["time"] != "-":
        if not _RFC3339.fullmatch(match["time"]):
            raise SyslogError("time: not RFC 3339 / RFC 3339 形式の時刻ではありません")
        at = _exact_time(match["time"], zone)
    structured, end = _structured(rest, match.end())
    if end < len(rest) and rest[end] != " ":
        raise SyslogError(f"structured data: unexpected at character {end + 1} / 構造化データが読めません")
    message = rest[end + 1 :].removeprefix("\ufeff")
    host, program, pid, msgid = (
        None if match[name] == "-" else match[name] for name in ("host", "program", "pid", "msgid")
    )
    return SyslogLine(at, host, program, pid, msgid, facility, severity, message, structured)


def _structured(rest: str, at: int) -> tuple[StructuredData, int]:
    if rest.startswith("-", at):
        return _NONE, at + 1
    elements: dict[str, tuple[tuple[str, str], ...]] = {}
    while rest.startswith("[", at):
        name = _SD_NAME.match(rest, at + 1)
        if name is None:
            raise SyslogError(f"structured data: no name at character {at + 2} / 要素名がありません")
        if name[0] in elements:
            raise SyslogError("structured data: an element stands twice / 要素が重複しています")
        at = name.end()
        values: list[tuple[str, str]] = []
        while param := _SD_PARAM.match(rest, at):
            values.append((param[1], _SD_ESCAPE.sub(r"\1", param[2])))
            at = param.end()
        if not rest.startswith("]", at):
            raise SyslogError(f"structured data: broken at character {at + 1} / 構造化データが途切れています")
        elements[name[0]] = tuple(values)
        at += 1
    if not elements:
        raise SyslogError("structured data: neither there nor marked absent / 構造化データがありません")
    return MappingProxyType(elements), at
