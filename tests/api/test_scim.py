"""SCIM 2.0 over HTTP, by a real server: the personnel system, peers that are not ours, and those who try their luck."""

import itertools
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import httpx
import httpx2
import pytest
from house import House
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_models import (
    URN,
    AnyExtension,
    CaseExact,
    ComplexAttribute,
    Group,
    Mutability,
    PatchOp,
    Required,
    Resource,
    ResourceType,
    ScimPolicy,
    ScimProvider,
    SearchRequest,
    Uniqueness,
)
from scim2_tester import Status, check_server

from api.web.scim_model import MAX_RESULTS, Enterprise
from api.web.scim_protocol import MAX_BODY, MAX_FILTER
from audit.access import Role
from audit.access.machines import Scope
from audit.store.errors import StoreUnavailableError

sys.path.insert(0, str(Path(__file__).parents[1] / "doubles"))

from oauth_client import OAuthClient

CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
POST = "urn:mimamori:params:scim:schemas:extension:post:1.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
_numbers = itertools.count(1)


def token(house: House, source: str = "hr", scope: str = "") -> str:
    """An access token of a source."""
    made = house.installation.machines.register(source)
    client = OAuthClient(made.client_id, made.client_secret, house.installation.machines.rules.issuer)
    form = client.form(house.clock.now(), grant_type="client_credentials", **({"scope": scope} if scope else {}))
    answer = house.browser().post("/oauth2/token", data=form)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


@pytest.fixture
def hr(house: House) -> Iterator[httpx.Client]:
    """The personnel system."""
    headers = {"authorization": f"Bearer {token(house)}", "content-type": "application/scim+json"}
    with httpx.Client(base_url=f"{house.address}/scim/v2", headers=headers, timeout=30) as client:
        yield client


def person(staff_id: str = "", **more: Any) -> dict[str, Any]:
    """Somebody new."""
    return {
        "schemas": [CORE, ENTERPRISE],
        "userName": staff_id or f"h{next(_numbers):04}",
        "name": {"formatted": "山田 太郎"},
        "title": "主事",
        "active": True,
        ENTERPRISE: {"department": "hoken/shikaku"},
        **more,
    }


def operations(*given: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": [PATCH], "Operations": list(given)}


def events(house: House, staff_id: str) -> list[dict[str, Any]]:
    """What the log says about one person."""
    house.installation.acts.drain()
    found = house.installation.log.search(house_filter(), limit=1000).events
    return [doc for doc in reversed([event.to_contract() for event in found]) if _about(doc) == staff_id]


def house_filter() -> Any:
    from audit.log import OWN_SOURCE, Filter

    return Filter(sources=(OWN_SOURCE,))


def _about(doc: dict[str, Any]) -> str:
    return str(doc.get("target", {}).get("id", ""))


def test_a_person_joins_moves_and_leaves_and_each_change_is_an_event(house: House, hr: httpx.Client) -> None:
    made = hr.post("/Users", json=person(externalId="jinji-1"))
    assert made.status_code == 201, made.text
    assert made.headers["content-type"] == "application/scim+json"
    body = made.json()
    staff_id = body["userName"]
    assert (body["id"], body["externalId"], body["active"]) == (staff_id, "jinji-1", True)
    assert body["name"] == {"formatted": "山田 太郎", "familyName": "山田", "givenName": "太郎"}
    assert made.headers["location"] == body["meta"]["location"]
    assert body["meta"]["location"].endswith(f"/scim/v2/Users/{staff_id}")
    assert hr.get(f"/Users/{staff_id}").json() == body

    house.clock.advance(timedelta(days=1))
    moved = {**body, ENTERPRISE: {"department": "zeimu", "manager": {"value": "s9"}}, "title": "主任"}
    hr.headers["authorization"] = f"Bearer {token(house)}"
    done = hr.put(f"/Users/{staff_id}", json=moved)
    assert (done.status_code, done.json()[ENTERPRISE]["department"], done.json()["title"]) == (200, "zeimu", "主任")
    first, second = house.installation.context.person(staff_id)
    assert (first.org_unit, first.end, second.org_unit, second.start) == (
        "hoken/shikaku", house.clock.now(), "zeimu", house.clock.now(),
    )  # fmt: skip

    left = hr.patch(f"/Users/{staff_id}", json=operations({"op": "replace", "path": "active", "value": False}))
    assert (left.status_code, left.json()["active"]) == (200, False)
    assert not house.installation.people.holds_post(staff_id, house.clock.now())
    told = events(house, staff_id)
    assert [(doc["activity"], doc["operation_name"]) for doc in told] == [
        ("grant", "people.joined"),
        ("config_change", "people.moved"),
        ("revoke", "people.left"),
    ]
    assert told[1]["unmapped"]["old"][0]["org_unit"] == "hoken/shikaku"
    assert told[1]["unmapped"]["new"][1]["org_unit"] == "zeimu"
    assert all(doc["unmapped"]["by"] == "hr" and doc["terminal"]["ip"] == "127.0.0.1" for doc in told)


def test_the_same_again_changes_and_tells_nothing(house: House, hr: httpx.Client) -> None:
    body = hr.post("/Users", json=person()).json()
    assert hr.put(f"/Users/{body['id']}", json=body).json() == body
    assert hr.patch(
        f"/Users/{body['id']}", json=operations({"op": "Replace", "value": {"active": "True"}})
    ).json() == body  # fmt: skip
    assert len(events(house, body["id"])) == 1
    assert len(house.installation.context.person(body["id"])) == 1


def test_active_again_begins_a_new_post_and_keeps_the_past(house: House, hr: httpx.Client) -> None:
    staff_id = hr.post("/Users", json=person()).json()["id"]
    house.clock.advance(timedelta(seconds=10))
    hr.patch(f"/Users/{staff_id}", json=operations({"op": "replace", "path": "active", "value": False}))
    house.clock.advance(timedelta(seconds=10))
    again = hr.patch(f"/Users/{staff_id}", json=operations({"op": "replace", "path": "active", "value": True}))
    assert again.json()["active"] is True
    first, second = house.installation.context.person(staff_id)
    assert first.end == house.clock.now() - timedelta(seconds=10)
    assert (second.start, second.end) == (house.clock.now(), None)


def test_delete_ends_the_post_and_deletes_no_row(house: House, hr: httpx.Client) -> None:
    staff_id = hr.post("/Users", json=person(externalId="jinji-gone")).json()["id"]
    house.clock.advance(timedelta(seconds=10))
    assert hr.delete(f"/Users/{staff_id}").status_code == 204
    assert hr.get(f"/Users/{staff_id}").status_code == 404
    assert hr.delete(f"/Users/{staff_id}").status_code == 404
    assert hr.get("/Users", params={"filter": f'userName eq "{staff_id}"'}).json()["totalResults"] == 0
    assert not house.installation.people.holds_post(staff_id, house.clock.now())
    assert len(house.installation.context.person(staff_id)) == 1
    house.clock.advance(timedelta(seconds=10))
    back = hr.post("/Users", json=person(staff_id, externalId="jinji-gone"))
    assert (back.status_code, back.json()["active"]) == (201, True)
    assert len(house.installation.context.person(staff_id)) == 2


def test_e10_active_false_ends_what_lies_ahead_too(house: House, hr: httpx.Client) -> None:
    staff_id = hr.post("/Users", json=person()).json()["id"]
    april = f"staff_id,org_unit,valid_from\n{staff_id},kankou,2027-04-01\n"
    house.installation.context.import_feed("staff", april.encode())
    hr.patch(f"/Users/{staff_id}", json=operations({"op": "replace", "path": "active", "value": False}))
    now = house.clock.now()
    assert not any(
        house.installation.people.holds_post(staff_id, now + timedelta(days=days)) for days in (0, 1, 200, 4000)
    )


def test_e10_a_leaver_is_refused_although_the_log_cannot_be_written(
    house: House, hr: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff_id = hr.post("/Users", json=person()).json()["id"]

    def down(_docs: Any) -> None:
        raise StoreUnavailableError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(type(house.installation.acts), "record_all", lambda _self, docs: down(docs))
        left = hr.patch(f"/Users/{staff_id}", json=operations({"op": "replace", "path": "active", "value": False}))
        assert (left.status_code, left.headers["retry-after"]) == (503, "5")
        new = person()
        assert hr.post("/Users", json=new).status_code == 503
    assert not house.installation.people.holds_post(staff_id, house.clock.now())
    assert house.installation.context.person(new["userName"]) == ()  # nobody joins whom the log does not know
    assert hr.post("/Users", json=new).status_code == 201


def test_e10_a_leaver_is_refused_at_the_next_request(house: House, hr: httpx.Client) -> None:
    user = house.user(Role.AUDITOR)
    made = hr.post("/Users", json=person(user.login_id))
    assert made.status_code == 201, made.text
    browser = house.signed_in(user)
    assert browser.get("/alerts").status_code == 200
    hr.patch(f"/Users/{user.login_id}", json=operations({"op": "replace", "path": "active", "value": False}))
    assert browser.get("/alerts").status_code == 303
    assert browser.get("/api/v1/alerts").status_code == 401


def test_of_two_who_take_one_id_at_once_one_gets_it(house: House, hr: httpx.Client) -> None:
    for _ in range(5):
        new = person(externalId=f"at-once-{next(_numbers)}")
        with ThreadPoolExecutor(4) as pool:
            answers = sorted(pool.map(lambda body: hr.post("/Users", json=body).status_code, [new] * 4))
        assert answers == [201, 409, 409, 409]
        assert len(house.installation.context.person(new["userName"])) == 1
        assert len(events(house, new["userName"])) == 1


def test_ids_belong_to_one_person(hr: httpx.Client) -> None:
    first = hr.post("/Users", json=person(externalId="jinji-7")).json()
    other = hr.post("/Users", json=person()).json()
    answers = [
        hr.post("/Users", json=person(first["userName"])),
        hr.post("/Users", json=person(first["userName"].upper())),
        hr.post("/Users", json=person(externalId="jinji-7")),
        hr.patch(f"/Users/{other['id']}", json=operations({"op": "add", "path": "externalId", "value": "jinji-7"})),
    ]
    assert [(answer.status_code, answer.json()["scimType"]) for answer in answers] == [(409, "uniqueness")] * 4
    renamed = hr.put(f"/Users/{other['id']}", json={**other, "userName": "somebody-else"})
    assert (renamed.status_code, renamed.json()["scimType"]) == (400, "mutability")


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"active": "perhaps"}, "invalidValue"),
        ({"userName": 5}, "invalidValue"),
        ({"userName": ""}, "invalidValue"),
        ({ENTERPRISE: {}}, "invalidValue"),
        ({"userType": "king"}, "invalidValue"),
        ({"userType": "fixed_term"}, "invalidValue"),  # without an end
        ({"title": "x" * 1001}, "invalidValue"),
        ({"externalId": "x" * 256}, "invalidValue"),
        ({POST: {"validFrom": "soon"}}, "invalidValue"),
        ({POST: {"validFrom": "2026-04-02T00:00:00Z", "validTo": "2026-04-01T00:00:00Z"}}, "invalidValue"),
    ],
)
def test_wrong_values_are_refused_and_nothing_is_made(hr: httpx.Client, change: dict[str, Any], kind: str) -> None:
    before = hr.get("/Users", params={"count": 0}).json()["totalResults"]
    answer = hr.post("/Users", json=person(**change))
    assert (answer.status_code, answer.json().get("scimType")) == (400, kind), answer.text
    assert answer.json()["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert hr.get("/Users", params={"count": 0}).json()["totalResults"] == before


def test_a_my_number_is_refused_and_never_repeated(hr: httpx.Client) -> None:
    from audit.events import mask

    number = next(text for text in (f"{n:012d}" for n in range(100_000, 100_100)) if mask(text)[1])
    for change in ({"title": number}, {"name": {"formatted": number}}, {"userName": number}):
        answer = hr.post("/Users", json=person(**change))
        assert answer.status_code == 400
        assert number not in answer.text


def test_unknown_attributes_are_ignored(hr: httpx.Client) -> None:
    made = hr.post("/Users", json=person(nickName="たろう", emails=[{"value": "t@example.jp"}], favourite={"a": [1]}))
    assert made.status_code == 201, made.text
    assert not made.json().keys() & {"nickName", "emails", "favourite"}
    path = f"/Users/{made.json()['id']}"
    patched = hr.patch(path, json=operations({"op": "add", "path": "nickName", "value": "x"}))
    assert patched.status_code in {200, 400}
    assert hr.get(path).json() == made.json()


def test_fixed_term_staff_come_with_their_end(house: House, hr: httpx.Client) -> None:
    dates = {POST: {"validFrom": "2027-04-01T00:00:00+09:00", "validTo": "2028-04-01T00:00:00+09:00"}}
    made = hr.post("/Users", json=person(userType="fixed_term", **dates))
    assert (made.status_code, made.json()["active"]) == (201, False), made.text
    staff_id, boundary = made.json()["id"], house.installation.context.person(made.json()["id"])[0].start
    assert boundary is not None
    people = house.installation.people
    assert not people.holds_post(staff_id, boundary - timedelta(microseconds=1))
    assert people.holds_post(staff_id, boundary)
    kept = hr.put(f"/Users/{staff_id}", json=person(staff_id, title="主任"))  # says nothing of dates: they stay
    assert kept.status_code == 200, kept.text
    assert kept.json()[POST]["validTo"] == made.json()[POST]["validTo"]


def test_people_are_found_and_paged(hr: httpx.Client) -> None:
    ids = [hr.post("/Users", json=person(title="頁送り")).json()["id"] for _ in range(5)]
    asked = {"filter": 'title eq "頁送り" and active eq true', "count": 2, "startIndex": 4, "sortBy": "title"}
    page = hr.get("/Users", params=asked).json()
    assert (page["totalResults"], page["startIndex"], page["itemsPerPage"]) == (5, 4, 2)
    assert [found["id"] for found in page["Resources"]] == ids[3:]
    assert hr.get("/Users", params={"count": MAX_RESULTS * 10}).json()["itemsPerPage"] <= MAX_RESULTS
    (short,) = hr.get("/Users", params={"filter": f'id eq "{ids[0]}"', "attributes": "title"}).json()["Resources"]
    assert short.keys() == {"schemas", "id", "title"}
    (same,) = hr.get("/Users", params={"filter": f'USERNAME EQ "{ids[0].upper()}"'}).json()["Resources"]
    assert same["id"] == ids[0]
    assert hr.get("/Users", params={"filter": f'{ENTERPRISE}:department sw "hoken"'}).json()["totalResults"] >= 5
    assert hr.get("/Users", params={"startIndex": -3, "count": -1}).json()["Resources"] == []


@pytest.mark.parametrize(
    "text",
    [
        "userName",
        'userName eq "x',
        'userName zz "x"',
        "userName eq",
        "(" * 200 + 'userName eq "x"' + ")" * 199,
        "not " * 200 + '(userName eq "x")',
        "not (" * 60 + "active pr" + ")" * 60,
        "emails[" * 60,
        'userName eq "x" or ' * 50,
        "a" * (MAX_FILTER + 1),
        "active gt true",
        "'; DROP TABLE context_staff; --",
        "\x00",
    ],
)
def test_filters_that_are_none_are_refused(hr: httpx.Client, text: str) -> None:
    answer = hr.get("/Users", params={"filter": text})
    assert answer.status_code == 400, answer.text
    assert answer.json()["scimType"] in {"invalidFilter", "invalidValue"}
    assert hr.get("/Users", params={"count": 1}).status_code == 200


def test_deep_but_sound_filters_are_answered(hr: httpx.Client) -> None:
    for text in (
        'userName eq "\\ud800"',
        "(" * 90 + "active pr" + ")" * 90,
        " or ".join(['title eq "a"'] * 60),
        'userName eq "%_*"',
    ):
        assert hr.get("/Users", params={"filter": text}).json()["totalResults"] >= 0


@pytest.mark.parametrize(
    ("status", "sent"),
    [
        (400, {"content": b"{"}),
        (400, {"content": b"[]"}),
        (400, {"content": b'{"userName":"a","userName":"b"}'}),
        (400, {"content": b'{"userName":NaN}'}),
        (400, {"content": b'{"a":' * 500 + b"1" + b"}" * 500}),
        (400, {"content": b"{}", "headers": {"content-type": "text/plain"}}),
        (413, {"content": b" " * (MAX_BODY + 1)}),
    ],
)
def test_bodies_that_are_none_are_refused(hr: httpx.Client, status: int, sent: dict[str, Any]) -> None:
    answer = hr.post("/Users", **sent)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/scim+json"), answer.text


def test_a_patch_is_done_whole_or_not_at_all(hr: httpx.Client) -> None:
    made = hr.post("/Users", json=person()).json()
    path = f"/Users/{made['id']}"
    bad = operations(
        {"op": "replace", "path": "title", "value": "主任"}, {"op": "replace", "path": "active", "value": "perhaps"}
    )
    assert hr.patch(path, json=bad).status_code == 400
    assert hr.patch(path, json=operations({"op": "remove", "path": "userName"})).status_code == 400
    assert hr.patch(path, json=operations({"op": "destroy", "path": "title"})).status_code == 400
    assert hr.patch(path, json=operations(*[{"op": "replace", "path": "title", "value": "a"}] * 101)).status_code == 413
    for many in (5, {"op": "remove"}, "remove", None, True):
        assert hr.patch(path, json=operations() | {"Operations": many}).status_code == 400
    assert hr.get(path).json() == made
    good = operations({"op": "Replace", "path": f"{ENTERPRISE}:department", "value": "zeimu"})
    assert hr.patch(path, json=good).json()[ENTERPRISE]["department"] == "zeimu"


def test_units_are_groups_to_read(hr: httpx.Client) -> None:
    staff_id = hr.post("/Users", json=person(**{ENTERPRISE: {"department": "kankou/kikaku"}})).json()["id"]
    (found,) = hr.get("/Groups", params={"filter": 'displayName eq "kankou/kikaku"'}).json()["Resources"]
    assert found["members"][0]["value"] == staff_id
    assert hr.get("/Groups/" + quote("kankou/kikaku", safe="")).json() == found
    assert hr.get("/Groups/nowhere").status_code == 404
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert hr.request(method, "/Groups/kankou", json={}).status_code == 405
    hr.delete(f"/Users/{staff_id}")
    assert hr.get("/Groups", params={"filter": 'displayName eq "kankou/kikaku"'}).json()["totalResults"] == 0


def test_e10_only_the_personnel_system_provisions(house: House) -> None:
    other = token(house, "nhi-eligibility")
    with httpx.Client(base_url=f"{house.address}/scim/v2", timeout=30) as client:
        for path in ("/Users", "/Users/s1", "/Groups", "/Schemas", "/ServiceProviderConfig", "/ResourceTypes"):
            nobody = client.get(path)
            assert (nobody.status_code, nobody.headers["content-type"]) == (401, "application/scim+json")
            assert nobody.headers["www-authenticate"].startswith("Bearer")
            answer = client.get(path, headers={"authorization": f"Bearer {other}"})
            assert answer.status_code == 401
        assert client.post("/Users", json=person(), headers={"authorization": f"Bearer {other}"}).status_code == 401
        assert client.post("/Users", content=b" " * (MAX_BODY + 1)).status_code == 401  # before a byte is read


def test_e10_a_personnel_credential_gets_no_other_right_by_accident(house: House) -> None:
    usual = token(house)
    made = house.installation.machines.register("hr")
    client = OAuthClient(made.client_id, made.client_secret, house.installation.machines.rules.issuer)
    browser = house.browser()
    now = house.clock.now()

    def ask(scope: str, who: OAuthClient = client) -> httpx.Response:
        return browser.post("/oauth2/token", data=who.form(now, grant_type="client_credentials", scope=scope))

    assert ask("").json()["scope"] == Scope.STAFF_PROVISION
    assert ask(Scope.EVENTS_WRITE).json()["scope"] == Scope.EVENTS_WRITE
    assert ask(Scope.ACCESS_DECIDE).json()["error"] == "invalid_scope"
    assert ask(" ".join(Scope)).json()["error"] == "invalid_scope"
    bearer = {"authorization": f"Bearer {usual}"}
    assert browser.post("/api/v1/events?source=hr", content=b"{}\n", headers=bearer).status_code == 401
    other = house.installation.machines.register("nhi-eligibility")
    records = OAuthClient(other.client_id, other.client_secret, house.installation.machines.rules.issuer)
    assert ask(Scope.STAFF_PROVISION, records).json()["error"] == "invalid_scope"
    assert Scope.STAFF_PROVISION not in ask("", records).json()["scope"]


@pytest.fixture
def peer(hr: httpx.Client) -> Iterator[SyncSCIMClient]:
    """A client that is not ours, and takes nothing that the RFC does not allow."""
    with httpx2.Client(base_url=str(hr.base_url), headers=dict(hr.headers), timeout=30) as client:
        yield SyncSCIMClient(client)


def test_a_foreign_client_works_with_it(peer: SyncSCIMClient) -> None:
    peer.discover()
    model = peer.get_resource_model("User")
    assert model is not None
    made = peer.create(model.model_validate(person()))
    assert peer.query(model, made.id) == made
    found = peer.query(model, query_parameters=SearchRequest(filter=f'userName eq "{made.user_name}"'))
    assert [user.id for user in found.resources] == [made.id]
    change = PatchOp[model](operations=[{"op": "replace", "path": "title", "value": "係長"}])
    peer.modify(model, made.id, change)
    assert peer.query(model, made.id).title == "係長"
    peer.delete(model, made.id)


class WholeName(ComplexAttribute):
    """Its parts are parts of the whole here, which a random text is not."""

    formatted: str | None = None


class Colleague(Resource[AnyExtension]):
    """What the checker may fill in at random: it makes no dates, and not every employment goes without an end."""

    __schema__ = URN(CORE)

    user_name: Annotated[str | None, Required.true, Uniqueness.server, Mutability.immutable] = None
    name: WholeName | None = None
    title: Annotated[str | None, CaseExact.true] = None
    active: Annotated[bool | None, Required.true] = None


def test_a_foreign_checker_finds_no_fault(peer: SyncSCIMClient) -> None:
    kind = ResourceType.from_resource(Colleague[Annotated[Enterprise, Required.true]])
    kind = kind.model_copy(update={"id": "User", "name": "User", "endpoint": "/Users"})
    tolerant = ScimPolicy(unknown=ScimPolicy.Unknown.ignore)
    kinds = [kind, ResourceType.from_resource(Group)]
    peer.provider = ScimProvider([Colleague, Enterprise, Group], kinds, policy=tolerant)
    results = check_server(peer, resource_types=["User"])  # units are not the personnel system's to write
    assert len(results) > 20
    assert [f"{found.title}: {found.reason}" for found in results if found.status not in _FINE] == []


_FINE = {Status.SUCCESS, Status.SKIPPED}
