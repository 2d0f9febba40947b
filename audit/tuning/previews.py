"""What a preview says, as one document that can be compared by its digest. Pure.

No disposition of a finding is on record before cases are closed here, so none is claimed: every row says `unknown`, and
the gravest come first.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from audit.findings import Severity
from audit.texts import Texts
from audit.tuning.model import ExceptionTerms, Terms

__all__ = ["MOST_ROWS", "Seen", "digest_of", "preview_document"]

Effect = Literal["hidden", "appears", "disappears"]
MOST_ROWS = 500
"""So many findings are listed; all are counted."""
_GRAVEST = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW)
_GRAVE = frozenset({Severity.CRITICAL, Severity.HIGH})


@dataclass(frozen=True, slots=True)
class Seen:
    """A finding of the past that a change would have hidden, brought or taken away.

    Attributes:
        finding: its id.
        day: its business day.
        kept: whether it is on record; one that only the preview found has no page of its own.
    """

    effect: Effect
    finding: str
    detector: str
    day: date
    severity: Severity
    score: float
    actors: tuple[str, ...]
    source: str
    title: Texts
    kept: bool = True


def preview_document(terms: Terms, first: date, last: date, seen: Iterable[Seen], judged: int) -> dict[str, Any]:
    """The whole preview.

    Args:
        terms: what is proposed.
        first: the first business day looked at.
        last: the last one.
        seen: what would have changed, in any order.
        judged: how many findings (of an exception) or windows (of parameters) were looked at.
    """
    rows = sorted(seen, key=lambda one: (_GRAVEST.index(one.severity), -one.day.toordinal(), one.finding))
    return {
        "kind": "exception" if isinstance(terms, ExceptionTerms) else "parameters",
        "terms": terms.to_doc(),
        "from": first.isoformat(),
        "to": last.isoformat(),
        "judged": judged,
        "counts": {effect: _counts([one for one in rows if one.effect == effect]) for effect in _effects(terms)},
        "known_true": None,
        "findings": [_row(one) for one in rows[:MOST_ROWS]],
        "findings_omitted": max(0, len(rows) - MOST_ROWS),
    }


def _effects(terms: Terms) -> tuple[Effect, ...]:
    return ("hidden",) if isinstance(terms, ExceptionTerms) else ("appears", "disappears")


def _counts(rows: Sequence[Seen]) -> dict[str, Any]:
    return {
        "total": len(rows),
        "grave": sum(one.severity in _GRAVE for one in rows),
        "by_detector": dict(sorted(Counter(one.detector for one in rows).items())),
        "by_month": dict(sorted(Counter(f"{one.day:%Y-%m}" for one in rows).items())),
        "by_day": dict(sorted(Counter(one.day.isoformat() for one in rows).items())),
        "grave_by_day": dict(sorted(Counter(one.day.isoformat() for one in rows if one.severity in _GRAVE).items())),
    }


def _row(one: Seen) -> dict[str, Any]:
    return {
        "effect": one.effect,
        "id": one.finding,
        "kept": one.kept,
        "detector": one.detector,
        "day": one.day.isoformat(),
        "severity": one.severity,
        "score": round(one.score, 4),
        "actors": list(one.actors),
        "source": one.source,
        "title": one.title.ja,
        "title_en": one.title.en,
        "disposition": "unknown",
    }


def digest_of(document: Mapping[str, Any]) -> str:
    """The digest of a preview's document."""
    canonical = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
