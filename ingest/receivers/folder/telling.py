"""Telling what became of files: every file that was taken or refused, and what lasts not at every look."""

from collections import Counter
from collections.abc import Callable

from audit.texts import Texts
from ingest.receivers.folder.model import Outcome, OutcomeKind
from ingest.receivers.folder.names import shown

__all__ = ["Telling"]

_AGAIN_SECONDS = 600.0
_ALWAYS = {
    OutcomeKind.FAULTY,
    OutcomeKind.GREW,
    OutcomeKind.TAKEN,
    OutcomeKind.TAKEN_AGAIN,
    OutcomeKind.TRUNCATED,
    OutcomeKind.VANISHED,
}


class Telling:
    """Counts and tells."""

    def __init__(self, tell: Callable[[Outcome], None], monotonic: Callable[[], float]) -> None:
        self._tell = tell
        self._monotonic = monotonic
        self._told: dict[tuple[OutcomeKind, str, str], float] = {}
        self.counts: Counter[OutcomeKind] = Counter()

    def __call__(
        self,
        kind: OutcomeKind,
        source: str,
        name: str,
        text: Texts,
        *,
        size: int = 0,
        sha256: str = "",
        receipt: str = "",
    ) -> None:
        """Tell of one file; the name is as it lies there."""
        if kind not in _ALWAYS:
            now = self._monotonic()
            self._told = {key: at for key, at in self._told.items() if now - at < _AGAIN_SECONDS}
            if (kind, source, name) in self._told:
                return
            self._told[kind, source, name] = now
        self.counts[kind] += 1
        self._tell(Outcome(kind, shown(source), shown(name), text, size, sha256, receipt))
