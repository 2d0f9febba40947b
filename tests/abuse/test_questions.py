"""Questions to the log as an attacker asks them: cases T13 and T14 of the security review."""

import ast
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.routing import iter_route_contexts
from gatehouse import Gate, line
from hypothesis import given, settings
from hypothesis import strategies as st

from api.app import create_app
from audit.access import Role
from audit.log import CursorError, Dimension, Filter, LogRepository
from audit.store.clickhouse import EventStore, Purpose
from audit.store.errors import StoreError, StoreLimitError, StoreReadOnlyError, StoreTimeoutError

ROOT = Path(__file__).parents[2]
PACKAGES = ("api", "audit", "dashboards", "detectors", "ingest")
HOSTILE = (
    "' OR '1'='1", "x') OR 1=1 --", "'; DROP TABLE events; --", "a' UNION SELECT * FROM system.users --", "%", "_%",
    "{x:String}", "\\' OR 1 --", "') SETTINGS readonly=0 --", "\x00' OR 1=1", "(.*a){25}", "((a+)+)+$",
    "' AND sleepEachRow(3) --", "`events`", "toString(now())", "['a','b']", "${jndi:ldap://x}", "*)(uid=*", "a" * 5000,
)  # fmt: skip
THE_ENGINES_WORDS = re.compile(r"Code: \d+|DB::Exception|sqlite3?\.|sqlalchemy|FROM events|Traceback", re.IGNORECASE)


def filtered_paths(gate: Gate) -> Iterator[tuple[str, list[str]]]:
    """Every page and API route that reads and takes a query, with the names of its parameters."""
    app = create_app(gate.installation, schedule=False)
    for found in iter_route_contexts(app.routes):
        dependant = getattr(found, "dependant", None)
        if dependant is None or "GET" not in (getattr(found, "methods", None) or ()):
            continue
        names = sorted({param.alias for param in dependant.query_params})
        if names and "{" not in found.path:
            yield found.path, names


def test_T13_no_filter_of_any_page_or_route_can_say_more_than_it_should(gate: Gate) -> None:
    source = gate.new_source()
    gate.sent(source, line(event_id="a", subjects=["p1"]) + line(event_id="b"))
    size = gate.installation.log.size
    browser = gate.house.signed_in(Role.AUDITOR)
    asked = dict(filtered_paths(gate))
    assert {"/api/v1/events", "/api/v1/alerts", "/events", "/alerts"} <= asked.keys()
    for path, names in asked.items():
        for text in HOSTILE if path == "/api/v1/events" else HOSTILE[:6]:
            for name in names:
                answer = browser.get(path, params={name: text})
                assert answer.status_code in {200, 303, 400, 401, 403, 404, 422}, (path, name, text[:40])
                assert not THE_ENGINES_WORDS.search(re.sub(re.escape(text[:60]), "", answer.text)), (path, name, text)
                if path == "/api/v1/events" and name in {"source", "actor", "subject"}:
                    assert answer.json()["events"] == [], (name, text)
    assert gate.installation.log.size >= size + len(HOSTILE)  # every question is an event of its own
    assert [one.event_id for one in gate.events(source)] == ["a", "b"]


ANY_TEXT = st.text(st.characters(blacklist_categories=("Cs",)), max_size=20)
TEXTS = st.one_of(st.sampled_from(HOSTILE[:-1]), ANY_TEXT.map(lambda text: f"{text}☃"))
"""Nothing that another test stored bears such a name."""


@settings(max_examples=20, deadline=None)
@given(TEXTS)
def test_T13_every_filter_of_the_log_takes_a_value_as_a_value(the_gate: Gate, text: str) -> None:
    log = the_gate.installation.log
    own = {"without_source": "mimamori"}
    everything = log.count(Filter(**own))
    assert everything > 0
    for wanted in (
        Filter(sources=(text,)), Filter(actors=(text, text)), Filter(subject=text), Filter(outcomes=(text,)),
        Filter(activities=(text,)), Filter(org_units=(text,)), Filter(terminals=(text,)), Filter(event_ids=(text,)),
        Filter(mark=text),
    ):  # fmt: skip
        assert log.count(wanted) == 0, wanted
        assert log.aggregate(wanted, [Dimension.DAY]) == []
    assert log.count(Filter(without_source=text)) >= everything
    with pytest.raises(CursorError):
        log.search(Filter(), cursor=text)
    with pytest.raises(ValueError, match="no such columns"):
        list(log.columns(Filter(), [text]))


def test_T13_a_reading_client_cannot_write(gate: Gate) -> None:
    store = gate.installation.log._repository._store
    for statement in ("DROP TABLE events", "INSERT INTO events (source) VALUES ('x')", "SET readonly = 0",
                      "ALTER TABLE events DELETE WHERE 1", "TRUNCATE TABLE events"):  # fmt: skip
        with pytest.raises(StoreReadOnlyError):
            store.command(statement, purpose=Purpose.READ)


SQL = re.compile(
    r"\b(SELECT|INSERT INTO|ALTER TABLE|DELETE FROM|DROP (TABLE|DATABASE)|TRUNCATE TABLE|CREATE (TABLE|DATABASE)|"
    r"UPDATE \w+ SET|GROUP BY|ORDER BY|WHERE)(\s|$)"
)
MADE_OF_NAMES = {
    "audit/casework/repository.py": {
        "table", "', '.join((f'by_{d}' for d in by))", "', '.join(names)", "where", "group", "having",
        "', '.join(_COLUMNS)", "self._own(table)",
    },
    "audit/casework/statements.py": {
        "_LOOKS", "_CHANGES", "_PRINTS", "_SELF", "_KIN", "_SURNAME", "_FORMER", "_BEARERS", "_GROUPED", "_CASES",
        "_APPROVALS", "_PRINTING_SHARE", "_IN_TIME", "_HANDLED_BY_UNIT", "_JOINED", "_HANDLED", "_EXPLAINED",
    },
    "audit/log/intake.py": {
        "_netstring('item')", "items", "name", "text", "column", "value", "field.path", "len(field.path)", "DIGEST",
        "IN_RANGE", "_netstring(column)", "_netstring(items)", "_netstring(text)",
    },
    "audit/log/matching.py": {  # a statement is made of statements; conditions come with their values bound
        "_LATEST", "acts", "begun", "busy", "condition", "counted", "each", "every", "following", "found", "gone",
        "kept", "key", "least", "many", "most", "measure", "names", "pairs", "parts", "parts - 1", "rest", "running",
        "series", "slot", "slots", "some", "span", "spells", "steps", "strength", "where",
    },
    "audit/log/repository.py": {
        "intake.IN_RANGE", "table", "', '.join(_EVENT_COLUMNS)", "where", "order", "', '.join(names)", "group",
        "having", "', '.join(columns)", "', '.join((f'by_{d}' for d in by))", "_DIMENSIONS[d]", "d", "_MEASURES[m]",
        "m", "_DELAY", "staged", "rows",
    },
    "audit/store/state.py": {"name", "definition"},  # of tables and columns, as our own metadata has them
    "audit/store/clickhouse.py": {"database", "names", "self._handed.path", "table"},
}  # fmt: skip
"""What stands in SQL that is put together: names of ours. A value never does; add to this list only a name."""


def put_together(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """What is put into a text that looks like SQL, and in which line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            constant = "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
            if SQL.search(constant):
                for part in node.values:
                    if isinstance(part, ast.FormattedValue):
                        yield node.lineno, ast.unparse(part.value)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
            for side in (node.left, node.right):
                if isinstance(side, ast.Constant) and isinstance(side.value, str) and SQL.search(side.value):
                    yield node.lineno, ast.unparse(node)
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "format"
            and isinstance(node.func.value, ast.Constant)
            and SQL.search(str(node.func.value.value))
        ):
            yield node.lineno, ast.unparse(node)


def sources() -> Iterator[tuple[str, str]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def test_T13_no_sql_is_put_together_from_values() -> None:
    found = [
        (name, number, what)
        for name, text in sources()
        for number, what in put_together(ast.parse(text))
        if what not in MADE_OF_NAMES.get(name, set())
    ]
    assert found == []


def test_T13_sql_stands_where_it_belongs() -> None:
    raw = re.compile(r"\bfrom sqlalchemy import .*\btext\b|sqlalchemy\.text\(|exec_driver_sql|literal_column\(")
    assert [name for name, text in sources() if raw.search(text)] == ["audit/store/state.py"], "it adds columns"
    ours = re.compile(r"audit/(store|log)/|repository\.py$")
    calls = re.compile(r"_store\.(rows|command|insert)\(")
    assert [name for name, text in sources() if calls.search(text) and not ours.search(name)] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('f"SELECT {x} FROM t"', 1), ('"SELECT 1 WHERE a = " + x', 1), ('"DELETE FROM t WHERE %s" % x', 1),
        ('"SELECT {} FROM t".format(x)', 1), ('f"{x} selected"', 0), ('"SELECT 1"', 0),
    ],
)  # fmt: skip
def test_T13_the_static_check_sees(text: str, found: int) -> None:
    assert len(list(put_together(ast.parse(text)))) == found


def test_T14_every_reading_client_has_its_limits(gate: Gate) -> None:
    store = gate.installation.log._repository._store
    asked = (
        "SELECT getSetting('readonly') AS r, getSetting('max_execution_time') AS t, getSetting('max_rows_to_read') AS n"
    )
    for _ in range(gate.installation.settings.readers):
        (limits,) = store.rows(asked)
        assert int(limits["r"]) == 2
        assert 0 < int(limits["t"].total_seconds() if hasattr(limits["t"], "total_seconds") else limits["t"]) <= 30
        assert 0 < int(limits["n"]) <= 2_000_000_000


def test_T14_a_heavy_question_is_ended_and_the_next_one_answered(gate: Gate) -> None:
    store = gate.installation.log._repository._store
    heavy = "SELECT count() FROM numbers(1000000000) WHERE sipHash64(number, toString(number)) = 1"
    for setting, error in (("max_execution_time = 1", StoreTimeoutError), ("max_rows_to_read = 1000", StoreLimitError)):
        began = time.monotonic()
        with pytest.raises(error):
            store.rows(f"{heavy} SETTINGS {setting}")
        assert time.monotonic() - began < 10
        began = time.monotonic()
        assert store.rows("SELECT 1 AS one") == [{"one": 1}]
        assert time.monotonic() - began < 2, "it went on working after it was ended"
    with pytest.raises(StoreLimitError):
        store.rows("SELECT groupArray(number) FROM numbers(100000000) SETTINGS max_memory_usage = 10000000")


def test_T14_a_limit_is_told_on_the_page_without_the_engines_words(
    gate: Gate, engine_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(Purpose.READ.value, "max_rows_to_read", "1")
    small = EventStore(path=engine_path, database="abuse", readers=1)
    browser = gate.house.signed_in(Role.AUDITOR)
    try:
        with pytest.raises(StoreError):
            LogRepository(small).page(Filter(), limit=10, cursor="", newest_first=True)
        monkeypatch.setattr(gate.installation.log._repository, "_store", small)
        for path in ("/events", "/api/v1/events"):
            answer = browser.get(path)
            assert answer.status_code == 503
            assert not THE_ENGINES_WORDS.search(answer.text)
    finally:
        monkeypatch.undo()
        small.close()
    assert browser.get("/api/v1/events").status_code == 200


@pytest.mark.parametrize("text", ["1 " * 60_000, "1-" * 60_000, "%31" * 30_000, "MTIz" * 25_000, "((a+)+)+$" * 9_000])
def test_T14_no_text_makes_the_door_slow(gate: Gate, text: str) -> None:
    began = time.monotonic()
    gate.take(gate.new_source(), line(reason=text, own={"x": text}))
    assert time.monotonic() - began < 10
