"""Events as an attacker, a broken clock or a tired sender delivers them: cases T1 to T8 of the security review."""

import csv
import json
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import structlog
from gatehouse import Gate, event, line, until
from house import SOURCE
from hypothesis import given, settings
from hypothesis import strategies as st
from oauth_client import OAuthClient, Signer

from api.cli import main
from audit.access import Role
from audit.clock import TOKYO
from audit.findings import FindingFilter
from audit.log import Filter
from audit.texts import Texts
from dashboards.model import Figure
from dashboards.show import is_odd
from dashboards.table_csv import figure_csv
from ingest.sources.profile import Profile

few = settings(max_examples=6, deadline=None)
HOSTILE = (
    "a\r\nfake: 2026-10-05 login success", "a\u2028b\u2029c", "\x1b[2J\x1b]0;owned\x07", "\u202etxt.exe\u202c\u2066x",
    "nul\x00end", "𠮷野家\ud842\udfb7".encode("utf-16", "surrogatepass").decode("utf-16"), "葛\U000e0100城",
    "ﾊﾝｶｸ ｶﾅ", "外字\ue000\uf8ff", "<script>alert(1)</script>", "'; DROP TABLE events --", "{{7*7}}${x}", "=1+1",
    "\u200b\u00ad\ufeff", "\x85\x9b31m", '"quoted",\ttab', "%0a%0d", "\\u0000\\n",
)  # fmt: skip
MINUTES = timedelta(minutes=1)


def test_T1_a_forged_event_is_refused_and_is_a_security_event(gate: Gate) -> None:
    source, other = gate.new_source(), gate.new_source()
    client = gate.token(source) and gate.clients[source]
    forged = OAuthClient(client.client_id, "x" * 43, client.audience)
    form = forged.form(gate.house.clock.now(), grant_type="client_credentials")
    assert gate.http.post("/oauth2/token", data=form).status_code == 401
    size = gate.installation.book.stored()
    for proof in ("", "Bearer x", "Basic eDp5", f"Bearer {client.secret}"):
        answer = gate.send(source, line(), {"authorization": proof})
        assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
    assert gate.send("no-such-source", line(), {"authorization": "Bearer x"}).status_code == 401
    other_token = f"Bearer {gate.token(other)}"
    assert gate.send(source, line(), {"authorization": other_token}).status_code == 403
    refused = gate.acts("machine.refused") + gate.acts("machine.source_refused")
    assert {act["activity"] for act in refused} == {"security_event"}
    assert any(act["outcome"] == "denied" and other in json.dumps(act) for act in refused)
    assert (gate.events(source), gate.kept(source), gate.installation.book.stored()) == ([], [], size)


def test_T1_a_batch_without_its_signature_is_refused(gate: Gate) -> None:
    source, signer = gate.new_source(), Signer()
    gate.installation.machines.bind_signing_key(source, signer.public_pem)
    body = line(event_id="signed")
    for headers in ({}, Signer().headers(body), signer.headers(body + b" "), {"content-digest": "sha-256=:AA==:"}):
        assert gate.send(source, body, headers).status_code in {400, 401}
    assert gate.events(source) == []
    assert gate.sent(source, body, signer.headers(body))["stored"] == 1
    assert {act["activity"] for act in gate.acts("batch.refused")} == {"security_event"}


def test_T2_a_replayed_batch_changes_nothing(gate: Gate) -> None:
    source = gate.new_source()
    body = b"".join([line(event_id="a"), line(), line(), line(event_id="b", reason="窓口"), b"{broken\n"])
    first = gate.sent(source, body, {"idempotency-key": "k"})
    assert (first["read"], first["stored"], first["quarantined"]) == (5, 4, 1)
    before, kept = gate.events(source), gate.kept(source)
    replayed = gate.send(source, body, {"idempotency-key": "k"})
    assert (replayed.status_code, replayed.json()["state"]) == (200, "stored"), "to wait holds for a repeat, too"
    assert (replayed.json()["repeated"], replayed.json()["receipt"]) == (True, first["receipt"])
    repeated = gate.http.get(
        f"/api/v1/deliveries/{first['receipt']}",
        params={"source": source},
        headers={"authorization": f"Bearer {gate.token(source)}"},
    )
    assert [row["line"] for row in repeated.json()["refused"]] == [5]
    assert "refused_before" not in repeated.json()
    for headers in ({}, {"idempotency-key": "other"}):
        again = gate.sent(source, body, headers)
        assert (again["stored"], again["duplicates"], again["quarantined"]) == (0, 4, 1)
        fate = gate.http.get(
            f"/api/v1/deliveries/{again['receipt']}",
            params={"source": source},
            headers={"authorization": f"Bearer {gate.token(source)}"},
        ).json()
        assert (fate["refused"], fate["refused_before"]) == ([], 1)
    assert (gate.events(source), gate.kept(source)) == (before, kept)


POOL = [line(event_id=f"e{n}") for n in range(6)] + [line(reason=str(n)) for n in range(4)]


@few
@given(st.lists(st.lists(st.sampled_from(POOL), max_size=8), min_size=1, max_size=4))
def test_T2_however_often_and_in_whatever_order(the_gate: Gate, deliveries: list[list[bytes]]) -> None:
    source = the_gate.new_source()
    for lines in [*deliveries, *reversed(deliveries)]:
        the_gate.take(source, b"".join(lines))
    named = {raw for lines in deliveries for raw in lines if b"event_id" in raw}
    repeated = {raw: max(lines.count(raw) for lines in deliveries) for lines in deliveries for raw in lines}
    nameless = sum(times for raw, times in repeated.items() if b"event_id" not in raw)
    assert len(the_gate.events(source)) == len(named) + nameless
    assert the_gate.kept(source) == []


def test_T3_the_first_content_is_kept_and_the_other_reported(gate: Gate) -> None:
    source = gate.new_source()
    first, second = line(event_id="x", outcome="failure"), line(event_id="x", outcome="success")
    gate.sent(source, first)
    changed = gate.sent(source, second + line(event_id="y"))
    assert (changed["stored"], changed["duplicates"], changed["quarantined"]) == (1, 0, 1)
    (kept,) = (one for one in gate.events(source) if one.event_id == "x")
    assert kept.text("outcome") == "failure"
    assert [(raw, "先のものを残します" in reasons) for _, raw, reasons in gate.kept(source)] == [(second.strip(), True)]
    (finding,) = gate.installation.findings.listing(FindingFilter(detector="source-id-conflict", source=source))
    assert "内容の異なる" in finding.title.ja


def test_T3_an_idempotency_key_with_other_bytes_is_a_conflict(gate: Gate) -> None:
    source, other = gate.new_source(), gate.new_source()
    assert gate.sent(source, line(event_id="1"), {"idempotency-key": "day-1"})["stored"] == 1
    answer = gate.send(source, line(event_id="2"), {"idempotency-key": "day-1"})
    assert (answer.status_code, answer.json()["status"]) == (409, 409)
    assert [one.event_id for one in gate.events(source)] == ["1"]
    assert gate.sent(other, line(event_id="2"), {"idempotency-key": "day-1"})["stored"] == 1  # a key is a source's own


def test_T3_what_was_accepted_first_is_stored_first(gate: Gate) -> None:
    """Groups are read side by side, and a delivery never waits for the next one to come."""
    source, token = gate.new_source(), ""
    token = gate.token(source)
    for n in range(12):
        headers = {"authorization": f"Bearer {token}", "prefer": "wait=20" if n % 3 == 2 else ""}
        answer = gate.send(source, line(event_id=f"i{n // 3}", reason=str(n)), headers)
        assert answer.status_code == 200 if n % 3 == 2 else answer.status_code in {200, 202}
    until(lambda: not gate.installation.inbox.waiting())
    assert [one.text("reason") for one in gate.events(source)] == [str(3 * n) for n in range(4)]
    assert [json.loads(raw)["reason"] for _, raw, _ in gate.kept(source)] == [str(n) for n in range(12) if n % 3]


@few
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["1", "2", "3"])), min_size=1, max_size=12))
def test_T3_whoever_comes_first_stays(the_gate: Gate, told: list[tuple[str, str]]) -> None:
    source, first = the_gate.new_source(), dict[str, str]()
    for part in (told[::2], told[1::2]):
        the_gate.take(source, b"".join(line(event_id=name, reason=reason) for name, reason in part))
        for name, reason in part:
            first.setdefault(name, reason)
    assert {one.event_id: one.text("reason") for one in the_gate.events(source)} == first
    others = {(name, reason) for name, reason in told if first[name] != reason}
    refused = [json.loads(raw) for _, raw, _ in the_gate.kept(source)]
    assert {(one["event_id"], one["reason"]) for one in refused} == others


NEW_YEAR = datetime(2026, 1, 1, tzinfo=TOKYO)


@few
@given(st.permutations(range(-5, 5)), st.integers(1, 4))
def test_T4_late_and_out_of_order_over_the_year_end(the_gate: Gate, order: list[int], parts: int) -> None:
    source = the_gate.new_source()
    for part in range(parts):
        the_gate.take(
            source,
            b"".join(
                line(event_id=f"h{n}", time=(NEW_YEAR + n * timedelta(hours=7)).isoformat()) for n in order[part::parts]
            ),
        )
    found = the_gate.events(source)
    assert [one.time for one in found] == [NEW_YEAR + n * timedelta(hours=7) for n in range(-5, 5)]
    eve = Filter(sources=(source,), start=NEW_YEAR - timedelta(days=1), end=NEW_YEAR)
    assert [one.event_id for one in the_gate.installation.log.each(eve)] == ["h-3", "h-2", "h-1"]


def test_T4_a_late_event_opens_its_window_again(gate: Gate) -> None:
    source, runner = gate.new_source(), gate.installation.runner
    night = datetime(2026, 1, 2, 1, 0, tzinfo=TOKYO)
    gate.installation.context.import_feed("staff", "staff_id,name,org_unit\ns9401,見本,shimin\n".encode())
    gate.sent(source, line(time="2026-01-05T10:00:00+09:00", actor={"id": "s9401"}, event_id="day"))
    runner.run()
    assert runner.run().windows == 0  # nothing is due any more
    late = [line(time=(night + n * MINUTES).isoformat(), actor={"id": "s9401"}, event_id=f"n{n}") for n in (2, 0, 1)]
    gate.sent(source, b"".join(late))
    summary = runner.run()
    assert summary.days == (date(2026, 1, 2), date(2026, 1, 5))  # and every later day from which detectors look back
    found = [one for one in gate.installation.findings.listing(FindingFilter(source=source)) if "s9401" in one.actors]
    assert {one.start.astimezone(TOKYO).date() for one in found} == {date(2026, 1, 2)}
    assert runner.run().windows == 0


def test_T5_a_gap_is_opened_after_grace_and_closed_when_filled(gate: Gate) -> None:
    source, gaps, clock = "abuse-numbered", gate.installation.gaps, gate.house.clock

    def numbered(*numbers: int) -> bytes:
        now = clock.now() - MINUTES
        return b"".join(line(time=now.isoformat(), sequence=n, event_id=f"q{n}") for n in numbers)

    def found() -> list[Any]:
        return gate.installation.findings.listing(FindingFilter(detector="source-sequence", source=source))

    gate.sent(source, numbered(1, 2, 6))
    gaps.run()
    assert found() == []  # 3 to 5 may be on their way
    clock.advance(20 * MINUTES)
    gate.sent(source, numbered(7))
    gaps.run()
    (gap,) = found()
    assert (gap.status, "3–5 (3)" in gap.reasons[0].en) == ("open", True)
    gate.sent(source, numbered(5, 3))
    gaps.run()
    assert [one.status for one in found()] == ["open"]
    gate.sent(source, numbered(4))
    gaps.run()
    assert [(one.id, one.status) for one in found()] == [(gap.id, "filled")]


def test_T6_the_table_of_times(gate: Gate) -> None:
    now = gate.house.clock.now()
    kept = {
        (now + 4 * MINUTES).isoformat(): ("skew",),
        (now - 5 * MINUTES).isoformat(): (),
        (now + timedelta(seconds=59)).isoformat(): (),
        "1990-01-01T00:00:00Z": (),
        "2026-10-05T23:59:59.999999+09:00": (),
        "2016-12-31T23:59:59Z": (),
    }
    refused = (
        (now + 5 * MINUTES + timedelta(seconds=1)).isoformat(), "1970-01-01T00:00:00Z", "2099-01-01T00:00:00+09:00",
        "2026-10-05T09:13:22", "2016-12-31T23:59:60Z", "2026-10-05T24:00:00+09:00", "2026-02-29T00:00:00+09:00",
        "2026-10-05", "", "1759622002", "2026-10-05T09:13:22+24:00", "２０２６-10-05T09:13:22+09:00",
    )  # fmt: skip
    source = gate.new_source()
    body = b"".join(line(time=text, event_id=text) for text in (*kept, *refused[:-1])) + line(time=refused[-1])
    found = gate.sent(source, body)
    assert (found["stored"], found["quarantined"]) == (len(kept), len(refused))
    assert {one.event_id: one.marks for one in gate.events(source)} == kept
    assert all(one.time == datetime.fromisoformat(one.event_id) for one in gate.events(source))
    assert [json.loads(raw)["time"] for _, raw, _ in gate.kept(source)] == list(refused)
    assert all("time" in reasons for _, _, reasons in gate.kept(source))


OFFSETS = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
ANY_TIME = st.datetimes(datetime(1902, 1, 1), datetime(2250, 1, 1), timezones=OFFSETS)  # noqa: DTZ001 - bounds are naive


@few
@given(st.lists(ANY_TIME, min_size=1, max_size=8, unique=True))
def test_T6_no_time_is_changed(the_gate: Gate, times: Sequence[datetime]) -> None:
    source, now = the_gate.new_source(), the_gate.house.clock.now()
    the_gate.take(source, b"".join(line(time=at.isoformat(), event_id=str(n)) for n, at in enumerate(times)))
    good = {str(n): at for n, at in enumerate(times) if datetime(1990, 1, 1, tzinfo=UTC) <= at <= now + 5 * MINUTES}
    assert {one.event_id: one.time for one in the_gate.events(source)} == good
    assert len(the_gate.kept(source)) == len(times) - len(good)


@pytest.mark.parametrize("text", ["2026-10-05 24:00:00", "2026-10-05 25:30:00", "2026-10-05 23:59:60", "昨日"])
def test_T6_a_source_without_offsets_is_not_guessed_at_either(gate: Gate, text: str) -> None:
    profile = replace(gate.installation.profile("abuse-csv"), id=gate.new_source())
    sums = gate.take(
        profile.id, f"日時,操作,職員番号,備考\n{text},照会,s1,\n2026-10-05 09:00:00,照会,s1,\n".encode(), profile
    )
    assert (sums.stored, sums.quarantined) == (1, 1)
    assert [one.time for one in gate.events(profile.id)] == [datetime(2026, 10, 5, 9, tzinfo=TOKYO)]


def is_one_line(text: str) -> bool:
    """Whether nothing in a text can move a cursor, end a line or turn the reading."""
    return not any(is_odd(char) for char in text)


def test_T7_hostile_strings_are_stored_exactly_and_shown_escaped(gate: Gate) -> None:
    source = gate.new_source()
    body = b"".join(
        line(event_id=f"t{n}", reason=text, actor={"id": f"s{n} {text}"}, **{f"own {text}": text})
        for n, text in enumerate(HOSTILE)
    )
    assert gate.sent(source, body)["stored"] == len(HOSTILE)
    stored = {one.event_id: one for one in gate.events(source)}
    browser = gate.house.signed_in(Role.AUDITOR)
    listed = browser.get("/events", params={"source": source}).text
    asked = browser.get("/api/v1/events", params={"source": source})
    assert len(asked.text.splitlines()) == 1 or not any(char in asked.text for char in "\r\n")
    found = {one["event_id"]: one for one in asked.json()["events"]}
    for n, text in enumerate(HOSTILE):
        assert (stored[f"t{n}"].text("reason"), stored[f"t{n}"].text("actor_id")) == (text, f"s{n} {text}")
        assert (found[f"t{n}"]["reason"], found[f"t{n}"]["unmapped"]) == (text, {f"own {text}": text})
        page = browser.get(f"/events/{source}/t{n}")
        assert page.status_code == 200
        for shown in (page.text, listed):
            assert all(is_one_line(row.replace("\t", " ")) for row in shown.split("\n")), text
            assert "<script>alert" not in shown
        by_actor = browser.get("/events", params={"source": source, "actor": f"s{n} {text}"})
        assert by_actor.status_code == 200
        assert f"t{n}" in by_actor.text or "\x00" in text or text != text.strip()


ANY_TEXT = st.text(st.characters(blacklist_categories=("Cs",)), max_size=30)


@few
@given(st.lists(ANY_TEXT, min_size=1, max_size=6))
def test_T7_any_string_comes_back_as_it_went_in(the_gate: Gate, texts: list[str]) -> None:
    source = the_gate.new_source()
    the_gate.take(source, b"".join(line(event_id=str(n), operation_name=text) for n, text in enumerate(texts)))
    assert [one.text("operation_name") for one in the_gate.events(source)] == texts


def test_T7_the_search_command_and_a_download_write_one_line_for_each(
    gate: Gate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
    engine_path: Path,
) -> None:
    monkeypatch.setenv("MIMAMORI_EVENTS_PATH", str(engine_path))  # the process holds one engine
    monkeypatch.setenv("MIMAMORI_CLICKHOUSE_DATABASE", "abuse_cli")
    (tmp_path / "hostile.jsonl").write_bytes(
        b"".join(line(event_id=f"t{n}", reason=text) for n, text in enumerate(HOSTILE))
    )
    data = ["--data", str(tmp_path / "data")]
    try:
        assert main([*data, "ingest", "--source", "cli-town", str(tmp_path / "hostile.jsonl")]) == 0
        capsysbinary.readouterr()
        assert main([*data, "search", "--source", "cli-town"]) == 0
    finally:
        structlog.reset_defaults()
    out, _ = capsysbinary.readouterr()
    text = out.decode()
    assert [json.loads(row)["reason"] for row in text.split("\n")[:-1]] == list(HOSTILE)
    assert all(is_one_line(row) for row in text.split("\n")), "a terminal obeys what it is sent"
    assert gate.events("cli-town") == []


@given(st.lists(st.one_of(ANY_TEXT, st.sampled_from(HOSTILE)), min_size=1, max_size=5))
def test_T7_a_download_has_one_row_for_each(cells: list[str]) -> None:
    columns = (Texts("操作者", "actor"), Texts("件数", "events"))
    rows = [(Texts(cell, cell), 1) for cell in cells]
    links = [(None, None)] * len(cells)
    words = Texts("題", "title")
    figure = Figure("x", words, words, Texts("{}", "{}"), list(columns), list(rows), links, "x.csv")
    text = figure_csv(figure, "ja").decode("utf-8-sig")
    assert len(text.split("\r\n")) == len(cells) + 2  # not even a quoted cell holds a line end
    read = list(csv.reader(StringIO(text, newline="")))
    assert len(read) == len(cells) + 1
    assert not any(row[0].lstrip().startswith(("=", "+", "-", "@")) for row in read)


FITTING = {"cp932": "住民票の照会ｱｲｳ①髙﨑ABC 012、。ー", "euc_jp": "住民票の照会ｱｲｳABC 012、。ー", "utf-8": "髙﨑𠮷①葛"}
BROKEN = {"cp932": b"\x81", "euc_jp": b"\x8e ", "utf-8": b"\xe4\xbd"}


@few
@given(st.data(), st.sampled_from(sorted(FITTING)))
def test_T8_a_declared_encoding_is_read_exactly_or_refused_with_its_place(
    the_gate: Gate, data: Any, encoding: str
) -> None:
    profile = replace(the_gate.installation.profile("abuse-csv"), id=the_gate.new_source(), encoding=encoding)
    texts = data.draw(st.lists(st.text(FITTING[encoding], min_size=1, max_size=12), min_size=1, max_size=5))
    wrong = data.draw(st.integers(0, len(texts)))
    rows = [f"2026-10-05 09:00:{n:02},照会,s1,{text}".encode(encoding) for n, text in enumerate(texts)]
    bad = "2026-10-05 10:00:00,照会,s1,".encode(encoding) + BROKEN[encoding]
    rows.insert(wrong, bad)
    sums = the_gate.take(profile.id, "日時,操作,職員番号,備考\n".encode(encoding) + b"\n".join(rows) + b"\n", profile)
    assert (sums.stored, sums.quarantined) == (len(texts), 1)
    assert [one.text("reason") for one in the_gate.events(profile.id)] == [text.strip() for text in texts]
    ((number, raw, reasons),) = the_gate.kept(profile.id)
    assert (number, raw) == (wrong + 2, bad)
    assert "byte" in reasons


def test_T8_json_is_utf_8_and_nothing_is_replaced(gate: Gate) -> None:
    source = gate.new_source()
    good = line(reason="窓口")
    bad = (
        json.dumps(event(reason="窓口"), ensure_ascii=False).encode("cp932"),
        line(reason="x").replace(b'"x"', b'"\xed\xa0\x80"').strip(),
        line(reason="x").replace(b'"x"', b'"\\ud800"').strip(),
        line(reason="x").replace(b'"x"', b'"\xff"').strip(),
        b"\xef\xbb\xbf" + line(reason="y").strip(),  # only a delivery begins with one
    )
    found = gate.sent(source, b"\xef\xbb\xbf" + good + b"\n".join(bad) + b"\n" + good)
    assert (found["stored"], found["quarantined"]) == (2, len(bad))
    assert [raw for _, raw, _ in gate.kept(source)] == list(bad)
    assert all(unicodedata.normalize("NFC", one.text("reason")) == "窓口" for one in gate.events(source))
    assert not any("\ufffd" in json.dumps(one.to_contract(), ensure_ascii=False) for one in gate.events(source))


def test_T8_a_profile_says_how_a_source_writes(gate: Gate) -> None:
    source = gate.new_source()
    profile = Profile(id=source, name_ja=source, name_en=source, encoding="utf-16")
    assert gate.take(source, line(reason="窓口").decode().encode("utf-16"), profile).stored == 1
    assert gate.events(source)[0].text("reason") == "窓口"
    assert gate.events(SOURCE) != []
