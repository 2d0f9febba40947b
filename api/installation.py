"""Composition: everything an installation consists of, built in one place and passed down."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

from api.closing import Reviewers
from api.decisions import Decisions, open_decisions
from api.factor_policies import factor_policies
from api.rights import TownPeople, open_rights
from api.settings import Settings
from api.tuning import DetectorBook, PreviewMaker, TownAndLog
from audit.access import AccessLimits, AccessService, SecretBox
from audit.access.authenticators import AuthenticatorService, RelyingParty
from audit.access.federation import FederationService, load_verifiers
from audit.access.machines import MachineRules, MachineService
from audit.access.people import PeopleService
from audit.access.rights import RightsService
from audit.access.sso import SigningKeys, SsoService
from audit.casework import Casework
from audit.casework.repository import LookUpRepository
from audit.clock import Clock, SystemClock
from audit.context import ContextService
from audit.dispositions import DispositionService
from audit.events import Activity, AuditEvent
from audit.findings import CanaryBook, DetectorRun, Draft, FindingService, Severity
from audit.leases import ClockReadings, LeaseService
from audit.log import EventLog, LogRepository
from audit.log.announcements import AnnouncementBook
from audit.log.quarantine import Arrival, DeliveryBook
from audit.rulebook import RuleBook
from audit.store.clickhouse import EventStore, hold_directory
from audit.store.errors import StoreDamagedError
from audit.store.keys import load_or_create_key
from audit.store.migrate import migrate
from audit.store.state import StateStore
from audit.texts import Texts
from audit.tuning import TuningService
from detectors.model import Detector
from detectors.registry import DETECTORS, by_id
from detectors.runner import Runner
from detectors.schedule.due import Past
from detectors.sigma.imported import ImportedDetectors
from ingest.gaps import GapService
from ingest.pipeline import Pipeline, Reconciliation
from ingest.reader import Readable
from ingest.sources.catalogue_reader import default_profile, load_catalogue
from ingest.sources.fitting import fitted
from ingest.sources.profile import Profile
from ingest.spool.acts import AHEAD, ActSpool
from ingest.spool.inbox import DurableInbox
from ingest.spool.segments import Entry
from ingest.spool.service import Spool
from ingest.spool.writer import Writer

__all__ = [
    "CONFLICT_DETECTOR",
    "Installation",
    "open_installation",
    "read_city",
    "read_node",
    "write_city",
]


CONFLICT_DETECTOR = "source-id-conflict"
"""Under this name ingest reports ids that came back with other content."""


@dataclass(frozen=True, slots=True)
class Installation:
    """The parts of one installation, ready to work."""

    settings: Settings
    clock: Clock
    log: EventLog
    book: DeliveryBook
    pipeline: Pipeline
    spool: Spool
    inbox: DurableInbox
    acts: ActSpool
    machines: MachineService
    sso: SsoService
    federation: FederationService
    gaps: GapService
    context: ContextService
    findings: FindingService
    access: AccessService
    authenticators: AuthenticatorService
    people: PeopleService
    rights: RightsService
    decisions: Decisions
    casework: Casework
    runner: Runner
    leases: LeaseService
    canaries: CanaryBook
    readings: ClockReadings
    dispositions: DispositionService
    tuning: TuningService
    previews: PreviewMaker
    imported: ImportedDetectors
    catalogue: Mapping[str, Profile]
    city: str = ""

    def profile(self, source: str) -> Profile:
        """How a source writes; one outside the town's catalogue as others have it, else by the default profile."""
        return self.catalogue.get(source) or load_catalogue().get(source) or default_profile(source)

    def fit(self, profile: Profile, head: bytes, received_at: datetime) -> Profile:
        """The way of a profile that a delivery is written in; of whose city, a chosen preset has decided."""
        return fitted(profile, head, received_at, self.catalogue, city=self.city)

    def writer(
        self,
        stored: Callable[[Entry, Reconciliation], None] = lambda _entry, _sums: None,
        given: Profile | None = None,
    ) -> Writer:
        """The one that brings what waits in the spool to the log; there must be no two at a time.

        Args:
            stored: told what became of each delivery.
            given: a profile for this time, in the place of the one in the catalogue.
        """

        def profile(source: str) -> Profile:
            return given if given is not None and given.id == source else self.profile(source)

        def tell(entry: Entry, sums: Reconciliation) -> None:
            self.report(profile(entry.source), entry.name, sums)
            stored(entry, sums)

        return Writer(self.spool, self.pipeline, profile, tell, self.fit)

    def ingest(
        self,
        stream: Readable,
        *,
        name: str,
        profile: Profile,
        fmt: str,
        progress: Callable[[int], None] = lambda _read: None,
    ) -> Reconciliation:
        """Take in one delivery; an id that returns with other content opens a finding about its source."""
        sums = self.pipeline.take(Arrival(profile.id, name, fmt, self.clock.now()), stream, profile, progress)
        self.report(profile, name, sums)
        return sums

    def report(self, profile: Profile, name: str, sums: Reconciliation) -> None:
        """Open a finding about the source of a delivery that brought known ids with other content."""
        if sums.conflicts:
            self._report_conflicts(profile, name, sums.conflicts)

    def act(
        self,
        activity: Activity,
        operation: str,
        details: Mapping[str, str],
        *,
        target: str = "",
        outcome: str = "success",
        event_id: str = "",
    ) -> None:
        """Record an act of this installation itself, or of whoever runs its commands on this machine.

        Raises:
            StoreError: the log cannot be written; the act must not happen.
        """
        self.log.record(
            {
                **({"event_id": event_id} if event_id else {}),
                "time": self.clock.now().isoformat(),
                "activity": activity,
                "operation_name": operation,
                "outcome": outcome,
                "actor": {"kind": "system"},
                "target": {"system": target},
                "unmapped": {**details, "uid": str(os.getuid())},
            }
        )

    def told(self, operation: str, details: Mapping[str, str], *, target: str, outcome: str) -> AuditEvent:
        """Record a security event of our own and give it back as the log has it, for a finding that cites it.

        It is found by its name: by time, the last one is another whenever the clock is set back.

        Raises:
            StoreError: the log cannot be written.
        """
        name = uuid4().hex
        self.act(Activity.SECURITY_EVENT, operation, details, target=target, outcome=outcome, event_id=name)
        return self.log.own(name)

    def _report_conflicts(self, profile: Profile, name: str, conflicts: int) -> None:
        """Open a finding: somebody rewrote what a source had already said."""
        now = self.clock.now()
        details = {"conflicts": str(conflicts), "delivery": name}
        told = self.told("ingest.id_conflict", details, target=profile.id, outcome="denied")
        draft = Draft(
            entity=profile.id,
            severity=Severity.MEDIUM,
            score=0.6,
            actors=(),
            subjects=(),
            source=profile.id,
            title=Texts(
                f"{profile.name_ja}: 同じ識別子で内容の異なるイベントが {conflicts} 件",
                f"{profile.name_en}: {conflicts} events came with a known id and other content",
            ),
            reasons=(
                Texts(
                    "既に記録されたイベントと同じ識別子で、内容の異なるものが届きました。先に届いた内容を残し、後のものは隔離しました。",
                    "Events arrived under ids that are stored with other content. The first content was kept, "
                    "the later one is in quarantine.",
                ),
            ),
            evidence=(told.ref,),
            evidence_total=1,
            first_index=told.log_index,
            last_index=told.log_index,
        )
        run = DetectorRun(CONFLICT_DETECTOR, "1.0.0", "", now, now, 0, conflicts, told.log_index)
        self.findings.add(run, draft)


@contextmanager
def open_installation(settings: Settings, clock: Clock | None = None) -> Iterator[Installation]:
    """Open an installation: hold its directory, bring its tables up to date, build its parts.

    Raises:
        StoreHeldError: another process holds the data directory.
        StoreError: an engine does not answer, or its tables cannot be brought up to date.
        ProfileError: a source profile of the town's own cannot be used.
        VerifierConfigError: the town's file of verifiers cannot be used.
        ChainError: the town's file of approval chains cannot be used.
    """
    clock = clock or SystemClock()
    data = settings.data.resolve()
    with hold_directory(data):
        _check_whole(settings, data)
        city = read_city(data)
        catalogue = load_catalogue(data / "sources", city or None)
        events = _event_store(settings, data)
        state = StateStore(settings.state_url or f"sqlite:///{data / 'state.sqlite'}")
        with ExitStack() as opened:
            opened.callback(events.close)
            opened.callback(state.close)
            migrate(events, clock)
            state.create_tables()
            log = EventLog(LogRepository(events), clock)
            context = ContextService(state, clock)
            node = read_node(data)
            leases = LeaseService(state, node)
            apart = node[:8] if settings.clickhouse_url else ""  # the embedded engine is nobody else's
            casework = Casework(LookUpRepository(events, apart), context)
            findings = FindingService(state, clock)
            keys = data / "keys"
            secret = load_or_create_key(keys / "quarantine.key")
            book = DeliveryBook(state, data / "quarantine", secret)
            if log.size < (entered := book.stored()):
                raise StoreDamagedError(
                    f"ログのイベントが {log.size} 件しかありません。台帳では {entered} 件です。"
                    "バックアップから戻してください / "
                    f"the log holds {log.size} events, the book says {entered}: restore the backup"
                )
            box = SecretBox(load_or_create_key(keys / "credentials.key"))
            own = Spool(data / "acts", clock, limit=_ACTS_BYTES, reserve=settings.reserve_bytes, share=1, ahead=AHEAD)
            opened.callback(own.close)
            acts = ActSpool(own, log, clock)
            acts.drain()  # what a crash left: whoever asks the log finds it
            people = PeopleService(state, clock, context, acts)
            party = RelyingParty.of(settings.issuer)
            authenticators = AuthenticatorService(state, clock, log, box, party, data / "authenticators.toml")
            access = AccessService(
                state,
                clock,
                log,
                box,
                authenticators,
                limits=access_limits(settings),
                people=people,
                terminals=context,
            )
            machines = MachineService(
                state, clock, log, box, MachineRules(issuer=settings.issuer, basic=settings.client_secret_basic)
            )
            sso = SsoService(
                state,
                clock,
                log,
                box,
                SigningKeys(keys / "sso.json"),
                sessions=access,
                policy_of=factor_policies(context, catalogue),
                issuer=lambda: machines.rules.issuer,
            )
            rights = open_rights(
                state, clock, acts, TownPeople(context, people), data=data, city=city, systems=catalogue
            )
            context.before_posts_change(rights.settle)
            decisions = open_decisions(
                data,
                state=state,
                clock=clock,
                recorder=acts,
                log=log,
                context=context,
                people=people,
                sessions=access,
                rights=rights,
                factors=factor_policies(context, catalogue),
                findings=findings,
            )
            imported = ImportedDetectors(RuleBook(state, clock, acts, people))
            detectors = partial(_detectors, imported)
            tuning = TuningService(
                state,
                clock,
                acts,
                findings,
                DetectorBook(detectors),
                TownAndLog(people, context, access, log),
                longest=settings.exception_days,
            )
            runner = Runner(
                log,
                casework,
                context,
                findings,
                clock,
                detectors,
                overrides=tuning.overrides,
                past=lambda: Past(imported.before(), tuning.overrides_before()),
                leases=leases,
                late_after=timedelta(minutes=max(60, 2 * settings.detect_minutes)),
            )
            previews = PreviewMaker(tuning, findings, runner, detectors, clock)
            opened.callback(previews.close)
            spool = Spool(data / "spool", clock, limit=settings.spool_bytes, reserve=settings.reserve_bytes)
            opened.callback(spool.close)
            (data / _MARK).touch()
            yield Installation(
                settings=settings,
                clock=clock,
                log=log,
                book=book,
                pipeline=Pipeline(log, book, clock),
                spool=spool,
                inbox=DurableInbox(spool, book, clock, secret),
                acts=acts,
                machines=machines,
                sso=sso,
                federation=FederationService(
                    state, clock, log, box, load_verifiers(data / "verifiers.toml"), base=lambda: machines.rules.issuer
                ),
                gaps=GapService(log, book, AnnouncementBook(state), context, findings, clock, catalogue),
                context=context,
                findings=findings,
                access=access,
                authenticators=authenticators,
                people=people,
                rights=rights,
                decisions=decisions,
                casework=casework,
                runner=runner,
                leases=leases,
                canaries=CanaryBook(state, clock),
                readings=ClockReadings(state, node, clock),
                dispositions=DispositionService(state, clock, acts, Reviewers(people, access)),
                tuning=tuning,
                previews=previews,
                imported=imported,
                catalogue=catalogue,
                city=city,
            )


def _detectors(imported: ImportedDetectors) -> Mapping[str, Detector]:
    """Ours, and those that the town has imported by now."""
    return by_id([*DETECTORS.values(), *imported.detectors().values()])


_ACTS_BYTES = 1 << 30
"""Room for the acts of weeks, should the log be gone so long."""


def access_limits(settings: Settings) -> AccessLimits:
    """What a town has chosen about sessions and passwords."""
    days = settings.password_max_days
    return AccessLimits(
        second_session=settings.second_session,
        bind_address=settings.bind_sessions,
        password_max_age=timedelta(days=days) if days else None,
    )


_CITY = "city"
"""Holds the city whose preset was chosen."""


def read_city(data: Path) -> str:
    """The city whose preset an installation has; empty for none."""
    chosen = data / _CITY
    return chosen.read_text(encoding="utf-8").strip() if chosen.exists() else ""


def write_city(data: Path, city: str) -> None:
    """Choose a city's preset.

    Raises:
        ProfileError: there is no such city.
    """
    load_catalogue(city=city)
    data.mkdir(parents=True, exist_ok=True)
    (data / _CITY).write_text(f"{city}\n", encoding="utf-8")


_NODE = "node"


def read_node(data: Path) -> str:
    """What this data directory is called among those that share a state database; chosen once, at random.

    Whoever holds the directory is this node, so that there is never a second one.
    """
    path = data / _NODE
    if not path.exists():
        part = path.with_suffix(".part")
        part.write_text(f"{uuid4().hex}\n", encoding="utf-8")
        part.replace(path)
    return path.read_text(encoding="utf-8").strip()


_MARK = "installed"
"""Made when an installation is first whole; from then on a missing part is a loss, never a new beginning."""


def _check_whole(settings: Settings, data: Path) -> None:
    """Refuse to begin anew where something was lost.

    Raises:
        StoreDamagedError: naming what is missing.
    """
    if not (data / _MARK).exists():
        return
    parts = [data / "keys" / "quarantine.key", data / "keys" / "credentials.key"]
    if not settings.state_url:
        parts.append(data / "state.sqlite")
    if not settings.clickhouse_url:
        parts.append(settings.events_path or data / "events")
    missing = [str(part) for part in parts if not part.exists()]
    if missing:
        listed = ", ".join(missing)
        raise StoreDamagedError(
            f"{listed} がありません。バックアップから戻してください / {listed}: missing, restore the backup"
        )


def _event_store(settings: Settings, data: Path) -> EventStore:
    if settings.clickhouse_url:
        return EventStore(url=settings.clickhouse_url, database=settings.clickhouse_database, readers=settings.readers)
    return EventStore(
        path=settings.events_path or data / "events",
        database=settings.clickhouse_database,
        readers=settings.readers,
    )
