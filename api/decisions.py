"""Composition of decisions: the parts, and who is told of an emergency."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Protocol

from api.facts import Rights, Sessions, TownFacts
from audit.access.decisions import DecisionService, FactsReader, GroupRecorder, PolicyBook
from audit.access.decisions.emergencies.envelopes import Door, EnvelopeService
from audit.access.decisions.emergencies.model import Emergency
from audit.access.decisions.emergencies.service import EmergencyService
from audit.access.decisions.ledger.media import MediaService
from audit.access.decisions.ledger.model import People
from audit.access.decisions.ledger.service import LedgerService
from audit.access.strength import FactorPolicy
from audit.clock import Clock, day_start
from audit.context import ContextService
from audit.findings import DetectorRun, Draft, FindingService, Severity
from audit.log import OWN_SOURCE, EventLog
from audit.store.state import StateStore
from audit.texts import Texts

__all__ = ["BREAK_GLASS_DETECTOR", "Decisions", "FindingAlarm", "open_decisions"]

BREAK_GLASS_DETECTOR = "break-glass"
"""Under this name emergencies are reported."""


_OPENED = Texts(
    "封筒が開けられ、中の証明は無効になりました。新しい封筒を 2 人で作ってください。",
    "An envelope was opened, and its code is void. Two of you must make a new one.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """Everything about decisions that an installation has."""

    service: DecisionService
    facts: FactsReader
    policy: PolicyBook
    ledger: LedgerService
    media: MediaService
    emergencies: EmergencyService
    envelopes: EnvelopeService


class SessionsAtTheDoor(Sessions, Door, Protocol):
    """Who is signed in, and the door that lets in with an envelope."""


class FindingAlarm:
    """Opens a critical finding for an emergency; implements `Alarm`."""

    def __init__(self, findings: FindingService, log: EventLog) -> None:
        self._findings = findings
        self._audit_log = log

    def alert(self, emergency: Emergency, event_id: str) -> None:
        """Make an emergency known.

        Raises:
            StoreError: the finding cannot be kept.
        """
        declared, size = emergency.declared, self._audit_log.size
        draft = Draft(
            entity=declared.id,
            severity=Severity.CRITICAL,
            score=1.0,
            actors=(declared.person,),
            subjects=(),
            source=declared.system,
            title=Texts(
                f"{declared.system}: 緊急利用が宣言されました", f"{declared.system}: emergency access was declared"
            ),
            reasons=(
                Texts(f"理由: {declared.reason}", f"Reason given: {declared.reason}"),
                *([_OPENED] if declared.sealed else []),
                Texts(
                    f"{emergency.review_due.isoformat()} までに、本人以外の確認が必要です。",
                    f"Somebody else must review it by {emergency.review_due.isoformat()}.",
                ),
            ),
            evidence=(f"{OWN_SOURCE}:{event_id}",),
            evidence_total=1,
            first_index=size,  # its event waits among our own acts and comes next
            last_index=size,
        )
        run = DetectorRun(BREAK_GLASS_DETECTOR, "1.0.0", "", declared.start, declared.end, 0, 1, size)
        self._findings.add(run, draft)


class _Surroundings:
    """What emergencies ask of the town."""

    def __init__(self, context: ContextService, people: People, sessions: Sessions) -> None:
        self._context = context
        self.post_at = context.post_at
        self.same_natural_person = people.same_natural_person
        self.live_session = sessions.live_session

    def closed(self, org_unit: str, day: date) -> str:
        """Why a unit is closed on a day; empty when it is open."""
        noon = day_start(day) + timedelta(hours=12)
        return self._context.work_of("", org_unit, noon).closed(org_unit, day)


def open_decisions(
    data: Path,
    *,
    state: StateStore,
    clock: Clock,
    recorder: GroupRecorder,
    log: EventLog,
    context: ContextService,
    people: People,
    sessions: SessionsAtTheDoor,
    rights: Rights,
    factors: Callable[[str, datetime], FactorPolicy],
    findings: FindingService,
) -> Decisions:
    """Build everything about decisions; the town's `decisions.toml` is in its data directory."""
    policy = PolicyBook(data / "decisions.toml", state, recorder, clock)
    ledger = LedgerService(state, clock, recorder, people)
    town = _Surroundings(context, people, sessions)
    emergencies = EmergencyService(state, clock, recorder, policy.current, town, FindingAlarm(findings, log))
    envelopes = EnvelopeService(state, clock, recorder, emergencies, town, sessions)
    facts = TownFacts(clock, context, people, sessions, rights, factors, policy.current, ledger, emergencies)
    service = DecisionService(facts, policy.current, state, recorder, clock)
    media = MediaService(state, clock, recorder, service.decide)
    return Decisions(
        service=service,
        facts=facts,
        policy=policy,
        ledger=ledger,
        media=media,
        emergencies=emergencies,
        envelopes=envelopes,
    )
