"""`mimamori sigma`: rules of others, imported by two, run with the rest."""

import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pyotp
import pytest
from argon2.profiles import CHEAPEST
from forked import mimamori

import api.installation
import audit.access.use_cases
from api.cli import main
from api.installation import open_installation
from api.settings import Settings
from audit.access import Passwords, Role, new_secret
from audit.clock import FixedClock
from audit.store.clickhouse import EventStore

DOCS = Path(__file__).parents[2] / "docs" / "sigma.md"
STAFF = (
    "staff_id,name,org_unit,subject_id,valid_from,valid_to\n"
    "s0012,見本一,zeimu,k-12,2020-04-01,\ns0034,見本二,zeimu,k-34,2020-04-01,\ns1001,見本三,zeimu,k-35,2020-04-01,\n"
    "s0012b,見本一,hoken,k-12,2020-04-01,\n"
)
RULE = "3d6cfa60-9a5b-4f0e-8d0a-2b8f6c1a7e11"
TWO = ("s0012", "s0034")
PASSWORD = "朝霧 correct staple 42"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """The documented example."""
    rule, stories = re.findall(r"```yaml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "rule.yml").write_text(rule, "utf-8")
    (tmp_path / "stories.yml").write_text(stories, "utf-8")
    return tmp_path / "rule.yml", tmp_path / "stories.yml"


def run(*words: object) -> Any:
    return mimamori(*map(str, words))


class Desk:
    """The command line of one installation, in this process, at times of our own."""

    def __init__(self, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._data, self._patch, self._capsys = data, monkeypatch, capsys
        self._clock = FixedClock(datetime(2026, 11, 20, 3, tzinfo=UTC))
        self._secrets = {name: new_secret() for name in ("s0012", "s0012b", "s0034", "s0056", "clerk")}
        monkeypatch.setattr(api.installation, "SystemClock", lambda: self._clock)
        monkeypatch.setattr(audit.access.use_cases, "Passwords", lambda: Passwords(CHEAPEST))
        with open_installation(Settings(data=data), self._clock) as installation:
            installation.context.import_feed("staff", STAFF.encode())
            for name, secret in self._secrets.items():
                role = Role.STAFF if name == "clerk" else Role.DETECTION_ENGINEER
                installation.access.create_account(name, name, frozenset({role}), PASSWORD, secret)

    def run(self, *words: object, given: str = "") -> tuple[int, str, str]:
        """The exit code of a command, and what it says on both streams."""
        self._patch.setattr(sys, "stdin", StringIO(given))
        done = main(["--data", str(self._data), *map(str, words)])
        return (done, *self._capsys.readouterr())

    def signed(
        self, *words: object, by: tuple[str, str] = TWO, passwords: tuple[str, str] = (PASSWORD, PASSWORD)
    ) -> tuple[int, str, str]:
        """The same, of two who sign in."""
        self._clock.advance(timedelta(seconds=30))
        codes = [pyotp.TOTP(self._secrets[name]).at(self._clock.now()) for name in by]
        given = "".join(f"{password}\n{code}\n" for password, code in zip(passwords, codes, strict=True))
        return self.run(*words, "--by", by[0], "--confirmed-by", by[1], given=given)

    def told(self) -> list[tuple[str, str, str | None]]:
        """What the log says of rules: the operation, its outcome and who did it."""
        searched = self.run("search", "--source", "mimamori", "--activity", "config_change")[1].splitlines()
        acts = [act for act in map(json.loads, searched) if "sigma" in act["operation_name"]]
        return [(act["operation_name"], act["outcome"], act["actor"].get("id")) for act in acts]


@pytest.fixture
def desk(
    engine_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Desk]:
    database = f"sigma{tmp_path.name}".replace("-", "_")[:60]
    monkeypatch.setenv("MIMAMORI_EVENTS_PATH", str(engine_path))
    monkeypatch.setenv("MIMAMORI_CLICKHOUSE_DATABASE", database)
    yield Desk(tmp_path / "var", monkeypatch, capsys)
    store = EventStore(path=engine_path, database="default", readers=1)
    store.command(f"DROP DATABASE IF EXISTS {database}")
    store.close()


@pytest.mark.slow
def test_a_rule_is_imported_by_two_runs_with_the_rest_and_can_be_taken_out(
    files: tuple[Path, Path], tmp_path: Path, desk: Desk
) -> None:
    rule, stories = files
    code, out, err = desk.signed("sigma", "import", rule, "--cases", stories, "--json")
    assert code == 0, err
    digest = json.loads(out)["digest"]
    (kept,) = json.loads(desk.run("sigma", "list", "--json")[1])["rules"]
    assert (kept["detector"], kept["digest"], kept["faults"]) == (f"sigma-{RULE}", digest, [])
    assert (kept["imported_by"], kept["confirmed_by"]) == TWO
    assert desk.told() == [("sigma.import", "success", "s0012")]

    events = [
        {
            "event_id": f"e{minute}", "time": f"2026-10-05T10:{minute:02d}:00+09:00", "activity": "export",
            "outcome": "success", "actor": {"id": "s1001"}, "export": {"destination": f"d{minute}"},
        }
        for minute in (1, 2, 3)
    ]  # fmt: skip
    log = tmp_path / "log.jsonl"
    log.write_text("".join(f"{json.dumps(event)}\n" for event in events), "utf-8")
    assert desk.run("ingest", "--source", "tax", log)[0] == 0
    assert desk.run("detect")[0] == 0
    asked = ("alerts", "--detector", f"sigma-{RULE}", "--json")
    (finding,) = json.loads(desk.run(*asked)[1])["findings"]
    assert (finding["actors"], finding["detector_version"]) == (["s1001"], f"1.0.0+{digest[:12]}")
    assert finding["event_ids"] == ["tax:e1", "tax:e2", "tax:e3"]

    wrong = desk.signed("sigma", "remove", RULE, passwords=(PASSWORD, "wrong wrong wrong"))
    assert wrong[0] == 2, "one person takes no rule out"
    assert len(json.loads(desk.run("sigma", "list", "--json")[1])["rules"]) == 1
    assert desk.signed("sigma", "remove", RULE)[0] == 0
    assert json.loads(desk.run("sigma", "list", "--json")[1])["rules"] == []
    assert len(json.loads(desk.run(*asked)[1])["findings"]) == 1, "what was found stays found"
    assert desk.signed("sigma", "remove", RULE)[0] == 2


def test_nobody_imports_a_rule_in_the_name_of_somebody_who_does_not_sign_in(
    files: tuple[Path, Path], desk: Desk
) -> None:
    words = ("sigma", "import", files[0], "--cases", files[1])
    assert desk.run(*words, "--by", "s0012", "--confirmed-by", "s0034")[0] == 2, "a name is nobody's word"
    assert desk.signed(*words, passwords=("wrong wrong wrong", PASSWORD))[0] == 2
    assert desk.signed(*words, passwords=(PASSWORD, "wrong wrong wrong"))[0] == 2
    assert desk.signed(*words, by=("s0012", "clerk"))[0] == 2, "who tunes nothing confirms nothing"
    assert desk.signed(*words, by=("s0012", "s0012b"))[0] == 2, "one human being under two ids"
    assert desk.told() == []
    assert "another confirms" in desk.signed(*words, by=("s0012", "s0012"))[2]
    assert "no member of staff" in desk.signed(*words, by=("s0012", "s0056"))[2]
    assert [told[:2] for told in desk.told()] == [("sigma.import_refused", "denied")] * 2
    assert json.loads(desk.run("sigma", "list", "--json")[1])["rules"] == []
    assert desk.signed(*words)[0] == 0, "nobody's session was left open"


def test_a_rule_whose_stories_do_not_hold_is_not_imported(files: tuple[Path, Path], desk: Desk) -> None:
    rule, stories = files
    stories.write_text(stories.read_text("utf-8").replace("[s1001]", "[s9999]"), "utf-8")
    checked = run("sigma", "check", rule, "--cases", stories, "--json")
    assert checked.returncode == 1
    told = json.loads(checked.stdout)
    assert [(one["holds"], one["expected"], one["found"]) for one in told["stories"]] == [
        (False, ["s9999"], ["s1001"]),
        (True, [], []),
    ]
    assert desk.signed("sigma", "import", rule, "--cases", stories)[0] == 1
    assert desk.told() == [("sigma.import_refused", "denied", None)]
    assert json.loads(desk.run("sigma", "list", "--json")[1])["rules"] == []


def test_a_rule_that_cannot_be_used_says_why_in_both_languages(files: tuple[Path, Path]) -> None:
    rule, stories = files
    rule.write_text(rule.read_text("utf-8").replace("outcome: success", "CommandLine|base64: x"), "utf-8")
    refused = run("sigma", "check", rule, "--cases", stories)
    assert refused.returncode == 2
    assert "base64" in refused.stderr
    assert "使えません" in refused.stderr
    assert "not supported" in refused.stderr
