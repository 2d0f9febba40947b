"""Recovery codes."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from key_desk import HERE, Desk

from audit.access.strength import Acr, FactorPolicy, Proof


def issue(desk: Desk, account: str) -> tuple[str, ...]:
    with desk.store.unit() as unit:
        return desk.service.recovery.issue(unit, account, by=HERE)


def use(desk: Desk, account: str, typed: str) -> bool:
    with desk.store.unit() as unit:
        return desk.service.recovery.use(unit, account, typed, by=HERE)


def test_ten_codes_of_80_bits_are_shown_once(desk: Desk) -> None:
    account = desk.user()
    codes = issue(desk, account)
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"([2-9A-HJ-NP-Z]{4}-){3}[2-9A-HJ-NP-Z]{4}", code) for code in codes)  # 16 of 32 signs
    assert (desk.last()["activity"], desk.last()["target"]["id"]) == ("credential_issue", "s0401")
    disk = b"".join(file.read_bytes() for file in desk.path.iterdir())
    for code in codes:
        assert code.encode() not in disk
        assert code.replace("-", "").encode() not in disk
        assert code not in str(desk.ledger.docs)


def test_each_code_is_good_once_and_for_its_account(desk: Desk) -> None:
    mine, other = desk.user(), desk.user()
    codes = issue(desk, mine)
    assert not use(desk, other, codes[0])
    assert use(desk, mine, codes[0])
    assert (desk.last()["operation_name"], desk.last()["unmapped"]["left"]) == ("recovery_code.used", "9")
    assert not use(desk, mine, codes[0])
    assert desk.service.recovery.left(mine) == 9
    told = len(desk.ledger.docs)
    for wrong in ("", "AAAA-AAAA-AAAA-AAAA", codes[1][:-1], codes[1] + "2", codes[1] * 20, "\ud800", "\0"):
        assert not use(desk, mine, wrong)
    assert len(desk.ledger.docs) == told


def test_a_code_is_the_same_however_it_is_typed(desk: Desk) -> None:
    account = desk.user()
    first, second, third, *_ = issue(desk, account)
    wide = first.lower().translate({ord(sign): ord(sign) + 0xFEE0 for sign in map(chr, range(33, 127))})
    assert use(desk, account, f" {wide} ")
    assert use(desk, account, second.replace("-", ""))
    assert use(desk, account, third.replace("-", "ー").lower())


def test_new_codes_replace_the_old(desk: Desk) -> None:
    account = desk.user()
    old = issue(desk, account)
    use(desk, account, old[0])
    new = issue(desk, account)
    assert desk.last()["unmapped"]["replaced"] == "9"
    assert not any(use(desk, account, code) for code in old)
    assert use(desk, account, new[0])
    with desk.store.unit() as unit:
        assert desk.service.recovery.end(unit, account) == 9
    assert desk.service.recovery.left(account) == 0


@pytest.mark.both_engines
def test_one_of_many_uses_at_once_wins(desk: Desk) -> None:
    account = desk.user()
    code = issue(desk, account)[0]
    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(lambda _: use(desk, account, code), range(6))) == [False] * 5 + [True]


def test_no_code_is_given_or_used_without_its_event(desk: Desk) -> None:
    account = desk.user()
    codes = issue(desk, account)
    desk.ledger.down = True
    with pytest.raises(ConnectionError):
        issue(desk, account)
    with pytest.raises(ConnectionError):
        use(desk, account, codes[0])
    desk.ledger.down = False
    assert desk.service.recovery.left(account) == 10
    assert use(desk, account, codes[0])


def test_a_code_meets_no_systems_policy(desk: Desk) -> None:
    proof = Proof(factors=frozenset({"password", "recovery_code"}), at=desk.clock.now())
    assert proof.acr is Acr.PASSWORD
    for asked in ("", "password+totp", "webauthn", "biometric", "ic_card"):
        assert not FactorPolicy.parse(asked).met_by(proof)
