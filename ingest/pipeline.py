"""One delivery from its bytes to the log: decode, check, append, quarantine, reconcile.

`read = stored + duplicates + quarantined` holds for every delivery, exactly. JSON Lines go to the log as they are,
because the engine reads them faster than Python could; every other format is decoded record by record first.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO

from audit.clock import Clock
from audit.events import MAX_RECORD_BYTES, Fault, check
from audit.log import Appended, Delivery, EventLog, ReadRecord
from audit.log.quarantine import DeliveryBook, Refusal
from ingest.formats.registry import decode
from ingest.model import Refused
from ingest.reader import LongLine, read_blocks
from ingest.sources.profile import Profile

__all__ = ["Reconciliation", "ingest_stream"]

_BATCH = 20_000
"""Decoded records taken in together: large enough for the engine, small enough for memory."""

_TOO_LONG = Fault(
    "record",
    f"longer than {MAX_RECORD_BYTES} bytes",
    f"上限 {MAX_RECORD_BYTES} バイトを超えています",
)


@dataclass(slots=True)
class Reconciliation:
    """What became of a delivery, up to this moment."""

    read: int = 0
    stored: int = 0
    duplicates: int = 0
    quarantined: int = 0
    conflicts: int = 0
    masked: int = 0

    def add(self, other: "Reconciliation") -> None:
        """Add another delivery's numbers."""
        for name in self.__dataclass_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(slots=True)
class _Intake:
    """A delivery under way."""

    log: EventLog
    book: DeliveryBook
    delivery: Delivery
    progress: Callable[[int], None]
    sums: Reconciliation = field(default_factory=Reconciliation)
    ordinals: dict[bytes, int] = field(default_factory=dict)

    def refuse(self, refusals: Sequence[Refusal]) -> None:
        if refusals:
            self.sums.read += len(refusals)
            self.sums.quarantined += len(refusals)
            self.book.refuse(self.delivery, refusals, self.ordinals)

    def account(self, count: int, appended: Appended, line_of: dict[int, int]) -> None:
        """Enter what the log made of a batch of so many records."""
        self.sums.read += count - len(appended.refused)
        self.sums.stored += appended.stored
        self.sums.duplicates += appended.duplicates
        self.sums.conflicts += appended.conflicts
        self.sums.masked += appended.masked
        self.refuse([Refusal(line_of[row.n], [row.raw], row.faults) for row in appended.refused])
        self.progress(self.sums.read)

    def lines(self, stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
        """Every line that an event could be; the over-long ones go to quarantine on the way."""
        for block in read_blocks(stream, MAX_RECORD_BYTES, as_written=True):
            if isinstance(block, LongLine):
                self.refuse([Refusal(block.line, block.pieces, (_TOO_LONG,))])
            else:
                yield from block.lines

    def take_lines(self, stream: BinaryIO) -> None:
        """Take in JSON lines."""
        for block in read_blocks(stream, MAX_RECORD_BYTES):
            if isinstance(block, LongLine):
                self.refuse([Refusal(block.line, block.pieces, (_TOO_LONG,))])
            else:
                appended = self.log.append_lines(self.delivery, block.lines)
                self.account(len(block.lines), appended, {n: n for n, _ in block.lines})

    def take_records(self, stream: BinaryIO, profile: Profile, fmt: str) -> None:
        """Take in a format that is decoded in Python."""
        decoded = enumerate(decode(fmt, self.lines(stream), profile, self.delivery.received_at))
        while batch := list(islice(decoded, _BATCH)):
            good: list[ReadRecord] = []
            bad: list[Refusal] = []
            line_of: dict[int, int] = {}
            for n, record in batch:
                if isinstance(record, Refused):
                    bad.append(Refusal(record.line, [record.raw], record.reasons))
                    continue
                checked = check(record.doc, self.delivery.received_at, self.delivery.future_tolerance)
                if checked.faults:
                    bad.append(Refusal(record.line, [record.raw], checked.faults))
                else:
                    line_of[n] = record.line
                    good.append(ReadRecord(n, record.raw, checked.columns, checked.masked))
            self.refuse(bad)
            if good:
                self.account(len(good), self.log.append_records(self.delivery, good), line_of)


def ingest_stream(
    stream: BinaryIO,
    *,
    name: str,
    profile: Profile,
    fmt: str,
    log: EventLog,
    book: DeliveryBook,
    clock: Clock,
    progress: Callable[[int], None] = lambda _read: None,
) -> Reconciliation:
    """Take in one delivery.

    Args:
        stream: its bytes.
        name: what to call it in the book, a file name for example.
        profile: how its source writes.
        fmt: its format, `jsonl` or one of `ingest.formats.registry.DECODERS`.
        log: where events go.
        book: where deliveries and refused records are entered.
        clock: for the receipt.
        progress: told how many records were read so far.
    """
    delivery = book.open(profile.id, name, fmt, clock.now())
    intake = _Intake(log, book, delivery, progress)
    with log.delivery(delivery):
        if fmt == "jsonl":
            intake.take_lines(stream)
        else:
            intake.take_records(stream, profile, fmt)
    sums = intake.sums
    book.close(
        delivery,
        at=clock.now(),
        read=sums.read,
        stored=sums.stored,
        duplicates=sums.duplicates,
        quarantined=sums.quarantined,
        masked=sums.masked,
    )
    return sums
