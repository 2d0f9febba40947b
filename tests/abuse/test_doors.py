"""What is too large, too deep, packed to harm, half written or broken off: cases T9 to T12 of the security review."""

import gzip
import io
import json
import os
import random
import resource
import socket
import sys
import tarfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from gatehouse import CSV_HEAD, Gate, bomb, line, until
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.formats.auth_log import decode_auth_log
from ingest.model import Record, Refused
from ingest.receivers.syslog.framing import Framer, as_line
from ingest.receivers.syslog.model import Limits
from ingest.sources.profile import Profile

few = settings(max_examples=8, deadline=None)
MEGABYTE = 1 << 20
CSV = "abuse-csv"


def peak() -> int:
    """The most memory that this process ever had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def with_extra(value: bytes) -> bytes:
    """An event with something of its own; the bytes are not touched."""
    return line(event_id="extra").replace(b"}\n", b', "own": ' + value + b"}\n")


BAD = {
    "a name twice": line().replace(b"}\n", b', "time": "2026-01-01T00:00:00Z"}\n'),
    "not a number": with_extra(b"NaN"),
    "infinity": with_extra(b"-Infinity"),
    "too large a number": with_extra(b"1e400"),
    "a number of 10,000 digits": with_extra(b"9" * 10_000),
    "10,000 lists deep": with_extra(b"[" * 10_000 + b"]" * 10_000),
    "10,000 objects deep": with_extra(b'{"a":' * 10_000 + b"1" + b"}" * 10_000),
    "100,000 open": b"[" * 100_000 + b"\n",
    "a million elements": with_extra(b"[" + b"1," * 999_999 + b"1]"),
    "a million subjects": line(subjects=["a"]).replace(b'["a"]', b"[" + b'"",' * 999_999 + b'""]'),
    "six megabytes in a line": line(reason="x" * (6 * MEGABYTE)),
}


@pytest.mark.parametrize("name", BAD)
def test_T9_a_bad_record_goes_to_quarantine_alone_and_soon(gate: Gate, name: str) -> None:
    source, began = gate.new_source(), time.monotonic()
    found = gate.sent(source, line(event_id="before") + BAD[name] + line(event_id="after"))
    assert (found["read"], found["stored"], found["quarantined"]) == (3, 2, 1)
    ((number, raw, reasons),) = gate.kept(source)
    assert (number, raw) == (2, BAD[name].removesuffix(b"\n"))
    assert len(reasons) < 1000
    assert {one.event_id for one in gate.events(source)} == {"before", "after"}
    assert time.monotonic() - began < 10


def test_T9_large_numbers_stay_exact(gate: Gate) -> None:
    source = gate.new_source()
    numbers = (2**53 + 1, 2**63 + 1, 10**18 - 1)
    gate.sent(source, b"".join(line(event_id=str(n), own={"id": n}) for n in numbers) + line(sequence=2**53 + 1))
    found = {one.event_id: one.to_contract() for one in gate.events(source)}
    assert [found[str(n)]["unmapped"]["own"]["id"] for n in numbers] == list(numbers)
    assert any(one.get("sequence") == 2**53 + 1 for one in found.values())


def test_T9_an_oversized_body_is_refused_in_little_memory(gate: Gate) -> None:
    source, before = gate.new_source(), peak()

    def endless() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x" * MEGABYTE

    assert gate.send(source, endless()).status_code == 413  # no length is announced
    host, port = gate.http.base_url.host, gate.http.base_url.port or 80
    with socket.create_connection((host, port), timeout=10) as sock:
        head = (
            f"POST /api/v1/events?source={source} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {gate.token(source)}\r\n"
        )
        sock.sendall(head.encode() + b"content-length: 104857600\r\n\r\n")
        assert b" 413 " in sock.recv(200)  # before a byte of the body
    assert gate.send(source, line(), {"content-encoding": "br"}).status_code == 415
    assert gate.send(source, line(), {"idempotency-key": "x" * 201}).status_code == 422
    assert (gate.events(source), gate.kept(source)) == ([], [])
    assert peak() - before < 64 * MEGABYTE


@few
@given(st.lists(st.binary(max_size=60).map(lambda raw: raw.replace(b"\n", b" ")), max_size=5))
def test_T9_whatever_comes_the_good_record_beside_it_survives(the_gate: Gate, junk: list[bytes]) -> None:
    source = the_gate.new_source()
    records = [line(event_id="a").strip(), *junk, line(event_id="b").strip()]
    sums = the_gate.take(source, b"\n".join(records))
    whole = [raw.removesuffix(b"\r") for raw in records if raw.strip()]
    assert (sums.read, sums.stored) == (len(whole), 2)
    assert sorted({raw for _, raw, _ in the_gate.kept(source)}) == sorted(set(whole[1:-1]))


def zipped(name: str) -> bytes:
    """A ZIP archive of one file."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr(name, line())
    return held.getvalue()


def test_T10_a_bomb_or_a_nested_archive_is_refused_over_http(gate: Gate) -> None:
    source, before = gate.new_source(), peak()
    packed = {"content-encoding": "gzip"}
    bodies = (
        bomb(256), gzip.compress(gzip.compress(line())), gzip.compress(line() * 50)[:-9], zipped("../../x"),
        b"\x1f\x8b" + os.urandom(64), b"",
    )  # fmt: skip
    for body in bodies[:-1]:
        answer = gate.send(source, body, packed)
        assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert (gate.events(source), gate.kept(source)) == ([], [])
    assert gate.sent(source, gzip.compress(line()), packed)["stored"] == 1
    assert peak() - before < 150 * MEGABYTE
    # What is not said to be packed is not unpacked: its bytes are no records.
    assert gate.sent(source, zipped("day.jsonl"))["stored"] == 0


def test_T10_the_drop_folder_opens_no_archive_and_follows_no_link(gate: Gate) -> None:
    folder = gate.drop(CSV, "bomb.csv.gz", bomb(64)).parent
    gate.drop(CSV, "slip.zip", zipped("../../../../tmp/slipped"))
    tarred = io.BytesIO()
    with tarfile.open(fileobj=tarred, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("../slipped"))
    gate.drop(CSV, "slip.tar", tarred.getvalue())
    gate.drop(CSV, "nested.csv.gz", gzip.compress(gzip.compress(CSV_HEAD)))
    secret = folder.parent.parent / "keys" / "quarantine.key"
    (folder / "link.csv").symlink_to(secret)
    (folder / "link.csv.done").touch()
    names = {"bomb.csv.gz", "slip.zip", "slip.tar", "nested.csv.gz", "link.csv"}
    error = folder / "error"
    until(lambda: error.is_dir() and names <= {path.name for path in error.iterdir()})
    for name in names - {"link.csv"}:
        until((error / f"{name}.reason.txt").exists)
        assert (error / f"{name}.reason.txt").read_text(encoding="utf-8").count("\n") == 2
    assert not Path("/tmp/slipped").exists()
    assert not (folder.parent / "slipped").exists()
    deliveries = {row.name for row in gate.installation.book.deliveries(CSV, 1000)}
    assert not names & deliveries
    assert secret.exists()


def rows_of(*texts: str) -> bytes:
    """CSV rows of the profile `abuse-csv`, at different seconds."""
    return b"".join(
        f"2026-10-05 09:{n // 60:02}:{n % 60:02},照会,s0412,{text}\n".encode() for n, text in enumerate(texts)
    )


def test_T11_a_file_is_taken_when_it_is_whole_and_once(gate: Gate) -> None:
    folder = gate.installation.settings.data.resolve() / "inbox" / CSV
    whole = CSV_HEAD + rows_of("half 1", "half 2", "half 3")
    half = folder / "night.csv.tmp"
    half.write_bytes(whole[: len(whole) // 2])
    time.sleep(0.6)
    assert not [one for one in gate.events(CSV) if one.text("reason").startswith("half")]
    half.write_bytes(whole)
    half.rename(folder / "night.csv")
    (folder / "night.csv.done").touch()
    until(lambda: sum(one.text("reason").startswith("half") for one in gate.events(CSV)) == 3)
    gate.drop(CSV, "night.csv", whole)
    until(lambda: not (folder / "night.csv").exists())
    until(lambda: not gate.installation.inbox.waiting())
    assert sum(one.text("reason").startswith("half") for one in gate.events(CSV)) == 3
    assert [row.outcome.duplicates for row in gate.installation.book.deliveries(CSV, 1)] == [3]


@pytest.mark.parametrize(
    ("header", "why"),
    [("日時,操作,備考", "column"), ("時,操作,職員番号,備考", "time"), ("日時,日時,職員番号,備考", "日時"), ("", "")],
)
def test_T11_a_changed_header_refuses_every_row_with_its_line(gate: Gate, header: str, why: str) -> None:
    source = gate.new_source()
    profile = gate.profile(CSV, source)
    sums = gate.take(source, f"{header}\n".encode() + rows_of("a", "b"), profile)
    assert sums.stored == 0
    assert sums.quarantined >= 1
    assert all(why in reasons for _, _, reasons in gate.kept(source))


TRICKS = ('"open', 'a"b', '"a"b', "one,more", "", '"a\nb"', '""""', "x,", '"', "'", "=1+1")


@few
@given(st.lists(st.sampled_from((*TRICKS, "fine")), min_size=1, max_size=6))
def test_T11_quote_tricks_and_wrong_counts_hurt_no_good_row(the_gate: Gate, cells: list[str]) -> None:
    source = the_gate.new_source()
    profile = the_gate.profile(CSV, source)
    rows, numbers = [], dict[int, str]()
    number = 2
    for n, cell in enumerate(cells):
        text = rows_of(*[""] * n, cell).split(b"\n", n)[n] if "\n" not in cell else None
        raw = text if text is not None else f"2026-10-05 09:00:{n:02},照会,s0412,{cell}\n".encode()
        rows.append(raw)
        numbers[number] = cell
        number += raw.count(b"\n")
    data = CSV_HEAD + b"".join(rows)
    sums = the_gate.take(source, data, profile)
    stored = [one.text("reason") for one in the_gate.events(source)]
    assert stored.count("fine") == cells.count("fine")
    assert {number for number, _, _ in the_gate.kept(source)} <= set(range(2, number))
    kept = the_gate.kept(source)
    again = the_gate.take(source, data, profile)
    assert (again.stored, again.duplicates, again.quarantined) == (0, sums.stored, sums.quarantined)
    assert the_gate.kept(source) == kept


GOOD = b"<86>1 2026-10-05T09:41:07+09:00 h sshd 1 - - Accepted password for s0412 from 10.3.1.%d port 50000 ssh2"
FAULTS = {
    "length lies": b"9999999 <86>1 x",
    "no length": b"<86>1 no length",
    "length of a megabyte line": b"1048576 " + b"x" * 300_000,
    "broken off": b"200 <86>1 2026-",
}


def closed(sock: socket.socket) -> bool:
    """Whether the other side ended it."""
    try:
        return sock.recv(1) == b""
    except ConnectionError:
        return True


@pytest.mark.parametrize("name", FAULTS)
def test_T12_a_lying_frame_ends_the_connection_and_its_bytes_are_kept(gate: Gate, name: str) -> None:
    source, mark = "abuse-syslog", random.Random(name).randrange(1, 250)  # noqa: S311 - a seeded address
    message, sent = GOOD % mark, FAULTS[name]
    with gate.dial() as sock:
        sock.sendall(b"%d %s" % (len(message), message) + sent)
        if name == "broken off":
            sock.shutdown(socket.SHUT_WR)
        assert closed(sock)
    until(lambda: any(sent.startswith(raw) for _, raw, _ in gate.kept(source)))
    (reasons,) = {reasons for _, raw, reasons in gate.kept(source) if sent.startswith(raw)}
    assert any(ord(char) > 0x3000 for char in reasons)
    until(lambda: any(one.text("terminal_ip") == f"10.3.1.{mark}" for one in gate.events(source)))
    assert gate.receivers.syslog.health().sources[source].refused >= 1


def test_T12_a_line_of_a_megabyte_and_bad_structured_data(gate: Gate) -> None:
    source = "abuse-syslog"
    bad = b'<86>1 2026-10-05T09:41:08+09:00 h sshd 1 - [x y="unended] Accepted'
    with gate.dial() as sock:
        sock.sendall(GOOD % 251 + b"\n" + bad + b"\n" + GOOD % 252 + b"\n")
        sock.shutdown(socket.SHUT_WR)
        assert closed(sock)
    until(lambda: any(one.text("terminal_ip") == "10.3.1.252" for one in gate.events(source)))
    assert any(one.text("terminal_ip") == "10.3.1.251" for one in gate.events(source))
    assert bad in [raw for _, raw, _ in gate.kept(source)]
    with gate.dial() as sock:
        with suppress(ConnectionError):
            sock.sendall(b"<86>" + b"x" * MEGABYTE)
        assert closed(sock)
    until(lambda: any(raw.startswith(b"<86>xxx") for _, raw, _ in gate.kept(source)))


PROFILE = Profile(id="s", name_ja="s", name_en="s", format="auth_log")


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=6), st.binary(max_size=60), st.integers(1, 30))
def test_T12_whatever_is_sent_what_came_before_it_stands(good: list[bytes], junk: bytes, cut: int) -> None:
    framer = Framer(Limits().max_message)
    sent = b"5 hello" + b"".join(b"%d %s" % (len(raw), raw) for raw in good if raw) + junk
    messages = [one for at in range(0, len(sent), cut) for one in framer.feed(sent[at : at + cut])]
    whole = [b"hello", *(raw for raw in good if raw)]
    assert messages[: len(whole)] == whole
    lines = [(n, as_line(message)) for n, message in enumerate(messages, 1) if as_line(message)]
    read = list(decode_auth_log(iter(lines), PROFILE))
    assert all(isinstance(one, Record | Refused) for one in read)
    assert len(read) >= len({raw for _, raw in lines if raw.strip()} and lines) - sum(
        not raw.strip() for _, raw in lines
    )


def test_T9_the_json_of_an_announcement_is_judged_too(gate: Gate) -> None:
    source = gate.new_source()
    headers: dict[str, Any] = {"authorization": f"Bearer {gate.token(source)}", "content-type": "application/json"}
    where = {"params": {"source": source}, "headers": headers}
    good = {"name": "n", "rows": 1, "due": "2026-11-21T00:00:00+09:00"}
    for body in (b"[" * 100_000, b"{", b"\xff", b"null", b"{}", json.dumps({**good, "rows": 10**30}).encode(),
                 json.dumps({**good, "due": "2026-11-21T00:00:00"}).encode(), json.dumps({**good, "x": 1}).encode(),
                 json.dumps({**good, "name": "x" * 201}).encode()):  # fmt: skip
        answer = gate.http.post("/api/v1/announcements", content=body, **where)
        assert answer.status_code in {400, 422}, (body[:60], answer.status_code)
    assert sys.getrecursionlimit() < 100_000
