"""Closing cases as JSON: by people who deal with cases, two where a case is grave."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import Field

from api.cases import found_case
from api.ledger_views import actor_of
from api.web.errors import ProblemError
from api.web.ledger_json import Body
from api.web.rights_json import WholeJson
from api.web.security import installation_of, viewer_with
from audit.access import Permission, Viewer
from audit.dispositions import DispositionKind, DispositionRefusedError
from audit.texts import Texts
from detectors.ranking import Case

__all__ = ["router"]

router = APIRouter(prefix="/api/v1/cases")
Result = TypeVar("Result")
Closer = Annotated[Viewer, Depends(viewer_with(Permission.CASES_CASE_CLOSE))]
_UNPROCESSABLE = frozenset({"reason"})
"""What is wrong with the words; everything else is at odds with the case or with who says it."""


class DispositionBody(Body):
    """What is made of a case, and why."""

    disposition: DispositionKind
    reason: str = Field(max_length=1000)


class ConfirmationBody(Body):
    """What the second person takes the case to be."""

    disposition: DispositionKind


class ReopeningBody(Body):
    """Why."""

    reason: str = Field(max_length=1000)


def _found(request: Request, number: str) -> Case:
    case = found_case(installation_of(request), number)
    if case is None:
        raise HTTPException(404)
    return case


def _acted(act: Callable[[], Result]) -> Result:
    try:
        return act()
    except DispositionRefusedError as error:
        status = 422 if error.reason in _UNPROCESSABLE else 409
        raise ProblemError(status, Texts(error.text("ja"), error.text("en"))) from error


@router.post("/{number}/disposition", status_code=201, dependencies=[WholeJson])
def close(request: Request, viewer: Closer, number: str, body: DispositionBody) -> dict[str, Any]:
    """Judge a case: it is closed, or, when it is grave, waits for a second person."""
    service, case = installation_of(request).dispositions, _found(request, number)
    made = _acted(lambda: service.close(case.seen, body.disposition, reason=body.reason, by=actor_of(viewer)))
    return case.judged(made).to_contract()


@router.post("/{number}/confirmation", dependencies=[WholeJson])
def confirm(request: Request, viewer: Closer, number: str, body: ConfirmationBody) -> dict[str, Any]:
    """Agree with what somebody else made of a grave case: it is closed."""
    service, case = installation_of(request).dispositions, _found(request, number)
    made = _acted(lambda: service.confirm(case.seen, body.disposition, by=actor_of(viewer)))
    return case.judged(made).to_contract()


@router.post("/{number}/reopening", dependencies=[WholeJson])
def reopen(request: Request, viewer: Closer, number: str, body: ReopeningBody) -> dict[str, Any]:
    """Open a case again, or drop what waits for a second person."""
    service, case = installation_of(request).dispositions, _found(request, number)
    _acted(lambda: service.reopen(case.seen, reason=body.reason, by=actor_of(viewer)))
    return case.undone().to_contract()
