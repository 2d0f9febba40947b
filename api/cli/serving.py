"""`serve`: pages and API until stopped."""

import argparse
import socket

import uvicorn

from api.app import create_app
from api.cli.output import CommandError, ExitCode, note
from api.installation import Installation, open_installation
from api.settings import Settings

__all__ = ["check_port", "run_server", "serve"]


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


def run_server(installation: Installation) -> None:
    """Serve an installation until stopped."""
    settings = installation.settings
    uvicorn.run(
        create_app(installation),
        host=settings.host,
        port=settings.port,
        log_level="warning",
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
