"""Where one syslog message ends and the next begins in a stream: RFC 6587. Pure, no I/O.

Octet counting (`LEN SP MSG`, the only framing of RFC 5425) and lines share a port: the first byte of a connection
decides, a digit for counting and anything else for lines. Lines end in LF or CR LF; where the first end seen is a NUL,
the whole connection ends its messages in NUL. A sender of lines that begin with a digit (`2026-05-12T…`) must be told
apart by the listener's setting.

A stream is given up at its first fault, because after it nobody can say where a message begins: what came before
stands, the rest is handed over as the bytes of the fault. However the bytes are split over reads, the same messages
come out.

A delivery is lines, so an LF inside a counted message becomes `#012`, as rsyslog writes it; an LF at a message's end is
dropped. Exactness: all other bytes are as sent; a `#012` that the sender wrote itself cannot be told from ours.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from audit.texts import Texts

__all__ = ["Fault", "Framer", "Framing", "as_line"]

_HANDSHAKE = 0x16
"""The first byte of TLS."""
_DIGITS = b"0123456789"
_LENGTH = re.compile(rb"([1-9][0-9]{0,9}) ")
_LENGTH_BEGUN = re.compile(rb"[1-9][0-9]{0,9}")
_TRAILER = re.compile(rb"[\n\0]")


class Framing(StrEnum):
    """How a listener tells messages apart."""

    AUTO = "auto"
    COUNTED = "counted"
    LINES = "lines"


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a stream was given up.

    Attributes:
        reason: what is wrong.
        raw: the bytes that are no message: from the fault on, as far as they were read.
    """

    reason: Texts
    raw: bytes


def as_line(message: bytes) -> bytes:
    """A message as one line of a delivery; empty when it says nothing."""
    return message.removesuffix(b"\n").replace(b"\n", b"#012")


class Framer:
    """One connection's bytes, cut into messages.

    Attributes:
        fault: set when the stream was given up; `feed` gives nothing from then on.
    """

    def __init__(self, max_message: int, framing: Framing = Framing.AUTO) -> None:
        self._max = max_message
        self._framing = framing
        self._trailer = b""
        self._rest = b""
        self.fault: Fault | None = None

    @property
    def pending(self) -> int:
        """Bytes of a message that has not ended yet."""
        return len(self._rest)

    def feed(self, data: bytes) -> list[bytes]:
        """Take in what was read.

        Returns:
            The messages that are whole, without their framing.
        """
        if self.fault is not None or not data:
            return []
        if self._framing is Framing.AUTO:
            if data[0] == _HANDSHAKE:
                self._rest = data
                self._give_up("TLS on a listener without it", "TLS を使わない待受けに TLS で接続されました")
                return []
            self._framing = Framing.COUNTED if data[:1] in _DIGITS else Framing.LINES
        data = self._rest + data
        return self._counted(data) if self._framing is Framing.COUNTED else self._lines(data)

    def finish(self, reason: Texts) -> Fault | None:
        """End the stream.

        Args:
            reason: why it ended.

        Returns:
            What is wrong with it: an earlier fault, or a message that never ended.
        """
        if self.fault is None and self._rest:
            self.fault = Fault(reason, self._rest)
            self._rest = b""
        return self.fault

    def _give_up(self, en: str, ja: str) -> None:
        self.fault = Fault(Texts(ja, en), self._rest)
        self._rest = b""

    def _counted(self, data: bytes) -> list[bytes]:
        messages = []
        at = 0
        while at < len(data):
            header = _LENGTH.match(data, at)
            if header is None:
                break
            size = int(header[1])
            end = header.end() + size
            if size > self._max or end > len(data):
                break
            messages.append(data[header.end() : end])
            at = end
        self._rest = data[at:]
        if at < len(data):
            self._judge_length()
        return messages

    def _judge_length(self) -> None:
        """Give up when what stands where a length belongs is none, or says too much."""
        if header := _LENGTH.match(self._rest):
            if int(header[1]) > self._max:
                self._give_up(
                    f"a message of {int(header[1])} bytes is announced, the limit is {self._max}",
                    f"{int(header[1])} バイトのメッセージが予告されました。上限は {self._max} バイトです",
                )
            return
        begun = _LENGTH_BEGUN.match(self._rest)
        if begun is None or begun.end() < len(self._rest):
            self._give_up(
                "no message length where one belongs; the message before may be cut short",
                "メッセージ長があるべき位置にありません。直前のメッセージが途中で切れている可能性があります",
            )

    def _lines(self, data: bytes) -> list[bytes]:
        if not self._trailer and (first := _TRAILER.search(data)):
            self._trailer = first[0]
        *whole, rest = data.split(self._trailer) if self._trailer else [data]
        messages: list[bytes] = []
        for place, line in enumerate(whole):
            if len(line) > self._max:
                rest = self._trailer.join([*whole[place:], rest])
                break
            messages.append(line.removesuffix(b"\r") if self._trailer == b"\n" else line)
        self._rest = rest
        if len(self._rest) > self._max:
            self._give_up(
                f"a line of more than {self._max} bytes",
                f"1 行が上限の {self._max} バイトを超えています",
            )
        return messages
