"""Every JSON list goes on from a cursor, and what is read part by part is the whole."""

from typing import Any

import httpx
import pytest
from house import House
from section import Section, post

from api.app import create_app
from audit.access import Role

_NO_LISTS = {"/api/v1/announcements"}
"""For systems, which ask it what they said themselves."""
_CATALOGUES = {"/api/v1/detectors", "/api/v1/detector-states"}
"""As long as the list of detectors there are, whatever the town does."""
_SINGLE = ("{number}", "{receipt}")


def lists(house: House) -> dict[str, set[str]]:
    """The parameters of every route for people that answers with a list."""
    found = create_app(house.installation, schedule=False).openapi()["paths"]
    return {
        path: {parameter["name"] for parameter in one["get"].get("parameters", ())}
        for path, one in found.items()
        if path.startswith("/api/v1/")
        and "get" in one
        and not path.endswith(_SINGLE)
        and path not in _NO_LISTS | _CATALOGUES
    }


def test_every_list_under_the_api_takes_a_cursor(house: House) -> None:
    found = lists(house)
    assert len(found) > 10
    assert {path: names for path, names in found.items() if not {"cursor", "limit"} <= names} == {}


def in_parts(browser: httpx.Client, place: str, name: str, cursor: str = "cursor") -> list[Any]:
    """A list, two rows at a time."""
    found: list[Any] = []
    following = ""
    while True:
        page = browser.get(f"/api/v1{place}", params={"limit": 2, cursor: following}).json()
        assert len(page[name]) <= 2
        found += page[name]
        following = page[cursor]
        if not following:
            return found


@pytest.mark.parametrize(
    ("place", "who"),
    [("/approvals", "clerk"), ("/approvals/inbox", "chief"), ("/approvals/ledger", "auditor")],
)
def test_approvals_are_read_part_by_part_however_many_there_are(house: House, place: str, who: str) -> None:
    section = Section(house)
    made = [section.asked() for _ in range(5)]  # all at one moment: the place is the id's, not the time's alone
    reader = house.signed_in(Role.AUDITOR if who == "auditor" else getattr(section, who))
    whole = [one["id"] for one in reader.get(f"/api/v1{place}", params={"limit": 2000}).json()["approvals"]]
    assert [one["id"] for one in in_parts(reader, place, "approvals")] == whole
    assert set(made) <= set(whole)
    assert len(whole) == len(set(whole))
    assert reader.get(f"/api/v1{place}", params={"cursor": "nowhere"}).status_code == 422


def test_media_rights_and_deputies_are_read_part_by_part(house: House) -> None:
    section = Section(house)
    section.granted("export", "print", "view")
    admin, clerk, chief = (house.signed_in(who) for who in (section.admin, section.clerk, section.chief))
    for number in range(3):
        assert post(admin, "/media", {"medium_id": f"L-{section.unit}-{number}", "kind": "usb"}).status_code == 201
    listed = [one["id"] for one in in_parts(admin, "/media", "media")]
    assert {f"L-{section.unit}-{number}" for number in range(3)} <= set(listed)
    assert len(listed) == len(set(listed))
    assert {one["function"] for one in in_parts(clerk, "/rights/held", "rights")} == {"export", "print", "view"}
    assert in_parts(chief, "/rights/delegations", "delegations") == []
    for place in ("/media", "/rights/held", "/rights/delegations", "/emergencies"):
        assert clerk.get(f"/api/v1{place}", params={"cursor": "nowhere"}).status_code == 422


def test_emergencies_and_their_reviews_are_two_lists_each_with_its_own_place(house: House) -> None:
    section = Section(house)
    for _ in range(3):
        clerk = house.signed_in(section.clerk)
        made = post(
            clerk, "/emergencies", {"system": "ltci-core", "reason": "停電のため窓口の端末が使えません", "minutes": 10}
        )
        assert made.status_code == 201, made.text
        assert post(clerk, f"/emergencies/{made.json()['id']}/end", {}).status_code == 204
    mine = in_parts(house.signed_in(section.clerk), "/emergencies", "emergencies")
    assert len({one["id"] for one in mine}) == 3
    admin = house.signed_in(section.admin)
    waiting = in_parts(admin, "/emergencies/reviews", "emergencies")
    assert {one["id"] for one in mine} <= {one["id"] for one in waiting}
    for one in mine:
        answer = post(admin, f"/emergencies/{one['id']}/review", {"verdict": "justified", "note": "確認"})
        assert answer.status_code == 204, answer.text
    house.installation.acts.drain()
    reviewed = in_parts(admin, "/emergencies/reviews", "reviewed", "reviewed_cursor")
    assert len(reviewed) >= 3
