"""What every detector promises (C1 to C14), generated from its own cases and run on the real engine.

C8, C12 and C13 are for detectors that learn: `tests/detectors/learned`.
"""

import copy
import os
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import FrozenInstanceError, fields, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from audit.context import is_closed_by_law
from audit.events import COLUMNS
from audit.findings import Draft, Severity
from audit.findings.model import finding_id
from audit.texts import Texts
from detectors.cases import clock, look_ups, sign_in
from detectors.model import Case, Detector, Window
from detectors.registry import DETECTORS

Town = Any
"""That of the conftest, which importlib mode cannot import by name."""
MakeTown = Callable[[Any, Mapping[str, str]], Town]

EVERY_DETECTOR = pytest.mark.parametrize("detector", DETECTORS.values(), ids=list(DETECTORS))
STORIES = [(detector, case) for detector in DETECTORS.values() for case in detector.cases]
NAMES = [f"{detector.meta.id}: {case.name}" for detector, case in STORIES]
EVERY_STORY = pytest.mark.parametrize(("detector", "case"), STORIES, ids=NAMES)
FIRING = {detector.meta.id: case for detector, case in reversed(STORIES) if case.expect}
FIRST_STORY = pytest.mark.parametrize(
    ("detector", "case"), [pytest.param(DETECTORS[name], case, id=name) for name, case in FIRING.items()]
)
"""The first firing story of each detector, for checks that need a town of their own."""
DOCS = Path(__file__).parents[2] / "docs" / "detectors"
RANK = [Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL]
JAPANESE = re.compile(r"[ぁ-んァ-ヶ一-龠]")
CALENDAR_AWARE = {"off-hours-access"}
SIX_MONTHS = timedelta(weeks=26)


def named(case: Case) -> list[dict[str, Any]]:
    """The story's events with ids of their own: an event keeps its name in every retelling."""
    return [{"event_id": f"e{number:05d}", **event} for number, event in enumerate(case.events)]


def essence(drafts: list[Draft]) -> list[Draft]:
    """Drafts without the log's numbering, which retelling changes."""
    return [replace(draft, first_index=0, last_index=0) for draft in drafts]


def of_the_story(drafts: list[Draft], case: Case) -> list[Draft]:
    actors = {event["actor"]["id"] for event in case.events}
    sources = {event["source"] for event in case.events}
    return [d for d in drafts if actors.intersection(d.actors) or (not d.actors and d.entity in sources)]


@pytest.fixture(scope="session")
def found_in_stories() -> dict[tuple[str, str], list[Draft]]:
    """What was found so far, by detector and story."""
    return {}


@pytest.fixture(scope="session")
def judged(
    make_town: MakeTown, found_in_stories: dict[tuple[str, str], list[Draft]]
) -> Callable[[Detector, Case], list[Draft]]:
    """What is found in a story, for checks that tell it in another way; a town is kept no longer than that takes."""

    def judge(detector: Detector, case: Case) -> list[Draft]:
        key = detector.meta.id, case.name
        if key not in found_in_stories:
            town = make_town(named(case), case.feeds)
            found_in_stories[key] = town.judge(detector, case.day)
            town.close()
        return found_in_stories[key]

    return judge


@pytest.fixture
def far_away() -> Iterator[None]:
    """A machine whose clock is set to another part of the world."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "America/St_Johns"
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


# C1, C2: what it declares ---------------------------------------------------------------------------------


@EVERY_DETECTOR
def test_c1_metadata_is_complete(detector: Detector) -> None:
    meta = detector.meta
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", meta.id)
    assert re.fullmatch(r"\d+\.\d+\.\d+", meta.version)
    assert meta.family in {"rules", "windows", "learned"}
    assert meta.techniques
    assert all(re.fullmatch(r"T\d{4}(\.\d{3})?", technique) for technique in meta.techniques)
    assert meta.controls
    assert set(meta.reads) <= {"source", "log_index", *COLUMNS}
    assert meta.look_back >= timedelta(0)


@EVERY_DETECTOR
def test_c1_every_text_is_in_both_languages(detector: Detector) -> None:
    said = [getattr(detector.meta, field.name) for field in fields(detector.meta)]
    said += [field.metadata["text"] for field in fields(detector.parameters)]
    texts = [text for text in said if isinstance(text, Texts)]
    assert len(texts) == 4 + len(fields(detector.parameters))
    for text in texts:
        assert JAPANESE.search(text.ja), text
        assert text.en, text
        assert not JAPANESE.search(text.en), text


@EVERY_DETECTOR
def test_c1_has_a_page(detector: Detector) -> None:
    assert (DOCS / f"{detector.meta.id}.md").is_file()


def test_c1_ids_and_story_names_are_unique() -> None:
    assert all(name == detector.meta.id for name, detector in DETECTORS.items())
    assert len(set(NAMES)) == len(NAMES)


@EVERY_DETECTOR
def test_c2_five_stories_fire_and_five_are_silent(detector: Detector) -> None:
    firing = sum(bool(case.expect) for case in detector.cases)
    assert firing >= 5
    assert len(detector.cases) - firing >= 5


# The stories themselves -----------------------------------------------------------------------------------


@EVERY_STORY
def test_story(
    detector: Detector, case: Case, town: MakeTown, found_in_stories: dict[tuple[str, str], list[Draft]]
) -> None:
    """All that is asked of every story, in one town: to tell it anew costs more than to judge it."""
    told = town(named(case), case.feeds)
    reader = told.reader(detector, case.day)
    given = copy.deepcopy((reader.context, detector.parameters, detector.meta))
    drafts = list(detector.detect(Window.of_day(case.day), reader, detector.parameters))
    found_in_stories[detector.meta.id, case.name] = drafts
    assert (reader.context, detector.parameters, detector.meta) == given, "C3: inputs stay as they were"
    assert {draft.entity for draft in drafts} == case.expect
    assert len({draft.entity for draft in drafts}) == len(drafts)
    says_it_in_both_languages_within_its_bounds(detector, drafts)
    again = list(detector.detect(Window.of_day(case.day), reader, detector.parameters))
    assert again == drafts, "C4: the same input, the same output"
    c9_evidence_is_in_the_log_and_in_the_window(detector, case, told, drafts)
    c10_a_finding_keeps_its_name(detector, case, drafts)
    assert told.judge(detector, case.day + timedelta(days=1)) == [], "C10: yesterday is not reported again"


def says_it_in_both_languages_within_its_bounds(detector: Detector, drafts: list[Draft]) -> None:
    for draft in drafts:
        assert 0 < draft.score <= 1
        assert RANK.index(draft.severity) <= RANK.index(detector.meta.severity)
        assert draft.actors or draft.entity == draft.source, "only what a source did by itself is nobody's"
        assert len(draft.reasons) >= 2
        for text in (draft.title, *draft.reasons):
            assert JAPANESE.search(text.ja), text
            assert not JAPANESE.search(text.en.replace("職員 s", "")), "only a name may be Japanese in English"


def c9_evidence_is_in_the_log_and_in_the_window(
    detector: Detector, case: Case, town: Town, drafts: list[Draft]
) -> None:
    window = Window.of_day(case.day)
    for draft in drafts:
        events = [town.log.find(*reference.split(":", 1)) for reference in draft.evidence]
        assert None not in events
        assert all(window.start - detector.meta.look_back <= event.time < window.end for event in events)
        assert any(window.start <= event.time for event in events)
        assert len(set(draft.evidence)) == len(draft.evidence) == draft.evidence_total
        indexes = [event.log_index for event in events]
        assert (min(indexes), max(indexes)) == (draft.first_index, draft.last_index)


def c10_a_finding_keeps_its_name(detector: Detector, case: Case, drafts: list[Draft]) -> None:
    window, version = Window.of_day(case.day), detector.meta.version

    def ids(version: str) -> list[str]:
        return [finding_id(detector.meta.id, version, d.entity, window.start, window.end) for d in drafts]

    assert len(set(ids(version))) == len(case.expect)
    assert ids(f"{version.partition('.')[0]}.99.0") == ids(version)


@EVERY_DETECTOR
def test_c3_defaults_are_immutable(detector: Detector) -> None:
    name = fields(detector.parameters)[0].name
    with pytest.raises(FrozenInstanceError):
        setattr(detector.parameters, name, 0)
    with pytest.raises(FrozenInstanceError):
        detector.meta.version = "0"  # type: ignore[misc]  # what is tried here is what the type forbids


@FIRST_STORY
def test_c5_order_of_arrival_does_not_matter(detector: Detector, case: Case, judged: Any, town: MakeTown) -> None:
    events = named(case)
    random.Random(20261005).shuffle(events)  # noqa: S311 - a shuffle that every run repeats
    shuffled = town(events, case.feeds).judge(detector, case.day)
    assert essence(shuffled) == essence(judged(detector, case))


@FIRST_STORY
def test_c6_unknown_fields_and_bare_events_are_tolerated(
    detector: Detector, case: Case, judged: Any, town: MakeTown
) -> None:
    strange = [
        {**event, "weather": "rain", "actor": {**event["actor"], "hat": {"colour": "red"}}} for event in named(case)
    ]
    noon = clock(case.day, "12:00").isoformat()
    bare = [
        {"source": source, "time": noon, "activity": activity, "actor": {"kind": "system"}}
        for source in ("nhi-eligibility", "bare")
        for activity in ("login", "view", "operation")
    ]
    drafts = town([*strange, *bare], case.feeds).judge(detector, case.day)
    assert essence(drafts) == essence(judged(detector, case))


@FIRST_STORY
def test_c7_four_hundred_others_change_nothing(detector: Detector, case: Case, judged: Any, town: MakeTown) -> None:
    others = [
        event
        for number in range(400)
        for event in (
            sign_in(
                clock(case.day, "08:31"),
                f"other{number}",
                f"10.77.{number // 250}.{number % 250}",
                unit="kouen",
            ),
            *look_ups(case.day, f"other{number}", 3 + number % 5, unit="kouen"),
        )
    ]
    drafts = of_the_story(town([*named(case), *others], case.feeds).judge(detector, case.day), case)
    assert essence(drafts) == essence(judged(detector, case))


@pytest.fixture(scope="module")
def empty_town(make_town: MakeTown) -> Iterator[Town]:
    """Where nothing happened. Detectors only read, so that all may look at one."""
    town = make_town([], {})
    yield town
    town.close()


@EVERY_DETECTOR
def test_c9_nothing_happened_nothing_found(detector: Detector, empty_town: Town) -> None:
    assert empty_town.judge(detector, date(2026, 10, 5)) == []


@FIRST_STORY
def test_c11_the_machine_s_time_zone_changes_nothing(
    detector: Detector, case: Case, judged: Any, town: MakeTown, request: pytest.FixtureRequest
) -> None:
    here = judged(detector, case)
    request.getfixturevalue("far_away")
    assert essence(town(named(case), case.feeds).judge(detector, case.day)) == essence(here)


def can_move(detector: Detector, case: Case) -> bool:
    """Whether the calendar has no part in the story."""
    if any(re.search(r"\d{4}-\d{2}-\d{2}", feed) for feed in case.feeds.values()):
        return False
    closed = is_closed_by_law(case.day) or is_closed_by_law(case.day - SIX_MONTHS)
    return detector.meta.id not in CALENDAR_AWARE or not closed


@pytest.mark.parametrize(
    ("detector", "case"),
    [
        pytest.param(DETECTORS[name], movable[0], id=name)
        for name in DETECTORS
        for movable in [[c for d, c in STORIES if d.meta.id == name and c.expect and can_move(d, c)]]
        if movable
    ],
)
def test_c11_whole_weeks_change_nothing(detector: Detector, case: Case, judged: Any, town: MakeTown) -> None:
    moved = [
        {
            **event,
            **{
                name: (datetime.fromisoformat(event[name]) - SIX_MONTHS).isoformat()
                for name in ("time", "recorded_at")
                if name in event
            },
        }
        for event in named(case)
    ]
    then = town(moved, case.feeds).judge(detector, case.day - SIX_MONTHS)
    now = judged(detector, case)
    assert [(d.entity, d.score, d.severity, d.evidence, d.baseline) for d in then] == [
        (d.entity, d.score, d.severity, d.evidence, d.baseline) for d in now
    ]


STAFF, DAY = [f"s{number:02d}" for number in range(40)], date(2026, 10, 9)


@pytest.fixture(scope="module")
def ordinary_week(make_town: MakeTown) -> Iterator[tuple[Town, int]]:
    """Forty people at work, a week of it, and how many events that are."""
    events = [
        event
        for back in range(5)
        for number, actor in enumerate(STAFF)
        for event in (
            sign_in(clock(DAY - timedelta(days=back), "08:29"), actor, f"10.3.1.{number}", "failure"),
            sign_in(clock(DAY - timedelta(days=back), "08:30"), actor, f"10.3.1.{number}"),
            *(
                {**look_up, "subjects": [subject]}
                for look_up in look_ups(DAY - timedelta(days=back), actor, 40)
                for subject in look_up["subjects"]
            ),
        )
    ]
    town = make_town(events, {})
    yield town, len(events)
    town.close()


@EVERY_DETECTOR
def test_c14_an_ordinary_day_costs_few_rows(detector: Detector, ordinary_week: tuple[Town, int]) -> None:
    """Rows handed out grow with people and days, not with their acts."""
    town, events = ordinary_week
    reader = town.reader(detector, DAY)
    assert list(detector.detect(Window.of_day(DAY), reader, detector.parameters)) == []
    assert reader.rows <= 10 * len(STAFF) < events / 10
