"""Approvals and media as JSON: the same reads and acts as the pages, for the same people.

What changes something takes `application/json` from this site alone, and no field that is not named here (422).
Moments are RFC 3339; lists are the newest first and go on from a `cursor`.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.ledger_views import LedgerViews, actor_of
from api.web.errors import ProblemError
from api.web.journal import record_look
from api.web.ledger import Approver, Asker, LedgerReader, known_system, settled
from api.web.media import Handler, Registrar, take_step
from api.web.queries import no_such_place, part_of
from api.web.rights_json import EmptyBody, ReasonBody, WholeJson
from api.web.security import installation_of
from audit.access import AccessError
from audit.access.decisions import Effect, EmergencyRefusedError, LedgerRefusedError, MediumRefusedError, Question
from audit.access.decisions.ledger.model import ApprovalKind, Entry, Medium, MediumState, Wanted
from audit.events import mask
from audit.texts import Texts

__all__ = ["Body", "Limit", "acted", "router"]

router = APIRouter(prefix="/api/v1")
Result = TypeVar("Result")
Limit = Annotated[int, Query(ge=1, le=2000)]
_CONFLICTS = frozenset({"holder", "known", "not_head", "not_own", "oneself", "open", "settled", "state"})


class Body(BaseModel):
    """What is sent: nothing that is not named."""

    model_config = ConfigDict(extra="forbid")


class RequestBody(Body):
    """What is asked for; without a person, for oneself."""

    kind: ApprovalKind
    person: str = Field(default="", max_length=100)
    system: str = Field(default="", max_length=100)
    start: AwareDatetime | None = None
    end: AwareDatetime
    reason: str = Field(max_length=1000)
    max_rows: int | None = Field(default=None, le=10**9)
    max_uses: int | None = Field(default=None, le=10**9)
    medium_id: str = Field(default="", max_length=64)
    subjects: list[str] = Field(default_factory=list, max_length=100)


class MediumBody(Body):
    """A medium to register."""

    medium_id: str = Field(max_length=64)
    kind: str = Field(default="", max_length=40)


class StepBody(Body):
    """A step of a medium."""

    medium_id: str = Field(max_length=64)
    step: Literal["media_checkout", "media_write", "media_return", "media_erase", "media_dispose"]
    system: str = Field(max_length=100)
    rows: int | None = Field(default=None, ge=0, le=10**9)
    purpose: str = Field(default="", max_length=200)
    case_id: str = Field(default="", max_length=200)


def acted(act: Callable[[], Result]) -> Result:
    """Do something; what is refused becomes a problem document.

    Raises:
        ProblemError: why it is refused.
        HTTPException: there is no such medium.
    """
    try:
        return act()
    except (EmergencyRefusedError, LedgerRefusedError, MediumRefusedError) as error:
        raise _refused(error) from error


def _refused(error: AccessError) -> Exception:
    if isinstance(error, MediumRefusedError) and error.reason == "unknown":
        return HTTPException(404)
    status = 409 if error.reason in _CONFLICTS else 422
    return ProblemError(status, Texts(error.text("ja"), error.text("en")))


# Approvals


@router.get("/approvals")
def my_approvals(request: Request, viewer: Asker, cursor: str = "", limit: Limit = 100) -> dict[str, Any]:
    """What one asked for, or what was asked for on one's behalf."""
    record_look(request, viewer, "approvals.view")
    views = LedgerViews(installation_of(request), viewer)
    return _page(lambda: views.mine(limit + 1, cursor), limit)


@router.get("/approvals/inbox")
def inbox(request: Request, viewer: Asker, cursor: str = "", limit: Limit = 100) -> dict[str, Any]:
    """What waits for one's decision."""
    record_look(request, viewer, "approvals.inbox_view")
    due = installation_of(request).decisions.ledger.inbox(viewer.login_id)
    shown, following = part_of(due, lambda one: one.id, cursor, limit)
    return {"approvals": [_entry(one) for one in shown], "cursor": following}


@router.get("/approvals/ledger")
def ledger(request: Request, viewer: LedgerReader, cursor: str = "", limit: Limit = 100) -> dict[str, Any]:
    """Every request."""
    record_look(request, viewer, "approvals.ledger_view")
    entries = installation_of(request).decisions.ledger.entries
    return _page(lambda: entries(limit=limit + 1, after=cursor), limit)


def _page(read: Callable[[], list[Entry]], limit: int) -> dict[str, Any]:
    """What was read by one more than the page holds, and where the next one begins."""
    try:
        found = read()
    except LookupError as error:
        raise no_such_place() from error
    shown = found[:limit]
    return {"approvals": [_entry(one) for one in shown], "cursor": shown[-1].id if len(found) > limit else ""}


@router.post("/approvals", status_code=201, dependencies=[WholeJson])
def ask(request: Request, viewer: Asker, body: RequestBody) -> dict[str, Any]:
    """Ask for an approval."""
    known_system(request, body.system, blank=body.kind is ApprovalKind.TIME_WINDOW)
    installation = installation_of(request)
    wanted = Wanted(
        kind=body.kind,
        person=body.person or viewer.login_id,
        system=body.system,
        start=body.start or installation.clock.now(),
        end=body.end,
        reason=body.reason,
        max_rows=body.max_rows,
        max_uses=body.max_uses,
        medium_id=body.medium_id,
        subjects=tuple(body.subjects),
    )
    return _entry(acted(lambda: installation.decisions.ledger.ask(wanted, by=actor_of(viewer))))


@router.post("/approvals/{number}/approval", dependencies=[WholeJson])
def approve(request: Request, viewer: Approver, number: str, body: EmptyBody) -> dict[str, Any]:  # noqa: ARG001 - it must be empty
    """Give what was asked for."""
    return _entry(acted(lambda: settled(request, viewer, number, lambda ledger, by: ledger.approve(number, by=by))))


@router.post("/approvals/{number}/refusal", dependencies=[WholeJson])
def refuse(request: Request, viewer: Asker, number: str, body: ReasonBody) -> dict[str, Any]:
    """Refuse it."""
    return _entry(
        acted(
            lambda: settled(
                request, viewer, number, lambda ledger, by: ledger.refuse(number, by=by, reason=body.reason)
            )
        )
    )


@router.post("/approvals/{number}/withdrawal", dependencies=[WholeJson])
def withdraw(request: Request, viewer: Asker, number: str, body: EmptyBody) -> dict[str, Any]:  # noqa: ARG001 - it must be empty
    """Take a request back."""
    return _entry(acted(lambda: settled(request, viewer, number, lambda ledger, by: ledger.withdraw(number, by=by))))


@router.post("/approvals/{number}/end", dependencies=[WholeJson])
def end(request: Request, viewer: Asker, number: str, body: EmptyBody) -> dict[str, Any]:  # noqa: ARG001 - it must be empty
    """End an approval before its time."""
    return _entry(acted(lambda: settled(request, viewer, number, lambda ledger, by: ledger.close(number, by=by))))


# Media


@router.get("/media")
def media(request: Request, viewer: Handler, cursor: str = "", limit: Limit = 100) -> dict[str, Any]:
    """Every medium; who holds it, where that is the viewer's to know."""
    record_look(request, viewer, "approvals.media_view")
    views = LedgerViews(installation_of(request), viewer)
    found = installation_of(request).decisions.media.media()
    shown, following = part_of(found, lambda one: one.id, cursor, limit)
    rows = [_medium(one, named=views.reads_all or one.holder == viewer.login_id) for one in shown]
    return {"media": rows, "cursor": following}


@router.post("/media", status_code=201, dependencies=[WholeJson])
def register(request: Request, viewer: Registrar, body: MediumBody) -> dict[str, Any]:
    """Register a medium."""
    service = installation_of(request).decisions.media
    return _medium(acted(lambda: service.register(body.medium_id, body.kind, by=actor_of(viewer))), named=True)


@router.post("/media/steps", dependencies=[WholeJson])
def step(request: Request, viewer: Handler, body: StepBody) -> dict[str, Any]:
    """Take a step of a medium; what is not allowed is refused in the words of the decision."""
    known_system(request, body.system)
    asked = Question(
        person=viewer.login_id, system=body.system, activity=body.step, medium_id=body.medium_id, rows=body.rows,
        purpose=mask(body.purpose)[0], case_id=mask(body.case_id)[0],
    )  # fmt: skip
    decided = acted(lambda: take_step(request, viewer, asked))
    if decided.effect is not Effect.ALLOW:
        raise ProblemError(403, decided.texts)
    return {"decision": decided.id, "approval": decided.approval or None}


# Values


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _entry(entry: Entry) -> dict[str, Any]:
    wanted = entry.wanted
    return {
        "id": entry.id,
        "kind": wanted.kind,
        "state": entry.state,
        "person": wanted.person,
        "system": wanted.system,
        "start": wanted.start.isoformat(),
        "end": wanted.end.isoformat(),
        "reason": wanted.reason,
        "max_rows": wanted.max_rows,
        "max_uses": wanted.max_uses,
        "medium_id": wanted.medium_id,
        "subjects": list(wanted.subjects),
        "asked_by": entry.asked_by,
        "asked_at": entry.asked_at.isoformat(),
        "settled_by": entry.settled_by,
        "settled_at": _moment(entry.settled_at),
        "uses": entry.uses,
        "rows": entry.rows,
    }


def _medium(medium: Medium, *, named: bool) -> dict[str, Any]:
    holder = medium.holder if named and medium.state is MediumState.OUT else ""
    since = medium.since.isoformat()
    return {"id": medium.id, "kind": medium.kind, "state": medium.state, "holder": holder, "since": since}
