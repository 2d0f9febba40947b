"""How one source writes its log, and what is owed to it: a profile is data, read from TOML.

A profile says which format the source writes, in which encoding and time zone, which of its fields is which of
ours, what its own words for operations mean, how often it should be heard of, how long its events are kept, how its
users sign in and who looks at its log. An administrator can write one without code. The same system is run
differently from city to city: `[cities.NAME]` holds what that city's document says otherwise, and
`Profile.in_city` is the profile as that city has it.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from audit.events import FIELDS
from audit.texts import Texts

__all__ = ["ENCODINGS", "FORMATS", "KINDS", "Profile", "ProfileError", "Retention", "Review", "Rhythm", "parse_profile"]

KINDS = ("core", "linkage", "national", "terminal", "platform", "security", "physical", "ledger")
ENCODINGS = ("utf-8", "cp932", "euc_jp", "utf-16", "utf-16-le", "utf-16-be")
FORMATS = (
    "access_log",
    "auth_log",
    "cef",
    "csv",
    "fixed",
    "jsonl",
    "key_value",
    "keycloak",
    "leef",
    "mysql",
    "ocsf",
    "oracle",
    "otlp",
    "pgaudit",
    "w3c",
    "windows",
)
ENVELOPES = ("none", "syslog")
EXPECTED = ("continuous", "daily", "irregular")
INTERVALS = ("daily", "monthly", "quarterly", "yearly", "regularly", "as_needed", "not_stated")
_PATHS = frozenset(f.path for f in FIELDS if f.path != "unmapped")
_EMPTY: Mapping[str, Any] = MappingProxyType({})


class ProfileError(ValueError):
    """A profile that cannot be used; the message names the profile and every fault in it."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often a source should be heard of.

    Attributes:
        expected: `continuous` in working time, `daily` (something every working day), or `irregular`.
        silence_hours: after so many hours of working time without an event a continuous source is silent.
        around_the_clock: all hours count, not only working time.
        sequence: whether its events carry a number that grows by one, so that a missing number is a missing event.
    """

    expected: str = "irregular"
    silence_hours: float = 4.0
    around_the_clock: bool = False
    sequence: bool = False


@dataclass(frozen=True, slots=True)
class Retention:
    """How long a source's events are kept.

    Attributes:
        years: in all; 0 is without limit.
        online_days: searchable before they move to an archive; 0 is the whole time.
        copies: how many copies are kept.
        archive: the form of what is not online: `parquet` or `csv`.
        stated: whether the city's document gives the period; otherwise it is our default, and a setting.
    """

    years: int = 7
    online_days: int = 0
    copies: int = 1
    archive: str = "parquet"
    stated: bool = False


@dataclass(frozen=True, slots=True)
class Review:
    """Who looks at this log, and how often.

    Attributes:
        ja: the duty in Japanese.
        en: the same in English.
        every: one of `INTERVALS`.
        stated: whether the city's document says so.
    """

    ja: str = ""
    en: str = ""
    every: str = "not_stated"
    stated: bool = False

    @property
    def text(self) -> Texts:
        """The duty in both languages."""
        return Texts(self.ja, self.en)


@dataclass(frozen=True, slots=True)
class Profile:
    """How one source writes.

    Attributes:
        id: stable, kebab-case, never reused.
        name_ja: the system's name in Japanese.
        name_en: the same in English.
        kind: one of `KINDS`.
        number: the system's number in the city's document; 0 when it has none.
        also: other names that documents give it; in a city, that city's own.
        format: one of `FORMATS`.
        envelope: `syslog` when every record comes inside a syslog message.
        encoding: one of `ENCODINGS`; bytes that do not fit it are refused with their position.
        timezone: IANA zone of times that carry no offset. Only text formats may lack one: JSON events must carry it.
        delimiter: field separator of CSV and of key=value lists.
        header: whether the first CSV line names the columns; otherwise `columns` does.
        like: ids of other sources in whose form it may write too: documents name several systems in one slot.
        columns: column names in order: of CSV without a header, of fixed widths, of the bare values in front of
            key=value pairs.
        widths: of `fixed`, the width of each column in bytes of the encoding.
        fields: from the source's field name to a path of ours, for example `ユーザー名` to `actor.id`.
        drop: the source's fields that hold people's names or other things that must not be kept.
        times: strptime patterns for times, tried in order; ISO 8601, slashes and 和暦 are understood without one.
        activities: from the source's own operation word to an activity of ours; a `*` at the end stands for any rest,
            and `*` alone for every other word.
        outcomes: from the source's own result word to an outcome of ours, with `*` as above.
        words: for other paths of ours, from the source's word to ours; an empty word drops the value.
        constants: our paths with a fixed value for this source, for example `affair`.
        split: for fields with several values, the separator by our path, for example `subjects` to `;`.
        documented: our paths of the fields that the city's document says are recorded.
        rhythm: how often it should be heard of.
        retention: how long its events are kept.
        authentication: the factors its users sign in with, alternatives by `|`, factors by `+`.
        authentication_stated: whether the city's document says so; otherwise it is our default, and a setting.
        review: who looks at its log.
        serves: the documented controls this source serves.
        example: some lines as this source writes them, for people and for the tests.
        cities: what is different, by city, as it stands in the file.
    """

    id: str
    name_ja: str
    name_en: str
    kind: str = "core"
    number: int = 0
    also: tuple[str, ...] = ()
    format: str = "jsonl"
    envelope: str = "none"
    encoding: str = "utf-8"
    timezone: str = "Asia/Tokyo"
    delimiter: str = ","
    header: bool = True
    like: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    widths: tuple[int, ...] = ()
    fields: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    drop: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    activities: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    outcomes: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: _EMPTY)
    constants: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    split: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    documented: tuple[str, ...] = ()
    rhythm: Rhythm = Rhythm()
    retention: Retention = Retention()
    authentication: str = ""
    authentication_stated: bool = False
    review: Review = Review()
    serves: tuple[str, ...] = ()
    example: str = ""
    cities: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: _EMPTY)

    @property
    def zone(self) -> ZoneInfo:
        """The zone of times that carry no offset."""
        return ZoneInfo(self.timezone)

    @property
    def name(self) -> Texts:
        """Its name in both languages."""
        return Texts(self.name_ja, self.name_en)

    def in_city(self, city: str) -> "Profile":
        """The profile as one city has it; the same when that city says nothing otherwise.

        A table of the city's is laid over the table of the same name, anything else replaces it.
        """
        changes = self.cities.get(city)
        if changes is None:
            return self
        laid = {key: _laid_over(getattr(self, key), value) for key, value in changes.items()}
        return replace(self, **laid)


def _laid_over(base: Any, value: Any) -> Any:  # noqa: ANN401 - any setting of a profile
    if isinstance(base, Mapping):
        return MappingProxyType({**base, **value})
    if isinstance(base, (Rhythm, Retention, Review)):
        return replace(base, **value)
    return value


_PARTS: Mapping[str, type[Rhythm | Retention | Review]] = {
    "rhythm": Rhythm,
    "retention": Retention,
    "review": Review,
}
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "kind": KINDS,
    "format": FORMATS,
    "envelope": ENVELOPES,
    "encoding": ENCODINGS,
}
_TYPES: Mapping[str, type] = {
    **{f.name: str for f in fields(Profile) if f.type is str},
    **dict.fromkeys(("header", "authentication_stated"), bool),
    "number": int,
}
_LISTS: Mapping[str, type] = {
    **dict.fromkeys(("also", "like", "columns", "drop", "times", "documented", "serves"), str),
    "widths": int,
}
_TABLES = ("fields", "activities", "outcomes", "constants", "split")
_PROFILE_NAMES = frozenset(f.name for f in fields(Profile))


class _Reading:
    """One profile, or one city's part of it, while it is read."""

    def __init__(self, where: str) -> None:
        self._where = where
        self.faults: list[str] = []

    def fault(self, what: str) -> None:
        self.faults.append(f"{self._where}{what}")

    def setting(self, name: str, value: Any) -> Any:  # noqa: ANN401 - anything TOML can hold
        """One setting in the type it has in a `Profile`."""
        if name in _PARTS:
            return self._part(name, value)
        if name in _LISTS:
            return self._list(name, value)
        if name in _TABLES:
            return self._table(name, value)
        if name == "words":
            return self._words(value)
        if name in _TYPES and type(value) is not _TYPES[name]:
            self.fault(f"{name!r} must be {_TYPES[name].__name__}")
        elif name in _CHOICES and value not in _CHOICES[name]:
            self.fault(f"{name} {value!r} is none of {', '.join(_CHOICES[name])}")
        elif name == "timezone":
            self._zone(value)
        return value

    def _zone(self, value: str) -> None:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            self.fault(f"timezone {value!r} is unknown")

    def _list(self, name: str, value: Any) -> tuple[Any, ...]:  # noqa: ANN401
        if not isinstance(value, list) or any(type(item) is not _LISTS[name] for item in value):
            self.fault(f"{name!r} must be a list of {_LISTS[name].__name__}")
            return ()
        if name == "documented":
            self._paths(name, value)
        return tuple(value)

    def _table(self, name: str, value: Any) -> Mapping[str, str]:  # noqa: ANN401
        if not isinstance(value, dict):
            self.fault(f"{name!r} must be a table")
            return _EMPTY
        if name == "fields":
            self._paths(name, [path for path in value.values() if not str(path).startswith("unmapped.")])
        if name in {"constants", "split"}:
            self._paths(name, [path for path in value if not path.startswith("unmapped.")])
        return MappingProxyType({str(k): str(v) for k, v in value.items()})

    def _paths(self, name: str, paths: list[str]) -> None:
        for path in paths:
            if path not in _PATHS:
                self.fault(f"{name}: {path!r} is no field of an event")

    def _words(self, value: Any) -> Mapping[str, Mapping[str, str]]:  # noqa: ANN401
        if not isinstance(value, dict) or any(not isinstance(table, dict) for table in value.values()):
            self.fault("'words' must be a table of tables")
            return _EMPTY
        self._paths("words", list(value))
        return MappingProxyType(
            {path: MappingProxyType({str(k): str(v) for k, v in table.items()}) for path, table in value.items()}
        )

    def _part(self, name: str, value: Any) -> Any:  # noqa: ANN401
        kind = _PARTS[name]
        if not isinstance(value, dict):
            self.fault(f"{name!r} must be a table")
            return kind()
        known = {f.name: type(f.default) for f in fields(kind)}
        found: dict[str, Any] = {}
        for key, inner in value.items():
            given = float(inner) if known.get(key) is float and type(inner) is int else inner
            if key not in known:
                self.fault(f"{name}: unknown setting {key!r}")
            elif type(given) is not known[key]:
                self.fault(f"{name}: {key!r} must be {known[key].__name__}")
            else:
                found[key] = given
        if found.get("expected", "daily") not in EXPECTED:
            self.fault(f"rhythm: expected {found['expected']!r} is none of {', '.join(EXPECTED)}")
        if found.get("every", "daily") not in INTERVALS:
            self.fault(f"review: every {found['every']!r} is none of {', '.join(INTERVALS)}")
        return kind(**found)


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
    cities = data.pop("cities", {})
    faults = [f"{key!r} is missing" for key in ("id", "name_ja", "name_en") if not data.get(key)]
    settings, wrong = _read(data, "")
    faults += wrong
    by_city: dict[str, Mapping[str, Any]] = {}
    for city, changes in cities.items():
        read, wrong = _read(changes, f"cities.{city}: ")
        faults += wrong
        # A part keeps what the city does not say, so only what it says is laid over.
        by_city[city] = MappingProxyType({key: changes[key] if key in _PARTS else read[key] for key in read})
    if faults:
        raise ProfileError(f"{origin}: " + "; ".join(sorted(faults)))
    return Profile(**settings, cities=MappingProxyType(by_city))


def _read(data: Mapping[str, Any], where: str) -> tuple[dict[str, Any], list[str]]:
    reading = _Reading(where)
    settings = {}
    for name, value in data.items():
        if name not in _PROFILE_NAMES or (where and name in {"id", "cities"}):
            reading.fault(f"unknown setting {name!r}")
        else:
            settings[name] = reading.setting(name, value)
    return settings, reading.faults
