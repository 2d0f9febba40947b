"""What an administrator may lose or mistake: parts of a data directory, packed files, profiles, source ids."""

import gzip
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from forked import mimamori

EVENT = '{"time":"2026-10-05T09:00:00+09:00","event_id":"e-1","activity":"view","actor":{"id":"s1"}}\n'
PROFILE = """
id = "ltci"
name_ja = "介護保険システム"
name_en = "Care insurance"
format = "csv"
encoding = "euc_jp"
[fields]
"日時" = "time"
"職員" = "actor.id"
"区分" = "operation_name"
[activities]
"参照" = "view"
"""


def run(data: Path, *words: str, given: bytes = b"") -> subprocess.CompletedProcess[str]:
    return mimamori("--data", str(data), *words, given=given)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with one event and one refused record."""
    data = tmp_path_factory.mktemp("whole") / "town"
    assert run(data, "ingest", "--source", "a", "-", given=EVENT.encode() + b"{").returncode == 3
    return data


@pytest.mark.parametrize("part", ["events", "state.sqlite", "keys", "keys/quarantine.key"])
def test_a_lost_part_is_never_a_new_beginning(whole: Path, tmp_path: Path, part: str) -> None:
    data = tmp_path / "town"
    shutil.copytree(whole, data)
    lost = data / part
    if lost.is_dir():
        shutil.rmtree(lost)
    else:
        lost.unlink()
    done = run(data, "alerts")
    assert done.returncode == 2
    assert "restore the backup" in done.stderr
    assert not lost.exists()


def test_a_log_that_lost_its_events_is_noticed(whole: Path, tmp_path: Path) -> None:
    """An empty disk in the events' place, as after a mount that failed."""
    data = tmp_path / "town"
    shutil.copytree(whole, data)
    shutil.rmtree(data / "events")
    (data / "events").mkdir()
    done = run(data, "search")
    assert done.returncode == 2
    assert "the book says 1" in done.stderr


@pytest.mark.parametrize("through", ["file", "pipe"])
@pytest.mark.parametrize("content", [gzip.compress(EVENT.encode()), EVENT.encode("utf-16")], ids=["gzip", "UTF-16"])
def test_packed_and_wide_files_are_read(tmp_path: Path, content: bytes, through: str) -> None:
    (tmp_path / "log").write_bytes(content)
    name = "-" if through == "pipe" else str(tmp_path / "log")
    done = run(tmp_path / "town", "ingest", "--json", "--source", "a", name, given=content)
    assert (done.returncode, json.loads(done.stdout)["stored"]) == (0, 1)


@pytest.mark.parametrize("through", ["file", "pipe"])
@pytest.mark.parametrize("content", [b"PK\x03\x04...", gzip.compress(EVENT.encode())[:-9]], ids=["ZIP", "cut"])
def test_what_cannot_be_unpacked_is_refused_whole(tmp_path: Path, content: bytes, through: str) -> None:
    (tmp_path / "log").write_bytes(content)
    name = "-" if through == "pipe" else str(tmp_path / "log")
    done = run(tmp_path / "town", "ingest", "--source", "a", name, given=content)
    assert done.returncode == 2
    assert "unpack" in done.stderr
    assert json.loads(run(tmp_path / "town", "sources", "--json").stdout)["sources"][0]["events"] == 0


@pytest.mark.parametrize("source", ["", "../x", "/etc/x", "a b", "A:B", "x" * 101, "a\nb"])
def test_source_ids_are_names(tmp_path: Path, source: str) -> None:
    done = run(tmp_path / "town", "ingest", f"--source={source}", "-", given=EVENT.encode())
    assert done.returncode == 2
    assert not (tmp_path / "town").exists()


def test_a_profile_may_be_given_for_one_call(tmp_path: Path) -> None:
    profile = tmp_path / "ltci.toml"
    profile.write_text(PROFILE, encoding="utf-8")
    rows = "日時,職員,区分\n令和8年10月5日 9時13分22秒,s1,参照\n２０２６／１０／０５　０９：１４：００,s1,参照\n"
    done = run(
        tmp_path / "town",
        "ingest", "--source", "ltci-east", "--profile", str(profile), "-", given=rows.encode("euc_jp"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in run(tmp_path / "town", "search").stdout.splitlines()]
    assert [(event["source"], event["time"], event["operation_name"]) for event in found] == [
        ("ltci-east", "2026-10-05T09:13:22+09:00", "参照"),
        ("ltci-east", "2026-10-05T09:14:00+09:00", "参照"),
    ]


@pytest.mark.parametrize(
    "words", [("--status", "nosuch"), ("--detector", "nosuch"), ("--from", "2026-10-06", "--to", "2026-10-05")]
)
def test_a_mistyped_filter_is_not_all_clear(whole: Path, words: tuple[str, ...]) -> None:
    assert run(whole, "alerts", *words).returncode == 2
