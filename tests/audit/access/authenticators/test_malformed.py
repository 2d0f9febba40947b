"""S18: nothing that arrives makes the reader raise anything but its own refusal, and none takes long."""

import json
import time
from contextlib import suppress
from typing import Any

import cbor2
import pytest
from authenticator import Bent, SoftAuthenticator, b64, unb64
from hypothesis import given, settings
from hypothesis import strategies as st
from key_desk import BOUND, HERE, Desk

from audit.access.authenticators import AssertionRefusedError, Purpose, RegistrationRefusedError, RelyingParty
from audit.access.authenticators.ceremonies import (
    MAX_RESPONSE,
    CeremonyError,
    read_assertion,
    read_registration,
    verify_assertion,
    verify_registration,
)

PARTY = RelyingParty.of("http://localhost:8000")
CREATION = {"user": {"id": b64(b"a" * 32)}, "challenge": b64(b"c" * 32), "rp": {"id": "localhost"}}
REQUEST = {"challenge": b64(b"c" * 32), "rpId": "localhost"}
KEY = SoftAuthenticator(attestation="self")
ENROLMENT, PROOF = KEY.create(CREATION), KEY.get(REQUEST)
PUBLIC_KEY = verify_registration(read_registration(ENROLMENT), PARTY).public_key
assert verify_assertion(read_assertion(PROOF), PARTY, PUBLIC_KEY) == 1

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
CBOR_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.binary(max_size=40) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | st.integers(), inner, max_size=3),
    max_leaves=6,
)


def judge(response: Any) -> None:
    """Read and verify by both ceremonies; only the refusal may come out, and in time."""
    began = time.process_time()
    for step in (
        lambda: verify_registration(read_registration(response), PARTY),
        lambda: verify_assertion(read_assertion(response), PARTY, PUBLIC_KEY),
    ):
        with suppress(CeremonyError):
            step()
    assert time.process_time() - began < 5  # a few milliseconds; without the limits on size and depth, minutes


def bent(original: str, *path: str, value: Any) -> str:
    document = json.loads(original)
    place = document
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return json.dumps(document)


@settings(deadline=None, max_examples=100)
@given(st.text() | JSON_VALUES.map(json.dumps) | JSON_VALUES | st.binary())
def test_S18_anything_at_all_is_refused(response: Any) -> None:
    judge(response)


@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from([ENROLMENT, PROOF]),
    st.sampled_from(
        [("id",), ("rawId",), ("type",), ("response",)]
        + [("response", name) for name in ("clientDataJSON", "attestationObject", "authenticatorData", "signature")]
        + [("response", "userHandle"), ("response", "transports"), ("authenticatorAttachment",)]
    ),
    JSON_VALUES | st.binary(max_size=200).map(b64),
)
def test_S18_any_field_of_any_kind_is_read_or_refused(original: str, path: tuple[str, ...], value: Any) -> None:
    judge(bent(original, *path, value=value))


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(["attestationObject", "authenticatorData", "clientDataJSON", "signature"]), st.data())
def test_S18_any_byte_may_be_wrong(field: str, data: st.DataObject) -> None:
    original = ENROLMENT if field == "attestationObject" else PROOF
    raw = bytearray(unb64(json.loads(original)["response"][field]))
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(raw)))
    judge(bent(original, "response", field, value=b64(bytes(raw[:cut]))))
    judge(bent(original, "response", field, value=b64(bytes(raw))))


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(["fmt", "attStmt", "authData", "more"]), CBOR_VALUES)
def test_S18_any_cbor_may_stand_in_an_attestation(name: str, value: Any) -> None:
    document = cbor2.loads(unb64(json.loads(ENROLMENT)["response"]["attestationObject"]))
    judge(bent(ENROLMENT, "response", "attestationObject", value=b64(cbor2.dumps(document | {name: value}))))


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(["fmt", "alg", "sig", "x5c", "ver", "certInfo", "pubArea", "response"]), CBOR_VALUES, st.data())
def test_S18_any_cbor_may_stand_in_a_statement(name: str, value: Any, data: st.DataObject) -> None:
    fmt = data.draw(st.sampled_from(["packed", "tpm", "android-key", "android-safetynet", "apple", "fido-u2f", "none"]))
    document = cbor2.loads(unb64(json.loads(ENROLMENT)["response"]["attestationObject"]))
    document |= {"fmt": fmt, "attStmt": document["attStmt"] | {name: value}}
    judge(bent(ENROLMENT, "response", "attestationObject", value=b64(cbor2.dumps(document))))


BODIES = {
    "deep arrays": b"\x81" * 40_000 + b"\x00",
    "deep maps": b"\xa1\x00" * 20_000 + b"\x00",
    "deep tags": b"\xc1" * 40_000 + b"\x00",
    "indefinite array": b"\x9f" + b"\x9f" * 300,
    "a length beyond all memory": b"\x5b" + b"\xff" * 8,
    "an array beyond all memory": b"\x9b\x00\x00\x00\xff\xff\xff\xff\xff",
    "a decimal of a huge exponent": b"\xc4\x82\x1b\x7f\xff\xff\xff\xff\xff\xff\xff\x01",
    "a regular expression": b"\xd8\x23\x6c(a+)+(a+)+$aa",
    "shared references": b"\xd8\x1c\x81\xd8\x1d\x00",
    "nothing": b"",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_S18_hostile_cbor_is_malformed(body: bytes) -> None:
    for response in (
        bent(ENROLMENT, "response", "attestationObject", value=b64(body)),
        KEY.create(CREATION, Bent(statement=lambda _: {}, document=lambda raw: raw[:-1] + body)),
    ):
        with pytest.raises(CeremonyError) as error:
            read_registration(response)
        assert error.value.reason in {"malformed", "too_large"}


def _indefinite(raw: bytes) -> bytes:
    assert raw[0] == 0xA3  # a map of three
    return b"\xbf" + raw[1:] + b"\xff"


def _long_length(raw: bytes) -> bytes:
    return b"\xb8\x03" + raw[1:]


def _twice(raw: bytes) -> bytes:
    return b"\xa4" + raw[1:] + cbor2.dumps("fmt") + cbor2.dumps("packed")


@pytest.mark.parametrize("change", [_indefinite, _long_length, _twice, lambda raw: raw + b"\x00", lambda raw: raw * 2])
def test_S18_cbor_has_one_form(change: Any) -> None:
    with pytest.raises(CeremonyError, match="malformed"):
        read_registration(KEY.create(CREATION, Bent(document=change)))


def test_S18_a_key_that_the_library_would_repair_is_malformed() -> None:
    written = bytes.fromhex("a301634f4b500327206745643235353139") + b"\x21\x58\x20" + b"k" * 32  # says 3 of 4 entries
    data = b"h" * 32 + b"\x45" + bytes(4) + bytes(16) + b"\x00\x01i" + written
    body = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
    response = json.dumps(json.loads(ENROLMENT) | {"id": b64(b"i"), "rawId": b64(b"i")})
    with pytest.raises(CeremonyError, match="malformed"):
        read_registration(bent(response, "response", "attestationObject", value=b64(body)))


@pytest.mark.parametrize("depth", [500, 60_000])
def test_S18_deep_json_is_malformed(depth: int) -> None:
    client = b64(b'{"a":' * min(depth, 1500) + b"1" + b"}" * min(depth, 1500))
    for response in ("[" * depth, bent(PROOF, "response", "clientDataJSON", value=client)):
        for read in (read_assertion, read_registration):
            with pytest.raises(CeremonyError):
                read(response)


def test_S18_ten_megabytes_are_not_read(desk: Desk) -> None:
    account = desk.user()
    huge = bent(PROOF, "response", "signature", value="A" * (10 << 20))
    for read in (read_assertion, read_registration):
        with pytest.raises(CeremonyError, match="too_large"):
            read(huge)
    with pytest.raises(CeremonyError, match="too_large"):
        read_assertion("x" * (MAX_RESPONSE + 1))
    with pytest.raises(AssertionRefusedError) as refusal:
        desk.service.finish_assertion(Purpose.UNLOCK, huge, bound_to=BOUND, account_id=account, by=HERE)
    assert refusal.value.reason == "too_large"
    with pytest.raises(RegistrationRefusedError):
        desk.service.finish_registration(account, huge, name="鍵", bound_to=BOUND, by=HERE)
    assert "AAAA" not in json.dumps(desk.ledger.docs)


def test_S18_a_client_data_in_another_encoding_is_malformed() -> None:
    said = json.dumps({"type": "webauthn.get", "challenge": b64(b"c" * 32), "origin": "http://localhost:8000"})
    for raw in (said.encode("utf-16"), said.encode("utf-8-sig"), b"\xff" + said.encode()):
        with pytest.raises(CeremonyError, match="malformed"):
            read_assertion(bent(PROOF, "response", "clientDataJSON", value=b64(raw)))
