"""No sequence of acts lets anyone hold a right that nobody else approved, and the log tells all of it.

The machine keeps a directory of its own, as plain dictionaries, and judges every approval that went through by it.
"""

import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule
from town_hall import NHI, Directory, Ledger

from audit.access.rights import Doer, Kind, RightsError, RightsService, Wish, load_rules
from audit.access.rights.model import replay
from audit.clock import FixedClock
from audit.context import ContextService
from audit.store.state import StateStore

BEGIN = datetime(2026, 10, 5, 1, 0, tzinfo=UTC)
UNITS = ("a", "a/x", "a/y", "soumu/joho-system")
PEOPLE = tuple(f"p{number}" for number in range(8))
HUMANS = {name: f"h{number % 6}" for number, name in enumerate(PEOPLE)}
"""Two of the ids are second ids of others."""
PLACES = (("a", "課長"), ("a/x", "係長"), ("a/x", "主事"), ("a/x", "主事"), ("a/y", "係長"), ("a/y", "主事"),
          ("soumu/joho-system", "係長"), ("soumu/joho-system", "主事"))  # fmt: skip
HEADER = "staff_id,name,kana,org_unit,post,role,employment,manager_id,valid_from,valid_to,subject_id\n"
people = st.sampled_from(PEOPLE)


class Rights(RuleBasedStateMachine):
    asked: Bundle[str] = Bundle("asked")

    @initialize(target=asked, order=st.permutations(PEOPLE), decided=st.booleans())
    def open(self, order: list[str], *, decided: bool) -> Any:
        """A town hall in which four applications wait, and perhaps everybody has tried to approve already."""
        self.folder = Path(tempfile.mkdtemp())
        self.store = StateStore(f"sqlite:///{self.folder / 'state.db'}")
        self.store.create_tables()
        self.clock, self.ledger = FixedClock(BEGIN), Ledger()
        self.context = ContextService(self.store)
        self.service = RightsService(self.store, self.clock, self.ledger, Directory(self.context), load_rules(), {NHI})
        self.context.before_posts_change(self.service.settle)
        self.latest = BEGIN
        self.posts: dict[str, tuple[str, str] | None] = {}
        self.turns: dict[str, list[tuple[datetime, tuple[str, str]]]] = {name: [] for name in PEOPLE}
        self.moved: dict[str, datetime] = dict.fromkeys(PEOPLE, BEGIN - timedelta(days=900))
        self.retired: dict[str, tuple[str, str]] = {}
        self.ended: dict[str, datetime] = {}
        self.gone: set[str] = set()
        self.deputies: list[tuple[str, str, datetime]] = []
        self.approved: dict[str, list[str]] = {}
        self.wishes: dict[str, Wish] = {}
        for name, place in zip(PEOPLE, PLACES, strict=True):
            self._place(name, place)
        asked = [self.apply_for(name, by) for name, by in (("p2", ""), ("p3", "p1"), ("p5", ""), ("p7", "p6"))]
        self.clock.advance(timedelta(hours=1))
        self.latest = self.clock.now()
        if decided:
            self.everybody_tries_to_approve_everything(order)
        return multiple(*(one for one in asked if isinstance(one, str)))

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            shutil.rmtree(self.folder)

    def _place(self, name: str, place: tuple[str, str] | None) -> None:
        """A post from now on, or none."""
        since = self.clock.now() if self.posts.get(name) or name in self.posts else self.moved[name]
        unit, post = place or ("none", "")
        end = "" if place else since.isoformat()
        if place is None:
            old = self.posts[name]
            assert old is not None
            unit, post, since = *old, self.moved[name]
        row = f"{name},,,{unit},{post},,regular,,{since.isoformat()},{end},{HUMANS[name]}\n"
        self.context.import_feed("staff", (HEADER + row).encode())
        self.posts[name], self.moved[name] = place, since
        if place is not None:
            self.turns[name].append((since, place))

    # What people do

    @rule(
        target=asked,
        person=people,
        by=st.sampled_from(("", "", "", *PEOPLE)),
        unit=st.sampled_from(("", "", "", *UNITS)),
        days=st.sampled_from([None, 3, 40]),
    )
    def apply(self, person: str, by: str, unit: str, days: int | None) -> Any:
        return self.apply_for(person, by, unit, days)

    @rule(target=asked, person=people, by=st.sampled_from(("", *PEOPLE)))
    def apply_for_a_change(self, person: str, by: str) -> Any:
        held = self.service.held(person, NHI, self.clock.now())
        if not held:
            return multiple()
        now = self.clock.now()
        wish = Wish(
            kind=Kind.CHANGE, person=person, system=NHI, functions=("update",), unit=held[0].unit,
            start=now + timedelta(days=1), end=None, reason="r", replaces=(held[0].id,),
        )  # fmt: skip
        return self._ask(wish, by or person)

    def apply_for(self, person: str, by: str = "", unit: str = "", days: int | None = None) -> Any:
        now, place = self.clock.now(), self.posts[person]
        wish = Wish(
            person=person, system=NHI, functions=("view",), unit=unit or (place[0] if place else "a"), start=now,
            end=now + timedelta(days=days) if days else None, reason="r",
        )  # fmt: skip
        return self._ask(wish, by or person)

    def _ask(self, wish: Wish, by: str) -> Any:
        try:
            application = self.service.apply(wish, Doer(id=by))
        except RightsError:
            return multiple()
        self.wishes[application.id] = wish
        self.approved[application.id] = []
        return application.id

    @rule(application=asked, by=people)
    def approve(self, application: str, by: str) -> None:
        self.try_to_approve(application, by)

    def try_to_approve(self, application: str, by: str) -> None:
        """Judge by the plain dictionaries whatever the service lets through."""
        try:
            done = self.service.approve(application, Doer(id=by))
        except RightsError:
            return
        deputy_for = done.approvals[-1].deputy_for
        wish, now = self.wishes[application], self.clock.now()
        assert self.posts[by] is not None
        others = {HUMANS[wish.person], HUMANS[done.applicant], *(HUMANS[name] for name in self.approved[application])}
        assert HUMANS[by] not in others
        principal = deputy_for or by
        assert HUMANS[principal] not in others
        if deputy_for:
            assert any((deputy_for, by) == (a, d) and now < end for a, d, end in self.deputies)
        place = self.posts[principal]
        assert place is not None
        assert place[1] in {"課長", "係長"}
        unit = wish.unit if len(self.approved[application]) == 0 else "soumu/joho-system"
        assert unit == place[0] or unit.startswith(f"{place[0]}/")
        self.approved[application] += [by, principal]

    @rule(order=st.permutations(PEOPLE))
    def everybody_tries(self, order: list[str]) -> None:
        self.everybody_tries_to_approve_everything(order)

    def everybody_tries_to_approve_everything(self, order: list[str]) -> None:
        for application in self.approved:
            for by in order:
                self.try_to_approve(application, by)

    @rule(by=people)
    def one_empties_the_inbox(self, by: str) -> None:
        for due in self.service.inbox(Doer(id=by)):
            before = len(self.approved[due.application.id])
            self.try_to_approve(due.application.id, by)
            place = self.posts[due.application.wish.person]
            there = place is not None and place[0] == due.application.wish.unit
            end = due.application.wish.end
            if there and (end is None or end > self.clock.now()):
                assert len(self.approved[due.application.id]) > before  # what the inbox shows can be done

    @rule(application=asked, by=people)
    def refuse(self, application: str, by: str) -> None:
        try:
            self.service.refuse(application, "r", Doer(id=by))
        except RightsError:
            return

    @rule(application=asked, by=people)
    def withdraw(self, application: str, by: str) -> None:
        try:
            self.service.withdraw(application, Doer(id=by))
        except RightsError:
            return

    @rule(approver=people, deputy=people, days=st.sampled_from([1, 50]))
    def delegate(self, approver: str, deputy: str, days: int) -> None:
        now = self.clock.now()
        try:
            self.service.delegate(deputy, now, now + timedelta(days=days), Doer(id=approver))
        except RightsError:
            return
        self.deputies.append((approver, deputy, now + timedelta(days=days)))

    @rule(person=people, by=people)
    def end(self, person: str, by: str) -> None:
        for right in self.service.held(person, NHI, self.clock.now()):
            try:
                self.service.revoke(right.id, "r", Doer(id=by))
            except RightsError:
                continue

    # What happens to people and time

    @rule(name=people, place=st.sampled_from(PLACES))
    def transfer(self, name: str, place: tuple[str, str]) -> None:
        if self.clock.now() > self.moved[name]:
            self._place(name, place)

    @rule(name=st.sampled_from(PEOPLE[2:4]))
    def retire(self, name: str) -> None:
        if (old := self.posts[name]) and self.clock.now() > self.moved[name]:
            self._place(name, None)
            self.retired[name], self.ended[name] = old, self.clock.now()

    @rule(name=st.sampled_from(PEOPLE[2:4]))
    def lengthen_what_is_over(self, name: str) -> None:
        """Personnel lengthens a post that is over, as if it had never ended; or it never did, by a clock gone back."""
        old = self.retired.get(name)
        if old is None or self.posts[name] is not None:
            return
        if self.clock.now() >= self.ended[name]:
            self.gone |= {change.right for change in self.service.history(name)}
        row = f"{name},,,{old[0]},{old[1]},,regular,,{self.moved[name].isoformat()},,{HUMANS[name]}\n"
        self.context.import_feed("staff", (HEADER + row).encode())
        self.posts[name] = old

    @rule(step=st.sampled_from([timedelta(hours=1), timedelta(days=2), timedelta(days=35), timedelta(hours=-3)]))
    def time_passes(self, step: timedelta) -> None:
        self.clock.advance(step)
        self.latest = max(self.latest, self.clock.now())

    @rule()
    def sweep(self) -> None:
        self.service.sweep(self.clock.now())

    # What must be true

    @invariant()
    def nobody_holds_what_two_others_did_not_approve(self) -> None:
        if not hasattr(self, "store"):
            return
        now = self.clock.now()
        for person in PEOPLE:
            for right in self.service.held(person, NHI, now):
                approvers = {HUMANS[name] for name in self.approved[right.application][::2]}
                assert len(approvers) == 2
                assert right.id not in self.gone
                assert HUMANS[person] not in approvers
                # By a clock that went back it is the post of before again: what counts is the directory at that time.
                assert [place for since, place in self.turns[person] if since <= now][-1][0] == right.unit
                assert self.posts[person] is not None or now < self.ended[person]

    @invariant()
    def the_log_tells_what_is_held(self) -> None:
        now = self.clock.now() if hasattr(self, "store") else BEGIN
        if not hasattr(self, "store") or now < self.latest:
            return  # a clock that went back asks for the past, which is another question
        held = {right.id: right for person in PEOPLE for right in self.service.held(person, NHI, now)}
        assert {right.id: right for right in self.service.held_at(now)} == held
        self.service._outbox.catch_up()  # what an import has ended; the next sweep would tell it
        assert replay(self.ledger.changes(), now) == replay(self.service.history(), now)

    @rule()
    def after_a_sweep_the_log_alone_tells_it(self) -> None:
        now = self.clock.now()
        self.service.sweep(now)
        held = {right.id for person in PEOPLE for right in self.service.held(person, NHI, now)}
        told = replay(self.ledger.changes(), self.latest)
        assert {name for name, right in told.items() if right.in_force(now)} == held


TestRights = Rights.TestCase
TestRights.settings = settings(
    max_examples=14, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
