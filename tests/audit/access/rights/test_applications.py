"""Asking and approving: in order, by whoever holds the post then, never for oneself."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from town_hall import (
    CHIEF,
    CLERK,
    DEPUTY,
    HEAD,
    KYUFU,
    NHI,
    OTHER_CHIEF,
    PEER,
    SHIKAKU,
    SYSTEMS,
    SYSTEMS_HEAD,
    TECHNICIAN,
    TEMP,
    TWIN,
    Hall,
)

from audit.access.rights import (
    ApplicationRefusedError,
    ChainError,
    DecisionRefusedError,
    DelegationRefusedError,
    Doer,
    Kind,
    PartRefusedError,
    RightUnknownError,
    Status,
    load_rules,
)
from audit.access.rights.repository import RightsRepository


def refused(hall: Hall, reason: str, application: str, by: str) -> None:
    with pytest.raises((DecisionRefusedError, RightUnknownError)) as error:
        hall.service.approve(application, Doer(id=by))
    assert error.value.reason == reason
    assert hall.ledger.docs[-1]["operation_name"] == "rights.approval_denied"
    assert hall.ledger.docs[-1]["outcome"] == "denied"
    assert hall.functions() == []


def test_a_right_holds_after_two_ordered_approvals_and_not_before(hall: Hall) -> None:
    application = hall.asked(functions=("view", "print"))
    assert hall.functions() == []
    refused(hall, "not_named", application.id, SYSTEMS_HEAD)  # the second one cannot go first
    hall.service.approve(application.id, Doer(id=CHIEF))
    assert hall.functions() == []
    done = hall.service.approve(application.id, Doer(id=SYSTEMS_HEAD))
    assert done.status is Status.APPROVED
    assert hall.functions() == ["print", "view"]
    assert [one.by for one in hall.service.application(application.id, Doer(id=CLERK)).approvals] == [
        CHIEF,
        SYSTEMS_HEAD,
    ]
    grant = hall.ledger.docs[-1]
    assert (grant["activity"], grant["target"]["id"], grant["target"]["system"]) == ("grant", CLERK, NHI)
    assert [(set(one), one["after"]["function"]) for one in grant["rights"]] == [
        ({"id", "after"}, "view"),
        ({"id", "after"}, "print"),
    ]


def test_a_chief_applies_for_staff_and_then_the_next_head_up_approves(hall: Hall) -> None:
    application = hall.asked(by=CHIEF)
    assert hall.service.next_approver(application) == HEAD
    refused(hall, "applicant", application.id, CHIEF)
    hall.service.approve(application.id, Doer(id=HEAD))
    hall.service.approve(application.id, Doer(id=SYSTEMS_HEAD))
    assert hall.functions() == ["view"]


def test_while_the_post_of_a_head_is_vacant_the_next_unit_up_decides(hall: Hall) -> None:
    hall.staff(f"{CHIEF},資格係長,,{SHIKAKU},係長,,regular,{HEAD},2020-04-01,2026-09-30,\n")
    application = hall.asked()
    refused(hall, "not_named", application.id, CHIEF)
    assert [due.application.id for due in hall.service.inbox(Doer(id=HEAD))] == [application.id]


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"functions": ()}, "function"),
        ({"functions": ("view; x",)}, "function"),
        ({"system": "moon"}, "system"),
        ({"unit": KYUFU}, "unit"),
        ({"unit": "hoken"}, "unit"),
        ({"reason": "  "}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"person": "nobody"}, "unknown_person"),
        ({"person": "a b"}, "shape"),
        ({"affair": "<script>"}, "shape"),
        ({"affair": "123456789018"}, "number"),
        ({"decision_ref": "\u202e"}, "shape"),
        ({"kind": Kind.REVOKE}, "replaces"),
        ({"replaces": ("abc",)}, "replaces"),
        ({"kind": Kind.CHANGE, "replaces": ("abc",)}, "replaces"),
    ],
)
def test_what_cannot_be_applied_for(hall: Hall, other: dict[str, object], reason: str) -> None:
    with pytest.raises(ApplicationRefusedError) as error:
        hall.service.apply(hall.wish(**other), Doer(id=CLERK))
    assert error.value.reason == reason
    assert error.value.text("ja") != error.value.text("en")
    assert hall.ledger.docs[-1]["operation_name"] == "rights.application_denied"


def test_the_period_must_lie_ahead(hall: Hall) -> None:
    now = hall.clock.now()
    for start, end, reason in (
        (now, now - timedelta(days=1), "past"),
        (now + timedelta(days=2), now + timedelta(days=1), "period"),
    ):
        with pytest.raises(ApplicationRefusedError) as error:
            hall.asked(start=start, end=end)
        assert error.value.reason == reason


def test_nobody_applies_for_somebody_elses_staff(hall: Hall) -> None:
    for stranger in (PEER, OTHER_CHIEF, "nobody"):
        with pytest.raises(ApplicationRefusedError) as error:
            hall.asked(by=stranger)
        assert error.value.reason in {"applicant", "unknown_person"}


def test_the_right_of_temporary_staff_ends_with_their_post(hall: Hall) -> None:
    """C-074."""
    last = hall.people.posts(TEMP)[0].end
    assert last is not None
    for end in (None, last + timedelta(seconds=1)):
        with pytest.raises(ApplicationRefusedError) as error:
            hall.asked(TEMP, end=end)
        assert error.value.reason == "fixed_term"
    application = hall.asked(TEMP, end=last)
    hall.service.approve(application.id, Doer(id=CHIEF))
    hall.staff(f"{TEMP},会計年度任用職員,,{SHIKAKU},主事,,fixed_term,{CHIEF},2026-04-01,2026-12-31,\n")
    with pytest.raises(DecisionRefusedError) as shorter:  # the term was cut in between
        hall.service.approve(application.id, Doer(id=SYSTEMS_HEAD))
    assert shorter.value.reason == "fixed_term"


def test_a_right_begins_with_its_last_approval_at_the_earliest(hall: Hall) -> None:
    early = hall.asked(start=hall.clock.now() - timedelta(days=30))
    hall.service.approve(early.id, Doer(id=CHIEF))
    at = hall.forward(days=2)
    hall.service.approve(early.id, Doer(id=SYSTEMS_HEAD))
    assert [right.start for right in hall.service.held(CLERK, NHI, at)] == [at]
    assert hall.service.held_at(at - timedelta(microseconds=1)) == ()


def test_whoever_moved_in_between_applies_anew(hall: Hall) -> None:
    application = hall.asked()
    hall.service.approve(application.id, Doer(id=CHIEF))
    hall.forward(days=1)
    hall.staff(f"{CLERK},係員,,{KYUFU},主事,,regular,{OTHER_CHIEF},2026-10-06,,9000000001\n")
    refused(hall, "unit", application.id, SYSTEMS_HEAD)


def test_an_approver_must_hold_the_post_at_the_moment_of_the_approval(hall: Hall) -> None:
    application = hall.asked()
    hall.forward(days=1)
    hall.staff(f"{CHIEF},資格係長,,{KYUFU},主査,,regular,{HEAD},2026-10-06,,\n")
    refused(hall, "not_named", application.id, CHIEF)
    assert [due.application.id for due in hall.service.inbox(Doer(id=HEAD))] == [application.id]


def test_the_person_and_the_approvers_see_an_application_and_nobody_else(hall: Hall) -> None:
    application = hall.asked()
    for who in (CLERK, CHIEF):
        assert hall.service.application(application.id, Doer(id=who)).id == application.id
    assert hall.service.application(application.id, Doer(id="auditor", reads_all=True)).id == application.id
    for who in (PEER, TWIN, TECHNICIAN, ""):
        with pytest.raises(RightUnknownError):
            hall.service.application(application.id, Doer(id=who))
    for act in (hall.service.approve, lambda one, by: hall.service.refuse(one, "no", by), hall.service.withdraw):
        for name in (application.id, "none"):
            with pytest.raises(RightUnknownError):
                act(name, Doer(id=PEER))


def test_refusing_needs_a_reason_and_ends_it(hall: Hall) -> None:
    application = hall.asked()
    with pytest.raises(DecisionRefusedError) as error:
        hall.service.refuse(application.id, " ", Doer(id=CHIEF))
    assert error.value.reason == "reason"
    done = hall.service.refuse(application.id, "個人番号 123456789018 は不要", Doer(id=CHIEF))
    assert (done.status, "123456789018" in done.closing_reason) == (Status.REFUSED, False)
    refused(hall, "closed", application.id, CHIEF)
    assert "123456789018" not in str(hall.ledger.docs)
    assert hall.service.inbox(Doer(id=CHIEF)) == []


def test_what_was_withdrawn_or_expired_cannot_be_approved(hall: Hall) -> None:
    withdrawn, late = hall.asked(), hall.asked()
    hall.service.withdraw(withdrawn.id, Doer(id=CLERK))
    refused(hall, "closed", withdrawn.id, CLERK)
    hall.forward(days=30)
    refused(hall, "expired", late.id, CHIEF)
    assert hall.service.inbox(Doer(id=CHIEF)) == []
    assert hall.service.sweep(hall.clock.now()).expired == 1
    assert hall.service.sweep(hall.clock.now()).expired == 0
    assert hall.service.application(late.id, Doer(id=CLERK)).status is Status.EXPIRED
    assert hall.ledger.operations().count("rights.application_expired") == 1


def test_a_change_goes_through_the_same_chain_and_ends_what_it_replaces(hall: Hall) -> None:
    """C-072."""
    first = hall.granted()
    change = hall.service.apply(hall.changed(first, functions=("update",)), Doer(id=CLERK))
    hall.service.approve(change.id, Doer(id=CHIEF))
    assert hall.functions() == ["view"]
    hall.service.approve(change.id, Doer(id=SYSTEMS_HEAD))
    assert hall.functions() == ["update"]
    told = hall.ledger.docs[-1]["rights"]
    assert [("before" in one, "after" in one) for one in told] == [(True, False), (False, True)]


def test_a_change_for_later_lets_the_old_right_run_until_then(hall: Hall) -> None:
    first = hall.granted()
    later = hall.clock.now() + timedelta(days=10)
    change = hall.service.apply(hall.changed(first, functions=("update",), start=later), Doer(id=CLERK))
    for by in (CHIEF, SYSTEMS_HEAD):
        hall.service.approve(change.id, Doer(id=by))
    assert hall.functions() == ["view"]
    hall.forward(days=10)
    assert hall.functions() == ["update"]


def test_a_revocation_that_was_applied_for_takes_effect_with_the_last_approval(hall: Hall) -> None:
    first = hall.granted()
    end = hall.service.apply(hall.changed(first, kind=Kind.REVOKE), Doer(id=CLERK))
    hall.service.approve(end.id, Doer(id=CHIEF))
    hall.service.approve(end.id, Doer(id=SYSTEMS_HEAD))
    assert hall.functions() == []
    assert hall.ledger.docs[-1]["activity"] == "revoke"
    with pytest.raises(ApplicationRefusedError):
        hall.service.apply(
            hall.wish(kind=Kind.REVOKE, replaces=(hall.ledger.docs[-1]["rights"][0]["id"],)), Doer(id=CLERK)
        )


def test_what_is_outside_the_units_table_is_marked(hall: Hall, tmp_path: Path) -> None:
    """C-076."""
    own = tmp_path / "rights.toml"
    own.write_text(f'[[functions]]\nunit = "{SHIKAKU}"\nsystem = "{NHI}"\nfunctions = ["view", "update"]\n')
    service = hall.with_rules(load_rules(own))
    assert service.apply(hall.wish(functions=("view", "export")), Doer(id=CLERK)).outside == ("export",)
    assert service.apply(hall.wish(PEER, unit=KYUFU), Doer(id=PEER)).outside == ("view",)  # a unit without a row
    assert hall.asked(functions=("export",)).outside == ()  # a town without a table


def test_each_city_has_the_chains_of_its_document() -> None:
    def steps(city: str, system: str) -> list[str]:
        chain = load_rules(city=city).chain(system)
        assert chain is not None
        return [step.head_of or step.role for step in chain.steps]

    assert steps("", NHI) == steps("kumagaya", NHI) == ["*", SYSTEMS]
    assert steps("kumagaya", "kokuho-shuyaku") == ["*"]
    assert steps("shinjuku", "nhi-legacy") == [SYSTEMS]
    assert steps("shinjuku", "atena") == ["rights_administrator"]
    assert steps("nagaoka", "server-admin-terminal") == ["*"]
    assert steps("kurashiki", "kokuho-shuyaku") == ["contractor_responsible"]
    care = load_rules(city="kumamoto").chain("ltci-core")
    assert care is not None
    assert care.decision_ref


def test_a_system_may_want_a_written_decision(hall: Hall) -> None:
    """C-070."""
    service = hall.with_rules(load_rules(city="kumamoto"))
    with pytest.raises(ApplicationRefusedError) as error:
        service.apply(hall.wish(system="ltci-core"), Doer(id=CLERK))
    assert error.value.reason == "decision_ref"
    application = service.apply(hall.wish(system="ltci-core", decision_ref="介護-2026-018"), Doer(id=CLERK))
    service.approve(application.id, Doer(id=CHIEF))
    assert hall.functions(system="ltci-core") == ["view"]


def test_where_the_head_applies_and_the_systems_head_approves_nobody_else_applies(hall: Hall) -> None:
    """C-068."""
    service = hall.with_rules(load_rules(city="shinjuku"))
    with pytest.raises(ApplicationRefusedError) as error:
        service.apply(hall.wish(system="nhi-legacy"), Doer(id=CLERK))
    assert error.value.reason == "chain_applicant"
    application = service.apply(hall.wish(system="nhi-legacy"), Doer(id=CHIEF))
    service.approve(application.id, Doer(id=SYSTEMS_HEAD))
    assert hall.functions(system="nhi-legacy") == ["view"]


def test_a_chain_names_people_posts_or_roles(hall: Hall, tmp_path: Path) -> None:
    own = tmp_path / "rights.toml"
    own.write_text(
        f'[[chain]]\nid = "own"\nsystems = ["{NHI}"]\nsteps = [{{ staff = ["{DEPUTY}"] }}, '
        f'{{ post = "技師", unit = "soumu" }}]\n'
    )
    service = hall.with_rules(load_rules(own))
    application = service.apply(hall.wish(), Doer(id=CLERK))
    service.approve(application.id, Doer(id=DEPUTY))
    with pytest.raises(RightUnknownError):
        service.approve(application.id, Doer(id=PEER))
    service.approve(application.id, Doer(id=TECHNICIAN))
    assert hall.functions() == ["view"]


def test_an_application_is_decided_by_the_chain_it_was_made_under(hall: Hall, tmp_path: Path) -> None:
    application = hall.asked()
    own = tmp_path / "rights.toml"
    own.write_text(f'[[chain]]\nid = "weak"\nsystems = ["{NHI}"]\nsteps = [{{ staff = ["{PEER}"] }}]\n')
    weaker = hall.with_rules(load_rules(own))
    for who in (PEER, CHIEF):
        with pytest.raises((RightUnknownError, DecisionRefusedError)):
            weaker.approve(application.id, Doer(id=who))
    assert weaker.inbox(Doer(id=PEER)) == []


@pytest.mark.parametrize(
    "said",
    [
        "[[chain",
        'chains = "x"',
        "expires_days = 0",
        '[[chain]]\nid = "a"\nsystems = ["*"]\nsteps = []',
        '[[chain]]\nid = "a"\nsystems = ["*"]\nsteps = [{}]',
        '[[chain]]\nid = "a"\nsystems = ["*"]\nsteps = [{ head_of = "x", post = "y" }]',
        '[[chain]]\nid = "a"\nsystems = ["*"]\nsteps = [{ boss = "x" }]',
        '[[chain]]\nid = "a"\nsystems = ["*"]\nstep = [{ head_of = "x" }]',
    ],
)
def test_a_file_of_chains_that_cannot_be_used_stops_the_start(tmp_path: Path, said: str) -> None:
    own = tmp_path / "rights.toml"
    own.write_text(said)
    with pytest.raises(ChainError, match=r"rights\.toml"):
        load_rules(own)


# Nobody decides on their own case


def test_E1_nobody_approves_their_own_right_in_any_way(hall: Hall) -> None:
    mine = hall.asked(CHIEF)
    refused(hall, "oneself", mine.id, CHIEF)  # the head of the unit that it is for
    hall.service.approve(mine.id, Doer(id=HEAD))
    hall.service.approve(mine.id, Doer(id=SYSTEMS_HEAD))
    assert hall.functions(CHIEF) == ["view"]


def test_E1_a_second_id_of_the_same_person_approves_nothing(hall: Hall) -> None:
    hall.staff(f"{HEAD},課長,,hoken,課長,,regular,,2020-04-01,2026-09-30,\n")
    hall.staff(f"{TWIN},係員,,hoken,課長,,regular,,2020-04-01,,9000000001\n")
    hall.staff(f"{CHIEF},資格係長,,{SHIKAKU},係長,,regular,{HEAD},2020-04-01,2026-09-30,\n")
    application = hall.asked()
    refused(hall, "oneself", application.id, TWIN)
    assert hall.service.inbox(Doer(id=TWIN)) == []


def test_E1_one_person_with_two_ids_does_not_give_both_approvals(hall: Hall) -> None:
    hall.staff(f"{CHIEF},資格係長,,{SHIKAKU},係長,,regular,{HEAD},2020-04-01,,9000000077\n")
    hall.staff(f"{SYSTEMS_HEAD},情報係長,,{SYSTEMS},係長,,regular,,2020-04-01,,9000000077\n")
    application = hall.asked()
    hall.service.approve(application.id, Doer(id=CHIEF))
    refused(hall, "same_person", application.id, SYSTEMS_HEAD)


def test_E1_a_delegate_is_bound_like_the_approver(hall: Hall) -> None:
    now = hall.clock.now()
    end = now + timedelta(days=7)
    application = hall.asked()
    hall.service.delegate(CLERK, now, end, Doer(id=CHIEF))  # the chief is away and names the clerk
    refused(hall, "oneself", application.id, CLERK)
    hall.service.delegate(PEER, now, end, Doer(id=DEPUTY))  # who decides nothing delegates nothing
    refused(hall, "not_named", application.id, PEER)
    hall.service.delegate(DEPUTY, now, end, Doer(id=CHIEF))
    refused(hall, "not_named", application.id, PEER)  # a delegation is not passed on
    assert hall.service.inbox(Doer(id=DEPUTY))[0].deputy_for == CHIEF
    hall.service.approve(application.id, Doer(id=DEPUTY))
    hall.service.delegate(DEPUTY, now, end, Doer(id=SYSTEMS_HEAD))
    refused(hall, "same_person", application.id, DEPUTY)  # who gave the other step
    hall.service.approve(application.id, Doer(id=SYSTEMS_HEAD))
    assert hall.functions() == ["view"]


def test_E1_a_boss_does_not_get_a_right_through_a_deputy(hall: Hall) -> None:
    mine = hall.asked(CHIEF)
    now = hall.clock.now()
    hall.service.delegate(CLERK, now, now + timedelta(days=1), Doer(id=CHIEF))
    refused(hall, "not_named", mine.id, CLERK)


def test_E1_an_application_in_bulk_is_decided_one_by_one(hall: Hall) -> None:
    theirs, mine = hall.asked(), hall.asked(CHIEF)
    for application in (theirs, mine):
        try:
            hall.service.approve(application.id, Doer(id=CHIEF))
        except DecisionRefusedError:
            assert application is mine
    assert [len(hall.service.application(one.id, Doer(id=one.applicant)).approvals) for one in (theirs, mine)] == [1, 0]


def test_delegations_have_limits_and_end_at_once(hall: Hall) -> None:
    now = hall.clock.now()
    day = timedelta(days=1)
    for deputy, start, end, by, reason in (
        (CHIEF, now, now + day, CHIEF, "oneself"),
        ("nobody", now, now + day, CHIEF, "deputy"),
        (DEPUTY, now, now, CHIEF, "period"),
        (DEPUTY, now, now + 367 * day, CHIEF, "period"),
        (DEPUTY, now, now + day, "nobody", "post"),
        (TWIN, now, now + day, CLERK, "oneself"),
    ):
        with pytest.raises(DelegationRefusedError) as error:
            hall.service.delegate(deputy, start, end, Doer(id=by))
        assert error.value.reason == reason
    named = hall.service.delegate(DEPUTY, now, now + day, Doer(id=CHIEF))
    application = hall.asked()
    assert hall.service.delegations_of(Doer(id=DEPUTY)) == [named]
    with pytest.raises(RightUnknownError):
        hall.service.end_delegation(named.id, Doer(id=DEPUTY))
    hall.service.end_delegation(named.id, Doer(id=CHIEF))
    refused(hall, "not_named", application.id, DEPUTY)
    hall.service.delegate(DEPUTY, now, now + day, Doer(id=CHIEF))
    hall.forward(days=1)
    refused(hall, "not_named", application.id, DEPUTY)
    assert {doc["activity"] for doc in hall.ledger.docs if "deputy" in doc["operation_name"]} == {"grant", "revoke"}


# At one moment


@pytest.mark.both_engines
def test_of_two_approvals_at_one_moment_one_counts(hall: Hall) -> None:
    now = hall.clock.now()
    hall.service.delegate(DEPUTY, now, now + timedelta(days=1), Doer(id=CHIEF))
    application = hall.asked()

    def approve(by: str) -> bool:
        try:
            hall.service.approve(application.id, Doer(id=by))
        except (DecisionRefusedError, RightUnknownError):
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(approve, [CHIEF, DEPUTY] * 4))
    assert won.count(True) == 1
    assert hall.ledger.operations().count("rights.approved") == 1
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(approve, [SYSTEMS_HEAD] * 8))
    assert won.count(True) == 1
    assert hall.ledger.operations().count("rights.granted") == 1
    assert hall.functions() == ["view"]


@pytest.mark.both_engines
def test_an_approval_and_a_withdrawal_at_one_moment_do_not_both_count(hall: Hall) -> None:
    for _ in range(5):
        application = hall.asked()
        hall.service.approve(application.id, Doer(id=CHIEF))

        def last(act: str, name: str = application.id) -> bool:
            try:
                if act == "approve":
                    hall.service.approve(name, Doer(id=SYSTEMS_HEAD))
                else:
                    hall.service.withdraw(name, Doer(id=CLERK))
            except (DecisionRefusedError, RightUnknownError):
                return False
            return True

        with ThreadPoolExecutor(2) as pool:
            approved, withdrawn = pool.map(last, ["approve", "withdraw"])
        assert approved != withdrawn
        status = hall.service.application(application.id, Doer(id=CLERK)).status
        assert status is (Status.APPROVED if approved else Status.WITHDRAWN)
        assert len(hall.functions()) == hall.ledger.operations().count("rights.granted")


@pytest.mark.both_engines
def test_of_two_changes_at_once_the_later_one_gives_nothing_back(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one read the right before the first one shortened it."""
    held, now = hall.granted(), hall.clock.now()
    late = hall.service.apply(hall.changed(held, start=now + timedelta(days=20)), Doer(id=CLERK))
    hall.service.approve(late.id, Doer(id=CHIEF))
    shorten = RightsRepository.shorten

    def overtaken(repository: RightsRepository, right: str, end: datetime) -> bool:
        assert shorten(repository, right, now + timedelta(days=10))
        return shorten(repository, right, end)

    monkeypatch.setattr(RightsRepository, "shorten", overtaken)
    with pytest.raises(DecisionRefusedError):
        hall.service.approve(late.id, Doer(id=SYSTEMS_HEAD))


# The log


@pytest.mark.parametrize(
    "operation", ["rights.applied_for", "rights.approved", "rights.granted", "rights.deputy_named"]
)
def test_what_cannot_be_recorded_is_not_given(hall: Hall, operation: str) -> None:
    application = hall.asked()
    hall.ledger.down_for = operation
    now = hall.clock.now()

    def everything() -> None:
        hall.service.delegate(DEPUTY, now, now + timedelta(days=1), Doer(id=CHIEF))
        hall.asked()
        hall.service.approve(application.id, Doer(id=CHIEF))
        hall.service.approve(application.id, Doer(id=SYSTEMS_HEAD))

    with pytest.raises(ConnectionError):
        everything()
    hall.ledger.down_for = None
    assert hall.functions() == []
    assert hall.service.history() == []
    if operation == "rights.deputy_named":
        assert hall.service.delegations_of(Doer(id=DEPUTY)) == []


def test_what_was_refused_while_the_log_was_down_is_told_once_when_it_is_back(hall: Hall) -> None:
    application = hall.asked()
    hall.ledger.down_for = "rights.refused"
    with pytest.raises(ConnectionError):
        hall.service.refuse(application.id, "不要", Doer(id=CHIEF))
    assert hall.service.application(application.id, Doer(id=CLERK)).status is Status.REFUSED
    hall.ledger.down_for = None
    assert hall.service.sweep(hall.clock.now()).told == 1
    assert hall.service.sweep(hall.clock.now()).told == 0
    assert hall.ledger.operations().count("rights.refused") == 1


def test_a_wish_is_stored_as_it_was_asked(hall: Hall) -> None:
    end = hall.clock.now() + timedelta(days=9)
    wish = hall.wish(functions=("view", "view", "print"), end=end, affair="nhi/shikaku", decision_ref="決-12")
    application = hall.service.apply(wish, Doer(id=CLERK))
    (stored,) = hall.service.applications_of(Doer(id=CLERK))
    assert stored == application
    assert stored.wish == replace(wish, functions=("view", "print"))


def test_one_application_for_several_persons_becomes_a_right_and_events_of_its_own_for_each(hall: Hall) -> None:
    second, third = "s0014", "s0015"
    for name in (second, third):
        hall.staff(f"{name},異動者,,{SHIKAKU},主事,,regular,{CHIEF},2026-04-01,,\n")
    parts = hall.service.apply_together([hall.wish(name) for name in (CLERK, second, third)], Doer(id=HEAD))
    assert len({part.batch for part in parts}) == 1
    assert [part.beside for part in parts] == [(second, third), (CLERK, third), (CLERK, second)]
    told = [doc for doc in hall.ledger.docs if doc["operation_name"] == "rights.applied_for"]
    assert [doc["target"]["id"] for doc in told] == [CLERK, second, third]
    assert {doc["batch"] for doc in told} == {parts[0].batch}
    assert len(hall.service.inbox(Doer(id=CHIEF))) == 3
    for part in parts[:2]:
        hall.service.approve(part.id, Doer(id=CHIEF))
    hall.service.refuse(parts[2].id, "担当ではない", Doer(id=CHIEF))
    for part in parts[:2]:
        hall.service.approve(part.id, Doer(id=SYSTEMS_HEAD))
    assert (hall.functions(), hall.functions(second), hall.functions(third)) == (["view"], ["view"], [])
    assert hall.ledger.operations().count("rights.granted") == 2


def test_nobody_who_would_gain_by_any_part_decides_another(hall: Hall) -> None:
    parts = hall.service.apply_together([hall.wish(name) for name in (CLERK, CHIEF)], Doer(id=HEAD))
    for part in parts:
        with pytest.raises((DecisionRefusedError, RightUnknownError)) as error:
            hall.service.approve(part.id, Doer(id=CHIEF))
        assert error.value.reason == "oneself"
    assert hall.service.inbox(Doer(id=CHIEF)) == []
    hall.service.withdraw(parts[1].id, Doer(id=HEAD))
    assert hall.service.inbox(Doer(id=CHIEF)) == [], "not even after one's own part is gone"
    alone = hall.asked()
    assert [due.application.id for due in hall.service.inbox(Doer(id=CHIEF))] == [alone.id]


@pytest.mark.parametrize(
    ("persons", "reason"),
    [
        ((CLERK,), "together_number"),
        ((CLERK, CLERK), "together_twice"),
        ((CLERK, PEER), "unit"),
        ((CLERK, TEMP), "fixed_term"),
        ((CLERK, "nobody"), "unknown_person"),
    ],
)
def test_parts_that_cannot_all_be_asked_for_are_none_of_them_asked_for(
    hall: Hall, persons: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(ApplicationRefusedError) as error:
        hall.service.apply_together([hall.wish(name) for name in persons], Doer(id=HEAD))
    assert error.value.reason == reason
    assert isinstance(error.value, PartRefusedError) is not reason.startswith("together")
    if isinstance(error.value, PartRefusedError):
        assert error.value.text("ja").startswith(f"{persons[1]}: ")
    assert hall.service.applications_of(Doer(id=HEAD)) == []
    assert hall.ledger.docs[-1]["operation_name"] == "rights.application_denied"


def test_only_the_same_new_right_is_asked_for_together(hall: Hall) -> None:
    first, second = hall.wish(CLERK), hall.wish(TEMP)
    for wrong, reason in (
        (replace(second, functions=("print",)), "together"),
        (replace(second, unit=KYUFU), "together_unit"),
        (replace(second, reason="別"), "together"),
    ):
        with pytest.raises(ApplicationRefusedError) as error:
            hall.service.apply_together([first, wrong], Doer(id=HEAD))
        assert error.value.reason == reason
