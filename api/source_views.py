"""From what is known of sources to the values of their pages. Nothing is decided here."""

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from io import BytesIO

from api.installation import Installation
from api.receivers import read_receivers
from api.sources import SourceStatus
from audit.access.machines import Binding, Credential, CredentialInfo, MachineRules
from audit.findings import Finding, FindingFilter, FindingStatus
from audit.log.quarantine import Booked, Quarantined
from audit.texts import Texts
from dashboards.show import moment
from dashboards.source_model import (
    BindingRow,
    CredentialRow,
    CredentialsView,
    DeliveryRow,
    ExamplePart,
    ExampleRecord,
    GapRow,
    Issued,
    ListenerRow,
    ProfileView,
    RefusedRow,
    RetentionView,
    ReviewView,
    SendingView,
    SourceRow,
    SourceView,
)
from ingest.gaps import DETECTORS, SourceState
from ingest.sources.knowledge import Knowledge
from ingest.sources.profile import Profile, ProfileError
from ingest.sources.trial import Part, try_profile

__all__ = ["credentials_view", "issued_view", "source_row", "source_view"]

_DELIVERIES = 20
_REFUSED = 50
_GAPS = 20
_EXAMPLES_READ = datetime(2027, 4, 1, tzinfo=UTC)
"""When a profile's example is taken to arrive: after all of them, as for `docs/sources.md`."""


def source_row(status: SourceStatus, now: datetime) -> SourceRow:
    """A source as a line of the list."""
    name = status.profile.name
    return SourceRow(
        id=status.profile.id,
        name=name,
        number=status.profile.number,
        state=status.health.state,
        last_event=status.last_event,
        days=status.days,
        expected=status.health.expected,
        waiting=status.waiting,
        quarantined=status.quarantined,
        gaps=tuple(_gap(finding, name) for finding in status.gaps),
        note=_owed(status, now),
    )


def _owed(status: SourceStatus, now: datetime) -> Texts | None:
    due = status.health.due
    if status.health.state is not SourceState.LATE or due is None:
        return None
    ja, en = moment(due, "ja"), moment(due, "en")
    if due < now:
        return Texts(f"{ja} が期限でした。配信中かもしれません。", f"Due by {en}; it may be under way.")
    return Texts(
        f"いつもより間が空いています。{ja} までに届かなければ途絶です。",
        f"Quieter than usual. Silent if nothing comes by {en}.",
    )


def _gap(finding: Finding, name: Texts) -> GapRow:
    return GapRow(
        id=finding.id,
        title=Texts(finding.title.ja.removeprefix(f"{name.ja}: "), finding.title.en.removeprefix(f"{name.en}: ")),
        reasons=finding.reasons,
        status=finding.status,
        start=finding.start,
        end=finding.end,
        settled_at=finding.settled_at,
        settled_by=finding.settled_by,
    )


def source_view(
    installation: Installation, status: SourceStatus, credentials: CredentialsView | None = None
) -> SourceView:
    """A source in full."""
    profile = status.profile
    wanted = FindingFilter(source=profile.id, among=DETECTORS, status=FindingStatus.FILLED)
    settled = installation.findings.listing(wanted, limit=_GAPS)
    return SourceView(
        row=source_row(status, installation.clock.now()),
        events=status.events,
        last_delivery=status.health.last_delivery,
        gaps=tuple(_gap(finding, profile.name) for finding in (*status.gaps, *settled)),
        deliveries=tuple(map(_delivery, installation.book.deliveries(profile.id, _DELIVERIES))),
        refused=tuple(map(_refused, installation.book.listing(profile.id, _REFUSED))),
        sending=_sending(installation, profile.id),
        profile=_profile(profile, in_catalogue=status.in_catalogue),
        examples=tuple(_examples(profile, installation.catalogue)),
        credentials=credentials,
    )


def _delivery(booked: Booked) -> DeliveryRow:
    sums = booked.outcome
    return DeliveryRow(
        number=booked.number,
        name=booked.name,
        received_at=booked.received_at,
        finished=booked.finished_at is not None,
        read=sums.read,
        stored=sums.stored,
        duplicates=sums.duplicates,
        quarantined=sums.quarantined,
    )


def _refused(record: Quarantined) -> RefusedRow:
    return RefusedRow(record.id, record.at, record.delivery, record.line, record.length, record.reasons)


def _sending(installation: Installation, source: str) -> SendingView:
    settings = installation.settings
    data = settings.data.resolve()
    url, folder = f"{settings.issuer}/api/v1/events?source={source}", f"{data / 'inbox' / source}/"
    try:
        listeners = read_receivers(data).listeners
    except ProfileError:
        return SendingView(url, folder, (), unreadable=True)
    return SendingView(
        url,
        folder,
        tuple(
            ListenerRow(
                listener.transport,
                listener.port,
                tuple(peer for peer, whose in listener.peers.items() if whose == source),
            )
            for listener in listeners
            if source == listener.source or source in listener.peers.values()
        ),
    )


def _profile(profile: Profile, *, in_catalogue: bool) -> ProfileView:
    kept = profile.retention
    vocabulary = [("activity", said, ours) for said, ours in profile.activities.items()]
    vocabulary += [("outcome", said, ours) for said, ours in profile.outcomes.items()]
    vocabulary += [(path, said, ours) for path, words in profile.words.items() for said, ours in words.items()]
    return ProfileView(
        kind=profile.kind,
        also=tuple(name for name in profile.also if name not in profile.name),
        format=profile.format,
        envelope=profile.envelope,
        encoding=profile.encoding,
        timezone=profile.timezone,
        documented=profile.documented,
        fields=tuple(profile.fields.items()),
        vocabulary=tuple(vocabulary),
        dropped=profile.drop,
        constants=tuple(profile.constants.items()),
        sign_in=tuple(tuple(way.split("+")) for way in profile.authentication.split("|") if way),
        sign_in_stated=profile.authentication_stated,
        retention=RetentionView(kept.years, kept.online_days, kept.copies, kept.archive, kept.stated),
        review=ReviewView(
            profile.review.text if profile.review.ja else None, profile.review.every, profile.review.stated
        ),
        serves=profile.serves,
        in_catalogue=in_catalogue,
    )


def _examples(profile: Profile, catalogue: Mapping[str, Profile]) -> Iterator[ExampleRecord]:
    """What the profile's own example becomes, by the same reading as any delivery's."""
    stream = BytesIO(profile.example.strip("\n").encode(profile.encoding))
    for record in try_profile(profile, stream, _EXAMPLES_READ, Knowledge.of(catalogue.values())).shown:
        yield ExampleRecord(record.line, record.raw, tuple(_part(part) for part in record.parts), record.reasons)


def _part(part: Part) -> ExamplePart:
    return ExamplePart(part.path, part.name, part.value, part.how)


def credentials_view(
    credentials: Iterable[CredentialInfo],
    bindings: Iterable[Binding],
    now: datetime,
    *,
    unlocked: bool,
    issued: Issued | None = None,
    error: str | None = None,
) -> CredentialsView:
    """What a sender proves itself with, the newest first."""
    return CredentialsView(
        tuple(_credential(info, now) for info in sorted(credentials, key=lambda info: info.created_at, reverse=True)),
        tuple(BindingRow(one.id, one.kind, one.created_at, one.expires_at) for one in bindings),
        unlocked,
        issued,
        error,
    )


def _credential(info: CredentialInfo, now: datetime) -> CredentialRow:
    state = "revoked" if info.revoked_at else "expired" if info.expires_at <= now else "active"
    return CredentialRow(info.client_id, state, info.created_at, info.expires_at, info.revoked_at, info.last_used_at)


def issued_view(made: Credential, rules: MachineRules) -> Issued:
    """A new credential with the file that a sender keeps, and how it sends with it."""
    document = {
        "source": made.source,
        "client_id": made.client_id,
        "client_secret": made.client_secret,
        "expires_at": made.expires_at.isoformat(),
        "token_endpoint": rules.token_endpoint,
    }
    url = shlex.quote(f"{rules.issuer}/api/v1/events?source={made.source}")
    command = (
        f"python3 get_token.py credential.json \\\n  | curl --config - --fail-with-body --data-binary @LOGFILE {url}"
    )
    return Issued(json.dumps(document, ensure_ascii=False, indent=2), command, made.expires_at)
