"""`decisions` and `emergencies`: the policy in force, unconfirmed outputs, emergencies.

Every act is recorded before its result is printed.
"""

import argparse
from pathlib import Path
from typing import Any

from api.cli.output import CommandError, ExitCode, emit, note, read_file
from api.emergencies import is_overdue
from api.installation import open_installation
from api.settings import Settings
from audit.access.decisions import PolicyError, parse_policy
from audit.access.decisions.emergencies.model import Emergency
from audit.clock import TOKYO
from audit.events import Activity

__all__ = ["add_parsers"]


def _both(ja: str, en: str) -> str:
    return f"{ja} / {en}"


def add_parsers(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", parents: list[argparse.ArgumentParser]
) -> None:
    """Add `decisions` and `emergencies` to the commands.

    Args:
        commands: of the program.
        parents: the options that all commands share.
    """

    def add(
        under: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, ja: str, en: str
    ) -> argparse.ArgumentParser:
        return under.add_parser(name, parents=parents, help=_both(ja, en), description=_both(ja, en))

    def parts(command: argparse.ArgumentParser, dest: str) -> "argparse._SubParsersAction[argparse.ArgumentParser]":
        return command.add_subparsers(dest=dest, required=True, metavar="ACTION")

    actions = parts(
        add(commands, "decisions", "利用可否の判定", "decisions: their policy, what is unconfirmed"), "action"
    )
    acts = parts(add(actions, "policy", "判定の方針", "the policy of decisions"), "act")
    add(acts, "show", "有効な方針を表示する", "show the policy in force").set_defaults(run=_show)
    check = add(acts, "check", "方針のファイルを確かめる", "check a file, change nothing")
    check.add_argument(
        "file", nargs="?", type=Path, metavar="FILE", help=_both("既定は町の decisions.toml", "default: the town's own")
    )
    check.set_defaults(run=_check)
    words = ("結果の報告がない出力", "outputs of which nobody has told what became")
    add(actions, "unconfirmed", *words).set_defaults(run=_unconfirmed)

    actions = parts(add(commands, "emergencies", "緊急利用", "emergencies"), "action")
    add(actions, "list", "確認を待つ緊急利用", "emergencies that nobody has reviewed").set_defaults(run=_list)


def _show(arguments: argparse.Namespace, settings: Settings) -> ExitCode:
    """Show the policy in force, and what is wrong with the town's file."""
    with open_installation(settings) as installation:
        installation.act(Activity.VIEW, "decisions.policy_view", {})
        book = installation.decisions.policy
        policy, trouble = book.current(), book.trouble()
    document = {"version": policy.version or None, "fault": trouble.texts.en if trouble else None, **policy.values}
    emit(document, as_json=arguments.json, lines=_lines(document))
    if trouble:
        note(_both(trouble.text("ja"), trouble.text("en")))
    return ExitCode.CHECK_FAILED if trouble else ExitCode.DONE


def _lines(document: dict[str, Any]) -> list[str]:
    general, systems = document.get("general", {}), document.get("systems", {})
    lines = [f"version = {document['version'] or '-'}"]
    lines += [f"{name} = {value}" for name, value in general.items()]
    for system, table in systems.items():
        lines += [f"systems.{system}.{name} = {value}" for name, value in table.items() if general.get(name) != value]
    return lines


def _check(arguments: argparse.Namespace, settings: Settings) -> ExitCode:
    """Check a policy file; nothing is opened and nothing changed."""
    path = arguments.file or settings.data / "decisions.toml"
    try:
        policy = parse_policy(read_file(path).decode() or "\n")
    except UnicodeDecodeError as error:
        raise CommandError(_both("UTF-8 ではありません", "is not UTF-8"), ExitCode.CHECK_FAILED) from error
    except PolicyError as error:
        raise CommandError(_both(error.text("ja"), error.text("en")), ExitCode.CHECK_FAILED) from error
    emit({"version": policy.version}, as_json=arguments.json, lines=[f"version = {policy.version}"])
    return ExitCode.DONE


def _unconfirmed(arguments: argparse.Namespace, settings: Settings) -> ExitCode:
    """List decisions on outputs, older than a quarter of an hour, that nobody has confirmed."""
    with open_installation(settings) as installation:
        installation.act(Activity.SEARCH, "decisions.unconfirmed", {})
        found = installation.decisions.service.unconfirmed()
    emit({"decisions": found}, as_json=arguments.json, lines=found)
    return ExitCode.CHECK_FAILED if found else ExitCode.DONE


def _list(arguments: argparse.Namespace, settings: Settings) -> ExitCode:
    """List emergencies that wait for their review, the first due first."""
    with open_installation(settings) as installation:
        installation.act(Activity.SEARCH, "emergencies.list", {})
        found, now = installation.decisions.emergencies.unreviewed(), installation.clock.now()
    rows = [_document(one) | {"open": now < one.declared.end, "overdue": is_overdue(one, now)} for one in found]
    emit({"emergencies": rows}, as_json=arguments.json, lines=[_line(one) for one in found])
    return ExitCode.DONE


def _document(emergency: Emergency) -> dict[str, Any]:
    declared = emergency.declared
    return {
        "id": declared.id,
        "person": declared.person,
        "system": declared.system,
        "reason": declared.reason,
        "start": declared.start.isoformat(),
        "end": declared.end.isoformat(),
        "sealed": declared.sealed,
        "review_due": emergency.review_due.isoformat(),
    }


def _line(emergency: Emergency) -> str:
    declared = emergency.declared
    start = f"{declared.start.astimezone(TOKYO):%Y-%m-%d %H:%M}"
    return f"{start}\t{declared.person}\t{declared.system}\t{emergency.review_due}\t{declared.reason}"
