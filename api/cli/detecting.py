"""`detect` judges windows, `runs` shows every evaluation there was and what came of the canaries."""

import argparse
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.progress import Progress

from api.cli.ask import asked, no_detector, span_of
from api.cli.output import CommandError, ExitCode, emit
from api.installation import open_installation
from api.settings import Settings
from audit.casework import LookUpSummary
from audit.clock import TOKYO
from audit.events import Activity
from audit.findings import Evaluation, FindingFilter
from detectors.registry import DETECTORS
from detectors.runner import CASEWORK, Difference, RunSummary
from detectors.sigma.detector import PREFIX

__all__ = ["add_runs_parts", "detect", "runs"]


def detect(arguments: argparse.Namespace, settings: Settings) -> ExitCode:
    """Judge due windows, or every window of a span."""
    start, end = span_of(arguments)
    for name in arguments.detector:  # which rules are imported, the installation knows once it is open
        if name not in DETECTORS and not name.startswith(PREFIX):
            raise CommandError(no_detector(name, DETECTORS))
    console = Console(stderr=True)
    with open_installation(settings) as installation, Progress(console=console, transient=True) as progress:
        known = installation.runner.known()
        unknown = [name for name in arguments.detector if name not in known]
        if unknown:
            raise CommandError(no_detector(unknown[0], known))
        task = progress.add_task("検知 / detecting", total=None)
        summary = installation.runner.run(
            start=start,
            end=end,
            only=arguments.detector,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
        if summary.elsewhere:
            message = "別のノードが検知を実行しています / another node is running the detectors"
            raise CommandError(message, ExitCode.HELD)
        total = sum(count for _, _, count in installation.findings.count_by_day(FindingFilter(status="open")))
    emit(_document(summary, total), as_json=arguments.json, lines=_lines(summary, total))
    unexplained = [one for one in summary.differences if not one.inputs]
    return ExitCode.CHECK_FAILED if summary.failed or unexplained else ExitCode.DONE


def _document(summary: RunSummary, total: int) -> dict[str, Any]:
    return {
        "windows": summary.windows,
        "events": summary.events,
        "findings_new": summary.findings_new,
        "findings_withdrawn": summary.findings_withdrawn,
        "findings_total": total,
        "lookups": asdict(summary.lookups),
        "late": summary.late,
        "reproduced": summary.reproduced,
        "differences": [
            {
                "detector": one.detector,
                "day": one.start.astimezone(TOKYO).date().isoformat(),
                "inputs": list(one.inputs),
            }
            for one in summary.differences
        ],
        "failed": summary.failed,
    }


def _lines(summary: RunSummary, total: int) -> list[str]:
    looks = summary.lookups
    lines = [
        (
            f"{summary.windows} 区間、{summary.events} イベント、新しい警告 {summary.findings_new}、未処理 {total}"
            f" / {summary.windows} windows, {summary.events} events, {summary.findings_new} new findings, {total} open"
        ),
        (
            f"閲覧 {_all(looks)} 件: 業務と一致 {looks.matched}、一致なし {looks.unmatched}、矛盾 {looks.contradicted}"
            f" / look-ups: {looks.matched} accounted for, {looks.unmatched} not, {looks.contradicted} contradicted"
        ),
    ]
    if summary.reproduced or summary.differences:
        lines.append(
            f"再評価: 前回と同じ {summary.reproduced}、異なる {len(summary.differences)}"
            f" / judged again: {summary.reproduced} as before, {len(summary.differences)} otherwise"
        )
    lines += [_difference(one) for one in summary.differences]
    lines += [f"{name}: {error}、動きませんでした / failed" for name, error in summary.failed.items()]
    return lines


def _difference(one: Difference) -> str:
    day = one.start.astimezone(TOKYO).date()
    if one.inputs:
        return f"{day} {one.detector}: 入力の違い / other inputs: {', '.join(one.inputs)}"
    return f"{day} {one.detector}: 同じ入力で結果が違います / THE SAME INPUTS, ANOTHER RESULT"


def _all(summary: LookUpSummary) -> int:
    return summary.matched + summary.unmatched + summary.contradicted


def add_runs_parts(command: argparse.ArgumentParser) -> None:
    """Add the options of `runs`, but for the span."""
    command.add_argument("--detector", default="", help="検知器の識別子 / detector id")
    command.add_argument("--limit", type=int, default=100, help="件数の上限 / at most so many (100)")
    command.add_argument(
        "--canaries", action="store_true", help="各検知器の最後の自己試験 / each detector's last canary instead"
    )


def runs(arguments: argparse.Namespace, settings: Settings) -> ExitCode:
    """Every evaluation there was, the latest first; with `--canaries` what came of each detector's last one."""
    start, end = span_of(arguments)
    if arguments.limit < 1:
        raise CommandError("--limit: 1 以上の数です / a number from 1 up")
    with open_installation(settings) as installation:
        known = {*installation.runner.known(), CASEWORK}
        if arguments.detector and arguments.detector not in known:
            raise CommandError(no_detector(arguments.detector, known))
        installation.act(Activity.SEARCH, "detector_runs.search", asked(arguments))
        if arguments.canaries:
            last = installation.canaries.last()
            canaries = [last[name] for name in sorted(last) if arguments.detector in ("", name)]
            emit(
                {"canaries": [one.to_contract() for one in canaries]},
                as_json=arguments.json,
                lines=[f"{one.day} {one.verdict:9} {one.detector}  {one.story or one.error}" for one in canaries],
            )
            return ExitCode.DONE
        found = installation.findings.history(detector=arguments.detector, start=start, end=end, limit=arguments.limit)
    emit(
        {"runs": [one.to_contract() for one in found]},
        as_json=arguments.json,
        lines=[_line(one) for one in found],
    )
    return ExitCode.DONE


def _line(one: Evaluation) -> str:
    run = one.run
    return (
        f"{one.at.astimezone(TOKYO):%Y-%m-%d %H:%M:%S}  {run.start.astimezone(TOKYO):%Y-%m-%d}"
        f"  {run.detector} {run.version}  {run.due}{' late' if run.late else ''}"
        f"  {one.error or f'{one.findings} findings {one.result[:12]}'}"
    )
