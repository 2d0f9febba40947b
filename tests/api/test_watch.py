"""Whether the detectors still see: a canary a day, an alarm for one that does not, and for a clock that was set."""

import dataclasses
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from apscheduler.schedulers.background import BackgroundScheduler
from house import House

from api import jobs
from api.own_findings import OWN_DETECTORS
from api.watch import CANARY_LEASE, CLOCK_DETECTOR, SILENT_DETECTOR, tell_of_step, watch_detectors
from audit.access import Role
from audit.events import Activity
from audit.findings import Finding, FindingFilter, Verdict
from audit.leases import ClockReadings, LeaseService, Step
from audit.log import Filter
from audit.store.errors import StoreUnavailableError
from audit.texts import Texts
from detectors.model import Detector
from detectors.registry import DETECTORS
from detectors.sigma.errors import SigmaRefusedError
from detectors.sigma.imported import ImportedDetectors

WATCHED = ("own-record", "sign-in-guessing")


@dataclasses.dataclass
class Watched:
    """The house with two detectors only, which the test may put out of order."""

    house: House
    detectors: dict[str, Detector]
    settings: dict[str, dict[str, Any]]

    def look(self) -> Mapping[str, int]:
        return watch_detectors(self.house.installation)

    def alarms(self, status: str = "open") -> list[Finding]:
        wanted = FindingFilter(detector=SILENT_DETECTOR, status=status)
        return self.house.installation.findings.listing(wanted)

    def verdicts(self) -> dict[str, Verdict]:
        return {name: one.verdict for name, one in self.house.installation.canaries.last().items() if name in WATCHED}


@pytest.fixture
def watched(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    detectors, overrides = {name: DETECTORS[name] for name in WATCHED}, dict[str, dict[str, Any]]()
    runner = house.installation.runner
    monkeypatch.setattr(runner, "_detectors", lambda: detectors)
    monkeypatch.setattr(runner, "_overrides", lambda: overrides)
    house.clock.advance(timedelta(days=1))
    runner.run()
    yield Watched(house, detectors, overrides)
    detectors.update({name: DETECTORS[name] for name in WATCHED})
    overrides.clear()
    runner.run()
    watch_detectors(house.installation)


def test_each_detector_has_one_canary_a_day_and_another_story_each_day(watched: Watched) -> None:
    assert watched.look()["canaries"] == 2
    assert watched.look()["canaries"] == 0
    assert set(watched.verdicts().values()) == {Verdict.SEES}
    assert watched.alarms() == []
    told = watched.house.installation.canaries.last()["own-record"].story
    watched.house.clock.advance(timedelta(days=1))
    watched.house.installation.runner.run()
    assert watched.look()["canaries"] == 2
    assert watched.house.installation.canaries.last()["own-record"].story != told
    assert watched.house.installation.log.count(Filter(subject="k-0001")) == 0, "stories stay out of the log"


def test_settings_that_silence_a_detector_are_told_in_words_and_the_alarm_ends_with_them(watched: Watched) -> None:
    watched.look()
    watched.settings["sign-in-guessing"] = {"failures": 1_000_000}
    assert watched.look() == {"canaries": 1, "alarms": 1}
    (alarm,) = watched.alarms()
    assert (alarm.source, alarm.severity, alarm.actors) == ("mimamori", "high", ())
    assert "a change of settings has silenced it" in alarm.reasons[0].en
    assert "設定の変更" in alarm.reasons[0].ja
    event = watched.house.installation.log.find(*alarm.evidence[0].split(":", 1))
    assert event is not None
    assert event.text("operation_name") == "detector.silenced"
    assert watched.look()["alarms"] == 0, "once"
    watched.settings.clear()
    assert watched.look() == {"canaries": 1, "alarms": 1}
    assert watched.alarms() == []
    assert alarm.id in {one.id for one in watched.alarms("filled")}


def test_a_detector_that_is_broken_or_blind_is_told_of(watched: Watched) -> None:
    def fails(*_given: object) -> list[Any]:
        raise ZeroDivisionError

    whole = DETECTORS["own-record"]
    watched.look()
    for detect, verdict in ((fails, Verdict.BROKEN), (lambda *_given: [], Verdict.BLIND)):
        changed = dataclasses.replace(
            whole, detect=detect, meta=dataclasses.replace(whole.meta, version=f"9.{verdict}")
        )
        watched.detectors["own-record"] = changed
        watched.look()
        assert watched.verdicts()["own-record"] is verdict
        (alarm,) = watched.alarms()
        assert whole.meta.title.en in alarm.title.en


def test_settings_that_are_not_taken_are_told_of(watched: Watched) -> None:
    watched.look()
    watched.settings["own-record"] = {"no_such": 1}
    assert watched.look()["alarms"] == 1
    assert watched.verdicts()["own-record"] is Verdict.REFUSED


def test_an_imported_rule_that_can_be_read_no_more_is_told_of(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched.look()
    fault = SigmaRefusedError([Texts("読めません。", "It cannot be read.")])
    with monkeypatch.context() as upgraded:
        upgraded.setattr(ImportedDetectors, "broken", lambda _self: {"sigma-left-behind": fault})
        assert watched.look()["alarms"] == 1
        assert watched.look()["alarms"] == 0, "once"
        (told,) = watched.alarms()
        assert "sigma-left-behind" in told.title.en
        assert "no longer be read" in told.reasons[0].en
    assert watched.look()["alarms"] == 1
    assert watched.alarms() == []


def test_a_detector_that_is_not_run_is_told_of(watched: Watched) -> None:
    watched.look()
    watched.house.clock.advance(timedelta(days=1, minutes=1))
    assert watched.look()["alarms"] == 2
    assert {"more than a day" in one.reasons[0].en for one in watched.alarms()} == {True}
    watched.house.installation.runner.run()
    watched.look()
    assert watched.alarms() == []


def test_one_node_at_a_time_tells_stories(watched: Watched) -> None:
    other = LeaseService(watched.house.installation.leases._state, "another")
    lease = other.take(CANARY_LEASE)
    assert lease is not None
    assert watched.look()["canaries"] == 0
    other.release(lease)
    assert watched.look()["canaries"] == 2


@pytest.mark.parametrize("hours", [-24, 24])
def test_C4_a_clock_that_was_set_stops_no_schedule_and_raises_an_alarm(
    house: House, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    before, now = house.clock.now() - timedelta(hours=hours), house.clock.now()
    steps = iter([Step(before, now, timedelta(hours=hours)), None])
    monkeypatch.setattr(ClockReadings, "look", lambda _self: next(steps))
    scheduler = BackgroundScheduler(timezone="Asia/Tokyo")
    scheduler.add_job(lambda: None, "interval", minutes=10, id="detect", next_run_time=before)
    scheduler.start(paused=True)
    assert jobs.look_at_clock(house.installation, scheduler)
    assert scheduler.get_job("detect").next_run_time == now
    assert not jobs.look_at_clock(house.installation, scheduler)
    scheduler.shutdown()
    found = house.installation.findings.listing(FindingFilter(detector=CLOCK_DETECTOR))
    said = f"{'back' if hours < 0 else 'forward'} by about 1440 min"
    assert [one.severity for one in found if said in one.title.en] == ["high" if hours < 0 else "medium"]


def test_C4_a_finding_about_ourselves_cites_its_own_act_whatever_the_clock_says(house: House) -> None:
    installation = house.installation
    installation.act(Activity.SECURITY_EVENT, "somebody.else", {})
    house.clock.advance(timedelta(hours=-9))
    now = house.clock.now()
    assert tell_of_step(installation, Step(now + timedelta(hours=9), now, timedelta(hours=-9)))
    house.clock.advance(timedelta(hours=9))
    found = installation.findings.listing(FindingFilter(detector=CLOCK_DETECTOR))
    (told,) = [one for one in found if "540" in one.title.en]
    source, _, name = told.evidence[0].partition(":")
    cited = installation.log.find(source, name)
    assert cited is not None
    assert cited.columns["operation_name"] == "clock.stepped"


def test_C4_a_step_that_could_not_be_told_is_told_at_the_next_look(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler = BackgroundScheduler(timezone="Asia/Tokyo")
    assert not jobs.look_at_clock(house.installation, scheduler)
    house.clock.advance(timedelta(hours=-7))
    with monkeypatch.context() as failing:
        failing.setattr(jobs, "tell_of_step", _unavailable)
        with pytest.raises(StoreUnavailableError):
            jobs.look_at_clock(house.installation, scheduler)
    assert jobs.look_at_clock(house.installation, scheduler)
    assert not jobs.look_at_clock(house.installation, scheduler)
    found = house.installation.findings.listing(FindingFilter(detector=CLOCK_DETECTOR))
    assert sum("by about 420 min" in one.title.en for one in found) == 1
    house.clock.advance(timedelta(hours=7))
    jobs.look_at_clock(house.installation, scheduler)


def _unavailable(*_of: object) -> None:
    raise StoreUnavailableError("the state store does not answer")


def test_the_api_tells_what_was_run_and_who_sees(watched: Watched) -> None:
    watched.look()
    browser = watched.house.signed_in(Role.AUDITOR)
    first = browser.get("/api/v1/detector-runs?limit=1").json()
    (run,) = first["runs"]
    assert {"window", "parameters", "high_water", "result_sha256", "due", "late", "node", "token"} <= run.keys()
    second = browser.get(f"/api/v1/detector-runs?limit=1&cursor={first['cursor']}").json()
    assert second["runs"][0]["id"] < run["id"]
    assert browser.get("/api/v1/detector-runs?cursor=x").status_code == 422
    states = {one["detector"]: one for one in browser.get("/api/v1/detector-states").json()["detectors"]}
    assert states.keys() == set(WATCHED)
    assert states["own-record"]["canary"]["verdict"] == "sees"
    assert states["own-record"]["alarm"] is None


def test_both_alarms_say_what_to_do() -> None:
    assert {SILENT_DETECTOR, CLOCK_DETECTOR} <= OWN_DETECTORS.keys()
