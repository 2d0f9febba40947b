"""What is sent arrives, once and in order; what is refused is counted; nobody can hold the receiver."""

import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from certificates import Authority
from memory_inbox import MemoryInbox

from audit.texts import Texts
from ingest.receivers.syslog import Framing, Limits, Listener, Notice, NoticeKind, SyslogServer, Tls, Transport
from ingest.receivers.syslog.notices import Notices
from ingest.receivers.syslog.peers import Peers, plain_address

LOCAL = "127.0.0.1"
QUICK = Limits(flush_seconds=0.05, drain_seconds=0.5, close_seconds=1.0, max_message=1 << 16)
LINE = b"<86>1 2026-05-12T09:41:07+09:00 h sshd 1 - - Accepted %d"


def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "never happened"
        time.sleep(0.02)


class House:
    """A server at work, and what it told."""

    def __init__(self, inbox: MemoryInbox, limits: Limits, *listeners: Listener) -> None:
        self.notices: list[Notice] = []
        self.server = SyslogServer(listeners, inbox, limits=limits, tell=self.notices.append)
        self.server.start()

    def dial(self, place: int = 0) -> socket.socket:
        return socket.create_connection((LOCAL, self.server.ports[place]), timeout=10)

    def told(self, kind: NoticeKind) -> bool:
        return any(notice.kind is kind for notice in self.notices)


Start = Callable[..., House]


@pytest.fixture
def start(inbox: MemoryInbox) -> Iterator[Start]:
    houses: list[House] = []

    def begin(*listeners: Listener, limits: Limits = QUICK) -> House:
        houses.append(House(inbox, limits, *listeners))
        return houses[-1]

    yield begin
    for house in houses:
        house.server.close()


def tcp(source: str = "sshd", **more: object) -> Listener:
    return replace(Listener(0, host=LOCAL, source=source or "x"), source=source, **more)  # type: ignore[arg-type]  # any field


def closed(sock: socket.socket) -> bool:
    try:
        return sock.recv(1) == b""
    except ConnectionError:
        return True


def test_both_framings_on_one_port(start: Start, inbox: MemoryInbox) -> None:
    house = start(tcp())
    sent = [LINE % n for n in range(2_000)]
    with house.dial() as counting, house.dial() as lining:
        counting.sendall(b"".join(b"%d %s" % (len(line), line) for line in sent[:1000]))
        lining.sendall(b"".join(line + b"\n" for line in sent[1000:]))
    until(lambda: len(inbox.lines("sshd")) == 2000)
    assert sorted(inbox.lines("sshd")) == sorted(sent)
    first = [line for line in inbox.lines("sshd") if line in set(sent[:1000])]
    assert first == sent[:1000]
    assert {kept.name for kept in inbox.kept} == {"syslog tcp 127.0.0.1"}
    until(lambda: house.server.health().connections == 0)
    health = house.server.health().sources["sshd"]
    assert (health.messages, health.handed_over, health.waiting, health.refused) == (2000, 2000, 0, 0)
    assert health.deliveries == len(inbox.kept)


def test_a_batch_has_bounds_and_an_lf_inside_is_escaped(start: Start, inbox: MemoryInbox) -> None:
    house = start(tcp(), limits=replace(QUICK, flush_seconds=30, flush_messages=10))
    with house.dial() as sock:
        sock.sendall(b"7 one\ntwo4 end\n" * 5)
        until(lambda: len(inbox.kept) == 1)
        assert inbox.kept[0].data == b"one#012two\nend\n" * 5
        sock.sendall(b"4 last")
        until(lambda: house.server.health().sources["sshd"].waiting == 1)
    house.server.close()
    assert inbox.lines("sshd")[-1] == b"last"


def test_peers_say_whose_messages_they_are(start: Start, inbox: MemoryInbox) -> None:
    table = {"127.0.0.0/8": "loop", "127.0.0.2": "two", "10.0.0.0/8": "ten"}
    house = start(tcp("", peers=table), tcp("", peers={"10.0.0.0/8": "ten"}))
    for address in ("127.0.0.1", "127.0.0.2"):
        target = (LOCAL, house.server.ports[0])
        with socket.create_connection(target, timeout=10, source_address=(address, 0)) as sock:
            sock.sendall(b"<1>from " + address.encode() + b"\n")
    until(lambda: len(inbox.kept) == 2)
    assert inbox.lines("loop") == [b"<1>from 127.0.0.1"]
    assert inbox.lines("two") == [b"<1>from 127.0.0.2"]
    for _ in range(3):
        with house.dial(1) as sock:
            assert closed(sock)
    until(lambda: house.server.health().turned_away == 3)
    assert [notice.count for notice in house.notices] == [1]
    house.server.close()
    assert [(n.kind, n.peer, n.count) for n in house.notices] == [
        (NoticeKind.PEER_UNKNOWN, LOCAL, 1),
        (NoticeKind.PEER_UNKNOWN, LOCAL, 2),
    ]


def test_names_and_addresses() -> None:
    peers = Peers(Listener(514, peers={"localhost": "a", "FW.example.lg.jp": "b", "::1": "c"}, source="rest"))
    assert peers.source("192.0.2.1", ("fw.example.LG.jp",)) == "b"
    assert peers.source("127.0.0.1") == "rest"
    peers.resolve()
    assert peers.source("127.0.0.1") == "a"
    assert peers.source("::1") == "c"
    assert plain_address("::ffff:10.3.1.31") == "10.3.1.31"
    assert plain_address("fe80::1%eth0") == "fe80::1"
    with pytest.raises(ValueError, match=r"10\.0\.0\.0/99"):
        Peers(Listener(514, peers={"10.0.0.0/99": "a"}))


def test_wrong_listeners_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="neither a source nor peers"):
        Listener(514)
    with pytest.raises(ValueError, match="TLS files"):
        Listener(6514, Transport.TLS, source="a")
    with pytest.raises(ValueError, match="needs clients"):
        Tls(tmp_path, tmp_path, client_required=True)


def test_a_taken_port_leaves_nothing_open(inbox: MemoryInbox) -> None:
    with socket.create_server((LOCAL, 0)) as taken:
        server = SyslogServer([tcp(), replace(tcp(), port=taken.getsockname()[1])], inbox)
        with pytest.raises(OSError, match="in use"):
            server.start()
        assert server.ports == ()


@pytest.mark.parametrize(
    ("data", "kept", "raw", "why"),
    [
        (b"5 <1>ok9999999 <1>x", [b"<1>ok"], b"9999999 <1>x", "bytes is announced"),
        (b"<1>ok\n" + b"<1>" + b"x" * 1_000_000, [b"<1>ok"], b"<1>" + b"x" * 65_536, "a line of more than"),
        (b"5 <1>ok20 <1>cut", [b"<1>ok"], b"20 <1>cut", "closed in the middle"),
        (b"<1>ok\n<1>cut", [b"<1>ok"], b"<1>cut", "closed in the middle"),
    ],
    ids=["lie", "megabyte", "cut-counted", "cut-line"],
)
def test_t12_refused_with_bytes_and_closed(
    start: Start, inbox: MemoryInbox, data: bytes, kept: list[bytes], raw: bytes, why: str
) -> None:
    house = start(tcp())
    with house.dial() as sock:
        try:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
        except ConnectionError:
            pass  # closed while we were still sending: what is meant to happen
        assert closed(sock)
    until(lambda: len(inbox.refused) == 1 and len(inbox.lines("sshd")) == 1)
    assert inbox.lines("sshd") == kept
    refused = inbox.refused[0]
    assert refused.raw.startswith(raw)
    assert data.endswith(refused.raw) or len(refused.raw) < len(data)
    assert why in refused.reason
    assert " / " in refused.reason
    until(lambda: house.told(NoticeKind.MESSAGE_REFUSED))
    assert house.server.health().sources["sshd"].refused == 1


def test_nobody_holds_a_line(start: Start, inbox: MemoryInbox) -> None:
    house = start(tcp(), limits=replace(QUICK, frame_seconds=0.5, idle_seconds=1.2))
    with house.dial() as slow, house.dial() as idle:
        began = time.monotonic()
        stopped = threading.Event()

        def trickle() -> None:
            while not stopped.wait(0.05):
                try:
                    slow.sendall(b"<")
                except OSError:
                    return

        thread = threading.Thread(target=trickle)
        thread.start()
        until(lambda: bool(inbox.refused))
        assert "too long to arrive" in inbox.refused[0].reason
        assert time.monotonic() - began < 3
        assert closed(idle)
        assert time.monotonic() - began > 1
        stopped.set()
        thread.join()
    until(lambda: house.server.health().connections == 0)


def test_connections_are_bounded(start: Start, inbox: MemoryInbox) -> None:
    house = start(tcp("a"), tcp("b"), limits=replace(QUICK, connections=3, connections_per_source=2))
    socks = [house.dial(0) for _ in range(3)]
    until(lambda: house.server.health().over_limit == 1)
    until(lambda: house.server.health().connections == 2)
    socks.append(house.dial(1))
    until(lambda: house.server.health().connections == 3)
    with house.dial(1) as sock:
        assert closed(sock)
    socks[-1].sendall(b"<1>heard\n")
    until(lambda: inbox.lines("b") == [b"<1>heard"])
    for sock in socks:
        sock.close()
    assert house.told(NoticeKind.TOO_MANY_CONNECTIONS)


def test_a_full_inbox_holds_the_sender_and_loses_nothing(start: Start, inbox: MemoryInbox) -> None:
    house = start(tcp(), limits=replace(QUICK, flush_messages=100, flush_bytes=1 << 16))
    inbox.full = True
    sent = [LINE % n + b"." * 900 for n in range(20_000)]

    def send() -> None:
        with house.dial() as sock:
            sock.settimeout(60)
            sock.sendall(b"".join(line + b"\n" for line in sent))

    sender = threading.Thread(target=send)
    sender.start()
    until(lambda: house.server.health().sources.get("sshd") is not None)
    until(lambda: house.server.health().sources["sshd"].stopped)
    time.sleep(0.5)
    held = house.server.health().sources["sshd"]
    assert held.handed_over == 0
    assert held.messages < 1_000  # two batches and what was in hand
    assert sender.is_alive()
    inbox.full = False
    sender.join(30)
    until(lambda: len(inbox.lines("sshd")) == len(sent))
    assert inbox.lines("sshd") == sent
    assert not house.server.health().sources["sshd"].stopped


def test_what_cannot_be_handed_over_at_the_end_is_reported(start: Start, inbox: MemoryInbox) -> None:
    house = start(tcp("a"), tcp("b"))
    inbox.full = True
    with house.dial(0) as one, house.dial(1) as two:
        one.sendall(b"<1>kept by nobody\n<1>begun")
        two.sendall(b"99999999 ")
        until(lambda: set(house.server.health().sources) == {"a", "b"})
        unsent = house.server.close()
    assert {(lost.source, lost.messages) for lost in unsent} >= {("b", 1)}
    assert sum(lost.messages for lost in unsent if lost.source == "a") == 2
    assert house.told(NoticeKind.NOT_KEPT)
    assert inbox.kept == []


def test_the_end_flushes_and_refuses_what_has_not_ended(start: Start, inbox: MemoryInbox) -> None:
    house = start(tcp(), limits=replace(QUICK, flush_seconds=60))
    with house.dial() as sock:
        sock.sendall(b"<1>whole\n<1>half")
        until(lambda: bool(house.server.health().sources))
        assert house.server.close() == []
        assert closed(sock)
    assert inbox.lines("sshd") == [b"<1>whole"]
    assert [(refused.raw, "had not ended" in refused.reason) for refused in inbox.refused] == [(b"<1>half", True)]


class FaultyInbox(MemoryInbox):
    """Fails once in a way that is nobody's contract."""

    def accept(self, *args: object, **kwargs: object) -> object:  # type: ignore[override]  # fails, then is itself
        if self.asked == 0:
            self.asked += 1
            raise RuntimeError("surprise")
        return super().accept(*args, **kwargs)  # type: ignore[arg-type]  # as they came


def test_a_surprise_in_the_inbox_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.receivers.syslog.collector._RETRY_SECONDS", 0.05)
    faulty = FaultyInbox()
    house = House(faulty, QUICK, tcp())
    with house.dial() as sock:
        sock.sendall(b"<1>once\n")
        until(lambda: len(faulty.kept) == 1)
    house.server.close()
    assert faulty.lines("sshd") == [b"<1>once"]
    assert house.told(NoticeKind.NOT_KEPT)


def udp(**more: object) -> Listener:
    return replace(Listener(0, Transport.UDP, LOCAL, source="fw"), **more)  # type: ignore[arg-type]  # any field


def test_udp(start: Start, inbox: MemoryInbox) -> None:
    house = start(udp(), udp(source="", peers={"10.0.0.0/8": "fw"}), limits=replace(QUICK, max_message=2_000))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for n in range(50):
            sock.sendto(LINE % n, (LOCAL, house.server.ports[0]))
        sock.sendto(b"<1>two\nlines", (LOCAL, house.server.ports[0]))
        sock.sendto(b"<1>" + b"x" * 3_000, (LOCAL, house.server.ports[0]))
        sock.sendto(b"<1>stranger", (LOCAL, house.server.ports[1]))
        until(lambda: len(inbox.lines("fw")) == 51 and len(inbox.refused) == 1)
        until(lambda: house.server.health().turned_away == 1)
    assert inbox.lines("fw") == [*(LINE % n for n in range(50)), b"<1>two#012lines"]
    assert inbox.refused[0].raw == (b"<1>" + b"x" * 3_000)[:2_000]
    assert "cut short" in inbox.refused[0].reason
    assert {kept.name for kept in inbox.kept} == {"syslog udp 127.0.0.1"}


def test_udp_losses_are_counted(start: Start, inbox: MemoryInbox) -> None:
    house = start(udp(), limits=replace(QUICK, flush_messages=10))
    inbox.full = True
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((LOCAL, house.server.ports[0]))
        for n in range(200):
            sock.send(LINE % n)

        def health() -> int:
            found = house.server.health().sources.get("fw")
            return 0 if found is None else found.lost + found.messages

        until(lambda: health() == 200)
        inbox.full = False
        until(lambda: house.server.health().sources["fw"].waiting == 0)
    found = house.server.health().sources["fw"]
    assert found.lost > 0
    assert len(inbox.lines("fw")) == found.messages == 200 - found.lost
    house.server.close()
    assert sum(notice.count for notice in house.notices if notice.kind is NoticeKind.LOST) == found.lost


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of dropped datagrams")
def test_datagrams_dropped_by_the_system_are_counted(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    from ingest.receivers.syslog import datagrams

    gate = threading.Event()
    run = datagrams.Datagrams.run

    def late(self: datagrams.Datagrams, stopping: threading.Event, tick: float) -> None:
        gate.wait(10)
        run(self, stopping, tick)

    monkeypatch.setattr(datagrams.Datagrams, "run", late)
    house = start(udp(), limits=replace(QUICK, udp_buffer=8_192))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((LOCAL, house.server.ports[0]))
        until(lambda: any(thread.name == "syslog udp" for thread in threading.enumerate()))
        time.sleep(0.2)
        for n in range(300):
            sock.send((LINE % n).ljust(500))
        gate.set()
        until(lambda: bool(house.server.health().sources))
        sock.send(b"<1>after the flood")
        until(lambda: house.server.health().sources["fw"].lost > 0)
        time.sleep(0.2)
    found = house.server.health().sources["fw"]
    assert found.messages + found.lost == 301


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


def secure(authority: Authority, *, client: str = "") -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(authority.certificate))
    if client:
        pair = authority.issue(client)
        context.load_cert_chain(pair.certificate, pair.key)
    return context


def tls_listener(
    authority: Authority, *, source: str = "core", peers: dict[str, str] | None = None, **more: object
) -> Listener:
    pair = authority.issue("server.test")
    files = Tls(pair.certificate, pair.key, **more)  # type: ignore[arg-type]  # any field
    return Listener(0, Transport.TLS, LOCAL, source=source, peers=peers or {}, tls=files)


def test_tls(start: Start, inbox: MemoryInbox, authority: Authority) -> None:
    house = start(tls_listener(authority))
    with secure(authority).wrap_socket(house.dial(), server_hostname="server.test") as sock:
        assert sock.version() in {"TLSv1.2", "TLSv1.3"}
        sock.sendall(b"5 <1>ok" * 10_000)
        sock.unwrap()
    until(lambda: len(inbox.lines("core")) == 10_000)
    until(lambda: house.server.health().connections == 0)
    assert house.server.health().cut == 0
    assert inbox.kept[0].name == "syslog tls 127.0.0.1"


def test_t12_truncated_tls(start: Start, inbox: MemoryInbox, authority: Authority) -> None:
    house = start(tls_listener(authority))
    sock = secure(authority).wrap_socket(house.dial(), server_hostname="server.test")
    sock.sendall(b"5 <1>ok20 <1>half")
    until(lambda: inbox.lines("core") == [b"<1>ok"])
    socket.socket(fileno=sock.detach()).close()  # no word of parting
    until(lambda: len(inbox.refused) == 1)
    assert inbox.refused[0].raw == b"20 <1>half"
    assert "broke in the middle" in inbox.refused[0].reason
    until(lambda: house.told(NoticeKind.CONNECTION_CUT))
    assert house.server.health().cut == 1


def test_old_tls_and_plain_text_are_refused(start: Start, inbox: MemoryInbox, authority: Authority) -> None:
    house = start(tls_listener(authority))
    with house.dial() as sock:
        sock.sendall(b"5 <1>ok" * 10)
        with suppress(OSError):  # it may have hung up by now
            sock.shutdown(socket.SHUT_WR)
        while not closed(sock):
            pass
    until(lambda: house.server.health().tls_faults == 1)
    assert inbox.kept == []
    assert house.told(NoticeKind.TLS_FAULT)


def test_a_client_certificate_names_the_peer(start: Start, inbox: MemoryInbox, authority: Authority) -> None:
    peers = {"nhi.test": "nhi"}
    required = tls_listener(authority, source="", peers=peers, clients=authority.certificate, client_required=True)
    optional = tls_listener(authority, source="", peers=peers, clients=authority.certificate)
    house = start(required, optional)

    def send(place: int, client: str) -> None:
        context = secure(authority, client=client)
        try:
            with context.wrap_socket(house.dial(place), server_hostname="server.test") as sock:
                sock.sendall(b"5 <1>ok")
                sock.recv(1) if client != "nhi.test" else sock.unwrap()
        except OSError:
            assert client != "nhi.test"

    send(0, "nhi.test")
    send(1, "nhi.test")
    until(lambda: len(inbox.lines("nhi")) == 2)
    send(0, "")
    until(lambda: house.server.health().tls_faults == 1)
    send(0, "other.test")
    send(1, "")
    until(lambda: house.server.health().turned_away == 2)
    assert len(inbox.lines("nhi")) == 2


def test_certificates_are_read_again(start: Start, tmp_path: Path, authority: Authority) -> None:
    other = Authority(tmp_path, "other authority")
    listener = tls_listener(authority)
    house = start(listener)
    assert listener.tls is not None

    def meets(chosen: Authority) -> bool:
        try:
            with secure(chosen).wrap_socket(house.dial(), server_hostname="server.test"):
                return True
        except ssl.SSLCertVerificationError:
            return False

    assert meets(authority)
    pair = other.issue("server.test")
    listener.tls.key.write_text("broken")
    assert meets(authority)
    until(lambda: house.told(NoticeKind.LISTENER_FAULT))
    listener.tls.key.write_bytes(pair.key.read_bytes())
    listener.tls.certificate.write_bytes(pair.certificate.read_bytes())
    assert meets(other)
    assert not meets(authority)


def test_a_failing_ear_stops_nothing_and_hears_later() -> None:
    heard: list[Notice] = []
    deaf = [True]

    def tell(notice: Notice) -> None:
        if deaf:
            deaf.clear()
            raise RuntimeError("no log")
        heard.append(notice)

    notices = Notices(tell)
    notices.note(NoticeKind.LOST, Texts("あ", "a"), count=3)
    notices.note(NoticeKind.LOST, Texts("あ", "a"), count=4)
    notices.flush(everything=True)
    assert [notice.count for notice in heard] == [7]


def test_a_flood_of_strangers_is_told_together() -> None:
    heard: list[Notice] = []
    notices = Notices(heard.append)
    for n in range(5_000):
        notices.note(NoticeKind.PEER_UNKNOWN, Texts("あ", "a"), peer=f"10.0.{n // 250}.{n % 250}")
    notices.flush(everything=True)
    assert len(heard) <= 103
    assert sum(notice.count for notice in heard) == 5_000
    assert notices.counts[NoticeKind.PEER_UNKNOWN] == 5_000


def test_lines_that_begin_with_a_digit(start: Start, inbox: MemoryInbox) -> None:
    house = start(tcp(framing=Framing.LINES))
    with house.dial() as sock:
        sock.sendall(b"2026-05-12T09:41:07+09:00,login\n")
    until(lambda: inbox.lines("sshd") == [b"2026-05-12T09:41:07+09:00,login"])
