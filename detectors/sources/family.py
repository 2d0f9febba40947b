"""The detectors of this family."""

from detectors.sources.backdating import detector as backdating
from detectors.sources.clock import detector as clock
from detectors.sources.numbers import detector as numbers
from detectors.sources.silence import detector as silence

__all__ = ["DETECTORS"]

DETECTORS = (silence.DETECTOR, numbers.DETECTOR, clock.DETECTOR, backdating.DETECTOR)
