"""`mimamori rights` as people and scripts run it."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from forked import mimamori, python

SEED = """
import sys
from pathlib import Path
from api.installation import open_installation
from api.settings import Settings
from audit.access.rights import Doer, Wish
staff = (
    "staff_id,org_unit,post\\n"
    "s0001,hoken,係長\\n"
    "s0002,hoken,主事\\n"
    "s0003,soumu/joho-system,係長\\n"
)
with open_installation(Settings(data=Path(sys.argv[1]))) as town:
    town.context.import_feed("staff", staff.encode())
    wish = Wish(person="s0002", system="nhi-levy", functions=("view",), unit="hoken", start=town.clock.now(),
                end=None, reason="賦課事務")
    number = town.rights.apply(wish, Doer(id="s0002")).id
    for by in ("s0001", "s0003"):
        town.rights.approve(number, Doer(id=by))
"""


def run(data: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return mimamori("--data", str(data), "rights", *words)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("rights") / "town"
    python(SEED, str(data)).check_returncode()
    return data


def document(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode in {0, 1}, done.stderr
    return json.loads(done.stdout)


def test_what_holds_now_and_what_held_before(town: Path) -> None:
    now = document(run(town, "list", "--json"))
    assert [(one["person"], one["system"], one["function"]) for one in now["rights"]] == [("s0002", "nhi-levy", "view")]
    assert document(run(town, "list", "--at", "2020-01-01", "--json"))["rights"] == []
    assert document(run(town, "list", "--system", "atena", "--json"))["rights"] == []
    assert run(town, "list").stdout.startswith("s0002\tnhi-levy\t*\tview\t")
    assert run(town, "list", "--at", "yesterday").returncode == 2


def test_the_history_has_old_and_new_values(town: Path) -> None:
    (change,) = document(run(town, "history", "--person", "s0002", "--json"))["changes"]
    assert (change["operation"], change["by"], change["before"]) == ("rights.granted", "s0003", None)
    assert change["after"]["function"] == "view"
    assert "賦課事務" in run(town, "history").stdout


def test_a_systems_list_is_compared(town: Path, tmp_path: Path) -> None:
    listed = tmp_path / "list.csv"
    listed.write_text("person,function\ns0002,view\n")
    done = run(town, "reconcile", "--system", "nhi-levy", str(listed))
    assert (done.returncode, done.stdout) == (0, "一致 1 件 / 1 agree\n")
    listed.write_text("person,function\ns0009,view\n")
    done = run(town, "reconcile", "--system", "nhi-levy", str(listed), "--json")
    assert done.returncode == 1
    assert [one["what"] for one in document(done)["differences"]] == ["missing", "unapproved"]
    listed.write_text("who\n")
    refused = run(town, "reconcile", "--system", "nhi-levy", str(listed))
    assert refused.returncode == 2
    assert "person" in refused.stderr


def test_a_broken_file_of_chains_is_named(tmp_path: Path) -> None:
    data = tmp_path / "town"
    data.mkdir()
    (data / "rights.toml").write_text("[[chain")
    done = run(data, "list")
    assert done.returncode == 2
    assert "rights.toml" in done.stderr
    assert "Traceback" not in done.stderr
