"""Forward authentication over HTTP: the proxy proves itself, the session is the person's own, a line says the act."""

import itertools
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
from desk import NO, SYSTEM, StandIn, allow_views, serving
from fastapi import FastAPI
from house import House

from api.gateways import read_gateways
from api.web.certificates import BehindProxies
from api.web.errors import install_errors
from api.web.forward_auth import install_forward_auth
from api.web.oauth import install_oauth
from api.web.security import SecurityHeaders
from audit.access import Role, SignedIn
from audit.access.decisions.model import Answer, Effect, Question
from audit.access.decisions.reasons import TEXTS, Reason
from audit.access.machines import Credential, MachineRefusedError
from audit.access.strength import Acr, Proof
from audit.store.errors import StoreUnavailableError
from dashboards.pages import Pages

GATEWAYS = f"""
[{SYSTEM}]
origin = "https://kiroku.example.lg.jp:9443"
sign_in_at = "https://kiroku.example.lg.jp"
affair = "nhi-eligibility"

[[{SYSTEM}.route]]
methods = ["GET"]
path = "/residents/{{subject}}"
query = {{ tab = "" }}
activity = "view"

[[{SYSTEM}.route]]
methods = ["POST"]
path = "/residents/{{subject}}"
activity = "update"
"""
PERSON_AT = "10.3.1.31"
PLACE = "/residents/0004512345"
HERE = "https%3A%2F%2Fkiroku.example.lg.jp%3A9443"
_numbers = itertools.count(1)


@dataclass
class Proxy:
    """A reverse proxy before one system."""

    house: House
    decider: StandIn
    credential: Credential
    http: httpx.Client

    def signed_in(self, *factors: str, **more: Any) -> tuple[str, str]:
        """Somebody new with a session that these factors proved: staff id and token."""
        access = self.house.installation.access
        name = f"gate-{next(_numbers)}"
        access.create_account(
            name, "見本", frozenset({Role.STAFF}), "朝霧 correct staple 42", "JBSWY3DPEHPK3PXPJBSWY3DP"
        )
        proof = Proof(factors=frozenset(factors or {"password", "totp"}), at=self.house.clock.now(), **more)
        opened = access.open_verified_session(name, proof, address=PERSON_AT)
        assert isinstance(opened, SignedIn)
        return name, opened.token

    def ask(
        self, token: str = "", uri: str = PLACE, method: str = "GET", cookie: str = "__Host-mimamori", **changed: Any
    ) -> httpx.Response:
        """What nginx asks; a header given as None is left out."""
        secret = (self.credential.client_id, self.credential.client_secret)
        headers = {
            "x-original-method": method,
            "x-original-uri": uri,
            "x-forwarded-for": PERSON_AT,
            "x-forwarded-proto": "https",
            "cookie": f"other=1; {cookie}={token}" if token else "other=1",
        } | {name.replace("_", "-"): value for name, value in changed.items() if name != "auth"}
        given = {name: value for name, value in headers.items() if value is not None}
        return self.http.get("/access/v1/forward-auth", headers=given, auth=changed.get("auth", secret))

    def last_act(self) -> dict[str, Any]:
        self.house.installation.acts.drain()
        return self.house.last_act()


@pytest.fixture(scope="module")
def gate(the_house: House) -> Iterator[tuple[StandIn, httpx.Client]]:
    installation, decider = the_house.installation, StandIn()
    folder = installation.settings.data
    (folder / "gateways.toml").write_text(GATEWAYS, encoding="utf-8")
    app = FastAPI()
    app.state.installation, app.state.pages = installation, Pages()
    app.add_middleware(SecurityHeaders)
    install_errors(app)
    install_oauth(app, installation.machines)
    install_forward_auth(app, decider, read_gateways(folder))
    (folder / "gateways.toml").unlink()
    with serving(BehindProxies(app, "")) as address, httpx.Client(base_url=address, timeout=30) as http:
        yield decider, http


@pytest.fixture
def proxy(house: House, gate: tuple[StandIn, httpx.Client]) -> Proxy:
    decider, http = gate
    decider.rule, decider.questions = allow_views, []
    return Proxy(house, decider, house.installation.machines.register(SYSTEM), http)


def test_an_allowed_request_goes_on_and_says_who(proxy: Proxy) -> None:
    person, token = proxy.signed_in("password", "palm_vein", user_verified=True)
    answer = proxy.ask(token, f"{PLACE}?tab=levy")
    assert (answer.status_code, answer.content) == (204, b"")
    told = {name: value for name, value in answer.headers.items() if name.startswith("x-mimamori")}
    assert told == {"x-mimamori-person": person, "x-mimamori-acr": "bio", "x-mimamori-decision": "d1"}
    live = proxy.house.installation.access.live_session(person)
    assert live is not None
    assert proxy.decider.questions == [
        Question(
            person=person, system=SYSTEM, activity="view", affair="nhi-eligibility", subjects=("0004512345",),
            address=PERSON_AT, session=live.id,
        )
    ]  # fmt: skip


def test_nobody_signed_in_is_led_to_sign_in_and_back(proxy: Proxy) -> None:
    for token in ("", "x" * 43):
        answer = proxy.ask(token, f"{PLACE}?tab=levy")
        assert answer.status_code == 401
        back = f"{HERE}%2Fresidents%2F0004512345%3Ftab%3Dlevy"
        assert answer.headers["x-mimamori-location"] == f"https://kiroku.example.lg.jp/sign-in?next={back}"
        act = proxy.last_act()
        assert (act["activity"], act["operation_name"], act["outcome"]) == ("authorize", "no_session", "denied")
        assert (act["actor"]["id"], act["terminal"]["ip"], act["target"]["system"]) == ("unknown", PERSON_AT, SYSTEM)
    assert proxy.decider.questions == []


@pytest.mark.parametrize(("method", "uri"), [("POST", PLACE), ("GET", "/nowhere"), ("GET", "//evil.example/")])
def test_the_way_back_is_an_address_that_asking_again_does_no_harm(proxy: Proxy, method: str, uri: str) -> None:
    location = proxy.ask("", uri, method).headers["x-mimamori-location"]
    assert location == f"https://kiroku.example.lg.jp/sign-in?next={HERE}%2F"


def test_a_locked_session_is_led_to_unlock(proxy: Proxy) -> None:
    person, token = proxy.signed_in()
    proxy.house.clock.advance(timedelta(minutes=6))
    answer = proxy.ask(token)
    assert (answer.status_code, answer.headers["x-mimamori-reason"]) == (401, "session_locked")
    assert proxy.last_act()["actor"]["id"] == person


def test_a_step_up_is_asked_for_as_rfc_9470_says(proxy: Proxy) -> None:
    _, token = proxy.signed_in()
    proxy.decider.rule = lambda _: Answer(
        effect=Effect.STEP_UP, reason="proof_weak", texts=NO, acr=Acr.USER_VERIFIED, max_age=timedelta(seconds=300)
    )
    answer = proxy.ask(token)
    assert answer.status_code == 401
    challenge = 'Bearer error="insufficient_user_authentication", acr_values="uv bio", max_age=300'
    assert answer.headers["www-authenticate"] == challenge
    place = f"next={HERE}%2Fresidents%2F0004512345&acr=uv"
    assert answer.headers["x-mimamori-location"] == f"https://kiroku.example.lg.jp/step-up?{place}"


def test_a_denial_says_why_and_every_reason_has_its_words(proxy: Proxy) -> None:
    _, token = proxy.signed_in()
    answer = proxy.ask(token, method="POST")
    assert (answer.status_code, answer.headers["x-mimamori-reason"]) == (403, "no_right")
    assert answer.headers["x-mimamori-location"] == "https://kiroku.example.lg.jp/denied?reason=no_right"
    for reason in Reason:
        proxy.decider.rule = lambda _, reason=reason: Answer(effect=Effect.DENY, reason=reason, texts=TEXTS[reason])
        answer = proxy.ask(token)
        shown = answer.headers["x-mimamori-location"].partition("/denied?")[2]
        assert answer.status_code == (401 if reason in {Reason.NO_SESSION, Reason.SESSION_LOCKED} else 403), reason
        if shown:
            page = proxy.http.get(f"/denied?{shown}")
            assert page.status_code == 403
            assert TEXTS[reason].ja in page.text
            english = proxy.http.get(f"/denied?{shown}", headers={"cookie": "mimamori-language=en"})
            assert TEXTS[reason].en.replace("'", "&#39;") in english.text


def test_what_marks_a_resident_is_not_told_apart_in_the_address_bar(proxy: Proxy) -> None:
    _, token = proxy.signed_in()
    told = set()
    for reason in (Reason.PROTECTED, Reason.VIP, Reason.DECEASED):
        proxy.decider.rule = lambda _, reason=reason: Answer(effect=Effect.DENY, reason=reason, texts=TEXTS[reason])
        told.add(proxy.ask(token).headers["x-mimamori-location"])
    assert len(told) == 1


def test_the_denied_page_repeats_nothing_that_it_is_given(proxy: Proxy) -> None:
    for reason in ("", "<script>", "123456789018", "no_right%00"):
        page = proxy.http.get("/denied", params={"reason": reason})
        assert page.status_code == 403
        assert not reason or reason not in page.text.replace("/denied?reason=no_right", "")


def test_what_no_line_knows_is_denied_and_recorded_without_its_address(proxy: Proxy) -> None:
    person, token = proxy.signed_in()
    for uri, method in (("/search/Yamada-Taro", "GET"), (f"/x/..{PLACE}", "GET"), (PLACE, "DELETE")):
        answer = proxy.ask(token, uri, method)
        assert (answer.status_code, answer.headers["x-mimamori-reason"]) == (403, "unmapped")
        act = proxy.last_act()
        assert (act["actor"]["id"], act["operation_name"], act["outcome"]) == (person, "unmapped", "denied")
        assert "Yamada" not in repr(act)
    assert proxy.decider.questions == []


# The proxy ----------------------------------------------------------------------------------------------------------


def test_S25_a_proxy_that_proves_nothing_opens_nothing_and_leads_nobody_round_in_circles(proxy: Proxy) -> None:
    _, token = proxy.signed_in()
    wrong = [None, ("x" * 32, "y" * 43), (proxy.credential.client_id, "y" * 43), (proxy.credential.client_id, "")]
    for auth in wrong:
        answer = proxy.ask(token, auth=auth)
        assert (answer.status_code, answer.headers["x-mimamori-reason"]) == (403, "gateway_refused")
    proxy.house.installation.machines.revoke(SYSTEM, proxy.credential.client_id)
    assert proxy.ask(token).status_code == 403
    assert proxy.decider.questions == []


def test_S25_a_proxy_of_another_system_asks_about_its_own(proxy: Proxy) -> None:
    _, token = proxy.signed_in()
    other = proxy.house.installation.machines.register("nhi-levy")
    answer = proxy.ask(token, auth=(other.client_id, other.client_secret), x_mimamori_system=SYSTEM)
    assert (answer.status_code, answer.headers["x-mimamori-reason"]) == (403, "gateway_unclear")
    assert proxy.last_act()["target"]["system"] == "nhi-levy"
    hr = proxy.house.installation.machines.register("hr")
    assert proxy.ask(token, auth=(hr.client_id, hr.client_secret)).headers["x-mimamori-reason"] == "gateway_refused"


def test_S25_a_certificate_once_bound_is_demanded_beside_the_secret_and_is_enough_by_itself(house: House) -> None:
    machines, secret = house.installation.machines, house.installation.machines.register("care-insurance")
    basic = httpx.BasicAuth(secret.client_id, secret.client_secret)._auth_header
    own, foreign = secrets.token_hex(32), secrets.token_hex(32)
    assert machines.authenticate_gateway(basic, None, address=PERSON_AT).source == "care-insurance"
    machines.bind_certificate("care-insurance", own)
    machines.bind_certificate("nhi-benefit", foreign)
    assert machines.authenticate_gateway(basic, own, address=PERSON_AT).source == "care-insurance"
    assert machines.authenticate_gateway("", own, address=PERSON_AT).source == "care-insurance"
    for authorization, shown in ((basic, None), (basic, foreign), (basic, "00" * 32), ("", None), ("Basic !", own)):
        with pytest.raises(MachineRefusedError):
            machines.authenticate_gateway(authorization, shown, address=PERSON_AT)


def test_S28_the_address_is_the_last_that_an_authenticated_proxy_names(proxy: Proxy) -> None:
    _, token = proxy.signed_in()
    assert proxy.ask(token, x_forwarded_for=f"10.9.9.9, {PERSON_AT}").status_code == 204
    assert proxy.decider.questions[0].address == PERSON_AT
    proxy.ask("", x_forwarded_for="10.9.9.9", auth=None)
    assert "10.9.9.9" not in repr(proxy.last_act())


@pytest.mark.parametrize(
    "changed",
    [
        {"x_forwarded_for": None}, {"x_forwarded_for": "unknown"}, {"x_forwarded_for": f"{PERSON_AT},"},
        {"x_original_uri": None}, {"x_original_method": None}, {"x_forwarded_proto": None},
        {"x_forwarded_proto": "https,http"},
    ],
)  # fmt: skip
def test_a_proxy_that_says_too_little_is_refused(proxy: Proxy, changed: dict[str, Any]) -> None:
    _, token = proxy.signed_in()
    answer = proxy.ask(token, **changed)
    assert (answer.status_code, answer.headers["x-mimamori-reason"]) == (403, "gateway_unclear")
    assert proxy.decider.questions == []


def test_a_header_that_stands_twice_is_refused(proxy: Proxy) -> None:
    _, token = proxy.signed_in()
    secret = (proxy.credential.client_id, proxy.credential.client_secret)
    headers = [
        ("x-original-method", "GET"), ("x-original-uri", PLACE), ("x-original-uri", "/residents/0009999999"),
        ("x-forwarded-for", PERSON_AT), ("x-forwarded-proto", "https"), ("cookie", f"__Host-mimamori={token}"),
    ]  # fmt: skip
    answer = proxy.http.get("/access/v1/forward-auth", headers=headers, auth=secret)
    assert (answer.status_code, answer.headers["x-mimamori-reason"]) == (403, "gateway_unclear")


def test_over_https_only_the_cookie_that_is_bound_to_the_host_counts(proxy: Proxy) -> None:
    _, token = proxy.signed_in()
    assert proxy.ask(token, cookie="mimamori").status_code == 401
    assert proxy.ask(token, cookie="mimamori", x_forwarded_proto="http").status_code == 204


def test_S21_a_session_that_has_ended_opens_nothing_from_the_next_request_on(proxy: Proxy) -> None:
    _, token = proxy.signed_in()
    assert proxy.ask(token).status_code == 204
    viewer = proxy.house.installation.access.authenticate(token)
    assert viewer is not None
    proxy.house.installation.access.sign_out(viewer)
    assert proxy.ask(token).status_code == 401


def test_no_refusal_without_its_record_either(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise StoreUnavailableError("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(proxy.house.installation.log, "record", full)
        broken.setattr(type(proxy.house.installation.acts), "record", full)
        assert proxy.ask("").status_code == 503
