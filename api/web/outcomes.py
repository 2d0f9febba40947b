"""What became of outputs: a records service says, once, how an output ended that it was allowed.

`POST /access/v1/outcomes` with `{"decision": id, "outcome": "success" | "failure", "rows": n}`, by the system that
asked for the decision. There is no body in the answer; no such decision, one of another system and one that was
confirmed before are the same 404.
"""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool

from api.web.authzen import Asked, Asker
from api.web.errors import ProblemError
from api.web.security import installation_of
from audit.access.decisions import ConfirmRefusedError
from audit.texts import Texts

__all__ = ["router"]

router = APIRouter()
_MOST_ROWS = 10**9


class OutcomeBody(BaseModel):
    """How an output ended. `rows`: how many records left; none where that is not known."""

    model_config = ConfigDict(extra="forbid", strict=True)

    decision: str = Field(min_length=1, max_length=100)
    outcome: Literal["success", "failure"]
    rows: int | None = Field(default=None, ge=0, le=_MOST_ROWS)


def _read(asked: Asked) -> OutcomeBody:
    """The body as it must be.

    Raises:
        ProblemError: naming the fields that are not, never what was in them.
    """
    try:
        return OutcomeBody.model_validate(asked)
    except ValidationError as error:
        # Only names of our own: an unknown field's name is the caller's text.
        named = {str(fault["loc"][0]) for fault in error.errors() if fault["loc"]} & set(OutcomeBody.model_fields)
        listed = ", ".join(sorted(named)) or "-"
        raise ProblemError(
            422, Texts(f"入力を確かめてください: {listed}", f"Please check the input: {listed}")
        ) from error


_SCHEMA: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": OutcomeBody.model_json_schema()}}}
}


@router.post("/access/v1/outcomes", status_code=204, openapi_extra=_SCHEMA)
async def outcome(request: Request, machine: Asker, said: Annotated[OutcomeBody, Depends(_read)]) -> Response:
    """Confirm an output."""
    decisions = installation_of(request).decisions.service
    try:
        await run_in_threadpool(
            decisions.confirm, said.decision, system=machine.source, outcome=said.outcome, rows=said.rows
        )
    except ConfirmRefusedError as error:
        raise HTTPException(404) from error
    return Response(status_code=204)
