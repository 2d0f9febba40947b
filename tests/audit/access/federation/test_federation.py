"""There and back: what a verifier proves, and everything it does not."""

import base64
import json
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlsplit

import pytest
from joserfc.jwk import ECKey, RSAKey
from product import CLIENT, HERE, NAME, SECRET, Gate, by_hand, signed

from audit.access.federation import VerificationRefusedError
from audit.access.strength import Acr

OTHER = ECKey.generate_key("P-256", {"kid": "one", "use": "sig"})
RSA = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})


def refused(gate: Gate, reason: str, **other: str | None) -> None:
    with pytest.raises(VerificationRefusedError) as caught:
        gate.finish(gate.begin(), **other)
    assert caught.value.reason == reason
    assert reason in gate.reasons()
    assert {doc["outcome"] for doc in gate.ledger.docs} == {"failure"}


def test_a_palm_proves_who_by_what_and_when(gate: Gate) -> None:
    begun = gate.begin(begun_for="session-1")
    asked = parse_qs(urlsplit(begun.url).query)
    assert {name: asked[name] for name in ("response_type", "client_id", "scope", "prompt", "max_age")} == {
        "response_type": ["code"], "client_id": [CLIENT], "scope": ["openid"], "prompt": ["login"], "max_age": ["300"],
    }  # fmt: skip
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == ["https://mimamori.example.lg.jp/verify/palm/callback"]
    found = gate.finish(begun)
    assert (found.login_id, found.factors, found.authenticator) == ("s0412", {"palm_vein"}, "oidc:palm")
    assert found.at == gate.clock.now().replace(microsecond=0) - timedelta(seconds=5)
    assert (found.begun_for, found.place) == ("session-1", "/alerts")
    assert (found.proof.acr, found.proof.user_verified) == (Acr.BIOMETRIC, True)
    ((_, form, authorization),) = [each for each in gate.product.asked if each[0] == "/token"]
    name, _, password = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
    assert (unquote_plus(name), unquote_plus(password)) == (CLIENT, SECRET)
    assert "client_secret" not in form
    assert gate.ledger.docs == []


def test_only_words_that_are_mapped_prove_a_factor(gate: Gate) -> None:
    gate.product.wrong = {"amr": None, "acr": "urn:card"}
    assert gate.finish(gate.begin()).factors == {"ic_card", "pin"}
    gate.product.wrong = {"amr": ["vein", 7, None], "acr": "urn:card"}
    assert gate.finish(gate.begin()).factors == {"ic_card", "palm_vein", "pin"}
    for amr in (None, [], ["palm_vein"], ["unknown"], "vein", {"vein": 1}, 7):
        gate.product.wrong = {"amr": amr}
        refused(gate, "no_factor")
    gate.product.wrong = {"amr": ["card"]}
    refused(gate, "too_weak")


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("claim_iss", {"iss": "http://127.0.0.1:1"}),
    ("claim_iss", {"iss": None}),
    ("claim_aud", {"aud": "another"}),
    ("claim_aud", {"aud": [CLIENT, "another"]}),
    ("claim_aud", {"aud": None}),
    ("claim_azp", {"azp": "another"}),
    ("claim_nonce", {"nonce": "another"}),
    ("claim_nonce", {"nonce": None}),
    ("claim_nonce", {"nonce": 7}),
    ("claim_auth_time", {"auth_time": None}),
    ("claim_auth_time", {"auth_time": True}),
    ("claim_auth_time", {"auth_time": "1791072005"}),
    ("claim_auth_time", {"auth_time": 1e12}),
    ("claim_auth_time", {"auth_time": -1}),
    ("auth_time", {"auth_time": 1_000_000}),
    ("claim_exp", {"exp": None}),
    ("claim_exp", {"exp": 1}),
    ("claim_exp", {"exp": True}),
    ("claim_exp_far", {"exp": 99_999_999_999}),
    ("claim_iat", {"iat": 99_999_999_999}),
    ("claim_exp_far", {"iat": 1}),
    ("claim_nbf", {"nbf": 99_999_999_999}),
    ("claim_sub", {"sub": None}),
    ("claim_sub", {"sub": 412}),
]


def test_s24_an_id_token_that_is_not_quite_right_proves_nothing(gate: Gate) -> None:
    for reason, wrong in WRONG:
        gate.product.wrong = wrong
        refused(gate, reason)


def test_s24_clocks_may_differ_by_a_minute(gate: Gate) -> None:
    now = int(gate.clock.now().timestamp())
    gate.product.wrong = {"exp": now - 59, "iat": now + 60, "auth_time": now + 60}
    assert gate.finish(gate.begin()).at == gate.clock.now(), "nothing is proved in the future"
    for reason, claims in {
        "claim_exp": {"exp": now - 60},
        "claim_iat": {"iat": now + 61},
        "claim_auth_time": {"auth_time": now + 61},
        "auth_time": {"auth_time": now - 361},
    }.items():
        gate.product.wrong = claims
        refused(gate, reason)


def test_s24_the_algorithm_and_the_key_are_ours_to_name(gate: Gate) -> None:
    product = gate.product
    pem = product.key.as_pem(private=False)
    point = product.key.as_dict(private=False)
    jwk = json.dumps(product.key.as_dict(private=False)).encode()
    tokens = {
        "none": lambda claims: by_hand({"alg": "none"}, claims, None),
        "None": lambda claims: by_hand({"alg": "None", "kid": "one"}, claims, None),
        "no algorithm": lambda claims: by_hand({"kid": "one"}, claims, None),
        "the public key as a secret, PEM": lambda claims: by_hand({"alg": "HS256", "kid": "one"}, claims, pem),
        "the public key as a secret, JWK": lambda claims: by_hand({"alg": "HS256", "kid": "one"}, claims, jwk),
        "the client's secret": lambda claims: by_hand({"alg": "HS256", "kid": "one"}, claims, SECRET.encode()),
        "the published shared key": lambda claims: by_hand({"alg": "HS256", "kid": "shared"}, claims, b"\0\0\0"),
        "HMAC called ES256": lambda claims: by_hand({"alg": "ES256", "kid": "one"}, claims, pem),
        "another key": lambda claims: signed(claims, OTHER),
        "another kind of key": lambda claims: signed(claims, RSA, "RS256"),
        "an unknown key": lambda claims: signed(claims, product.key, kid="two"),
        "a path": lambda claims: signed(claims, product.key, kid="../../../../dev/null"),
        "a key that is no name": lambda claims: by_hand({"alg": "ES256", "kid": ["one"]}, claims, None),
        "jku": lambda claims: signed(claims, OTHER, jku="https://evil.example/jwks"),
        "x5u": lambda claims: signed(claims, OTHER, x5u="https://evil.example/x.pem"),
        "jwk": lambda claims: signed(claims, OTHER, jwk=OTHER.as_dict(private=False)),
        "jwk, rightly signed": lambda claims: signed(claims, product.key, jwk=point),
        "an access token": lambda claims: signed(claims, product.key, typ="at+jwt"),
        "no signature": lambda claims: signed(claims, product.key).rpartition(".")[0] + ".",
        "a signature of zeros": lambda claims: signed(claims, product.key).rpartition(".")[0] + "." + "A" * 86,
        "another's claims": lambda claims: changed(signed(claims, product.key)),
        "claims that are a list": lambda _: signed(b"[]", product.key),
        "a name twice": lambda claims: signed(twice(claims), product.key),
        "NaN": lambda claims: signed(json.dumps(claims | {"exp": float("nan")}).encode(), product.key),
        "not text": lambda _: 7,
        "no token": lambda _: None,
        "empty": lambda _: "",
        "huge": lambda _: "a" * 100_000,
        "other letters": lambda claims: "発" + signed(claims, product.key),
        "JWE": lambda _: "a.b.c.d.e",
    }
    taken = {}
    for name, token in tokens.items():
        product.token = token
        with suppress(VerificationRefusedError):
            taken[name] = gate.finish(gate.begin())
    assert taken == {}
    assert gate.reasons() <= {
        "algorithm_not_allowed", "claims_unreadable", "header_not_allowed", "key_unknown", "no_id_token",
        "signature_wrong", "token_too_long", "token_unreadable",
    }  # fmt: skip
    product.token = lambda claims: signed(claims, product.key, typ="JWT")
    assert gate.finish(gate.begin()).login_id == "s0412"


def changed(token: str) -> str:
    head, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    other = base64.urlsafe_b64encode(json.dumps(claims | {"sub": "s0413"}).encode()).rstrip(b"=").decode()
    return f"{head}.{other}.{signature}"


def twice(claims: dict[str, Any]) -> bytes:
    return json.dumps(claims).replace("{", '{"sub": "s0413", ', 1).encode()


def test_s24_a_key_for_encryption_signs_nothing(gate: Gate) -> None:
    key = gate.product.key
    gate.product.key = ECKey.import_key(key.as_dict(private=True) | {"use": "enc"})
    gate.product.token = lambda claims: signed(claims, key)
    refused(gate, "key_for_other_use")


def test_rsa_is_taken_where_the_town_names_it(gate: Gate) -> None:
    gate.product.key = RSA  # type: ignore[assignment]
    gate.product.token = lambda claims: signed(claims, RSA, "RS256")
    refused(gate, "algorithm_not_allowed")
    gate.change(algorithms=("RS256",))
    assert gate.finish(gate.begin()).login_id == "s0412"


def test_pinned_keys_are_the_only_ones(gate: Gate) -> None:
    gate.change(keys={"keys": [OTHER.as_dict(private=False)]})
    refused(gate, "signature_wrong")
    gate.change(keys={"keys": [gate.product.key.as_dict(private=False)]})
    gate.product.asked.clear()
    assert gate.finish(gate.begin()).login_id == "s0412"
    assert "/jwks" not in {path for path, _, _ in gate.product.asked}


@pytest.mark.parametrize("sub", ["s9999x", "administrator", "S0412", "s０４１２", "s0412\n", "", "ｓ0412"])
def test_it_can_name_no_account_that_the_town_does_not_let_it(gate: Gate, sub: str) -> None:
    gate.product.wrong = {"sub": sub}
    refused(gate, "staff_id_not_allowed" if sub else "claim_sub")


def test_the_staff_id_stands_in_the_claim_that_the_town_names(gate: Gate) -> None:
    gate.change(claim="employee")
    refused(gate, "staff_id_not_allowed")
    gate.product.wrong = {"employee": "s0077"}
    assert gate.finish(gate.begin()).login_id == "s0077"


def test_an_answer_is_good_once(gate: Gate) -> None:
    begun = gate.begin()
    gate.finish(begun)
    with pytest.raises(VerificationRefusedError, match="start again") as caught:
        gate.finish(begun)
    assert caught.value.reason == "state_replayed"


def test_an_id_token_of_another_sign_in_is_refused(gate: Gate) -> None:
    kept: list[str] = []
    gate.product.token = lambda claims: kept.append(signed(claims, gate.product.key)) or kept[0]
    gate.finish(gate.begin())
    refused(gate, "claim_nonce")


def test_an_answer_belongs_to_the_browser_that_asked(gate: Gate) -> None:
    mine, theirs = gate.begin(), gate.begin()
    brought = gate.product.approve(theirs.url)
    for sealed, reason in (
        (mine.sealed, "state_differs"),
        ("", "not_begun_here"),
        ("x" * 5000, "not_begun_here"),
        ("発", "not_begun_here"),
        (theirs.sealed[:-2] + "AA", "not_begun_here"),
    ):
        with pytest.raises(VerificationRefusedError) as caught:
            gate.service.finish(NAME, brought, sealed, address="")
        assert caught.value.reason == reason
    for state in ("", "x", "発", "\ud800"):
        with pytest.raises(VerificationRefusedError):
            gate.service.finish(NAME, brought | {"state": state}, theirs.sealed, address="")
    assert gate.service.finish(NAME, brought, theirs.sealed, address="").login_id == "s0412"


def test_an_answer_comes_within_five_minutes(gate: Gate) -> None:
    for forward in (timedelta(minutes=5), -timedelta(minutes=1)):
        begun = gate.begin()
        gate.clock.advance(forward)
        with pytest.raises(VerificationRefusedError) as caught:
            gate.finish(begun)
        assert caught.value.reason == "too_late"


def test_one_verifier_does_not_answer_for_another(gate: Gate) -> None:
    """Mix-up: what was begun with one is finished by one alone, and the answer says whose it is."""
    gate.use(gate.verifier, other := replace(gate.verifier, name="card"))
    begun = gate.begin()
    with pytest.raises(VerificationRefusedError) as caught:
        gate.finish(begun, other.name)
    assert caught.value.reason == "not_begun_here"
    refused(gate, "iss_differs", iss="https://evil.example")
    refused(gate, "iss_missing", iss=None)
    refused(gate, "verifier_refused", error="access_denied")
    refused(gate, "no_code", code=None)
    with pytest.raises(VerificationRefusedError) as caught:
        gate.begin("none")
    assert caught.value.reason == "unknown_verifier"


def test_a_document_that_points_elsewhere_is_refused(gate: Gate) -> None:
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        for place in ("https://evil.example/x", "http://127.0.0.1:1/x", "", "http://[", "//x"):
            gate.product.metadata = {name: place}
            refused(gate, "discovery_elsewhere")
    gate.product.metadata = {"issuer": "https://evil.example"}
    refused(gate, "discovery_issuer")


def test_a_product_that_does_not_answer_or_refuses(gate: Gate) -> None:
    begun = gate.begin()
    gate.product.status = 400
    with pytest.raises(VerificationRefusedError) as caught:
        gate.finish(begun)
    assert caught.value.reason == "code_refused"
    gate.product.metadata = {"x": "y" * 300_000}
    refused(gate, "document_too_long")
    gate.change(issuer="http://127.0.0.1:1")
    refused(gate, "unreachable")
    assert "サーバーに接続できません" in VerificationRefusedError("unreachable").text("ja")


def test_what_the_browser_keeps_tells_nothing_and_no_secret_is_shown(gate: Gate) -> None:
    begun = gate.begin(begun_for="session-1")
    raw = base64.urlsafe_b64decode(begun.sealed + "==")
    asked = parse_qs(urlsplit(begun.url).query)
    for secret in (b"session-1", asked["state"][0].encode(), asked["nonce"][0].encode()):
        assert secret not in raw
    assert begun.sealed not in repr(begun)
    assert SECRET not in repr(gate.verifier)


def test_s24_a_published_key_that_is_odd_in_any_way_proves_nothing(gate: Gate) -> None:
    for name in ("use", "alg"):
        gate.change(keys={"keys": [gate.product.key.as_dict(private=False) | {name: []}]})
        with pytest.raises(VerificationRefusedError):
            gate.finish(gate.begin())
    assert gate.reasons() <= {"key_for_other_use", "keys_unreadable"}


def test_an_address_that_is_none_is_refused_like_one_that_does_not_answer(gate: Gate) -> None:
    for name in ("token_endpoint", "jwks_uri"):
        gate.product.metadata = {name: f"{gate.product.issuer}/\x00"}
        refused(gate, "unreachable")


def test_a_place_too_long_to_keep_is_none(gate: Gate) -> None:
    for place in ("/" + "x" * 2048, "/" + "\N{CJK UNIFIED IDEOGRAPH-753A}" * 1000):
        begun = gate.service.begin(NAME, place=place, address=HERE)
        assert gate.finish(begun).place == "/"
    begun = gate.service.begin(NAME, place="/" + "x" * 2047, address=HERE)
    assert len(begun.sealed) < 3800, "browsers keep 4096 bytes with the cookie's name and attributes"
    assert gate.finish(begun).place == "/" + "x" * 2047
