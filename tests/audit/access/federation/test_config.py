"""The town's file of verifiers: taken whole, or not at all."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from joserfc.jwk import ECKey

from audit.access.federation import VerifierConfigError, load_verifiers

KEY = ECKey.generate_key("P-256", {"kid": "one"})
GOOD = """
[palm]
name_ja = "手のひら静脈"
name_en = "Palm vein"
issuer = "https://palm.example.lg.jp"
client_id = "mimamori"
secret_file = "keys/palm.secret"
staff_ids = "s[0-9]{4}"
claim = "employee"
max_age = 120
algorithms = ["ES256", "PS256"]
discovery_file = "discovery.json"
keys_file = "jwks.json"
[palm.amr]
vein = ["palm_vein"]
[palm.acr]
"urn:card" = ["ic_card", "pin"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "palm.secret").write_text("geheim\n")
    (tmp_path / "discovery.json").write_text('{"issuer": "https://palm.example.lg.jp"}')
    (tmp_path / "jwks.json").write_text(json.dumps({"keys": [KEY.as_dict(private=False)]}))
    return tmp_path


def write(folder: Path, text: str) -> Path:
    path = folder / "verifiers.toml"
    path.write_text(text)
    return path


def test_without_a_file_there_is_none(tmp_path: Path) -> None:
    assert load_verifiers(tmp_path / "verifiers.toml") == {}


def test_a_file_says_whom_to_believe_what(folder: Path) -> None:
    palm = load_verifiers(write(folder, GOOD))["palm"]
    assert (palm.name, palm.texts.ja, palm.issuer) == ("palm", "手のひら静脈", "https://palm.example.lg.jp")
    assert (palm.secret, palm.claim, palm.max_age) == ("geheim", "employee", timedelta(minutes=2))
    assert palm.factors == {"palm_vein", "ic_card", "pin"}
    assert palm.staff_ids.fullmatch("s0412")
    assert palm.staff_ids.flags & re.ASCII
    assert palm.keys == {"keys": [KEY.as_dict(private=False)]}
    assert "geheim" not in repr(palm)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[palm]", "[Palm]"),
        ("[palm]", "["),
        ('client_id = "mimamori"', ""),
        ('client_id = "mimamori"', "client_id = 7"),
        ('staff_ids = "s[0-9]{4}"', ""),
        ('staff_ids = "s[0-9]{4}"', 'staff_ids = "("'),
        ('staff_ids = "s[0-9]{4}"', 'staff_ids = ""'),
        ("max_age = 120", "max_age = 0"),
        ("max_age = 120", "max_age = true"),
        ("max_age = 120", "max_aeg = 120"),
        ('"PS256"', '"HS256"'),
        ('"PS256"', '"none"'),
        ('["ES256", "PS256"]', "[]"),
        ("https://palm", "http://palm"),
        ("palm.example.lg.jp", "palm.example.lg.jp?x"),
        ('["palm_vein"]', '["palm"]'),
        ('["palm_vein"]', '["password|totp"]'),
        ('["palm_vein"]', '["webauthn"]'),
        ('["palm_vein"]', '["recovery_code"]'),
        ('["palm_vein"]', "[]"),
        ('["palm_vein"]', '"palm_vein"'),
        ("palm.secret", "none.secret"),
        ("discovery.json", "verifiers.toml"),
        ("jwks.json", "discovery.json"),
    ],
)
def test_a_file_that_cannot_be_used_stops_the_start_and_says_where(folder: Path, old: str, new: str) -> None:
    assert old in GOOD
    with pytest.raises(VerifierConfigError, match=r"verifiers\.toml") as caught:
        load_verifiers(write(folder, GOOD.replace(old, new)))
    assert caught.value.texts.ja != caught.value.texts.en


def test_no_private_key_is_pinned(folder: Path) -> None:
    (folder / "jwks.json").write_text(json.dumps({"keys": [KEY.as_dict(private=True)]}))
    with pytest.raises(VerifierConfigError, match="private key"):
        load_verifiers(write(folder, GOOD))


def test_no_factor_is_no_verifier(folder: Path) -> None:
    with pytest.raises(VerifierConfigError, match="no factor"):
        load_verifiers(write(folder, GOOD.partition("[palm.amr]")[0]))
    (folder / "keys" / "palm.secret").write_text("\n")
    with pytest.raises(VerifierConfigError, match="secret_file"):
        load_verifiers(write(folder, GOOD))
