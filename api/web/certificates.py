"""Client certificates of mutual TLS, as the reverse proxy passes them on.

TLS ends at the proxy: ASGI has no place for the peer's certificate, and uvicorn offers none. The proxy asks for the
certificate, checks that the sender holds its key, and writes it into a header: `Client-Cert` (RFC 9440: HAProxy, Envoy)
or `X-SSL-Client-Cert` (nginx's `$ssl_client_escaped_cert`; its `$ssl_client_fingerprint` is SHA-1 and not taken).

Rules:
- The header is believed from the trusted proxies alone, judged by the peer of the TCP connection. That is why this
  stands outside the middleware which replaces the peer by what X-Forwarded-For says, and holds that one inside.
- Without a trusted proxy there is no certificate. Two headers at once are none, either: one of them is not the proxy's.
- A proxy must replace the header on every request, whether a certificate was shown or not (docs/receivers.md).
"""

import base64
import binascii
from urllib.parse import unquote_to_bytes

from cryptography import x509
from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from audit.access.machines import fingerprint_of

__all__ = ["BehindProxies", "certificate_of"]

_KEY = "mimamori.client_certificate"
_HEADERS = frozenset({b"client-cert", b"x-ssl-client-cert"})
MAX_HEADER = 16 * 1024
"""Bytes; a certificate has two thousand or so, escaped three times as many at most."""


class BehindProxies:
    """The outermost layer: believes what trusted proxies say about the sender, and nobody else.

    Args:
        app: the application.
        trusted: addresses and networks of the proxies, by comma; empty for none.
    """

    def __init__(self, app: ASGIApp, trusted: str) -> None:
        # One reading of the setting for all that proxies say: uvicorn's.
        forwarded = ProxyHeadersMiddleware(app, trusted_hosts=trusted)  # type: ignore[arg-type] # uvicorn's own names for the same ASGI types
        self._trusted = forwarded.trusted_hosts
        self._app: ASGIApp = forwarded if trusted else app  # type: ignore[assignment] # the same
        self._any = bool(trusted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with the certificate's fingerprint if there is one."""
        peer = scope.get("client")
        if self._any and scope["type"] == "http" and peer and peer[0] in self._trusted:
            scope[_KEY] = _fingerprint(
                [(name, value) for name, value in scope["headers"] if name in _HEADERS and value]
            )
        await self._app(scope, receive, send)


def certificate_of(request: Request) -> str | None:
    """SHA-256 of the client certificate that the sender's TLS connection showed to a trusted proxy."""
    found = request.scope.get(_KEY)
    return found if isinstance(found, str) else None


def _fingerprint(headers: list[tuple[bytes, bytes]]) -> str | None:
    if len(headers) != 1 or len(headers[0][1]) > MAX_HEADER:
        return None
    name, value = headers[0]
    try:
        if name == b"client-cert":
            certificate = x509.load_der_x509_certificate(_structured(value.strip()))
        else:
            certificate = x509.load_pem_x509_certificate(unquote_to_bytes(value))
    except (binascii.Error, ValueError):
        return None
    return fingerprint_of(certificate)


def _structured(value: bytes) -> bytes:
    """A byte sequence of RFC 8941: base64 between colons."""
    if len(value) < 2 or value[:1] != b":" or value[-1:] != b":":
        raise ValueError
    return base64.b64decode(value[1:-1], validate=True)
