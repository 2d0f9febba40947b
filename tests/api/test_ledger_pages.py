"""Approvals and media over the web: who asks, who answers, what of it is whose to see."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from house import House
from section import SYSTEM, Section, post, send, typed

from audit.access import Role
from audit.access.decisions import Question
from audit.access.decisions.ledger.model import ApprovalKind, Wanted
from audit.access.decisions.ledger.repository import EntryRow
from audit.store.errors import StoreUnavailableError

_APPROVAL = re.compile(r'action="/approvals/requests/(\w+)/approval"')


@pytest.fixture
def section(house: House) -> Section:
    return Section(house)


def wish(section: Section, **more: Any) -> dict[str, Any]:
    now = section.house.clock.now()
    return {
        "kind": "export", "person": section.clerk.login_id, "system": SYSTEM, "from": typed(now),
        "to": typed(now + timedelta(hours=3)), "reason": "統計の提出", "max_rows": "120", "max_uses": "1",
    } | more  # fmt: skip


def test_an_approval_goes_through_the_pages_from_the_wish_to_its_use(house: House, section: Section) -> None:
    section.granted("export")
    clerk = house.signed_in(section.clerk)
    assert clerk.get("/approvals/ask").status_code == 200
    assert send(clerk, "/approvals/requests", **wish(section)).status_code == 303
    assert "承認待ち" in clerk.get("/approvals").text
    chief = house.signed_in(section.chief)
    shown = chief.get("/approvals/inbox").text
    for words in ("見本 介護", "ファイル出力", "120", "統計の提出"):
        assert words in shown
    (number,) = _APPROVAL.findall(shown)
    assert send(chief, f"/approvals/requests/{number}/approval").status_code == 303
    assert section.state(number) == "in_force"
    session = house.installation.access.live_session(section.clerk.login_id)
    assert session is not None
    asked = Question(
        person=section.clerk.login_id, system=SYSTEM, activity="export", session=session.id, rows=100,
        subjects=("0004512345",),
    )  # fmt: skip
    decided = section.decisions.service.decide(asked)
    assert (decided.reason, decided.approval) == ("allowed", number)
    section.decisions.service.confirm(decided.id, system=SYSTEM, outcome="success", rows=100)
    ledger = house.signed_in(Role.AUDITOR).get("/approvals/ledger").text
    assert "使い切り" in ledger
    assert "1 回・100 件" in ledger
    assert "使い切り" in clerk.get("/approvals").text
    assert {"ledger.asked", "ledger.approved", "approvals.ledger_view", "output.confirmed"} <= set(section.acts())


def test_the_form_comes_back_as_it_was_filled_in(house: House, section: Section) -> None:
    clerk = house.signed_in(section.clerk)
    for wrong, words in (
        ({"kind": "moon"}, "何の承認か"),
        ({"system": "moon"}, "システムを選んで"),
        ({"system": ""}, "システムを選んで"),
        ({"to": "昨日"}, "日時"),
        ({"to": typed(house.clock.now() - timedelta(days=1))}, "期間"),
        ({"max_rows": "many"}, "数字"),
        ({"max_rows": "0"}, "1以上"),
        ({"kind": "media"}, "媒体の番号"),
        ({"kind": "second_person"}, "対象者"),
        ({"person": "nobody"}, "在籍"),
        ({"reason": " "}, "理由"),
    ):
        answer = send(clerk, "/approvals/requests", **wish(section, **wrong))
        assert answer.status_code == 422, wrong
        assert words in answer.text, wrong
        assert wish(section, **wrong)["reason"].strip() in answer.text
    assert section.decisions.ledger.entries(person=section.clerk.login_id) == []
    assert (
        send(clerk, "/approvals/requests", **wish(section, kind="time_window", system="", max_uses="")).status_code
        == 303
    )
    assert "すべてのシステム" in clerk.get("/approvals").text


def test_a_my_number_in_a_reason_is_not_kept(house: House, section: Section) -> None:
    clerk = house.signed_in(section.clerk)
    assert send(clerk, "/approvals/requests", **wish(section, reason="123456789018 の件")).status_code == 303
    assert "123456789018" not in clerk.get("/approvals").text


def test_an_approval_needs_a_fresh_second_factor_and_a_refusal_does_not(house: House, section: Section) -> None:
    first, second = section.asked(), section.asked("print")
    chief = house.signed_in(section.chief)
    assert set(_APPROVAL.findall(chief.get("/approvals/inbox").text)) == {first, second}
    house.clock.advance(timedelta(minutes=4, seconds=50))
    chief.get("/approvals/inbox")
    house.clock.advance(timedelta(minutes=1))
    late = chief.get("/approvals/inbox").text
    assert _APPROVAL.findall(late) == []
    assert "/step-up?next=" in late
    assert send(chief, f"/approvals/requests/{first}/approval").status_code in {303, 401, 403}
    assert post(chief, f"/approvals/{first}/approval", {}).status_code in {401, 403}
    assert section.state(first) == "asked"
    assert send(chief, f"/approvals/requests/{second}/refusal", reason="").status_code == 409
    assert send(chief, f"/approvals/requests/{second}/refusal", reason="目的が違う").status_code == 303
    assert section.state(second) == "refused"
    section.acts()
    assert "目的が違う" in house.signed_in(section.clerk).get("/approvals").text


def test_nobody_approves_for_themselves_and_nothing_is_settled_twice(house: House, section: Section) -> None:
    number = section.asked()
    clerk, chief = house.signed_in(section.clerk), house.signed_in(section.chief)
    assert "自分では承認できません" in send(clerk, f"/approvals/requests/{number}/approval").text
    assert post(clerk, f"/approvals/{number}/approval", {}).status_code == 409
    assert section.state(number) == "asked"
    assert post(chief, f"/approvals/{number}/approval", {}).json()["settled_by"] == section.chief.login_id
    again = post(chief, f"/approvals/{number}/approval", {})
    assert (again.status_code, again.headers["content-type"]) == (409, "application/problem+json")
    assert send(chief, f"/approvals/requests/{number}/approval").status_code == 409
    assert send(chief, f"/approvals/requests/{number}/end").status_code == 303
    assert section.state(number) == "closed"
    other = section.asked()
    assert send(clerk, f"/approvals/requests/{other}/withdrawal").status_code == 303
    assert send(clerk, f"/approvals/requests/{other}/withdrawal").status_code == 409
    assert section.state(other) == "withdrawn"


def test_nothing_is_given_that_cannot_be_recorded(
    house: House, section: Section, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, chief = section.asked(), house.signed_in(section.chief)

    def full(*_: object) -> None:
        raise StoreUnavailableError("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(house.installation.acts, "record_all", full)
        assert send(chief, f"/approvals/requests/{number}/approval").status_code == 503
        assert post(chief, f"/approvals/{number}/approval", {}).status_code == 503
    assert section.state(number) == "asked"


def test_the_same_acts_as_json(house: House, section: Section) -> None:
    clerk, chief = house.signed_in(section.clerk), house.signed_in(section.chief)
    end = (house.clock.now() + timedelta(hours=1)).isoformat()
    body = {"kind": "export", "system": SYSTEM, "end": end, "reason": "統計", "max_rows": 5}
    made = post(clerk, "/approvals", body)
    assert made.status_code == 201, made.text
    number = made.json()["id"]
    assert (made.json()["state"], made.json()["person"]) == ("asked", section.clerk.login_id)
    assert [one["id"] for one in clerk.get("/api/v1/approvals").json()["approvals"]] == [number]
    assert [one["id"] for one in chief.get("/api/v1/approvals/inbox").json()["approvals"]] == [number]
    refused = post(chief, f"/approvals/{number}/refusal", {"reason": "不要"})
    assert (refused.json()["state"], refused.json()["settled_by"]) == ("refused", section.chief.login_id)
    auditor = house.signed_in(Role.AUDITOR)
    assert auditor.get("/api/v1/approvals/ledger").json()["approvals"][0]["id"] == number
    withdrawn = post(clerk, "/approvals", body).json()["id"]
    assert post(clerk, f"/approvals/{withdrawn}/withdrawal", {}).json()["state"] == "withdrawn"
    assert post(clerk, "/approvals", body | {"system": "moon"}).status_code == 422
    assert post(clerk, "/approvals", body | {"reason": ""}).status_code == 422
    ended = section.approved()
    assert post(clerk, f"/approvals/{ended}/end", {}).json()["state"] == "closed"


def test_every_request_of_ones_own_is_on_some_page(house: House, section: Section) -> None:
    now, me, chief = house.clock.now(), section.clerk.login_id, section.chief.login_id
    asked = Wanted(kind=ApprovalKind.EXPORT, person=me, system=SYSTEM, start=now, end=now, reason="統計の提出")
    with section.decisions.ledger._store.unit() as unit:
        unit.add_all(EntryRow.of(uuid4().hex, asked, chief, now - timedelta(minutes=n)) for n in range(203))
    clerk, found, cursor = house.signed_in(section.clerk), list[str](), ""
    for _ in range(3):
        page = clerk.get("/api/v1/approvals", params={"limit": 100, "cursor": cursor}).json()
        cursor, found = page["cursor"], [*found, *(one["id"] for one in page["approvals"])]
    assert (len(found), len(set(found)), cursor) == (203, 203, "")
    stranger = house.signed_in(section.stranger)
    assert stranger.get("/api/v1/approvals", params={"cursor": found[0]}).status_code == 422


def test_E15_what_concerns_others_is_not_there(house: House, section: Section) -> None:
    waiting, given = section.asked(), section.approved()
    stranger, reason = house.signed_in(section.stranger), {"reason": "x"}
    for name in (waiting, given, "none", "%00"):
        for act, body in (
            ("approval", {}),
            ("refusal", reason),
            ("refusal", {"reason": ""}),
            ("withdrawal", {}),
            ("end", {}),
        ):
            assert post(stranger, f"/approvals/{name}/{act}", body).status_code == 404, (name, act)
            assert send(stranger, f"/approvals/requests/{name}/{act}", **body).status_code == 404, (name, act)
    for place in ("/approvals/ledger", "/api/v1/approvals/ledger"):
        assert stranger.get(place).status_code == 403
    for place in ("/api/v1/approvals", "/api/v1/approvals/inbox"):
        assert stranger.get(place).json() == {"approvals": [], "cursor": ""}
    for place in ("/approvals", "/approvals/inbox"):
        assert "統計の提出" not in stranger.get(place).text
    assert (section.state(waiting), section.state(given)) == ("asked", "in_force")


def test_E16_nobody_sets_what_is_not_asked(house: House, section: Section) -> None:
    number = section.asked()
    clerk, chief = house.signed_in(section.clerk), house.signed_in(section.chief)
    end = (house.clock.now() + timedelta(hours=1)).isoformat()
    body = {"kind": "export", "system": SYSTEM, "end": end, "reason": "統計"}
    for name in ("state", "approved_by", "settled_by", "uses", "asked_by", "id"):
        assert post(clerk, "/approvals", body | {name: "in_force"}).status_code == 422
        assert post(chief, f"/approvals/{number}/approval", {name: "1"}).status_code == 422
    assert (
        post(
            clerk, "/media/steps", {"medium_id": "M", "step": "media_return", "system": SYSTEM, "holder": "x"}
        ).status_code
        == 422
    )
    assert len(section.decisions.ledger.entries(person=section.clerk.login_id)) == 1
    assert section.state(number) == "asked"


def test_a_medium_goes_out_and_comes_back_by_decisions(house: House, section: Section) -> None:
    section.granted("media")
    before = set(section.decisions.service.unconfirmed(timedelta(0)))
    medium = f"M-{section.clerk.login_id}"
    admin = house.signed_in(section.admin)
    assert send(admin, "/approvals/media", "/approvals/media", medium_id=medium, kind="USB").status_code == 303
    assert "既に登録" in send(admin, "/approvals/media", "/approvals/media", medium_id=medium, kind="USB").text
    clerk = house.signed_in(section.clerk)
    assert send(clerk, "/approvals/media", "/approvals/media", medium_id="M-x").status_code == 403

    def step(name: str, **more: str) -> Any:
        form = {"medium_id": medium, "step": name, "system": SYSTEM, **more}
        return send(clerk, "/approvals/media/steps", "/approvals/media", **form)

    refused = step("media_checkout")
    assert refused.status_code == 422
    assert "承認" in refused.text
    section.approved("media", medium_id=medium)
    assert step("media_checkout", system="moon").status_code == 422
    assert step("media_write").status_code == 422
    assert step("media_checkout").status_code == 303
    assert step("media_write", rows="12").status_code == 303
    assert "持出し中" in clerk.get("/approvals/media").text
    seen = {one["id"]: one for one in house.signed_in(section.stranger).get("/api/v1/media").json()["media"]}
    assert (seen[medium]["state"], seen[medium]["holder"]) == ("out", "")
    seen = {one["id"]: one for one in admin.get("/api/v1/media").json()["media"]}
    assert seen[medium]["holder"] == section.clerk.login_id
    body = {"medium_id": medium, "step": "media_return", "system": SYSTEM}
    assert post(clerk, "/media/steps", body).status_code == 200
    assert post(clerk, "/media/steps", body).status_code == 409
    assert post(clerk, "/media/steps", body | {"medium_id": "M-none"}).status_code == 404
    assert step("media_erase").status_code == 303
    house.clock.advance(timedelta(minutes=4, seconds=50))
    clerk.get("/approvals/media")
    house.clock.advance(timedelta(minutes=1))
    stale = step("media_dispose")
    assert stale.status_code == 422
    assert "/step-up?next=/approvals/media" in stale.text
    assert post(clerk, "/media/steps", body | {"step": "media_dispose"}).status_code == 403
    assert {"media.registered", "media.out", "media.returned", "media.stored"} <= set(section.acts())
    house.clock.advance(timedelta(seconds=1))
    assert set(section.decisions.service.unconfirmed(timedelta(0))) <= before, "what was allowed here is confirmed here"
