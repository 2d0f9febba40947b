"""The watcher of `inbox/<source>/`: looks at the folders again and again.

Looking, not being told: inotify says nothing of what another machine writes to a network share, and most drop folders
are shares. A look at a folder in which nothing happens costs one listing.

Each source has a folder of its own, so whose a file is and where it goes are ours to say, never the sender's. Folders
within it are not looked into. Nothing that a sender can put there, and no fault of a disk or a share, ends the
watching: every folder is looked at for itself.
"""

import os
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from time import monotonic as system_monotonic

from audit.clock import Clock
from audit.texts import Texts
from ingest.receivers.folder.model import DropSource, Health, Limits, Outcome, OutcomeKind
from ingest.receivers.folder.moving import DONE, ERROR
from ingest.receivers.folder.names import is_companion, is_unfinished
from ingest.receivers.folder.place import Announce, Listing, Place
from ingest.receivers.folder.state import FolderState
from ingest.receivers.folder.tail import GrowingFiles
from ingest.receivers.folder.telling import Telling
from ingest.receivers.folder.whole import WholeFiles
from ingest.receivers.model import Inbox, InboxFullError

__all__ = ["DropFolder"]

_FOLDER = Texts("フォルダーの中は見ません", "folders are not looked into")
_STATE_LOST = Texts(
    "前回までの状態が読めないため、初めから受け取ります", "the state cannot be read, all is taken again"
)
_ROOT = ""


class _Watched:
    """One folder under watch."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.whole = WholeFiles(place)
        self.growing = GrowingFiles(place)

    def look(self) -> bool:
        """Take what can be taken; whether the inbox took all of it."""
        place, took = self.place, True
        listing = Listing.of(place.folder)
        for name in listing.folders if place.source_id != _ROOT else ():
            place.tell(OutcomeKind.IGNORED, place.source_id, name, _FOLDER)
        names = [name for name in listing.files if not is_unfinished(name)]
        if place.source is not None and place.source.tail:
            packed = self.growing.packed(names, listing)
            try:
                self.growing.look(listing, [name for name in names if name not in packed and not is_companion(name)])
            except InboxFullError:
                took = False
            names = [name for name in names if name in packed or is_companion(name)]
        return self.whole.look(listing, names) and took


class DropFolder:
    """Watches the folders of all sources.

    Args:
        root: holds a folder for each source, named by its id; made if it is missing.
        state: where to remember how far growing files were taken; not in `root`.
        inbox: where files go.
        source: how a source drops its files; None for an id that is no source's.
        clock: says which day it is.
        limits: the bounds.
        tell: called with what became of files.
        announce: called with what manifests announce; may be told the same thing again after a restart.
        monotonic: seconds that never go back.
    """

    def __init__(
        self,
        root: Path,
        state: Path,
        inbox: Inbox,
        *,
        source: Callable[[str], DropSource | None],
        clock: Clock,
        limits: Limits | None = None,
        tell: Callable[[Outcome], None] = lambda _outcome: None,
        announce: Announce = lambda _source, _name, _rows, _sha256: None,
        monotonic: Callable[[], float] = system_monotonic,
    ) -> None:
        self._root = root
        self._state = state
        self._inbox = inbox
        self._source = source
        self._clock = clock
        self._limits = limits or Limits()
        self._tell = Telling(tell, monotonic)
        self._announce = announce
        self._monotonic = monotonic
        self._watched: dict[str, _Watched] = {}
        self._stopped = False
        self._stopping = Event()
        self._thread: Thread | None = None

    def start(self) -> None:
        """Watch, in a thread of its own.

        Raises:
            OSError: the root cannot be made.
        """
        self._root.mkdir(parents=True, exist_ok=True)
        self._thread = Thread(target=self._run, name="drop folder", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End after the file that is being taken; nothing is lost by that, all others lie where they are."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def health(self) -> Health:
        """The state of the folders."""
        since = [at for watched in list(self._watched.values()) for at in list(watched.whole.waiting.values())]
        return Health(
            counts=dict(self._tell.counts),
            waiting=len(since),
            longest_seconds=self._monotonic() - min(since) if since else 0.0,
            stopped=self._stopped,
        )

    def look(self) -> None:
        """Look once at every folder, and take what can be taken."""
        try:
            folders = self._folders()
        except OSError as error:
            self._cannot_see(_ROOT, error)
            return
        self._watched = {name: self._watch(name) for name in folders}
        took = True
        for name, watched in self._watched.items():
            if self._stopping.is_set():
                break
            try:
                took = watched.look() and took
            except Exception as error:  # noqa: BLE001 - one folder's trouble is not the others'
                self._cannot_see(name, error)
        self._stopped = not took

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.look()
            self._stopping.wait(self._limits.poll_seconds)

    def _folders(self) -> list[str]:
        """The root itself, whose files are nobody's, and what may be sources' folders."""
        with os.scandir(self._root) as entries:
            found = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
        return [_ROOT, *sorted(name for name in found if name not in {DONE, ERROR} and not name.startswith("."))]

    def _watch(self, name: str) -> _Watched:
        source = self._source(name) if name else None
        known = self._watched.get(name)
        if known is not None and known.place.source == source:  # sources may be added while we watch
            return known
        state = FolderState.load(self._state / f"{name}.json") if source is not None else FolderState(self._state)
        if state.lost:
            self._tell(OutcomeKind.STATE_LOST, name, state.path.name, _STATE_LOST)
        return _Watched(
            Place(
                folder=self._root / name,
                source_id=name,
                source=source,
                inbox=self._inbox,
                limits=self._limits,
                clock=self._clock,
                monotonic=self._monotonic,
                tell=self._tell,
                announce=self._announce,
                state=state,
            )
        )

    def _cannot_see(self, name: str, error: Exception) -> None:
        why = getattr(error, "strerror", None) or type(error).__name__
        self._tell(
            OutcomeKind.UNREADABLE,
            name,
            "",
            Texts(f"フォルダーを見られません ({why})", f"the folder cannot be seen ({why})"),
        )
