"""FIDO metadata (MDS3), taken in from a file: a town's network has no way to the maker's address.

Rules:
- The blob is signed, and the signer's certificate leads to the root given at the first import and has the service's
  name: the root is one that signs for anybody. The root is kept; another one is taken only when asked for.
- Numbers only grow, so that an old blob cannot bring a revoked model back.
- Of the blob only what is used later is kept, by model.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError
from fido2.mds3 import AuthenticatorStatus, MetadataBlobPayload, MetadataBlobPayloadEntry
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import import_key

from audit.access.authenticators.errors import MetadataRefusedError
from audit.access.authenticators.journal import AuthenticatorJournal
from audit.access.authenticators.model import By, MetadataState, Model
from audit.access.authenticators.repository import AuthenticatorRepository, MetadataRow, ModelRow
from audit.clock import Clock, day_start
from audit.store.state import Session, StateStore
from audit.texts import Texts

__all__ = ["MAX_BLOB", "SIGNER", "MetadataBook", "model_of"]

MAX_BLOB = 64 << 20
SIGNER = "mds.fidoalliance.org"
"""The name of the metadata service, which its signing certificate is made out to (FIDO Metadata Service 3.1)."""
_KEY_TYPES: Mapping[str, Literal["RSA", "EC"]] = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC", "ES384": "EC"}
"""Signatures that are taken, and the keys they are made with."""
_MODALITIES = {
    "eyeprint_internal": "iris",
    "faceprint_internal": "face",
    "fingerprint_internal": "fingerprint",
    "voiceprint_internal": "voice",
}
"""Words of the FIDO registry. `handprint_internal` is a hand by its shape; whether by veins, a town's policy says."""
_NO_VERIFICATION = frozenset({"none", "presence_internal", "location_internal"})
_STOLEN = AuthenticatorStatus.ATTESTATION_KEY_COMPROMISE
_REFUSED = (
    AuthenticatorStatus.REVOKED,
    AuthenticatorStatus.USER_VERIFICATION_BYPASS,
    AuthenticatorStatus.USER_KEY_REMOTE_COMPROMISE,
    AuthenticatorStatus.USER_KEY_PHYSICAL_COMPROMISE,
)


class _Blobs(jws.JWSRegistry):
    """Signed documents of some megabytes, with certificates in their header."""

    max_header_length = 64 << 10
    max_payload_length = MAX_BLOB


class MetadataBook:
    """The FIDO metadata of one installation.

    Args:
        store: the state database.
        clock: the time.
        journal: the audit log.
    """

    def __init__(self, store: StateStore, clock: Clock, journal: AuthenticatorJournal) -> None:
        self._store = store
        self._clock = clock
        self._journal = journal

    def take(self, blob: bytes, root: str | None, *, by: str = "", change_root: bool = False) -> MetadataState:
        """Take in a blob in the place of what there is.

        Args:
            blob: as the metadata service publishes it.
            root: the root certificate, PEM; None for the one given before.
            by: who does it on this machine, for the log.
            change_root: whether another root than before is meant.

        Raises:
            MetadataRefusedError: it cannot be trusted, read, or is no newer.
        """
        if len(blob) > MAX_BLOB:
            raise MetadataRefusedError("too_large")
        now = self._clock.now()
        with self._store.unit() as unit:
            before = AuthenticatorRepository(unit).metadata()
        given = _certificate(root) if root is not None else None
        pinned = _certificate(before.root) if before else None
        if given and pinned and given != pinned and not change_root:
            raise MetadataRefusedError("root_changed")
        trusted = given or pinned
        if trusted is None:
            raise MetadataRefusedError("root_missing")
        payload = _verified(blob, trusted, now)
        models = [model for entry in payload.entries if (model := model_of(entry)) is not None]
        row = MetadataRow(
            id=1,
            number=payload.no,
            next_update=day_start(payload.next_update) + timedelta(days=1),
            imported_at=now,
            sha256=hashlib.sha256(blob).hexdigest(),
            root=trusted.public_bytes(Encoding.PEM).decode(),
        )
        with self._store.unit() as unit:
            if not AuthenticatorRepository(unit).replace_metadata(row, _rows(models)):
                raise MetadataRefusedError("older")
            self._journal.write(
                "config_change",
                "authenticators.metadata_imported",
                by=By(),
                operator=by,
                number=str(payload.no),
                replaced=str(before.number) if before else "",
                models=str(len(models)),
                sha256=row.sha256,
                root=_fingerprint(trusted),
                replaced_root=_fingerprint(pinned) if pinned else "",
            )
        return self.state()

    def state(self) -> MetadataState:
        """Which metadata is in force, and what should be done about it."""
        with self._store.unit() as unit:
            repository = AuthenticatorRepository(unit)
            row, models = repository.metadata(), repository.model_count()
        if row is None:
            return MetadataState(number=0, next_update=None, models=0, imported_at=None, warning=None)
        late = self._clock.now() - row.next_update
        warning = None
        if late >= timedelta(0):
            warning = Texts(
                f"FIDO メタデータ第{row.number}版の更新期限から {late.days} 日が過ぎています。"
                "新しい版を取り込んでください。失効した機種に気付けません。",
                f"FIDO metadata number {row.number} was to be replaced {late.days} days ago. Import newer metadata: "
                "models that were revoked since then are not noticed.",
            )
        return MetadataState(
            number=row.number,
            next_update=row.next_update,
            models=models,
            imported_at=row.imported_at,
            warning=warning,
        )

    def models(self) -> tuple[Model, ...]:
        """Every model that the metadata describes, by its name."""
        with self._store.unit() as unit:
            return tuple(_model(row) for row in AuthenticatorRepository(unit).models())

    def model(self, unit: Session, aaguid: str) -> Model | None:
        """A model by its identifier; None where the metadata does not know it."""
        row = AuthenticatorRepository(unit).model(aaguid)
        return None if row is None else _model(row)


def model_of(entry: MetadataBlobPayloadEntry) -> Model | None:
    """What is kept of an entry; None for those of U2F and UAF, which have no AAGUID."""
    statement = entry.metadata_statement
    if entry.aaguid is None:
        return None
    ways = [
        {method.user_verification_method or "" for method in way}
        for way in (statement.user_verification_details if statement else ())
    ]
    ways = [way for way in ways if way - _NO_VERIFICATION]
    refused = [report.status for report in entry.status_reports if report.status in _REFUSED]
    stolen = [report for report in entry.status_reports if report.status is _STOLEN]
    if any(report.certificate is None and report.batch_certificate is None for report in stolen):
        refused.append(_STOLEN)  # of which batch is not said, so it may be any
    certificates = [item for report in stolen for item in (report.certificate, report.batch_certificate) if item]
    return Model(
        aaguid=str(entry.aaguid).lower(),
        description=(statement.description if statement else "")[:200],
        modalities=frozenset(_MODALITIES[word] for way in ways for word in way & _MODALITIES.keys()),
        always=bool(ways) and all(way & _MODALITIES.keys() for way in ways),
        roots=_roots(statement.attestation_root_certificates if statement else ()),
        refused=str(refused[0]) if refused else "",
        compromised=frozenset(hashlib.sha256(item).hexdigest() for item in certificates),
    )


def _roots(anchors: Sequence[bytes]) -> tuple[str, ...]:
    """Trust anchors as PEM; one that cannot be read vouches for nobody."""
    texts = []
    for anchor in anchors:
        try:
            texts.append(x509.load_der_x509_certificate(anchor).public_bytes(Encoding.PEM).decode())
        except ValueError:
            continue
    return tuple(texts)


def _certificate(pem: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem.encode())
    except ValueError as error:
        raise MetadataRefusedError("root") from error


def _fingerprint(certificate: x509.Certificate) -> str:
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()


def _verified(blob: bytes, root: x509.Certificate, now: datetime) -> MetadataBlobPayload:
    """The contents of a blob whose signer is the metadata service."""
    registry = _Blobs(algorithms=list(_KEY_TYPES))
    try:
        signed = jws.extract_compact(blob.strip(), registry=registry)
        chain = [x509.load_der_x509_certificate(base64.b64decode(item)) for item in signed.headers()["x5c"]]
    except (JoseError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise MetadataRefusedError("unreadable") from error
    _verify_signer(chain, root, now)
    try:
        key = import_key(chain[0].public_bytes(Encoding.PEM), _KEY_TYPES[signed.headers()["alg"]])
        holds = jws.validate_compact(signed, key, registry=registry)
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise MetadataRefusedError("signature") from error
    if not holds:
        raise MetadataRefusedError("signature")
    try:
        payload: MetadataBlobPayload = MetadataBlobPayload.from_dict(json.loads(signed.payload))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise MetadataRefusedError("unreadable") from error
    return payload


def _verify_signer(chain: Sequence[x509.Certificate], root: x509.Certificate, now: datetime) -> None:
    if not chain:
        raise MetadataRefusedError("chain")
    try:
        verifier = PolicyBuilder().store(Store([root])).time(now).build_server_verifier(x509.DNSName(SIGNER))
        verifier.verify(chain[0], list(chain[1:]))
    except (VerificationError, ValueError) as error:
        raise MetadataRefusedError("chain") from error


def _rows(models: Iterable[Model]) -> list[ModelRow]:
    return [
        ModelRow(
            aaguid=model.aaguid,
            description=model.description,
            modalities=" ".join(sorted(model.modalities)),
            always=model.always,
            roots="".join(model.roots),
            refused=model.refused,
            compromised=" ".join(sorted(model.compromised)),
        )
        for model in {model.aaguid: model for model in models}.values()
    ]


def _model(row: ModelRow) -> Model:
    end = "-----END CERTIFICATE-----\n"
    return Model(
        aaguid=row.aaguid,
        description=row.description,
        modalities=frozenset(row.modalities.split()),
        always=row.always,
        roots=tuple(part + end for part in row.roots.split(end) if part),
        refused=row.refused,
        compromised=frozenset(row.compromised.split()),
    )
