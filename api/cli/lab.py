"""`lab`: a simulated town whose incidents are known, taken in, judged, ranked and scored; weights fitted on scores."""

import argparse
import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.progress import Progress

from api.cases import headcount, places, ranked
from api.cli.output import CommandError, ExitCode, emit, note, read_file
from api.installation import Installation, open_installation
from api.settings import Settings
from audit.casework import LookUpFilter
from audit.clock import FixedClock, day_start
from audit.findings import Finding, FindingFilter
from detectors.lab import Town, simulate
from detectors.lab.incidents import INCIDENTS
from detectors.lab.scorecard import Entry, matching, score, score_detectors, told
from detectors.lab.scorecard_baselines import BASELINES, queue_of, read_person_days
from detectors.lab.scorecard_report import FLOORS, Scorecard, as_document, as_markdown, misses
from detectors.lab.stage import Plot
from detectors.lab.traps import TRAPS
from detectors.ranking import Case, Said, Told, fit, load_weights, render
from detectors.registry import DETECTORS

__all__ = ["add_parts", "lab"]

START = date(2026, 4, 1)
"""The first day of a business year: transfers, new staff, and the first months of it."""
_ALL = "all"


def add_parts(command: argparse.ArgumentParser, both: Callable[[str, str], str]) -> None:
    """The options of `lab run`."""
    command.add_argument("action", choices=["fit", "run"])
    command.add_argument("files", nargs="*", type=Path, help=both("fit: 採点結果の JSON", "fit: scorecards, as JSON"))
    for name, usual, ja, en in (
        ("staff", 60, "職員数", "members of staff"),
        ("days", 60, "日数", "days"),
        ("seed", 1, "乱数の種", "random seed"),
    ):
        command.add_argument(f"--{name}", type=int, default=usual, help=both(ja, f"{en} (default {usual})"))
    command.add_argument("--start", type=date.fromisoformat, default=START, help=both("最初の日", "the first day"))
    command.add_argument(
        "--scenario", default=_ALL, help=both("事案・紛らわしい例の名前、または all", "its name, or all")
    )
    command.add_argument(
        "--floor",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help=both("下回ると終了コード 1", f"exit code 1 when missed: {', '.join(FLOORS)}"),
    )
    command.add_argument("--out", type=Path, help=both("保存先（既定 DIR/lab）", "where to save (default DIR/lab)"))


def lab(arguments: argparse.Namespace, settings: Settings) -> ExitCode:
    """Score a town, or fit weights on scorecards."""
    if arguments.action == "fit":
        return _fit(arguments)
    if arguments.files:
        raise CommandError("run: ファイルは指定できません / takes no files")
    return _run(arguments, settings)


def _fit(arguments: argparse.Namespace) -> ExitCode:
    """Print a table of weights, fitted on the episodes of scorecards: never on a town that is kept for measuring."""
    if not arguments.files:
        raise CommandError("fit: 採点結果を指定してください / name some scorecards")
    episodes, towns = [], []
    for path in arguments.files:
        try:
            card = json.loads(read_file(path))
            towns.append("{scenario} of {staff} staff, {days} days, seed {seed}".format(**card["town"]))
            episodes += [
                Told(one["true"], tuple(Said(**finding) for finding in one["findings"])) for one in card["episodes"]
            ]
        except (ValueError, KeyError, TypeError) as error:
            raise CommandError(f"{path}: 採点結果ではありません / not a scorecard ({error})") from error
    fitted = fit(episodes, load_weights())
    document = {"weights": dict(fitted.weights), "offset": fitted.offset, "slope": fitted.slope, "towns": towns}
    emit(document, as_json=arguments.json, lines=render(fitted, towns).splitlines())
    return ExitCode.DONE


def _run(arguments: argparse.Namespace, settings: Settings) -> ExitCode:
    """Score one town; the scorecard is printed, and saved as JSON and Markdown."""
    floors = _floors(arguments.floor)
    plots = _plots(arguments.scenario)
    try:
        town = simulate(
            staff=arguments.staff, days=arguments.days, start=arguments.start, seed=arguments.seed, plots=plots
        )
    except ValueError as error:
        raise CommandError(f"町を作れません / no such town: {error}") from error
    made: dict[str, int | str] = {name: getattr(arguments, name) for name in ("staff", "days", "seed", "scenario")}
    clock = FixedClock(day_start(arguments.start + timedelta(days=arguments.days)))
    with TemporaryDirectory() as folder, ExitStack() as opened:
        installation = opened.enter_context(open_installation(Settings(data=Path(folder) / "data"), clock))
        _take_in(installation, town, Path(folder) / "town")
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("検知 / judging", total=None)
            installation.runner.run(progress=lambda done, total: progress.update(task, completed=done, total=total))
        installation.gaps.run()
        card = _score(installation, town, made, arguments.start, arguments.days)
    out = arguments.out or settings.data / "lab"
    saved = _save(card, out)
    note(f"保存しました / saved: {saved}")
    missed = misses(card, floors)
    emit({**as_document(card), "floors_missed": missed}, as_json=arguments.json, lines=as_markdown(card).splitlines())
    for line in missed:
        note(f"下限を満たしません / floor missed: {line}")
    return ExitCode.CHECK_FAILED if missed else ExitCode.DONE


def _floors(words: Sequence[str]) -> dict[str, float]:
    floors = {}
    for word in words:
        name, _, value = word.partition("=")
        try:
            floors[name] = float(value)
        except ValueError as error:
            raise CommandError(f"--floor {word}: NAME=VALUE") from error
        if name not in FLOORS:
            raise CommandError(f"--floor {name}: ありません / no such measure ({', '.join(FLOORS)})")
    return floors


def _plots(scenario: str) -> Sequence[Plot] | None:
    """The plots of one name; of the whole library, as the simulator itself chooses, where none is named."""
    if scenario == _ALL:
        return None
    by_name = {plot.__name__.replace("_", "-"): plot for plot in (*TRAPS, *INCIDENTS)}
    if scenario not in by_name:
        raise CommandError(f"{scenario}: ありません / no such scenario ({', '.join(sorted(by_name))})")
    return [by_name[scenario]]


def _take_in(installation: Installation, town: Town, folder: Path) -> None:
    """Bring a town in through the ordinary path."""
    files = town.write(folder)
    for kind, path in files.feeds.items():
        installation.context.import_feed(kind, path.read_bytes())
    for source, path in files.logs:
        profile = installation.profile(source)
        with path.open("rb") as stream:
            fmt = "jsonl" if source in files.contract else profile.format
            installation.ingest(stream, name=path.name, profile=profile, fmt=fmt)


def _score(installation: Installation, town: Town, made: dict[str, int | str], start: date, days: int) -> Scorecard:
    findings = installation.findings.listing(FindingFilter())

    def rank(some: Sequence[Finding]) -> list[Case]:
        return ranked(installation, some)

    now = installation.clock.now()
    staff = headcount(installation.context.over(now, now).posts.values())
    per_thousand = installation.settings.cases_per_thousand
    counts = read_person_days(installation.log)
    looked = installation.casework.rows(LookUpFilter(start=start, end=start + timedelta(days=days)))
    named = {*DETECTORS, *(finding.detector for finding in findings)}
    return Scorecard(
        town={**made, "start": start.isoformat()},
        queue=score(map(Entry.of_case, rank(findings)), town.labels, days),
        unlimited=score(map(Entry.of_finding, findings), town.labels, days),
        matching=matching(looked, town.labels),
        detectors=score_detectors(named, findings, town.labels, days, rank),
        baselines={
            name: score(queue_of(make(counts), lambda day: places(staff(day), per_thousand)), town.labels, days)
            for name, make in BASELINES.items()
        },
        episodes=told(ranked(installation, findings, replace(load_weights(), least_risk=0.0)), town.labels),
    )


def _save(card: Scorecard, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    name = "-".join(str(card.town[part]) for part in ("scenario", "staff", "days", "seed"))
    (folder / f"{name}.json").write_text(json.dumps(as_document(card), indent=1, ensure_ascii=False), encoding="utf-8")
    path = folder / f"{name}.md"
    path.write_text(as_markdown(card), encoding="utf-8")
    return path
