"""`mimamori users reset`: the one reset that nobody confirms, made at the machine, and told."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from forked import mimamori, python

from audit.access import LinkRefusedError

INSTALLED = """
import sys
from pathlib import Path
from api.installation import open_installation
from api.settings import Settings
from audit.access import Role, new_secret

with open_installation(Settings(data=Path(sys.argv[1]))) as installation:
    access = installation.access
    {act}
"""
ENROL = (
    'access.create_account("boss", "見本", frozenset({Role.SECURITY_ADMINISTRATOR}), "朝霧 correct staple 42", '
    "new_secret())"
)
OPEN = 'print(access.open_enrolment(sys.argv[2], address="10.3.1.31").login_id)'


def run(data: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return mimamori("--data", str(data), *words)


def acts(data: Path) -> list[dict[str, Any]]:
    found = run(data, "search", "--source", "mimamori", "--activity", "credential_reset").stdout.splitlines()
    return [json.loads(line) for line in found]


@pytest.mark.slow
def test_a_reset_at_the_machine_prints_a_link_that_the_next_one_replaces_and_both_are_told(tmp_path: Path) -> None:
    data = tmp_path / "town"
    enrolled = python(INSTALLED.replace("{act}", ENROL), str(data))
    assert enrolled.returncode == 0, enrolled.stderr
    nobody = run(data, "users", "reset", "nobody")
    assert (nobody.returncode, nobody.stdout, acts(data)) == (2, "", [])

    made = run(data, "users", "reset", "boss", "--json")
    assert made.returncode == 0, made.stderr
    document = json.loads(made.stdout)
    assert document["login_id"] == "boss"
    _, _, token = document["link"].partition("http://localhost:8000/enrol/")
    assert "24" in made.stderr
    (told,) = acts(data)
    assert (told["operation_name"], told["target"]["id"]) == ("link.created_at_the_machine", "boss")
    assert (told["actor"]["kind"], told["unmapped"]["operator"][:4]) == ("system", "uid ")
    assert token not in json.dumps(told)

    replaced = run(data, "users", "reset", "boss").stdout.strip().rpartition("/")[2]
    refused = python(INSTALLED.replace("{act}", OPEN), str(data), token)
    assert (refused.returncode, LinkRefusedError.__name__ in refused.stderr) == (1, True)
    opened = python(INSTALLED.replace("{act}", OPEN), str(data), replaced)
    assert opened.stdout.strip() == "boss", opened.stderr
