"""The policy as data (E18), and what it says to a key (S15)."""

import os

import pytest
from authenticator import BE, BS, UP, UV, SoftAuthenticator
from hypothesis import given, settings
from hypothesis import strategies as st
from key_desk import Desk

from audit.access import Role
from audit.access.authenticators import (
    AuthenticatorPolicy,
    Conveyance,
    PolicyError,
    RegistrationRefusedError,
    format_policy,
    parse_policy,
)
from audit.access.authenticators.policy import STRICTEST, Biometric
from audit.access.strength import MODALITIES

MODEL = "a4e9fc6d-4cbe-4758-b8ba-37598bb5bbaa"


def test_a_policy_reads_back_as_it_is_written() -> None:
    policy = AuthenticatorPolicy(
        attestation=Conveyance.METADATA,
        models=frozenset({MODEL}),
        biometric=Biometric.ALWAYS,
        device_bound=frozenset(Role),
        rollback_refused=frozenset(),
        modalities={MODEL: frozenset({"palm_vein"})},
    )
    assert parse_policy(format_policy(policy)) == policy
    assert parse_policy("") == AuthenticatorPolicy()
    assert parse_policy(format_policy(AuthenticatorPolicy())) == AuthenticatorPolicy()
    assert parse_policy(format_policy(STRICTEST)) == STRICTEST


@pytest.mark.parametrize(
    "text",
    [
        "attestation = ",
        'attestation = "some"',
        "attestation = 1",
        'models = "any"',
        "models = [1]",
        'attestation = "metadata"\nmodels = ["yubikey"]',
        f'models = ["{MODEL}"]',
        'biometric = "sometimes"',
        'device_bound = ["boss"]',
        "device_bound = true",
        'rollback = "refuse"',
        "modalities = 3",
        f'[modalities]\n"{MODEL}" = ["handprint"]',
        '[modalities]\n"my key" = ["face"]',
        "a" + ".a" * 5000 + " = 1",
    ],
)
def test_E18_a_policy_that_cannot_be_meant_is_refused(text: str) -> None:
    with pytest.raises(PolicyError) as error:
        parse_policy(text)
    assert error.value.text("ja") != error.value.text("en")


@settings(deadline=None, max_examples=100)
@given(st.text() | st.from_regex(r"(attestation|models|device_bound|modalities) = .{0,20}", fullmatch=True))
def test_E18_no_file_raises_anything_else(text: str) -> None:
    try:
        policy = parse_policy(text)
    except PolicyError:
        return
    assert parse_policy(format_policy(policy)) == policy


def test_E18_the_last_good_policy_is_kept_over_a_start(desk: Desk) -> None:
    desk.write_policy('attestation = "none"')
    assert desk.service.policies.current() == parse_policy('attestation = "none"')
    assert (desk.last()["activity"], desk.last()["unmapped"]["version"]) == ("policy_change", "1")
    assert 'attestation = "direct"' in desk.last()["unmapped"]["old"]
    assert 'attestation = "none"' in desk.last()["unmapped"]["new"]
    for broken in ('attestation = "metadata', "\x00", 'attestation = "strong"'):
        desk.write_policy(broken)
        for service in (desk.service, desk.opened()):
            kept = service.policies.current()
            assert kept is not None
            assert kept.attestation is Conveyance.NONE
        assert desk.last()["operation_name"] == "authenticators.policy_broken"
        assert desk.last()["activity"] == "security_event"
    desk.policy_file.unlink()
    assert desk.opened().policies.current() == parse_policy('attestation = "none"')


def test_E18_a_broken_file_is_told_once_and_not_at_every_question(desk: Desk) -> None:
    desk.write_policy("broken")
    for _ in range(3):
        desk.service.policies.current()
    assert desk.ledger.operations() == ["authenticators.policy_broken"]


def test_E18_without_a_good_policy_nothing_is_enrolled(desk: Desk) -> None:
    account, key = desk.user(), SoftAuthenticator()
    desk.enrol(account, key)
    desk.write_policy("models = [")
    with pytest.raises(RegistrationRefusedError) as error:
        desk.enrol(account, SoftAuthenticator())
    assert error.value.reason == "no_policy"
    desk.prove(account, key)  # keys that are enrolled go on, judged by the strictest
    desk.policy_file.write_bytes(b"\xff\xfe")
    assert desk.opened().policies.current() is None
    desk.policy_file.unlink()
    desk.policy_file.mkdir()
    assert desk.opened().policies.current() is None
    desk.policy_file.rmdir()
    desk.write_policy("#" * (300 << 10))
    assert desk.opened().policies.current() is None


def test_a_changed_policy_holds_at_the_next_question_and_only_with_its_event(desk: Desk) -> None:
    assert desk.service.policies.current() == AuthenticatorPolicy()
    desk.write_policy('attestation = "metadata"')
    desk.ledger.down = True
    with pytest.raises(ConnectionError):
        desk.service.policies.current()
    desk.ledger.down = False
    current = desk.service.policies.current()
    assert current is not None
    assert current.attestation is Conveyance.METADATA
    assert desk.ledger.operations() == ["authenticators.policy_changed"]
    os.utime(desk.policy_file, (1, 1))  # written again as it was
    desk.service.policies.current()
    assert desk.ledger.operations() == ["authenticators.policy_changed"]
    desk.write_policy("")
    assert desk.service.policies.current() == AuthenticatorPolicy()
    assert desk.last()["unmapped"]["version"] == "2"


def test_roles_that_need_a_key_that_cannot_be_copied_are_the_policys(desk: Desk) -> None:
    desk.write_policy('device_bound = ["staff"]')
    synced = SoftAuthenticator(flags=UP | UV | BE | BS)
    with pytest.raises(RegistrationRefusedError):
        desk.enrol(desk.user(Role.STAFF), synced)
    assert not desk.enrol(desk.user(Role.ADMINISTRATOR), synced).device_bound


def test_no_policy_asks_for_no_attestation(desk: Desk) -> None:
    desk.write_policy('attestation = "none"')
    options = desk.service.begin_registration(desk.user(), "s0401", "係員", bound_to="s")
    assert options["attestation"] == "none"


def test_what_a_model_may_verify_is_a_word_of_the_factors() -> None:
    from audit.access.authenticators.metadata import _MODALITIES

    assert set(_MODALITIES.values()) <= MODALITIES
