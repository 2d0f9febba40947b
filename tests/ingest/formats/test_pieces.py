"""Cutting deliveries into records, XML read safely, and passwords out of SQL."""

# A table of cases is read best uncut, a row being one case.

# ruff: noqa: E501

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.formats.pieces import MAX_LINES, Form, Piece, cut, flat
from ingest.formats.sql import MASK, mask_secrets, statement_target, statement_word
from ingest.formats.xml_tree import XmlError, parse_element


def pieces(data: bytes, tag: str = "R") -> list[Piece]:
    return list(cut(enumerate(data.split(b"\n"), 1), "utf-8", tag))


def shown(data: bytes) -> list[tuple[int, str, bytes, bool]]:
    return [(one.line, one.form.value, one.raw, bool(one.fault)) for one in pieces(data)]


def test_an_array_over_lines_and_in_one() -> None:
    assert shown(b'[\n{"a":1},\n{"b":\n {"c":2}\n},\n{"d":"}{"}, {"e":1}]\n') == [
        (2, "json", b'{"a":1}', False),
        (3, "json", b'{"b":\n {"c":2}\n}', False),
        (6, "json", b'{"d":"}{"}', False),
        (6, "json", b'{"e":1}', False),
    ]


def test_elements_in_attributes_children_and_one_line() -> None:
    assert shown(b"<?xml version='1.0'?>\n<AUDIT>\n<R a='>'\n b=\"/>\"/><R>x\n</R>\n</AUDIT>") == [
        (3, "xml", b"<R a='>'\n b=\"/>\"/>", False),
        (4, "xml", b"<R>x\n</R>", False),
    ]


def test_what_never_ends_swallows_nothing() -> None:
    assert shown(b'{"a":\n{"b":1}\n<R>\n<R/>\ntext\n{"open') == [
        (1, "json", b'{"a":', True),
        (2, "json", b'{"b":1}', False),
        (3, "xml", b"<R>", True),
        (4, "xml", b"<R/>", False),
        (5, "text", b"text", False),
        (6, "json", b'{"open', True),
    ]
    long = b'{"a": [\n' + b"1,\n" * MAX_LINES + b"\n" + b'{"b":1}'
    found = pieces(long)
    assert [one.fault != "" for one in found if one.form is Form.JSON] == [True, False]


def test_text_is_exact() -> None:
    assert shown(b"  [Note] hello\n\n\tat x\n") == [
        (1, "text", b"  [Note] hello", False),
        (3, "text", b"\tat x", False),
    ]


@given(
    st.lists(st.sampled_from([b'{"a":1}', b"{", b"}", b'"', b"<R>", b"<R/>", b"</R>", b"<R a='", b"x", b"\\", b","]))
)
def test_nothing_is_lost(parts: list[bytes]) -> None:
    data = b"\n".join(parts)
    kept = b"".join(one.raw for one in pieces(data))
    for sign in b'{}<>"\\ax':
        framed = data.count(b",") if sign == ord(",") else 0
        assert kept.count(sign) == data.count(sign) - framed


@given(st.binary())
def test_anything_is_cut(data: bytes) -> None:
    good = b'\n{"good":1}\n<R>good</R>'
    found = pieces(data + good)
    assert b"<R>good</R>" in [one.raw for one in found]
    assert b'{"good":1}' in [one.raw for one in found]


def test_flat_names() -> None:
    assert dict(flat({"a": {"b": 1, "c": [1, "x"]}, "d": None, "e": True})) == {
        "a.b": "1", "a.c": '[1,"x"]', "e": "true",
    }  # fmt: skip
    deep: dict[str, object] = {}
    for _ in range(40):
        deep = {"a": deep}
    with pytest.raises(ValueError, match="nested deeper"):
        list(flat(deep))


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE r [<!ENTITY a "b">]><r>&a;</r>',
        '<!DOCTYPE r SYSTEM "file:///etc/passwd"><r/>',
        "<r>&unknown;</r>",
        "<a>" * 33 + "</a>" * 33,
        "<r>" + "<a/>" * 6000 + "</r>",
        "<r>\x00</r>",
        "",
        "<r/><r/>",
    ],
)
def test_refused_xml(text: str) -> None:
    with pytest.raises(XmlError, match=" / "):
        parse_element(text)


def test_xml_tree() -> None:
    tree = parse_element('<?xml version="1.0" encoding="UTF-16"?><e:r xmlns:e="x" e:a="1">t<b>&lt;住民&#10;</b>u</e:r>')
    assert (tree.name, tree.attributes["a"], tree.text) == ("r", "1", "tu")
    assert tree.child("b") is not None
    assert tree.children[0].text == "<住民\n"


@given(st.text())
def test_any_xml(text: str) -> None:
    with suppress(XmlError):
        parse_element(text)


@pytest.mark.parametrize(
    ("sql", "masked"),
    [
        (r"CREATE USER a@'%' IDENTIFIED BY 's''e\'c' REQUIRE SSL", f"CREATE USER a@'%' IDENTIFIED BY {MASK} REQUIRE SSL"),
        ("create user scott identified by tiger quota 5m", f"create user scott identified by {MASK} quota 5m"),
        ('ALTER USER x IDENTIFIED BY "new" REPLACE "old"', f"ALTER USER x IDENTIFIED BY {MASK} REPLACE {MASK}"),
        ("SET PASSWORD FOR 'a'@'%' = PASSWORD('s')", f"SET PASSWORD FOR 'a'@'%' = PASSWORD({MASK})"),
        ("SET PASSWORD = 's'", f"SET PASSWORD = {MASK}"),
        ("ALTER ROLE x ENCRYPTED PASSWORD 's' VALID UNTIL 't'", f"ALTER ROLE x ENCRYPTED PASSWORD {MASK} VALID UNTIL 't'"),
        ("CREATE ROLE x PASSWORD $a$s$a$", f"CREATE ROLE x PASSWORD {MASK}"),
        ("CHANGE MASTER TO MASTER_HOST='h', MASTER_PASSWORD='s'", f"CHANGE MASTER TO MASTER_HOST='h', MASTER_PASSWORD={MASK}"),
        ("create user a identified with p as '*A', b identified by 's'", f"create user a identified with p as {MASK}, b identified by {MASK}"),
        ("create user a identified by values 'S:1'", f"create user a identified by values {MASK}"),
        ("-- don't\nalter user a identified by 'cut", f"-- don't\nalter user a identified by {MASK}"),
        ("create user a identified/**/by/* ' */'s'", f"create user a identified/**/by/* ' */{MASK}"),
        ("create user a identified by 's'; select 'x'", f"create user a identified by {MASK}; select 'x'"),
        ("select 'password', name from t where id = 'x'", "select 'password', name from t where id = 'x'"),
        ("create user a identified by *****", "create user a identified by *****"),
    ],
)  # fmt: skip
def test_secrets(sql: str, masked: str) -> None:
    assert mask_secrets(sql) == masked


def test_backslash_by_dialect() -> None:
    sql = r"select '\' from t; alter user a identified by 's'"
    assert mask_secrets(sql, backslash=False).endswith(f"identified by {MASK}")


@given(
    st.text("abc'\"\\`$;()=*/-# \n"), st.sampled_from(["IDENTIFIED BY ", "PASSWORD ", "password=", "IDENTIFIED AS "])
)
def test_a_secret_never_stays(before: str, words: str) -> None:
    assert mask_secrets(before) == before or MASK in mask_secrets(before)
    assert "geheim" not in mask_secrets(f"ALTER USER x {words}'geheim' -- {before}")
    mask_secrets(f"{before} {words} '{before}")
    statement_word(before)
    statement_target(f"GRANT {before} TO {before}")


@pytest.mark.parametrize(
    ("sql", "word", "target"),
    [
        ("WITH a AS (SELECT 1) DELETE FROM x", "DELETE", ""),
        ("/*!50003 create or replace*/ view v as select 1", "CREATE VIEW", ""),
        ("-- note\n ((select 1))", "SELECT", ""),
        ("select * into outfile '/x' from t", "SELECT INTO FILE", ""),
        ("GRANT SELECT ON t TO 'jiro'@'%'", "GRANT", "jiro"),
        ("REVOKE ALL ON t FROM `hana ko`", "REVOKE", "hana ko"),
        ("create user if not exists 'k'@'l'", "CREATE USER", "k"),
        ("alter user k identified by x", "ALTER USER IDENTIFIED", "k"),
        ("SET @@global.x = 1", "SET GLOBAL", ""),
        ("SET NAMES utf8", "SET", ""),
        ("set password for k = 'x'", "SET PASSWORD", "k"),
        ("  ", "", ""),
        ("GRANT", "GRANT", ""),
    ],
)
def test_what_a_statement_does(sql: str, word: str, target: str) -> None:
    assert statement_word(sql) == word
    assert statement_target(sql) == target
