"""Every abuse case that touches ingest has a test that bears its id."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
CASES = {
    "T1": "forged event", "T2": "replayed batch", "T3": "same id, other content", "T4": "late and out of order",
    "T5": "sequence gap", "T6": "clock skew", "T7": "log injection", "T8": "encodings", "T9": "hostile JSON and sizes",
    "T10": "bombs and archives", "T11": "files of an object store", "T12": "syslog", "T13": "SQL injection",
    "T14": "heavy questions",
    "I1": "a number through every door", "I2": "recall", "I3": "survivors", "I4": "documentation numbers",
    "D1": "disk full", "D2": "kill -9", "D3": "power loss", "D4": "event store down",
    "D5": "answer lost after the commit",
    "D6": "crash in a batch", "D9": "flood",
}  # fmt: skip
"""D7, D8 and D10 are about checkpoints, decisions and retention, which are not there yet."""


@cache
def names_of_tests() -> frozenset[str]:
    """The name of every test function of the tree, in lower case."""
    return frozenset(
        node.name.lower()
        for path in TESTS.rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


@pytest.mark.parametrize("case", CASES)
def test_every_case_has_a_test_named_by_its_id(case: str) -> None:
    named = re.compile(rf"test_{case.lower()}_")
    assert [name for name in names_of_tests() if named.match(name)], f"{case}: {CASES[case]}"
