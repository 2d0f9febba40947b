"""Messages come out of a stream the same however it is read, and a broken stream is given up with its bytes."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.clock import TOKYO, SystemClock
from audit.texts import Texts
from ingest.formats.syslog import SyslogError, parse_syslog
from ingest.receivers.syslog.framing import Fault, Framer, Framing, as_line

LIMIT = 64
MESSAGE = b"<34>1 2026-05-12T09:41:07+09:00 h app - - - ok"
END = Texts("終わり", "the end")


def read(data: bytes, cuts: tuple[int, ...] = (), framing: Framing = Framing.AUTO) -> tuple[list[bytes], Fault | None]:
    framer = Framer(LIMIT, framing)
    places = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    found = [message for start, end in pairwise(places) for message in framer.feed(data[start:end])]
    return found, framer.finish(END)


def counted(*messages: bytes) -> bytes:
    return b"".join(b"%d %s" % (len(message), message) for message in messages)


contents = st.binary(min_size=1, max_size=LIMIT)
streams = st.one_of(
    st.binary(max_size=300),
    st.lists(contents, max_size=8).map(lambda messages: counted(*messages)),
    st.lists(contents, max_size=8).map(b"\n".join),
    st.tuples(st.lists(contents, max_size=4), st.binary(max_size=100)).map(lambda two: counted(*two[0]) + two[1]),
    st.text("0123456789 <x\n\0\r", max_size=150).map(str.encode),
)
cuts_of = st.lists(st.integers(0, 400), max_size=30).map(tuple)


@given(streams, cuts_of)
def test_any_split_gives_the_same_messages(data: bytes, cuts: tuple[int, ...]) -> None:
    whole, fault = read(data)
    split, split_fault = read(data, cuts)
    assert split == whole
    assert (fault is None) == (split_fault is None)
    if fault is not None and split_fault is not None:
        assert split_fault.reason == fault.reason
        assert fault.raw.startswith(split_fault.raw)
        assert data.endswith(fault.raw)


@given(st.lists(contents, max_size=10), cuts_of)
def test_counted_messages_are_exact(messages: list[bytes], cuts: tuple[int, ...]) -> None:
    assert read(counted(*messages), cuts) == (messages, None)


@given(st.lists(contents.filter(lambda m: not set(m) & set(b"\n\0") and m[-1:] != b"\r"), min_size=1), cuts_of)
@pytest.mark.parametrize("trailer", [b"\n", b"\r\n", b"\0"])
def test_lines_are_exact(trailer: bytes, messages: list[bytes], cuts: tuple[int, ...]) -> None:
    data = b"".join(message + trailer for message in messages)
    framer, found = Framer(LIMIT, Framing.LINES), []
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(data)], strict=True):
        found += framer.feed(data[start:end])
    # A CR LF whose line is at the limit already is over it by the CR.
    if all(len(message) + len(trailer) - 1 <= LIMIT for message in messages):
        assert (found, framer.finish(END)) == (messages, None)


@given(streams)
def test_no_byte_disappears(data: bytes) -> None:
    found, fault = read(data, framing=Framing.COUNTED)
    assert counted(*found) + (fault.raw if fault else b"") == data


def test_first_byte_decides() -> None:
    assert read(counted(MESSAGE, b"{}")) == ([MESSAGE, b"{}"], None)
    assert read(MESSAGE + b"\n" + b"7 days\n") == ([MESSAGE, b"7 days"], None)
    assert read(b'{"a":1}\n') == ([b'{"a":1}'], None)
    assert read(b"2026-05-12 ok\n", framing=Framing.LINES) == ([b"2026-05-12 ok"], None)


@pytest.mark.parametrize(
    ("data", "before", "raw", "why"),
    [
        (counted(MESSAGE) + b"9999 <1>x", [MESSAGE], b"9999 <1>x", "9999 bytes is announced"),
        (b"12 " + MESSAGE, [MESSAGE[:12]], MESSAGE[12:], "no message length"),
        (counted(MESSAGE)[:-5], [], counted(MESSAGE)[:-5], "the end"),
        (b"%d %s" % (len(MESSAGE) + 3, MESSAGE + counted(MESSAGE)), [MESSAGE + b"46 "], MESSAGE, "no message length"),
        (b"012 " + MESSAGE, [], b"012 " + MESSAGE, "no message length"),
        (b"12345678901", [], b"12345678901", "no message length"),
        (MESSAGE + b"\n" + b"<1>" * LIMIT, [MESSAGE], b"<1>" * LIMIT, "a line of more than 64 bytes"),
        (MESSAGE, [], MESSAGE, "the end"),
        (b"\x16\x03\x01\x02\x00", [], b"\x16\x03\x01\x02\x00", "TLS on a listener without it"),
    ],
    ids=["long", "short", "cut", "swallows", "zero", "endless", "line", "unended", "tls"],
)
def test_t12_what_is_no_message_is_refused_with_its_bytes(
    data: bytes, before: list[bytes], raw: bytes, why: str
) -> None:
    found, fault = read(data)
    assert found == before
    assert fault is not None
    assert fault.raw == raw
    assert why in fault.reason.en
    assert fault.reason.ja


@pytest.mark.parametrize(
    "data",
    [b'[a x="1]2"]', b'[a x="1"2"]', b'[a x="\\"]', b"[a x=1]", b'[a x="1"', b'[a x="1"][a x="2"]'],
    ids=range(6),
)
def test_t12_bad_structured_data_is_a_bad_record_not_a_bad_stream(data: bytes) -> None:
    """The message's bounds are sound, so the connection stays; the record goes to quarantine when it is decoded."""
    bad = b"<34>1 - h app - - " + data + b" ok"
    assert read(counted(bad, MESSAGE)) == ([bad, MESSAGE], None)
    assert read(bad + b"\n" + MESSAGE + b"\n") == ([bad, MESSAGE], None)
    with pytest.raises(SyslogError):
        parse_syslog(bad.decode(), zone=TOKYO, reference=SystemClock().now())


def test_nothing_after_a_fault() -> None:
    framer = Framer(LIMIT)
    assert framer.feed(b"1 ax") == [b"a"]
    first = framer.fault
    assert framer.feed(counted(MESSAGE)) == []
    assert framer.finish(END) is first
    assert framer.pending == 0


def test_a_message_is_one_line() -> None:
    assert as_line(b"a\nb\n") == b"a#012b"
    assert as_line(b"a\r") == b"a\r"
    assert as_line(b"\n") == b""
