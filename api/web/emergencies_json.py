"""Emergencies as JSON under `/api/v1/emergencies`: the same reads and acts as the pages, for the same people."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from pydantic import Field

from api.emergencies import conduct_of, is_overdue, reviews
from api.ledger_views import actor_of
from api.web.emergencies import Declarer, EmergencyReader, Reviewer, end_own, enter_review
from api.web.journal import record_look
from api.web.ledger_json import Body, Limit, acted
from api.web.queries import part_of
from api.web.rights_json import EmptyBody, WholeJson
from api.web.security import installation_of
from audit.access.decisions.emergencies.model import Emergency, Verdict

__all__ = ["router"]

router = APIRouter(prefix="/api/v1/emergencies")


class DeclarationBody(Body):
    """An emergency of one's own."""

    system: str = Field(max_length=100)
    reason: str = Field(max_length=1000)
    minutes: int
    sealed_code: str = Field(default="", max_length=200)


class ReviewBody(Body):
    """What was found."""

    verdict: Verdict
    note: str = Field(max_length=1000)


@router.get("")
def emergencies(request: Request, viewer: Declarer, cursor: str = "", limit: Limit = 100) -> dict[str, Any]:
    """One's own emergencies that nobody has reviewed."""
    record_look(request, viewer, "emergencies.view")
    installation = installation_of(request)
    mine = [one for one in installation.decisions.emergencies.unreviewed() if one.declared.person == viewer.login_id]
    shown, following = part_of(mine, _id_of, cursor, limit)
    return {"emergencies": [_emergency(one, installation.clock.now()) for one in shown], "cursor": following}


@router.get("/reviews")
def emergency_reviews(
    request: Request, viewer: EmergencyReader, cursor: str = "", reviewed_cursor: str = "", limit: Limit = 100
) -> dict[str, Any]:
    """What is to be reviewed with the decisions under it, and the reviews of the last 92 days as events; two lists."""
    record_look(request, viewer, "emergencies.reviews_view")
    installation = installation_of(request)
    shown, following = part_of(installation.decisions.emergencies.unreviewed(), _id_of, cursor, limit)
    done, done_following = part_of(reviews(installation), lambda event: event.ref, reviewed_cursor, limit)
    waiting = [
        _emergency(one, installation.clock.now())
        | {"decisions": [event.to_contract() for event in conduct_of(installation, one)]}
        for one in shown
    ]
    return {
        "emergencies": waiting,
        "cursor": following,
        "reviewed": [event.to_contract() for event in done],
        "reviewed_cursor": done_following,
    }


@router.post("", status_code=201, dependencies=[WholeJson])
def declare(request: Request, viewer: Declarer, body: DeclarationBody) -> dict[str, Any]:
    """Declare an emergency; the alert has gone out when this is answered."""
    installation = installation_of(request)
    declared = acted(
        lambda: installation.decisions.emergencies.declare(
            body.system, body.reason, body.minutes, by=actor_of(viewer), sealed_code=body.sealed_code
        )
    )
    return _emergency(declared, installation.clock.now())


@router.post("/{number}/end", status_code=204, dependencies=[WholeJson])
def end_emergency(request: Request, viewer: Declarer, number: str, body: EmptyBody) -> None:  # noqa: ARG001 - it must be empty
    """End one's own emergency."""
    end_own(request, viewer, number)


@router.post("/{number}/review", status_code=204, dependencies=[WholeJson])
def review(request: Request, viewer: Reviewer, number: str, body: ReviewBody) -> None:
    """Review an emergency of somebody else."""
    acted(lambda: enter_review(request, viewer, number, body.verdict, body.note))


def _id_of(emergency: Emergency) -> str:
    return emergency.declared.id


def _emergency(emergency: Emergency, now: datetime) -> dict[str, Any]:
    declared = emergency.declared
    return {
        "id": declared.id,
        "person": declared.person,
        "system": declared.system,
        "reason": declared.reason,
        "start": declared.start.isoformat(),
        "end": declared.end.isoformat(),
        "open": now < declared.end,
        "sealed": declared.sealed,
        "review_due": emergency.review_due.isoformat(),
        "overdue": is_overdue(emergency, now),
    }
