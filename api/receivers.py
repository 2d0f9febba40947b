"""What listens while the service runs: the writer, syslog, the drop folder. `receivers.toml` says who may send what.

    [[syslog]]
    port = 6514
    transport = "tls"            # tcp, tls or udp
    certificate = "tls/server.pem"
    key = "tls/server.key"
    clients = "tls/clients.pem"  # whose client certificates are believed
    client_required = true
    source = "server-admin-terminal"
    peers = { "10.3.0.0/16" = "network-security" }

    [folder.server-admin-terminal]
    tail = true

Without the file nothing listens on a port, and each source's folder `inbox/<source>/` is watched all the same.
"""

import tomllib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from structlog import get_logger

from api.installation import Installation
from audit.events import Activity
from audit.store.errors import StoreError
from ingest.receivers.folder.model import DropSource, Outcome, OutcomeKind
from ingest.receivers.folder.watcher import DropFolder
from ingest.receivers.syslog.framing import Framing
from ingest.receivers.syslog.model import Listener, Notice, NoticeKind, Tls, Transport
from ingest.receivers.syslog.server import SyslogServer
from ingest.sources.profile import ProfileError

__all__ = ["ReceiverSettings", "Receivers", "read_receivers", "running"]

_log = get_logger("mimamori.receivers")
_NAME = "receivers.toml"
_DUE = timedelta(hours=1)
"""A batch whose manifest lies in the folder should be there by then."""
_ACTS = frozenset({NoticeKind.PEER_UNKNOWN, NoticeKind.TLS_FAULT, NoticeKind.LOST, NoticeKind.TOO_MANY_CONNECTIONS})
"""What is worth an event of our own; the rest is for the operational log."""


@dataclass(frozen=True, slots=True)
class ReceiverSettings:
    """Who may send what.

    Attributes:
        listeners: the syslog ports.
        folders: how sources drop their files, where that is not as usual.
    """

    listeners: tuple[Listener, ...] = ()
    folders: Mapping[str, DropSource] = field(default_factory=lambda: MappingProxyType({}))


def read_receivers(data: Path) -> ReceiverSettings:
    """Read `receivers.toml` of a data directory; nothing listens without one.

    Raises:
        ProfileError: naming what is wrong.
    """
    path = data / _NAME
    if not path.exists():
        return ReceiverSettings()
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
        _known(found, {"syslog", "folder"})
        listeners = tuple(_listener(entry, data) for entry in found.get("syslog", []))
        folders = {source: DropSource(**entry) for source, entry in found.get("folder", {}).items()}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ProfileError(f"{path}: {error}") from error
    return ReceiverSettings(listeners, MappingProxyType(folders))


def _known(settings: Mapping[str, Any], names: set[str]) -> None:
    if unknown := settings.keys() - names:
        raise ValueError(f"unknown setting {', '.join(sorted(unknown))}")


def _listener(entry: dict[str, Any], data: Path) -> Listener:
    files = {key: data / entry.pop(key) for key in ("certificate", "key", "clients") if key in entry}
    required = entry.pop("client_required", False)
    tls = Tls(**files, client_required=required) if files else None
    _known(entry, {f.name for f in fields(Listener)})
    transport = Transport(entry.pop("transport", "tcp"))
    framing = Framing(entry.pop("framing", Framing.AUTO))
    return Listener(**entry, transport=transport, framing=framing, tls=tls)


@dataclass(frozen=True, slots=True)
class Receivers:
    """What listens."""

    folder: DropFolder
    syslog: SyslogServer


@contextmanager
def running(installation: Installation) -> Iterator[Receivers]:
    """Drain the spool and listen, until left; then what was read is kept, and what waits stays in the spool.

    Raises:
        ProfileError: `receivers.toml` is wrong.
        OSError: a port is taken or a certificate cannot be read.
    """
    data = installation.settings.data.resolve()
    settings = read_receivers(data)
    _tell_torn(installation)
    receivers = Receivers(
        DropFolder(
            data / "inbox",
            data / "receivers",
            installation.inbox,
            source=lambda source: _drop_source(installation, settings, source),
            clock=installation.clock,
            tell=lambda outcome: _tell_file(installation, outcome),
            announce=lambda source, name, rows, sha256: _announce(installation, source, name, rows, sha256),
        ),
        SyslogServer(settings.listeners, installation.inbox, tell=lambda notice: _tell_syslog(installation, notice)),
    )
    for source in installation.catalogue:
        (data / "inbox" / source).mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        writer = installation.writer()
        writer.start()
        stack.callback(writer.stop)
        installation.acts.start()
        stack.callback(installation.acts.stop)
        receivers.syslog.start()
        stack.callback(receivers.syslog.close)
        receivers.folder.start()
        stack.callback(receivers.folder.close)
        yield receivers


def _drop_source(installation: Installation, settings: ReceiverSettings, source: str) -> DropSource | None:
    return settings.folders.get(source, DropSource()) if source in installation.catalogue else None


def _tell_torn(installation: Installation) -> None:
    """Say what a crash left half written: it was never acknowledged, and lies aside."""
    for torn in installation.spool.torn:
        details = {"file": torn.path.name, "offset": str(torn.offset), "bytes": str(torn.size)}
        _act(installation, "ingest.spool_torn", details, "", "failure")


def _tell_syslog(installation: Installation, notice: Notice) -> None:
    _log.info("syslog", kind=str(notice.kind), peer=notice.peer, source=notice.source, count=notice.count)
    if notice.kind in _ACTS:
        details = {"peer": notice.peer, "count": str(notice.count), "why": notice.text.en}
        _act(installation, f"syslog.{notice.kind}", details, notice.source, "denied")


def _tell_file(installation: Installation, outcome: Outcome) -> None:
    _log.info("file", kind=str(outcome.kind), source=outcome.source, name=outcome.name)
    if outcome.kind is OutcomeKind.FAULTY:
        details = {"file": outcome.name, "why": outcome.text.en}
        _act(installation, "ingest.file_refused", details, outcome.source, "denied")


def _act(installation: Installation, operation: str, details: Mapping[str, str], source: str, outcome: str) -> None:
    try:
        installation.act(Activity.SECURITY_EVENT, operation, details, target=source, outcome=outcome)
    except StoreError as error:  # nothing depends on it, and whoever listens must go on
        _log.error("not recorded", operation=operation, error=type(error).__name__)


def _announce(installation: Installation, source: str, name: str, rows: int | None, sha256: str) -> None:
    if rows is not None:
        installation.gaps.announce(source, name, rows, installation.clock.now() + _DUE, sha256)
