"""A My Number in whatever is sent, and every place that anything is written to: cases I1 to I4.

What is not looked through, and why: `quarantine/` rests encrypted; `inbox/` with its `done` and `error` folders holds
the senders' own files under their own names, which nobody copies, shows or quotes unmasked; `sources/` holds the
administrator's own profiles. What waits in the spool waits in clear until it is in the log, and not longer.
"""

import base64
import contextlib
import json
import random
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import structlog
from gatehouse import CANARY, CSV_HEAD, Gate, line, shows_number, until
from house import csrf_of
from hypothesis import given, settings
from hypothesis import strategies as st

from api.cli import main
from audit.access import Role
from audit.events import check, mask, parse_json
from audit.events.mynumber import MASK, is_my_number
from audit.findings import FindingFilter
from audit.store.clickhouse import Purpose

few = settings(max_examples=12, deadline=None)
WIDE = CANARY.translate({ord(str(digit)): 0xFF10 + digit for digit in range(10)})
KANJI = CANARY.translate(dict(zip(map(ord, "0123456789"), "〇一二三四五六七八九", strict=True)))
SPACED = f"{CANARY[:4]}-{CANARY[4:8]}-{CANARY[8:]}"
WRITINGS = (
    CANARY, WIDE, SPACED, f"{CANARY[:4]} {CANARY[4:8]}\u3000{CANARY[8:]}", "・".join(CANARY), KANJI,
    "".join(f"%{ord(digit):02X}" for digit in CANARY), base64.b64encode(f"番号{CANARY}".encode()).decode(),
)  # fmt: skip
RECEIVED = datetime(2026, 11, 20, 3, tzinfo=UTC)
ENCODED = base64.b64encode(CANARY.encode()).decode().rstrip("=")


def found_in(text: str) -> bool:
    """Whether the canary stands in a text in any of the writings it was sent in."""
    kanji = text.translate(dict(zip(map(ord, "〇一二三四五六七八九"), "0123456789", strict=True)))
    return (
        any(shows_number(one, CANARY) for one in (text, kanji))
        or any(writing in text for writing in WRITINGS[-2:])
        or ENCODED in text
        or quote(WIDE) in text
    )


class Sinks:
    """All that anybody is told, and all that is kept."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.told: dict[str, str] = {}

    def tell(self, name: str, answer: Any) -> None:
        """Remember an answer with its headers."""
        self.told[name] = f"{answer.status_code}\n{answer.headers}\n{answer.text}"

    def leaks(self) -> list[str]:
        """Where the canary stands."""
        data = self.gate.installation.settings.data.resolve()
        found = [f"answer: {name}" for name, text in self.told.items() if found_in(text)]
        for path in sorted(data.rglob("*")):
            inside = path.relative_to(data)
            if path.is_file() and inside.parts[0] not in {"inbox", "quarantine", "sources", "keys"}:
                texts = [
                    str(inside),
                    *(path.read_bytes().decode(code, "replace") for code in ("utf-8", "cp932", "utf-16")),
                ]
                found += [f"file: {inside.parts[0]}"] if any(map(found_in, texts)) else []
            elif path.name.endswith(".reason.txt") and found_in(path.read_text(encoding="utf-8")):
                found.append("file: reason")
        store = self.gate.installation.log._repository._store
        for row in store.rows(
            "SELECT name FROM system.tables WHERE database = currentDatabase()", purpose=Purpose.WRITE
        ):
            rows = store.rows(f"SELECT * FROM `{row['name']}`", purpose=Purpose.WRITE)  # noqa: S608 - a name of ours
            if found_in("\n".join(map(str, rows))):
                found += [f"table: {row['name']}: {one}" for one in rows if found_in(str(one))]
        return found


def through_http(gate: Gate, sinks: Sinks, source: str) -> None:
    """Bodies, addresses and headers of the receiver."""
    lines = [
        line(event_id=f"c{n}", reason=f"番号 {text} を確認", own={text: text, "list": [text]},
             actor={"id": "s1", "name": text},
             screen=text, export={"file": text}, subjects=[text], target={"id": text})
        for n, text in enumerate(WRITINGS)
    ]  # fmt: skip
    lines += [
        line(activity=CANARY), line(time=CANARY), line(actor={"kind": WIDE}),
        line(sequence=SPACED),
        b'{"' + CANARY.encode() + b'":1,"' + CANARY.encode() + b'":2}\n', CANARY.encode() + b"\n",
        line(number=int(CANARY)),
        line(event_id="p", a=CANARY[:4], b=CANARY[4:8], c=CANARY[8:]), line(event_id="same", reason="1"),
        line(event_id="same", reason=CANARY),
    ]  # fmt: skip
    first = gate.send(source, b"".join(lines), {"idempotency-key": f"day-{CANARY}"}, name=f"{CANARY}.jsonl")
    assert first.status_code == 200, first.text
    assert first.json()["stored"] >= len(WRITINGS)
    assert first.json()["masked"] >= len(WRITINGS)
    sinks.tell("batch", first)
    repeated = gate.send(source, b"".join(lines), {"idempotency-key": f"day-{CANARY}"})
    assert repeated.json()["receipt"] == first.json()["receipt"]
    other = gate.send(source, line(), {"idempotency-key": f"day-{CANARY}"})
    assert other.status_code == 409
    sinks.tell("other bytes", other)
    sinks.tell("format", gate.send(source, line(), format=CANARY))
    sinks.tell("encoding", gate.send(source, line(), {"content-encoding": CANARY}))
    sinks.tell("digest", gate.send(source, line(), {"content-digest": f"sha-256=:{CANARY}:"}))
    sinks.tell("signature", gate.send(source, line(), {"x-jws-signature": CANARY}))
    sinks.tell("no token", gate.send(source, line(), {"authorization": f"Bearer {CANARY}"}))
    own = {"authorization": f"Bearer {gate.token(source)}"}
    sinks.tell("no source", gate.http.post("/api/v1/events", params={"source": CANARY}, headers=own))
    sinks.tell(
        "fate", gate.http.get(f"/api/v1/deliveries/{first.json()['receipt']}", params={"source": source}, headers=own)
    )
    sinks.tell("no fate", gate.http.get(f"/api/v1/deliveries/{CANARY}", params={"source": source}, headers=own))
    due = (gate.house.clock.now() - timedelta(minutes=1)).isoformat()
    for body in ({"name": CANARY, "rows": 3, "due": due}, {"name": CANARY, "rows": "x", "due": CANARY},
                 {"name": f"{CANARY}.jsonl", "rows": len(lines), "due": due}):  # fmt: skip
        sinks.tell(
            f"announce {body['rows']}",
            gate.http.post("/api/v1/announcements", params={"source": source}, headers=own, json=body),
        )
    form = {"grant_type": CANARY, "client_id": CANARY, "client_assertion": CANARY, "scope": CANARY}
    sinks.tell("oauth", gate.http.post("/oauth2/token", data=form))
    sinks.tell("nowhere", gate.http.get(f"/{CANARY}"))
    for path in ("/metrics", "/readyz", "/openapi.json"):
        sinks.tell(path, gate.http.get(path, params={"x": CANARY}))


def through_folder_and_syslog(gate: Gate) -> None:
    """File names, CSV cells, archives that are refused, syslog messages good and bad."""
    rows = CSV_HEAD + f"2026-10-05 09:00:00,照会,s0412,{WIDE}\n{CANARY},{SPACED},s1,x\n2026-10-05,{CANARY}\n".encode()
    folder = gate.drop("abuse-csv", f"{CANARY}.csv", rows).parent
    gate.drop("abuse-csv", f"{CANARY}.zip", b"PK\x03\x04" + CANARY.encode())
    (folder / f"{CANARY}.csv.manifest").write_text(json.dumps({"rows": 99}))
    (folder.parent / CANARY).mkdir()
    (folder.parent / CANARY / "x.csv").write_bytes(rows)
    with gate.dial() as sock:
        sock.sendall(
            f"<86>1 2026-10-05T09:41:07+09:00 {CANARY} sshd 1 - - Failed password for s1 from 10.3.1.9 port 1 ssh2\n"
            f"<86>1 2026-10-05T09:41:08+09:00 h sudo 1 - - s1 : TTY=x ; PWD=/ ; USER=root ; COMMAND=/bin/x {SPACED}\n"
            f"<{CANARY}>no message\n".encode()
        )
        sock.sendall(f"<86>{CANARY} unended".encode())
    until(lambda: not (folder / f"{CANARY}.csv").exists() and not (folder / f"{CANARY}.zip").exists())
    until(lambda: len(gate.events("abuse-syslog")) >= 2)
    until(lambda: not gate.installation.inbox.waiting())


def through_pages(gate: Gate, sinks: Sinks, source: str) -> None:
    """What people type, and every page on which the events and their sources stand."""
    stranger = gate.house.browser()
    form = {"login_id": CANARY, "password": CANARY, "csrf": csrf_of(stranger.get("/sign-in"))}
    sinks.tell("sign in", stranger.post("/sign-in", data=form))
    installation = gate.installation
    installation.gaps.run()
    installation.runner.run()
    browser = gate.house.signed_in(Role.SECURITY_ADMINISTRATOR)
    auditor = gate.house.signed_in(Role.AUDITOR)
    names = ("actor", "subject", "source", "cursor", "from", "activity")
    for who in (browser, auditor):
        for path in ("/alerts", "/events", "/api/v1/events?limit=1000", "/api/v1/alerts?limit=1000", "/board",
                     "/sources", "/board/events-by-source.csv",
                     "/sources/abuse-csv", "/sources/abuse-syslog"):  # fmt: skip
            sinks.tell(path, who.get(path))
        for name in names:
            for path in ("/events", "/api/v1/events"):
                sinks.tell(f"{path} {name}", who.get(path, params={name: CANARY}))
        sinks.tell("page of nothing", who.get(f"/events/x/{CANARY}"))
    for here in (source, "abuse-csv", "abuse-syslog"):
        sinks.tell(f"source {here}", browser.get(f"/sources/{here}"))
        for finding in installation.findings.listing(FindingFilter(source=here)):
            sinks.tell(f"alert {finding.id}", browser.get(f"/alerts/{finding.id}"))
        for event in gate.events(here)[-20:]:
            sinks.tell(f"event {event.ref}", auditor.get(f"/events/{here}/{quote(event.event_id)}"))


def test_I1_a_number_sent_through_every_door_stands_in_no_sink(gate: Gate, capfd: pytest.CaptureFixture[str]) -> None:
    sinks = Sinks(gate)
    source = gate.new_source()
    through_http(gate, sinks, source)
    through_folder_and_syslog(gate)
    through_pages(gate, sinks, source)
    gate.installation.machines.flush_refusals(everything=True)
    said = capfd.readouterr()
    assert not found_in(said.out), said.out
    assert not found_in(said.err), said.err
    assert [name for name, text in sinks.told.items() if text.startswith("500")] == []
    leaks = sinks.leaks()
    assert leaks == [], "\n".join(leaks)
    kept = b"".join(raw for source in gate.installation.book.totals() for _, raw, _ in gate.kept(source)).decode(
        errors="replace"
    )
    assert found_in(kept), "what was refused is kept for those who may see it"


def test_I1_the_scan_sees_what_it_looks_for(gate: Gate) -> None:
    assert [text for text in WRITINGS if not found_in(f"x {text} y")] == []
    assert not found_in("2026-11-20T03:00:10+09:00 宛名番号 000412345678901 1791159202123")
    sinks = Sinks(gate)
    planted = gate.installation.settings.data / "planted.txt"
    planted.write_text(WIDE, encoding="utf-8")
    try:
        assert "file: planted.txt" in sinks.leaks()
    finally:
        planted.unlink()


def test_I1_commands_repeat_no_number(
    gate: Gate, tmp_path: Path, engine_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert gate.installation.settings.events_path == engine_path
    monkeypatch.setenv("MIMAMORI_EVENTS_PATH", str(engine_path))
    monkeypatch.setenv("MIMAMORI_CLICKHOUSE_DATABASE", "abuse_privacy")
    data, file = tmp_path / "data", tmp_path / f"{CANARY}.jsonl"
    file.write_bytes(line(reason=SPACED) + line(activity=CANARY) + f"{{{CANARY}\n".encode())
    profile = tmp_path / f"{CANARY}.toml"
    profile.write_text(f'id = "x"\nname_ja = "x"\nname_en = "x"\nformat = "{CANARY}"\n', encoding="utf-8")
    try:
        for words in (
            ["ingest", "--source", "cli-town", str(file)], ["ingest", "--source", CANARY, str(file)],
            ["ingest", "--source", "cli-town", f"/nowhere/{CANARY}"], ["quarantine", "list"], ["search"],
            ["search", "--subject", CANARY], ["search", "--from", CANARY], ["sources"],
            ["alerts", "--detector", CANARY],
            ["sources", "try", str(profile), str(file)], ["sources", "try", str(file)], ["--json", "alerts"],
            ["sources", "credential", "issue", CANARY], ["sources", "credential", "revoke", "cli-town", "--id", CANARY],
            ["ingest", "--source", "cli-town", "--profile", str(profile), str(file)],
        ):  # fmt: skip
            with contextlib.suppress(SystemExit):
                main(["--data", str(data), *words])
            said = capfd.readouterr()
            assert not found_in(said.out + said.err), (words, said)
    finally:
        structlog.reset_defaults()
    for path in data.rglob("*"):
        if path.is_file() and "quarantine" not in path.parts:
            assert not found_in(path.read_bytes().decode(errors="replace")), path


def numbers() -> st.SearchStrategy[str]:
    """Valid numbers."""
    return st.integers(0, 10**11 - 1).map(
        lambda n: next(f"{n:011}{d}" for d in range(10) if is_my_number(f"{n:011}{d}"))
    )


def written(number: str, way: int) -> Any:
    """A number in one of the ways that people and programs write it; a dict is cut over fields."""
    wide = number.translate({ord(str(digit)): 0xFF10 + digit for digit in range(10)})
    return (
        number, wide, f"{number[:4]}-{number[4:8]}-{number[8:]}", " ".join(wide), "・".join(number), "ー".join(wide),
        number.translate(dict(zip(map(ord, "0123456789"), "〇一二三四五六七八九", strict=True))), quote(wide),
        base64.b64encode(f"個人番号={number}".encode()).decode(), json.dumps({"個人番号": number}), f"?no={number}&x=1",
        {"番号1": number[:4], "番号2": number[4:8], "番号3": number[8:]},
    )[way]  # fmt: skip


@few
@given(st.lists(st.tuples(numbers(), st.integers(0, 11)), min_size=1, max_size=12))
def test_I2_every_writing_is_found_and_masked(the_gate: Gate, found: list[tuple[str, int]]) -> None:
    source = the_gate.new_source()
    bodies = [written(number, way) for number, way in found]
    events = [line(event_id=str(n), own=body) for n, body in enumerate(bodies)]
    sums = the_gate.take(source, b"".join(events))
    assert sums.stored == len(found)
    assert sums.masked >= len(found)
    stored = {one.event_id: one for one in the_gate.events(source)}
    missed = [
        body
        for n, body in enumerate(bodies)
        if MASK not in json.dumps(stored[str(n)].to_contract(), ensure_ascii=False)
    ]
    assert missed == []
    assert all("masked" in one.marks for one in stored.values())


def test_I2_recall_on_a_generated_set() -> None:
    chance = random.Random(2)  # noqa: S311 - a seeded set
    total = seen = 0
    for _ in range(400):
        eleven = f"{chance.randrange(10**11):011}"
        number = next(eleven + str(digit) for digit in range(10) if is_my_number(eleven + str(digit)))
        for way in range(12):
            doc, _ = parse_json(line(own=written(number, way)))
            assert doc is not None
            total += 1
            seen += bool(check(doc, RECEIVED).masked)
    assert (seen, total) == (total, 4800)


SURVIVORS = {
    "time": "202611200007", "fifteen digits": "000412345678901", "corporate number": "1234567890123",
    "phone": "090-1234-5678",
    "phone together": "09012345678", "uuid": "550e8400-e29b-41d4-a716-446655440000", "epoch-ms": "1791159202123",
    "no check digit": "123456789012", "address": "192.168.100.200", "sha256": secrets.token_hex(32),
}  # fmt: skip


def test_I3_what_only_looks_like_a_number_survives(gate: Gate) -> None:
    source = gate.new_source()
    texts = {name: text for name, text in SURVIVORS.items() if name != "time"}
    ids = {
        "event_id": CANARY,
        "session": CANARY,
        "case_id": CANARY,
        "terminal": {"id": CANARY},
        "actor": {"id": CANARY},
    }
    sums = gate.take(
        source,
        b"".join(line(event_id=name, reason=text, own={"x": text}) for name, text in texts.items())
        + line(event_id="at", own={"日時": SURVIVORS["time"]})
        + line(event_id="sub", subjects=list(texts.values())),
    )
    assert (sums.stored, sums.masked) == (len(texts) + 2, 0)
    stored = {one.event_id: one for one in gate.events(source)}
    assert {name: stored[name].text("reason") for name in texts} == texts
    assert list(stored["sub"].subjects) == list(texts.values())
    assert mask(CANARY)[1] == 1
    checked = check(
        {**(parse_json(line())[0] or {}), **ids}, RECEIVED
    )  # declared identifiers are read as what they are
    assert (checked.masked, checked.columns["session"], checked.columns["event_id"]) == (0, CANARY, CANARY)


@settings(max_examples=200, deadline=None)
@given(st.text("0123456789", min_size=12, max_size=12))
def test_I3_twelve_digits_in_free_text_are_masked_by_their_check_digit(digits: str) -> None:
    assert bool(mask(f"番号は{digits}です")[1]) is is_my_number(digits)


@pytest.mark.parametrize("sample", ["123456789018", "000000000000"])
def test_I4_a_documentation_number_is_masked_like_any_other(gate: Gate, sample: str) -> None:
    source = gate.new_source()
    found = gate.sent(source, line(reason=f"見本 {sample}"))
    assert (found["stored"], found["masked"]) == (1, 1)
    (one,) = gate.events(source)
    assert one.text("reason") == f"見本 {MASK}"
    assert "masked" in one.marks
