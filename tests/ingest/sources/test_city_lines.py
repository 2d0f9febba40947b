"""Every line that a city's system is said to write is read by that city's profile, and says what a person reads in it.

The lines stand in the digest of the cities' documents, beside the project and never in it. Here is only what a person
makes of each: what was done, and which of its values is whose. The values are taken from the line by other means than
the product's.
"""

import json
import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from audit.events import Checked, check
from ingest.formats.registry import decode
from ingest.model import Record
from ingest.sources.catalogue_reader import cities, load_catalogue

SHARED = Path(os.environ.get("MIMAMORI_SHARED", Path(__file__).parents[3] / ".." / "shared"))
RECEIVED = datetime(2027, 4, 1, tzinfo=UTC)
JAPAN = timezone(timedelta(hours=9))


class Expected(NamedTuple):
    """What one line must become.

    Attributes:
        source: who writes it.
        activity: what was done.
        columns: `column=name`: the value that the line gives under this name; a value without a name goes by its
            number. Whatever is not listed must be kept as unmapped under its own name.
        fixed: columns whose value is ours, not the line's.
    """

    source: str
    activity: str
    columns: str
    fixed: Mapping[str, Any] = {"outcome": "success"}


NOTHING: Mapping[str, Any] = {}
TWO_FACTORS = {"outcome": "success", "auth_factors": ["password", "biometric"]}
CONTRACTOR = {"outcome": "success", "actor_kind": "contractor"}
SYSTEM = {"actor_kind": "system"}
SIX_FIELDS = (
    "actor_id=ユーザー名 terminal_id=端末名 screen=操作画面 operation_name=アクセス区分 subjects=アクセス対象者"
)
RESIDENT = "operation_name=func actor_id=user actor_org_unit=dept terminal_id=term subjects=subject"
EXPECTED: Mapping[tuple[str, int], Expected] = {
    ("kurashiki", 1): Expected(
        "nhi-core",
        "login",
        "operation_name=1 actor_id=staff terminal_id=term",
        {"outcome": "success", "auth_factors": ["password", "palm_vein"]},
    ),
    ("kurashiki", 2): Expected(
        "atena",
        "search",
        "operation_name=1 actor_id=staff counterparty_system=caller query_by=key_type subjects=subject",
    ),
    ("kurashiki", 3): Expected(
        "intermediate-server",
        "inquiry",
        "operation_name=1 actor_id=staff terminal_id=term counterparty_permit=permit reason=procedure subjects=subject",
    ),
    ("kurashiki", 4): Expected(
        "kokuho-shuyaku",
        "upload",
        "operation_name=1 actor_id=staff terminal_id=pc export_file=file export_rows=records",
    ),
    ("kurashiki", 5): Expected(
        "insurer-intermediate-server",
        "operation",
        "operation_name=work actor_id=operator actor_org_unit=org target_system=area export_file=file",
        CONTRACTOR,
    ),
    ("kurashiki", 6): Expected(
        "common-platform",
        "transfer",
        "operation_name=1 counterparty_system=dst export_file=dataset export_rows=records",
        {"outcome": "success", "actor_kind": "system"},
    ),
    ("shinjuku", 1): Expected(
        "nhi-legacy", "search", "actor_id=1 terminal_id=2 operation_name=3 subjects=住民番号", NOTHING
    ),
    ("shinjuku", 2): Expected("nhi-levy", "view", SIX_FIELDS, NOTHING),
    ("shinjuku", 3): Expected("nhi-eligibility", "update", SIX_FIELDS, NOTHING),
    ("shinjuku", 4): Expected("nhi-benefit", "view", SIX_FIELDS, NOTHING),
    ("shinjuku", 5): Expected("collection", "update", SIX_FIELDS, NOTHING),
    ("shinjuku", 6): Expected(
        "atena",
        "inquiry",
        "operation_name=操作内容 actor_id=職員 counterparty_system=情報連携先 subjects=対象",
        NOTHING,
    ),
    ("shinjuku", 11): Expected(
        "kokuho-sogo-pc", "upload", "operation_name=操作内容 actor_id=職員 terminal_id=端末 export_rows=件数"
    ),
    ("shinjuku", 12): Expected(
        "resident-register",
        "view",
        "operation_name=screen actor_id=user terminal_id=term query_by=key subjects=subject",
    ),
    ("shinjuku", 13): Expected("tax", "view", "actor_id=user counterparty_system=caller subjects=subject"),
    ("kumagaya", 1): Expected("nhi-levy", "view", RESIDENT, TWO_FACTORS),
    ("kumagaya", 2): Expected(
        "nhi-eligibility", "print", "operation_name=func actor_id=user terminal_id=term subjects=subject"
    ),
    ("kumagaya", 3): Expected(
        "early-elderly", "update", "operation_name=func actor_id=user terminal_id=term subjects=subject"
    ),
    ("kumagaya", 4): Expected("nhi-arrears", "view", RESIDENT),
    ("kumagaya", 5): Expected(
        "nhi-benefit",
        "update",
        "operation_name=func actor_id=user terminal_id=term subjects=subject case_id=application",
    ),
    ("kumagaya", 6): Expected("collection", "view", f"{RESIDENT} screen=screen"),
    ("kumagaya", 7): Expected("arrears", "view", RESIDENT),
    ("kumagaya", 8): Expected(
        "atena",
        "search",
        "operation_name=1 affair=affair actor_org_unit=dept actor_id=officer query_by=key subjects=subject",
    ),
    ("kumagaya", 9): Expected(
        "intermediate-server",
        "provision",
        "operation_name=1 actor_id=officer subjects=subject counterparty_permit=permit",
    ),
    ("kumagaya", 10): Expected(
        "common-platform", "login", "operation_name=1 actor_id=user actor_org_unit=dept terminal_id=term", TWO_FACTORS
    ),
    ("kumagaya", 11): Expected(
        "kokuho-shuyaku",
        "transfer",
        "operation_name=操作内容 actor_id=職員 export_file=データ内容 terminal_id=term",
    ),
    ("kumagaya", 12): Expected(
        "insurer-intermediate-server",
        "operation",
        "operation_name=1 actor_id=operator actor_org_unit=org target_system=area export_file=file export_rows=records",
        CONTRACTOR,
    ),
    ("kumagaya", 13): Expected("e-application", "operation", "operation_name=1 actor_id=officer case_id=reception"),
    ("nagaoka", 1): Expected(
        "latter-elderly-window",
        "upload",
        "operation_name=1 actor_id=handler terminal_id=term export_file=file export_rows=records "
        "export_destination=channel",
    ),
    ("nagaoka", 2): Expected(
        "latter-elderly",
        "search",
        "operation_name=1 actor_id=操作者 terminal_id=端末 subjects=被保険者番号 query_hits=結果",
        {"query_by": "name"},
    ),
    ("nagaoka", 3): Expected(
        "intermediate-server",
        "provision",
        "operation_name=1 outcome=outcome actor_id=職員 reason=目的 subjects=subject",
        NOTHING,
    ),
    ("nagaoka", 4): Expected("atena", "view", "operation_name=1 actor_id=staff query_by=key_type subjects=subject"),
    ("kumamoto", 1): Expected(
        "ltci-core",
        "view",
        "operation_name=処理 actor_id=職員 actor_org_unit=部署 terminal_id=端末 reason=処理事由 subjects=宛名番号",
        NOTHING,
    ),
    ("kumamoto", 2): Expected(
        "common-platform",
        "transfer",
        "operation_name=1 counterparty_system=受信 export_file=データ export_rows=件数 export_approval_id=承認願",
        SYSTEM,
    ),
    ("kumamoto", 3): Expected("atena", "job_run", "operation_name=1 subject_count=対象", SYSTEM),
    ("kumamoto", 4): Expected(
        "intermediate-server",
        "inquiry",
        "operation_name=操作内容 actor_id=職員 counterparty_permit=permit subjects=subject",
    ),
}


def cells(line: str) -> dict[str, str]:
    """The values of a line by name; those without one by their number, `0` being the time."""
    bare = (str(number) for number in range(10))
    return {
        name if equals else next(bare): value if equals else name
        for name, equals, value in (cell.partition("=") for cell in line.split(","))
    }


@pytest.fixture(scope="module")
def lines() -> Mapping[tuple[str, int], str]:
    """The example line of every numbered system, by city and number."""
    path = SHARED / "systems.md"
    if not path.exists():
        pytest.skip(f"{path} is absent: set MIMAMORI_SHARED")
    section = path.read_text(encoding="utf-8").partition("## 4.")[2].partition("## 5.")[0]
    found: dict[tuple[str, int], str] = {}
    city, number = "", 0
    for line in section.splitlines():
        if match := re.match(r"### \w+ \((\d{3})_", line):
            city = tuple(cities())[int(match[1])]
        elif match := re.match(r"#### System (\d+):", line):
            number = int(match[1])
        elif match := re.match(r"- Example: `(.*)`$", line):
            assert (city, number) not in found, "one line a system"
            found[city, number] = match[1]
    return found


def read(line: str, source: str, city: str) -> Checked:
    """One line through one city's profile of one source."""
    profile = load_catalogue(city=city)[source]
    (record,) = decode(profile.format, [(1, line.encode(profile.encoding))], profile, RECEIVED)
    assert isinstance(record, Record), record.reasons
    return check(record.doc, RECEIVED)


@pytest.mark.shared
def test_every_line_has_an_expectation(lines: Mapping[tuple[str, int], str]) -> None:
    assert set(lines) == set(EXPECTED)
    assert len(lines) == 36


@pytest.mark.shared
@pytest.mark.parametrize("place", EXPECTED, ids=[f"{city}-{number}" for city, number in EXPECTED])
def test_a_citys_line_says_what_a_person_reads_in_it(
    place: tuple[str, int], lines: Mapping[tuple[str, int], str]
) -> None:
    expected = EXPECTED[place]
    said = cells(lines[place])
    event = read(lines[place], expected.source, place[0])
    assert (event.faults, event.masked) == ((), 0)
    found = dict(event.columns)
    unmapped = json.loads(found.pop("unmapped", "{}"))

    at = datetime.fromisoformat(said.pop("0").replace("/", "-"))
    assert found.pop("time") == (at if at.tzinfo else at.replace(tzinfo=JAPAN))
    assert found.pop("activity") == expected.activity
    for column, value in expected.fixed.items():
        assert found.pop(column) == value, column
    for column, name in (pair.split("=") for pair in expected.columns.split()):
        value = found.pop(column)
        if isinstance(value, int):
            assert value == int(said.pop(name).removesuffix("件")), column
        else:
            assert value == (said.pop(name) if isinstance(value, str) else [said.pop(name)]), column
    assert set(found) <= {"affair"}, "nothing that the line does not say"
    said.pop("1", None)  # a word that is ours already, beside a better one for the operation's name
    assert {name: unmapped.get(name) for name in said} == said, "what has no place of ours is kept"
