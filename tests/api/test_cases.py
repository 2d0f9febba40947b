"""The reviewer's queue over HTTP, and what the town's directory says of its length."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

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

    def make(actor: str, score: float, day: int = 0) -> str:
        start = day_start(LONG_AGO) + day * A_DAY
        run = DetectorRun("cases-are-tested", "1.0.0", "", start, start + A_DAY, 0, 1, 0)
        draft = Draft(
            entity=actor,
            severity=Severity.MEDIUM,
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
