"""What flows through ingest: one delivery is a stream of records, each understood or refused.

A record is a piece of a delivery that its source means as one: a line, a CSV row, a PostgreSQL log entry over
several lines. Decoders turn bytes into records; nothing that was delivered may be neither a record nor a refusal.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from ingest.sources.profile import Profile

__all__ = ["Decoder", "Doc", "Record", "Refused"]

Doc = dict[str, Any]
"""An event in the contract's form (DESIGN 4.3), before validation; `unmapped` holds what the form has no place for."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record that its format understood.

    Attributes:
        line: 1-based number of its first line in the delivery.
        raw: its bytes exactly as delivered, without the final line end.
        doc: the event in the contract's form.
    """

    line: int
    raw: bytes
    doc: Doc


@dataclass(frozen=True, slots=True)
class Refused:
    """One record that could not be understood; it goes to quarantine with its bytes.

    Attributes:
        line: 1-based number of its first line in the delivery.
        raw: its bytes exactly as delivered.
        reasons: each fault, located (`column 3: …`, `time: …`), never empty.
    """

    line: int
    raw: bytes
    reasons: tuple[str, ...] = field(default=("not understood",))


class Decoder(Protocol):
    """A format: bytes in, records out. It never raises for what the bytes say."""

    def __call__(self, lines: Iterable[tuple[int, bytes]], profile: Profile) -> Iterator[Record | Refused]:
        """Decode one delivery.

        Args:
            lines: (1-based number, bytes without line end) of every line in order, over-long ones already left out.
            profile: how this source writes.
        """
