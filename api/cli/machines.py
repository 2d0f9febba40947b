"""`sources credential`: what sending systems prove themselves with. A secret is printed once and kept nowhere in clear.

Every act is recorded before its result is printed; `by` is the operating system's user who ran the command.
"""

import argparse
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from api.cli.output import CommandError, ExitCode, emit, note
from api.installation import Installation, open_installation
from api.settings import Settings
from audit.access.machines import Binding, CredentialInfo, MachineService, MachineStateError

__all__ = ["add_parser"]

Act = Callable[[argparse.Namespace, Installation, MachineService], ExitCode]


def add_parser(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]",
    parents: list[argparse.ArgumentParser] | None = None,
) -> argparse.ArgumentParser:
    """Add `credential` to the subcommands of `sources`.

    Args:
        subparsers: of `sources`.
        parents: the options that all commands share.

    Returns:
        The parser of `credential`.
    """
    words = _both("送信システムの認証情報", "credentials of sending systems")
    credential = subparsers.add_parser("credential", parents=parents or [], help=words, description=words)
    actions = credential.add_subparsers(dest="action", required=True, metavar="ACTION")

    def add(name: str, act: Act, ja: str, en: str, *, source: bool = True) -> argparse.ArgumentParser:
        command = actions.add_parser(name, parents=parents or [], help=_both(ja, en), description=_both(ja, en))
        command.add_argument(
            "source", nargs=None if source else "?", default="", help=_both("発生元の識別子", "source id")
        )
        command.set_defaults(run=lambda arguments, settings: _run(act, arguments, settings))
        return command

    command = add("issue", _issue, "認証情報を発行する（一度だけ表示）", "issue a credential, shown once")
    command.add_argument(
        "--days", type=int, default=0, help=_both("有効日数（既定 397）", "days it lives (default 397)")
    )

    add("list", _list, "認証情報の一覧", "list credentials", source=False)

    command = add("revoke", _revoke, "認証情報を取り消す", "revoke a credential, certificate or key")
    which = command.add_mutually_exclusive_group(required=True)
    which.add_argument("--id", default="", help=_both("一覧の識別子", "the id that `list` shows"))
    which.add_argument("--all", action="store_true", help=_both("この発生元のすべて", "everything of this source"))

    command = add("bind", _bind, "証明書または署名鍵を結び付ける", "bind a client certificate or a signing key")
    what = command.add_mutually_exclusive_group(required=True)
    what.add_argument("--certificate", type=Path, metavar="PEM", help=_both("クライアント証明書", "client certificate"))
    what.add_argument("--fingerprint", metavar="SHA256", help=_both("証明書の SHA-256", "a certificate's SHA-256"))
    what.add_argument(
        "--signing-key",
        type=Path,
        metavar="PEM",
        help=_both("Ed25519 公開鍵（PEM か JWK）", "Ed25519 public key, PEM or JWK"),
    )
    return credential


def _both(ja: str, en: str) -> str:
    return f"{ja} / {en}"


def _by() -> str:
    return f"uid {os.getuid()}"


def _run(act: Act, arguments: argparse.Namespace, settings: Settings) -> ExitCode:
    with open_installation(settings) as installation:
        try:
            return act(arguments, installation, installation.machines)
        except MachineStateError as error:
            raise CommandError(_both(error.text("ja"), error.text("en"))) from error


def _known(source: str, installation: Installation) -> None:
    if source not in installation.catalogue:
        note(_both(f"{source}: カタログにない発生元です", f"{source}: not in the catalogue"))


def _issue(arguments: argparse.Namespace, installation: Installation, machines: MachineService) -> ExitCode:
    """Issue a credential and print it."""
    if arguments.days < 0:
        raise CommandError(_both("--days は正の数です", "--days is a positive number"))
    _known(arguments.source, installation)
    end = installation.clock.now() + timedelta(days=arguments.days) if arguments.days else None
    made = machines.register(arguments.source, expires_at=end, by=_by())
    document = {
        "source": made.source,
        "client_id": made.client_id,
        "client_secret": made.client_secret,
        "expires_at": made.expires_at.isoformat(),
        "token_endpoint": machines.rules.token_endpoint,
    }
    emit(document, as_json=arguments.json, lines=[f"{name}: {value}" for name, value in document.items()])
    note(_both("client_secret は二度と表示されません", "the client_secret is not shown again"))
    return ExitCode.DONE


def _list(arguments: argparse.Namespace, _installation: Installation, machines: MachineService) -> ExitCode:
    """List credentials, certificates and keys; no secret."""
    credentials, bindings = machines.listing(arguments.source), machines.bindings(arguments.source)
    document = {
        "credentials": [_credential(info) for info in credentials],
        "bindings": [_binding(binding) for binding in bindings],
    }
    lines = [
        f"{info.source}\tclient\t{info.client_id}\t"
        + (
            f"取消 / revoked {info.revoked_at.isoformat()}"
            if info.revoked_at
            else f"期限 / expires {info.expires_at.isoformat()}"
        )
        for info in credentials
    ]
    lines += [
        f"{binding.source}\t{binding.kind}\t{binding.id}\t"
        + (f"期限 / expires {binding.expires_at.isoformat()}" if binding.expires_at else "-")
        for binding in bindings
    ]
    emit(document, as_json=arguments.json, lines=lines)
    return ExitCode.DONE


def _credential(info: CredentialInfo) -> dict[str, Any]:
    return {
        "source": info.source,
        "client_id": info.client_id,
        "created_at": info.created_at.isoformat(),
        "expires_at": info.expires_at.isoformat(),
        "revoked_at": info.revoked_at.isoformat() if info.revoked_at else None,
        "last_used_at": info.last_used_at.isoformat() if info.last_used_at else None,
    }


def _binding(binding: Binding) -> dict[str, Any]:
    return {
        "source": binding.source,
        "kind": binding.kind,
        "id": binding.id,
        "created_at": binding.created_at.isoformat(),
        "expires_at": binding.expires_at.isoformat() if binding.expires_at else None,
    }


def _revoke(arguments: argparse.Namespace, _installation: Installation, machines: MachineService) -> ExitCode:
    """Revoke one thing of a source, or everything."""
    wanted = [arguments.id] if arguments.id else []
    if arguments.all:
        # Credentials first: with a certificate unbound before them, tokens would for a moment need none.
        wanted += [info.client_id for info in machines.listing(arguments.source) if info.revoked_at is None]
        wanted += [binding.id for binding in machines.bindings(arguments.source)]
    for identifier in wanted:
        machines.revoke(arguments.source, identifier, by=_by())
    emit(
        {"source": arguments.source, "revoked": wanted},
        as_json=arguments.json,
        lines=[_both(f"{identifier}: 取り消しました", "revoked") for identifier in wanted],
    )
    return ExitCode.DONE


def _bind(arguments: argparse.Namespace, installation: Installation, machines: MachineService) -> ExitCode:
    """Bind a certificate or a signing key."""
    _known(arguments.source, installation)
    if arguments.signing_key:
        binding = machines.bind_signing_key(arguments.source, _read(arguments.signing_key), by=_by())
    else:
        given = arguments.fingerprint or _read(arguments.certificate)
        binding = machines.bind_certificate(arguments.source, given, by=_by())
    emit(_binding(binding), as_json=arguments.json, lines=[f"{binding.source}\t{binding.kind}\t{binding.id}"])
    return ExitCode.DONE


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        raise CommandError(_both(f"{path}: PEM として読めません", f"{path}: cannot be read as PEM")) from error
