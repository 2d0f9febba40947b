"""Detectors that learn what is usual from the log."""
