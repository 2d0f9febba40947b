"""Credentials, tokens, certificates and signing keys of sending systems (S25, T1)."""

import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier, Thread
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID
from sqlalchemy import select

from audit.access import SecretBox
from audit.access.machines import (
    BindingKind,
    Client,
    ClientRefusedError,
    Credential,
    DigestRefusedError,
    Machine,
    MachineRefusedError,
    MachineRules,
    MachineService,
    MachineStateError,
    Proof,
    Scope,
    SourceRefusedError,
    fingerprint_of,
)
from audit.events import check
from audit.store.state import Base

sys.path.insert(0, str(Path(__file__).parents[2] / "doubles"))

from oauth_client import OAuthClient, Signer, digest_header

if TYPE_CHECKING:
    from sign_in_town import Town

HERE = "10.3.1.31"
ISSUER = "https://mimamori.example.lg.jp"
NHI, TAX = "nhi-eligibility", "resident-tax"


@dataclass
class Door:
    """The service and everything around it."""

    town: "Town"
    machines: MachineService

    @property
    def now(self) -> datetime:
        return self.town.clock.now()

    def docs(self, operation: str = "") -> list[dict[str, Any]]:
        return [doc for doc in self.town.ledger.docs if doc["operation_name"].startswith(operation)]

    def credential(self, source: str = NHI) -> Credential:
        return self.machines.register(source)

    def client(self, credential: Credential) -> Client:
        sender = OAuthClient(credential.client_id, credential.client_secret, ISSUER)
        return self.machines.client_by_assertion(sender.assertion(self.now), address=HERE)

    def token(self, source: str = NHI, credential: Credential | None = None) -> str:
        issued = self.machines.issue_token(self.client(credential or self.credential(source)), "", address=HERE)
        assert issued is not None
        return issued.token

    def enter(self, token: str = "", fingerprint: str | None = None, claimed: str = NHI) -> Machine:
        authorization = f"Bearer {token}" if token else ""
        return self.machines.authenticate(authorization, fingerprint, claimed=claimed, address=HERE)

    def refused(self, token: str = "", fingerprint: str | None = None) -> str:
        with pytest.raises(MachineRefusedError) as caught:
            self.enter(token, fingerprint)
        return caught.value.reason


@pytest.fixture
def door(town: "Town") -> Iterator[Door]:
    rules = MachineRules(issuer=ISSUER, basic=True)
    yield Door(town, MachineService(town.store, town.clock, town.ledger, SecretBox(bytes(range(32))), rules))
    for doc in town.ledger.docs:
        checked = check(doc, town.clock.now())
        assert not checked.faults, doc
        assert not checked.masked, doc


def certificate(now: datetime, days: int = 90) -> x509.Certificate:
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nhi-sender")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=400))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, SHA256())
    )


def pem(made: x509.Certificate) -> str:
    return made.public_bytes(Encoding.PEM).decode()


# Credentials


def test_a_credential_has_the_form_that_the_standard_asks_for(door: Door) -> None:
    made = door.credential()
    assert len(made.client_id) == 32
    assert made.client_id.isalpha()
    assert len(made.client_secret) >= 32
    assert made.client_secret.isalnum()
    assert made.expires_at == door.now + timedelta(days=397)
    assert made.client_secret not in repr(made)


def test_a_credential_opens_the_door_until_it_is_over(door: Door) -> None:
    token = door.token()
    machine = door.enter(token)
    assert (machine.source, machine.how) == (NHI, Proof.TOKEN)
    door.town.forward(minutes=10, seconds=-1)
    assert door.enter(token).source == NHI
    door.town.forward(seconds=1)
    assert door.refused(token) == "token_unknown"


def test_a_clock_set_back_does_not_revive_a_token(door: Door) -> None:
    token = door.token()
    door.town.forward(seconds=-6)
    assert door.refused(token) == "token_unknown"


def test_several_credentials_of_a_source_serve_its_rotation(door: Door) -> None:
    old, new = door.credential(), door.credential()
    tokens = [door.token(credential=credential) for credential in (old, new)]
    door.machines.revoke(NHI, old.client_id)
    assert door.refused(tokens[0]) == "token_unknown"
    assert door.enter(tokens[1]).client_id == new.client_id
    with pytest.raises(ClientRefusedError, match="Client authentication failed"):
        door.client(old)
    listed = {info.client_id: info for info in door.machines.listing(NHI)}
    assert listed[old.client_id].revoked_at == door.now
    assert listed[new.client_id].revoked_at is None
    assert listed[new.client_id].last_used_at == door.now
    assert door.machines.listing(TAX) == []


def test_an_expired_credential_ends_its_tokens(door: Door) -> None:
    made = door.machines.register(NHI, expires_at=door.now + timedelta(minutes=5))
    token = door.token(credential=made)
    door.town.forward(minutes=5)
    assert door.refused(token) == "token_unknown"
    with pytest.raises(ClientRefusedError) as caught:
        door.client(made)
    assert caught.value.reason == "credential_over"


@pytest.mark.parametrize("source", ["", "../x", "a b", "-x", "x" * 101, "123456789018"])
def test_what_cannot_be_a_source_gets_nothing(door: Door, source: str) -> None:
    for act in (door.machines.register, lambda name: door.machines.bind_certificate(name, "ab" * 32)):
        with pytest.raises(MachineStateError) as caught:
            act(source)
        assert caught.value.reason == "source"


def test_the_end_of_a_credential_lies_ahead(door: Door) -> None:
    with pytest.raises(MachineStateError) as caught:
        door.machines.register(NHI, expires_at=door.now)
    assert caught.value.reason == "life"


def test_what_is_not_there_cannot_be_revoked(door: Door) -> None:
    made = door.credential()
    for source, identifier in ((TAX, made.client_id), (NHI, "x"), (NHI, "")):
        with pytest.raises(MachineStateError) as caught:
            door.machines.revoke(source, identifier)
        assert caught.value.reason == "unknown"
    door.machines.revoke(NHI, made.client_id)
    with pytest.raises(MachineStateError):
        door.machines.revoke(NHI, made.client_id)


def test_secrets_are_in_no_event_and_not_in_the_database(door: Door) -> None:
    made = door.credential()
    sender = OAuthClient(made.client_id, made.client_secret, ISSUER)
    assertion = sender.assertion(door.now)
    token = door.machines.issue_token(door.machines.client_by_assertion(assertion, address=HERE), "", address=HERE)
    assert token is not None
    door.enter(token.token)
    with pytest.raises(ClientRefusedError):
        door.machines.client_by_assertion(assertion, address=HERE)
    with pytest.raises(SourceRefusedError):
        door.enter(token.token, claimed=TAX)
    assert door.refused("a-token-of-nobody") == "token_unknown"
    told, on_disk = repr(door.town.ledger.docs), door.town.bytes_on_disk()
    assert made.client_id.encode() in on_disk  # the search can find what is there
    for hidden in (made.client_secret, token.token, assertion, assertion.rpartition(".")[2], "a-token-of-nobody"):
        assert hidden not in told
        assert hidden.encode() not in on_disk
        assert hidden not in repr(token)


# Who is sending


def test_s25_a_source_cannot_write_as_another(door: Door) -> None:
    """The event carries the authenticated source; what was claimed is told as a claim."""
    with pytest.raises(SourceRefusedError):
        door.enter(door.token(TAX), claimed=NHI)
    (told,) = door.docs("machine.source_refused")
    assert (told["activity"], told["outcome"]) == ("security_event", "denied")
    assert told["target"] == {"system": TAX}
    assert told["unmapped"]["claimed"] == [NHI]
    assert told["terminal"] == {"ip": HERE}


def test_s25_a_token_of_another_scope_is_refused(door: Door) -> None:
    """The database holds one whose scope is another system's."""
    token = door.token()
    with door.town.store.unit() as unit:
        unit.execute(Base.metadata.tables["access_machine_tokens"].update().values(scope="juki:residents:read"))
    assert door.refused(token) == "scope"


def test_s25_a_scope_that_is_not_ours_is_not_given(door: Door) -> None:
    client = door.client(door.credential())
    for scope in ("juki:events:write", "mimamori:events:write juki:events:write", "MIMAMORI:EVENTS:WRITE", "*"):
        assert door.machines.issue_token(client, scope, address=HERE) is None
    issued = door.machines.issue_token(client, Scope.EVENTS_WRITE, address=HERE)
    assert issued is not None
    assert (issued.scope, issued.expires_in) == ("mimamori:events:write", 600)


def test_a_token_for_another_audience_is_refused(door: Door) -> None:
    token = door.token()
    moved = MachineService(
        door.town.store,
        door.town.clock,
        door.town.ledger,
        SecretBox(bytes(range(32))),
        MachineRules(issuer="https://other.example.lg.jp"),
    )
    with pytest.raises(MachineRefusedError):
        moved.authenticate(f"Bearer {token}", None, claimed=NHI, address=HERE)


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Basic {}", "{}", "Token {}", "Bearer {} x", "Bearer {},", "Bearer " + "é" * 5000],
)
def test_t1_without_a_token_nobody_enters(door: Door, authorization: str) -> None:
    token = door.token()
    with pytest.raises(MachineRefusedError) as caught:
        door.machines.authenticate(authorization.format(token), None, claimed=NHI, address=HERE)
    assert caught.value.token_sent == bool(authorization)
    (told,) = door.docs("machine.refused")
    assert (told["activity"], told["outcome"], told["actor"]) == ("security_event", "denied", {"kind": "system"})


def test_the_scheme_is_read_in_any_case(door: Door) -> None:
    token = door.token()
    assert door.machines.authenticate(f"bearer  {token}", None, claimed=NHI, address=HERE).source == NHI


def test_only_the_service_makes_a_machine() -> None:
    with pytest.raises(TypeError, match=r"MachineService\.authenticate"):
        Machine(source=NHI, how=Proof.TOKEN, client_id=None, seal=object())


# Refusals in the log


def test_refusals_are_told_once_a_minute_and_counted(door: Door) -> None:
    for _ in range(500):
        door.refused("wrong")
    assert [doc["unmapped"]["count"] for doc in door.docs("machine.refused")] == ["1"]
    door.town.forward(seconds=59)
    door.machines.flush_refusals()
    assert len(door.docs("machine.refused")) == 1
    door.town.forward(seconds=1)
    door.machines.flush_refusals()
    first, rest = door.docs("machine.refused")
    assert (first["unmapped"]["reasons"], rest["unmapped"]["reasons"]) == (["token_unknown=1"], ["token_unknown=499"])
    door.machines.flush_refusals(everything=True)
    assert len(door.docs("machine.refused")) == 2


def test_refusals_of_many_addresses_stay_bounded(door: Door) -> None:
    for n in range(1500):
        with pytest.raises(MachineRefusedError):
            door.machines.authenticate("", None, claimed=NHI, address=f"10.{n // 250}.0.{n % 250}")
    told = door.docs("machine.refused")
    assert len(told) == 1001
    assert "terminal" not in told[-1]
    door.machines.flush_refusals(everything=True)
    assert sum(int(doc["unmapped"]["count"]) for doc in door.docs("machine.refused")) == 1500


def test_what_is_claimed_is_told_only_when_it_is_a_name(door: Door) -> None:
    for claimed in ("a\r\nb", "x" * 5000, "<script>", *(f"s-{n}" for n in range(9))):
        with pytest.raises(MachineRefusedError):
            door.machines.authenticate("", None, claimed=claimed, address=HERE)
    door.machines.flush_refusals(everything=True)
    assert door.docs("machine.refused")[-1]["unmapped"]["claimed"] == [f"s-{n}" for n in range(5)]


# Fail closed


def act_register(door: Door) -> Callable[[], object]:
    return door.credential


def act_token(door: Door) -> Callable[[], object]:
    client = door.client(door.credential())
    return lambda: door.machines.issue_token(client, "", address=HERE)


def act_bind(door: Door) -> Callable[[], object]:
    return lambda: door.machines.bind_certificate(NHI, "ab" * 32)


@pytest.mark.parametrize("prepare", [act_register, act_token, act_bind])
def test_what_cannot_be_recorded_is_not_given(door: Door, prepare: Callable[[Door], Callable[[], object]]) -> None:
    act = prepare(door)

    def rows() -> dict[str, list[Any]]:
        with door.town.store.unit() as unit:
            return {
                table.name: sorted(map(tuple, unit.execute(select(table))))
                for table in Base.metadata.sorted_tables
                if table.name.startswith("access_machine_")
            }

    before = rows()
    door.town.ledger.down_for = ""
    with pytest.raises(ConnectionError):
        act()
    assert rows() == before
    door.town.ledger.down_for = None
    act()


def test_what_takes_away_happens_even_when_the_log_fails(door: Door) -> None:
    made = door.credential()
    token = door.token(credential=made)
    door.town.ledger.down_for = "machine.credential_revoked"
    with pytest.raises(ConnectionError):
        door.machines.revoke(NHI, made.client_id)
    assert door.refused(token) == "token_unknown"


def test_a_refusal_that_cannot_be_told_is_still_one(door: Door) -> None:
    door.town.ledger.down_for = ""
    with pytest.raises(ConnectionError):
        door.enter("wrong")
    door.town.ledger.down_for = None
    assert door.refused("wrong") == "token_unknown"
    assert [doc["unmapped"]["count"] for doc in door.docs("machine.refused")] == ["1"]


# Certificates


def test_a_certificate_proves_its_source(door: Door) -> None:
    made = certificate(door.now)
    binding = door.machines.bind_certificate(NHI, pem(made))
    shown = fingerprint_of(made)
    assert (binding.id, binding.kind, binding.expires_at) == (
        hashlib.sha256(made.public_bytes(Encoding.DER)).hexdigest(),
        BindingKind.CERTIFICATE,
        made.not_valid_after_utc,
    )
    machine = door.enter(fingerprint=shown)
    assert (machine.source, machine.how, machine.client_id) == (NHI, Proof.CERTIFICATE, None)
    with pytest.raises(SourceRefusedError):
        door.enter(fingerprint=shown, claimed=TAX)
    assert door.refused(fingerprint="cd" * 32) == "certificate_unknown"


def test_a_stolen_secret_alone_opens_nothing_once_a_certificate_is_bound(door: Door) -> None:
    token = door.token()
    door.machines.bind_certificate(NHI, "AB:" * 31 + "AB")
    assert door.refused(token) == "certificate_missing"
    assert door.refused(token, "cd" * 32) == "certificate_wrong"
    assert door.enter(token, "ab" * 32).how == Proof.TOKEN_AND_CERTIFICATE
    door.machines.revoke(NHI, "ab" * 32)
    assert door.enter(token).how == Proof.TOKEN


def test_a_token_and_another_source_s_certificate_do_not_go_together(door: Door) -> None:
    door.machines.bind_certificate(TAX, "ab" * 32)
    assert door.refused(door.token(NHI), "ab" * 32) == "certificate_of_other_source"
    assert door.enter(door.token(NHI), "cd" * 32).how == Proof.TOKEN  # one that the proxy passes on and nobody knows
    with pytest.raises(MachineRefusedError):  # a wrong token is not made good by a certificate
        door.enter("wrong", "ab" * 32, claimed=TAX)


def test_an_expired_certificate_still_demands_one(door: Door) -> None:
    made = certificate(door.now, days=1)
    door.machines.bind_certificate(NHI, pem(made))
    token = door.token()
    door.town.forward(days=1)
    assert door.refused(fingerprint=fingerprint_of(made)) == "certificate_unknown"
    assert door.refused(token, fingerprint_of(made)) == "token_unknown"
    assert door.refused(door.token(), fingerprint_of(made)) == "certificate_wrong"


def test_a_certificate_belongs_to_one_source(door: Door) -> None:
    door.machines.bind_certificate(NHI, "ab" * 32)
    for source in (NHI, TAX):
        with pytest.raises(MachineStateError) as caught:
            door.machines.bind_certificate(source, "ab" * 32)
        assert caught.value.reason == "taken"
    door.machines.revoke(NHI, "ab" * 32)
    assert door.machines.bind_certificate(TAX, "ab" * 32).source == TAX


def test_what_is_no_certificate_is_not_bound(door: Door) -> None:
    gone = certificate(door.now, days=-1)
    for given, reason in (("ab" * 31, "certificate"), ("", "certificate"), ("ключ", "certificate"),
                          (pem(gone), "certificate_expired")):  # fmt: skip
        with pytest.raises(MachineStateError) as caught:
            door.machines.bind_certificate(NHI, given)
        assert caught.value.reason == reason


# Signed batches

BATCH = b'{"time":"2026-10-05T09:00:00+09:00","activity":"view","actor":{"id":"s0412"}}\n'


def signed(door: Door, headers: dict[str, str], machine: Machine) -> str | None:
    return door.machines.expected_digest(
        machine, headers.get("content-digest", ""), headers.get("x-jws-signature", ""), address=HERE
    )


def test_a_source_with_a_key_must_sign(door: Door) -> None:
    machine, signer = door.enter(door.token()), Signer()
    assert signed(door, {}, machine) is None
    binding = door.machines.bind_signing_key(NHI, signer.public_pem)
    assert (binding.id, binding.kind) == (signer.kid, BindingKind.SIGNING_KEY)
    expected = hashlib.sha256(BATCH).hexdigest()
    assert signed(door, signer.headers(BATCH), machine) == expected
    assert signed(door, signer.headers(BATCH, alg="EdDSA"), machine) == expected
    door.machines.check_digest(machine, expected, expected, address=HERE)
    for missing in ({}, {"content-digest": digest_header(BATCH)}, {"x-jws-signature": "x..y"}):
        with pytest.raises(MachineRefusedError) as caught:
            signed(door, missing, machine)
        assert caught.value.reason == "signature_missing"
    door.machines.revoke(NHI, signer.kid)
    assert signed(door, {}, machine) is None


def test_t1_a_forged_signature_is_refused(door: Door) -> None:
    machine, signer, other, stranger = door.enter(door.token()), Signer(), Signer(), Signer()
    door.machines.bind_signing_key(NHI, json.dumps(signer.jwk))
    door.machines.bind_signing_key(TAX, other.public_pem)
    good = signer.headers(BATCH)
    head, _, tail = good["x-jws-signature"].partition("..")
    body = good["content-digest"]
    wrong = {
        "another batch": good | {"content-digest": digest_header(BATCH * 2)},
        "a space more": good | {"content-digest": body + " "},
        "the key of another source": other.headers(BATCH),
        "a key of nobody": stranger.headers(BATCH),
        "a stranger under our kid": stranger.headers(BATCH, kid=signer.kid),
        "no algorithm": signer.headers(BATCH, alg="none"),
        "a symmetric one": signer.headers(BATCH, alg="HS256"),
        "another curve": signer.headers(BATCH, alg="Ed448"),
        "kid as a path": signer.headers(BATCH, kid="../../dev/null"),
        "kid as a number": signer.headers(BATCH, kid=7),
        "a key brought along": signer.headers(BATCH, jwk=stranger.jwk),
        "an address of keys": signer.headers(BATCH, jku="https://evil.example/keys"),
        "critical": signer.headers(BATCH, crit=["b64"], b64=False),
        "not detached": good | {"x-jws-signature": f"{head}.e30.{tail}"},
        "no signature": good | {"x-jws-signature": f"{head}.."},
        "cut": good | {"x-jws-signature": good["x-jws-signature"][:-2]},
        "four parts": good | {"x-jws-signature": f"{head}..{tail}..{tail}"},
        "no header": good | {"x-jws-signature": f"..{tail}"},
        "not base64": good | {"x-jws-signature": "é..é"},
        "a list as header": good | {"x-jws-signature": f"WyJhbGciLCAia2lkIl0..{tail}"},
        "too long": good | {"x-jws-signature": f"{head}..{'A' * 2000}"},
    }
    for what, headers in wrong.items():
        with pytest.raises(MachineRefusedError) as caught:
            signed(door, headers, machine)
        assert caught.value.reason == "signature_wrong", what
    assert door.docs("batch.refused")[0]["activity"] == "security_event"


def test_the_bytes_must_be_those_announced(door: Door) -> None:
    """Also for a source that does not sign: the header then guards against damage on the way."""
    machine = door.enter(door.token())
    expected = signed(door, {"content-digest": f"sha-512=:{'A' * 86}==:, {digest_header(BATCH)}"}, machine)
    assert expected == hashlib.sha256(BATCH).hexdigest()
    with pytest.raises(DigestRefusedError):
        door.machines.check_digest(machine, expected, hashlib.sha256(b"").hexdigest(), address=HERE)
    assert door.docs("batch.refused")[0]["unmapped"]["reasons"] == ["digest_differs=1"]
    for unreadable in ("sha-256=", "sha-256=:AAAA:", "md5=:AAAA:", f"{digest_header(b'')}, {digest_header(BATCH)}"):
        with pytest.raises(DigestRefusedError):
            signed(door, {"content-digest": unreadable}, machine)


def test_what_is_no_public_key_of_this_kind_is_not_bound(door: Door) -> None:
    private = Ed25519PrivateKey.generate()
    private_pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    ec, ed448 = (
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        for key in (generate_private_key(SECP256R1()), Ed448PrivateKey.generate())
    )
    cases = {private_pem: "private_key", ec: "key", ed448: "key", "": "key", "{": "key", "{}": "key", "鍵": "key",
             '{"kty":"OKP","crv":"Ed25519","x":"AA"}': "key", '{"kty":"OKP","crv":"Ed25519","x":1}': "key"}  # fmt: skip
    for given, reason in cases.items():
        with pytest.raises(MachineStateError) as caught:
            door.machines.bind_signing_key(NHI, given)
        assert caught.value.reason == reason, given
    assert door.machines.bindings() == []


# Introspection and the end of a token


def test_a_client_learns_about_its_own_tokens_only(door: Door) -> None:
    mine, other = door.credential(NHI), door.credential(TAX)
    token = door.token(credential=mine)
    told = door.machines.introspect(token, Client(mine.client_id, NHI))
    assert told == {
        "active": True,
        "scope": "mimamori:access:decide mimamori:events:write",
        "client_id": mine.client_id,
        "token_type": "Bearer",
        "sub": NHI,
        "aud": ISSUER,
        "iss": ISSUER,
        "iat": int(door.now.timestamp()),
        "exp": int(door.now.timestamp()) + 600,
    }
    stranger = Client(other.client_id, TAX)
    assert door.machines.introspect(token, stranger) == {"active": False}
    door.machines.revoke_token(token, stranger, address=HERE)
    assert door.enter(token).source == NHI
    door.machines.revoke_token(token, Client(mine.client_id, NHI), address=HERE)
    assert door.refused(token) == "token_unknown"
    assert door.machines.introspect(token, Client(mine.client_id, NHI)) == {"active": False}
    assert len(door.docs("token.revoked")) == 1


# Rules


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "http://mimamori.example.lg.jp"},
        {"issuer": "mimamori.example.lg.jp"},
        {"issuer": "https://"},
        {"issuer": "https://mimamori.example.lg.jp/"},
        {"issuer": "https://mimamori.example.lg.jp?x=1"},
        {"token": timedelta(minutes=11)},
        {"token": timedelta(0)},
    ],
)
def test_weak_rules_are_refused_at_the_start(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"issuer|ten minutes"):
        MachineRules(**wrong)


@pytest.mark.both_engines
def test_one_assertion_is_good_once_among_twenty_at_a_time(door: Door) -> None:
    made = door.credential()
    assertion = OAuthClient(made.client_id, made.client_secret, ISSUER).assertion(door.now)
    start, outcomes = Barrier(20), list[str]()

    def use() -> None:
        start.wait()
        try:
            door.machines.client_by_assertion(assertion, address=HERE)
        except ClientRefusedError as error:
            outcomes.append(error.reason)
        else:
            outcomes.append("in")

    threads = [Thread(target=use) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == sorted(["in", *["assertion_replayed"] * 19])


def test_what_is_over_is_forgotten(door: Door) -> None:
    for _ in range(3):
        door.token()
        door.town.forward(hours=2)
    with door.town.store.unit() as unit:
        for table in ("access_machine_tokens", "access_machine_assertions"):
            assert len(unit.execute(select(Base.metadata.tables[table])).all()) == 1, table


def test_times_are_in_the_log_as_the_contract_says(door: Door) -> None:
    door.token()
    assert [doc["operation_name"] for doc in door.docs()] == ["machine.credential_issued", "token.issued"]
    issued, entered = door.docs()
    assert (issued["activity"], entered["activity"], entered["actor"]) == (
        "credential_issue",
        "login",
        {"kind": "system", "id": NHI},
    )
    assert datetime.fromisoformat(entered["time"]).astimezone(UTC) == door.now


def test_the_last_certificate_goes_only_when_the_log_says_so(door: Door) -> None:
    token, bound = door.token(), door.machines.bind_certificate(NHI, "ab" * 32)
    door.town.ledger.down_for = "machine.credential_revoked"
    with pytest.raises(ConnectionError):
        door.machines.revoke(NHI, bound.id)
    assert door.refused(token) == "certificate_missing", "without it the token alone would do"
    door.town.ledger.down_for = None
    door.machines.revoke(NHI, bound.id)
    assert door.enter(token).how is Proof.TOKEN
