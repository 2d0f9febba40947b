"""Files that grow in place: every new whole line is taken, nothing is moved.

Rotation is seen through. A renamed file (`app.log` to `app.log.1`) has its inode still and is read to its end; a copied
one (`copytruncate`) begins with what was taken before, so the copy goes on where the original stood, and the
original, shorter now or other in its bytes, begins anew. Nothing here relies on names or on inodes alone.

The last line is left until it ends; only in a file that was rotated away, and that has been still for a while, it is
taken as it is. A file that goes while part of it was unread is told of: those bytes are lost to us, unless they come
again under another form (a packed copy is taken whole, as a file of its own).
"""

import os
from collections.abc import Iterator
from datetime import date, timedelta

from audit.clock import tokyo_date
from audit.texts import Texts
from ingest.receivers.folder.model import FileBusyError, OutcomeKind
from ingest.receivers.folder.place import Listing, Place, open_file
from ingest.receivers.folder.reading import packing
from ingest.receivers.folder.state import Growing

__all__ = ["GrowingFiles"]

_BLOCK = 1 << 20
_HEADER = 64 << 10
_REMEMBERED = timedelta(days=7)
"""A network share that shows an empty folder for a while must not make every file new."""
_MOST = 1_000
_TAKEN = Texts("追記分を受け取りました", "what was added is taken")
_TRUNCATED = Texts(
    "ファイルが切り詰められたか置き換えられたため、先頭から受け取ります。未読の部分は失われた可能性があります",
    "the file was truncated or replaced and is taken from its beginning; what was unread may be lost",
)
_VANISHED = Texts("未読の部分を残してファイルが無くなりました", "the file is gone, and part of it was not read")


class GrowingFiles:
    """Follows one folder's growing files."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._still: dict[tuple[int, int], tuple[int, float]] = {}
        self._packed: dict[str, tuple[int, bool]] = {}

    def packed(self, names: list[str], listing: Listing) -> set[str]:
        """The files that are packed: they do not grow, and are taken whole."""
        found = {}
        for name in names:
            status = listing.files[name]
            known = self._packed.get(name)
            if known is None or known[0] != status.st_ino:
                try:
                    descriptor = open_file(self._place.folder / name)
                except FileBusyError:
                    continue
                head = os.pread(descriptor, 4, 0)
                os.close(descriptor)
                if len(head) < 4:  # too young to tell
                    continue
                known = (status.st_ino, bool(packing(head)))
            found[name] = known
        self._packed = found
        return {name for name, (_, packed) in found.items() if packed}

    def look(self, listing: Listing, names: list[str]) -> None:
        """Take what was added.

        Args:
            listing: what lies in the folder.
            names: the files of it that grow.

        Raises:
            InboxFullError: the inbox takes nothing; the rest stays.
        """
        known = list(self._place.state.files)
        opened: list[tuple[Growing, int]] = []
        try:
            for name in sorted(names, key=lambda name: (listing.files[name].st_mtime_ns, name)):
                try:
                    descriptor = open_file(self._place.folder / name)
                except FileBusyError as busy:
                    if (self._place.folder / name).exists():
                        self._place.tell(OutcomeKind.UNREADABLE, self._place.source_id, name, busy.reason)
                    continue
                opened.append((self._recognise(name, descriptor, known), descriptor))
            self._tell_truncated(opened, known)
            self._remember([growing for growing, _ in opened], known, set(names))
            for growing, descriptor in opened:
                try:
                    self._follow(growing, descriptor)
                except FileBusyError as busy:
                    self._place.tell(OutcomeKind.UNREADABLE, self._place.source_id, growing.name, busy.reason)
        finally:
            for _, descriptor in opened:
                os.close(descriptor)

    def _recognise(self, name: str, descriptor: int, known: list[Growing]) -> Growing:
        """The file's entry: that of its inode if its bytes are those, else one after the entry it is a copy of."""
        status = os.fstat(descriptor)
        size, here = status.st_size, (status.st_dev, status.st_ino)
        own = next((entry for entry in known if (entry.device, entry.inode) == here), None)
        if own is not None and ((own.size, own.modified) == (size, status.st_mtime_ns) or own.fits(descriptor, size)):
            own.name, own.missing_since = name, ""
            return own
        fresh = Growing(name, name, *here, since=self._place.clock.now().isoformat())
        origin = next((e for e in known if e.offset and e is not own and e.fits(descriptor, size)), None)
        if origin is not None:
            fresh.mark(descriptor, origin.offset)
            if name.startswith(origin.first_name):  # rotated away by copying, as one renamed is
                fresh.first_name = origin.first_name
        return fresh

    def _tell_truncated(self, opened: list[tuple[Growing, int]], known: list[Growing]) -> None:
        """Tell of files that are other than they were, unless what they were lies beside them as a copy."""
        for entry, _ in opened:
            own = next((k for k in known if (k.device, k.inode) == (entry.device, entry.inode)), entry)
            if own is not entry and not any(own.fits(other, os.fstat(other).st_size) for _, other in opened):
                self._place.tell(OutcomeKind.TRUNCATED, self._place.source_id, entry.name, _TRUNCATED)

    def _remember(self, present: list[Growing], known: list[Growing], names: set[str]) -> None:
        """Keep the entries of files that are there, and for a while of those that are not."""
        today = tokyo_date(self._place.clock.now())
        kept = {(entry.device, entry.inode): entry for entry in present}
        self._still = {key: since for key, since in self._still.items() if key in kept}
        changed = len(kept) != len(known) or any(entry not in known for entry in present)
        for entry in known:
            if (entry.device, entry.inode) in kept:
                continue
            # One that lies there and could not be opened is not gone.
            if entry.name not in names and not entry.missing_since:
                entry.missing_since, changed = today.isoformat(), True
                if entry.size > entry.offset:
                    self._place.tell(OutcomeKind.VANISHED, self._place.source_id, entry.name, _VANISHED)
            if not entry.missing_since or today - date.fromisoformat(entry.missing_since) < _REMEMBERED:
                kept[entry.device, entry.inode] = entry
        self._place.state.files = list(kept.values())[:_MOST]
        if changed and self._place.state.files != known:
            self._place.save()

    def _follow(self, growing: Growing, descriptor: int) -> None:
        """Take what one file has more than before, piece by piece."""
        while True:
            status = os.fstat(descriptor)
            end = self._cut(growing, descriptor, status.st_size)
            growing.size, growing.modified = status.st_size, status.st_mtime_ns
            if end <= growing.offset:
                return
            start = growing.offset
            if growing.planned <= start:
                growing.planned = end
                self._place.save()
            end = growing.planned
            # A file that grows repeats nothing, so that equal lines in two pieces are two records; the same piece may
            # come again after a crash, and is known by its key.
            file = f"{growing.device}-{growing.inode}"
            receipt = self._place.hand_over(
                f"{growing.name} {start}-{end}",
                self._pieces(descriptor, start, end),
                key=f"tail {file} {growing.since} {start}-{end}",
                stream=f"tail {file} {growing.since}",
            )
            growing.mark(descriptor, end)
            self._place.save()
            self._place.tell(
                OutcomeKind.TAKEN,
                self._place.source_id,
                growing.name,
                _TAKEN,
                size=end - start,
                receipt=receipt.name,
            )

    def _cut(self, growing: Growing, descriptor: int, size: int) -> int:
        """Where the next piece ends: after a line, near the size of a piece; the offset when no line has ended."""
        start, near = growing.offset, min(size, growing.offset + self._place.limits.piece_bytes)
        at = near
        while at > start:
            begin = max(start, at - _BLOCK)
            found = _read(descriptor, begin, at).rfind(b"\n")
            if found >= 0:
                return begin + found + 1
            at = begin
        at = near
        while at < size:
            end = min(size, at + _BLOCK)
            found = _read(descriptor, at, end).find(b"\n")
            if found >= 0:
                return at + found + 1
            at = end
        return size if size > start and self._ended(growing, size) else start

    def _ended(self, growing: Growing, size: int) -> bool:
        """Whether a line without an end will never have one."""
        now, key = self._place.monotonic(), (growing.device, growing.inode)
        before, since = self._still.get(key, (-1, now))
        if before != size:
            self._still[key] = (size, now)
            return False
        return growing.name != growing.first_name and now - since >= self._place.limits.unended_seconds

    def _pieces(self, descriptor: int, start: int, end: int) -> Iterator[bytes]:
        source = self._place.source
        if source is not None and source.repeat_header and start:
            head = _read(descriptor, 0, min(start, _HEADER))
            yield head[: head.find(b"\n") + 1]
        for at in range(start, end, _BLOCK):
            yield _read(descriptor, at, min(end, at + _BLOCK))


def _read(descriptor: int, start: int, end: int) -> bytes:
    """Exactly these bytes.

    Raises:
        FileBusyError: they are not there any more, or cannot be read.
    """
    pieces = []
    while start < end:
        try:
            piece = os.pread(descriptor, end - start, start)
        except OSError as error:
            name = error.strerror or type(error).__name__
            raise FileBusyError(f"it cannot be read ({name})", f"読み取れません ({name})") from error
        if not piece:
            raise FileBusyError("it became shorter while it was read", "読み取り中に短くなりました")
        pieces.append(piece)
        start += len(piece)
    return b"".join(pieces)
