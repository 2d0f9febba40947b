"""Live sessions and rights."""

from typing import TYPE_CHECKING

import pytest

from audit.access import ForbiddenError, Permission, Role, SignInRefusedError, StepUpRequiredError

if TYPE_CHECKING:
    from sign_in_town import Town


@pytest.mark.parametrize(("seconds", "alive"), [(15 * 60 - 1, True), (15 * 60, False), (15 * 60 + 1, False)])
def test_S22_a_session_ends_when_nobody_uses_it(town: "Town", seconds: int, alive: bool) -> None:
    town.user()
    token = town.sign_in().token
    town.forward(seconds=seconds)
    assert (town.access.look(token) is not None) is alive
    assert ("session.idle_end" in town.ledger.operations()) is not alive
    assert town.access.authenticate(token) is None  # before that it is locked


def test_S22_use_keeps_a_session_until_the_shift_is_over(town: "Town") -> None:
    town.user()
    signed_in = town.sign_in()
    token = signed_in.token
    for _ in range(134):
        town.forward(minutes=4)
        assert town.access.authenticate(token) is not None
    town.forward(minutes=3, seconds=59)
    assert town.access.authenticate(token) is not None
    town.forward(seconds=2)
    assert town.access.authenticate(token) is None
    assert town.access.authenticate(token) is None
    assert town.ledger.operations().count("session.absolute_end") == 1
    assert town.ledger.docs[-1]["session"] == signed_in.session.id
    assert town.ledger.docs[-1]["activity"] == "logout"


def test_S22_a_clock_that_goes_back_ends_a_session_for_good(town: "Town") -> None:
    town.user()
    token = town.sign_in().token
    town.forward(minutes=4)
    assert town.access.authenticate(token) is not None
    town.forward(seconds=-3)
    assert town.access.authenticate(token) is not None  # a small correction is none of the user's business
    town.forward(minutes=-5)
    assert town.access.authenticate(token) is None
    town.forward(minutes=6)
    assert town.access.authenticate(token) is None
    assert town.ledger.operations()[-1] == "session.clock_went_back"


def test_small_steps_back_do_not_lengthen_a_session(town: "Town") -> None:
    town.user()
    token = town.sign_in().token
    town.forward(minutes=4)
    assert town.access.authenticate(token) is not None
    town.forward(seconds=-4)
    assert town.access.authenticate(token) is not None
    town.forward(minutes=15, seconds=4)
    assert town.access.look(token) is None


def test_the_newest_session_takes_over(town: "Town") -> None:
    town.user()
    first = town.sign_in()
    town.forward(seconds=30)
    second = town.sign_in(address="10.3.1.32")
    assert first.token != second.token
    assert town.access.authenticate(first.token) is None
    assert town.access.authenticate(second.token) is not None
    assert town.ledger.operations()[-2:] == ["sign_in.completed", "session.taken_over"]
    assert town.ledger.docs[-1]["session"] == first.session.id
    assert second.session.previous_sign_in_at == first.session.created_at


def test_signing_out_ends_it(town: "Town") -> None:
    town.user()
    signed_in = town.sign_in()
    viewer = town.access.authenticate(signed_in.token)
    assert viewer is not None
    town.access.sign_out(viewer)
    town.access.sign_out(viewer)
    assert town.access.authenticate(signed_in.token) is None
    assert town.ledger.operations().count("session.signed_out") == 1


@pytest.mark.parametrize("token", ["", "garbage", "\ud800", "x" * 10_000])
def test_garbage_is_nobody(town: "Town", token: str) -> None:
    assert town.access.authenticate(token) is None
    assert town.ledger.docs == []


def test_the_language_of_a_session_can_change(town: "Town") -> None:
    town.user()
    token = town.sign_in().token
    viewer = town.access.authenticate(token)
    assert viewer is not None
    assert viewer.language == "ja"
    town.access.set_language(viewer, "en")
    changed = town.access.authenticate(token)
    assert changed is not None
    assert changed.language == "en"


@pytest.mark.parametrize("role", list(Role))
def test_every_role_against_every_permission(town: "Town", role: Role) -> None:
    town.user("s0412", role)
    viewer = town.viewer()
    denied = set()
    for permission in Permission:
        try:
            town.access.require(viewer, permission)
        except ForbiddenError:
            denied.add(permission)
    assert denied == set(Permission) - viewer.permissions
    assert town.ledger.operations().count("permission.denied") == len(denied)


def test_a_sensitive_right_asks_for_a_fresh_code(town: "Town") -> None:
    town.user("s0412", Role.SECURITY_ADMINISTRATOR)
    signed_in = town.sign_in()
    town.forward(minutes=4, seconds=59)
    viewer = town.access.authenticate(signed_in.token)
    assert viewer is not None
    town.access.require(viewer, Permission.ADMIN_USER_MANAGE)
    town.forward(seconds=1)
    town.access.require(viewer, Permission.ALERTS_ALERT_READ)
    with pytest.raises(StepUpRequiredError):
        town.access.require(viewer, Permission.ADMIN_USER_MANAGE)
    renewed = town.access.step_up(viewer, town.code(), address="10.3.1.31")
    assert renewed.session.id == signed_in.session.id
    assert town.access.authenticate(signed_in.token) is None
    fresh = town.access.authenticate(renewed.token)
    assert fresh is not None
    town.access.require(fresh, Permission.ADMIN_USER_MANAGE)
    with pytest.raises(SignInRefusedError) as caught:
        town.access.step_up(fresh, town.code(), address="10.3.1.31")
    assert caught.value.reason == "code_replayed"


def test_a_step_up_does_not_revive_a_session(town: "Town") -> None:
    town.user()
    viewer = town.viewer()
    town.access.sign_out(viewer)
    town.forward(seconds=30)
    with pytest.raises(SignInRefusedError) as caught:
        town.access.step_up(viewer, town.code(), address="10.3.1.31")
    assert caught.value.reason == "session_ended"
