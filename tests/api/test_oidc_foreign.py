"""A relying party that is not ours (idpyoidc, certified by the OpenID Foundation) goes the whole way over HTTP."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from house import SOURCE, House, csrf_of
from idpyoidc import time_util
from idpyoidc.client.rp_handler import RPHandler
from idpyoidc.message.oidc import EXPError

from audit.access import Role
from audit.access.machines import MachineRules
from audit.access.sso import System

BACK = "https://records.example.lg.jp/callback"


@dataclass
class Records:
    """A records service with idpyoidc, and a member of staff in front of a browser."""

    house: House
    client_id: str
    client_secret: str = field(repr=False)
    ahead: timedelta = timedelta(0)

    def __post_init__(self) -> None:
        self.issuer = self.house.address
        self.party = RPHandler(
            base_url="https://records.example.lg.jp",
            client_configs={
                self.issuer: {
                    "issuer": self.issuer,
                    "client_id": self.client_id,
                    "client_secret": self.client_secret,
                    "redirect_uris": [BACK],
                    "client_type": "oidc",
                    "response_types_supported": ["code"],
                    "scopes_supported": ["openid"],
                    "token_endpoint_auth_methods_supported": ["client_secret_basic"],
                    "add_ons": {
                        "pkce": {
                            "function": "idpyoidc.client.oauth2.add_on.pkce.add_support",
                            "kwargs": {"code_challenge_length": 64, "code_challenge_method": "S256"},
                        }
                    },
                }
            },
        )

    def now(self) -> int:
        """The library's clock, which goes like the house's."""
        return int((self.house.clock.now() + self.ahead).timestamp())

    def begin(self, **asked: Any) -> str:
        return str(self.party.begin(issuer_id=self.issuer, req_args=asked)).removeprefix(self.issuer)

    def finish(self, back: httpx.Response) -> Any:
        place = back.headers["location"]
        assert place.startswith(f"{BACK}?"), place
        told = {name: values[0] for name, values in parse_qs(urlsplit(place).query).items()}
        return self.party.finalize(self.issuer, told)


@pytest.fixture
def records(house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Records]:
    monkeypatch.chdir(tmp_path)  # the library keeps its keys where it stands
    machines = house.installation.machines
    monkeypatch.setattr(machines, "rules", MachineRules(issuer=house.address, basic=True))
    house.installation.sso.register(System(source=SOURCE, redirect_uris=(BACK,)), by="test")
    made = machines.register(SOURCE)
    records = Records(house, made.client_id, made.client_secret)
    monkeypatch.setattr(time_util, "utc_time_sans_frac", records.now)
    yield records
    house.installation.sso.remove(SOURCE, by="test")


def detour(back: httpx.Response, to: str) -> str:
    """Where a person must go first, and the way on from there."""
    assert back.status_code == 303, back.text
    place = urlsplit(back.headers["location"])
    assert place.path == to
    (onward,) = parse_qs(place.query)["next"]
    assert onward.startswith("/oauth2/authorize?")
    return onward


def test_it_completes_discovery_the_code_flow_and_userinfo(house: House, records: Records) -> None:
    user = house.user(Role.STAFF)
    done = records.finish(house.signed_in(user).get(records.begin()))
    assert "error" not in done, done
    assert done["userinfo"]["sub"] == done["id_token"]["sub"] == user.login_id
    assert (done["id_token"]["acr"], done["id_token"]["amr"]) == ("mfa-otp", ["password", "totp"])
    assert house.last_act()["operation_name"] == "sso.token_issued"
    assert house.last_act()["target"]["system"] == SOURCE


def test_whoever_is_not_signed_in_signs_in_and_comes_back(house: House, records: Records) -> None:
    user, browser = house.user(Role.STAFF), house.browser()
    way = records.begin(acr_values=["mfa-otp"], prompt=["login"])
    onward = detour(browser.get(way), "/sign-in")
    house.clock.advance(timedelta(seconds=30))
    assert house.code_step(browser, house.password_step(browser, user), house.code(user)).status_code == 303
    done = records.finish(browser.get(onward))
    assert done["userinfo"]["sub"] == user.login_id


def test_s23_it_is_challenged_comes_back_stepped_up_and_goes_on(house: House, records: Records) -> None:
    """RFC 9470, the whole round: a token that is too old, a challenge, a new authorization, a new proof."""
    user = house.user(Role.STAFF)
    browser = house.signed_in(user)
    first = records.finish(browser.get(records.begin()))
    house.installation.sso.register(
        System(source=SOURCE, redirect_uris=(BACK,), max_age=timedelta(seconds=60)), by="test"
    )
    house.clock.advance(timedelta(seconds=90))
    bearer = {"authorization": f"Bearer {first['token']}"}
    challenged = house.browser().get("/oauth2/userinfo", headers=bearer)
    assert challenged.status_code == 401
    assert challenged.headers["www-authenticate"] == (
        'Bearer realm="mimamori", error="insufficient_user_authentication", max_age="60"'
    )
    way = records.begin(max_age=60, acr_values=["mfa-otp"])
    onward = detour(browser.get(way), "/step-up")
    page = browser.get("/nowhere")
    form = {"csrf": csrf_of(page), "code": house.code(user), "next": onward}
    assert browser.post("/step-up", data=form).headers["location"] == onward
    second = records.finish(browser.get(onward))
    assert second["id_token"]["auth_time"] >= first["id_token"]["auth_time"] + 90
    bearer = {"authorization": f"Bearer {second['token']}"}
    assert house.browser().get("/oauth2/userinfo", headers=bearer).json()["sub"] == user.login_id


def test_s21_what_ends_the_session_ends_the_token_at_once(house: House, records: Records) -> None:
    user = house.user(Role.STAFF)
    browser, service = house.signed_in(user), house.browser()
    done = records.finish(browser.get(records.begin()))
    bearer = {"authorization": f"Bearer {done['token']}"}
    assert service.get("/oauth2/userinfo", headers=bearer).status_code == 200
    assert browser.post("/sign-out", data={"csrf": csrf_of(browser.get("/nowhere"))}).status_code == 303
    refused = service.get("/oauth2/userinfo", headers=bearer)
    assert refused.status_code == 401
    assert 'error="invalid_token"' in refused.headers["www-authenticate"]


def test_the_party_s_own_checks_were_at_work(house: House, records: Records) -> None:
    """The library looks at what it gets: with its clock an hour ahead it takes no ID token."""
    back = house.signed_in(house.user(Role.STAFF)).get(records.begin())
    records.ahead = timedelta(hours=1)
    with pytest.raises(EXPError):
        records.finish(back)
