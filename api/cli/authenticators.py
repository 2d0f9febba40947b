"""`authenticators`: the policy for security keys, the FIDO metadata behind it, and the keys that are enrolled.

A town's network has no way to the metadata service: the blob comes as a file, with the root certificate beside it the
first time. Every act is recorded; `operator` is the operating system's user who ran the command.
"""

import argparse
import os
from pathlib import Path
from typing import Any

from api.cli.output import CommandError, ExitCode, emit, note, read_file
from api.installation import open_installation
from api.settings import Settings
from audit.access.authenticators import (
    Authenticator,
    MetadataRefusedError,
    MetadataState,
    PolicyError,
    format_policy,
    read_policy_file,
)

__all__ = ["add_parser"]


def add_parser(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", parents: list[argparse.ArgumentParser]
) -> None:
    """Add `authenticators` to the commands.

    Args:
        commands: of the program.
        parents: the options that all commands share.
    """
    words = _both("セキュリティキーと生体認証の方針・機種・一覧", "security keys: policy, models, what is enrolled")
    command = commands.add_parser("authenticators", parents=parents, help=words, description=words)
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")

    words = _both("FIDO メタデータ（MDS3）を取り込む", "take in FIDO metadata (MDS3)")
    part = actions.add_parser("import-metadata", parents=parents, help=words, description=words)
    part.add_argument("file", type=Path, metavar="FILE", help=_both("公開されたファイル", "the blob as published"))
    part.add_argument(
        "--root",
        type=Path,
        metavar="PEM",
        help=_both("ルート証明書（初回は必須）", "root certificate, needed at first"),
    )
    part.add_argument(
        "--change-root", action="store_true", help=_both("別のルート証明書に変える", "take another root than before")
    )
    part.set_defaults(run=_import)

    words = _both("認証器の方針", "the policy for authenticators")
    policy = actions.add_parser("policy", parents=parents, help=words, description=words)
    acts = policy.add_subparsers(dest="act", required=True, metavar="ACTION")
    words = _both("有効な方針を表示する", "show the policy in force")
    acts.add_parser("show", parents=parents, help=words, description=words).set_defaults(run=_show)
    words = _both("方針のファイルを確かめる", "check a file, change nothing")
    part = acts.add_parser("check", parents=parents, help=words, description=words)
    part.add_argument("file", type=Path, metavar="FILE", help="TOML")
    part.set_defaults(run=_check)

    words = _both("登録された認証器とメタデータの一覧", "list enrolled authenticators, and the metadata")
    actions.add_parser("list", parents=parents, help=words, description=words).set_defaults(run=_list)


def _both(ja: str, en: str) -> str:
    return f"{ja} / {en}"


def _import(arguments: argparse.Namespace, settings: Settings) -> ExitCode:
    """Take in metadata."""
    blob = read_file(arguments.file)
    root = _pem(read_file(arguments.root)) if arguments.root else None
    with open_installation(settings) as installation:
        try:
            state = installation.authenticators.metadata.take(
                blob, root, by=f"uid {os.getuid()}", change_root=arguments.change_root
            )
        except MetadataRefusedError as error:
            raise CommandError(_both(error.text("ja"), error.text("en"))) from error
    emit(
        _state(state),
        as_json=arguments.json,
        lines=[
            _both(
                f"FIDO メタデータ第{state.number}版、{state.models} 機種を取り込みました",
                f"FIDO metadata number {state.number} with {state.models} models is in force",
            )
        ],
    )
    _warn(state)
    return ExitCode.DONE


def _show(arguments: argparse.Namespace, settings: Settings) -> ExitCode:
    """Show the policy in force."""
    with open_installation(settings) as installation:
        policy = installation.authenticators.policies.current()
    if policy is None:
        raise CommandError(
            _both("使える方針がありません。登録はできません", "no policy can be used: nothing can be enrolled"),
            ExitCode.CHECK_FAILED,
        )
    text = format_policy(policy)
    emit({"policy": text}, as_json=arguments.json, lines=text.splitlines())
    return ExitCode.DONE


def _check(arguments: argparse.Namespace, _settings: Settings) -> ExitCode:
    """Check a file."""
    try:
        text = format_policy(read_policy_file(arguments.file))
    except FileNotFoundError as error:
        raise CommandError(_both(f"{arguments.file}: ありません", "no such file")) from error
    except PolicyError as error:
        raise CommandError(_both(error.text("ja"), error.text("en")), ExitCode.CHECK_FAILED) from error
    emit({"policy": text}, as_json=arguments.json, lines=text.splitlines())
    return ExitCode.DONE


def _list(arguments: argparse.Namespace, settings: Settings) -> ExitCode:
    """List what is enrolled."""
    with open_installation(settings) as installation:
        enrolled = installation.authenticators.enrolled()
        state = installation.authenticators.metadata.state()
    emit(
        {"metadata": _state(state), "authenticators": [_shown(owner, key) for owner, key in enrolled]},
        as_json=arguments.json,
        lines=["\t".join(map(str, _shown(owner, key).values())) for owner, key in enrolled],
    )
    _warn(state)
    return ExitCode.DONE


def _pem(raw: bytes) -> str:
    return raw.decode("ascii", "replace")


def _warn(state: MetadataState) -> None:
    if state.warning is not None:
        note(_both(state.warning.ja, state.warning.en))


def _state(state: MetadataState) -> dict[str, Any]:
    return {
        "number": state.number,
        "models": state.models,
        "next_update": state.next_update.isoformat() if state.next_update else None,
        "imported_at": state.imported_at.isoformat() if state.imported_at else None,
        "stale": state.warning is not None,
    }


def _shown(owner: str, key: Authenticator) -> dict[str, Any]:
    return {
        "login_id": owner,
        "id": key.id,
        "name": key.name,
        "model": key.model,
        "aaguid": key.aaguid,
        "attested": key.attested.value,
        "modalities": " ".join(sorted(key.modalities)),
        "device_bound": key.device_bound,
        "created_at": key.created_at.isoformat(),
        "last_used_at": key.last_used_at.isoformat() if key.last_used_at else None,
        "refused": key.refused,
    }
