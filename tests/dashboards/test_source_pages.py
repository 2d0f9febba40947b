"""The pages about sources: what needs a look first, every word of a profile in both languages, secrets once."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from source_values import AT, SECRET, bare_source, both, source, source_row

from dashboards import words
from dashboards.model import Language, PageContext
from dashboards.pages import Pages
from dashboards.show import size
from dashboards.source_model import SourcesView
from ingest.gaps import SourceState
from ingest.sources.catalogue_reader import cities, load_catalogue
from ingest.sources.profile import ENCODINGS, FORMATS, INTERVALS, KINDS

Ctx = Callable[..., PageContext]


def heading(page: str) -> str:
    found = re.search(r"<h1[^>]*>(.*?)</h1>", page, re.DOTALL)
    assert found
    return re.sub(r"<[^>]+>", "", found[1])


def test_every_word_of_a_profile_is_there_in_both_languages() -> None:
    assert set(words.KINDS) == set(KINDS)
    assert set(words.FORMATS) == set(FORMATS)
    assert set(words.ENCODINGS) == set(ENCODINGS)
    assert set(words.INTERVALS) == set(INTERVALS)
    assert set(words.STATES) >= set(SourceState) == set(words.TALLIES)
    profiles = [profile for city in (None, *cities()) for profile in load_catalogue(city=city).values()]
    factors = {factor for one in profiles for way in one.authentication.split("|") if way for factor in way.split("+")}
    said = {ours for one in profiles for ours in one.words.get("auth.factors", {}).values() if ours}
    assert factors | said <= set(words.FACTORS)


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("ja", "3 システム: 途絶 1 件 正常 1 件 実績なし 1 件"),
        ("en", "3 systems: 1 silent 1 in order 1 never heard"),
    ],
)
def test_one_sentence_counts_and_what_never_was_is_folded(
    pages: Pages, ctx_in: Ctx, language: Language, sentence: str
) -> None:
    rows = [source_row("", "silent"), source_row("", "ok"), source_row("", "never")]
    page = pages.sources(ctx_in(language), view=SourcesView(rows, both(""), "ok", AT))
    assert heading(page) == sentence
    attention, _, rest = page.partition('id="in-order"')
    assert 'href="/sources/silent"' in attention
    assert 'href="/sources/ok"' not in attention
    assert 'href="/sources/never"' in rest.partition('<details class="unheard">')[2]
    assert re.search(r"<time [^>]*>", attention)


def test_more_gaps_than_fit_are_counted(pages: Pages, ctx_in: Ctx) -> None:
    page = pages.sources(ctx_in("en"), view=SourcesView([source_row("", "gap")], None, "ok", AT))
    assert page.count('href="/alerts/f-') == 3
    assert "and 1 more" in page
    quiet = pages.sources(ctx_in("en"), view=SourcesView([source_row("", "ok")], None, "ok", AT))
    assert "No system needs a look." in quiet
    assert "No system needs a look." not in page


def test_links_go_only_where_the_viewer_may(pages: Pages, ctx_in: Ctx) -> None:
    narrow = replace(ctx_in("ja"), permissions=frozenset({"sources:source:read"}))
    for page in (
        pages.sources(narrow, view=SourcesView([source_row("", "gap")], None, "ok", AT)),
        pages.source(narrow, view=source(""), lives=(30,)),
    ):
        assert "/alerts/" not in page
        assert 'href="/events' not in page
        assert "国保" in page


def test_bars_say_their_numbers(pages: Pages, ctx_in: Ctx, read_page: Callable[[str], Any]) -> None:
    page = read_page(pages.sources(ctx_in("en"), view=SourcesView([source_row("", "ok")], None, "ok", AT)))
    (chart,) = (tag for tag in page.all("svg") if tag.attributes.get("class") == "week")
    assert "29 Sep: 0 30 Sep: 1,000" in chart.all("title")[0].words()
    heights = [int(bar.attributes["height"]) for bar in chart.all("rect")]
    assert heights[0] == 0
    assert heights == sorted(heights)
    assert heights[-1] == 20
    assert [int(bar.attributes["y"]) + int(bar.attributes["height"]) for bar in chart.all("rect")] == [20] * 7


def test_a_secret_is_there_only_when_it_was_just_made(pages: Pages, ctx_in: Ctx) -> None:
    view = source("")
    assert pages.source(ctx_in("ja"), view=view, lives=(30,)).count(SECRET) == 1
    assert view.credentials is not None
    assert SECRET not in repr(view.credentials)
    later = replace(view, credentials=replace(view.credentials, issued=None))
    assert SECRET not in pages.source(ctx_in("ja"), view=later, lives=(30,))
    locked = pages.source(ctx_in("ja"), view=source("", unlocked=False), lives=(30,))
    assert "/revocations" not in locked
    assert 'href="/step-up?next=' in locked
    assert "credentials" not in pages.source(ctx_in("ja"), view=bare_source(""), lives=(30,))


def test_only_what_still_holds_can_be_revoked(pages: Pages, ctx_in: Ctx) -> None:
    page = pages.source(ctx_in("en"), view=source(""), lives=(30, 397))
    assert re.findall(r'name="identifier" value="(\w)"', page) == ["a", "d", "e"]
    assert '<option value="397" selected>' in page


@pytest.mark.parametrize(
    ("amount", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (1_260_000, "1.3 MB"), (4 << 40, "4,398 GB")]
)
def test_sizes_are_short(amount: int, text: str) -> None:
    assert size(amount) == text
