"""Enrolment of many over the web: who is left, the sheets, and what becomes of them."""

import re
from datetime import timedelta

import httpx
import pyotp
import pytest
from house import PASSWORD, House, csrf_of

from audit.access import LinkRefusedError, Role
from audit.clock import TOKYO
from audit.log import OWN_SOURCE, Filter

HERE = "127.0.0.1"
HEADER = "staff_id,name,kana,org_unit,post,role,employment,manager_id,valid_from,valid_to,subject_id\n"
_LINK = re.compile(r"http://[^\s<]+(/enrol/[\w-]+)")


@pytest.fixture
def unit(house: House) -> str:
    """A unit of three who are not enrolled, one who is, one who has left and one without a name."""
    known = house.user(Role.STAFF).login_id
    unit = f"new-{known}"
    rows = [f"{unit}-{n},新任 {n},,{unit}/kakari,主事,,regular,,2020-04-01,,\n" for n in range(3)]
    rows.append(f"{known},既任,,{unit},主事,,regular,,2020-04-01,,\n")
    rows.append(f"{unit}-9,離任,,{unit},主事,,regular,,2020-04-01,2026-03-31,\n")
    rows.append(f"{unit}-8,,,{unit},主事,,regular,,2020-04-01,,\n")
    house.installation.context.import_feed("staff", (HEADER + "".join(rows)).encode())
    return unit


def make(browser: httpx.Client, unit: str, *people: str) -> httpx.Response:
    form = {"csrf": csrf_of(browser.get("/users/enrolments")), "unit": unit, "people": list(people)}
    return browser.post("/users/enrolments", data=form)


def test_sheets_are_made_for_who_was_chosen_and_lead_to_accounts_of_staff(house: House, unit: str) -> None:
    browser = house.signed_in(Role.SECURITY_ADMINISTRATOR)
    page = browser.get("/users/enrolments", params={"unit": unit}).text
    assert "5 人中 1 人が登録済みです。" in page
    assert "離任" not in page
    assert page.count("未配布") == 4
    sheets = make(browser, unit, f"{unit}-0", f"{unit}-1")
    assert sheets.status_code == 200
    assert sheets.text.count('<section class="sheet"') == 2
    assert sheets.text.count("<svg") >= 2
    paths = _LINK.findall(sheets.text)
    assert len(set(paths)) == 2
    until = (house.clock.now() + timedelta(days=7)).astimezone(TOKYO)
    assert f"{until.month}月{until.day}日" in sheets.text
    page = browser.get("/users/enrolments", params={"unit": unit}).text
    assert (page.count("用紙を配布済み"), page.count("未配布")) == (2, 2)
    access, token = house.installation.access, paths[0].removeprefix("/enrol/")
    house.clock.advance(timedelta(days=6))
    shown = access.open_enrolment(token, address=HERE)
    assert (shown.login_id, shown.display_name, shown.roles) == (f"{unit}-0", "新任 0", {Role.STAFF})
    house.clock.advance(timedelta(days=1))
    with pytest.raises(LinkRefusedError):
        access.open_enrolment(token, address=HERE)
    browser = house.signed_in(Role.SECURITY_ADMINISTRATOR)
    assert browser.get("/users/enrolments", params={"unit": unit}).text.count("用紙の期限切れ") == 2
    again = _LINK.findall(make(browser, unit, f"{unit}-0").text)
    token = again[0].removeprefix("/enrol/")
    code = pyotp.TOTP(access.open_enrolment(token, address=HERE).secret).at(house.clock.now())
    made = access.complete_enrolment(
        token, login_id=f"{unit}-0", display_name="", password=PASSWORD, code=code, address=HERE
    )
    assert made.account.roles == {Role.STAFF}
    assert "5 人中 2 人が登録済みです。" in browser.get("/users/enrolments", params={"unit": unit}).text


def test_no_sheet_is_made_where_one_cannot_be(house: House, unit: str) -> None:
    browser = house.signed_in(Role.SECURITY_ADMINISTRATOR)
    known = unit.removeprefix("new-")
    for people, words in (
        ((), "1人から100人"),
        ((f"{unit}-0", f"{unit}-9"), f"{unit}-9: 在職の職員ではない"),
        ((f"{unit}-0", f"{unit}-8"), "名前のない人"),
        ((f"{unit}-0", known), f"{known}: 登録済みの利用者です"),
        ((f"{unit}-0", "nobody"), "nobody"),
    ):
        answer = make(browser, unit, *people)
        assert answer.status_code == 422, people
        assert words in answer.text, people
        assert not _LINK.findall(answer.text)
    assert browser.get("/users/enrolments", params={"unit": unit}).text.count("未配布") == 4


def test_no_link_is_in_the_log_and_each_has_its_event(house: House, unit: str) -> None:
    browser = house.signed_in(Role.SECURITY_ADMINISTRATOR)
    paths = _LINK.findall(make(browser, unit, *(f"{unit}-{n}" for n in range(3))).text)
    house.installation.acts.drain()
    page = house.installation.log.search(Filter(sources=(OWN_SOURCE,)), limit=50)
    docs = [event.to_contract() for event in page.events]
    made = [doc for doc in docs if doc["operation_name"] == "link.created" and doc["unmapped"].get("sheet") == "yes"]
    assert {doc["target"]["id"] for doc in made} >= {f"{unit}-{n}" for n in range(3)}
    for path in paths:
        assert path.removeprefix("/enrol/") not in repr(docs)


def test_the_address_on_a_sheet_is_never_the_host_header_s(house: House, unit: str) -> None:
    browser = house.signed_in(Role.SECURITY_ADMINISTRATOR)
    form = {"csrf": csrf_of(browser.get("/users/enrolments")), "people": f"{unit}-0"}
    answer = browser.post("/users/enrolments", data=form, headers={"host": "evil.example"})
    assert "evil.example" not in answer.text
