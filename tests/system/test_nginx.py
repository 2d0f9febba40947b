"""What a real nginx writes is read rightly: who, from where, what, how it ended, and what was no request at all."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from audit.clock import SystemClock
from audit.events import check
from ingest.formats.registry import decode, sniff
from ingest.model import Doc, Record
from ingest.sources.profile import Profile

sys.path.insert(0, str(Path(__file__).parent))

from ports import free_port
from programs import PATH, listening, need, stop, wait_for

pytestmark = pytest.mark.system

USER, PASSWORD = "保健 taro", "correct-horse"
HOSTILE = 'Mozilla/5.0 "x" - - [01/Jan/2020:00:00:00 +0000] "GET / HTTP/1.0" 200 1 \x1b[2J 照会'
REQUESTS = 6
_CONFIG = """
user root;
daemon off;
worker_processes 1;
pid {home}/nginx.pid;
error_log {home}/error.log;
events {{ worker_connections 32; }}
http {{
  log_format common '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent';
  log_format vhost_combined '$host:$server_port $remote_addr - $remote_user [$time_local] "$request" '
                            '$status $body_bytes_sent "$http_referer" "$http_user_agent"';
  access_log {home}/combined.log combined;
  access_log {home}/common.log common;
  access_log {home}/vhost.log vhost_combined;
  access_log syslog:server=127.0.0.1:{collector},nohostname,tag=nginx combined;
  client_body_temp_path {home}; proxy_temp_path {home}; fastcgi_temp_path {home};
  uwsgi_temp_path {home}; scgi_temp_path {home};
  server {{
    listen 127.0.0.1:{port};
    location /open {{ return 200 "open"; }}
    location /closed {{ auth_basic "town"; auth_basic_user_file {home}/users; try_files /none =204; }}
    location /forbidden {{ deny all; }}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class NginxLogs:
    """What a private nginx wrote, by form, and the datagrams it sent."""

    files: dict[str, list[bytes]]
    datagrams: list[bytes]
    start: datetime
    end: datetime


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NginxLogs]:
    programs = need("nginx", "curl", "openssl")
    home = tmp_path_factory.mktemp("nginx")
    hashed = subprocess.run([programs["openssl"], "passwd", "-apr1", PASSWORD], capture_output=True, check=True).stdout
    (home / "users").write_bytes(USER.encode() + b":" + hashed)
    port = free_port()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as collector:
        collector.bind(("127.0.0.1", 0))
        collector.settimeout(5)
        (home / "nginx.conf").write_text(
            _CONFIG.format(home=home, port=port, collector=collector.getsockname()[1]), encoding="utf-8"
        )
        start = SystemClock().now()
        server = subprocess.Popen(
            [programs["nginx"], "-p", str(home), "-c", str(home / "nginx.conf"), "-e", str(home / "error.log")],
            env={"PATH": PATH, "TZ": "Asia/Tokyo"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            wait_for(lambda: listening(port), "nginx listens")

            def curl(path: str, *options: str) -> None:
                subprocess.run(
                    [programs["curl"], "-s", "-o", "/dev/null", *options, f"http://127.0.0.1:{port}{path}"],
                    check=True, timeout=20,
                )  # fmt: skip

            def send(data: bytes) -> None:
                with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                    connection.sendall(data)
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(4096):
                        pass

            curl("/open/view?id=1&by=name")
            curl("/closed", "-u", f"{USER}:{PASSWORD}", "-A", HOSTILE, "-e", "https://portal/?a=1", "-X", "DELETE")
            curl("/closed", "-u", f"{USER}:wrong", "-X", "POST")
            curl("/forbidden", "-X", "PUT")
            send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")
            send(b"GET /open/\xe7\x85\xa7\xe4\xbc\x9a HTTP/1.0\r\n\r\n")
            written = home / "combined.log"
            wait_for(lambda: written.read_bytes().count(b"\n") == REQUESTS, "every request is logged")
            datagrams = [collector.recv(65536) for _ in range(REQUESTS)]
        finally:
            stop(server)
        files = {form: (home / f"{form}.log").read_bytes().split(b"\n") for form in ("combined", "common", "vhost")}
        yield NginxLogs(files, datagrams, start, SystemClock().now())


def docs(logs: NginxLogs, lines: list[bytes], profile: Profile) -> list[Doc]:
    found = []
    for read in decode("access_log", ((n, line) for n, line in enumerate(lines, 1) if line), profile, logs.end):
        assert isinstance(read, Record), read
        assert check(read.doc, SystemClock().now()).faults == ()
        at = datetime.fromisoformat(read.doc["time"])
        assert logs.start - timedelta(seconds=2) <= at <= logs.end
        found.append(read.doc)
    assert len(found) == REQUESTS
    return found


@pytest.mark.parametrize("form", ["combined", "common", "vhost", "syslog"])
def test_requests(logs: NginxLogs, form: str) -> None:
    profile = Profile(id="portal", name_ja="申請", name_en="portal", envelope="syslog" if form == "syslog" else "none")
    lines = logs.datagrams if form == "syslog" else logs.files[form]
    assert sniff(lines[:5]) == "access_log" or form == "syslog"
    viewed, deleted, wrong, forbidden, noise, japanese = docs(logs, lines, profile)
    assert {doc["terminal"]["ip"] for doc in (viewed, deleted, wrong, forbidden, noise, japanese)} == {"127.0.0.1"}
    assert (viewed["activity"], viewed["outcome"], viewed["screen"]) == ("view", "success", "/open/view")
    assert (viewed["actor"], viewed["unmapped"]["query"]) == ({"kind": "system"}, "id=1&by=name")
    assert (deleted["activity"], deleted["outcome"], deleted["actor"]["id"]) == ("delete", "success", USER)
    assert (wrong["activity"], wrong["outcome"], wrong["actor"]["id"]) == ("create", "denied", USER)
    assert (forbidden["activity"], forbidden["outcome"]) == ("update", "denied")
    assert (noise["activity"], noise["outcome"]) == ("operation", "failure")
    assert noise["unmapped"]["request"].startswith(r"\x16\x03\x01")
    assert japanese["screen"] == "/open/照会"
    if form != "common":
        # Only the escape character is left as the server wrote it: undone, it could move a reader's cursor.
        assert deleted["unmapped"]["user_agent"] == HOSTILE.replace("\x1b", r"\x1B")
        assert deleted["unmapped"]["referer"] == "https://portal/?a=1"
    if form == "syslog":
        assert {doc["unmapped"]["syslog"]["program"] for doc in (viewed, noise)} == {"nginx"}
