"""ASGI middleware that lets no request through which Mimamori does not allow.

    app = Guard(app, mimamori, access_of)

`access_of` says what a request is: `Access` to be asked about, or None when nobody is signed in. What was decided
stands in `scope["mimamori.decision"]`.

| answer | means |
|---|---|
| 401 | nobody is signed in, or (RFC 9470) a stronger or fresher proof is needed |
| 403 | denied |
| 503 | Mimamori cannot be reached: denied as well, and worth trying again |
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any

from api.client.client import Mimamori
from api.client.model import UNREACHABLE, Access, Decision

__all__ = ["DECISION", "Guard"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

DECISION = "mimamori.decision"
"""The key of the scope under which the application finds what was decided."""
_POLICY_VIOLATION = 1008
_NOBODY = Decision(allowed=False, reason="no_session", reason_ja="サインインしてください。", reason_en="Sign in first.")


class Guard:
    """Protects an application.

    Args:
        app: the application; WebSockets of it are guarded, too.
        mimamori: whom to ask.
        access_of: from a request's scope to what it would do; None when nobody is signed in. An error of its own is a
            denial: it never opens anything.
        public: paths, exactly as they stand in the scope, that need no decision.
    """

    def __init__(
        self,
        app: App,
        mimamori: Mimamori,
        access_of: Callable[[Scope], Access | None],
        *,
        public: Collection[str] = (),
    ) -> None:
        self._app = app
        self._mimamori = mimamori
        self._access_of = access_of
        self._public = frozenset(public)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass an allowed request on, and answer any other."""
        if scope["type"] == "lifespan" or scope.get("path") in self._public:
            await self._app(scope, receive, send)
            return
        decision = await self._decision(scope)
        if decision:
            await self._app({**scope, DECISION: decision}, receive, send)
        elif scope["type"] == "websocket":
            await receive()  # a handshake is answered once it has begun
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": decision.reason})
        else:
            await _refuse(decision, send)

    async def _decision(self, scope: Scope) -> Decision:
        access = self._access_of(scope)
        return _NOBODY if access is None else await asyncio.to_thread(self._mimamori.evaluate, access)


async def _refuse(decision: Decision, send: Send) -> None:
    status, headers = 403, [(b"content-type", b"application/problem+json"), (b"cache-control", b"no-store")]
    if decision.step_up:
        status = 401
        headers.append((b"www-authenticate", decision.challenge.encode("ascii")))
    elif decision is _NOBODY:
        status = 401
        headers.append((b"www-authenticate", b"Bearer"))
    elif decision.reason == UNREACHABLE:
        status = 503
        headers.append((b"retry-after", b"2"))
    said = {
        "type": "about:blank",
        "title": {401: "Sign in", 403: "Not permitted"}.get(status, "Not available"),
        "status": status,
        "reason": decision.reason,
        "detail": decision.reason_en,
        "detail_ja": decision.reason_ja,
    }
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(said, ensure_ascii=False).encode()})
