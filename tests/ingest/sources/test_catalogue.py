"""Every row of the catalogue works, as itself and as each city has it; what the documents keep apart stays apart."""

import io
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import pytest

from audit.events import FIELDS, MAX_RECORD_BYTES, Activity, Checked, Outcome, check, parse_json
from ingest.formats.registry import decode
from ingest.model import Doc, Record, Refused
from ingest.reader import Block, read_blocks
from ingest.sources.catalogue_reader import cities, default_profile, load_catalogue
from ingest.sources.profile import KINDS, Profile, ProfileError

SHARED = Path(os.environ.get("MIMAMORI_SHARED", Path(__file__).parents[3] / ".." / "shared"))
RECEIVED = datetime(2027, 4, 1, tzinfo=UTC)
"""After every example."""
COLUMN = {field.path: field.column for field in FIELDS}
CATALOGUE = load_catalogue()
CASES = [(source, "") for source in CATALOGUE] + [
    (source, city) for city in cities() for source in load_catalogue(city=city)
]
EVERY_CASE = pytest.mark.parametrize(
    ("source", "city"), CASES, ids=[f"{source}-{city or 'all'}" for source, city in CASES]
)

NUMBERED: Mapping[str, str] = {
    "kurashiki": "1 nhi-core, 2 atena, 3 intermediate-server, 4 kokuho-shuyaku kokuho-sogo, "
    "5 insurer-intermediate-server, 6 common-platform",
    "shinjuku": "1 nhi-legacy, 2 nhi-levy, 3 nhi-eligibility, 4 nhi-benefit, 5 collection, 6 atena, "
    "11 kokuho-shuyaku kokuho-sogo, 12 resident-register, 13 tax",
    "kumagaya": "1 nhi-levy, 2 nhi-eligibility, 3 early-elderly, 4 nhi-arrears, 5 nhi-benefit, 6 collection, "
    "7 arrears, 8 atena, 9 intermediate-server, 10 common-platform, 11 kokuho-shuyaku kokuho-sogo, "
    "12 insurer-intermediate-server online-eligibility, 13 e-application",
    "nagaoka": "1 latter-elderly-union, 2 latter-elderly, 3 intermediate-server, 4 atena",
    "kumamoto": "1 ltci-core, 2 common-platform, 3 atena, 4 intermediate-server",
}
"""The slots that the documents number, and who fills them."""
BIOMETRIC = frozenset({"biometric", "face", "finger_vein", "fingerprint", "palm_vein", "vein"})
FACTORS = BIOMETRIC | {
    "card_key", "client_certificate", "ic_card", "key", "password", "pin", "security_card", "totp",
}  # fmt: skip
RESIDENT_INFORMATION = (
    "nhi-levy", "nhi-eligibility", "early-elderly", "nhi-arrears", "nhi-benefit", "collection", "arrears", "atena",
    "common-platform",
)  # fmt: skip
SIGN_IN: Mapping[tuple[str, str], str] = {
    ("kurashiki", "nhi-core"): "password+palm_vein",
    ("kurashiki", "kokuho-sogo-pc"): "password",
    ("kurashiki", "kokuho-shuyaku-pc"): "password+finger_vein",
    **{("shinjuku", source): "password" for source in (
        "nhi-legacy", "nhi-standard", "nhi-levy", "nhi-eligibility", "nhi-benefit", "collection", "atena",
        "kokuho-sogo-pc",
    )},
    **{("kumagaya", source): "password+biometric" for source in RESIDENT_INFORMATION},
    ("nagaoka", "latter-elderly"): "ic_card+password",
    ("nagaoka", "latter-elderly-union"): "password",
    ("nagaoka", "server-admin-terminal"): "card_key+password",
    ("kumamoto", "ltci-core"): "password",
}  # fmt: skip
"""What the documents say of signing in."""
APART = (
    ("intermediate-server", "insurer-intermediate-server"),
    ("latter-elderly-union", "nhi-standard"),
    ("kokuho-sogo", "kokuho-shuyaku"),
    ("kokuho-sogo-pc", "kokuho-shuyaku-pc"),
    ("nhi-arrears", "arrears"),
)
"""What looks alike and is not the same."""


def profile_of(source: str, city: str) -> Profile:
    """A source as the whole catalogue, or as one city, has it."""
    return CATALOGUE[source].in_city(city) if city else CATALOGUE[source]


def read(profile: Profile) -> list[Record | Refused]:
    """Its example through its own format."""
    stream = io.BytesIO(profile.example.strip("\n").encode(profile.encoding))
    lines: list[tuple[int, bytes]] = []
    for block in read_blocks(stream, MAX_RECORD_BYTES, as_written=True, encoding=profile.encoding):
        assert isinstance(block, Block)
        lines += block.lines
    if profile.format != "jsonl":
        return list(decode(profile.format, lines, profile, RECEIVED))
    return [_json(number, line) for number, line in lines]


def _json(number: int, line: bytes) -> Record | Refused:
    doc, fault = parse_json(line)
    return Refused(number, line, (str(fault),)) if doc is None else Record(number, line, doc)


def docs(profile: Profile) -> list[Doc]:
    """Its example as events, before they are checked."""
    return [record.doc for record in read(profile) if isinstance(record, Record)]


def checked(profile: Profile) -> list[Checked]:
    """Its example as events."""
    return [check(doc, RECEIVED) for doc in docs(profile)]


OWN_WORDS = [
    (source, city)
    for source, city in CASES
    if (profile := profile_of(source, city)).format in {"csv", "fixed", "key_value"}
    and "activity" not in profile.constants
]
"""Where the source itself writes what was done; other formats bring words of their own, or a record has none."""


@EVERY_CASE
def test_its_example_is_read_without_a_fault(source: str, city: str) -> None:
    profile = profile_of(source, city)
    found = read(profile)
    assert [(one.line, one.reasons) for one in found if isinstance(one, Refused)] == []
    assert len(found) >= (2 if city else 3), "an example shows what the source writes"
    for event in checked(profile):
        assert (event.faults, event.masked) == ((), 0)


@EVERY_CASE
def test_the_documented_fields_are_all_there(source: str, city: str) -> None:
    profile = profile_of(source, city)
    there = {column for event in checked(profile) for column in event.columns}
    assert {COLUMN[path] for path in profile.documented} <= there


@EVERY_CASE
def test_every_word_means_something_of_ours(source: str, city: str) -> None:
    profile = profile_of(source, city)
    assert {word: ours for word, ours in profile.activities.items() if ours not in set(Activity)} == {}
    assert {word: ours for word, ours in profile.outcomes.items() if ours not in {*Outcome, ""}} == {}


@pytest.mark.parametrize(("source", "city"), OWN_WORDS, ids=[f"{source}-{city or 'all'}" for source, city in OWN_WORDS])
def test_the_sources_own_word_is_kept(source: str, city: str) -> None:
    profile = profile_of(source, city)
    for record in read(profile):
        assert isinstance(record, Record)
        assert record.doc["operation_name"] in record.raw.decode(profile.encoding)


@EVERY_CASE
def test_whoever_acted_is_known(source: str, city: str) -> None:
    for event in checked(profile_of(source, city)):
        assert event.columns.get("actor_id") or event.columns["actor_kind"] == "system"


@EVERY_CASE
def test_sign_in_names_factors_that_there_are(source: str, city: str) -> None:
    wanted = profile_of(source, city).authentication
    assert set(re.split(r"[|+]", wanted)) - {""} <= FACTORS


def test_an_id_is_its_files_name() -> None:
    for item in resources.files("ingest.sources.catalogue").iterdir():
        if item.name.endswith(".toml"):
            text = item.read_text(encoding="utf-8")
            assert re.search(r'(?m)^id = "(.*)"$', text)[1] == item.name.removesuffix(".toml")  # type: ignore[index]  # a profile without an id does not load
            assert not re.search(r"(?<![0-9])[0-9]{12}(?![0-9])", text), f"{item.name}: twelve digits"


def test_the_rows_are_all_there() -> None:
    assert len(CATALOGUE) == 67
    assert Counter(profile.kind for profile in CATALOGUE.values()) == {
        "core": 28, "terminal": 9, "national": 8, "ledger": 7, "platform": 5, "linkage": 4, "security": 4,
        "physical": 2,
    }  # fmt: skip
    assert {profile.kind for profile in CATALOGUE.values()} == set(KINDS)


def test_the_numbers_are_each_documents_own() -> None:
    slots = {city: [slot.split() for slot in line.split(", ")] for city, line in NUMBERED.items()}
    assert {city: len(of_city) for city, of_city in slots.items()} == {
        "kurashiki": 6, "shinjuku": 9, "kumagaya": 13, "nagaoka": 4, "kumamoto": 4,
    }  # fmt: skip
    wanted = {
        city: {source: int(n) for n, *sources in of_city for source in sources} for city, of_city in slots.items()
    }
    found = {
        city: {source: profile.number for source, profile in load_catalogue(city=city).items() if profile.number}
        for city in cities()
    }
    assert found == wanted
    assert {source for of_city in wanted.values() for source in of_city} == {
        source for source, profile in CATALOGUE.items() if any(part.get("number") for part in profile.cities.values())
    }
    assert all(profile.number == 0 for profile in CATALOGUE.values()), "a number belongs to a city's document"


@pytest.mark.parametrize(("one", "other"), APART)
def test_what_looks_alike_stays_apart(one: str, other: str) -> None:
    assert one != other
    assert CATALOGUE[one].name != CATALOGUE[other].name


def test_what_is_one_stays_one() -> None:
    arrears = CATALOGUE["arrears"]
    assert (arrears.in_city("kumagaya").name_ja, arrears.in_city("shinjuku").name_ja) == (
        "滞納整理システム", "滞納整理支援システム",
    )  # fmt: skip
    assert "kumagaya" not in CATALOGUE["resident-register"].cities, "there 住民情報システム names a group"
    assert "住民情報システム" in CATALOGUE["resident-register"].in_city("shinjuku").also


def test_one_word_means_what_each_source_means_by_it() -> None:
    assert CATALOGUE["nhi-legacy"].activities["照会"] == "search"
    assert CATALOGUE["nhi-standard"].activities["照会"] == "view"
    assert "*" not in CATALOGUE["nhi-legacy"].activities, "its document lists the operations"
    assert "*" not in CATALOGUE["ltci-core"].in_city("kumamoto").activities


@pytest.mark.parametrize(("place", "wanted"), SIGN_IN.items(), ids=["-".join(place) for place in SIGN_IN])
def test_sign_in_is_as_documented(place: tuple[str, str], wanted: str) -> None:
    city, source = place
    profile = profile_of(source, city)
    assert (profile.authentication, profile.authentication_stated) == (wanted, True)


@pytest.mark.parametrize("city", ["shinjuku", "kumamoto"])
def test_no_biometric_is_asked_for_where_there_is_none(city: str) -> None:
    for source, profile in load_catalogue(city=city).items():
        if profile.kind != "physical":  # doors there do know palms
            assert not BIOMETRIC & set(re.split(r"[|+]", profile.authentication)), source


@pytest.mark.parametrize(
    ("city", "source", "years", "online_days", "archive", "stated"),
    [
        ("shinjuku", "nhi-legacy", 7, 0, "parquet", True),
        ("shinjuku", "arrears", 0, 0, "parquet", True),
        ("shinjuku", "phone-dunning", 0, 0, "parquet", True),
        ("shinjuku", "nhi-standard", 7, 0, "parquet", False),
        ("shinjuku", "atena", 5, 0, "parquet", True),
        ("kumagaya", "arrears", 7, 0, "parquet", False),
        ("nagaoka", "latter-elderly", 7, 92, "csv", True),
        ("nagaoka", "intermediate-server", 7, 0, "parquet", True),
        ("kumamoto", "ltci-core", 7, 0, "parquet", False),
        ("kumamoto", "data-use-ledger", 5, 0, "parquet", True),
    ],
)
def test_retention_is_as_documented(
    city: str, source: str, years: int, online_days: int, archive: str, stated: bool
) -> None:
    kept = profile_of(source, city).retention
    assert (kept.years, kept.online_days, kept.archive, kept.stated) == (years, online_days, archive, stated)


def test_a_city_has_its_own_systems_alone() -> None:
    nagaoka = load_catalogue(city="nagaoka")
    assert "ltci-core" not in nagaoka
    assert nagaoka["atena"].name_ja == "統合宛名システム（団体内統合利用番号連携サーバー）"
    assert set(nagaoka) == {source for source, profile in CATALOGUE.items() if "nagaoka" in profile.cities}


def test_only_known_cities_have_a_part() -> None:
    assert {city for profile in CATALOGUE.values() for city in profile.cities} == set(cities())
    assert all(profile.cities for profile in CATALOGUE.values()), "some document names every row"
    assert [name.ja for name in cities().values()] == ["倉敷市", "新宿区", "熊谷市", "長岡市", "熊本市"]


def test_an_unknown_city_is_refused_with_those_there_are() -> None:
    with pytest.raises(ProfileError, match="kurashiki, shinjuku, kumagaya, nagaoka, kumamoto"):
        load_catalogue(city="edo")


def test_the_towns_own_goes_first_in_any_city(tmp_path: Path) -> None:
    own = 'id = "{}"\nname_ja = "町の"\nname_en = "the town\'s"\n'
    (tmp_path / "tax.toml").write_text(own.format("tax"), encoding="utf-8")
    (tmp_path / "library.toml").write_text(own.format("library"), encoding="utf-8")
    assert load_catalogue(tmp_path)["tax"].name_ja == "町の"
    assert {"tax", "library"} <= set(load_catalogue(tmp_path, "kumagaya"))
    assert load_catalogue()["tax"] is CATALOGUE["tax"], "and the shipped ones stay as they are, read once"
    assert default_profile("library").format == "jsonl"


def _rows(text: str) -> Iterable[tuple[str, str]]:
    """Source id and row of the tables of section 2."""
    for row in text.partition("## 2.")[2].partition("## 3.")[0].splitlines():
        if match := re.match(r"\| `([a-z-]+)` \|", row):
            yield match[1], row


@pytest.fixture
def systems() -> str:
    """The catalogue of systems that the documents were digested into."""
    path = SHARED / "systems.md"
    if not path.exists():
        pytest.skip(f"{path} is absent: set MIMAMORI_SHARED")
    return path.read_text(encoding="utf-8")


@pytest.mark.shared
def test_the_rows_are_those_of_the_documents(systems: str) -> None:
    rows = dict(_rows(systems))
    assert set(CATALOGUE) == set(rows)
    kinds = {"core records": "core", "security tool": "security"}
    for source, row in rows.items():
        kind = row.split(" | ")[3]
        assert CATALOGUE[source].kind == kinds.get(kind, kind), source


@pytest.mark.shared
def test_a_citys_part_is_there_where_its_document_has_the_system(systems: str) -> None:
    names = dict(zip(("000", "001", "002", "003", "004"), cities(), strict=True))
    for source, row in _rows(systems):
        cited = {names[seed] for seed in re.findall(r"\[(00[0-4])_", row.split(" | ")[2])}
        assert cited <= set(CATALOGUE[source].cities), source


@pytest.mark.shared
def test_a_numbered_system_bears_its_documents_name(systems: str) -> None:
    names = dict(zip(("000", "001", "002", "003", "004"), cities(), strict=True))
    slots = re.findall(r"(?m)^\| (00[0-4])_\S+ \| (\d+) \| (.*?) \| (.*) \|$", systems)
    assert len(slots) == 36
    for seed, number, name, _sources in slots:
        having = [one for one in load_catalogue(city=names[seed]).values() if one.number == int(number)]
        assert having
        for profile in having:
            assert any(part in name for part in (profile.name_ja, *profile.also)), (profile.id, name)


@pytest.mark.shared
def test_the_controls_served_are_documented(systems: str) -> None:
    known = set(re.findall(r"(?m)^\| (C-\d{3}) \|", (SHARED / "controls.md").read_text(encoding="utf-8")))
    assert systems
    for source, profile in CATALOGUE.items():
        assert profile.serves, source
        assert set(profile.serves) <= known - {"C-001", "C-002", "C-003"}, source
