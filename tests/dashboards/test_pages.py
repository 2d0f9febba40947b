"""Every page, in both languages, with ordinary and with hostile values."""

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashboards.links import local
from dashboards.model import AlertFilters, AlertSummary, EnrolForm, Language
from dashboards.pages import STATIC, Pages
from dashboards.show import is_odd
from dashboards.words import SEVERITIES

Render = Callable[[Language, str], dict[str, str]]
HOSTILE = (
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>'",
    "</script><svg onload=alert(1)>",
    "{{ 7*7 }}{% raw %}",
    "\x1b[31mred\x1b[0m\r\nHTTP/1.1 200\x00",
    "\u202egnp.exe\u2066\u200b",
    "\ud800 lone",
    "a'b\"c&d;<e>`f`",
    "x" * 5000,
    "../../sign-out?x=1#y",
)
EXECUTABLE = re.compile(r"^\s*(javascript|data|vbscript):", re.IGNORECASE)


def check_safe(page: Any) -> None:
    for tag in page.walk():
        assert tag.name not in {"style", "iframe", "object", "embed", "base"}
        if tag.name == "script":
            data = tag.attributes.get("type") == "application/json"
            assert data or (tag.attributes["src"].startswith("/static/") and not tag.text.strip())
        for name, value in tag.attributes.items():
            assert not name.startswith("on"), f"handler {name}"
            assert name != "style", f"inline style on {tag.name}"
            if name in {"href", "src", "action"}:
                assert value.startswith(("/", "#"))
                assert not value.startswith("//")
                assert not EXECUTABLE.match(value)
                assert value.isascii()


def check_accessible(page: Any, language: Language) -> None:
    assert page.all("html")[0].attributes["lang"] == language
    assert len(page.all("h1")) == 1
    assert page.all("title")[0].words().strip()
    assert any(a.attributes["href"] == "#main" for a in page.all("a"))
    ids = [tag.attributes["id"] for tag in page.walk() if "id" in tag.attributes]
    assert len(ids) == len(set(ids))
    labelled = {label.attributes["for"] for label in page.all("label")}
    for tag in page.walk():
        if tag.name in {"select", "input"} and tag.attributes.get("type") != "hidden":
            assert tag.attributes["id"] in labelled
        if tag.name == "img":
            assert tag.attributes["alt"]
        if tag.name == "svg":
            assert tag.attributes.get("aria-hidden") == "true" or tag.all("title")[0].words()
        if tag.name == "table":
            assert tag.all("caption")[0].words().strip()
            assert all(th.attributes["scope"] in {"col", "row"} for th in tag.all("th"))
        for name in ("aria-labelledby", "aria-describedby"):
            assert tag.attributes.get(name, ids[0]) in ids
        if tag.name in {"a", "button"}:
            assert tag.words().strip()


@pytest.mark.parametrize("text", ["", *HOSTILE])
def test_every_page_is_safe_and_accessible(
    render: Render, read_page: Callable[[str], Any], language: Language, text: str
) -> None:
    for name, html in render(language, text).items():
        html.encode("utf-8")
        page = read_page(html)
        check_safe(page)
        check_accessible(page, language)
        shown = [tag for tag in page.walk() if tag.name != "script"]
        assert not [c for tag in shown for c in tag.text if is_odd(c) and c != "\n"], name


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=40))
def test_no_text_becomes_markup(render: Render, read_page: Callable[[str], Any], text: str) -> None:
    plain = {name: [tag.name for tag in read_page(html).walk()] for name, html in render("ja", "").items()}
    for name, html in render("ja", text).items():
        page = read_page(html)
        check_safe(page)
        # Only the marks around odd characters and the breaks between lines of advice may be new.
        loose = {"span", "br"}
        got = [tag.name for tag in page.walk() if tag.name not in loose]
        assert got == [tag for tag in plain[name] if tag not in loose], name


def test_every_post_form_carries_the_token(render: Render, read_page: Callable[[str], Any], language: Language) -> None:
    for html in render(language, "").values():
        forms = read_page(html).all("form")
        assert any(form.attributes["action"] == "/language" for form in forms)
        for form in forms:
            tokens = [i for i in form.all("input") if i.attributes["name"] == "csrf"]
            if form.attributes["method"] == "post":
                assert [token.attributes["value"] for token in tokens] == ["c-5"]
            else:
                assert not tokens  # a token in an address would be logged


def test_hostile_characters_are_shown_spelled_out(render: Render) -> None:
    html = render("ja", "\x1b[31m\u202e\r\n")["event"]
    for mark in (">\\x1b<", ">\\u202e<", ">\\r<", ">\\n<"):
        assert f'<span class="odd" title="U+{ord_of(mark):04X}"{mark}/span>' in html


def ord_of(mark: str) -> int:
    return {"\\x1b": 0x1B, "\\u202e": 0x202E, "\\r": 0x0D, "\\n": 0x0A}[mark.strip("<>")]


def test_an_event_shows_every_field(render: Render, read_page: Callable[[str], Any], language: Language) -> None:
    words = read_page(render(language, "")["event"]).all("main")[0].words()
    for value in (
        "2026-10-05T23:40:00+09:00",
        "actor.id",
        "0004512345",
        "auth.user_verified",
        "true",
        "備考",
        "later[0].deep",
    ):
        assert value in words, value


def test_links_lead_to_their_objects(render: Render, read_page: Callable[[str], Any]) -> None:
    odd = "/..?&#%\u202e"
    rendered = render("ja", odd)
    targets = [
        urlsplit(a.attributes["href"]) for name in ("alerts", "events") for a in read_page(rendered[name]).all("a")
    ]
    paths = [unquote(target.path) for target in targets]
    assert f"/alerts/f-1{odd}" in paths
    assert f"/events/nhi{odd}/e-1{odd}" in paths
    assert [t.path.count("/") for t in targets if unquote(t.path).startswith("/events/nhi")] == [3]


def test_the_sentence_counts_what_waits(pages: Pages, ctx_in: Callable[..., Any]) -> None:
    def sentence(language: Language, waiting: int) -> str:
        html = pages.alerts(
            ctx_in(language),
            rows=[],
            filters=AlertFilters(),
            summary=AlertSummary(waiting, {"high": waiting}),
            next_page=None,
        )
        found = re.search(r"<h1[^>]*>(.*?)</h1>", html)
        assert found
        return found[1]

    assert sentence("ja", 3) == "今日確認が必要な警告は 3 件です"
    assert sentence("ja", 0) == "今日確認が必要な警告はありません"
    assert sentence("en", 1) == "1 alert needs a look today"
    assert sentence("en", 1200) == "1,200 alerts need a look today"


def test_a_broken_detector_is_said_aloud(render: Render) -> None:
    shown = render("ja", "")
    assert "動いていない検知器があります" in shown["alerts"]
    assert "動いていない検知器があります" not in shown["alerts_one"]
    assert "すべて動いています" in shown["alerts_one"]


def test_severity_is_a_word_and_a_shape(render: Render, read_page: Callable[[str], Any]) -> None:
    chips = [
        tag
        for tag in read_page(render("ja", "")["alerts"]).walk()
        if tag.name == "span" and "severity" in tag.attributes.get("class", "").split()
    ]
    assert len(chips) == len(SEVERITIES) + 1
    for chip in chips:
        assert chip.words().strip() in {texts.ja for texts in SEVERITIES.values()}
        assert chip.all("svg")


def test_navigation_shows_only_what_is_permitted(pages: Pages, ctx_in: Callable[..., Any]) -> None:
    full = ctx_in("ja")
    narrow = type(full)(
        language="ja",
        viewer=full.viewer,
        path="/events",
        csrf="c",
        permissions=frozenset({"events:event:search"}),
    )
    html = pages.message(narrow, title="t", text="x", status=403)
    assert 'href="/events"' in html
    assert 'href="/board"' not in html
    assert 'href="/sources"' not in html


def test_enrolment_shows_the_key_in_groups_and_a_labelled_code(pages: Pages, ctx_in: Callable[..., Any]) -> None:
    form = EnrolForm("tok", "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP", "JBSWY3DPEHPK3PXP", "s0007", True)
    html = pages.enrol(ctx_in("en", "/enrol/tok", signed_in=False), form=form)
    assert "<span>JBSW</span> <span>Y3DP</span>" in html
    assert "<title>QR code for your authenticator app</title>" in html
    assert 'action="/enrol/tok"' in html
    assert re.search(r'name="login_id" value="s0007"[^>]* readonly', html)
    # The secret is on the page once, and in no address.
    assert "secret=" not in html


@pytest.mark.parametrize("url", ["https://example.org/", "//example.org", "/\\example.org", "javascript:alert(1)"])
def test_a_link_away_from_this_site_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="stay on this site"):
        local(url)


def test_board_carries_its_figures_as_data(
    render: Render, read_page: Callable[[str], Any], draw: Callable[..., Any], language: Language
) -> None:
    html = render(language, "</script><b>")["board"]
    blocks = [tag.text for tag in read_page(html).all("script") if tag.attributes.get("class") == "figure-spec"]
    wanted = [json.loads(figure.spec_json.in_(language)) for figure in draw("</script><b>")]
    assert [json.loads(block) for block in blocks] == wanted


def test_static_files_call_nobody() -> None:
    for path in STATIC.iterdir():
        content = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "//" not in re.sub(r"^\s*//.*$", "", content, flags=re.MULTILINE).replace("/^\\/(?![/\\\\])/", "")
        assert "@import" not in content
        assert "url(" not in content


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_colours_contrast_as_wcag_asks() -> None:
    css = (STATIC / "app.css").read_text(encoding="utf-8")
    schemes = [dict(re.findall(r"--([\w-]+): (#\w{6});", block)) for block in css.split("@media")[:2]]
    assert len(schemes) == 2
    for inks in schemes:
        for ground in ("paper", "card", "wash", "warn-wash"):
            for ink in ("ink", "minor", "accent", "critical", "high", "medium", "low", "good"):
                assert _contrast(inks[ink], inks[ground]) >= 4.5, (ink, ground)
        assert _contrast(inks["on-accent"], inks["accent"]) >= 4.5
        assert _contrast(inks["edge"], inks["card"]) >= 3
