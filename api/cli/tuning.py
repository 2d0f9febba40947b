"""`tuning`: exceptions and detectors' values, by people who sign in at this machine as they do in the browser.

Whoever changes something gives password and code: at a terminal they are asked for, else they are the first two lines
of standard input. Being at the machine is no second person, and nothing is proposed without its preview.
"""

import argparse
import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from rich.console import Console
from rich.progress import Progress

from api.cli.output import CommandError, ExitCode, emit
from api.cli.signing_in import signed_in
from api.installation import Installation, open_installation
from api.ledger_views import actor_of
from api.settings import Settings
from api.tuning import EXCEPTION_DAYS, REHEARSAL_DAYS
from api.tuning_views import change_document, preview_document_of
from audit.access import AccessError, Permission, Viewer
from audit.clock import tokyo_date
from audit.events import Activity
from audit.tuning import EVERY, Change, ExceptionTerms, ParameterTerms, Preview, Scope, Terms, TuningError

__all__ = ["add_parts", "tuning"]

_SHOWN = 20
_HOURS = re.compile(r"([0-9]{1,2})-([0-9]{1,2})")


def _both(ja: str, en: str) -> str:
    return f"{ja} / {en}"


def add_parts(command: argparse.ArgumentParser, parents: list[argparse.ArgumentParser]) -> None:
    """Add the subcommands of `tuning`.

    Args:
        command: the parser of `tuning`.
        parents: the options that all commands share.
    """
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")

    def add(name: str, ja: str, en: str, *, signs: bool = True) -> argparse.ArgumentParser:
        one = actions.add_parser(name, parents=parents, help=_both(ja, en), description=_both(ja, en))
        if signs:
            one.add_argument("--by", required=True, metavar="LOGIN", help=_both("サインインする人", "who signs in"))
        return one

    add("list", "例外と値の変更の一覧", "every exception and change of values", signs=False)
    shown = add("show", "変更と、その試算", "one change and its preview", signs=False)
    excepted = add("except", "例外を試算し、提案する", "preview an exception, and propose it")
    _exception_options(excepted)
    given = add("set", "検知器の値を試算し、提案する", "preview other values of a detector, and propose them")
    given.add_argument("detector", metavar="DETECTOR", help=_both("検知器の識別子", "detector id"))
    given.add_argument("values", nargs="*", metavar="NAME=VALUE", help=_both("初期値と違う値", "not the default"))
    given.add_argument("--days", type=int, default=REHEARSAL_DAYS, help=_both("試算する日数", "days to preview"))
    for one in (excepted, given):
        one.add_argument("--reason", default="", help=_both("理由。付けると試算の後に提案", "reason: propose, too"))
        one.add_argument("--ticket", default="", help=_both("チケット番号", "ticket"))
    confirmed = add("confirm", "別の人の提案を確認する", "confirm somebody else's proposal")
    confirmed.add_argument("--digest", required=True, help=_both("見た試算の識別値", "digest of the preview seen"))
    ended = add("end", "例外を終わらせる、提案を取り下げる", "end an exception, or drop a proposal")
    for one in (shown, confirmed, ended):
        one.add_argument("number", metavar="ID", help=_both("変更の番号", "id of the change"))


def _exception_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--detector", default=EVERY, help=_both("検知器の識別子（既定はすべて）", "detector id (default: every one)")
    )
    for name, ja in (("actor", "職員番号"), ("unit", "所属"), ("source", "システム"), ("subject", "対象者の番号")):
        command.add_argument(f"--{name}", action="append", default=[], help=_both(ja, name))
    command.add_argument(
        "--weekday", action="append", type=int, default=[], help=_both("曜日（月曜が 0）", "weekday, 0 for Monday")
    )
    command.add_argument("--hours", default="", metavar="H-H", help=_both("時刻（例 19-21）", "hours, like 19-21"))
    command.add_argument("--owner", required=True, help=_both("責任者の職員番号", "owner's staff id"))
    command.add_argument("--from", dest="first", default="", metavar="DATE", help=_both("開始日", "first day"))
    command.add_argument("--to", dest="last", required=True, metavar="DATE", help=_both("終了日", "last day"))


def tuning(arguments: argparse.Namespace, settings: Settings) -> ExitCode:
    """Show, preview, propose, confirm or end."""
    with open_installation(settings) as installation:
        try:
            if arguments.action == "list":
                return _list(arguments, installation)
            if arguments.action == "show":
                return _show(arguments, installation)
            ending = arguments.action == "end"
            need = Permission.DETECTORS_CHANGE_END if ending else Permission.DETECTORS_DETECTOR_TUNE
            with signed_in(installation, arguments.by, need) as viewer:
                return _act(arguments, installation, viewer)
        except (AccessError, TuningError) as error:
            raise CommandError(_both(error.text("ja"), error.text("en"))) from error


def _act(arguments: argparse.Namespace, installation: Installation, viewer: Viewer) -> ExitCode:
    service, by = installation.tuning, actor_of(viewer)
    if arguments.action in {"except", "set"}:
        today = tokyo_date(installation.clock.now())
        terms: Terms = _exception(arguments, today) if arguments.action == "except" else _parameters(arguments)
        days = EXCEPTION_DAYS if arguments.action == "except" else arguments.days
        installation.act(Activity.SEARCH, "tuning.preview", {"by": viewer.login_id, "detector": terms.detector})
        preview = _made(installation, installation.previews.begin(terms, by=by, days=days))
        if not arguments.reason and not arguments.ticket:
            emit(preview_document_of(preview), as_json=arguments.json, lines=_told(preview))
            return ExitCode.DONE
        done = service.propose(preview.id, reason=arguments.reason, ticket=arguments.ticket, by=by)
        document = change_document(installation, done)
        told = document | {"previewed": dict(preview.document)}
        emit(told, as_json=arguments.json, lines=[*_told(preview), _line(document)])
        return ExitCode.DONE
    if arguments.action == "confirm":
        done = service.confirm(arguments.number, digest=arguments.digest, by=by)
    else:
        done = service.end(arguments.number, by=by)
    document = change_document(installation, done)
    emit(document, as_json=arguments.json, lines=[_line(document)])
    return ExitCode.DONE


def _exception(arguments: argparse.Namespace, today: date) -> ExceptionTerms:
    scope = Scope(
        actors=tuple(arguments.actor),
        units=tuple(arguments.unit),
        sources=tuple(arguments.source),
        subjects=tuple(arguments.subject),
        weekdays=tuple(arguments.weekday),
        hours=_hours(arguments.hours),
    )
    first = _day(arguments.first) if arguments.first else today
    return ExceptionTerms(arguments.detector, scope, arguments.owner, first, _day(arguments.last))


def _hours(text: str) -> tuple[int, ...]:
    if not text:
        return ()
    found = _HOURS.fullmatch(text)
    if found is None or not {int(found[1]), int(found[2])} <= set(range(24)):
        raise CommandError(_both("--hours: 例 19-21", "--hours: like 19-21"))
    first, last = int(found[1]), int(found[2])
    return tuple(sorted((first + n) % 24 for n in range((last - first) % 24 + 1)))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise CommandError(_both(f"{text}: 日付ではありません", f"{text}: no date")) from error


def _parameters(arguments: argparse.Namespace) -> ParameterTerms:
    if not 1 <= arguments.days <= EXCEPTION_DAYS:
        raise CommandError(_both("--days: 1〜365", "--days: 1 to 365"))
    given: dict[str, Any] = {}
    for pair in arguments.values:
        name, equals, text = pair.partition("=")
        try:
            value = text == "true" if text in {"true", "false"} else float(text)
        except ValueError as error:
            raise CommandError(_both(f"{name}: 値ではありません", f"{name}: no value")) from error
        given[name] = int(text) if equals and re.fullmatch(r"\d{1,12}", text, re.ASCII) else value
    return ParameterTerms(arguments.detector, given)


def _made(installation: Installation, preview: Preview) -> Preview:
    console = Console(stderr=True)
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task(_both("試算", "preview"), total=None)
        return installation.previews.make(
            preview, lambda done, total: progress.update(task, completed=done, total=total)
        )


def _told(preview: Preview) -> list[str]:
    """A preview in lines: the counts, then the gravest findings."""
    document = preview.document
    lines = [f"preview {preview.id}  digest {preview.digest}"]
    for effect, counts in document["counts"].items():
        by_month = ", ".join(f"{month}: {count}" for month, count in counts["by_month"].items())
        lines.append(f"{effect}: {counts['total']} (critical/high {counts['grave']})  {by_month}")
        lines += [f"  {name}: {count}" for name, count in counts["by_detector"].items()]
    lines.append(_both("本当の不正だったかの判定はまだ記録されていません", "which were true is not on record yet"))
    lines += [
        f"{row['effect']:10} {row['severity']:8} {row['day']}  {row['detector']}  {' '.join(row['actors'])}  "
        f"{row['title']}"
        for row in document["findings"][:_SHOWN]
    ]
    return lines


def _list(arguments: argparse.Namespace, installation: Installation) -> ExitCode:
    installation.act(Activity.SEARCH, "tuning.list", {})
    documents = [change_document(installation, one) for one in installation.tuning.changes()]
    emit({"changes": documents}, as_json=arguments.json, lines=[_line(one) for one in documents])
    return ExitCode.DONE


def _show(arguments: argparse.Namespace, installation: Installation) -> ExitCode:
    installation.act(Activity.VIEW, "tuning.show", {"change": arguments.number})
    change: Change = installation.tuning.change(arguments.number)
    preview = installation.tuning.preview(change.preview)
    document = change_document(installation, change)
    lines: Sequence[str] = [_line(document), *_told(preview)]
    emit(document | {"previewed": dict(preview.document)}, as_json=arguments.json, lines=list(lines))
    return ExitCode.DONE


def _line(document: dict[str, Any]) -> str:
    what = document.get("scope", document.get("values"))
    until = document.get("last", "")
    people = f"{document['proposed']['by']} + {(document['confirmed'] or {}).get('by', '-')}"
    detector, ticket = document["detector"], document["ticket"]
    return f"{document['id']}  {document['state']:9} {detector}  {what}  {until}  {people}  {ticket}"
