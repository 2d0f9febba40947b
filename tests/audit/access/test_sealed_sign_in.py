"""The door in an emergency: an envelope in the place of the second factor, and what such a session may do."""

from datetime import timedelta

import pytest
from sign_in_town import HERE, PASSWORD, SECRET, Town

from audit.access import (
    Permission,
    Role,
    SecondSession,
    SignedIn,
    SignInRefusedError,
    StepUpRequiredError,
    ThrottledError,
    Viewer,
)
from audit.access.decisions import BreakGlass

ELSEWHERE = "10.9.9.9"


def emergency(town: Town, person: str = "s0412", minutes: float = 20) -> BreakGlass:
    now = town.clock.now()
    return BreakGlass(
        id="e-1",
        person=person,
        system="nhi",
        reason="停電",
        start=now,
        end=now + timedelta(minutes=minutes),
        sealed=True,
    )


def begin(town: Town, *, password: str = PASSWORD, sealed: bool = True, login_id: str = "s0412") -> tuple[str, str]:
    return town.access.begin_sealed_sign_in(login_id, password, sealed=sealed, address=HERE)


def opened(town: Town, minutes: float = 20) -> SignedIn:
    ticket, _ = begin(town)
    return town.access.finish_sealed_sign_in(ticket, emergency(town, minutes=minutes), address=HERE)


def viewer(town: Town, session: SignedIn) -> Viewer:
    found = town.access.authenticate(session.token, address=HERE)
    assert found is not None
    return found


def test_E9_such_a_session_is_the_weakest_and_says_what_it_is(town: Town) -> None:
    town.user("s0412", Role.SECURITY_ADMINISTRATOR, Role.STAFF)
    session = opened(town)
    seen = viewer(town, session)
    assert (seen.proof.acr, seen.emergency, seen.limited_to) == ("pwd", "e-1", "nhi")
    live = town.access.live_session("s0412")
    assert live is not None
    assert (live.limited_to, live.proof.amr) == ("nhi", ("password",))
    told = next(doc for doc in town.ledger.docs if doc["operation_name"] == "sign_in.completed")
    assert (told["break_glass"], told["auth"]["factors"]) == ("e-1", ["password"])
    assert Permission.ALERTS_ALERT_READ not in seen.permissions, "in Mimamori they are a member of staff"
    with pytest.raises(StepUpRequiredError):
        town.access.require(seen, Permission.RIGHTS_APPLICATION_APPROVE)


def test_E9_it_is_over_with_its_minutes_whatever_is_done_with_it(town: Town) -> None:
    town.user()
    session = opened(town, minutes=20)
    for _ in range(3):
        town.forward(minutes=6, seconds=30)  # longer than the lock: there is no factor to unlock with
        assert town.access.authenticate(session.token, address=HERE) is not None
    town.forward(seconds=31)
    assert town.access.authenticate(session.token, address=HERE) is None
    assert town.access.live_session("s0412") is None
    assert town.ledger.operations()[-1] == "session.emergency_over"


def test_E9_a_factor_that_is_found_again_does_not_lengthen_it(town: Town) -> None:
    town.user()
    session = opened(town, minutes=10)
    renewed = town.access.step_up(viewer(town, session), town.code(SECRET), address=HERE)
    assert viewer(town, renewed).limited_to == "nhi"
    town.forward(minutes=10)
    assert town.access.authenticate(renewed.token, address=HERE) is None


def test_E9_it_ends_idle_and_opens_nothing_elsewhere(town: Town) -> None:
    town.user()
    session = opened(town, minutes=60)
    assert town.access.authenticate(session.token, address=ELSEWHERE) is None
    town.forward(minutes=15)
    assert town.access.authenticate(session.token, address=HERE) is None


def test_E9_a_wrong_code_a_wrong_password_and_nobody_look_the_same(town: Town) -> None:
    town.user()
    town.passwords.verified = 0
    texts = set()
    for tried in ({"sealed": False}, {"password": "wrong"}, {"login_id": "nobody"}):
        with pytest.raises(SignInRefusedError) as refused:
            begin(town, **tried)  # type: ignore[arg-type]
        texts.add(refused.value.text("ja"))
    assert (len(texts), town.passwords.verified) == (1, 3)
    assert [name for name in town.ledger.operations() if name.startswith("sealed_sign_in")] == [
        "sealed_sign_in.code_wrong",
        "sealed_sign_in.password_wrong",
        "sealed_sign_in.unknown_login_id",
    ]


def test_S1_guessing_codes_is_throttled_as_guessing_passwords_is(town: Town) -> None:
    town.user()
    for _ in range(5):
        with pytest.raises(SignInRefusedError):
            begin(town, sealed=False)
    with pytest.raises(ThrottledError):
        begin(town)


def test_the_ticket_is_good_once_here_and_for_nothing_else(town: Town) -> None:
    town.user()
    ticket, _ = begin(town)
    with pytest.raises(SignInRefusedError):
        town.access.finish_sign_in(ticket, town.code(), address=HERE)
    with pytest.raises(SignInRefusedError):
        town.access.finish_sealed_sign_in(ticket, emergency(town), address=ELSEWHERE)
    with pytest.raises(SignInRefusedError):
        town.access.finish_sealed_sign_in(town.ticket(), emergency(town), address=HERE)
    town.access.finish_sealed_sign_in(ticket, emergency(town), address=HERE)
    with pytest.raises(SignInRefusedError):
        town.access.finish_sealed_sign_in(ticket, emergency(town), address=HERE)


def test_an_emergency_of_somebody_else_opens_nothing(town: Town) -> None:
    town.user()
    ticket, _ = begin(town)
    with pytest.raises(SignInRefusedError):
        town.access.finish_sealed_sign_in(ticket, emergency(town, "s0500"), address=HERE)
    assert town.access.live_session("s0412") is None


def test_whoever_left_or_is_disabled_comes_in_by_no_envelope(town: Town) -> None:
    town.user()
    town.directory.left.add("s0412")
    with pytest.raises(SignInRefusedError) as refused:
        begin(town)
    assert refused.value.reason == "no_post"


def test_without_its_event_there_is_no_session(town: Town) -> None:
    town.user()
    ticket, _ = begin(town)
    town.ledger.down_for = "sign_in.completed"
    with pytest.raises(ConnectionError):
        town.access.finish_sealed_sign_in(ticket, emergency(town), address=HERE)
    assert town.access.live_session("s0412") is None


def test_an_overdue_password_and_another_session_are_no_hindrance(town: Town) -> None:
    town.user()
    town.choose(password_max_age=timedelta(days=30), second_session="refuse")
    before = town.sign_in()
    town.forward(minutes=1)
    session = opened(town)
    assert town.access.authenticate(before.token, address=HERE) is None
    town.access.sign_out(viewer(town, session))
    town.forward(days=31)
    assert viewer(town, opened(town)).emergency == "e-1"


@pytest.mark.parametrize("rule", ["ask", "refuse"])
def test_a_session_whose_emergency_is_over_hinders_no_sign_in(town: Town, rule: str) -> None:
    town.user()
    town.choose(second_session=rule)
    opened(town, minutes=1)
    assert isinstance(town.opening(), SecondSession)
    town.forward(minutes=1, seconds=31)
    assert isinstance(town.opening(), SignedIn)


def test_only_whose_account_is_open_and_who_holds_a_post_is_in_office(town: Town) -> None:
    roles = frozenset({Role.SECURITY_ADMINISTRATOR, Role.STAFF})
    town.user("s0412", *roles)
    town.user("s0900", Role.SECURITY_ADMINISTRATOR)
    assert town.access.roles_in_office("s0412") == roles
    assert town.access.roles_in_office("nobody") == frozenset()
    town.directory.left.add("s0412")
    assert town.access.roles_in_office("s0412") == frozenset()
    town.directory.left.clear()
    town.access.disable_account("s0412", by=town.viewer("s0900"))
    assert town.access.roles_in_office("s0412") == frozenset()
