"""What a profile makes of named values, whatever format they came in."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.formats.mapping import KINDS, Builtin, Mapper
from ingest.model import Doc
from ingest.sources.profile import Profile

PROFILE = Profile(
    id="levy",
    name_ja="賦課",
    name_en="levy",
    fields={
        "日": "time", "時": "time", "職員": "actor.id", "操作": "activity", "結果": "outcome", "件数": "query.hits",
        "対象": "subjects", "世帯員": "subjects", "要素": "auth.factors", "区分": "query.by", "別名": "actor.id",
        "記録": "unmapped.ledger",
    },
    activities={"照会": "view", "照会*": "search", "照会（一覧）*": "print"},
    outcomes={"正常": "success", "E*": "failure", "-": ""},
    words={"auth.factors": {"*:ok": "never", "palm:ok": "palm_vein", "id:*": ""}, "query.by": {"カナ": "name"}},
    split={"subjects": "、", "auth.factors": ";"},
    drop=("氏名",),
    constants={"affair": "nhi-levy", "unmapped.system": "x", "auth.user_verified": "済"},
)  # fmt: skip
BASE = {"日": "2026-10-05", "時": "9:00", "職員": "s1", "操作": "照会"}


def read(profile: Profile = PROFILE, builtin: Builtin | None = None, /, **values: str) -> tuple[Doc, list[str]]:
    return Mapper(profile, builtin or Builtin()).document({**BASE, **values}.items())


def good(profile: Profile = PROFILE, builtin: Builtin | None = None, /, **values: str) -> Doc:
    doc, faults = read(profile, builtin, **values)
    assert faults == []
    return doc


def test_one_record() -> None:
    doc = good(結果="正常", 対象="a、b", 世帯員="c", 要素="id:ok;palm:ok;password", 区分="カナ", 備考="x", 記録="7")
    assert doc == {
        "time": "2026-10-05T09:00:00+09:00", "actor": {"id": "s1"}, "activity": "view", "operation_name": "照会",
        "outcome": "success", "subjects": ["a", "b", "c"], "affair": "nhi-levy", "query": {"by": "name"},
        "auth": {"factors": ["palm_vein", "password"], "user_verified": True},
        "unmapped": {
            "備考": "x", "結果": "正常", "system": "x", "要素": "id:ok;palm:ok;password", "区分": "カナ", "ledger": "7",
        },
    }  # fmt: skip


def test_full_width_keys_are_the_same_keys() -> None:
    doc = good(職員="ｓ０４１２", 対象="０００４５、Ａ－１２", 備考="１２")
    assert (doc["actor"], doc["subjects"]) == ({"id": "s0412"}, ["00045", "A-12"])
    assert doc["unmapped"] == {"職員": "ｓ０４１２", "対象": "０００４５、Ａ－１２", "備考": "１２", "system": "x"}
    assert good(職員="髙橋（臨時）", 対象="宛名１")["actor"] == {"id": "髙橋(臨時)"}


@pytest.mark.parametrize(
    ("word", "activity"),
    [("照会", "view"), ("照会（個人）", "search"), ("照会（一覧）全件", "print"), ("login", "login")],
)
def test_exact_words_then_the_longest_glob_then_our_own(word: str, activity: str) -> None:
    doc = good(操作=word)
    assert (doc["activity"], doc["operation_name"]) == (activity, word)


def test_the_rest_is_for_words_that_nobody_knows() -> None:
    profile = replace(PROFILE, activities={**PROFILE.activities, "*": "operation"})
    builtin = Builtin(activities={"LOGON": "login", "LOG*": "logout"})
    words = {"照会": "view", "LOGON": "login", "LOGOFF": "logout", "print": "print", "踊り": "operation"}
    assert {word: good(profile, builtin, 操作=word)["activity"] for word in words} == words


def test_outcome_that_means_nothing_and_a_glob() -> None:
    assert "outcome" not in good(結果="-")
    assert good(結果="-")["unmapped"]["結果"] == "-"
    assert good(結果="E102")["outcome"] == "failure"


@pytest.mark.parametrize(
    ("text", "hits"), [("1件", 1), ("84 件", 84), ("1,204", 1204), ("１，２０４件", 1204), ("３名", 3)]
)
def test_counts(text: str, hits: int) -> None:
    assert good(件数=text)["query"]["hits"] == hits


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"操作": "飛ぶ"}, "activity: operation '飛ぶ' is not in the vocabulary of source levy"),
        ({"結果": "不明"}, "outcome: outcome '不明'"),
        ({"件数": "多数"}, "'件数': query.hits: not a whole number"),
        ({"日": "", "時": ""}, "time: is missing"),
        ({"時": "25:00"}, "'時': time: hour 25"),
        ({"操作": ""}, "activity: is missing"),
    ],
)
def test_what_the_profile_maps_must_fit(values: dict[str, str], fault: str) -> None:
    _, faults = read(**values)
    assert [one for one in faults if one.startswith(fault)]
    assert all(" / " in one for one in faults)


def test_faults_point_where_the_format_says() -> None:
    _, faults = Mapper(PROFILE).document({**BASE, "件数": "x"}.items(), lambda name: f"key {name}")
    assert faults[0].startswith("key 件数: query.hits: ")


def test_dropped_names_are_nowhere() -> None:
    profile = replace(PROFILE, drop=("氏名", "件数"))
    assert "山田" not in str(read(profile, 氏名="山田", 件数="山田"))


def test_a_second_value_for_one_place_is_kept() -> None:
    doc = good(別名="s2")
    assert doc["actor"] == {"id": "s1"}
    assert doc["unmapped"]["別名"] == "s2"
    doc, _ = Mapper(PROFILE).document([*BASE.items(), ("k", "1"), ("k", "2"), ("k", "3")])
    assert doc["unmapped"]["k"] == ["1", "2", "3"]


def test_a_format_suggests_and_the_profile_decides() -> None:
    builtin = Builtin(
        fields={"user": "actor.id", "uid": "actor.id", "at": "time", "n": "query.hits", "act": "activity",
                "res": "outcome", "職員": "actor.name"},
        activities={"read": "view"},
        outcomes={"0": "success"},
        constants={"activity": "operation", "actor.kind": "system", "affair": "other"},
    )  # fmt: skip
    plain = Profile(id="x", name_ja="x", name_en="x")

    def suggested(profile: Profile = plain, **values: str) -> Doc:
        doc, faults = Mapper(profile, builtin).document(values.items())
        assert faults == []
        return doc

    doc = suggested(uid="7", user="taro", at="2026-10-05T09:00:00Z", act="read", res="0", n="some")
    assert doc["actor"] == {"id": "taro"}
    assert (doc["activity"], doc["operation_name"], doc["outcome"]) == ("view", "read", "success")
    assert doc["unmapped"] == {"uid": "7", "n": "some", "res": "0"}
    doc = suggested(at="2026-10-05T09:00:00Z", act="odd", res="9")
    assert (doc["activity"], doc["operation_name"], doc["actor"]) == ("operation", "odd", {"kind": "system"})
    assert "outcome" not in doc
    assert doc["unmapped"]["res"] == "9"
    doc = suggested(PROFILE, **BASE, at="2020-01-01T00:00:00Z", user="taro")
    assert (doc["time"], doc["actor"], doc["affair"]) == ("2026-10-05T09:00:00+09:00", {"id": "s1"}, "nhi-levy")
    assert doc["unmapped"]["user"] == "taro"
    _, faults = Mapper(plain, builtin).document([("at", "yesterday")])
    assert faults[0].startswith("'at': time: ")


def test_what_decides_the_activity() -> None:
    values = {"time": "2026-10-05T09:00:00Z", "actor.id": "s1"}

    def activity(constants: Mapping[str, str], builtin: Mapping[str, str], **more: str) -> object:
        profile = Profile(id="x", name_ja="x", name_en="x", constants=constants, activities={"印刷": "print"})
        doc, faults = Mapper(profile, Builtin(constants=builtin)).document({**values, **more}.items())
        return doc.get("activity", faults)

    assert activity({}, {"activity": "operation"}, operation_name="印刷") == "print"
    assert activity({"activity": "view"}, {"activity": "operation"}, operation_name="印刷") == "view"
    assert activity({}, {"activity": "operation"}, operation_name="舞") == "operation"
    assert "'舞' is not in the vocabulary" in str(activity({}, {}, operation_name="舞"))
    assert "'x' is not in the vocabulary" in str(activity({"activity": "x"}, {}))


NAMES = st.sampled_from([*PROFILE.fields, *KINDS, *PROFILE.drop, "other", "unmapped.x", ""])


@given(st.lists(st.tuples(NAMES, st.text(max_size=12))))
def test_nothing_raises_and_nothing_is_lost(named: list[tuple[str, str]]) -> None:
    doc, faults = Mapper(PROFILE, Builtin(fields={"other": "session"})).document(named)
    assert ("time" in doc) or any("time" in fault for fault in faults)
    if not faults:
        texts = str([_flat(doc)])
        for name, value in named:
            if name not in PROFILE.drop and PROFILE.fields.get(name, name) == "unmapped.ledger" and value.strip():
                assert repr(value.strip()) in texts


def _flat(value: Any) -> Any:
    return [_flat(inner) for inner in value.values()] if isinstance(value, dict) else value
