"""Announced batches: missing, short, in parts, early, repeated, corrected."""

from datetime import timedelta
from typing import Any

from audit.clock import TOKYO
from ingest.gaps import DETECTORS, SourceState

BATCH = "source-batch"


def due(town: Any, hours: float = 2) -> Any:
    return town.clock.now() + timedelta(hours=hours)


def rows(count: int, start: int = 0) -> list[dict[str, str]]:
    return [{"time": f"2026-10-05T08:{n // 60:02}:{n % 60:02}+09:00"} for n in range(start, start + count)]


def test_a_batch_that_does_not_come_and_comes_late(town: Any) -> None:
    town.at("10-05 09:00").gaps.announce("src", "levy.csv", 5, due(town), "ab" * 32)
    assert town.at("10-05 10:59").look().opened == 0
    assert town.at("10-05 11:00").look().opened == 1
    (found,) = town.found(BATCH)
    assert (found.status, found.start.astimezone(TOKYO).hour, found.actors) == ("open", 11, ())
    assert "levy.csv" in found.title.ja
    assert "ab" * 32 in found.reasons[-1].en
    assert town.gaps.health("src").state is SourceState.GAP
    town.at("10-05 12:00").take(*rows(5), name="levy.csv")
    assert town.look().filled == 1
    (found,) = town.found(BATCH)
    assert (found.status, found.settled_by) == ("filled", "1 levy.csv")
    assert town.at("10-06 12:00").look().opened == 0


def test_a_batch_in_time_is_no_finding(town: Any) -> None:
    town.at("10-05 09:00").take(*rows(5), name="levy.csv")
    town.gaps.announce("src", "levy.csv", 5, due(town))  # the slip is written after the file
    town.look()
    assert town.at("10-05 12:00").look().opened == 0
    assert town.found() == []
    assert town.announcements.owed() == []


def test_fewer_rows_than_announced_until_the_rest_or_the_whole_comes(town: Any) -> None:
    town.at("10-05 09:00").gaps.announce("src", "levy.csv", 10, due(town))
    town.gaps.announce("src", "tax.csv", 10, due(town))
    town.take(*rows(4), name="levy.csv")
    town.take(*rows(4, 20), name="tax.csv")
    assert town.look().opened == 0
    assert town.at("10-05 11:00").look().opened == 2
    assert {found.title.en for found in town.found(BATCH)} == {
        "src: levy.csv is 6 rows short",
        "src: tax.csv is 6 rows short",
    }
    town.take(*rows(6, 4), name="levy.csv")  # the rest
    town.take(*rows(10, 20), name="tax.csv")  # the whole again
    assert town.look().filled == 2
    assert {found.status for found in town.found(BATCH)} == {"filled"}


def test_the_same_rows_again_are_not_more_rows(town: Any) -> None:
    town.at("10-05 09:00").gaps.announce("src", "levy.csv", 8, due(town))
    for _ in range(2):
        town.take(*({**row, "event_id": str(n)} for n, row in enumerate(rows(4))), name="levy.csv")
    assert town.at("10-05 11:00").look().opened == 1


def test_a_nightly_name_is_a_batch_of_its_own_each_night(town: Any) -> None:
    for day in ("05", "06"):
        town.at(f"10-{day} 18:00").gaps.announce("src", "nightly.csv", 3, due(town))
        if day == "05":
            town.take(*rows(3), name="nightly.csv")
        town.look()
    assert town.at("10-06 21:00").look().opened == 1
    town.take(*rows(3, 10), name="nightly.csv")
    assert town.look().filled == 1


def test_other_bytes_than_announced(town: Any) -> None:
    town.at("10-05 09:00")
    for name, digest in (("levy.csv", "AB" * 32), ("tax.csv", "cd" * 32)):
        town.gaps.announce("src", name, 2, due(town), digest)
        town.take(*rows(2, len(digest) + ord(name[0])), name=name, sha256="ab" * 32)
    assert town.at("10-05 11:00").look().opened == 1
    (found,) = town.found(BATCH)
    assert found.title.en == "src: tax.csv is not what was announced"
    town.take(*rows(2, 40), name="tax.csv", sha256="cd" * 32)
    assert town.look().filled == 1


def test_another_source_or_name_does_not_count(town: Any) -> None:
    town.at("10-05 09:00").gaps.announce("src", "levy.csv", 1, due(town))
    town.take(*rows(1), name="levy.csv", source="other")
    town.take(*rows(1), name="levy2.csv")
    assert town.at("10-05 11:00").look().opened == 1


def test_an_announcement_is_corrected(town: Any) -> None:
    town.at("10-05 09:00")
    until = due(town)
    town.gaps.announce("src", "levy.csv", 5, until)
    town.take(*rows(4), name="levy.csv")
    assert town.at("10-05 11:00").look().opened == 1
    town.gaps.announce("src", "levy.csv", 4, until)
    assert town.look().filled == 1


def test_every_kind_of_gap_has_words_in_both_languages() -> None:
    assert set(DETECTORS) == {f"source-{kind}" for kind in ("silence", "sequence", "clock", "backdating", "batch")}
    for detector in DETECTORS.values():
        for texts in (detector.title, detector.runbook, detector.false_positives):
            assert texts.ja
            assert texts.en.isascii()


def test_health_of_every_source(town: Any) -> None:
    town.source("src", expected="continuous", silence_hours=4.0)
    town.source("quiet")
    town.at("10-05 09:00").take(*rows(5))
    town.take({"time": "2026-10-02T09:00:00+09:00"}, name="older")
    town.take(b"{broken", source="odd")
    town.look()
    healths = town.gaps.healths()
    assert sorted(healths) == ["odd", "quiet", "src"]
    src = healths["src"]
    assert (src.today, src.week, src.state, src.open_gaps) == (5, 6, SourceState.OK, ())
    assert src.last_event is not None
    assert src.last_delivery == town.clock.now()
    assert src.expected.en == "every 4 working hours"
    assert src.due is not None
    assert src.due.astimezone(TOKYO).hour == 12
    assert (healths["quiet"].state, healths["quiet"].last_event) == (SourceState.NEVER, None)
    assert (healths["odd"].state, healths["odd"].last_event) == (SourceState.OK, None)
    assert town.at("10-05 11:00").gaps.health("src").state is SourceState.LATE
