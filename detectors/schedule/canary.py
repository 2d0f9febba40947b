"""Canaries: a detector is told one of its own stories, with the parameters that the town has set."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from audit.findings import Verdict
from audit.log import StoreUnavailableError
from detectors.model import Case, Detector

__all__ = ["Tell", "Tried", "try_out"]


Tell = Callable[[Detector], frozenset[str]]
"""Tells a detector its one story, where nothing else has happened; the entities that it finds on the story's day."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of it; `story` is the name of the one that was told last, `error` the kind of error, if one."""

    verdict: Verdict
    story: str
    error: str = ""


def try_out(tell: Tell, detector: Detector, parameters: Any, day: date) -> Tried:  # noqa: ANN401 - its own type
    """See whether a detector still sees.

    Each day it is another story's turn. What the town has set may well hide one of them; so when the day's story is
    not seen, the others are told too, and only a detector that sees none of them does not see.

    Args:
        tell: tells a story.
        detector: the detector.
        parameters: those in force.
        day: whose turn it is.

    Raises:
        StoreUnavailableError: the engine does not answer.
    """
    stories = [story for story in detector.cases if story.expect]
    turn = day.toordinal() % len(stories)
    in_turn = [*stories[turn:], *stories[:turn]]
    try:
        for story in in_turn:
            if _is_seen(tell, detector, story, parameters):
                return Tried(Verdict.SEES, story.name)
        own = parameters != detector.parameters and _is_seen(tell, detector, in_turn[0], detector.parameters)
    except StoreUnavailableError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it was, the detector does not see
        return Tried(Verdict.BROKEN, in_turn[0].name, type(error).__name__)
    return Tried(Verdict.SILENCED if own else Verdict.BLIND, in_turn[0].name)


def _is_seen(tell: Tell, detector: Detector, story: Case, parameters: Any) -> bool:  # noqa: ANN401 - its own type
    return story.expect <= tell(replace(detector, parameters=parameters, cases=(story,)))
