"""Sealed envelopes over the web: made by two, opened at the door, alerted, and what such a session does."""

import re
from typing import Any

import httpx
import pytest
from house import PASSWORD, House, csrf_of
from section import SYSTEM, Section, send

from api.decisions import BREAK_GLASS_DETECTOR
from audit.access import Role
from audit.access.decisions import Question
from audit.findings import FindingFilter
from audit.store.errors import StoreUnavailableError

WHY = "庁舎の停電により認証器が使えない"
LIST = "/emergencies/envelopes"
_CODE = re.compile(r'<dd class="code">([0-9A-Z-]{24,})</dd>')


@pytest.fixture
def section(house: House) -> Section:
    return Section(house)


def envelope(house: House, section: Section) -> str:
    """The code of a new envelope."""
    asks, confirms = house.signed_in(section.admin), house.signed_in(Role.ADMINISTRATOR)
    assert send(asks, LIST, LIST).status_code == 303
    (number,) = (one.id for one in section.decisions.envelopes.listing() if one.state == "asked")
    place = f"{LIST}/{number}/confirmation"
    assert place not in asks.get(LIST).text
    assert place in confirms.get(LIST).text
    assert send(asks, place, LIST).status_code == 409
    shown = send(confirms, place, LIST)
    assert shown.status_code == 200
    found = _CODE.search(shown.text)
    assert found, shown.text
    assert send(confirms, place, LIST).status_code == 404
    assert found[1] not in confirms.get(LIST).text
    return found[1]


def enter(browser: httpx.Client, section: Section, code: str, **other: Any) -> httpx.Response:
    form = {"login_id": section.clerk.login_id, "password": PASSWORD, "sealed": code, "system": SYSTEM,
            "reason": WHY, "minutes": "30"} | other  # fmt: skip
    return browser.post("/sign-in/emergency", data={"csrf": csrf_of(browser.get("/sign-in/emergency")), **form})


def findings(section: Section) -> list[Any]:
    found = section.house.installation.findings.listing(FindingFilter(detector=BREAK_GLASS_DETECTOR))
    return [one for one in found if section.clerk.login_id in one.actors]


def test_E9_an_envelope_opens_the_door_with_an_alert_once(house: House, section: Section) -> None:
    section.granted("view")
    browser = house.browser()
    assert "/sign-in/emergency" in browser.get("/sign-in").text
    code = envelope(house, section)
    assert enter(browser, section, code).headers["location"] == "/emergencies"
    (finding,) = findings(section)
    assert finding.severity == "critical"
    assert any("新しい封筒" in reason.ja for reason in finding.reasons)
    assert browser.get("/emergencies").status_code == 200
    assert browser.get("/alerts").status_code == 403
    live = house.installation.access.live_session(section.clerk.login_id)
    assert live is not None
    asked = Question(
        person=section.clerk.login_id, system=SYSTEM, activity="view", subjects=("0004512345",), session=live.id
    )
    answer = section.decisions.service.decide(asked)
    assert (answer.reason, answer.notes) == ("allowed", ("break_glass", "lifted_factors"))
    other = Question(person=section.clerk.login_id, system="welfare", activity="view", session=live.id)
    assert section.decisions.service.decide(other).reason == "emergency_elsewhere"
    again = enter(house.browser(), section, code)
    assert again.status_code == 401
    assert "開封済み" in house.signed_in(section.admin).get(LIST).text
    (number,) = (one.declared.id for one in section.decisions.emergencies.unreviewed()
                 if one.declared.person == section.clerk.login_id)  # fmt: skip
    assert send(browser, f"/emergencies/{number}/end", "/emergencies").status_code == 303
    assert house.installation.access.live_session(section.clerk.login_id) is None


def test_E9_the_door_does_not_say_who_is_wrong_and_repeats_no_secret(house: House, section: Section) -> None:
    code = envelope(house, section)
    texts = set()
    for other in ({"password": "wrong words here"}, {"sealed": "2345-6789"}, {"login_id": "nobody"}):
        answer = enter(house.browser(), section, code, **other)
        assert answer.status_code == 401
        assert code not in answer.text
        assert PASSWORD not in answer.text
        texts.add(re.sub(r'(value|content|nonce)="[^"]*"', "", answer.text))
    assert len(texts) == 1
    assert enter(house.browser(), section, code, reason="短い").status_code == 422
    assert enter(house.browser(), section, code, system="tax").status_code == 422
    assert findings(section) == []


def test_E9_without_the_alert_the_door_stays_shut(
    house: House, section: Section, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, browser = envelope(house, section), house.browser()

    def down(*_: object) -> None:
        raise StoreUnavailableError("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(house.installation.findings, "add", down)
        assert enter(browser, section, code).status_code == 503
    assert "mimamori" not in browser.cookies
    assert house.installation.access.live_session(section.clerk.login_id) is None


def test_E9_an_envelope_that_is_lost_is_made_void(house: House, section: Section) -> None:
    code, admin = envelope(house, section), house.signed_in(section.admin)
    number = next(one.id for one in section.decisions.envelopes.listing() if one.state == "sealed")
    assert send(admin, f"{LIST}/{number}/end", LIST).status_code == 303
    assert send(admin, f"{LIST}/{number}/end", LIST).status_code == 404
    assert enter(house.browser(), section, code).status_code == 401
