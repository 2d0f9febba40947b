"""Findings: kept once, whatever is run again."""

from audit.findings.canaries import Alarm, Canary, CanaryBook, Verdict
from audit.findings.model import MAX_EVIDENCE, Draft, Finding, FindingStatus, Severity
from audit.findings.repository import FindingFilter
from audit.findings.runs import DetectorRun, Due, Evaluation, LastRun, Recorded
from audit.findings.service import ExceptedBy, FindingService

__all__ = [
    "MAX_EVIDENCE",
    "Alarm",
    "Canary",
    "CanaryBook",
    "DetectorRun",
    "Draft",
    "Due",
    "Evaluation",
    "ExceptedBy",
    "Finding",
    "FindingFilter",
    "FindingService",
    "FindingStatus",
    "LastRun",
    "Recorded",
    "Severity",
    "Verdict",
]
