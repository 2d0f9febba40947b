"""`import staff` as a command: what a file would do, what it does, and what it may not do unasked."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from forked import mimamori

HEADER = "staff_id,name,org_unit,post,employment,manager_id,valid_from,valid_to\n"


def run(data: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return mimamori("--data", str(data), *words)


def document(done: subprocess.CompletedProcess[str]) -> Any:
    return json.loads(done.stdout)


@pytest.mark.slow
def test_a_staff_file_is_looked_at_taken_in_and_told(tmp_path: Path) -> None:
    data, staff, ends = tmp_path / "town", tmp_path / "staff.csv", tmp_path / "ends.csv"
    rows = "".join(f"s{n},職員 {n},hoken,主事,regular,s99,2020-04-01,\n" for n in range(10))
    staff.write_text(HEADER + rows, "cp932")
    ends.write_text(HEADER + rows.replace(",\n", ",2021-03-31\n"), "utf-8")

    plan = run(data, "import", "staff", str(staff), "--dry-run", "--json")
    assert plan.returncode == 0, plan.stderr
    (found,) = document(plan)["plans"]
    assert (len(found["joined"]), found["warnings"]) == (10, ["manager s99 is not in the directory"])

    done = run(data, "import", "staff", str(staff), "--json")
    assert (document(done)["new"], done.returncode) == (10, 0)
    assert "s99 は職員名簿にいません" in done.stderr
    assert run(data, "import", "staff", str(ends), "--dry-run").returncode == 1
    refused = run(data, "import", "staff", str(ends))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--confirm" in refused.stderr
    assert document(run(data, "import", "staff", str(ends), "--confirm", "--json"))["changed"] == 10
    assert run(data, "import", "roster", str(staff), "--dry-run").returncode == 2

    lines = run(data, "search", "--source", "mimamori", "--limit", "1000").stdout.splitlines()
    told = [json.loads(line)["operation_name"] for line in lines]
    assert (told.count("people.joined"), told.count("people.left"), told.count("people.imported")) == (10, 10, 2)
