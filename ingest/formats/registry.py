"""The decoders by name, the other names people use for them, and a guess for files that come without one.

JSON Lines in the contract's own form have no decoder here: the engine reads them without Python.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType

from audit.events import parse_json
from ingest.formats.auth_log import decode_auth_log
from ingest.formats.csv_rows import decode_csv
from ingest.formats.ocsf import decode_ocsf
from ingest.formats.pgaudit import decode_pgaudit
from ingest.model import Decoder, Record, Refused
from ingest.sources.profile import Profile

__all__ = ["DECODERS", "canonical_format", "decode", "sniff"]

DECODERS: Mapping[str, Decoder] = MappingProxyType(
    {"auth_log": decode_auth_log, "csv": decode_csv, "ocsf": decode_ocsf, "pgaudit": decode_pgaudit}
)
_NAMES: Mapping[str, tuple[str, ...]] = {
    "auth_log": ("auth_log", "auth", "authlog", "pam", "ssh", "sshd", "syslog"),
    "csv": ("csv", "tsv"),
    "jsonl": ("jsonl", "json", "json_lines", "ndjson"),
    "ocsf": ("ocsf",),
    "pgaudit": ("pgaudit", "csvlog", "jsonlog", "postgres", "postgresql"),
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
_SEPARATORS = (b",", b"\t", b";", b"|")


def decode(
    fmt: str, lines: Iterable[tuple[int, bytes]], profile: Profile, received_at: datetime
) -> Iterator[Record | Refused]:
    """Decode one delivery; what its lines leave out of the date is taken from when they arrived."""
    if fmt == "auth_log":
        return decode_auth_log(lines, profile, reference=received_at)
    return DECODERS[fmt](lines, profile)


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


def sniff(first_lines: list[bytes]) -> str | None:
    """Guess the format of a delivery from its first lines; None when nothing fits."""
    for raw in first_lines:
        line = raw.removeprefix(_BOM).strip()
        if not line:
            continue
        if line.startswith(b"{"):
            return _sniff_json(line)
        if _POSTGRES.match(line):
            return "pgaudit"
        if _SYSLOG.match(line):
            return "auth_log"
        return "csv" if any(separator in line for separator in _SEPARATORS) else None
    return None


def _sniff_json(line: bytes) -> str:
    found, _ = parse_json(line)
    if found and "class_uid" in found:
        return "ocsf"
    return "pgaudit" if found and "error_severity" in found else "jsonl"
