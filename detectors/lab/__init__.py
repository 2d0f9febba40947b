"""The lab: a simulated town whose incidents are known, to show detectors at work and to measure them."""

from detectors.lab.town import Town, TownFiles, simulate

__all__ = ["Town", "TownFiles", "simulate"]
