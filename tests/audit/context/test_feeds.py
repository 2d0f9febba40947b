"""Feeds: read whole or refused whole, every fault located, nothing that should not be here let in."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from audit.clock import TOKYO
from audit.context import FEEDS, ContextService, FeedError, FeedRow, Imported, read_rows
from audit.events import mask
from audit.store.state import StateStore

STAFF = "staff_id,name,org_unit,valid_from,valid_to\ns1,職員 一,hoken,2026-04-01,2027-03-31\ns2,職員 二,zeimu,,\n"
START, END = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 31, tzinfo=UTC)


def my_number() -> str:
    """Twelve digits that are refused; made here, so that none stands in a file."""
    return next(text for text in (f"{n:012d}" for n in range(100_000, 100_100)) if mask(text)[1])


@pytest.fixture
def service(tmp_path: Path) -> Iterator[ContextService]:
    state = StateStore(f"sqlite:///{tmp_path / 'state.db'}")
    state.create_tables()
    yield ContextService(state)
    state.close()


@pytest.mark.parametrize(
    "data",
    [
        STAFF.encode(),
        STAFF.encode("utf-8-sig"),
        STAFF.encode("cp932"),
        STAFF.replace("\n", "\r\n").encode("cp932"),
        STAFF.replace("-", "/").encode(),
        b"\n".join(
            json.dumps(row, ensure_ascii=False).encode()
            for row in (
                {
                    "staff_id": "s1",
                    "name": "職員 一",
                    "org_unit": "hoken",
                    "valid_from": "2026-04-01",
                    "valid_to": "2027-03-31",
                },
                {"staff_id": "s2", "name": "職員 二", "org_unit": "zeimu", "valid_from": None, "more": 1},
            )
        ),
    ],
    ids=["utf-8", "with mark", "cp932", "cp932 and crlf", "slashes", "json lines"],
)
def test_the_same_rows_in_every_writing(data: bytes) -> None:
    first, second = read_rows("staff", data)
    assert (first["staff_id"], first["name"], first["org_unit"]) == ("s1", "職員 一", "hoken")
    assert first["valid_from"] == datetime(2026, 4, 1, tzinfo=TOKYO)
    assert first["valid_to"] == datetime(2027, 4, 1, tzinfo=TOKYO)  # the last day is included
    assert (second["valid_from"], second["valid_to"], second["employment"]) == (None, None, "regular")


def test_times_are_exact_and_of_tokyo_unless_they_say_otherwise() -> None:
    (row,) = read_rows("roster", b"staff_id,start,end,kind\ns1,2026-10-05 13:00,2026-10-05T12:00:00Z,shift\n")
    assert row["start"] == datetime(2026, 10, 5, 13, tzinfo=TOKYO)
    assert row["end"] == datetime(2026, 10, 5, 21, tzinfo=TOKYO)


@pytest.mark.parametrize(
    ("kind", "text", "faults"),
    [
        ("staff", "staff_id,org_unit\n,hoken\ns2,\n", ["line 2, staff_id: is missing", "line 3, org_unit: is missing"]),
        ("staff", "staff_id,org_unit\ns1,a,b\n", ["line 2: 3 columns, the header has 2"]),
        ("staff", 'staff_id,org_unit\n"s1,a\n', ["line 2: "]),
        ("staff", "staff_id,org_unit\ns1,a\0b\n", ["line 2, org_unit: holds a NUL"]),
        ("staff", "staff_id,org_unit,employment\ns1,a,king\n", ["line 2, employment: is none of regular"]),
        (
            "staff",
            "staff_id,org_unit,valid_from,valid_to\ns1,a,2026-04-02,2026-04-01\n",
            ["line 2, valid_to: not after valid_from"],
        ),
        ("staff", "", ["columns are missing: org_unit, staff_id"]),
        ("staff", "id,unit\ns1,a\n", ["columns are missing: org_unit, staff_id"]),
        ("calendar", "date,kind,opens,closes\n2026-10-05,open,17:00,09:00\n", ["line 2, closes: not after opens"]),
        (
            "roster",
            "staff_id,start,end,kind\ns1,0001-01-01T00:00,2026-10-05,shift\n",
            ["line 2, start: is not between"],
        ),
        ("approvals", "approval_id,kind,max_rows\na,export,99999999999999999999\n", ["line 2, max_rows: is too large"]),
        ("calendar", "date,kind\n2026-02-30,open\n,open\n", ["line 2, date: ", "line 3, date: is missing"]),
        ("calendar", "date,kind,opens\n2026-10-05,open,8時\n", ["line 2, opens: is no time of day"]),
        (
            "roster",
            "staff_id,start,end,kind\ns1,2026-10-05,soon,nap\n",
            ["line 2, end: is no", "line 2, kind: is none"],
        ),
        ("roster", '{"staff_id":"s1"}\nnonsense\n', ["line 2: not JSON"]),
        ("roster", '{"staff_id":"s1"}\n[1]\n', ["line 2: not a JSON object"]),
        ("approvals", "approval_id,kind,max_rows\na,print,１２\n", ["line 2, max_rows: is no whole number"]),
    ],
)
def test_every_fault_is_located_and_nothing_is_imported(
    kind: str, text: str, faults: list[str], service: ContextService
) -> None:
    with pytest.raises(FeedError) as caught:
        service.import_feed(kind, text.encode())
    assert len(caught.value.faults) == len(faults)
    for fault, expected in zip(caught.value.faults, faults, strict=True):
        assert fault.startswith(expected)
    assert "取り込みなし" in str(caught.value)
    assert service.revision() == 0
    assert service.over(START, END).posts == {}


def test_residents_are_counted_once_however_often_they_are_delivered(service: ContextService) -> None:
    assert service.over(START, END).residents == 0
    for _ in range(2):
        service.import_feed("subjects", b"subject_id,household_id\nr-1,h-1\nr-2,h-1\n")
    assert service.over(START, END).residents == 2


def test_good_rows_beside_a_bad_one_are_not_imported(service: ContextService) -> None:
    with pytest.raises(FeedError):
        service.import_feed("staff", (STAFF + "s3,,,,\n").encode())
    assert service.over(START, END).posts == {}


def test_bytes_that_are_neither_encoding_are_refused() -> None:
    with pytest.raises(FeedError, match="byte 11: neither UTF-8 nor CP932"):
        read_rows("staff", b"staff_id,o\x81\x20\n")


@pytest.mark.parametrize("column", ["staff_id", "name", "post", "subject_id"])
def test_a_my_number_is_refused_and_never_quoted(column: str) -> None:
    number = my_number()
    row = {"staff_id": "s1", "org_unit": "a", column: f"{number[:4]} {number[4:8]} {number[8:]}"}
    with pytest.raises(FeedError, match=f"line 1, {column}: contains a My Number") as caught:
        read_rows("staff", json.dumps(row).encode())
    assert number not in str(caught.value).replace(" ", "")


def test_the_same_feed_again_changes_nothing(service: ContextService) -> None:
    assert service.revision() == 0
    assert service.import_feed("staff", STAFF.encode()) == Imported(read=2, new=2, changed=0, unchanged=0)
    assert service.revision() == 1
    assert service.import_feed("staff", STAFF.encode("cp932")) == Imported(2, 0, 0, 2)
    assert service.revision() == 1
    moved = STAFF.replace("zeimu", "shimin")
    assert service.import_feed("staff", moved.encode()) == Imported(2, 0, 1, 1)
    assert service.revision() == 2
    assert service.over(START, END).unit_of("s2", START) == "shimin"


def test_what_is_stored_is_what_is_asked_for(service: ContextService) -> None:
    service.import_feed("staff", STAFF.encode())
    service.import_feed(
        "roster",
        b"staff_id,start,end,kind,approved_by\n"
        b"s1,2026-10-05 18:00,2026-10-05 20:00,overtime,s9\n"
        b"s1,2026-01-05 18:00,2026-01-05 20:00,overtime,s9\n",
    )
    service.import_feed("calendar", "date,kind,note\n2026-10-06,closed,市制記念日\n".encode())
    service.import_feed(
        "approvals",
        b"approval_id,kind,staff_id,approved_by,source,valid_from,valid_to\n"
        b"a-1,time_window,s1,s9,nhi,2026-10-07,2026-10-07\n"
        b"a-2,print,s1,s9,nhi,2026-10-07,2026-10-07\n",
    )
    context = service.over(START, END)
    assert [span.start for span in context.roster["s1"]] == [datetime(2026, 10, 5, 18, tzinfo=TOKYO)]
    assert context.closed("hoken", date(2026, 10, 6)) == "市制記念日"
    assert [window.approval_id for window in context.windows["s1"]] == ["a-1"]
    assert context.window_at("s1", "nhi", datetime(2026, 10, 7, 23, 59, tzinfo=TOKYO)) is not None
    assert context.window_at("s1", "nhi", datetime(2026, 10, 8, tzinfo=TOKYO)) is None


def rows_or_none(kind: str, data: bytes) -> list[FeedRow] | None:
    """The rows, or nothing for a feed that is refused; anything else that is raised fails the test."""
    try:
        return read_rows(kind, data)
    except FeedError:
        return None


CELLS = st.one_of(
    st.sampled_from(["", "s1", "open", "shift", "2026-10-05", "9999-12-31", "0001-01-01", "2026-10-05T24:00", "24:00"]),
    st.dates().map(str),
    st.datetimes().map(str),
    st.text(max_size=12),
)


@given(kind=st.sampled_from(sorted(FEEDS)), data=st.binary(max_size=200))
@example(kind="staff", data=b'{"staff_id":' + b"[" * 5000)
@example(kind="staff", data=b'{"staff_id":1e999,"org_unit":' + b"9" * 5000 + b"}")
def test_any_bytes_are_rows_or_a_feed_error(kind: str, data: bytes) -> None:
    rows = rows_or_none(kind, data)
    assert rows is None or all(row.keys() == FEEDS[kind].keys() for row in rows)


@given(data=st.data(), kind=st.sampled_from(sorted(FEEDS)), as_json=st.booleans())
def test_any_cells_are_rows_or_a_feed_error(data: st.DataObject, kind: str, as_json: bool) -> None:
    row = {name: data.draw(CELLS) for name in FEEDS[kind]}
    text = json.dumps(row) if as_json else ",".join(row) + "\n" + ",".join(row.values())
    rows = rows_or_none(kind, text.encode("utf-8", "replace"))
    assert rows is None or all(found.keys() == row.keys() for found in rows)
