"""Standard input that goes on: taken in little by little, so that a log can be followed through a pipe."""

import os
import select
from collections.abc import Iterator
from time import monotonic
from typing import BinaryIO
from uuid import uuid4

from ingest.receivers.model import Inbox, InboxFullError, Receipt

__all__ = ["follow_pipe"]

_SECONDS = 1.0
_BYTES = 4 << 20
_LONGEST = 16 << 20
"""A line without an end is handed over in parts beyond this: no event is so long, and memory is bounded."""


def follow_pipe(stream: BinaryIO, inbox: Inbox, source: str, *, fmt: str = "") -> Iterator[Receipt]:
    """Hand over whole lines as they come, at least once a second while any come.

    Args:
        stream: has a file descriptor; read until it ends.
        inbox: where the lines go. While it is full nothing is read, and the writer of the pipe waits.
        source: whose log it is.
        fmt: its format; empty for the one in the source's profile.
    """
    descriptor, held, ended = stream.fileno(), bytearray(), False
    handed_over = monotonic()
    name = f"pipe {uuid4()}"
    while not ended:
        ready, _, _ = select.select([descriptor], [], [], _SECONDS)
        if ready:
            data = os.read(descriptor, _BYTES)
            held += data
            ended = not data
        cut = len(held) if ended or len(held) >= _LONGEST else held.rfind(b"\n") + 1
        if cut and (ended or cut >= _BYTES or monotonic() - handed_over >= _SECONDS):
            yield _hand_over(inbox, source, name, bytes(held[:cut]), fmt)
            del held[:cut]
            handed_over = monotonic()


def _hand_over(inbox: Inbox, source: str, name: str, data: bytes, fmt: str) -> Receipt:
    while True:
        try:
            return inbox.accept(source, name, [data], fmt=fmt, stream=name)
        except InboxFullError as error:
            select.select([], [], [], error.retry_after)
