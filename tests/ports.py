"""Ports for servers that a test starts.

Asking the kernel for "any port" gives one that it will soon hand to somebody's outgoing connection. Ours lie below that
range, none is given twice in a run, not even by two workers of it, and each was free when given.
"""

import os
import random
import socket

__all__ = ["free_port"]

_LOW, _HIGH = 15_000, 32_000  # Linux hands out 32768 and above by itself
_WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS
_random = random.SystemRandom()  # tests seed the common generator
_given: set[int] = set()


def free_port() -> int:
    """A port of this machine's loopback that nobody listens on and nobody else is given."""
    while True:
        port = _random.randrange(_LOW + _WORKER, _HIGH, _WORKERS)
        if port in _given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port
