"""Tuning in an installation: previews of a real story, findings hidden and judged anew, and the command."""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pyotp
import pytest
from argon2.profiles import CHEAPEST

import api.installation
import audit.access.use_cases
from api.cases import case_queue
from api.cli import main
from api.installation import Installation, open_installation
from api.settings import Settings
from audit.access import Passwords, Role, new_secret
from audit.access.decisions import Actor
from audit.clock import FixedClock, day_start
from audit.findings import FindingFilter, FindingStatus
from audit.store.clickhouse import EventStore
from audit.tuning import (
    ExceptionTerms,
    ParameterTerms,
    Preview,
    PreviewState,
    Scope,
    Terms,
    TuningRefusedError,
    TuningService,
)
from detectors.registry import DETECTORS

SCAN = "sequential-scan"
CASE = DETECTORS[SCAN].cases[0]
NOW = datetime(2026, 10, 30, 14, tzinfo=UTC)  # late on the story's day
PASSWORD = "朝霧 correct staple 42"
ANN, BOB = Actor(staff_id="ann"), Actor(staff_id="bob")


def tell(installation: Installation) -> None:
    """Take the detector's own story in."""
    for kind, feed in CASE.feeds.items():
        installation.context.import_feed(kind, feed.encode())
    installation.context.import_feed("staff", b"staff_id,org_unit\nolga,joho\n")
    by_source: dict[str, list[str]] = {}
    for event in CASE.events:
        document = dict(event)
        by_source.setdefault(document.pop("source"), []).append(json.dumps(document))
    for source, lines in by_source.items():
        stream = BytesIO("\n".join(lines).encode())
        installation.ingest(stream, name="story", profile=installation.profile(source), fmt="jsonl")


@pytest.fixture
def few_detectors(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of the story, and two that see nothing in it."""
    few = {name: DETECTORS[name] for name in (SCAN, "off-hours-access", "own-record")}
    monkeypatch.setattr(api.installation, "DETECTORS", few)


@pytest.fixture
def town(engine_path: Path, tmp_path: Path, few_detectors: None) -> Iterator[Installation]:  # noqa: ARG001 - in force
    database = f"tuned{tmp_path.name}".replace("-", "_")[:60]
    settings = Settings(data=tmp_path / "town", events_path=engine_path, clickhouse_database=database)
    with open_installation(settings, FixedClock(NOW)) as installation:
        installation.access._passwords = Passwords(CHEAPEST)
        for name in ("ann", "bob"):
            roles = frozenset({Role.DETECTION_ENGINEER})
            installation.access.create_account(name, name, roles, PASSWORD, new_secret())
        tell(installation)
        installation.runner.run()
        yield installation
    store = EventStore(path=engine_path, database="default", readers=1)
    store.command(f"DROP DATABASE IF EXISTS {database}")
    store.close()


def open_findings(town: Installation) -> list[tuple[str, ...]]:
    return [one.actors for one in town.findings.listing(FindingFilter(detector=SCAN))]


def confirmed(town: Installation, terms: Terms) -> dict[str, Any]:
    """Preview, propose and confirm; the preview's document."""
    preview = town.previews.make(town.previews.begin(terms, by=ANN))
    change = town.tuning.propose(preview.id, reason="保守", ticket="CHG-1", by=ANN)
    town.tuning.confirm(change.id, digest=preview.digest, by=BOB)
    return dict(preview.document)


def test_what_a_preview_says_is_what_happens(town: Installation) -> None:
    assert open_findings(town) == [("s1",)]
    higher = ParameterTerms(SCAN, {"minimum": 1000})
    counts = confirmed(town, higher)["counts"]
    assert (counts["disappears"]["total"], counts["appears"]["total"]) == (1, 0)
    assert counts["disappears"]["by_day"] == {CASE.day.isoformat(): 1}
    town.runner.run()
    assert open_findings(town) == [], "the new values are in force at the next round, without a restart"
    back = confirmed(town, ParameterTerms(SCAN, {}))
    assert back["counts"]["appears"]["total"] == 1
    assert [row["actors"] for row in back["findings"]] == [["s1"]]
    town.runner.run()
    assert open_findings(town) == [("s1",)]


def test_an_exception_is_previewed_over_the_past_and_takes_what_it_hides_off_the_queue(town: Installation) -> None:
    town.context.import_feed("staff", b"staff_id,org_unit,post\ns1,hoken-nenkin/shikaku,\nolga,joho,\n")
    town.runner.run()
    scope = Scope(actors=("s1",), units=("hoken-nenkin",), hours=tuple(range(24)))
    terms = ExceptionTerms("*", scope, "olga", CASE.day, CASE.day + timedelta(days=30))
    found = {one.detector for one in town.findings.listing(FindingFilter())}
    assert [case.actors for case in case_queue(town)] == [("s1",)]
    preview = confirmed(town, terms)
    hidden = preview["counts"]["hidden"]
    assert hidden["by_detector"].keys() == found >= {SCAN}
    assert hidden["by_month"] == {"2026-10": hidden["total"]}
    assert (preview["from"], preview["to"]) == ("2025-10-31", "2026-10-30")
    town.runner.run(start=day_start(CASE.day), end=day_start(CASE.day + timedelta(days=1)))
    kept = town.findings.listing(FindingFilter(status=FindingStatus.EXCEPTED))
    assert {one.detector for one in kept} == found
    assert (open_findings(town), case_queue(town)) == ([], [])
    town.tuning.end(town.tuning.changes()[0].id, by=BOB)
    assert (open_findings(town), [case.actors for case in case_queue(town)]) == ([("s1",)], [("s1",)])


def test_whoever_answers_for_an_exception_is_in_the_directory(town: Installation) -> None:
    terms = ExceptionTerms(SCAN, Scope(actors=("s1",)), "nobody", CASE.day, CASE.day)
    with pytest.raises(TuningRefusedError) as caught:
        town.previews.begin(terms, by=ANN)
    assert caught.value.reason == "owner"
    assert town.previews.begin(replace(terms, owner="olga"), by=ANN).state is PreviewState.QUEUED


def test_an_exception_for_every_detector_covers_none_that_tells_of_lost_or_redated_records(town: Installation) -> None:
    (found,) = town.findings.listing(FindingFilter(detector=SCAN))
    terms = ExceptionTerms("*", Scope(actors=found.actors), "olga", CASE.day, CASE.day)
    assert town.tuning.covers(terms, found, ())
    for name in (
        "audit-scope-reduced", "backdated-acts", "log-cleared", "missing-numbers", "shifted-clock", "silent-source",
    ):  # fmt: skip
        assert name in DETECTORS
        assert not town.tuning.covers(terms, replace(found, detector=name), ()), name
        assert town.tuning.covers(replace(terms, detector=name), replace(found, detector=name), ()), name


def test_values_are_not_proposed_with_a_preview_that_judged_no_day(town: Installation) -> None:
    town.clock.advance(timedelta(days=2))  # type: ignore[attr-defined] # the fixture's clock stands still
    nothing = town.previews.make(town.previews.begin(ParameterTerms(SCAN, {"minimum": 1000}), by=ANN, days=1))
    assert nothing.document["judged"] == 0
    with pytest.raises(TuningRefusedError) as caught:
        town.tuning.propose(nothing.id, reason="r", ticket="t", by=ANN)
    assert caught.value.reason == "nothing_judged"


def test_a_preview_that_waits_for_a_long_one_is_made_whoever_looks_meanwhile(town: Installation) -> None:
    waiting = town.previews.begin(ParameterTerms(SCAN, {"minimum": 9}), by=ANN)
    town.clock.advance(timedelta(minutes=30))  # type: ignore[attr-defined] # the fixture's clock stands still
    assert town.tuning.preview(waiting.id).state is PreviewState.QUEUED
    assert town.previews.make(waiting).state is PreviewState.DONE


def test_hours_are_those_of_every_event(town: Installation) -> None:
    (found,) = town.findings.listing(FindingFilter(detector=SCAN))
    hours = {int(event["time"][11:13]) for event in CASE.events if event["time"].startswith(CASE.day.isoformat())}
    today = CASE.day

    def covers(*of_day: int) -> bool:
        terms = ExceptionTerms(SCAN, Scope(hours=of_day), "olga", today, today)
        return town.tuning.covers(terms, found, ())

    assert covers(*hours)
    assert not covers(*(set(range(24)) - hours))


def test_values_that_no_threshold_can_be(town: Installation) -> None:
    for given in ({"minimum": 4.5}, {"minimum": True}, {"minimum": -1}, {"share": float("nan")}, {"minimum": "4"}):
        with pytest.raises(TuningRefusedError) as caught:
            town.previews.begin(ParameterTerms(SCAN, given), by=ANN)
        assert caught.value.reason == "values", given
    whole = town.previews.begin(ParameterTerms(SCAN, {"share": 1}), by=ANN)
    assert whole.terms.to_doc()["values"] == {"share": 1.0}


def test_a_preview_that_cannot_be_made_is_marked_and_the_next_one_is_made(
    town: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = town.previews.begin(ParameterTerms(SCAN, {"minimum": 9}), by=ANN)
    with monkeypatch.context() as patched:
        patched.setattr(town.previews, "_detectors", dict)
        town.previews.start(broken)
        town.previews._waiting.join()
    assert town.tuning.preview(broken.id).state is PreviewState.FAILED
    sound = town.previews.begin(ParameterTerms(SCAN, {"minimum": 9}), by=ANN)
    town.previews.start(sound)
    town.previews._waiting.join()
    assert town.tuning.preview(sound.id).state is PreviewState.DONE


def test_who_deals_with_cases_tunes_nothing(town: Installation) -> None:
    roles = frozenset({Role.DETECTION_ENGINEER, Role.SECURITY_ADMINISTRATOR})
    town.access.create_account("both", "both", roles, PASSWORD, new_secret())
    change = town.previews.make(town.previews.begin(ParameterTerms(SCAN, {"minimum": 9}), by=Actor(staff_id="both")))
    proposed = town.tuning.propose(change.id, reason="r", ticket="t", by=Actor(staff_id="both"))
    with pytest.raises(TuningRefusedError) as caught:
        town.tuning.confirm(proposed.id, digest=change.digest, by=BOB)
    assert caught.value.reason == "asker_left", "holding both roles is holding no right to tune"


# The command


@pytest.fixture
def command(
    engine_path: Path,
    tmp_path: Path,
    few_detectors: None,  # noqa: ARG001 - in force
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Any]:
    data, clock = tmp_path / "town", FixedClock(NOW)
    database = f"tuned{tmp_path.name}".replace("-", "_")[:60]
    monkeypatch.setenv("MIMAMORI_EVENTS_PATH", str(engine_path))
    monkeypatch.setenv("MIMAMORI_CLICKHOUSE_DATABASE", database)
    monkeypatch.setattr(api.installation, "SystemClock", lambda: clock)
    monkeypatch.setattr(audit.access.use_cases, "Passwords", lambda: Passwords(CHEAPEST))
    secrets = {name: new_secret() for name in ("ann", "bob", "clerk")}
    with open_installation(Settings(data=data), clock) as installation:
        installation.access._passwords = Passwords(CHEAPEST)
        for name, secret in secrets.items():
            role = Role.STAFF if name == "clerk" else Role.DETECTION_ENGINEER
            installation.access.create_account(name, name, frozenset({role}), PASSWORD, secret)
        tell(installation)
        installation.runner.run()

    def run(*words: str, by: str = "", password: str = PASSWORD) -> tuple[int, Any, str]:
        clock.advance(timedelta(seconds=30))
        code = pyotp.TOTP(secrets[by]).at(clock.now()) if by else ""
        monkeypatch.setattr(sys, "stdin", StringIO(f"{password}\n{code}\n"))
        done = main(["--data", str(data), "tuning", *words, *(["--by", by] if by else []), "--json"])
        out, err = capsys.readouterr()
        return done, json.loads(out) if out else None, err

    yield run
    store = EventStore(path=engine_path, database="default", readers=1)
    store.command(f"DROP DATABASE IF EXISTS {database}")
    store.close()


def test_a_preview_that_is_given_up_meanwhile_is_told_by_the_command(
    command: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = TuningService.finish

    def late(service: TuningService, preview: str, document: Mapping[str, Any]) -> Preview:
        service.fail(preview)
        return finish(service, preview, document)

    monkeypatch.setattr(TuningService, "finish", late)
    code, nothing, said = command("set", SCAN, "minimum=9", "--days", "30", by="ann")
    assert (code, nothing) == (2, None)
    assert "打ち切られました" in said


def test_the_command_takes_two_people_who_sign_in(command: Any) -> None:
    words = ("except", "--detector", SCAN, "--actor", "s1", "--owner", "olga", "--to", "2026-11-30")
    code, previewed, _ = command(*words, by="ann")
    assert (code, previewed["preview"]["counts"]["hidden"]["total"]) == (0, 1)
    assert command("list")[1] == {"changes": []}
    code, made, _ = command(*words, "--reason", "保守", "--ticket", "CHG-9", by="ann")
    assert (code, made["state"], made["previewed"]["counts"]["hidden"]["total"]) == (0, "proposed", 1)
    assert command("confirm", made["id"], "--digest", made["digest"], by="ann")[0] == 2
    assert command("confirm", made["id"], "--digest", made["digest"], by="clerk")[0] == 2
    assert command("confirm", made["id"], "--digest", made["digest"], by="bob", password="wrong wrong wrong")[0] == 2
    assert command("show", made["id"])[1]["state"] == "proposed"
    code, done, _ = command("confirm", made["id"], "--digest", made["digest"], by="bob")
    assert (code, done["state"], done["confirmed"]["by"]) == (0, "in_force", "bob")
    code, over, _ = command("end", made["id"], by="bob")
    assert (code, over["state"]) == (0, "ended")
    code, changed, _ = command("set", SCAN, "minimum=9", "--days", "30", by="ann")
    assert (code, changed["terms"]["values"]) == (0, {"minimum": 9})
    for bad in (("set", SCAN, "minimum=x"), ("except", "--owner", "o", "--to", "2026-11-30", "--hours", "19")):
        code, nothing, said = command(*bad, by="ann")
        assert (code, nothing) == (2, None), bad
        assert " / " in said
