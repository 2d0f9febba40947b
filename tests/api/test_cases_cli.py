"""`mimamori cases close` and `reopen`: by people who sign in at this machine."""

import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pyotp
import pytest
from argon2.profiles import CHEAPEST

import api.installation
from api.cli import main
from api.installation import open_installation
from api.settings import Settings
from audit.access import Passwords, Role, new_secret
from audit.clock import FixedClock, day_start
from audit.findings import DetectorRun, Draft, Severity
from audit.store.clickhouse import EventStore
from audit.texts import Texts

NOW = datetime(2026, 10, 30, 14, tzinfo=UTC)
PASSWORD = "朝霧 correct staple 42"
Command = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def command(
    engine_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Command]:
    data, clock = tmp_path / "town", FixedClock(NOW)
    database = f"closed{tmp_path.name}".replace("-", "_")[:60]
    monkeypatch.setenv("MIMAMORI_EVENTS_PATH", str(engine_path))
    monkeypatch.setenv("MIMAMORI_CLICKHOUSE_DATABASE", database)
    monkeypatch.setattr(api.installation, "SystemClock", lambda: clock)
    roles = {
        "ann": Role.SECURITY_ADMINISTRATOR,
        "bob": Role.SECURITY_ADMINISTRATOR,
        "tuner": Role.DETECTION_ENGINEER,
    }
    secrets = {name: new_secret() for name in roles}
    start = day_start(NOW.date())
    with open_installation(Settings(data=data), clock) as installation:
        installation.access._passwords = Passwords(CHEAPEST)
        for name, role in roles.items():
            installation.access.create_account(name, name, frozenset({role}), PASSWORD, secrets[name])
        run = DetectorRun("own-record", "1.0.0", "", start, start + timedelta(days=1), 0, 1, 0)
        draft = Draft(
            "s1", Severity.HIGH, 0.9, ("s1",), (), "tax", Texts("題", "title"), (Texts("理由", "reason"),),
            ("tax:e1",), 0, 0, 1,
        )  # fmt: skip
        installation.findings.open(run, draft)

    def run_(*words: str, by: str = "") -> tuple[int, Any, str]:
        clock.advance(timedelta(seconds=30))
        code = pyotp.TOTP(secrets[by]).at(clock.now()) if by else ""
        monkeypatch.setattr(sys, "stdin", StringIO(f"{PASSWORD}\n{code}\n"))
        done = main(["--data", str(data), "cases", *words, *(["--by", by] if by else []), "--json"])
        out, err = capsys.readouterr()
        return done, json.loads(out) if out else None, err

    yield run_
    store = EventStore(path=engine_path, database="default", readers=1)
    store.command(f"DROP DATABASE IF EXISTS {database}")
    store.close()


def test_the_command_takes_two_people_who_sign_in_and_no_tuner(command: Command) -> None:
    (case,) = command()[1]["cases"]
    close = ("close", case["id"], "--as", "confirmed_misuse")
    code, _, said = command(*close, "--reason", "本人が認めた", by="tuner")
    assert (code, "権限がありません" in said) == (2, True)
    code, proposed, _ = command(*close, "--reason", "本人が認めた", by="ann")
    assert (code, proposed["status"], proposed["disposition"]["state"]) == (0, "open", "proposed")
    code, _, said = command(*close, "--confirm", by="ann")
    assert (code, "別の人" in said) == (2, True)
    code, closed, _ = command(*close, "--confirm", by="bob")
    assert (code, closed["status"], closed["disposition"]["confirmed"]["by"]) == (0, "closed", "bob")
    assert command("--status", "closed")[1]["cases"] == [closed]
    code, opened, _ = command("reopen", case["id"], "--reason", "誤り", by="ann")
    assert (code, opened) == (0, case)
    code, _, said = command("reopen", "c-none", "--reason", "誤り", by="ann")
    assert (code, "no such case" in said) == (2, True)
