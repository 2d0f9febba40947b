"""`demo`: a simulated town of about 60 staff and 30 days, taken in like any other, judged and served.

The sample sign-ins are made for this copy alone and kept beside its data, so that no two demonstrations share a
password.
"""

import argparse
import json
import os
import secrets
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pyotp
from rich.console import Console
from rich.progress import Progress

from api.cli.output import CommandError, ExitCode, emit, note
from api.cli.serving import check_port, run_server
from api.installation import Installation, open_installation
from api.settings import Settings
from audit.access import AccountStateError, Role, new_secret
from audit.clock import SystemClock, tokyo_date
from detectors.lab import simulate

__all__ = ["demo", "one_time_code"]

STAFF = 60
DAYS = 30
_SIGN_INS = "sample-sign-ins.json"
_MADE = "demo-town.json"
_USERS: tuple[tuple[str, str, frozenset[Role]], ...] = (
    (
        "sample-security",
        "見本 セキュリティ管理者",
        frozenset({Role.SECURITY_ADMINISTRATOR, Role.ADMINISTRATOR}),
    ),
    ("sample-auditor", "見本 監査人", frozenset({Role.AUDITOR})),
    ("sample-manager", "見本 所属長", frozenset({Role.MANAGER})),
)
_WORDS = (
    "asagiri",
    "hotaru",
    "kaede",
    "kawasemi",
    "minato",
    "nagisa",
    "sazanami",
    "shigure",
    "tsubame",
    "yamabuki",
)


def demo(arguments: argparse.Namespace, settings: Settings) -> ExitCode:
    """Make the town where there is none yet, then serve it."""
    if not arguments.no_serve:
        check_port(settings)
    with open_installation(settings) as installation:
        made, users = settings.data / _MADE, settings.data / _SIGN_INS
        if not made.exists():
            _make_town(installation, arguments.seed)
            _sample_users(installation, users)
            made.write_text(json.dumps({"staff": STAFF, "days": DAYS, "seed": arguments.seed}), encoding="utf-8")
        sign_ins = _read_sign_ins(users)
        address = f"http://localhost:{settings.port}"
        document = {"address": address, "sign_ins": sign_ins}
        emit(document, as_json=arguments.json, lines=_welcome(address, sign_ins))
        if not arguments.no_serve:
            run_server(installation, watch=False)  # the simulated systems have said all that they will ever say
    return ExitCode.DONE


def _make_town(installation: Installation, seed: int) -> None:
    """Simulate a town whose last day is yesterday, and take it in through the ordinary path."""
    start = tokyo_date(installation.clock.now()) - timedelta(days=DAYS)
    note(f"模擬の町を作ります / simulating a town ({STAFF} staff, {DAYS} days from {start})")
    with TemporaryDirectory() as folder, Progress(console=Console(stderr=True), transient=True) as progress:
        files = simulate(staff=STAFF, days=DAYS, start=start, seed=seed).write(Path(folder))
        for kind, path in files.feeds.items():
            installation.context.import_feed(kind, path.read_bytes())
        task = progress.add_task("取り込み / taking in", total=len(files.logs))
        for source, path in files.logs:
            profile = installation.profile(source)
            with path.open("rb") as stream:
                installation.ingest(stream, name=path.name, profile=profile, fmt=profile.format)
            progress.advance(task)
        judging = progress.add_task("検知 / judging", total=None)
        installation.runner.run(progress=lambda done, total: progress.update(judging, completed=done, total=total))


def _sample_users(installation: Installation, path: Path) -> None:
    """Make the sample users; what they sign in with is written down before they exist, so that none is lost."""
    if not path.exists():
        made = [
            {
                "login_id": login_id,
                "password": _passphrase(),
                "totp_secret": new_secret(),
            }
            for login_id, _, _ in _USERS
        ]
        part = path.with_suffix(".part")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(made, file, ensure_ascii=False, indent=1)
        part.replace(path)
    for user, (login_id, name, roles) in zip(_read_sign_ins(path), _USERS, strict=True):
        with suppress(AccountStateError):  # made by a run that did not finish
            installation.access.create_account(login_id, name, roles, user["password"], user["totp_secret"])


def _passphrase() -> str:
    return "-".join([*(secrets.choice(_WORDS) for _ in range(3)), str(secrets.randbelow(9000) + 1000)])


def _read_sign_ins(path: Path) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _welcome(address: str, sign_ins: list[dict[str, str]]) -> list[str]:
    first = sign_ins[0]
    lines = ["", f"  見守り / Mimamori   {address}", "", "  見本の利用者 / sample sign-ins:"]
    lines += [f"    {user['login_id']:18} {user['password']:38} TOTP {user['totp_secret']}" for user in sign_ins]
    return [
        *lines,
        "",
        "  確認コードは認証アプリに TOTP の鍵を入れるか、次の命令で / for the code, use an authenticator app or:",
        f"    .venv/bin/mimamori otp {first['totp_secret']}",
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
