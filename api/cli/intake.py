"""`ingest`: takes in files and standard input.

A file is its own spool: after a crash the same command takes the rest, and nothing twice. What comes through a pipe is
gone once it was read, so it goes into the spool first.
"""

import argparse
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from api.cli.output import CommandError, ExitCode, counting, emit, note, read_file
from api.installation import Installation, open_installation
from api.settings import Settings
from audit.events import mask
from ingest.formats.registry import canonical_format, recognise, sniff
from ingest.pipeline import Reconciliation
from ingest.reader import Readable, read_pieces
from ingest.receivers.model import InboxFullError
from ingest.receivers.pipe import follow_pipe
from ingest.receivers.unpacking import PackedError, packing, unpack
from ingest.sources.profile import Profile, parse_profile

__all__ = ["ingest"]

_SNIFFED = 65536
_PIECE = 1 << 20
_SOURCE_ID = re.compile(r"[^\W_][\w.-]{0,99}")


def ingest(arguments: argparse.Namespace, settings: Settings) -> ExitCode:
    """Take in logs: read = stored + duplicates + quarantined."""
    try:
        asked = canonical_format(arguments.format) if arguments.format else ""
    except ValueError as error:
        raise CommandError(str(error)) from error
    if not _SOURCE_ID.fullmatch(arguments.source) or mask(arguments.source)[1]:
        raise CommandError("--source: 英数字と . _ - で 100 文字まで / letters, digits, . _ - and at most 100 of them")
    for name in arguments.files:
        if name != "-" and not Path(name).is_file():
            raise CommandError(f"{name}: ファイルがありません / no such file")
    total = Reconciliation()
    with open_installation(settings) as installation:
        profile = _given_profile(arguments) or installation.profile(arguments.source)
        if arguments.source not in installation.catalogue and not arguments.profile:
            note(
                f"{arguments.source}: カタログにない発生元です。既定のプロファイルで取り込みます / "
                "not in the catalogue, taken with the default profile"
            )
        installation.writer().drain()  # what a stopped service left
        for name in arguments.files:
            try:
                with counting(name) as progress:
                    if name == "-":
                        taken = _take_pipe(installation, profile, asked, follow=arguments.follow)
                    else:
                        taken = _take_file(installation, Path(name), profile, asked, progress)
            except PackedError as error:
                raise CommandError(f"{name}: {error.reason.ja} / {error.reason.en}") from error
            total.add(taken)
    document = {key: getattr(total, key) for key in ("read", "stored", "duplicates", "quarantined")}
    emit(
        {**document, "conflicts": total.conflicts, "masked": total.masked},
        as_json=arguments.json,
        lines=[
            (
                f"読込 {total.read} = 保存 {total.stored} + 重複 {total.duplicates} + 隔離 {total.quarantined}"
                f" / read {total.read} = stored {total.stored} + duplicates {total.duplicates}"
                f" + quarantined {total.quarantined}"
            )
        ],
    )
    if total.quarantined:
        note("隔離された記録と理由: mimamori quarantine list / refused records and why: mimamori quarantine list")
        if total.quarantined == total.read:
            note("すべて隔離されました。--format は正しいですか / every record was refused: is --format right?")
    return ExitCode.QUARANTINED if total.quarantined else ExitCode.DONE


def _given_profile(arguments: argparse.Namespace) -> Profile | None:
    """The profile named on the command line, for the source named there."""
    if arguments.profile is None:
        return None
    try:
        text = read_file(arguments.profile).decode()
    except UnicodeDecodeError as error:
        raise CommandError(f"{arguments.profile}: UTF-8 ではありません / is not UTF-8") from error
    return replace(parse_profile(text, str(arguments.profile)), id=arguments.source)


class _Stream:
    """A file's bytes, unpacked where it is packed, whose beginning can be looked at."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.head = b""
        for piece in pieces:
            self.head += piece
            if len(self.head) >= _SNIFFED:
                break
        self._pieces = chain([self.head], pieces)
        self._left = b""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end."""
        held = [self._left]
        length = len(self._left)
        while length < size and (piece := next(self._pieces, b"")):
            held.append(piece)
            length += len(piece)
        data = b"".join(held)
        self._left = data[size:]
        return data[:size]


def _open(installation: Installation, file: BinaryIO, name: str) -> _Stream:
    """What a file holds, unpacked.

    Raises:
        CommandError: it is packed in a way that is not taken.
    """
    head = file.read(8)
    source = _Counted(head, file)
    packed = packing(head)
    plain = iter(lambda: source.read(_PIECE), b"")
    limit = installation.settings.max_file
    stream = _Stream(unpack(source, packed, lambda: source.size, limit=limit) if packed else plain)
    if stream.head.startswith(b"PK\x03\x04"):
        raise CommandError(f"{name}: ZIP です。展開してから取り込んでください / this is ZIP: unpack it first")
    return stream


class _Counted:
    """A file of which the beginning was read already, and how much was read of it."""

    closed = False

    def __init__(self, head: bytes, file: BinaryIO) -> None:
        self._head = head
        self._file = file
        self.size = 0

    def read(self, size: int = -1) -> bytes:
        """At most so many bytes."""
        given, self._head = (self._head[:size], self._head[size:]) if self._head else (self._file.read(size), b"")
        self.size += len(given)
        return given

    def close(self) -> None:
        """Nothing: who opened the file closes it."""


def _take_file(
    installation: Installation, path: Path, profile: Profile, asked: str, progress: Callable[[int], None]
) -> Reconciliation:
    with path.open("rb") as file:
        stream = _open(installation, file, str(path))
        profile = installation.fit(profile, stream.head, installation.clock.now())
        fmt = _format(installation, stream.head, profile, asked)
        return installation.ingest(stream, name=path.name, profile=profile, fmt=fmt, progress=progress)


def _format(installation: Installation, head: bytes, profile: Profile, asked: str) -> str:
    """The format asked for, else the profile's; a source that nobody has described is looked at."""
    lines = _first_lines(head, profile.encoding)
    if asked or profile.id in installation.catalogue or profile.fields:
        return asked or recognise(lines, profile)
    return sniff(lines) or profile.format


def _first_lines(head: bytes, encoding: str) -> list[bytes]:
    beginning: Readable = _Stream(iter([head]))
    first = next(read_pieces(beginning, len(head) + 1, encoding), None)
    return getattr(first, "data", b"").split(b"\n")[:20]


def _take_pipe(installation: Installation, profile: Profile, asked: str, *, follow: bool) -> Reconciliation:
    """Take in what comes through the pipe: kept on disk first, then brought to the log."""
    total = Reconciliation()
    writer = installation.writer(lambda _entry, sums: total.add(sums), profile)
    try:
        if follow:
            for _receipt in follow_pipe(sys.stdin.buffer, installation.inbox, profile.id, fmt=asked):
                writer.drain()
        else:
            stream = _open(installation, sys.stdin.buffer, "-")
            fmt = _format(installation, stream.head, profile, asked)
            installation.inbox.accept(profile.id, "-", iter(lambda: stream.read(_PIECE), b""), fmt=fmt)
            writer.drain()
    except InboxFullError as error:
        raise CommandError(str(error)) from error
    return total
