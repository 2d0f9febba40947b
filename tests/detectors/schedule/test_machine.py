"""The schedule under all that may happen to it: each window ends with the one result that follows from its events.

Two nodes on one state database and one log judge, crash, pause and come back, while events arrive late, settings change
and clocks are set.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from two_nodes import FIRST, TERM, Killed, Site

from audit.leases import FencedError

NODES = st.integers(0, 1)
DAYS = st.integers(0, 2)
ACTORS = st.sampled_from(["s1", "s1", "s2"])
MakeSite = Callable[..., Site]


def machine_of(make_site: MakeSite) -> type[RuleBasedStateMachine]:
    """The machine; each example has a site of its own."""

    class Schedule(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.site = make_site()
            self.crashed = [False, False]
            self.highest = 0

        @initialize()
        def some_days_are_judged(self) -> None:
            for day in (1, 2):
                self.site.happens(FIRST + timedelta(days=day), "s1")
            self.turn(0)

        @rule(day=DAYS, actor=ACTORS)
        def an_event_arrives(self, day: int, actor: str) -> None:
            self.site.happens(FIRST + timedelta(days=day), actor)

        @rule(node=NODES)
        def a_turn_comes(self, node: int) -> None:
            self.turn(node)

        @rule(node=NODES, day=DAYS, actor=ACTORS)
        def an_event_arrives_while_it_judges(self, node: int, day: int, actor: str) -> None:
            self.site.nodes[node].meanwhile.append(lambda: self.site.happens(FIRST + timedelta(days=day), actor))
            self.turn(node)

        @rule(node=NODES)
        def it_is_killed_between_judging_and_keeping(self, node: int) -> None:
            def killed() -> None:
                raise Killed

            self.site.nodes[node].meanwhile.append(killed)
            try:
                self.turn(node)
            except Killed:
                self.crashed[node] = True
            self.restart_crashed()

        @rule(node=NODES, day=DAYS, actor=ACTORS)
        def it_stands_still_while_the_other_goes_on(self, node: int, day: int, actor: str) -> None:
            other = 1 - node
            kept: list[int] = []

            def away() -> None:
                self.turn(other)  # it sees that the lease is held
                self.site.elapsed.now += TERM.total_seconds()
                self.site.happens(FIRST + timedelta(days=day), actor)
                self.turn(other)
                kept.append(len(self.site.findings.history(limit=10_000)))

            self.site.nodes[node].meanwhile.append(away)
            try:
                self.turn(node)
            except FencedError:
                assert len(self.site.findings.history(limit=10_000)) == kept[0], "a fenced node wrote"
            else:
                assert not kept, "a node that had lost its lease was let to keep something"

        @rule(by=st.sampled_from([-400, -1, 1, 400]))
        def the_clock_is_set(self, by: int) -> None:
            self.site.clock.advance(timedelta(days=by))

        @rule(least=st.sampled_from([1, 2]))
        def a_setting_is_changed(self, least: int) -> None:
            self.site.settings = {"day": {"acts": least}}

        @rule(by=st.sampled_from([1.0, TERM.total_seconds()]))
        def time_passes(self, by: float) -> None:
            self.site.elapsed.now += by

        @precondition(lambda self: len(self.site.acts) > 0)
        @rule()
        def all_is_caught_up(self) -> None:
            self.site.catch_up()
            assert self.site.shown() == self.site.expected()
            assert self.site.node("a").runner.run().windows == 0, "what was judged is judged once"

        @invariant()
        def tokens_only_grow_and_nothing_is_doubled(self) -> None:
            tokens = [one.run.token for one in self.site.findings.history(limit=10_000)][::-1]
            assert tokens == sorted(tokens)
            self.site.shown()

        def turn(self, node: int) -> None:
            try:
                self.site.nodes[node].runner.run()
            finally:
                self.site.nodes[node].meanwhile.clear()  # nothing was due, so nothing was judged

        def restart_crashed(self) -> None:
            for node, crashed in enumerate(self.crashed):
                if crashed:
                    self.site.nodes[node] = self.site.node("ab"[node])
                    self.crashed[node] = False

        def teardown(self) -> None:
            for node in self.site.nodes:
                node.meanwhile.clear()
            self.site.catch_up()
            assert self.site.shown() == self.site.expected()

    return Schedule


@pytest.mark.parametrize("examples", [15])
def test_C2_C3_C4_every_window_ends_with_the_one_result_of_all_its_events(make_site: MakeSite, examples: int) -> None:
    run_state_machine_as_test(
        machine_of(make_site),
        settings=settings(
            max_examples=examples,
            stateful_step_count=12,
            deadline=None,
            phases=[Phase.generate],  # to shrink what fails would take minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
