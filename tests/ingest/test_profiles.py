"""Profiles are data: what cannot be used is refused with every fault at once."""

import pytest

from ingest.sources.profile import ENCODINGS, FORMATS, Profile, ProfileError, parse_profile

GOOD = """
id = "nhi"
name_ja = "国民健康保険"
name_en = "National health insurance"
format = "csv"
encoding = "cp932"
columns = ["ユーザー", "日時"]
times = ["%Y/%m/%d %H:%M"]
[fields]
"ユーザー" = "actor.id"
[activities]
"照会" = "view"
"""


def test_a_profile_is_read() -> None:
    profile = parse_profile(GOOD, "nhi.toml")
    assert (profile.id, profile.encoding, profile.columns) == ("nhi", "cp932", ("ユーザー", "日時"))
    assert dict(profile.fields) == {"ユーザー": "actor.id"}
    assert str(profile.zone) == "Asia/Tokyo"


def test_what_is_not_said_has_a_default() -> None:
    minimal = parse_profile('id = "x"\nname_ja = "え"\nname_en = "x"', "x.toml")
    assert minimal == Profile(id="x", name_ja="え", name_en="x")
    assert (minimal.format, minimal.encoding, minimal.timezone) == ("jsonl", "utf-8", "Asia/Tokyo")


def test_a_profile_cannot_be_changed_afterwards() -> None:
    profile = parse_profile(GOOD, "nhi.toml")
    with pytest.raises(TypeError):
        profile.fields["x"] = "y"  # type: ignore[index]  # that is the point


def test_every_fault_is_named_at_once() -> None:
    text = 'id = ""\nname_ja = "x"\nencoding = "latin-1"\nformat = "xml"\ntimezone = "Mars/Base"'
    text += '\nfields = 1\ntimes = "x"\nfoo = 1'
    with pytest.raises(ProfileError) as error:
        parse_profile(text, "bad.toml")
    message = str(error.value)
    assert message.startswith("bad.toml: ")
    for part in ("'id' is missing", "'name_en' is missing", "latin-1", "xml", "Mars/Base", "'fields' must be a table",
                 "'times' must be a list", "unknown setting 'foo'"):  # fmt: skip
        assert part in message


def test_what_is_not_toml_is_refused() -> None:
    with pytest.raises(ProfileError, match=r"broken\.toml: not TOML"):
        parse_profile("id = ", "broken.toml")


@pytest.mark.parametrize("zone", ["", "/etc/passwd", "../../etc/passwd", "Asia/Nowhere", "\\u0000"])
def test_a_zone_is_a_known_one(zone: str) -> None:
    with pytest.raises(ProfileError, match="timezone"):
        parse_profile(f'id = "x"\nname_ja = "x"\nname_en = "x"\ntimezone = "{zone}"', "x.toml")


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("form", FORMATS)
def test_every_known_word_is_accepted(encoding: str, form: str) -> None:
    text = f'id = "x"\nname_ja = "x"\nname_en = "x"\nencoding = "{encoding}"\nformat = "{form}"'
    assert parse_profile(text, "x").encoding == encoding
