"""Rights over the web: who sees what, who may do what, and that everything of it is in the log."""

import json
import re
from datetime import timedelta
from typing import Any

import httpx
import pytest
from house import House, User, csrf_of

from audit.access import Role
from audit.access.rights import FUNCTIONS, Doer, Kind, Wish
from audit.clock import tokyo_date
from audit.log import OWN_SOURCE, Filter

NHI = "nhi-eligibility"
HEADER = "staff_id,name,kana,org_unit,post,role,employment,manager_id,valid_from,valid_to,subject_id\n"
_FORM = re.compile(r'action="/rights/applications/(\w+)/approval"')


class Hall:
    """A section with its chief, the systems section, and browsers for their people."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.clerk, self.chief, self.systems_head, self.peer = (house.user(Role.STAFF) for _ in range(4))
        self.unit = f"u-{self.clerk.login_id}"
        systems = house.installation.rights.rules.chains[-1].steps[1].head_of
        # The systems section of this test's own people: the ones before have left.
        now = house.clock.now()
        for post in house.installation.context.staff_in(systems, now):
            self.feed(post.staff_id, systems, "係長", until=now.isoformat())
        self.feed(self.clerk.login_id, self.unit, "主事", name="見本 資格")
        self.feed(self.peer.login_id, "elsewhere", "主事")
        self.feed(self.chief.login_id, self.unit, "係長", name="見本 係長")
        self.feed(self.systems_head.login_id, systems, "係長", name="見本 情報")

    def feed(self, who: str, unit: str, post: str, *, name: str = "", until: str = "") -> None:
        row = f"{who},{name},,{unit},{post},,regular,,2020-04-01,{until},\n"
        self.house.installation.context.import_feed("staff", (HEADER + row).encode())

    @property
    def rights(self) -> Any:
        return self.house.installation.rights

    def asked(self, *functions: str, person: User | None = None) -> str:
        who = (person or self.clerk).login_id
        wish = Wish(
            person=who,
            system=NHI,
            functions=functions or ("view",),
            unit=self.unit,
            start=self.house.clock.now(),
            end=None,
            reason="資格審査",
        )
        return str(self.rights.apply(wish, Doer(id=who)).id)

    def granted(self, *functions: str) -> list[str]:
        number = self.asked(*functions)
        for by in (self.chief, self.systems_head):
            self.rights.approve(number, Doer(id=by.login_id))
        return [one.right.id for one in self.rights.held_by(self.clerk.login_id)]

    def held(self) -> list[str]:
        found = self.rights.held(self.clerk.login_id, NHI, self.house.clock.now())
        return sorted(right.function for right in found)

    def acts(self) -> list[str]:
        self.house.installation.acts.drain()
        page = self.house.installation.log.search(Filter(sources=(OWN_SOURCE,)), limit=200)
        return [event.to_contract().get("operation_name", "") for event in page.events]


@pytest.fixture
def hall(house: House) -> Hall:
    return Hall(house)


def send(browser: httpx.Client, place: str, page: str = "/rights", **form: Any) -> httpx.Response:
    return browser.post(place, data={"csrf": csrf_of(browser.get(page)), **form})


def test_a_right_goes_through_the_pages_from_the_wish_to_the_ledger(house: House, hall: Hall) -> None:
    today = tokyo_date(house.clock.now()).isoformat()
    clerk = house.signed_in(hall.clerk)
    page = clerk.get("/rights/apply")
    assert page.status_code == 200
    form = {
        "person": hall.clerk.login_id,
        "system": NHI,
        "functions": ["view", "print"],
        "from": today,
        "reason": "審査",
    }
    assert send(clerk, "/rights/applications", **form).status_code == 303
    assert hall.held() == []
    for approver in (hall.chief, hall.systems_head):
        browser = house.signed_in(approver)
        shown = browser.get("/rights/inbox")
        assert "見本 資格" in shown.text
        (number,) = _FORM.findall(shown.text)
        assert send(browser, f"/rights/applications/{number}/approval").status_code == 303
    assert hall.held() == ["print", "view"]
    mine = clerk.get("/rights").text
    assert "見本 係長" in mine
    auditor = house.signed_in(Role.AUDITOR)
    ledger = auditor.get("/rights/ledger", params={"system": NHI}).text
    assert "見本 資格" in ledger
    assert "審査" in ledger
    assert {"rights.applied_for", "rights.approved", "rights.granted", "rights.ledger_view"} <= set(hall.acts())


def test_the_form_comes_back_as_it_was_filled_in(house: House, hall: Hall) -> None:
    clerk = house.signed_in(hall.clerk)
    for form, words in (
        ({"person": hall.clerk.login_id, "system": "moon", "functions": "view", "reason": "審査"}, "システム"),
        ({"person": hall.clerk.login_id, "system": NHI, "reason": "残る言葉"}, "機能"),
        (
            {"person": hall.clerk.login_id, "system": NHI, "functions": "view", "from": "昨日", "reason": "残る言葉"},
            "日付",
        ),
        ({"person": hall.peer.login_id, "system": NHI, "functions": "view", "reason": "残る言葉"}, "本人"),
    ):
        answer = send(clerk, "/rights/applications", **form)
        assert answer.status_code == 422
        assert words in answer.text
        assert form["reason"] in answer.text


def test_an_approval_needs_a_fresh_second_factor_and_a_refusal_does_not(house: House, hall: Hall) -> None:
    first, second = hall.asked(), hall.asked("print")
    chief = house.signed_in(hall.chief)
    page = chief.get("/rights/inbox")
    house.clock.advance(timedelta(minutes=4, seconds=50))
    chief.get("/rights/inbox")
    house.clock.advance(timedelta(minutes=1))
    assert set(_FORM.findall(page.text)) == {first, second}
    old = chief.get("/rights/inbox")
    assert _FORM.findall(old.text) == []
    assert "/step-up?next=" in old.text
    assert send(chief, f"/rights/applications/{first}/approval").status_code in {303, 401, 403}
    assert not hall.rights.application(first, Doer(id=hall.clerk.login_id)).approvals
    assert send(chief, f"/rights/applications/{second}/refusal", reason="不要").status_code == 303
    assert "不要" in house.signed_in(hall.clerk).get("/rights").text


def test_a_right_is_ended_from_the_page(house: House, hall: Hall) -> None:
    first, second = hall.granted("view", "print")
    clerk = house.signed_in(hall.clerk)
    assert send(clerk, f"/rights/held/{first}/revocation", reason="").status_code == 422
    assert send(clerk, f"/rights/held/{first}/revocation", reason="不要").status_code == 303
    admin = house.signed_in(Role.SECURITY_ADMINISTRATOR)
    ended = send(admin, f"/rights/held/{second}/revocation", page="/rights/ledger", reason="点検", system=NHI)
    assert ended.headers["location"].startswith("/rights/ledger?system=")
    assert hall.held() == []


def test_a_change_begins_with_the_right_that_is_held(house: House, hall: Hall) -> None:
    (right,) = hall.granted("view")
    clerk = house.signed_in(hall.clerk)
    assert f'value="{right}"' in clerk.get("/rights/apply", params={"right": right}).text
    today = tokyo_date(house.clock.now()).isoformat()
    form = {"person": hall.clerk.login_id, "system": NHI, "functions": "update", "from": today, "reason": "担当替え"}
    assert send(clerk, "/rights/applications", **form, right=right, kind="change").status_code == 303
    (due,) = hall.rights.inbox(Doer(id=hall.chief.login_id))
    assert (due.application.wish.kind, due.application.wish.replaces) == (Kind.CHANGE, (right,))
    withdrawn = send(clerk, f"/rights/applications/{due.application.id}/withdrawal")
    assert withdrawn.status_code == 303
    assert hall.rights.inbox(Doer(id=hall.chief.login_id)) == []


def test_deputies_are_named_and_ended(house: House, hall: Hall) -> None:
    chief = house.signed_in(hall.chief)
    today = tokyo_date(house.clock.now()).isoformat()
    for deputy, status in ((hall.chief.login_id, 422), ("nobody", 422), (hall.peer.login_id, 303)):
        form = {"deputy": deputy, "from": today, "to": today}
        assert send(chief, "/rights/deputies", **form).status_code == status
    (named,) = hall.rights.delegations_of(Doer(id=hall.chief.login_id))
    peer = house.signed_in(hall.peer)
    assert "見本 係長" in peer.get("/rights/deputies").text
    assert send(peer, f"/rights/deputies/{named.id}/end").status_code == 404
    assert send(chief, f"/rights/deputies/{named.id}/end").status_code == 303
    assert hall.rights.delegations_of(Doer(id=hall.chief.login_id)) == []


def test_the_systems_own_list_is_compared_on_the_page(house: House, hall: Hall) -> None:
    hall.granted("view")
    admin = house.signed_in(Role.SECURITY_ADMINISTRATOR)
    csrf = csrf_of(admin.get("/rights/ledger"))

    def compare(data: bytes, system: str = NHI) -> httpx.Response:
        return admin.post(
            "/rights/reconciliations", data={"csrf": csrf, "system": system}, files={"list": ("list.csv", data)}
        )

    assert compare(b"name\nx\n").status_code == 422
    assert compare(b"", "moon").status_code == 404
    assert compare(b"person,function\nstranger,export\n").status_code == 303
    page = admin.get("/rights/ledger", params={"system": NHI}).text
    assert "stranger" in page
    assert "承認のない設定" in page
    assert "rights.unapproved_found" in hall.acts()


# JSON


def post(browser: httpx.Client, place: str, body: object, **headers: str) -> httpx.Response:
    return browser.post(
        f"/api/v1/rights{place}", content=json.dumps(body), headers={"content-type": "application/json", **headers}
    )


def test_the_same_acts_as_json(house: House, hall: Hall) -> None:
    clerk, chief = house.signed_in(hall.clerk), house.signed_in(hall.chief)
    wish = {"person": hall.clerk.login_id, "system": NHI, "functions": ["view"], "reason": "審査"}
    made = post(clerk, "/applications", wish)
    assert made.status_code == 201, made.text
    number = made.json()["id"]
    assert (made.json()["status"], made.json()["unit"]) == ("waiting", hall.unit)
    assert clerk.get(f"/api/v1/rights/applications/{number}").json() == made.json()
    assert [one["id"] for one in chief.get("/api/v1/rights/inbox").json()["applications"]] == [number]
    assert post(chief, f"/applications/{number}/approval", {}).json()["approvals"][0]["by"] == hall.chief.login_id
    again = post(chief, f"/applications/{number}/approval", {})
    assert (again.status_code, again.headers["content-type"]) == (409, "application/problem+json")
    systems = house.signed_in(hall.systems_head)
    assert post(systems, f"/applications/{number}/approval", {}).json()["status"] == "approved"
    (right,) = clerk.get("/api/v1/rights/held").json()["rights"]
    assert (right["function"], right["holds"]) == ("view", True)
    assert right["approved_by"] == [hall.chief.login_id, hall.systems_head.login_id]
    assert post(clerk, f"/held/{right['id']}/revocation", {"reason": "不要"}).status_code == 204
    assert clerk.get("/api/v1/rights/held").json()["rights"] == []
    end = (house.clock.now() + timedelta(days=1)).isoformat()
    named = post(chief, "/delegations", {"deputy": hall.peer.login_id, "end": end}).json()
    assert [one["id"] for one in chief.get("/api/v1/rights/delegations").json()["delegations"]] == [named["id"]]
    assert post(chief, f"/delegations/{named['id']}/end", {}).status_code == 204
    other = post(clerk, "/applications", wish).json()["id"]
    assert post(chief, f"/applications/{other}/refusal", {"reason": "不要"}).json()["closing_reason"] == "不要"
    last = post(clerk, "/applications", wish).json()["id"]
    assert post(clerk, f"/applications/{last}/withdrawal", {}).status_code == 204


def test_several_are_asked_for_together_and_approved_as_they_were_ticked(house: House, hall: Hall) -> None:
    hall.feed(hall.peer.login_id, hall.unit, "主事", name="見本 異動")
    third = house.user(Role.STAFF)
    hall.feed(third.login_id, hall.unit, "主事", name="見本 新任")
    head = house.user(Role.STAFF)
    hall.feed(head.login_id, "head-office", "課長")
    row = f"{hall.chief.login_id},見本 係長,,{hall.unit},係長,,regular,{head.login_id},2020-04-01,,\n"
    hall.house.installation.context.import_feed("staff", (HEADER + row).encode())
    for user in (hall.clerk, hall.peer, third):
        row = f"{user.login_id},見本,,{hall.unit},主事,,regular,{head.login_id},2020-04-01,,\n"
        hall.house.installation.context.import_feed("staff", (HEADER + row).encode())
    lead = house.signed_in(head)
    persons = [user.login_id for user in (hall.clerk, hall.peer, third)]
    form = {"system": NHI, "functions": "view", "from": tokyo_date(house.clock.now()).isoformat(), "reason": "異動"}
    csrf = csrf_of(lead.get("/rights/apply"))
    wrong = lead.post("/rights/applications", data={**form, "csrf": csrf, "person": "、".join([*persons, "nobody"])})
    assert (wrong.status_code, "同じ所属にいる人だけ" in wrong.text) == (422, True)
    done = lead.post("/rights/applications", data={**form, "csrf": csrf, "person": "、".join(persons)})
    assert done.status_code == 303, done.text
    chief = house.signed_in(hall.chief)
    shown = chief.get("/rights/inbox").text
    assert shown.count("ほか 2 人分とまとめた申請です") == 3
    numbers = re.findall(r'name="items" value="(\w+)"', shown)
    assert len(numbers) == 3
    ticked = {"csrf": csrf_of(chief.get("/rights/inbox")), "items": numbers[:2]}
    assert chief.post("/rights/approvals", data=ticked).status_code == 303
    assert chief.post("/rights/approvals", data=ticked).status_code == 409
    gone = "f" * 32
    told = chief.post("/rights/approvals", data={**ticked, "items": [gone, numbers[0]]})
    assert (told.status_code, f"{gone}: 見つかりません。" in told.text) == (409, True)
    assert len(chief.get("/api/v1/rights/inbox").json()["applications"]) == 1
    systems = house.signed_in(hall.systems_head)
    answer = post(systems, "/approvals", {"applications": [*numbers[:2], "nothing"]}).json()
    assert [one["status"] for one in answer["approved"]] == ["approved"] * 2
    assert [(one["id"], one["reason"]) for one in answer["refused"]] == [("nothing", "unknown")]
    holding = [p for p in persons if hall.rights.held(p, NHI, house.clock.now())]
    assert len(holding) == 2
    body = {"persons": persons[:2], "system": NHI, "functions": ["print"], "reason": "異動"}
    made = post(lead, "/batches", body)
    assert made.status_code == 201, made.text
    assert {one["batch"] for one in made.json()["applications"]} == {made.json()["batch"]}
    assert post(lead, "/batches", body | {"persons": persons[:1]}).status_code == 422
    assert post(lead, "/batches", body | {"person": persons[0]}).status_code == 422


def test_lists_go_on_from_a_cursor(house: House, hall: Hall) -> None:
    asked = [hall.asked(function) for function in FUNCTIONS[:5]]
    clerk = house.signed_in(hall.clerk)
    found, cursor = [], ""
    while True:
        page = clerk.get("/api/v1/rights/applications", params={"limit": 2, "cursor": cursor}).json()
        found += [one["id"] for one in page["applications"]]
        cursor = page["cursor"]
        if not cursor:
            break
    assert sorted(found) == sorted(asked)
    assert clerk.get("/api/v1/rights/applications", params={"cursor": "x"}).status_code == 422


def test_E15_what_concerns_others_is_not_there(house: House, hall: Hall) -> None:
    number = hall.asked()
    (right,) = hall.granted("print")
    named = hall.rights.delegate(
        hall.peer.login_id,
        house.clock.now(),
        house.clock.now() + timedelta(days=1),
        Doer(id=hall.systems_head.login_id),
    )
    peer = house.signed_in(house.user(Role.MANAGER))
    reason = {"reason": "x"}
    for name in (number, "none", "%00", "../x"):
        assert peer.get(f"/api/v1/rights/applications/{name}").status_code == 404
        for act, body in (("approval", {}), ("refusal", reason), ("withdrawal", {})):
            assert post(peer, f"/applications/{name}/{act}", body).status_code == 404
            assert send(peer, f"/rights/applications/{name}/{act}", **body).status_code == 404
    for name in (right, "none"):
        assert post(peer, f"/held/{name}/revocation", reason).status_code == 404
        assert send(peer, f"/rights/held/{name}/revocation", **reason).status_code == 404
        assert peer.get("/rights/apply", params={"right": name}).status_code == 404
    assert post(peer, f"/delegations/{named.id}/end", {}).status_code == 404
    for place in (
        "/rights/ledger",
        f"/api/v1/rights/entitlements?system={NHI}",
        f"/api/v1/rights/reconciliations/{NHI}",
    ):
        assert peer.get(place).status_code == 403
    assert hall.held() == ["print"]
    assert hall.rights.inbox(Doer(id=hall.chief.login_id))


def test_E16_nobody_sets_what_is_not_asked(house: House, hall: Hall) -> None:
    clerk, chief = house.signed_in(hall.clerk), house.signed_in(hall.chief)
    wish = {"person": hall.clerk.login_id, "system": NHI, "functions": ["view"], "reason": "審査"}
    for field in ("status", "approved_by", "unit", "applicant", "chain", "tenant"):
        answer = post(clerk, "/applications", wish | {field: "approved"})
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    number = hall.asked()
    assert post(chief, f"/applications/{number}/approval", {"step": 2}).status_code == 422
    assert post(chief, f"/applications/{number}/approval", []).status_code == 422
    assert not hall.rights.application(number, Doer(id=hall.clerk.login_id)).approvals


def test_json_is_taken_from_this_site_alone(house: House, hall: Hall) -> None:
    number = hall.asked()
    chief = house.signed_in(hall.chief)
    place = f"/applications/{number}/approval"
    assert post(chief, place, {}, origin="https://elsewhere.example").status_code == 403
    assert post(chief, place, {}, **{"sec-fetch-site": "cross-site"}).status_code == 403
    assert post(chief, place, {}, **{"content-type": "text/plain"}).status_code == 403
    assert post(house.browser(), place, {}).status_code == 401
    assert not hall.rights.application(number, Doer(id=hall.clerk.login_id)).approvals


@pytest.mark.parametrize("role", Role)
def test_each_role_may_send_the_json_it_may(house: House, role: Role) -> None:
    browser = house.signed_in(role)
    for place in ("/applications", "/applications/none/approval", "/held/none/revocation", "/delegations"):
        assert post(browser, place, {"unknown": 1}).status_code == 422


def test_an_end_that_nobody_brought_about_is_swept_into_the_log(house: House, hall: Hall) -> None:
    hall.granted("view")
    hall.feed(hall.clerk.login_id, hall.unit, "主事", until=house.clock.now().isoformat())
    assert hall.held() == []
    assert house.installation.rights.sweep(house.clock.now()).ended == 1
    assert "rights.left_office" in hall.acts()
