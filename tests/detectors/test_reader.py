from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from audit.casework import Casework
from audit.context import WorkContext
from audit.log import Dimension, EventLog, Filter, Measure
from detectors.reader import LogReader

BEGIN, END = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 2, tzinfo=UTC)
BY, OF = (Dimension.ACTOR,), (Measure.EVENTS,)


class Answering:
    """Answers every question with so many rows, and counts them."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.asked = 0

    def aggregate(
        self,
        wanted: Filter,
        by: Sequence[Dimension],
        measures: Sequence[Measure],
        at_least: Mapping[Measure, int] | None = None,
    ) -> list[dict[str, Any]]:
        del wanted, by, measures, at_least
        self.asked += 1
        return [{"actor": f"s{number}", "events": self.asked} for number in range(self.rows)]


def reader_of(log: Answering) -> LogReader:
    return LogReader(cast("EventLog", log), cast("Casework", None), WorkContext())


def test_what_one_detector_has_asked_is_not_asked_again() -> None:
    log = Answering(rows=2)
    reader = reader_of(log)
    first = reader.aggregate(Filter(start=BEGIN, end=END), BY, OF)
    assert reader.aggregate(Filter(start=BEGIN, end=END), BY, OF) == first
    assert log.asked == 1


def test_every_part_of_a_question_tells_it_apart() -> None:
    log = Answering(rows=2)
    reader = reader_of(log)
    wanted = Filter(start=BEGIN, end=END)
    reader.aggregate(wanted, BY, OF)
    reader.aggregate(Filter(start=BEGIN, end=END, actors=("s1",)), BY, OF)
    reader.aggregate(wanted, (Dimension.SOURCE,), OF)
    reader.aggregate(wanted, BY, (Measure.LAST,))
    reader.aggregate(wanted, BY, OF, {Measure.EVENTS: 3})
    reader.aggregate(wanted, BY, OF, {Measure.EVENTS: 4})
    assert log.asked == 6


def test_what_one_detector_does_to_an_answer_no_other_sees() -> None:
    reader = reader_of(Answering(rows=2))
    rows = reader.aggregate(Filter(), BY, OF)
    rows[0]["events"] = 99
    rows.reverse()
    assert [row["events"] for row in reader.aggregate(Filter(), BY, OF)] == [1, 1]


def test_a_long_answer_is_not_kept() -> None:
    log = Answering(rows=20_001)
    reader = reader_of(log)
    reader.aggregate(Filter(), BY, OF)
    reader.aggregate(Filter(), BY, OF)
    assert log.asked == 2
