"""A scorecard as `mimamori lab run` saves it, made by the code that saves it, of numbers that a test knows."""

import json
from pathlib import Path

from detectors.lab.scorecard import DetectorScore, Matching, QueueScore, Share
from detectors.lab.scorecard_report import Scorecard, as_document

__all__ = ["save_card", "scorecard"]


def _queue(found: int, traps: int = 0) -> QueueScore:
    return QueueScore(
        kinds={"own-record": Share(found, 4), "of-tomorrow": Share(1, 1)},
        hard=Share(1, 2),
        precision=Share(6, 8),
        traps=Share(traps, 10),
        delays=(0, 0, 3),
        cases_a_day=1.5,
        per_hour=2.25,
        missed=("plot-own-record",),
        flagged=(),
    )


def scorecard() -> Scorecard:
    """A town in which four of five incidents were found, and one look-alike was flagged."""
    queue = _queue(3, traps=1)
    return Scorecard(
        town={"staff": 30, "days": 10, "seed": 7, "scenario": "all", "start": "2026-04-01"},
        queue=queue,
        unlimited=_queue(4),
        matching=Matching(Share(96, 100), Share(0, 20), {}),
        detectors=[
            DetectorScore("own-record", 5, Share(4, 5), ("plot-own-record", "plot-2"), Share(1, 10), _queue(0)),
            DetectorScore("of-tomorrow", 0, Share(0, 0), (), Share(0, 10), queue),
        ],
        baselines={"clock rules": _queue(1, traps=5)},
        episodes=[],
    )


def save_card(data: Path, name: str = "all-30-10-7") -> str:
    """Save it in a data directory; its name."""
    folder = data / "lab"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(as_document(scorecard())), "utf-8")
    return name
