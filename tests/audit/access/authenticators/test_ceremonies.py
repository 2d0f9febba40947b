"""Enrolling and proving, as it should be and bent in every way (S6-S14, S17)."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from authenticator import BE, BS, UP, UV, Bent, SoftAuthenticator, b64, unb64
from key_desk import BOUND, HERE, Desk

from audit.access import Role
from audit.access.authenticators import (
    AssertionRefusedError,
    AuthenticatorStateError,
    By,
    Purpose,
    RegistrationRefusedError,
    RelyingParty,
)
from audit.access.authenticators.use_cases import key_name_of
from audit.access.strength import Acr, FactorPolicy
from audit.access.tables import AccountRow

ORIGINS = [
    "http://evil.example",
    "http://www.localhost:8000",
    "https://localhost:8000",
    "http://localhost:8001",
    "http://localhost",
    "http://localhost:8000/",
    "http://localhost:8000.evil.example",
    "http://loca1host:8000",
    "http://xn--lcalhost-3vg:8000",
    "null",
    "",
]


def refused(desk: Desk, account: str, key: SoftAuthenticator, bent: Bent) -> str:
    before = desk.row(key).sign_count
    with pytest.raises(AssertionRefusedError) as error:
        desk.prove(account, key, bent)
    assert desk.row(key).sign_count == before
    assert desk.row(key).last_used_at is None
    assert desk.last()["operation_name"] == f"authenticator.{error.value.reason}"
    assert desk.last()["outcome"] != "success"
    return error.value.reason


def not_enrolled(desk: Desk, key: SoftAuthenticator, bent: Bent) -> str:
    account = desk.user()
    with pytest.raises(RegistrationRefusedError) as error:
        desk.enrol(account, key, bent)
    assert desk.service.authenticators_of(account) == ()
    assert desk.last()["operation_name"] == f"authenticator.enrolment_refused.{error.value.reason}"
    assert error.value.text("ja") != error.value.text("en")
    return error.value.reason


@pytest.mark.parametrize("attestation", ["none", "self"])
def test_a_key_is_enrolled_and_proves_whose_it_is(desk: Desk, attestation: str) -> None:
    account, key = desk.user(Role.AUDITOR), SoftAuthenticator(attestation=attestation)
    shown = desk.enrol(account, key)
    assert desk.last()["activity"] == "credential_issue"
    assert desk.last()["target"] == {"id": "s0401"}
    desk.forward(minutes=1)
    asserted = desk.prove(account, key, purpose=Purpose.SIGN_IN)
    assert (asserted.account_id, asserted.authenticator_id, asserted.sign_count) == (account, shown.id, 1)
    assert asserted.device_bound
    assert asserted.user_verified
    proof = asserted.proof(frozenset({"password"}))
    assert (proof.acr, proof.device_bound, proof.at) == (Acr.USER_VERIFIED, True, desk.clock.now())
    assert FactorPolicy.parse("password+totp").met_by(proof)
    assert not FactorPolicy.parse("biometric").met_by(proof)
    (listed,) = desk.service.authenticators_of(account)
    assert (listed.name, listed.last_used_at, listed.biometric) == ("鍵", desk.clock.now(), False)


def test_options_ask_for_a_discoverable_key_that_verifies_its_user(desk: Desk) -> None:
    account, key = desk.user(), SoftAuthenticator()
    desk.enrol(account, key)
    options = desk.service.begin_registration(account, "s0412", "係員", bound_to=BOUND)
    chosen = options["authenticatorSelection"]
    assert (chosen["residentKey"], chosen["userVerification"]) == ("required", "required")
    assert unb64(options["user"]["id"]) == account.encode()
    assert [item["id"] for item in options["excludeCredentials"]] == [b64(key.credential_id)]
    assert options["attestation"] == "direct"
    assert len(unb64(options["challenge"])) >= 32
    asked = desk.service.begin_assertion(Purpose.STEP_UP, bound_to=BOUND, account_id=account)
    assert [item["id"] for item in asked["allowCredentials"]] == [b64(key.credential_id)]
    assert asked["userVerification"] == "required"
    anonymous = desk.service.begin_assertion(Purpose.SIGN_IN, bound_to=BOUND)
    assert not anonymous.get("allowCredentials")
    for purpose, whose in [(Purpose.SIGN_IN, account), (Purpose.UNLOCK, None), (Purpose.ENROL, account)]:
        with pytest.raises(ValueError, match="names"):
            desk.service.begin_assertion(purpose, bound_to=BOUND, account_id=whose)
    with pytest.raises(ValueError, match="belongs to"):
        desk.service.begin_assertion(Purpose.SIGN_IN, bound_to="")


@pytest.mark.both_engines
def test_S6_a_challenge_is_good_once(desk: Desk) -> None:
    account, key = desk.user(), SoftAuthenticator(counts=False)
    options = desk.service.begin_registration(account, "s0412", "係員", bound_to=BOUND)
    response = key.create(options)
    desk.service.finish_registration(account, response, name="鍵", bound_to=BOUND, by=HERE)
    with pytest.raises(RegistrationRefusedError, match="Start again"):
        desk.service.finish_registration(account, response, name="鍵", bound_to=BOUND, by=HERE)
    options = desk.service.begin_assertion(Purpose.STEP_UP, bound_to=BOUND, account_id=account)
    response = key.get(options)
    desk.service.finish_assertion(Purpose.STEP_UP, response, bound_to=BOUND, account_id=account, by=HERE)
    with pytest.raises(AssertionRefusedError) as error:
        desk.service.finish_assertion(Purpose.STEP_UP, response, bound_to=BOUND, account_id=account, by=HERE)
    assert error.value.reason == "challenge_unknown"


@pytest.mark.both_engines
def test_S6_one_of_many_answers_at_once_wins(desk: Desk) -> None:
    account, key = desk.user(), SoftAuthenticator(counts=False)
    desk.enrol(account, key)
    options = desk.service.begin_assertion(Purpose.STEP_UP, bound_to=BOUND, account_id=account)
    response = key.get(options)

    def answer(_turn: int) -> str:
        try:
            desk.service.finish_assertion(Purpose.STEP_UP, response, bound_to=BOUND, account_id=account, by=HERE)
        except AssertionRefusedError as error:
            return error.reason
        return "proved"

    with ThreadPoolExecutor(8) as pool:
        ends = sorted(pool.map(answer, range(8)))
    assert ends == ["challenge_unknown"] * 7 + ["proved"]


def test_S6_a_failed_answer_uses_the_challenge_up_too(desk: Desk) -> None:
    account, key = desk.user(), SoftAuthenticator()
    desk.enrol(account, key)
    options = desk.service.begin_assertion(Purpose.STEP_UP, bound_to=BOUND, account_id=account)
    reasons = []
    for response in (key.get(options, Bent(clear_flags=UV)), key.get(options)):
        with pytest.raises(AssertionRefusedError) as error:
            desk.service.finish_assertion(Purpose.STEP_UP, response, bound_to=BOUND, account_id=account, by=HERE)
        reasons.append(error.value.reason)
    assert reasons == ["user_not_verified", "challenge_unknown"]


@pytest.mark.parametrize(
    ("seconds", "reason"), [(120, "challenge_expired"), (241, "challenge_unknown"), (-6, "challenge_expired")]
)
def test_S6_a_challenge_lives_two_minutes(desk: Desk, seconds: int, reason: str) -> None:
    account, key = desk.user(), SoftAuthenticator()
    desk.enrol(account, key)
    options = desk.service.begin_assertion(Purpose.UNLOCK, bound_to=BOUND, account_id=account)
    desk.forward(seconds=seconds)
    desk.service.begin_assertion(Purpose.UNLOCK, bound_to=BOUND, account_id=account)  # others go on
    with pytest.raises(AssertionRefusedError) as error:
        desk.service.finish_assertion(Purpose.UNLOCK, key.get(options), bound_to=BOUND, account_id=account, by=HERE)
    assert error.value.reason == reason
    assert desk.last()["activity"] == "unlock"


def test_S7_a_challenge_is_good_for_what_it_was_given_for_alone(desk: Desk) -> None:
    mine, other = desk.user(), desk.user()
    key, foreign = SoftAuthenticator(), SoftAuthenticator()
    desk.enrol(mine, key)
    desk.enrol(other, foreign)
    step_up = Purpose.STEP_UP

    def reason(purpose: Purpose, account: str | None, bound_to: str, response: str) -> str:
        with pytest.raises(AssertionRefusedError) as error:
            desk.service.finish_assertion(purpose, response, bound_to=bound_to, account_id=account, by=HERE)
        return error.value.reason

    def asked(purpose: Purpose = step_up, account: str | None = mine) -> dict[str, object]:
        return desk.service.begin_assertion(purpose, bound_to=BOUND, account_id=account)

    assert reason(step_up, other, BOUND, foreign.get(asked())) == "challenge_wrong_account"
    assert reason(Purpose.UNLOCK, mine, BOUND, key.get(asked())) == "challenge_wrong_purpose"
    assert reason(step_up, mine, "session-2", key.get(asked())) == "challenge_wrong_session"
    assert reason(Purpose.SIGN_IN, None, BOUND, key.get(asked())) == "challenge_wrong_purpose"
    assert reason(step_up, mine, BOUND, key.get(asked(Purpose.SIGN_IN, None))) == "challenge_wrong_purpose"
    enrolling = desk.service.begin_registration(mine, "s0412", "係員", bound_to=BOUND)
    assert reason(step_up, mine, BOUND, key.get(enrolling | {"rpId": "localhost"})) == "challenge_wrong_purpose"
    options = desk.service.begin_registration(mine, "s0412", "係員", bound_to=BOUND)
    with pytest.raises(RegistrationRefusedError) as error:
        desk.service.finish_registration(other, SoftAuthenticator().create(options), name="鍵", bound_to=BOUND, by=HERE)
    assert error.value.reason == "challenge_wrong_account"


def test_S7_a_key_answers_for_its_own_account(desk: Desk) -> None:
    mine, other = desk.user(), desk.user()
    key = SoftAuthenticator()
    desk.enrol(mine, key)
    options = desk.service.begin_assertion(Purpose.STEP_UP, bound_to=BOUND, account_id=other)
    with pytest.raises(AssertionRefusedError) as error:
        desk.service.finish_assertion(Purpose.STEP_UP, key.get(options), bound_to=BOUND, account_id=other, by=HERE)
    assert error.value.reason == "credential_not_allowed"
    assert refused(desk, mine, key, Bent(user_handle=other.encode())) == "wrong_user_handle"
    assert refused(desk, mine, key, Bent(credential_id=b"x" * 32)) == "unknown_credential"
    with pytest.raises(AssertionRefusedError) as error:
        desk.prove(mine, key, Bent(user_handle=b""), Purpose.SIGN_IN)
    assert error.value.reason == "user_handle_missing"
    desk.prove(mine, key, Bent(user_handle=b""))


@pytest.mark.parametrize("origin", ORIGINS)
def test_S8_only_the_exact_origin_is_ours(desk: Desk, origin: str) -> None:
    account, key = desk.user(), SoftAuthenticator()
    assert not_enrolled(desk, key, Bent(client={"origin": origin})) == "wrong_origin"
    desk.enrol(account, key)
    assert refused(desk, account, key, Bent(client={"origin": origin})) == "wrong_origin"


@pytest.mark.parametrize(
    ("bent", "reason"),
    [
        (Bent(rp_id="evil.example"), "wrong_rp"),
        (Bent(rp_id="LOCALHOST"), "wrong_rp"),
        (Bent(client={"crossOrigin": True}), "cross_origin"),
        (Bent(client={"crossOrigin": "false"}), "cross_origin"),
        (Bent(client={"topOrigin": "http://localhost:8000"}), "cross_origin"),
        (Bent(client={"type": "webauthn.payment"}), "wrong_type"),
        (Bent(clear_flags=UV), "user_not_verified"),
        (Bent(clear_flags=UP), "user_not_present"),
        (Bent(set_flags=BS), "backup_state"),
        (Bent(client={"challenge": b64(b"c" * 32)}), "challenge_unknown"),
        (Bent(client={"challenge": 7}), "malformed"),
        (Bent(client={"origin": None}), "malformed"),
        (Bent(document=lambda raw: raw + b"\0"), "malformed"),
        (Bent(document=lambda raw: raw[:-1]), "malformed"),
    ],
)
def test_S9_S10_S11_what_is_bent_is_refused_with_its_word(desk: Desk, bent: Bent, reason: str) -> None:
    account, key = desk.user(), SoftAuthenticator()
    assert not_enrolled(desk, key, bent) == reason
    desk.enrol(account, key)
    assert refused(desk, account, key, bent) == reason


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR, Role.AUDITOR])
def test_S12_a_copied_key_of_a_privileged_user_is_refused(desk: Desk, role: Role) -> None:
    account, key = desk.user(role), SoftAuthenticator()
    desk.enrol(account, key)
    copy = key.clone()
    desk.prove(account, key)
    desk.prove(account, key)
    for behind in (1, 2):  # less, then equal
        copy.sign_count = behind - 1
        with pytest.raises(AssertionRefusedError) as error:
            desk.prove(account, copy)
        assert error.value.reason == "sign_count_rollback"
        assert desk.row(key).sign_count == 2
        told = desk.last()
        assert (told["activity"], told["outcome"]) == ("security_event", "denied")
        assert (told["unmapped"]["sign_count"], told["unmapped"]["stored_count"]) == (str(behind), "2")
    assert desk.prove(account, key).sign_count == 3


def test_S12_for_others_a_copied_key_is_a_risk_that_is_told_first(desk: Desk) -> None:
    account, key = desk.user(Role.STAFF), SoftAuthenticator()
    desk.enrol(account, key)
    copy = key.clone()
    desk.prove(account, key)
    desk.forward(seconds=5)
    asserted = desk.prove(account, copy)
    assert asserted.notes == ("sign_count_rollback",)
    assert desk.row(key).sign_count == 1
    assert (desk.last()["activity"], desk.last()["actor"]["id"]) == ("security_event", "s0401")
    used = desk.row(key).last_used_at
    desk.ledger.down = True
    copy.sign_count = 0
    desk.forward(seconds=5)
    with pytest.raises(ConnectionError):
        desk.prove(account, copy)
    assert desk.row(key).last_used_at == used


def test_S12_the_policy_says_who_is_refused(desk: Desk) -> None:
    desk.write_policy('rollback_refused = ["staff"]')
    staff, auditor = desk.user(Role.STAFF), desk.user(Role.AUDITOR)
    for account, passes in ((staff, False), (auditor, True)):
        key = SoftAuthenticator()
        desk.enrol(account, key)
        desk.prove(account, key)
        if passes:
            assert desk.prove(account, key, Bent(sign_count=1)).notes
        else:
            with pytest.raises(AssertionRefusedError):
                desk.prove(account, key, Bent(sign_count=1))


def test_S12_a_key_that_does_not_count_is_no_copy_until_it_has_counted(desk: Desk) -> None:
    account, key = desk.user(Role.AUDITOR), SoftAuthenticator(counts=False)
    desk.enrol(account, key)
    assert desk.prove(account, key).sign_count == desk.prove(account, key).sign_count == 0
    desk.prove(account, key, Bent(sign_count=7))
    with pytest.raises(AssertionRefusedError) as error:
        desk.prove(account, key)
    assert error.value.reason == "sign_count_rollback"


@pytest.mark.both_engines
def test_S12_of_two_copies_that_answer_at_once_one_counts_up(desk: Desk) -> None:
    account, key = desk.user(Role.AUDITOR), SoftAuthenticator()
    desk.enrol(account, key)
    copies = [key.clone() for _ in range(4)]

    def answer(copy: SoftAuthenticator) -> str:
        try:
            desk.prove(account, copy)
        except AssertionRefusedError as error:
            return error.reason
        return "proved"

    with ThreadPoolExecutor(4) as pool:
        ends = sorted(pool.map(answer, copies))
    assert ends == ["proved"] + ["sign_count_rollback"] * 3


def test_S13_a_wrong_signature_never_looks_like_a_copied_key(desk: Desk) -> None:
    account, key = desk.user(Role.AUDITOR), SoftAuthenticator()
    desk.enrol(account, key)
    stranger = SoftAuthenticator(credential_id=key.credential_id, user_handle=account.encode())
    for count in (0, 2**32 - 1):
        assert refused(desk, account, stranger, Bent(sign_count=count)) == "signature"
        assert desk.last()["activity"] == "login"
    assert refused(desk, account, stranger, Bent(set_flags=BE)) == "signature"
    assert refused(desk, account, key, Bent(signature=lambda raw: raw[:-1] + bytes([raw[-1] ^ 1]))) == "signature"
    assert refused(desk, account, key, Bent(signature=lambda _raw: b"")) == "signature"
    assert "sign_count" not in " ".join(desk.ledger.operations())


def test_S14_a_key_that_becomes_copyable_or_uncopyable_is_refused_and_told(desk: Desk) -> None:
    for flags in (UP | UV, UP | UV | BE | BS):
        account, key = desk.user(), SoftAuthenticator(flags=flags)
        desk.enrol(account, key)
        key.flags ^= BE
        key.flags &= ~BS
        assert refused(desk, account, key, Bent()) == "backup_eligibility_changed"
        assert desk.last()["activity"] == "security_event"


def test_a_synced_passkey_is_not_for_administrators(desk: Desk) -> None:
    key = SoftAuthenticator(flags=UP | UV | BE | BS)
    administrator = desk.user(Role.ADMINISTRATOR, Role.STAFF)
    with pytest.raises(RegistrationRefusedError) as error:
        desk.enrol(administrator, key)
    assert error.value.reason == "not_device_bound"
    staff = desk.user(Role.STAFF)
    desk.enrol(staff, key)
    assert not desk.prove(staff, key).device_bound
    with desk.store.unit() as unit:  # promoted
        unit.get_one(AccountRow, staff).roles = "auditor"
    with pytest.raises(AssertionRefusedError) as refusal:
        desk.prove(staff, key)
    assert refusal.value.reason == "not_device_bound"


@pytest.mark.both_engines
def test_S17_a_credential_belongs_to_one_account_for_ever(desk: Desk) -> None:
    mine, other = desk.user(), desk.user()
    key = SoftAuthenticator(credential_id=b"i" * 1023)
    shown = desk.enrol(mine, key)
    twin = SoftAuthenticator(credential_id=key.credential_id)
    for account in (other, mine):
        with pytest.raises(RegistrationRefusedError) as error:
            desk.enrol(account, twin)
        assert error.value.reason == "already_enrolled"
    desk.service.revoke(mine, shown.id, by=HERE)
    with pytest.raises(RegistrationRefusedError):
        desk.enrol(other, twin)


@pytest.mark.both_engines
def test_S17_two_that_enrol_one_credential_at_once_do_not_both_win(desk: Desk) -> None:
    accounts = [desk.user(), desk.user()]
    news = []
    for account in accounts:
        options = desk.service.begin_registration(account, "s0412", "係員", bound_to=BOUND)
        response = SoftAuthenticator(credential_id=b"i" * 32).create(options)
        roles = frozenset({Role.STAFF})
        news.append(desk.service.check_registration(account, response, roles=roles, bound_to=BOUND, by=HERE))
    with desk.store.unit() as unit:
        desk.service.add(unit, news[0], name="鍵", by=HERE)
    with pytest.raises(RegistrationRefusedError), desk.store.unit() as unit:
        desk.service.add(unit, news[1], name="鍵", by=HERE)
    assert desk.service.authenticators_of(accounts[1]) == ()


@pytest.mark.parametrize("length", [0, 1024, 5000])
def test_S17_a_credential_id_has_1_to_1023_bytes(desk: Desk, length: int) -> None:
    key = SoftAuthenticator()
    key.credential_id = b"i" * length
    assert not_enrolled(desk, key, Bent()) == "credential_id_length"


@pytest.mark.parametrize("name", ["", " ", "x" * 61, "a\nb", "\u202e"])
def test_a_key_has_a_name_that_can_be_read(name: str) -> None:
    with pytest.raises(AuthenticatorStateError):
        key_name_of(name)


def test_no_number_becomes_the_name_of_a_key() -> None:
    assert "123456789018" not in key_name_of(" 予備の鍵 123456789018 ")


def test_a_revoked_key_proves_nothing_and_others_keys_are_not_touched(desk: Desk) -> None:
    mine, other = desk.user(Role.AUDITOR), desk.user()
    key, foreign = SoftAuthenticator(), SoftAuthenticator()
    shown, theirs = desk.enrol(mine, key), desk.enrol(other, foreign)
    by = By(actor="s0401", address="10.3.1.31", session="s")
    for account, wanted in ((mine, theirs.id), (other, shown.id), (mine, "nothing")):
        with pytest.raises(AuthenticatorStateError):
            desk.service.revoke(account, wanted, by=by)
    desk.service.revoke(mine, shown.id, by=by)
    assert (desk.last()["activity"], desk.last()["target"]["id"]) == ("revoke", "s0401")
    assert refused(desk, mine, key, Bent()) == "unknown_credential"
    with desk.store.unit() as unit:
        assert desk.service.revoke_all(unit, other) == (theirs.id,)
    assert refused(desk, other, foreign, Bent()) == "unknown_credential"


def test_a_disabled_account_proves_nothing(desk: Desk) -> None:
    account, key = desk.user(), SoftAuthenticator()
    desk.enrol(account, key)
    with desk.store.unit() as unit:
        unit.get_one(AccountRow, account).disabled_at = desk.clock.now()
    assert refused(desk, account, key, Bent()) == "account_disabled"


def test_no_key_is_enrolled_without_its_event(desk: Desk) -> None:
    account, key = desk.user(), SoftAuthenticator()
    options = desk.service.begin_registration(account, "s0412", "係員", bound_to=BOUND)
    response = key.create(options)
    desk.ledger.down = True
    with pytest.raises(ConnectionError):
        desk.service.finish_registration(account, response, name="鍵", bound_to=BOUND, by=HERE)
    assert desk.service.authenticators_of(account) == ()


def test_an_account_has_at_most_twenty_keys(desk: Desk) -> None:
    account = desk.user()
    for _ in range(20):
        desk.enrol(account, SoftAuthenticator())
    with pytest.raises(RegistrationRefusedError) as error:
        desk.enrol(account, SoftAuthenticator())
    assert error.value.reason == "too_many"


def test_every_reason_reads_the_same_to_who_is_refused() -> None:
    assert AssertionRefusedError("signature").text("ja") == AssertionRefusedError("unknown_credential").text("ja")
    assert AssertionRefusedError("signature").text("en") != AssertionRefusedError("signature").text("ja")


@pytest.mark.parametrize(
    ("url", "host", "origin"),
    [
        ("https://mimamori.example.lg.jp", "mimamori.example.lg.jp", "https://mimamori.example.lg.jp"),
        ("https://Mimamori.example.lg.jp:443/", "mimamori.example.lg.jp", "https://mimamori.example.lg.jp"),
        ("https://mimamori.example.lg.jp:8443", "mimamori.example.lg.jp", "https://mimamori.example.lg.jp:8443"),
        ("http://localhost:80", "localhost", "http://localhost"),
        ("https://日本語.jp", "xn--wgv71a119e.jp", "https://xn--wgv71a119e.jp"),
    ],
)
def test_the_relying_party_is_the_address_as_browsers_write_it(url: str, host: str, origin: str) -> None:
    party = RelyingParty.of(url)
    assert (party.id, party.origins) == (host, (origin,))
    with pytest.raises(ValueError, match="http"):
        RelyingParty.of(url.replace("http", "ftp", 1))


def test_ways_to_reach_a_key_are_kept_once(desk: Desk) -> None:
    account, key = desk.user(), SoftAuthenticator()
    options = desk.service.begin_registration(account, "s0412", "係員", bound_to=BOUND)
    response = json.loads(key.create(options, Bent()))
    response["response"]["transports"] = ["usb", "nfc", "usb"] * 200
    desk.service.finish_registration(account, json.dumps(response), name="鍵", bound_to=BOUND, by=HERE)
    assert desk.row(key).transports == "nfc usb"
