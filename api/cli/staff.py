"""`import staff`: what a file would do is told, or done."""

import argparse
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from api.cli.output import CommandError, ExitCode, emit, note
from api.installation import Installation
from audit.access.people import By, ChangeKind, PeopleRefusedError, Plan
from audit.context import Imported

__all__ = ["bring_in", "tell_plans"]

_WORDS = {
    ChangeKind.JOINED: "着任",
    ChangeKind.MOVED: "異動",
    ChangeKind.LEFT: "終了",
    ChangeKind.EXTENDED: "延長",
    ChangeKind.CHANGED: "変更",
}


def bring_in(installation: Installation, content: bytes, *, confirm: bool) -> Imported:
    """Bring a staff file in, and tell what somebody should look at.

    Raises:
        FeedError: naming every fault.
        CommandError: it ends many people, and nobody has confirmed that.
    """
    for warning in installation.people.plan_staff(content).remarks:
        note(f"{warning.ja} / {warning.en}")
    try:
        return installation.people.import_staff(content, by=By(f"uid {os.getuid()}"), confirm=confirm)
    except PeopleRefusedError as error:
        raise CommandError(f"{error.text('ja')} / {error.text('en')}") from error


def tell_plans(
    arguments: argparse.Namespace, installation: Installation, contents: Sequence[tuple[Path, bytes]]
) -> ExitCode:
    """Print what files would do, each by itself; a check has failed where one would be refused."""
    plans = [(path, installation.people.plan_staff(content)) for path, content in contents]
    document = [
        {
            "file": str(path),
            "read": plan.read,
            **{kind.value: [change.staff_id for change in plan.changes if change.kind is kind] for kind in ChangeKind},
            "faults": list(plan.faults),
            "warnings": [warning.en for warning in plan.remarks],
            "many_leave": plan.many_leave,
        }
        for path, plan in plans
    ]
    lines = [line for path, plan in plans for line in _lines(path, plan)]
    emit({"kind": "staff", "plans": document}, as_json=arguments.json, lines=lines)
    refused = any(plan.faults or (plan.many_leave and not arguments.confirm) for _, plan in plans)
    return ExitCode.CHECK_FAILED if refused else ExitCode.DONE


def _lines(path: Path, plan: Plan) -> Iterator[str]:
    japanese = "、".join(f"{_WORDS[kind]} {plan.count(kind)}" for kind in ChangeKind)
    english = ", ".join(f"{plan.count(kind)} {kind}" for kind in ChangeKind)
    yield f"{path}: {japanese} / {english}"
    yield from plan.faults
    yield from (f"{warning.ja} / {warning.en}" for warning in plan.remarks)
    if plan.many_leave:
        yield "在籍者の多くが終了します（--confirm） / many of the people in office end (--confirm)"
