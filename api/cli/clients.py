"""`clients`: records services that sign their users in through Mimamori, and the keys that sign its ID tokens.

A system proves itself with its credentials as a sending system (`sources credential issue`). Every act is recorded;
`by` is the operating system's user who ran the command.
"""

import argparse
import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from api.cli.output import CommandError, ExitCode, emit, note
from api.installation import Installation, open_installation
from api.settings import Settings
from audit.access.sso import ALGORITHMS, ClientStateError, System

__all__ = ["add_parts"]

Act = Callable[[argparse.Namespace, Installation], ExitCode]


def add_parts(command: argparse.ArgumentParser, parents: list[argparse.ArgumentParser]) -> None:
    """Add the subcommands of `clients`.

    Args:
        command: the parser of `clients`.
        parents: the options that all commands share.
    """
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")

    def add(name: str, act: Act, ja: str, en: str, *, system: bool = True) -> argparse.ArgumentParser:
        part = actions.add_parser(name, parents=parents, help=_both(ja, en), description=_both(ja, en))
        if system:
            part.add_argument("system", help=_both("発生元の識別子", "source id"))
        part.set_defaults(run=lambda arguments, settings: _run(act, arguments, settings))
        return part

    part = add("add", _add, "システムを登録・変更する", "register a system, or change it")
    part.add_argument(
        "--redirect", action="append", required=True, metavar="URI", help=_both("サインイン後の戻り先", "redirect URI")
    )
    part.add_argument(
        "--post-logout",
        action="append",
        default=[],
        metavar="URI",
        help=_both("サインアウト後の戻り先", "after logout"),
    )
    part.add_argument(
        "--max-age",
        type=int,
        default=0,
        metavar="SECONDS",
        help=_both("認証の有効秒数", "how old a sign-in it accepts when its request does not say"),
    )
    part.add_argument(
        "--algorithm",
        choices=ALGORITHMS,
        default=ALGORITHMS[0],
        help=_both("ID トークンの署名方式", "of its ID tokens"),
    )
    add("list", _list, "登録の一覧", "list registered systems", system=False)
    add("remove", _remove, "登録を取り消す", "remove a system; its tokens end at once")
    add("rotate-keys", _rotate, "署名鍵を取り替える", "sign with new keys; those before stay published", system=False)


def _both(ja: str, en: str) -> str:
    return f"{ja} / {en}"


def _by() -> str:
    return f"uid {os.getuid()}"


def _run(act: Act, arguments: argparse.Namespace, settings: Settings) -> ExitCode:
    with open_installation(settings) as installation:
        try:
            return act(arguments, installation)
        except ClientStateError as error:
            raise CommandError(_both(error.text("ja"), error.text("en"))) from error


def _document(system: System, installation: Installation) -> dict[str, Any]:
    now = installation.clock.now()
    live = [
        info.client_id
        for info in installation.machines.listing(system.source)
        if info.revoked_at is None and now < info.expires_at
    ]
    return {"system": system.source, **system.document(), "client_ids": live}


def _lines(document: dict[str, Any]) -> list[str]:
    shown = {name: " ".join(value) if isinstance(value, list) else value for name, value in document.items()}
    return [f"{name}: {value}" for name, value in shown.items() if value]


def _add(arguments: argparse.Namespace, installation: Installation) -> ExitCode:
    """Register a system."""
    if arguments.system not in installation.catalogue:
        note(_both(f"{arguments.system}: カタログにない発生元です", f"{arguments.system}: not in the catalogue"))
    system = System(
        source=arguments.system,
        redirect_uris=tuple(arguments.redirect),
        post_logout_uris=tuple(arguments.post_logout),
        max_age=timedelta(seconds=arguments.max_age) if arguments.max_age else None,
        algorithm=arguments.algorithm,
    )
    installation.sso.register(system, by=_by())
    document = _document(system, installation) | {"issuer": installation.machines.rules.issuer}
    emit(document, as_json=arguments.json, lines=_lines(document))
    if not document["client_ids"]:
        note(
            _both(
                f"認証情報がまだありません: mimamori sources credential issue {system.source}",
                f"it has no credential yet: mimamori sources credential issue {system.source}",
            )
        )
    return ExitCode.DONE


def _list(arguments: argparse.Namespace, installation: Installation) -> ExitCode:
    """List the systems."""
    documents = [_document(system, installation) for system in installation.sso.systems()]
    lines = [line for document in documents for line in (*_lines(document), "")]
    emit({"clients": documents}, as_json=arguments.json, lines=lines[:-1])
    return ExitCode.DONE


def _remove(arguments: argparse.Namespace, installation: Installation) -> ExitCode:
    """Remove a system."""
    installation.sso.remove(arguments.system, by=_by())
    emit(
        {"removed": arguments.system},
        as_json=arguments.json,
        lines=[_both(f"{arguments.system}: 取り消しました", "removed")],
    )
    return ExitCode.DONE


def _rotate(arguments: argparse.Namespace, installation: Installation) -> ExitCode:
    """Change the signing keys."""
    kids = installation.sso.rotate_keys(by=_by())
    emit({"kids": kids}, as_json=arguments.json, lines=[f"kid: {kid}" for kid in kids])
    return ExitCode.DONE
