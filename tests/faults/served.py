"""The real service in a process of its own, and systems that send to it over HTTP as the contract says."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import quote, urlencode

import httpx
from lives import Town
from ports import free_port
from senders import Parcel

sys.path.insert(0, str(Path(__file__).parents[1] / "doubles"))

from oauth_client import OAuthClient

MIMAMORI = Path(sys.executable).parent / "mimamori"


@dataclass
class Answer:
    """What a sender was told."""

    status: int
    headers: Mapping[str, str]
    document: dict[str, object]


@dataclass
class Service:
    """One installation that serves; it can be killed and started again."""

    town: Town
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    clients: dict[str, OAuthClient] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    told: threading.Lock = field(default_factory=threading.Lock)
    statuses: Counter[int] = field(default_factory=Counter)

    def _environment(self) -> dict[str, str]:
        ours = {"MIMAMORI_DATA": str(self.town.data), "MIMAMORI_PORT": str(self.port), "MIMAMORI_RESERVE_BYTES": "0"}
        if self.town.url:
            ours["MIMAMORI_CLICKHOUSE_URL"] = self.town.url
        return os.environ | ours | self.settings

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command on the installation."""
        return subprocess.run(
            [str(MIMAMORI), *words], env=self._environment(), capture_output=True, text=True, check=False
        )

    def credential(self, *sources: str) -> None:
        """Give sources what they prove themselves with; the service must not run."""
        endpoint = f"http://localhost:{self.port}/oauth2/token"
        for source, made in self.town.credentials(sources).items():
            self.clients[source] = OAuthClient(made[0], made[1], endpoint)

    def start(self) -> None:
        """Start, and wait until it answers."""
        with (self.town.data.parent / f"{self.town.data.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(MIMAMORI), "serve", "--port", str(self.port)], env=self._environment(), stdout=log, stderr=log
            )
        until = time.monotonic() + 60
        while time.monotonic() < until:
            assert self.process.poll() is None, "the service ended"
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            time.sleep(0.05)
        raise AssertionError("the service does not answer")

    def kill(self) -> None:
        """As a power cut would."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """As an operator would."""
        self.process.terminate()
        assert self.process.wait(timeout=60) in {0, -15}

    def token(self, source: str) -> str:
        """An access token, asked for once."""
        if source not in self.tokens:
            with httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30) as http:
                self.tokens[source] = self.clients[source].token(http, datetime.now(UTC))  # noqa: TID251 - the system's clock, as a sender has it
        return self.tokens[source]

    def post(self, parcel: Parcel, *, timeout: float = 30, **headers: str) -> Answer:
        """Send one delivery, once.

        Raises:
            OSError: nothing was heard.
            HTTPException: the same.
        """
        where = urlencode({"source": parcel.source, "name": parcel.name, "format": parcel.fmt}, quote_via=quote)
        sent = {"authorization": f"Bearer {self.token(parcel.source)}", "content-type": "application/x-ndjson"}
        if parcel.key:
            sent["idempotency-key"] = parcel.key
        connection = HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("POST", f"/api/v1/events?{where}", parcel.data, sent | headers)
            answer = connection.getresponse()
            found = Answer(answer.status, dict(answer.getheaders()), json.loads(answer.read()))
        finally:
            connection.close()
        with self.told:
            self.statuses[found.status] += 1
            if found.status in {200, 202}:
                self.town.hear(parcel.name, str(found.document["receipt"]))
        return found

    def send(self, parcel: Parcel, until: float = 120) -> None:
        """Send until it is accepted, as a sender does."""
        end = time.monotonic() + until
        while time.monotonic() < end:
            with suppress(OSError, HTTPException):
                answer = self.post(parcel)
                if answer.status in {200, 202}:
                    return
                assert answer.status == 429, answer
                assert int(answer.headers["retry-after"]) > 0
            time.sleep(0.1)
        raise AssertionError(f"{parcel.name} was never accepted")

    def waiting(self) -> int:
        """How many deliveries wait, as the files of the spool show."""
        return len(list((self.town.data / "spool").glob("*.*")))

    def memory(self) -> int:
        """Resident bytes of the service."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) << 10


@contextmanager
def serving(town: Town, *sources: str, **settings: str) -> Iterator[Service]:
    """A running service with credentials for some sources."""
    service = Service(town, settings)
    service.credential(*sources)
    service.start()
    try:
        yield service
    finally:
        if service.process.poll() is None:
            service.kill()
