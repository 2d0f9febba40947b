"""Single sign-on: authorizing people for records services, tokens, and signing out.

Rules:
- What a request or a system's policy asks for beyond the session leads to a detour (sign in, prove more), and after the
  detour to an answer: nobody is sent round twice, and a level that was not reached is never claimed.
- Codes, tokens and authorizations are recorded before they hold.
- A system that is no longer registered, a credential that is over and a session that has ended end tokens at once.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from audit.access.journal import Recorder
from audit.access.machines.journal import MachineJournal
from audit.access.model import LockedSession, Viewer, within
from audit.access.sealing import SecretBox
from audit.access.sso.codes import Book, Sessions
from audit.access.sso.demands import Demand, DemandError, Need, read_demand
from audit.access.sso.journal import SsoJournal
from audit.access.sso.keys import ALGORITHMS, SigningKeys
from audit.access.sso.model import SCOPE, Challenge, Detour, Granted, Refusal, Reply, SsoRules, UserInfo
from audit.access.sso.provider import Provider, RefusedRequestError, ValidRequest
from audit.access.sso.signed import BadTokenError, read_signed
from audit.access.sso.systems import SystemUseCases
from audit.access.strength import Acr, FactorPolicy
from audit.clock import Clock
from audit.store.state import StateStore

__all__ = ["SINCE", "PolicyOf", "SsoService"]

SINCE = "since"
"""Our own parameter: when a request was first seen, sealed for this very request."""
PolicyOf = Callable[[str, datetime], FactorPolicy]
_INSUFFICIENT = "insufficient_user_authentication"
_UNMET = "unmet_authentication_requirements"
_MAX_SEALED = 400
_SECOND = timedelta(seconds=1)  # a token tells time in whole seconds


@dataclass(frozen=True, slots=True)
class _Way:
    """What a person was sent away for, and when."""

    to: Literal["sign_in", "step_up"]
    since: datetime


class SsoService(SystemUseCases):
    """The provider's use cases.

    Args:
        store: the state database.
        clock: the time.
        recorder: the audit log.
        box: seals what goes through the browser.
        keys: what ID tokens are signed with.
        sessions: which sessions are open.
        policy_of: what a system asks its users for at a moment.
        issuer: gives our own address; from a setting, never from the Host header.
        rules: how long things live.
    """

    def __init__(
        self,
        store: StateStore,
        clock: Clock,
        recorder: Recorder,
        box: SecretBox,
        keys: SigningKeys,
        *,
        sessions: Sessions,
        policy_of: PolicyOf,
        issuer: Callable[[], str],
        rules: SsoRules | None = None,
    ) -> None:
        super().__init__(store, clock, SsoJournal(recorder, clock), keys)
        self.rules = rules or SsoRules()
        self._box = box
        self._policy_of = policy_of
        self._issuer = issuer
        self._book = Book(store, clock, self._journal, sessions, self.rules)
        self._provider = Provider(self._book, keys)
        self._counted = MachineJournal(recorder, clock)

    def flush_refusals(self, *, everything: bool = False) -> None:
        """Tell the refusals to nobody known that were counted."""
        self._counted.flush(everything=everything)

    # Authorizing

    def authorize(
        self, parameters: Mapping[str, str], viewer: Viewer | None, *, address: str
    ) -> Reply | Detour | Refusal:
        """Judge an authorization request.

        Args:
            parameters: of the request; each stands once.
            viewer: who is signed in.
            address: the peer's address.

        Raises:
            StoreError: the log cannot be written; nobody was authorized.
        """
        issuer, way = self._issuer(), self._way(parameters)
        try:
            request = self._provider.validate(parameters, viewer, issuer)
        except RefusedRequestError as refused:
            source = refused.client.system.source if refused.client else ""
            self._refused(viewer, refused.error, source, address)
            return refused.answer
        system = request.client.system
        try:
            demand = read_demand(parameters, system.max_age)
            if viewer is None:
                _insist(Need(Acr.PASSWORD, fresh=True), demand, been_there=False)
                return self._detour("sign_in", self._least(demand, system.source), parameters)
            _insist_on_limit(viewer, system.source)
            since = way.since if way else None
            need = demand.missing(viewer.proof, self._policy(system.source), self._clock.now(), since)
            if need is None:
                return self._provider.grant(request, _granted(viewer, demand, address), issuer)
            _insist(need, demand, been_there=way is not None and way.to == "step_up")
            return self._step_up(viewer, need, request, address)
        except DemandError as error:
            self._refused(viewer, error.error, system.source, address)
            return self._provider.refuse(request.redirect_uri, error.error, str(error), parameters, issuer)

    def _policy(self, source: str) -> FactorPolicy:
        return self._policy_of(source, self._clock.now())

    def _least(self, demand: Demand, source: str) -> Acr:
        asked = min(demand.acceptable, key=lambda level: level.rank, default=Acr.PASSWORD)
        return max(asked, self._policy(source).acr, key=lambda level: level.rank)

    def _step_up(self, viewer: Viewer, need: Need, request: ValidRequest, address: str) -> Detour:
        self._journal.write(
            "authorize",
            "sso.step_up_asked",
            "denied",
            actor=viewer.login_id,
            session=viewer.session_id,
            address=address,
            source=request.client.system.source,
            acr=need.acr.value,
            reason="age" if need.fresh else "strength",
        )
        return self._detour("step_up", need.acr, request.parameters)

    def _detour(self, to: Literal["sign_in", "step_up"], acr: Acr, parameters: Mapping[str, str]) -> Detour:
        sealed = self._box.seal(f"{to} {self._clock.now().isoformat()}", _place(parameters))
        return Detour(to, acr, base64.urlsafe_b64encode(sealed).decode().rstrip("="))

    def _way(self, parameters: Mapping[str, str]) -> _Way | None:
        """Where the person comes back from, if it is from a detour of this very request and not long ago."""
        sealed = parameters.get(SINCE, "")
        if not sealed or len(sealed) > _MAX_SEALED:
            return None
        try:
            raw = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
            to, _, since = self._box.open(raw, _place(parameters)).partition(" ")
        except (binascii.Error, ValueError):
            return None
        began = datetime.fromisoformat(since)
        live = within(began, self._clock.now(), self.rules.detour)
        return _Way("step_up" if to == "step_up" else "sign_in", began) if live else None

    def _refused(self, viewer: Viewer | None, error: str, source: str, address: str) -> None:
        if viewer is None:
            self._counted.refuse("security_event", "sso.refused", error, source=source, address=address)
            return
        self._journal.write(
            "authorize",
            "sso.refused",
            "denied",
            actor=viewer.login_id,
            session=viewer.session_id,
            address=address,
            source=source,
            reason=error,
        )

    # Tokens

    def exchange(self, form: Mapping[str, str], client_id: str, *, address: str) -> Reply:
        """Tokens for a code.

        Args:
            form: the parameters of the token request.
            client_id: of the client, which has just proved itself.
            address: the peer's address.

        Raises:
            StoreError: the log cannot be written; no token was issued.
        """
        reply = self._provider.exchange(form, client_id, address=address, issuer=self._issuer())
        if reply.status != 200:
            client = self._book.client(client_id)
            source = client.system.source if client else ""
            self._counted.refuse("login", "sso.token_refused", reply.body["error"], source=source, address=address)
        return reply

    def revoke_token(self, token: str, client_id: str, *, address: str) -> None:
        """End an access token of a client's own system (RFC 7009); any other is left, and nobody learns of it.

        Args:
            token: as it was sent.
            client_id: of the client, which has just proved itself.
            address: the peer's address.

        Raises:
            StoreError: the log cannot be written; the token has ended.
        """
        self._book.revoke_token(token, client_id, address=address)

    def user_info(self, token: str, *, address: str) -> UserInfo | Challenge:
        """Who an access token stands for; a system that asks for more than was proved is told what to come back with.

        Args:
            token: as it was sent.
            address: the peer's address.
        """
        found = self._book.live_token(token)
        if found is None:
            self._counted.refuse("security_event", "sso.token_unknown", "invalid_token", source="", address=address)
            return Challenge("invalid_token")
        row, client, session = found
        policy = self._policy(client.system.source)
        max_age = client.system.max_age
        met = policy.met_by(session.proof)
        if met and (max_age is None or within(row.auth_time, self._clock.now(), max_age + _SECOND)):
            acr = {"acr": row.acr, "amr": row.amr.split(), "auth_time": int(row.auth_time.timestamp())}
            return UserInfo({"sub": row.login_id, **acr})
        self._journal.write(
            "authorize",
            "sso.challenged",
            "denied",
            actor=row.login_id,
            session=row.session_id,
            address=address,
            source=client.system.source,
            reason="age" if met else "strength",
        )
        return Challenge(_INSUFFICIENT, None if met else policy.acr, max_age)

    # Signing out

    def ends_session(self, parameters: Mapping[str, str], viewer: Viewer | LockedSession | None) -> tuple[str, bool]:
        """Judge a request to sign out (OpenID Connect RP-Initiated Logout 1.0).

        A system may end the session that its ID token came from, in the browser that holds it; without such a token
        nobody's session ends, for any page could send a person here.

        Args:
            parameters: of the request.
            viewer: who is signed in in this browser, in a session that may be locked.

        Returns:
            Where to go then, empty for our own page; and whether the viewer's session is to end.
        """
        try:
            claims = read_signed(parameters.get("id_token_hint", ""), self._keys.known, ALGORITHMS)
        except BadTokenError:
            return "", False
        if claims.get("iss") != self._issuer() or parameters.get("client_id", claims.get("aud")) != claims.get("aud"):
            return "", False
        client = self._book.client(str(claims.get("aud")))
        place = parameters.get("post_logout_redirect_uri", "")
        if client is None or place not in client.system.post_logout_uris:
            place = ""
        if viewer is None:
            return place, False
        session = viewer.session_id if isinstance(viewer, Viewer) else viewer.session.id
        return place, (claims.get("sid"), claims.get("sub")) == (session, viewer.login_id)

    # What is published

    def jwks(self) -> dict[str, Any]:
        """The keys that ID tokens verify with."""
        return self._keys.document(self._clock.now())

    def metadata(self) -> dict[str, Any]:
        """What the discovery document says about this part (OpenID Connect Discovery 1.0, RFC 8414, 9207)."""
        issuer = self._issuer()
        return {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/oauth2/authorize",
            "token_endpoint": f"{issuer}/oauth2/token",
            "userinfo_endpoint": f"{issuer}/oauth2/userinfo",
            "end_session_endpoint": f"{issuer}/oauth2/logout",
            "jwks_uri": f"{issuer}/oauth2/jwks",
            "scopes_supported": [SCOPE],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": list(ALGORITHMS),
            "acr_values_supported": [level.value for level in Acr],
            "claims_supported": [
                "acr", "amr", "at_hash", "aud", "auth_time", "exp", "iat", "iss", "nonce", "sid", "sub",
            ],
            "code_challenge_methods_supported": ["S256"],
            "prompt_values_supported": ["none", "login"],
            "authorization_response_iss_parameter_supported": True,
            "claims_parameter_supported": False,
            "request_parameter_supported": False,
            "request_uri_parameter_supported": False,
        }  # fmt: skip


def _granted(viewer: Viewer, demand: Demand, address: str) -> Granted:
    return Granted(
        login_id=viewer.login_id,
        session_id=viewer.session_id,
        acr=demand.claim(viewer.proof),
        proof=viewer.proof,
        address=address,
    )


def _insist_on_limit(viewer: Viewer, source: str) -> None:
    """What a sealed credential opened is for one system."""
    if viewer.limited_to not in {"", source}:
        raise DemandError("access_denied", "the session is for one other system")


def _insist(need: Need, demand: Demand, *, been_there: bool) -> None:
    """Go no further where the person may not be asked, or was asked before.

    Raises:
        DemandError: that.
    """
    if demand.silent:
        raise DemandError("login_required" if need.fresh else "interaction_required", "the person must be asked")
    if been_there:
        raise DemandError(_UNMET, "the sign-in is not strong or fresh enough")


def _place(parameters: Mapping[str, str]) -> str:
    """The request that a seal belongs to."""
    rest = sorted((name, value) for name, value in parameters.items() if name != SINCE)
    return f"sso:{hashlib.sha256(json.dumps(rest).encode()).hexdigest()}"
