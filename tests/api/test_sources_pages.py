"""The pages of sources over a real server: what is missing comes first, and senders are given what they prove."""

import html
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from house import SOURCE, House, csrf_of

from api import jobs
from api.sources import statuses
from audit.access import Role
from audit.findings import Finding, FindingFilter, FindingStatus
from audit.log import OWN_SOURCE, Filter
from ingest.gaps import DETECTORS

sys.path.insert(0, str(Path(__file__).parents[1] / "doubles"))

from oauth_client import OAuthClient

DOORS = "door-access"
"""Its events carry sequence numbers."""


def told(house: House, operation: str, source: str) -> list[dict[str, Any]]:
    """What the log has of an act of ours on a source."""
    own = (event.to_contract() for event in house.installation.log.each(Filter(sources=(OWN_SOURCE,))))
    return [event for event in own if event["operation_name"] == operation and event["target"]["system"] == source]


def english(browser: httpx.Client) -> httpx.Client:
    browser.cookies.set("mimamori-language", "en")
    return browser


def send(house: House, numbers: list[int], name: str) -> None:
    lines = "".join(
        json.dumps(
            {
                "time": f"2026-11-20T09:{number:02}:00+09:00",
                "event_id": f"door-{number}",
                "activity": "entry",
                "actor": {"id": "s0411"},
                "sequence": number,
            }
        )
        + "\n"
        for number in numbers
    )
    profile = house.installation.profile(DOORS)
    house.installation.ingest(BytesIO(lines.encode()), name=name, profile=profile, fmt="jsonl")


@contextmanager
def missing_batch(house: House, source: str) -> Iterator[Finding]:
    """The finding about a batch that was announced and has not come; it comes at the end."""
    installation, name = house.installation, f"{source}.csv"
    installation.gaps.announce(source, name, 1, house.clock.now() + timedelta(minutes=1))
    house.clock.advance(timedelta(minutes=2))
    installation.gaps.run()
    (finding,) = installation.findings.listing(
        FindingFilter(detector="source-batch", source=source, status=FindingStatus.OPEN)
    )
    yield finding
    line = {"time": house.clock.now().isoformat(), "activity": "view", "actor": {"id": "s0419"}}
    profile = installation.profile(source)
    installation.ingest(BytesIO(json.dumps(line).encode()), name=name, profile=profile, fmt="jsonl")
    installation.gaps.run()


def test_what_is_missing_comes_first_and_is_filled_by_name(house: House) -> None:
    send(house, [1, 2, 3, 6, 7], "doors.csv")
    house.clock.advance(timedelta(minutes=20))
    house.installation.gaps.run()
    (missing,) = house.installation.findings.listing(FindingFilter(source=DOORS))
    browser = house.signed_in(Role.AUDITOR)
    page = browser.get("/sources").text
    heading = re.search(r"<h1[^>]*>(.*?)</h1>", page, re.DOTALL)
    assert heading
    assert "欠けあり 1 件" in heading[1]
    attention = page.partition('id="attention"')[2].partition('id="in-order"')[0]
    assert f'href="/sources/{DOORS}"' in attention
    assert f'href="/alerts/{missing.id}"' in attention
    assert "届いていない通番: 4–5（2 件）。" in attention
    assert SOURCE not in attention
    assert '<details class="unheard">' in page

    alert = english(browser).get(f"/alerts/{missing.id}").text
    assert "Missing sequence numbers" in alert
    assert "The source renumbered its events." in alert
    assert "2 sequence numbers are missing" in browser.get(f"/sources/{DOORS}").text

    send(house, [4, 5], "late.csv")
    house.installation.gaps.run()
    filled = browser.get(f"/alerts/{missing.id}").text
    assert "Filled" in filled
    assert re.search(r"Delivery \d+ late\.csv", filled)
    source = browser.get(f"/sources/{DOORS}").text
    assert re.search(r"Delivery \d+ late\.csv", source)
    assert 'id="attention"' not in browser.get("/sources").text


def test_gaps_do_not_flood_the_alerts(house: House) -> None:
    browser = house.signed_in(Role.SECURITY_ADMINISTRATOR)
    with missing_batch(house, "finance") as finding:
        link, other = f'href="/alerts/{finding.id}"', f'href="/alerts/{house.alert}"'
        default = browser.get("/alerts").text
        assert link not in default
        assert other in default
        assert "ログの途絶・欠けが 1 件あります" in default
        assert link in browser.get("/alerts?about=gaps").text
        assert other not in browser.get("/alerts?about=gaps").text
        assert link in browser.get("/alerts?about=all").text
        assert link in browser.get("/alerts?detector=source-batch").text
        assert all(f'<option value="{name}"' in default for name in DETECTORS)
    assert "ログの途絶・欠けが" not in browser.get("/alerts").text


def test_an_alert_without_events_is_a_page(house: House) -> None:
    browser = house.signed_in(Role.AUDITOR)
    with missing_batch(house, "hr") as finding:
        assert finding.evidence == ()
        page = browser.get(f"/alerts/{finding.id}").text
        assert "示せる記録はありません" in page
        assert "<table" not in page
        assert 'href="/sources/hr"' in page


def test_a_page_says_what_the_profile_says(house: House) -> None:
    browser = english(house.signed_in(Role.AUDITOR))
    page = browser.get("/sources/resident-register").text
    for words in ("Core records system", "Their word", "照会", "View", "Examples and what they become", "our default"):
        assert words in page, words
    assert f"{house.installation.settings.issuer}/api/v1/events?source=resident-register" in html.unescape(page)
    assert "Credentials for sending" not in page
    refused = browser.get(f"/sources/{SOURCE}").text
    assert "the same id is stored with other content" in refused
    assert "day.jsonl" in refused
    assert '"activity":"update"' not in refused.replace("&#34;", '"')


def test_sources_without_the_right_to_search_lead_nowhere(house: House) -> None:
    page = house.signed_in(Role.ADMINISTRATOR).get(f"/sources/{SOURCE}").text
    assert 'href="/events' not in page
    assert "/alerts/" not in page
    assert "送信の認証情報" in page


def test_every_example_of_the_catalogue_has_its_page(house: House) -> None:
    browser = house.signed_in(Role.AUDITOR)
    for source in house.installation.catalogue:
        answer = browser.get(f"/sources/{source}")
        assert answer.status_code == 200, source
        assert 'id="examples"' in answer.text, source


def issued(page: str) -> dict[str, str]:
    found = re.search(r"<pre[^>]*>(.*?)</pre>", page, re.DOTALL)
    assert found, page
    document: dict[str, str] = json.loads(html.unescape(found[1].replace("<br>", "\n")))
    return document


def test_a_credential_is_shown_once_works_and_is_revoked(house: House) -> None:
    browser = house.signed_in(Role.ADMINISTRATOR)
    source, machines = "welfare", house.installation.machines
    here = f"/sources/{source}"
    form = {"csrf": csrf_of(browser.get(here)), "days": "90"}
    answer = browser.post(f"{here}/credentials", data=form)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    made = issued(answer.text)
    secret = made["client_secret"]
    (info,) = machines.listing(source)
    assert info.expires_at - info.created_at == timedelta(days=90)
    assert (made["client_id"], made["source"]) == (info.client_id, source)
    assert "get_token.py credential.json" in answer.text
    again = browser.get(here).text
    assert info.client_id in again
    assert secret not in again
    (act,) = told(house, "machine.credential_issued", source)
    assert house.staff[Role.ADMINISTRATOR].login_id in str(act)
    assert secret not in str(list(house.installation.log.each(Filter(sources=(OWN_SOURCE,)))))

    client = OAuthClient(made["client_id"], secret, machines.rules.issuer)
    bearer = client.token(house.browser(), house.clock.now())
    event = {"time": "2026-11-20T10:00:00+09:00", "event_id": "by-http", "activity": "view", "actor": {"id": "s1"}}
    sent = house.browser().post(
        f"/api/v1/events?source={source}&format=jsonl",
        content=json.dumps(event),
        headers={"authorization": f"Bearer {bearer}", "content-type": "application/x-ndjson"},
    )
    assert sent.status_code == 202, sent.text
    assert next(one for one in statuses(house.installation, [source])).waiting > 0
    assert "処理待ち" in browser.get(here).text
    house.installation.writer().drain()

    form = {"csrf": form["csrf"], "identifier": info.client_id}
    done = browser.post(f"{here}/revocations", data=form)
    assert (done.status_code, done.headers["location"]) == (303, f"{here}?done=1#credentials")
    assert "認証情報を変更しました" in browser.get(f"{here}?done=1").text
    assert machines.listing(source)[0].revoked_at is not None
    assert house.browser().get(f"/api/v1/deliveries/x?source={source}", headers={"authorization": f"Bearer {bearer}"}
    ).status_code == 401  # fmt: skip
    (act,) = told(house, "machine.credential_revoked", source)
    assert house.staff[Role.ADMINISTRATOR].login_id in str(act)
    assert browser.post(f"{here}/revocations", data=form).status_code == 422


def test_a_key_is_bound_and_a_private_one_is_not_shown_back(house: House) -> None:
    browser = house.signed_in(Role.ADMINISTRATOR)
    here = "/sources/hr"
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    form = {"csrf": csrf_of(browser.get(here))}
    for place in ("certificate", "signing_key"):
        refused = browser.post(f"{here}/bindings", data={**form, place: private})
        assert refused.status_code == 422
        assert private.splitlines()[1] not in refused.text
        assert 'role="alert"' in refused.text
    assert browser.post(f"{here}/bindings", data={**form, "signing_key": public}).status_code == 303
    (binding,) = house.installation.machines.bindings("hr")
    assert binding.id in browser.get(here).text
    assert browser.post(f"{here}/bindings", data={**form, "signing_key": public}).status_code == 422
    assert browser.post(f"{here}/bindings", data=form).status_code == 422
    assert browser.post(f"{here}/credentials", data={**form, "days": "100000"}).status_code == 422
    assert browser.post("/sources/none/credentials", data=form).status_code == 404
    browser.post(f"{here}/revocations", data={**form, "identifier": binding.id})
    assert house.installation.machines.bindings("hr") == []


def test_a_change_asks_for_a_fresh_code(house: House) -> None:
    admin = house.user(Role.ADMINISTRATOR)
    browser = house.signed_in(admin)
    here = "/sources/finance"
    house.clock.advance(timedelta(minutes=3))
    browser.get(here)
    house.clock.advance(timedelta(minutes=3))
    page = browser.get(here)
    assert page.status_code == 200
    assert f'action="{here}/credentials"' not in page.text
    assert f'href="/step-up?next={here}"' in page.text
    form = {"csrf": csrf_of(page), "days": "30"}
    asked = browser.post(f"{here}/credentials", data=form, headers={"referer": f"{house.address}{here}"})
    assert asked.status_code == 403
    assert f'name="next" value="{here}"' in asked.text
    assert 'name="next" value="/"' in browser.post(
        f"{here}/credentials", data=form, headers={"referer": "http://elsewhere.example/x"}
    ).text  # fmt: skip
    assert house.installation.machines.listing("finance") == []
    wrong = browser.post("/step-up", data={"csrf": form["csrf"], "next": here, "code": "000000"})
    assert wrong.status_code == 401
    assert "確認できませんでした" in wrong.text
    before = browser.cookies["mimamori"]
    done = browser.post("/step-up", data={"csrf": form["csrf"], "next": here, "code": house.code(admin)})
    assert (done.status_code, done.headers["location"]) == (303, here)
    assert browser.cookies["mimamori"] != before
    assert f'action="{here}/credentials"' in browser.get(here).text
    assert browser.post(f"{here}/credentials", data=form).status_code == 200


@pytest.mark.parametrize("elsewhere", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_step_up_stays_here(house: House, elsewhere: str) -> None:
    admin = house.user(Role.STAFF)
    browser = house.signed_in(admin)
    house.clock.advance(timedelta(seconds=30))
    form = {"csrf": csrf_of(browser.get("/nowhere")), "next": elsewhere, "code": house.code(admin)}
    assert browser.post("/step-up", data=form).headers["location"] == "/"


def test_no_watch_is_said(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = english(house.signed_in(Role.AUDITOR))
    monkeypatch.setattr(house.installation.findings, "last_look", lambda _detector: None, raising=False)
    assert "have not been looked for yet" in browser.get("/sources").text
    long_ago = house.clock.now() - timedelta(hours=1)
    monkeypatch.setattr(house.installation.findings, "last_look", lambda _detector: long_ago, raising=False)
    assert "this list is out of date" in browser.get("/sources").text


def test_a_demonstration_is_not_watched(house: House) -> None:
    def last_look() -> datetime | None:
        return house.installation.findings.last_look(next(iter(DETECTORS)))

    house.clock.advance(timedelta(minutes=1))
    before = last_look()
    jobs._look_for_gaps(house.installation, watch=False)
    assert last_look() == before
    jobs._look_for_gaps(house.installation, watch=True)
    assert last_look() == house.clock.now()
