"""Filters as an attacker or a tired person types them, and the JSON API's words."""

from contextlib import suppress
from datetime import date, datetime
from typing import Any

import httpx
import pytest
from house import SOURCE, House
from hypothesis import given
from hypothesis import strategies as st

from api.web.queries import QueryError, Typed, as_filter, day_bounds, read_day
from audit.access import Role

STRANGE = (
    "abc", "0001-01-01", "9999-12-31", "9999-12-31T23:59:59-23:59", "2026-13-01", "-1", "99", "9" * 5000, "٣", "'",
    "'; DROP TABLE events --", "{x:String}", "%00", "\x00", "\u202e\ud7ff", "x" * 20_000, "住民", "{{7*7}}",
    "<script>alert(1)</script>", "../../etc/passwd", "None", "1e9",
)  # fmt: skip
FREE = {
    "/alerts": (("status", "severity", "detector"), ("about", "page")),
    "/events": (("source", "actor", "subject"), ("cursor",), ("from",)),
    "/board": (("from",), ("to",)),
    "/api/v1/alerts": (("status", "severity", "detector"), ("cursor",)),
    "/api/v1/cases": (("status",), ("cursor",), ("from",)),
    "/api/v1/events": (("source", "actor", "subject"), ("cursor",)),
}


@pytest.mark.parametrize("page", FREE)
def test_nothing_typed_is_a_defect_of_ours(house: House, page: str) -> None:
    browser = house.signed_in(Role.AUDITOR)
    for asked in FREE[page]:
        for text in STRANGE:
            answer = browser.get(page, params=dict.fromkeys(asked, text))
            assert answer.status_code in {200, 422}, (asked, text[:40], answer.status_code)
            assert "Code:" not in answer.text, "the engine's words stay inside"
            if page.startswith("/api/"):
                problem = answer.status_code == 422
                assert answer.headers["content-type"] == "application/problem+json" if problem else "application/json"
            else:
                assert "<script>alert" not in answer.text
    assert browser.get("/events").status_code == 200


@pytest.mark.parametrize("text", STRANGE)
def test_a_closed_field_takes_its_own_words_only(text: str) -> None:
    for name in ("from_", "to", "activity", "outcome", "weekday", "hour"):
        with pytest.raises(QueryError):
            as_filter(Typed(**{name: text}))


def test_bad_filters_are_said_to_be_bad(house: House) -> None:
    browser = house.signed_in(Role.AUDITOR)
    for bad in (
        "from=abc",
        "hour=24",
        "weekday=7",
        "activity=look",
        "outcome=maybe",
        "cursor=garbage",
        "to=0001-01-01",
    ):
        assert browser.get(f"/events?{bad}").status_code == 422, bad
        if not bad.startswith(("hour", "weekday")):
            assert browser.get(f"/api/v1/events?{bad}").status_code == 422, bad
    assert browser.get("/board?from=abc").status_code == 422
    assert browser.get("/alerts?from=abc").status_code == 422
    backwards = browser.get("/board?from=2026-11-20&to=2026-11-01")
    assert backwards.status_code == 200


def _events(browser: httpx.Client, **asked: str | int) -> dict[str, Any]:
    answer = browser.get("/api/v1/events", params={"source": SOURCE, **asked})
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def test_the_cursor_leads_through_everything_once(house: House) -> None:
    browser = house.signed_in(Role.AUDITOR)
    seen, cursor = [], ""
    for _ in range(10):
        page = _events(browser, limit=7, cursor=cursor)
        assert len(page["events"]) <= 7
        seen += [(event["time"], event["event_id"]) for event in page["events"]]
        cursor = page["cursor"]
        if not cursor:
            break
    assert len(seen) == len(set(seen)) == 25
    assert [time for time, _ in seen] == sorted((time for time, _ in seen), reverse=True)


def test_filters_hold_from_inclusive_to_exclusive(house: House) -> None:
    browser = house.signed_in(Role.AUDITOR)
    one_hour = _events(browser, **{"from": "2026-11-19T10:00", "to": "2026-11-19T11:00:00+09:00"})["events"]
    assert {event["time"][:13] for event in one_hour} == {"2026-11-19T10"}
    assert len(one_hour) == 4
    assert len(_events(browser, **{"from": "2026-11-19", "to": "2026-11-20"})["events"]) == 25
    assert _events(browser, **{"from": "2026-11-20"})["events"] == []
    assert {event["actor"]["id"] for event in _events(browser, actor="s0411")["events"]} == {"s0411"}
    assert [event["activity"] for event in _events(browser, activity="update")["events"]] == []
    refused = browser.get("/api/v1/events", params={"limit": 0})
    assert (refused.status_code, refused.json()["detail"]) == (422, "Please check the input: limit")
    assert browser.get("/api/v1/events", params={"limit": 1001}).status_code == 422


def test_an_alert_as_its_contract_says(house: House) -> None:
    browser = house.signed_in(Role.AUDITOR)
    mine = "detector=source-id-conflict"  # other tests find gaps in the same house
    (finding,) = browser.get(f"/api/v1/alerts?{mine}").json()["findings"]
    assert finding == browser.get(f"/api/v1/alerts/{house.alert}").json()
    assert finding["detector"] == "source-id-conflict"
    assert finding["source"] == SOURCE
    assert finding["window"].keys() == {"from", "to"}
    assert finding["event_ids"][0].startswith("mimamori:")
    nothing = {"findings": [], "cursor": ""}
    assert browser.get("/api/v1/alerts?detector=off-hours-access").json() == nothing
    assert browser.get(f"/api/v1/alerts?{mine}&cursor={house.alert}").json() == nothing
    assert browser.get("/api/v1/alerts?to=2026-11-01").json() == nothing
    assert browser.get("/api/v1/alerts?cursor=garbage").status_code == 422


def test_what_was_asked_is_recorded_and_numbers_in_it_are_masked(house: House) -> None:
    browser = house.signed_in(Role.AUDITOR)
    number = "123456789018"  # a valid check digit, nobody's number
    browser.get("/events", params={"subject": number, "hour": "10"})
    recorded = house.last_act()
    assert recorded["operation_name"] == "events.search"
    assert recorded["unmapped"]["hour"] == "10"
    assert number not in str(recorded)


@given(st.text(max_size=40))
def test_days_and_moments_are_read_or_refused(text: str) -> None:
    for typed in (Typed(from_=text), Typed(hour=text), Typed(outcome=text)):
        with suppress(QueryError):
            as_filter(typed)


@given(st.dates())
def test_every_date_has_bounds_or_is_refused(day: date) -> None:
    try:
        found = read_day(day.isoformat(), "to")
    except QueryError:
        assert not 1990 <= day.year < 2200
    else:
        start, end = day_bounds(found, found)
        assert isinstance(start, datetime)
        assert isinstance(end, datetime)
        assert 0 < (end - start).days <= 1
