"""`sources`: every source, how it is doing, and what is owed to it."""

import argparse
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from api.cli import machines, trial
from api.cli.output import ExitCode, emit, note
from api.installation import open_installation
from api.settings import Settings
from api.sources import ATTENTION, SourceStatus, statuses
from audit.clock import TOKYO
from dashboards.show import size
from dashboards.words import STATES

__all__ = ["add_parts", "sources"]

_HEADINGS = (
    "状態 / state",
    "id",
    "名称 / name",
    "形式 / format",
    "最後の記録 / last event",
    "今日 / today",
    "7 日 / days",
    "欠け / gaps",
    "処理待ち / waiting",
)
_NUMBERS = frozenset({5, 6, 7, 8})


def add_parts(command: argparse.ArgumentParser, parents: list[argparse.ArgumentParser]) -> None:
    """Add the options and subcommands of `sources`.

    Args:
        command: the parser of `sources`.
        parents: the options that all commands share.
    """
    command.add_argument("--attention", action="store_true", help="確認が必要なものだけ / only those that need a look")
    subcommands = command.add_subparsers(metavar="SUBCOMMAND")
    machines.add_parser(subcommands, parents)
    trial.add_parser(subcommands, parents)


def sources(arguments: argparse.Namespace, settings: Settings) -> ExitCode:
    """Every source, those that need a look first; with `--attention` only these."""
    with open_installation(settings) as installation:
        found = statuses(installation)
    shown = [one for one in found if not arguments.attention or one.health.state in ATTENTION]
    if arguments.attention and not shown:
        note("確認が必要なシステムはありません / no system needs a look")
    emit({"sources": [_document(one) for one in shown]}, as_json=arguments.json, lines=_lines(shown))
    return ExitCode.DONE


def _document(one: SourceStatus) -> dict[str, Any]:
    profile, health = one.profile, one.health
    return {
        "id": profile.id,
        "name": profile.name_ja,
        "name_en": profile.name_en,
        "kind": profile.kind,
        "number": profile.number or None,
        "formats": [profile.format],
        "encoding": profile.encoding,
        "events": one.events,
        "last_event": _moment(one.last_event),
        "last_delivery": _moment(health.last_delivery),
        "state": health.state,
        "expected": {"ja": health.expected.ja, "en": health.expected.en},
        "due": _moment(health.due),
        "today": one.days[-1][1],
        "week": sum(count for _, count in one.days),
        "open_gaps": list(health.open_gaps),
        "waiting_bytes": one.waiting,
        "quarantined": one.quarantined,
        "retention": asdict(profile.retention),
        "retention_years": profile.retention.years or None,
        "authentication": profile.authentication,
        "authentication_stated": profile.authentication_stated,
        "review": asdict(profile.review),
        "rhythm": asdict(profile.rhythm),
        "serves": list(profile.serves),
        "in_catalogue": one.in_catalogue,
    }


def _moment(at: datetime | None) -> str | None:
    return at.astimezone(TOKYO).isoformat() if at else None


def _lines(found: Sequence[SourceStatus]) -> list[str]:
    rows = [_HEADINGS, *map(_cells, found)]
    widths = [max(_width(row[place]) for row in rows) for place in range(len(_HEADINGS))]
    return [_joined(row, widths) for row in rows]


def _cells(one: SourceStatus) -> tuple[str, ...]:
    state = STATES[one.health.state]
    return (
        f"{state.ja} / {state.en}",
        one.profile.id,
        one.profile.name_ja,
        one.profile.format,
        f"{one.last_event.astimezone(TOKYO):%Y-%m-%d %H:%M}" if one.last_event else "-",
        f"{one.days[-1][1]:,}",
        f"{sum(count for _, count in one.days):,}",
        str(len(one.health.open_gaps)),
        size(one.waiting),
    )


def _joined(cells: Sequence[str], widths: Sequence[int]) -> str:
    def padded() -> Iterator[str]:
        for place, cell in enumerate(cells):
            blank = " " * (widths[place] - _width(cell))
            yield blank + cell if place in _NUMBERS else cell + blank

    return "  ".join(padded()).rstrip()


def _width(text: str) -> int:
    """Columns that a terminal gives it: a Japanese character takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
