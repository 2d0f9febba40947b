"""A records service as towns have them: it searches and shows invented residents, and knows nothing of Mimamori.

    python records_service.py PORT FILE

Each request that reaches it stands in FILE as one line of JSON: method, address, headers.
"""

import html
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

RESIDENTS = {
    "0004512345": ("見本 一郎", "例町 1-2-3", "国保 一般"),
    "0004512346": ("見本 花子", "例町 1-2-3", "国保 一般"),
    "0009000001": ("仮名 次郎", "架空町 4-5", "国保 退職"),
}
"""Nobody: invented for this test."""


class Records(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    seen = Path()

    def do_GET(self) -> None:
        """Search, or show one."""
        self._note()
        where = urlsplit(self.path)
        first, _, key = unquote(where.path).strip("/").partition("/")
        if first == "search":
            wanted = parse_qs(where.query).get("q", [""])[0]
            found = [(key, name) for key, (name, *_) in RESIDENTS.items() if wanted and wanted in name]
            rows = "".join(f'<li><a href="/residents/{key}">{html.escape(name)}</a></li>' for key, name in found)
            self._say(200, "検索", f"<ul>{rows}</ul>")
        elif first == "residents" and key in RESIDENTS:
            name, *lines = RESIDENTS[key]
            self._say(200, name, "".join(f"<p>{html.escape(line)}</p>" for line in lines))
        else:
            self._say(404, "該当なし", "")

    def do_POST(self) -> None:
        """Take a change of address, and forget it."""
        self._note()
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self._say(200, "受付", "")

    def _note(self) -> None:
        line = {"method": self.command, "address": self.path, "headers": self.headers.items()}
        with self.seen.open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps(line)}\n")

    def _say(self, status: int, title: str, body: str) -> None:
        page = (
            f"<!doctype html><meta charset=utf-8><title>{html.escape(title)}</title><h1>{html.escape(title)}</h1>{body}"
        )
        content = page.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    Records.seen = Path(sys.argv[2])
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Records).serve_forever()
