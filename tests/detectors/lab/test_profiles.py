"""The profiles of the five simulated sources parse, and know every word that the source writes."""

import csv
from datetime import date
from pathlib import Path

import pytest

import ingest.sources
from detectors.lab import simulate
from detectors.lab.systems import SYSTEMS
from ingest.sources.profile import Profile, parse_profile

SOURCES = {
    "nhi-eligibility": "jsonl",
    "resident-register": "csv",
    "intermediate-server": "ocsf",
    "server-admin-terminal": "auth_log",
    "atena": "pgaudit",
}


def load(source: str) -> Profile:
    path = Path(ingest.sources.__file__).parent / "catalogue" / f"{source}.toml"
    return parse_profile(path.read_text("utf-8"), path.name)


@pytest.mark.parametrize(("source", "form"), SOURCES.items())
def test_profiles_parse(source: str, form: str) -> None:
    profile = load(source)
    assert (profile.id, profile.format) == (source, form)
    assert profile.name_ja
    assert profile.name_en


def test_everything_the_town_writes_has_a_profile_and_native_forms_come_first(tmp_path: Path) -> None:
    files = simulate(staff=40, days=12, start=date(2026, 10, 1), seed=1).write(tmp_path)
    assert [source for source, _ in files.logs][: len(SOURCES)] == list(SOURCES)
    assert {source for source, _ in files.logs} <= set(SYSTEMS)
    assert all(load(source).id == source for source, _ in files.logs)
    assert set(SOURCES) - files.contract == set(SOURCES) - {"nhi-eligibility"}


def test_the_register_s_profile_knows_every_column_and_word(tmp_path: Path) -> None:
    files = simulate(staff=30, days=8, start=date(2026, 10, 1), seed=1).write(tmp_path)
    profile = load("resident-register")
    text = dict(files.logs)["resident-register"].read_bytes().decode(profile.encoding, "strict")
    rows = list(csv.DictReader(text.splitlines()))
    assert set(rows[0]) - set(profile.fields) == {"所属"}
    assert {row["アクセス区分"] for row in rows} == set(profile.activities)
    assert {row["結果"] for row in rows} <= set(profile.outcomes)
    assert profile.split == {"subjects": ";"}
