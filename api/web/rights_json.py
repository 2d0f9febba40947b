"""Rights as JSON under `/api/v1/rights`: the same reads and acts as the pages, for the same people.

What changes something takes `application/json` from this site alone, and no field that is not named here (422).
Moments are RFC 3339; lists go on from a `cursor`.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.rights import doer_of
from api.web.errors import ProblemError
from api.web.journal import record_look
from api.web.queries import part_of
from api.web.rights import Applicant, Approver, unit_of
from api.web.rights_ledger import LedgerReader
from api.web.security import FormRefusedError, installation_of
from audit.access import Viewer
from audit.access.rights import (
    Application,
    DecisionRefusedError,
    Delegation,
    Difference,
    Doer,
    Entitlement,
    Kind,
    LedgerEntry,
    RightsError,
    RightsService,
    RightUnknownError,
    Wish,
)
from audit.access.rights.batches import MOST_TOGETHER
from audit.texts import Texts

__all__ = ["router", "whole_json"]

router = APIRouter(prefix="/api/v1/rights")
Result = TypeVar("Result")
Limit = Annotated[int, Query(ge=1, le=1000)]


def whole_json(request: Request) -> None:
    """A dependency that refuses what a page of another site could make a browser send.

    Raises:
        FormRefusedError: it is not JSON, which no form sends, or it comes from another site.
    """
    origin = request.headers.get("origin")
    foreign = origin and origin.partition("://")[2] != request.headers.get("host")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json" or foreign:
        raise FormRefusedError
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise FormRefusedError


WholeJson = Depends(whole_json)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=False)


class ApplicationBody(_Body):
    """What is applied for; the unit is that of the person's post."""

    kind: Kind = Kind.GRANT
    person: str = Field(max_length=100)
    system: str = Field(max_length=100)
    affair: str = Field(default="", max_length=100)
    functions: list[str] = Field(max_length=30)
    start: AwareDatetime | None = None
    end: AwareDatetime | None = None
    reason: str = Field(max_length=1000)
    decision_ref: str = Field(default="", max_length=100)
    replaces: list[str] = Field(default_factory=list, max_length=30)


class BatchBody(ApplicationBody):
    """The same for several persons of one unit."""

    person: str = Field(default="", max_length=0)
    persons: list[str] = Field(max_length=MOST_TOGETHER)


class ApprovalsBody(_Body):
    """The applications that were ticked."""

    applications: list[str] = Field(min_length=1, max_length=MOST_TOGETHER)


class EmptyBody(_Body):
    """Nothing: who approves, and when, is known."""


class ReasonBody(_Body):
    """Why."""

    reason: str = Field(max_length=1000)


class DelegationBody(_Body):
    """Who may approve instead, from when to when."""

    deputy: str = Field(max_length=100)
    start: AwareDatetime | None = None
    end: AwareDatetime


def _act(request: Request, viewer: Viewer, act: Callable[[RightsService, Doer], Result]) -> Result:
    try:
        return act(installation_of(request).rights, doer_of(viewer))
    except RightUnknownError as error:
        raise HTTPException(404) from error
    except RightsError as error:
        status = 409 if isinstance(error, DecisionRefusedError) else 422
        raise ProblemError(status, Texts(error.text("ja"), error.text("en"))) from error


# Reads


@router.get("/applications")
def applications(request: Request, viewer: Applicant, cursor: str = "", limit: Limit = 100) -> dict[str, Any]:
    """What one applied for, or what was applied for on one's behalf, the newest first."""
    record_look(request, viewer, "rights.applications_view")
    found = installation_of(request).rights.applications_of(doer_of(viewer))
    shown, following = part_of(found, lambda one: one.id, cursor, limit)
    return {"applications": [_application(one) for one in shown], "cursor": following}


@router.get("/applications/{number}")
def application(request: Request, viewer: Applicant, number: str) -> dict[str, Any]:
    """One application, for those it concerns."""
    found = _act(request, viewer, lambda rights, by: rights.application(number, by))
    record_look(request, viewer, "rights.application_view", application=number)
    return _application(found)


@router.get("/inbox")
def inbox(request: Request, viewer: Applicant, cursor: str = "", limit: Limit = 100) -> dict[str, Any]:
    """What waits for one's decision, the oldest first."""
    record_look(request, viewer, "rights.inbox_view")
    due = installation_of(request).rights.inbox(doer_of(viewer))
    shown, following = part_of(due, lambda one: one.application.id, cursor, limit)
    rows = [_application(one.application) | {"deputy_for": one.deputy_for} for one in shown]
    return {"applications": rows, "cursor": following}


@router.get("/held")
def held(request: Request, viewer: Applicant, cursor: str = "", limit: Limit = 100) -> dict[str, Any]:
    """One's own rights in every system."""
    record_look(request, viewer, "rights.view")
    found = installation_of(request).rights.held_by(viewer.login_id)
    shown, following = part_of(found, lambda entry: entry.right.id, cursor, limit)
    return {"rights": [_entry(entry) for entry in shown], "cursor": following}


@router.get("/delegations")
def delegations(request: Request, viewer: Applicant, cursor: str = "", limit: Limit = 100) -> dict[str, Any]:
    """One's deputies, and whose deputy one is."""
    record_look(request, viewer, "rights.deputies_view")
    found = installation_of(request).rights.delegations_of(doer_of(viewer))
    shown, following = part_of(found, lambda one: one.id, cursor, limit)
    return {"delegations": [_delegation(one) for one in shown], "cursor": following}


@router.get("/entitlements")
def entitlements(
    request: Request, viewer: LedgerReader, system: str, cursor: str = "", limit: Limit = 100
) -> dict[str, Any]:
    """The ledger of a system."""
    rights = installation_of(request).rights
    if system not in rights.systems:
        raise HTTPException(404)
    record_look(request, viewer, "rights.ledger_view", system=system)
    shown, following = part_of(rights.ledger(system), lambda entry: entry.right.id, cursor, limit)
    return {"rights": [_entry(entry) for entry in shown], "cursor": following}


@router.get("/reconciliations/{system}")
def reconciliation(
    request: Request, viewer: LedgerReader, system: str, cursor: str = "", limit: Limit = 100
) -> dict[str, Any]:
    """The last comparison of a system with what was approved."""
    rights = installation_of(request).rights
    if system not in rights.systems:
        raise HTTPException(404)
    record_look(request, viewer, "rights.reconciliation_view", system=system)
    found = rights.last_reconciliation(system)
    if found is None:
        return {"system": system, "at": None, "matched": 0, "differences": [], "cursor": ""}
    shown, following = part_of(found.differences, _name_of, cursor, limit)
    rows = [_difference(one) for one in shown]
    return {
        "system": system,
        "at": found.at.isoformat(),
        "matched": found.matched,
        "differences": rows,
        "cursor": following,
    }


# Acts


@router.post("/applications", status_code=201, dependencies=[WholeJson])
def apply(request: Request, viewer: Applicant, body: ApplicationBody) -> dict[str, Any]:
    """Ask for a right, for other terms, or for an end."""
    wish = _wish(request, body, body.person)
    return _application(_act(request, viewer, lambda rights, by: rights.apply(wish, by)))


@router.post("/batches", status_code=201, dependencies=[WholeJson])
def apply_together(request: Request, viewer: Applicant, body: BatchBody) -> dict[str, Any]:
    """Ask for the same new right for several persons of one unit: for all, or for none."""
    body.start = body.start or installation_of(request).clock.now()  # one moment for all of them
    wishes = [_wish(request, body, person) for person in body.persons]
    made = _act(request, viewer, lambda rights, by: rights.apply_together(wishes, by))
    return {"batch": made[0].batch, "applications": [_application(one) for one in made]}


@router.post("/approvals", dependencies=[WholeJson])
def approve_ticked(request: Request, viewer: Approver, body: ApprovalsBody) -> dict[str, Any]:
    """Give the step that is due in each; what is refused is said beside what was given."""
    approved, refused = [], []
    for number in dict.fromkeys(body.applications):
        try:
            approved.append(_application(installation_of(request).rights.approve(number, doer_of(viewer))))
        except RightsError as error:
            refused.append(
                {"id": number, "reason": error.reason, "text": {"ja": error.text("ja"), "en": error.text("en")}}
            )
    return {"approved": approved, "refused": refused}


def _wish(request: Request, body: ApplicationBody, person: str) -> Wish:
    start = body.start or installation_of(request).clock.now()
    return Wish(
        kind=body.kind,
        person=person,
        system=body.system,
        affair=body.affair,
        functions=tuple(body.functions),
        unit=unit_of(request, person, start) or "-",
        start=start,
        end=body.end,
        reason=body.reason,
        decision_ref=body.decision_ref,
        replaces=tuple(body.replaces),
    )


@router.post("/applications/{number}/approval", dependencies=[WholeJson])
def approve(request: Request, viewer: Approver, number: str, body: EmptyBody) -> dict[str, Any]:  # noqa: ARG001 - it must be empty
    """Give the step that is due."""
    return _application(_act(request, viewer, lambda rights, by: rights.approve(number, by)))


@router.post("/applications/{number}/refusal", dependencies=[WholeJson])
def refuse(request: Request, viewer: Applicant, number: str, body: ReasonBody) -> dict[str, Any]:
    """Refuse an application."""
    return _application(_act(request, viewer, lambda rights, by: rights.refuse(number, body.reason, by)))


@router.post("/applications/{number}/withdrawal", status_code=204, dependencies=[WholeJson])
def withdraw(request: Request, viewer: Applicant, number: str, body: EmptyBody) -> None:  # noqa: ARG001 - it must be empty
    """Take an application back."""
    _act(request, viewer, lambda rights, by: rights.withdraw(number, by))


@router.post("/held/{number}/revocation", status_code=204, dependencies=[WholeJson])
def revoke(request: Request, viewer: Applicant, number: str, body: ReasonBody) -> None:
    """End a right at once."""
    _act(request, viewer, lambda rights, by: rights.revoke(number, body.reason, by))


@router.post("/delegations", status_code=201, dependencies=[WholeJson])
def delegate(request: Request, viewer: Approver, body: DelegationBody) -> dict[str, Any]:
    """Name a deputy."""
    start = body.start or installation_of(request).clock.now()
    return _delegation(_act(request, viewer, lambda rights, by: rights.delegate(body.deputy, start, body.end, by)))


@router.post("/delegations/{number}/end", status_code=204, dependencies=[WholeJson])
def end_delegation(request: Request, viewer: Applicant, number: str, body: EmptyBody) -> None:  # noqa: ARG001 - it must be empty
    """End a delegation of one's own."""
    _act(request, viewer, lambda rights, by: rights.end_delegation(number, by))


# Values


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _application(one: Application) -> dict[str, Any]:
    wish = one.wish
    return {
        "id": one.id,
        "kind": wish.kind,
        "status": one.status,
        "person": wish.person,
        "system": wish.system,
        "affair": wish.affair,
        "functions": list(wish.functions),
        "outside": list(one.outside),
        "unit": wish.unit,
        "start": wish.start.isoformat(),
        "end": _moment(wish.end),
        "reason": wish.reason,
        "decision_ref": wish.decision_ref,
        "replaces": list(wish.replaces),
        "applicant": one.applicant,
        "batch": one.batch,
        "steps": one.steps,
        "approvals": [
            {"step": given.step, "by": given.by, "deputy_for": given.deputy_for, "at": given.at.isoformat()}
            for given in one.approvals
        ],
        "created_at": one.created_at.isoformat(),
        "expires_at": one.expires_at.isoformat(),
        "closed_at": _moment(one.closed_at),
        "closing_reason": one.closing_reason,
    }


def _right(right: Entitlement) -> dict[str, Any]:
    return {
        "id": right.id,
        "person": right.person,
        "system": right.system,
        "affair": right.affair,
        "function": right.function,
        "unit": right.unit,
        "start": right.start.isoformat(),
        "end": _moment(right.end),
        "application": right.application,
    }


def _entry(entry: LedgerEntry) -> dict[str, Any]:
    approved_by = [given.by for given in entry.application.approvals]
    return _right(entry.right) | {
        "holds": entry.holds,
        "applied_at": _moment(entry.applied_at),
        "approved_by": approved_by,
    }


def _delegation(one: Delegation) -> dict[str, Any]:
    return {
        "id": one.id,
        "approver": one.approver,
        "deputy": one.deputy,
        "start": one.start.isoformat(),
        "end": one.end.isoformat(),
    }


def _name_of(one: Difference) -> str:
    return "/".join((one.what, one.person, one.function, one.affair, *one.approved, *one.reported))


def _difference(one: Difference) -> dict[str, Any]:
    return {
        "what": one.what,
        "person": one.person,
        "function": one.function,
        "affair": one.affair,
        "approved": list(one.approved),
        "reported": list(one.reported),
    }
