"""Scorecards that `mimamori lab run` has saved, read for the pages: what the detectors are worth on a known town."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from statistics import median
from types import MappingProxyType
from typing import Any

from api.views import detector_title
from audit.texts import Texts
from dashboards.detector_figures import compared, detector_table, goals_met, kinds_found
from dashboards.detector_model import DetectorScoreRow, Goal, Measured, ProgramScore, ScorecardView
from dashboards.detector_words import INCIDENTS
from dashboards.model import Choice
from detectors.model import Detector
from detectors.registry import DETECTORS

__all__ = ["card_names", "read_card", "scores_of"]

_WHOLE = "all-"
"""So begin the names of scorecards of a town with every kind of incident (`mimamori lab run` without `--scenario`)."""
_SHARES = {
    "recall": (True, 0.95),
    "kind": (True, 0.8),
    "precision": (True, 0.6),
    "honest": (True, 0.95),
    "traps": (False, 0.05),
    "planted": (False, 0.01),
}
"""What is asked of a town of 300 staff and 60 days, at 20 cases a day per 1,000 staff: on which side, and how much."""
_DAYS = 1.0
_NONE: Mapping[str, Detector] = MappingProxyType({})


_NAME = re.compile(r"(.+)-(\d+)-(\d+)-(-?\d+)")
"""As `lab run` names them: scenario, staff, days, seed."""


def _folder(data: Path) -> Path:
    return data / "lab"


def card_names(data: Path) -> tuple[str, ...]:
    """The names of the scorecards in a data directory, those of whole towns first, then the newest first."""
    folder = _folder(data)
    found = [(path.stem, path.stat().st_mtime_ns) for path in folder.glob("*.json")] if folder.is_dir() else []
    return tuple(name for name, _ in sorted(found, key=lambda one: (not one[0].startswith(_WHOLE), -one[1], one[0])))


def scores_of(data: Path) -> tuple[str, Mapping[str, DetectorScoreRow]]:
    """What each detector was worth in the newest town with every kind of incident, and that scorecard's name."""
    for name in card_names(data):
        view = read_card(data, name)
        if name.startswith(_WHOLE) and not view.unreadable:
            return name, {row.id: row for row in view.detectors}
    return "", {}


def read_card(data: Path, name: str, imported: Mapping[str, Detector] = _NONE) -> ScorecardView:
    """One scorecard for its page.

    Args:
        data: the data directory.
        name: one of `card_names`.
        imported: the town's own detectors, for their titles.
    """
    names = card_names(data)
    choices = tuple(Choice(one, _label(one)) for one in names)
    if name not in names:
        return ScorecardView(choices=choices)
    path = _folder(data) / f"{name}.json"
    stamp = path.stat().st_mtime_ns
    try:
        return _view(_document(path, stamp), name, choices, datetime.fromtimestamp(stamp / 1e9, UTC), imported)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ScorecardView(name=name, choices=choices, unreadable=True)


def _label(name: str) -> Texts:
    """A town as people call it."""
    found = _NAME.fullmatch(name)
    if found is None:
        return Texts.same(name)
    scenario, staff, days, seed = found.groups()
    planted = Texts("全種類", "every kind") if scenario == "all" else INCIDENTS.get(scenario, Texts.same(scenario))
    return Texts(
        f"職員 {staff} 人・{days} 日・{planted.ja}（種 {seed}）",
        f"{staff} staff, {days} days, {planted.en} (seed {seed})",
    )


@lru_cache(maxsize=8)
def _document(path: Path, _stamp: int) -> Mapping[str, Any]:
    """A file's content; it is read again when it has changed."""
    found: Mapping[str, Any] = json.loads(path.read_bytes())
    # Episodes are for fitting weights, and by far the most of it.
    return {part: value for part, value in found.items() if part != "episodes"}


def _measured(share: Mapping[str, Any]) -> Measured:
    low, high = share["interval"]
    return Measured(int(share["hits"]), int(share["of"]), float(low), float(high))


def _view(
    card: Mapping[str, Any],
    name: str,
    choices: tuple[Choice, ...],
    saved_at: datetime,
    imported: Mapping[str, Detector],
) -> ScorecardView:
    queue = card["queue"]
    kinds = [(kind, _measured(share)) for kind, share in queue["kinds"].items()]
    goals = _goals(card, kinds)
    rows = tuple(sorted((_row(one, imported) for one in card["detectors"]), key=lambda row: (-row.found, row.id)))
    programs = [_program("", queue), *(_program(one, score) for one, score in card["baselines"].items())]
    return ScorecardView(
        name=name,
        choices=choices,
        saved_at=saved_at,
        town=tuple((part, str(value)) for part, value in card["town"].items()),
        goals=goals,
        cases_a_day=float(queue["cases_a_day"]),
        per_hour=float(queue["incidents_per_reviewer_hour"]),
        detectors=rows,
        figures=(goals_met(goals), compared(programs), kinds_found(kinds, _SHARES["kind"][1])),
        table=detector_table(rows),
    )


def _goals(card: Mapping[str, Any], kinds: list[tuple[str, Measured]]) -> tuple[Goal, ...]:
    queue, looked = card["queue"], card["lookups"]
    measured = {
        "recall": _measured(queue["recall"]),
        "kind": min((share for _, share in kinds if share.of), key=_worth, default=Measured(0, 0, 0.0, 1.0)),
        "precision": _measured(queue["precision"]),
        "honest": _measured(looked["honest_matched"]),
        "traps": _measured(queue["traps_flagged"]),
        "planted": _measured(looked["planted_matched"]),
    }
    shares = (
        Goal(name, at_least, asked, measured[name].value, measured[name]) for name, (at_least, asked) in _SHARES.items()
    )
    delays = queue["days_to_detect"]
    return (*shares, Goal("days", at_least=False, asked=_DAYS, value=float(median(delays)) if delays else None))


def _worth(share: Measured) -> tuple[float, int]:
    return share.value or 0.0, -share.of


def _program(name: str, queue: Mapping[str, Any]) -> ProgramScore:
    return ProgramScore(
        name, _measured(queue["recall"]), _measured(queue["precision"]), _measured(queue["traps_flagged"])
    )


def _row(one: Mapping[str, Any], imported: Mapping[str, Detector]) -> DetectorScoreRow:
    return DetectorScoreRow(
        id=one["detector"],
        title=detector_title(one["detector"], imported),
        findings=int(one["findings"]),
        precision=_measured(one["precision"]),
        found=len(one["found"]),
        traps=int(one["traps_flagged"]["hits"]),
        recall_without=_measured(one["recall_without"]),
        precision_without=_measured(one["precision_without"]),
        has_page=one["detector"] in DETECTORS or one["detector"] in imported,
    )
