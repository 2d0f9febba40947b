"""The administrator connects a system: from the list of systems to its first event, with the command as shown."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect
from visit import Town, Visit

from audit.clock import SystemClock

pytestmark = pytest.mark.system
GET_TOKEN = Path(__file__).parents[2] / "deploy" / "senders" / "get_token.py"


def test_a_system_is_connected(sample_town: Town, visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    visit.sign_in(sample_town, sample_town.users["sample-security"])
    page.goto(f"{sample_town.address}/sources")
    page.locator("details.unheard summary").click()
    visit.shot("40-sources-never")
    page.locator("details.unheard a[href='/sources/nhi-standard']").click()
    page.wait_for_url("**/sources/nhi-standard")
    expect(page.locator(".source-state")).to_have_text("実績なし")
    assert page.locator(".example").count() >= 3
    visit.shot("41-source")

    page.locator("form[action$='/credentials'] button").click()
    document, command = page.locator(".issued pre").all_inner_texts()
    made = json.loads(document)
    visit.shot("42-issued")
    (tmp_path / "credential.json").write_text(document, "utf-8")
    (tmp_path / "get_token.py").write_bytes(GET_TOKEN.read_bytes())
    at = SystemClock().now() - timedelta(minutes=1)
    line = {"time": at.isoformat(), "event_id": "first", "activity": "view", "actor": {"id": "s0001"}}
    (tmp_path / "day.jsonl").write_text(json.dumps(line), "utf-8")
    (tmp_path / "python3").symlink_to(sys.executable)
    as_shown = command.replace("@LOGFILE", "@day.jsonl").replace(
        "source=nhi-standard", "source=nhi-standard&format=jsonl"
    )
    path = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "no_proxy": "localhost"}
    sent = subprocess.run(
        ["bash", "-o", "pipefail", "-c", as_shown], cwd=tmp_path, env=path, capture_output=True, text=True, check=False
    )
    assert sent.returncode == 0, sent.stderr + sent.stdout

    page.goto(f"{sample_town.address}/sources/nhi-standard")
    assert made["client_secret"] not in page.content()
    deadline = SystemClock().now() + timedelta(seconds=20)
    while page.locator(".source-state").inner_text() != "正常" and SystemClock().now() < deadline:
        page.wait_for_timeout(300)  # the spool is emptied within a moment
        page.reload()
    expect(page.locator(".source-state")).to_have_text("正常")
    page.locator("details.revoke summary").click()
    page.get_by_role("button", name="取り消しを確定").click()
    page.wait_for_url("**done=1**")
    expect(page.locator(".notice")).to_be_visible()
    expect(page.locator(".credentials .status")).to_have_text("取り消し済み")
    visit.shot("43-revoked")
