"""The pages about approvals, media and emergencies, with ordinary and with hostile values."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from dashboards.ledger_model import (
    AskForm,
    ConductRow,
    DeclareForm,
    EmergenciesView,
    EmergencyRow,
    MediaView,
    MediumRow,
    RequestRow,
    RequestsView,
    ReviewedRow,
    ReviewsView,
)
from dashboards.model import Choice, Language, PageContext, Texts, Viewer
from dashboards.pages import Pages
from dashboards.rights_model import PersonView

AT = datetime(2026, 10, 5, 1, 0, tzinfo=UTC)
HOSTILE = ("", "<script>alert(1)</script>", "\"><img src=x>'", "\u202egnp.exe", "x" * 3000, "../../sign-out?x=1#y")


def pages(language: Language, text: str) -> dict[str, str]:
    """Every page with a text wherever one can stand; ids of requests are our own letters."""
    person, name = PersonView(text or "s0412", text, text, text), Texts(text or "国保", text or "NHI")
    row = RequestRow(
        id="abc", kind=text or "export", person=person, system=name, start=AT, end=AT.replace(day=6), reason=text,
        max_rows=5, max_uses=1, medium_id=text, subjects=(text,), state=text or "asked", asked_by=person, asked_at=AT,
        settled_by=person, settled_at=AT, uses=1, rows=5, why_not=text, may_withdraw=True, may_end=True,
    )  # fmt: skip
    emergency = EmergencyRow(
        id="def", person=person, system=name, reason=text, start=AT, end=AT.replace(hour=2), sealed=True,
        review_due=date(2026, 10, 6), open=True, overdue=True, conduct_total=30, may_review=True,
        conduct=(
            ConductRow(
                time=AT, event_id=text or "e-1", activity=text or "view", outcome="success", subjects=1,
                lifted=(text or "time",),
            ),
        ),
    )  # fmt: skip
    reviewed = ReviewedRow(
        time=AT, event_id=text or "e-2", person=person, system=name, reason=text, reviewer=person,
        verdict=text or "justified", note=text,
    )  # fmt: skip
    medium = MediumRow(id=text or "M-1", kind=text, state="out", holder=person, mine=False, since=AT)
    ctx = PageContext(
        language=language, viewer=Viewer(text or "見本"), path="/approvals", csrf="c-5",
        permissions=frozenset(
            {"approvals:request:create", "approvals:ledger:read", "emergencies:emergency:declare",
             "emergencies:emergency:read"}
        ),
    )  # fmt: skip
    choices, trouble = (Choice(text or "nhi", name),), Texts(text or "誤り", text or "fault")
    asked, made = RequestsView(rows=(row,), waiting=2, in_office=False, trouble=trouble, error=text), Pages()
    own = EmergenciesView(
        rows=(emergency,), trouble=trouble,
        form=DeclareForm(systems=choices, most=45, system=text, reason=text, minutes=text, error=text),
    )  # fmt: skip
    return {
        "mine": made.my_approvals(ctx, view=asked, done=True),
        "ask": made.ask_for_approval(
            ctx,
            form=AskForm(
                kinds=("export",), systems=choices, kind=text, person=text, system=text, from_=text, to=text,
                reason=text, max_rows=text, max_uses=text, medium_id=text, subjects=text, error=text,
            ),
        ),
        "inbox": made.approvals_inbox(ctx, view=RequestsView(rows=(row,), unlocked=True, error=text)),
        "locked": made.approvals_inbox(ctx, view=RequestsView(rows=(row,))),
        "ledger": made.approvals_ledger(ctx, view=asked),
        "media": made.media(
            ctx,
            view=MediaView(
                rows=(medium,), systems=choices, may_register=True, medium_id=text, step=text, system=text,
                rows_written=text, purpose=text, step_up="uv", error=text,
            ),
        ),
        "emergency": made.emergencies(ctx, view=own),
        "reviews": made.emergency_reviews(
            ctx,
            view=ReviewsView(rows=(emergency,), reviewed=(reviewed,), may_review=True, trouble=trouble, error=text),
        ),
    }  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_becomes_markup(read_page: Callable[[str], Any], language: Language, text: str) -> None:
    for name, html in pages(language, text).items():
        page = read_page(html)
        assert all(tag.attributes["src"].startswith("/static/") for tag in page.all("script")), name
        assert not page.all("img")
        for tag in page.walk():
            assert not any(key.startswith("on") or key == "style" for key in tag.attributes), name
            for key in ("href", "src", "action"):
                assert tag.attributes.get(key, "/").startswith(("/", "#")), name
        ids = [tag.attributes["id"] for tag in page.walk() if "id" in tag.attributes]
        assert len(ids) == len(set(ids)), name
        labelled = {label.attributes["for"] for label in page.all("label")}
        fields = [tag for tag in page.walk() if tag.name in {"input", "select"}]
        assert all(tag.attributes["id"] in labelled for tag in fields if tag.attributes.get("type") != "hidden"), name
        described = {tag.attributes["aria-describedby"] for tag in fields if "aria-describedby" in tag.attributes}
        assert described <= set(ids), name
        for form in page.all("form"):
            tokens = [one for one in form.all("input") if one.attributes.get("name") == "csrf"]
            assert len(tokens) == (form.attributes["method"] == "post"), name


def test_nobody_approves_before_the_second_factor_is_fresh(language: Language) -> None:
    shown = pages(language, "")
    assert "/approval" in shown["inbox"]
    assert "/abc/approval" not in shown["locked"]
    assert "/abc/refusal" in shown["locked"]
    assert "/step-up?next=/approvals/inbox" in shown["locked"]


def test_whoever_declares_is_told_first_that_an_alert_goes_out(language: Language) -> None:
    shown = pages(language, "")["emergency"]
    warning = "すぐにセキュリティ管理者へ警告が出ます" if language == "ja" else "alerted the moment you declare"
    assert shown.index(warning) < shown.index('action="/emergencies"')


def test_an_empty_page_says_so(language: Language) -> None:
    ctx = PageContext(language=language, viewer=Viewer("見本"), path="/approvals", csrf="c-5")
    made, nothing = Pages(), EmergenciesView(rows=(), form=DeclareForm())
    ja = language == "ja"
    assert ("認めているシステムはありません" if ja else "No system allows") in made.emergencies(ctx, view=nothing)
    assert ("申請はまだありません" if ja else "No requests yet") in made.my_approvals(ctx, view=RequestsView(rows=()))
    media = MediaView(rows=(), systems=(), may_register=False)
    assert ("登録された媒体はありません" if ja else "No medium is registered") in made.media(ctx, view=media)
