"""Emergencies over the web: declared with an alert, ended, reviewed by somebody else, reminded of."""

from datetime import timedelta

import pytest
from house import House
from section import POLICY, STRICT, SYSTEM, Section, post, send

from api.decisions import BREAK_GLASS_DETECTOR
from api.emergencies import OVERDUE_DETECTOR, remind_of_reviews
from audit.access import Role
from audit.access.decisions import Actor, Question
from audit.access.decisions.emergencies.model import Verdict
from audit.findings import FindingFilter
from audit.store.errors import StoreUnavailableError

WHY = "庁舎の停電により所属の端末が使えない"


@pytest.fixture
def section(house: House) -> Section:
    return Section(house)


def findings(section: Section, detector: str) -> int:
    found = section.house.installation.findings.listing(FindingFilter(detector=detector))
    return sum(section.clerk.login_id in one.actors for one in found)


def declared(section: Section) -> str:
    """The id of the clerk's emergency."""
    waiting = section.decisions.emergencies.unreviewed()
    return next(one.declared.id for one in waiting if one.declared.person == section.clerk.login_id)


def look(section: Section, system: str = SYSTEM) -> str:
    """What is answered when the clerk looks at somebody without any right."""
    session = section.house.installation.access.live_session(section.clerk.login_id)
    assert session is not None
    asked = Question(
        person=section.clerk.login_id, system=system, activity="view", subjects=("0004512345",), session=session.id
    )
    return section.decisions.service.decide(asked).reason


def test_E9_an_emergency_is_alerted_ended_and_reviewed_by_somebody_else(house: House, section: Section) -> None:
    clerk = house.signed_in(section.clerk)
    page = clerk.get("/emergencies").text
    assert "すぐにセキュリティ管理者へ警告が出ます" in page
    assert "45 分まで" in page
    assert look(section) == "no_right"
    assert send(clerk, "/emergencies", "/emergencies", system=SYSTEM, reason=WHY, minutes="30").status_code == 303
    assert findings(section, BREAK_GLASS_DETECTOR) == 1
    assert look(section) == "allowed"
    number = declared(section)
    admin = house.signed_in(section.admin)
    section.acts()
    shown = admin.get("/emergencies/reviews").text
    for words in ("見本 介護", WHY, "利用権限", "までに本人以外が確認"):
        assert words in shown
    assert f"/emergencies/{number}/review" not in shown, "it is not over yet"
    form = {"verdict": "justified", "note": "停電の記録を確認"}
    place = f"/emergencies/{number}/review"
    assert "まだ終わっていない" in send(admin, place, "/emergencies/reviews", **form).text
    assert send(clerk, f"/emergencies/{number}/end", "/emergencies").status_code == 303
    assert send(clerk, f"/emergencies/{number}/end", "/emergencies").status_code == 404
    assert look(section) == "no_right"
    assert send(admin, place, "/emergencies/reviews", **form | {"verdict": "fine"}).status_code == 422
    assert send(admin, place, "/emergencies/reviews", **form | {"note": ""}).status_code == 409
    assert place in admin.get("/emergencies/reviews").text
    assert send(admin, place, "/emergencies/reviews", **form).status_code == 303
    assert send(admin, place, "/emergencies/reviews", **form).status_code == 409
    section.acts()
    reviewed = house.signed_in(Role.AUDITOR).get("/emergencies/reviews").text
    for words in ("見本 監視", "やむを得なかった", "停電の記録を確認"):
        assert words in reviewed
    assert {"break_glass.declared", "break_glass.ended", "break_glass.reviewed"} <= set(section.acts())


def test_what_cannot_be_declared_comes_back_with_its_words(house: House, section: Section) -> None:
    clerk = house.signed_in(section.clerk)
    right = {"system": SYSTEM, "reason": WHY, "minutes": "30"}
    for wrong in ({"minutes": "46"}, {"minutes": "0"}, {"minutes": "x"}, {"reason": "短い"}, {"system": "tax"}):
        answer = send(clerk, "/emergencies", "/emergencies", **right | wrong)
        assert answer.status_code == 422, wrong
        assert (right | wrong)["reason"] in answer.text
    secret = send(clerk, "/emergencies", "/emergencies", **right, sealed="not-a-code")
    assert secret.status_code == 422
    assert "not-a-code" not in secret.text
    assert findings(section, BREAK_GLASS_DETECTOR) == 0


def test_E9_only_a_sealed_credential_stands_in_for_a_factor_and_once(house: House, section: Section) -> None:
    envelopes, offices = section.decisions.envelopes, {Role.ADMINISTRATOR}
    wish = envelopes.ask(by=Actor(staff_id=section.admin.login_id), offices={Role.SECURITY_ADMINISTRATOR})
    made = envelopes.confirm(wish.id, by=Actor(staff_id=section.systems_head.login_id), offices=offices)
    clerk = house.signed_in(section.clerk)
    form = {"system": STRICT, "reason": WHY, "minutes": "30"}
    assert send(clerk, "/emergencies", "/emergencies", **form).status_code == 303
    assert look(section, STRICT) == "proof_weak"
    assert send(clerk, "/emergencies", "/emergencies", **form, sealed=made.code).status_code == 303
    assert look(section, STRICT) == "allowed"
    assert send(clerk, "/emergencies", "/emergencies", **form, sealed=made.code).status_code == 422
    rows = clerk.get("/api/v1/emergencies").json()["emergencies"]
    assert sorted(row["sealed"] for row in rows) == [False, True]
    section.acts()
    shown = house.signed_in(Role.AUDITOR).get("/emergencies/reviews").text
    assert "封緘された証明で宣言" in shown
    assert "認証の強さ" in shown
    assert {"break_glass.sealed_issued", "break_glass.sealed_refused"} <= set(section.acts())


def test_the_same_acts_as_json(house: House, section: Section) -> None:
    clerk, admin = house.signed_in(section.clerk), house.signed_in(section.admin)
    body = {"system": SYSTEM, "reason": WHY, "minutes": 20}
    made = post(clerk, "/emergencies", body)
    assert made.status_code == 201, made.text
    number = made.json()["id"]
    assert post(clerk, "/emergencies", body | {"minutes": 99}).status_code == 422
    assert look(section) == "allowed"
    assert post(admin, f"/emergencies/{number}/review", {"verdict": "justified", "note": "x"}).status_code == 409
    assert post(clerk, f"/emergencies/{number}/end", {}).status_code == 204
    section.acts()
    waiting = admin.get("/api/v1/emergencies/reviews").json()["emergencies"]
    (row,) = (one for one in waiting if one["id"] == number)
    assert [one["operation_name"] for one in row["decisions"]] == ["allowed"]
    assert post(admin, f"/emergencies/{number}/review", {"verdict": "unjustified", "note": "訓練"}).status_code == 204
    assert clerk.get("/api/v1/emergencies").json() == {"emergencies": [], "cursor": ""}
    section.acts()
    reviewed = admin.get("/api/v1/emergencies/reviews").json()["reviewed"][0]
    assert reviewed["unmapped"]["review"] == {"verdict": "unjustified", "note": "訓練"}


def test_E15_what_concerns_others_is_not_there(house: House, section: Section) -> None:
    clerk = house.signed_in(section.clerk)
    assert send(clerk, "/emergencies", "/emergencies", system=SYSTEM, reason=WHY, minutes="30").status_code == 303
    number = declared(section)
    for who in (section.stranger, section.admin):
        browser = house.signed_in(who)
        for name in (number, "none", "%00"):
            assert send(browser, f"/emergencies/{name}/end", "/emergencies").status_code == 404
            assert post(browser, f"/emergencies/{name}/end", {}).status_code == 404
        assert browser.get("/api/v1/emergencies").json() == {"emergencies": [], "cursor": ""}
        assert WHY not in browser.get("/emergencies").text
    stranger, admin = house.signed_in(section.stranger), house.signed_in(section.admin)
    form = {"verdict": "justified", "note": "x"}
    for name in ("none", "%00"):
        assert send(admin, f"/emergencies/{name}/review", "/emergencies", **form).status_code == 404
        assert post(admin, f"/emergencies/{name}/review", form).status_code == 404
    assert post(stranger, f"/emergencies/{number}/review", form).status_code == 403
    assert stranger.get("/emergencies/reviews").status_code == 403
    assert look(section) == "allowed"


def test_E16_nobody_sets_what_is_not_asked(house: House, section: Section) -> None:
    clerk, admin = house.signed_in(section.clerk), house.signed_in(section.admin)
    body = {"system": SYSTEM, "reason": WHY, "minutes": 20}
    for name in ("person", "sealed", "review_due", "verdict", "start"):
        assert post(clerk, "/emergencies", body | {name: "x"}).status_code == 422
    review = {"verdict": "justified", "note": "x", "reviewed_by": "s1"}
    assert post(admin, "/emergencies/none/review", review).status_code == 422
    assert clerk.get("/api/v1/emergencies").json() == {"emergencies": [], "cursor": ""}


def test_an_overdue_review_is_reported_once(house: House, section: Section) -> None:
    clerk = house.signed_in(section.clerk)
    assert send(clerk, "/emergencies", "/emergencies", system=SYSTEM, reason=WHY, minutes="5").status_code == 303
    remind_of_reviews(house.installation)
    assert findings(section, OVERDUE_DETECTOR) == 0
    house.clock.advance(timedelta(days=7))
    section.acts()
    remind_of_reviews(house.installation)
    remind_of_reviews(house.installation)
    assert findings(section, OVERDUE_DETECTOR) == 1
    shown = house.signed_in(Role.AUDITOR).get("/emergencies/reviews").text
    assert "期限" in shown
    number = declared(section)
    section.decisions.emergencies.review(
        number, Verdict.JUSTIFIED, "遅れた確認", by=Actor(staff_id=section.admin.login_id)
    )
    assert remind_of_reviews(house.installation) == 0


def test_a_broken_policy_is_told_to_whoever_reads_the_ledger(house: House, section: Section) -> None:
    section.policy.write_text("version = 1\nhours = 5\n")
    try:
        told = house.signed_in(Role.AUDITOR)
        for place in ("/approvals", "/approvals/ledger", "/emergencies", "/emergencies/reviews"):
            assert "前の方針のままです" in told.get(place).text, place
        clerk = house.signed_in(section.clerk)
        for place in ("/approvals", "/emergencies"):
            assert "前の方針のままです" not in clerk.get(place).text
        assert "45 分まで" in clerk.get("/emergencies").text
    finally:
        section.policy.write_text(POLICY)
    assert "前の方針のままです" not in house.signed_in(Role.AUDITOR).get("/approvals").text


def test_without_the_alert_there_is_no_emergency(
    house: House, section: Section, monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk = house.signed_in(section.clerk)

    def down(*_: object) -> None:
        raise StoreUnavailableError("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(house.installation.findings, "add", down)
        body = {"system": SYSTEM, "reason": WHY, "minutes": 20}
        assert post(clerk, "/emergencies", body).status_code == 503
    assert clerk.get("/api/v1/emergencies").json() == {"emergencies": [], "cursor": ""}
    assert look(section) == "no_right"
