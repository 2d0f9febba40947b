"""The TLS side of RFC 5425: at least TLS 1.2, certificates replaced without a restart."""

import ssl
from pathlib import Path
from threading import Lock
from typing import Any

from audit.texts import Texts
from ingest.receivers.syslog.model import NoticeKind, Tls
from ingest.receivers.syslog.notices import Notices

__all__ = ["ServerTls", "certificate_names"]


def certificate_names(connection: ssl.SSLSocket) -> tuple[str, ...]:
    """The DNS names in a client's certificate; none when it has shown none that is believed."""
    certificate: Any = connection.getpeercert()
    return tuple(value for kind, value in (certificate or {}).get("subjectAltName", ()) if kind == "DNS")


def _stamp(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size, status.st_ino


class ServerTls:
    """One listener's certificates, read again when their files change.

    Raises:
        OSError: at the start only, when a file cannot be read or is none of its kind (`ssl.SSLError`). Later the
            certificates last read go on, and a notice says so.
    """

    def __init__(self, settings: Tls, notices: Notices) -> None:
        self._settings = settings
        self._notices = notices
        self._lock = Lock()
        self._stamps = self._look()
        self._context = self._load()

    def _look(self) -> tuple[tuple[int, int, int], ...]:
        files = (self._settings.certificate, self._settings.key, self._settings.clients)
        return tuple(_stamp(path) for path in files if path is not None)

    def _load(self) -> ssl.SSLContext:
        settings = self._settings
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(settings.certificate, settings.key)
        if settings.clients is not None:
            context.load_verify_locations(settings.clients)
            context.verify_mode = ssl.CERT_REQUIRED if settings.client_required else ssl.CERT_OPTIONAL
        return context

    def context(self) -> ssl.SSLContext:
        """What the next connection is met with."""
        with self._lock:
            try:
                stamps = self._look()
                if stamps != self._stamps:
                    self._context, self._stamps = self._load(), stamps
            except OSError as error:
                self._notices.note(
                    NoticeKind.LISTENER_FAULT,
                    Texts(
                        f"証明書を読み直せません。前の証明書を使い続けます ({type(error).__name__})",
                        f"certificates cannot be read again, the former ones go on ({type(error).__name__})",
                    ),
                )
            return self._context
