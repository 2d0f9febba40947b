"""A loopback double of a ClickHouse server: its HTTP interface in front of an embedded engine of its own.

Run as a program with the engine's folder; it prints its port, and ends when its standard input does.
clickhouse-connect's real HTTP client talks to it, so that everything between our SQL and the engine is what a server
deployment uses. Each request gets an engine handle of its own: settings end with the request, as on a server, and
`readonly` is enforced by the engine itself.
"""

import gzip
import re
import sys
import threading
import zlib
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from tempfile import NamedTemporaryFile
from urllib.parse import parse_qsl, urlsplit

import chdb
import lz4.frame  # type: ignore[import-untyped]  # it ships no types
from backports import zstd

_TRANSPORT = frozenset(
    [
        "buffer_size",
        "client_protocol_version",
        "compress",
        "database",
        "decompress",
        "enable_http_compression",
        "http_headers_progress_interval_ms",
        "query",
        "query_id",
        "quota_key",
        "role",
        "send_progress_in_http_headers",
        "session_check",
        "session_id",
        "session_timeout",
        "wait_end_of_query",
    ]
)
"""Query-string names that are the server's own business, not settings."""
_CODE = re.compile(r"Code: (\d+)")
_FORMAT = re.compile(rb"\bFORMAT\s+(\w+)\s*;?\s*$", re.IGNORECASE)
_INSERT = re.compile(rb"\s*(INSERT INTO .*?)(FORMAT\s+\w+)\s*$", re.IGNORECASE | re.DOTALL)
_ANSWERS = re.compile(rb"\s*\(?\s*(SELECT|WITH|SHOW|DESC|EXISTS|EXPLAIN)\b", re.IGNORECASE)
_DECODERS: Mapping[str, Callable[[bytes], bytes]] = {
    "deflate": zlib.decompress,
    "gzip": gzip.decompress,
    "identity": bytes,
    "lz4": lz4.frame.decompress,
    "zstd": zstd.decompress,
}


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _form(kind: str, body: bytes) -> dict[str, str]:
    found = {}
    for part in message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body).walk():
        name = part.get_param("name", header="Content-Disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            found[name] = content.decode()
    return found


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "_Server"

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Say nothing: standard output belongs to the port."""

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "") == "chunked":
            data = b""
            while size := int(self.rfile.readline().strip() or b"0", 16):
                data += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        return _DECODERS[self.headers.get("Content-Encoding", "identity")](data)

    def _serve(self) -> None:
        url = urlsplit(self.path)
        body = self._body()
        if url.path == "/ping":
            self._answer(200, b"Ok.\n", {})
            return
        asked = dict(parse_qsl(url.query, keep_blank_values=True))
        if self.headers.get_content_type() == "multipart/form-data":  # parameters too long for an address
            asked |= _form(self.headers["Content-Type"], body)
            body = b""
        query = asked.get("query", "").encode()
        with ExitStack() as kept:
            if body and (insert := _INSERT.match(query)):  # the embedded engine would look for a `;` in the bytes
                file = kept.enter_context(NamedTemporaryFile())
                file.write(body)
                file.flush()
                query, body = b"%b FROM INFILE %b %b" % (insert[1], _quoted(file.name).encode(), insert[2]), b""
            sql = b"\n".join(part for part in (query, body) if part)
            self._run(sql, asked)

    def _run(self, sql: bytes, asked: Mapping[str, str]) -> None:
        try:
            answer = self.server.run(sql, asked)
        except (RuntimeError, ValueError) as error:
            text = str(error)
            found = _CODE.search(text)
            code = found[1] if found else "1002"
            self._answer(500, text.encode(), {"X-ClickHouse-Exception-Code": code})
            return
        extra = {"X-ClickHouse-Timezone": "UTC"}
        if _ANSWERS.match(sql):
            given = _FORMAT.search(sql)
            extra["X-ClickHouse-Format"] = given[1].decode() if given else "TabSeparated"
        self._answer(200, answer, extra)

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, path: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._path = path
        self._held = chdb.connect(path)  # type: ignore[no-untyped-call]  # the engine lives as long as one handle is open

    def run(self, sql: bytes, asked: Mapping[str, str]) -> bytes:
        """Run one request as a server would: in its database, under its settings, with its parameters."""
        settings = {
            name: value for name, value in asked.items() if name not in _TRANSPORT and not name.startswith("param_")
        }
        readonly = settings.pop("readonly", "0")
        parameters = {name.removeprefix("param_"): value for name, value in asked.items() if name.startswith("param_")}
        handle = chdb.connect(self._path)  # type: ignore[no-untyped-call]  # it ships no types
        try:
            handle.query(f"USE `{asked.get('database', 'default')}`")
            for name, value in settings.items():
                handle.query(f"SET {name} = {_quoted(value)}")
            if readonly != "0":
                handle.query(f"SET readonly = {_quoted(readonly)}")
            answer: bytes = handle.query(sql, "TabSeparated", params=parameters).bytes() or b""
            return answer
        finally:
            handle.close()


def main() -> None:
    """Serve until standard input ends."""
    server = _Server(sys.argv[1])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)  # noqa: T201 - the parent reads the port
    sys.stdin.read()


if __name__ == "__main__":
    main()
