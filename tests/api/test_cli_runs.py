"""`detect` and `runs` on the command line: a span judged again, and what is on record of it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from api.cli.output import ExitCode

MIMAMORI = (sys.executable, "-c", "from api.cli import main; raise SystemExit(main())")


def run(data: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """One command on a data directory."""
    command = [*MIMAMORI, "--data", str(data), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def document(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The one document on stdout."""
    assert done.returncode == ExitCode.DONE, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_R3_a_span_judged_again_is_compared_and_both_evaluations_stay(tmp_path: Path) -> None:
    data, log = tmp_path / "data", tmp_path / "day.jsonl"
    log.write_text(
        "".join(
            f'{{"time":"2026-10-04T03:0{number}:00+09:00","event_id":"e{number}","activity":"view",'
            f'"actor":{{"id":"s0412"}},"subjects":["k{number}"]}}\n'
            for number in range(6)
        ),
        encoding="utf-8",
    )
    assert run(data, "ingest", "--source", "town-hall", str(log)).returncode == ExitCode.DONE
    first = document(run(data, "detect", "--detector", "off-hours-access", "--json"))
    assert (first["windows"], first["findings_new"], first["reproduced"]) == (1, 1, 0)
    before = run(data, "alerts", "--json").stdout
    span = ("--from", "2026-10-04", "--to", "2026-10-05", "--detector", "off-hours-access")
    again = document(run(data, "detect", *span, "--json"))
    assert (again["windows"], again["reproduced"], again["differences"], again["failed"]) == (1, 1, [], {})
    assert run(data, "alerts", "--json").stdout == before
    later, earlier = document(run(data, "runs", *span, "--json"))["runs"]
    assert (earlier["due"], later["due"]) == ("first", "asked")
    assert earlier["result_sha256"] == later["result_sha256"]
    assert earlier["parameters"]
    assert later["token"] > earlier["token"] > 0
    assert document(run(data, "runs", "--canaries", "--json")) == {"canaries": []}
    assert run(data, "runs", "--detector", "nonsense").returncode == ExitCode.USAGE
    assert run(data, "runs", "--limit", "0").returncode == ExitCode.USAGE
    assert "off-hours-access" in run(data, "runs", *span).stdout
