"""The detectors of this family."""

from detectors.rules.contractors.outside_window import detector as outside_window
from detectors.rules.contractors.reads_residents import detector as reads_residents

__all__ = ["DETECTORS"]

DETECTORS = (outside_window.DETECTOR, reads_residents.DETECTOR)
