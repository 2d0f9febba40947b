"""Detectors of facts that break a rule."""
