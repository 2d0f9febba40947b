"""The page of all sources says what the catalogue says, and what the examples really become."""

from dataclasses import replace
from pathlib import Path

import pytest

from ingest.sources.catalogue_reader import cities, load_catalogue
from ingest.sources.pages import missing_fields, page
from ingest.sources.profile import ProfileError

DOCS = Path(__file__).parents[3] / "docs" / "sources.md"


@pytest.fixture(scope="module")
def written() -> str:
    return page()


def test_the_kept_page_is_what_the_generator_writes(written: str) -> None:
    """If this fails: `python -m ingest.sources.pages`."""
    assert DOCS.read_text("utf-8") == written


def test_every_source_has_a_row_and_one_more_for_each_city(written: str) -> None:
    before, _, after = written.partition("\n## 市ごとの違い")
    for source, profile in load_catalogue().items():
        assert before.count(f"\n| `{source}` |") == 1
        assert after.count(f" | `{source}` | ") == len(profile.cities)
    assert all(f"### {name.ja} / {name.en} " in after for name in cities().values())


def test_every_row_has_as_many_cells_as_its_heading(written: str) -> None:
    width = 0
    for line in written.splitlines():
        bars = line.replace("\\|", "").count("|")
        if line.startswith("|---"):
            assert bars == width
        elif line.startswith("|"):
            assert width in {0, bars}
            width = bars
        else:
            width = 0


def test_no_documented_field_is_missing(written: str) -> None:
    assert "いいえ no" not in written


def test_a_field_that_the_example_lacks_is_said() -> None:
    profile = load_catalogue()["door-access"]
    assert missing_fields(replace(profile, documented=("time", "sequence", "screen"))) == ("screen",)


def test_an_example_that_cannot_be_read_is_an_error_that_says_where() -> None:
    profile = load_catalogue()["door-access"]
    with pytest.raises(ProfileError, match=r"door-access: line 2: record: 1 columns where 8 belong"):
        missing_fields(replace(profile, example="\n".join((profile.example.splitlines()[0], "x"))))
    with pytest.raises(ProfileError, match=r"levy-calc: line 2: actor\.id: is missing"):
        missing_fields(replace(load_catalogue()["levy-calc"], example="処理日時,処理\n2026/10/05 10:02:11,ログイン\n"))
