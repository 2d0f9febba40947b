"""A ClickHouse server that fails: the loopback double, and in front of it somebody who loses answers and kills it.

The address stays the same over all restarts. What happens to a request is decided by a plan, once the first event is
being stored: an installation that cannot open is another matter.
"""

import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

DOUBLE = Path(__file__).parents[1] / "doubles" / "clickhouse_http.py"


_INSERT = re.compile(rb"\s*INSERT INTO \S*\bevents\b")


class Fate(Enum):
    """What becomes of a request."""

    PASS = "pass"
    LOSE = "the answer is lost, after the server did what was asked"
    REFUSE = "the connection breaks before the server hears of it"
    RESTART = "the server is killed and started again, and then asked"
    READONLY = "the server refuses every write"
    SLOW = "the answer takes its time"


class Middleman:
    """One server's address."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._begun = False
        self.plan: Callable[[bytes], Fate] = lambda _request: Fate.PASS
        self.fates = Counter[Fate]()
        self.start()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://default@127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        """Start the server."""
        self._process = subprocess.Popen(
            [sys.executable, str(DOUBLE), str(self._folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        self._port = int(self._process.stdout.readline())

    def kill(self) -> None:
        """Kill the server."""
        self._process.kill()
        self._process.communicate()

    def close(self) -> None:
        """Stop everything."""
        self._server.shutdown()
        self._server.server_close()
        self.kill()

    def decide(self, request: bytes) -> Fate:
        """What becomes of this one."""
        with self._lock:
            self._begun = self._begun or bool(_INSERT.match(request))
            fate = self.plan(request) if self._begun else Fate.PASS
            self.fates[fate] += 1
            if fate is Fate.RESTART:
                self.kill()
                self.start()
        if fate is Fate.READONLY and not _INSERT.match(request):
            return Fate.PASS
        return fate

    def ask(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Ask the server."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()


def _handler(middleman: Middleman) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._relay()

        def do_POST(self) -> None:
            self._relay()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
            """Say nothing."""

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            data = b""
            while size := int(self.rfile.readline().strip() or b"0", 16):
                data += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return data

        def _relay(self) -> None:
            body = self._body()
            asked = dict(parse_qsl(urlsplit(self.path).query)).get("query", "").encode()
            fate = middleman.decide(asked + b" " + body[:200])
            left_out = {"transfer-encoding", "connection", "host", "content-length"}
            headers = {name: value for name, value in self.headers.items() if name.lower() not in left_out}
            if fate is Fate.READONLY:
                text = b"Code: 242. DB::Exception: Table is in readonly mode. (TABLE_IS_READ_ONLY)"
                self._answer(500, {"X-ClickHouse-Exception-Code": "242"}, text)
                return
            if fate is Fate.REFUSE:
                self.close_connection = True
                return
            try:
                status, found, answer = middleman.ask(self.command, self.path, headers, body)
            except (OSError, HTTPException):
                self.close_connection = True
                return
            if fate is Fate.LOSE:
                self.close_connection = True
                return
            if fate is Fate.SLOW:
                time.sleep(0.4)
            self._answer(status, found, answer)

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in {"content-length", "server", "date", "connection"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler


@contextmanager
def middleman(folder: Path) -> Iterator[Middleman]:
    """A server and its middleman."""
    opened = Middleman(folder)
    try:
        yield opened
    finally:
        opened.close()
