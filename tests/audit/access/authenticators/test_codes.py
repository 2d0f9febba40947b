"""Codes of authenticator apps: the vectors of RFC 4226 and 6238, and that each is good once (S1-S5)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import product

import pyotp
import pytest
from key_desk import Desk

from audit.access.repository import AccessRepository
from audit.access.second_factor import step_of_code

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # base32 of both documents' "12345678901234567890"
# RFC 4226 appendix D, counters 0 to 9; a time step is such a counter.
HOTP = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]
# RFC 6238 appendix B, SHA-1, all eight digits.
TOTP = {
    59: "94287082",
    1111111109: "07081804",
    1111111111: "14050471",
    1234567890: "89005924",
    2000000000: "69279037",
    20000000000: "65353130",
}


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def enter(desk: Desk, account: str, code: str, now: datetime) -> bool:
    """What signing in does with a code: which step it proves, and whether that step is still to be used."""
    step = step_of_code(SECRET, code, now)
    if step is None:
        return False
    with desk.store.unit() as unit:
        return AccessRepository(unit).use_step(account, step)


def test_codes_are_those_of_rfc_4226() -> None:
    for counter, code in enumerate(HOTP):
        assert pyotp.HOTP(SECRET).at(counter) == code
        assert step_of_code(SECRET, code, at(30 * counter)) == counter
        assert step_of_code(SECRET, HOTP[(counter + 1) % 10], at(30 * counter)) is None


def test_codes_are_those_of_rfc_6238() -> None:
    for seconds, digits in TOTP.items():
        assert pyotp.TOTP(SECRET, digits=8).at(at(seconds)) == digits
        assert step_of_code(SECRET, digits[-6:], at(seconds)) == seconds // 30


def test_S1_a_code_is_refused_the_second_time_within_its_step(desk: Desk) -> None:
    account = desk.user()
    assert enter(desk, account, HOTP[5], at(150))
    assert not enter(desk, account, HOTP[5], at(179))


@pytest.mark.parametrize("moves", list(product("ABab", repeat=3)), ids="".join)
def test_S2_no_order_of_two_codes_lets_one_in_twice(desk: Desk, moves: tuple[str, ...]) -> None:
    """A and B in their own steps, a and b in the other's."""
    account = desk.user()
    code = {"A": HOTP[5], "a": HOTP[5], "B": HOTP[6], "b": HOTP[6]}
    when = {"A": 150, "b": 150, "B": 180, "a": 180}
    entered = [code[move] for move in moves if enter(desk, account, code[move], at(when[move]))]
    assert len(entered) == len(set(entered))
    assert entered == sorted(entered, key=[HOTP[5], HOTP[6]].index)  # nor an earlier one after a later


@pytest.mark.both_engines
def test_S3_of_fifty_at_once_one_gets_in(desk: Desk) -> None:
    account = desk.user()
    with ThreadPoolExecutor(10) as pool:
        ends = list(pool.map(lambda _: enter(desk, account, HOTP[5], at(150)), range(50)))
    assert ends.count(True) == 1


def test_S4_a_clock_that_went_back_opens_no_used_step(desk: Desk) -> None:
    account = desk.user()
    assert enter(desk, account, HOTP[7], at(210))
    for counter in (5, 6, 7):
        assert not enter(desk, account, HOTP[counter], at(30 * counter))
    assert enter(desk, account, HOTP[8], at(240))


def test_S5_full_width_digits_are_the_code_and_nothing_else_is(desk: Desk) -> None:
    account, code = desk.user(), HOTP[5]
    for typed in (
        f" {code}",
        f"{code[:3]} {code[3:]}",
        code[:5],
        code + "0",
        "5" * 5000,
        "",
        "\0",
        "\ud800",
        "-" + code,
    ):
        assert not enter(desk, account, typed, at(150))
    wide = code.translate({ord("0") + digit: ord("０") + digit for digit in range(10)})
    assert enter(desk, account, wide, at(150))
    assert not enter(desk, account, code, at(150))  # the same code
