"""One human being, one session: second sign-ins, the lock, terminals, leavers, and what a proof grows to."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from authenticator import Bent, SoftAuthenticator
from sqlalchemy import func, select

from audit.access import (
    LockedSession,
    Role,
    SecondSession,
    SignedIn,
    SignInRefusedError,
    StepUpRequiredError,
    ThrottledError,
    Viewer,
)
from audit.access.authenticators import AssertionRefusedError
from audit.access.authenticators.repository import ChallengeRow
from audit.access.strength import Acr, Proof
from audit.access.throttle import BEGINNINGS, REFUSED_KEYS
from audit.context import Terminal

if TYPE_CHECKING:
    from sign_in_town import Town

HERE, THERE = "10.3.1.31", "10.3.1.32"


def second(town: "Town", login_id: str = "s0412", address: str = THERE) -> SecondSession:
    town.forward(seconds=30)
    opened = town.opening(login_id, address)
    assert isinstance(opened, SecondSession)
    return opened


def test_who_is_signed_in_is_asked_and_may_leave_it(town: "Town") -> None:
    town.user()
    first = town.sign_in()
    asked = second(town)
    assert (asked.since, asked.address) == (first.session.created_at, HERE)
    assert town.ledger.operations()[-1] == "sign_in.second_session"
    left = town.access.settle_second_session(asked.ticket, take_over=False, address=THERE)
    assert isinstance(left, SecondSession)
    assert town.ledger.operations()[-1] == "sign_in.other_session_kept"
    assert town.access.authenticate(first.token) is not None
    with pytest.raises(SignInRefusedError):
        town.access.settle_second_session(asked.ticket, take_over=True, address=THERE)


def test_taking_over_ends_the_other_at_once(town: "Town") -> None:
    town.user()
    first, asked = town.sign_in(), second(town)
    opened = town.access.settle_second_session(asked.ticket, take_over=True, address=THERE)
    assert isinstance(opened, SignedIn)
    assert town.access.authenticate(first.token) is None
    assert town.ledger.operations()[-2:] == ["sign_in.completed", "session.taken_over"]
    assert town.ledger.docs[-1]["session"] == first.session.id


def test_a_town_may_refuse_the_second(town: "Town") -> None:
    town.user()
    first = town.sign_in()
    town.choose(second_session="refuse")
    assert second(town).ticket == ""
    assert town.access.authenticate(first.token) is not None
    town.forward(minutes=15)
    assert isinstance(town.opening(address=THERE), SignedIn), "one that is over is in nobody's way"


@pytest.mark.parametrize("change", ["late", "elsewhere", "disabled", "left"])
def test_a_take_over_is_judged_again(town: "Town", change: str) -> None:
    town.user()
    town.sign_in()
    asked, address = second(town), THERE
    if change == "late":
        town.forward(minutes=3)
    elif change == "elsewhere":
        address = "10.9.9.9"
    elif change == "left":
        town.directory.left.add("s0412")
    else:
        town.user("boss", Role.SECURITY_ADMINISTRATOR)
        town.access.disable_account("s0412", by=town.viewer("boss"))
    with pytest.raises(SignInRefusedError):
        town.access.settle_second_session(asked.ticket, take_over=True, address=address)
    assert town.access.live_session("s0412") is None or change in {"late", "elsewhere"}


def test_two_ids_of_one_person_share_one_session(town: "Town") -> None:
    town.user()
    town.user("s9412")
    town.directory.twins.append({"s0412", "s9412"})
    first = town.sign_in()
    asked = second(town, "s9412")
    opened = town.access.settle_second_session(asked.ticket, take_over=True, address=THERE)
    assert isinstance(opened, SignedIn)
    assert town.access.authenticate(first.token) is None
    town.user("s0500")
    town.forward(seconds=30)
    assert isinstance(town.opening("s0500"), SignedIn), "somebody else is not in the way"


@pytest.mark.parametrize(("ahead", "later"), [(2, "s9412"), (-2, "s0412")])
def test_two_ids_of_one_person_that_arrive_at_the_same_instant_share_one_session(
    town: "Town", monkeypatch: pytest.MonkeyPatch, ahead: int, later: str
) -> None:
    town.user()
    town.user("s9412")
    town.directory.twins.append({"s0412", "s9412"})
    arrive, twin = town.access._arrive, list[SignedIn]()

    def meanwhile(*asked: Any) -> Any:
        seen = arrive(*asked)
        monkeypatch.undo()
        town.forward(seconds=ahead)
        twin.append(town.sign_in("s9412", THERE))
        town.forward(seconds=-ahead)
        return seen

    monkeypatch.setattr(town.access, "_arrive", meanwhile)
    opened = town.sign_in()
    both = {"s0412": opened, "s9412": twin[0]}
    assert [name for name, each in both.items() if town.access.look(each.token) is not None] == [later]
    (ended,) = (doc for doc in town.ledger.docs if doc["operation_name"] == "session.taken_over")
    assert ended["session"] == both[ended["actor"]["id"]].session.id
    assert ended["actor"]["id"] != later


def test_E12_two_places_within_a_minute_are_told(town: "Town") -> None:
    town.user()
    first = town.sign_in()
    second(town)
    told = next(doc for doc in town.ledger.docs if doc["operation_name"] == "session.concurrent_identity")
    assert (told["activity"], told["session"], told["other_address"]) == ("security_event", first.session.id, HERE)
    assert told["terminal"] == {"ip": THERE}
    assert told["actor"]["id"] == "s0412"
    count = town.ledger.operations().count("session.concurrent_identity")
    town.forward(minutes=2)
    second(town)
    assert town.ledger.operations().count("session.concurrent_identity") == count, "a walk is no wonder"


@pytest.mark.parametrize(("seconds", "locked"), [(299, False), (300, True), (301, True)])
def test_nobody_at_the_screen_locks_it(town: "Town", seconds: int, locked: bool) -> None:
    town.user()
    token = town.sign_in().token
    town.forward(seconds=seconds)
    found = town.access.look(token)
    assert isinstance(found, LockedSession if locked else Viewer)
    assert ("session.locked_idle" in town.ledger.operations()) is locked
    live = town.access.live_session("s0412")
    assert live is not None
    assert live.locked is locked
    assert isinstance(town.access.look(token), LockedSession if locked else Viewer)
    assert town.ledger.operations().count("session.locked_idle") == locked, "told once"


def test_a_locked_session_opens_to_a_factor_under_another_token(town: "Town") -> None:
    town.user()
    token = town.sign_in().token
    viewer = town.access.authenticate(token)
    assert viewer is not None
    town.access.lock(viewer)
    assert town.access.authenticate(token) is None
    with pytest.raises(SignInRefusedError) as caught:
        town.access.step_up(viewer, town.code(), address=HERE)
    assert caught.value.reason in {"session_ended", "code_replayed"}
    locked = town.access.look(token)
    assert isinstance(locked, LockedSession)
    with pytest.raises(SignInRefusedError):
        town.access.unlock(locked, "000000", address=HERE)
    assert town.ledger.docs[-1]["activity"] == "unlock"
    town.forward(seconds=30)
    opened = town.access.unlock(locked, town.code(), address=HERE)
    assert (town.ledger.docs[-1]["activity"], town.ledger.operations()[-1]) == ("unlock", "session.unlocked")
    assert town.access.look(token) is None
    assert town.access.authenticate(opened.token) is not None


def test_unlocking_is_no_step_up(town: "Town") -> None:
    town.user("s0412", Role.SECURITY_ADMINISTRATOR)
    token = town.sign_in().token
    town.forward(minutes=6)
    locked = town.access.look(token)
    assert isinstance(locked, LockedSession)
    viewer = town.access.authenticate(town.access.unlock(locked, town.code(), address=HERE).token)
    assert viewer is not None
    with pytest.raises(StepUpRequiredError):
        town.access.accounts(viewer)


def test_a_locked_session_ends_like_any_other(town: "Town") -> None:
    town.user()
    token = town.sign_in().token
    viewer = town.access.authenticate(token)
    assert viewer is not None
    town.access.lock(viewer)
    locked = town.access.look(token)
    assert isinstance(locked, LockedSession)
    town.forward(minutes=15)
    with pytest.raises(SignInRefusedError):
        town.access.unlock(locked, town.code(), address=HERE)
    assert town.access.look(token) is None


def test_what_a_key_opened_a_code_does_not_unlock(town: "Town") -> None:
    town.user()
    key = town.key()
    opened = town.key_alone(key)
    assert isinstance(opened, SecondSession)
    signed_in = town.access.settle_second_session(opened.ticket, take_over=True, address=HERE)
    assert isinstance(signed_in, SignedIn)
    assert signed_in.session.proof.acr is Acr.USER_VERIFIED
    town.forward(minutes=6)
    locked = town.access.look(signed_in.token)
    assert isinstance(locked, LockedSession)
    with pytest.raises(SignInRefusedError) as caught:
        town.access.unlock(locked, town.code(), address=HERE)
    assert caught.value.reason == "too_weak"
    options = town.access.begin_unlock(locked)
    assert town.access.unlock_with_key(locked, key.get(options), address=HERE)


def test_work_elsewhere_keeps_a_session_awake_but_wakes_none(town: "Town") -> None:
    town.user()
    session = town.sign_in().session.id
    town.forward(minutes=4)
    town.access.seen(session)
    town.forward(minutes=4)
    live = town.access.session_by_id(session)
    assert live is not None
    assert not live.locked
    town.forward(minutes=1)
    town.access.seen(session)
    live = town.access.session_by_id(session)
    assert live is not None
    assert live.locked
    town.access.seen("nobody's")


def test_S21_a_stolen_cookie_opens_nothing_elsewhere(town: "Town") -> None:
    town.user()
    town.register.known[HERE] = Terminal("T-0231", "hoken", "main", "desk", HERE)
    signed_in = town.sign_in()
    assert signed_in.session.terminal_id == "T-0231"
    for _ in range(3):
        assert town.access.look(signed_in.token, address=THERE) is None
    told = [doc for doc in town.ledger.docs if doc["operation_name"] == "session.other_address"]
    assert len(told) == 1, "a token that is tried on and on is told once a minute"
    assert (told[0]["terminal"], told[0]["bound_to"]) == ({"ip": THERE}, HERE)
    assert town.access.authenticate(signed_in.token, address=HERE) is not None
    town.forward(minutes=1)
    assert town.access.look(signed_in.token, address=THERE) is None
    assert town.ledger.operations().count("session.other_address") == 2


def test_a_town_may_bind_every_session(town: "Town") -> None:
    town.user()
    free = town.sign_in()
    assert town.access.authenticate(free.token, address=THERE) is not None
    town.choose(bind_address=True)
    town.forward(seconds=30)
    bound = town.sign_in()
    assert town.access.authenticate(bound.token, address=THERE) is None
    assert town.access.authenticate(bound.token, address=HERE) is not None


@pytest.mark.parametrize("end", ["sign-out", "everywhere", "disable", "close", "roles", "revoke", "password", "reset"])
def test_S21_a_session_is_over_at_the_next_request(town: "Town", end: str) -> None:
    town.user()
    town.user("boss", Role.SECURITY_ADMINISTRATOR)
    boss = town.viewer("boss")
    signed_in = town.sign_in()
    viewer = town.access.authenticate(signed_in.token)
    assert viewer is not None
    if end == "sign-out":
        town.access.sign_out(viewer)
    elif end == "everywhere":
        town.access.sign_out_everywhere(viewer)
    elif end == "disable":
        town.access.disable_account("s0412", by=boss)
    elif end == "close":
        town.access.close_account("s0412", by=boss)
    elif end == "roles":
        town.access.change_roles("s0412", frozenset({Role.AUDITOR}), by=boss)
        changed = town.ledger.docs[-1]
        assert (changed["old"], changed["new"], changed["activity"]) == (["staff"], ["auditor"], "grant")
    elif end == "revoke":
        town.access.revoke_all("s0412", by=boss)
    elif end == "password":
        town.access.change_password(viewer, "ツバメ correct staple 42", "gorse-lantern-oyster", address=HERE)
        assert town.access.authenticate(signed_in.token) is not None, "the one that changes it goes on"
        assert town.access.sign_out_everywhere(viewer) is None
    else:
        link = town.access.reset_at_the_machine("s0412", operator="uid 0")
        secret = town.access.open_enrolment(link, address=THERE).secret
        town.access.complete_enrolment(
            link,
            login_id="s0412",
            display_name="",
            password="gorse-lantern-oyster",
            code=town.code(secret),
            address=THERE,
        )
    assert town.access.look(signed_in.token) is None
    assert town.access.live_session("s0412") is None
    assert town.access.session_by_id(signed_in.session.id) is None


def test_E10_a_leaver_is_out_at_the_next_request_and_does_not_come_back(town: "Town") -> None:
    town.user()
    key = town.key()
    signed_in = town.sign_in_again()
    town.directory.left.add("s0412")
    assert town.access.live_session("s0412") is None
    assert town.access.authenticate(signed_in.token) is None
    assert town.ledger.operations()[-1] == "session.no_post"
    town.forward(seconds=30)
    for attempt in (town.opening, lambda: town.key_alone(key)):
        with pytest.raises(SignInRefusedError) as caught:
            attempt()
        assert caught.value.reason == "no_post"
        assert town.ledger.docs[-1]["outcome"] == "denied"


def test_E11_whoever_comes_after_a_closed_account_is_somebody_else(town: "Town") -> None:
    town.user()
    key, before = town.key(), town.access.live_session("s0412")
    assert before is not None
    town.user("boss", Role.SECURITY_ADMINISTRATOR)
    boss = town.viewer("boss")
    old = next(account for account in town.access.accounts(boss) if account.login_id == "s0412")
    town.access.close_account("s0412", by=boss)
    assert "s0412" not in [account.login_id for account in town.access.accounts(boss)]
    with pytest.raises(SignInRefusedError):
        town.key_alone(key)
    town.user()
    new = next(account for account in town.access.accounts(boss) if account.login_id == "s0412")
    assert new.id != old.id
    assert new.last_sign_in_at is None
    assert old.last_sign_in_at is not None
    with pytest.raises(SignInRefusedError):
        town.key_alone(key)
    closed = next(doc for doc in town.ledger.docs if doc["operation_name"] == "account.closed")
    assert (closed["target"], closed["account"]) == ({"id": "s0412"}, old.id)


def test_S23_a_proof_is_good_for_its_session_and_purpose(town: "Town") -> None:
    town.user("s0412", Role.SECURITY_ADMINISTRATOR)
    key = town.key()
    viewer = town.sign_in_again_as_viewer()
    options = town.access.begin_step_up(viewer)
    town.access.lock(viewer)
    for_unlock = key.get(options)
    locked = LockedSession(session=town.access.own_account(viewer).session, login_id="s0412", display_name="")
    with pytest.raises(SignInRefusedError) as caught:
        town.access.unlock_with_key(locked, for_unlock, address=HERE)
    assert caught.value.reason == "challenge_wrong_purpose"
    town.forward(seconds=30)
    other = town.sign_in_again_as_viewer()
    options = town.access.begin_step_up(viewer)
    with pytest.raises(SignInRefusedError) as caught:
        town.access.step_up_with_key(other, key.get(options), address=HERE)
    assert caught.value.reason == "challenge_wrong_session"
    town.forward(minutes=3)
    fresh = town.access.authenticate(
        town.access.step_up_with_key(other, key.get(town.access.begin_step_up(other)), address=HERE).token
    )
    assert fresh is not None
    assert fresh.proof.acr is Acr.USER_VERIFIED
    assert fresh.proof.at == town.clock.now()
    town.forward(minutes=4, seconds=59)
    town.access.accounts(fresh)
    town.forward(seconds=1)
    with pytest.raises(StepUpRequiredError):
        town.access.accounts(fresh)


def test_a_code_after_a_key_does_not_make_the_key_fresh(town: "Town") -> None:
    town.user()
    key = town.key()
    viewer = town.sign_in_again_as_viewer()
    renewed = town.access.step_up_with_key(viewer, key.get(town.access.begin_step_up(viewer)), address=HERE)
    proved_at = renewed.session.proof.at
    town.forward(minutes=2)
    by_code = town.access.authenticate(renewed.token)
    assert by_code is not None
    after = town.access.step_up(by_code, town.code(), address=HERE).session
    assert after.second_factor_at == proved_at + timedelta(minutes=2)
    assert (after.proof.at, after.proof.acr) == (proved_at, Acr.USER_VERIFIED)


def test_a_single_factor_opens_no_session(town: "Town") -> None:
    town.user()
    for factors in (frozenset({"ic_card"}), frozenset({"password"}), frozenset({"password", "recovery_code"})):
        with pytest.raises(SignInRefusedError) as caught:
            town.access.open_verified_session("s0412", Proof(factors=factors, at=town.clock.now()), address=HERE)
        assert caught.value.reason == "too_weak"
    palm = Proof(factors=frozenset({"palm_vein"}), at=town.clock.now(), user_verified=True, authenticator="oidc:palm")
    opened = town.access.open_verified_session("s0412", palm, address=HERE)
    assert isinstance(opened, SignedIn)
    assert opened.session.proof == palm
    with pytest.raises(SignInRefusedError):
        town.access.open_verified_session("nobody", palm, address=HERE)


def test_a_palm_after_the_password_is_both_and_must_be_the_same_person_s(town: "Town") -> None:
    town.user()
    town.user("s0500")
    palm = Proof(factors=frozenset({"palm_vein"}), at=town.clock.now(), user_verified=True, authenticator="oidc:palm")
    with pytest.raises(SignInRefusedError) as caught:
        town.access.finish_sign_in_verified(town.ticket(), "s0500", palm, address=HERE)
    assert caught.value.reason == "other_person"
    ticket = town.ticket()
    with pytest.raises(SignInRefusedError):
        town.access.finish_sign_in_verified(ticket, "s0412", palm, address=THERE)
    opened = town.access.finish_sign_in_verified(ticket, "s0412", palm, address=HERE)
    assert isinstance(opened, SignedIn)
    assert opened.session.proof.factors == {"password", "palm_vein"}
    with pytest.raises(SignInRefusedError) as caught:
        town.access.finish_sign_in_verified(ticket, "s0412", palm, address=HERE)
    assert caught.value.reason == "ticket_unknown"


def test_what_a_palm_opened_a_card_does_not_unlock(town: "Town") -> None:
    town.user()
    now = town.clock.now()
    palm = Proof(factors=frozenset({"palm_vein"}), at=now, user_verified=True, authenticator="oidc:palm")
    opened = town.access.open_verified_session("s0412", palm, address=HERE)
    assert isinstance(opened, SignedIn)
    town.forward(minutes=5)
    locked = town.access.look(opened.token)
    assert isinstance(locked, LockedSession)
    with pytest.raises(SignInRefusedError) as caught:
        town.access.unlock_verified(locked, Proof(factors=frozenset({"ic_card"}), at=town.clock.now()), address=HERE)
    assert caught.value.reason == "too_weak"
    renewed = town.access.unlock_verified(locked, palm, address=HERE)
    assert town.access.authenticate(renewed.token) is not None


def test_S20_beginnings_by_key_are_bounded_per_network_and_take_no_password_s_place(town: "Town") -> None:
    town.user()
    key = town.key()
    for _ in range(BEGINNINGS.failures):
        town.access.begin_key_sign_in(bound_to="form", address=HERE)
    assert town.ledger.operations().count("sign_in.many_beginnings") == 1
    with pytest.raises(ThrottledError) as caught:
        town.access.begin_key_sign_in(bound_to="form", address=HERE)
    assert caught.value.retry_after == BEGINNINGS.window
    with town.store.unit() as unit:
        left = unit.scalar(select(func.count()).select_from(ChallengeRow))
    assert left == BEGINNINGS.failures, "what is refused leaves nothing"
    assert town.ticket(), "a password from there is another matter"
    assert isinstance(town.key_alone(key, THERE), SecondSession), "and so is a key elsewhere"
    town.forward(seconds=BEGINNINGS.window.total_seconds())
    town.access.begin_key_sign_in(bound_to="form", address=HERE)
    with town.store.unit() as unit:
        assert unit.scalar(select(func.count()).select_from(ChallengeRow)) == 1, "nothing is kept"


def test_S20_a_key_is_never_locked_out_by_others(town: "Town") -> None:
    town.user()
    key = town.key()
    for number in range(120):
        with pytest.raises(SignInRefusedError):
            town.access.begin_sign_in("s0412", "guess", address=f"10.5.{number}.1")
    for _ in range(5):
        with pytest.raises(SignInRefusedError):
            town.access.begin_sign_in("s0412", "guess", address=HERE)
    town.forward(minutes=6)
    opened = town.key_alone(key)
    if isinstance(opened, SecondSession):
        opened = town.access.settle_second_session(opened.ticket, take_over=True, address=HERE)
    assert isinstance(opened, SignedIn)
    assert opened.session.failures_before == 100, "and its owner is told what went on"


def test_S20_refused_keys_beyond_the_limit_are_told_by_their_count_and_keep_nobody_out(town: "Town") -> None:
    town.user()
    key = town.key()

    def garbage(address: str = HERE) -> type[Exception]:
        with pytest.raises((SignInRefusedError, ThrottledError)) as caught:
            town.access.key_sign_in("{}", bound_to="form", address=address)
        return caught.type

    before = len(town.ledger.docs)
    assert {garbage() for _ in range(REFUSED_KEYS.failures)} == {AssertionRefusedError}
    assert len(town.ledger.docs) - before == REFUSED_KEYS.failures
    assert {garbage() for _ in range(200)} == {ThrottledError}
    assert len(town.ledger.docs) - before == REFUSED_KEYS.failures + 1, "the first of the rest, at once"
    town.forward(minutes=1)
    town.keys.flush_refusals()
    told = town.ledger.docs[-2:]
    assert [doc["operation_name"] for doc in told] == ["authenticator.refusals"] * 2
    assert [doc["unmapped"]["count"] for doc in told] == ["1", "199"]
    assert (told[1]["activity"], told[1]["outcome"], told[1]["terminal"]) == ("login", "failure", {"ip": HERE})
    assert garbage(THERE) is AssertionRefusedError, "another place is another matter"
    opened = town.key_alone(key)
    if isinstance(opened, SecondSession):
        opened = town.access.settle_second_session(opened.ticket, take_over=True, address=HERE)
    assert isinstance(opened, SignedIn), "what is right is taken from there all the same"
    viewer = town.access.authenticate(opened.token)
    assert viewer is not None
    count = len(town.ledger.docs)
    with pytest.raises(AssertionRefusedError):
        town.access.step_up_with_key(viewer, SoftAuthenticator().get(town.access.begin_step_up(viewer)), address=HERE)
    assert len(town.ledger.docs) == count + 1
    town.forward(minutes=14)
    assert garbage() is AssertionRefusedError


def test_S20_refusals_of_a_known_persons_key_are_counted_apart_and_told_with_the_person(town: "Town") -> None:
    town.user()
    key = town.key()
    town.forward(seconds=30)
    viewer = town.viewer()
    for _ in range(REFUSED_KEYS.failures + 1):
        bent = key.get(
            town.access.begin_step_up(viewer), Bent(signature=lambda right: right[:-1] + bytes([right[-1] ^ 1]))
        )
        with pytest.raises((SignInRefusedError, ThrottledError)):
            town.access.step_up_with_key(viewer, bent, address=HERE)
    (told,) = [doc for doc in town.ledger.docs if doc["operation_name"] == "authenticator.refusals"]
    assert (told["activity"], told["target"], told["unmapped"]["count"]) == ("security_event", {"id": "s0412"}, "1")
    with pytest.raises(AssertionRefusedError):
        town.access.key_sign_in("{}", bound_to="form", address=HERE)
    renewed = town.access.step_up_with_key(viewer, key.get(town.access.begin_step_up(viewer)), address=HERE)
    assert isinstance(renewed, SignedIn)


def test_S19_a_key_of_nobody_is_refused_like_any_other(town: "Town") -> None:
    town.user()
    town.key()
    options = town.access.begin_key_sign_in(bound_to="form", address=HERE)
    assert options.get("allowCredentials", []) == []
    stranger = SoftAuthenticator(user_handle=b"x" * 32)
    with pytest.raises(SignInRefusedError) as unknown:
        town.access.key_sign_in(stranger.get(options), bound_to="form", address=HERE)
    with pytest.raises(SignInRefusedError) as replayed:
        town.access.key_sign_in(stranger.get(options), bound_to="form", address=HERE)
    assert str(unknown.value) == str(replayed.value)
    assert town.passwords.verified == 1
