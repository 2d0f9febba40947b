"""From a request to a code: what is refused, what leads to a detour, and what comes back."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sso_desk import BACK, HERE, ISSUER, KEY, NHI, PALM, Desk, brought

from audit.access.model import VIEWER_SEAL
from audit.access.sso import Detour, Refusal, Reply, System
from audit.access.strength import Acr
from audit.store.errors import StoreUnavailableError


def test_a_signed_in_person_is_sent_back_with_a_code_and_the_log_says_so(desk: Desk) -> None:
    viewer = desk.viewer()
    reply = desk.authorize(viewer)
    told = brought(reply)
    assert reply.location.startswith(f"{BACK}?")
    assert told.keys() == {"code", "state", "iss"}
    assert (told["state"], told["iss"]) == ("state-1", ISSUER)
    (doc,) = desk.ledger.docs
    assert (doc["activity"], doc["operation_name"], doc["outcome"]) == ("authorize", "sso.authorized", "success")
    assert (doc["actor"], doc["session"]) == ({"id": "s0412", "kind": "staff"}, viewer.session_id)
    assert (doc["terminal"], doc["target"]) == ({"ip": HERE}, {"system": NHI})
    assert doc["auth"] == {"factors": ["password", "totp"], "user_verified": False}
    assert told["code"] not in repr(doc)
    assert told["code"].encode() not in (desk.folder / "state.db").read_bytes()


@pytest.mark.parametrize(
    "other",
    [
        {"client_id": None},
        {"client_id": "x" * 32},
        {"client_id": "発" * 32},
        {"client_id": 'a"b'},
        {"redirect_uri": None},
        {"redirect_uri": BACK + "/"},
        {"redirect_uri": BACK + "?a=b"},
        {"redirect_uri": BACK.upper()},
        {"redirect_uri": "https://nhi.example.lg.jp.evil.example/callback"},
        {"redirect_uri": "https://tax.example.lg.jp/cb"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": 'https://nhi.example.lg.jp/"'},
        {"redirect_uri": "https://nhi.example.lg.jp/\u2028"},
        {"response_type": 'code"'},
    ],
)
def test_whoever_it_is_unknown_whose_request_it_is_is_sent_nowhere(desk: Desk, other: dict[str, str | None]) -> None:
    for viewer in (None, desk.viewer()):
        answer = desk.authorize(viewer, **other)
        assert isinstance(answer, Refusal), answer
    assert desk.ledger.docs[-1]["operation_name"] == "sso.refused"
    assert desk.ledger.docs[-1]["outcome"] == "denied"


@pytest.mark.parametrize(
    ("error", "other"),
    [
        ("unsupported_response_type", {"response_type": "token"}),
        ("unsupported_response_type", {"response_type": "code id_token"}),
        ("unsupported_response_type", {"response_type": None}),
        ("invalid_request", {"scope": None}),
        ("invalid_request", {"scope": "profile"}),
        ("invalid_request", {"nonce": None}),
        ("invalid_request", {"nonce": "n" * 300}),
        ("invalid_request", {"state": "s" * 2000}),
        ("invalid_request", {"code_challenge": None}),
        ("invalid_request", {"code_challenge": "short"}),
        ("invalid_request", {"code_challenge_method": "plain"}),
        ("invalid_request", {"code_challenge_method": None}),
        ("invalid_request", {"response_mode": "form_post"}),
        ("invalid_request", {"prompt": "consent"}),
        ("invalid_request", {"prompt": "none login"}),
        ("invalid_request", {"max_age": "-1"}),
        ("invalid_request", {"max_age": "１"}),
        ("invalid_request", {"max_age": "9" * 20}),
        ("request_not_supported", {"request": "eyJ"}),
        ("request_uri_not_supported", {"request_uri": "https://evil.example/r"}),
        ("unmet_authentication_requirements", {"acr_values": "urn:other:gold"}),
    ],
)
def test_a_wrong_request_of_a_known_system_goes_back_to_it(
    desk: Desk, error: str, other: dict[str, str | None]
) -> None:
    told = brought(desk.authorize(desk.viewer(), **other))
    assert told["error"] == error
    assert told["iss"] == ISSUER
    assert "code" not in told
    assert desk.ledger.docs[-1]["operation_name"] == "sso.refused"
    assert desk.ledger.docs[-1]["unmapped"]["reason"] == error


def test_nobody_signed_in_is_sent_to_sign_in_unless_it_must_be_silent(desk: Desk) -> None:
    desk.policies[NHI] = "password+palm_vein|password+totp"
    detour = desk.authorize(None, acr_values="uv bio")
    assert isinstance(detour, Detour)
    assert (detour.to, detour.acr) == ("sign_in", Acr.USER_VERIFIED)
    assert desk.authorize(None).acr is Acr.OTP
    told = brought(desk.authorize(None, prompt="none"))
    assert (told["error"], told["state"]) == ("login_required", "state-1")
    assert desk.ledger.operations() == ["sso.refused"]


def test_what_is_asked_beyond_the_session_leads_to_a_step_up_and_back(desk: Desk) -> None:
    detour = desk.authorize(desk.viewer(), acr_values="bio uv")
    assert (detour.to, detour.acr) == ("step_up", Acr.USER_VERIFIED)
    assert desk.ledger.docs[-1]["operation_name"] == "sso.step_up_asked"
    assert desk.ledger.docs[-1]["outcome"] == "denied"
    desk.forward(seconds=20)
    told = brought(desk.authorize(desk.viewer(KEY), acr_values="bio uv", since=detour.since))
    claims = desk.claims(desk.exchange(told["code"]).body["id_token"])
    assert (claims["acr"], claims["amr"]) == ("uv", ["password", "webauthn"])


def test_a_level_that_was_not_reached_is_never_claimed_and_nobody_goes_round_twice(desk: Desk) -> None:
    viewer = desk.viewer()
    detour = desk.authorize(viewer, acr_values="bio")
    told = brought(desk.authorize(viewer, acr_values="bio", since=detour.since))
    assert told["error"] == "unmet_authentication_requirements"
    assert "code" not in told
    told = brought(desk.authorize(viewer, acr_values="bio", prompt="none"))
    assert told["error"] == "interaction_required"


def test_the_level_claimed_is_one_that_was_asked_for(desk: Desk) -> None:
    for asked, claimed in ((None, "bio"), ("pwd", "pwd"), ("mfa-otp uv", "uv"), ("bio pwd", "bio")):
        tokens = desk.tokens(desk.viewer(PALM), acr_values=asked)
        assert desk.claims(tokens["id_token"])["acr"] == claimed


def test_a_system_s_own_policy_holds_whatever_its_request_says(desk: Desk) -> None:
    desk.policies[NHI] = "password+palm_vein"
    viewer = desk.viewer(KEY)
    detour = desk.authorize(viewer, acr_values="pwd")
    assert (detour.to, detour.acr) == ("step_up", Acr.BIOMETRIC)
    assert brought(desk.authorize(viewer, acr_values="pwd", prompt="none"))["error"] == "interaction_required"
    fingerprint = desk.viewer({"password", "fingerprint"})
    detour = desk.authorize(fingerprint)
    assert detour.acr is Acr.BIOMETRIC
    assert brought(desk.authorize(fingerprint, since=detour.since))["error"] == "unmet_authentication_requirements"
    assert "code" in brought(desk.authorize(desk.viewer(PALM)))


@pytest.mark.parametrize("again", [{"prompt": "login"}, {"max_age": "0"}])
def test_a_new_sign_in_is_one_after_the_request(desk: Desk, again: dict[str, str]) -> None:
    viewer = desk.viewer()
    desk.forward(seconds=1)
    detour = desk.authorize(viewer, **again)
    assert (detour.to, detour.acr) == ("step_up", Acr.OTP)
    told = brought(desk.authorize(viewer, since=detour.since, **again))
    assert told["error"] == "unmet_authentication_requirements"
    desk.forward(seconds=30)
    assert "code" in brought(desk.authorize(desk.viewer(), since=detour.since, **again))
    nobody = desk.authorize(None, **again)
    assert nobody.to == "sign_in"
    assert desk.authorize(viewer, since=nobody.since, **again).to == "step_up"
    assert "code" in brought(desk.authorize(desk.viewer(), since=nobody.since, **again))


def test_an_old_sign_in_is_renewed_where_the_request_or_the_system_says_so(desk: Desk) -> None:
    viewer = desk.viewer()
    desk.forward(minutes=5)
    assert "code" in brought(desk.authorize(viewer, max_age="300"))
    desk.forward(seconds=2)
    assert desk.authorize(viewer, max_age="300").to == "step_up"
    assert brought(desk.authorize(viewer, max_age="300", prompt="none"))["error"] == "login_required"
    assert "code" in brought(desk.authorize(viewer))
    desk.sso.register(System(source=NHI, redirect_uris=(BACK,), max_age=timedelta(minutes=1)), by="uid 1")
    assert desk.authorize(viewer).to == "step_up"
    assert "code" in brought(desk.authorize(viewer, max_age="3600"))


def test_s23_a_seal_is_good_for_its_own_request_and_a_while_only(desk: Desk) -> None:
    viewer = desk.viewer()
    desk.forward(seconds=1)
    detour = desk.authorize(viewer, prompt="login")
    fresh = desk.viewer()
    other = desk.authorize(fresh, prompt="login", state="state-2", since=detour.since)
    assert isinstance(other, Detour), "it belongs to another request"
    flipped = ("A" if detour.since[20] != "A" else "B").join((detour.since[:20], detour.since[21:]))
    for broken in (flipped, "x", "=", "発", "A" * 5000, ""):
        assert isinstance(desk.authorize(fresh, prompt="login", since=broken), Detour)
    desk.forward(minutes=11)
    assert isinstance(desk.authorize(desk.viewer(), prompt="login", since=detour.since), Detour), "too old"


def test_nobody_is_authorized_while_the_log_is_full(desk: Desk) -> None:
    viewer = desk.viewer()
    desk.ledger.full = True
    for other in ({}, {"prompt": "consent"}, {"acr_values": "bio"}):
        with pytest.raises(StoreUnavailableError):
            desk.authorize(viewer, **other)
    desk.ledger.full = False
    assert desk.ledger.docs == []


def test_a_system_that_is_removed_or_whose_credential_is_over_is_unknown(desk: Desk) -> None:
    viewer = desk.viewer()
    desk.machines.revoke(NHI, desk.client_id)
    assert isinstance(desk.authorize(viewer), Refusal)
    new = desk.machines.register(NHI).client_id
    assert isinstance(desk.authorize(viewer, client_id=new), Reply)
    desk.sso.remove(NHI, by="uid 1")
    assert isinstance(desk.authorize(viewer, client_id=new), Refusal)


def test_silence_is_kept_however_it_is_written(desk: Desk) -> None:
    assert brought(desk.authorize(None, prompt="none "))["error"] == "login_required"


def test_what_no_database_keeps_is_refused(desk: Desk) -> None:
    assert brought(desk.authorize(desk.viewer(), nonce="a\x00b"))["error"] == "invalid_request"


def test_E9_what_an_envelope_opened_signs_in_to_its_own_system_alone(desk: Desk) -> None:
    viewer = desk.viewer()
    assert "code" in brought(desk.authorize(replace(viewer, limited_to=NHI, seal=VIEWER_SEAL)))
    elsewhere = desk.authorize(replace(viewer, limited_to="tax", seal=VIEWER_SEAL))
    assert brought(elsewhere)["error"] == "access_denied"
