"""The reviewer's queue over HTTP, and what the town's directory says of its length."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from house import House

from api.cases import headcount, listed, places
from api.own_findings import OWN_DETECTORS
from audit.access import Role
from audit.clock import day_start
from audit.context import Post
from audit.findings import DetectorRun, Draft, FindingStatus, Severity
from audit.texts import Texts
from detectors.ranking import load_weights
from detectors.ranking.model import logistic, logit
from ingest.gaps import DETECTORS as GAP_DETECTORS

MONDAY = date(2026, 10, 5)
LONG_AGO = date(2019, 10, 7)
"""Before anything that another test of the same house finds."""
A_DAY = timedelta(days=1)
Found = Callable[..., str]


def post(begins: int | None, ends: int | None) -> Post:
    """A post from noon of one day to noon of another, counted from Monday."""
    noon = day_start(MONDAY) + timedelta(hours=12)
    start, end = (None if n is None else noon + n * A_DAY for n in (begins, ends))
    return Post("s1", "", "unit", "", "", "regular", "", "", start, end)


@pytest.mark.parametrize(
    ("posts", "counts"),
    [
        ([], [0, 0, 0, 0]),
        ([(post(None, None),)], [1, 1, 1, 1]),
        ([(post(1, 2),), (post(1, 3),)], [0, 2, 1, 0]),
        ([(post(0, 1), post(2, None))], [1, 0, 1, 1]),
        ([(post(0, 3), post(1, 2), post(2, 2))], [1, 1, 1, 0]),
    ],
    ids=["nobody", "always", "leavers", "away and back", "two posts at once"],
)
def test_people_are_counted_once_a_day(posts: list[tuple[Post, ...]], counts: list[int]) -> None:
    count = headcount(posts)
    assert [count(MONDAY + n * A_DAY) for n in range(4)] == counts


def test_what_is_opened_without_a_detector_has_a_group_too() -> None:
    assert {*GAP_DETECTORS, *OWN_DETECTORS} <= load_weights().groups.keys()


def test_a_queue_is_as_long_as_its_town_is_large() -> None:
    assert [places(staff, 20) for staff in (0, 1, 50, 51, 300, 1000)] == [1, 1, 1, 2, 6, 20]


@pytest.fixture
def found(house: House) -> Iterator[Found]:
    """Makes findings of one person; they are withdrawn after the test."""
    made: list[str] = []

    def make(actor: str, score: float, day: int = 0, severity: Severity = Severity.MEDIUM) -> str:
        start = day_start(LONG_AGO) + day * A_DAY
        run = DetectorRun("cases-are-tested", "1.0.0", "", start, start + A_DAY, 0, 1, 0)
        draft = Draft(
            entity=actor,
            severity=severity,
            score=score,
            actors=(actor,),
            subjects=(),
            source="tax",
            title=Texts("題", "title"),
            reasons=(Texts("理由", "reason"),),
            evidence=("tax:e1",),
            first_index=0,
            last_index=0,
            evidence_total=1,
        )
        number, _ = house.installation.findings.open(run, draft)
        made.append(number)
        return number

    yield make
    for number in made:
        house.installation.findings.settle(number, FindingStatus.WITHDRAWN, Texts("済", "done"))


def mine(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The cases of these tests: others find things in the same house."""
    return [case for case in document["cases"] if any(one.startswith("case-") for one in case["actors"])]


def test_a_case_as_its_contract_says_and_its_alert_names_it(house: House, found: Found) -> None:
    strong, hint = found("case-1", 0.9), found("case-2", 0.05)
    browser = house.signed_in(Role.AUDITOR)
    (case,) = mine(browser.get("/api/v1/cases").json())
    assert case.keys() >= {
        "id", "rank", "risk", "severity", "status", "actors", "subjects", "source", "window", "findings", "title",
        "reasons", "opened_on",
    }  # fmt: skip
    weights = load_weights()
    risk = logistic(weights.offset + weights.slope * logit(0.9))  # the score, calibrated
    assert (case["findings"], case["actors"], case["risk"]) == ([strong], ["case-1"], round(risk, 4))
    assert (case["opened_on"], case["within_budget"]) == ("2019-10-07", True)
    assert 1 <= case["budget"] <= 20  # twenty a thousand, whoever the other tests of this house have taken into office
    assert house.last_act()["operation_name"] == "cases.search"
    assert browser.get(f"/api/v1/alerts/{strong}").json()["case"] == case["id"]
    assert browser.get(f"/api/v1/alerts/{hint}").json()["case"] is None
    listing = browser.get("/api/v1/alerts?detector=cases-are-tested&status=open").json()["findings"]
    assert {one["id"]: one["case"] for one in listing} == {strong: case["id"], hint: None}


def test_cases_are_asked_for_by_span_and_status(house: House, found: Found) -> None:
    number = found("case-3", 0.9, day=1)
    browser = house.signed_in(Role.AUDITOR)

    def asked(words: str) -> list[str]:
        return [
            case["status"] for case in mine(browser.get(f"/api/v1/cases?{words}").json()) if number in case["findings"]
        ]

    assert asked("from=2019-10-08&to=2019-10-09") == ["open"]
    assert asked("to=2019-10-08") == asked("from=2019-10-10") == asked("status=withdrawn") == []
    house.installation.findings.settle(number, FindingStatus.WITHDRAWN, Texts("誤り", "a mistake"))
    assert asked("") == []
    assert asked("status=withdrawn") == ["withdrawn"]
    assert listed([], start=None, end=None) == []


def test_the_cursor_leads_through_every_case_once(house: House, found: Found) -> None:
    for number in range(5):
        found(f"case-{10 + number}", 0.9 - number / 10, day=number % 2)
    browser = house.signed_in(Role.AUDITOR)
    whole = browser.get("/api/v1/cases?limit=1000").json()
    assert whole["cursor"] == ""
    pages, cursor = [], ""
    for _ in range(len(whole["cases"])):
        page = browser.get("/api/v1/cases", params={"limit": 2, "cursor": cursor}).json()
        pages += page["cases"]
        if not (cursor := page["cursor"]):
            break
    assert pages == whole["cases"]
    assert len(mine(whole)) == 5


# What reviewers make of cases


def closed_as(browser: httpx.Client, case: str, kind: str, reason: str = "本人に確認") -> httpx.Response:
    return browser.post(f"/api/v1/cases/{case}/disposition", json={"disposition": kind, "reason": reason})


def told(house: House) -> dict[str, Any]:
    """The last act, once what decisions and cases tell has reached the log."""
    house.installation.acts.drain()
    return house.last_act()


def test_a_case_is_closed_over_http_and_a_new_finding_opens_it_again(house: House, found: Found) -> None:
    found("case-20", 0.9)
    browser = house.signed_in(Role.SECURITY_ADMINISTRATOR)
    (before,) = mine(browser.get("/api/v1/cases").json())
    assert (before["status"], before["disposition"]) == ("open", None)
    answer = closed_as(browser, before["id"], "benign")
    assert (answer.status_code, answer.json()["status"]) == (201, "closed")
    assert told(house)["operation_name"] == "cases.closed"
    (after,) = mine(browser.get("/api/v1/cases?status=closed").json())
    assert after == answer.json()
    rest = after.keys() - {"status", "disposition"}
    assert {name: after[name] for name in rest} == {name: before[name] for name in rest}, (
        "rank, day and risk are as they were"
    )
    again = closed_as(browser, before["id"], "benign")
    assert (again.status_code, again.headers["content-type"]) == (409, "application/problem+json")
    found("case-20", 0.8, day=1)
    (grown,) = mine(browser.get("/api/v1/cases?status=open").json())
    assert (grown["id"], grown["disposition"]["findings"]) == (before["id"], before["findings"])
    assert closed_as(browser, before["id"], "explained").json()["status"] == "closed"
    reopened = browser.post(f"/api/v1/cases/{before['id']}/reopening", json={"reason": "新しい情報"})
    assert (reopened.json()["status"], reopened.json()["disposition"]) == ("open", None)
    history = [one.state for one in house.installation.dispositions.every() if one.case == before["id"]]
    assert sorted(history) == ["reopened", "replaced"]  # both of one moment, by the clock of this house


def test_a_grave_case_takes_two_and_none_of_its_people(house: House, found: Found) -> None:
    one, other = house.user(Role.SECURITY_ADMINISTRATOR), house.user(Role.SECURITY_ADMINISTRATOR)
    accused = house.user(Role.SECURITY_ADMINISTRATOR)
    number = found(accused.login_id, 0.9, severity=Severity.HIGH)
    browsers = {user.login_id: house.signed_in(user) for user in (one, other, accused)}
    listing = browsers[one.login_id].get("/api/v1/cases").json()["cases"]
    (case,) = [case["id"] for case in listing if number in case["findings"]]
    assert closed_as(browsers[accused.login_id], case, "benign").status_code == 409
    assert told(house)["operation_name"] == "cases.closing_refused"
    proposed = closed_as(browsers[one.login_id], case, "policy_breach").json()
    assert (proposed["status"], proposed["disposition"]["state"]) == ("open", "proposed")
    agree = f"/api/v1/cases/{case}/confirmation"
    statuses = [
        browsers[who.login_id].post(agree, json={"disposition": kind}).status_code
        for who, kind in ((one, "policy_breach"), (accused, "policy_breach"), (other, "benign"))
    ]
    assert statuses == [409, 409, 409]
    confirmed = browsers[other.login_id].post(agree, json={"disposition": "policy_breach"}).json()
    assert (confirmed["status"], confirmed["disposition"]["confirmed"]["by"]) == ("closed", other.login_id)
    assert told(house)["operation_name"] == "cases.confirmed"


def test_nobody_closes_a_case_about_the_head_of_a_unit_above_theirs(house: House, found: Found) -> None:
    clerk, head = house.user(Role.SECURITY_ADMINISTRATOR), house.user(Role.STAFF)
    feed = (
        "staff_id,org_unit,post,role\n"
        f"{clerk.login_id},chiefless-hall/desk,,\n"
        f"{head.login_id},chiefless-hall,課長,manager\n"
    )
    house.installation.context.import_feed("staff", feed.encode())
    number = found(head.login_id, 0.9)
    browser = house.signed_in(clerk)
    listing = browser.get("/api/v1/cases").json()["cases"]
    (case,) = [case["id"] for case in listing if number in case["findings"]]
    answer = closed_as(browser, case, "benign")
    assert (answer.status_code, told(house)["unmapped"]["refusal"]) == (409, "superior")


def test_what_is_no_case_or_no_disposition_is_refused(house: House, found: Found) -> None:
    found("case-30", 0.9)
    browser = house.signed_in(Role.SECURITY_ADMINISTRATOR)
    (case,) = mine(browser.get("/api/v1/cases").json())
    assert closed_as(browser, "c-none", "benign").status_code == 404
    assert closed_as(browser, case["id"], "forgiven").status_code == 422
    assert closed_as(browser, case["id"], "benign", reason=" ").status_code == 422
    assert browser.post(f"/api/v1/cases/{case['id']}/reopening", json={"reason": "r"}).status_code == 409
