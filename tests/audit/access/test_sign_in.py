"""Sign-in, its limits, and what it tells the log."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import product
from typing import TYPE_CHECKING

import pytest
from argon2.profiles import CHEAPEST
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.access import Passwords, SignInRefusedError, ThrottledError
from audit.access.tables import AccountRow

if TYPE_CHECKING:
    from sign_in_town import Town

THERE = "10.3.1.99"


def refused(town: "Town", login_id: str, password: str, address: str) -> SignInRefusedError:
    with pytest.raises(SignInRefusedError) as caught:
        town.access.begin_sign_in(login_id, password, address=address)
    return caught.value


def test_password_and_code_open_a_session(town: "Town") -> None:
    town.user()
    signed_in = town.sign_in()
    viewer = town.access.authenticate(signed_in.token)
    assert viewer is not None
    assert (viewer.login_id, viewer.session_id) == ("s0412", signed_in.session.id)
    assert town.ledger.operations()[-2:] == ["sign_in.password_accepted", "sign_in.completed"]
    assert town.ledger.docs[-1] == {
        "time": "2026-10-05T09:00:10.000000+09:00",
        "event_id": town.ledger.docs[-1]["event_id"],
        "activity": "login",
        "operation_name": "sign_in.completed",
        "outcome": "success",
        "actor": {"id": "s0412", "kind": "staff"},
        "terminal": {"ip": "10.3.1.31"},
        "session": signed_in.session.id,
        "auth": {"factors": ["password", "totp"], "user_verified": False},
    }


def test_a_code_is_used_once(town: "Town") -> None:
    town.user()
    town.sign_in()
    with pytest.raises(SignInRefusedError) as caught:
        town.sign_in()
    assert caught.value.reason == "code_replayed"
    town.forward(seconds=-60)
    with pytest.raises(SignInRefusedError):
        town.sign_in()


@pytest.mark.parametrize("order", list(product("AB", repeat=4)))
def test_no_order_of_two_codes_uses_one_twice(town: "Town", order: tuple[str, ...]) -> None:
    town.user()
    start = town.clock.now()
    code = {"A": town.code()}
    town.forward(seconds=30)
    code["B"] = town.code()
    accepted: list[str] = []
    for letter in order:
        # Even a clock that a thief could set to the code's own step does not help.
        town.clock.advance(start + timedelta(seconds=30 * "AB".index(letter)) - town.clock.now())
        ticket = town.ticket()
        try:
            town.access.finish_sign_in(ticket, code[letter], address="10.3.1.31")
        except SignInRefusedError:
            continue
        accepted.append(letter)
    first_b = order.index("B") if "B" in order else len(order)
    expected = (["A"] if "A" in order[:first_b] else []) + (["B"] if "B" in order else [])
    assert accepted == expected


@pytest.mark.both_engines
def test_of_twenty_at_once_one_gets_in(town: "Town") -> None:
    town.user()
    # Distinct places, so that the code's single use is what decides, not the throttle.
    places = [f"10.4.0.{n}" for n in range(20)]
    tickets = [(town.ticket(address=place), place) for place in places]
    code = town.code()

    def submit(entry: tuple[str, str]) -> str:
        try:
            return type(town.access.finish_sign_in(entry[0], code, address=entry[1])).__name__
        except SignInRefusedError as error:
            return error.reason

    with ThreadPoolExecutor(20) as pool:
        outcomes = list(pool.map(submit, tickets))
    assert outcomes.count("code_replayed") == 19
    assert town.ledger.operations().count("sign_in.completed") == 1


@pytest.mark.both_engines
def test_one_ticket_submitted_twenty_times_at_once(town: "Town") -> None:
    town.user()
    ticket, code = town.ticket(), town.code()

    def submit(_: int) -> bool:
        try:
            town.access.finish_sign_in(ticket, code, address="10.3.1.31")
        except (SignInRefusedError, ThrottledError):
            return False
        return True

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(submit, range(20))).count(True) == 1


@pytest.mark.parametrize("login_id", ["nobody", "", "\ud800", "a b", "1" * 12, "x" * 5000, "S0412"])
def test_a_stranger_cannot_tell_who_exists(town: "Town", login_id: str) -> None:
    town.user()
    known = refused(town, "s0412", "wrong password", "10.4.0.1")
    work = town.passwords.verified
    unknown = refused(town, login_id, "wrong password", "10.4.0.2")
    assert town.passwords.verified == 2 * work == 2
    assert [str(known), known.text("ja")] == [str(unknown), unknown.text("ja")]
    assert town.ledger.docs[-2]["actor"]["id"] == "s0412"
    assert town.ledger.docs[-1]["actor"]["id"] == "unknown"
    for _ in range(4):
        refused(town, "s0412", "wrong password", "10.4.0.1")
        refused(town, login_id, "wrong password", "10.4.0.2")
    waits = []
    for name, place in [("s0412", "10.4.0.1"), (login_id, "10.4.0.2")]:
        with pytest.raises(ThrottledError) as caught:
            town.access.begin_sign_in(name, "wrong password", address=place)
        waits.append(caught.value.retry_after)
    assert waits == [timedelta(minutes=15)] * 2
    assert town.passwords.verified == 10


def test_a_password_typed_as_login_id_is_kept_nowhere(town: "Town") -> None:
    slip = "gorse-lantern-oyster"
    refused(town, slip, "", "10.3.1.31")
    assert slip not in repr(town.ledger.docs)
    assert slip.encode() not in town.bytes_on_disk()


def test_guessing_is_slowed_and_the_owner_is_not_locked_out(town: "Town") -> None:
    town.user()
    for _ in range(5):
        refused(town, "s0412", "guess", THERE)
    with pytest.raises(ThrottledError):
        town.ticket(address=THERE)
    assert town.ledger.operations()[-1] == "sign_in.throttled"
    assert town.sign_in().session.address == "10.3.1.31"
    town.forward(minutes=14, seconds=59)
    with pytest.raises(ThrottledError):
        town.ticket(address=THERE)
    town.forward(seconds=1)
    assert town.ticket(address=THERE)


def test_the_second_factor_is_limited_too_and_a_right_password_does_not_reset(town: "Town") -> None:
    town.user()
    for _ in range(5):
        ticket = town.ticket()
        with pytest.raises(SignInRefusedError) as caught:
            town.access.finish_sign_in(ticket, "000000", address="10.3.1.31")
        assert caught.value.reason == "code_wrong"
    with pytest.raises(ThrottledError):
        town.ticket()


def test_a_day_holds_twenty_guesses_from_one_place(town: "Town") -> None:
    town.user()
    for _ in range(4):
        for _ in range(5):
            refused(town, "s0412", "guess", THERE)
        town.forward(minutes=16)
    with pytest.raises(ThrottledError) as caught:
        town.ticket(address=THERE)
    assert caught.value.retry_after > timedelta(hours=22)


def test_one_place_cannot_try_everybody(town: "Town") -> None:
    for number in range(50):
        refused(town, f"s{number:04}", "guess", THERE)
    with pytest.raises(ThrottledError):
        town.access.begin_sign_in("s9999", "guess", address=THERE)


def test_the_throttle_outlives_a_restart(town: "Town") -> None:
    for _ in range(5):
        refused(town, "s0412", "guess", THERE)
    again = town.open()
    with pytest.raises(ThrottledError):
        again.begin_sign_in("s0412", "guess", address=THERE)


@pytest.mark.both_engines
def test_parallel_guesses_share_no_place(town: "Town") -> None:
    town.user()

    def guess(_: int) -> str:
        try:
            town.access.begin_sign_in("s0412", "guess", address=THERE)
        except ThrottledError:
            return "throttled"
        except SignInRefusedError:
            return "judged"
        return "in"

    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(guess, range(16)))
    assert (outcomes.count("judged"), outcomes.count("throttled")) == (5, 11)


def test_after_a_hundred_failures_only_a_new_link_helps(town: "Town") -> None:
    town.user()
    for number in range(100):
        refused(town, "s0412", "guess", f"10.5.0.{number}")
    error = refused(town, "s0412", "ツバメ correct staple 42", "10.3.1.31")
    assert error.reason == "must_rebind"
    assert error.text("ja") == SignInRefusedError("password_wrong").text("ja")
    with town.store.unit() as unit:
        assert unit.query(AccountRow).one().failures == 100


def test_failures_are_consecutive(town: "Town") -> None:
    town.user()
    for number in range(99):
        refused(town, "s0412", "guess", f"10.5.0.{number}")
    assert town.sign_in()
    with town.store.unit() as unit:
        assert unit.query(AccountRow).one().failures == 0


def test_a_ticket_is_short_lived_single_and_bound_to_its_place(town: "Town") -> None:
    town.user()
    late, away = town.ticket(), town.ticket()
    with pytest.raises(SignInRefusedError):
        town.access.finish_sign_in(away, town.code(), address=THERE)
    town.forward(minutes=3)
    for ticket in [late, "", "garbage", "\ud800"]:
        with pytest.raises(SignInRefusedError) as caught:
            town.access.finish_sign_in(ticket, town.code(), address="10.3.1.31")
        assert caught.value.reason == "ticket_unknown"
    used = town.ticket()
    town.access.finish_sign_in(used, town.code(), address="10.3.1.31")
    town.forward(seconds=30)
    with pytest.raises(SignInRefusedError):
        town.access.finish_sign_in(used, town.code(), address="10.3.1.31")


def test_a_password_is_rehashed_when_the_profile_changes(town: "Town") -> None:
    town.user()
    with town.store.unit() as unit:
        before = unit.query(AccountRow).one().password_hash
    stronger = Passwords(type(CHEAPEST)(CHEAPEST.type, CHEAPEST.version, 16, 32, 2, 64, 1))
    access = town.open(passwords=stronger)
    access.begin_sign_in("s0412", "ツバメ correct staple 42", address="10.3.1.31")
    with town.store.unit() as unit:
        after = unit.query(AccountRow).one().password_hash
    assert "t=2,p=1" in after
    assert after != before
    assert town.sign_in()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    login_id=st.text(st.characters(exclude_categories=[]), max_size=80),
    password=st.text(st.characters(exclude_categories=[]), max_size=80),
)
def test_nothing_typed_raises_anything_else(town: "Town", login_id: str, password: str) -> None:
    town.forward(days=2)
    with pytest.raises((SignInRefusedError, ThrottledError)):
        town.access.begin_sign_in(login_id, password, address="10.3.1.31")
