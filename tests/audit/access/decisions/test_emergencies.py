"""Break-glass: declared, alerted, reviewed by somebody else."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asking import ME, NOW, OTHER, SYSTEM, Log, facts, policy, post, question, said, session

from audit.access import Role, SessionInfo, SignedIn, SignInRefusedError
from audit.access.decisions import (
    Actor,
    BreakGlass,
    DecisionPolicy,
    EmergencyRefusedError,
    EnvelopeRefusedError,
    LiveSession,
    decide,
)
from audit.access.decisions.emergencies.envelopes import EnvelopeService
from audit.access.decisions.emergencies.model import Emergency, SealedCredential, Verdict
from audit.access.decisions.emergencies.service import EmergencyService
from audit.access.outbox import Outbox
from audit.access.strength import Proof
from audit.clock import FixedClock
from audit.context import Post, is_closed_by_law
from audit.events import check
from audit.store.state import StateStore

WHY = "庁舎の停電により所属の端末が使えない"
ME_SIGNED_IN = Actor(staff_id=ME, address="10.3.1.31", session=f"sid-{ME}")
SYSTEMS = Actor(staff_id="s0091", address="10.3.1.33", session="sid-s0091")
REVIEWER = Actor(staff_id=OTHER, address="10.3.1.32", session=f"sid-{OTHER}")


class Town:
    """Who is there, and an alarm that can fail."""

    def __init__(self) -> None:
        self.session: LiveSession | None = session()
        self.post: Post | None = post()
        self.alerts: list[tuple[Emergency, str]] = []
        self.alarm_down = False
        self.offices = frozenset({Role.ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR})

    def live_session(self, login_id: str) -> LiveSession | None:
        return self.session if login_id == ME else None

    def post_at(self, staff_id: str, at: datetime) -> Post | None:
        found = self.post if staff_id == ME else post(staff_id)
        return found if found is not None and found.holds(at) else None

    def same_natural_person(self, one: str, other: str) -> bool:
        return one == other or {one, other} == {ME, "s9412"}

    def closed(self, org_unit: str, day: date) -> str:
        assert org_unit == "hoken/shikaku"
        return is_closed_by_law(day)

    def alert(self, emergency: Emergency, event_id: str) -> None:
        if self.alarm_down:
            raise ConnectionError
        self.alerts.append((emergency, event_id))

    # As the door: whoever says the word is let in.

    def roles_in_office(self, login_id: str) -> frozenset[Role]:
        assert login_id
        return self.offices

    def begin_sealed_sign_in(self, login_id: str, password: str, *, sealed: bool, address: str) -> tuple[str, str]:
        assert address
        if not sealed or password != "open sesame":
            raise SignInRefusedError("refused")
        return f"ticket of {login_id}", login_id

    def finish_sealed_sign_in(
        self, ticket: str, emergency: BreakGlass, *, address: str, language: str = "ja"
    ) -> SignedIn:
        assert ticket == f"ticket of {emergency.person}"
        info = SessionInfo(
            id="s", account_id="a", created_at=NOW, last_seen_at=NOW, second_factor_at=NOW, address=address,
            language=language, previous_sign_in_at=None, proof=Proof(factors=frozenset({"password"}), at=NOW),
        )  # fmt: skip
        return SignedIn("token", info)


@pytest.fixture
def town() -> Town:
    return Town()


@pytest.fixture
def allowed() -> DecisionPolicy:
    return policy(break_glass=True, break_glass_minutes=30)


@pytest.fixture
def service(store: StateStore, clock: FixedClock, log: Log, town: Town, allowed: DecisionPolicy) -> EmergencyService:
    return EmergencyService(store, clock, log, lambda: allowed, town, town)


@pytest.fixture
def envelopes(store: StateStore, clock: FixedClock, log: Log, service: EmergencyService, town: Town) -> EnvelopeService:
    return EnvelopeService(store, clock, log, service, town, town)


def sealed(envelopes: EnvelopeService) -> SealedCredential:
    """An envelope that two people have made."""
    wish = envelopes.ask(by=REVIEWER, offices={Role.SECURITY_ADMINISTRATOR})
    return envelopes.confirm(wish.id, by=SYSTEMS, offices={Role.ADMINISTRATOR, Role.STAFF})


def enter(envelopes: EnvelopeService, code: str, **other: Any) -> SignedIn:
    """Sign in with an envelope."""
    asked = {"system": SYSTEM, "reason": WHY, "minutes": 20, "address": "10.3.1.31"}
    password = other.pop("password", "open sesame")
    return envelopes.open(ME, password, code, **(asked | other))


def declare(service: EmergencyService, minutes: int = 30, sealed_code: str = "", why: str = WHY) -> Emergency:
    return service.declare(SYSTEM, why, minutes, by=ME_SIGNED_IN, sealed_code=sealed_code)


def test_E9_an_emergency_is_recorded_and_alerted_at_once_and_due_for_review_the_next_business_day(
    service: EmergencyService, log: Log, town: Town, clock: FixedClock
) -> None:
    emergency = declare(service)
    doc = log.last()
    assert (doc["activity"], doc["operation_name"]) == ("grant", "break_glass.declared")
    assert town.alerts == [(emergency, doc["event_id"])]
    assert emergency.review_due == date(2026, 10, 6)
    assert service.open_for(ME, SYSTEM, clock.now()) == emergency.declared
    assert service.unreviewed() == [emergency]
    assert check(doc, clock.now()).faults == ()


def test_the_review_waits_over_new_year(service: EmergencyService, clock: FixedClock) -> None:
    clock.advance(datetime(2026, 12, 28, 9, tzinfo=NOW.tzinfo) - NOW)
    assert declare(service).review_due == date(2027, 1, 4)


def test_E9_it_holds_for_its_minutes_person_and_system(service: EmergencyService, clock: FixedClock) -> None:
    declare(service)
    assert service.open_for(ME, "tax", clock.now()) is None
    assert service.open_for(OTHER, SYSTEM, clock.now()) is None
    clock.advance(timedelta(minutes=30))
    assert service.open_for(ME, SYSTEM, clock.now()) is None
    assert len(service.unreviewed()) == 1


def test_E9_decisions_under_it_say_so(service: EmergencyService, allowed: DecisionPolicy) -> None:
    opened = declare(service).declared
    answer = decide(question(), facts(entitlements=(), working=(), emergency=opened), allowed)
    assert said(answer) == ("allow", "allowed")
    assert set(answer.notes) == {"break_glass", "lifted_entitlement", "lifted_time"}


@pytest.mark.parametrize(
    ("minutes", "why", "reason"),
    [(0, WHY, "minutes"), (31, WHY, "minutes"), (30, "急ぎ", "reason"), (30, "あ" * 501, "reason")],
)
def test_what_an_emergency_must_say(service: EmergencyService, minutes: int, why: str, reason: str) -> None:
    with pytest.raises(EmergencyRefusedError) as refused:
        declare(service, minutes, why=why)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    "there",
    [
        {"session": None},
        {"session": session(locked=True)},
        {"session": session(id="sid-other")},
        {"post": None},
    ],
)
def test_E9_only_somebody_signed_in_and_in_office_declares(
    service: EmergencyService, town: Town, log: Log, there: dict[str, object]
) -> None:
    for name, value in there.items():
        setattr(town, name, value)
    with pytest.raises(EmergencyRefusedError):
        declare(service)
    assert (log.docs, town.alerts) == ([], [])


def test_E9_a_system_whose_policy_has_none_has_none(store: StateStore, clock: FixedClock, log: Log, town: Town) -> None:
    service = EmergencyService(store, clock, log, policy, town, town)
    with pytest.raises(EmergencyRefusedError) as refused:
        declare(service)
    assert refused.value.reason == "not_allowed"


@pytest.mark.parametrize("what", ["log", "alarm"])
def test_E9_without_its_event_or_its_alert_there_is_no_emergency(
    service: EmergencyService, log: Log, town: Town, what: str
) -> None:
    log.down, town.alarm_down = what == "log", what == "alarm"
    with pytest.raises(ConnectionError):
        declare(service)
    assert service.open_for(ME, SYSTEM, NOW) is None


def test_INV4_somebody_else_reviews_it_once_and_when_it_is_over(
    service: EmergencyService, clock: FixedClock, log: Log
) -> None:
    number = declare(service).declared.id

    def refusal(by: Actor) -> str:
        with pytest.raises(EmergencyRefusedError) as refused:
            service.review(number, Verdict.JUSTIFIED, "記録を確認", by=by)
        return refused.value.reason

    assert refusal(REVIEWER) == "open"
    clock.advance(timedelta(hours=1))
    assert refusal(ME_SIGNED_IN) == "oneself"
    assert refusal(Actor(staff_id="s9412")) == "oneself"
    service.review(number, Verdict.UNJUSTIFIED, "対象外の照会がある", by=REVIEWER)
    assert service.unreviewed() == []
    assert log.last()["unmapped"]["review"] == {"verdict": "unjustified", "note": "対象外の照会がある"}
    assert refusal(REVIEWER) == "settled"


def test_the_person_ends_it_early_and_nobody_else_does(service: EmergencyService, clock: FixedClock) -> None:
    number = declare(service).declared.id
    with pytest.raises(EmergencyRefusedError):
        service.end(number, by=REVIEWER)
    clock.advance(timedelta(minutes=1))
    service.end(number, by=ME_SIGNED_IN)
    assert service.open_for(ME, SYSTEM, clock.now()) is None
    with pytest.raises(EmergencyRefusedError):
        service.end(number, by=ME_SIGNED_IN)


def test_E9_a_sealed_credential_is_good_once_and_its_code_is_nowhere(
    service: EmergencyService, envelopes: EnvelopeService, log: Log, tmp_path: Path
) -> None:
    credential = sealed(envelopes)
    assert declare(service, sealed_code=credential.code).declared.sealed
    with pytest.raises(EmergencyRefusedError) as refused:
        declare(service, sealed_code=credential.code)
    assert refused.value.reason == "credential"
    assert log.operations() == [
        "break_glass.envelope_asked",
        "break_glass.sealed_issued",
        "break_glass.envelope_opened",
        "break_glass.declared",
        "break_glass.sealed_refused",
    ]
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    for code in (credential.code, credential.code.replace("-", "")):
        assert code.encode() not in kept
        assert code not in repr(log.docs) + repr(credential)


@pytest.mark.both_engines
def test_E9_one_envelope_opens_one_emergency_however_many_try(
    service: EmergencyService, envelopes: EnvelopeService, town: Town
) -> None:
    code = sealed(envelopes).code

    def attempt(_: int) -> bool:
        try:
            declare(service, sealed_code=code)
        except EmergencyRefusedError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(attempt, range(4))) == 1
    assert len(town.alerts) == 1


# Envelopes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asks", "confirms", "reason"),
    [
        ((REVIEWER, {Role.SECURITY_ADMINISTRATOR}), (REVIEWER, {Role.ADMINISTRATOR}), "oneself"),
        (
            (Actor(staff_id=ME), {Role.SECURITY_ADMINISTRATOR}),
            (Actor(staff_id="s9412"), {Role.ADMINISTRATOR}),
            "oneself",
        ),
        ((REVIEWER, {Role.SECURITY_ADMINISTRATOR}), (SYSTEMS, {Role.SECURITY_ADMINISTRATOR}), "office"),
        ((REVIEWER, {Role.ADMINISTRATOR}), (SYSTEMS, {Role.ADMINISTRATOR, Role.AUDITOR}), "office"),
        ((REVIEWER, {Role.ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR}), (SYSTEMS, {Role.STAFF}), "office"),
    ],
)
def test_E9_two_people_of_two_offices_make_an_envelope(
    envelopes: EnvelopeService, log: Log, asks: tuple[Actor, set[Role]], confirms: tuple[Actor, set[Role]], reason: str
) -> None:
    wish = envelopes.ask(by=asks[0], offices=asks[1])
    with pytest.raises(EnvelopeRefusedError) as refused:
        envelopes.confirm(wish.id, by=confirms[0], offices=confirms[1])
    assert refused.value.reason == reason
    assert [one.state for one in envelopes.listing()] == ["asked"]
    told = log.last()
    assert (told["operation_name"], told["outcome"]) == ("break_glass.envelope_refused", "denied")
    assert (told["actor"]["id"], told["unmapped"]["refusal"]) == (confirms[0].staff_id, reason)
    assert check(told, NOW).faults == ()


@pytest.mark.parametrize(
    ("days", "offices"),
    [(1, {Role.SECURITY_ADMINISTRATOR}), (3 * 365, {Role.SECURITY_ADMINISTRATOR}), (0, {Role.STAFF}), (0, set())],
)
def test_E9_a_wish_of_somebody_who_left_office_or_of_another_day_makes_no_envelope(
    envelopes: EnvelopeService, town: Town, clock: FixedClock, log: Log, days: int, offices: set[Role]
) -> None:
    wish = envelopes.ask(by=REVIEWER, offices={Role.SECURITY_ADMINISTRATOR})
    clock.advance(timedelta(days=days))
    town.offices = frozenset(offices)
    with pytest.raises(EnvelopeRefusedError) as refused:
        envelopes.confirm(wish.id, by=SYSTEMS, offices={Role.ADMINISTRATOR})
    assert refused.value.reason == "over"
    assert log.last()["operation_name"] == "break_glass.envelope_refused"
    envelopes.end(wish.id, by=SYSTEMS)
    assert envelopes.listing() == []


def test_E9_a_wish_is_fulfilled_once_and_nobody_without_office_asks(envelopes: EnvelopeService, log: Log) -> None:
    with pytest.raises(EnvelopeRefusedError):
        envelopes.ask(by=REVIEWER, offices={Role.AUDITOR, Role.STAFF, Role.MANAGER})
    made = sealed(envelopes)
    with pytest.raises(EnvelopeRefusedError):
        envelopes.confirm(made.id, by=SYSTEMS, offices={Role.ADMINISTRATOR})
    assert [(one.state, one.asked_by, one.confirmed_by) for one in envelopes.listing()] == [("sealed", OTHER, "s0091")]
    told = log.last()
    assert (told["activity"], told["unmapped"]["asked_by"]) == ("credential_issue", OTHER)
    log.down = True
    with pytest.raises(ConnectionError):
        sealed(envelopes)
    assert len(envelopes.listing()) == 1


def test_E9_an_envelope_ends_by_its_time_by_loss_and_by_use(
    envelopes: EnvelopeService, service: EmergencyService, clock: FixedClock
) -> None:
    lost, old = sealed(envelopes), sealed(envelopes)
    envelopes.end(lost.id, by=SYSTEMS)
    with pytest.raises(EnvelopeRefusedError):
        envelopes.end(lost.id, by=SYSTEMS)
    with pytest.raises(SignInRefusedError):
        enter(envelopes, lost.code)
    clock.advance(timedelta(days=365))
    with pytest.raises(SignInRefusedError):
        enter(envelopes, old.code)
    assert {one.state for one in envelopes.listing()} == {"ended"}
    assert service.unreviewed() == []


def test_E9_the_door_opens_after_the_alert_and_the_envelope_is_void(
    envelopes: EnvelopeService, service: EmergencyService, town: Town, log: Log
) -> None:
    made = sealed(envelopes)
    opened = enter(envelopes, made.code.lower().replace("-", " "))
    assert opened.token == "token"
    (emergency,) = service.unreviewed()
    assert (emergency.declared.sealed, emergency.declared.end) == (True, NOW + timedelta(minutes=20))
    assert emergency.review_due == date(2026, 10, 6)
    assert [alerted for alerted, _ in town.alerts] == [emergency]
    told = next(doc for doc in log.docs if doc["operation_name"] == "break_glass.declared")
    assert (told["actor"]["id"], told["unmapped"]["envelope"]) == (ME, made.id)
    assert [(one.state, one.opened_by) for one in envelopes.listing()] == [("opened", ME)]
    with pytest.raises(SignInRefusedError):
        enter(envelopes, made.code)


@pytest.mark.parametrize("down", ["log", "alarm"])
def test_E9_without_the_record_or_the_alert_nobody_comes_in(
    envelopes: EnvelopeService, service: EmergencyService, town: Town, log: Log, down: str
) -> None:
    code = sealed(envelopes).code
    log.down, town.alarm_down = down == "log", down == "alarm"
    with pytest.raises(ConnectionError):
        enter(envelopes, code)
    log.down = town.alarm_down = False
    assert service.unreviewed() == []


def test_E9_an_envelope_that_was_opened_for_nothing_is_told_once_the_log_is_back(
    envelopes: EnvelopeService, service: EmergencyService, store: StateStore, log: Log
) -> None:
    made = sealed(envelopes)
    log.down = True
    with pytest.raises(ConnectionError):
        enter(envelopes, made.code)
    log.down = False
    assert Outbox(store, log).catch_up() == 1
    told = log.last()
    assert (told["operation_name"], told["actor"]["id"]) == ("break_glass.envelope_opened", ME)
    assert told["unmapped"]["envelope"] == made.id
    assert check(told, NOW).faults == ()
    assert ([one.state for one in envelopes.listing()], service.unreviewed()) == (["opened"], [])


def test_E9_somebody_without_a_post_is_refused_at_the_door_and_told(
    envelopes: EnvelopeService, town: Town, log: Log
) -> None:
    code = sealed(envelopes).code
    town.post = None
    with pytest.raises(SignInRefusedError):
        enter(envelopes, code)
    told = log.last()
    assert (told["activity"], told["operation_name"], told["outcome"]) == ("login", "sealed_sign_in.no_post", "denied")
    assert told["actor"]["id"] == ME
    assert check(told, NOW).faults == ()
    assert [one.state for one in envelopes.listing()] == ["sealed"]


def test_an_end_that_could_not_be_told_is_told_later(
    envelopes: EnvelopeService, service: EmergencyService, store: StateStore, log: Log
) -> None:
    made, number = sealed(envelopes), declare(service).declared.id
    log.down = True
    with pytest.raises(ConnectionError):
        service.end(number, by=ME_SIGNED_IN)
    with pytest.raises(ConnectionError):
        envelopes.end(made.id, by=SYSTEMS)
    log.down = False
    assert Outbox(store, log).catch_up() == 2
    assert sorted(log.operations()[-2:]) == ["break_glass.ended", "break_glass.envelope_ended"]
    assert service.open_for(ME, SYSTEM, NOW) is None


@pytest.mark.parametrize(
    ("other", "reason"), [({"reason": "短い"}, "reason"), ({"minutes": 31}, "minutes"), ({"minutes": 0}, "minutes")]
)
def test_E9_what_is_wrong_with_the_emergency_is_said_before_anything_else_is_looked_at(
    envelopes: EnvelopeService, other: dict[str, Any], reason: str
) -> None:
    code = sealed(envelopes).code
    for password in ("open sesame", "wrong"):
        with pytest.raises(EmergencyRefusedError) as refused:
            enter(envelopes, code, password=password, **other)
        assert refused.value.reason == reason
    with pytest.raises(SignInRefusedError):
        enter(envelopes, code, password="wrong")
    assert enter(envelopes, code).token == "token", "and no try has used the envelope up"
