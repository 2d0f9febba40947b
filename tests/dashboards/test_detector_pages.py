"""The pages about detectors and scorecards, with ordinary and with hostile values."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from test_pages import check_accessible, check_safe

from dashboards import detector_words
from dashboards.detector_figures import compared, detector_table, goal_text, goals_met, kinds_found
from dashboards.detector_model import (
    DetectorRow,
    DetectorScoreRow,
    DetectorsView,
    DetectorView,
    Goal,
    Measured,
    ParameterRow,
    ProgramScore,
    RunRow,
    ScorecardView,
    Watcher,
)
from dashboards.figures import alerts_over_time
from dashboards.model import BoardSpan, Choice, Language, PageContext, Texts
from dashboards.pages import Pages
from dashboards.table_csv import figure_csv
from detectors.areas import Area
from detectors.lab.incidents import INCIDENTS

AT = datetime(2026, 10, 5, 1, 0, tzinfo=UTC)
TODAY = date(2026, 10, 5)
HOSTILE = ("", "<script>alert(1)</script>", "\"><img src=x>'", "\u202egnp.exe", "x" * 3000, "../../sign-out?x=1#y")
HALF = Measured(3, 6, 0.19, 0.81)
GOALS = (
    Goal("recall", at_least=True, asked=0.95, value=0.5, share=HALF),
    Goal("traps", at_least=False, asked=0.05, value=0.0, share=Measured(0, 10, 0.0, 0.28)),
    Goal("kind", at_least=True, asked=0.8, value=None, share=Measured(0, 0, 0.0, 1.0)),
    Goal("days", at_least=False, asked=1.0, value=0.0),
)


def both(text: str) -> Texts:
    return Texts(f"名{text}", f"name{text}")


def score(text: str) -> DetectorScoreRow:
    return DetectorScoreRow(f"d{text}", both(text), 6, HALF, 2, 1, HALF, Measured(0, 0, 0.0, 1.0))


def row(text: str, state: str = "ok") -> DetectorRow:
    days = tuple((TODAY - timedelta(days=n), n % 3) for n in range(30))
    return DetectorRow(
        f"d{text}", both(text), both(text), "rules", "high", (f"C-083{text}",), state, AT, days, 7, score(text), "f-1"
    )


def detector(text: str) -> DetectorView:
    run = RunRow(TODAY, AT, 1200, 2, "0123456789abcdef", "", "events", late=True, version="1.0.0")
    return DetectorView(
        row=row(text),
        version=f"1{text}",
        area="look_ups",
        techniques=(f"T1078{text}",),
        reads=(f"actor{text}",),
        look_back=90,
        runbook=both(text),
        false_positives=both(text),
        references=(f"JIS{text}",),
        stories=(5, 6),
        parameters=(
            ParameterRow(f"least{text}", both(text), "3", f"5{text}"),
            ParameterRow("same", both(text), "1", "1"),
        ),
        refused="",
        canary=(AT, "sees"),
        runs=[run, replace(run, error=f"ValueError{text}", late=False)],
        figure=alerts_over_time([(TODAY, "high", 2)], span=BoardSpan(TODAY, TODAY), detector=f"d{text}"),
        card=f"all-1{text}",
    )


def scorecard(text: str) -> ScorecardView:
    return ScorecardView(
        name=f"all-1{text}",
        choices=(Choice(f"all-1{text}", both(text)), Choice("all-2", both(text))),
        saved_at=AT,
        town=(("staff", f"60{text}"), ("scenario", "all")),
        goals=GOALS,
        cases_a_day=1.5,
        per_hour=7.25,
        detectors=(score(text),),
        figures=(
            goals_met(GOALS),
            compared([ProgramScore("", HALF, HALF, HALF), ProgramScore(f"x{text}", HALF, HALF, HALF)]),
            kinds_found([("own-record", HALF), (f"kind{text}", Measured(2, 2, 0.3, 1.0))], 0.8),
        ),
        table=detector_table([score(text)]),
    )


def listing(text: str, *states: str) -> DetectorsView:
    rows = [row(f"{text}{number}", state) for number, state in enumerate(states)]
    return DetectorsView(
        groups=[("look_ups", rows[:1]), ("other", rows[1:])] if rows else [],
        total=len(rows),
        troubled=[one for one in rows if one.state != "ok"],
        watchers=[Watcher(f"w{text}", both(text), 3, 0)],
        gone=[f"sigma-1{text}"],
        sought=text,
        control=f"C-083{text}",
        controls=[Choice(f"C-083{text}", Texts.same(f"C-083{text}"))],
        card=f"all-1{text}",
    )


def every_page(pages: Pages, ctx: PageContext, text: str) -> dict[str, str]:
    one = detector(text)
    return {
        "list": pages.detectors(ctx, view=listing(text, "ok", "blind", "late", *["silenced"] * 7)),
        "list_ok": pages.detectors(ctx, view=listing(text, "ok", "ok")),
        "list_new": pages.detectors(ctx, view=replace(listing(text, "never", "never"), card="", gone=())),
        "list_none": pages.detectors(ctx, view=replace(listing(text), total=3)),
        "detector": pages.detector(ctx, view=one),
        "detector_bare": pages.detector(
            ctx,
            view=replace(
                one,
                row=replace(row(text, "never"), score=None, last_run=None, controls=(), open_count=0, alarm=""),
                parameters=(),
                canary=None,
                runs=[],
                references=(),
                techniques=(),
                card="",
            ),
        ),
        "detector_blind": pages.detector(ctx, view=replace(one, row=row(text, "blind"), canary=(AT, "blind"))),
        "detector_late": pages.detector(ctx, view=replace(one, row=row(text, "late"))),
        "detector_refused": pages.detector(ctx, view=replace(one, row=row(text, "refused"), refused=f"no{text}")),
        "card": pages.scorecard(ctx, view=scorecard(text)),
        "card_met": pages.scorecard(ctx, view=replace(scorecard(text), goals=GOALS[1:2], choices=())),
        "card_none": pages.scorecard(ctx, view=ScorecardView()),
        "card_unreadable": pages.scorecard(ctx, view=ScorecardView(name=f"a{text}", unreadable=True)),
    }


@pytest.mark.parametrize("text", HOSTILE)
def test_every_page_about_detectors_is_safe_and_accessible(
    pages: Pages, ctx_in: Callable[..., PageContext], read_page: Callable[[str], Any], language: Language, text: str
) -> None:
    for html in every_page(pages, ctx_in(language, "/detectors", text=text), text).values():
        page = read_page(html)
        check_safe(page)
        check_accessible(page, language)


def heading(html: str) -> str:
    found = re.search(r"<h1[^>]*>(.*?)</h1>", html)
    assert found
    return found[1]


def test_the_sentence_says_how_many_detectors_need_a_look(pages: Pages, ctx_in: Callable[..., PageContext]) -> None:
    shown = every_page(pages, ctx_in("ja", "/detectors"), "")
    assert heading(shown["list"]) == "10 本の検知器のうち 9 本に確認が必要です"
    assert "ほか 2 本" in shown["list"]
    assert heading(shown["list_ok"]) == "2 本の検知器がすべて正しく動いています"
    assert heading(shown["list_new"]) == "2 本の検知器はまだ一度も動いていません"


def test_the_scorecard_says_which_goals_are_not_met(pages: Pages, ctx_in: Callable[..., PageContext]) -> None:
    shown = every_page(pages, ctx_in("en", "/detectors/scorecards"), "")
    assert heading(shown["card"]) == "2 of 4 goals are met"
    assert "Incidents found (asked at least 95 %, measured 50 %)" in shown["card"]
    assert "Found of the worst kind (asked at least 80 %, measured –)" in shown["card"]
    assert heading(shown["card_met"]) == "All 1 goals are met"
    assert "mimamori lab run" in shown["card_none"]
    assert "cannot be read" in shown["card_unreadable"]


def test_a_page_of_a_detector_leads_to_its_alerts_and_to_tuning_only_who_may(
    pages: Pages, ctx_in: Callable[..., PageContext]
) -> None:
    ctx = ctx_in("ja", "/detectors/d")
    assert "/alerts?detector=d" in pages.detector(ctx, view=detector(""))
    assert "/tuning" not in pages.detector(ctx, view=detector(""))
    tuner = replace(ctx, permissions=frozenset({"detectors:change:read", "detectors:detector:tune"}))
    assert "/tuning/parameters/new?detector=d" in pages.detector(tuner, view=detector(""))


def test_a_value_that_the_town_has_changed_is_marked() -> None:
    changed, same = detector("").parameters
    assert changed.changed
    assert not same.changed


def test_goals_are_met_on_the_side_that_was_asked_and_never_unmeasured() -> None:
    assert [goal.met for goal in GOALS] == [False, True, False, True]
    assert goal_text(GOALS[1]).en == "at most 5 %"
    assert goal_text(GOALS[3]).ja == "1 営業日以内"


def test_the_drawing_and_the_table_of_a_figure_tell_the_same() -> None:
    figure = kinds_found([("own-record", Measured(1, 4, 0.05, 0.7)), ("leave-day", Measured(2, 2, 0.3, 1.0))], 0.8)
    spec = json.loads(figure.spec_json.en)
    drawn = {kind: share for trace in spec["data"] for kind, share in zip(trace["y"], trace["x"], strict=True)}
    assert drawn == {"own-record": 25.0, "leave-day": 100.0}
    assert [row[1:4] for row in figure.rows] == [(Texts.same("own-record"), 1, 4), (Texts.same("leave-day"), 2, 2)]
    assert figure_csv(figure, "ja").decode("utf-8-sig").splitlines()[1].startswith("自分の記録の閲覧,own-record,1,4")


def test_the_interval_stands_around_what_was_measured() -> None:
    spec = json.loads(goals_met(GOALS[:2]).spec_json.ja)
    missed = next(trace for trace in spec["data"] if trace["name"] == "未達")
    assert missed["x"] == [50.0]
    assert missed["error_x"]["array"] == [pytest.approx(31)]
    assert missed["error_x"]["arrayminus"] == [pytest.approx(31)]


def test_every_kind_of_incident_and_every_group_has_its_words() -> None:
    assert set(detector_words.INCIDENTS) == {plot.__name__.replace("_", "-") for plot in INCIDENTS}
    assert set(detector_words.AREAS) == set(Area)


@pytest.mark.parametrize("name", sorted(detector_words.DETECTOR_WORDS))
def test_each_word_of_a_vocabulary_is_there_in_both_languages(name: str) -> None:
    vocabulary = detector_words.DETECTOR_WORDS[name]
    japanese = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
    for texts in vocabulary.values():
        assert japanese.search(texts.ja) or texts.ja == texts.en
        assert not japanese.search(texts.en)
    assert len({texts.ja for texts in vocabulary.values()}) == len(vocabulary)
