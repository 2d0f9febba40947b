"""The detectors of this family."""

from detectors.rules.sign_in.absent import detector as absent
from detectors.rules.sign_in.dormant import detector as dormant
from detectors.rules.sign_in.leavers import detector as leavers
from detectors.rules.sign_in.second_factor import detector as second_factor
from detectors.rules.sign_in.terminals import concurrent, lent_id, new_terminal
from detectors.rules.sign_in.transferees import detector as transferees

__all__ = ["DETECTORS"]

DETECTORS = tuple(
    module.DETECTOR
    for module in (second_factor, leavers, transferees, dormant, absent, concurrent, lent_id, new_terminal)
)
