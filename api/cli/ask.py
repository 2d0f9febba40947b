"""Commands that ask: `search`, `alerts`, `quarantine`."""

import argparse
import sys
from collections.abc import Collection, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from api.cases import case_ids, case_queue
from api.cli.output import CommandError, ExitCode, as_json_line, emit
from api.installation import open_installation
from api.own_findings import OWN_DETECTORS
from api.settings import Settings
from api.web.queries import QueryError, Typed, as_filter, read_span
from audit.clock import TOKYO
from audit.events import Activity
from audit.findings import FindingFilter, FindingStatus
from detectors.registry import DETECTORS
from detectors.sigma.detector import PREFIX
from ingest.gaps import DETECTORS as GAP_DETECTORS

__all__ = ["alerts", "asked", "no_detector", "quarantine", "search", "span_of"]


_ASKED = frozenset({"start", "end", "source", "actor", "subject", "activity", "outcome", "status", "detector"})
"""What of a question is written into the log."""


def asked(arguments: argparse.Namespace) -> dict[str, str]:
    """What of a question is written into the log, with its values."""
    return {name: str(value) for name, value in vars(arguments).items() if name in _ASKED and value}


def no_detector(name: str, known: Collection[str]) -> str:
    """What is said where there is no detector of a name."""
    return f"{name}: 検知器がありません / no such detector ({', '.join(sorted(known))})"


def span_of(arguments: argparse.Namespace) -> tuple[datetime | None, datetime | None]:
    """The span that `--from` and `--to` name.

    Raises:
        CommandError: one of them is no time.
    """
    try:
        return read_span(arguments.start or "", arguments.end or "")
    except QueryError as error:
        raise CommandError(f"{error.texts.ja} / {error.texts.en}") from error


def search(arguments: argparse.Namespace, settings: Settings) -> ExitCode:
    """Events as JSON Lines, oldest first; with `--json` one document."""
    try:
        wanted = as_filter(
            Typed(
                from_=arguments.start or "",
                to=arguments.end or "",
                source=arguments.source,
                actor=arguments.actor,
                subject=arguments.subject,
                activity=arguments.activity,
                outcome=arguments.outcome,
            )
        )
    except QueryError as error:
        raise CommandError(f"{error.texts.ja} / {error.texts.en}") from error
    if arguments.limit < 0:
        raise CommandError("--limit: 0 以上の数です / a number from 0 up")
    with open_installation(settings) as installation:
        installation.act(Activity.SEARCH, "events.search", asked(arguments))
        found: Iterator[dict[str, Any]] = (event.to_contract() for event in installation.log.each(wanted))
        if arguments.limit:
            found = islice(found, arguments.limit)
        if arguments.json:
            sys.stdout.write(as_json_line({"events": list(found)}))
        else:
            for document in found:
                sys.stdout.write(as_json_line(document))
    return ExitCode.DONE


def alerts(arguments: argparse.Namespace, settings: Settings) -> ExitCode:
    """Findings, the latest window first; what was withdrawn only with `--status withdrawn`."""
    start, end = span_of(arguments)
    statuses = sorted(FindingStatus)
    if arguments.status and arguments.status not in statuses:
        raise CommandError(f"{arguments.status}: 状態がありません / no such status ({', '.join(statuses)})")
    known = {*DETECTORS, *GAP_DETECTORS, *OWN_DETECTORS}
    named: str = arguments.detector
    if named and named not in known and not named.startswith(PREFIX):  # a rule that was removed still has findings
        raise CommandError(no_detector(named, known))
    with open_installation(settings) as installation:
        installation.act(Activity.SEARCH, "alerts.search", asked(arguments))
        found = installation.findings.listing(
            FindingFilter(start=start, end=end, status=arguments.status, detector=arguments.detector)
        )
        case_of = case_ids(case_queue(installation)) if arguments.json and found else {}
    emit(
        {"findings": [finding.to_contract(case_of.get(finding.id)) for finding in found]},
        as_json=arguments.json,
        lines=[
            f"{finding.id}  {finding.start.astimezone(TOKYO):%Y-%m-%d}  {finding.severity:8} {finding.status:9} "
            f"{finding.title.ja}"
            for finding in found
        ],
    )
    return ExitCode.DONE


def quarantine(arguments: argparse.Namespace, settings: Settings) -> ExitCode:
    """Refused records without their bytes; `show` writes one's bytes to stdout, which is recorded."""
    with open_installation(settings) as installation:
        if arguments.action == "list":
            rows = installation.book.listing(arguments.source, limit=1000)
            emit(
                {
                    "quarantine": [
                        {
                            "id": row.id,
                            "source": row.source,
                            "delivery": row.delivery,
                            "line": row.line,
                            "bytes": row.length,
                            "reasons": list(row.reasons),
                            "at": row.at.astimezone(TOKYO).isoformat(),
                        }
                        for row in rows
                    ]
                },
                as_json=arguments.json,
                lines=[f"{row.id:>6} {row.source} line {row.line}: {'; '.join(row.reasons)}" for row in rows],
            )
            return ExitCode.DONE
        if arguments.number is None:
            raise CommandError("番号を指定してください / say which number")
        installation.act(Activity.VIEW, "quarantine.show", {"number": str(arguments.number)})
        try:
            for piece in installation.book.raw(arguments.number):
                sys.stdout.buffer.write(piece)
        except KeyError as error:
            raise CommandError(f"{arguments.number}: その番号の記録はありません / no such record") from error
    return ExitCode.DONE
