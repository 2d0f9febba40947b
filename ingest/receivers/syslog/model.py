"""What a syslog receiver is told, and what it tells."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

from audit.texts import Texts
from ingest.receivers.syslog.framing import Framing

__all__ = ["Health", "Limits", "Listener", "Notice", "NoticeKind", "SourceHealth", "Tls", "Transport", "Unsent"]


class Transport(StrEnum):
    """How messages come in."""

    TCP = "tcp"
    TLS = "tls"
    UDP = "udp"


@dataclass(frozen=True, slots=True)
class Tls:
    """A TLS listener's files; a changed file is read again at the next connection.

    Attributes:
        certificate: the server's certificate and its chain, PEM.
        key: its private key, PEM.
        clients: certificates of the authorities whose client certificates are believed, PEM.
        client_required: refuse a client without a certificate of theirs; otherwise it may come without.
    """

    certificate: Path
    key: Path
    clients: Path | None = None
    client_required: bool = False

    def __post_init__(self) -> None:
        """Refuse a requirement that nobody could meet, or that would check nothing."""
        if self.client_required and self.clients is None:
            raise ValueError("client_required needs clients: whose certificates are believed")


@dataclass(frozen=True, slots=True)
class Listener:
    """One port and whose messages come in there.

    Attributes:
        port: 0 takes a free one.
        transport: TCP, TLS or UDP. UDP cannot tell who sent a message nor that one was lost before us: use it only
            where the sender can do nothing else.
        host: the address to listen on.
        source: whose messages these are where `peers` does not say; empty: peers not in the table are refused.
        peers: whose messages a peer's are, by its address (`10.3.1.31`), network (`10.3.0.0/16`; the narrowest counts)
            or name. A name is first looked for in a verified client certificate, then by its addresses in DNS.
        framing: how messages are told apart in a stream.
        tls: for TLS listeners.
    """

    port: int
    transport: Transport = Transport.TCP
    host: str = "0.0.0.0"  # noqa: S104 - whoever connects must be in the table
    source: str = ""
    peers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    framing: Framing = Framing.AUTO
    tls: Tls | None = None

    def __post_init__(self) -> None:
        """Refuse a listener that could take nothing in, or would not be what it says."""
        if not self.source and not self.peers:
            raise ValueError(f"listener {self.port}: neither a source nor peers")
        if (self.transport is Transport.TLS) != (self.tls is not None):
            raise ValueError(f"listener {self.port}: TLS files belong to TLS listeners, all of them")


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a receiver.

    Attributes:
        flush_seconds: a message waits at most so long before it is handed over.
        flush_messages: so many messages are handed over at once,
        flush_bytes: or so many bytes; with a batch on its way, so much more is read, then reading stops.
        held_bytes: all sources together hold so much at most before reading stops.
        max_message: bytes of one message. RFC 5425 asks for 8 KiB; audit records of long lists are larger.
        idle_seconds: a connection that is silent for so long is closed.
        frame_seconds: a message must end within so long of its beginning, or the sender only holds the line.
        handshake_seconds: for the TLS handshake.
        connections: in all.
        connections_per_source: so that one source cannot take them all.
        udp_buffer: bytes the system keeps for us while we do not read; it may allow less.
        drain_seconds: at the end, connections are read until nothing more comes, at most so long.
        close_seconds: at the end, what was read is handed over within so long, or reported.
    """

    flush_seconds: float = 1.0
    flush_messages: int = 5_000
    flush_bytes: int = 4 << 20
    held_bytes: int = 128 << 20
    max_message: int = 256 << 10
    idle_seconds: float = 600.0
    frame_seconds: float = 60.0
    handshake_seconds: float = 10.0
    connections: int = 200
    connections_per_source: int = 50
    udp_buffer: int = 8 << 20
    drain_seconds: float = 2.0
    close_seconds: float = 10.0


class NoticeKind(StrEnum):
    """What can be worth telling somebody."""

    CONNECTION_CUT = "connection_cut"
    LISTENER_FAULT = "listener_fault"
    LOST = "lost"
    MESSAGE_REFUSED = "message_refused"
    NOT_KEPT = "not_kept"
    PEER_UNKNOWN = "peer_unknown"
    TLS_FAULT = "tls_fault"
    TOO_MANY_CONNECTIONS = "too_many_connections"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing worth telling; the same thing is told at most once a minute.

    Attributes:
        kind: what it is about.
        peer: the address it came from; empty when it is about ourselves.
        source: the source, where it is known.
        text: what happened.
        count: how often since it was last told; for `LOST`, how many messages.
    """

    kind: NoticeKind
    peer: str
    source: str
    text: Texts
    count: int = 1


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """One source's counters since the start.

    `messages = handed_over + waiting` at every moment; refused and lost ones are beside them.

    Attributes:
        messages: whole messages read.
        handed_over: of them, durable in the inbox.
        waiting: of them, read and not durable yet.
        refused: streams given up, and datagrams cut short.
        lost: datagrams that nobody kept, as far as we know of them.
        deliveries: batches handed over.
        stopped: whether reading has stopped because the inbox takes nothing.
    """

    messages: int = 0
    handed_over: int = 0
    waiting: int = 0
    refused: int = 0
    lost: int = 0
    deliveries: int = 0
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class Health:
    """The receiver's counters since the start.

    Attributes:
        connections: open at this moment.
        turned_away: connections and datagrams of unknown peers.
        over_limit: connections closed at once because there were too many.
        tls_faults: handshakes that failed.
        cut: connections that ended in the middle of a message or without TLS's word of parting.
        sources: by source.
    """

    connections: int
    turned_away: int
    over_limit: int
    tls_faults: int
    cut: int
    sources: Mapping[str, SourceHealth]


@dataclass(frozen=True, slots=True)
class Unsent:
    """What was read and could not be handed over before the end.

    Attributes:
        source: whose.
        messages: how many, refused pieces included.
        size: their bytes.
    """

    source: str
    messages: int
    size: int
