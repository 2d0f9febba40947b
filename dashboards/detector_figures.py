"""The figures of a scorecard: against the goals, beside simpler programs, by kind of incident.

The rules of `dashboards.figures` hold. Every share stands with its 95 % interval: a town has few incidents of a kind,
and a bar alone would claim more than was seen.
"""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from dashboards.detector_model import DetectorScoreRow, Goal, Measured, ProgramScore
from dashboards.detector_words import GOALS, INCIDENTS, PROGRAMS
from dashboards.figures import BAR, drawn, label
from dashboards.links import detector_url
from dashboards.model import Figure, Language, Texts
from dashboards.show import number

__all__ = ["compared", "detector_table", "goal_text", "goals_met", "kinds_found", "percent"]

_MET, _MET_DARK = "#24613f", "#86d3a6"
_MISSED, _MISSED_DARK = "#c9540f", "#f08c4b"
_PROGRAM_LOOK = (("#1f3a6e", "#a9c0f2", ""), ("#8ea2c8", "#5b73a6", "/"), ("#c9540f", "#f08c4b", "x"))
_OWN = Texts("見守り", "Mimamori")
_NONE = Texts.same("–")


def percent(share: float) -> str:
    """A share as people read it."""
    return f"{number(round(100 * share, 1))} %"


def _said(share: Measured) -> Texts:
    if share.value is None:
        return _NONE
    return Texts.same(f"{percent(share.value)} ({share.hits:,}/{share.of:,})")


def _between(share: Measured) -> Texts:
    return _NONE if share.value is None else Texts.same(f"{percent(share.low)} – {percent(share.high)}")


def _errors(shares: Sequence[Measured]) -> dict[str, Any]:
    """Interval bars of some shares, in per cent."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [100 * (one.high - (one.value or 0.0)) for one in shares],
        "arrayminus": [100 * ((one.value or 0.0) - one.low) for one in shares],
        "thickness": 1.5,
        "width": 4,
    }


def _hatched(shape: str) -> dict[str, Any]:
    return {"shape": shape, "fillmode": "overlay", "fgcolor": "rgba(255,255,255,.55)", "size": 6, "solidity": 0.2}


_SHARE_AXIS: dict[str, Any] = {
    "range": [-2, 108],
    "tickvals": [0, 20, 40, 60, 80, 100],
    "ticktext": [f"{share} %" for share in (0, 20, 40, 60, 80, 100)],
    "fixedrange": True,
    "zeroline": False,
    "automargin": True,
}
_NAMES: dict[str, Any] = {
    "type": "category",
    "autorange": "reversed",
    "fixedrange": True,
    "automargin": True,
    "showgrid": False,
    "tickmode": "array",
}


def goal_text(goal: Goal) -> Texts:
    """What was asked."""
    if goal.id == "days":
        return Texts(f"{number(goal.asked)} 営業日以内", f"within {number(goal.asked)} working day")
    asked = percent(goal.asked)
    return Texts(f"{asked} 以上", f"at least {asked}") if goal.at_least else Texts(f"{asked} 以下", f"at most {asked}")


def _measured(goal: Goal) -> Texts:
    if goal.value is None:
        return _NONE
    if goal.id == "days":
        return Texts(f"{number(goal.value)} 日", f"{number(goal.value)} days")
    return _said(goal.share) if goal.share else Texts.same(percent(goal.value))


def goals_met(goals: Sequence[Goal]) -> Figure:
    """What was measured against what was asked.

    Args:
        goals: those that are shares are drawn, all are in the table.

    Returns:
        A point with its interval on a line for each; a stroke marks the goal.
    """
    shown = [goal for goal in goals if goal.share is not None]

    def build(language: Language) -> tuple[list[Any], dict[str, Any]]:
        marks = []
        for met, colour, dark, symbol, name in (
            (True, _MET, _MET_DARK, "circle", Texts("達成", "Met")),
            (False, _MISSED, _MISSED_DARK, "x", Texts("未達", "Missed")),
        ):
            of = [goal for goal in shown if goal.met is met]
            shares = [goal.share for goal in of if goal.share]
            marks.append(
                go.Scatter(
                    name=name.in_(language),
                    x=[100 * (share.value or 0.0) for share in shares],
                    y=[goal.id for goal in of],
                    error_x=_errors(shares),
                    mode="markers+text",
                    meta={"dark": dark},
                    marker={"color": colour, "size": 13, "symbol": symbol},
                    text=[percent(goal.value or 0.0) for goal in of],
                    textposition="top center",
                    cliponaxis=False,
                    hovertemplate="%{text}<extra></extra>",
                )
            )
        strokes = [
            {"type": "line", "x0": 100 * goal.asked, "x1": 100 * goal.asked, "y0": place - 0.2, "y1": place + 0.2}
            | {"line": {"color": BAR, "width": 3}}
            for place, goal in enumerate(shown)
        ]
        layout = {
            "height": 110 + 58 * len(shown),
            "shapes": strokes,
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
            "margin": {"l": 8, "r": 24, "t": 24, "b": 8},
            "xaxis": _SHARE_AXIS,
            "yaxis": _NAMES
            | {
                # Both traces name only some of them: the order is that of the goals.
                "categoryorder": "array",
                "categoryarray": [goal.id for goal in shown],
                "range": [len(shown) - 0.4, -0.6],
                "autorange": False,
                "tickvals": [goal.id for goal in shown],
                "ticktext": [
                    f"{GOALS[goal.id].in_(language)}  <br>{goal_text(goal).in_(language)}  " for goal in shown
                ],
            },
        }
        return marks, layout

    return Figure(
        id="goals",
        title=Texts("目標に届いているか", "Against the goals"),
        description=Texts(
            "青い線が目標、印が実測、横の線が 95 % の幅です。幅が広いのは、事案の数が少ないためです。",
            "The blue stroke is the goal, the mark what was measured, the line its 95 % interval: wide where incidents "
            "are few.",
        ),
        spec_json=drawn(build),
        columns=[
            Texts("目標の項目", "Goal"),
            Texts("目標", "Asked"),
            Texts("実測", "Measured"),
            Texts("95 % の幅", "95 % interval"),
            Texts("結果", "Result"),
        ],
        rows=[
            (
                GOALS[goal.id],
                goal_text(goal),
                _measured(goal),
                _between(goal.share) if goal.share else _NONE,
                Texts("達成", "Met") if goal.met else Texts("未達", "Missed"),
            )
            for goal in goals
        ],
        links=[(None,) * 5 for _ in goals],
        csv_name="goals.csv",
    )


def compared(programs: Sequence[ProgramScore]) -> Figure:
    """Mimamori beside simpler programs, at the same budget.

    Args:
        programs: Mimamori first.

    Returns:
        For each of them what it found, how much of it was true, and which harmless look-alikes it flagged.
    """
    measures = (
        (Texts("見つけた事案", "Incidents found"), [one.recall for one in programs]),
        (Texts("案件のうち本当の事案", "Cases that were true"), [one.precision for one in programs]),
        (
            Texts("疑ってしまった正当な例（少ないほどよい）", "Look-alikes flagged (fewer is better)"),
            [one.traps for one in programs],
        ),
    )

    def name(program: ProgramScore) -> Texts:
        return PROGRAMS.get(program.name, Texts.same(program.name)) if program.name else _OWN

    def build(language: Language) -> tuple[list[Any], dict[str, Any]]:
        bars = [
            go.Bar(
                orientation="h",
                name=title.in_(language),
                x=[100 * (share.value or 0.0) for share in shares],
                y=[one.name for one in programs],
                error_x=_errors(shares) | {"color": "#767676"},
                meta={"dark": dark},
                marker={
                    "color": light,
                    "pattern": _hatched(hatching),
                },
                text=[_said(share).ja for share in shares],
                textposition="none",
                hovertemplate="%{fullData.name}: %{text}<extra></extra>",
            )
            for (title, shares), (light, dark, hatching) in zip(measures, _PROGRAM_LOOK, strict=True)
        ]
        layout = {
            "height": 90 + 90 * len(programs),
            "barmode": "group",
            "bargap": 0.3,
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
            "margin": {"l": 8, "r": 24, "t": 24, "b": 8},
            "xaxis": _SHARE_AXIS,
            "yaxis": _NAMES
            | {
                "tickvals": [one.name for one in programs],
                "ticktext": [label(name(one).in_(language)) + "  " for one in programs],
            },
        }
        return bars, layout

    return Figure(
        id="programs",
        title=Texts("ほかの方法と比べて", "Beside simpler programs"),
        description=Texts(
            "同じ町の同じ記録を、同じ件数だけ確認した場合の比較です。細い線は 95 % の幅です。",
            "The same log of the same town, the same number of cases to review. Thin lines are 95 % intervals.",
        ),
        spec_json=drawn(build),
        columns=[Texts("方法", "Program"), *(title for title, _ in measures)],
        rows=[(name(one), _said(one.recall), _said(one.precision), _said(one.traps)) for one in programs],
        links=[(None,) * 4 for _ in programs],
        csv_name="programs.csv",
    )


def kinds_found(kinds: Sequence[tuple[str, Measured]], goal: float) -> Figure:
    """How many incidents of each kind were found.

    Args:
        kinds: each with what was found of it.
        goal: the share that is asked of every kind.

    Returns:
        Bars, the worst first.
    """
    ranked = sorted(kinds, key=lambda kind: (kind[1].value or 0.0, -kind[1].of, kind[0]))

    def name(kind: str) -> Texts:
        return INCIDENTS.get(kind, Texts.same(kind))

    def build(language: Language) -> tuple[list[Any], dict[str, Any]]:
        bars = []
        for met, colour, dark, title in (
            (False, _MISSED, _MISSED_DARK, Texts("目標に届かない種類", "Below the goal")),
            (True, BAR, BAR, Texts("目標に届いた種類", "Goal met")),
        ):
            of = [kind for kind in ranked if ((kind[1].value or 0.0) >= goal) is met]
            bars.append(
                go.Bar(
                    orientation="h",
                    name=title.in_(language),
                    x=[100 * (share.value or 0.0) for _, share in of],
                    y=[kind for kind, _ in of],
                    meta={"dark": dark},
                    marker={
                        "color": colour,
                        "pattern": _hatched("" if met else "/"),
                    },
                    text=[f"{share.hits} / {share.of}" for _, share in of],
                    textposition="outside",
                    cliponaxis=False,
                    hovertext=[label(name(kind).in_(language)) for kind, _ in of],
                    hovertemplate="%{hovertext}: %{text}<extra></extra>",
                )
            )
        stroke = {"type": "line", "x0": 100 * goal, "x1": 100 * goal, "yref": "paper", "y0": 0, "y1": 1}
        layout = {
            "height": 90 + 21 * len(ranked),
            "barmode": "overlay",
            "bargap": 0.25,
            "shapes": [stroke | {"line": {"color": BAR, "width": 2, "dash": "dot"}}],
            "legend": {"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0},
            "margin": {"l": 8, "r": 40, "t": 24, "b": 8},
            "xaxis": _SHARE_AXIS,
            "yaxis": _NAMES
            | {
                "categoryorder": "array",
                "categoryarray": [kind for kind, _ in ranked],
                "tickvals": [kind for kind, _ in ranked],
                "ticktext": [label(name(kind).in_(language)) + "  " for kind, _ in ranked],
            },
        }
        return bars, layout

    return Figure(
        id="kinds",
        title=Texts("事案の種類ごとに見つけた割合", "Found, by kind of incident"),
        description=Texts(
            "町に仕込んだ事案のうち、確認できる件数の中で見つけたものです。苦手な種類が上、点線が目標です。",
            "Of the incidents planted in the town, those found within the cases there is time for. The worst kinds are "
            "on top, the dotted line is the goal.",
        ),
        spec_json=drawn(build),
        columns=[
            Texts("種類", "Kind"),
            Texts("識別名", "Name"),
            Texts("見つけた数", "Found"),
            Texts("仕込んだ数", "Planted"),
            Texts("95 % の幅", "95 % interval"),
        ],
        rows=[(name(kind), Texts.same(kind), share.hits, share.of, _between(share)) for kind, share in ranked],
        links=[(None,) * 5 for _ in ranked],
        csv_name="kinds.csv",
    )


def detector_table(rows: Sequence[DetectorScoreRow]) -> Figure:
    """Each detector's worth, as a table for download; nothing is drawn."""
    return Figure(
        id="detectors",
        title=Texts("検知器ごとの成績", "Each detector's worth"),
        description=Texts(
            "「これがない場合」は、その検知器の検知を除いて案件を並べ直したときの値です。",
            "Without it: the same findings, ranked again without those of the detector.",
        ),
        spec_json=Texts("", ""),
        columns=[
            Texts("検知器", "Detector"),
            Texts("識別子", "Id"),
            Texts("検知", "Findings"),
            Texts("うち本当の事案", "Of these true"),
            Texts("見つけた事案", "Incidents found"),
            Texts("疑ってしまった正当な例", "Look-alikes flagged"),
            Texts("これがない場合に見つかる事案", "Incidents found without it"),
            Texts("これがない場合に本当の案件", "Cases true without it"),
        ],
        rows=[
            (
                one.title,
                Texts.same(one.id),
                one.findings,
                _said(one.precision),
                one.found,
                one.traps,
                _said(one.recall_without),
                _said(one.precision_without),
            )
            for one in rows
        ],
        links=[(detector_url(one.id) if one.has_page else None, *(None,) * 7) for one in rows],
        csv_name="detectors.csv",
    )
