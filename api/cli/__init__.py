"""The command line: `mimamori [--data DIR] COMMAND`. Exit codes are those of DESIGN 4.2."""

from api.cli.main import main

__all__ = ["main"]
