"""`rights`: who holds what, how that came to be, and comparing a system's own list with it."""

import argparse
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from api.cli.output import CommandError, ExitCode, emit, read_file
from api.installation import Installation, open_installation
from api.settings import Settings
from audit.access.rights import Change, Entitlement, ReconciliationRefusedError
from audit.clock import TOKYO
from audit.events import Activity

__all__ = ["add_parts", "rights"]


def _both(ja: str, en: str) -> str:
    return f"{ja} / {en}"


def add_parts(command: argparse.ArgumentParser, parents: list[argparse.ArgumentParser]) -> None:
    """Add the subcommands of `rights`.

    Args:
        command: the parser of `rights`.
        parents: the options that all commands share.
    """
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")

    def add(name: str, ja: str, en: str) -> argparse.ArgumentParser:
        return actions.add_parser(name, parents=parents, help=_both(ja, en), description=_both(ja, en))

    listing = add("list", "今の権限、または過去の時点の権限", "rights that hold now, or held at a moment")
    listing.add_argument("--at", default="", metavar="TIME", help=_both("その時点（RFC 3339）", "at this moment"))
    history = add("history", "権限の変更の記録", "every change of a right, old and new value")
    for one in (listing, history):
        one.add_argument("--person", default="", help=_both("職員番号", "staff id"))
        one.add_argument("--system", default="", help=_both("システムの識別子", "source id"))
    compare = add("reconcile", "システムの一覧と突き合わせる", "compare a system's own list with what was approved")
    compare.add_argument("--system", required=True, help=_both("システムの識別子", "source id"))
    compare.add_argument("file", type=Path, metavar="FILE", help=_both("CSV または JSON", "CSV or JSON"))


def rights(arguments: argparse.Namespace, settings: Settings) -> ExitCode:
    """List, tell the history, or reconcile; a reconciliation with differences ends with exit code 1."""
    with open_installation(settings) as installation:
        if arguments.action == "reconcile":
            return _reconcile(arguments, installation)
        installation.act(
            Activity.SEARCH, f"rights.{arguments.action}", {"person": arguments.person}, target=arguments.system
        )
        return (_list if arguments.action == "list" else _history)(arguments, installation)


def _list(arguments: argparse.Namespace, installation: Installation) -> ExitCode:
    at = _moment(arguments.at) if arguments.at else installation.clock.now()
    held = installation.rights.held_at(at, person=arguments.person)
    shown = [right for right in held if arguments.system in ("", right.system)]
    lines = [
        f"{one.person}\t{one.system}\t{one.affair or '*'}\t{one.function}\t{_day(one.start)}\t{_day(one.end)}"
        for one in shown
    ]
    emit({"at": at.isoformat(), "rights": [one.to_doc() for one in shown]}, as_json=arguments.json, lines=lines)
    return ExitCode.DONE


def _history(arguments: argparse.Namespace, installation: Installation) -> ExitCode:
    found = installation.rights.history(arguments.person)
    shown = [change for change in found if arguments.system in ("", _known(change).system)]
    emit({"changes": [_document(change) for change in shown]}, as_json=arguments.json, lines=_lines(shown))
    return ExitCode.DONE


def _known(change: Change) -> Entitlement:
    known = change.after or change.before
    if known is None:
        raise ValueError("a change without a right")
    return known


def _lines(changes: Sequence[Change]) -> list[str]:
    return [
        f"{change.at.astimezone(TOKYO):%Y-%m-%d %H:%M:%S}\t{change.operation}\t{change.by or '-'}\t"
        f"{_known(change).person}\t{_known(change).system}\t{_known(change).function}\t{change.reason}"
        for change in changes
    ]


def _document(change: Change) -> dict[str, Any]:
    return {
        "number": change.number,
        "at": change.at.isoformat(),
        "operation": change.operation,
        "by": change.by or None,
        "before": change.before.to_doc() if change.before else None,
        "after": change.after.to_doc() if change.after else None,
        "reason": change.reason,
    }


def _reconcile(arguments: argparse.Namespace, installation: Installation) -> ExitCode:
    try:
        result = installation.rights.reconcile(arguments.system, read_file(arguments.file), None)
    except ReconciliationRefusedError as error:
        raise CommandError(f"{error.text('ja')}\n{error.text('en').splitlines()[0]}") from error
    rows = [
        {
            "what": one.what,
            "person": one.person,
            "function": one.function,
            "affair": one.affair,
            "approved": list(one.approved),
            "reported": list(one.reported),
        }
        for one in result.differences
    ]
    lines = [f"{one.what}\t{one.person}\t{one.function}\t{one.affair}" for one in result.differences]
    lines.append(_both(f"一致 {result.matched} 件", f"{result.matched} agree"))
    emit({"system": result.system, "matched": result.matched, "differences": rows}, as_json=arguments.json, lines=lines)
    return ExitCode.CHECK_FAILED if rows else ExitCode.DONE


def _moment(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(_both("--at: 日時として読めません", "--at: no date or time")) from error
    return at if at.tzinfo else at.replace(tzinfo=TOKYO)


def _day(at: datetime | None) -> str:
    return f"{at.astimezone(TOKYO):%Y-%m-%d}" if at else "-"
