"""FIDO metadata from a file, attestation by it (S15), and what is revoked (S16)."""

import json
from base64 import b64encode
from datetime import UTC, date, datetime, timedelta

import pytest
from authenticator import Bent, Maker, SoftAuthenticator, b64, unb64
from cryptography.hazmat.primitives.serialization import Encoding
from fido_metadata import MetadataService, entry
from key_desk import HERE, Desk

from audit.access import Role
from audit.access.authenticators import (
    AssertionRefusedError,
    Attested,
    AuthenticatorStateError,
    MetadataRefusedError,
    RegistrationRefusedError,
)
from audit.access.authenticators.policy import VIRTUAL
from audit.access.strength import Acr, FactorPolicy

AAGUID = "d41f5a69-b817-4144-a13c-9ebd6d9254d6"
ADMIN = "uid 0"
FINGER, FACE, PIN, NONE = (
    {"userVerificationMethod": word}
    for word in ("fingerprint_internal", "faceprint_internal", "passcode_external", "presence_internal")
)


@pytest.fixture(scope="module")
def alliance() -> MetadataService:
    return MetadataService()


@pytest.fixture(scope="module")
def maker() -> Maker:
    return Maker(AAGUID)


def key_of(maker: Maker, **how: object) -> SoftAuthenticator:
    return SoftAuthenticator(aaguid=maker.aaguid, attestation="maker", maker=maker, **how)  # type: ignore[arg-type]


def take(desk: Desk, alliance: MetadataService, number: int, *entries: dict[str, object], **how: date) -> None:
    desk.service.metadata.take(alliance.blob(number, *entries, **how), alliance.root_pem, by=ADMIN)


def refusal(desk: Desk, key: SoftAuthenticator, bent: Bent | None = None) -> str:
    with pytest.raises(RegistrationRefusedError) as error:
        desk.enrol(desk.user(), key, bent or Bent())
    return error.value.reason


def test_a_key_whose_maker_vouches_for_a_fingerprint_is_biometric(
    desk: Desk, alliance: MetadataService, maker: Maker
) -> None:
    take(desk, alliance, 7, entry(maker, description="Finger Key"))
    assert (desk.last()["activity"], desk.last()["unmapped"]["number"]) == ("config_change", "7")
    account, key = desk.user(Role.AUDITOR), key_of(maker)
    shown = desk.enrol(account, key)
    assert (shown.model, shown.attested, shown.biometric) == ("Finger Key", Attested.MAKER, True)
    assert desk.last()["auth"] == {
        "factors": ["fingerprint", "webauthn"], "user_verified": True, "authenticator": f"aaguid-{AAGUID}",
    }  # fmt: skip
    proof = desk.prove(account, key).proof()
    assert proof.acr is Acr.BIOMETRIC
    assert FactorPolicy.parse("password+biometric").met_by(proof)
    assert FactorPolicy.parse("fingerprint").met_by(proof)
    assert not FactorPolicy.parse("palm_vein").met_by(proof)


@pytest.mark.parametrize(
    ("ways", "named", "always"),
    [
        ([[FINGER], [PIN]], {"fingerprint"}, set()),
        ([[FINGER], [FACE], [NONE]], {"face", "fingerprint"}, {"face", "fingerprint"}),
        ([[FINGER, PIN]], {"fingerprint"}, {"fingerprint"}),
        ([[PIN], [NONE]], set(), set()),
        ([[{"userVerificationMethod": "handprint_internal"}]], set(), set()),
        ([[{"userVerificationMethod": "a word of later"}], [{}]], set(), set()),
    ],
)
def test_what_counts_as_biometric_is_by_the_metadata_and_the_policy(
    desk: Desk,
    alliance: MetadataService,
    maker: Maker,
    ways: list[list[dict[str, str]]],
    named: set[str],
    always: set[str],
) -> None:
    take(desk, alliance, 1, entry(maker, ways=ways))
    account, key = desk.user(), key_of(maker)
    assert desk.enrol(account, key).modalities == named
    desk.write_policy('biometric = "always"')
    assert desk.prove(account, key).modalities == always
    desk.write_policy(f'[modalities]\n"{AAGUID}" = ["palm_vein"]')
    assert desk.prove(account, key).modalities == {"palm_vein"}


def test_a_model_that_is_only_claimed_is_never_biometric(desk: Desk, alliance: MetadataService, maker: Maker) -> None:
    take(desk, alliance, 1, entry(maker))
    for attestation in ("none", "self"):
        account, key = desk.user(), SoftAuthenticator(aaguid=AAGUID, attestation=attestation)
        shown = desk.enrol(account, key)
        assert (shown.model, shown.modalities) == ("", frozenset())
        assert desk.prove(account, key).modalities == frozenset()


def test_S15_where_metadata_is_demanded_nothing_else_is_enrolled(
    desk: Desk, alliance: MetadataService, maker: Maker
) -> None:
    desk.write_policy('attestation = "metadata"')
    other = Maker("11111111-2222-3333-4444-555555555555")
    assert refusal(desk, key_of(maker)) == "model_unknown"  # no metadata yet
    take(desk, alliance, 1, entry(maker))
    assert refusal(desk, SoftAuthenticator(aaguid=AAGUID)) == "not_attested"
    assert refusal(desk, SoftAuthenticator()) == "model_unknown"
    assert refusal(desk, SoftAuthenticator(aaguid=AAGUID, attestation="self")) == "not_attested"
    assert refusal(desk, key_of(other)) == "model_unknown"
    assert refusal(desk, SoftAuthenticator(aaguid=AAGUID, attestation="maker", maker=other)) == "attestation"
    assert desk.enrol(desk.user(), key_of(maker)).attested is Attested.MAKER
    desk.write_policy(f'attestation = "metadata"\nmodels = ["{other.aaguid}"]')
    assert refusal(desk, key_of(maker)) == "model_not_allowed"
    desk.write_policy(f'attestation = "metadata"\nmodels = ["{AAGUID.upper()}"]')
    desk.enrol(desk.user(), key_of(maker))


def test_S15_the_browsers_own_test_authenticator_is_refused_though_the_metadata_knew_it(
    desk: Desk, alliance: MetadataService
) -> None:
    chromium = Maker(VIRTUAL)
    desk.write_policy('attestation = "metadata"')
    assert refusal(desk, key_of(chromium)) == "model_unknown"
    take(desk, alliance, 1, entry(chromium))
    assert refusal(desk, key_of(chromium)) == "model_unknown"


def test_S15_a_statement_that_does_not_hold_is_refused_under_every_policy(
    desk: Desk, alliance: MetadataService, maker: Maker
) -> None:
    take(desk, alliance, 1, entry(maker))
    stranger = Maker(AAGUID)  # says it makes this model, under a root of its own
    expired = Maker(AAGUID)
    expired.root, expired.root_key = maker.root, maker.root_key
    expired.certificate = expired.batch(AAGUID, end=datetime(2021, 1, 1, tzinfo=UTC))
    renamed = Maker(AAGUID)
    renamed.root, renamed.root_key = maker.root, maker.root_key
    renamed.certificate = renamed.batch("00000000-0000-0000-0000-000000000001")
    for policy in ("none", "direct", "metadata"):
        desk.write_policy(f'attestation = "{policy}"  # {policy}')
        for key in (key_of(stranger), key_of(expired), key_of(renamed)):
            assert refusal(desk, key) == "attestation"
        flipped = Bent(signature=lambda raw: raw[:-1] + bytes([raw[-1] ^ 1]))
        assert refusal(desk, key_of(maker), flipped) == "attestation"
        assert (
            refusal(desk, key_of(maker), Bent(statement=lambda said: said | {"x5c": [b"no certificate"]}))
            == "attestation"
        )
        assert refusal(desk, SoftAuthenticator(), Bent(statement=lambda _: {"alg": -7})) == "attestation"


def test_the_metadata_may_name_an_authority_or_the_certificate_itself(
    desk: Desk, alliance: MetadataService, maker: Maker
) -> None:
    take(desk, alliance, 1, entry(maker, anchors=[maker.certificate]))
    assert desk.enrol(desk.user(), key_of(maker)).attested is Attested.MAKER
    unnamed = Maker(AAGUID)
    unnamed.certificate = unnamed.batch(None)
    take(desk, alliance, 2, entry(maker, anchors=[maker.root, unnamed.root]))
    assert desk.enrol(desk.user(), key_of(unnamed)).attested is Attested.MAKER


@pytest.mark.parametrize(
    "status",
    [
        "REVOKED",
        "USER_VERIFICATION_BYPASS",
        "ATTESTATION_KEY_COMPROMISE",
        "USER_KEY_REMOTE_COMPROMISE",
        "USER_KEY_PHYSICAL_COMPROMISE",
    ],
)
def test_S16_a_revoked_model_is_refused_at_the_next_sign_in(
    desk: Desk, alliance: MetadataService, maker: Maker, status: str
) -> None:
    take(desk, alliance, 1, entry(maker))
    account, key, claimed = desk.user(), key_of(maker), SoftAuthenticator(aaguid=AAGUID)
    desk.enrol(account, key)
    desk.enrol(account, claimed)
    desk.prove(account, key)
    take(desk, alliance, 2, entry(maker, statuses=[{"status": "FIDO_CERTIFIED"}, {"status": status}]))
    count = desk.row(key).sign_count
    for each in (key, claimed):
        with pytest.raises(AssertionRefusedError) as error:
            desk.prove(account, each)
        assert error.value.reason == "model_revoked"
        assert (desk.last()["activity"], desk.last()["outcome"]) == ("security_event", "denied")
    assert desk.row(key).sign_count == count
    assert {shown.refused for shown in desk.service.authenticators_of(account)} == {"model_revoked"}
    assert not any(shown.biometric for shown in desk.service.authenticators_of(account))
    assert refusal(desk, key_of(maker)) == "model_revoked"
    take(desk, alliance, 3, entry(maker, statuses=[{"status": "A_WORD_OF_LATER"}]))
    desk.prove(account, key)


def test_S16_of_a_stolen_attestation_key_only_that_batch_is_refused(
    desk: Desk, alliance: MetadataService, maker: Maker
) -> None:
    second = Maker(AAGUID)
    second.root, second.root_key = maker.root, maker.root_key
    second.certificate = second.batch(AAGUID)
    take(desk, alliance, 1, entry(maker))
    account, stolen, sound = desk.user(), key_of(maker), key_of(second)
    desk.enrol(account, stolen)
    desk.enrol(account, sound)
    batch = b64encode(maker.certificate.public_bytes(Encoding.DER)).decode()
    report = {"status": "ATTESTATION_KEY_COMPROMISE", "certificate": batch}
    take(desk, alliance, 2, entry(maker, statuses=[report]))
    desk.prove(account, sound)
    with pytest.raises(AssertionRefusedError):
        desk.prove(account, stolen)
    assert refusal(desk, key_of(maker)) == "model_revoked"
    assert {shown.refused for shown in desk.service.authenticators_of(account)} == {"", "model_revoked"}


def test_S16_metadata_past_its_time_is_a_warning(desk: Desk, alliance: MetadataService, maker: Maker) -> None:
    assert desk.service.metadata.state().number == 0
    take(desk, alliance, 1, entry(maker), next_update=date(2026, 10, 6))
    state = desk.service.metadata.state()
    assert (state.number, state.models, state.warning) == (1, 1, None)
    assert state.next_update == datetime(2026, 10, 6, 15, tzinfo=UTC)  # the end of that day in Tokyo
    desk.clock.advance(state.next_update - desk.clock.now() - timedelta(seconds=1))
    assert desk.service.metadata.state().warning is None
    desk.forward(days=3, seconds=1)
    warning = desk.service.metadata.state().warning
    assert warning is not None
    assert "3 日" in warning.ja
    assert "3 days" in warning.en


def test_numbers_only_grow_and_a_refused_import_changes_nothing(
    desk: Desk, alliance: MetadataService, maker: Maker
) -> None:
    revoked = entry(maker, statuses=[{"status": "REVOKED"}])
    take(desk, alliance, 5, revoked)
    for number in (5, 4):
        with pytest.raises(MetadataRefusedError) as error:
            take(desk, alliance, number, entry(maker))
        assert error.value.reason == "older"
    (model,) = desk.service.metadata.models()
    assert model.refused == "REVOKED"
    desk.ledger.down = True
    with pytest.raises(ConnectionError):
        take(desk, alliance, 6)
    desk.ledger.down = False
    assert desk.service.metadata.state().number == 5


def test_the_root_of_the_first_import_is_kept(desk: Desk, alliance: MetadataService, maker: Maker) -> None:
    other = MetadataService()

    def reason(blob: bytes, root: str | None, *, change: bool = False) -> str:
        with pytest.raises(MetadataRefusedError) as error:
            desk.service.metadata.take(blob, root, by=ADMIN, change_root=change)
        assert error.value.text("ja") != error.value.text("en")
        return error.value.reason

    assert reason(alliance.blob(1), None) == "root_missing"
    assert reason(alliance.blob(1), "no certificate") == "root"
    take(desk, alliance, 1, entry(maker))
    desk.service.metadata.take(alliance.blob(2), None, by=ADMIN)
    assert reason(other.blob(3), None) == "chain"
    assert reason(other.blob(3), other.root_pem) == "root_changed"
    desk.service.metadata.take(other.blob(3), other.root_pem, by=ADMIN, change_root=True)
    assert desk.last()["unmapped"]["replaced_root"]
    assert reason(alliance.blob(4), None) == "chain"


def test_only_the_metadata_service_signs_metadata(desk: Desk, alliance: MetadataService, maker: Maker) -> None:
    neighbour = MetadataService("www.example.com")  # another customer of the same authority
    good = alliance.blob(1, entry(maker))
    head, payload, signature = good.split(b".")
    raised = json.loads(unb64(payload.decode())) | {"no": 99}
    forged = b".".join((head, b64(json.dumps(raised).encode()).encode(), signature))
    header = json.loads(unb64(head.decode()))

    def headed(**fields: object) -> bytes:
        return b".".join((b64(json.dumps(header | fields).encode()).encode(), payload, signature))

    def reason(blob: bytes, root: str = alliance.root_pem) -> str:
        with pytest.raises(MetadataRefusedError) as error:
            desk.service.metadata.take(blob, root, by=ADMIN)
        return error.value.reason

    assert reason(neighbour.blob(1), neighbour.root_pem) == "chain"
    assert reason(forged) == "signature"
    assert reason(headed(x5c=[])) == "chain"
    assert reason(headed(x5c=["AAAA"])) == "unreadable"
    assert reason(headed(alg="none")) in {"unreadable", "signature"}
    assert reason(b".".join((head, payload, b""))) in {"unreadable", "signature"}
    for blob in (b"", b".", b"..", b"a.b.c", b"\xff" * 100, payload, b"[" * 5000 + b".a.b", good[:-90]):
        assert reason(blob) in {"unreadable", "signature"}
    assert reason(b"x" * ((64 << 20) + 1)) == "too_large"
    desk.clock.advance(timedelta(days=365 * 30))
    assert reason(good) == "chain"  # the signer's certificate has expired
    assert desk.service.metadata.state().number == 0


def test_entries_without_an_aaguid_or_a_readable_root_do_no_harm(
    desk: Desk, alliance: MetadataService, maker: Maker
) -> None:
    u2f = entry(maker) | {"aaguid": None, "attestationCertificateKeyIdentifiers": ["0" * 40]}
    del u2f["aaguid"]
    broken = entry(maker)
    broken["metadataStatement"]["attestationRootCertificates"] = [b64encode(b"no certificate").decode()]
    bare = {key: value for key, value in entry(Maker(VIRTUAL)).items() if key != "metadataStatement"}
    take(desk, alliance, 1, u2f, broken, bare)
    assert desk.service.metadata.state().models == 2
    assert refusal(desk, key_of(maker)) == "attestation"


def test_an_account_that_does_not_exist_enrols_nothing(desk: Desk) -> None:
    with pytest.raises(AuthenticatorStateError):
        desk.service.finish_registration("nobody", "{}", name="鍵", bound_to="s", by=HERE)
