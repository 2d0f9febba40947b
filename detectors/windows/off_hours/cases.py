"""Stories that this detector must and must not find."""

from detectors.model import Case

__all__ = ["CASES"]

CASES: tuple[Case, ...] = ()
