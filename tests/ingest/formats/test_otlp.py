"""OpenTelemetry log records out of OTLP requests in JSON."""

# A table of cases is read best uncut, a row being one case.

# ruff: noqa: E501

import json
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.events import check
from ingest.formats.otlp import MAX_RECORDS, decode_otlp
from ingest.model import Record, Refused
from ingest.sources.profile import Profile

PROFILE = Profile(id="otel", name_ja="OTel", name_en="otel", format="otlp")
NOW = datetime(2026, 11, 1, tzinfo=UTC)
NANOS = "1791159202120000000"


def read(data: bytes, profile: Profile = PROFILE) -> list[Record | Refused]:
    return list(decode_otlp(enumerate(data.split(b"\n"), 1), profile))


def any_value(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return {"kvlistValue": {"values": attributes(value)}}
    if isinstance(value, list):
        return {"arrayValue": {"values": [any_value(item) for item in value]}}
    if isinstance(value, bool):
        return {"boolValue": value}
    return {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}


def attributes(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": any_value(value)} for key, value in values.items()]


def record(body: Any = None, at: Any = NANOS, **said: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "timeUnixNano": at,
        "attributes": attributes({k.replace("_", "."): v for k, v in said.items()}),
    }
    return made if body is None else {**made, "body": any_value(body)}


def request(*records: Any) -> bytes:
    resource = {"attributes": attributes({"service.name": "kokuho"})}
    return json.dumps(
        {"resourceLogs": [{"resource": resource, "scopeLogs": [{"scope": {"name": "app"}, "logRecords": records}]}]}
    ).encode()


def one(*records: Any, profile: Profile = PROFILE) -> dict[str, Any]:
    (found,) = read(request(*records), profile)
    assert isinstance(found, Record), found
    assert check(found.doc, NOW).faults == ()
    return found.doc


def test_conventions_and_our_own_names() -> None:
    doc = one({
        **record("照会しました", enduser_id="s0412", client_address="10.1.2.3", event_name="view", session_id="x", subjects=["0001", "0002"]),
        "severityText": "INFO", "traceId": "ab", "flags": 1,
    })  # fmt: skip
    assert doc == {
        "time": "2026-10-05T00:13:22.120000+00:00", "activity": "view", "operation_name": "view",
        "actor": {"id": "s0412"}, "terminal": {"ip": "10.1.2.3"}, "session": "x", "subjects": ["0001", "0002"],
        "unmapped": {
            "body": "照会しました", "severityText": "INFO", "traceId": "ab", "flags": "1",
            "resource.service.name": "kokuho", "scope.name": "app",
        },
    }  # fmt: skip


def test_a_body_that_is_a_map() -> None:
    doc = one(record({"actor": {"id": "s1"}, "activity": "print", "subject_count": 3, "ok": True, "list": [1, "a"]}))
    assert (doc["actor"], doc["activity"], doc["subject_count"]) == ({"id": "s1"}, "print", 3)
    assert doc["unmapped"]["ok"] == "true"
    assert doc["unmapped"]["list"] == '["1","a"]'


@pytest.mark.parametrize(
    ("changes", "time"),
    [
        ({"timeUnixNano": 1791159202120000000}, "2026-10-05T00:13:22.120000+00:00"),
        ({"timeUnixNano": "0", "observedTimeUnixNano": NANOS}, "2026-10-05T00:13:22.120000+00:00"),
        ({"timeUnixNano": "1791159202120000999", "observedTimeUnixNano": "1"}, "2026-10-05T00:13:22.120000+00:00"),
    ],
)
def test_times(changes: dict[str, Any], time: str) -> None:
    doc = one({**record(), **changes})
    assert doc["time"] == time
    assert doc["actor"] == {"kind": "system"}
    assert doc["activity"] == "operation"
    if changes["timeUnixNano"] == "1791159202120000999":
        assert doc["unmapped"]["timeUnixNano"] == "2026-10-05T00:13:22.120000999Z"


def test_each_record_has_its_own_bytes_whatever_the_company() -> None:
    first, second = record("a"), record("b")
    together = read(request(first, second))
    alone = read(request(dict(reversed(second.items()))))
    assert [found.line for found in together] == [1, 1]
    assert together[0].raw != together[1].raw
    assert together[1].raw == alone[0].raw
    content = json.loads(together[1].raw)
    assert content["logRecord"] == second
    assert content["resource"]["attributes"][0]["key"] == "service.name"


def test_a_bad_record_loses_no_neighbour() -> None:
    bad: list[Any] = [
        5, None, {"timeUnixNano": "x"}, record(at="999999999999999999999"), {**record(), "attributes": 7},
        {**record(), "attributes": [{"value": 1}]}, {"body": {"stringValue": "no time"}}, record(at="-1"),
    ]  # fmt: skip
    found = read(request(record("a"), *bad, record("b")))
    assert [type(one).__name__ for one in found] == ["Record", *["Refused"] * len(bad), "Record"]
    for one_bad in found[1:-1]:
        assert isinstance(one_bad, Refused)
        assert all(" / " in reason for reason in one_bad.reasons)


def test_what_does_not_fit_is_kept() -> None:
    doc = one(record(event_name="cart.add", time="yesterday", outcome="so so"))
    assert (doc["activity"], doc["operation_name"]) == ("operation", "cart.add")
    assert (doc["unmapped"]["time"], doc["unmapped"]["outcome"]) == ("yesterday", "so so")


def test_an_address_that_is_a_name_is_kept() -> None:
    doc = one(record(client_address="pc-1", network_peer_address="10.1.2.3"))
    assert doc["terminal"] == {"ip": "10.1.2.3"}
    assert doc["unmapped"]["client.address"] == "pc-1"


def test_a_profile_goes_first() -> None:
    profile = Profile(
        id="otel", name_ja="OTel", name_en="otel", fields=MappingProxyType({"staff": "actor.id", "op": "activity"}),
        activities=MappingProxyType({"照会": "view"}), drop=("user.name",),
    )  # fmt: skip
    doc = one(record(staff="s9", enduser_id="other", op="照会", user_name="山田"), profile=profile)
    assert (doc["actor"]["id"], doc["activity"], doc["operation_name"]) == ("s9", "view", "照会")
    assert doc["unmapped"]["enduser.id"] == "other"
    assert "山田" not in str(doc)


def test_too_many_and_too_deep() -> None:
    (many,) = read(request(*[{}] * (MAX_RECORDS + 1)))
    assert isinstance(many, Refused)
    assert many.raw == request(*[{}] * (MAX_RECORDS + 1))
    assert len(read(request(*[{}] * MAX_RECORDS))) == MAX_RECORDS
    deep: Any = "x"
    for _ in range(12):
        deep = {"a": deep}
    (refused,) = read(request(record(deep)))
    assert isinstance(refused, Refused)
    assert "nested deeper" in refused.reasons[0]


@pytest.mark.parametrize(
    "line", [b"x", b"{}", b'{"resourceLogs":[]}', b'{"resourceLogs":', b'{"resourceLogs":5}', b'{"resourceLogs":[{"scopeLogs":{"a":1}}]}'],
)  # fmt: skip
def test_requests_that_are_none(line: bytes) -> None:
    good = request(record("a"))
    first, refused, last = read(good + b"\n" + line + b"\n" + good)
    assert isinstance(first, Record)
    assert isinstance(last, Record)
    assert isinstance(refused, Refused)
    assert all(" / " in reason for reason in refused.reasons)


def test_a_request_over_lines() -> None:
    data = json.dumps(json.loads(request(record("a"), record("b"))), indent=1).encode()
    assert [type(found).__name__ for found in read(data)] == ["Record", "Record"]


@given(st.binary())
def test_anything(data: bytes) -> None:
    *_, last = read(data + b"\n" + request(record("a")))
    assert isinstance(last, Record)


KEYS = st.sampled_from(
    "resourceLogs scopeLogs logRecords resource scope attributes key value values body timeUnixNano stringValue intValue"  # noqa: SIM905
    " arrayValue kvlistValue enduser.id subjects time".split()
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | KEYS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=15,
)


@given(JSON, JSON)
def test_any_structure(outer: Any, inner: Any) -> None:
    data = json.dumps({"resourceLogs": [outer, {"scopeLogs": [{"logRecords": [inner, record("a")]}]}]}).encode()
    *before, last = read(data)
    assert isinstance(last, Record)
    for found in before:
        assert isinstance(found, Record) or all(" / " in reason for reason in found.reasons)
