"""What a member of staff and a unit look like in SCIM 2.0 (RFC 7643), and back.

Only what the directory keeps is declared, so that `/Schemas` says the truth; what is not declared is ignored, as the
RFC wants it. `userName` is the staff id, `title` the post, `department` the unit. An extension of our own has what
SCIM has no word for: when a post begins and ends, and the role that it brings.
"""

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

from scim2_models import (
    URN,
    AnyExtension,
    AuthenticationScheme,
    Bulk,
    CaseExact,
    ChangePassword,
    ComplexAttribute,
    ETag,
    Extension,
    Filter,
    Group,
    GroupMember,
    Meta,
    Mutability,
    Patch,
    Reference,
    Required,
    Resource,
    ResourceType,
    ScimPolicy,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)

from audit.access.people import Draft, Person
from audit.context import Post

__all__ = ["MAX_RESULTS", "PROVIDER", "Enterprise", "PostDates", "User", "draft_of", "group_of", "user_of"]

MAX_RESULTS = 200
"""So many resources on one page; a client asks for the next one."""


class Name(ComplexAttribute):
    """A name as the directory keeps it: one text, surname first, a space between."""

    formatted: str | None = None
    family_name: str | None = None
    given_name: str | None = None


class Manager(ComplexAttribute):
    """Whom the row names as manager."""

    value: Annotated[str | None, CaseExact.true] = None


class Enterprise(Extension):
    """The enterprise extension (RFC 7643 4.3), as far as it is kept."""

    __schema__ = URN("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User")

    department: Annotated[str | None, Required.true, CaseExact.true] = None
    manager: Manager | None = None


class PostDates(Extension):
    """What SCIM has no word for. `validTo` is exclusive; fixed-term staff and contractors must have one."""

    __schema__ = URN("urn:mimamori:params:scim:schemas:extension:post:1.0:User")

    role: Annotated[str | None, CaseExact.true] = None
    kana: str | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None


class StaffUser(Resource[AnyExtension]):
    """A member of staff."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    user_name: Annotated[str | None, Required.true, Uniqueness.server, Mutability.immutable] = None
    name: Name | None = None
    title: Annotated[str | None, CaseExact.true] = None
    user_type: Annotated[str | None, CaseExact.true] = None
    active: bool | None = None


User = StaffUser[Annotated[Enterprise, Required.true] | PostDates]

_SCHEME = AuthenticationScheme(
    type=AuthenticationScheme.Type.oauthbearertoken,
    name="OAuth 2.0",
    description="client_credentials, scope mimamori:staff:provision",
    spec_uri=Reference("https://datatracker.ietf.org/doc/html/rfc6750"),
)
PROVIDER = ScimProvider(
    models=[StaffUser, Enterprise, PostDates, Group],
    resource_types=[
        ResourceType.from_resource(User).model_copy(update={"id": "User", "name": "User", "endpoint": "/Users"}),
        ResourceType.from_resource(Group),
    ],
    config=ServiceProviderConfig(
        patch=Patch(supported=True),
        bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
        filter=Filter(supported=True, max_results=MAX_RESULTS),
        change_password=ChangePassword(supported=False),
        sort=Sort(supported=False),
        etag=ETag(supported=False),
        authentication_schemes=[_SCHEME],
    ),
    policy=ScimPolicy(unknown=ScimPolicy.Unknown.ignore),
)


def user_of(person: Person, now: datetime, base: str) -> Any:  # noqa: ANN401 - the model is built at run time
    """A person as a user.

    Args:
        person: who.
        now: which post is shown.
        base: the address of the service.
    """
    post = person.shown(now)
    family, _, given = post.name.replace("\u3000", " ").partition(" ")
    name = Name(formatted=post.name, family_name=family, given_name=given or None) if post.name else None
    user = User(
        id=person.staff_id,
        external_id=person.external_id or None,
        user_name=person.staff_id,
        name=name,
        title=post.post or None,
        user_type=post.employment,
        active=person.active(now),
        meta=Meta(resource_type="User", location=f"{base}/Users/{quote(person.staff_id, safe='')}"),
    )
    manager = Manager(value=post.manager_id) if post.manager_id else None
    user[Enterprise] = Enterprise(department=post.org_unit, manager=manager)
    user[PostDates] = PostDates(
        role=post.role or None, kana=post.kana or None, valid_from=post.start, valid_to=post.end
    )
    return user


def draft_of(user: Any, known: Any = None) -> Draft:  # noqa: ANN401 - the same
    """What a user says of a person.

    Args:
        user: as it came.
        known: as the person is; what `user` does not mention of activity, employment, role and dates stays so.
    """
    enterprise, dates = user[Enterprise] or Enterprise(), user[PostDates] or PostDates()
    before = (known[PostDates] if known is not None else None) or PostDates()
    if user[PostDates] is None:
        dates = before
    active = user.active if user.active is not None else known.active if known is not None else True
    return Draft(
        staff_id=user.user_name,
        name=_name_of(user.name, known.name if known is not None else None),
        kana=dates.kana or "",
        org_unit=enterprise.department or "",
        post=user.title or "",
        role=dates.role or "",
        employment=user.user_type or (known.user_type if known is not None else None) or "",
        manager_id=(enterprise.manager.value if enterprise.manager else None) or "",
        start=_written(dates.valid_from),
        end=_written(dates.valid_to),
        active=active,
        external_id=user.external_id or "",
    )


def group_of(unit: str, posts: list[Post], base: str) -> Group:
    """A unit as a group of those who hold a post in it."""
    members = [
        GroupMember(
            value=post.staff_id,
            ref=Reference(f"{base}/Users/{quote(post.staff_id, safe='')}"),
            type="User",
            display=post.name or None,
        )
        for post in sorted(posts, key=lambda post: post.staff_id)
    ]
    location = f"{base}/Groups/{quote(unit, safe='')}"
    return Group(id=unit, display_name=unit, members=members, meta=Meta(resource_type="Group", location=location))


def _name_of(name: Name | None, before: Name | None) -> str:
    """The whole name: the parts, where they were said or changed alone."""
    if name is None:
        return ""
    parts = " ".join(part for part in (name.family_name, name.given_name) if part)
    changed = before is not None and (name.family_name, name.given_name) != (before.family_name, before.given_name)
    whole_too = before is None or name.formatted != before.formatted
    return parts if parts and (not name.formatted or (changed and not whole_too)) else name.formatted or ""


def _written(at: datetime | None) -> str:
    return at.isoformat() if at is not None else ""
