"""From a sender's bytes over HTTP to durable and searchable, beside the engine's own reading of the same bytes.

A real service in a process of its own, a sender in another; the yardstick is `raw_insert` of JSONEachRow as in
`taking_in`, in a third engine, in turn. Two cores carry sender and service together.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from time import perf_counter, sleep

import httpx

from audit.clock import SystemClock
from tests.bench import samples
from tests.bench.tables import table
from tests.bench.taking_in import Raw
from tests.doubles.oauth_client import OAuthClient
from tests.ports import free_port

__all__ = ["Service", "run", "serving"]

_EVENTS = 300_000
_BODY = 10_000
"""Events of one request: 4 MB."""
_ROUNDS = 5
_SMALL = 300
_SOURCE = "nhi-eligibility"
_MIMAMORI = (sys.executable, "-c", "from api.cli import main; raise SystemExit(main())")


class Service:
    """A running service and one sender's credentials."""

    def __init__(self, data: Path, port: int, process: subprocess.Popen[bytes], credential: dict[str, str]) -> None:
        self._process = process
        self._base = f"http://localhost:{port}"
        self.events = data / "events"
        self.http = httpx.Client(base_url=self._base, timeout=120)
        self._client = OAuthClient(credential["client_id"], credential["client_secret"], self._base)
        self.headers: dict[str, str] = {}

    def authenticate(self) -> None:
        self.headers = {"authorization": f"Bearer {self._client.token(self.http, SystemClock().now())}"}

    def post(self, body: bytes, line: HTTPConnection, *, wait: int = 0) -> str:
        """One batch; the receipt. A full inbox is asked again, as a sender would.

        Args:
            body: the batch.
            line: over which connection; the standard library's, which costs a sender least.
            wait: seconds to wait for the answer until the batch is in the log.
        """
        headers = self.headers | ({"prefer": f"wait={wait}"} if wait else {})
        while True:
            line.request("POST", f"/api/v1/events?source={_SOURCE}", body, headers)
            answer = line.getresponse()
            said = json.loads(answer.read())
            if answer.status in {200, 202}:
                return str(said["receipt"])
            if answer.status != HTTPStatus.TOO_MANY_REQUESTS:
                raise RuntimeError(f"{answer.status}: {said}")
            sleep(0.2)

    def fate(self, receipt: str) -> dict[str, int | str]:
        answer = self.http.get(f"/api/v1/deliveries/{receipt}?source={_SOURCE}", headers=self.headers)
        answer.raise_for_status()
        found: dict[str, int | str] = answer.json()
        return found

    def stored(self, receipts: list[str]) -> int:
        """How many events of some batches are stored."""
        fates = [self.fate(receipt) for receipt in receipts]
        return sum(int(fate["stored"]) for fate in fates if fate["state"] == "stored")

    @contextmanager
    def line(self) -> Iterator[HTTPConnection]:
        """A connection."""
        connection = HTTPConnection(self._base.removeprefix("http://"), timeout=120)
        try:
            yield connection
        finally:
            connection.close()

    def processor_seconds(self) -> float:
        fields = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self, name: str) -> int:
        """A line of the process's status, in bytes."""
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        return int(status.partition(f"{name}:")[2].split()[0]) * 1024


@contextmanager
def serving(data: Path) -> Iterator[Service]:
    port = free_port()
    settings = {**os.environ, "MIMAMORI_DATA": str(data), "MIMAMORI_PUBLIC_URL": f"http://localhost:{port}"}
    issued = subprocess.run(
        [*_MIMAMORI, "sources", "credential", "issue", _SOURCE, "--json"],
        env=settings,
        capture_output=True,
        check=True,
    )
    process = subprocess.Popen(
        [*_MIMAMORI, "serve", "--port", str(port)], env=settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        service = Service(data, port, process, json.loads(issued.stdout))
        while True:
            try:
                if service.http.get("/readyz").status_code == 200:
                    break
            except httpx.HTTPError:
                sleep(0.1)
        service.authenticate()
        yield service
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _bodies(data: bytes) -> list[bytes]:
    lines = data.splitlines(keepends=True)
    return [b"".join(lines[at : at + _BODY]) for at in range(0, len(lines), _BODY)]


def _send(service: Service, bodies: list[bytes]) -> tuple[float, int]:
    """Send over two connections, each waiting at its end until what it sent is stored: seconds, and how many events."""
    receipts: list[str] = []

    def post(part: list[bytes]) -> None:
        with service.line() as line:
            receipts.extend([service.post(body, line, wait=30 if body is part[-1] else 0) for body in part])

    began = perf_counter()
    threads = [threading.Thread(target=post, args=(part,)) for n in range(2) if (part := bodies[n::2])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = perf_counter() - began
    return took, service.stored(receipts)


def run(folder: Path, *, full: bool) -> None:
    """Measure the way over HTTP."""
    del full
    raw = Raw(folder / "raw")
    with serving(folder / "town") as service:
        warm = samples.json_lines(_EVENTS // 3, seed=9).replace(b'"nhi-', b'"warm-')
        _send(service, _bodies(warm))
        raw.insert(warm)
        ours, theirs, stored, processor = list[float](), list[float](), 0, 0.0
        for number in range(_ROUNDS):
            data = samples.json_lines(_EVENTS, seed=number).replace(b'"nhi-', b'"h%d-' % number)
            bodies = _bodies(data)
            theirs.append(raw.insert(data))
            before = service.processor_seconds()
            took, count = _send(service, bodies)
            ours.append(took)
            processor += service.processor_seconds() - before
            stored += count
        memory = service.memory("VmHWM")
        acknowledged = []
        with service.line() as line:
            for number in range(_SMALL):
                body = samples.json_lines(10, seed=number).replace(b'"nhi-', b'"s%d-' % number)
                began = perf_counter()
                service.post(body, line)
                acknowledged.append((perf_counter() - began) * 1000)
        acknowledged.sort()
    events = _EVENTS * _ROUNDS
    best, best_raw = min(ours), min(theirs)
    table(
        f"HTTP NDJSON, {_EVENTS:,} events in bodies of {_BODY:,}, two connections, {_ROUNDS} rounds in turn",
        ("", "best events/s", "median events/s", "median µs/event"),
        [
            [name, round(_EVENTS / min(times)), round(_EVENTS / median(times)), median(times) / _EVENTS * 1e6]
            for name, times in (("raw JSONEachRow", theirs), ("HTTP to durable and searchable", ours))
        ],
    )
    ratios = sorted(one / own for one, own in zip(theirs, ours, strict=True))
    print(
        f"\nstored {stored:,} of {events:,}; speed against raw, round by round: "
        f"{', '.join(f'{ratio:.2f}' for ratio in ratios)}; median against median "
        f"{median(theirs) / median(ours):.2f}, best against best {best_raw / best:.2f} "
        "(goal 1.0, at least 0.6)"
    )
    print(
        f"the service's processor time: {processor / events * 1e6:.2f} µs an event, "
        f"{events / processor:,.0f} events/s/core"
    )
    print(f"the service's peak resident memory: {memory / 2**20:,.0f} MB")
    print(f"this sender's peak resident memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")
    print(
        f"acknowledging {_SMALL} batches of 10 events, one after the other: median {acknowledged[_SMALL // 2]:.1f} ms, "
        f"p99 {acknowledged[_SMALL * 99 // 100]:.1f} ms"
    )
