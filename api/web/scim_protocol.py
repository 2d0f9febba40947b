"""What all SCIM routes share: who may ask, how bodies and queries are read, the words of every answer (RFC 7644)."""

from collections.abc import Callable, Coroutine, Sequence
from types import UnionType
from typing import Annotated, Any, TypeVar, cast

from fastapi import Depends, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from pydantic import ValidationError
from scim2_models import (
    Context,
    Error,
    InvalidFilterException,
    InvalidSyntaxException,
    ListResponse,
    PayloadTooLargeException,
    Resource,
    SCIMException,
    ScimFilter,
    SearchRequest,
)
from structlog import get_logger

from api.web.certificates import certificate_of
from api.web.oauth import machines_of
from api.web.scim_model import MAX_RESULTS, PROVIDER
from api.web.security import address_of
from audit.access import AccessError
from audit.access.machines import PERSONNEL, Machine, MachineRefusedError, Scope, SourceRefusedError
from audit.access.people import TakenError, UnknownPersonError
from audit.context import FeedError
from audit.events import parse_json
from audit.store.errors import StoreError

__all__ = [
    "MAX_BODY",
    "MAX_FILTER",
    "Body",
    "Excluded",
    "Number",
    "Personnel",
    "ScimRoute",
    "Text",
    "answer",
    "bound_filter",
    "cut",
    "dumped",
    "listed",
    "page",
    "parameters",
    "query",
    "refused",
]

MAX_BODY = 64 << 10
"""Bytes: a person has some 500."""
MAX_FILTER = 1000
_TYPE = "application/scim+json"
_log = get_logger("mimamori.scim")
_Thing = TypeVar("_Thing")


class ScimRoute(APIRoute):
    """A route whose refusals are SCIM's."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with words for everything it may raise."""
        inner = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                return await inner(request)
            except (
                AccessError,
                FeedError,
                RequestValidationError,
                SCIMException,
                StoreError,
                ValidationError,
            ) as error:
                return refused(error)

        return handler


def _personnel(request: Request) -> Machine:
    """A dependency that lets only the personnel system through.

    Raises:
        MachineRefusedError: it did not prove any source, or its token is for something else.
        SourceRefusedError: it is another system.
    """
    return machines_of(request).authenticate(
        request.headers.get("authorization", ""),
        certificate_of(request),
        claimed=PERSONNEL,
        address=address_of(request),
        scope=Scope.STAFF_PROVISION,
    )


_personnel.scope = Scope.STAFF_PROVISION  # type: ignore[attr-defined] # for a test that walks the routes
Personnel = Annotated[Machine, Depends(_personnel)]


async def _body(request: Request, _machine: Personnel) -> dict[str, Any]:
    """The body as a JSON object, read up to the limit and no further, by nobody unknown."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in {_TYPE, "application/json"}:
        raise InvalidSyntaxException(detail=f"Content-Type: {_TYPE}")
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY:
            raise PayloadTooLargeException
    found, fault = parse_json(bytes(body))
    if found is None or fault is not None:
        raise InvalidSyntaxException(detail="本文は JSON オブジェクトではありません / the body is no JSON object")
    return found


Body = Annotated[dict[str, Any], Depends(_body)]
Text = Annotated[str, Query(max_length=MAX_FILTER)]
Excluded = Annotated[str, Query(alias="excludedAttributes", max_length=MAX_FILTER)]
Number = Annotated[int | None, Query()]


def query(
    model: type[Any] | UnionType, filter_: str, start: int | None, count: int | None, attributes: str, excluded: str
) -> SearchRequest[Any]:
    """A query, checked; sorting is not supported, and what asks for it is ignored."""
    named = {"attributes": attributes, "excludedAttributes": excluded}
    query: dict[str, Any] = {name: value.split(",") for name, value in named.items() if value}
    query |= {"filter": filter_} if filter_ else {}
    query |= {"startIndex": start} if start is not None else {}
    query |= {"count": MAX_RESULTS if count is None else min(count, MAX_RESULTS)}
    with PROVIDER:
        bound: type[SearchRequest[Any]] = cast("Any", SearchRequest)[model]
        return bound.model_validate(query, scim_ctx=Context.SEARCH_REQUEST)


def bound_filter(model: type[Any], text: str) -> ScimFilter[Any] | None:
    """A filter, checked against what it is about; None for none."""
    if not text:
        return None
    try:
        return cast("ScimFilter[Any]", cast("Any", ScimFilter)[model](text))
    except RecursionError as error:
        raise InvalidFilterException from error


def cut(found: Sequence[_Thing], asked: SearchRequest[Any]) -> Sequence[_Thing]:
    """The page that was asked for."""
    return found[asked.start_index_0 : asked.stop_index_0]


def page(shown: Sequence[Resource[Any]], total: int, asked: SearchRequest[Any]) -> Response:
    """One page of what a query has found."""
    return listed([dumped(thing, asked) for thing in shown], total, asked.start_index or 1)


def listed(shown: Sequence[dict[str, Any]], total: int, start: int = 1) -> Response:
    """A list of resources."""
    counts = {"totalResults": total, "startIndex": start, "itemsPerPage": len(shown)}
    return answer({"schemas": [str(ListResponse.__schema__)], **counts, "Resources": shown})


def dumped(thing: Resource[Any], asked: SearchRequest[Any]) -> dict[str, Any]:
    """A resource with the attributes that were asked for."""
    return thing.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE, response_parameters=asked)


def parameters(body: dict[str, Any]) -> dict[str, Any]:
    """What a search by POST says, as the parameters of the same search by GET."""
    with PROVIDER:
        asked: SearchRequest[Any] = SearchRequest.model_validate(body, scim_ctx=Context.SEARCH_REQUEST)
    if len(asked.filter or "") > MAX_FILTER:
        raise InvalidFilterException
    return {
        "filter_": asked.filter or "",
        "start": asked.start_index,
        "count": asked.count,
        "attributes": ",".join(map(str, asked.attributes or ())),
        "excluded": ",".join(map(str, asked.excluded_attributes or ())),
    }


def answer(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:  # noqa: ANN401
    """An answer."""
    return JSONResponse(content, status_code=status, headers=headers, media_type=_TYPE)


def refused(error: Exception) -> Response:
    """What was refused, in SCIM's words (RFC 7644 3.12)."""
    headers: dict[str, str] = {}
    if isinstance(error, SCIMException):
        said = error.to_error()
    elif isinstance(error, ValidationError):
        said = Error.from_validation_errors(error)[0]
    elif isinstance(error, FeedError):
        said = Error(status=400, scim_type="invalidValue", detail="; ".join(error.faults[:3]))
    elif isinstance(error, RequestValidationError):
        named = ", ".join(str(fault["loc"][-1]) for fault in error.errors()[:3])
        said = Error(status=400, scim_type="invalidValue", detail=named)
    elif isinstance(error, TakenError):
        said = Error(status=409, scim_type="uniqueness", detail=_both(error))
    elif isinstance(error, UnknownPersonError):
        said = Error(status=404, detail=_both(error))
    elif isinstance(error, MachineRefusedError):
        said = Error(status=401, detail=_both(error))
        headers["www-authenticate"] = 'Bearer realm="mimamori"' + (', error="invalid_token"' * error.token_sent)
    elif isinstance(error, SourceRefusedError):
        said = Error(status=403, detail=_both(error))
        headers["www-authenticate"] = 'Bearer realm="mimamori", error="insufficient_scope"'
    elif isinstance(error, StoreError):
        _log.error("store failed", error=type(error).__name__)
        said = Error(status=503, detail="記録できません / the audit log or the directory cannot be written")
        headers["retry-after"] = "5"
    else:
        said = Error(status=400, detail=_both(error) if isinstance(error, AccessError) else None)
    return answer(said.model_dump(), said.status or 400, headers)


def _both(error: AccessError) -> str:
    return f"{error.text('ja')} / {error.text('en')}"
