"""Moving files out of a sender's way, in folders the sender may write to as well.

So nothing here trusts what lies there: `done` and `error` must be real folders, a symbolic link could lead our moves
anywhere; a name that is taken gets a number; a file is moved only while it is still the file that was read.
"""

import os
import stat
from datetime import date
from pathlib import Path

from audit.texts import Texts
from ingest.receivers.folder.names import REASON, with_suffix
from ingest.receivers.folder.reading import Signature, signature

__all__ = ["DONE", "ERROR", "ReplacedError", "move_back", "move_to_done", "move_to_error"]

DONE = "done"
ERROR = "error"


class ReplacedError(OSError):
    """Under the name lies another file than the one that was read."""


def move_to_done(path: Path, day: date, read: Signature) -> Path:
    """Move a file that was taken.

    Args:
        path: where it lies.
        day: the business day.
        read: what it was when it was read.

    Returns:
        Where it is now.

    Raises:
        ReplacedError: another file lies there now, and still does.
        OSError: it cannot be moved.
    """
    folder = _real_folder(_real_folder(path.parent / DONE) / day.isoformat())
    if signature(path.lstat()) != read:
        raise ReplacedError
    target = _free(folder, path.name)
    path.rename(target)
    if signature(target.lstat()) != read:  # replaced between the look and the move
        target.rename(_free(path.parent, path.name))
        raise ReplacedError
    return target


def move_to_error(path: Path, reason: Texts | None) -> None:
    """Move a faulty file, and write beside it what is wrong; nothing for what only came with one.

    Raises:
        OSError: it cannot be moved.
    """
    folder = _real_folder(path.parent / ERROR)
    target = _free(folder, path.name)
    path.rename(target)
    if reason is None:
        return
    note = os.open(
        folder / with_suffix(target.name, REASON),
        os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW,
        0o644,
    )
    with os.fdopen(note, "w", encoding="utf-8") as file:
        file.write(f"{reason.ja}\n{reason.en}\n")


def move_back(path: Path, home: Path) -> None:
    """Move a file back to where it came from, under its name or one near it.

    Raises:
        OSError: it cannot be moved.
    """
    path.rename(_free(home.parent, home.name))


def _real_folder(path: Path) -> Path:
    path.mkdir(exist_ok=True)
    if not stat.S_ISDIR(path.lstat().st_mode):
        raise NotADirectoryError(f"{path.name} is no folder")
    return path


def _free(folder: Path, name: str) -> Path:
    """A name that nothing bears yet, nor its reason."""
    target, number = folder / name, 0
    while os.path.lexists(target) or os.path.lexists(folder / with_suffix(target.name, REASON)):
        number += 1
        target = folder / with_suffix(name, f".{number}")
    return target
