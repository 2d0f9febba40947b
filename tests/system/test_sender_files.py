"""deploy/senders/rsyslog.conf as it stands: a real rsyslog reads it and sends over TLS with its certificate."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from audit.clock import TOKYO, SystemClock
from ingest.formats.syslog import parse_syslog
from ingest.receivers.syslog import Listener, SyslogServer, Tls, Transport

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "ingest" / "receivers"))

from certificates import Authority
from door import HOST, LOCAL, committed
from memory_inbox import MemoryInbox
from programs import PATH, give_up, need, stop, wait_for

pytestmark = pytest.mark.system

_AROUND = """
global(workDirectory="{home}" net.enableDNS="off")
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="{home}/in" CreatePath="on" RateLimit.Interval="0")
include(file="{home}/60-mimamori.conf")
"""


def test_rsyslog_sends_by_its_file(tmp_path: Path) -> None:
    rsyslogd = need("rsyslogd")["rsyslogd"]
    if not list(Path("/usr/lib").glob("*/rsyslog/lmnsd_ossl.so")):
        give_up("missing programs: rsyslog-openssl")
    authority, inbox = Authority(tmp_path), MemoryInbox()
    server, sender = authority.issue(HOST), authority.issue("sender.town.test")
    tls = Tls(server.certificate, server.key, authority.certificate, client_required=True)
    listener = Listener(0, Transport.TLS, LOCAL, peers={"sender.town.test": "town"}, tls=tls)
    syslog = SyslogServer([listener], inbox)
    syslog.start()
    changes = {
        f'target="{HOST}"': f'target="{LOCAL}"',
        'port="6514"': f'port="{syslog.ports[0]}"',
        "/etc/mimamori/tls/server-ca.pem": str(authority.certificate),
        "/etc/mimamori/tls/sender.pem": str(sender.certificate),
        "/etc/mimamori/tls/sender.key": str(sender.key),
    }
    (tmp_path / "60-mimamori.conf").write_text(committed("rsyslog.conf", changes))
    (tmp_path / "rsyslog.conf").write_text(_AROUND.format(home=tmp_path))
    with (tmp_path / "said").open("wb") as said:
        process = subprocess.Popen(
            [rsyslogd, "-n", "-f", f"{tmp_path}/rsyslog.conf", "-i", f"{tmp_path}/pid"],
            env={"PATH": PATH, "TZ": "Asia/Tokyo"}, stdout=said, stderr=said,
        )  # fmt: skip
    try:
        wait_for((tmp_path / "in").exists, "rsyslogd listens")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.connect(str(tmp_path / "in"))
            for priority in (86, 38, 30):  # authpriv, auth, daemon
                sock.send(f"<{priority}>Nov 21 09:41:07 sshd[7]: 照会 {priority}".encode())
        wait_for(lambda: len(inbox.lines("town")) >= 2, "both arrive")
    finally:
        stop(process)
        assert syslog.close() == []
    now = SystemClock().now()
    heard = [parse_syslog(line.decode(), zone=TOKYO, reference=now) for line in inbox.lines("town")]
    assert [(at.message, at.program, at.pid) for at in heard] == [("照会 86", "sshd", "7"), ("照会 38", "sshd", "7")]
    assert (tmp_path / "said").read_text() == ""
