"""Tuning as JSON under `/api/v1/tuning`: the same reads and acts as the pages, for the same people.

A preview is answered at once (202) and made behind; its address says how far it is.
"""

from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar

from fastapi import APIRouter, Request
from pydantic import Field

from api.ledger_views import actor_of
from api.tuning_views import change_document, preview_document_of
from api.web.errors import ProblemError
from api.web.journal import record_look
from api.web.ledger_json import Body, Limit
from api.web.queries import part_of
from api.web.rights_json import EmptyBody, WholeJson
from api.web.security import installation_of
from api.web.tuning import Ender, Reader, Tuner, found_change, found_preview, start_preview
from audit.texts import Texts
from audit.tuning import ExceptionTerms, ParameterTerms, Scope, TuningRefusedError

__all__ = ["router"]

router = APIRouter(prefix="/api/v1/tuning")
Result = TypeVar("Result")
_CONFLICTS = frozenset({"asker_left", "changed", "closed", "digest", "in_force", "oneself", "over", "same_person"})


class ScopeBody(Body):
    """What an exception is restricted to."""

    actors: list[str] = Field(default_factory=list, max_length=100)
    units: list[str] = Field(default_factory=list, max_length=100)
    sources: list[str] = Field(default_factory=list, max_length=100)
    subjects: list[str] = Field(default_factory=list, max_length=100)
    weekdays: list[int] = Field(default_factory=list, max_length=7)
    hours: list[int] = Field(default_factory=list, max_length=24)


class ExceptionBody(Body):
    """An exception to preview; `last` is its last business day."""

    detector: str = Field(max_length=100)
    scope: ScopeBody
    owner: str = Field(max_length=100)
    first: date
    last: date
    days: int = Field(default=365, ge=1, le=365)


class ParametersBody(Body):
    """Values to preview: every one that is to differ from the detector's default."""

    detector: str = Field(max_length=100)
    values: dict[str, bool | int | float] = Field(max_length=50)
    days: int = Field(default=90, ge=1, le=365)


class ProposalBody(Body):
    """Why, and under which ticket."""

    reason: str = Field(max_length=1000)
    ticket: str = Field(max_length=200)


class ConfirmationBody(Body):
    """The digest of the preview that was looked at."""

    digest: str = Field(max_length=64)


def _acted(act: Callable[[], Result]) -> Result:
    try:
        return act()
    except TuningRefusedError as error:
        status = 409 if error.reason in _CONFLICTS else 422
        raise ProblemError(status, Texts(error.text("ja"), error.text("en"))) from error


@router.get("")
def changes(request: Request, viewer: Reader, cursor: str = "", limit: Limit = 100) -> dict[str, Any]:
    """Every change, the newest first."""
    record_look(request, viewer, "tuning.view")
    installation = installation_of(request)
    shown, following = part_of(installation.tuning.changes(), lambda one: one.id, cursor, limit)
    return {"changes": [change_document(installation, one) for one in shown], "cursor": following}


@router.get("/previews/{number}")
def preview(request: Request, viewer: Reader, number: str) -> dict[str, Any]:
    """A preview: how far it is, or its result."""
    found = found_preview(request, number)
    record_look(request, viewer, "tuning.preview_view", preview=found.id)
    return preview_document_of(found)


@router.post("/exceptions", status_code=202, dependencies=[WholeJson])
def try_exception(request: Request, viewer: Tuner, body: ExceptionBody) -> dict[str, Any]:
    """Preview an exception."""
    scope = Scope(**{name: tuple(values) for name, values in body.scope.model_dump().items()})
    terms = ExceptionTerms(body.detector, scope, body.owner, body.first, body.last)
    return preview_document_of(_acted(lambda: start_preview(request, viewer, terms, body.days)))


@router.post("/parameters", status_code=202, dependencies=[WholeJson])
def try_parameters(request: Request, viewer: Tuner, body: ParametersBody) -> dict[str, Any]:
    """Preview other values of a detector's parameters."""
    terms = ParameterTerms(body.detector, body.values)
    return preview_document_of(_acted(lambda: start_preview(request, viewer, terms, body.days)))


@router.post("/previews/{number}/proposal", status_code=201, dependencies=[WholeJson])
def propose(request: Request, viewer: Tuner, number: str, body: ProposalBody) -> dict[str, Any]:
    """Propose what was previewed."""
    found, installation = found_preview(request, number), installation_of(request)
    made = _acted(
        lambda: installation.tuning.propose(found.id, reason=body.reason, ticket=body.ticket, by=actor_of(viewer))
    )
    return change_document(installation, made)


@router.post("/changes/{number}/confirmation", dependencies=[WholeJson])
def confirm(request: Request, viewer: Tuner, number: str, body: ConfirmationBody) -> dict[str, Any]:
    """Confirm somebody else's proposal: it is in force."""
    found_change(request, number)
    installation = installation_of(request)
    made = _acted(lambda: installation.tuning.confirm(number, digest=body.digest, by=actor_of(viewer)))
    return change_document(installation, made)


@router.post("/changes/{number}/end", dependencies=[WholeJson])
def end(request: Request, viewer: Ender, number: str, body: EmptyBody) -> dict[str, Any]:  # noqa: ARG001 - it must be empty
    """End an exception, or drop a proposal."""
    found_change(request, number)
    installation = installation_of(request)
    return change_document(installation, _acted(lambda: installation.tuning.end(number, by=actor_of(viewer))))
