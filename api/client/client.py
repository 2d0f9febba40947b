"""The client: one connection pool, one token, a few seconds' memory of what was allowed.

Rules:
- Any failure is a denial with reason `unreachable`: no connection, no token, no JSON, an answer to something else.
- A question is sent once. Each one is an event in Mimamori's log, so nothing is sent again whose answer may only have
  been lost; a token that was refused is the exception, for then nothing was decided.
- Only allows are remembered, no longer than each says, counted from before the question was sent.
"""

import base64
import hashlib
import hmac
import json
import secrets
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

from api.client.answers import NOBODY_ANSWERED, read_decision
from api.client.model import Access, ClientError, Decision
from audit.clock import Clock, SystemClock

__all__ = ["Mimamori", "Semantic"]

Semantic = Literal["execute_all", "deny_on_first_deny", "permit_on_first_permit"]
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTION_SECONDS = 120
_EARLY = 30.0
"""Seconds before its end from which on a token is replaced."""
_IDLE = 2.0
"""Seconds that an unused connection is kept: less than a server keeps it, or a question could meet a closing door."""
_MOST = 100
_REMEMBERED = 10_000
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Mimamori:
    """Asks Mimamori for decisions; may be used by many threads at once.

    Args:
        url: its address (`MIMAMORI_PUBLIC_URL`); https, or http on this machine.
        client_id: of the system's credential.
        client_secret: the secret of that credential.
        timeout: seconds to wait for an answer.
        verify: a file with the certificates to believe; the system's own otherwise.
        clock: the time, for the proof of the client.
        monotonic: seconds that never go back, for what is remembered.

    Raises:
        ClientError: plain http to another machine.
    """

    def __init__(
        self,
        url: str,
        client_id: str,
        client_secret: str,
        *,
        timeout: float = 2.0,
        verify: str = "",
        clock: Clock | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise ClientError("https だけを使えます / https only; http on this machine itself")
        self._url = url.rstrip("/")
        self._client_id = client_id
        self._secret = client_secret.encode()
        self._clock = clock or SystemClock()
        self._monotonic = monotonic
        self._http = httpx.Client(
            base_url=self._url,
            timeout=timeout,
            verify=ssl.create_default_context(cafile=verify or None),
            limits=httpx.Limits(keepalive_expiry=_IDLE),
            follow_redirects=False,
            trust_env=False,
        )
        self._lock = threading.Lock()
        self._token, self._token_end = "", 0.0
        self._allowed: dict[Access, tuple[Decision, float]] = {}

    def __repr__(self) -> str:
        return f"Mimamori({self._url!r}, {self._client_id!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def evaluate(self, access: Access) -> Decision:
        """Whether somebody may do something, now."""
        now = self._monotonic()
        if (known := self._remembered(access, now)) is not None:
            return known
        decision = read_decision(self._ask("/access/v1/evaluation", access.evaluation()))
        self._remember(access, decision, now)
        return decision

    def evaluate_all(self, accesses: Sequence[Access], semantic: Semantic = "execute_all") -> list[Decision]:
        """Several answers in the order of the questions.

        Args:
            accesses: a hundred at most.
            semantic: `deny_on_first_deny` and `permit_on_first_permit` end at the first such answer; what comes after
                it was not judged, and is a denial with reason `not_evaluated`.

        Raises:
            ClientError: too many at once.
        """
        if len(accesses) > _MOST:
            raise ClientError(f"一度に {_MOST} 件まで / at most {_MOST} at once")
        if not accesses:
            return []
        now = self._monotonic()
        asked = {
            "evaluations": [access.evaluation() for access in accesses],
            "options": {"evaluations_semantic": semantic},
        }
        said = self._ask("/access/v1/evaluations", asked)
        found = said.get("evaluations") if isinstance(said, dict) else None
        if not isinstance(found, list) or not found or len(found) > len(accesses):
            return [NOBODY_ANSWERED] * len(accesses)
        decisions = [read_decision(one) for one in found]
        missing = len(accesses) - len(decisions)
        if missing and (semantic == "execute_all" or bool(decisions[-1]) is not (semantic == "permit_on_first_permit")):
            return [NOBODY_ANSWERED] * len(accesses)
        for access, decision in zip(accesses, decisions, strict=False):
            self._remember(access, decision, now)
        return decisions + [Decision(allowed=False, reason="not_evaluated")] * missing

    # What was allowed a moment ago

    def _remembered(self, access: Access, now: float) -> Decision | None:
        with self._lock:
            decision, end = self._allowed.get(access, (None, 0.0))
            if decision is not None and now >= end:
                del self._allowed[access]
                return None
            return decision

    def _remember(self, access: Access, decision: Decision, asked_at: float) -> None:
        if not decision.allowed or decision.life <= 0:
            return
        with self._lock:
            if len(self._allowed) >= _REMEMBERED:
                self._allowed.clear()  # they live for seconds: nothing much is lost
            self._allowed[access] = (decision, asked_at + decision.life)

    # On the wire

    def _ask(self, path: str, body: dict[str, Any]) -> object:
        """What was answered; None when nothing was that can be relied on."""
        named = uuid4().hex
        try:
            answer = self._post(path, body, named, self._bearer())
            if answer.status_code == 401:  # of the client alone: nothing was decided
                answer = self._post(path, body, named, self._bearer(fresh=True))
            if answer.status_code != 200 or answer.headers.get("x-request-id") != named:
                return None
            said: object = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, TypeError, KeyError, RecursionError):
            return None
        return said

    def _post(self, path: str, body: dict[str, Any], named: str, token: str) -> httpx.Response:
        return self._http.post(path, json=body, headers={"authorization": f"Bearer {token}", "x-request-id": named})

    def _bearer(self, *, fresh: bool = False) -> str:
        with self._lock:
            now = self._monotonic()
            if fresh or now >= self._token_end:
                self._token, life = self._new_token()
                self._token_end = now + life - _EARLY
            return self._token

    def _new_token(self) -> tuple[str, float]:
        answer = self._http.post(
            "/oauth2/token",
            data={
                "grant_type": "client_credentials",
                "scope": "mimamori:access:decide",
                "client_assertion_type": _ASSERTION_TYPE,
                "client_assertion": self._assertion(),
            },
        )
        answer.raise_for_status()
        given = answer.json()
        return str(given["access_token"]), float(given["expires_in"])

    def _assertion(self) -> str:
        """A fresh proof that we know the client's secret (RFC 7523)."""
        now = int(self._clock.now().timestamp())
        claims = {
            "iss": self._client_id,
            "sub": self._client_id,
            "aud": self._url,
            "iat": now,
            "exp": now + _ASSERTION_SECONDS,
            "jti": secrets.token_urlsafe(24),
        }
        signed = ".".join(_part(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
        return f"{signed}.{_part(hmac.new(self._secret, signed.encode(), hashlib.sha256).digest())}"


def _part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
