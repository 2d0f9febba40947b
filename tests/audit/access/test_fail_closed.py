"""A failing log gives nobody anything; secrets are nowhere they should not be."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from audit.access import Role, SignInRefusedError, ThrottledError
from audit.access.outbox import Outbox
from audit.access.tables import AttemptRow
from audit.store.state import Base

if TYPE_CHECKING:
    from sign_in_town import Town

Act = Callable[[], object]


def rows(town: "Town") -> dict[str, list[Any]]:
    """Everything stored but the counts of attempts, which a failing log may only raise."""
    counts = {"failures"}
    with town.store.unit() as unit:
        return {
            table.name: sorted(
                tuple((c.name, v) for c, v in zip(table.c, row, strict=True) if c.name not in counts)
                for row in unit.execute(select(table))
            )
            for table in Base.metadata.sorted_tables
            if table.name.startswith("access_") and table.name != AttemptRow.__tablename__
        }


def first_link(town: "Town") -> Act:
    return town.access.create_enrolment_link


def password(town: "Town") -> Act:
    town.user()
    return town.ticket


def code(town: "Town") -> Act:
    town.user()
    ticket = town.ticket()
    return lambda: town.access.finish_sign_in(ticket, town.code(), address="10.3.1.31")


def take_over(town: "Town") -> Act:
    town.user()
    town.sign_in()
    town.forward(seconds=30)
    town.choose(second_session="take_over")
    ticket = town.ticket()
    return lambda: town.access.finish_sign_in(ticket, town.code(), address="10.3.1.31")


def step_up(town: "Town") -> Act:
    town.user()
    viewer = town.viewer()
    town.forward(seconds=30)
    return lambda: town.access.step_up(viewer, town.code(), address="10.3.1.31")


def opened(town: "Town") -> Act:
    token = town.access.create_enrolment_link()
    return lambda: town.access.open_enrolment(token, address="10.3.1.31")


def completed(town: "Town") -> Act:
    token = town.access.create_enrolment_link()
    secret = town.access.open_enrolment(token, address="10.3.1.31").secret
    return lambda: town.access.complete_enrolment(
        token,
        login_id="admin01",
        display_name="n",
        password="gorse-lantern-oyster",
        code=town.code(secret),
        address="10.3.1.31",
    )


def rebound(town: "Town") -> Act:
    town.user("boss", Role.SECURITY_ADMINISTRATOR)
    town.user()
    town.sign_in()
    town.user("chief", Role.SECURITY_ADMINISTRATOR)
    town.access.ask_reset("s0412", by=town.viewer("boss"))
    token = town.access.confirm_reset("s0412", by=town.viewer("chief"))
    secret = town.access.open_enrolment(token, address="10.3.1.31").secret
    return lambda: town.access.complete_enrolment(
        token,
        login_id="s0412",
        display_name="",
        password="gorse-lantern-oyster",
        code=town.code(secret),
        address="10.3.1.31",
    )


def invited(town: "Town") -> Act:
    town.user("boss", Role.SECURITY_ADMINISTRATOR)
    boss = town.viewer("boss")
    return lambda: town.access.create_enrolment_link("new", display_name="n", roles=frozenset({Role.STAFF}), by=boss)


def sample(town: "Town") -> Act:
    return town.user


def enabled(town: "Town") -> Act:
    town.user("boss", Role.SECURITY_ADMINISTRATOR)
    town.user()
    boss = town.viewer("boss")
    town.access.disable_account("s0412", by=boss)
    return lambda: town.access.enable_account("s0412", by=boss)


@pytest.mark.parametrize(
    ("prepare", "down_for"),
    [
        (first_link, ""),
        (password, ""),
        (code, ""),
        (take_over, ""),
        (take_over, "session.taken_over"),
        (step_up, ""),
        (opened, ""),
        (completed, ""),
        (rebound, ""),
        (rebound, "session.factors_changed"),
        (invited, ""),
        (sample, ""),
        (enabled, ""),
    ],
)
def test_what_cannot_be_recorded_does_not_happen(town: "Town", prepare: Callable[["Town"], Act], down_for: str) -> None:
    act = prepare(town)
    before = rows(town)
    town.ledger.down_for = down_for
    with pytest.raises(ConnectionError):
        act()
    assert rows(town) == before
    town.ledger.down_for = None
    act()


def test_a_failing_log_gives_no_free_guesses(town: "Town") -> None:
    town.user()
    town.ledger.down_for = ""
    for _ in range(5):
        with pytest.raises(ConnectionError):
            town.access.begin_sign_in("s0412", "guess", address="10.3.1.31")
    town.ledger.down_for = None
    with pytest.raises(ThrottledError):
        town.ticket()


def test_what_takes_away_happens_even_when_the_log_fails(town: "Town") -> None:
    town.user("boss", Role.SECURITY_ADMINISTRATOR)
    town.user()
    session = town.sign_in()
    boss = town.viewer("boss")
    town.ledger.down_for = ""
    with pytest.raises(ConnectionError):
        town.access.disable_account("s0412", by=boss)
    with pytest.raises(ConnectionError):
        town.access.sign_out(boss)
    town.ledger.down_for = None
    assert town.access.authenticate(session.token) is None
    with pytest.raises(SignInRefusedError):
        town.ticket()


def test_secrets_are_in_no_event_and_not_in_the_database(town: "Town") -> None:
    link = town.access.create_enrolment_link()
    secret = town.access.open_enrolment(link, address="10.3.1.31").secret
    chosen, first_code = "gorse-lantern-oyster", town.code(secret)
    during = town.bytes_on_disk()
    town.access.complete_enrolment(
        link, login_id="admin01", display_name="n", password=chosen, code=first_code, address="10.3.1.31"
    )
    town.forward(seconds=30)
    ticket = town.access.begin_sign_in("admin01", chosen, address="10.3.1.31").ticket
    next_code = town.code(secret)
    during += town.bytes_on_disk()
    signed_in = town.access.finish_sign_in(ticket, next_code, address="10.3.1.31")
    with pytest.raises(SignInRefusedError):
        town.access.begin_sign_in("admin01", "a-wrong-password", address="10.3.1.31")
    viewer = town.access.authenticate(signed_in.token)
    assert viewer is not None
    town.forward(seconds=30)
    renewed = town.access.step_up(viewer, town.code(secret), address="10.3.1.31")
    on_disk, told = during + town.bytes_on_disk(), repr(town.ledger.docs)
    shown = repr((signed_in, renewed, viewer))
    assert b"admin01" in on_disk  # the search can find what is there
    for hidden in [link, secret, chosen, ticket, signed_in.token, renewed.token, "a-wrong-password"]:
        assert hidden.encode() not in on_disk
        assert hidden not in told
        assert hidden not in shown
    for used in [first_code, next_code]:
        assert f"'{used}'" not in told


def test_every_event_has_the_contract_form(town: "Town") -> None:
    town.user()
    viewer = town.viewer()
    town.access.sign_out(viewer)
    with pytest.raises(SignInRefusedError):
        town.access.begin_sign_in("nobody", "", address="10.3.1.31")
    assert len({doc["event_id"] for doc in town.ledger.docs}) == len(town.ledger.docs)
    for doc in town.ledger.docs:
        assert {"time", "event_id", "activity", "operation_name", "outcome", "actor"} <= set(doc)
        assert doc["outcome"] in {"success", "failure", "denied"}
        assert doc["time"].endswith("+09:00")


def test_the_end_of_an_account_and_of_a_session_is_told_when_the_log_is_back(town: "Town") -> None:
    town.user("boss", Role.SECURITY_ADMINISTRATOR)
    town.user()
    boss, viewer = town.viewer("boss"), town.viewer()
    town.ledger.down_for = ""
    with pytest.raises(ConnectionError):
        town.access.sign_out(viewer)
    with pytest.raises(ConnectionError):
        town.access.disable_account("s0412", by=boss)
    town.ledger.down_for = None
    outbox = Outbox(town.store, town.ledger)
    assert (outbox.catch_up(), outbox.catch_up()) == (2, 0)
    assert sorted(town.ledger.operations()[-2:]) == ["account.disabled", "session.signed_out"]
