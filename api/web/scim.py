"""Staff provisioning by SCIM 2.0 (RFC 7644) under `/scim/v2`, for the town's personnel system.

Rules:
- Only a credential of the source `hr` opens anything here, and it opens nothing else (`scopes_of`).
- Nothing is deleted: `DELETE` and `active=false` end the posts at once, and the next request of that person is refused.
- Filters and paths are parsed by scim2-models, up to a length; a page has an end.
- Every answer, refusals too, is `application/scim+json`, and never repeats what was sent.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from scim2_models import (
    Context,
    Error,
    ForbiddenException,
    Group,
    NotFoundException,
    PatchOp,
    PayloadTooLargeException,
    Resource,
)
from scim2_models.path import Comparison, FilterNode

from api.web.oauth import machines_of
from api.web.scim_model import PROVIDER, User, draft_of, group_of, user_of
from api.web.scim_protocol import (
    Body,
    Excluded,
    Number,
    Personnel,
    ScimRoute,
    Text,
    answer,
    bound_filter,
    cut,
    dumped,
    listed,
    page,
    parameters,
    query,
)
from api.web.security import address_of, installation_of
from audit.access.machines import Machine
from audit.access.people import By, PeopleService, Person, UnknownPersonError
from audit.context import FeedError

__all__ = ["PATHS", "router"]

MAX_OPERATIONS = 100
_MAX_EXTERNAL_ID = 255
_PREFIX = "/scim/v2"

router = APIRouter(prefix=_PREFIX, route_class=ScimRoute)


def _base(request: Request) -> str:
    return f"{machines_of(request).rules.issuer}{_PREFIX}"


def _people(request: Request) -> PeopleService:
    return installation_of(request).people


def _by(request: Request, machine: Machine) -> By:
    return By(machine.source, address_of(request))


# Users ----------------------------------------------------------------------------------------------------------


@router.get("/Users")
def users(
    request: Request,
    _machine: Personnel,
    filter_: Annotated[Text, Query(alias="filter")] = "",
    start: Annotated[Number, Query(alias="startIndex")] = None,
    count: Number = None,
    attributes: Text = "",
    excluded: Excluded = "",
) -> Response:
    """People, by staff id, a page at a time."""
    people, now, base = _people(request), installation_of(request).clock.now(), _base(request)
    asked = query(User, filter_, start, count, attributes, excluded)
    wanted = bound_filter(User, filter_)
    known = _named(people, wanted.ast) if wanted is not None else None
    found: Sequence[Person] = people.everybody() if known is None else known
    if wanted is not None:
        found = [person for person in found if wanted.match(user_of(person, now, base))]
    return page([user_of(person, now, base) for person in cut(found, asked)], len(found), asked)


@router.post("/Users", status_code=201)
def create_user(request: Request, machine: Personnel, body: Body) -> Response:
    """Take in a new person, or one who comes back."""
    with PROVIDER:
        user = User.model_validate(body, scim_ctx=Context.RESOURCE_CREATION_REQUEST)
    _check_external_id(user.external_id)
    person = _people(request).create(draft_of(user), by=_by(request, machine))
    return _user(request, person, status=201)


@router.post("/Users/.search")
def search_users(request: Request, machine: Personnel, body: Body) -> Response:
    """The same as `GET /Users`, for filters that should not stand in an address (RFC 7644 3.4.3)."""
    return users(request, machine, **parameters(body))


@router.get("/Users/{staff_id}")
def user(
    request: Request, _machine: Personnel, staff_id: str, attributes: Text = "", excluded: Excluded = ""
) -> Response:
    """One person."""
    asked = query(User, "", None, None, attributes, excluded)
    return answer(dumped(_known(request, staff_id), asked))


@router.put("/Users/{staff_id}")
def replace_user(request: Request, machine: Personnel, staff_id: str, body: Body) -> Response:
    """Make a person what the body says."""
    known = _known(request, staff_id)
    with PROVIDER:
        said = User.model_validate(body, scim_ctx=Context.RESOURCE_REPLACEMENT_REQUEST)
        said.replace(known)
    return _change(request, machine, said, known)


@router.patch("/Users/{staff_id}")
def patch_user(request: Request, machine: Personnel, staff_id: str, body: Body) -> Response:
    """Change a person in parts, all of them or none."""
    asked = body.get("Operations")
    if isinstance(asked, list) and len(asked) > MAX_OPERATIONS:
        raise PayloadTooLargeException
    known = _known(request, staff_id)
    said = known.model_copy(deep=True)
    with PROVIDER:
        PatchOp[User].model_validate(body, scim_ctx=Context.RESOURCE_PATCH_REQUEST).patch(said)
    return _change(request, machine, said, known)


@router.delete("/Users/{staff_id}", status_code=204)
def delete_user(request: Request, machine: Personnel, staff_id: str) -> Response:
    """End a person's posts at once."""
    _people(request).delete(staff_id, by=_by(request, machine))
    return Response(status_code=204)


def _named(people: PeopleService, node: FilterNode) -> Sequence[Person] | None:
    """The only people that a filter of one comparison can mean: the usual question, without reading everybody."""
    if isinstance(node, Comparison) and node.op == "eq" and isinstance(node.value, str):
        attribute = str(node.attr_path).rpartition(":")[2].lower()
        if attribute in {"username", "id"}:
            return people.known_as(node.value) if _is_text(node.value) else ()
    return None


def _is_text(value: str) -> bool:
    """Whether it can be written down: JSON can escape halves of characters."""
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _change(request: Request, machine: Machine, said: Any, known: Any) -> Response:  # noqa: ANN401
    _check_external_id(said.external_id)
    return _user(request, _people(request).change(draft_of(said, known), by=_by(request, machine)))


def _found(request: Request, staff_id: str) -> Person:
    person = _people(request).find(staff_id)
    if person is None:
        raise UnknownPersonError("unknown")
    return person


def _known(request: Request, staff_id: str) -> Any:  # noqa: ANN401 - a user
    return user_of(_found(request, staff_id), installation_of(request).clock.now(), _base(request))


def _user(request: Request, person: Person, *, status: int = 200) -> Response:
    shown = user_of(person, installation_of(request).clock.now(), _base(request))
    context = Context.RESOURCE_CREATION_RESPONSE if status == 201 else Context.RESOURCE_QUERY_RESPONSE
    return answer(shown.model_dump(scim_ctx=context), status, {"location": shown.meta.location})


def _check_external_id(external_id: str | None) -> None:
    if external_id and len(external_id) > _MAX_EXTERNAL_ID:
        raise FeedError([f"externalId: {_MAX_EXTERNAL_ID} 文字まで / at most {_MAX_EXTERNAL_ID} characters"])


# Groups: the units ----------------------------------------------------------------------------------------------


@router.get("/Groups")
def groups(
    request: Request,
    _machine: Personnel,
    filter_: Annotated[Text, Query(alias="filter")] = "",
    start: Annotated[Number, Query(alias="startIndex")] = None,
    count: Number = None,
    attributes: Text = "",
    excluded: Excluded = "",
) -> Response:
    """Units in which somebody holds a post."""
    asked = query(Group, filter_, start, count, attributes, excluded)
    found = _units(request)
    wanted = bound_filter(Group, filter_)
    if wanted is not None:
        found = [unit for unit in found if wanted.match(unit)]
    return page(cut(found, asked), len(found), asked)


@router.post("/Groups/.search")
def search_groups(request: Request, machine: Personnel, body: Body) -> Response:
    """The same as `GET /Groups`."""
    return groups(request, machine, **parameters(body))


@router.get("/Groups/{unit:path}")
def group(request: Request, _machine: Personnel, unit: str, attributes: Text = "", excluded: Excluded = "") -> Response:
    """One unit."""
    asked = query(Group, "", None, None, attributes, excluded)
    found = next((group for group in _units(request) if group.id == unit), None)
    if found is None:
        raise NotFoundException
    return answer(dumped(found, asked))


def _units(request: Request) -> list[Group]:
    now, base = installation_of(request).clock.now(), _base(request)
    by_unit = defaultdict(list)
    for person in _people(request).everybody():
        if person.active(now):
            post = person.shown(now)
            by_unit[post.org_unit].append(post)
    return [group_of(unit, posts, base) for unit, posts in sorted(by_unit.items())]


@router.post("/.search")
def search(request: Request, _machine: Personnel, body: Body) -> Response:
    """People and units together."""
    given = parameters(body)
    asked = query(User | Group, *given.values())
    people, now, base = _people(request), installation_of(request).clock.now(), _base(request)
    found: list[Resource[Any]] = [user_of(person, now, base) for person in people.everybody()]
    found += _units(request)
    if given["filter_"]:
        for_users, for_groups = bound_filter(User, given["filter_"]), bound_filter(Group, given["filter_"])
        wanted = [for_groups if isinstance(thing, Group) else for_users for thing in found]
        found = [thing for thing, by in zip(found, wanted, strict=True) if by is not None and by.match(thing)]
    return page(cut(found, asked), len(found), asked)


# What the service is --------------------------------------------------------------------------------------------


@router.get("/ServiceProviderConfig")
def configuration(request: Request, _machine: Personnel) -> Response:
    """What is supported."""
    return _described(request, PROVIDER.config)


@router.get("/ResourceTypes")
def resource_types(request: Request, _machine: Personnel) -> Response:
    """Users and groups."""
    return _listed(request, PROVIDER.resource_types)


@router.get("/ResourceTypes/{name}")
def resource_type(request: Request, _machine: Personnel, name: str) -> Response:
    """One of them."""
    return _described(request, next((kind for kind in PROVIDER.resource_types if kind.id == name), None))


@router.get("/Schemas")
def schemas(request: Request, _machine: Personnel) -> Response:
    """The attributes that are kept."""
    return _listed(request, PROVIDER.schemas)


@router.get("/Schemas/{urn}")
def schema(request: Request, _machine: Personnel, urn: str) -> Response:
    """One schema."""
    return _described(request, next((schema for schema in PROVIDER.schemas if schema.id == urn), None))


def _described(request: Request, thing: Resource[Any] | None) -> Response:
    if thing is None:
        raise NotFoundException
    if "filter" in request.query_params:  # RFC 7644 4
        raise ForbiddenException
    return answer(thing.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE))


def _listed(request: Request, things: Iterable[Resource[Any]]) -> Response:
    if "filter" in request.query_params:
        raise ForbiddenException
    shown = [thing.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE) for thing in things]
    return listed(shown, len(shown))


@router.api_route("/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"], include_in_schema=False)
def nothing(_machine: Personnel, path: str) -> Response:
    """What is not here, or does not do that, in SCIM's words too; it must stand last."""
    if path.partition("/")[0] in {"Groups", "ResourceTypes", "Schemas", "ServiceProviderConfig", "Users"}:
        return answer(Error(status=405, detail="この操作はできません / not possible").model_dump(), 405)
    raise NotFoundException


PATHS = frozenset(str(route.path) for route in router.routes if isinstance(route, APIRoute))
"""Guarded by the credential of the personnel system."""
