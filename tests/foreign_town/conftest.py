"""Puts this folder's modules on the path: they are one program, run and imported by their own names."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
