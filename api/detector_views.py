"""From what is known of detectors to the values of their pages and of the JSON. Nothing is decided here."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import date, datetime, timedelta
from typing import Any

from api.installation import Installation
from api.own_findings import OWN_DETECTORS
from api.scorecards import scores_of
from api.views import detector_title
from audit.clock import TOKYO, day_start, tokyo_date
from audit.findings import Evaluation, FindingFilter, FindingStatus, Verdict
from audit.texts import Texts
from dashboards.detector_model import DetectorRow, DetectorsView, DetectorView, ParameterRow, RunRow, Watcher
from dashboards.figures import alerts_over_time
from dashboards.model import BoardSpan, Choice, Figure
from detectors.areas import Area, area_of
from detectors.model import Detector
from ingest.gaps import DETECTORS as GAP_DETECTORS

__all__ = ["DetectorViews", "detector_document"]

_DAYS = 30
_RUNS = 30
_LATE = 3
"""So many rounds missed are worth a word, as on the page of alerts."""


class DetectorViews:
    """What is known of the detectors of an installation at one moment.

    Args:
        installation: whose.
    """

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        now = installation.clock.now()
        self._late = now - timedelta(minutes=_LATE * installation.settings.detect_minutes)
        self._last = tokyo_date(now)
        self._first = self._last - timedelta(days=_DAYS - 1)
        self.known: Mapping[str, Detector] = installation.runner.known()
        self._installed = installation.runner.installed()
        self._looks = installation.findings.last_looks()
        self._canaries = installation.canaries.last()
        self._alarms = installation.canaries.alarms()
        self._card, self._scores = scores_of(installation.settings.data)

    def listing(self, sought: str, control: str) -> DetectorsView:
        """The list, narrowed to words and to a control."""
        recent, open_ = self._recent(), self._open()
        rows = {name: self._row(one, recent.get(name, {}), open_.get(name, 0)) for name, one in self.known.items()}
        shown = {name: row for name, row in rows.items() if _matches(self.known[name], sought, control)}
        groups = [
            (area, [row for name, row in shown.items() if area_of(self.known[name].meta) is area]) for area in Area
        ]
        others = {**GAP_DETECTORS, **OWN_DETECTORS}
        narrowed = bool(sought or control)
        controls = sorted({one for detector in self.known.values() for one in detector.meta.controls})
        return DetectorsView(
            groups=[(area, of_area) for area, of_area in groups if of_area],
            total=len(rows),
            troubled=[row for row in rows.values() if row.state != "ok"],
            watchers=()
            if narrowed
            else [
                Watcher(name, detector_title(name), sum(recent.get(name, {}).values()), open_.get(name, 0))
                for name in others
            ],
            gone=tuple(self._installation.imported.broken()),
            sought=sought,
            control=control,
            controls=tuple(Choice(one, Texts.same(one)) for one in controls),
            card=self._card,
        )

    def detail(self, name: str) -> DetectorView:
        """One detector in full."""
        detector, meta = self.known[name], self.known[name].meta
        canary = self._canaries.get(name)
        firing = sum(bool(case.expect) for case in detector.cases)
        runs = self._installation.findings.history(detector=name, limit=_RUNS)
        return DetectorView(
            row=self._row(detector, self._recent(name).get(name, {}), self._open(name).get(name, 0)),
            version=meta.version,
            area=area_of(meta),
            techniques=meta.techniques,
            reads=meta.reads,
            look_back=meta.look_back.days,
            runbook=meta.runbook,
            false_positives=meta.false_positives,
            references=meta.references,
            stories=(firing, len(detector.cases) - firing),
            parameters=tuple(self._parameters(detector)),
            refused=self._installed.refused.get(name, ""),
            canary=(canary.at, canary.verdict) if canary else None,
            runs=[_run(one) for one in runs],
            figure=self.figure(name),
            card=self._card,
        )

    def figure(self, name: str) -> Figure:
        """A detector's findings by day."""
        wanted = FindingFilter(start=day_start(self._first), end=self._tomorrow, detector=name)
        counted = self._installation.findings.count_by_day(wanted)
        rows = [(tokyo_date(at), severity, count) for at, severity, count in counted]
        return alerts_over_time(rows, span=BoardSpan(self._first, self._last), detector=name)

    def last_run(self, name: str) -> datetime | None:
        """When a detector's due windows were last looked through."""
        return self._looks.get(name)

    def state(self, name: str) -> str:
        """Whether a detector works, in a word of `dashboards.detector_words`."""
        if name in self._installed.refused:
            return "refused"
        canary, last = self._canaries.get(name), self._looks.get(name)
        if canary is not None and canary.verdict is not Verdict.SEES:
            return canary.verdict
        return "never" if last is None else "late" if last < self._late else "ok"

    def in_force(self, detector: Detector) -> dict[str, Any]:
        """The parameters in force; of one that does not take them, its own."""
        edition = self._installed.current.get(detector.meta.id)
        return dict(edition.settings) if edition else asdict(detector.parameters)

    @property
    def _tomorrow(self) -> datetime:
        return day_start(self._last + timedelta(days=1))

    def _recent(self, name: str = "") -> dict[str, dict[date, int]]:
        """Findings by detector and day."""
        wanted = FindingFilter(start=day_start(self._first), end=self._tomorrow, detector=name)
        found: dict[str, dict[date, int]] = {}
        for detector, start, count in self._installation.findings.count_by_detector(wanted):
            days = found.setdefault(detector, {})
            # One that began before the first day and is still going on counts on that day.
            day = max(tokyo_date(start), self._first)
            days[day] = days.get(day, 0) + count
        return found

    def _open(self, name: str = "") -> dict[str, int]:
        """Findings that wait, by detector."""
        found: dict[str, int] = {}
        wanted = FindingFilter(status=FindingStatus.OPEN, detector=name)
        for detector, _, count in self._installation.findings.count_by_detector(wanted):
            found[detector] = found.get(detector, 0) + count
        return found

    def _row(self, detector: Detector, recent: Mapping[date, int], waiting: int) -> DetectorRow:
        meta = detector.meta
        alarm = self._alarms.get(meta.id)
        days = [self._first + timedelta(days=n) for n in range(_DAYS)]
        return DetectorRow(
            id=meta.id,
            title=meta.title,
            description=meta.description,
            family=meta.family,
            severity=meta.severity,
            controls=meta.controls,
            state=self.state(meta.id),
            last_run=self.last_run(meta.id),
            days=tuple((day, recent.get(day, 0)) for day in days),
            open_count=waiting,
            score=self._scores.get(meta.id),
            alarm=alarm.finding if alarm else "",
        )

    def _parameters(self, detector: Detector) -> list[ParameterRow]:
        defaults, present = asdict(detector.parameters), self.in_force(detector)
        return [
            ParameterRow(one.name, one.metadata["text"], str(defaults[one.name]), str(present[one.name]))
            for one in fields(detector.parameters)
        ]


def _matches(detector: Detector, sought: str, control: str) -> bool:
    """Whether every word typed is somewhere in what a detector says of itself."""
    meta = detector.meta
    if control and control not in meta.controls:
        return False
    told: Sequence[str] = (meta.id, *meta.title, *meta.description, *meta.controls, *meta.techniques)
    text = " ".join(told).casefold()
    return all(word in text for word in sought.casefold().split())


def _run(one: Evaluation) -> RunRow:
    run = one.run
    day = tokyo_date(run.start)
    return RunRow(day, one.at, run.events, one.findings, one.result, one.error, run.due, run.late, run.version)


def detector_document(views: DetectorViews, detector: Detector) -> dict[str, Any]:
    """A detector as the JSON shows it."""
    meta, last = detector.meta, views.last_run(detector.meta.id)
    return {
        "id": meta.id,
        "version": meta.version,
        "title": meta.title.ja,
        "title_en": meta.title.en,
        "area": area_of(meta),
        "family": meta.family,
        "analytic_type_id": int(meta.analytic_type),
        "severity": meta.severity,
        "controls": list(meta.controls),
        "techniques": list(meta.techniques),
        "look_back_days": meta.look_back.days,
        "parameters": views.in_force(detector),
        "parameters_default": asdict(detector.parameters),
        "state": views.state(meta.id),
        "last_run": last.astimezone(TOKYO).isoformat() if last else None,
    }
