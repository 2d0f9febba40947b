"""Findings that have an end: opened, brought up to date, settled, opened again; and a look that was cut short."""

from datetime import timedelta
from typing import Any

import pytest

from audit.findings import DetectorRun, Draft, FindingFilter, FindingStatus, Severity
from audit.texts import Texts

FILLED = Texts("解消しました。", "Filled.")


def opened(town: Any, hours: float = 1, title: str = "gap", evidence: tuple[str, ...] = ("src:a",)) -> tuple[str, bool]:
    start = town.clock.now() - timedelta(days=1)
    run = DetectorRun("source-silence", "1.0.0", "", start, start + timedelta(hours=hours), 0, 0, 0)
    texts = Texts.same(title)
    draft = Draft("src", Severity.LOW, 0.5, (), (), "src", texts, (texts,), evidence, 0, 0, len(evidence))
    number, new = town.findings.open(run, draft)
    return str(number), bool(new)


def test_a_finding_is_named_by_its_beginning_and_kept_up_to_date(town: Any) -> None:
    number, new = opened(town)
    assert (new, opened(town, 5, "longer")) == (True, (number, False))
    (found,) = town.found()
    assert (found.title.en, found.end - found.start, found.status) == ("longer", timedelta(hours=5), "open")
    assert number == town.findings.named("source-silence", "1.0.0", "src", found.start)


def test_settled_once_and_open_again(town: Any) -> None:
    number, _ = opened(town)
    until = town.clock.now()
    assert town.findings.settle(number, FindingStatus.FILLED, FILLED, end=until, by="3 late", evidence=("src:b",))
    assert not town.findings.settle(number, FindingStatus.FILLED, FILLED)
    (found,) = town.found(status="filled")
    assert (found.end, found.settled_at, found.settled_by) == (until, town.clock.now(), "3 late")
    assert (found.evidence, found.evidence_total, found.reasons[-1]) == (("src:a", "src:b"), 2, FILLED)
    assert [one.id for one in town.found()] == [number]  # kept in sight, unlike what was withdrawn
    assert found.to_contract()["settled"]["by"] == "3 late"
    assert opened(town) == (number, True)
    (found,) = town.found()
    assert (found.status, found.settled_at, "settled" in found.to_contract()) == ("open", None, False)


def test_evidence_stays_bounded_and_counted(town: Any) -> None:
    number, _ = opened(town, evidence=tuple(f"src:{n}" for n in range(199)))
    town.findings.settle(number, FindingStatus.FILLED, FILLED, evidence=("src:0", "src:x", "src:y"))
    (found,) = town.found()
    assert (len(found.evidence), found.evidence_total) == (200, 201)


def test_settling_what_does_not_exist_changes_nothing(town: Any) -> None:
    assert not town.findings.settle("f-none", FindingStatus.FILLED, FILLED)
    assert town.found() == []


def test_findings_of_one_source(town: Any) -> None:
    opened(town)
    assert len(town.findings.listing(FindingFilter(source="src"))) == 1
    assert town.findings.listing(FindingFilter(source="other")) == []


def test_a_look_cut_short_between_findings_and_memory_is_made_good(town: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    town.source("src", expected="continuous", silence_hours=1.0, sequence=True)
    town.at("10-05 09:00").number([1, 2, 5, 6], town.clock.now() - timedelta(seconds=10))
    town.gaps.announce("src", "levy.csv", 1, town.clock.now() + timedelta(hours=1))

    def cut(_memories: object) -> None:
        raise OSError("the state database is gone")

    for moment in ("10-05 12:00", "10-05 13:00"):
        town.at(moment)
        with monkeypatch.context() as broken:
            broken.setattr(town.announcements, "remember", cut)
            with pytest.raises(OSError, match="gone"):
                town.look()
        told = [(one.id, one.status) for one in town.found()]
        assert town.look().opened == 0
        assert [(one.id, one.status) for one in town.found()] == told
        assert len(told) == 3
        town.number([3, 4], town.clock.now() - timedelta(hours=4), name="levy.csv")
    town.look()
    assert {one.detector: one.status for one in town.found()} == {
        "source-silence": "open",
        "source-sequence": "filled",
        "source-batch": "filled",
    }


def test_a_log_restored_from_a_backup_is_looked_at_again(town: Any) -> None:
    town.source("src", sequence=True)
    town.at("10-05 09:00")
    town.announcements.remember({"": {"index": 1000, "quarantine": 0}})
    town.number([1, 2, 5, 6], town.clock.now() - timedelta(hours=1))
    assert town.look().events == 0
    assert town.announcements.memories()[""]["index"] == 4
    town.number([7], town.clock.now())
    assert town.look().events == 1
