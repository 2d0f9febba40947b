"""Findings: kept once, whatever is run again."""

from audit.findings.model import MAX_EVIDENCE, Draft, Finding, FindingStatus, Severity
from audit.findings.repository import FindingFilter
from audit.findings.service import DetectorRun, FindingService, LastRun, Recorded

__all__ = [
    "MAX_EVIDENCE",
    "DetectorRun",
    "Draft",
    "Finding",
    "FindingFilter",
    "FindingService",
    "FindingStatus",
    "LastRun",
    "Recorded",
    "Severity",
]
