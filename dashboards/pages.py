"""The pages: values in, HTML out.

Rules:
- No page decides anything: what may be seen was decided before its values were made.
- Everything printed goes through `show.visible` by default (the environment's `finalize`), so forgetting a
  filter is harmless. Inside attributes, where markup cannot stand, templates use `attr`, `plain` or `href`.
- No inline script, handler or style, so that the strict Content-Security-Policy holds. A figure's numbers
  travel in a data block, which browsers do not run.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from dashboards import links, show, words
from dashboards.access_pages import AccessPages
from dashboards.detector_pages import DetectorPages
from dashboards.detector_words import DETECTOR_STATES
from dashboards.ledger_pages import LedgerPages
from dashboards.model import (
    AlertFilters,
    AlertRow,
    AlertSummary,
    AlertView,
    BaselineRow,
    BoardSpan,
    EventFilters,
    EventRow,
    EventView,
    Figure,
    Language,
    PageContext,
    Texts,
)
from dashboards.navigation import menu
from dashboards.rights_pages import RightsPages
from dashboards.sections import event_sections
from dashboards.source_model import ATTENTION, SourcesView, SourceView
from dashboards.texts import text
from dashboards.tuning_pages import TuningPages

__all__ = ["STATIC", "Pages"]

STATIC = Path(__file__).parent / "static"
_TEMPLATES = Path(__file__).parent / "templates"
_BAR_WIDTH = 240
_BOARD_DAYS = (7, 30, 90)
_BARS_HEIGHT, _WEEK_STEP, _MONTH_STEP = 20, 8, 4


class Pages(AccessPages, RightsPages, LedgerPages, TuningPages, DetectorPages):
    """Renders every page. Building it reads no template yet; it is safe to share between threads."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=show.visible,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        filters: dict[str, Callable[..., str]] = {
            "attr": _attribute,
            "href": lambda url: escape(links.local(url)),
            "lines": _lines,
            "number": show.number,
            "size": show.size,
            "plain": lambda value: _attribute(show.spelled(str(value))),
        }
        self._environment.filters |= filters
        self._environment.globals |= {
            "alert_url": links.alert_url,
            "month_bars": partial(_day_bars, step=_MONTH_STEP),
            "week_bars": _day_bars,
            "alerts_url": links.alerts_url,
            "around_url": links.around_url,
            "day_span": links.day_span,
            "detector_url": links.detector_url,
            "detectors_url": links.detectors_url,
            "enrol_url": links.enrol_url,
            "event_url": links.event_url,
            "menu": menu,
            "events_url": links.events_url,
            "source_url": links.source_url,
            "user_url": links.user_url,
            "pairs": lambda choices: [(choice.value, choice.name) for choice in choices],
            "vocabulary": {
                "how": words.HOWS,
                "activity": words.ACTIVITIES,
                "detector_state": DETECTOR_STATES,
                "outcome": words.OUTCOMES,
                "right_difference": words.RIGHT_DIFFERENCES,
                "severity": words.SEVERITIES,
                "status": words.STATUSES,
                "tally": words.TALLIES,
                "verdict": words.VERDICTS,
                "weekday": words.WEEKDAYS,
            },
        }

    def alerts(
        self,
        ctx: PageContext,
        *,
        rows: Sequence[AlertRow],
        filters: AlertFilters,
        summary: AlertSummary,
        next_page: str | None,
    ) -> str:
        """The list of alerts under one plain sentence."""
        broken = [detector for detector in summary.detectors if detector.state != "ok"]
        runs = [detector.last_run for detector in summary.detectors if detector.last_run]
        narrowed = any((filters.status, filters.severity, filters.detector, filters.from_, filters.to, filters.about))
        return self._render(
            "alerts.html",
            ctx,
            rows=rows,
            filters=filters,
            summary=summary,
            next_page=next_page,
            broken=broken,
            last_run=max(runs, default=None),
            narrowed=narrowed,
        )

    def alert(self, ctx: PageContext, *, alert: AlertView) -> str:
        """One alert as a story on one screen."""
        readable = "sources:source:read" in ctx.permissions and alert.source_page
        source_page = links.source_url(alert.source_page) if readable else None
        bars = _bars(alert.baseline)
        return self._render("alert.html", ctx, alert=alert, row=alert.row, bars=bars, source_page=source_page)

    def events(
        self,
        ctx: PageContext,
        *,
        filters: EventFilters,
        rows: Sequence[EventRow],
        total: int | None,
        next_page: str | None,
        error: str | None,
    ) -> str:
        """The search of the log and its results."""
        return self._render(
            "events.html", ctx, filters=filters, rows=rows, total=total, next_page=next_page, error=error
        )

    def event(self, ctx: PageContext, *, event: EventView) -> str:
        """One event, every field of it."""
        return self._render("event.html", ctx, event=event, row=event.row, sections=event_sections(event))

    def board(self, ctx: PageContext, *, figures: Sequence[Figure], span: BoardSpan) -> str:
        """The figures, each with its table twin."""
        presets = [(days, span.last_day - timedelta(days=days - 1)) for days in _BOARD_DAYS]
        specs = self._specs(ctx, figures)
        return self._render("board.html", ctx, figures=figures, span=span, presets=presets, specs=specs)

    def _specs(self, ctx: PageContext, figures: Sequence[Figure]) -> dict[str, Markup]:
        return {figure.id: _data_block(figure.spec_json.in_(ctx.language)) for figure in figures}

    def sources(self, ctx: PageContext, *, view: SourcesView) -> str:
        """The systems and whether their events arrive."""
        groups = {
            "attention": [row for row in view.rows if row.state in ATTENTION],
            "ok": [row for row in view.rows if row.state == "ok"],
            "never": [row for row in view.rows if row.state not in {*ATTENTION, "ok"}],
        }
        counts = Counter(row.state for row in view.rows)
        tallies = [(state, counts[state]) for state in words.TALLIES if counts[state]]
        return self._render("sources.html", ctx, view=view, tallies=tallies, **groups)

    def source(self, ctx: PageContext, *, view: SourceView, lives: Sequence[int], done: bool = False) -> str:
        """One system: what is missing, what came, what its profile says, what it sends with.

        Args:
            ctx: the request.
            view: the system.
            lives: for how many days a credential may be issued, the last one by default.
            done: whether its credentials have just been changed.
        """
        if done:
            ctx = replace(ctx, notice=text("credentials.done", ctx.language))
        open_gaps = [gap for gap in view.gaps if gap.status == "open"]
        return self._render(
            "source.html", ctx, view=view, row=view.row, profile=view.profile, lives=lives, open_gaps=open_gaps
        )

    def onward(self, ctx: PageContext, *, url: str) -> str:
        """A page that leads on at once: an address of ours, or of a system that is registered."""
        return self._render("onward.html", ctx, url=url)

    def denied(self, ctx: PageContext, *, reason: Texts) -> str:
        """Why a records service was not opened, for whoever was led here by its entrance."""
        return self._render("denied.html", ctx, reason=reason)

    def message(self, ctx: PageContext, *, title: str, text: str, status: int) -> str:
        """A page that says why there is nothing else to show."""
        return self._render("message.html", ctx, title=title, text=text, status=status)

    def _render(self, template: str, ctx: PageContext, **values: object) -> str:
        language = ctx.language
        tools: dict[str, Callable[..., object]] = {
            "busy_days": lambda days: _per_day([(day, count) for day, count in days if count], language),
            "day": partial(_in_language, show.day, language),
            "moment": partial(_in_language, show.moment, language),
            "per_day": lambda days: _per_day(days, language),
            "span_of": partial(_in_language, show.span, language),
            "t": lambda key, **places: text(key, language, **places),
            "tx": lambda texts: texts.in_(language) if isinstance(texts, Texts) else texts,
            "when": partial(_time_element, language),
            "word": lambda group, value: words.word(group, value, language),
        }
        html = self._environment.get_template(template).render(ctx=ctx, **tools, **values)
        # The last place where a lone surrogate out of a JSON log could still break the response.
        return html.encode("utf-8", errors="replace").decode("utf-8")


def _in_language(write: Callable[..., str], language: Language, *values: Any) -> str:  # noqa: ANN401 - passed through
    return write(*values, language)


def _per_day(days: Sequence[tuple[date, int]], language: Language) -> str:
    return " ".join(f"{show.day_short(day, language)}: {count:,}" for day, count in days)


def _lines(value: str) -> Markup:
    """Text of several lines: the one place where a line feed is meant."""
    return Markup("<br>").join(show.visible(line) for line in value.splitlines())


def _attribute(value: object) -> Markup:
    return escape(str(value))


def _time_element(language: Language, at: datetime, *, seconds: bool = False) -> Markup:
    shown = show.moment(at, language, seconds=seconds)
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(), shown)


def _bars(baseline: Sequence[BaselineRow]) -> list[tuple[BaselineRow, int]]:
    """Each row with the length of its bar; a value that is not nothing stays visible."""
    longest = max((row.value for row in baseline), default=0)
    if longest <= 0:
        return [(row, 0) for row in baseline]
    return [(row, max(2, round(_BAR_WIDTH * row.value / longest)) if row.value > 0 else 0) for row in baseline]


def _day_bars(days: Sequence[tuple[date, int]], step: int = _WEEK_STEP) -> list[tuple[int, int]]:
    """Left edge and height of each day's bar; a day that is not nothing stays visible."""
    most = max((count for _, count in days), default=0)
    heights = [max(2, round(_BARS_HEIGHT * count / most)) if count else 0 for _, count in days]
    return [(place * step, height) for place, height in enumerate(heights)]


def _data_block(spec: str) -> Markup:
    """JSON that cannot end its script element, however hostile the names inside."""
    safe = spec.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    return Markup(safe)  # noqa: S704 - nothing that HTML reads is left
