"""A real installation with every door open: HTTP with machine credentials, syslog, the drop folder, and pages."""

import gzip
import json
import re
import socket
import sys
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar

import httpx

sys.path.insert(0, str(Path(__file__).parents[1] / "api"))
sys.path.insert(0, str(Path(__file__).parents[1] / "doubles"))

from house import House
from oauth_client import OAuthClient

from api.installation import Installation
from api.receivers import Receivers
from audit.events import AuditEvent
from audit.log import OWN_SOURCE, Filter
from ingest.pipeline import Reconciliation
from ingest.sources.profile import Profile

CANARY = "923456789014"
"""A synthetic number with a valid check digit that no other test uses; see `test_privacy.py`."""
PROFILES = {
    "abuse-csv": f"""
id = "abuse-csv"
name_ja = "攻撃試験 (CSV)"
name_en = "Abuse cases (CSV)"
format = "csv"
example = \"\"\"
日時,操作,職員番号,備考
2026-10-05 09:00:00,照会,s0412,番号 {CANARY} を確認
\"\"\"
[fields]
"日時" = "time"
"操作" = "activity"
"職員番号" = "actor.id"
"備考" = "reason"
[activities]
"照会" = "view"
"異動" = "update"
""",
    "abuse-numbered": """
id = "abuse-numbered"
name_ja = "攻撃試験 (通番)"
name_en = "Abuse cases (numbered)"
rhythm = { expected = "irregular", sequence = true }
""",
    "abuse-syslog": """
id = "abuse-syslog"
name_ja = "攻撃試験 (syslog)"
name_en = "Abuse cases (syslog)"
format = "auth_log"
""",
}
CSV_HEAD = "日時,操作,職員番号,備考\n".encode()
RECEIVERS = """
[[syslog]]
port = 0
host = "127.0.0.1"
source = "abuse-syslog"
"""
_DIGIT_GAPS = re.compile(r"[\s\-‐‑–—−－ー・.,_/　]+")


def event(**more: Any) -> dict[str, Any]:
    """One event of the contract; None leaves a field out."""
    made = {"time": "2026-11-19T10:00:00+09:00", "activity": "view", "actor": {"id": "s0412"}} | more
    return {name: value for name, value in made.items() if value is not None}


def line(**more: Any) -> bytes:
    """The same as a line."""
    return json.dumps(event(**more), ensure_ascii=False).encode() + b"\n"


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait for something that another thread does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "never happened"
        time.sleep(0.02)


def shows_number(text: str, number: str) -> bool:
    """Whether a number stands in a text in any writing: plain, full width, with separators."""
    return number in _DIGIT_GAPS.sub("", unicodedata.normalize("NFKC", text))


@dataclass
class Gate:
    """The installation, its doors, and who may send."""

    house: House
    receivers: Receivers
    http: httpx.Client
    clients: dict[str, OAuthClient] = field(default_factory=dict)
    _sources: ClassVar[int] = 0

    def __repr__(self) -> str:
        return "the gate"  # a failing property would print the whole installation

    @property
    def installation(self) -> Installation:
        return self.house.installation

    def new_source(self) -> str:
        """A source that nobody has heard of yet."""
        Gate._sources += 1
        return f"abuse-{Gate._sources:04}"

    def token(self, source: str) -> str:
        """A fresh access token."""
        if source not in self.clients:
            made = self.installation.machines.register(source)
            self.clients[source] = OAuthClient(made.client_id, made.client_secret, self.installation.settings.issuer)
        return self.clients[source].token(self.http, self.house.clock.now())

    def send(self, source: str, body: Any, headers: dict[str, str] | None = None, **params: str) -> httpx.Response:
        """Send a batch over HTTP with a real token, and wait until it is in the log."""
        sent = {"authorization": f"Bearer {self.token(source)}", "prefer": "wait=20"} | (headers or {})
        return self.http.post("/api/v1/events", params={"source": source, **params}, content=body, headers=sent)

    def sent(self, source: str, body: Any, headers: dict[str, str] | None = None, **params: str) -> dict[str, Any]:
        """The same, for a batch that must be in the log; its sums must add up."""
        answer = self.send(source, body, headers, **params)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        assert found["read"] == found["stored"] + found["duplicates"] + found["quarantined"]
        return found

    def take(self, source: str, data: bytes, profile: Profile | None = None) -> Reconciliation:
        """Take a delivery in without a network; the sums must add up."""
        profile = profile or Profile(id=source, name_ja=source, name_en=source)
        sums = self.installation.ingest(BytesIO(data), name="file", profile=profile, fmt=profile.format)
        assert sums.read == sums.stored + sums.duplicates + sums.quarantined
        return sums

    def profile(self, name: str, source: str) -> Profile:
        """A profile of the catalogue for another source."""
        return replace(self.installation.profile(name), id=source)

    def events(self, source: str) -> list[AuditEvent]:
        """What the log has of a source, by time."""
        return list(self.installation.log.each(Filter(sources=(source,))))

    def kept(self, source: str) -> list[tuple[int, bytes, str]]:
        """What is in quarantine of a source, oldest first: line, bytes, reasons."""
        book = self.installation.book
        rows = reversed(book.listing(source, limit=10_000))
        return [(row.line, b"".join(book.raw(row.id)), " ".join(row.reasons)) for row in rows]

    def acts(self, operation: str) -> list[dict[str, Any]]:
        """What the log has of our own acts of a kind."""
        self.installation.machines.flush_refusals(everything=True)
        own = (one.to_contract() for one in self.installation.log.each(Filter(sources=(OWN_SOURCE,))))
        return [one for one in own if one["operation_name"] == operation]

    def drop(self, source: str, name: str, data: bytes) -> Path:
        """Put a complete file into the drop folder."""
        folder = self.installation.settings.data.resolve() / "inbox" / source
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
        (folder / f"{name}.done").touch()
        return folder / name

    def dial(self) -> socket.socket:
        """A connection to the syslog port."""
        return socket.create_connection(("127.0.0.1", self.receivers.syslog.ports[0]), timeout=10)


def bomb(megabytes: int) -> bytes:
    """A gzip file of zeros."""
    packed = BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as file:
        for _ in range(megabytes):
            file.write(bytes(1 << 20))
    return packed.getvalue()
