"""How one source writes its log: a profile is data, read from TOML.

A profile says which format the source writes, in which encoding and time zone, which of its fields is which of
ours, and what its own words for operations mean. An administrator can write one without code.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

__all__ = ["Profile", "ProfileError", "parse_profile"]

ENCODINGS = ("utf-8", "cp932", "euc_jp", "utf-16")
FORMATS = ("jsonl", "ocsf", "csv", "auth_log", "pgaudit")
_EMPTY: Mapping[str, str] = MappingProxyType({})


class ProfileError(ValueError):
    """A profile that cannot be used; the message names the profile and every fault in it."""


@dataclass(frozen=True, slots=True)
class Profile:
    """How one source writes.

    Attributes:
        id: stable, kebab-case, never reused.
        name_ja: the system's name in Japanese.
        name_en: the same in English.
        format: one of `FORMATS`.
        encoding: one of `ENCODINGS`; bytes that do not fit it are refused with their position.
        timezone: IANA zone of times that carry no offset. Only text formats may lack one: JSON events must carry it.
        delimiter: field separator of CSV.
        header: whether the first CSV line names the columns; otherwise `columns` does.
        columns: the CSV column names, in order, when there is no header.
        fields: from the source's field name to a path of ours, for example `ユーザー名` to `actor.id`.
        times: strptime patterns for times, tried in order; ISO 8601, slashes and 和暦 are understood without one.
        activities: from the source's own operation word to an activity of ours.
        outcomes: from the source's own result word to an outcome of ours.
        constants: our paths with a fixed value for this source, for example `affair`.
        split: for fields with several values, the separator by our path, for example `subjects` to `;`.
        retention_years: how long its events are kept; 0 means without limit.
        authentication: the factors its users sign in with, alternatives by `|`, factors by `+`.
        serves: the documented controls this source serves.
    """

    id: str
    name_ja: str
    name_en: str
    format: str = "jsonl"
    encoding: str = "utf-8"
    timezone: str = "Asia/Tokyo"
    delimiter: str = ","
    header: bool = True
    columns: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    times: tuple[str, ...] = ()
    activities: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    outcomes: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    constants: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    split: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    retention_years: int = 7
    authentication: str = ""
    serves: tuple[str, ...] = ()

    @property
    def zone(self) -> ZoneInfo:
        """The zone of times that carry no offset."""
        return ZoneInfo(self.timezone)


_MAPPINGS = ("fields", "activities", "outcomes", "constants", "split")
_TUPLES = ("columns", "times", "serves")


def parse_profile(text: str, origin: str) -> Profile:
    """Read one profile.

    Args:
        text: TOML.
        origin: where it came from, for messages.

    Raises:
        ProfileError: naming every fault at once.
    """
    try:
        data: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"{origin}: not TOML: {error}") from error
    faults = [f"unknown setting {key!r}" for key in data.keys() - set(Profile.__dataclass_fields__)]
    faults += [f"{key!r} is missing" for key in ("id", "name_ja", "name_en") if not data.get(key)]
    for key, wanted in ((k, dict) for k in _MAPPINGS):
        if key in data and not isinstance(data[key], wanted):
            faults.append(f"{key!r} must be a table")
    for key in _TUPLES:
        if key in data and not isinstance(data[key], list):
            faults.append(f"{key!r} must be a list")
    if data.get("encoding", "utf-8") not in ENCODINGS:
        faults.append(f"encoding {data['encoding']!r} is none of {', '.join(ENCODINGS)}")
    if data.get("format", "jsonl") not in FORMATS:
        faults.append(f"format {data['format']!r} is none of {', '.join(FORMATS)}")
    try:
        ZoneInfo(str(data.get("timezone", "Asia/Tokyo")))
    except (ZoneInfoNotFoundError, ValueError):
        faults.append(f"timezone {data['timezone']!r} is unknown")
    if faults:
        raise ProfileError(f"{origin}: " + "; ".join(sorted(faults)))
    for key in _MAPPINGS:
        data[key] = MappingProxyType({str(k): str(v) for k, v in data.get(key, {}).items()})
    for key in _TUPLES:
        data[key] = tuple(str(item) for item in data.get(key, ()))
    return Profile(**data)
