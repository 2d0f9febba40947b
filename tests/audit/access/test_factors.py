"""Passwords, codes and sealing by themselves."""

from datetime import UTC, datetime, timedelta
from itertools import combinations

import pyotp
import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError
from argon2.profiles import CHEAPEST
from hypothesis import given
from hypothesis import strategies as st

from audit.access.errors import PasswordRefusedError
from audit.access.model import (
    ROLE_PERMISSIONS,
    Permission,
    Role,
    Viewer,
    display_name_of,
    login_id_of,
    permissions_of,
    within,
)
from audit.access.passwords import ARGON2_2026, Passwords, check_new_password
from audit.access.sealing import SecretBox
from audit.access.second_factor import new_secret, provisioning_uri, step_of_code
from audit.access.strength import Proof
from audit.access.throttle import network_of

# RFC 6238 appendix B, SHA-1: its 8 digits end in the 6 that authenticators show.
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
RFC_TABLE = [
    (59, "94287082"),
    (1111111109, "07081804"),
    (1111111111, "14050471"),
    (1234567890, "89005924"),
    (2000000000, "69279037"),
    (20000000000, "65353130"),
]
AT = datetime(2026, 10, 5, 0, 0, 10, tzinfo=UTC)
CODE = pyotp.TOTP(RFC_SECRET).at(AT)


@pytest.mark.parametrize(("seconds", "digits"), RFC_TABLE)
def test_codes_are_those_of_rfc_6238(seconds: int, digits: str) -> None:
    at = datetime.fromtimestamp(seconds, UTC)
    assert step_of_code(RFC_SECRET, digits[-6:], at) == seconds // 30


def test_a_code_lives_for_its_own_step_only() -> None:
    assert step_of_code(RFC_SECRET, CODE, AT + timedelta(seconds=19)) is not None
    assert step_of_code(RFC_SECRET, CODE, AT + timedelta(seconds=20)) is None
    assert step_of_code(RFC_SECRET, CODE, AT - timedelta(seconds=11)) is None


def test_full_width_digits_are_the_same_code() -> None:
    wide = CODE.translate({ord("0") + digit: ord("０") + digit for digit in range(10)})
    assert step_of_code(RFC_SECRET, wide, AT) == step_of_code(RFC_SECRET, CODE, AT)


@pytest.mark.parametrize(
    "typed", ["", CODE[:5], CODE + "0", f"{CODE[:3]} {CODE[3:]}", "9" * 5000, "\ud800", "\0", "None", "é" * 6]
)
def test_what_is_no_code_is_refused(typed: str) -> None:
    assert step_of_code(RFC_SECRET, typed, AT) is None


@given(st.text(st.characters(exclude_categories=[])))
def test_nothing_typed_raises(typed: str) -> None:
    assert step_of_code(RFC_SECRET, typed, AT) in {None, int(AT.timestamp()) // 30}


def test_secrets_have_160_bits_and_a_uri_for_the_authenticator() -> None:
    secret = new_secret()
    assert len(secret) == 32
    assert pyotp.parse_uri(provisioning_uri(secret, "s0412")).secret == secret
    assert "issuer=Mimamori" in provisioning_uri(secret, "s0412")


@pytest.mark.parametrize(
    "password",
    [
        "つばめが軒下に戻る春の朝に回覧板を届けるのは三丁目の犬である" * 3,
        " spaces at both ends ",
        "gorse-lantern-oyster",
        "月曜は可燃ごみの日だった",
        "x7" * 4 + "lantern!",
    ],
)
def test_any_composition_is_taken(password: str) -> None:
    check_new_password(password, "s0412")


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("eleven-char", "too_short"),
        ("long" * 65, "too_long"),
        ("gorse-lantern-\ud800", "not_text"),
        ("password1234!!", "common"),
        ("ｐａｓｓｗｏｒｄ２０２６", "common"),
        ("aaaaaaaaaaaaaaaa", "common"),
        ("abcdefghijklmnop", "common"),
        ("2026100520261005", "common"),
        ("123456789012!!", "common"),
        ("Mimamori-no-ki-2026", "context"),
        ("town 見守り service", "context"),
        ("hanako.s-lantern", "context"),
        ("S0412-and-lantern", "context"),
    ],
)
def test_what_is_easy_to_guess_is_not(password: str, reason: str) -> None:
    with pytest.raises(PasswordRefusedError) as refused:
        check_new_password(password, "s0412" if "0412" in password else "hanako.s")
    assert refused.value.reason == reason
    assert password not in str(refused.value)
    assert refused.value.text("ja") != refused.value.text("en")


def test_a_short_login_id_does_not_rule_out_every_password_that_holds_it() -> None:
    check_new_password("ab lantern oyster", "ab")


def test_passwords_are_verified_exactly_as_received() -> None:
    passwords = Passwords(CHEAPEST)
    stored = passwords.hash(" パスが長い 合言葉 ")
    assert passwords.verify(stored, " パスが長い 合言葉 ")
    assert not passwords.verify(stored, "パスが長い 合言葉")
    assert not passwords.verify(stored, " ハ\u309aスか\u3099長い 合言葉 ")  # the same to the eye
    assert not passwords.verify(passwords.hash("x" * 256), "x" * 257)
    assert not passwords.verify(stored, "\ud800")
    assert not passwords.verify(None, " パスが長い 合言葉 ")


def test_nobody_s_password_takes_the_work_of_anybody_s() -> None:
    """What stands for the hash of a user that is not there is refused by comparison, after all the work."""
    decoy = Passwords()._decoy
    assert extract_parameters(decoy) == ARGON2_2026
    with pytest.raises(VerifyMismatchError):
        PasswordHasher().verify(decoy, "gorse-lantern-oyster")
    assert decoy != Passwords()._decoy


def test_the_profile_is_the_one_named() -> None:
    stored = Passwords().hash("gorse-lantern-oyster")
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert not PasswordHasher.from_parameters(ARGON2_2026).check_needs_rehash(stored)
    assert Passwords(CHEAPEST).outdated(stored)


def test_a_sealed_secret_opens_only_where_it_was_put() -> None:
    box = SecretBox(b"k" * 32)
    sealed = box.seal(RFC_SECRET, "account:a")
    assert box.open(sealed, "account:a") == RFC_SECRET
    assert sealed != box.seal(RFC_SECRET, "account:a")
    for other, place in [(box, "account:b"), (SecretBox(b"K" * 32), "account:a")]:
        with pytest.raises(ValueError, match="does not open"):
            other.open(sealed, place)
    for index in range(len(sealed)):
        bent = bytearray(sealed)
        bent[index] ^= 1
        with pytest.raises(ValueError, match="does not open"):
            box.open(bytes(bent), "account:a")
    with pytest.raises(ValueError, match="does not open"):
        box.open(b"", "account:a")
    with pytest.raises(ValueError, match="32 bytes"):
        SecretBox(b"short")


@given(st.text(st.characters(exclude_categories=[])))
def test_login_ids_have_one_stored_form(typed: str) -> None:
    name = login_id_of(typed)
    assert name is None or login_id_of(name) == name


def test_login_ids_and_names_hold_no_individual_number() -> None:
    assert login_id_of("s0412") == "s0412"
    assert login_id_of("か\u3099") == "が"
    assert login_id_of("S0412") != login_id_of("s0412")
    for bad in ["", "a b", "a\0", "1" * 12, "s" + "１" * 12, "a" * 65, "<b>", "\ud800"]:
        assert login_id_of(bad) is None
    assert display_name_of(" 係員0412 ") == "係員0412"
    for bad in [" ", "a\nb", "9" * 12, "x" * 101, "\u202e"]:
        assert display_name_of(bad) is None


def test_an_ipv6_place_is_its_64() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff") != network_of("2001:db8:0:1::1")
    assert network_of("::ffff:10.3.1.31") == network_of("10.3.1.31")
    assert network_of("testclient") == "testclient"


def test_time_that_went_back_is_not_young() -> None:
    life = timedelta(minutes=1)
    assert within(AT, AT - timedelta(seconds=5), life)
    assert not within(AT, AT - timedelta(seconds=6), life)
    assert not within(AT, AT + life, life)


def test_roles_grant_what_the_table_says() -> None:
    assert set(ROLE_PERMISSIONS) == set(Role)
    managers = {role for role, held in ROLE_PERMISSIONS.items() if Permission.ADMIN_USER_MANAGE in held}
    searchers = {role for role, held in ROLE_PERMISSIONS.items() if Permission.EVENTS_EVENT_SEARCH in held}
    assert managers == {Role.SECURITY_ADMINISTRATOR}
    assert searchers == {Role.SECURITY_ADMINISTRATOR, Role.AUDITOR}
    sensitive = ("admin:", "alerts:", "boards:", "events:", "sources:")
    assert not any(permission.startswith(sensitive) for permission in ROLE_PERMISSIONS[Role.STAFF])
    tuners = {role for role, held in ROLE_PERMISSIONS.items() if Permission.DETECTORS_DETECTOR_TUNE in held}
    assert tuners == {Role.DETECTION_ENGINEER}
    assert list(Permission) == sorted(Permission)
    assert list(Role) == sorted(Role)


def test_no_combination_of_roles_joins_tuning_and_cases() -> None:
    for others in combinations(set(Role) - {Role.DETECTION_ENGINEER}, 2):
        held = permissions_of(frozenset({Role.DETECTION_ENGINEER, *others}))
        assert (Permission.DETECTORS_DETECTOR_TUNE in held) == (Role.SECURITY_ADMINISTRATOR not in others)


def test_nobody_else_makes_a_viewer() -> None:
    with pytest.raises(TypeError, match="authenticate"):
        Viewer(
            account_id="a",
            login_id="a",
            display_name="a",
            roles=frozenset(Role),
            permissions=frozenset(Permission),
            session_id="s",
            second_factor_at=AT,
            proof=Proof(factors=frozenset({"password", "totp"}), at=AT),
            previous_sign_in_at=None,
            failures_before=0,
            language="ja",
            address="10.3.1.31",
            terminal_id="",
            seal=object(),
        )
