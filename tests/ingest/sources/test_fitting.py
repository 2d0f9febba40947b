"""A delivery is read in the way it is written, where its first lines tell: encoding, city, the system of one slot."""

import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from audit.events import MAX_RECORD_BYTES
from ingest.formats.registry import decode, recognise
from ingest.model import Record
from ingest.reader import Block, read_blocks
from ingest.sources.catalogue_reader import load_catalogue
from ingest.sources.fitting import fitted, in_marked_encoding
from ingest.sources.profile import Profile

NOW = datetime(2026, 11, 21, tzinfo=UTC)
CATALOGUE = load_catalogue()
MARKS = (("utf-8", b"\xef\xbb\xbf"), ("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff"))


def events(profile: Profile, data: bytes) -> list[Record]:
    lines = data.splitlines()
    records = decode(recognise(lines, profile), enumerate(lines, start=1), profile, NOW)
    return [record for record in records if isinstance(record, Record)]


CITY_EXAMPLES = [
    pytest.param(source, city, id=f"{source}-{city}")
    for source, profile in CATALOGUE.items()
    for city, said in profile.cities.items()
    if "example" in said
]


@pytest.mark.parametrize(("source", "city"), CITY_EXAMPLES)
def test_each_city_is_recognised_by_its_own_lines(source: str, city: str) -> None:
    data = CATALOGUE[source].in_city(city).example.strip().encode()
    found = fitted(CATALOGUE[source], data, NOW, CATALOGUE)
    assert len(events(found, data)) == len(data.splitlines())


LIKE = [pytest.param(source, other, id=f"{source}-{other}") for source, p in CATALOGUE.items() for other in p.like]


@pytest.mark.parametrize(("source", "other"), LIKE)
def test_a_system_writes_as_another_of_its_slot(source: str, other: str) -> None:
    data = CATALOGUE[other].example.strip().encode()
    found = fitted(CATALOGUE[source], data, NOW, CATALOGUE)
    assert found.id == source
    assert len(events(found, data)) == len(data.splitlines())
    assert all(name in CATALOGUE for name in CATALOGUE[source].like)


def test_with_a_preset_no_other_city_is_tried() -> None:
    kurashiki = load_catalogue(city="kurashiki")
    data = CATALOGUE["atena"].in_city("shinjuku").example.strip().encode()
    assert fitted(kurashiki["atena"], data, NOW, kurashiki, city="kurashiki") == kurashiki["atena"]
    data = kurashiki["kokuho-shuyaku"].example.strip().encode()
    found = fitted(kurashiki["kokuho-sogo"], data, NOW, kurashiki, city="kurashiki")
    assert len(events(found, data)) == len(data.splitlines())


def test_what_nobody_reads_is_refused_by_the_profile_itself() -> None:
    assert fitted(CATALOGUE["atena"], b"\x00\xff\nnothing", NOW, CATALOGUE) is CATALOGUE["atena"]
    assert fitted(CATALOGUE["atena"], b"", NOW, CATALOGUE) is CATALOGUE["atena"]


@pytest.mark.parametrize(("encoding", "mark"), MARKS)
def test_a_byte_order_mark_says_more_than_the_profile(encoding: str, mark: bytes) -> None:
    register = CATALOGUE["resident-register"]
    assert register.encoding == "cp932"
    text = register.example.strip() + "\n"
    data = mark + text.encode(encoding)
    profile = in_marked_encoding(register, data[:100])
    assert profile.encoding == encoding
    (block,) = read_blocks(io.BytesIO(data), MAX_RECORD_BYTES, as_written=True, encoding=profile.encoding)
    assert isinstance(block, Block)
    records = list(decode("csv", block.lines, profile, NOW))
    assert len(records) == len(text.splitlines()) - 1
    assert all(isinstance(record, Record) for record in records)


def test_without_a_mark_the_profile_decides() -> None:
    register = CATALOGUE["resident-register"]
    assert in_marked_encoding(register, register.example.encode("cp932")) is register


@pytest.mark.parametrize("encoding", ["utf-8", "cp932", "euc-jp", "utf-16"])
@pytest.mark.parametrize("source", ["nhi-levy", "resident-register", "atena", "tax", "ltci-core"])
@pytest.mark.parametrize("city", ["", "shinjuku"])
def test_another_encoding_is_found(source: str, city: str, encoding: str) -> None:
    catalogue = load_catalogue(city=city or None)
    if source not in catalogue:
        pytest.skip(f"{city} has no {source}")
    text = CATALOGUE[source].in_city(city or "shinjuku").example.strip()
    found = fitted(catalogue[source], text.encode(encoding), NOW, catalogue, city=city)
    assert text.encode(encoding).decode(found.encoding).removeprefix("\ufeff") == text
    plain = fitted(catalogue[source], text.encode(), NOW, catalogue, city=city)
    assert replace(found, encoding=plain.encoding) == plain


def test_the_way_that_fills_most_fields_is_taken() -> None:
    line = (
        "2026-05-12T08:31:44+09:00,login,user=G215,dept=保険年金課,factors=password:ok;biometric:ok,"
        "systems=賦課;資格,term=N-T08,result=ok"
    ).encode()
    (event,) = events(fitted(CATALOGUE["common-platform"], line, NOW, CATALOGUE), line)
    assert event.doc["auth"]["factors"] == ["password", "biometric"]


@pytest.mark.parametrize(
    "first", [b"garbage", b"null", b'{"msg":"started"}', b'05-11T10:00+09:00","activity":"view"}', b"\xff"]
)
def test_what_stands_before_the_first_whole_record_decides_nothing(first: bytes) -> None:
    good = b'{"time":"2026-10-05T09:13:22+09:00","activity":"view","actor":{"id":"s1"}}'
    assert recognise([first, good, good], CATALOGUE["nhi-levy"]) == "jsonl"
    assert recognise([first], CATALOGUE["nhi-levy"]) == CATALOGUE["nhi-levy"].format
