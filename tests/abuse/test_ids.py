"""Every abuse case has a test that bears its id, or the issue that it waits for."""

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
    "S1": "a code again in its step", "S2": "two codes in any order", "S3": "one code many times at once",
    "S4": "a clock stepped back", "S5": "odd digits", "S6": "a challenge again", "S7": "somebody else's challenge",
    "S8": "another origin", "S9": "another relying party", "S10": "across origins", "S11": "user not verified",
    "S12": "sign count", "S13": "bad signature, high count", "S14": "backup flag", "S15": "attestation",
    "S16": "revoked model", "S17": "credential id taken or too long", "S18": "malformed CBOR",
    "S19": "enumeration", "S20": "guessing and lock-out", "S21": "fixed or stolen session", "S22": "session limits",
    "S23": "step-up proof", "S24": "forged JWT", "S25": "a system as another", "S26": "no live session",
    "S27": "asserted role", "S28": "spoofed address",
    "C1": "missed runs", "C2": "two nodes at once", "C3": "a holder that was away", "C4": "a clock that is set",
    "C5": "zones", "C6": "a calendar that changes", "C7": "nights and the turn of the year",
    "R3": "an alert that is said never to have fired",
    "E1": "own access approved", "E3": "an exception for one", "E4": "right given and taken",
    "E5": "a threshold that one alone lowers", "E9": "break-glass", "E10": "leaver and mover",
    "E11": "login id again", "E12": "shared account", "E13": "who one may not look up", "E14": "a little each day",
    "E15": "ids of others",
    "E16": "mass assignment", "E17": "decision and use", "E18": "broken policy",
}  # fmt: skip
LATER = {
    "E2": "6: alerts are closed by whoever they are about",
    "E6": "8: events altered or cut off",
    "E7": "8: an old backup", "E8": "8: a forked history",
    "D7": "8: the signer is down", "D8": "9: decisions while the network is cut", "D10": "8: retention",
}  # fmt: skip
"""Cases about what is not there yet, each with the issue that builds it."""
_HELD = {"S": 28, "E": 18, "D": 10, "T": 14}
"""How many cases there are of each letter."""


@cache
def names_of_tests() -> frozenset[str]:
    """The name of every test function of the tree, in lower case."""
    return frozenset(
        node.name.lower()
        for path in TESTS.rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


def named_by(case: str) -> list[str]:
    """The tests whose name begins with a case's id; one test may bear several."""
    named = re.compile(rf"test_([a-z]+\d+_)*{case.lower()}_")
    return [name for name in names_of_tests() if named.match(name)]


@pytest.mark.parametrize("case", CASES)
def test_every_case_has_a_test_named_by_its_id(case: str) -> None:
    assert named_by(case), f"{case}: {CASES[case]}"


def test_no_case_is_forgotten() -> None:
    every = {f"{letter}{number}" for letter, count in _HELD.items() for number in range(1, count + 1)}
    assert every <= CASES.keys() | LATER.keys()
    assert not CASES.keys() & LATER.keys()
