"""CEF and LEEF, with and without the syslog header that security devices put in front."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.events import check
from ingest.formats.cef import decode_cef
from ingest.formats.device import device_time
from ingest.formats.leef import decode_leef
from ingest.model import Doc, Record, Refused
from ingest.sources.profile import Profile

PROFILE = Profile(id="edr", name_ja="端末防御", name_en="edr")
NOW = datetime(2026, 11, 1, tzinfo=UTC)
Decode = Callable[..., Iterator[Record | Refused]]
CEF = "CEF:0|Vendor|Product|1.0|100|worm stopped|10|"
LEEF = "LEEF:1.0|V|P|1|41|usrName=s1\tsrc=10.0.0.1\t"
TIME = "rt=1791159202120 "


def read(decoder: Decode, *lines: str | bytes, profile: Profile = PROFILE) -> list[Record | Refused]:
    encoded = [line if isinstance(line, bytes) else line.encode() for line in lines]
    return list(decoder(enumerate(encoded, 1), profile, reference=NOW))


def one(decoder: Decode, line: str, **changes: Any) -> Doc:
    (found,) = read(decoder, line, profile=replace(PROFILE, **changes))
    assert isinstance(found, Record), found
    assert check(found.doc, NOW).faults == ()
    return found.doc


def test_cef() -> None:
    line = (
        r"<134>Oct  5 09:13:22 fw01 CEF:0|Sec\|urity|a\\b|1.0|100|worm stopped|10|"
        r"src=10.0.0.1 suser=TOWN\taro duser=jiro msg=two words\=1\nnext cs1Label=職員番号 cs1=s 1 act=blocked "
        r"filePath=C:\share\x rt=Oct 05 2026 09:13:22.120 JST empty= request=http://x/?id\=1"
    )
    assert one(decode_cef, line) == {
        "time": "2026-10-05T09:13:22.120000+09:00", "activity": "security_event", "operation_name": "worm stopped",
        "outcome": "denied", "actor": {"id": r"TOWN\taro"}, "target": {"id": "jiro"}, "terminal": {"ip": "10.0.0.1"},
        "unmapped": {
            "deviceVendor": "Sec|urity", "deviceProduct": r"a\b", "deviceVersion": "1.0", "deviceEventClassId": "100",
            "severity": "10", "msg": "two words=1\nnext", "職員番号": "s 1", "act": "blocked",
            "filePath": r"C:\share\x",
            "request": "http://x/?id=1", "host": "fw01", "syslog": {"facility": 16, "severity": 6},
        },
    }  # fmt: skip


@pytest.mark.parametrize(
    ("prefix", "at"),
    [
        ("Sep 19 08:26:10 server3.example.local ", "2026-09-19T08:26:10+09:00"),
        ("<13>1 2026-01-18T11:07:53.520Z 192.0.2.1 ", "2026-01-18T11:07:53.520000+00:00"),
        ('<13>1 2026-01-18T11:07:53Z h app 1 id [a@1 b="c"] \ufeff', "2026-01-18T11:07:53+00:00"),
        ("2026-01-18T11:07:53+09:00 h ", "2026-01-18T11:07:53+09:00"),
    ],
)  # fmt: skip
def test_the_header_gives_the_time_where_the_event_has_none(prefix: str, at: str) -> None:
    assert one(decode_cef, prefix + CEF)["time"] == at
    assert one(decode_leef, f"{prefix}LEEF:1.0|V|P|1|41|a=b")["time"] == at
    assert one(decode_cef, prefix + CEF + TIME)["time"] == "2026-10-05T00:13:22.120000+00:00"


def test_header_parts_are_kept() -> None:
    found = one(decode_cef, f'<13>1 2026-01-18T11:07:53Z h app 1 id [a@1 b="c"] {CEF}')
    assert found["unmapped"]["host"] == "h"
    assert found["unmapped"]["syslog"] == {
        "program": "app", "pid": "1", "msgid": "id", "facility": 1, "severity": 5,
        "structured_data": {"a@1": [["b", "c"]]},
    }  # fmt: skip
    assert one(decode_cef, f"<134>{CEF}{TIME}")["unmapped"]["syslog"] == {"facility": 16, "severity": 6}
    assert one(decode_cef, f"what is this? {CEF}{TIME}")["unmapped"]["prefix"] == "what is this?"


def test_cef_by_profile() -> None:
    fields = {"deviceEventClassId": "activity", "cs1": "actor.id", "資産": "terminal.id", "end": "time"}
    found = one(
        decode_cef,
        f"{CEF}{TIME}end=1791159203000 cs1Label=who cs1=s1 cs2Label=資産 cs2=PC-1 cs3=x cn1=5 cn1=6 suser=other",
        fields=fields,
        activities={"100": "media_write"},
        drop=("suser",),
    )
    assert (found["activity"], found["operation_name"]) == ("media_write", "100")
    assert (found["actor"], found["terminal"]) == ({"id": "s1"}, {"id": "PC-1"})
    assert found["time"] == "2026-10-05T00:13:23+00:00"
    kept = found["unmapped"]
    assert (kept["cs3"], kept["cn1"], kept["cs1Label"], kept["name"]) == ("x", ["5", "6"], "who", "worm stopped")
    assert "other" not in str(found)


def test_a_user_at_the_destination_is_the_actor_where_no_other_is_named() -> None:
    assert one(decode_cef, f"{CEF}{TIME}duser=taro")["actor"] == {"id": "taro"}
    assert one(decode_cef, f"{CEF}{TIME}")["actor"] == {"kind": "system"}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("CEF:0|a|b|c", "header: ends before its part 5, deviceEventClassId"),
        ("hello", "no CEF:0|"),
        (f"{CEF}src=1.1.1.1", "time: is missing"),
        (f"{CEF}rt=yesterday", "'rt': time: not a time"),
        (f"{CEF}rt=Oct 05 2026 09:13:22 XST", "'rt': time: "),
        ("CEF:0|a|b|c|d|e|f\\", "header: broken in severity"),
        (b"CEF:0|\xff", "byte 7: ff is not utf-8"),
    ],
)
def test_bad_cef_does_not_hurt_good(line: str | bytes, reason: str) -> None:
    before, bad, after = read(decode_cef, CEF + TIME, line, CEF + TIME)
    assert isinstance(before, Record)
    assert isinstance(after, Record)
    assert isinstance(bad, Refused)
    assert any(reason in one and " / " in one for one in bad.reasons)


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("LEEF:1.0|V|P|1|41|usrName=s1\tsrc=10.0.0.1\tmsg=a b=c\tdevTime=1791159202120", {"msg": "a b=c"}),
        ("LEEF:2.0|V|P|1|41|^|usrName=s1^src=10.0.0.1^msg=a\tb^devTime=2026-10-05T00:13:22.120Z", {"msg": "a\tb"}),
        ("LEEF:2.0|V|P|1|41|x5E|usrName=s1^src=10.0.0.1^devTime=Oct 05 2026 09:13:22.120", {}),
        ("LEEF:2.0|V|P|1|41|0x09|usrName=s1\tsrc=10.0.0.1\tdevTime=1791159202.12", {}),
        ("LEEF:2.0|V|P|1|41|usrName=s1\tsrc=10.0.0.1\tpipe=a|b\tdevTime=1791159202120", {"pipe": "a|b"}),
        ("LEEF:2.0|V|P|1|41||usrName=s1\tsrc=10.0.0.1\tx=1\ty\tdevTime=1791159202120", {"x": "1\ty"}),
        (
            f"{LEEF}devTime=05/10/2026 09:13:22.120\tdevTimeFormat=dd/MM/yyyy HH:mm:ss.SSS",
            {"devTimeFormat": "dd/MM/yyyy HH:mm:ss.SSS"},
        ),
        (
            f"{LEEF}devTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ\tdevTime=2026-10-04T20:13:22.120-0400",
            {"devTimeFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSZ"},
        ),
    ],
)
def test_leef(line: str, kept: dict[str, str]) -> None:
    found = one(decode_leef, line)
    assert datetime.fromisoformat(found.pop("time")) == datetime(2026, 10, 5, 0, 13, 22, 120000, UTC)
    assert found == {
        "activity": "security_event", "operation_name": "41", "actor": {"id": "s1"}, "terminal": {"ip": "10.0.0.1"},
        "unmapped": {"vendor": "V", "product": "P", "version": "1", **kept},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("LEEF:1.0|V|P", "header: ends with its part product"),
        ("LEEF:3.0|V|P|1|41|", "no LEEF:1.0|"),
        ("LEEF:1.0|V|P|1|41|a=b", "time: is missing"),
        ("LEEF:1.0|V|P|1|41|devTime=soon", "'devTime': time: not a time"),
    ],
)
def test_bad_leef_does_not_hurt_good(line: str, reason: str) -> None:
    good = "LEEF:1.0|V|P|1|41|devTime=1791159202120"
    before, bad, after = read(decode_leef, good, line, good)
    assert isinstance(before, Record)
    assert isinstance(after, Record)
    assert isinstance(bad, Refused)
    assert any(reason in each and " / " in each for each in bad.reasons)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("1791159202120", "2026-10-05T00:13:22.120000+00:00"),
        ("Oct 05 2026 09:13:22", "2026-10-05T09:13:22+09:00"),
        ("Oct 5 09:13:22", "2026-10-05T09:13:22+09:00"),
        ("Dec 31 2025 23:59:59 GMT+09:00", "2025-12-31T23:59:59+09:00"),
        ("Dec 31 2025 23:59:59 -0330", "2025-12-31T23:59:59-03:30"),
        ("Dec 31 2025 23:59:59 UTC", "2025-12-31T23:59:59+00:00"),
        ("Dec 31 2025 23:59:59 EST", "Dec 31 2025 23:59:59 EST"),
        ("99999999999999", "5138-11-16T09:46:39.999000+00:00"),
        ("2026/10/05 09:00", "2026/10/05 09:00"),
    ],
)
def test_device_times(text: str, at: str) -> None:
    assert device_time(text, PROFILE.zone, NOW) == at


PIECES = st.sampled_from(
    ["CEF:0|", "LEEF:2.0|", "LEEF:1.0|", "|", "\\", "=", " ", "\t", "rt=", "devTime=", "17911592021200", "a",
     "cs1Label=", "cs1=", "x09", "<13>", "1 ", "2026-01-18T11:07:53Z ", "devTimeFormat=%y'Mz", "-0999",
     "Oct 05 2026 09:13:22 "]
)  # fmt: skip


@given(st.lists(st.lists(PIECES, max_size=16).map("".join).map(str.encode) | st.binary(max_size=30), max_size=6))
def test_one_answer_a_line_whatever_the_bytes(lines: list[bytes]) -> None:
    lines = [line.replace(b"\n", b"") for line in lines]
    for decoder in (decode_cef, decode_leef):
        found = read(decoder, *lines)
        assert [each.line for each in found] == [number for number, line in enumerate(lines, 1) if line.strip()]
        assert [each.raw for each in found] == [line for line in lines if line.strip()]
        assert all(" / " in reason for each in found if isinstance(each, Refused) for reason in each.reasons)


VALUES = st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"]), max_size=15).map(str.strip)


@given(st.dictionaries(st.from_regex(r"k[a-z0-9]{1,5}", fullmatch=True), VALUES, max_size=5), VALUES)
def test_cef_round_trip(values: dict[str, str], vendor: str) -> None:
    def escaped(text: str, sign: str) -> str:
        return text.replace("\\", "\\\\").replace(sign, f"\\{sign}").replace("\n", "\\n")

    extension = " ".join(f"{name}={escaped(value, '=')}" for name, value in values.items())
    line = f"CEF:0|{escaped(vendor, '|')}|P|1|100|n|1|{TIME}{extension}"
    kept = one(decode_cef, line)["unmapped"]
    assert kept.get("deviceVendor", "") == vendor
    assert {name: kept.get(name, "") for name in values} == values
