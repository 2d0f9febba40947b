"""From a sample alone to a profile: what is proposed reads its own sample, and says what it is not sure of."""

import io
import itertools
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.events import Activity
from ingest.formats.registry import decode
from ingest.model import Doc, Record, Refused
from ingest.sources.catalogue_reader import load_catalogue
from ingest.sources.knowledge import Knowledge
from ingest.sources.profile import Profile
from ingest.sources.proposal import Proposal, propose
from ingest.sources.sample import MAX_BYTES, SampleError
from ingest.sources.trial import try_profile

NOW = datetime(2027, 4, 1, tzinfo=UTC)
"""After every example."""
CATALOGUE = load_catalogue()
KNOWN = Knowledge.of(CATALOGUE.values())
MY_NUMBER = "123456789018"
"""Made up; its check digit is right."""
TABULAR = {"csv", "fixed", "key_value"}


def proposed(content: bytes | str, known: Knowledge = KNOWN, **given_: str) -> Proposal:
    """What is proposed for a file."""
    raw = content.encode() if isinstance(content, str) else content
    return propose(io.BytesIO(raw), known, NOW, name="nhi-log.csv", **given_)


def read(profile: Profile, content: bytes) -> list[Record | Refused]:
    """A file as a delivery of a source."""
    return list(decode(profile.format, list(enumerate(content.split(b"\n"), 1)), profile, NOW))


def example(profile: Profile) -> bytes:
    return profile.example.strip("\n").encode(profile.encoding)


def variants() -> Iterator[tuple[str, Profile]]:
    """Every different example of the formats that bring no names of their own, with whose it is."""
    seen = set[str]()
    for profile in CATALOGUE.values():
        for city in ("", *profile.cities):
            variant = profile.in_city(city) if city else profile
            if variant.format in TABULAR and variant.example not in seen:
                seen.add(variant.example)
                yield f"{profile.id}@{city}", variant


def said(doc: Doc) -> tuple[str, str, str]:
    """When, who, and the source's word for what."""
    return doc["time"], doc.get("actor", {}).get("id", ""), doc.get("operation_name", "")


def reached(profile: Profile, known: Knowledge) -> bool:
    """Whether the proposal for a profile's example finds time, actor and operation as the profile does."""
    made = proposed(example(profile), known)
    wanted, found = read(profile, example(profile)), read(made.profile, example(profile))
    if len(wanted) != len(found):
        return False
    for right, got in zip(wanted, found, strict=True):
        assert isinstance(right, Record)
        if not isinstance(got, Record) or said(right.doc)[:2] != said(got.doc)[:2]:
            return False
        if right.doc["activity"] != got.doc["activity"] and said(right.doc)[2] != said(got.doc)[2]:
            return False
    return True


def test_the_catalogues_examples_are_understood_by_what_the_other_sources_know() -> None:
    """With the source itself left out, 76 of 78 on 2026-11-21. The columns are what must be right: of words that no
    other source has, the activity cannot be known; four of five records have the very activity of the profile.
    """
    missed, tried = list[str](), 0
    for name, variant in variants():
        others = Knowledge.of(one for one in CATALOGUE.values() if one.id != variant.id)
        tried += 1
        if not reached(variant, others):
            missed.append(name)
    assert tried >= 70
    assert len(missed) <= 0.1 * tried, f"{tried - len(missed)} of {tried}: {missed}"


def test_the_catalogues_examples_are_understood_knowing_the_catalogue() -> None:
    missed = [name for name, variant in variants() if not reached(variant, KNOWN)]
    assert missed == []


@pytest.mark.parametrize("source", [one.id for one in CATALOGUE.values() if one.format not in TABULAR])
def test_a_format_with_names_of_its_own_is_recognised(source: str) -> None:
    made = proposed(example(CATALOGUE[source]))
    assert made.profile.format in {CATALOGUE[source].format, "pgaudit"}
    assert made.summary.refused == 0


HEADER = "処理日時,職員番号,端末番号,操作,宛名番号,結果"
ROWS = (
    "2026/10/05 08:33:08,s0412,T-0231,照会,00471205,正常",
    "2026/10/05 08:45:21,s0533,T-0232,印刷,00388016,権限なし",
    "2026/10/05 09:01:00,s0412,T-0231,証明書交付,00471205,正常",
)
FIELDS = {
    "処理日時": "time",
    "職員番号": "actor.id",
    "端末番号": "terminal.id",
    "操作": "activity",
    "宛名番号": "subjects",
    "結果": "outcome",
}


def lines(*rows: str) -> str:
    return "\n".join(rows) + "\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "euc_jp", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_encodings_and_separators_are_found(encoding: str, delimiter: str) -> None:
    raw = lines(HEADER, *ROWS).replace(",", delimiter).encode(encoding)
    made = proposed(raw)
    assert made.profile.encoding == encoding.removesuffix("-sig")
    assert (made.profile.format, made.profile.delimiter, made.profile.header) == ("csv", delimiter, True)
    assert dict(made.profile.fields) == FIELDS
    assert (made.summary.read, made.summary.refused) == (3, 0)
    assert try_profile(made.profile, io.BytesIO(raw), NOW, KNOWN).summary.refused == 0


def test_words_come_from_the_catalogue_and_new_ones_are_doubtful() -> None:
    made = proposed(lines(HEADER, *ROWS))
    assert dict(made.profile.activities) == {"照会": "view", "印刷": "print", "証明書交付": "print"}
    assert dict(made.profile.outcomes) == {"正常": "success", "権限なし": "denied"}
    text = made.toml.splitlines()
    above = text[text.index('"証明書交付" = "print"') - 1]
    assert above.startswith("# 要確認 / check: 1 件")
    assert "交付" in above
    assert text[text.index('"照会" = "view"') - 1] == "[activities]"


def test_a_word_like_no_other_is_an_operation_and_says_so() -> None:
    made = proposed(lines(HEADER, *ROWS, "2026/10/05 09:02:00,s0412,T-0231,ぬぬぬ,00471205,へへ"))
    assert made.profile.activities["ぬぬぬ"] == "operation"
    assert made.profile.outcomes["へへ"] == ""
    assert made.toml.count("語彙にない語です") == 2
    assert made.summary.refused == 0


def test_the_most_alike_source_is_named() -> None:
    made = proposed(example(CATALOGUE["tax"]))
    assert made.alike is not None
    assert made.alike.profile.id == "tax"
    assert "最も似た発生元 / most alike in the catalogue: tax" in made.toml


def test_without_a_header_values_say_what_columns_are_and_every_guess_is_marked() -> None:
    made = proposed(lines(*ROWS))
    assert made.profile.header is False
    assert made.profile.columns == ("日時", "操作者", "端末", "操作", "対象者", "結果")
    assert list(made.profile.fields.values()) == list(FIELDS.values())
    assert made.summary.refused == 0
    text = made.toml.splitlines()
    for name in made.profile.columns:
        at = next(n for n, line in enumerate(text) if line.startswith(f'"{name}" = '))
        assert text[at - 1].startswith("# 要確認 / check"), name


def test_logfmt() -> None:
    made = proposed(
        'ts=2026-10-05T09:00:00Z level=info user=s0412 action=view note="a b" status=ok\n'
        "ts=2026-10-05T09:01:00Z level=warn user=s0413 action=DELETE note=x status=ng\n"
    )
    assert (made.profile.format, made.profile.delimiter) == ("key_value", " ")
    assert {made.profile.fields[name] for name in ("ts", "user", "action", "status")} == {
        "time", "actor.id", "activity", "outcome",
    }  # fmt: skip
    assert made.profile.activities["DELETE"] == "delete"
    assert made.summary.refused == 0


def test_bare_values_in_front_of_pairs() -> None:
    made = proposed("2026-10-05 09:00:00,照会,職員=s0412,対象=00471205\n2026-10-05 09:01:00,印刷,職員=s0412\n")
    assert made.profile.columns == ("日時", "操作")
    assert made.profile.fields["操作"] == "activity"
    assert made.summary.refused == 0


def test_a_last_column_that_looks_like_a_pair_is_a_column() -> None:
    made = proposed(lines(HEADER + ",備考", *(row + ",再=発" for row in ROWS)))
    assert made.profile.format == "csv"
    assert made.summary.refused == 0


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("処理日時", "令和8年10月5日 8時31分40秒"),
        ("処理日時", "R8.10.5 8:31:40"),
        ("年月日,時刻", "令和8年10月5日,8:31:40"),
        ("年月日,時刻", "20261005,083140"),
        ("処理日時", "20261005083140"),
        ("処理日時", "2026年10月5日 08時31分40秒"),
        ("処理日時", "20261005 08:31:40"),
        ("処理日時", "05/Oct/2026:08:31:40 +0900"),
        ("処理日時", "2026-10-04T23:31:40Z"),
    ],
)
def test_times_as_they_are_written(header: str, cells: str) -> None:
    text = lines(f"{header},職員番号,操作", f"{cells},s0412,照会", f"{cells},s0413,照会")
    made = proposed(text)
    assert made.summary.refused == 0, made.toml
    (first, *_) = read(made.profile, text.encode())
    assert isinstance(first, Record)
    assert datetime.fromisoformat(first.doc["time"]) == datetime(2026, 10, 4, 23, 31, 40, tzinfo=UTC)


def test_a_day_that_may_be_a_month_is_doubtful() -> None:
    made = proposed(lines("処理日時,職員番号,操作", "05/10/2026 08:31:40,s0412,照会"))
    assert made.profile.times == ("%m/%d/%Y %H:%M:%S",)
    assert "%d/%m/%Y %H:%M:%S" in made.toml


def test_a_time_of_day_before_its_day_cannot_be_joined_and_says_so() -> None:
    made = proposed(lines("時刻,年月日,職員番号,操作", "08:31:40,2026/10/05,s0412,照会"))
    assert "時刻の列が日付の列より前" in made.toml
    assert made.summary.refused == 1


def test_quoted_line_ends() -> None:
    made = proposed(lines("処理日時,職員番号,操作,備考", '2026/10/05 08:31:40,s0412,照会,"一\n二, ""三"""'))
    assert (made.summary.read, made.summary.refused) == (1, 0)
    assert '# "備考" = "?"' in made.toml


def test_fixed_width() -> None:
    profile = CATALOGUE["backup"]
    made = proposed(example(profile))
    assert made.profile.format == "fixed"
    assert sum(made.profile.widths) == sum(profile.widths)
    assert made.summary.refused == 0
    assert "固定長" not in made.toml
    assert "列の境界は" in made.toml


def test_peoples_names_are_dropped_by_name_and_by_look() -> None:
    made = proposed(
        lines("処理日時,職員番号,職員氏名,操作,宛名番号,相手", "2026/10/05 08:31:40,s0412,山田 太郎,照会,1,佐藤 花子")
    )
    assert made.profile.drop == ("職員氏名", "相手")
    assert "山田" not in made.toml
    assert "佐藤" not in made.toml


def test_an_address_in_the_terminals_column_goes_to_the_address() -> None:
    made = proposed(lines("処理日時,職員番号,端末,操作", "2026/10/05 08:31:40,s0412,10.3.1.31,照会"))
    assert made.profile.fields["端末"] == "terminal.ip"


def test_of_two_columns_that_may_say_who_acted_the_other_is_named() -> None:
    made = proposed(lines("処理日時,担当窓口者番号,利用者ID,職員ID,操作", "2026/10/05 08:31:40,1,s0412,s0413,照会"))
    text = made.toml.splitlines()
    (at,) = [n for n, line in enumerate(text) if line.endswith('= "actor.id"') and not line.startswith("#")]
    assert text[at - 1].startswith("# 要確認 / check")
    assert "may be meant instead" in text[at - 1]


def test_lists_are_split() -> None:
    made = proposed(lines("処理日時,職員番号,操作,宛名番号", "2026/10/05 08:31:40,s0412,照会,00471205;00471213"))
    assert dict(made.profile.split) == {"subjects": ";"}


def test_a_source_without_an_actor_is_a_system_and_that_is_doubtful() -> None:
    made = proposed(lines("処理日時,操作,件数", "2026/10/05 08:31:40,取込,38", "2026/10/05 09:31:40,取込,12"))
    assert made.profile.constants["actor.kind"] == "system"
    assert "操作者の列が見つかりません" in made.toml
    assert made.summary.refused == 0


def test_my_numbers_are_masked_in_everything() -> None:
    full = "１２３４５６７８９０１８"
    made = proposed(
        lines(
            f"処理日時,職員番号,操作,宛名番号,備考,{MY_NUMBER}",
            f"2026/10/05 08:31:40,s0412,照会 {MY_NUMBER},{MY_NUMBER},{full},x",
            "2026/10/05 08:31:41,s0412,照会,00471205,1234-5678-9018,y",
        )
    )
    for number in (MY_NUMBER, full, "1234-5678-9018"):
        assert number not in made.toml
        assert number not in repr(made.summary)
    assert made.summary.masked >= 3


@pytest.mark.parametrize(
    ("content", "said_"),
    [
        (b"", "空です"),
        (b"\n \n", "空です"),
        (bytes(range(256)) * 20, "文字のファイルではありません"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(50), "文字のファイルではありません"),
        (b"PK\x03\x04rest", "ZIP"),
        (b"\x1f\x8b\x08rest", "gzip"),
        (b"\xd0\xcf\x11\xe0rest", "Excel"),
        ("処理日時,操作\n".encode("iso2022_jp"), "ISO-2022-JP"),
        ("ただの文章です。\nもう一行。\n".encode(), "形式が分かりません"),
    ],
)
def test_what_nothing_can_be_proposed_for_is_refused_with_its_kind(content: bytes, said_: str) -> None:
    with pytest.raises(SampleError, match=said_) as error:
        proposed(content)
    assert " / " in str(error.value)


def test_lines_in_another_encoding_are_named() -> None:
    raw = lines(HEADER, ROWS[0]).encode() + ROWS[1].encode("cp932") + b"\n"
    made = proposed(raw)
    assert made.profile.encoding == "utf-8"
    assert "utf-8 として読めない行が 1 行あります（3 行目など）" in made.toml
    assert made.summary.refused == 1
    assert any("are cp932, not utf-8" in note.en for note in made.summary.notes)


class Endless:
    """A file of a gigabyte and more, of which nobody can afford to read all."""

    def __init__(self) -> None:
        self.taken = 0
        self._rows = itertools.chain([HEADER], itertools.cycle(ROWS))

    def read(self, size: int, /) -> bytes:
        row = (next(self._rows) + "\n").encode()
        part = (row * (min(size, 1 << 20) // len(row) + 1))[: min(size, 1 << 20)] if self.taken else row
        self.taken += len(part)
        return part


@pytest.mark.slow
def test_of_a_huge_file_only_the_beginning_is_read_and_that_is_said() -> None:
    stream = Endless()
    made = propose(stream, KNOWN, NOW)
    assert stream.taken <= MAX_BYTES + 1
    assert made.sample.whole is False
    assert made.summary.read <= 10_000
    assert "先頭のみ its beginning only" in made.toml


def test_a_given_profile_keeps_its_id_and_names() -> None:
    made = propose(io.BytesIO(lines(HEADER, *ROWS).encode()), KNOWN, NOW, base=CATALOGUE["tax"])
    assert (made.profile.id, made.profile.name_ja) == ("tax", CATALOGUE["tax"].name_ja)


NAMES = {
    "time": ["処理日時", "操作日時", "日時", "timestamp"],
    "actor": ["職員番号", "職員ID", "利用者ID", "ユーザー名", "操作者", "user_id"],
    "terminal": ["端末番号", "端末名", "host"],
    "activity": ["処理区分", "操作", "アクセス区分", "操作内容", "action"],
    "subject": ["宛名番号", "住民番号", "被保険者番号", "整理番号"],
    "outcome": ["結果", "処理結果", "result"],
    "free": ["備考", "メモ", "xyz"],
}
WORDS = [*sorted(KNOWN.activities), *Activity, "帳票再発行", "Ｌｏｇｉｎ", "謎の操作", 'say "x"', "a\\b"]
TEXT = st.text("あ漢字カナab1,;\t\"' =#", max_size=6).map(str.strip)


def _cell(value: str, separator: str) -> str:
    quoted = separator in value or '"' in value
    return '"' + value.replace('"', '""') + '"' if quoted else value


@st.composite
def tidy_files(draw: st.DrawFn) -> tuple[bytes, int]:
    """A file as a well-kept system writes it: a row of names, then rows of values that each column's kind has."""
    chosen = [draw(st.sampled_from(NAMES[kind])) for kind in NAMES]
    size = draw(st.integers(1, 12))
    start = datetime(2026, 10, 5, 8, 30, tzinfo=UTC)
    shape = draw(st.sampled_from(["%Y/%m/%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S+09:00", "令和8年%m月%d日 %H時%M分%S秒"]))
    rows = [
        chosen,
        *(
            [
                (start + timedelta(minutes=7 * n)).strftime(shape),
                f"s{draw(st.integers(0, 9999)):04}",
                f"T-{draw(st.integers(0, 999)):03}",
                draw(st.sampled_from(WORDS)),
                draw(st.sampled_from(["", "00471205", "00388016"])),
                draw(st.sampled_from(["正常", "異常", "権限なし", "ok", "へ"])),
                draw(TEXT),
            ]
            for n in range(size)
        ),
    ]
    order = draw(st.permutations(range(len(chosen))))
    separator = draw(st.sampled_from([",", "\t", ";"]))
    text = "".join(separator.join(_cell(row[n], separator) for n in order) + "\r\n" for row in rows)
    return text.encode(draw(st.sampled_from(["utf-8", "cp932", "utf-16"]))), size


@settings(max_examples=60, deadline=None)
@given(tidy_files())
def test_what_is_proposed_for_a_tidy_file_refuses_none_of_it(made: tuple[bytes, int]) -> None:
    raw, size = made
    found = propose(io.BytesIO(raw), KNOWN, NOW)
    assert tomllib.loads(found.toml)
    sums = try_profile(found.profile, io.BytesIO(raw), NOW, KNOWN).summary
    assert (sums.read, sums.refused) == (size, 0), found.toml + repr(sums.reasons)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_proposed_for_or_refused(raw: bytes) -> None:
    try:
        made = propose(io.BytesIO(raw), KNOWN, NOW)
    except SampleError:
        return
    assert made.profile.id == "new-source"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.text(max_size=12), min_size=1, max_size=5).map(",".join), max_size=8).map("\n".join))
def test_any_text_is_proposed_for_or_refused(text: str) -> None:
    try:
        made = propose(io.BytesIO(text.encode("utf-8", "replace")), KNOWN, NOW)
    except SampleError:
        return
    assert tomllib.loads(made.toml)["id"] == "new-source"
