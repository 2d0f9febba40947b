"""`cases`: the reviewer's queue, and what reviewers make of it.

Whoever closes a case or opens it again gives password and code: being at the machine is nobody's word.
"""

import argparse

from api.cases import case_queue, found_case, listed
from api.cli.ask import asked, span_of
from api.cli.output import CommandError, ExitCode, emit
from api.cli.signing_in import signed_in
from api.installation import Installation, open_installation
from api.ledger_views import actor_of
from api.settings import Settings
from audit.access import AccessError, Permission, Viewer
from audit.clock import TOKYO
from audit.dispositions import DispositionKind
from audit.events import Activity
from detectors.ranking import Case, CaseStatus

__all__ = ["add_parts", "cases"]


def _both(ja: str, en: str) -> str:
    return f"{ja} / {en}"


def add_parts(command: argparse.ArgumentParser, parents: list[argparse.ArgumentParser]) -> None:
    """Add the options and subcommands of `cases`.

    Args:
        command: the parser of `cases`.
        parents: the options that all commands share.
    """
    command.add_argument("--status", default="", help=_both("状態", "status"))
    actions = command.add_subparsers(dest="action", metavar="ACTION")

    def add(name: str, ja: str, en: str) -> argparse.ArgumentParser:
        one = actions.add_parser(name, parents=parents, help=_both(ja, en), description=_both(ja, en))
        one.add_argument("number", metavar="ID", help=_both("案件の番号", "id of the case"))
        one.add_argument("--by", required=True, metavar="LOGIN", help=_both("サインインする人", "who signs in"))
        one.add_argument("--reason", default="", help=_both("理由", "why"))
        return one

    closed = add("close", "案件を判定して終える", "judge a case and close it")
    closed.add_argument(
        "--as",
        dest="kind",
        required=True,
        choices=sorted(DispositionKind),
        metavar="DISPOSITION",
        help=_both("判定", ", ".join(sorted(DispositionKind))),
    )
    closed.add_argument(
        "--confirm", action="store_true", help=_both("別の人の判定を確認する", "agree with what somebody else proposed")
    )
    add("reopen", "案件を再開する、判定の提案を取り下げる", "open a case again, or drop what was proposed")


def cases(arguments: argparse.Namespace, settings: Settings) -> ExitCode:
    """List, close, confirm or reopen."""
    with open_installation(settings) as installation:
        if arguments.action is None:
            return _list(arguments, installation)
        try:
            with signed_in(installation, arguments.by, Permission.CASES_CASE_CLOSE) as viewer:
                case = _act(arguments, installation, viewer)
        except AccessError as error:
            raise CommandError(_both(error.text("ja"), error.text("en"))) from error
    emit(case.to_contract(), as_json=arguments.json, lines=[_line(case)])
    return ExitCode.DONE


def _list(arguments: argparse.Namespace, installation: Installation) -> ExitCode:
    """Cases by day, the latest first, by rank within it; what was withdrawn only with `--status withdrawn`."""
    start, end = span_of(arguments)
    statuses = sorted(CaseStatus)
    if arguments.status and arguments.status not in statuses:
        raise CommandError(f"{arguments.status}: 状態がありません / no such status ({', '.join(statuses)})")
    installation.act(Activity.SEARCH, "cases.search", asked(arguments))
    found = listed(case_queue(installation), start=start, end=end, status=arguments.status)
    emit(
        {"cases": [case.to_contract() for case in found]},
        as_json=arguments.json,
        lines=[_line(case) for case in found],
    )
    return ExitCode.DONE


def _act(arguments: argparse.Namespace, installation: Installation, viewer: Viewer) -> Case:
    """The case, with what was made of it."""
    service, by = installation.dispositions, actor_of(viewer)
    case = found_case(installation, arguments.number)
    if case is None:
        raise CommandError(_both("案件がありません", "no such case"))
    if arguments.action == "reopen":
        service.reopen(case.seen, reason=arguments.reason, by=by)
        return case.undone()
    kind = DispositionKind(arguments.kind)
    if arguments.confirm:
        return case.judged(service.confirm(case.seen, kind, by=by))
    return case.judged(service.close(case.seen, kind, reason=arguments.reason, by=by))


def _line(case: Case) -> str:
    window = f"{case.start.astimezone(TOKYO):%m-%d %H:%M}..{case.end.astimezone(TOKYO):%m-%d %H:%M}"
    place = f"{case.rank:>3}" if case.within_budget else f"({case.rank})".rjust(4)
    made = f"  [{case.disposition.kind}: {case.disposition.state}]" if case.disposition is not None else ""
    return (
        f"{case.id}  {case.opened_on}  {place}  {case.risk.probability:4.0%}  {case.severity:8} {case.status:9} "
        f"{window}  {case.title.ja}{made}"
    )
