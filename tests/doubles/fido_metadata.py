"""A metadata service in software: blobs (MDS3) signed under a root of its own."""

import base64
import json
from datetime import date
from typing import Any

from authenticator import Maker, b64, certificate, named
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

FINGERPRINT_OR_PIN = [
    [{"userVerificationMethod": "fingerprint_internal"}],
    [{"userVerificationMethod": "passcode_external"}],
]


def entry(
    maker: Maker,
    *,
    ways: list[list[dict[str, Any]]] | None = None,
    statuses: list[dict[str, Any]] | None = None,
    anchors: list[x509.Certificate] | None = None,
    description: str = "Test Key",
) -> dict[str, Any]:
    """What the metadata says of a maker's model."""
    return {
        "aaguid": maker.aaguid,
        "statusReports": statuses or [{"status": "FIDO_CERTIFIED_L1", "effectiveDate": "2025-01-01"}],
        "timeOfLastStatusChange": "2025-01-01",
        "metadataStatement": {
            "description": description,
            "aaguid": maker.aaguid,
            "authenticatorVersion": 1,
            "protocolFamily": "fido2",
            "schema": 3,
            "upv": [{"major": 1, "minor": 1}],
            "authenticationAlgorithms": ["secp256r1_ecdsa_sha256_raw"],
            "publicKeyAlgAndEncodings": ["cose"],
            "attestationTypes": ["basic_full"],
            "userVerificationDetails": ways or FINGERPRINT_OR_PIN,
            "keyProtection": ["hardware"],
            "matcherProtection": ["on_chip"],
            "attachmentHint": ["external"],
            "tcDisplay": [],
            "attestationRootCertificates": [
                base64.b64encode(anchor.public_bytes(Encoding.DER)).decode() for anchor in anchors or [maker.root]
            ],
        },
    }


class MetadataService:
    """Signs blobs, as the FIDO Alliance does: a certificate for its host name, under a public root."""

    def __init__(self, name: str = "mds.fidoalliance.org") -> None:
        self.root_key = ec.generate_private_key(ec.SECP256R1())
        subject = named("Test Metadata Root", "Root")
        usage = {
            "digital_signature": False, "content_commitment": False, "key_encipherment": False,
            "data_encipherment": False, "key_agreement": False, "key_cert_sign": True, "crl_sign": True,
            "encipher_only": False, "decipher_only": False,
        }  # fmt: skip
        identifier = x509.SubjectKeyIdentifier.from_public_key(self.root_key.public_key())
        self.root = certificate(
            subject, self.root_key, subject, self.root_key,
            (x509.BasicConstraints(ca=True, path_length=1), True), (x509.KeyUsage(**usage), True), (identifier, False),
        )  # fmt: skip
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.signer = certificate(
            named(name, "Metadata"), self.key, subject, self.root_key,
            (x509.SubjectAlternativeName([x509.DNSName(name)]), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(self.root_key.public_key()), False),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
            (x509.BasicConstraints(ca=False, path_length=None), True),
        )  # fmt: skip
        self.root_pem = self.root.public_bytes(Encoding.PEM).decode()

    def blob(self, number: int, *entries: dict[str, Any], next_update: date = date(2026, 12, 1)) -> bytes:
        """A signed blob."""
        header = {
            "alg": "ES256",
            "typ": "JWT",
            "x5c": [base64.b64encode(self.signer.public_bytes(Encoding.DER)).decode()],
        }
        payload = {
            "legalHeader": "made for a test",
            "no": number,
            "nextUpdate": next_update.isoformat(),
            "entries": list(entries),
        }
        message = b".".join(b64(json.dumps(part).encode()).encode() for part in (header, payload))
        r, s = decode_dss_signature(self.key.sign(message, ec.ECDSA(hashes.SHA256())))
        return message + b"." + b64(r.to_bytes(32, "big") + s.to_bytes(32, "big")).encode()
