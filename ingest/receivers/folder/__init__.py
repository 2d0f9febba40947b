"""The watched drop folder: for systems that can write a file and nothing else."""

from ingest.receivers.folder.model import DropSource, Health, Limits, Outcome, OutcomeKind
from ingest.receivers.folder.watcher import DropFolder

__all__ = ["DropFolder", "DropSource", "Health", "Limits", "Outcome", "OutcomeKind"]
