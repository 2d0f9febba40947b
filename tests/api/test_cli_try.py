"""`mimamori sources try`: exit codes, forms of a profile's name, output for people and for programs."""

import argparse
import io
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from api.cli import trial as command
from api.cli.output import CommandError, ExitCode
from api.settings import Settings
from audit.clock import FixedClock
from ingest.sources.catalogue_reader import load_catalogue
from ingest.sources.profile import ProfileError, parse_profile

TAX = load_catalogue()["tax"]
MY_NUMBER = "123456789018"
"""Made up; its check digit is right."""
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """One command on a machine without an installation: its exit code, stdout and stderr."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--json", action="store_true")
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers(required=True), [shared], FixedClock(datetime(2027, 4, 1, tzinfo=UTC)))

    def go(*words: str | Path) -> tuple[int, str, str]:
        arguments = parser.parse_args(["try", *map(str, words)])
        code = arguments.run(arguments, Settings(data=tmp_path / "var"))
        shown = capsys.readouterr()
        return int(code), shown.out, shown.err

    return go


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "tax-log.csv"
    path.write_bytes(TAX.example.strip("\n").encode("cp932"))
    return path


def test_a_good_file(run: Run, log: Path, tmp_path: Path) -> None:
    code, out, _ = run("tax", log, "--lines", "2")
    assert code == ExitCode.DONE
    assert "time ← 処理日時 「2026/10/05 08:33:08」 = 2026-10-05T08:33:08+09:00" in out
    assert "activity ← 操作 「ログイン」 = login" in out
    assert "unmapped.年度 ← 年度 「令和8年度」 （対応なし unmapped）" in out
    assert "読込 7 = 受入 7 + 拒否 0 / read 7 = accepted 7 + refused 0" in out
    assert out.count("── ") == 2
    assert not (tmp_path / "var").exists(), "nothing is stored, nothing is opened"


def test_as_one_json_document(run: Run, log: Path) -> None:
    _, out, _ = run("tax", log, "--json", "--lines", "1")
    document = json.loads(out)
    assert (document["profile"], document["format"], document["encoding"]) == ("tax", "csv", "cp932")
    (record,) = document["records"]
    assert record["accepted"] is True
    assert {"path": "actor.id", "name": "職員番号", "said": "S1811", "value": "S1811", "how": "mapped"} in record[
        "fields"
    ]
    sums = document["summary"]
    assert (sums["read"], sums["accepted"], sums["refused"], sums["filled"]["time"]) == (7, 7, 0, 7)


def test_refused_records_are_exit_code_3(run: Run, log: Path) -> None:
    log.write_bytes(log.read_bytes() + "\nbad,row\n".encode("cp932"))
    code, out, _ = run("tax", log)
    assert code == ExitCode.QUARANTINED
    assert "── 9 行目 / line 9: 拒否 / refused" in out
    assert "2 columns where 10 belong" in out


def test_a_source_as_a_city_has_it(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "k.log"
    path.write_text(TAX.in_city("shinjuku").example.strip("\n"), encoding="utf-8")
    assert run("tax@shinjuku", path)[0] == ExitCode.DONE
    assert run("tax", path)[0] == ExitCode.QUARANTINED


def test_without_a_profile_one_is_proposed_that_can_be_tried(run: Run, log: Path, tmp_path: Path) -> None:
    code, out, _ = run(log)
    assert code == ExitCode.DONE
    assert parse_profile(out, "proposal").id == "tax-log"
    own = tmp_path / "mine.toml"
    own.write_text(out, encoding="utf-8")
    assert run(own, log)[0] == ExitCode.DONE
    document = json.loads(run(log, "--json")[1])
    assert document["toml"] == out
    assert document["alike"]["id"] == "tax"
    assert document["looked_at"]["whole"] is True


def test_a_proposal_for_a_source_that_is_there(run: Run, log: Path) -> None:
    made = parse_profile(run("tax", log, "--propose")[1], "proposal")
    assert (made.id, made.name_ja) == ("tax", "税務システム")


def test_the_towns_own_profiles_are_known(run: Run, log: Path, tmp_path: Path) -> None:
    folder = tmp_path / "var" / "sources"
    folder.mkdir(parents=True)
    text = run(log)[1].replace('id = "tax-log"', 'id = "our-tax"')
    (folder / "our-tax.toml").write_text(text, encoding="utf-8")
    assert run("our-tax", log)[0] == ExitCode.DONE
    assert sorted(path.name for path in (tmp_path / "var").iterdir()) == ["sources"]


def test_standard_input(run: Run, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for words in (("tax", "-"), ("-",)):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(log.read_bytes())))
        assert run(*words)[0] == ExitCode.DONE


def test_format_and_encoding_can_be_said(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "utf8.csv"
    path.write_text(TAX.example.strip("\n"), encoding="utf-8")
    assert run("tax", path)[0] == ExitCode.QUARANTINED
    assert run("tax", path, "--encoding", "UTF8", "--format", "csv")[0] == ExitCode.DONE


def fails(run: Run, *words: str | Path) -> str:
    with pytest.raises((CommandError, ProfileError)) as error:
        run(*words)
    assert getattr(error.value, "code", ExitCode.USAGE) == ExitCode.USAGE
    return str(error.value)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nothing", "LOG"), "カタログにない発生元です / nothing: not in the catalogue"),
        (("tax@atlantis", "LOG"), "未知の市区です"),
        (("hr@nagaoka", "LOG"), "nagaoka has no hr"),
        (("gone.toml", "LOG"), "読めません / gone.toml: cannot be read"),
        (("tax", "gone.csv"), "読めません / gone.csv: cannot be read"),
        (("tax", "LOG", "--format", "docx"), "未知の形式です"),
        (("tax", "LOG", "--encoding", "latin-1"), "未知の文字コードです"),
        (("tax", "LOG", "--lines", "-1"), "0 以上"),
    ],
)
def test_bad_input_is_exit_code_2_with_its_reason(run: Run, log: Path, words: tuple[str, ...], said: str) -> None:
    assert said in fails(run, *(log if word == "LOG" else word for word in words))


def test_a_bad_profile_names_its_faults(run: Run, log: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text('id = "x"\nformat = "nope"', encoding="utf-8")
    assert "'name_ja' is missing" in fails(run, bad, log)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "空です / the file is empty"), (bytes(range(256)) * 9, "no text"), (b"PK\x03\x04", "ZIP")],
)
def test_nothing_can_be_proposed_for_some_files(run: Run, tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert said in fails(run, path)


def test_a_packed_file_is_not_tried(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "file.gz"
    path.write_bytes(b"\x1f\x8b\x08\0")
    assert "gzip" in fails(run, "tax", path)


def test_my_numbers_reach_neither_output(run: Run, log: Path) -> None:
    row = f"2026/10/05 08:33:08,S1811,税-T14,,照会{MY_NUMBER},{MY_NUMBER},,,,正常{MY_NUMBER}"
    log.write_bytes(log.read_bytes() + f"\n{row}\n{row},{MY_NUMBER}\n".encode("cp932"))
    for words in (("tax", log), ("tax", log, "--json"), (log,), (log, "--json")):
        _, out, err = run(*words)
        assert MY_NUMBER not in out + err
        assert "個人番号" in out


def shown(document: dict[str, Any]) -> list[str]:
    return [word["line"] for word in document["summary"]["words"]]


def test_the_lines_to_add_make_it_accept(run: Run, log: Path, tmp_path: Path) -> None:
    own = tmp_path / "mine.toml"
    text = run(log)[1]
    own.write_text(text.replace('"照会" = "view"\n', ""), encoding="utf-8")
    code, out, _ = run(own, log, "--json")
    assert code == ExitCode.QUARANTINED
    (line,) = shown(json.loads(out))
    assert line == '"照会" = "view"'
    own.write_text(own.read_text(encoding="utf-8").replace("[activities]", f"[activities]\n{line}"), encoding="utf-8")
    assert run(own, log)[0] == ExitCode.DONE
