"""Signing in for one command: whoever runs it proves who they are as in the browser.

Password and code are asked for at a terminal, else they are the next two lines of standard input.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from getpass import getpass

from api.cli.output import CommandError
from api.installation import Installation
from audit.access import NeedsSecondFactor, Permission, SignedIn, Viewer

__all__ = ["signed_in"]

_HERE = "127.0.0.1"


def _both(ja: str, en: str) -> str:
    return f"{ja} / {en}"


@contextmanager
def signed_in(installation: Installation, login_id: str, need: Permission) -> Iterator[Viewer]:
    """Somebody who signs in for this command alone.

    Raises:
        AccessError: sign-in is refused, or the permission is not held; recorded.
        CommandError: the person has a session, which nothing here ends.
    """
    access = installation.access
    password = _ask(f"{login_id}: パスワード", "password")
    begun: NeedsSecondFactor = access.begin_sign_in(login_id, password, address=_HERE)
    opened = access.finish_sign_in(begun.ticket, _ask(f"{login_id}: 認証コード", "code"), address=_HERE)
    if not isinstance(opened, SignedIn):
        raise CommandError(
            _both("先にブラウザでサインアウトし、期限切れのパスワードは変えてください", "sign out in the browser first")
        )
    viewer = access.look(opened.token, address=_HERE)
    if not isinstance(viewer, Viewer):
        raise CommandError(_both("サインインできませんでした", "sign-in failed"))
    try:
        access.require(viewer, need)
        yield viewer
    finally:
        access.sign_out(viewer)


def _ask(ja: str, en: str) -> str:
    if sys.stdin.isatty():
        return getpass(f"{_both(ja, en)}: ")
    return sys.stdin.readline().rstrip("\r\n")
