"""One delivery from its bytes to the log: decode, check, append, quarantine, reconcile.

`read = stored + duplicates + quarantined` holds for every delivery, exactly. JSON Lines stay columns from the bytes to
the table; every other format is decoded record by record first. A piece is read while the piece before it is stored.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

from audit.clock import Clock
from audit.events import MAX_RECORD_BYTES, Fault
from audit.log import Appended, Delivery, EventLog, Filter, LineReader, Lines, Reading, read_docs
from audit.log.quarantine import Arrival, DeliveryBook, Entered, Outcome, Refusal
from ingest.formats.registry import decode
from ingest.model import Refused
from ingest.reader import LongLine, Piece, Readable, read_blocks, read_pieces
from ingest.sources.profile import Profile

__all__ = ["Incoming", "Pipeline", "Reconciliation", "is_plain"]

_BATCH = 20_000
"""Decoded records taken in together: large enough for the engine, small enough for memory."""

_TOO_LONG = Fault(
    "record",
    f"longer than {MAX_RECORD_BYTES} bytes",
    f"上限 {MAX_RECORD_BYTES} バイトを超えています",
)


@dataclass(slots=True)
class Reconciliation(Outcome):
    """What became of a delivery, up to this moment."""

    conflicts: int = 0

    def add(self, other: "Reconciliation") -> None:
        """Add another delivery's numbers."""
        for name in ("read", "stored", "duplicates", "quarantined", "masked", "conflicts"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(frozen=True, slots=True)
class Incoming:
    """A small delivery of JSON Lines that was read already.

    Attributes:
        arrival: what is known of it.
        reading: what it was read as.
    """

    arrival: Arrival
    reading: Reading


def is_plain(profile: Profile, fmt: str) -> bool:
    """Whether deliveries in a format need no decoding: the contract's own form, line by line."""
    return fmt == "jsonl" and (profile.envelope == "none" or profile.format != "jsonl")


@dataclass(slots=True)
class _Intake:
    """A delivery under way."""

    log: EventLog
    book: DeliveryBook
    delivery: Delivery
    progress: Callable[[int], None] = lambda _read: None
    sums: Reconciliation = field(default_factory=Reconciliation)
    ordinals: dict[bytes, int] = field(default_factory=dict)

    def refuse(self, refusals: Sequence[Refusal]) -> None:
        if refusals:
            self.sums.read += len(refusals)
            self.sums.quarantined += len(refusals)
            self.book.refuse(self.delivery, refusals, self.ordinals)

    def account(self, count: int, appended: Appended, line_of: Callable[[int], int]) -> None:
        """Enter what the log made of a batch of so many records."""
        self.sums.read += count - len(appended.refused)
        self.sums.stored += appended.stored
        self.sums.duplicates += appended.duplicates
        self.sums.conflicts += appended.conflicts
        self.sums.masked += appended.masked
        self.refuse([Refusal(line_of(row.n), [row.raw], row.faults) for row in appended.refused])
        self.progress(self.sums.read)

    def take_lines(self, stream: Readable, encoding: str) -> None:
        """Take in JSON lines."""
        for found in _readings(stream, encoding, self.delivery):
            if isinstance(found, LongLine):
                self.refuse([Refusal(found.line, found.pieces, (_TOO_LONG,))])
            else:
                self.account(found.count, self.log.append(self.delivery, found), lambda n: n)

    def lines(self, stream: Readable, encoding: str) -> Iterator[tuple[int, bytes]]:
        """Every line that an event could be; the over-long ones go to quarantine on the way."""
        for block in read_blocks(stream, MAX_RECORD_BYTES, as_written=True, encoding=encoding):
            if isinstance(block, LongLine):
                self.refuse([Refusal(block.line, block.pieces, (_TOO_LONG,))])
            else:
                yield from block.lines

    def take_records(self, stream: Readable, profile: Profile, fmt: str) -> None:
        """Take in a format that is decoded in Python."""
        lines = self.lines(stream, profile.encoding)
        decoded = enumerate(decode(fmt, lines, profile, self.delivery.received_at))
        while batch := list(islice(decoded, _BATCH)):
            bad = [Refusal(one.line, [one.raw], one.reasons) for _, one in batch if isinstance(one, Refused)]
            good = {n: one for n, one in batch if not isinstance(one, Refused)}
            self.refuse(bad)
            if good:
                docs = {n: (record.raw, record.doc) for n, record in good.items()}
                reading = read_docs(docs, self.delivery.received_at, self.delivery.future_tolerance)
                line_of = {n: record.line for n, record in good.items()}
                self.account(reading.count, self.log.append(self.delivery, reading), line_of.__getitem__)


def _readings(stream: Readable, encoding: str, delivery: Delivery) -> Iterator[Reading | LongLine]:
    """What a stream reads as, piece by piece, always one piece ahead of whoever asks."""
    reader = LineReader(delivery.received_at, delivery.future_tolerance)
    pieces = read_pieces(stream, MAX_RECORD_BYTES, encoding)

    def following() -> Reading | LongLine | None:
        piece = next(pieces, None)
        return reader.read(Lines.of(piece.data, piece.first)) if isinstance(piece, Piece) else piece

    with ThreadPoolExecutor(1, "reading") as pool:
        ahead = pool.submit(following)
        while (found := ahead.result()) is not None:
            if isinstance(found, LongLine):
                yield found  # its pieces come from the same stream: nothing may read on before they are taken
                ahead = pool.submit(following)
            else:
                ahead = pool.submit(following)
                yield found


class Pipeline:
    """Takes deliveries into the log.

    Args:
        log: where events go.
        book: where deliveries and refused records are entered.
        clock: for when a delivery is done.
    """

    def __init__(self, log: EventLog, book: DeliveryBook, clock: Clock) -> None:
        self._log = log
        self._book = book
        self._clock = clock

    def take(
        self,
        arrival: Arrival,
        stream: Readable,
        profile: Profile,
        progress: Callable[[int], None] = lambda _read: None,
    ) -> Reconciliation:
        """Take in one delivery of any size.

        Args:
            arrival: what is known of it; its format is `jsonl` or one of `ingest.formats.registry.DECODERS`.
            stream: its bytes.
            profile: how its source writes.
            progress: told how many records were read so far.
        """
        entered = self._book.open(arrival)
        if entered.finished:
            return Reconciliation()
        self._resume([entered])
        intake = _Intake(self._log, self._book, entered.delivery, progress)
        with self._log.delivery(entered.delivery):
            if is_plain(profile, arrival.fmt):
                intake.take_lines(stream, profile.encoding)
            else:
                intake.take_records(stream, profile, arrival.fmt)
        self._close([(entered, intake.sums)])
        return intake.sums

    def take_all(self, incoming: Sequence[Incoming]) -> list[Reconciliation]:
        """Take in small deliveries of one source together; each is reconciled by itself."""
        entered = self._book.open_all([each.arrival for each in incoming])
        self._resume(entered)
        intakes = [_Intake(self._log, self._book, new.delivery) for new in entered]
        waiting = [part for part in zip(entered, incoming, intakes, strict=True) if not part[0].finished]
        if waiting:
            appended = self._log.append_all([(new.delivery, each.reading) for new, each, _ in waiting])
            for (_, each, intake), became in zip(waiting, appended, strict=True):
                intake.account(each.reading.count, became, lambda n: n)
            self._close([(new, intake.sums) for new, _, intake in waiting])
        return [intake.sums for intake in intakes]

    def _resume(self, entered: Sequence[Entered]) -> None:
        for each in entered:
            if each.resumed and not each.finished:
                self._log.resume(each.delivery)

    def _close(self, outcomes: Sequence[tuple[Entered, Reconciliation]]) -> None:
        for entered, sums in outcomes:
            if entered.resumed:  # what it stored before it was cut off came back as duplicates
                delivery = entered.delivery
                stored = self._log.count(Filter(sources=(delivery.source,), deliveries=(delivery.number,)))
                sums.duplicates -= stored - sums.stored
                sums.stored = stored
        self._book.close_all([(entered.delivery, sums) for entered, sums in outcomes], self._clock.now())
