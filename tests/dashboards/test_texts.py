"""No sentence is missing in a language, and none is left over."""

import re
from pathlib import Path
from string import Formatter

import pytest

from dashboards import words
from dashboards.model import Texts
from dashboards.texts import TEXTS, text

PACKAGE = Path(words.__file__).parent
SOURCES = {
    path.name: path.read_text(encoding="utf-8")
    for path in [*(PACKAGE / "templates").glob("*.html"), *PACKAGE.glob("*.py")]
    if path.name != "texts.py"
}
USED = {
    key
    for name, source in SOURCES.items()
    for key in re.findall(r'\bt\("([^"]+)"' if name.endswith(".html") else r'\btext\("([^"]+)"', source)
}
JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")


def test_templates_use_literal_keys_only() -> None:
    for name, source in SOURCES.items():
        if name.endswith(".html"):
            assert not re.search(r"\bt\((?!\")", source), name


def test_each_key_that_is_used_exists_and_none_is_unused() -> None:
    assert set(TEXTS) == USED


@pytest.mark.parametrize("key", sorted(TEXTS))
def test_each_sentence_is_there_in_both_languages(key: str) -> None:
    texts = TEXTS[key]
    places = [{name for _, name, _, _ in Formatter().parse(said) if name} for said in (texts.ja, texts.en)]
    assert places[0] == places[1]
    assert JAPANESE.search(texts.ja) or texts.ja == texts.en
    assert texts.en.strip()
    assert not JAPANESE.search(texts.en)
    assert text(key, "en", **dict.fromkeys(places[1], "7")).count("7") >= len(places[1])


@pytest.mark.parametrize("name", sorted(set(words.__all__) - {"word"}))
def test_each_word_is_there_in_both_languages(name: str) -> None:
    vocabulary: dict[str, Texts] = getattr(words, name)
    for value, texts in vocabulary.items():
        assert JAPANESE.search(texts.ja) or texts.ja == texts.en, value
        assert texts.en, value
        assert not JAPANESE.search(texts.en), value
    assert len({texts.ja for texts in vocabulary.values()}) == len(vocabulary)


def test_the_activities_are_those_of_the_contract() -> None:
    contract = """login logout lock unlock search view create update delete answer bind_number print
    screen_copy export import upload download inquiry provision transfer receive copy_register media_checkout
    media_write media_return media_erase media_dispose apply approve grant revoke credential_issue
    credential_reset policy_change config_change authorize entry exit job_run backup restore maintenance purge
    log_clear heartbeat ledger_entry security_event operation"""
    assert set(words.ACTIVITIES) == set(contract.split())


def test_a_value_outside_its_vocabulary_is_shown_as_it_is() -> None:
    assert words.word("severity", "severe", "ja") == "severe"
    assert words.word("activity", "view", "ja") == "照会"
