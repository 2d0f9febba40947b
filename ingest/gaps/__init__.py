"""What should arrive and does not: silence, missing numbers, wrong clocks, backdated events, missing batches."""

from ingest.gaps.model import DETECTORS, GapDetector, GapSummary, Health, SourceState
from ingest.gaps.service import GapService

__all__ = ["DETECTORS", "GapDetector", "GapService", "GapSummary", "Health", "SourceState"]
