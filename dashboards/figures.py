"""The figures of the board: rows of numbers in, drawing and table twin out.

Rules:
- A figure never says more than its table: both are built from the same rows, and every number in either leads
  to the events (or alerts) behind it.
- Colour is never alone: numbers stand in the cells and at the bars, the worst severities are hatched too.
- The colours keep their order of lightness, so they survive colour blindness and a grey printer.
- Names come from logs and settings, and Plotly reads a small HTML in its labels: they are spelled out and
  escaped.
"""

import json
import math
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from html import escape
from typing import Any

import plotly.graph_objects as go

from dashboards.links import alerts_url, day_span, events_url
from dashboards.model import BoardSpan, Figure, Language, Texts
from dashboards.show import day, day_short, spelled
from dashboards.words import SEVERITIES, WEEKDAYS

__all__ = ["BAR", "activity_heatmap", "alerts_over_time", "drawn", "events_by_source", "label"]

_FONT = '"Noto Sans JP", "Noto Sans CJK JP", "Hiragino Sans", "Yu Gothic UI", Meiryo, sans-serif'
_CLEAR = "rgba(0,0,0,0)"
BAR = "#4a6aa8"
# Stops crowd at the low end: one look-up at midnight must be seen beside a thousand at noon.
_STOPS = (0.0, 0.004, 0.02, 0.08, 0.25, 0.55, 1.0)
_LIGHT = ("#e3e9f5", "#cdd8ee", "#aebfe2", "#869fd2", "#5b79ba", "#39569a", "#1f3a6e")
_DARK = ("#26324d", "#2f4068", "#3c5488", "#5070ad", "#7391cc", "#9fb6e2", "#d3dff5")
# On light, on dark, hatching: the contrast with the page grows with the severity in both.
_SEVERITY_LOOK = {
    "critical": ("#7a1530", "#ffb3c4", "x"),
    "high": ("#c9540f", "#f08c4b", "/"),
    "medium": ("#e3b23c", "#a9852c", ""),
    "low": ("#a9bccb", "#5a7184", ""),
}
_OFFICE_HOURS = (8, 17)
_TOTAL = Texts("計", "Total")


def label(text: str) -> str:
    """A name from a log or a setting, for Plotly's small HTML."""
    return escape(spelled(text), quote=False)


def drawn(build: Callable[[Language], tuple[list[Any], dict[str, Any]]], **meta: object) -> Texts:
    """The specification in each language, transparent, in the page's fonts; `board.js` adds the inks."""

    def one(language: Language) -> str:
        traces, layout = build(language)
        base: dict[str, Any] = {
            "template": go.layout.Template(),
            "paper_bgcolor": _CLEAR,
            "plot_bgcolor": _CLEAR,
            "font": {"family": _FONT, "size": 13},
            "margin": {"l": 8, "r": 16, "t": 16, "b": 8},
            "hoverlabel": {"font": {"family": _FONT, "size": 13}},
            "separators": ".,",
            "meta": meta,
        }
        figure = go.Figure(traces, base | layout)
        text: str = json.dumps(figure.to_plotly_json(), ensure_ascii=False, sort_keys=True)
        return text

    return Texts(one("ja"), one("en"))


def activity_heatmap(rows: Sequence[tuple[int, int, int]], *, span: BoardSpan) -> Figure:
    """When the systems are used: weekday against hour of the day.

    Args:
        rows: (weekday with Monday 0, hour, count of events); several rows of one cell are added up.
        span: The days covered, for the way down to the events.

    Returns:
        A heat map; office hours are framed, so that colour outside the frame is what needs a look.
    """
    counts: Counter[tuple[int, int]] = Counter()
    for weekday, hour, count in rows:
        counts[weekday, hour] += count

    hours = range(24 if counts.total() else 0)

    def url(weekday: int | None, hour: int) -> str:
        return events_url(
            **day_span(span.first_day, span.last_day),
            weekday="" if weekday is None else str(weekday),
            hour=str(hour),
        )

    def build(language: Language) -> tuple[list[Any], dict[str, Any]]:
        names = [name.in_(language) for name in WEEKDAYS.values()]
        unit, clock = ("件", "時台") if language == "ja" else (" events", ":00")
        heat = go.Heatmap(
            x=list(range(24)),
            y=names,
            z=[[counts[weekday, hour] or None for hour in range(24)] for weekday in range(7)],
            customdata=[[url(weekday, hour) for hour in range(24)] for weekday in range(7)],
            texttemplate="%{z:,}",
            textfont={"size": 11},
            hovertemplate=f"%{{y}} %{{x}}{clock}: %{{z:,}}{unit}<extra></extra>",
            coloraxis="coloraxis",
            xgap=2,
            ygap=2,
            hoverongaps=False,
        )
        first, last = _OFFICE_HOURS
        frame = {"type": "rect", "x0": first - 0.5, "x1": last + 0.5, "y0": -0.5, "y1": 4.5}
        layout = {
            "height": 340,
            "coloraxis": {
                "colorscale": [list(stop) for stop in zip(_STOPS, _LIGHT, strict=True)],
                "showscale": False,
            },
            "xaxis": {
                "dtick": 1,
                "range": [-0.5, 23.5],
                "fixedrange": True,
                "showgrid": False,
                "zeroline": False,
                "automargin": True,
                "title": {"standoff": 8, "text": "時" if language == "ja" else "Hour of the day"},
            },
            "yaxis": {"autorange": "reversed", "fixedrange": True, "showgrid": False, "automargin": True},
            "shapes": [frame | {"line": {"color": "#c9540f", "width": 2, "dash": "dot"}}],
        }
        return [heat], layout

    return Figure(
        id="activity-heatmap",
        title=Texts("いつ使われているか", "When the systems are used"),
        description=Texts(
            "曜日と時刻ごとの記録の件数です。点線の枠は平日の開庁時間帯(8時台〜17時台)、枠の外の色が時間外の利用です。",
            "Events by weekday and hour. The dotted frame is office hours on weekdays (8:00 to 17:59); "
            "colour outside it is out-of-hours use.",
        ),
        spec_json=drawn(build, dark=[list(stop) for stop in zip(_STOPS, _DARK, strict=True)]),
        columns=[Texts("時刻", "Hour"), *WEEKDAYS.values(), _TOTAL],
        rows=[
            (
                Texts(f"{hour}時台", f"{hour:02}:00"),
                *(counts[weekday, hour] for weekday in range(7)),
                sum(counts[weekday, hour] for weekday in range(7)),
            )
            for hour in hours
        ],
        links=[(None, *(url(weekday, hour) for weekday in range(7)), url(None, hour)) for hour in hours],
        csv_name="activity-heatmap.csv",
    )


def events_by_source(rows: Sequence[tuple[str, Texts, int]], *, span: BoardSpan) -> Figure:
    """How much each system sends.

    Args:
        rows: (source id, its name, count of events).
        span: The days covered, for the way down to the events.

    Returns:
        Horizontal bars, the largest first.
    """
    ranked = sorted(rows, key=lambda row: (-row[2], row[0]))
    urls = [events_url(**day_span(span.first_day, span.last_day), source=source) for source, _, _ in ranked]

    def build(language: Language) -> tuple[list[Any], dict[str, Any]]:
        unit = "件" if language == "ja" else " events"
        bars = go.Bar(
            orientation="h",
            x=[count for _, _, count in ranked],
            # Two systems may bear one name; a bar belongs to the id.
            y=[source for source, _, _ in ranked],
            customdata=urls,
            marker={"color": BAR},
            texttemplate="%{x:,}",
            textposition="outside",
            cliponaxis=False,
            hovertext=[label(name.in_(language)) for _, name, _ in ranked],
            hovertemplate=f"%{{hovertext}}: %{{x:,}}{unit}<extra></extra>",
        )
        layout = {
            "height": 70 + 40 * len(ranked),
            "bargap": 0.35,
            "margin": {"l": 8, "r": 72, "t": 8, "b": 8},
            "xaxis": {
                "fixedrange": True,
                "rangemode": "tozero",
                "tickformat": ",d",
                "nticks": 6,
                "automargin": True,
            },
            "yaxis": {
                "type": "category",
                "autorange": "reversed",
                "fixedrange": True,
                "automargin": True,
                "showgrid": False,
                "tickmode": "array",
                "tickvals": [source for source, _, _ in ranked],
                "ticktext": [label(name.in_(language)) + "  " for _, name, _ in ranked],
            },
        }
        return [bars], layout

    return Figure(
        id="events-by-source",
        title=Texts("どのシステムの記録か", "Which systems send events"),
        description=Texts(
            "システムごとの記録の件数です。ふだんより極端に少ないシステムは、記録が届いていないおそれがあります。",
            "Events by system. A system far below its usual may have stopped sending.",
        ),
        spec_json=drawn(build),
        columns=[Texts("システム", "System"), Texts("件数", "Events")],
        rows=[(name, count) for _, name, count in ranked],
        links=[(None, url) for url in urls],
        csv_name="events-by-source.csv",
    )


def alerts_over_time(rows: Sequence[tuple[date, str, int]], *, span: BoardSpan, detector: str = "") -> Figure:
    """How many alerts each day brought.

    Args:
        rows: (day, severity, count of alerts); several rows of one cell are added up.
        span: The days covered; a day without alerts is shown as none.
        detector: The one whose alerts these are; empty for all.

    Returns:
        Stacked bars, the least severe at the bottom.
    """
    counts: Counter[tuple[date, str]] = Counter()
    for on, severity, count in rows:
        counts[on, severity] += count
    # A row outside the span or the vocabulary is drawn all the same: the figure must not lose an alert.
    seen = {on for on, _ in counts}
    ends = {span.first_day, span.last_day} | seen
    days = [min(ends) + timedelta(days=n) for n in range((max(ends) - min(ends)).days + 1)]
    severities = [*SEVERITIES, *sorted({severity for _, severity in counts} - set(SEVERITIES))]

    highest = max((sum(counts[on, severity] for severity in severities) for on in days), default=0)

    def url(on: date, severity: str) -> str:
        return alerts_url(severity=severity, detector=detector, from_=str(on), to=str(on))

    def name(severity: str) -> Texts:
        return SEVERITIES.get(severity, Texts.same(severity))

    def build(language: Language) -> tuple[list[Any], dict[str, Any]]:
        unit = "件" if language == "ja" else " alerts"
        bars = []
        for severity in reversed(severities):
            light, dark, hatching = _SEVERITY_LOOK.get(severity, ("#767676", "#767676", ""))
            bars.append(
                go.Bar(
                    name=label(name(severity).in_(language)),
                    x=[str(on) for on in days],
                    y=[counts[on, severity] for on in days],
                    customdata=[url(on, severity) for on in days],
                    meta={"dark": dark},
                    marker={
                        "color": light,
                        "pattern": {
                            "shape": hatching,
                            "fillmode": "overlay",
                            "fgcolor": "rgba(255,255,255,.55)",
                            "size": 6,
                            "solidity": 0.2,
                        },
                    },
                    hovertext=[day(on, language) for on in days],
                    hovertemplate=f"%{{hovertext}}<br>%{{fullData.name}}: %{{y:,}}{unit}<extra></extra>",
                )
            )
        step = max(1, len(days) // 10)
        layout = {
            "height": 320,
            "barmode": "stack",
            "bargap": 0.25,
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "traceorder": "reversed"},
            "xaxis": {
                "type": "category",
                "fixedrange": True,
                "tickmode": "array",
                "tickvals": [str(on) for on in days[::step]],
                "ticktext": [day_short(on, language) for on in days[::step]],
                "tickangle": 0,
                "automargin": True,
                "showgrid": False,
            },
            "yaxis": {
                "fixedrange": True,
                "rangemode": "tozero",
                "tickformat": ",d",
                "dtick": max(1, math.ceil(highest / 5)),  # alerts come whole
                "automargin": True,
            },
        }
        return bars, layout

    shown = days if counts.total() else []
    return Figure(
        id="alerts-over-time",
        title=Texts("警告の推移", "Alerts over time"),
        description=Texts(
            "日ごとの警告の件数を重大度で分けています。棒を選ぶとその日の警告を開きます。",
            "Alerts by day and severity. Choose a bar to open that day's alerts.",
        ),
        spec_json=drawn(build),
        columns=[Texts("日", "Day"), *(name(severity) for severity in severities), _TOTAL],
        rows=[
            (
                Texts(day(on, "ja"), day(on, "en")),
                *(counts[on, severity] for severity in severities),
                sum(counts[on, severity] for severity in severities),
            )
            for on in shown
        ],
        links=[(None, *(url(on, severity) for severity in severities), url(on, "")) for on in shown],
        csv_name="alerts-over-time.csv",
    )
