"""`sigma`: rules that others wrote, for whoever runs the installation.

Importing a rule changes what is detected, as tuning does: two people in office who tune detectors give password and
code for it, one after the other, and it is recorded with both. Being at the machine is no second person.
"""

import argparse
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from api.cli.output import CommandError, ExitCode, emit, read_file
from api.cli.signing_in import signed_in
from api.installation import Installation, open_installation
from api.settings import Settings
from api.stories import Played, open_stage
from audit.access import AccessError, Permission
from audit.clock import TOKYO
from audit.events import Activity
from audit.rulebook import ImportedRule, RuleRefusedError
from detectors.model import Detector
from detectors.sigma.detector import PREFIX, detector_of
from detectors.sigma.errors import SigmaRefusedError
from detectors.sigma.rules import read_rule
from detectors.sigma.stories import read_stories

__all__ = ["add_parts", "bring_in", "check", "listing", "remove"]


def add_parts(command: argparse.ArgumentParser, parents: list[argparse.ArgumentParser]) -> None:
    """Add the subcommands of `sigma`.

    Args:
        command: the parser of `sigma`.
        parents: the options that all commands share.
    """
    parts = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, run, words in (
        ("check", check, "規則を読み、話を演じる / read a rule and play its stories, change nothing"),
        ("import", bring_in, "規則を取り込む（2 人） / bring a rule in: two people"),
        ("list", listing, "取り込んだ規則の一覧 / the rules in force"),
        ("remove", remove, "規則を外す（2 人） / take a rule out: two people"),
    ):
        part = parts.add_parser(name, parents=parents, help=words, description=words)
        part.set_defaults(run=run)
        if name in {"check", "import"}:
            part.add_argument("rule", type=Path, help="規則（YAML） / the rule")
            part.add_argument("--cases", type=Path, required=True, help="話（YAML か JSON Lines） / its stories")
        if name == "remove":
            part.add_argument("rule", help="規則の id / the rule's id")
        if name in {"import", "remove"}:
            part.add_argument("--by", required=True, metavar="LOGIN", help="サインインする人 / who signs in")
            part.add_argument(
                "--confirmed-by",
                required=True,
                metavar="LOGIN",
                help="次にサインインする別の人 / somebody else, who signs in next",
            )


def _read(arguments: argparse.Namespace) -> tuple[bytes, bytes, Detector]:
    """The bytes of a rule and of its stories, and the detector of both."""
    content, stories = read_file(arguments.rule), read_file(arguments.cases)
    for path, read in ((arguments.rule, lambda: read_rule(content)), (arguments.cases, lambda: read_stories(stories))):
        try:
            read()
        except SigmaRefusedError as error:
            told = [f"{path}: {fault.ja} / {fault.en}" for fault in error.faults]
            raise CommandError("\n".join(told)) from error
    return content, stories, detector_of(read_rule(content), read_stories(stories))


def check(arguments: argparse.Namespace, settings: Settings) -> ExitCode:
    """Read a rule and play its stories in a place of their own; no installation is needed."""
    del settings
    _, _, detector = _read(arguments)
    with open_stage() as stage:
        played = list(stage.play(detector))
    emit(_document(detector, played), as_json=arguments.json, lines=_lines(detector, played))
    return ExitCode.DONE if all(one.holds for one in played) else ExitCode.CHECK_FAILED


def bring_in(arguments: argparse.Namespace, settings: Settings) -> ExitCode:
    """Bring a rule in, if every story of it holds."""
    content, stories, detector = _read(arguments)
    rule = detector.meta.id.removeprefix(PREFIX)
    with open_installation(settings) as installation, _two_people(installation, arguments, rule) as (by, confirmed_by):
        path = None if settings.clickhouse_url else settings.events_path or settings.data.resolve() / "events"
        with open_stage(path=path, url=settings.clickhouse_url or None) as stage:
            played = list(stage.play(detector))
        if not all(one.holds for one in played):
            _refused(installation, arguments, rule, "stories")
            emit(_document(detector, played), as_json=arguments.json, lines=_lines(detector, played))
            return ExitCode.CHECK_FAILED
        imported = installation.imported.book.bring_in(
            rule,
            detector.meta.title.ja,
            content,
            stories,
            by=by,
            confirmed_by=confirmed_by,
            operator=f"uid {os.getuid()}",
        )
    document = {**_document(detector, played), "digest": imported.digest}
    emit(document, as_json=arguments.json, lines=_lines(detector, played))
    return ExitCode.DONE


def remove(arguments: argparse.Namespace, settings: Settings) -> ExitCode:
    """Take a rule out of force."""
    rule = arguments.rule.removeprefix(PREFIX)
    with open_installation(settings) as installation, _two_people(installation, arguments, rule) as (by, confirmed_by):
        operator = f"uid {os.getuid()}"
        ended = installation.imported.book.remove(rule, by=by, confirmed_by=confirmed_by, operator=operator)
    emit({"removed": rule, "digest": ended.digest}, as_json=arguments.json, lines=[f"{PREFIX}{rule}  {ended.title}"])
    return ExitCode.DONE


def listing(arguments: argparse.Namespace, settings: Settings) -> ExitCode:
    """The rules in force; one that cannot be used any more says why."""
    with open_installation(settings) as installation:
        installation.act(Activity.SEARCH, "sigma.list", {})
        rules = installation.imported.book.in_force()
        broken = installation.imported.broken()
    documents = [_kept(rule, broken) for rule in rules]
    emit({"rules": documents}, as_json=arguments.json, lines=_listed(documents))
    return ExitCode.CHECK_FAILED if broken else ExitCode.DONE


@contextmanager
def _two_people(installation: Installation, arguments: argparse.Namespace, rule: str) -> Iterator[tuple[str, str]]:
    """The staff ids of two people who have signed in for this command, one after the other.

    Raises:
        CommandError: one of them was not let, or what was done for them was refused; recorded.
    """
    need = Permission.DETECTORS_DETECTOR_TUNE
    try:
        with signed_in(installation, arguments.by, need) as first:
            _see_that_they_differ(arguments)
            with signed_in(installation, arguments.confirmed_by, need) as second:
                yield first.login_id, second.login_id
    except RuleRefusedError as error:
        _refused(installation, arguments, rule, error.reason)
        raise CommandError(f"{error.text('ja')} / {error.text('en')}") from error
    except AccessError as error:
        raise CommandError(f"{error.text('ja')} / {error.text('en')}") from error


def _see_that_they_differ(arguments: argparse.Namespace) -> None:
    """See that two were named: whoever has a session cannot sign in again, and would not be told why."""
    if arguments.confirmed_by == arguments.by:
        raise RuleRefusedError("same_person", arguments.by)


def _refused(installation: Installation, arguments: argparse.Namespace, rule: str, reason: str) -> None:
    """Record that somebody tried to change what is detected, and was not let."""
    named = {"by": arguments.by, "confirmed_by": arguments.confirmed_by, "rule": rule, "reason": reason}
    installation.act(
        Activity.CONFIG_CHANGE, f"sigma.{arguments.action}_refused", named, target="mimamori", outcome="denied"
    )


def _kept(rule: ImportedRule, broken: Mapping[str, SigmaRefusedError]) -> dict[str, Any]:
    fault = broken.get(f"{PREFIX}{rule.rule}")
    return {
        "detector": f"{PREFIX}{rule.rule}",
        "title": rule.title,
        "digest": rule.digest,
        "imported_by": rule.imported_by,
        "confirmed_by": rule.confirmed_by,
        "imported_at": rule.imported_at.astimezone(TOKYO).isoformat(),
        "faults": [{"ja": one.ja, "en": one.en} for one in fault.faults] if fault else [],
    }


def _listed(documents: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for rule in documents:
        yield (
            f"{rule['detector']}  {rule['digest'][:12]}  {rule['imported_at'][:10]}  {rule['imported_by']}"
            f" + {rule['confirmed_by']}  {rule['title']}"
        )
        yield from (f"  使えません: {fault['ja']} / cannot be used: {fault['en']}" for fault in rule["faults"])


def _document(detector: Detector, played: Sequence[Played]) -> dict[str, Any]:
    return {
        "detector": detector.meta.id,
        "version": detector.meta.version,
        "holds": all(one.holds for one in played),
        "stories": [
            {
                "name": one.case.name,
                "holds": one.holds,
                "expected": sorted(one.case.expect),
                "found": sorted(one.found),
                "faults": [fault.en for fault in one.faults],
            }
            for one in played
        ],
    }


def _lines(detector: Detector, played: Sequence[Played]) -> Iterator[str]:
    yield f"{detector.meta.id}  {detector.meta.version}  {detector.meta.title.ja}"
    for one in played:
        if one.holds:
            yield f"  ok    {one.case.name}"
            continue
        yield (
            f"  不一致 {one.case.name}: 期待 {sorted(one.case.expect)}、検知 {sorted(one.found)}"
            f" / expected {sorted(one.case.expect)}, found {sorted(one.found)}"
        )
        yield from (f"    {fault.ja} / {fault.en}" for fault in one.faults)
