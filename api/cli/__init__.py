"""The command line: `mimamori [--data DIR] COMMAND`. Exit codes are those of DESIGN 4.2."""

import os

# Arrow's allocator gives memory back after 10 ms, to take it again for the next batch, zeroed by the kernel, which
# shows in what taking in costs. It reads this when it is loaded.
os.environ.setdefault("MIMALLOC_PURGE_DELAY", "5000")

from api.cli.main import main

__all__ = ["main"]
