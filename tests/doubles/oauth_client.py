"""A sending system: assertions and signatures by the standard library, so that nothing of ours checks itself."""

import base64
import hashlib
import hmac
import itertools
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_numbers = itertools.count(1)


def b64(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def compact(header: Any, payload: bytes, secret: bytes) -> str:
    """A compact JWS with HMAC-SHA-256, whatever its header says."""
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    signed = f"{b64(head)}.{b64(payload)}"
    return f"{signed}.{b64(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


@dataclass
class Signer:
    """Signs batches with Ed25519: a detached JWS over the Content-Digest header."""

    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def public_pem(self) -> str:
        return self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    @property
    def jwk(self) -> dict[str, str]:
        raw = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return {"crv": "Ed25519", "kty": "OKP", "x": b64(raw)}

    @property
    def kid(self) -> str:
        """RFC 7638: the hash of the members in the order of the alphabet, without spaces."""
        return b64(hashlib.sha256(json.dumps(self.jwk, separators=(",", ":"), sort_keys=True).encode()).digest())

    def headers(self, body: bytes, *, alg: str = "Ed25519", **more: Any) -> dict[str, str]:
        """What goes with a batch."""
        digest = digest_header(body)
        head = b64(json.dumps({"alg": alg, "kid": self.kid} | more).encode())
        signature = self.key.sign(f"{head}.{b64(digest.encode())}".encode())
        return {"content-digest": digest, "x-jws-signature": f"{head}..{b64(signature)}"}


def digest_header(body: bytes) -> str:
    """RFC 9530."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


@dataclass
class OAuthClient:
    """One client of the token endpoint."""

    client_id: str
    secret: str
    audience: str

    def claims(self, now: datetime, **other: Any) -> dict[str, Any]:
        """The claims of an assertion; one given as None is left out."""
        at = int(now.timestamp())
        usual = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.audience,
            "iat": at,
            "exp": at + 300,
            "jti": f"a-{next(_numbers)}",
        }
        return {name: value for name, value in (usual | other).items() if value is not None}

    def assertion(self, now: datetime, header: Any = None, **other: Any) -> str:
        """A fresh assertion."""
        header = {"alg": "HS256", "typ": "JWT"} if header is None else header
        return compact(header, json.dumps(self.claims(now, **other)).encode(), self.secret.encode())

    def form(self, now: datetime, **more: str) -> dict[str, str]:
        """The parameters of a request that proves the client."""
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": self.assertion(now)} | more

    def token(self, http: httpx.Client, now: datetime) -> str:
        """An access token."""
        answer = http.post("/oauth2/token", data=self.form(now, grant_type="client_credentials"))
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])
