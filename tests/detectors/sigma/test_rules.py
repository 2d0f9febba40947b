"""What a rule may say: what is refused is refused by its name, in both languages."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from audit.findings import Severity
from audit.log.correlation import CorrelationKind
from detectors.model import parameters_of
from detectors.sigma.detector import detector_of
from detectors.sigma.errors import SigmaRefusedError
from detectors.sigma.rules import read_rule
from detectors.sigma.stories import _Told, read_stories

DOCS = Path(__file__).parents[3] / "docs" / "sigma.md"
JAPANESE = re.compile(r"[ぁ-んァ-ヶ一-龠]")
RULE: dict[str, Any] = {
    "title": "a rule", "id": "5a4b8c1e-6d0f-4a3b-9e2c-7f1d2a3b4c5d", "logsource": {"product": "mimamori"},
    "detection": {"sel": {"actor.id": "x"}, "condition": "sel"},
}  # fmt: skip
PART = {
    "title": "part", "name": "part", "logsource": {"product": "mimamori"},
    "detection": {"sel": {"actor.id": "x"}, "condition": "sel"},
}  # fmt: skip
WHOLE: dict[str, Any] = {
    "title": "whole", "id": "5a4b8c1e-6d0f-4a3b-9e2c-7f1d2a3b4c5e",
    "correlation": {
        "type": "event_count", "rules": ["part"], "group-by": ["actor.id"], "timespan": "1h", "condition": {"gte": 2},
    },
}  # fmt: skip


def written(*documents: Any) -> bytes:
    return "\n---\n".join(map(json.dumps, documents)).encode()


def refusal(data: bytes) -> str:
    with pytest.raises(SigmaRefusedError) as refused:
        read_rule(data)
    assert all(JAPANESE.search(fault.ja) and not JAPANESE.search(fault.en) for fault in refused.value.faults)
    return refused.value.text("en")


def selecting(selection: Any, **more: Any) -> bytes:
    return written({**RULE, "detection": {"sel": selection, "condition": "sel", **more}})


@pytest.mark.parametrize(
    ("selection", "named"),
    [
        ({"reason|base64": "x"}, "base64"), ({"reason|base64offset|contains": "x"}, "base64offset"),
        ({"reason|wide": "x"}, "wide"), ({"reason|windash": "-x"}, "windash"), ({"reason|expand": "%x%"}, "expand"),
        ({"time|week": 3}, "week"), ({"reason|re|contains": "x"}, "re cannot be joined"), ("word", "keywords"),
        (["word", "other"], "keywords"), ({"CommandLine": "x"}, "CommandLine"), ({"unmapped": "x"}, "unmapped"),
        ({"query.hits": "many"}, "query.hits"), ({"query.hits|contains": "1"}, "query.hits"),
        ({"actor.id|gt": 5}, "actor.id"), ({"auth.user_verified": "yes"}, "auth.user_verified"),
        ({"query.hits|fieldref": "sequence"}, "query.hits"), ({"reason|fieldref": "nothing"}, "nothing"),
        ({"time": "2026-10-05"}, "time"), ({"reason|nonsense": 1}, "nonsense"), ({"reason|re": "(a"}, "(a"),
        ({"reason|re": "a(?=b)"}, "invalid"), ({"terminal.ip|cidr": "10.0.0.1/8"}, "CIDR"),
        ({"query.hits|gt": 2**64}, "query.hits"), ({"actor.id": True}, "actor.id"),
        ({"reason": [f"value {n}" for n in range(400)]}, "too many values"),
    ],
)  # fmt: skip
def test_what_has_no_meaning_here_is_named(selection: Any, named: str) -> None:
    assert named in refusal(selecting(selection))


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"logsource": {"product": "windows"}}, "windows"),
        ({"logsource": {"category": "process_creation"}}, "process_creation"),
        ({"logsource": {"product": "mimamori", "zone": "x"}}, "zone"), ({"id": None}, "id"),
        ({"status": "deprecated"}, "deprecated"), ({"taxonomy": "ecs"}, "taxonomy"),
        ({"falsepositive": []}, "falsepositive"),
        ({"action": "global"}, "action"), ({"mimamori": {"runbook": "text"}}, "mimamori.runbook"),
        ({"mimamori": {"colour": "red"}}, "colour"), ({"scope": ["server"]}, "scope"),
        ({"detection": {"sel": {"actor.id": "x"}, "filter": {"actor.id": "y"}, "condition": "sel"}}, "filter"),
        ({"detection": {"sel": {"actor.id": "x"}, "timeframe": "5m", "condition": "sel"}}, "timeframe"),
        ({"detection": {"sel": {"actor.id": "x"}, "condition": "sel | count() > 5"}}, "pipe"),
        ({"detection": {"sel": {"actor.id": "x"}, "condition": "sel and other"}}, "other"),
        ({"detection": {"sel": {"actor.id": "x"}, "condition": "(" * 500 + "sel" + ")" * 500}}, "deep"),
        ({"detection": {"sel": {"actor.id": "x"}, "condition": "not " * 100 + "sel"}}, "deep"),
        ({"detection": {"sel": {"actor.id": "x"}, "condition": "sel or " * 400 + "sel"}}, "long"),
        ({"detection": None}, "Sigma"), ({"detection": {"condition": "sel"}}, "Sigma"), ({"title": 5}, "Sigma"),
    ],
)  # fmt: skip
def test_a_rule_that_is_not_for_us_is_refused(more: dict[str, Any], named: str) -> None:
    assert named in refusal(written({**RULE, **more}))


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"type": "value_percentile", "condition": {"gte": 2, "field": "export.rows", "percentile": 95}}, "percentile"),
        ({"condition": {"lt": 2}}, "lt"), ({"condition": {"eq": 2}}, "eq"), ({"condition": {"gte": 0}}, "number"),
        ({"condition": {"gte": 1.5}}, "whole number"), ({"timespan": "1y"}, "timespan"),
        ({"generate": True}, "generate"),
        ({"group-by": ["query.hits"]}, "group-by"), ({"group-by": ["Computer"]}, "Computer"),
        ({"type": "value_sum", "condition": {"gte": 2, "field": "reason"}}, "group-by and field"),
        ({"type": "temporal", "condition": "part and part"}, "words"),
        ({"type": "temporal_ordered", "condition": {"gte": 2}}, "number"),
        ({"rules": ["absent"]}, "absent"), ({"aliases": {"who": {"other": "actor.id"}}, "group-by": ["who"]}, "who"),
    ],
)  # fmt: skip
def test_a_correlation_that_cannot_be_sought_is_refused(more: dict[str, Any], named: str) -> None:
    assert named in refusal(written(PART, {**WHOLE, "correlation": {**WHOLE["correlation"], **more}}))


@pytest.mark.parametrize(
    "data",
    [
        b"", b"[]", b"- a\n- b", b"a: b: c", b"\xff\xfe", b"!!python/object/apply:os.system ['true']",
        b"{" * 50_000,
        b"a: &a [x]\nb: &b [*a, *a, *a, *a]\n" + b"".join(b"c%d: &c%d [*%s]\n" % (n, n, b", *".join(
            [b"b" if n == 0 else b"c%d" % (n - 1)] * 9)) for n in range(9)),
        b"title: a\ntitle: b", written(RULE, RULE), written(PART, RULE, WHOLE), written(*[PART] * 9), b"x" * 70_000,
        b"# 123456789018\n" + written(RULE), written({**RULE, "filter": {}}),
    ],
)  # fmt: skip
def test_a_file_that_is_no_rule_is_refused(data: bytes) -> None:
    assert refusal(data)


def test_a_rule_says_what_its_detector_is() -> None:
    data = written(
        {
            **RULE, "level": "critical", "tags": ["attack.t1078.004", "attack.persistence", "cve.2026.1"],
            "falsepositives": ["training"], "references": ["https://example.invalid/r"], "description": "what it is",
            "mimamori": {
                "title": {"ja": "規則", "en": "A rule"}, "runbook": {"ja": "確かめる", "en": "Look"},
                "controls": ["C-066"],
            },
        }
    )  # fmt: skip
    rule = read_rule(data)
    meta = detector_of(rule, []).meta
    assert meta.id == "sigma-5a4b8c1e-6d0f-4a3b-9e2c-7f1d2a3b4c5d"
    assert re.fullmatch(r"1\.0\.0\+[0-9a-f]{12}", meta.version)
    assert rule.digest.startswith(meta.version.partition("+")[2])
    assert (meta.severity, meta.techniques, meta.controls) == (Severity.CRITICAL, ("T1078.004",), ("C-066",))
    assert (meta.title, meta.false_positives.en) == (("規則", "A rule"), "training")
    assert {"actor_id", "time"} <= set(meta.reads)
    detector = detector_of(rule, [])
    assert parameters_of(detector, {"at_least": 4}).at_least == 4
    assert read_rule(written(PART, WHOLE)).correlation.kind is CorrelationKind.EVENT_COUNT


def test_the_documented_example_is_a_rule_with_stories_that_hold(make_town: Any) -> None:
    rule, stories = re.findall(r"```yaml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    cases = read_stories(stories.encode())
    detector = detector_of(read_rule(rule.encode()), cases)
    for case in cases:
        town = make_town(case.events, case.feeds)
        assert {draft.entity for draft in town.judge(detector, case.day)} == case.expect
        town.close()


STORY: dict[str, Any] = {
    "name": "one", "day": "2026-10-05", "finds": ["s1"],
    "events": [{"source": "x", "time": "2026-10-05T10:00:00+09:00", "activity": "login", "actor": {"id": "s1"}}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("stories", "named"),
    [
        ([], "at least one"), ([STORY], "silent"), ([{**STORY, "finds": []}], "fire"), ("text", "list"),
        ([STORY, {**STORY, "finds": []}], "same name"), ([{**STORY, "day": "soon"}], "story 1"),
        ([{**STORY, "more": 1}], "name, day, events"), ([{**STORY, "feeds": {"secrets": []}}], "feeds"),
        ([{**STORY, "events": [{**STORY["events"][0], "time": "2026-10-05T10:00:00"}]}], "offset"),
        ([{**STORY, "events": [{**STORY["events"][0], "repeat": {"count": 10**9, "every": 1}}]}], "repeat.count"),
        ([{**STORY, "events": [{**STORY["events"][0], "repeat": {"count": 2, "every": 1e300}}]}], "story 1"),
        ([{**STORY, "events": [{**STORY["events"][0], "repeat": {"count": 2000, "every": 1}}] * 2}], "2000 events"),
        ([{**STORY, "events": [{**STORY["events"][0], "reason": "r" * 9000, "repeat": {"count": 500, "every": 1}}]}],
         "bytes of events"),
        ([{**STORY, "events": ["login"]}], "map with a source"),
    ],
)  # fmt: skip
def test_stories_are_mandatory_and_checked(stories: Any, named: str) -> None:
    with pytest.raises(SigmaRefusedError) as refused:
        read_stories(json.dumps(stories).encode())
    assert named in refused.value.text("en")


def test_what_is_repeated_too_often_is_not_told_even_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Told, "events", lambda _self: pytest.fail("told"))
    often = {**STORY["events"][0], "repeat": {"count": 2000, "every": 1}}
    with pytest.raises(SigmaRefusedError):
        read_stories(json.dumps([{**STORY, "events": [often] * 400}]).encode())


@pytest.mark.parametrize(
    ("stories", "named"),
    [
        ("- &s {name: one, day: 2026-10-05, events: []}\n- {<<: *s, name: two}", "alias"),
        ("- {<<: {name: one, day: 2026-10-05}, events: []}", "merge"),
        ("- {name: one, name: two, day: 2026-10-05, events: []}", "Duplicate key"),
        ("- &a [x, x]\n- &b [*a, *a]\n- [*b, *b]", "alias"),
    ],
)
def test_stories_have_no_aliases_no_merging_and_no_key_twice(stories: str, named: str) -> None:
    with pytest.raises(SigmaRefusedError) as refused:
        read_stories(stories.encode())
    assert named in refused.value.text("en")


def test_stories_come_as_yaml_or_json_lines() -> None:
    both = [STORY, {**STORY, "name": "two", "finds": []}]
    lines = "\n".join(map(json.dumps, both)).encode()
    assert read_stories(lines) == read_stories(json.dumps(both).encode())
    (first, _) = read_stories(lines)
    assert first.expect == {"s1"}
