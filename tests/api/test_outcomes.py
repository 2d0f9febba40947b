"""What became of outputs: said once, by the system that asked."""

import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from house import House
from section import SYSTEM, Section

from audit.access.decisions import Question

sys.path.insert(0, str(Path(__file__).parents[1] / "doubles"))

from oauth_client import OAuthClient

OTHER = "tax"
PLACE = "/access/v1/outcomes"


def bearer(house: House, source: str = SYSTEM) -> dict[str, str]:
    """The credential of a records service."""
    machines = house.installation.machines
    made = machines.register(source)
    client = OAuthClient(made.client_id, made.client_secret, machines.rules.issuer)
    with httpx.Client(base_url=house.address, timeout=30) as http:
        return {"authorization": f"Bearer {client.token(http, house.clock.now())}"}


@pytest.fixture
def section(house: House) -> Section:
    section = Section(house)
    section.granted("export")
    section.approved(max_rows=120)
    house.signed_in(section.clerk)
    return section


def allowed(section: Section) -> str:
    """The id of a decision that allows an output of 50 records."""
    session = section.house.installation.access.live_session(section.clerk.login_id)
    assert session is not None
    asked = Question(
        person=section.clerk.login_id, system=SYSTEM, activity="export", session=session.id, rows=50,
        subjects=("0004512345",),
    )  # fmt: skip
    decided = section.decisions.service.decide(asked)
    assert decided.reason == "allowed"
    return decided.id


def test_an_output_is_confirmed_once_by_the_system_that_asked(house: House, section: Section) -> None:
    number, own, other = allowed(section), bearer(house), bearer(house, OTHER)
    body = {"decision": number, "outcome": "success", "rows": 48}
    browser = house.browser()
    stranger = browser.post(PLACE, json=body, headers=other)
    assert (stranger.status_code, stranger.headers["content-type"]) == (404, "application/problem+json")
    done = browser.post(PLACE, json=body, headers=own)
    assert (done.status_code, done.content) == (204, b"")
    again = browser.post(PLACE, json=body, headers=own)
    unknown = browser.post(PLACE, json=body | {"decision": "0" * 32}, headers=own)
    assert again.status_code == unknown.status_code == 404
    assert again.json() == unknown.json() == stranger.json(), "nobody learns which decisions there are"
    assert section.acts().count("output.confirmed") >= 1
    (entry,) = section.decisions.ledger.entries(person=section.clerk.login_id)
    assert (entry.uses, entry.rows) == (1, 48)


def test_more_than_was_granted_is_a_security_event(house: House, section: Section) -> None:
    body = {"decision": allowed(section), "outcome": "success", "rows": 5000}
    assert house.browser().post(PLACE, json=body, headers=bearer(house)).status_code == 204
    assert "output.exceeded" in section.acts()


def test_a_failure_needs_no_number(house: House, section: Section) -> None:
    body = {"decision": allowed(section), "outcome": "failure"}
    assert house.browser().post(PLACE, json=body, headers=bearer(house)).status_code == 204


@pytest.mark.parametrize(
    "change",
    [
        {"outcome": "fine"},
        {"rows": -1},
        {"rows": "48"},
        {"rows": True},
        {"decision": ""},
        {"decision": 5},
        {"person": "s1"},
        {"system": OTHER},
    ],
)
def test_E16_only_what_is_asked_for_is_taken(house: House, section: Section, change: dict[str, Any]) -> None:
    number, own = allowed(section), bearer(house)
    body = {"decision": number, "outcome": "success", "rows": 48}
    refused = house.browser().post(PLACE, json=body | change, headers=own)
    assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")
    assert "s1" not in refused.text
    assert house.browser().post(PLACE, json=body, headers=own).status_code == 204


def test_nobody_without_a_machine_credential_is_heard(house: House, section: Section) -> None:
    body = {"decision": allowed(section), "outcome": "success"}
    assert house.browser().post(PLACE, json=body).status_code == 401
    assert house.browser().post(PLACE, json=body, headers={"authorization": "Bearer x"}).status_code == 401
    assert house.signed_in(section.clerk).post(PLACE, json=body).status_code == 401
    own = bearer(house)
    assert (
        house.browser().post(PLACE, content=b"{", headers=own | {"content-type": "application/json"}).status_code == 400
    )
