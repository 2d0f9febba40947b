"""`mimamori sigma`: rules of others, imported by two, run with the rest."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from forked import mimamori

DOCS = Path(__file__).parents[2] / "docs" / "sigma.md"
STAFF = (
    "staff_id,name,org_unit,subject_id,valid_from,valid_to\n"
    "s0012,見本一,zeimu,k-12,2020-04-01,\ns0034,見本二,zeimu,k-34,2020-04-01,\ns1001,見本三,zeimu,k-35,2020-04-01,\n"
)
RULE = "3d6cfa60-9a5b-4f0e-8d0a-2b8f6c1a7e11"
TWO = ("--by", "s0012", "--confirmed-by", "s0034")


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """The documented example."""
    rule, stories = re.findall(r"```yaml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "rule.yml").write_text(rule, "utf-8")
    (tmp_path / "stories.yml").write_text(stories, "utf-8")
    return tmp_path / "rule.yml", tmp_path / "stories.yml"


def run(*words: object) -> Any:
    return mimamori(*map(str, words))


@pytest.mark.slow
def test_a_rule_is_imported_by_two_runs_with_the_rest_and_can_be_taken_out(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    rule, stories = files
    data = tmp_path / "var"
    (tmp_path / "staff.csv").write_text(STAFF, "utf-8")
    assert run("--data", data, "init").returncode == 0
    assert run("--data", data, "import", "staff", tmp_path / "staff.csv").returncode == 0
    alone = run("--data", data, "sigma", "import", rule, "--cases", stories, *TWO[:2], "--confirmed-by", "s0012")
    assert alone.returncode == 2
    assert "別の人" in alone.stderr
    assert "another confirms" in alone.stderr
    done = run("--data", data, "sigma", "import", rule, "--cases", stories, *TWO, "--json")
    assert done.returncode == 0, done.stderr
    digest = json.loads(done.stdout)["digest"]
    (kept,) = json.loads(run("--data", data, "sigma", "list", "--json").stdout)["rules"]
    assert (kept["detector"], kept["digest"], kept["faults"]) == (f"sigma-{RULE}", digest, [])
    acts = [
        json.loads(line)
        for line in run(
            "--data", data, "search", "--source", "mimamori", "--activity", "config_change"
        ).stdout.splitlines()
    ]
    told = [
        (act["operation_name"], act["outcome"], act["actor"].get("id"))
        for act in acts
        if "sigma" in act["operation_name"]
    ]
    assert told == [("sigma.import_refused", "denied", None), ("sigma.import", "success", "s0012")]

    events = [
        {
            "event_id": f"e{minute}", "time": f"2026-10-05T10:{minute:02d}:00+09:00", "activity": "export",
            "outcome": "success", "actor": {"id": "s1001"}, "export": {"destination": f"d{minute}"},
        }
        for minute in (1, 2, 3)
    ]  # fmt: skip
    log = tmp_path / "log.jsonl"
    log.write_text("".join(f"{json.dumps(event)}\n" for event in events), "utf-8")
    assert run("--data", data, "ingest", "--source", "tax", log).returncode == 0
    assert run("--data", data, "detect").returncode == 0
    asked = ("--data", data, "alerts", "--detector", f"sigma-{RULE}", "--json")
    (finding,) = json.loads(run(*asked).stdout)["findings"]
    assert (finding["actors"], finding["detector_version"]) == (["s1001"], f"1.0.0+{digest[:12]}")
    assert finding["event_ids"] == ["tax:e1", "tax:e2", "tax:e3"]

    assert run("--data", data, "sigma", "remove", RULE, *TWO).returncode == 0
    assert json.loads(run("--data", data, "sigma", "list", "--json").stdout)["rules"] == []
    assert len(json.loads(run(*asked).stdout)["findings"]) == 1, "what was found stays found"
    assert run("--data", data, "sigma", "remove", RULE, *TWO).returncode == 2


def test_a_rule_whose_stories_do_not_hold_is_not_imported(files: tuple[Path, Path], tmp_path: Path) -> None:
    rule, stories = files
    stories.write_text(stories.read_text("utf-8").replace("[s1001]", "[s9999]"), "utf-8")
    checked = run("sigma", "check", rule, "--cases", stories, "--json")
    assert checked.returncode == 1
    told = json.loads(checked.stdout)
    assert [(one["holds"], one["expected"], one["found"]) for one in told["stories"]] == [
        (False, ["s9999"], ["s1001"]),
        (True, [], []),
    ]
    data = tmp_path / "var"
    assert run("--data", data, "init").returncode == 0
    assert run("--data", data, "sigma", "import", rule, "--cases", stories, *TWO).returncode == 1
    assert json.loads(run("--data", data, "sigma", "list", "--json").stdout)["rules"] == []


def test_a_rule_that_cannot_be_used_says_why_in_both_languages(files: tuple[Path, Path]) -> None:
    rule, stories = files
    rule.write_text(rule.read_text("utf-8").replace("outcome: success", "CommandLine|base64: x"), "utf-8")
    refused = run("sigma", "check", rule, "--cases", stories)
    assert refused.returncode == 2
    assert "base64" in refused.stderr
    assert "使えません" in refused.stderr
    assert "not supported" in refused.stderr
