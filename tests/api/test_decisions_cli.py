"""`decisions` and `emergencies` as commands."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from api.cli import main

STAFF = "staff_id,org_unit,post,role,employment,manager_id,valid_from\ns0011,soumu,係長,head,regular,,2020-04-01\n"
POLICY = 'version = 1\nhours = "free"\n[systems.nhi-levy]\nbreak_glass = true\n'


@pytest.fixture
def town(tmp_path: Path, engine_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("MIMAMORI_EVENTS_PATH", str(engine_path))
    monkeypatch.setenv("MIMAMORI_CLICKHOUSE_DATABASE", "decisions_cli")
    yield tmp_path
    structlog.reset_defaults()  # a command logs to the standard error of its moment, which is gone after the test


def run(town: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any, str]:
    capsys.readouterr()
    code = main(["--json", "--data", str(town), *words])
    said = capsys.readouterr()
    return code, json.loads(said.out) if said.out else None, said.err


def test_the_policy_is_shown_and_checked(town: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = run(town, capsys, "decisions", "policy", "show")
    assert (shown[0], shown[1]["fault"], shown[1]["general"]["hours"]) == (0, None, "enforced")
    own = town / "decisions.toml"
    assert run(town, capsys, "decisions", "policy", "check")[0] == 2
    own.write_text(POLICY)
    code, document, _ = run(town, capsys, "decisions", "policy", "check")
    assert (code, document["version"] == shown[1]["version"]) == (0, False)
    shown = run(town, capsys, "decisions", "policy", "show")
    assert shown[1]["version"] == document["version"]
    assert shown[1]["systems"]["nhi-levy"]["break_glass"] is True
    bad = town / "bad.toml"
    for text in (b"version = 1\nhours = 5\n", b"", b"\xff"):
        bad.write_bytes(text)
        code, document, said = run(town, capsys, "decisions", "policy", "check", str(bad))
        assert (code, document) == (1, None)
        assert " / " in said
    own.write_bytes(b"hours = 5\n")
    code, document, said = run(town, capsys, "decisions", "policy", "show")
    assert (code, document["general"]["hours"]) == (1, "free"), "the last good one stays in force"
    assert "version" in said
    assert main(["--data", str(town), "decisions", "policy", "show"]) == 1
    assert "systems.nhi-levy.break_glass = True" in capsys.readouterr().out


def test_lists_may_be_empty(town: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(town, capsys, "emergencies", "list")[:2] == (0, {"emergencies": []})
    assert run(town, capsys, "decisions", "unconfirmed")[:2] == (0, {"decisions": []})
