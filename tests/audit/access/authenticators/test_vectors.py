"""The 15 test vectors of Web Authentication Level 3, as the library judges them and as we do.

`w3c_vectors.json` names its source. The library's table says what an upgrade changes; ours says that user verification,
frames of other sites and unknown algorithms are refused whatever the library thinks of them.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from authenticator import b64
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import AttestationFormat

from audit.access.authenticators import Attested, Model, RelyingParty
from audit.access.authenticators.attestation import attested_by, leading
from audit.access.authenticators.ceremonies import (
    CeremonyError,
    read_assertion,
    read_registration,
    verify_assertion,
    verify_registration,
)

VECTORS = json.loads((Path(__file__).parent / "w3c_vectors.json").read_text())
BY_NAME = {vector["name"]: vector for vector in VECTORS["vectors"]}
PARTY = RelyingParty.of(VECTORS["origin"])
ROOT = x509.load_der_x509_certificate(bytes.fromhex(VECTORS["attestation_ca_cert"])).public_bytes(Encoding.PEM).decode()
AT = datetime(2026, 11, 21, tzinfo=UTC)

# What py_webauthn 3.0.1 says when neither user verification nor an algorithm is asked for: registration without the
# root, registration with it, and the assertion by the key that was registered.
LIBRARY = {
    "none-es256": (True, True, True),
    "packed-self-es256": (True, True, True),
    "none-es256-crossOrigin": (True, True, True),
    "none-es256-topOrigin": (True, True, True),
    "none-es256-long-credential-id": (True, True, True),
    "packed-es256": (True, True, True),
    "packed-es384": (False, False, None),
    "packed-es512": (True, True, True),
    "packed-rs256": (True, True, True),
    "packed-eddsa": (True, True, True),
    "packed-ed448": (False, False, None),
    "tpm-es256": (False, False, None),
    "android-key-es256": (False, False, None),
    "apple-es256": (False, True, True),
    "fido-u2f-es256": (False, False, None),
}

# What we say: registration, then assertion ("" is accepted). The vectors leave user verification to chance.
OURS = {
    "none-es256": ("user_not_verified", "user_not_verified"),
    "packed-self-es256": ("", "user_not_verified"),
    "none-es256-crossOrigin": ("cross_origin", "cross_origin"),
    "none-es256-topOrigin": ("cross_origin", "cross_origin"),
    "none-es256-long-credential-id": ("user_not_verified", ""),
    "packed-es256": ("", ""),
    "packed-es384": ("user_not_verified", None),
    "packed-es512": ("", "user_not_verified"),
    "packed-rs256": ("", "user_not_verified"),
    "packed-eddsa": ("user_not_verified", "user_not_verified"),
    "packed-ed448": ("user_not_verified", None),
    "tpm-es256": ("attestation", None),
    "android-key-es256": ("attestation", None),
    "apple-es256": ("user_not_verified", "user_not_verified"),
    "fido-u2f-es256": ("user_not_verified", None),
}


def reply(vector: dict[str, Any], part: str) -> str:
    fields = {name: b64(bytes.fromhex(value)) for name, value in vector[part].items() if name != "challenge"}
    identifier = b64(bytes.fromhex(vector["credential_id"]))
    return json.dumps({"id": identifier, "rawId": identifier, "type": "public-key", "response": fields})


def by_library(vector: dict[str, Any], *, with_root: bool) -> bytes | None:
    """The public key of a registration that the library accepts."""
    formats = [fmt for fmt in AttestationFormat if fmt is not AttestationFormat.NONE]
    try:
        return verify_registration_response(
            credential=reply(vector, "registration"),
            expected_challenge=bytes.fromhex(vector["registration"]["challenge"]),
            expected_rp_id=PARTY.id,
            expected_origin=list(PARTY.origins),
            supported_pub_key_algs=list(COSEAlgorithmIdentifier),
            pem_root_certs_bytes_by_fmt={fmt: [ROOT.encode()] for fmt in formats} if with_root else None,
        ).credential_public_key
    except WebAuthnException:
        return None


def word_of(judge: Any) -> str:
    try:
        judge()
    except CeremonyError as error:
        return error.reason
    return ""


def test_all_fifteen_vectors_are_here() -> None:
    assert len(VECTORS["vectors"]) == 15
    assert LIBRARY.keys() == OURS.keys() == BY_NAME.keys()
    assert "w3c/webauthn" in VECTORS["source"]


@pytest.mark.parametrize("name", LIBRARY)
def test_S10_the_library_judges_the_vectors_as_it_did(name: str) -> None:
    vector = BY_NAME[name]
    bare, rooted = by_library(vector, with_root=False), by_library(vector, with_root=True)
    asserted = None
    if rooted is not None:
        verify_authentication_response(
            credential=reply(vector, "authentication"),
            expected_challenge=bytes.fromhex(vector["authentication"]["challenge"]),
            expected_rp_id=PARTY.id,
            expected_origin=list(PARTY.origins),
            credential_public_key=rooted,
            credential_current_sign_count=0,
        )
        asserted = True
    assert (bare is not None, rooted is not None, asserted) == LIBRARY[name]


@pytest.mark.parametrize("name", OURS)
def test_S8_S9_S10_S11_we_judge_the_vectors_by_every_check(name: str) -> None:
    vector = BY_NAME[name]
    enrolled = read_registration(reply(vector, "registration"))
    registration = word_of(lambda: verify_registration(enrolled, PARTY, (ROOT,)))
    key = by_library(vector, with_root=True)
    assertion = None
    if key is not None:
        proof = read_assertion(reply(vector, "authentication"))
        assertion = word_of(lambda: verify_assertion(proof, PARTY, key))
    assert (registration, assertion) == OURS[name]


@pytest.mark.parametrize("host", ["https://example.com", "https://www.example.org", "https://example.org:8443"])
def test_S8_S9_a_vector_made_for_another_address_is_refused(host: str) -> None:
    vector = BY_NAME["packed-es256"]
    enrolled = read_registration(reply(vector, "registration"))
    assert word_of(lambda: verify_registration(enrolled, RelyingParty.of(host))) == "wrong_origin"
    odd = RelyingParty(id="www.example.org", origins=PARTY.origins)
    assert word_of(lambda: verify_registration(enrolled, odd)) == "wrong_rp"


@pytest.mark.parametrize("name", ["packed-es256", "packed-es512", "packed-rs256"])
def test_S15_the_vectors_attestation_leads_to_their_root_alone(name: str) -> None:
    enrolled = read_registration(reply(BY_NAME[name], "registration"))

    def vouched(*roots: str, at: datetime = AT) -> Attested | None:
        model = Model(aaguid=enrolled.aaguid, description="", modalities=frozenset(), always=False, roots=roots)
        anchors = leading(enrolled.chain, roots, at)
        return attested_by(enrolled.chain, enrolled.fmt, enrolled.aaguid, model, anchors)

    assert vouched(ROOT) is Attested.MAKER
    assert vouched() is None  # no roots is no trust
    assert vouched(ROOT, at=datetime(2023, 12, 31, tzinfo=UTC)) is None  # not valid yet
    assert attested_by(enrolled.chain, enrolled.fmt, enrolled.aaguid, None, ()) is Attested.NOBODY
