"""The decoders by name, the other names people use for them, and a guess for files that come without one.

JSON Lines in the contract's own form are no decoder here: the engine reads them without Python, unless they come
inside syslog messages.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from audit.events import parse_json
from ingest.formats.access_log import decode_access_log
from ingest.formats.auth_log import decode_auth_log
from ingest.formats.cef import decode_cef
from ingest.formats.csv_rows import decode_csv
from ingest.formats.envelope import decode_enveloped, decode_json_lines
from ingest.formats.fixed import decode_fixed
from ingest.formats.key_value import decode_key_value
from ingest.formats.keycloak import decode_keycloak
from ingest.formats.leef import decode_leef
from ingest.formats.mysql import decode_mysql
from ingest.formats.ocsf import decode_ocsf
from ingest.formats.oracle import decode_oracle
from ingest.formats.otlp import decode_otlp
from ingest.formats.pgaudit import decode_pgaudit
from ingest.formats.w3c import decode_w3c
from ingest.formats.windows import decode_windows
from ingest.model import Decoder, Record, Refused
from ingest.sources.profile import Profile

__all__ = ["DECODERS", "canonical_format", "decode", "recognise", "sniff"]

DECODERS: Mapping[str, Decoder] = MappingProxyType(
    {
        "access_log": decode_access_log,
        "auth_log": decode_auth_log,
        "cef": decode_cef,
        "csv": decode_csv,
        "fixed": decode_fixed,
        "key_value": decode_key_value,
        "keycloak": decode_keycloak,
        "leef": decode_leef,
        "mysql": decode_mysql,
        "ocsf": decode_ocsf,
        "oracle": decode_oracle,
        "otlp": decode_otlp,
        "pgaudit": decode_pgaudit,
        "w3c": decode_w3c,
        "windows": decode_windows,
    }
)
_DATED: Mapping[str, Any] = {
    "auth_log": decode_auth_log,
    "cef": decode_cef,
    "keycloak": decode_keycloak,
    "leef": decode_leef,
    "mysql": decode_mysql,
    "oracle": decode_oracle,
}
"""Decoders whose lines may lack the year, which is taken from when they arrived. All of them know syslog headers."""
_NAMES: Mapping[str, tuple[str, ...]] = {
    "access_log": ("access_log", "access", "apache", "clf", "combined", "common", "nginx"),
    "auth_log": ("auth_log", "auth", "authlog", "pam", "ssh", "sshd", "syslog"),
    "cef": ("cef", "arcsight"),
    "csv": ("csv", "tsv"),
    "fixed": ("fixed", "fixed_width"),
    "jsonl": ("jsonl", "json", "json_lines", "ndjson"),
    "key_value": ("key_value", "kv", "logfmt"),
    "keycloak": ("keycloak",),
    "leef": ("leef", "qradar"),
    "mysql": ("mysql", "mariadb", "percona", "server_audit"),
    "ocsf": ("ocsf",),
    "oracle": ("oracle", "unified_audit"),
    "otlp": ("otlp", "opentelemetry", "otel"),
    "pgaudit": ("pgaudit", "csvlog", "jsonlog", "postgres", "postgresql"),
    "w3c": ("w3c", "iis"),
    "windows": ("windows", "evtx", "winlogbeat"),
}
_CANONICAL = {alias: name for name, aliases in _NAMES.items() for alias in aliases}
_BOM = b"\xef\xbb\xbf"
_SYSLOG = re.compile(
    rb"(?:<[0-9]{1,3}>)?(?:1 \S+ \S+ \S+ "
    rb"|[A-Z][a-z]{2} [ 0-9][0-9]? (?:[0-9]{4} )?[0-9]{2}:[0-9]{2}:[0-9]{2} "
    rb"|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(?:Z|[+-][0-9]{2}:[0-9]{2}) \S+ [^\s:,]+:)"
)
_POSTGRES = re.compile(
    rb"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)? "
    rb"(?:[A-Za-z]{1,6}|[+-][0-9:]+)(?:,| \[[0-9]+\])"
)
_SIGNS: tuple[tuple[str, re.Pattern[bytes]], ...] = (
    ("cef", re.compile(rb"(?:.{0,300}[\s>\xbf])??CEF: ?[0-9]{1,2}\|")),
    ("leef", re.compile(rb"(?:.{0,300}[\s>\xbf])??LEEF: ?[12](?:\.[0-9])?\|")),
    ("w3c", re.compile(rb"#(?:Fields|Software|Version|Date):")),
    ("access_log", re.compile(rb"(?:\S+ ){3}.{0,300}?\[[0-9]{1,2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9:.]+ [+-][0-9]{4}\] \"")),
    ("windows", re.compile(rb"<Events?(?:[\s>]|\Z)")),
    ("oracle", re.compile(rb"<Audit(?:Record)?(?:[\s>]|\Z)|LENGTH ?: ?[\"']|ACTION ?:\[|Audit file /")),
    ("mysql", re.compile(rb"<AUDIT(?:_RECORD)?(?:[\s>]|\Z)|(?:.{0,300} )??[0-9]{8} [0-9:]{8},(?:[^,]*,){3}[0-9]+,")),
    ("keycloak", re.compile(rb".{0,300}\btype=\"?[A-Z_]+\"?, realmId=|.{0,300}\boperationType=\"?[A-Z]+\"?, realmId=")),
    ("pgaudit", _POSTGRES),
    ("auth_log", _SYSLOG),
)  # fmt: skip
"""How records begin; the first that fits decides, so what may come behind a syslog header stands before syslog."""
_KEYS: tuple[tuple[str, frozenset[str]], ...] = (
    ("ocsf", frozenset({"class_uid"})),
    ("pgaudit", frozenset({"error_severity"})),
    ("otlp", frozenset({"resourceLogs"})),
    ("keycloak", frozenset({"realmId", "type"})),
    ("keycloak", frozenset({"realmId", "operationType"})),
    ("mysql", frozenset({"audit_record"})),
    ("mysql", frozenset({"class", "event", "connection_id"})),
    ("windows", frozenset({"winlog"})),
    ("windows", frozenset({"Event"})),
    ("windows", frozenset({"EventID"})),
    ("windows", frozenset({"EventId"})),
    ("windows", frozenset({"Id", "ProviderName"})),
)
"""Names that only one producer of JSON uses together."""
_SEPARATORS = (b",", b"\t", b";", b"|")


def decode(
    fmt: str, lines: Iterable[tuple[int, bytes]], profile: Profile, received_at: datetime
) -> Iterator[Record | Refused]:
    """Decode one delivery; what its lines leave out of the date is taken from when they arrived."""
    if fmt in _DATED:
        return _DATED[fmt](lines, profile, reference=received_at)  # type: ignore[no-any-return]  # a Decoder with one more name
    decoder = decode_json_lines if fmt == "jsonl" else DECODERS[fmt]
    if profile.envelope == "syslog":
        return decode_enveloped(lines, profile, decoder, received_at)
    return decoder(lines, profile)


def canonical_format(name: str) -> str:
    """The one name of a format, whatever people call it.

    Raises:
        ValueError: naming the formats there are.
    """
    key = name.strip().lower().replace("-", "_")
    if key not in _CANONICAL:
        known = ", ".join(sorted(_NAMES))
        raise ValueError(f"unknown format; known are {known} / 未知の形式です。使える形式: {known}")
    return _CANONICAL[key]


def recognise(first_lines: Iterable[bytes], profile: Profile) -> str:
    """The format of a delivery that comes without one.

    The contract's own forms, its JSON Lines and OCSF, are understood from every source; anything else is what the
    source's profile says. The first line that is in one of them decides: what stands before it may be cut or broken.
    """
    for raw in first_lines:
        line = raw.removeprefix(_BOM).strip()
        found = (parse_json(line)[0] if line.startswith(b"{") else None) or {}
        if "class_uid" in found:
            return "ocsf"
        if {"time", "activity"} <= found.keys():
            return "jsonl"
    return profile.format


def sniff(first_lines: list[bytes]) -> str | None:
    """Guess the format of a delivery from its first lines; None when nothing fits."""
    for raw in first_lines:
        line = raw.removeprefix(_BOM).strip()
        if not line or line.startswith((b"<?xml", b"<!--")):
            continue
        if line.startswith((b"{", b"[{")):
            return _sniff_json(line)
        if line == b"[":
            continue
        if found := next((name for name, sign in _SIGNS if sign.match(line)), None):
            return found
        return "csv" if any(separator in line for separator in _SEPARATORS) else None
    return None


def _sniff_json(line: bytes) -> str:
    found, _ = parse_json(line.removeprefix(b"[").removesuffix(b"]").removesuffix(b","))
    names = frozenset(found or ())
    return next((name for name, keys in _KEYS if keys <= names), "jsonl")
