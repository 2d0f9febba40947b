"""An authenticator and a browser in software: what comes back from `navigator.credentials`, right or bent on purpose.

Written from Web Authentication Level 3 (6.1 authenticator data, 6.5 attestation, 8.2 packed) with `cryptography` and
`cbor2`; it shares no code with the product.
"""

import hashlib
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID, ObjectIdentifier

UP, UV, BE, BS, AT = 0x01, 0x04, 0x08, 0x10, 0x40
ORIGIN = "http://localhost:8000"


def b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


def unb64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def named(common_name: str, unit: str = "Authenticator Attestation") -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "JP"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test Maker"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def certificate(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    *extensions: tuple[x509.ExtensionType, bool],
    end: datetime = datetime(2050, 1, 1, tzinfo=UTC),
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(end)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(issuer_key, hashes.SHA256())


class Maker:
    """Who makes a model and vouches for it: a root, and attestation certificates for the model."""

    def __init__(self, aaguid: str) -> None:
        self.aaguid = aaguid
        self.root_key = ec.generate_private_key(ec.SECP256R1())
        name = named("Test Maker Root", "Root")
        ca = (x509.BasicConstraints(ca=True, path_length=0), True)
        self.root = certificate(name, self.root_key, name, self.root_key, ca)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self.batch(aaguid)

    def batch(self, aaguid: str | None, **how: Any) -> x509.Certificate:
        extensions: list[tuple[x509.ExtensionType, bool]] = [(x509.BasicConstraints(ca=False, path_length=None), True)]
        if aaguid is not None:
            named_model = b"\x04\x10" + bytes.fromhex(aaguid.replace("-", ""))
            oid = ObjectIdentifier("1.3.6.1.4.1.45724.1.1.4")
            extensions.append((x509.UnrecognizedExtension(oid, named_model), False))
        return certificate(named("Test Batch"), self.key, self.root.subject, self.root_key, *extensions, **how)


@dataclass
class Bent:
    """What is to be wrong about one response; the defaults are right.

    Attributes:
        client: fields of the client data to replace; None removes one.
        rp_id: the relying party whose hash is signed.
        set_flags: flags to add.
        clear_flags: flags to remove.
        credential_id: to claim another.
        user_handle: to claim another; empty for none.
        sign_count: to report another.
        signature: what becomes of the signature.
        document: what becomes of the CBOR of the attestation object, or of the authenticator data.
        statement: what becomes of the attestation statement.
    """

    client: dict[str, Any] = field(default_factory=dict)
    rp_id: str | None = None
    set_flags: int = 0
    clear_flags: int = 0
    credential_id: bytes | None = None
    user_handle: bytes | None = None
    sign_count: int | None = None
    signature: Callable[[bytes], bytes] = bytes
    document: Callable[[bytes], bytes] = bytes
    statement: Callable[[dict[str, Any]], dict[str, Any]] = dict


RIGHT = Bent()


@dataclass
class SoftAuthenticator:
    """One authenticator with one key.

    Attributes:
        aaguid: its model.
        attestation: `none`, `self`, or `maker`.
        maker: who vouches for it.
        flags: user presence, user verification and backup flags.
        counts: whether it counts signatures; else its count stays 0.
    """

    aaguid: str = "00000000-0000-0000-0000-000000000000"
    attestation: str = "none"
    maker: Maker | None = None
    flags: int = UP | UV
    counts: bool = True
    origin: str = ORIGIN
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    user_handle: bytes = b""
    sign_count: int = 0

    def clone(self) -> "SoftAuthenticator":
        """A copy of the key, counting on by itself."""
        return replace(self)

    def create(self, options: dict[str, Any], bent: Bent = RIGHT) -> str:
        """Answer `navigator.credentials.create`, as JSON."""
        self.user_handle = unb64(options["user"]["id"])
        client = self._client("webauthn.create", options["challenge"], bent)
        credential_id = bent.credential_id or self.credential_id
        attested = (
            bytes.fromhex(self.aaguid.replace("-", ""))
            + len(credential_id).to_bytes(2, "big")
            + credential_id
            + cbor2.dumps(self._cose())
        )
        data = self._data(options["rp"]["id"], AT, bent) + attested
        signed = data + hashlib.sha256(client).digest()
        document = {"fmt": "packed", "attStmt": {}, "authData": data}
        if self.attestation == "none":
            document["fmt"] = "none"
        elif self.attestation == "self":
            document["attStmt"] = {"alg": -7, "sig": bent.signature(self._sign(self.key, signed))}
        else:
            assert self.maker is not None
            document["attStmt"] = {
                "alg": -7,
                "sig": bent.signature(self._sign(self.maker.key, signed)),
                "x5c": [self.maker.certificate.public_bytes(Encoding.DER)],
            }
        document["attStmt"] = bent.statement(document["attStmt"])
        response = {
            "clientDataJSON": b64(client),
            "attestationObject": b64(bent.document(cbor2.dumps(document))),
            "transports": ["usb", "internal"],
        }
        return self._credential(credential_id, response)

    def get(self, options: dict[str, Any], bent: Bent = RIGHT) -> str:
        """Answer `navigator.credentials.get`, as JSON."""
        if self.counts:
            self.sign_count += 1
        client = self._client("webauthn.get", options["challenge"], bent)
        data = bent.document(self._data(options["rpId"], 0, bent))
        signature = bent.signature(self._sign(self.key, data + hashlib.sha256(client).digest()))
        handle = self.user_handle if bent.user_handle is None else bent.user_handle
        response = {"clientDataJSON": b64(client), "authenticatorData": b64(data), "signature": b64(signature)}
        if handle:
            response["userHandle"] = b64(handle)
        return self._credential(bent.credential_id or self.credential_id, response)

    def _credential(self, credential_id: bytes, response: dict[str, Any]) -> str:
        return json.dumps(
            {
                "id": b64(credential_id),
                "rawId": b64(credential_id),
                "type": "public-key",
                "response": response,
                "clientExtensionResults": {},
            }
        )

    def _client(self, kind: str, challenge: str, bent: Bent) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False} | bent.client
        return json.dumps({name: value for name, value in said.items() if value is not None}).encode()

    def _data(self, rp_id: str, more: int, bent: Bent) -> bytes:
        flags = (self.flags | more | bent.set_flags) & ~bent.clear_flags
        count = self.sign_count if bent.sign_count is None else bent.sign_count
        return hashlib.sha256((bent.rp_id or rp_id).encode()).digest() + bytes([flags]) + count.to_bytes(4, "big")

    def _cose(self) -> dict[int, Any]:
        numbers = self.key.public_key().public_numbers()
        return {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}

    @staticmethod
    def _sign(key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
        return key.sign(data, ec.ECDSA(hashes.SHA256()))
