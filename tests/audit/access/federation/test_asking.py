"""A server that sends a byte now and then keeps nobody waiting, and one that sends without end is not read."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from product import Gate

from audit.access.federation import VerificationRefusedError
from audit.access.federation.asking import MAX_DOCUMENT, AskError, ask
from audit.access.federation.remote import Remote

SHORT = timedelta(seconds=0.3)
TRUST = ssl.create_default_context()
BEGINNING = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


@contextmanager
def dripping(first: bytes, drop: bytes, every: float) -> Iterator[tuple[str, threading.Event]]:
    """A server that answers with `first` and then with drops until the other side hangs up, which is told."""
    gone, stop = threading.Event(), threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError), listener.accept()[0] as peer:
            peer.recv(65536)
            peer.sendall(first)
            with suppress(OSError):
                while not stop.wait(every):
                    peer.sendall(drop)
        gone.set()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", gone
    finally:
        stop.set()
        listener.close()
        thread.join()


@pytest.mark.parametrize(
    ("first", "drop"),
    [
        (BEGINNING + b"x-long: ", b"a"),
        (BEGINNING + b"content-length: 100000\r\n\r\n", b" "),
        (BEGINNING + b"transfer-encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    ],
    ids=["headers", "body", "chunks"],
)
def test_a_dripping_server_is_left_when_the_time_for_all_of_it_is_over(first: bytes, drop: bytes) -> None:
    with dripping(first, drop, 0.05) as (url, gone):
        with pytest.raises(AskError) as caught:
            ask("GET", url, TRUST, headers={"host": "x"}, patience=SHORT)
        assert caught.value.reason == "too_slow"
        assert gone.wait(30)


def test_a_document_without_end_is_not_read() -> None:
    with dripping(BEGINNING + b"\r\n", b" " * 65536, 0) as (url, gone):
        with pytest.raises(AskError) as caught:
            ask("GET", url, TRUST, headers={"host": "x"}, patience=timedelta(seconds=60))
        assert caught.value.reason == "document_too_long"
        assert gone.wait(30)
    assert MAX_DOCUMENT < 2**20


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "ftp://127.0.0.1/", "http://127.0.0.1:99999/", "http://"])
def test_an_address_where_nobody_is_proves_nothing(url: str) -> None:
    with pytest.raises(AskError) as caught:
        ask("GET", url, TRUST, headers={"host": "x"})
    assert caught.value.reason == "unreachable"


def test_nobody_is_verified_by_a_product_that_drips(gate: Gate) -> None:
    with dripping(BEGINNING + b"x-long: ", b"a", 0.05) as (url, _gone):
        slow = Remote(replace(gate.verifier, issuer=url), "https://mimamori.example.lg.jp/cb", TRUST, SHORT)
        with pytest.raises(VerificationRefusedError) as caught:
            slow.metadata()
    assert caught.value.reason == "too_slow"
