"""Commands that bring things in: `init`, `import`, `ingest`."""

import argparse
import re
import sys
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import BinaryIO

from api.cli.output import CommandError, ExitCode, counting, emit, note
from api.installation import Installation, open_installation
from api.settings import Settings
from audit.events import Activity
from ingest.formats.registry import canonical_format, sniff
from ingest.pipeline import Reconciliation
from ingest.sources.profile import Profile, parse_profile

__all__ = ["import_feeds", "ingest", "init"]

_SNIFFED = 65536
_SOURCE_ID = re.compile(r"[^\W_][\w.-]{0,99}")
_PACKED = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "ZIP",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
"""How files begin that must be unpacked or converted first; taken as they are, every line would be refused."""


def init(arguments: argparse.Namespace, settings: Settings) -> ExitCode:
    """Make the data directory, its tables and keys; nothing is touched that exists."""
    with open_installation(settings) as installation:
        document = {"data": str(settings.data.resolve()), "sources": len(installation.catalogue)}
    emit(
        document,
        as_json=arguments.json,
        lines=[f"{document['data']}: 準備ができました / ready ({document['sources']} sources)"],
    )
    return ExitCode.DONE


def import_feeds(arguments: argparse.Namespace, settings: Settings) -> ExitCode:
    """Import context feeds; each file whole or not at all."""
    contents = [(path, _read(path)) for path in arguments.files]
    with open_installation(settings) as installation:
        results = []
        for path, content in contents:
            found = installation.context.import_feed(arguments.kind, content)
            results.append({"file": str(path), **asdict(found)})
            counts = {"new": str(found.new), "changed": str(found.changed)}
            installation.act(Activity.IMPORT, f"context.{arguments.kind}", {"file": path.name, **counts})
    totals = {key: sum(result[key] for result in results) for key in ("read", "new", "changed", "unchanged")}
    emit(
        {"kind": arguments.kind, **totals, "files": results},
        as_json=arguments.json,
        lines=[
            f"{result['file']}: {result['read']} 行、新規 {result['new']}、変更 {result['changed']}、"
            f"変更なし {result['unchanged']} / {result['read']} rows, {result['new']} new, {result['changed']} changed"
            for result in results
        ],
    )
    return ExitCode.DONE


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path}: 読めません / cannot be read ({error.strerror})") from error


def ingest(arguments: argparse.Namespace, settings: Settings) -> ExitCode:
    """Take in logs: read = stored + duplicates + quarantined."""
    try:
        asked = canonical_format(arguments.format) if arguments.format else ""
    except ValueError as error:
        raise CommandError(str(error)) from error
    if not _SOURCE_ID.fullmatch(arguments.source):
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
        for name in arguments.files:
            with counting(name) as progress, ExitStack() as stack:
                stream = sys.stdin.buffer if name == "-" else stack.enter_context(Path(name).open("rb"))
                total.add(_one(installation, stream, name, profile, asked, progress))
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
        text = _read(arguments.profile).decode()
    except UnicodeDecodeError as error:
        raise CommandError(f"{arguments.profile}: UTF-8 ではありません / is not UTF-8") from error
    return replace(parse_profile(text, str(arguments.profile)), id=arguments.source)


class _Peeked:
    """A stream whose beginning has been looked at; reads give it again."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.head = stream.read(_SNIFFED)
        self._left = self.head

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        if self._left:
            given, self._left = self._left, b""
            return given + self._stream.read(max(0, size - len(given)) if size >= 0 else -1)
        return self._stream.read(size)


def _one(
    installation: Installation, stream: BinaryIO, name: str, profile: Profile, asked: str, progress: object
) -> Reconciliation:
    peeked = _Peeked(stream)
    for beginning, kind in _PACKED.items():
        if peeked.head.startswith(beginning):
            raise CommandError(
                f"{name}: {kind} です。展開または変換してから取り込んでください / "
                f"this is {kind}: unpack or convert it first"
            )
    known = profile.id in installation.catalogue or profile.fields
    fmt = asked or (profile.format if known else sniff(peeked.head.splitlines()[:20]) or profile.format)
    return installation.ingest(peeked, name=Path(name).name, profile=profile, fmt=fmt, progress=progress)  # type: ignore[arg-type] # only read() is used
