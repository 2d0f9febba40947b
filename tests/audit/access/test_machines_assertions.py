"""Client assertions: what proves a client, and everything that looks like it (S24)."""

import base64
import json
import os
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import OctKey, OKPKey

from audit.access import SecretBox
from audit.access.machines import ClientRefusedError, MachineRules, MachineService
from audit.access.machines.assertions import _REGISTRY as HS256
from audit.access.machines.assertions import BadAssertionError, check_assertion, read_assertion
from audit.access.machines.signatures import _REGISTRY as ED25519
from audit.access.machines.signatures import digest_of, read_signature, verifies

sys.path.insert(0, str(Path(__file__).parents[2] / "doubles"))

from oauth_client import OAuthClient, b64, compact

if TYPE_CHECKING:
    from sign_in_town import Town

HERE = "10.3.1.31"
ISSUER = "https://mimamori.example.lg.jp"
RULES = MachineRules(issuer=ISSUER)
SHARED = Path(os.environ.get("MIMAMORI_SHARED") or Path(__file__).parents[4] / "shared")


@dataclass
class Desk:
    """A service, one client, and what it refuses."""

    town: "Town"
    machines: MachineService
    client: OAuthClient

    def prove(self, assertion: str, **more: Any) -> str:
        """Why an assertion is refused; empty when it is taken."""
        try:
            proved = self.machines.client_by_assertion(assertion, address=HERE, **more)
        except ClientRefusedError as error:
            return error.reason if str(error) == "Client authentication failed." else f"tells: {error}"
        assert (proved.client_id, proved.source) == (self.client.client_id, "nhi-eligibility")
        return ""

    def with_claims(self, **other: Any) -> str:
        return self.prove(self.client.assertion(self.town.clock.now(), **other))

    def with_header(self, header: Any) -> str:
        return self.prove(self.client.assertion(self.town.clock.now(), header))

    @property
    def at(self) -> int:
        return int(self.town.clock.now().timestamp())


@pytest.fixture
def desk(town: "Town") -> Iterator[Desk]:
    machines = MachineService(town.store, town.clock, town.ledger, SecretBox(bytes(range(32))), RULES)
    made = machines.register("nhi-eligibility")
    yield Desk(town, machines, OAuthClient(made.client_id, made.client_secret, ISSUER))
    assert made.client_secret not in repr(town.ledger.docs)


def test_a_fresh_assertion_is_taken(desk: Desk) -> None:
    now = desk.town.clock.now()
    assert desk.prove(desk.client.assertion(now), claimed=desk.client.client_id) == ""
    for audience in (ISSUER, f"{ISSUER}/oauth2/token", [ISSUER]):
        assert desk.with_claims(aud=audience) == ""
    for header in ({"alg": "HS256"}, {"alg": "HS256", "typ": "client-authentication+jwt", "kid": "1"}):
        assert desk.with_header(header) == ""


HEADERS: dict[str, Any] = {
    "none": {"alg": "none"},
    "None": {"alg": "None"},
    "nothing": {"typ": "JWT"},
    "another hash": {"alg": "HS512"},
    "RSA": {"alg": "RS256"},
    "PSS": {"alg": "PS256"},
    "a curve": {"alg": "ES256"},
    "Ed25519": {"alg": "EdDSA"},
    "small letters": {"alg": "hs256"},
    "null": {"alg": None},
    "a number": {"alg": 256},
    "a list": {"alg": ["HS256"]},
    "an object": {"alg": {"a": 1}},
    "encryption": {"alg": "dir", "enc": "A256GCM"},
    "kid as a path": {"alg": "none", "kid": "../../../../dev/null"},
    "kid as SQL": {"alg": "none", "kid": "x' UNION SELECT 'key"},
    "kid as a number": {"alg": "HS256", "kid": 1},
    "jku": {"alg": "HS256", "jku": "https://evil.example/keys"},
    "x5u": {"alg": "HS256", "x5u": "https://evil.example/cert"},
    "jwk": {"alg": "HS256", "jwk": {"kty": "oct", "k": "AAAA"}},
    "x5c": {"alg": "HS256", "x5c": ["AAAA"]},
    "critical": {"alg": "HS256", "crit": ["exp"], "exp": 1},
    "not encoded": {"alg": "HS256", "b64": False, "crit": ["b64"]},
    "packed": {"alg": "HS256", "zip": "DEF"},
    "an access token": {"alg": "HS256", "typ": "at+jwt"},
    "type as a list": {"alg": "HS256", "typ": ["JWT"]},
    "an array": ["alg"],
    "a text": "alg",
    "a number alone": 7,
    "null alone": b"null",
    "no JSON": b"{",
    "no UTF-8": b'{"alg":"HS256\xff"}',
    "deep": b'{"alg":' + b"[" * 400 + b"]" * 400 + b"}",
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS.keys())
def test_s24_a_header_that_is_not_ours_is_refused(desk: Desk, header: Any) -> None:
    """The HMAC is right in every one: it is the header that must not be followed."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert desk.with_header(header) in {"assertion_unreadable", "header_not_allowed", "algorithm_not_allowed"}


def test_s24_none_without_a_signature_is_refused(desk: Desk) -> None:
    claims = json.dumps(desk.client.claims(desk.town.clock.now())).encode()
    for algorithm in ("none", "NONE", "nOnE", "", "HS256"):
        head = b64(json.dumps({"alg": algorithm}).encode())
        assert desk.prove(f"{head}.{b64(claims)}.") in {"algorithm_not_allowed", "signature_wrong"}


def test_s24_no_public_key_serves_as_secret(desk: Desk) -> None:
    """HS/RS confusion: signed with something public, the client's own id among it."""
    public = generate_private_key(65537, 2048).public_key()
    keys = [public.public_bytes(form, PublicFormat.SubjectPublicKeyInfo) for form in (Encoding.PEM, Encoding.DER)]
    claims = json.dumps(desk.client.claims(desk.town.clock.now())).encode()
    for key in (*keys, desk.client.client_id.encode(), b"", b"x" * 43):
        assert desk.prove(compact({"alg": "HS256"}, claims, key)) == "signature_wrong"


def test_s24_every_claim_counts(desk: Desk) -> None:
    other, at = "a" * 32, desk.at
    wrong = {
        "claim_sub": [{"sub": other}, {"sub": None}, {"sub": 7}, {"sub": [desk.client.client_id, other]}],
        "claim_iss": [{"iss": None}, {"iss": "joe"}, {"iss": 7}, {"iss": [other]}, {"iss": "発" * 32}, {"iss": ""}],
        "claim_aud": [
            {"aud": None},
            {"aud": "https://evil.example"},
            {"aud": ISSUER + "/"},
            {"aud": ISSUER.upper()},
            {"aud": [ISSUER, "https://evil.example"]},
            {"aud": []},
            {"aud": {ISSUER: 1}},
            {"aud": ""},
        ],
        "claim_exp": [
            {"exp": None},
            {"exp": at - 60},
            {"exp": 0},
            {"exp": -1},
            {"exp": str(at + 60)},
            {"exp": True},
            {"exp": [at + 60]},
        ],
        "claim_exp_far": [{"exp": at + 661}, {"exp": 10**18}, {"exp": 1e300}, {"iat": at - 661}, {"iat": 0}],
        "claim_iat": [{"iat": None}, {"iat": at + 61}, {"iat": "x"}, {"iat": False}],
        "claim_nbf": [{"nbf": at + 61}, {"nbf": "now"}, {"nbf": True}],
        "claim_jti": [{"jti": None}, {"jti": ""}, {"jti": 7}, {"jti": "j" * 257}, {"jti": ["a"]}],
        "client_unknown": [{"iss": other, "sub": other}],
    }
    for reason, cases in wrong.items():
        for case in cases:
            expected = "signature_wrong" if reason == "client_unknown" else reason
            assert desk.with_claims(**case) == expected, case


def test_s24_a_clock_may_be_a_minute_off_and_no_more(desk: Desk) -> None:
    at = desk.at
    for right in ({"exp": at - 59}, {"iat": at + 60, "exp": at + 660}, {"nbf": at + 60}, {"exp": at + 0.5}):
        assert desk.with_claims(**right) == "", right
    for wrong in ({"exp": at - 60}, {"iat": at + 61}, {"nbf": at + 61}):
        assert desk.with_claims(**wrong) != "", wrong


def test_s24_an_assertion_is_good_once(desk: Desk) -> None:
    assertion = desk.client.assertion(desk.town.clock.now())
    assert desk.prove(assertion) == ""
    assert desk.prove(assertion) == "assertion_replayed"
    assert desk.with_claims(jti="one") == ""
    assert desk.with_claims(jti="one", exp=desk.at + 100) == "assertion_replayed"
    desk.town.forward(minutes=9)
    assert desk.with_claims(jti="one") == "assertion_replayed"
    desk.town.forward(hours=2)
    assert desk.prove(assertion) == "claim_exp"


def test_s24_a_clock_set_back_revives_no_assertion(desk: Desk) -> None:
    assertion = desk.client.assertion(desk.town.clock.now())
    assert desk.prove(assertion) == ""
    desk.town.forward(minutes=30)
    assert desk.with_claims() == ""  # old ones are forgotten here
    desk.town.forward(minutes=-30)
    assert desk.prove(assertion) == "assertion_replayed"


def test_the_same_id_from_two_clients_is_no_replay(desk: Desk) -> None:
    made = desk.machines.register("resident-tax")
    other = OAuthClient(made.client_id, made.client_secret, ISSUER)
    assert desk.with_claims(jti="one") == ""
    proved = desk.machines.client_by_assertion(other.assertion(desk.town.clock.now(), jti="one"), address=HERE)
    assert proved.source == "resident-tax"


def test_one_client_cannot_speak_for_another(desk: Desk) -> None:
    made = desk.machines.register("resident-tax")
    forged = OAuthClient(desk.client.client_id, made.client_secret, ISSUER)
    assert desk.prove(forged.assertion(desk.town.clock.now())) == "signature_wrong"
    right = desk.client.assertion(desk.town.clock.now())
    assert desk.prove(right, claimed=made.client_id) == "client_id_differs"


def test_texts_that_are_no_assertion(desk: Desk) -> None:
    good = desk.client.assertion(desk.town.clock.now())
    head, body, tail = good.split(".")
    twice = b'{"iss":"%s","iss":"%s"}' % ((desk.client.client_id.encode(),) * 2)
    not_a_number = b'{"iss":"%s","exp":NaN}' % desk.client.client_id.encode()
    unreadable = ["", ".", "..", "...", "a.b.c", f"{head}.{body}", f"{good}.x", f"{head}..{tail}", "発" * 100,
                  f"{head}.{b64(b'[]')}.{tail}", f"{head}.{b64(twice)}.{tail}", f"{head}.{b64(not_a_number)}.{tail}",
                  f"{head}.{b64(b'[' * 3000)}.{tail}", f"{'A' * 2000}.{body}.{tail}", good.encode().hex()]  # fmt: skip
    for text in unreadable:
        assert desk.prove(text) in {"assertion_unreadable", "claims_unreadable"}, text
    assert desk.prove(f"{head}.{body}.{tail[:-4]}") == "signature_wrong"
    assert desk.prove(f"{head}.{body}.") == "signature_wrong"


def test_an_assertion_has_at_most_8_kib(desk: Desk) -> None:
    room = 8192 - len(desk.client.assertion(desk.town.clock.now(), more=""))
    long = "x" * (room * 3 // 4 - 8)
    assert desk.with_claims(more=long) == ""
    assert desk.with_claims(more=long * 2) == "assertion_too_long"
    assert desk.prove("A" * 10_000_000) == "assertion_too_long"


@given(st.text(max_size=300) | st.binary(max_size=300).map(b64))
def test_reading_raises_its_own_error_only(text: str) -> None:
    for shape in ("{}", "{}.{}.{}", "eyJhbGciOiJIUzI1NiJ9.{}.{}"):
        with pytest.raises(BadAssertionError):
            read_assertion(shape.format(text, text, text))
    read_signature(f"{text}..{text}", text)
    digest_of(text)


_VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
_CLAIMS = st.sampled_from(["sub", "aud", "exp", "iat", "nbf", "jti", "x"])


@given(st.dictionaries(_CLAIMS, _VALUES | st.lists(_VALUES, max_size=3), max_size=7))
def test_checking_raises_its_own_error_only(claims: dict[str, Any]) -> None:
    secret, now = "s" * 43, datetime(2026, 10, 5, tzinfo=UTC)
    client = OAuthClient("c" * 32, secret, ISSUER)
    payload = json.dumps({"iss": client.client_id} | claims).encode()
    read = read_assertion(compact({"alg": "HS256"}, payload, secret.encode()))
    try:
        check_assertion(read, secret, RULES, now)
    except BadAssertionError:
        return
    assert client.claims(now).keys() <= read.claims.keys()


# Vectors of others


def test_rfc_7515_a1_hs256() -> None:
    key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
    token = (
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
        "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    )
    secret = OctKey.import_key(base64.urlsafe_b64decode(key + "=="))
    assert jws.validate_compact(jws.extract_compact(token.encode(), registry=HS256), secret, registry=HS256)
    broken = token.replace(".dB", ".dA")
    assert not jws.validate_compact(jws.extract_compact(broken.encode(), registry=HS256), secret, registry=HS256)


def test_rfc_8037_a4_ed25519() -> None:
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    token = (
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijc"
        "NR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    )
    key = OKPKey.import_key(jwk)
    pem = key.as_pem(private=False).decode()
    assert key.thumbprint() == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"  # A.3
    assert verifies(jws.extract_compact(token.encode(), registry=ED25519), pem)
    head, _, tail = token.split(".")
    detached = jws.extract_compact(f"{head}..{tail}".encode(), b"Example of Ed25519 signing", ED25519)
    assert verifies(detached, pem)
    assert not verifies(jws.extract_compact(f"{head}..{tail}".encode(), b"Another example", ED25519), pem)


@pytest.mark.shared
def test_wycheproof_ed25519() -> None:
    path = SHARED / "data" / "vectors" / "wycheproof" / "ed25519_test.json"
    if not path.exists():
        pytest.skip(f"{path} is not here: the third-party vectors stand beside the project")
    algorithm, counted = ED25519.get_alg("Ed25519"), 0
    for group in json.loads(path.read_text())["testGroups"]:
        key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": b64(bytes.fromhex(group["publicKey"]["pk"]))})
        for case in group["tests"]:
            message, signature = bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"])
            assert algorithm.verify(message, signature, key) == (case["result"] == "valid"), case["tcId"]
            counted += 1
    assert counted > 100
