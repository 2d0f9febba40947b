"""Correlations on the real engine, beside a naive reading of the same acts."""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from audit.log import Filter
from detectors.model import Window
from detectors.sigma.detector import detector_of
from detectors.sigma.rules import read_rule

Town = Any
DAY = date(2026, 10, 6)
START = Window.of_day(DAY).start
WORDS = ["login", "search", "export", "other"]


@dataclass(frozen=True)
class Act:
    actor: str
    at: datetime
    word: str
    reason: str
    rows: int


def acts_of(people: int) -> list[Act]:
    """Streams of acts around the midnight that a window begins with; many at the same second, some long after."""
    chance = random.Random(20261122)  # noqa: S311 - the same acts in every run
    acts = []
    for person in range(people):
        at = START + timedelta(minutes=chance.randrange(-200, 300))
        for _ in range(chance.randrange(1, 12)):
            at += timedelta(seconds=chance.choice([0, 0, 1, 59, 60, 61, 600, 3600]))
            word = chance.choice(WORDS)
            acts.append(Act(f"s{person:03d}", at, word, chance.choice(["a", "b", "c", ""]), chance.randrange(5)))
    return acts


def event(number: int, act: Act) -> dict[str, Any]:
    return {
        "source": "records", "event_id": f"e{number:05d}", "time": act.at.isoformat(), "activity": "operation",
        "actor": {"id": act.actor}, "operation_name": act.word, "export": {"rows": act.rows},
        **({"reason": act.reason} if act.reason else {}),
    }  # fmt: skip


def rules(**correlation: Any) -> bytes:
    """A correlation over rules named by the word that they look for."""
    documents = [
        {
            "title": word, "name": word, "logsource": {"product": "mimamori"},
            "detection": {"sel": {"operation_name": word}, "condition": "sel"},
        }
        for word in correlation["rules"]
    ]  # fmt: skip
    whole = {
        "title": "a correlation", "id": "0b8f4c52-3a11-4f7e-9f52-b0f3f7a0c8d1", "level": "high",
        "correlation": {"group-by": ["actor.id"], **correlation},
    }  # fmt: skip
    return "\n---\n".join(map(json.dumps, [*documents, whole])).encode()


@pytest.fixture(scope="session")
def streams(make_town: Any) -> Iterator[tuple[Town, list[Act]]]:
    acts = acts_of(250)
    town = make_town([event(number, act) for number, act in enumerate(acts)], {})
    yield town, acts
    town.close()


def strength(kind: str, within: Sequence[Act]) -> int:
    """How much there is in one stretch of acts."""
    if kind == "event_count":
        return len(within)
    if kind == "value_count":
        return len({act.reason for act in within} - {""})
    return sum(act.rows for act in within) if kind == "value_sum" else len({act.word for act in within})


def in_order(acts: Sequence[Act], last: Act, words: Sequence[str], span: timedelta) -> bool:
    """Whether a series of the words in their order ends with an act; equal times count as in order."""

    def ends(place: int, before: datetime) -> bool:
        return place < 0 or any(
            act.word == words[place] and last.at - span <= act.at <= before and ends(place - 1, act.at) for act in acts
        )

    return last.word == words[-1] and ends(len(words) - 2, last.at)


def naively(acts: Sequence[Act], kind: str, words: Sequence[str], least: int, span: timedelta) -> dict[str, int]:
    """The strongest moment of each person for whom it is so in the window, by looking at every act's own stretch."""
    found: dict[str, int] = {}
    for last in acts:
        if last.word not in words or last.at < START:
            continue
        own = [act for act in acts if act.actor == last.actor and act.word in words]
        if kind == "temporal_ordered":
            if in_order(own, last, words, span):
                found[last.actor] = 1
            continue
        if (kind == "value_count" and not last.reason) or (kind == "value_sum" and not last.rows):
            continue
        amount = strength(kind, [act for act in own if last.at - span <= act.at <= last.at])
        if amount >= least:
            found[last.actor] = max(found.get(last.actor, 0), amount)
    return found


@pytest.mark.parametrize(("span", "length"), [("1m", 60), ("10m", 600), ("3h", 10800)])
@pytest.mark.parametrize(
    ("kind", "words", "least", "more"),
    [
        ("event_count", ["login"], 2, {}),
        ("event_count", ["login", "search"], 4, {}),
        ("value_count", ["search"], 2, {"field": "reason"}),
        ("value_count", WORDS, 3, {"field": "reason"}),
        ("value_sum", ["export", "other"], 6, {"field": "export.rows"}),
        ("temporal", ["login", "export"], 2, {}),
        ("temporal", ["login", "search", "export"], 2, {}),
        ("temporal_ordered", ["login", "export"], 2, {}),
        ("temporal_ordered", ["login", "search", "export"], 3, {}),
    ],
)
def test_a_sweep_finds_what_looking_at_every_stretch_finds(
    streams: Any, span: str, length: int, kind: str, words: list[str], least: int, more: Mapping[str, Any]
) -> None:
    town, acts = streams
    data = rules(type=kind, rules=words, timespan=span, condition={"gte": least, **more})
    sought = read_rule(data).correlation
    within = timedelta(seconds=length)
    window = Window.of_day(DAY)
    matches = town.log.matching(Filter(start=window.start - within, end=window.end), sought, window.start, 1000)
    expected = naively([act for act in acts if act.at >= START - within], kind, words, least, within)
    if kind == "temporal_ordered":
        assert {match.group[0] for match in matches} == expected.keys()
    else:
        assert {match.group[0]: match.strength for match in matches} == expected
    assert 0 < len(expected) < 250
    detector = detector_of(read_rule(data), [])
    drafts = town.judge(detector, DAY)
    assert len(drafts) == min(100, len(expected))
    for draft in drafts:
        events = [acts[int(reference.removeprefix("records:e"))] for reference in draft.evidence]
        assert {one.actor for one in events} == {draft.entity} == set(draft.actors)
        assert all(START - within <= one.at < window.end and one.word in words for one in events)
        assert any(one.at >= START for one in events)
        assert len(events) == draft.evidence_total


def test_a_window_hands_out_rows_by_findings_not_by_acts(make_town: Any) -> None:
    at = datetime(2026, 10, 6, 1, tzinfo=UTC)
    acts = [Act(f"s{n % 40:02d}", at + timedelta(seconds=n), "other", "", 0) for n in range(4000)]
    acts += [Act("busy", at + timedelta(seconds=n), "login", "", 0) for n in range(1000)]
    town = make_town([event(number, act) for number, act in enumerate(acts)], {})
    data = rules(type="event_count", rules=["login"], timespan="10m", condition={"gte": 5})
    detector = detector_of(read_rule(data), [])
    reader = town.reader(detector, DAY)
    (draft,) = detector.detect(Window.of_day(DAY), reader, detector.parameters)
    assert (draft.entity, len(draft.evidence), draft.evidence_total) == ("busy", 200, 1000)
    assert draft.last_index - draft.first_index == 999
    assert reader.rows <= 201
    town.close()


def test_grouping_by_residents_and_aliases(make_town: Any) -> None:
    at = datetime(2026, 10, 6, 1, tzinfo=UTC)
    looks = [
        {
            "source": "records", "event_id": f"l{n}", "time": (at + timedelta(minutes=n)).isoformat(),
            "activity": "view", "actor": {"id": f"s{n}"}, "subjects": ["k-1", f"k-{n + 2}"],
        }
        for n in range(5)
    ]  # fmt: skip
    grants = [
        {
            "source": "records", "event_id": "g", "time": at.isoformat(), "activity": "grant", "actor": {"id": "boss"},
            "target": {"id": "s1"},
        },
        {
            "source": "records", "event_id": "h", "time": (at + timedelta(minutes=9)).isoformat(), "activity": "export",
            "actor": {"id": "s1"},
        },
    ]  # fmt: skip
    town = make_town([*looks, *grants], {})
    crowd = """
title: many look at one
id: 8a8a8a8a-1111-4111-8111-111111111111
correlation:
  {type: value_count, rules: [look], group-by: [subjects], timespan: 1h, condition: {gte: 5, field: actor.id}}
---
title: look
name: look
logsource: {product: mimamori, category: look_up}
detection: {sel: {outcome|neq: failure}, condition: sel}
"""
    (draft,) = town.judge(detector_of(read_rule(crowd.encode()), []), DAY)
    assert (draft.entity, set(draft.actors)) == ("k-1", {f"s{n}" for n in range(5)})
    given = """
title: given, then taken out
id: 8a8a8a8a-2222-4111-8111-111111111111
correlation:
  type: temporal_ordered
  rules: [granted, taken]
  aliases: {person: {granted: target.id, taken: actor.id}}
  group-by: [person]
  timespan: 30m
---
title: granted
name: granted
logsource: {product: mimamori, category: grant}
detection: {sel: {target.id|exists: true}, condition: sel}
---
title: taken
name: taken
logsource: {product: mimamori, category: export}
detection: {sel: {actor.id|exists: true}, condition: sel}
"""
    (draft,) = town.judge(detector_of(read_rule(given.encode()), []), DAY)
    assert (draft.entity, set(draft.actors)) == ("s1", {"boss", "s1"})
    town.close()
