"""The detectors of this family."""

from detectors.rules.privilege.audit_trail import detector as audit_trail
from detectors.rules.privilege.reset_then_used import detector as reset_then_used
from detectors.rules.privilege.self_granted import detector as self_granted
from detectors.rules.privilege.unapproved import detector as unapproved
from detectors.rules.privilege.used_and_removed import detector as used_and_removed

__all__ = ["DETECTORS"]

DETECTORS = (
    self_granted.DETECTOR,
    used_and_removed.DETECTOR,
    reset_then_used.DETECTOR,
    *unapproved.DETECTORS,
    *audit_trail.DETECTORS,
)
