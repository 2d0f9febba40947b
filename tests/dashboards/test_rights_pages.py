"""The pages about rights, with ordinary and with hostile values."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from dashboards.model import Choice, Language, PageContext, Texts, Viewer
from dashboards.pages import Pages
from dashboards.rights_model import (
    ApplicationRow,
    ApplyForm,
    DelegationRow,
    DeputiesView,
    DifferenceRow,
    InboxView,
    LedgerView,
    MyRightsView,
    PersonView,
    ReconciliationView,
    RightRow,
    StepRow,
)

AT = datetime(2026, 10, 5, 1, 0, tzinfo=UTC)
DAY = date(2026, 10, 5)
HOSTILE = ("", "<script>alert(1)</script>", "\"><img src=x>'", "\u202egnp.exe", "x" * 3000, "../../sign-out?x=1#y")


def pages(language: Language, text: str) -> dict[str, str]:
    """Every page with a text wherever one can stand; ids are our own letters."""
    person = PersonView(text or "s0412", text, text, text)
    name = Texts(text or "国保", text or "NHI")
    right = RightRow(
        id="abc", person=person, system=name, affair=text, function=text or "view", unit=text, start=DAY, last=None,
        approvers=(person,), reason=text, holds=False, applied_on=DAY, may_end=True,
    )  # fmt: skip
    steps = (StepRow(title=name, who=person, deputy_for=text, at=AT), StepRow(title=name, who=None, alone=True))
    row = ApplicationRow(
        id="def", kind="grant", person=person, system=name, affair=text, functions=(text or "view", "print"),
        outside=(text or "export",), unit=text, start=DAY, last=DAY, reason=text, decision_ref=text, applicant=person,
        created_at=AT, expires_on=DAY, status="waiting", steps=steps, closing_reason=text, deputy_for=text,
        present=(right,), normal=(text or "view",), may_withdraw=True,
    )  # fmt: skip
    ctx = PageContext(
        language=language, viewer=Viewer(text or "見本"), path="/rights", csrf="c-5",
        permissions=frozenset({"rights:application:create", "rights:entitlement:read"}),
    )  # fmt: skip
    choices = (Choice("nhi", name),)
    difference = DifferenceRow(
        what="unapproved", person=person, function=text, affair=text, approved=("", ""), reported=("", "")
    )
    compared = ReconciliationView(at=AT, by=text, matched=1, rows=(difference,))
    named = DelegationRow(id="ghi", approver=person, deputy=person, start=AT, end=AT.replace(month=11), mine=True)
    made = Pages()
    return {
        "mine": made.my_rights(
            ctx,
            view=MyRightsView(rights=(right,), applications=(row,), waiting=1, in_office=False, error=text),
            done=True,
        ),
        "apply": made.apply_for_rights(
            ctx,
            form=ApplyForm(
                systems=choices, functions=("view", text or "own"), person=text, system=text, affair=text,
                chosen=("view",), from_=text, to=text, reason=text, decision_ref=text, right="abc", error=text,
            ),
        ),
        "inbox": made.rights_inbox(ctx, view=InboxView(rows=(row,), unlocked=True, error=text)),
        "locked": made.rights_inbox(ctx, view=InboxView(rows=(row,), unlocked=False)),
        "deputies": made.rights_deputies(ctx, view=DeputiesView(rows=(named,), unlocked=True, deputy=text, error=text)),
        "ledger": made.rights_ledger(
            ctx,
            view=LedgerView(
                systems=choices, system="nhi", title=name, rows=(right,), reconciliation=compared, may_reconcile=True,
                error=text,
            ),
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
        for form in page.all("form"):
            tokens = [one for one in form.all("input") if one.attributes.get("name") == "csrf"]
            assert len(tokens) == (form.attributes["method"] == "post"), name


def test_what_is_outside_the_units_table_and_nobody_to_approve_are_said(language: Language) -> None:
    shown = pages(language, "")["inbox"]
    assert ("権限表にない" if language == "ja" else "Outside what this unit") in shown
    assert ("承認できる人がいません" if language == "ja" else "nobody can approve") in shown


def test_nobody_approves_before_the_second_factor_is_fresh(language: Language) -> None:
    shown = pages(language, "")
    assert "/approval" in shown["inbox"]
    assert "/approval" not in shown["locked"]
    assert "/refusal" in shown["locked"]
    assert "/step-up?next=/rights/inbox" in shown["locked"]
