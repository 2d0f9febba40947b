#!/usr/bin/env python3
"""Gets an access token for a sending system, and prints it as a line of curl's configuration.

    (umask 077; mimamori --json sources credential issue nhi-eligibility > credential.json)
    ./get_token.py credential.json [CA.pem] | curl --config - --data-binary @day.jsonl "$URL/api/v1/events?source=…"

Standard library only, Python 3.9 or newer, so that one file can be carried to any machine. The secret and the token
never stand in an argument, where `ps` shows them to everybody.
"""

import base64
import hashlib
import hmac
import json
import secrets
import ssl
import sys
import time
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from urllib.parse import urlencode, urlsplit

_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_SECONDS = 120


def _part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def assertion(credential: "dict[str, str]") -> str:
    """A fresh proof that the caller knows the client's secret (RFC 7523, `client_secret_jwt`)."""
    now = int(time.time())  # noqa: TID251 - runs on the sender's machine, without Mimamori
    claims = {
        "iss": credential["client_id"],
        "sub": credential["client_id"],
        "aud": credential["token_endpoint"],
        "iat": now,
        "exp": now + _SECONDS,
        "jti": secrets.token_urlsafe(24),
    }
    signed = ".".join(_part(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    secret = credential["client_secret"].encode()
    return f"{signed}.{_part(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


def token(credential: "dict[str, str]", authority: "str | None" = None) -> str:
    """An access token; it lives ten minutes.

    Raises:
        SystemExit: no token was given.
    """
    where = urlsplit(credential["token_endpoint"])
    host = where.hostname or ""
    if where.scheme == "https":
        connection: HTTPConnection = HTTPSConnection(
            host, where.port, timeout=30, context=ssl.create_default_context(cafile=authority)
        )
    else:
        connection = HTTPConnection(host, where.port, timeout=30)
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": _ASSERTION_TYPE,
        "client_assertion": assertion(credential),
    }
    connection.request("POST", where.path, urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"})
    answer = connection.getresponse()
    said = answer.read()
    connection.close()
    if answer.status != 200:
        sys.exit(f"{answer.status} {said.decode('utf-8', 'replace')}")
    return str(json.loads(said)["access_token"])


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    given = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    sys.stdout.write(f'header = "Authorization: Bearer {token(given, *sys.argv[2:])}"\n')
