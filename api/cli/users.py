"""`users`: the users of Mimamori itself, for whoever sits at the machine.

An installation with a single administrator who lost every factor has nobody to ask: here, and only here, one person
makes a reset link alone. It is recorded like any other act.
"""

import argparse
import os

from api.cli.output import CommandError, ExitCode, emit, note
from api.installation import open_installation
from api.settings import Settings
from audit.access import AccountStateError

__all__ = ["add_parts", "reset"]


def add_parts(command: argparse.ArgumentParser, parents: list[argparse.ArgumentParser]) -> None:
    """Add the subcommands of `users`.

    Args:
        command: the parser of `users`.
        parents: the options that all commands share.
    """
    parts = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    words = "認証を再設定するリンクを作る / make a link that binds a user's factors anew"
    made = parts.add_parser("reset", parents=parents, help=words, description=words)
    made.add_argument("login_id", help="ログイン ID / login id")
    made.set_defaults(run=reset)


def reset(arguments: argparse.Namespace, settings: Settings) -> ExitCode:
    """Make a reset link and print it."""
    with open_installation(settings) as installation:
        try:
            token = installation.access.reset_at_the_machine(arguments.login_id, operator=f"uid {os.getuid()}")
        except AccountStateError as error:
            raise CommandError(f"{error.text('ja')} / {error.text('en')}") from error
        link = f"{settings.issuer}/enrol/{token}"
        emit({"login_id": arguments.login_id, "link": link}, as_json=arguments.json, lines=[link])
        note("24 時間以内に 1 回だけ使えます。すべての認証手段が置き換わります / good once within 24 hours")
    return ExitCode.DONE
