"""`serve`: pages and API until stopped."""

import argparse
import signal
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

from api.cli.output import CommandError, ExitCode, note
from api.installation import Installation, open_installation
from api.settings import Settings

if TYPE_CHECKING:  # the web stack is loaded by the commands that serve, not by every command
    import uvicorn
    from fastapi import FastAPI

__all__ = ["check_port", "run_server", "serve", "server_config"]


def serve(_arguments: argparse.Namespace, settings: Settings) -> ExitCode:
    """Serve; an installation without users prints a one-time link for the first administrator."""
    check_port(settings)
    with open_installation(settings) as installation:
        address = f"http://{'localhost' if settings.host == '127.0.0.1' else settings.host}:{settings.port}"
        if installation.access.is_empty():
            token = installation.access.create_enrolment_link()
            note(
                "最初の管理者の登録（24 時間以内に 1 回だけ使えます）/ "
                f"first administrator, good once within 24 hours:\n  {address}/enrol/{token}"
            )
        note(f"見守り / Mimamori: {address}")
        run_server(installation)
    return ExitCode.DONE


def run_server(installation: Installation, *, watch: bool = True) -> None:
    """Serve an installation until stopped.

    Args:
        installation: what to serve.
        watch: whether to notice systems that fall silent.
    """
    import uvicorn  # noqa: PLC0415 - see above

    from api.app import create_app  # noqa: PLC0415

    # uvicorn sends itself the signal again once it has stopped; as an interrupt it leaves us time to close.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        uvicorn.Server(server_config(create_app(installation, watch=watch), installation.settings)).run()


def server_config(app: "FastAPI", settings: Settings) -> "uvicorn.Config":
    """How an application is served: the peer's address is believed, headers only from proxies named in the settings.

    Uvicorn prints nothing below a failure to start: an error's message may quote what must not be in a log.
    """
    import uvicorn  # noqa: PLC0415 - see above

    from api.web.certificates import BehindProxies  # noqa: PLC0415 - see above

    return uvicorn.Config(
        BehindProxies(app, settings.trusted_proxies),
        host=settings.host,
        port=settings.port,
        ws="none",
        log_level="critical",
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )


def check_port(settings: Settings) -> None:
    """Say that the port is taken before anything is opened."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise CommandError(
                f"{settings.host}:{settings.port} は使えません / cannot be used ({error.strerror})"
            ) from error
