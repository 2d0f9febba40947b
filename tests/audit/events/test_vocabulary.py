"""The closed vocabulary is complete, and its OCSF numbers are those of OCSF 1.8.0."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from audit.events import ACTIVITY_CLASS, FIELDS, LOOKUPS, OCSF_VERSION, Activity, ActorKind, Kind, Outcome
from audit.events.fields import FIELD_BY_PATH, GROUPS

CONTRACT = """login logout lock unlock search view create update delete answer bind_number print screen_copy export
import upload download inquiry provision transfer receive copy_register media_checkout media_write media_return
media_erase media_dispose apply approve grant revoke credential_issue credential_reset policy_change config_change
authorize entry exit job_run backup restore maintenance purge log_clear heartbeat ledger_entry security_event
operation"""
PATHS = """activity actor.id actor.kind actor.name actor.org_unit actor.role affair auth.authenticator auth.factors
auth.user_verified case_id counterparty.body counterparty.permit counterparty.purpose_no counterparty.system event_id
export.approval_id export.destination export.file export.medium_id export.rows export.sha256 operation_name outcome
query.by query.hits reason recorded_at screen sequence session subject_count subjects target.affair target.id
target.system terminal.id terminal.ip time unmapped"""
SHARED = Path(os.environ.get("MIMAMORI_SHARED", Path(__file__).parents[3] / ".." / "shared"))


@pytest.fixture
def ocsf() -> Path:
    folder = SHARED / "data" / "ocsf"
    if not folder.is_dir():
        pytest.skip(f"third-party data not found at {folder}")
    return folder


def test_the_vocabulary_is_the_contract() -> None:
    assert set(Activity) == set(CONTRACT.split())
    assert set(Outcome) == {"success", "failure", "denied"}
    assert set(ActorKind) == {"staff", "contractor", "system"}


@pytest.mark.parametrize("words", [Activity, Outcome, ActorKind])
def test_words_are_in_the_order_of_the_alphabet(words: Any) -> None:
    names = [member.name for member in words]
    assert names == sorted(names)
    assert all(member.value == member.name.lower() for member in words)


def test_the_form_is_the_contract() -> None:
    assert [field.path for field in FIELDS] == PATHS.split()
    assert frozenset(["actor", "terminal", "query", "auth", "export", "counterparty", "target"]) == GROUPS
    assert FIELD_BY_PATH["actor.org_unit"].column == "actor_org_unit"
    assert {field.path for field in FIELDS if field.kind is Kind.TIME} == {"time", "recorded_at"}


def test_keys_of_people_are_never_exempt_from_masking() -> None:
    exempt = {field.path for field in FIELDS if field.declared_id}
    assert not exempt & {"subjects", "target.id", "reason", "actor.name", "unmapped", "query.by", "auth.factors"}


@pytest.mark.parametrize("activity", list(Activity))
def test_every_activity_has_its_numbers(activity: Activity) -> None:
    ocsf = ACTIVITY_CLASS[activity]
    assert ocsf.type_uid == ocsf.class_uid * 100 + ocsf.activity_id
    assert ocsf.category_uid == ocsf.class_uid // 1000
    assert 1 <= ocsf.category_uid <= 8
    assert 0 < ocsf.activity_id <= 99


def test_the_table_has_no_other_rows() -> None:
    assert set(ACTIVITY_CLASS) == set(Activity)
    assert Activity.SEARCH not in LOOKUPS
    assert Activity.VIEW in LOOKUPS
    assert set(Activity) > LOOKUPS


def test_the_engine_gives_the_same_numbers(chdb_desk: Any) -> None:
    docs = [
        json.dumps({"time": "2026-10-05T00:00:00Z", "event_id": a, "activity": a, "actor": {"id": "s"}}).encode()
        for a in Activity
    ]
    chdb_desk.take(chdb_desk.delivery(1, "vocabulary"), list(enumerate(docs)))
    rows = chdb_desk.store.rows(
        "SELECT activity, class_uid, activity_id, type_uid FROM events WHERE source = 'vocabulary'"
    )
    assert {row["activity"]: (row["class_uid"], row["activity_id"], row["type_uid"]) for row in rows} == {
        a.value: (*ocsf, ocsf.type_uid) for a, ocsf in ACTIVITY_CLASS.items()
    }


def _uid(schema: dict[str, Any]) -> int:
    """A class's own number, wherever its file states it."""
    uid = schema.get("class_uid") or schema.get("uid")
    if isinstance(uid, int) and uid > 1000:
        return uid
    return int(next(iter(schema["attributes"]["class_uid"]["enum"])))


@pytest.mark.shared
def test_every_number_is_in_the_schema(ocsf: Path) -> None:
    found = {}
    for file in (ocsf / "classes").glob("*.json"):
        schema = json.loads(file.read_text())
        attributes = schema["attributes"]
        if isinstance(attributes, list):
            attributes = {name: value for one in attributes for name, value in one.items()}
        found[_uid({**schema, "attributes": attributes})] = set(map(int, attributes["activity_id"]["enum"]))
    for activity, ocsf_class in ACTIVITY_CLASS.items():
        assert ocsf_class.activity_id in found[ocsf_class.class_uid], activity
    version = json.loads((ocsf / "version.json").read_text())
    assert re.search(re.escape(OCSF_VERSION), json.dumps(version))
