"""`cases`: the reviewer's queue."""

import argparse

from api.cases import case_queue, listed
from api.cli.ask import asked, span_of
from api.cli.output import CommandError, ExitCode, emit
from api.installation import open_installation
from api.settings import Settings
from audit.clock import TOKYO
from audit.events import Activity
from detectors.ranking import Case, CaseStatus

__all__ = ["cases"]


def cases(arguments: argparse.Namespace, settings: Settings) -> ExitCode:
    """Cases by day, the latest first, by rank within it; what was withdrawn only with `--status withdrawn`."""
    start, end = span_of(arguments)
    statuses = sorted(CaseStatus)
    if arguments.status and arguments.status not in statuses:
        raise CommandError(f"{arguments.status}: 状態がありません / no such status ({', '.join(statuses)})")
    with open_installation(settings) as installation:
        installation.act(Activity.SEARCH, "cases.search", asked(arguments))
        found = listed(case_queue(installation), start=start, end=end, status=arguments.status)
    emit(
        {"cases": [case.to_contract() for case in found]},
        as_json=arguments.json,
        lines=[_line(case) for case in found],
    )
    return ExitCode.DONE


def _line(case: Case) -> str:
    window = f"{case.start.astimezone(TOKYO):%m-%d %H:%M}..{case.end.astimezone(TOKYO):%m-%d %H:%M}"
    place = f"{case.rank:>3}" if case.within_budget else f"({case.rank})".rjust(4)
    return (
        f"{case.id}  {case.opened_on}  {place}  {case.risk.probability:4.0%}  {case.severity:8} {case.status:9} "
        f"{window}  {case.title.ja}"
    )
