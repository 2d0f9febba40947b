"""What is read lies in the window or as far back as is said: whatever arrives there makes the window due again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from audit.log import Filter
from detectors.model import Case, Detector, Window
from detectors.rules.privilege.used_and_removed.detector import DETECTOR as USED_AND_REMOVED
from detectors.sources.family import DETECTORS

STORIES = [
    pytest.param(detector, case, id=f"{detector.meta.id}: {case.name}")
    for detector in (*DETECTORS, USED_AND_REMOVED)
    for case in [one for one in detector.cases if one.expect][::2]
]


@dataclass
class Spans:
    """A reader that remembers from when to when it was asked."""

    reader: Any
    asked: list[tuple[datetime | None, datetime | None]]

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.reader, name)
        if name not in {"aggregate", "columns"}:
            return found

        def ask(wanted: Filter, *more: Any, **named: Any) -> Any:
            self.asked.append((wanted.start, wanted.end))
            return found(wanted, *more, **named)

        return ask


@pytest.mark.parametrize(("detector", "case"), STORIES)
def test_nothing_is_read_after_the_window_or_further_back_than_is_said(
    detector: Detector, case: Case, town: Callable[..., Any]
) -> None:
    told = town(case.events, case.feeds)
    window, reader = Window.of_day(case.day), Spans(told.reader(detector, case.day), [])
    drafts = list(detector.detect(window, reader, detector.parameters))
    assert {draft.entity for draft in drafts} == case.expect
    assert reader.asked
    for start, end in reader.asked:
        assert start is not None
        assert start >= window.start - detector.meta.look_back
        assert end is not None
        assert end <= window.end
