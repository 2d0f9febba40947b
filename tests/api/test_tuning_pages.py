"""The pages and the JSON of tuning: preview, propose, confirm by somebody else, end."""

from dataclasses import asdict
from datetime import timedelta

import pytest
from house import House, User
from section import post, send

from audit.access import Role
from audit.access.decisions import Actor
from audit.clock import tokyo_date
from audit.tuning import ParameterTerms
from detectors.registry import DETECTORS

VOLUME = "look-up-volume"


@pytest.fixture
def engineers(house: House) -> tuple[User, User]:
    return house.user(Role.DETECTION_ENGINEER), house.user(Role.DETECTION_ENGINEER)


def days(house: House, last: int = 20) -> dict[str, str]:
    today = tokyo_date(house.clock.now())
    return {"first": today.isoformat(), "last": (today + timedelta(days=last)).isoformat()}


def test_an_exception_from_the_form_to_its_end(house: House, engineers: tuple[User, User]) -> None:
    ann, bob = engineers
    first = house.signed_in(ann)
    form = {"detector": VOLUME, "actors": "s0410、s0411", "weekday": ["0", "6"], "hour_from": "22", "hour_to": "5",
            "owner": "s0001", **days(house)}  # fmt: skip
    for wrong, words in (
        ({"actors": "", "weekday": [], "hour_from": "", "hour_to": ""}, "1 つ以上指定"),
        ({"last": "2027-12-31"}, "決められた日数以内"), ({"last": "?"}, "日付として読めません"),
        ({"last": ""}, "決められた日数以内"), ({"hour_to": "24"}, "使えない値"), ({"weekday": ["x"]}, "使えない値"),
        ({"actors": ann.login_id}, "自分が対象"), ({"owner": "s0410"}, "責任者"),
    ):  # fmt: skip
        page = send(first, "/tuning/exceptions", "/tuning/exceptions/new", **form | wrong)
        assert page.status_code == 422, wrong
        assert words in page.text
        assert "s0001" in page.text or "owner" in wrong, "what was typed is not lost"
    place = send(first, "/tuning/exceptions", "/tuning/exceptions/new", **form).headers["location"]
    house.installation.previews._waiting.join()
    page = first.get(place).text
    for words in ("過去のどの検知も隠れませんでした", "s0410", "月曜", "22:00", "0:00", "提案する"):
        assert words in page
    refused = send(first, f"{place}/proposal", place, reason="", ticket="T-1")
    assert (refused.status_code, "理由を" in refused.text, 'value="T-1"' in refused.text) == (422, True, True)
    assert send(first, f"{place}/proposal", place, reason="夜間の当番", ticket="T-1").status_code == 303
    number = house.installation.tuning.changes()[0].id
    house.installation.acts.drain()
    assert house.last_act()["operation_name"] == "tuning.exception_proposed"
    own = first.get(f"/tuning/changes/{number}").text
    assert "別の担当者の確認を待っています" in own
    assert f"/tuning/changes/{number}/confirmation" not in own
    second = house.signed_in(bob)
    page = second.get(f"/tuning/changes/{number}")
    assert f"/tuning/changes/{number}/confirmation" in page.text
    digest = house.installation.tuning.change(number).digest
    here = f"/tuning/changes/{number}"
    assert "試算と違います" in send(second, f"{here}/confirmation", here, digest="0").text
    assert send(second, f"{here}/confirmation", here, digest=digest).status_code == 303
    assert send(second, f"{here}/confirmation", here, digest=digest).status_code == 409
    listed = second.get("/tuning", params={"done": "1"}).text
    for words in ("記録しました", "夜間の当番", "有効な例外が 1 件"):
        assert words in listed
    assert send(house.signed_in(Role.AUDITOR), f"{here}/end", "/tuning").status_code == 403
    assert send(house.signed_in(Role.SECURITY_ADMINISTRATOR), f"{here}/end", here).status_code == 303
    assert "有効な例外はありません" in house.signed_in(Role.AUDITOR).get("/tuning").text


def test_values_from_the_form_to_the_preview(house: House, engineers: tuple[User, User]) -> None:
    first = house.signed_in(engineers[0])
    assert first.get("/tuning/parameters/new", params={"detector": "none"}).status_code == 404
    page = first.get("/tuning/parameters/new", params={"detector": VOLUME})
    for field in asdict(DETECTORS[VOLUME].parameters):
        assert f'name="v-{field}"' in page.text
    place = f"/tuning/parameters/new?detector={VOLUME}"
    form = {"detector": VOLUME, "days": "30", "v-minimum": "40"}
    for wrong in ({"v-minimum": "x"}, {"v-minimum": "15"}, {"days": "366"}, {"days": "?"}, {"detector": "none"}):
        assert send(first, "/tuning/parameters", place, **form | wrong).status_code == 422, wrong
    preview = send(first, "/tuning/parameters", place, **form).headers["location"]
    house.installation.previews._waiting.join()
    page = first.get(preview)
    assert "0 件が増え、0 件が消えます" in page.text
    assert "15 → 40" in page.text
    assert "提案する" not in house.signed_in(Role.AUDITOR).get(preview).text


def test_a_running_preview_renews_itself(house: House, engineers: tuple[User, User]) -> None:
    user = engineers[0]
    installation = house.installation
    running = installation.previews.begin(ParameterTerms(VOLUME, {"minimum": 50}), by=Actor(staff_id=user.login_id))
    waits = house.signed_in(engineers[1]).get(f"/tuning/previews/{running.id}").text
    assert "待っています" in waits
    assert 'http-equiv="refresh"' in waits
    installation.tuning.advance(running.id, 3, 90)
    browser = house.signed_in(user)
    page = browser.get(f"/tuning/previews/{running.id}").text
    assert 'http-equiv="refresh"' in page
    assert "3 / 90" in page
    house.clock.advance(timedelta(minutes=2))
    page = browser.get(f"/tuning/previews/{running.id}").text
    assert 'http-equiv="refresh"' not in page, "a seat that was left is locked all the same"
    assert "進み具合を見る" in page
    installation.tuning.fail(running.id)
    assert "試算が止まりました" in browser.get(f"/tuning/previews/{running.id}").text
    assert browser.get("/tuning/previews/none").status_code == 404


def test_the_same_as_json(house: House, engineers: tuple[User, User]) -> None:
    ann, bob = engineers
    first, second = house.signed_in(ann), house.signed_in(bob)
    body = {"detector": "*", "scope": {"sources": ["koseki"]}, "owner": "s0001", **days(house)}
    assert post(first, "/tuning/exceptions", body | {"scope": {}}).status_code == 422
    assert post(first, "/tuning/exceptions", body | {"scope": {"actors": [ann.login_id]}}).status_code == 409
    made = post(first, "/tuning/exceptions", body)
    assert made.status_code == 202, made.text
    house.installation.previews._waiting.join()
    preview = first.get(f"/api/v1/tuning/previews/{made.json()['id']}").json()
    assert (preview["state"], preview["preview"]["counts"]["hidden"]["total"]) == ("done", 0)
    why = {"reason": "試験", "ticket": "T-2"}
    assert post(second, f"/tuning/previews/{preview['id']}/proposal", why).status_code == 422
    change = post(first, f"/tuning/previews/{preview['id']}/proposal", why)
    assert (change.status_code, change.json()["state"]) == (201, "proposed")
    number, digest = change.json()["id"], {"digest": preview["digest"]}
    assert post(first, f"/tuning/changes/{number}/confirmation", digest).status_code == 409
    assert post(second, f"/tuning/changes/{number}/confirmation", digest).json()["state"] == "in_force"
    assert second.get("/api/v1/tuning?limit=1").json()["changes"][0]["id"] == number
    assert post(second, f"/tuning/changes/{number}/end", {}).json()["state"] == "ended"
    assert post(second, f"/tuning/changes/{number}/end", {}).status_code == 409
    assert post(second, "/tuning/changes/none/end", {}).status_code == 404
    values = post(first, "/tuning/parameters", {"detector": VOLUME, "values": {"minimum": 33}, "days": 10})
    assert (values.status_code, values.json()["terms"]["values"]) == (202, {"minimum": 33})
    house.installation.previews._waiting.join()


def test_tuning_needs_a_fresh_second_factor_and_ending_does_not(house: House, engineers: tuple[User, User]) -> None:
    browser = house.signed_in(engineers[0])
    house.clock.advance(timedelta(minutes=4))
    assert browser.get("/tuning").status_code == 200
    house.clock.advance(timedelta(minutes=2))
    assert "/step-up" in browser.get("/tuning/exceptions/new").text + str(browser.get("/tuning/exceptions/new").headers)
    assert send(browser, "/tuning/changes/none/end", "/tuning").status_code == 404
