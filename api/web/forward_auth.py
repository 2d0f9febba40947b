"""Decisions for reverse proxies (nginx `auth_request`): who is at the browser, and may they do what they ask for?

| answer | means | the proxy |
|---|---|---|
| 204 | allowed; who, how strongly proved, and the decision's id in `X-Mimamori-…` | passes the request on |
| 401 | sign in, or prove more (RFC 9470); `X-Mimamori-Location` says where | leads there |
| 403 | denied, `X-Mimamori-Reason` says why, `X-Mimamori-Location` says it to the person | leads there |

Rules:
- The proxy authenticates itself as the system it stands before, and only then anything it says is believed: the
  person's address (S28), what was asked for, and by which scheme. One that fails is not answered 401, which would send
  people to sign in over and over.
- The session is looked up from the person's own cookie, which browsers send to every port of one host.
- What a request means stands in `gateways.toml`; what stands nowhere is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import cast
from urllib.parse import quote, urlencode

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response

from api.gateways import Act, Gateway
from api.web.authzen import Decider, acr_values
from api.web.certificates import certificate_of
from api.web.oauth import machines_of
from api.web.security import address_of, answer, installation_of
from audit.access import LockedSession, Viewer
from audit.access.decisions.model import Answer, Effect, Question
from audit.access.decisions.reasons import TEXTS, Reason
from audit.access.machines import Machine, MachineRefusedError
from audit.events import mask
from audit.texts import Texts
from dashboards.pages import Pages

__all__ = ["OPEN_PATHS", "install_forward_auth"]

OPEN_PATHS = frozenset({"/access/v1/forward-auth", "/denied"})
"""Paths that name no permission: at the first the proxy proves itself, the second says why somebody was led there."""

_PLAIN, _SECURE = "mimamori", "__Host-mimamori"
_SIGN_IN = frozenset({Reason.NO_SESSION, Reason.SESSION_LOCKED})
"""Denials that signing in ends; where a session is open elsewhere, signing in here would lead round in a circle."""
_WITHHELD = frozenset({Reason.DECEASED, Reason.PROTECTED, Reason.VIP})
"""What a person's address bar does not tell apart."""
_WORDS: Mapping[str, Texts] = {
    "gateway_refused": Texts(
        "このシステムの入口が Mimamori に認証されていません。システムの担当者に連絡してください。",
        "The entrance of this system did not authenticate itself to Mimamori. Tell whoever runs the system.",
    ),
    "gateway_unclear": Texts(
        "このシステムの入口の設定が正しくありません。システムの担当者に連絡してください。",
        "The entrance of this system is not set up rightly. Tell whoever runs the system.",
    ),
    "unmapped": Texts(
        "この画面は利用の対象として登録されていません。システムの担当者に連絡してください。",
        "This page is not among those that may be used here. Tell whoever runs the system.",
    ),
    "withheld": TEXTS[Reason.PROTECTED],
} | {reason.value: texts for reason, texts in TEXTS.items() if reason not in _WITHHELD}
_DENIED = Texts("許可されませんでした。所属長に相談してください。", "This was not allowed. Speak to your section head.")

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class ForwardAuth:
    """What stands behind these routes: what decides, and the systems behind proxies."""

    decisions: Decider
    gateways: Mapping[str, Gateway]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """What somebody at a browser wants, as an authenticated proxy says."""

    system: str
    gateway: Gateway
    method: str
    uri: str
    address: str
    secure: bool

    @property
    def act(self) -> Act | None:
        return self.gateway.act(self.method, self.uri)

    @property
    def place(self) -> str:
        """Where to come back to: what was asked for, if asking again does no harm and the address tells no number."""
        again = self.method == "GET" and self.act is not None and not mask(self.uri)[1]
        return self.gateway.origin + (self.uri if again else "/")


@router.get("/access/v1/forward-auth")
def forward_auth(request: Request) -> Response:
    """Whether the request that the proxy holds may go on."""
    address = address_of(request)
    try:
        machine = machines_of(request).authenticate_gateway(
            request.headers.get("authorization", ""), certificate_of(request), address=address
        )
    except MachineRefusedError:
        return _denied("gateway_refused", machines_of(request).rules.issuer)
    wish = _wish(request, machine)
    if wish is None:
        _record(request, machine.source, None, "gateway_unclear", address)
        return _denied("gateway_unclear", machines_of(request).rules.issuer)
    site = wish.gateway.sign_in_at or machines_of(request).rules.issuer
    token = request.cookies.get(_SECURE if wish.secure else _PLAIN, "")
    found = installation_of(request).access.look(token, address=wish.address) if token else None
    if not isinstance(found, Viewer):
        reason = Reason.SESSION_LOCKED if isinstance(found, LockedSession) else Reason.NO_SESSION
        person = found.login_id if isinstance(found, LockedSession) else None
        _record(request, machine.source, person, reason, wish.address)
        return _unknown(wish, site, reason)
    if wish.act is None:
        _record(request, machine.source, found.login_id, "unmapped", wish.address)
        return _denied("unmapped", site)
    return _said(_behind(request).decisions.decide(_question(wish, wish.act, found)), wish, site, found)


@router.get("/denied")
def denied(request: Request, reason: str = "") -> Response:
    """Why somebody was led here, in words; no session is needed, and nothing about anybody is told."""
    pages: Pages = request.app.state.pages
    words = _WORDS.get(reason, _DENIED)
    return answer(request, lambda ctx: pages.denied(ctx, reason=words), status=403)


def _behind(request: Request) -> ForwardAuth:
    return cast(ForwardAuth, request.app.state.forward_auth)


# What is asked ----------------------------------------------------------------------------------------------------


def _wish(request: Request, machine: Machine) -> _Wish | None:
    """What the proxy says; None where it does not say it once and clearly, or stands before no system that we know."""
    gateway = _behind(request).gateways.get(machine.source)
    method, uri, scheme = (
        _once(request, f"x-{name}") for name in ("original-method", "original-uri", "forwarded-proto")
    )
    address = _person_address(_once(request, "x-forwarded-for"))
    if gateway is None or not method or not uri or not address or scheme not in {"http", "https"}:
        return None
    return _Wish(
        system=machine.source, gateway=gateway, method=method, uri=uri, address=address, secure=scheme == "https"
    )


def _once(request: Request, name: str) -> str:
    values = request.headers.getlist(name)
    return values[0] if len(values) == 1 else ""


def _person_address(forwarded: str) -> str:
    """What the proxy itself saw is the last of a list; what stands before it was sent by somebody."""
    try:
        return str(ip_address(forwarded.rpartition(",")[2].strip()))
    except ValueError:
        return ""


def _question(wish: _Wish, act: Act, viewer: Viewer) -> Question:
    return Question(
        person=viewer.login_id,
        system=wish.system,
        activity=act.activity,
        function=act.function,
        affair=act.affair,
        subjects=act.subjects,
        purpose=act.purpose,
        case_id=act.case_id,
        address=wish.address,
        session=viewer.session_id,
    )


# What is answered -------------------------------------------------------------------------------------------------


def _said(judged: Answer, wish: _Wish, site: str, viewer: Viewer) -> Response:
    if judged.effect is Effect.ALLOW:
        headers = {
            "x-mimamori-person": quote(viewer.login_id, safe="@._-"),
            "x-mimamori-acr": viewer.proof.acr.value,
            "x-mimamori-decision": judged.id,
        }
        return Response(status_code=204, headers=headers)
    if judged.effect is Effect.STEP_UP:
        return _step_up(judged, wish, site)
    return _unknown(wish, site, judged.reason) if judged.reason in _SIGN_IN else _denied(judged.reason, site)


def _unknown(wish: _Wish, site: str, reason: str) -> Response:
    headers = {
        "www-authenticate": 'Bearer realm="mimamori"',
        "x-mimamori-reason": reason,
        "x-mimamori-location": f"{site}/sign-in?{urlencode({'next': wish.place})}",
    }
    return Response(status_code=401, headers=headers)


def _step_up(judged: Answer, wish: _Wish, site: str) -> Response:
    challenge = 'Bearer error="insufficient_user_authentication"'
    asked = {"next": wish.place}
    if judged.acr is not None:
        challenge += f', acr_values="{acr_values(judged.acr)}"'
        asked["acr"] = judged.acr.value
    if judged.max_age is not None:
        challenge += f", max_age={int(judged.max_age.total_seconds())}"
    headers = {
        "www-authenticate": challenge,
        "x-mimamori-reason": judged.reason,
        "x-mimamori-location": f"{site}/step-up?{urlencode(asked)}",
    }
    return Response(status_code=401, headers=headers)


def _denied(reason: str, site: str) -> Response:
    shown = "withheld" if reason in _WITHHELD else reason
    headers = {
        "x-mimamori-reason": reason,
        "x-mimamori-location": f"{site}/denied?{urlencode({'reason': shown})}",
    }
    return Response(status_code=403, headers=headers)


def _record(request: Request, system: str, person: str | None, reason: str, address: str) -> None:
    """Tell of a refusal that came before any question; what was asked for may hold a name, and is left out."""
    installation = installation_of(request)
    installation.acts.record(
        {
            "time": installation.clock.now().isoformat(),
            "activity": "authorize",
            "operation_name": reason,
            "outcome": "denied",
            "actor": {"id": person or "unknown", "kind": "staff"},
            "terminal": {"ip": address},
            "target": {"system": system},
        }
    )


def install_forward_auth(app: FastAPI, decisions: Decider, gateways: Mapping[str, Gateway]) -> None:
    """Give an application these routes.

    Args:
        app: the application; it has `install_oauth` and its pages already.
        decisions: what decides.
        gateways: the systems behind proxies, by id.
    """
    app.state.forward_auth = ForwardAuth(decisions, gateways)
    app.include_router(router)
