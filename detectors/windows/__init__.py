"""Detectors over an aggregate of a window and a look back. One folder each: `detector.py` and its own `cases.py`."""
