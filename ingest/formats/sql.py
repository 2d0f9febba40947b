"""What a SQL statement does, as far as its words tell, and its passwords taken out.

The text of a statement is evidence and is kept; the passwords in it are not. `mask_secrets` belongs in front of
every place that keeps a statement: it knows the forms of MySQL, MariaDB, Oracle and PostgreSQL, and a literal that a
length limit cut off is a secret to its end. Comments are read as comments: a quote in one opens no string, so that no
comment can hide what follows it.
"""

import re
from collections import deque
from collections.abc import Iterator, Mapping
from itertools import islice, pairwise
from types import MappingProxyType
from typing import NamedTuple

from audit.events import Activity

__all__ = ["MASK", "SQL_ACTIVITIES", "mask_secrets", "statement_target", "statement_word"]

MASK = "'[秘匿]'"
_A = Activity
SQL_ACTIVITIES: Mapping[str, str] = MappingProxyType(
    {
        "SELECT INTO FILE": _A.EXPORT,
        "LOAD": _A.IMPORT,
        **dict.fromkeys(("SELECT", "TABLE", "VALUES", "HANDLER"), _A.VIEW),
        "INSERT": _A.CREATE,
        **dict.fromkeys(("UPDATE", "REPLACE", "MERGE"), _A.UPDATE),
        **dict.fromkeys(("DELETE", "TRUNCATE", "TRUNCATE *"), _A.DELETE),
        **dict.fromkeys(("GRANT", "GRANT *"), _A.GRANT),
        **dict.fromkeys(("REVOKE", "REVOKE *", "DROP USER", "DROP ROLE"), _A.REVOKE),
        **dict.fromkeys(("CREATE USER", "CREATE ROLE"), _A.CREDENTIAL_ISSUE),
        **dict.fromkeys(("SET PASSWORD", "ALTER USER IDENTIFIED"), _A.CREDENTIAL_RESET),
        **dict.fromkeys(("ALTER USER", "ALTER ROLE", "RENAME USER", "SET DEFAULT ROLE"), _A.POLICY_CHANGE),
        **dict.fromkeys(("AUDIT", "AUDIT *", "NOAUDIT", "NOAUDIT *"), _A.POLICY_CHANGE),
        **dict.fromkeys(("CREATE *", "ALTER *", "DROP *", "RENAME *", "RENAME", "COMMENT"), _A.CONFIG_CHANGE),
        **dict.fromkeys(("CREATE", "ALTER", "DROP", "CHANGE", "FLUSH", "RESET", "KILL"), _A.CONFIG_CHANGE),
        **dict.fromkeys(("INSTALL", "UNINSTALL", "SET GLOBAL"), _A.CONFIG_CHANGE),
        "PURGE": _A.PURGE,
        "SHUTDOWN": _A.MAINTENANCE,
    }
)
"""What `statement_word` answers, and what it is in ours; other words are an `operation`.

`SET` for the session alone changes nobody's configuration: drivers send it with every connection.
"""
_TWO_WORDS = frozenset({"CREATE", "ALTER", "DROP", "RENAME", "TRUNCATE"})
_FILLERS = frozenset(
    {"OR", "REPLACE", "IF", "NOT", "EXISTS", "TEMPORARY", "GLOBAL", "UNIQUE", "FULLTEXT", "SPATIAL", "BITMAP", "PUBLIC"}
    | {"NOFORCE", "FORCE", "EDITIONABLE", "AGGREGATE"}
)
"""What may stand between CREATE and the kind of thing created."""
_MAIN = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE"})
_SERVER_WIDE = frozenset({"GLOBAL", "PERSIST", "PERSIST_ONLY"})
_LOOKED_AT = 2000
"""Tokens of a statement that are looked at for what it does; masking looks at all of them."""
_PARTS = (
    r"(?P<space>\s+|--[^\n]*|\#[^\n]*|/\*!\d*|\*/|/\*.*?(?:\*/|\Z))"
    r"|(?P<literal>(?:[NnEeXxBb]|_[A-Za-z0-9]+)?{single}|{double}|\$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|\Z)|0[xX][0-9A-Fa-f]+)"
    r"|(?P<name>`[^`]*`?)"
    r"|(?P<word>[^\W\d][\w$#]*)"
    r"|(?P<sign>:=|.)"
)
_BACKSLASHED = re.compile(
    _PARTS.replace("{single}", r"'(?:[^'\\]|\\.|'')*+(?:'|\Z|\\\Z)").replace(
        "{double}", r"\"(?:[^\"\\]|\\.|\"\")*+(?:\"|\Z|\\\Z)"
    ),
    re.DOTALL,
)
_STANDARD = re.compile(
    _PARTS.replace("{single}", r"'(?:[^']|'')*+(?:'|\Z)").replace("{double}", r"\"(?:[^\"]|\"\")*+(?:\"|\Z)"), re.DOTALL
)
_HINT = re.compile(r"identified|password|replace", re.IGNORECASE)
_NO_SECRET = frozenset({"BY", "VALUES", "PASSWORD", "RANDOM", "EXTERNALLY", "GLOBALLY"})


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


def mask_secrets(sql: str, *, backslash: bool = True) -> str:
    """A statement with every password in it replaced by `MASK`.

    Args:
        sql: the statement, whole or cut off.
        backslash: whether a backslash escapes a quote in a literal, as in MySQL; in Oracle and PostgreSQL it does not.
    """
    if not _HINT.search(sql):
        return sql
    done, out = 0, []
    for token in _secrets(sql, backslash):
        out += [sql[done : token.start], MASK]
        done = token.end
    return "".join(out) + sql[done:]


def statement_word(sql: str) -> str:
    """The word for what a statement does: its first verb, with the kind of thing for definitions; empty for none."""
    tokens = list(islice(_tokens(sql, backslash=True), _LOOKED_AT))
    words = [token.text.upper() for token in tokens if token.kind == "word"]
    if not words:
        return ""
    first = words[0] if words[0] != "WITH" else _after_with(tokens)
    if first == "SELECT" and any(here == "INTO" and then in {"OUTFILE", "DUMPFILE"} for here, then in pairwise(words)):
        return "SELECT INTO FILE"
    if first == "SET":
        return _set_word(words)
    if first in _TWO_WORDS:
        thing = next((word for word in words[1:] if word not in _FILLERS), "")
        if (first, thing) == ("ALTER", "USER") and "IDENTIFIED" in words:
            return "ALTER USER IDENTIFIED"
        return f"{first} {thing}".strip()
    return first


def statement_target(sql: str) -> str:
    """The account that a statement about accounts and rights is about; empty when it names none."""
    tokens = [token for token in islice(_tokens(sql, backslash=True), _LOOKED_AT) if token.kind != "space"]
    words = [token.text.upper() if token.kind == "word" else "" for token in tokens]
    if not words:
        return ""
    if words[0] in {"GRANT", "REVOKE"}:
        marks = {"TO"} if words[0] == "GRANT" else {"FROM"}
    elif words[0] == "SET" and "PASSWORD" in words[:2]:
        marks = {"FOR"}
    elif words[0] in {"CREATE", "ALTER", "DROP", "RENAME"} and {"USER", "ROLE"} & set(words[1:5]):
        marks = {"USER", "ROLE"}
    else:
        return ""
    for place, word in enumerate(words[:-1]):
        if word in marks:
            after = place + 1
            while after < len(words) - 1 and words[after] in _FILLERS:
                after += 1
            named = tokens[after]
            return named.text.strip("'\"`") if named.kind in {"word", "literal", "name"} else ""
    return ""


def _tokens(sql: str, *, backslash: bool) -> Iterator[_Token]:
    for match in (_BACKSLASHED if backslash else _STANDARD).finditer(sql):
        yield _Token(match.lastgroup or "sign", match[0], match.start(), match.end())


def _after_with(tokens: list[_Token]) -> str:
    """The verb that a WITH clause leads to: the first outside of its brackets."""
    depth = 0
    for token in tokens:
        if token.text in {"(", ")"}:
            depth += 1 if token.text == "(" else -1
        elif depth == 0 and token.kind == "word" and token.text.upper() in _MAIN:
            return token.text.upper()
    return "WITH"


def _set_word(words: list[str]) -> str:
    if words[1:2] == ["PASSWORD"]:
        return "SET PASSWORD"
    if words[1:3] == ["DEFAULT", "ROLE"]:
        return "SET DEFAULT ROLE"
    return "SET GLOBAL" if _SERVER_WIDE & set(words[1:3]) else "SET"


def _secrets(sql: str, backslash: bool) -> Iterator[_Token]:
    """The literals, and after Oracle's IDENTIFIED BY the bare words, that are passwords by what stands before them."""
    before: deque[str] = deque(maxlen=8)
    setting, identified = False, False
    for token in _tokens(sql, backslash=backslash):
        if token.kind == "space":
            continue
        said = token.text.upper()
        by = "IDENTIFIED" in before and any(word in before for word in ("BY", "AS", "USING"))
        if token.kind == "literal" or said.startswith('"'):
            assigned = setting and "=" in before
            if by or assigned or _behind_password(before) or (identified and list(before)[-1:] == ["REPLACE"]):
                yield token
                before.clear()
                continue
        elif token.kind == "word":
            if list(before)[-2:] == ["IDENTIFIED", "BY"] and said not in _NO_SECRET:
                yield token
                before.clear()
                continue
            setting = setting or (said == "PASSWORD" and list(before)[-1:] == ["SET"])
            identified = identified or said == "IDENTIFIED"
        elif said == ";":
            setting = identified = False
            before.clear()
            continue
        before.append("'" if said.endswith("'") else said)


def _behind_password(before: deque[str]) -> bool:
    """Whether a literal stands behind a word like PASSWORD, with at most brackets and signs of assignment between."""
    for said in reversed(before):
        if said in {"(", "=", ":=", ":"}:
            continue
        return said.strip("`\"'").endswith("PASSWORD")
    return False
