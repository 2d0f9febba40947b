"""What the pages about sources are given: plain values, already decided by the services.

A source is a system that sends its log. The rules of `dashboards.model` hold here as well; credentials are among the
values only when the viewer may see them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from audit.texts import Texts

__all__ = [
    "ATTENTION",
    "BindingRow",
    "CredentialRow",
    "CredentialsView",
    "DeliveryRow",
    "ExamplePart",
    "ExampleRecord",
    "GapRow",
    "Issued",
    "ListenerRow",
    "ProfileView",
    "RefusedRow",
    "RetentionView",
    "ReviewView",
    "SendingView",
    "SourceRow",
    "SourceView",
    "SourcesView",
]

ATTENTION = ("silent", "gap", "late")
"""The states that somebody should look at, worst first."""


@dataclass(frozen=True, slots=True)
class GapRow:
    """A finding about something that has not arrived, or had not.

    Attributes:
        id: the finding's.
        title: what is missing, without the system's name.
        reasons: in sentences, the last one what filled it.
        status: of the finding.
        start: since when.
        end: until when; equal to `start` or growing while it is open.
        settled_at: when it was filled.
        settled_by: number and name of the delivery that filled it.
    """

    id: str
    title: Texts
    reasons: tuple[Texts, ...]
    status: str
    start: datetime
    end: datetime
    settled_at: datetime | None = None
    settled_by: str = ""


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One source as a line of the list.

    Attributes:
        id: its id.
        name: what it is called.
        number: in the city's document; 0 for none.
        state: `silent`, `gap`, `late`, `ok` or `never`.
        last_event: when its latest event happened.
        days: events of the last seven business days, today last.
        expected: how often it should be heard of.
        waiting: bytes that are received and not in the log yet.
        quarantined: how many records were refused in all.
        gaps: what is missing now.
        note: what a late one still owes.
    """

    id: str
    name: Texts
    number: int
    state: str
    last_event: datetime | None
    days: tuple[tuple[date, int], ...]
    expected: Texts
    waiting: int = 0
    quarantined: int = 0
    gaps: tuple[GapRow, ...] = ()
    note: Texts | None = None

    @property
    def today(self) -> int:
        """Events of this business day."""
        return self.days[-1][1] if self.days else 0

    @property
    def week(self) -> int:
        """Events of the last seven business days."""
        return sum(count for _, count in self.days)


@dataclass(frozen=True, slots=True)
class SourcesView:
    """The list of sources.

    Attributes:
        rows: every source, those that need a look first.
        preset: the city whose preset was chosen.
        watch: whether silence is watched for: `ok`, `late` or `never`.
        last_look: when it was last looked for.
    """

    rows: Sequence[SourceRow]
    preset: Texts | None
    watch: str
    last_look: datetime | None


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One delivery; `finished` once its records are in the log or in quarantine."""

    number: int
    name: str
    received_at: datetime
    finished: bool
    read: int
    stored: int
    duplicates: int
    quarantined: int


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """One refused record, without its bytes."""

    number: int
    at: datetime
    delivery: int
    line: int
    size: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListenerRow:
    """A syslog port that takes this source's messages; `peers` are the addresses, empty for any."""

    transport: str
    port: int
    peers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SendingView:
    """How this source sends.

    Attributes:
        url: of the HTTP receiver.
        folder: of the drop folder.
        listeners: the syslog ports that take its messages.
        unreadable: the receivers' settings cannot be read.
    """

    url: str
    folder: str
    listeners: tuple[ListenerRow, ...]
    unreadable: bool = False


@dataclass(frozen=True, slots=True)
class RetentionView:
    """How long its events are kept; 0 years is without limit, 0 days online is the whole time."""

    years: int
    online_days: int
    copies: int
    archive: str
    stated: bool


@dataclass(frozen=True, slots=True)
class ReviewView:
    """Who looks at its log, and how often."""

    duty: Texts | None
    every: str
    stated: bool


@dataclass(frozen=True, slots=True)
class ProfileView:
    """What a profile says.

    Attributes:
        kind: of system.
        also: other names.
        format: how it writes.
        envelope: `syslog` or `none`.
        encoding: of its bytes.
        timezone: of times without an offset.
        documented: our paths that the city's document names.
        fields: their field and our path.
        vocabulary: our path, their word and ours; `*` is any other word.
        dropped: their fields that are thrown away.
        constants: our path and its value for this source.
        sign_in: alternatives, each of factors.
        sign_in_stated: whether the document says so.
        retention: how long.
        review: by whom.
        serves: the controls it serves.
        in_catalogue: whether there is a profile at all.
    """

    kind: str
    also: tuple[str, ...]
    format: str
    envelope: str
    encoding: str
    timezone: str
    documented: tuple[str, ...]
    fields: tuple[tuple[str, str], ...]
    vocabulary: tuple[tuple[str, str, str], ...]
    dropped: tuple[str, ...]
    constants: tuple[tuple[str, str], ...]
    sign_in: tuple[tuple[str, ...], ...]
    sign_in_stated: bool
    retention: RetentionView
    review: ReviewView
    serves: tuple[str, ...]
    in_catalogue: bool = True


@dataclass(frozen=True, slots=True)
class ExamplePart:
    """One field of an example: our path (`unmapped.…` for what is only kept), their name, what it became, and how."""

    path: str
    name: str
    value: str
    how: str


@dataclass(frozen=True, slots=True)
class ExampleRecord:
    """One line as the source writes it, and what becomes of it."""

    line: int
    raw: str
    parts: tuple[ExamplePart, ...]
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CredentialRow:
    """A sender's credential; `state` is `active`, `expired` or `revoked`."""

    client_id: str
    state: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class BindingRow:
    """A certificate or signing key."""

    id: str
    kind: str
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Issued:
    """A credential that was made just now: shown once.

    Attributes:
        document: what the sender keeps, as JSON, the secret in it.
        command: how to send with it.
        expires_at: its end.
    """

    document: str = field(repr=False)
    command: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class CredentialsView:
    """What a sender proves itself with.

    Attributes:
        credentials: the newest first.
        bindings: certificates and keys.
        unlocked: whether the second factor is fresh enough for changes.
        issued: made by this very request.
        error: why the last act was refused.
    """

    credentials: tuple[CredentialRow, ...]
    bindings: tuple[BindingRow, ...]
    unlocked: bool
    issued: Issued | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class SourceView:
    """One source in full.

    Attributes:
        row: as in the list.
        events: how many are in the log.
        last_delivery: when it last delivered.
        gaps: what is missing and what was filled, the open ones first.
        deliveries: the last ones.
        refused: the last refused records.
        sending: how it sends.
        profile: what its profile says.
        examples: what its own example becomes.
        credentials: only for whoever may manage them.
    """

    row: SourceRow
    events: int
    last_delivery: datetime | None
    gaps: tuple[GapRow, ...]
    deliveries: tuple[DeliveryRow, ...]
    refused: tuple[RefusedRow, ...]
    sending: SendingView
    profile: ProfileView
    examples: tuple[ExampleRecord, ...]
    credentials: CredentialsView | None = None
