"""What a profile makes of a file: each field with where it came from, all counted, nothing shown that must not be."""

import io
from collections.abc import Iterable
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.events import MAX_RECORD_BYTES
from ingest.sources.catalogue_reader import load_catalogue
from ingest.sources.knowledge import Knowledge
from ingest.sources.profile import Profile, parse_profile
from ingest.sources.trial import Part, Shown, Trial, try_profile

NOW = datetime(2027, 4, 1, tzinfo=UTC)
CATALOGUE = load_catalogue()
KNOWN = Knowledge.of(CATALOGUE.values())
MY_NUMBER = "123456789018"
"""Made up; its check digit is right."""
PROFILE = parse_profile(
    """
id = "x"
name_ja = "例"
name_en = "Example"
format = "csv"
drop = ["氏名"]
documented = ["time", "actor.id", "reason"]
[fields]
"日時" = "time"
"職員" = "actor.id"
"操作" = "activity"
"宛名" = "subjects"
"件数" = "export.rows"
"結果" = "outcome"
[activities]
"照会" = "view"
[outcomes]
"正常" = "success"
[constants]
affair = "tax"
""",
    "x.toml",
)
HEADER = "日時,職員,操作,宛名,件数,結果,氏名,備考"
GOOD = "2026/10/05 08:33:08,s0412,照会,0047,,正常,山田 太郎,窓口"


def tried(profile: Profile, *rows: str, encoding: str = "utf-8", **more: int) -> Trial:
    """A file of some lines under a profile."""
    return try_profile(profile, io.BytesIO("\n".join(rows).encode(encoding)), NOW, KNOWN, **more)


def parts(record: Shown) -> dict[str, Part]:
    return {part.path or f"dropped {part.name}": part for part in record.parts}


def texts(trial: Trial) -> Iterable[str]:
    return [note.en for note in trial.summary.notes]


def test_every_field_says_where_it_came_from() -> None:
    (record,) = tried(PROFILE, HEADER, GOOD).shown
    assert record.line == 2
    assert record.reasons == ()
    found = parts(record)
    assert found["time"] == Part("time", "日時", "2026/10/05 08:33:08", "2026-10-05T08:33:08+09:00", "mapped")
    assert found["activity"] == Part("activity", "操作", "照会", "view", "mapped")
    assert found["operation_name"] == Part("operation_name", "操作", "照会", "照会", "mapped")
    assert found["outcome"] == Part("outcome", "結果", "正常", "success", "mapped")
    assert found["subjects"] == Part("subjects", "宛名", "0047", "0047", "mapped")
    assert found["affair"] == Part("affair", "", "", "tax", "constant")
    assert found["unmapped.備考"] == Part("unmapped.備考", "備考", "窓口", "窓口", "unmapped")
    assert found["dropped 氏名"] == Part("", "氏名", "", "", "dropped")
    assert set(found) == {
        "time", "activity", "operation_name", "outcome", "subjects", "affair", "actor.id", "unmapped.備考",
        "dropped 氏名",
    }  # fmt: skip


def test_what_is_dropped_is_not_shown_anywhere() -> None:
    trial = tried(PROFILE, HEADER, GOOD, GOOD.replace("照会", "謎"), GOOD + ",多い")
    assert trial.summary.refused == 2
    assert "山田" not in repr(trial)
    assert "太郎" not in repr(trial)
    assert "［除外 dropped］" in trial.shown[0].raw
    assert trial.shown[2].raw.startswith("2026/10/05 08:33:08,s0412,●●")


def test_a_name_that_nobody_drops_yet_is_not_shown_either() -> None:
    trial = tried(PROFILE, HEADER.replace("備考", "対象者氏名"), GOOD.replace("窓口", "佐藤 花子"))
    assert "佐藤" not in repr(trial)
    assert [(one.name, one.line) for one in trial.summary.unmapped] == [("対象者氏名", 'drop = ["対象者氏名"]')]


def test_a_refused_record_says_why_and_what_its_source_wrote() -> None:
    (record,) = tried(PROFILE, HEADER, GOOD.replace(",,正常", ",たくさん,正常")).shown
    assert any("export.rows" in reason for reason in record.reasons)
    assert parts(record)["export.rows"] == Part("export.rows", "件数", "たくさん", "", "mapped")


def test_all_are_counted_and_the_first_are_shown() -> None:
    trial = tried(PROFILE, HEADER, *[GOOD] * 50, "bad", most=3)
    assert [record.line for record in trial.shown] == [2, 3, 4]
    sums = trial.summary
    assert (sums.read, sums.accepted, sums.refused) == (51, 50, 1)
    assert sums.filled["time"] == 50
    assert sums.filled["export.rows"] == 0
    assert sum(sums.reasons.values()) == 1


def test_words_outside_of_the_vocabulary_come_with_the_line_to_add() -> None:
    rows = [GOOD.replace("照会", "証明書交付")] * 3 + [GOOD.replace("照会", "ぬぬぬ"), GOOD.replace("正常", "異常")]
    words = {(one.path, one.word): one for one in tried(PROFILE, HEADER, *rows).summary.words}
    assert (words["activity", "証明書交付"].count, words["activity", "証明書交付"].line) == (
        3,
        '"証明書交付" = "print"',
    )
    assert "交付" in words["activity", "証明書交付"].why.ja
    assert words["activity", "ぬぬぬ"].line.startswith('# "ぬぬぬ" = ?')
    assert words["outcome", "異常"].line == '"異常" = "failure"'


def test_words_that_only_the_rest_catches_are_named_too() -> None:
    profile = parse_profile(
        'id="x"\nname_ja="x"\nname_en="x"\nformat="csv"\n[fields]\n"t"="time"\n"a"="actor.id"\n"o"="activity"\n'
        '[activities]\n"照会"="view"\n"印刷*"="print"\n"*"="operation"',
        "x",
    )
    rows = [f"2026-10-05 09:00:00,s1,{word}" for word in ("照会", "印刷A", "住民票発行", "住民票発行", "login")]
    trial = tried(profile, "t,a,o", *rows)
    assert trial.summary.refused == 0
    assert [(one.word, one.count, one.taken_as, one.suggestion) for one in trial.summary.words] == [
        ("住民票発行", 2, "operation", "print")
    ]


def test_fields_that_nothing_maps_and_documented_ones_that_never_occur() -> None:
    trial = tried(PROFILE, HEADER.replace("備考", "端末番号"), GOOD.replace("窓口", "T-1"))
    assert [(one.name, one.count, one.line) for one in trial.summary.unmapped] == [
        ("端末番号", 1, '"端末番号" = "terminal.id"')
    ]
    assert trial.summary.missing == ("reason",)


def test_lines_in_another_encoding_are_named() -> None:
    raw = (HEADER + "\n" + GOOD + "\n").encode() + GOOD.encode("cp932")
    trial = try_profile(PROFILE, io.BytesIO(raw), NOW, KNOWN)
    assert "bytes at line 3 are cp932, not utf-8 (1 lines)" in texts(trial)
    assert trial.summary.refused == 1


def test_lines_that_are_read_but_mean_something_else_are_named() -> None:
    profile = parse_profile('id="x"\nname_ja="x"\nname_en="x"\nformat="csv"\nencoding="cp932"', "x")
    trial = tried(profile, "time,activity,actor.id,照会", "2026-10-05 09:00:00,view,s1,住民票の写しを交付")
    assert any("looks like utf-8" in note or "are utf-8" in note for note in texts(trial))


def test_times_without_an_offset_are_doubted() -> None:
    rows = [
        GOOD.replace("08:33:08", f"{hour:02}:{minute:02}:00") for hour in (0, 1, 2, 3, 5, 23) for minute in range(5)
    ]
    notes = texts(tried(PROFILE, HEADER, *rows))
    assert "times without an offset are read as Asia/Tokyo (30 records)" in notes
    assert any('if it is UTC, set timezone = "UTC"' in note for note in notes)


def test_office_hours_are_not_doubted_and_a_mixture_is() -> None:
    rows = [GOOD.replace("08:33:08", f"{hour:02}:00:00") for hour in range(8, 18)] * 3
    assert not any("UTC" in note for note in texts(tried(PROFILE, HEADER, *rows)))
    mixed = tried(PROFILE, HEADER, GOOD, GOOD.replace("08:33:08", "08:33:08+09:00"))
    assert any("are mixed" in note for note in texts(mixed))


def test_control_characters_are_visible() -> None:
    (record,) = tried(PROFILE, HEADER, GOOD.replace("窓口", "\x1b[31m\u202e赤\x7f")).shown
    assert "␛[31m\\u202e赤␡" in record.raw
    assert not any(ord(char) < 32 or char in "\x7f\u202e" for part in record.parts for char in part.value + part.said)


@pytest.mark.parametrize(
    "row",
    [
        GOOD.replace("窓口", MY_NUMBER),
        GOOD.replace("0047", MY_NUMBER),
        GOOD.replace("s0412", MY_NUMBER),
        GOOD.replace("照会", MY_NUMBER),
        GOOD.replace("窓口", "１２３４-５６７８-９０１８"),
        GOOD.replace("2026/10/05 08:33:08", MY_NUMBER),
        GOOD + "," + MY_NUMBER,
    ],
)
def test_my_numbers_are_masked_wherever_they_stand(row: str) -> None:
    shown = repr(tried(PROFILE, HEADER, row))
    assert MY_NUMBER not in shown
    assert "１２３４-５６７８-９０１８" not in shown


def test_a_my_number_over_several_fields_hides_the_line() -> None:
    header = "日時,職員,操作,番号1,番号2,番号3"
    (record,) = tried(PROFILE, header, "2026/10/05 08:33:08,s0412,照会,1234,5678,9018").shown
    assert "not shown" in record.raw
    assert "5678" not in record.raw


def test_a_my_number_over_several_cells_of_a_line_that_cannot_be_read() -> None:
    profile = parse_profile('id="x"\nname_ja="x"\nname_en="x"\nformat="csv"', "x")
    trial = tried(profile, "time,activity", "2026/10/05 08:33:08,view,1234,5678,9018")
    assert trial.summary.refused == 1
    assert "5678" not in repr(trial)


def test_a_my_number_as_a_column_name() -> None:
    assert MY_NUMBER not in repr(tried(PROFILE, HEADER.replace("備考", MY_NUMBER), GOOD))


def test_a_record_over_several_lines() -> None:
    (record,) = tried(PROFILE, HEADER, GOOD.replace("窓口", '"一\n二"')).shown
    assert parts(record)["unmapped.備考"].value == "一␊二"


def test_a_line_longer_than_any_event_is_refused_and_not_shown() -> None:
    trial = tried(PROFILE, HEADER, "x" * (MAX_RECORD_BYTES + 1), GOOD)
    assert (trial.summary.read, trial.summary.refused) == (2, 1)


def test_json_lines_are_read_as_the_engine_reads_them() -> None:
    profile = parse_profile('id="x"\nname_ja="x"\nname_en="x"\n[constants]\naffair="tax"', "x")
    (record,) = tried(
        profile, '{"time":"2026-10-05T09:13:22+09:00","activity":"view","actor":{"id":"s1"},"zzz":{"a":1}}'
    ).shown
    found = parts(record)
    assert found["actor.id"] == Part("actor.id", "actor.id", "s1", "s1", "mapped")
    assert found["unmapped.zzz"].value == '{"a": 1}'
    assert "affair" not in found


def test_a_format_with_names_of_its_own_shows_them_where_they_can_be_told() -> None:
    profile = CATALOGUE["device-control"]
    trial = tried(profile, *profile.example.strip("\n").split("\n"))
    found = [parts(record) for record in trial.shown]
    assert any(one.get("actor.id", Part("", "", "", "", "")).name == "suser" for one in found)
    assert any(one.get("export.file", Part("", "", "", "", "")).name == "fname" for one in found)


@pytest.mark.parametrize("source", list(CATALOGUE))
def test_every_source_of_the_catalogue_accepts_its_own_example(source: str) -> None:
    profile = CATALOGUE[source]
    trial = tried(profile, *profile.example.strip("\n").split("\n"), encoding=profile.encoding, most=100)
    assert trial.summary.refused == 0
    assert trial.summary.missing == ()
    assert len(trial.shown) == trial.summary.read
    for record in trial.shown:
        found = parts(record)
        assert {"time", "activity"} <= set(found)
        if profile.format in {"csv", "fixed", "key_value"}:
            # What is not a constant comes from a field of the source's.
            assert all(one.name for one in found.values() if one.how != "constant")


def test_an_empty_file_has_no_records() -> None:
    assert tried(PROFILE, "").summary.read == 0


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(sorted(CATALOGUE)))
def test_any_bytes_are_tried(raw: bytes, source: str) -> None:
    trial = try_profile(CATALOGUE[source], io.BytesIO(raw), NOW, KNOWN)
    assert trial.summary.read == trial.summary.accepted + trial.summary.refused
    assert len(trial.shown) == min(20, trial.summary.read)
    for record in trial.shown:
        assert not any(ord(char) < 32 for char in record.raw + "".join(record.reasons))
