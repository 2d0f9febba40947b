"""What the pages are given: plain values, already decided by the services.

Rules:
- A page receives only what its viewer may see; nothing here checks a right, `permissions` only hides links.
- Text that people read comes as `Texts`, so that one value serves both languages.
- Filters hold what was typed, unparsed: a page must show a mistake as it was made.
- In addresses a *day* (`2026-10-05`) is inclusive at both ends, as people say it, and a *moment*
  (`2026-10-05T23:10`, Asia/Tokyo) is exclusive at the end. `/alerts` and `/board` take days, `/events` takes
  moments.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from audit.texts import Texts

__all__ = [
    "AlertFilters",
    "AlertRow",
    "AlertSummary",
    "AlertView",
    "BaselineRow",
    "BoardSpan",
    "Choice",
    "DetectorState",
    "EnrolForm",
    "EventFilters",
    "EventRow",
    "EventView",
    "Figure",
    "Language",
    "PageContext",
    "Texts",
    "Viewer",
]

Language = Literal["ja", "en"]


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry of a selection list: the value sent and the name shown."""

    value: str
    name: Texts


@dataclass(frozen=True, slots=True)
class Viewer:
    """The person who looks at the page."""

    display_name: str
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PageContext:
    """What every page needs to know about its request.

    Attributes:
        language: The language of the page.
        viewer: The signed-in person, or None before sign-in.
        path: Path and query of this page, for the return from the language switch.
        csrf: The token that every POST form carries.
        notice: One sentence about what has just been done.
        last_sign_in: When and from where this person signed in before, as a sentence.
        permissions: `scope:resource:action`; a link is shown only with its permission.
        lock_after: After how many idle seconds the page is blanked; 0 where nobody is signed in.
    """

    language: Language
    viewer: Viewer | None
    path: str
    csrf: str
    notice: str | None = None
    last_sign_in: str | None = None
    permissions: frozenset[str] = frozenset()
    lock_after: int = 0


@dataclass(frozen=True, slots=True)
class EnrolForm:
    """The one-time enrolment page; `login_fixed` when an administrator has chosen the login id."""

    token: str
    provisioning_uri: str
    secret: str
    login_id: str = ""
    login_fixed: bool = False
    display_name: str = ""


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One alert as a line of the list; `actors` are (id, display name), empty for findings about a source."""

    id: str
    severity: str
    detector: str
    detector_title: Texts
    title: Texts
    actors: tuple[tuple[str, str], ...]
    source_name: Texts
    window_from: datetime
    window_to: datetime
    status: str
    score: float
    opened: datetime


@dataclass(frozen=True, slots=True)
class AlertFilters:
    """What the list of alerts is narrowed to, as typed; `from_` and `to` are inclusive days.

    `about` is empty for what people did, `gaps` for what has not arrived, `all` for both.
    """

    status: str = ""
    severity: str = ""
    detector: str = ""
    from_: str = ""
    to: str = ""
    about: str = ""
    detectors: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class DetectorState:
    """Whether a detector works: `ok`, `late`, `failed` or `never`."""

    title: Texts
    state: str
    last_run: datetime | None


@dataclass(frozen=True, slots=True)
class AlertSummary:
    """The sentence above the list.

    Attributes:
        waiting: How many alerts need a look today.
        by_severity: The same, by severity.
        detectors: The state of each detector: no alerts mean little when nothing looked.
        gaps: How many open findings tell of logs that have not arrived; they are counted apart.
        excepted: How many findings exceptions hide.
    """

    waiting: int
    by_severity: Mapping[str, int]
    detectors: tuple[DetectorState, ...] = ()
    gaps: int = 0
    excepted: int = 0


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event as a line of a table; names are empty where the source does not say."""

    log_index: int
    time: datetime
    source: str
    source_name: Texts
    event_id: str
    activity: str
    operation_name: str = ""
    outcome: str = "success"
    actor_id: str = ""
    actor_name: str = ""
    actor_unit: str = ""
    terminal: str = ""
    subjects: tuple[str, ...] = ()
    summary: str = ""


@dataclass(frozen=True, slots=True)
class BaselineRow:
    """One bar of "what usual looks like"; `is_this` marks the day the alert is about."""

    label: Texts
    value: float
    is_this: bool = False


@dataclass(frozen=True, slots=True)
class AlertView:
    """One alert as a story.

    Attributes:
        row: What the list shows.
        reasons: Why it is odd, strongest first.
        evidence: The first events behind it.
        more_evidence: How many further events there are.
        search_url: The search of the same people on that day.
        log_index: First and last entry of the audit log behind it.
        runbook: What to do next.
        false_positives: What usually explains it.
        baseline: What usual looks like, this day included.
        subject_count: How many residents were looked up, where it matters.
        settled_at: When it was filled or withdrawn, where that is known.
        settled_by: The delivery that did it, by number and name.
        source_page: The id of the source that it is about, where nobody acted.
        excepted_by: The exception that hides it, by its id.
        detector_page: The detector whose page tells of it, where it has one.
    """

    row: AlertRow
    reasons: tuple[Texts, ...]
    evidence: Sequence[EventRow]
    more_evidence: int
    search_url: str
    log_index: tuple[int, int]
    runbook: Texts
    false_positives: Texts
    detector_version: str
    baseline: Sequence[BaselineRow] = ()
    baseline_title: Texts | None = None
    subject_count: int | None = None
    settled_at: datetime | None = None
    settled_by: str = ""
    source_page: str = ""
    excepted_by: str = ""
    detector_page: str = ""


@dataclass(frozen=True, slots=True)
class EventFilters:
    """A search of the log, as typed; `from_` and `to` are moments in Asia/Tokyo, `to` exclusive."""

    from_: str = ""
    to: str = ""
    source: str = ""
    actor: str = ""
    subject: str = ""
    activity: str = ""
    outcome: str = ""
    weekday: str = ""
    hour: str = ""
    sources: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class EventView:
    """One event in full.

    Attributes:
        row: What a table shows.
        document: The event in contract form (DESIGN 4.3), `unmapped` included.
        record: What the log says about it: index, hash, time of receipt, OCSF numbers.
    """

    row: EventRow
    document: Mapping[str, object]
    record: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BoardSpan:
    """The days a board covers, both included."""

    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing, its table twin and the way down to the events behind each number.

    Attributes:
        spec_json: The Plotly specification, once for each language.
        columns: The headings of the table twin; the first column names the row.
        rows: The cells of the table twin.
        links: For each cell the address of its events, or None.
        csv_name: The file offered for download, at `/board/{csv_name}`.
    """

    id: str
    title: Texts
    description: Texts
    spec_json: Texts
    columns: list[Texts]
    rows: list[tuple["Texts | int", ...]]
    links: list[tuple[str | None, ...]]
    csv_name: str
