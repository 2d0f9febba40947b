"""Commands that set an installation up: `init`, `import`."""

import argparse
from dataclasses import asdict
from pathlib import Path

from api.cli import staff
from api.cli.output import CommandError, ExitCode, emit, read_file
from api.installation import open_installation, read_city, write_city
from api.settings import Settings
from audit.context import FEEDS
from audit.events import Activity
from audit.store.clickhouse import hold_directory
from ingest.sources.catalogue_reader import load_catalogue

__all__ = ["add_parts", "import_feeds", "init"]


def init(arguments: argparse.Namespace, settings: Settings) -> ExitCode:
    """Make the data directory, its tables and keys; nothing is touched that exists."""
    if arguments.preset:
        load_catalogue(city=arguments.preset)  # a wrong name changes nothing
        with hold_directory(settings.data):
            chosen = read_city(settings.data)
            if chosen not in {"", arguments.preset} and not arguments.change:
                raise CommandError(
                    f"{chosen} の設定で使われています。変えるなら --change を付けてください / "
                    f"in use with the preset {chosen}: add --change to change it"
                )
            write_city(settings.data, arguments.preset)
    with open_installation(settings) as installation:
        document = {
            "data": str(settings.data.resolve()),
            "preset": installation.city or None,
            "sources": len(installation.catalogue),
        }
    preset = f", {installation.city}" if installation.city else ""
    emit(
        document,
        as_json=arguments.json,
        lines=[f"{document['data']}: 準備ができました / ready ({document['sources']} sources{preset})"],
    )
    return ExitCode.DONE


def add_parts(command: argparse.ArgumentParser) -> None:
    """Add what `import` takes."""
    command.add_argument("kind", choices=sorted(FEEDS), help="種類 / kind")
    command.add_argument("files", nargs="+", type=Path, metavar="FILE")
    command.add_argument(
        "--dry-run", action="store_true", help="何が変わるかだけを示す / tell what would change (staff)"
    )
    command.add_argument(
        "--confirm", action="store_true", help="多くの職員の終了を認める / let many people end (staff)"
    )


def import_feeds(arguments: argparse.Namespace, settings: Settings) -> ExitCode:
    """Import context feeds; each file whole or not at all. The staff directory can be asked first what would change."""
    if arguments.kind != "staff" and (arguments.dry_run or arguments.confirm):
        raise CommandError("--dry-run と --confirm は staff だけです / --dry-run and --confirm are for staff")
    contents = [(path, read_file(path)) for path in arguments.files]
    with open_installation(settings) as installation:
        if arguments.dry_run:
            return staff.tell_plans(arguments, installation, contents)
        results = []
        for path, content in contents:
            if arguments.kind == "staff":
                found = staff.bring_in(installation, content, confirm=arguments.confirm)
            else:
                found = installation.context.import_feed(arguments.kind, content)
            results.append({"file": str(path), **asdict(found)})
            counts = {"new": str(found.new), "changed": str(found.changed)}
            installation.act(Activity.IMPORT, f"context.{arguments.kind}", {"file": path.name, **counts})
        installation.acts.drain()
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
