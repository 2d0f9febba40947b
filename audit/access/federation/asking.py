"""One request to somebody else's server, bounded in time and size whatever it sends.

Rules:
- The time is for the whole of it, connecting and reading to the end: one that sends a byte now and then keeps nobody
  waiting longer than one that sends none. A limit for each read, which is what HTTP clients offer, never ends there.
- No redirection is followed, no proxy of the environment used, and nothing compressed is taken.
"""

import ssl
import time
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import httpcore

__all__ = ["MAX_DOCUMENT", "PATIENCE", "AskError", "ask"]

PATIENCE = timedelta(seconds=5)
"""Until everything has come."""
MAX_DOCUMENT = 256 * 1024
"""Bytes of a body."""


class AskError(Exception):
    """There is no whole answer.

    Args:
        reason: a short stable word, for the audit log.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Deadline:
    """A moment after which nothing is waited for."""

    def __init__(self, patience: timedelta) -> None:
        self._end = time.monotonic() + patience.total_seconds()

    def left(self) -> float:
        """Seconds.

        Raises:
            httpcore.ReadTimeout: none.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout
        return left


class _Stream(httpcore.NetworkStream):
    """A connection whose every step has what is left of the time."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: _Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - ours is shorter
        return self._stream.read(max_bytes, self._deadline.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - ours is shorter
        self._stream.write(buffer, self._deadline.left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 - ours is shorter
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, self._deadline.left()), self._deadline)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - as it is declared
        return self._stream.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    def __init__(self, deadline: _Deadline) -> None:
        self._sockets = httpcore.SyncBackend()
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - ours is shorter
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        found = self._sockets.connect_tcp(host, port, self._deadline.left(), local_address, socket_options)
        return _Stream(found, self._deadline)


def ask(
    method: str,
    url: str,
    trust: ssl.SSLContext,
    *,
    headers: Mapping[str, str],
    content: bytes = b"",
    patience: timedelta = PATIENCE,
) -> tuple[int, bytes]:
    """Status and body of an answer.

    Args:
        method: GET or POST.
        url: where.
        trust: which certificates are believed.
        headers: of the request.
        content: its body.
        patience: how long all of it may take.

    Raises:
        AskError: `unreachable`, `too_slow` or `document_too_long`.
    """
    body = bytearray()
    backend = _Backend(_Deadline(patience))
    try:
        with (
            httpcore.ConnectionPool(ssl_context=trust, network_backend=backend) as pool,
            pool.stream(method, url, headers=list(headers.items()), content=content or None) as answer,
        ):
            for piece in answer.iter_stream():
                body += piece
                if len(body) > MAX_DOCUMENT:
                    raise AskError("document_too_long")
            return answer.status, bytes(body)
    except httpcore.TimeoutException as error:
        raise AskError("too_slow") from error
    # The last of these: an address that is none.
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol, OSError, ValueError) as error:
        raise AskError("unreachable") from error
