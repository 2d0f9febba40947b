"""`demo`: a simulated town of about 60 staff and 30 days, taken in like any other, judged and served."""

import argparse
import json
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyotp
from rich.console import Console
from rich.progress import Progress

from api.cli.output import CommandError, ExitCode, emit, note
from api.cli.sample_access import SERVICE, AccessStory
from api.cli.sample_desk import TownClock
from api.cli.sample_people import read_private, sign_ins_in, write_private
from api.cli.serving import check_port, run_server
from api.installation import Installation, open_installation
from api.settings import Settings
from audit.clock import SystemClock, tokyo_date
from detectors.lab import simulate

__all__ = ["demo", "one_time_code"]

STAFF = 60
DAYS = 30
_SIGN_INS = "sample-sign-ins.json"
_MADE = "demo-town.json"


def demo(arguments: argparse.Namespace, settings: Settings) -> ExitCode:
    """Make the town where there is none yet, then serve it."""
    if not arguments.no_serve:
        check_port(settings)
    clock = TownClock()
    with open_installation(settings, clock) as installation:
        made = settings.data / _MADE
        sign_ins = sign_ins_in(settings.data / _SIGN_INS)
        story = AccessStory(installation, clock, sign_ins)
        if not made.exists():
            _take_in(installation, arguments.seed)
            _tell(story, made, {"staff": STAFF, "days": DAYS, "seed": arguments.seed})
            _judge(installation)
        else:
            _tell(story, made, json.loads(made.read_text(encoding="utf-8")))
        service = _service(installation)
        address = f"http://localhost:{settings.port}"
        document = {"address": address, "sign_ins": sign_ins}
        emit(document, as_json=arguments.json, lines=_welcome(address, sign_ins, service))
        if not arguments.no_serve:
            run_server(installation, watch=False)  # the simulated systems have said all that they will ever say
    return ExitCode.DONE


def _take_in(installation: Installation, seed: int) -> None:
    """Simulate a town whose last day is yesterday, and take it in through the ordinary path."""
    start = tokyo_date(installation.clock.now()) - timedelta(days=DAYS)
    note(f"模擬の町を作ります / simulating a town ({STAFF} staff, {DAYS} days from {start})")
    with TemporaryDirectory() as folder, _progress() as progress:
        files = simulate(staff=STAFF, days=DAYS, start=start, seed=seed).write(Path(folder))
        for kind, path in files.feeds.items():
            installation.context.import_feed(kind, path.read_bytes())
        task = progress.add_task("取り込み / taking in", total=len(files.logs))
        for source, path in files.logs:
            profile = installation.profile(source)
            with path.open("rb") as stream:
                fmt = "jsonl" if source in files.contract else profile.format
                installation.ingest(stream, name=path.name, profile=profile, fmt=fmt)
            progress.advance(task)


def _tell(story: AccessStory, made: Path, state: dict[str, Any]) -> None:
    """Tell what the town did about access, chapter by chapter: a run that is cut goes on where it was."""
    told: list[str] = state.setdefault("access", [])

    def done(chapter: str) -> None:
        told.append(chapter)
        made.write_text(json.dumps(state), encoding="utf-8")

    story.tell(tuple(told), done)


def _service(installation: Installation) -> Path:
    """The file of the records service's credential, as `sources credential issue` prints one, for where we are now."""
    path = installation.settings.data / SERVICE
    write_private(path, {**read_private(path), "token_endpoint": installation.machines.rules.token_endpoint})
    return path


def _judge(installation: Installation) -> None:
    with _progress() as progress:
        judging = progress.add_task("検知 / judging", total=None)
        installation.runner.run(progress=lambda done, total: progress.update(judging, completed=done, total=total))


def _progress() -> Progress:
    return Progress(console=Console(stderr=True), transient=True)


def _welcome(address: str, sign_ins: list[dict[str, str]], service: Path) -> list[str]:
    first = sign_ins[0]
    lines = ["", f"  見守り / Mimamori   {address}", "", "  見本の利用者 / sample sign-ins:"]
    lines += [f"    {user['login_id']:18} {user['password']:38} TOTP {user['totp_secret']}" for user in sign_ins]
    return [
        *lines,
        "",
        "  確認コードは認証アプリに TOTP の鍵を入れるか、次の命令で / for the code, use an authenticator app or:",
        f"    .venv/bin/mimamori otp {first['totp_secret']}",
        "",
        f"  業務システムの認証情報 / a records service's credential:  {service}",
        "",
    ]


def one_time_code(arguments: argparse.Namespace, _settings: Settings) -> ExitCode:
    """The code that an authenticator would show now."""
    try:
        code = pyotp.TOTP(arguments.secret).at(SystemClock().now())
    except (ValueError, TypeError) as error:
        raise CommandError("認証アプリの鍵ではありません / not an authenticator's secret") from error
    emit({"code": code}, as_json=arguments.json, lines=[code])
    return ExitCode.DONE
