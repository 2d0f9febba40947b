"""`sources try`: what a profile makes of a file, line by line, or a profile proposed from the file alone.

Nothing is stored, nothing is held, and no installation is needed: the profiles are the shipped ones and, where the
data directory has some, the town's own.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, BinaryIO

from api.cli.output import CommandError, ExitCode, counting, emit, note
from api.settings import Settings
from audit.clock import Clock, SystemClock
from audit.events import FIELDS
from audit.texts import Texts
from ingest.formats.registry import canonical_format
from ingest.sources.catalogue_reader import cities, load_catalogue
from ingest.sources.knowledge import Knowledge
from ingest.sources.profile import ENCODINGS, Profile, parse_profile
from ingest.sources.proposal import Proposal, propose
from ingest.sources.sample import MAX_BYTES, MAX_LINES, SampleError, refuse_packed
from ingest.sources.trial import Part, Shown, Summary, Trial, try_profile

__all__ = ["add_parser"]

_SHOWN = 20
_ENCODINGS = {
    **{name.replace("-", "").replace("_", ""): name for name in ENCODINGS},
    **dict.fromkeys(("sjis", "shiftjis", "windows31j", "mskanji", "ms932"), "cp932"),
    "eucjp": "euc_jp",
    "utf8bom": "utf-8",
    "utf8sig": "utf-8",
}
_TABLES = {"activity": "[activities]", "outcome": "[outcomes]", "actor.kind": '[words."actor.kind"]'}


def add_parser(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]",
    parents: list[argparse.ArgumentParser] | None = None,
    clock: Clock | None = None,
) -> argparse.ArgumentParser:
    """Add `try` to the subcommands of `sources`.

    Args:
        subparsers: of `sources`.
        parents: the options that all commands share.
        clock: taken for the moment of receipt.

    Returns:
        The parser of `try`.
    """
    words = _both("プロファイルをファイルで試す、または案を作る", "try a profile on a file, or propose one from it")
    command = subparsers.add_parser("try", parents=parents or [], help=words, description=words)
    command.add_argument(
        "profile",
        nargs="?",
        default="",
        metavar="PROFILE",
        help=_both(
            "識別子、識別子@市（例 tax@shinjuku）、TOML のパス。省くと案を作る",
            "source id, id@city, or a TOML file; without one, a profile is proposed",
        ),
    )
    command.add_argument("file", metavar="FILE", help=_both("ファイル、- は標準入力", "a file, - for stdin"))
    command.add_argument("--propose", action="store_true", help=_both("案を作る", "propose a profile"))
    command.add_argument(
        "--lines", type=int, default=_SHOWN, metavar="N", help=_both("表示する記録数（既定 20）", "records shown (20)")
    )
    command.add_argument("--format", default="", help=_both("形式", "format, instead of the profile's"))
    command.add_argument("--encoding", default="", help=_both("文字コード", "encoding, instead of the profile's"))
    used = clock or SystemClock()
    command.set_defaults(run=lambda arguments, settings: _try(arguments, settings, used))
    return command


def _both(ja: str, en: str) -> str:
    return f"{ja} / {en}"


def _try(arguments: argparse.Namespace, settings: Settings, clock: Clock) -> ExitCode:
    if arguments.lines < 0:
        raise CommandError(_both("--lines は 0 以上です", "--lines is 0 or more"))
    fmt, encoding = _format(arguments.format), _encoding(arguments.encoding)
    catalogue, profile = _profiles(arguments.profile, settings.data / "sources")
    knowledge = Knowledge.of(catalogue.values())
    with _opened(arguments.file) as stream:
        try:
            if profile is None or arguments.propose:
                name = "" if arguments.file == "-" else Path(arguments.file).name
                made = propose(stream, knowledge, clock.now(), name=name, fmt=fmt, encoding=encoding, base=profile)
                return _print_proposal(made, as_json=arguments.json)
            profile = replace(profile, encoding=encoding or profile.encoding, format=fmt or profile.format)
            with counting(arguments.file) as progress:
                trial = try_profile(profile, stream, clock.now(), knowledge, most=arguments.lines, progress=progress)
        except SampleError as error:
            raise CommandError(f"{arguments.file}: {error}") from error
        except OSError as error:
            raise _unreadable(arguments.file, error) from error
    return _print_trial(profile, trial, as_json=arguments.json)


def _format(given: str) -> str:
    try:
        return canonical_format(given) if given else ""
    except ValueError as error:
        raise CommandError(str(error)) from error


def _encoding(given: str) -> str:
    found = _ENCODINGS.get(given.lower().replace("-", "").replace("_", ""), "")
    if given and not found:
        known = ", ".join(ENCODINGS)
        raise CommandError(_both(f"未知の文字コードです。使えるもの: {known}", f"unknown encoding; known are {known}"))
    return found


def _profiles(given: str, own: Path) -> tuple[Mapping[str, Profile], Profile | None]:
    """What is known, and the profile that is asked for."""
    if given.endswith(".toml") or "/" in given:
        # A town's own profile that is being written must not stand in the way of trying it.
        try:
            text = Path(given).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(_both(f"{given}: 読めません", f"{given}: cannot be read as UTF-8 text")) from error
        return load_catalogue(), parse_profile(text, given)
    catalogue = load_catalogue(own)
    if not given:
        return catalogue, None
    source, _, city = given.partition("@")
    profile = catalogue.get(source)
    if profile is None:
        raise CommandError(_both(f"{source}: カタログにない発生元です", f"{source}: not in the catalogue"))
    if city and city not in cities():
        known = ", ".join(cities())
        raise CommandError(_both(f"{city}: 未知の市区です（{known}）", f"{city}: unknown city ({known})"))
    if city and city not in profile.cities:
        raise CommandError(_both(f"{city} に {source} はありません", f"{city} has no {source}"))
    return catalogue, profile.in_city(city) if city else profile


@contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    if name == "-":
        yield sys.stdin.buffer
        return
    try:
        stream = Path(name).open("rb")  # noqa: SIM115 - closed below; only opening it may fail here
    except OSError as error:
        raise _unreadable(name, error) from error
    with stream:
        try:
            refuse_packed(stream.peek(16))
        except SampleError as error:
            raise CommandError(f"{name}: {error}") from error
        yield stream


def _unreadable(name: str, error: OSError) -> CommandError:
    return CommandError(_both(f"{name}: 読めません", f"{name}: cannot be read ({error.strerror})"))


def _print_proposal(made: Proposal, *, as_json: bool) -> ExitCode:
    summary = made.summary
    alike = made.alike
    document = {
        "toml": made.toml,
        "format": made.layout.format,
        "encoding": made.sample.encoding,
        "looked_at": {"bytes": made.sample.size, "records": made.layout.records, "whole": made.sample.whole},
        "alike": {
            "id": alike.profile.id,
            "city": alike.city or None,
            "columns": list(alike.names),
            "words": list(alike.words),
        }
        if alike
        else None,
        "summary": _summary(summary),
    }
    emit(document, as_json=as_json, lines=made.toml.splitlines())
    if not made.sample.whole:
        size = MAX_BYTES >> 20
        note(
            _both(
                f"先頭の {size} MB・{MAX_LINES:,} 行までから作りました",
                f"proposed from the beginning only: at most {size} MB and {MAX_LINES:,} lines",
            )
        )
    if summary.refused:
        note(
            _both(
                f"この案ではサンプルの {summary.refused} 件が拒否されます。先頭の注記を見てください",
                f"under this proposal {summary.refused} records of the sample are refused: see its first lines",
            )
        )
    return _code(summary)


def _print_trial(profile: Profile, trial: Trial, *, as_json: bool) -> ExitCode:
    document = {
        "profile": profile.id,
        "format": profile.format,
        "encoding": profile.encoding,
        "records": [
            {
                "line": record.line,
                "raw": record.raw,
                "accepted": not record.reasons,
                "fields": [asdict(part) for part in record.parts],
                "reasons": list(record.reasons),
            }
            for record in trial.shown
        ],
        "summary": _summary(trial.summary),
    }
    emit(document, as_json=as_json, lines=_lines(profile, trial))
    if not trial.summary.read:
        note(_both("記録がありません", "there are no records in it"))
    return _code(trial.summary)


def _code(summary: Summary) -> ExitCode:
    return ExitCode.QUARANTINED if summary.refused else ExitCode.DONE


def _summary(summary: Summary) -> dict[str, Any]:
    return {
        "read": summary.read,
        "accepted": summary.accepted,
        "refused": summary.refused,
        "masked": summary.masked,
        "filled": {one.path: summary.filled[one.path] for one in FIELDS if summary.filled[one.path]},
        "reasons": dict(summary.reasons.most_common()),
        "words": [{**asdict(word), "why": word.why._asdict()} for word in summary.words],
        "unmapped": [asdict(one) for one in summary.unmapped],
        "documented_missing": list(summary.missing),
        "notes": [one._asdict() for one in summary.notes],
    }


def _lines(profile: Profile, trial: Trial) -> Iterator[str]:
    for record in trial.shown:
        yield from _record(record)
    yield from _sums(profile, trial)
    yield from _advice(trial.summary)


def _record(record: Shown) -> Iterator[str]:
    verdict = _both("拒否", "refused") if record.reasons else _both("受入", "accepted")
    yield f"── {record.line} 行目 / line {record.line}: {verdict}"
    yield f"   {record.raw}"
    for part in record.parts:
        yield f"   {_part(part)}"
    for reason in record.reasons:
        yield f"   ✗ {reason}"
    yield ""


def _part(part: Part) -> str:
    if part.how == "dropped":
        return f"（除外 dropped） ← {part.name}"
    came = {"constant": "（プロファイルの定数 / profile's constant）", "format": "（形式による / by the format）"}
    start = f"{part.path} ← {part.name or came.get(part.how, '')}"
    if part.how == "unmapped":
        return f"{start} 「{part.said}」 （対応なし unmapped）"
    if not part.name:
        return f"{start} = {part.value}"
    return f"{start} 「{part.said}」" + (f" = {part.value}" if part.value else "")


def _sums(profile: Profile, trial: Trial) -> Iterator[str]:
    sums = trial.summary
    yield f"══ {profile.name_ja} / {profile.name_en} ({profile.id}: {profile.format}, {profile.encoding})"
    yield _both(
        f"読込 {sums.read} = 受入 {sums.accepted} + 拒否 {sums.refused}",
        f"read {sums.read} = accepted {sums.accepted} + refused {sums.refused}",
    )
    if sums.read > len(trial.shown):
        yield _both(f"うち {len(trial.shown)} 件を表示", f"of which {len(trial.shown)} are shown")
    if sums.masked:
        yield _both(f"個人番号 {sums.masked} 件を伏せました", f"{sums.masked} My Numbers are masked")
    for reason, count in sums.reasons.most_common():
        yield f"  ✗ {count}: {reason}"
    if sums.filled:
        yield _both("項目ごとの件数:", "how often each field is filled:")
        yield from (f"  {sums.filled[one.path]:>8} {one.path}" for one in FIELDS if sums.filled[one.path])


def _advice(sums: Summary) -> Iterator[str]:
    if sums.words:
        yield _both("語彙にない語と、足す行の案:", "words that are not in the vocabulary, and lines to add:")
    for word in sums.words:
        now = f" （今は * により {word.taken_as} / now {word.taken_as} by *）" if word.taken_as else ""
        yield f"  {word.count:>8} {_TABLES[word.path]} {word.line}  # {_text(word.why)}{now}"
    if sums.unmapped:
        yield _both("対応のない項目と、足す行の案:", "fields that nothing maps, and lines to add:")
    for one in sums.unmapped:
        table = "" if one.suggestion == "drop" else "[fields] "
        yield f"  {one.count:>8} {one.name}" + (f"  {table}{one.line}" if one.line else "")
    if sums.missing:
        paths = ", ".join(sums.missing)
        yield _both(f"文書にあるのに現れない項目: {paths}", f"documented fields that never occurred: {paths}")
    yield from (f"! {_text(one)}" for one in sums.notes)


def _text(text: Texts) -> str:
    return _both(text.ja, text.en)
