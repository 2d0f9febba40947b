"""Tuning as the pages and the JSON show it. Nothing is decided here."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import date, timedelta
from typing import Any

from api.installation import Installation
from api.rights import doer_of
from api.rights_views import RightsViews
from api.views import detector_title, source_name
from audit.access import Permission, Viewer
from audit.findings import FindingFilter, FindingStatus
from audit.texts import Texts
from audit.tuning import (
    EVERY,
    Change,
    ChangeState,
    ExceptionTerms,
    Kind,
    ParameterTerms,
    Preview,
    PreviewState,
    Terms,
)
from dashboards.model import Choice
from dashboards.tuning_model import (
    ChangeRow,
    ChangeView,
    ParameterField,
    PreviewRow,
    PreviewView,
    TermRow,
    TuningView,
    picture_of,
)
from dashboards.words import WEEKDAYS

__all__ = ["TuningViews", "change_document", "preview_document_of"]

_EVERY_DETECTOR = Texts("すべての検知器", "Every detector")
_SCOPE = {
    "actors": Texts("職員", "Staff"),
    "units": Texts("所属", "Units"),
    "sources": Texts("システム", "Systems"),
    "subjects": Texts("対象者", "Residents"),
    "hours": Texts("時刻", "Hours"),
}
_WEEKDAYS = Texts("曜日", "Weekdays")
_OWNER = Texts("責任者", "Owner")
_DEFAULTS = Texts("すべて初期値に戻す", "All back to the defaults")
_VALUES = Texts("値", "Values")
_RENEWS = timedelta(minutes=2)
_STANDING = {ChangeState.PROPOSED, ChangeState.IN_FORCE}
_UNDER_WAY = {PreviewState.QUEUED, PreviewState.RUNNING}


class TuningViews:
    """Makes the values of one page.

    Args:
        installation: whose tuning.
        viewer: who looks.
    """

    def __init__(self, installation: Installation, viewer: Viewer) -> None:
        self._installation = installation
        self._viewer = viewer
        self._now = installation.clock.now()
        self._person = RightsViews(installation, doer_of(viewer)).person

    def may(self, permission: Permission) -> bool:
        """Whether the viewer holds a permission."""
        return permission in self._viewer.permissions

    def overview(self, error: str | None = None) -> TuningView:
        """The list."""
        rows = [self.row(one) for one in self._installation.tuning.changes()]
        counted = self._installation.findings.count_by_day(FindingFilter(status=FindingStatus.EXCEPTED))
        return TuningView(
            waiting=tuple(row for row in rows if row.state == ChangeState.PROPOSED),
            in_force=tuple(row for row in rows if row.state == ChangeState.IN_FORCE),
            over=tuple(row for row in rows if row.state not in set(_STANDING)),
            excepted=sum(count for _, _, count in counted),
            may_tune=self.may(Permission.DETECTORS_DETECTOR_TUNE),
            error=error,
        )

    def row(self, change: Change) -> ChangeRow:
        """One change."""
        state, terms = change.state(self._now), change.terms
        span = change.span()
        if span is None and isinstance(terms, ExceptionTerms) and state is not ChangeState.ENDED:
            span = terms.first, terms.last
        mine = self._viewer.login_id == change.proposed_by
        tunes = self.may(Permission.DETECTORS_DETECTOR_TUNE)
        ends = self.may(Permission.DETECTORS_CHANGE_END)
        in_force = change.kind is Kind.PARAMETERS and state is ChangeState.IN_FORCE
        return ChangeRow(
            id=change.id,
            kind=change.kind,
            detector=self.detector(terms.detector),
            terms=self.terms(terms),
            reason=change.reason,
            ticket=change.ticket,
            state=state,
            proposed_by=self._person(change.proposed_by),
            proposed_at=change.proposed_at,
            expires_at=change.expires_at,
            confirmed_by=self._person(change.confirmed_by) if change.confirmed_by else None,
            confirmed_at=change.confirmed_at,
            ended_by=self._person(change.ended_by) if change.ended_by else None,
            ended_at=change.ended_at,
            first=span[0] if span else None,
            last=span[1] if span else None,
            may_confirm=tunes and not mine and state is ChangeState.PROPOSED,
            may_end=ends and state in _STANDING and not in_force,
        )

    def detector(self, name: str) -> Texts:
        """What a detector is called."""
        return _EVERY_DETECTOR if name == EVERY else detector_title(name, self._installation.previews.detectors())

    def terms(self, terms: Terms) -> tuple[TermRow, ...]:
        """What is changed, line by line."""
        if isinstance(terms, ParameterTerms):
            return self._parameters(terms)
        rows = [
            TermRow(name, tuple(map(self._named(part), getattr(terms.scope, part))))
            for part, name in _SCOPE.items()
            if getattr(terms.scope, part)
        ]
        if terms.scope.weekdays:
            names = [WEEKDAYS[str(day)] for day in terms.scope.weekdays]
            rows.append(TermRow(_WEEKDAYS, Texts(" ".join(one.ja for one in names), " ".join(one.en for one in names))))
        owner = self._person(terms.owner)
        return (*rows, TermRow(_OWNER, (owner.name or owner.id,)))

    def _named(self, part: str) -> Any:  # noqa: ANN401 - a function of one id
        if part == "hours":
            return lambda hour: f"{hour}:00"
        return lambda name: (
            f"{shown.name} ({name})" if part == "actors" and (shown := self._person(name)).name else name
        )

    def _parameters(self, terms: ParameterTerms) -> tuple[TermRow, ...]:
        known = self._installation.previews.detectors().get(terms.detector)
        defaults: Mapping[str, Any] = asdict(known.parameters) if known else {}
        meant = {one.name: one.metadata.get("text") for one in fields(known.parameters)} if known else {}
        names = sorted({*terms.values, *terms.before})
        rows = [
            TermRow(
                meant.get(name) or Texts.same(name),
                (_shown(terms.values.get(name, defaults.get(name))),),
                _shown(terms.before.get(name, defaults.get(name))),
            )
            for name in names
            if terms.values.get(name) != terms.before.get(name)
        ]
        return tuple(rows) if terms.values else (*rows, TermRow(_VALUES, _DEFAULTS))

    def change(self, change: Change, error: str | None = None) -> ChangeView:
        """One change with its preview."""
        preview = self.preview(self._installation.tuning.preview(change.preview))
        return ChangeView(row=self.row(change), preview=preview, error=error)

    def preview(self, preview: Preview, *, error: str | None = None, reason: str = "", ticket: str = "") -> PreviewView:
        """One preview, waiting, running or done."""
        document = preview.document
        is_done = preview.state is PreviewState.DONE
        mine = preview.made_by == self._viewer.login_id and self.may(Permission.DETECTORS_DETECTOR_TUNE)
        counts: dict[str, Any] = document["counts"] if is_done else {}
        exception = isinstance(preview.terms, ExceptionTerms)
        upper = counts.get("hidden" if exception else "appears", {})
        lower = upper.get("grave_by_day", {}) if exception else counts.get("disappears", {}).get("by_day", {})
        by_detector = Counter[str]()
        for of in counts.values():
            by_detector.update(of["by_detector"])
        months = sorted({month for of in counts.values() for month in of["by_month"]})
        return PreviewView(
            id=preview.id,
            kind=Kind.EXCEPTION if exception else Kind.PARAMETERS,
            state=preview.state,
            done=preview.done,
            total=preview.total,
            first=preview.first,
            last=preview.last,
            detector=self.detector(preview.terms.detector),
            terms=self.terms(preview.terms),
            mine=mine,
            renews=preview.state in _UNDER_WAY and self._now - preview.made_at < _RENEWS,
            digest=preview.digest,
            judged=document.get("judged", 0),
            counts=counts,
            by_detector=tuple((self.detector(name), count) for name, count in by_detector.most_common()),
            by_month=tuple((month, tuple(of["by_month"].get(month, 0) for of in counts.values())) for month in months),
            rows=tuple(map(self._finding, document.get("findings", []))),
            omitted=document.get("findings_omitted", 0),
            picture=picture_of(preview.first, preview.last, upper.get("by_day", {}), lower, diverging=not exception)
            if document.get("findings")
            else None,
            error=error,
            reason=reason,
            ticket=ticket,
        )

    def _finding(self, row: Mapping[str, Any]) -> PreviewRow:
        return PreviewRow(
            effect=row["effect"],
            id=row["id"],
            kept=row["kept"],
            detector=self.detector(row["detector"]),
            day=date.fromisoformat(row["day"]),
            severity=row["severity"],
            actors=tuple(map(self._person, row["actors"])),
            title=Texts(row["title"], row["title_en"]),
        )

    def detectors(self) -> tuple[Choice, ...]:
        """The detectors to choose from, by their names."""
        return tuple(Choice(name, self.detector(name)) for name in sorted(self._installation.previews.detectors()))

    def sources(self) -> tuple[Choice, ...]:
        """The systems to choose from."""
        catalogue = self._installation.catalogue
        return tuple(Choice(name, source_name(catalogue, name)) for name in sorted(catalogue))

    def fields(self, detector: str, typed: Mapping[str, str] | None = None) -> tuple[ParameterField, ...]:
        """The parameters of a detector; as typed, else as they are in force."""
        known = self._installation.previews.detectors()[detector]
        defaults, given = asdict(known.parameters), self._installation.tuning.overrides().get(detector, {})
        return tuple(
            ParameterField(
                name=one.name,
                meaning=one.metadata.get("text") or Texts.same(one.name),
                default=_shown(defaults[one.name]),
                in_force=(present := _shown(given.get(one.name, defaults[one.name]))),
                typed=(typed or {}).get(one.name, present),
                truth=isinstance(defaults[one.name], bool),
            )
            for one in fields(known.parameters)
        )


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def change_document(installation: Installation, change: Change) -> dict[str, Any]:
    """A change as JSON."""
    span = change.span()
    return {
        "id": change.id,
        "kind": change.kind,
        "state": change.state(installation.clock.now()),
        **change.terms.to_doc(),
        "reason": change.reason,
        "ticket": change.ticket,
        "preview": change.preview,
        "digest": change.digest,
        "proposed": {"by": change.proposed_by, "at": change.proposed_at.isoformat()},
        "confirmed": {"by": change.confirmed_by, "at": change.confirmed_at.isoformat()}
        if change.confirmed_at
        else None,
        "ended": {"by": change.ended_by, "at": change.ended_at.isoformat()} if change.ended_at else None,
        "expires_at": change.expires_at.isoformat(),
        "covers": {"from": span[0].isoformat(), "to": span[1].isoformat()} if span else None,
    }


def preview_document_of(preview: Preview) -> dict[str, Any]:
    """A preview as JSON; its result stands under `preview` once it is done."""
    return {
        "id": preview.id,
        "state": preview.state,
        "done": preview.done,
        "total": preview.total,
        "terms": preview.terms.to_doc(),
        "from": preview.first.isoformat(),
        "to": preview.last.isoformat(),
        "made": {"by": preview.made_by, "at": preview.made_at.isoformat()},
        "digest": preview.digest or None,
        "preview": dict(preview.document) or None,
    }
