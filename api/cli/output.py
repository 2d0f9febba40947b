"""What commands say: results on stdout, everything else on stderr, one JSON document with `--json`."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from audit.events import mask
from dashboards.show import is_odd

__all__ = ["CommandError", "ExitCode", "as_json_line", "counting", "emit", "note"]


class ExitCode(IntEnum):
    """How a command ended."""

    DONE = 0
    CHECK_FAILED = 1
    USAGE = 2
    QUARANTINED = 3
    HELD = 4


class CommandError(Exception):
    """A command that cannot be done; its message is for the person, in both languages."""

    def __init__(self, message: str, code: ExitCode = ExitCode.USAGE) -> None:
        super().__init__(message)
        self.code = code


def as_json_line(document: Any) -> str:  # noqa: ANN401 - any JSON
    """A document as one line of JSON, exact and harmless: what a terminal obeys or a reader cannot see is escaped."""
    text = json.dumps(document, ensure_ascii=False)
    if not text.isprintable():  # which one call tells of most lines
        text = "".join(json.dumps(char)[1:-1] if is_odd(char) else char for char in text)
    return f"{text}\n"


def emit(document: Any, *, as_json: bool, lines: Iterator[str] | list[str]) -> None:  # noqa: ANN401 - any JSON
    """Print a result: the document with `--json`, else its lines."""
    if as_json:
        sys.stdout.write(as_json_line(document))
    else:
        for line in lines:
            sys.stdout.write(line + "\n")


def note(message: str) -> None:
    """Tell a person something that is not the result."""
    sys.stderr.write(mask(message)[0] + "\n")


@contextmanager
def counting(label: str) -> Iterator[Any]:
    """A counter on a terminal; nothing elsewhere.

    Yields:
        A function of the count so far.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _count: None
        return
    columns = (TextColumn("{task.description}"), TextColumn("{task.completed:,.0f}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(label, total=None)
        yield lambda count: progress.update(task, completed=count)


def read_file(path: Path) -> bytes:
    """A file named on the command line.

    Raises:
        CommandError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path}: 読めません / cannot be read ({error.strerror})") from error
