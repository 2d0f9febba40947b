"""Canonical bytes: one event, one sequence of bytes, in any language.

Each field that is present contributes `name` and `value` as netstrings (`<length in bytes>:<bytes>,`) in the
alphabetical order of the contract's paths. Times are decimal microseconds since 1970 UTC, counts are decimal, flags
are `0` or `1`, lists are the netstrings of their items, the `source` comes first. There is nothing to escape and
nothing to choose, so that ClickHouse, Python and an auditor's own thirty lines arrive at the same bytes.
See docs/adr/0004-canonical-bytes.md for why this is not JSON.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from audit.events.fields import FIELDS, Kind

__all__ = ["DIGEST_BYTES", "canonical_bytes", "digest", "microseconds", "netstring"]

DIGEST_BYTES = 16
"""Bytes of the stored content digest: enough to tell two deliveries apart, not the seal of the log."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def netstring(value: bytes) -> bytes:
    """Bytes with their length in front."""
    return b"%d:%s," % (len(value), value)


def microseconds(at: datetime) -> int:
    """Microseconds since 1970 UTC."""
    return (at - _EPOCH) // _MICROSECOND


def _value(kind: Kind, value: Any) -> bytes:  # noqa: ANN401 - what a field holds depends on its kind
    if kind is Kind.TIME:
        return b"%d" % microseconds(value)
    if kind is Kind.COUNT:
        return b"%d" % value
    if kind is Kind.FLAG:
        return b"1" if value else b"0"
    if kind is Kind.IDS:
        return b"".join(netstring(item.encode()) for item in value)
    text: str = value
    return text.encode()


def canonical_bytes(source: str, columns: Mapping[str, Any]) -> bytes:
    """The bytes that stand for an event.

    Args:
        source: the source it came from.
        columns: its values by column name; `None`, the empty string and the empty list mean absent.
    """
    parts = [netstring(b"source"), netstring(source.encode())]
    for field in FIELDS:
        value = columns.get(field.column)
        if value is None or value in ("", []) or value == ():
            continue
        parts.append(netstring(field.path.encode()))
        parts.append(netstring(_value(field.kind, value)))
    return b"".join(parts)


def digest(source: str, columns: Mapping[str, Any]) -> bytes:
    """The stored content digest: the first half of SHA-256 over the canonical bytes."""
    return hashlib.sha256(canonical_bytes(source, columns)).digest()[:DIGEST_BYTES]
