"""The pages and the JSON about detectors, over HTTP, of an installation that runs them."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from house import SOURCE, House
from scorecards_made import save_card
from sqlalchemy import delete

from api.detector_views import DetectorViews
from api.scorecards import card_names, read_card, scores_of
from audit.access import Role
from audit.findings import Canary, DetectorRun, Draft, FindingFilter, Severity, Verdict
from audit.findings.canaries import CanaryRow
from audit.findings.run_repository import LookRow
from audit.texts import Texts
from detectors.model import Window
from detectors.registry import DETECTORS

NAME = "own-record"


@pytest.fixture
def found(house: House) -> Iterator[House]:
    """One finding of yesterday, found in a run that is on record."""
    window = Window.of_day((house.clock.now() - timedelta(days=1)).date())
    draft = Draft(
        entity="s0411",
        severity=Severity.MEDIUM,
        score=0.5,
        actors=("s0411",),
        subjects=(),
        source=SOURCE,
        title=Texts("見本の警告", "A sample"),
        reasons=(Texts("理由", "A reason"),),
        evidence=(f"{SOURCE}:e/1",),
        first_index=0,
        last_index=1,
        evidence_total=1,
    )
    run = DetectorRun(NAME, DETECTORS[NAME].meta.version, "", window.start, window.end, 0, 25, 24)
    house.installation.findings.record(run, [draft])
    yield house
    house.installation.findings.record(run, [])


def test_the_list_shows_every_detector_with_what_it_found_and_what_it_is_worth(found: House) -> None:
    page = found.signed_in(Role.AUDITOR).get("/detectors").text
    for detector in DETECTORS.values():
        assert detector.meta.title.ja in page
    assert f'href="/alerts?status=open&amp;detector={NAME}"' in page
    assert "80 % が本当" in page
    rows = {row.id: row for _, rows in DetectorViews(found.installation).listing("", "").groups for row in rows}
    assert (rows[NAME].recent, rows[NAME].open_count) == (1, 1)
    assert len(rows[NAME].days) == 30
    assert rows[NAME].days[-2][1] == 1
    assert rows[NAME].state == "never"


def test_the_list_is_narrowed_to_words_and_to_a_control(house: House) -> None:
    views = DetectorViews(house.installation)

    def names(sought: str = "", control: str = "") -> set[str]:
        return {row.id for _, rows in views.listing(sought, control).groups for row in rows}

    assert NAME in names("自分 記録") & names("OWN record")
    assert names("own-record 自分の") == {NAME}
    assert names("nothing of this name") == set()
    assert names(control="C-112") == {"automatic-answer-overridden"}
    assert names("own", "C-112") == set()


def test_a_look_at_the_list_is_recorded_with_what_was_sought_and_no_number_of_a_person(house: House) -> None:
    house.signed_in(Role.AUDITOR).get("/detectors?q=123456789018&control=C-083")
    act = house.last_act()
    assert act["operation_name"] == "detectors.view"
    assert act["unmapped"]["control"] == "C-083"
    assert "123456789018" not in json.dumps(act)


def test_a_detector_tells_its_values_its_runs_and_its_score(found: House) -> None:
    page = found.signed_in(Role.AUDITOR).get(f"/detectors/{NAME}").text
    meta = DETECTORS[NAME].meta
    assert meta.runbook.ja.splitlines()[0] in page
    assert all(f'href="/detectors?control={control.replace(" ", "+")}"' in page for control in meta.controls)
    assert "検知 5 件のうち 4 件が本当の事案につながり" in page
    (run,) = found.installation.findings.history(detector=NAME)[:1]
    assert run.result[:12] in page
    browser = found.signed_in(Role.AUDITOR)
    (alert,) = found.installation.findings.listing(FindingFilter(detector=NAME))
    assert f'href="/detectors/{NAME}"' in browser.get(f"/alerts/{alert.id}").text
    assert 'href="/detectors/' not in browser.get(f"/alerts/{found.alert}").text.partition("<main")[2]
    csv = browser.get(f"/detectors/{NAME}/findings.csv")
    assert csv.headers["content-type"] == "text/csv; charset=utf-8"
    assert len(csv.text.splitlines()) == 31


@pytest.fixture
def untold(house: House) -> Iterator[House]:
    """A house that forgets afterwards what its detectors were told, and that they looked."""
    yield house
    with house.installation.canaries._state.unit() as session:
        session.execute(delete(CanaryRow))
        session.execute(delete(LookRow))


def test_a_detector_that_does_not_see_is_said_to_be_blind_and_so_is_one_whose_values_silence_it(untold: House) -> None:
    house = untold
    canaries, now = house.installation.canaries, house.clock.now()
    for name, verdict in (
        ("lent-id", Verdict.BLIND),
        ("new-terminal", Verdict.SILENCED),
        ("log-cleared", Verdict.SEES),
    ):
        day = Window.of_day(now.date()).day
        canaries.enter(Canary(name, day, "1.0.0", "", "story", verdict, "", now), lambda _unit: None)
    house.installation.findings.looked(["lent-id", "new-terminal", "log-cleared"])
    views = DetectorViews(house.installation)
    assert [views.state(name) for name in ("lent-id", "new-terminal", "log-cleared")] == ["blind", "silenced", "ok"]
    house.clock.advance(timedelta(minutes=4 * house.installation.settings.detect_minutes))
    assert DetectorViews(house.installation).state("log-cleared") == "late"
    browser = house.signed_in(Role.AUDITOR)
    assert "警告がなくても安心できません" in browser.get("/detectors/lent-id").text
    assert "見えていない" in browser.get("/detectors").text


def test_the_json_lists_every_detector_with_the_values_in_force(house: House) -> None:
    listed = house.signed_in(Role.AUDITOR).get("/api/v1/detectors").json()["detectors"]
    assert [one["id"] for one in listed] == sorted(DETECTORS)
    one = next(one for one in listed if one["id"] == "off-hours-access")
    assert one["parameters"] == one["parameters_default"]
    assert one["parameters"]["grace_minutes"] == 30
    assert one["area"] == "time"
    assert one["controls"]


def test_the_scorecard_says_what_is_met_and_leads_to_detectors_that_are_there(house: House) -> None:
    browser = house.signed_in(Role.AUDITOR)
    page = browser.get("/detectors/scorecards").text
    assert "7 個の目標のうち 4 個に届いています" in page
    assert 'href="/detectors/own-record"' in page
    assert 'href="/detectors/of-tomorrow"' not in page
    csv = browser.get(f"/detectors/scorecards/{house.card}/detectors.csv").content.decode("utf-8-sig").splitlines()
    assert csv[1] == "自分の記録の照会,own-record,5,80 % (4/5),2,1,20 % (1/5),75 % (6/8)"
    assert browser.get(f"/detectors/scorecards/{house.card}/none.csv").status_code == 404


def test_a_scorecard_that_cannot_be_read_is_said_and_keeps_nothing_from_working(house: House) -> None:
    data = house.installation.settings.data
    broken = data / "lab" / "all-999-1-1.json"
    try:
        for content in ("{", "[]", "{}", '{"queue": {"kinds": 3}}'):
            broken.write_text(content, "utf-8")
            assert read_card(data, broken.stem).unreadable
        assert scores_of(data)[0] == house.card
        assert "読めません" in house.signed_in(Role.AUDITOR).get("/detectors/scorecards?card=all-999-1-1").text
    finally:
        broken.unlink()


def test_a_town_of_one_kind_scores_no_detector_and_comes_after_the_whole_ones(house: House) -> None:
    data = house.installation.settings.data
    name = save_card(data, "own-record-30-10-7")
    try:
        assert card_names(data) == (house.card, name)
        assert scores_of(data)[0] == house.card
        assert [choice.name.en for choice in read_card(data, name).choices] == [
            "30 staff, 10 days, every kind (seed 7)",
            "30 staff, 10 days, Own record (seed 7)",
        ]
    finally:
        (data / "lab" / f"{name}.json").unlink()


def test_without_a_scorecard_the_page_says_how_to_make_one(house: House) -> None:
    data = house.installation.settings.data
    lab = data / "lab"
    lab.rename(data / "away")
    try:
        assert "mimamori lab run" in house.signed_in(Role.AUDITOR).get("/detectors/scorecards").text
        assert "模擬の町での実力" not in house.signed_in(Role.AUDITOR).get("/detectors").text
    finally:
        (data / "away").rename(lab)
