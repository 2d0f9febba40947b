"""Decisions for records services: OpenID AuthZEN Authorization API 1.0.

Rules:
- Who asks has authenticated itself before a byte of the question is read; 401 is about the asker alone. A deny is a
  good answer: 200.
- One evaluation of a batch that cannot be read is a deny in its place; the rest is answered.
- An answer leaves once its event is durable: that is the decision service's promise, and nothing here catches what
  it raises.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Protocol, cast

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.web.certificates import certificate_of
from api.web.errors import ProblemError
from api.web.evaluations import BadEvaluationError, Evaluation, NotOursError, question_of, read_evaluation
from api.web.i_json import NotIJsonError, read_object
from api.web.oauth import machines_of
from api.web.security import address_of
from audit.access import Recorder
from audit.access.decisions.model import Answer, Effect, Question
from audit.access.machines import Machine
from audit.access.machines import Scope as MachineScope
from audit.access.strength import Acr
from audit.clock import Clock
from audit.texts import Texts

__all__ = ["NOT_OURS", "OPEN_PATHS", "Decider", "DecisionPoint", "StaffDecisions", "acr_values", "install_authzen"]

MAX_BODY = 256 * 1024
"""Bytes: a hundred evaluations with every field at its longest."""
MAX_EVALUATIONS = 100
_METADATA = "/.well-known/authzen-configuration"
OPEN_PATHS = frozenset({_METADATA})
"""Paths that need no proof: the metadata is for everybody."""
_REQUEST_ID = b"x-request-id"
_SEEN_EVERY, _SEEN_MOST = timedelta(seconds=20), 10_000
_LONG_AGO = datetime.min.replace(tzinfo=UTC)

_LARGE = Texts(f"本文は {MAX_BODY} バイトまでです", f"the body has at most {MAX_BODY} bytes")
_KIND = Texts("Content-Type は application/json です", "Content-Type must be application/json")
_OBJECT = Texts("オブジェクトでなければなりません", "must be an object")
_LIST = Texts("evaluations は配列です", "evaluations must be a list of objects")
_MANY = Texts(f"evaluations は {MAX_EVALUATIONS} 件までです", f"at most {MAX_EVALUATIONS} evaluations")
_SEMANTIC = Texts("options.evaluations_semantic が不正です", "options.evaluations_semantic: not one of the three")
_NOT_OURS = Texts(
    "この種類の利用者または対象については判断できません。",
    "Nothing is known here about a subject or resource of this kind.",
)

NOT_OURS = Answer(effect=Effect.DENY, reason="not_ours", texts=_NOT_OURS)
"""What became of an evaluation about something else than staff and records."""
_NOT_OURS_SHOWN = 5
_KIND_WORD = re.compile(r"[A-Za-z_-]{1,32}", re.ASCII)

Judged = Answer | BadEvaluationError
"""What became of one evaluation."""


class Decider(Protocol):
    """What decides; the event of an answer is durable when it returns."""

    def decide(self, question: Question) -> Answer:
        """Judge one question."""

    def decide_all(self, questions: Sequence[Question]) -> Sequence[Answer]:
        """Judge several, in their order, with one write."""


class DecisionPoint(Protocol):
    """What stands behind these routes."""

    def decide(self, evaluations: Sequence[Evaluation], machine: Machine) -> Sequence[Judged]:
        """Judge evaluations, in their order; in the place of one that cannot be read stands what is wrong with it.

        One about something of which nothing is known here is `NOT_OURS`, and is yet to be told.
        """

    def tell_not_ours(self, evaluations: Sequence[Evaluation], machine: Machine) -> None:
        """Record the evaluations of one request that were `NOT_OURS`; durable when it returns."""


class StaffDecisions:
    """Decisions about staff and residents' records.

    Args:
        decisions: what judges questions.
        recorder: the audit log, for what is no question.
        clock: the time.
        seen: told of a session whose person was allowed something: who works in a records service is not idle.
    """

    def __init__(
        self,
        decisions: Decider,
        recorder: Recorder,
        clock: Clock,
        seen: Callable[[str], None] = lambda _session: None,
    ) -> None:
        self._decisions = decisions
        self._recorder = recorder
        self._clock = clock
        self._seen = seen
        self._seen_at: dict[str, datetime] = {}

    def decide(self, evaluations: Sequence[Evaluation], machine: Machine) -> Sequence[Judged]:
        """Judge evaluations; one about something else than staff and records is denied, see `tell_not_ours`."""
        read = [_question(evaluation, machine.source) for evaluation in evaluations]
        questions = [question for question in read if isinstance(question, Question)]
        judged = self._judge(questions)
        self._show_life(
            {one.session for one, answer in zip(questions, judged, strict=True) if answer.effect is Effect.ALLOW}
        )
        answers = iter(judged)
        return [next(answers) if isinstance(one, Question) else one or NOT_OURS for one in read]

    def _judge(self, questions: Sequence[Question]) -> Sequence[Answer]:
        return [self._decisions.decide(questions[0])] if len(questions) == 1 else self._decisions.decide_all(questions)

    def _show_life(self, sessions: set[str]) -> None:
        """Tell of sessions, each once in a while: a decision should not wait for a write."""
        now = self._clock.now()
        for session in sessions - {""}:
            if not timedelta(0) <= now - self._seen_at.get(session, _LONG_AGO) < _SEEN_EVERY:
                if len(self._seen_at) >= _SEEN_MOST:
                    self._seen_at.clear()
                self._seen_at[session] = now
                self._seen(session)

    def tell_not_ours(self, evaluations: Sequence[Evaluation], machine: Machine) -> None:
        """One event for all that a request asked about nothing of ours: how many, and of what kinds most.

        What they name is not told: what identifies somebody elsewhere may be a name or a number of theirs.
        """
        kinds = Counter(f"{_kind(one.subject_type)}:{_kind(one.resource_type)}" for one in evaluations)
        self._recorder.record(
            {
                "time": self._clock.now().isoformat(),
                "activity": "authorize",
                "operation_name": "decision.not_ours",
                "outcome": "denied",
                "actor": {"id": machine.source, "kind": "system"},
                "target": {"system": machine.source},
                "unmapped": {
                    "count": str(len(evaluations)),
                    "kinds": [f"{kind} {number}" for kind, number in kinds.most_common(_NOT_OURS_SHOWN)],
                },
            }
        )


def _kind(word: str) -> str:
    """A kind, where it is a word: it is others' text as well."""
    return word if _KIND_WORD.fullmatch(word) else "-"


def _question(evaluation: Evaluation, system: str) -> Question | BadEvaluationError | None:
    """The question that an evaluation means; None when it is about nothing of ours."""
    try:
        return question_of(evaluation, system)
    except BadEvaluationError as error:
        return error
    except NotOursError:
        return None


# Who asks, and what -----------------------------------------------------------------------------------------------


def _asker(request: Request) -> Machine:
    """A dependency that lets only a system through that may ask."""
    return machines_of(request).authenticate_asker(
        request.headers.get("authorization", ""), certificate_of(request), address=address_of(request)
    )


_asker.scope = MachineScope.ACCESS_DECIDE  # type: ignore[attr-defined] # for a test that walks the routes
Asker = Annotated[Machine, Depends(_asker)]


async def _asked(request: Request, _machine: Asker) -> dict[str, Any]:
    """The body, read up to the limit and no further, once it is known who sends it."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise ProblemError(400, _KIND)
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY:
            raise ProblemError(413, _LARGE)
    try:
        return read_object(bytes(body))
    except NotIJsonError as error:
        raise ProblemError(400, error.texts) from error


Asked = Annotated[dict[str, Any], Depends(_asked)]
_TAKES_JSON: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
}
router = APIRouter()


@router.post("/access/v1/evaluation", openapi_extra=_TAKES_JSON)
async def evaluation(request: Request, machine: Asker, asked: Asked) -> Response:
    """One decision."""
    return await run_in_threadpool(_one, request, machine, asked)


@router.post("/access/v1/evaluations", openapi_extra=_TAKES_JSON)
async def evaluations(request: Request, machine: Asker, asked: Asked) -> Response:
    """Several decisions; without a list of them, one."""
    given = asked.get("evaluations", [])
    if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
        raise ProblemError(400, _LIST)
    if len(given) > MAX_EVALUATIONS:
        raise ProblemError(400, _MANY)
    return await run_in_threadpool(_several if given else _one, request, machine, asked)


@router.get(_METADATA)
def metadata(request: Request) -> Response:
    """Where decisions are made. The address comes from the settings, never from the Host header."""
    issuer = machines_of(request).rules.issuer
    return JSONResponse(
        {
            "policy_decision_point": issuer,
            "access_evaluation_endpoint": f"{issuer}/access/v1/evaluation",
            "access_evaluations_endpoint": f"{issuer}/access/v1/evaluations",
        }
    )


def _point(request: Request) -> DecisionPoint:
    return cast(DecisionPoint, request.app.state.decision_point)


def _one(request: Request, machine: Machine, asked: Mapping[str, Any]) -> Response:
    items = [_read(asked, {})]
    (judged,) = _judge(request, machine, items)
    _tell_not_ours(request, machine, items, [judged])
    if isinstance(judged, BadEvaluationError):
        raise ProblemError(400, judged.texts)
    return JSONResponse(_said(judged))


_STOPS_AT: Mapping[str, bool | None] = {
    "execute_all": None,
    "deny_on_first_deny": False,
    "permit_on_first_permit": True,
}
"""The decision after which the rest of a batch is not judged."""


def _several(request: Request, machine: Machine, asked: Mapping[str, Any]) -> Response:
    for name in ("subject", "action", "resource", "context", "options"):
        if not isinstance(asked.get(name, {}), dict):
            raise ProblemError(400, Texts(f"{name}: {_OBJECT.ja}", f"{name}: {_OBJECT.en}"))
    semantic = asked.get("options", {}).get("evaluations_semantic", "execute_all")
    if not isinstance(semantic, str) or semantic not in _STOPS_AT:
        raise ProblemError(400, _SEMANTIC)
    stop = _STOPS_AT[semantic]
    items = [_read(item, asked) for item in asked["evaluations"]]
    size = len(items) if stop is None else 1
    judged: list[Judged] = []
    for start in range(0, len(items), size):
        judged += _judge(request, machine, items[start : start + size])
        if stop is not None and _said(judged[-1])["decision"] is stop:
            break
    _tell_not_ours(request, machine, items, judged)
    return JSONResponse({"evaluations": [_said(one) for one in judged]})


def _read(given: Mapping[str, Any], defaults: Mapping[str, Any]) -> Evaluation | BadEvaluationError:
    try:
        return read_evaluation(given, defaults)
    except BadEvaluationError as error:
        return error


def _judge(request: Request, machine: Machine, items: Sequence[Evaluation | BadEvaluationError]) -> Sequence[Judged]:
    read = [item for item in items if isinstance(item, Evaluation)]
    answers = iter(_point(request).decide(read, machine) if read else ())
    return [next(answers) if isinstance(item, Evaluation) else item for item in items]


def _tell_not_ours(
    request: Request,
    machine: Machine,
    items: Sequence[Evaluation | BadEvaluationError],
    judged: Sequence[Judged],
) -> None:
    """Tell the log, before the answer leaves, what was asked about nothing of ours."""
    # What comes after the last judged one was not reached.
    foreign = [item for item, one in zip(items, judged, strict=False) if one is NOT_OURS]
    if found := [item for item in foreign if isinstance(item, Evaluation)]:
        _point(request).tell_not_ours(found, machine)


# What is answered -------------------------------------------------------------------------------------------------


def acr_values(acr: Acr) -> str:
    """The levels that are enough where one is asked for, the least first (RFC 9470)."""
    return " ".join(level for level in Acr if level.rank >= acr.rank)


def _said(judged: Judged) -> dict[str, Any]:
    """A decision as the standard has it; what is in `context` is ours, and a caller may ignore it."""
    if isinstance(judged, BadEvaluationError):
        return {
            "decision": False,
            "context": {"reason": "bad_evaluation", "error": {"status": 400, "message": judged.texts.en}},
        }
    context: dict[str, Any] = {"reason": judged.reason}
    context |= {name: value for name, value in (("id", judged.id), ("policy", judged.policy)) if value}
    if judged.effect is Effect.ALLOW:
        context |= {"life": judged.life.total_seconds(), "notes": list(judged.notes)}
        return {"decision": True, "context": context}
    context["reason_user"] = judged.texts._asdict()
    if judged.acr is not None:
        context["acr_values"] = acr_values(judged.acr)
    if judged.max_age is not None:
        context["max_age"] = int(judged.max_age.total_seconds())
    return {"decision": False, "context": context}


class _RequestIds:
    """Gives every answer of these routes the id that came with the request, refusals too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        named = b""
        if scope["type"] == "http" and scope["path"].startswith("/access/v1/"):
            named = dict(scope["headers"]).get(_REQUEST_ID, b"")

        async def with_id(message: Message) -> None:
            if named and message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), (_REQUEST_ID, named)]}
            await send(message)

        await self._app(scope, receive, with_id)


def install_authzen(app: FastAPI, point: DecisionPoint) -> None:
    """Give an application these routes.

    Args:
        app: the application; it has `install_oauth` already.
        point: what decides.
    """
    app.state.decision_point = point
    app.add_middleware(_RequestIds)
    app.include_router(router)
