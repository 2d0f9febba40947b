"""What a browser hands back from a WebAuthn ceremony, checked (Web Authentication Level 3, 7.1 and 7.2).

The library reads the bytes and verifies signatures and attestation statements; every check that is the relying
party's is made here, by itself and in an order of ours, so that each refusal has its word. Input is measured before it
is read, and nothing that it holds raises anything but `CeremonyError`.

Rules:
- User presence and user verification are required always; so are an exact origin and no frame of another site.
- CBOR is taken only in definite lengths and shortest form, without a byte left over (CTAP2 8): what decodes and does
  not encode to the same bytes again is refused.
- Counters and the backup eligibility known before are compared by the caller, after the signature (S13).
"""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import cbor2
from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers import (
    base64url_to_bytes,
    decode_credential_public_key,
    parse_attestation_object,
    parse_authentication_credential_json,
    parse_authenticator_data,
    parse_registration_credential_json,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import (
    AttestationFormat,
    AuthenticationCredential,
    AuthenticatorData,
    RegistrationCredential,
)

from audit.access.authenticators.model import RelyingParty

__all__ = [
    "ALGORITHMS",
    "MAX_RESPONSE",
    "AssertionReply",
    "CeremonyError",
    "RegistrationReply",
    "VerifiedKey",
    "read_assertion",
    "read_registration",
    "verify_assertion",
    "verify_registration",
]

MAX_RESPONSE = 64 << 10
"""Characters of a response; one with a chain of certificates has about ten thousand."""
MAX_CLIENT_DATA = 8 << 10
MAX_CREDENTIAL_ID = 1023
ALGORITHMS = (
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.ECDSA_SHA_512,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
)
"""Signatures that are taken, best known first."""
_FORMATS = frozenset(
    {
        AttestationFormat.NONE,
        AttestationFormat.PACKED,
        AttestationFormat.TPM,
        AttestationFormat.APPLE,
        AttestationFormat.ANDROID_KEY,
        AttestationFormat.FIDO_U2F,
    }
)
"""Attestation that is read; SafetyNet's service was shut down by its maker."""


class CeremonyError(ValueError):
    """A response is refused.

    Args:
        reason: a short stable word; nothing of the response is in it.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ClientData:
    """What the browser says about the ceremony. `challenge` is base64url, as it was handed out."""

    type: str
    challenge: str
    origin: str
    framed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AssertionReply:
    """An assertion that could be read; nothing of it is verified yet."""

    credential_id: bytes
    user_handle: bytes | None
    client: ClientData
    data: AuthenticatorData
    raw: AuthenticationCredential = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationReply:
    """A registration that could be read; nothing of it is verified yet.

    Attributes:
        credential_id: as the authenticator chose it.
        aaguid: the model's identifier, in lower case.
        chain: certificates of the attestation, DER, the signing one first; empty for none.
        fmt: the attestation's format.
        transports: how the authenticator says it can be reached.
    """

    credential_id: bytes
    aaguid: str
    chain: tuple[bytes, ...] = field(repr=False)
    fmt: str
    transports: tuple[str, ...]
    client: ClientData
    data: AuthenticatorData
    raw: RegistrationCredential = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedKey:
    """A credential whose registration holds."""

    public_key: bytes = field(repr=False)
    sign_count: int


@contextmanager
def _or(reason: str) -> Iterator[None]:
    """Whatever a library raises over foreign bytes is a refusal."""
    try:
        yield
    except CeremonyError:
        raise
    except Exception as error:
        raise CeremonyError(reason) from error


def read_assertion(response: str) -> AssertionReply:
    """Read what `navigator.credentials.get` gave, as JSON.

    Raises:
        CeremonyError: it is too large or malformed.
    """
    _measure(response)
    with _or("malformed"):
        raw = parse_authentication_credential_json(response)
        handle = raw.response.user_handle
        return AssertionReply(
            credential_id=_credential_id(raw.raw_id),
            user_handle=handle or None,
            client=_client_data(raw.response.client_data_json),
            data=_authenticator_data(raw.response.authenticator_data),
            raw=raw,
        )


def read_registration(response: str) -> RegistrationReply:
    """Read what `navigator.credentials.create` gave, as JSON.

    Raises:
        CeremonyError: it is too large or malformed.
    """
    _measure(response)
    with _or("malformed"):
        raw = parse_registration_credential_json(response)
        document = _strict_cbor(raw.response.attestation_object)
        attestation = parse_attestation_object(raw.response.attestation_object)
        key = attestation.auth_data.attested_credential_data
        if key is None or key.credential_id != raw.raw_id:
            raise CeremonyError("malformed")
        _authenticator_data(document["authData"])
        return RegistrationReply(
            credential_id=_credential_id(key.credential_id),
            aaguid=_aaguid(key.aaguid),
            chain=_chain(document),
            fmt=str(document["fmt"]),
            transports=tuple(sorted({transport.value for transport in raw.response.transports or ()})),
            client=_client_data(raw.response.client_data_json),
            data=attestation.auth_data,
            raw=raw,
        )


def verify_assertion(reply: AssertionReply, party: RelyingParty, public_key: bytes) -> int:
    """Verify an assertion against the stored public key (COSE).

    Returns:
        The sign count; whether it may be so is for the caller to say.

    Raises:
        CeremonyError: the first check that fails, the signature last.
    """
    _check(reply.client, reply.data, party, "webauthn.get")
    with _or("signature"):
        verified = verify_authentication_response(
            credential=reply.raw,
            expected_challenge=base64url_to_bytes(reply.client.challenge),
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    return verified.new_sign_count


def verify_registration(reply: RegistrationReply, party: RelyingParty, roots: Sequence[str] = ()) -> VerifiedKey:
    """Verify a registration and its attestation statement.

    Args:
        reply: what came.
        party: as whom we are known.
        roots: self-signed roots of the model, PEM, where it is known. Without them the statement's signature is
            verified and its chain is not: whoever relies on the maker verifies the chain, see `attestation`.

    Raises:
        CeremonyError: the first check that fails, the attestation last.
    """
    _check(reply.client, reply.data, party, "webauthn.create")
    key = reply.data.attested_credential_data
    with _or("algorithm"):
        if key is None or decode_credential_public_key(key.credential_public_key).alg not in ALGORITHMS:
            raise CeremonyError("algorithm")
    if reply.fmt not in _FORMATS:
        raise CeremonyError("attestation")
    with _or("attestation"):
        verified = verify_registration_response(
            credential=reply.raw,
            expected_challenge=base64url_to_bytes(reply.client.challenge),
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
            require_user_verification=True,
            supported_pub_key_algs=list(ALGORITHMS),
            pem_root_certs_bytes_by_fmt={AttestationFormat(reply.fmt): [root.encode() for root in roots]},
        )
    return VerifiedKey(public_key=verified.credential_public_key, sign_count=verified.sign_count)


def _check(client: ClientData, data: AuthenticatorData, party: RelyingParty, kind: str) -> None:
    """The relying party's own checks, in the order of the standard."""
    flags = data.flags
    rp_hash = hashlib.sha256(party.id.encode()).digest()
    for holds, reason in (
        (client.type == kind, "wrong_type"),
        (client.origin in party.origins, "wrong_origin"),
        (not client.framed, "cross_origin"),
        (hmac.compare_digest(data.rp_id_hash, rp_hash), "wrong_rp"),
        (flags.up, "user_not_present"),
        (flags.uv, "user_not_verified"),
        (flags.be or not flags.bs, "backup_state"),
    ):
        if not holds:
            raise CeremonyError(reason)


def _measure(response: object) -> None:
    if not isinstance(response, str):
        raise CeremonyError("malformed")
    if len(response) > MAX_RESPONSE:
        raise CeremonyError("too_large")


def _client_data(raw: bytes) -> ClientData:
    if len(raw) > MAX_CLIENT_DATA:
        raise CeremonyError("too_large")
    document = json.loads(raw.decode("utf-8"))
    kind, challenge, origin = (document[name] for name in ("type", "challenge", "origin"))
    if not all(isinstance(value, str) for value in (kind, challenge, origin)):
        raise CeremonyError("malformed")
    framed = document.get("crossOrigin", False) is not False or "topOrigin" in document
    return ClientData(kind, challenge, origin, framed)


def _authenticator_data(raw: bytes) -> AuthenticatorData:
    """Read it, and insist that it is written as it would be written again."""
    data = parse_authenticator_data(raw)
    key, extensions = data.attested_credential_data, data.extensions
    tail = b""
    if key is not None:
        tail = key.aaguid + len(key.credential_id).to_bytes(2, "big") + key.credential_id + key.credential_public_key
        _credential_id(key.credential_id)
    if raw[37:] != tail + (extensions or b""):
        raise CeremonyError("malformed")
    return data


def _credential_id(raw: bytes) -> bytes:
    if not 1 <= len(raw) <= MAX_CREDENTIAL_ID:
        raise CeremonyError("credential_id_length")
    return raw


def _strict_cbor(raw: bytes) -> Mapping[str, Any]:
    document = cbor2.loads(raw, allow_duplicate_keys=False)
    if not isinstance(document, dict) or cbor2.dumps(document) != raw:
        raise CeremonyError("malformed")
    return document


def _aaguid(raw: bytes) -> str:
    digits = raw.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _chain(document: Mapping[str, Any]) -> tuple[bytes, ...]:
    chain = document["attStmt"].get("x5c") or []
    if not isinstance(chain, list) or not all(isinstance(item, bytes) for item in chain):
        raise CeremonyError("malformed")
    return tuple(chain)
