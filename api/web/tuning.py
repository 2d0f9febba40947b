"""The pages of tuning: what is in force, the forms, previews, and the second person's decision.

Rules:
- Whoever may read changes sees them all; proposing and confirming need a fresh second factor, ending does not.
- A preview is made behind the page, which shows how far it is; it belongs to whoever made it, and others see it too.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from api.ledger_views import actor_of
from api.tuning import EXCEPTION_DAYS, REHEARSAL_DAYS
from api.tuning_views import TuningViews
from api.web.journal import record_look
from api.web.ledger import at_page, is_done
from api.web.queries import QueryError, read_day
from api.web.security import WholeForm, answer, installation_of, language_of, viewer_with
from audit.access import Permission, Viewer
from audit.clock import tokyo_date
from audit.tuning import (
    ExceptionTerms,
    ParameterTerms,
    Preview,
    Scope,
    Terms,
    TuningRefusedError,
    TuningUnknownError,
)
from dashboards.pages import Pages
from dashboards.tuning_model import ExceptionForm, ParametersForm

__all__ = ["Ender", "Reader", "Tuner", "found_change", "found_preview", "router", "start_preview"]

router = APIRouter(include_in_schema=False)

Reader = Annotated[Viewer, Depends(viewer_with(Permission.DETECTORS_CHANGE_READ))]
Tuner = Annotated[Viewer, Depends(viewer_with(Permission.DETECTORS_DETECTOR_TUNE))]
Ender = Annotated[Viewer, Depends(viewer_with(Permission.DETECTORS_CHANGE_END))]
Text = Annotated[str, Form()]
_BETWEEN = re.compile(r"[\s,、，;]+")
_MOST_TYPED = 20_000


def _pages(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    return pages


def _views(request: Request, viewer: Viewer) -> TuningViews:
    return TuningViews(installation_of(request), viewer)


def start_preview(request: Request, viewer: Viewer, terms: Terms, days: int = 0) -> Preview:
    """Begin a preview, which goes on behind the answer.

    Raises:
        TuningRefusedError: it could not be proposed like this, or not by this person.
    """
    maker = installation_of(request).previews
    preview = maker.begin(terms, by=actor_of(viewer), days=days)
    maker.start(preview)
    return preview


def found_preview(request: Request, number: str) -> Preview:
    """A preview, or 404."""
    try:
        return installation_of(request).tuning.preview(number)
    except TuningUnknownError as error:
        raise HTTPException(404) from error


def found_change(request: Request, number: str) -> None:
    """Insist that there is such a change: 404."""
    try:
        installation_of(request).tuning.change(number)
    except TuningUnknownError as error:
        raise HTTPException(404) from error


@router.get("/tuning")
def tuning(request: Request, viewer: Reader) -> Response:
    """What is in force, what waits, what is over."""
    record_look(request, viewer, "tuning.view")
    view = _views(request, viewer).overview()
    return answer(request, lambda ctx: _pages(request).tuning(ctx, view=view, done=is_done(request)))


# Exceptions


@router.get("/tuning/exceptions/new")
def new_exception(request: Request, viewer: Tuner) -> Response:
    """The form of an exception."""
    record_look(request, viewer, "tuning.exception_form")
    today = tokyo_date(installation_of(request).clock.now())
    return _exception(request, viewer, ExceptionForm(first=today.isoformat(), owner=""))


def _exception(request: Request, viewer: Viewer, form: ExceptionForm) -> Response:
    views, longest = _views(request, viewer), installation_of(request).tuning.longest.days
    whole = replace(form, detectors=views.detectors(), sources=views.sources(), longest=longest)
    return answer(
        request,
        lambda ctx: _pages(request).tuning_exception(at_page(ctx, "/tuning/exceptions"), form=whole),
        status=422 if form.error else 200,
    )


@router.post("/tuning/exceptions", dependencies=[WholeForm])
def try_exception(
    request: Request,
    viewer: Tuner,
    detector: Text = "",
    actors: Text = "",
    units: Text = "",
    source: Text = "",
    subjects: Text = "",
    weekday: Annotated[list[str] | None, Form()] = None,
    hour_from: Text = "",
    hour_to: Text = "",
    owner: Text = "",
    first: Text = "",
    last: Text = "",
) -> Response:
    """Preview an exception."""
    form = ExceptionForm(
        detector=detector, actors=actors, units=units, source=source, subjects=subjects,
        weekdays=tuple(weekday or ()), hour_from=hour_from, hour_to=hour_to, owner=owner, first=first, last=last,
    )  # fmt: skip
    try:
        preview = start_preview(request, viewer, _terms(form), EXCEPTION_DAYS)
    except (TuningRefusedError, QueryError) as error:
        language = language_of(request, viewer)
        words = error.texts.in_(language) if isinstance(error, QueryError) else error.text(language)
        return _exception(request, viewer, replace(form, error=words))
    return RedirectResponse(f"/tuning/previews/{preview.id}", status_code=303)


def _terms(form: ExceptionForm) -> ExceptionTerms:
    """What was typed, as terms.

    Raises:
        QueryError: a day cannot be read.
        TuningRefusedError: something else cannot be.
    """
    first, last = read_day(form.first, "from"), read_day(form.last, "to")
    if first is None or last is None:
        raise TuningRefusedError("period")
    numbers = (*form.weekdays, form.hour_from, form.hour_to)
    if any(one and (not one.isascii() or not one.isdecimal() or len(one) > 2) for one in numbers):
        raise TuningRefusedError("shape")
    scope = Scope(
        actors=_ids(form.actors),
        units=_ids(form.units),
        sources=(form.source,) if form.source else (),
        subjects=_ids(form.subjects),
        weekdays=tuple(sorted({int(day) for day in form.weekdays if day})),
        hours=_hours(form.hour_from, form.hour_to),
    )
    return ExceptionTerms(form.detector, scope, form.owner.strip(), first, last)


def _ids(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, _BETWEEN.split(text[:_MOST_TYPED]))))


def _hours(first: str, last: str) -> tuple[int, ...]:
    """The hours from one to another, over midnight where the second is the lower."""
    if not first and not last:
        return ()
    begin, end = int(first or last), int(last or first)
    if not {begin, end} <= set(range(24)):
        raise TuningRefusedError("shape")
    return tuple(sorted((begin + n) % 24 for n in range((end - begin) % 24 + 1)))


# Parameters


@router.get("/tuning/parameters/new")
def new_parameters(request: Request, viewer: Tuner, detector: str = "") -> Response:
    """The form of a detector's parameters."""
    record_look(request, viewer, "tuning.parameters_form", detector=detector)
    return _parameters(request, viewer, ParametersForm(detector=detector, days=str(REHEARSAL_DAYS)))


def _parameters(
    request: Request, viewer: Viewer, form: ParametersForm, typed: Mapping[str, str] | None = None
) -> Response:
    views = _views(request, viewer)
    known = form.detector in installation_of(request).previews.detectors()
    if form.detector and not known and not form.error:
        raise HTTPException(404)
    whole = replace(form, detectors=views.detectors(), detector=form.detector if known else "")
    if known:
        whole = replace(whole, title=views.detector(form.detector), fields=views.fields(form.detector, typed))
    return answer(
        request,
        lambda ctx: _pages(request).tuning_parameters(at_page(ctx, "/tuning/parameters"), form=whole),
        status=422 if form.error else 200,
    )


async def _typed_values(request: Request) -> dict[str, str]:
    """What was typed for each parameter, by its name."""
    form = await request.form()
    return {
        name.removeprefix("v-"): value.strip()[:40]
        for name, value in form.items()
        if name.startswith("v-") and isinstance(value, str)
    }


@router.post("/tuning/parameters", dependencies=[WholeForm])
def try_parameters(
    request: Request,
    viewer: Tuner,
    typed: Annotated[dict[str, str], Depends(_typed_values)],
    detector: Text = "",
    days: Text = "",
) -> Response:
    """Preview other values of a detector's parameters."""
    form = ParametersForm(detector=detector, days=days)
    try:
        values = {name: _value(text) for name, text in typed.items()}
        preview = start_preview(request, viewer, ParameterTerms(detector, values), _days(days, form.most_days))
    except TuningRefusedError as error:
        return _parameters(request, viewer, replace(form, error=error.text(language_of(request, viewer))), typed)
    return RedirectResponse(f"/tuning/previews/{preview.id}", status_code=303)


def _days(text: str, most: int) -> int:
    days = int(text) if text.isascii() and text.isdecimal() and len(text) <= 3 else 0
    if not 1 <= days <= most:
        raise TuningRefusedError("shape")
    return days


def _value(text: str) -> float | bool:
    if text in {"true", "false"}:
        return text == "true"
    try:
        return int(text) if re.fullmatch(r"\d{1,12}", text, re.ASCII) else float(text)
    except ValueError as error:
        raise TuningRefusedError("values") from error


# Previews and proposals


@router.get("/tuning/previews/{number}")
def preview_page(request: Request, viewer: Reader, number: str) -> Response:
    """A preview: how far it is, or its result."""
    found = found_preview(request, number)
    record_look(request, viewer, "tuning.preview_view", preview=found.id)
    return _preview(request, viewer, found)


def _preview(
    request: Request, viewer: Viewer, found: Preview, error: str | None = None, reason: str = "", ticket: str = ""
) -> Response:
    view = _views(request, viewer).preview(found, error=error, reason=reason, ticket=ticket)
    return answer(
        request,
        lambda ctx: _pages(request).tuning_preview(at_page(ctx, "/tuning/previews"), view=view),
        status=422 if error else 200,
    )


@router.post("/tuning/previews/{number}/proposal", dependencies=[WholeForm])
def propose(request: Request, viewer: Tuner, number: str, reason: Text = "", ticket: Text = "") -> Response:
    """Propose what was previewed."""
    found = found_preview(request, number)
    try:
        installation_of(request).tuning.propose(found.id, reason=reason, ticket=ticket, by=actor_of(viewer))
    except TuningRefusedError as error:
        return _preview(request, viewer, found, error.text(language_of(request, viewer)), reason, ticket)
    return RedirectResponse("/tuning?done=1", status_code=303)


@router.get("/tuning/changes/{number}")
def change_page(request: Request, viewer: Reader, number: str) -> Response:
    """One change with its preview."""
    found_change(request, number)
    record_look(request, viewer, "tuning.change_view", change=number)
    return _change(request, viewer, number)


def _change(request: Request, viewer: Viewer, number: str, error: str | None = None) -> Response:
    view = _views(request, viewer).change(installation_of(request).tuning.change(number), error)
    return answer(
        request,
        lambda ctx: _pages(request).tuning_change(at_page(ctx, "/tuning/changes"), view=view),
        status=409 if error else 200,
    )


@router.post("/tuning/changes/{number}/confirmation", dependencies=[WholeForm])
def confirm(request: Request, viewer: Tuner, number: str, digest: Text = "") -> Response:
    """Confirm somebody else's proposal."""
    found_change(request, number)
    try:
        installation_of(request).tuning.confirm(number, digest=digest, by=actor_of(viewer))
    except TuningRefusedError as error:
        return _change(request, viewer, number, error.text(language_of(request, viewer)))
    return RedirectResponse("/tuning?done=1", status_code=303)


@router.post("/tuning/changes/{number}/end", dependencies=[WholeForm])
def end(request: Request, viewer: Ender, number: str) -> Response:
    """End an exception, or drop a proposal."""
    found_change(request, number)
    try:
        installation_of(request).tuning.end(number, by=actor_of(viewer))
    except TuningRefusedError as error:
        return _change(request, viewer, number, error.text(language_of(request, viewer)))
    return RedirectResponse("/tuning?done=1", status_code=303)
