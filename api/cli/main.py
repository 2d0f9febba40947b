"""The commands and their options. Each command's own work is in the module of its name."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog
from pydantic import ValidationError

from api.cli import (
    ask,
    authenticators,
    cases,
    clients,
    decisions,
    detecting,
    intake,
    lab,
    list_sources,
    rights,
    sample,
    serving,
    sigma,
    take,
    tuning,
    users,
)
from api.cli.output import CommandError, ExitCode, note
from api.settings import Settings
from audit.access.federation import VerifierConfigError
from audit.access.rights import ChainError
from audit.context import FeedError
from audit.store.errors import StoreError, StoreHeldError
from ingest.sources.catalogue_reader import cities
from ingest.sources.profile import ProfileError

__all__ = ["main"]

Command = Callable[[argparse.Namespace, Settings], ExitCode]


def _both(ja: str, en: str) -> str:
    return f"{ja} / {en}"


class _Commands:
    """Makes the commands, each with its help in both languages and the options that all of them share."""

    def __init__(self) -> None:
        shared = argparse.ArgumentParser(add_help=False)
        shared.add_argument(
            "--json",
            action="store_true",
            default=argparse.SUPPRESS,
            help=_both("結果を 1 つの JSON 文書で出力", "print the result as one JSON document"),
        )
        self.shared = [shared]
        self.parser = argparse.ArgumentParser(
            prog="mimamori",
            parents=self.shared,
            description=_both(
                "住民記録を扱うシステムのアクセス記録を集め、見守ります",
                "access control and audit-log analytics for residents' records",
            ),
        )
        self.parser.add_argument(
            "--data", type=Path, help=_both("データディレクトリ（既定 ./var）", "data directory (default ./var)")
        )
        self.parsers = self.parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def group(self, name: str, ja: str, en: str) -> argparse.ArgumentParser:
        """A command that has commands of its own."""
        return self.parsers.add_parser(name, parents=self.shared, help=_both(ja, en), description=_both(ja, en))

    def add(self, name: str, run: Command, ja: str, en: str) -> argparse.ArgumentParser:
        """A command."""
        command = self.group(name, ja, en)
        command.set_defaults(run=run)
        return command


def _span(command: argparse.ArgumentParser) -> None:
    command.add_argument("--from", dest="start", metavar="TIME", help=_both("この時刻から（含む）", "inclusive"))
    command.add_argument("--to", dest="end", metavar="TIME", help=_both("この時刻まで（含まない）", "exclusive"))


def _parser() -> argparse.ArgumentParser:
    commands = _Commands()
    _taking_in(commands)
    _asking(commands)
    _access(commands)
    _serving(commands)
    return commands.parser


def _taking_in(commands: _Commands) -> None:
    add = commands.add
    command = add("init", take.init, "データディレクトリ・表・鍵を作る", "make data directory, tables and keys")
    command.add_argument(
        "--preset", metavar="CITY", default="", help=_both("都市の設定", f"a city's systems: {', '.join(cities())}")
    )
    command.add_argument(
        "--change", action="store_true", help=_both("別の都市の設定に変える", "change the preset of an installation")
    )

    command = add(
        "import",
        take.import_feeds,
        "職員・住民の仮名・勤務表・暦・承認・認証方針・端末を取り込む",
        "import staff, subjects, cases, roster, calendar, approvals, policies, terminals",
    )
    take.add_parts(command)

    command = add("ingest", intake.ingest, "ログを取り込む", "take in logs")
    command.add_argument("--source", required=True, help=_both("発生元の識別子", "source id"))
    command.add_argument("--format", help=_both("形式（既定はプロファイルによる）", "format (default: the profile's)"))
    command.add_argument(
        "--profile",
        type=Path,
        metavar="TOML",
        help=_both("発生元のプロファイル", "how the source writes, for this call"),
    )
    command.add_argument(
        "--follow",
        action="store_true",
        help=_both("標準入力を終わりまで少しずつ取り込む", "take in standard input as it comes, until it ends"),
    )
    command.add_argument("files", nargs="+", metavar="FILE", help=_both("ファイル、- は標準入力", "files, - for stdin"))

    list_sources.add_parts(add("sources", list_sources.sources, "発生元の一覧", "list the sources"), commands.shared)


def _asking(commands: _Commands) -> None:
    add = commands.add
    command = add("search", ask.search, "イベントを検索する", "search events")
    _span(command)
    for name, ja in (
        ("source", "発生元"),
        ("actor", "操作者"),
        ("subject", "対象者"),
        ("activity", "操作"),
        ("outcome", "結果"),
    ):
        command.add_argument(f"--{name}", default="", help=_both(ja, name))
    command.add_argument(
        "--limit", type=int, default=0, help=_both("件数の上限（既定なし）", "at most so many (default: all)")
    )

    command = add("detect", detecting.detect, "検知を実行する", "run detectors over due windows, or the given span")
    _span(command)
    command.add_argument("--detector", action="append", default=[], help=_both("検知器の識別子", "detector id"))

    command = add("runs", detecting.runs, "検知の実行記録", "every evaluation of a window, and the canaries")
    _span(command)
    detecting.add_runs_parts(command)

    sigma.add_parts(
        commands.group("sigma", "Sigma 規則の確認・取り込み", "Sigma rules: check, import, list, remove"),
        commands.shared,
    )

    command = add("alerts", ask.alerts, "警告の一覧", "list findings")
    _span(command)
    command.add_argument("--status", default="", help=_both("状態", "status"))
    command.add_argument("--detector", default="", help=_both("検知器の識別子", "detector id"))

    command = add("cases", cases.cases, "確認する案件の一覧・判定", "cases: the reviewer's queue; close, reopen")
    _span(command)
    cases.add_parts(command, commands.shared)

    command = add("quarantine", ask.quarantine, "隔離された記録を見る", "list refused records, or write one's bytes")
    command.add_argument("action", choices=["list", "show"])
    command.add_argument("number", nargs="?", type=int, help=_both("番号（show）", "number (show)"))
    command.add_argument("--source", default="", help=_both("発生元", "source"))


def _access(commands: _Commands) -> None:
    add, shared = commands.add, commands.shared
    users.add_parts(
        add("users", users.reset, "利用者の認証の再設定", "reset a user's factors, at this machine"), shared
    )
    rights.add_parts(
        add("rights", rights.rights, "利用権限の一覧・履歴・突合", "rights: list, history, reconcile"), shared
    )
    tuning.add_parts(add("tuning", tuning.tuning, "検知の例外としきい値", "exceptions and detectors' values"), shared)
    clients.add_parts(
        commands.group("clients", "シングルサインオンを使うシステム", "systems that sign their users in here"), shared
    )
    authenticators.add_parser(commands.parsers, shared)
    decisions.add_parsers(commands.parsers, shared)


def _serving(commands: _Commands) -> None:
    add = commands.add
    command = add("serve", serving.serve, "画面と API を提供する", "serve pages and API")
    command.add_argument("--port", type=int, help=_both("ポート", "port"))
    command.add_argument("--host", help=_both("アドレス", "address"))

    command = add("demo", sample.demo, "模擬の町を作って提供する", "simulate a small town, judge it, serve it")
    command.add_argument("--port", type=int, help=_both("ポート", "port"))
    command.add_argument("--no-serve", action="store_true", help=_both("作るだけ", "make it, do not serve"))
    command.add_argument("--seed", type=int, default=1, help=_both("乱数の種", "random seed"))

    command = add("lab", lab.lab, "模擬の町で検知を採点する", "simulate a town, judge it, score the detectors")
    lab.add_parts(command, _both)

    command = add("otp", sample.one_time_code, "見本の利用者の確認コード", "the current code of a sample sign-in")
    command.add_argument("secret", help=_both("認証アプリの鍵", "the authenticator's secret"))


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit code: 0 done, 1 a check failed, 2 usage or bad input, 3 some records are in quarantine, 4 the data
        directory is held by another process.
    """
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(sys.stderr))
    arguments = _parser().parse_args(argv)
    arguments.json = getattr(arguments, "json", False)
    given = {name: value for name in ("data", "port", "host") if (value := getattr(arguments, name, None)) is not None}
    try:
        run: Command = arguments.run
        return int(run(arguments, Settings(**given)))
    except StoreHeldError as error:
        note(_both(f"データディレクトリは使用中です: {error}", f"the data directory is in use: {error}"))
        return ExitCode.HELD
    except CommandError as error:
        note(str(error))
        return error.code
    except (ChainError, FeedError, ProfileError, StoreError, VerifierConfigError) as error:
        note(str(error))
        return ExitCode.USAGE
    except ValidationError as error:
        for fault in error.errors():
            note(f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}")
        return ExitCode.USAGE
    except BrokenPipeError:
        sys.stderr.close()
        return ExitCode.DONE
