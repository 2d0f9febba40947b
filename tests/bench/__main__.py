"""What the promises cost on this machine: `make bench`, or `python -m tests.bench [--full] [PART ...]`.

Every part runs in a process of its own (the embedded engine keeps its folder for the life of one), in a folder that
is gone afterwards. Nothing is asserted: these are numbers to look at.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path

PARTS = ("receiving", "reading", "taking_in", "searching", "judging", "deciding", "deciding_http")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measurements, never assertions.")
    parser.add_argument("part", nargs="*", help=f"which: {', '.join(PARTS)}; all when left out")
    parser.add_argument("--full", action="store_true", help="search 10,000,000 events and judge 50,000,000 too")
    parser.add_argument("--here", action="store_true", help="in this process, one part only")
    asked = parser.parse_args()
    if unknown := set(asked.part) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    if asked.here:
        with tempfile.TemporaryDirectory(prefix="mimamori-bench-") as folder:
            import_module(f"tests.bench.{asked.part[0]}").run(Path(folder), full=asked.full)
        return
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"load before: {os.getloadavg()[0]:.1f} (a busy machine measures itself, not us)")
    for part in asked.part or PARTS:
        command = ["-m", "tests.bench", "--here", part, *(["--full"] if asked.full else [])]
        print(f"\n$ python {' '.join(command)}", flush=True)
        subprocess.run([sys.executable, *command], check=True)


if __name__ == "__main__":
    main()
