"""One's own factors, resets by two people, recovery codes, and passwords that are too old."""

import unicodedata
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from authenticator import SoftAuthenticator

from audit.access import (
    AccessError,
    AccountStateError,
    CodeRefusedError,
    ForbiddenError,
    LinkRefusedError,
    PasswordOverdue,
    PasswordRefusedError,
    Role,
    SecondSession,
    SignedIn,
    SignInRefusedError,
    StepUpRequiredError,
    Viewer,
)
from audit.access.authenticators import AuthenticatorStateError, RegistrationRefusedError
from audit.access.passwords import check_new_password
from audit.access.strength import Acr

if TYPE_CHECKING:
    from sign_in_town import Town

HERE, THERE = "10.3.1.31", "10.3.1.40"
OLD, NEW = "ツバメ correct staple 42", "gorse-lantern-oyster"


def test_every_change_asks_for_a_fresh_factor(town: "Town") -> None:
    town.user()
    viewer = town.viewer()
    town.forward(minutes=5)
    acts: list[Callable[[], object]] = [
        lambda: town.access.change_password(viewer, OLD, NEW, address=HERE),
        lambda: town.access.begin_app(viewer),
        lambda: town.access.finish_app(viewer, "", "", address=HERE),
        lambda: town.access.remove_app(viewer, address=HERE),
        lambda: town.access.begin_key(viewer),
        lambda: town.access.add_key(viewer, "", name="", address=HERE),
        lambda: town.access.remove_key(viewer, "", address=HERE),
        lambda: town.access.new_recovery_codes(viewer, address=HERE),
    ]
    for act in acts:
        with pytest.raises(StepUpRequiredError):
            act()


def test_the_password_changes_with_the_old_one_and_other_ways_in_end(town: "Town") -> None:
    town.user()
    viewer = town.viewer()
    waiting = town.ticket(address=THERE)
    with pytest.raises(SignInRefusedError):
        town.access.change_password(viewer, "wrong", NEW, address=HERE)
    for bad, reason in ((OLD, "same"), ("short", "too_short"), ("s0412-s0412-s0412", "context")):
        with pytest.raises(PasswordRefusedError) as caught:
            town.access.change_password(viewer, OLD, bad, address=HERE)
        assert caught.value.reason == reason
    town.access.change_password(viewer, OLD, NEW, address=HERE)
    assert (town.ledger.docs[-1]["activity"], town.ledger.operations()[-1]) == (
        "credential_reset",
        "account.password_changed",
    )
    with pytest.raises(SignInRefusedError):
        town.access.finish_sign_in(waiting, town.code(), address=THERE)
    with pytest.raises(SignInRefusedError):
        town.ticket()
    assert town.access.begin_sign_in("s0412", NEW, address=HERE)
    assert town.access.own_account(viewer).password_since == town.clock.now()


def test_the_last_second_factor_stays(town: "Town") -> None:
    town.user()
    key = town.key()
    viewer = town.sign_in_again_as_viewer()
    (shown,) = town.access.own_account(viewer).keys
    assert (shown.name, shown.biometric) == ("鍵", False)
    with pytest.raises(AuthenticatorStateError):
        town.access.remove_key(viewer, "somebody's", address=HERE)
    town.access.remove_app(viewer, address=HERE)
    removed = town.ledger.docs[-1]
    assert (removed["operation_name"], removed["old"], removed["new"]) == ("app.removed", "totp", "")
    with pytest.raises(AccountStateError) as caught:
        town.access.remove_key(viewer, shown.id, address=HERE)
    assert caught.value.reason == "last_factor"
    assert town.access.methods_of(viewer.account_id) == ("key",)
    _, _, sealed = town.access.begin_app(viewer)
    with pytest.raises(CodeRefusedError):
        town.access.finish_app(viewer, sealed, "000000", address=HERE)
    secret, _, sealed = town.access.begin_app(viewer)
    town.access.finish_app(viewer, sealed, town.code(secret), address=HERE)
    town.access.remove_key(viewer, shown.id, address=HERE)
    with pytest.raises(AccountStateError):
        town.access.remove_app(viewer, address=HERE)
    with pytest.raises(SignInRefusedError):
        town.key_alone(key)


def test_the_secret_of_an_app_belongs_to_the_session_it_was_made_in(town: "Town") -> None:
    town.user()
    town.user("s0413")
    viewer, other = town.viewer(), town.viewer("s0413")
    secret, _, sealed = town.access.begin_app(viewer)
    for wrong in (sealed, "zz", "", "00" * 40):
        with pytest.raises(CodeRefusedError):
            town.access.finish_app(other, wrong, town.code(secret), address=HERE)


def test_enrolment_with_a_key_alone(town: "Town") -> None:
    token = town.access.create_enrolment_link()
    chosen = {"login_id": "admin01", "display_name": "情報政策課"}
    options = town.access.begin_key_enrolment(token, **chosen, address=THERE)
    key = SoftAuthenticator()
    answer = key.create(options)
    with pytest.raises(RegistrationRefusedError):
        town.access.complete_enrolment(token, **chosen, password=NEW, key="{}", address=THERE)
    done = town.access.complete_enrolment(token, **chosen, password=NEW, key=answer, address=THERE)
    assert len(done.recovery_codes) == 10
    assert not any(code in repr(done) or code in repr(town.ledger.docs) for code in done.recovery_codes)
    created = next(doc for doc in town.ledger.docs if doc["operation_name"] == "account.created")
    assert created["auth"]["factors"] == ["password", "webauthn"]
    opened = town.key_alone(key)
    assert isinstance(opened, SignedIn)
    assert opened.session.proof.acr is Acr.USER_VERIFIED
    begun = town.access.begin_sign_in("admin01", NEW, address=HERE)
    assert begun.methods == ("key", "recovery_code")
    with pytest.raises(SignInRefusedError):
        town.access.finish_sign_in(begun.ticket, "000000", address=HERE)
    options = town.access.begin_second_factor(begun.ticket, address=HERE)
    both = town.access.finish_sign_in_with_key(begun.ticket, key.get(options), address=HERE)
    assert isinstance(both, SecondSession)


def test_a_link_for_somebody_present_lives_for_minutes(town: "Town") -> None:
    town.user("boss", Role.SECURITY_ADMINISTRATOR)
    boss, roles = town.viewer("boss"), frozenset({Role.STAFF})
    token = town.access.create_enrolment_link("new", display_name="n", roles=roles, by=boss, in_person=True)
    town.forward(minutes=14, seconds=59)
    assert town.access.open_enrolment(token, address=HERE)
    town.forward(seconds=1)
    with pytest.raises(LinkRefusedError):
        town.access.open_enrolment(token, address=HERE)


def test_a_recovery_code_leads_to_new_factors_and_to_nothing_else(town: "Town") -> None:
    town.user()
    codes = town.access.new_recovery_codes(town.viewer(), address=HERE)
    town.forward(seconds=30)
    begun = town.access.begin_sign_in("s0412", OLD, address=HERE)
    assert begun.methods == ("totp", "recovery_code")
    with pytest.raises(SignInRefusedError):
        town.access.recover(begun.ticket, "AAAA-AAAA", address=HERE)
    link = town.access.recover(begun.ticket, codes[0].lower(), address=HERE)
    assert not any(code.replace("-", "") in repr(town.ledger.docs).replace("-", "") for code in codes)
    with pytest.raises(SignInRefusedError):
        town.access.recover(begun.ticket, codes[1], address=HERE)
    with pytest.raises(SignInRefusedError):
        town.access.recover(town.ticket(), codes[0], address=HERE)
    opened = town.access.open_enrolment(link, address=HERE)
    assert opened.existing
    town.forward(minutes=15)
    with pytest.raises(LinkRefusedError):
        town.access.open_enrolment(link, address=HERE)


def administrators(town: "Town", *login_ids: str) -> list[Viewer]:
    for login_id in login_ids:
        town.user(login_id, Role.SECURITY_ADMINISTRATOR)
    return [town.viewer(login_id) for login_id in login_ids]


def test_a_reset_takes_two_people_and_neither_is_the_user(town: "Town") -> None:
    town.user()
    boss, chief = administrators(town, "boss", "chief")
    with pytest.raises(AccountStateError) as caught:
        town.access.confirm_reset("s0412", by=chief)
    assert caught.value.reason == "no_reset"
    town.access.ask_reset("s0412", by=boss)
    assert town.ledger.docs[-1]["activity"] == "apply"
    with pytest.raises(AccountStateError) as caught:
        town.access.confirm_reset("s0412", by=boss)
    assert caught.value.reason == "second_person"
    assert town.ledger.operations()[-1] == "reset.same_person"
    assert [reset.mine_to_confirm for by in (boss, chief) for reset in town.access.resets(by)] == [False, True]
    for oneself in (lambda: town.access.ask_reset("boss", by=boss), lambda: confirm_own(town, boss, chief)):
        with pytest.raises(AccountStateError) as caught:
            oneself()
        assert caught.value.reason == "oneself"
    link = town.access.confirm_reset("s0412", by=chief)
    made = town.ledger.docs[-1]
    assert (made["activity"], made["actor"]["id"], made["asked_by"], made["target"]) == (
        "credential_reset",
        "chief",
        "boss",
        {"id": "s0412"},
    )
    assert town.access.open_enrolment(link, address=HERE).existing
    with pytest.raises(AccountStateError):
        town.access.confirm_reset("s0412", by=chief)


def confirm_own(town: "Town", boss: Viewer, chief: Viewer) -> None:
    town.access.ask_reset("chief", by=boss)
    town.access.confirm_reset("chief", by=chief)


@pytest.mark.parametrize("twins", [{"boss", "chief"}, {"s0412", "chief"}])
def test_no_human_being_is_two_of_the_three(town: "Town", twins: set[str]) -> None:
    town.user()
    boss, chief = administrators(town, "boss", "chief")
    town.directory.twins.append(twins)
    town.access.ask_reset("s0412", by=boss)
    with pytest.raises(AccountStateError):
        town.access.confirm_reset("s0412", by=chief)
    assert town.access.resets(chief)[0].mine_to_confirm is False


@pytest.mark.parametrize("change", ["a day later", "asker left", "asker disabled", "dropped", "user disabled"])
def test_a_wish_does_not_outlive_its_reason(town: "Town", change: str) -> None:
    town.user()
    boss, chief, third = administrators(town, "boss", "chief", "third")
    town.access.ask_reset("s0412", by=boss)
    if change == "a day later":
        town.forward(hours=24)
        chief = town.viewer("chief")
        assert town.access.resets(chief) == []
    elif change == "asker left":
        town.directory.left.add("boss")
    elif change == "asker disabled":
        town.access.disable_account("boss", by=third)
    elif change == "dropped":
        town.access.drop_reset("s0412", by=third)
        assert town.ledger.operations()[-1] == "reset.dropped"
    else:
        town.access.disable_account("s0412", by=third)
    with pytest.raises(AccountStateError):
        town.access.confirm_reset("s0412", by=chief)


def test_who_may_not_manage_users_resets_nobody(town: "Town") -> None:
    town.user()
    town.user("s0413", Role.AUDITOR)
    viewer = town.viewer("s0413")
    acts: list[Callable[[], object]] = [
        lambda: town.access.ask_reset("s0412", by=viewer),
        lambda: town.access.confirm_reset("s0412", by=viewer),
        lambda: town.access.drop_reset("s0412", by=viewer),
        lambda: town.access.resets(viewer),
        lambda: town.access.close_account("s0412", by=viewer),
        lambda: town.access.change_roles("s0412", frozenset(Role), by=viewer),
    ]
    for act in acts:
        with pytest.raises(ForbiddenError):
            act()


def test_nobody_changes_their_own_roles_and_nobody_has_none(town: "Town") -> None:
    town.user()
    (boss,) = administrators(town, "boss")
    for login_id, roles, reason in (("boss", frozenset(Role), "oneself"), ("s0412", frozenset[Role](), "no_roles")):
        with pytest.raises(AccountStateError) as caught:
            town.access.change_roles(login_id, roles, by=boss)
        assert caught.value.reason == reason
    count = len(town.ledger.docs)
    town.access.change_roles("s0412", frozenset({Role.STAFF}), by=boss)
    assert len(town.ledger.docs) == count, "no change, no event"


def test_at_the_machine_one_is_enough_and_it_is_told(town: "Town") -> None:
    with pytest.raises(AccessError):
        town.access.reset_at_the_machine("s0412", operator="uid 0")
    town.user()
    assert town.access.open_enrolment(town.access.reset_at_the_machine("s0412", operator="uid 0"), address=HERE)
    made = next(doc for doc in town.ledger.docs if doc["operation_name"] == "link.created_at_the_machine")
    assert (made["actor"], made["operator"]) == ({"id": "mimamori", "kind": "system"}, "uid 0")


def test_an_overdue_password_can_only_be_changed(town: "Town") -> None:
    town.user()
    key = town.key()
    town.choose(password_max_age=town.access.limits.link * 30)
    town.forward(days=29, hours=23)
    assert isinstance(town.opening(), SignedIn)
    town.forward(hours=2)
    overdue = town.opening()
    assert isinstance(overdue, PasswordOverdue)
    assert town.ledger.operations()[-1] == "sign_in.password_overdue"
    for bad in (OLD, "short"):
        with pytest.raises(PasswordRefusedError):
            town.access.change_overdue_password(overdue.ticket, bad, address=HERE)
    with pytest.raises(SignInRefusedError):
        town.access.settle_second_session(overdue.ticket, take_over=True, address=HERE)
    opened = town.access.change_overdue_password(overdue.ticket, NEW, address=HERE)
    assert isinstance(opened, SignedIn)
    with pytest.raises(SignInRefusedError):
        town.access.change_overdue_password(overdue.ticket, "another-lantern-oyster", address=HERE)
    town.forward(days=31)
    assert isinstance(town.key_alone(key), SignedIn), "no password, no age"


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("sunshinesunshine", "common"),
        ("kurashiki2026!", "common"),
        ("Password1234!!", "common"),
        ("qwertyuiop123", "common"),
        ("ｐａｓｓｗｏｒｄ１２３４", "common"),
        ("shiyakusho-2026", "common"),
        ("mimamori-lantern", "context"),
        ("\ud800" * 12, "not_text"),
    ],
)
def test_what_everybody_guesses_first_is_refused(password: str, reason: str) -> None:
    with pytest.raises(PasswordRefusedError) as caught:
        check_new_password(password, "s0412")
    assert caught.value.reason == reason


def test_two_ways_to_write_a_letter_are_two_passwords(town: "Town") -> None:
    composed = unicodedata.normalize("NFC", "がぎぐげご lantern 42")
    decomposed = unicodedata.normalize("NFD", composed)
    stored = town.passwords.hash(composed)
    assert town.passwords.verify(stored, composed)
    assert not town.passwords.verify(stored, decomposed)
    assert not town.passwords.verify(stored, f" {composed}")
    long = "職員は庁舎の鍵を" * 16
    check_new_password(long, "s0412")
    assert town.passwords.verify(town.passwords.hash(long), long)
