"""`detect` and `runs` on the command line: a span judged again, and what is on record of it."""

import json
from pathlib import Path
from typing import Any

from api.cli.output import ExitCode


def test_R3_a_span_judged_again_is_compared_and_both_evaluations_stay(mimamori_here: Any, tmp_path: Path) -> None:
    log = tmp_path / "day.jsonl"

    def run(*words: str) -> Any:
        return mimamori_here("--data", tmp_path / "data", *words)

    def document(*words: str) -> Any:
        done = run(*words, "--json")
        assert done.returncode == ExitCode.DONE, done.stderr
        return json.loads(done.stdout)

    log.write_text(
        "".join(
            f'{{"time":"2026-10-04T03:0{number}:00+09:00","event_id":"e{number}","activity":"view",'
            f'"actor":{{"id":"s0412"}},"subjects":["k{number}"]}}\n'
            for number in range(6)
        ),
        encoding="utf-8",
    )
    assert run("ingest", "--source", "town-hall", str(log)).returncode == ExitCode.DONE
    first = document("detect", "--detector", "off-hours-access")
    assert (first["windows"], first["findings_new"], first["reproduced"]) == (1, 1, 0)
    before = run("alerts", "--json").stdout
    span = ("--from", "2026-10-04", "--to", "2026-10-05", "--detector", "off-hours-access")
    again = document("detect", *span)
    assert (again["windows"], again["reproduced"], again["differences"], again["failed"]) == (1, 1, [], {})
    assert run("alerts", "--json").stdout == before
    later, earlier = document("runs", *span)["runs"]
    assert (earlier["due"], later["due"]) == ("first", "asked")
    assert earlier["result_sha256"] == later["result_sha256"]
    assert earlier["parameters"]
    assert later["token"] > earlier["token"] > 0
    assert document("runs", "--canaries") == {"canaries": []}
    assert run("runs", "--detector", "nonsense").returncode == ExitCode.USAGE
    assert run("runs", "--limit", "0").returncode == ExitCode.USAGE
    assert "off-hours-access" in run("runs", *span).stdout
