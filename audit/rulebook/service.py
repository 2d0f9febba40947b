"""Importing rules and removing them: either changes what is detected, so either needs two people and is on record.

What is recorded is recorded before it is committed: a rule in force whose import nobody can find must not exist, and a
rule that is gone without an event even less.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import uuid4

from audit.clock import TOKYO, Clock
from audit.context import Post
from audit.events import mask
from audit.rulebook.errors import RuleRefusedError
from audit.rulebook.model import ImportedRule
from audit.rulebook.repository import RuleRepository
from audit.store.errors import StoreRefusedError
from audit.store.state import StateStore

__all__ = ["Recorder", "RuleBook", "Staff"]


class Recorder(Protocol):
    """Where the act is appended."""

    def record(self, doc: dict[str, Any]) -> None:
        """Append one event; return only once it is durable, else raise."""


class Staff(Protocol):
    """What is asked about people."""

    def post_at(self, staff_id: str, at: datetime) -> Post | None:
        """The post that a person holds at a moment."""

    def same_natural_person(self, a: str, b: str) -> bool:
        """Whether two staff ids belong to one human being."""


class RuleBook:
    """The rules that a town has imported.

    Args:
        state: where they are kept.
        clock: the time.
        recorder: the audit log.
        staff: who is in office.
    """

    def __init__(self, state: StateStore, clock: Clock, recorder: Recorder, staff: Staff) -> None:
        self._state = state
        self._clock = clock
        self._recorder = recorder
        self._staff = staff

    def in_force(self) -> Sequence[ImportedRule]:
        """What is in force, by rule."""
        with self._state.unit() as unit:
            return RuleRepository(unit).in_force()

    def ended(self) -> Sequence[ImportedRule]:
        """Everything that was in force and is no more, in the order in which it was imported."""
        with self._state.unit() as unit:
            return RuleRepository(unit).ended()

    def history(self, rule: str) -> Sequence[ImportedRule]:
        """Every import of a rule, the latest first."""
        with self._state.unit() as unit:
            return RuleRepository(unit).history(rule)

    def bring_in(
        self, rule: str, title: str, content: bytes, stories: bytes, *, by: str, confirmed_by: str, operator: str
    ) -> ImportedRule:
        """Put a rule in force, in the place of an earlier import of it.

        Args:
            rule: its id.
            title: what it is called.
            content: its bytes.
            stories: the bytes of its stories, which the caller has seen hold.
            by: staff id of whoever brings it in; the caller has seen who this is, and that they tune detectors.
            confirmed_by: staff id of somebody else, of whom the same is known.
            operator: who runs the command.

        Raises:
            RuleRefusedError: these two cannot, it is in force already, or somebody else was faster.
            StoreError: it cannot be recorded or kept; nothing has changed.
        """
        now = self._two_people(by, confirmed_by)
        imported = ImportedRule(
            number=0,
            rule=rule,
            title=mask(title)[0][:500],
            digest=hashlib.sha256(content).hexdigest(),
            content=content,
            stories=stories,
            imported_by=by,
            confirmed_by=confirmed_by,
            imported_at=now,
        )
        try:
            with self._state.unit() as unit:
                book = RuleRepository(unit)
                before = next(iter(book.in_force(rule)), None)
                if before is not None:
                    if (before.digest, before.stories) == (imported.digest, stories):
                        raise RuleRefusedError("unchanged", rule)
                    if not book.end(before.number, by, confirmed_by, now):
                        raise RuleRefusedError("overtaken", rule)
                book.add(imported)
                self._record("import", imported, by, confirmed_by, operator, {
                    "old": before.digest if before else "",
                    "new": imported.digest,
                    "stories": hashlib.sha256(stories).hexdigest(),
                })  # fmt: skip
        except StoreRefusedError as error:  # two imports of one rule at once
            raise RuleRefusedError("overtaken", rule) from error
        return imported

    def remove(self, rule: str, *, by: str, confirmed_by: str, operator: str) -> ImportedRule:
        """Take a rule out of force; it stays in the history.

        Raises:
            RuleRefusedError: these two cannot, or no such rule is in force.
            StoreError: it cannot be recorded or kept; nothing has changed.
        """
        now = self._two_people(by, confirmed_by)
        with self._state.unit() as unit:
            book = RuleRepository(unit)
            before = next(iter(book.in_force(rule)), None)
            if before is None:
                raise RuleRefusedError("unknown", rule)
            if not book.end(before.number, by, confirmed_by, now):
                raise RuleRefusedError("overtaken", rule)
            self._record("remove", before, by, confirmed_by, operator, {"old": before.digest, "new": ""})
        return before

    def _two_people(self, by: str, confirmed_by: str) -> datetime:
        """See that two human beings in office do this.

        Returns:
            Now.
        """
        now = self._clock.now()
        for person in (by, confirmed_by):
            if self._staff.post_at(person, now) is None:
                raise RuleRefusedError("not_in_office", person)
        if self._staff.same_natural_person(by, confirmed_by):
            raise RuleRefusedError("same_person", by)
        return now

    def _record(
        self, what: str, rule: ImportedRule, by: str, confirmed_by: str, operator: str, details: Mapping[str, str]
    ) -> None:
        self._recorder.record(
            {
                "time": self._clock.now().astimezone(TOKYO).isoformat(timespec="microseconds"),
                "event_id": uuid4().hex,
                "activity": "config_change",
                "operation_name": f"sigma.{what}",
                "outcome": "success",
                "actor": {"id": by, "kind": "staff"},
                "target": {"id": rule.rule, "system": "mimamori"},
                "unmapped": {**details, "title": rule.title, "confirmed_by": confirmed_by, "operator": operator},
            }
        )
