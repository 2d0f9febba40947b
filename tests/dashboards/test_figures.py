"""What a figure draws, what its table says and where both lead are the same thing."""

import csv
import io
import json
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from hypothesis import given, settings
from hypothesis import strategies as st

from dashboards.figures import activity_heatmap, alerts_over_time, events_by_source
from dashboards.model import BoardSpan, Figure, Texts
from dashboards.table_csv import figure_csv
from dashboards.words import SEVERITIES

SPAN = BoardSpan(date(2026, 10, 1), date(2026, 10, 5))
CELLS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 23), st.integers(0, 10**6)), max_size=40)


def drawn(figure: Figure, axis: str) -> int:
    totals = set()
    for language in ("ja", "en"):
        values = [trace[axis] for trace in json.loads(figure.spec_json.in_(language))["data"]]
        flat = [cell for row in values for item in row for cell in (item if isinstance(item, list) else [item])]
        totals.add(sum(cell or 0 for cell in flat))
    (total,) = totals
    return total


def check_shape(figure: Figure) -> None:
    assert all(len(row) == len(figure.columns) for row in figure.rows)
    assert [len(row) for row in figure.links] == [len(row) for row in figure.rows]


@settings(deadline=None, max_examples=30)
@given(CELLS)
def test_heatmap_and_its_table_add_up(rows: list[tuple[int, int, int]]) -> None:
    figure = activity_heatmap(rows, span=SPAN)
    check_shape(figure)
    total = sum(count for _, _, count in rows)
    assert drawn(figure, "z") == total
    assert sum(row[-1] for row in figure.rows) == total
    assert sum(cell for row in figure.rows for cell in row[1:-1]) == total


def test_a_cell_of_the_heatmap_leads_to_its_events() -> None:
    figure = activity_heatmap([(6, 23, 2)], span=SPAN)
    query = {"from": ["2026-10-01T00:00"], "to": ["2026-10-06T00:00"], "weekday": ["6"], "hour": ["23"]}
    for address in (
        json.loads(figure.spec_json.ja)["data"][0]["customdata"][6][23],
        figure.links[23][7],
    ):
        assert urlsplit(address).path == "/events"
        assert parse_qs(urlsplit(address).query) == query
    assert figure.rows[23][7] == 2


@settings(deadline=None, max_examples=30)
@given(
    st.lists(
        st.tuples(st.text(max_size=8), st.text(max_size=8), st.integers(0, 10**7)),
        max_size=12,
        unique_by=lambda row: row[0],
    )
)
def test_sources_and_their_table_add_up(rows: list[tuple[str, str, int]]) -> None:
    figure = events_by_source([(source, Texts.same(name), count) for source, name, count in rows], span=SPAN)
    check_shape(figure)
    total = sum(count for _, _, count in rows)
    assert drawn(figure, "x") == total
    assert sum(row[1] for row in figure.rows) == total
    counts = [row[1] for row in figure.rows]
    assert counts == sorted(counts, reverse=True)
    assert [row[1] for row in figure.links] == (json.loads(figure.spec_json.en)["data"][0].get("customdata", []))


@settings(deadline=None, max_examples=30)
@given(
    st.lists(
        st.tuples(
            st.dates(date(2026, 9, 25), date(2026, 10, 9)),
            st.sampled_from([*SEVERITIES, "unheard-of"]),
            st.integers(1, 900),
        ),
        max_size=30,
    )
)
def test_alerts_and_their_table_add_up(rows: list[tuple[date, str, int]]) -> None:
    figure = alerts_over_time(rows, span=SPAN)
    check_shape(figure)
    total = sum(count for _, _, count in rows)
    assert drawn(figure, "y") == total
    assert sum(row[-1] for row in figure.rows) == total
    by_day: Counter[date] = Counter()
    for on, _, count in rows:
        by_day[on] += count
    shown = {
        parse_qs(urlsplit(links[-1] or "").query)["from"][0]: row[-1]
        for row, links in zip(figure.rows, figure.links, strict=True)
    }
    assert {day: count for day, count in shown.items() if count} == {str(on): n for on, n in by_day.items()}


def test_days_without_alerts_stay_on_the_axis() -> None:
    figure = alerts_over_time([(date(2026, 10, 2), "high", 2)], span=SPAN)
    days = [str(SPAN.first_day + timedelta(days=n)) for n in range(5)]
    assert json.loads(figure.spec_json.ja)["data"][0]["x"] == days


def test_names_cannot_be_markup_in_a_drawing(draw: Callable[[str], list[Figure]]) -> None:
    for figure in draw('<a href="javascript:alert(1)">x</a>\u202e\x1b'):
        for language in ("ja", "en"):
            spec: dict[str, Any] = json.loads(figure.spec_json.in_(language))
            labels = [
                *spec["layout"].get("yaxis", {}).get("ticktext", []),
                *(trace.get("name", "") for trace in spec["data"]),
                *(label for trace in spec["data"] for label in trace.get("hovertext", [])),
            ]
            assert not [label for label in labels if "<" in label or "\u202e" in label or "\x1b" in label]


def test_both_languages_draw_alike_but_for_words(draw: Callable[[str], list[Figure]]) -> None:
    for figure in draw(""):
        japanese, english = json.loads(figure.spec_json.ja), json.loads(figure.spec_json.en)
        assert [trace["customdata"] for trace in japanese["data"]] == [trace["customdata"] for trace in english["data"]]
        assert japanese != english


def test_csv_is_the_table_and_runs_nothing() -> None:
    name = Texts("国保", "=HYPERLINK(1)")
    figure = events_by_source([("nhi", name, 4100), ("b", Texts.same('a,"b"\r\n'), 7)], span=SPAN)
    content = figure_csv(figure, "en")
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    assert rows == [["System", "Events"], ["'=HYPERLINK(1)", "4100"], ['a,"b"\\r\\n', "7"]]
    assert "国保" in figure_csv(figure, "ja").decode("utf-8-sig")
