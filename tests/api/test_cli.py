"""The command line as people and scripts run it: exit codes, what is on stdout, what is on stderr."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from forked import mimamori
from ports import free_port

from api.cli import main
from detectors.lab import simulate

MIMAMORI = (sys.executable, "-c", "from api.cli import main; raise SystemExit(main())")
VIEW = '{{"time":"{time}","event_id":"{id}","activity":"view","actor":{{"id":"{actor}"}},"subjects":["a1"]}}\n'


def run(data: Path, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """One command on a data directory."""
    return mimamori("--data", str(data), *words, given=given)


def document(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The one document on stdout."""
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def events(*rows: tuple[str, str, str]) -> str:
    """JSON Lines of (time, id, actor)."""
    return "".join(VIEW.format(time=at, id=number, actor=actor) for at, number, actor in rows)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with a few events, for the commands that ask; tests must not add to it."""
    data = tmp_path_factory.mktemp("asked") / "town"
    lines = events(
        ("2026-10-05T09:00:00+09:00", "e-1", "s0001"),
        ("2026-10-05T23:59:59.999+09:00", "e-2", "s0002"),
        ("2026-10-06T00:00:00+09:00", "e-3", "s0001"),
    )
    assert run(data, "ingest", "--source", "town-hall", "-", given=lines).returncode == 0
    return data


@pytest.fixture(scope="module")
def sample(demonstration: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, date]:
    """A demonstration's data directory, and the first day of its town."""
    data = tmp_path_factory.mktemp("sample") / "demo"
    shutil.copytree(demonstration.data, data, symlinks=True)  # the engine has some
    assert [user["login_id"] for user in json.loads(demonstration.stdout)["sign_ins"]] == [
        "sample-security",
        "sample-auditor",
        "sample-manager",
        "sample-systems",
        "sample-clerk",
    ]
    found = re.search(r"from (\d{4}-\d\d-\d\d)", demonstration.stderr)
    assert found, "progress is told on stderr"
    return data, date.fromisoformat(found[1])


def test_init_can_be_repeated_and_keeps_its_keys_to_itself(tmp_path: Path) -> None:
    data = tmp_path / "new" / "town"
    first = run(data, "init")
    assert (first.returncode, first.stderr) == (0, "")
    keys = {path.name: path.read_bytes() for path in (data / "keys").iterdir()}
    assert keys
    assert all((data / "keys" / name).stat().st_mode & 0o077 == 0 for name in keys)
    second = run(data, "init", "--json")
    assert second.returncode == 0
    assert document(second) == {"data": str(data), "preset": None, "sources": 67}
    assert keys == {path.name: path.read_bytes() for path in (data / "keys").iterdir()}


def test_a_preset_is_changed_only_on_purpose(tmp_path: Path) -> None:
    data = tmp_path / "town"
    assert document(run(data, "init", "--preset", "shinjuku", "--json"))["preset"] == "shinjuku"
    again, other = run(data, "init", "--preset", "shinjuku"), run(data, "init", "--preset", "nagaoka")
    assert (again.returncode, other.returncode) == (0, 2)
    assert "--change" in other.stderr
    assert document(run(data, "init", "--json"))["preset"] == "shinjuku"
    assert document(run(data, "init", "--preset", "nagaoka", "--change", "--json"))["preset"] == "nagaoka"


@pytest.mark.slow
def test_feeds_twice_change_nothing(tmp_path: Path) -> None:
    files = simulate(staff=30, days=20, start=date(2026, 10, 5), seed=1).write(tmp_path / "feeds")
    data = tmp_path / "town"
    for kind, path in files.feeds.items():
        first, second = document(run(data, "import", kind, str(path), str(path), "--json"))["files"]
        assert first["new"] == first["read"] > 0
        assert (second["read"], second["unchanged"]) == (first["read"], first["read"])
    later = document(run(data, "--json", "import", "staff", str(files.feeds["staff"])))
    assert (later["new"], later["changed"], later["unchanged"]) == (0, 0, later["read"])


def test_a_faulty_feed_is_refused_whole(tmp_path: Path) -> None:
    feed = tmp_path / "roster.csv"
    feed.write_text("staff_id,start,end,kind\ns1,2026-10-05 08:30,2026-10-05 17:15,shift\ns2,yesterday,,nap\n", "utf-8")
    done = run(tmp_path / "town", "import", "roster", str(feed))
    assert (done.returncode, done.stdout) == (2, "")
    assert "nothing was imported" in done.stderr
    assert "line 3" in done.stderr


def test_ingest_counts_every_record_once(tmp_path: Path) -> None:
    lines = events(*((f"2026-10-05T09:0{n}:00+09:00", f"e-{n}", "s1") for n in range(3)))
    log = tmp_path / "day.jsonl"
    log.write_text(lines, "utf-8")
    data = tmp_path / "town"
    twice = run(data, "ingest", "--source", "elsewhere", str(log), str(log), "--json")
    assert twice.returncode == 0
    assert "not in the catalogue" in twice.stderr
    assert {"read": 6, "stored": 3, "duplicates": 3, "quarantined": 0}.items() <= document(twice).items()
    words = ("--json", "ingest", "--source", "elsewhere", "--format", "ndjson", "-")
    again = run(data, *words, given=lines + '{"broken\n')
    assert again.returncode == 3
    assert {"read": 4, "stored": 0, "duplicates": 3, "quarantined": 1}.items() <= document(again).items()
    (row,) = document(run(data, "quarantine", "list", "--json"))["quarantine"]
    shown = run(data, "quarantine", "show", str(row["id"]))
    assert (shown.returncode, shown.stdout.strip()) == (0, '{"broken')


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("frobnicate",),
        ("import", "subjects-of-the-king", "x.csv"),
        ("import", "staff", "missing.csv"),
        ("ingest", "--source", "atena", "missing.log"),
        ("ingest", "--source", "atena", "--format", "papyrus", "-"),
        ("ingest", "-"),
        ("search", "--from", "the other day"),
        ("search", "--activity", "stare"),
        ("search", "--limit", "-1"),
        ("detect", "--detector", "nonsense"),
        ("serve", "--port", "0"),
        ("otp", "not a secret!"),
        ("detect", "--from", "2026-13-01"),
    ],
)
def test_bad_usage_is_2_before_anything_is_opened(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    try:
        code = main(["--data", str(tmp_path / "town"), *words])
    except SystemExit as refused:  # argparse's own way
        code = int(str(refused.code))
    finally:
        structlog.reset_defaults()
    said = capsys.readouterr()
    assert (code, said.out) == (2, "")
    assert said.err.strip()
    assert not (tmp_path / "town" / "events").exists()


def test_search_is_inclusive_then_exclusive_and_limited(town: Path) -> None:
    def found(*words: str) -> list[str]:
        done = run(town, "search", "--source", "town-hall", *words)
        assert (done.returncode, done.stderr) == (0, "")
        return [json.loads(line)["event_id"] for line in done.stdout.splitlines()]

    assert found("--from", "2026-10-05T09:00:00+09:00", "--to", "2026-10-06") == ["e-1", "e-2"]
    assert found("--limit", "1") == ["e-1"]
    whole = document(run(town, "--json", "search", "--from", "2026-10-06", "--actor", "s0001"))
    assert [event["event_id"] for event in whole["events"]] == ["e-3"]


def test_sources_tell_what_has_arrived(town: Path) -> None:
    rows = {row["id"]: row for row in document(run(town, "sources", "--json"))["sources"]}
    assert rows["town-hall"]["events"] == 3
    assert rows["town-hall"]["last_event"] == "2026-10-06T00:00:00+09:00"
    assert not rows["town-hall"]["in_catalogue"]
    assert rows["atena"]["formats"] == ["pgaudit"]
    assert rows["atena"]["last_event"] is None
    assert (rows["town-hall"]["state"], rows["atena"]["state"]) == ("ok", "never")
    assert next(iter(rows)) == "town-hall", "what was heard comes before what never was"


def test_sources_tell_what_is_owed_to_each(town: Path) -> None:
    rows = {row["id"]: row for row in document(run(town, "sources", "--json"))["sources"]}
    doors = rows["door-access"]
    assert doors["rhythm"] == {
        "expected": "daily", "silence_hours": 4.0, "around_the_clock": False, "sequence": True
    }  # fmt: skip
    assert set(doors["expected"]) == {"ja", "en"}
    assert set(doors["retention"]) == {"years", "online_days", "copies", "archive", "stated"}
    assert set(doors["review"]) == {"ja", "en", "every", "stated"}
    assert (doors["open_gaps"], doors["waiting_bytes"], doors["quarantined"]) == ([], 0, 0)
    assert doors["serves"]
    named = {"id", "name", "name_en", "kind", "number", "formats", "encoding", "events", "last_event", "last_delivery"}
    named |= {"state", "due", "retention_years", "authentication", "authentication_stated", "in_catalogue"}
    assert all(row.keys() >= named for row in rows.values())


def test_sources_are_a_table_for_people(town: Path) -> None:
    done = run(town, "sources")
    heading, first, *_ = done.stdout.splitlines()
    assert heading.startswith("状態 / state")
    assert first.split()[:4] == ["正常", "/", "In", "order"]
    assert "town-hall" in first
    quiet = run(town, "sources", "--attention")
    assert quiet.stdout.splitlines() == [quiet.stdout.rstrip("\n")]
    assert "no system needs a look" in quiet.stderr


@pytest.mark.slow
def test_the_demonstration_finds_what_was_planted(sample: tuple[Path, date]) -> None:
    data, start = sample
    findings = document(run(data, "alerts", "--json"))["findings"]
    labels = simulate(staff=60, days=30, start=start, seed=1).labels
    # Some are meant to be hard, and a silent source is nobody's act: how many of those are found the lab measures.
    planted = [label for label in labels if label.story.detectors and label.actors and not label.story.hard]
    assert len(planted) >= 6

    def fires(label: Any) -> bool:
        first, last = label.first, label.last
        return any(
            finding["detector"] in label.story.detectors
            and set(finding["actors"]) & set(label.actors)
            and finding["window"]["from"] <= last.isoformat()
            and finding["window"]["to"] > first.isoformat()
            for finding in findings
        )

    assert [label.id for label in planted if not fires(label)] == []


def own_acts(data: Path) -> list[dict[str, Any]]:
    """What the log tells of Mimamori's own acts."""
    done = run(data, "search", "--source", "mimamori", "--limit", "2000")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_demonstration_shows_access_control(sample: tuple[Path, date]) -> None:
    data, _ = sample
    acts = own_acts(data)
    told = Counter(act["operation_name"] for act in acts)
    asked = [act for act in acts if act["activity"] == "authorize"]
    assert len(asked) >= 100
    assert {"allowed", "no_right", "approval_needed", "approval_rows", "outside_hours"} <= told.keys()
    assert any("break_glass" in act["unmapped"]["decision"].get("notes", ()) for act in asked)
    # Two wait for the section head, one for the head of systems, one was refused.
    functions = Counter(act["target"]["id"] for act in acts if act["operation_name"] == "rights.applied_for")
    assert told["rights.applied_for"] == len(functions) - 1 + 5
    assert (told["rights.granted"], told["rights.refused"]) == (told["rights.applied_for"] - 4, 1)
    assert told["rights.approved"] == 2 * told["rights.granted"] + 1
    assert (told["rights.unapproved_found"], told["ledger.asked"], told["ledger.approved"]) == (1, 2, 1)
    assert told["output.confirmed"] == 1
    rights = document(run(data, "rights", "list", "--person", "sample-clerk", "--json"))["rights"]
    assert {right["function"] for right in rights} == {"view", "update", "print", "export"}
    waiting = document(run(data, "emergencies", "list", "--json"))["emergencies"]
    assert len(waiting) == 1
    alarms = document(run(data, "alerts", "--detector", "break-glass", "--json"))["findings"]
    assert [alarm["actors"] for alarm in alarms] == [["sample-clerk"]]


def test_what_the_demonstration_did_lies_on_working_days_before_it(sample: tuple[Path, date]) -> None:
    times = {act["time"][:10] for act in own_acts(sample[0]) if act["activity"] == "authorize"}
    assert len(times) == 1
    day = date.fromisoformat(times.pop())
    assert day.weekday() < 5
    assert sample[1] <= day < sample[1] + timedelta(days=30)


def test_the_demonstration_is_made_once(sample: tuple[Path, date]) -> None:
    before = len(own_acts(sample[0]))
    secret = json.loads((sample[0] / "sample-service.json").read_text("utf-8"))
    again = run(sample[0], "--json", "demo", "--no-serve", "--port", "8123")
    assert again.returncode == 0, again.stderr
    assert len(own_acts(sample[0])) == before + 1  # the search before
    moved = json.loads((sample[0] / "sample-service.json").read_text("utf-8"))
    assert moved == secret | {"token_endpoint": "http://localhost:8123/oauth2/token"}
    assert (sample[0] / "sample-service.json").stat().st_mode & 0o077 == 0


def test_nothing_is_silent_in_the_demonstration(sample: tuple[Path, date]) -> None:
    found = document(run(sample[0], "sources", "--attention", "--json"))["sources"]
    assert found == []


@pytest.mark.slow
def test_detecting_again_finds_nothing_new(sample: tuple[Path, date]) -> None:
    data, start = sample
    span = ("--from", str(start + timedelta(days=18)), "--to", str(start + timedelta(days=25)))
    again = document(run(data, "detect", *span, "--json"))
    assert again["findings_new"] == 0
    assert again["findings_total"] > 0
    assert again["windows"] >= 7
    one = document(run(data, "alerts", "--detector", "off-hours-access", "--from", str(start), "--json"))["findings"]
    assert {finding["detector"] for finding in one} == {"off-hours-access"}


@contextmanager
def serving(data: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """`mimamori serve`, answering; stopped at the end if it still runs."""
    command = [*MIMAMORI, "--data", str(data), "serve", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            for _ in range(200):
                try:
                    httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False)
                    break
                except httpx.TransportError:
                    assert process.poll() is None, process.communicate()
                    time.sleep(0.1)
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def test_serving_holds_the_directory_and_stops_when_told(tmp_path: Path) -> None:
    data, port = tmp_path / "town", free_port()
    with serving(data, port) as process:
        held = run(data, "search")
        assert (held.returncode, held.stdout) == (4, "")
        assert str(process.pid) in held.stderr
        taken = run(tmp_path / "other", "serve", "--port", str(port))
        assert (taken.returncode, taken.stdout) == (2, "")
        assert str(port) in taken.stderr
        address = f"http://127.0.0.1:{port}"
        link = httpx.get(f"{address}/enrol/none", headers={"x-forwarded-for": "10.9.9.9"}, trust_env=False)
        assert link.status_code == 410
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert out == ""
    assert re.search(rf"http://localhost:{port}/enrol/[\w-]{{32,}}\n", err)
    assert "Traceback" not in err
    # The directory is free again, and what was done is in the log, from where it really came.
    refused = document(run(data, "--json", "search", "--source", "mimamori"))["events"]
    by_name = {event["operation_name"]: event for event in refused}
    assert by_name["link.created"]["outcome"] == "success"
    assert by_name["link.refused"]["terminal"]["ip"] == "127.0.0.1"
    assert by_name["events.search"]["actor"]["kind"] == "system"


def test_a_reader_who_has_seen_enough_is_no_failure(town: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [*MIMAMORI, "--data", str(town), "search"]
    try:
        done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    finally:
        os.close(write)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
