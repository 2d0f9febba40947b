"""One-time links and accounts."""

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pyotp
import pytest

from audit.access import (
    AccessError,
    Account,
    AccountStateError,
    CodeRefusedError,
    ForbiddenError,
    LinkRefusedError,
    LoginIdRefusedError,
    PasswordRefusedError,
    Role,
    SignInRefusedError,
    Viewer,
)

if TYPE_CHECKING:
    from sign_in_town import Town

NEW_PASSWORD = "gorse-lantern-oyster"
THERE = "10.3.1.40"


def complete(town: "Town", token: str, login_id: str = "admin01", **other: str) -> Account:
    secret = town.access.open_enrolment(token, address=THERE).secret
    chosen = {"display_name": "情報政策課", "password": NEW_PASSWORD, "code": town.code(secret)} | other
    return town.access.complete_enrolment(token, login_id=login_id, address=THERE, **chosen).account


def administrator(town: "Town") -> Viewer:
    town.user("boss", Role.SECURITY_ADMINISTRATOR)
    return town.viewer("boss")


def reset(town: "Town", login_id: str, boss: Viewer) -> str:
    """The link of a reset that one administrator asks for and another confirms."""
    town.user("chief", Role.SECURITY_ADMINISTRATOR)
    town.access.ask_reset(login_id, by=boss)
    return town.access.confirm_reset(login_id, by=town.viewer("chief"))


def test_the_first_administrator_comes_by_link(town: "Town") -> None:
    assert town.access.is_empty()
    token = town.access.create_enrolment_link()
    opened = town.access.open_enrolment(token, address=THERE)
    assert (opened.login_id, opened.existing) == (None, False)
    assert opened == town.access.open_enrolment(token, address=THERE)
    account = complete(town, token)
    assert account.roles == {Role.ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR}
    assert not town.access.is_empty()
    town.forward(seconds=30)
    ticket = town.access.begin_sign_in("admin01", NEW_PASSWORD, address=THERE).ticket
    assert town.access.finish_sign_in(ticket, town.code(opened.secret), address=THERE)
    kinds = [(doc["activity"], doc["operation_name"], doc["actor"]) for doc in town.ledger.docs]
    assert kinds[0] == ("credential_issue", "link.created", {"id": "mimamori", "kind": "system"})
    assert kinds[1] == ("security_event", "link.opened", {"id": "unknown", "kind": "staff"})
    assert ("grant", "account.created", {"id": "admin01", "kind": "staff"}) in kinds


def test_the_code_of_enrolment_does_not_sign_in(town: "Town") -> None:
    token = town.access.create_enrolment_link()
    secret = town.access.open_enrolment(token, address=THERE).secret
    complete(town, token)
    ticket = town.access.begin_sign_in("admin01", NEW_PASSWORD, address=THERE).ticket
    with pytest.raises(SignInRefusedError) as caught:
        town.access.finish_sign_in(ticket, town.code(secret), address=THERE)
    assert caught.value.reason == "code_replayed"


def test_a_link_works_once_and_a_day(town: "Town") -> None:
    token = town.access.create_enrolment_link()
    town.forward(hours=24)
    with pytest.raises(LinkRefusedError):
        town.access.open_enrolment(token, address=THERE)
    replaced = town.access.create_enrolment_link()
    token = town.access.create_enrolment_link()
    town.forward(hours=23, minutes=59, seconds=59)
    secret = town.access.open_enrolment(token, address=THERE).secret
    complete(town, token)
    for dead in [token, replaced, "", "garbage", "\ud800"]:
        with pytest.raises(LinkRefusedError):
            town.access.open_enrolment(dead, address=THERE)
        with pytest.raises(LinkRefusedError):
            town.access.complete_enrolment(
                dead,
                login_id="x",
                display_name="x",
                password=NEW_PASSWORD,
                code=town.code(secret),
                address=THERE,
            )
    with pytest.raises(AccountStateError):
        town.access.create_enrolment_link()


def test_a_first_link_left_over_is_dead_once_somebody_is_enrolled(town: "Town") -> None:
    token = town.access.create_enrolment_link()
    town.user()
    with pytest.raises(LinkRefusedError):
        complete(town, token)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"code": "000000"}, CodeRefusedError),
        ({"code": "\ud800"}, CodeRefusedError),
        ({"password": "short"}, PasswordRefusedError),
        ({"login_id": "a b"}, LoginIdRefusedError),
        ({"display_name": ""}, LoginIdRefusedError),
    ],
)
def test_a_mistake_leaves_the_link_usable(town: "Town", change: dict[str, str], error: type[AccessError]) -> None:
    token = town.access.create_enrolment_link()
    with pytest.raises(error):
        complete(town, token, **change)
    assert town.access.is_empty()
    assert complete(town, token).login_id == "admin01"


@pytest.mark.both_engines
def test_a_link_used_at_once_by_many_makes_one_account(town: "Town") -> None:
    token = town.access.create_enrolment_link()
    code = town.code(town.access.open_enrolment(token, address=THERE).secret)

    def use(number: int) -> bool:
        try:
            complete(town, token, f"admin{number}", code=code)
        except LinkRefusedError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(use, range(8))).count(True) == 1


def test_an_administrator_invites_with_fixed_id_and_roles(town: "Town") -> None:
    boss = administrator(town)
    roles = frozenset({Role.AUDITOR})
    token = town.access.create_enrolment_link("audit1", display_name="監査委員事務局", roles=roles, by=boss)
    with pytest.raises(LoginIdRefusedError) as caught:
        complete(town, token, "audit2")
    assert caught.value.reason == "fixed"
    account = complete(town, token, "audit1", display_name="other")
    assert (account.roles, account.display_name) == (roles, "監査委員事務局")
    town.forward(minutes=1)
    created = next(doc for doc in town.ledger.docs if doc["operation_name"] == "link.created")
    assert (created["actor"]["id"], created["target"], created["roles"]) == (
        "boss",
        {"id": "audit1"},
        ["auditor"],
    )


def test_who_may_not_manage_users_invites_nobody(town: "Town") -> None:
    town.user()
    for by in [town.viewer(), None]:
        with pytest.raises(ForbiddenError):
            town.access.create_enrolment_link("new", display_name="n", roles=frozenset(Role), by=by)
    boss = administrator(town)
    for login_id, kind in [("a b", LoginIdRefusedError), ("new", AccountStateError)]:
        with pytest.raises(kind):
            town.access.create_enrolment_link(login_id, display_name="n", by=boss)
    for roles in (frozenset({Role.ADMINISTRATOR}), frozenset[Role]()):
        with pytest.raises(AccountStateError) as caught:
            town.access.create_enrolment_link("s0412", display_name="n", roles=roles, by=boss)
        assert caught.value.reason == "two_people"


def test_new_factors_replace_the_old_and_end_what_was_open(town: "Town") -> None:
    town.user()
    session, waiting = town.sign_in(), town.ticket()
    for number in range(101):
        with pytest.raises(SignInRefusedError):
            town.access.begin_sign_in("s0412", "guess", address=f"10.5.0.{number}")
    boss = administrator(town)
    assert [a.must_rebind for a in town.access.accounts(boss) if a.login_id == "s0412"] == [True]
    token = reset(town, "s0412", boss)
    secret = town.access.open_enrolment(token, address=THERE).secret
    account = complete(town, token, "s0412")
    assert (account.must_rebind, account.display_name, account.roles) == (False, "係員0412", {Role.STAFF})
    assert town.access.authenticate(session.token) is None
    early = town.access.begin_sign_in("s0412", NEW_PASSWORD, address=THERE).ticket
    with pytest.raises(SignInRefusedError) as caught:
        town.access.finish_sign_in(early, town.code(secret), address=THERE)
    assert caught.value.reason == "code_replayed"
    town.forward(seconds=30)
    with pytest.raises(SignInRefusedError):
        town.access.finish_sign_in(waiting, pyotp.TOTP(secret).at(town.clock.now()), address="10.3.1.31")
    with pytest.raises(SignInRefusedError):
        town.ticket()
    ticket = town.access.begin_sign_in("s0412", NEW_PASSWORD, address=THERE).ticket
    assert town.access.finish_sign_in(ticket, town.code(secret), address=THERE)


def test_login_ids_are_taken_once_and_case_counts(town: "Town") -> None:
    town.user("s0412")
    town.user("S0412")
    with pytest.raises(LoginIdRefusedError) as caught:
        town.user("s0412")
    assert caught.value.reason == "taken"
    with pytest.raises(AccountStateError):
        town.access.create_account("new", "n", frozenset(), NEW_PASSWORD, "A" * 32)
    with pytest.raises(LoginIdRefusedError):
        town.access.create_account("new", "", frozenset(Role), NEW_PASSWORD, "A" * 32)


def test_disabling_ends_everything_at_once(town: "Town") -> None:
    town.user()
    session, waiting = town.sign_in(), town.ticket()
    boss = administrator(town)
    token = reset(town, "s0412", boss)
    town.access.disable_account("s0412", by=boss)
    assert town.access.authenticate(session.token) is None
    with pytest.raises(SignInRefusedError):
        town.access.finish_sign_in(waiting, town.code(), address="10.3.1.31")
    with pytest.raises(LinkRefusedError):
        complete(town, token, "s0412")
    with pytest.raises(SignInRefusedError) as caught:
        town.ticket()
    assert caught.value.reason == "disabled"
    with pytest.raises(AccountStateError):
        town.access.ask_reset("s0412", by=boss)
    disabled = next(doc for doc in town.ledger.docs if doc["operation_name"] == "account.disabled")
    assert (disabled["target"], disabled["ended_sessions"]) == ({"id": "s0412"}, [session.session.id])
    town.access.enable_account("s0412", by=boss)
    town.forward(seconds=30)
    assert town.sign_in()
    with pytest.raises(LinkRefusedError):
        town.access.open_enrolment(token, address=THERE)


def test_an_administrator_ends_sessions_but_does_not_disable_oneself(town: "Town") -> None:
    town.user()
    session = town.sign_in()
    boss = administrator(town)
    town.access.revoke_all("s0412", by=boss)
    assert town.access.authenticate(session.token) is None
    for act, login_id, reason in [
        (town.access.disable_account, "boss", "oneself"),
        (town.access.enable_account, "boss", "oneself"),
        (town.access.revoke_all, "nobody", "unknown"),
        (town.access.revoke_all, "a b", "unknown"),
    ]:
        with pytest.raises(AccountStateError) as caught:
            act(login_id, by=boss)
        assert caught.value.reason == reason
