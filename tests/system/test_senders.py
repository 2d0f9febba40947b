"""What a real rsyslog sends arrives: over TCP in both framings, TLS with certificates, and UDP."""

import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from audit.clock import TOKYO, SystemClock
from ingest.formats.syslog import parse_syslog
from ingest.receivers.syslog import Limits, Listener, Notice, SyslogServer, Tls, Transport

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "ingest" / "receivers"))

from certificates import Authority
from memory_inbox import MemoryInbox
from programs import PATH, give_up, need, stop, wait_for

pytestmark = pytest.mark.system

LOCAL = "127.0.0.1"
LIBRARIES = Path("/usr/lib")
RSYSLOG = """
global(workDirectory="{home}" parser.escapeControlCharactersOnReceive="off" net.enableDNS="off"
  defaultNetstreamDriverCAFile="{ca}" defaultNetstreamDriverCertFile="{cert}" defaultNetstreamDriverKeyFile="{key}")
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="{home}/in" CreatePath="on" RateLimit.Interval="0" UseSysTimeStamp="off")
template(name="new" type="string"
  string="<%PRI%>1 %TIMESTAMP:::date-rfc3339% town %APP-NAME% %PROCID% - - %msg:2:$%")
template(name="newline" type="string"
  string="<%PRI%>1 %TIMESTAMP:::date-rfc3339% town %APP-NAME% %PROCID% - - %msg:2:$:escape-cc%\\n")
{actions}
"""
ACTION = """
action(type="omfwd" target="127.0.0.1" port="{port}" action.resumeRetryCount="-1" action.resumeInterval="1"
  queue.type="LinkedList" queue.size="50000" {more})
"""
WITH_TLS = (
    'protocol="tcp" tcp_framing="octet-counted" template="new" streamDriver="ossl" '
    'streamDriverMode="1" streamDriverAuthMode="x509/name" streamDriverPermittedPeers="server.test"'
)
WAYS = {
    "counted": (Transport.TCP, 'protocol="tcp" tcp_framing="octet-counted" template="new"'),
    "lines": (Transport.TCP, 'protocol="tcp" template="newline"'),
    "old": (Transport.TCP, 'protocol="tcp" template="RSYSLOG_TraditionalForwardFormat"'),
    "tls": (
        Transport.TLS,
        WITH_TLS,
    ),
    "udp": (Transport.UDP, 'protocol="udp" template="new"'),
}


class Sender:
    """A private rsyslog and the server it sends to."""

    def __init__(self, home: Path, way: str, inbox: MemoryInbox) -> None:
        transport, more = WAYS[way]
        authority = Authority(home)
        server, client = authority.issue("server.test"), authority.issue("town.test")
        tls = Tls(server.certificate, server.key, authority.certificate, client_required=True)
        listener = Listener(
            0, transport, LOCAL, peers={"town.test" if way == "tls" else LOCAL: "town"},
            tls=tls if transport is Transport.TLS else None,
        )  # fmt: skip
        self.notices: list[Notice] = []
        self.server = SyslogServer([listener], inbox, limits=Limits(flush_seconds=0.2), tell=self.notices.append)
        self.server.start()
        config = RSYSLOG.format(
            home=home, ca=authority.certificate, cert=client.certificate, key=client.key,
            actions=ACTION.format(port=self.server.ports[0], more=more),
        )  # fmt: skip
        (home / "rsyslog.conf").write_text(config)
        self._inlet = home / "in"
        with (home / "said").open("wb") as said:
            self._process = subprocess.Popen(
                [need("rsyslogd")["rsyslogd"], "-n", "-f", f"{home}/rsyslog.conf", "-i", f"{home}/pid"],
                env={"PATH": PATH, "TZ": "Asia/Tokyo"}, stdout=said, stderr=said,
            )  # fmt: skip
        wait_for(self._inlet.exists, "rsyslogd listens")

    def say(self, words: list[str]) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.connect(str(self._inlet))
            for word in words:
                sock.send(f"<86>Nov 21 09:41:07 app[7]: {word}".encode())

    def close(self) -> None:
        stop(self._process)
        assert self.server.close() == []


@contextmanager
def sender(way: str, inbox: MemoryInbox) -> Iterator[Sender]:
    need("rsyslogd")
    if way == "tls" and not list(LIBRARIES.glob("*/rsyslog/lmnsd_ossl.so")):
        give_up("missing programs: rsyslog-openssl")
    with tempfile.TemporaryDirectory(prefix="mimamori-senders-") as home:
        at_work = Sender(Path(home), way, inbox)
        try:
            yield at_work
        finally:
            at_work.close()


@pytest.mark.parametrize("way", ["counted", "lines", "old", "tls", "udp"])
def test_rsyslog(way: str) -> None:
    inbox = MemoryInbox()
    said = [f"照会 {n} \"quoted\" ] 'x' \\" for n in range(100 if way == "udp" else 3_000)]
    with sender(way, inbox) as real:
        real.say(said)
        wait_for(lambda: len(inbox.lines("town")) >= len(said), "everything arrives")
        health = real.server.health()
    now = SystemClock().now()
    heard = [parse_syslog(line.decode(), zone=TOKYO, reference=now) for line in inbox.lines("town")]
    assert [line.message for line in heard] == said
    assert {(line.program, line.pid, line.facility, line.severity) for line in heard} == {("app", "7", 10, 6)}
    assert inbox.refused == []
    assert real.notices == []
    assert (health.cut, health.tls_faults, health.turned_away) == (0, 0, 0)


def test_a_line_feed_in_a_counted_message_is_escaped() -> None:
    inbox = MemoryInbox()
    with sender("counted", inbox) as real:
        real.say(["one\ntwo", "after"])
        wait_for(lambda: len(inbox.lines("town")) >= 2, "both arrive")
    assert [line.rpartition(b" - - ")[2] for line in inbox.lines("town")] == [b"one#012two", b"after"]


def test_a_full_inbox_holds_rsyslog_and_nothing_is_lost() -> None:
    inbox = MemoryInbox()
    inbox.full = True
    said = [f"n={n} {'.' * 500}" for n in range(30_000)]
    with sender("counted", inbox) as real:
        real.say(said)
        wait_for(lambda: any(source.stopped for source in real.server.health().sources.values()), "reading stops")
        assert inbox.kept == []
        inbox.full = False
        wait_for(lambda: len(inbox.lines("town")) >= len(said), "everything arrives", 30)
    assert [line.rpartition(b" - - ")[2].decode() for line in inbox.lines("town")] == said
