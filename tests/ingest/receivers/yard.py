"""A drop folder with a clock that can be turned."""

from datetime import UTC, datetime
from pathlib import Path

from memory_inbox import MemoryInbox

from audit.clock import FixedClock
from ingest.receivers.folder import DropFolder, DropSource, Limits, Outcome, OutcomeKind

SOURCES = {
    "nhi": DropSource(),
    "marked": DropSource(marker=True, format="csv"),
    "app": DropSource(tail=True),
    "table": DropSource(tail=True, repeat_header=True),
}
LIMITS = Limits(unpacked_bytes=1 << 20, ratio_from=1 << 14, piece_bytes=1 << 16)


class Yard:
    def __init__(self, home: Path, inbox: MemoryInbox, limits: Limits = LIMITS) -> None:
        self.root, self.state, self.inbox = home / "inbox", home / "state", inbox
        self.limits = limits
        self.seconds = 1_000.0
        self.outcomes: list[Outcome] = []
        self.announced: list[tuple[str, str, int | None, str]] = []
        for source in SOURCES:
            (self.root / source).mkdir(parents=True, exist_ok=True)
        self.restart()

    def restart(self) -> None:
        self.drop = DropFolder(
            self.root,
            self.state,
            self.inbox,
            source=SOURCES.get,
            clock=FixedClock(datetime(2026, 11, 21, 15, tzinfo=UTC)),  # the 22nd in Tokyo
            limits=self.limits,
            tell=self.outcomes.append,
            announce=lambda *said: self.announced.append(said),
            monotonic=lambda: self.seconds,
        )

    def put(self, name: str, data: bytes, source: str = "nhi") -> Path:
        path = self.root / source / name
        path.write_bytes(data)
        return path

    def look(self, after: float = 0.0) -> None:
        self.seconds += after
        self.drop.look()

    def settle(self) -> None:
        """Look, wait until what lies there is settled, look again."""
        self.look()
        self.look(self.limits.settle_seconds)

    def kinds(self) -> list[OutcomeKind]:
        return [outcome.kind for outcome in self.outcomes]

    def lying(self, *parts: str) -> list[str]:
        folder = self.root.joinpath(*parts)
        return sorted(path.name for path in folder.iterdir()) if folder.exists() else []

    def done(self, source: str = "nhi") -> list[str]:
        return self.lying(source, "done", "2026-11-22")

    def error(self, source: str = "nhi") -> list[str]:
        return self.lying(source, "error")

    def reason(self, name: str, source: str = "nhi") -> str:
        return (self.root / source / "error" / f"{name}.reason.txt").read_text(encoding="utf-8")

    def data(self) -> list[bytes]:
        return [kept.data for kept in self.inbox.kept]
