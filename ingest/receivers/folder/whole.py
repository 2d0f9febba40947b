"""Files that come whole: taken when they are complete, moved when they are taken.

Complete is a file whose marker (`NAME.done`, `NAME.ok`) lies there and is not older than it, or one that has not
changed for a while and that nobody on this machine is writing. Names that senders use while they write are not looked
at. A file is moved to `done/` only after the inbox has it durably; a crash between the two is a re-delivery, which the
log counts as duplicates. What can never be taken goes to `error/`, with the reason in a file beside it. A file that
was written to after it was taken comes back and is taken again, whole.
"""

import os
from collections.abc import Callable
from pathlib import Path

from audit.clock import tokyo_date
from audit.texts import Texts
from ingest.receivers.folder.manifest import Manifest, read_manifest
from ingest.receivers.folder.model import FileBusyError, FileFaultError, OutcomeKind
from ingest.receivers.folder.moving import ReplacedError, move_back, move_to_done, move_to_error
from ingest.receivers.folder.names import MANIFEST, MARKERS, is_companion, is_unfinished, shown
from ingest.receivers.folder.place import Listing, Place, open_file
from ingest.receivers.folder.reading import Reading, Signature, signature
from ingest.receivers.folder.writers import being_written
from ingest.receivers.model import InboxFullError

__all__ = ["WholeFiles"]

_MARKER_SLACK_NS = 2_000_000_000
"""File systems that count in two seconds, FAT for one."""
_TAKEN = Texts("受け取りました", "taken")
_AGAIN = Texts("同じ内容を再び受け取りました。記録は重複しません", "the same bytes again; no record is stored twice")


class WholeFiles:
    """Empties one folder of files that come whole.

    Attributes:
        waiting: when each file that lies there was first seen.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._unchanged: dict[str, tuple[Signature, float]] = {}
        self._manifests: dict[str, tuple[Signature, Manifest | FileFaultError]] = {}
        self._unmoved: dict[str, tuple[Signature, Texts | None]] = {}
        self._later: dict[str, tuple[float, float]] = {}
        self._watched: dict[Path, tuple[Signature, float, str]] = {}
        self.waiting: dict[str, float] = {}

    def look(self, listing: Listing, names: list[str]) -> bool:
        """Take what is complete.

        Args:
            listing: what lies in the folder.
            names: the files of it that come whole.

        Returns:
            Whether the inbox took all it was given; what it has no room for does not hold up the others.
        """
        self._look_back()
        now = self._place.monotonic()
        self.waiting = {name: self.waiting.get(name, now) for name in names if not is_unfinished(name)}
        for known in (self._unchanged, self._manifests, self._unmoved, self._later):
            for gone in known.keys() - listing.files.keys() - set(listing.strange):
                known.pop(gone)
        for name in listing.strange:
            reason = FileFaultError("a link or a device, not a file", "ファイルではありません (リンクまたはデバイス)")
            self._to_error(name, reason.reason, listing)
        settled = {name: self._settled(name, status) for name, status in listing.files.items()}
        for name in listing.files:
            if name.endswith(MANIFEST) and settled[name]:
                self._announced(name, listing)
        for name in sorted(self.waiting, key=lambda name: (listing.files[name].st_mtime_ns, name)):
            if not is_companion(name):
                self._attend(name, listing, settled)
        return not self._later

    def _settled(self, name: str, status: os.stat_result) -> bool:
        now, current = self._place.monotonic(), signature(status)
        before, since = self._unchanged.get(name, (current, now))
        self._unchanged[name] = (current, since if before == current else now)
        return now - self._unchanged[name][1] >= self._place.limits.settle_seconds

    def _attend(self, name: str, listing: Listing, settled: dict[str, bool]) -> None:
        current = signature(listing.files[name])
        if name in self._unmoved and self._unmoved[name][0] == current:
            self._move(name, self._unmoved[name][1], current, listing)
            return
        if name in self._later and self._place.monotonic() < self._later[name][0]:
            return
        try:
            if self._complete(name, listing, settled):
                self._take(name, listing)
            self._later.pop(name, None)
        except InboxFullError as full:
            pause = min(self._place.limits.retry_seconds, self._later.get(name, (0.0, full.retry_after / 2))[1] * 2)
            self._later[name] = (self._place.monotonic() + pause, pause)
        except FileFaultError as fault:
            self._to_error(name, fault.reason, listing)
        except FileBusyError as busy:
            if (self._place.folder / name).exists():
                self._place.tell(OutcomeKind.UNREADABLE, self._place.source_id, name, busy.reason)

    def _complete(self, name: str, listing: Listing, settled: dict[str, bool]) -> bool:
        source = self._place.source
        if source is None:
            if settled[name]:
                raise FileFaultError("no source has this name", "この名前のシステムは登録されていません")
            return False
        written = listing.files[name].st_mtime_ns
        if any(
            (marker := listing.files.get(name + ending)) is not None
            and marker.st_mtime_ns >= written - _MARKER_SLACK_NS
            for ending in MARKERS
        ):
            return True
        return settled[name] and settled.get(name + MANIFEST, True) and not source.marker

    def _announced(self, name: str, listing: Listing) -> Manifest | FileFaultError:
        """What a manifest says; it is announced when it is first read, before its file may be there."""
        place, current = self._place, signature(listing.files[name])
        if name not in self._manifests or self._manifests[name][0] != current:
            try:
                found: Manifest | FileFaultError = read_manifest(place.folder / name, place.limits.manifest_bytes)
            except FileFaultError as fault:
                found = fault
            except FileBusyError as busy:
                place.tell(OutcomeKind.UNREADABLE, place.source_id, name, busy.reason)
                return Manifest()
            self._manifests[name] = (current, found)
            if isinstance(found, Manifest) and place.source is not None:
                place.announce(place.source_id, shown(name.removesuffix(MANIFEST)), found.rows, found.sha256)
        return self._manifests[name][1]

    def _take(self, name: str, listing: Listing) -> None:
        place, manifest = self._place, Manifest()
        if name + MANIFEST in listing.files:
            said = self._announced(name + MANIFEST, listing)
            if isinstance(said, FileFaultError):
                raise said
            manifest = said
        descriptor = open_file(place.folder / name)
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            current = signature(os.fstat(descriptor))
            if current != signature(listing.files[name]):
                return  # just changed: the next look sees it anew
            if being_written(descriptor):
                raise FileBusyError("somebody is still writing it", "まだ書き込み中です")
            if not os.fstat(descriptor).st_size and manifest.rows != 0:
                raise FileFaultError(
                    'empty, and no manifest says {"rows": 0}',
                    '空のファイルです。{"rows": 0} のマニフェストもありません',
                )
            reading = Reading(file, place.limits, sha256=manifest.sha256)
            receipt = place.hand_over(name, reading.pieces())
        again = place.state.note_taken(reading.sha256)
        place.save()
        kind, text = (OutcomeKind.TAKEN_AGAIN, _AGAIN) if again else (OutcomeKind.TAKEN, _TAKEN)
        place.tell(kind, place.source_id, name, text, size=reading.size, sha256=reading.sha256, receipt=receipt.name)
        self._move(name, None, current, listing)

    def _to_error(self, name: str, reason: Texts, listing: Listing) -> None:
        if name not in self._unmoved:
            self._place.tell(OutcomeKind.FAULTY, self._place.source_id, name, reason)
        status = listing.files.get(name)
        self._move(name, reason, signature(status) if status else (0, 0, 0, 0), listing)

    def _move(self, name: str, reason: Texts | None, current: Signature, listing: Listing) -> None:
        """Move a file to where it belongs, by the reason it is faulty for; where that fails, again at the next look."""
        place = self._place
        try:
            if reason is not None:
                move_to_error(place.folder / name, reason)
            else:
                day = tokyo_date(place.clock.now())
                target = move_to_done(place.folder / name, day, current)
                until = place.monotonic() + place.limits.watch_seconds
                self._watched[target] = (current, until, name)
        except (ReplacedError, FileNotFoundError):
            self._unmoved.pop(name, None)
            return
        except OSError as error:
            self._unmoved[name] = (current, reason)
            place.tell(
                OutcomeKind.NOT_MOVED,
                place.source_id,
                name,
                Texts(f"移動できません ({error.strerror})", f"it cannot be moved ({error.strerror})"),
            )
            return
        for known in (self._unmoved, self._later, self.waiting):
            known.pop(name, None)
        for companion in (name + ending for ending in (*MARKERS, MANIFEST)):
            if companion in listing.files:
                self._move_companion(companion, reason, listing)

    def _move_companion(self, name: str, reason: Texts | None, listing: Listing) -> None:
        path, place = self._place.folder / name, self._place
        mover: Callable[[], object] = (
            (lambda: move_to_error(path, None))
            if reason is not None
            else (lambda: move_to_done(path, tokyo_date(place.clock.now()), signature(listing.files[name])))
        )
        try:
            mover()
        except OSError as error:
            place.tell(
                OutcomeKind.NOT_MOVED,
                place.source_id,
                name,
                Texts(f"移動できません ({error.strerror})", f"it cannot be moved ({error.strerror})"),
            )
        self.waiting.pop(name, None)

    def _look_back(self) -> None:
        """Bring back what was written to after it was taken."""
        place, now = self._place, self._place.monotonic()
        for path, (read, until, name) in list(self._watched.items()):
            changed, gone = False, False
            try:
                changed = signature(path.lstat()) != read
                if changed:
                    move_back(path, place.folder / name)
            except OSError:  # put away by somebody
                changed, gone = False, True
            if changed:
                place.tell(
                    OutcomeKind.GREW,
                    place.source_id,
                    name,
                    Texts(
                        "受け取り後に書き込まれたため、再び受け取ります",
                        "written to after it was taken, it is taken again",
                    ),
                )
            if changed or gone or now >= until:
                del self._watched[path]
