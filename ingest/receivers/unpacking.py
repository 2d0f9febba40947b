"""Unpacking gzip and zstd within bounds: what is too large is refused before it is there, never after."""

from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa

from audit.texts import Texts

__all__ = ["PackedError", "packing", "unpack"]

_PIECE = 1 << 20
_PACKED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
RATIO = 200
"""Logs shrink to a tenth or a twentieth; beyond this it is a bomb."""
RATIO_FROM = 16 << 20
"""The ratio is judged once so many bytes have come of it: a short file of zeros harms nobody."""


class PackedError(Exception):
    """Something packed that is not taken.

    Attributes:
        reason: why.
    """

    def __init__(self, en: str, ja: str) -> None:
        super().__init__(en)
        self.reason = Texts(ja, en)


def packing(head: bytes) -> str:
    """`gzip` or `zstd` by the first bytes, else empty."""
    return next((name for magic, name in _PACKED.items() if head.startswith(magic)), "")


def unpack(
    file: object,
    kind: str,
    size: Callable[[], int],
    *,
    limit: int,
    ratio: int = RATIO,
    ratio_from: int = RATIO_FROM,
) -> Iterator[bytes]:
    """Unpack a file piece by piece.

    Args:
        file: has `read`, `close` and `closed`.
        kind: `gzip` or `zstd`.
        size: so many packed bytes were read so far.
        limit: it may unpack to so many bytes,
        ratio: and to so many times its own size,
        ratio_from: which is judged once it has unpacked to so many bytes.

    Raises:
        PackedError: it is damaged, too large, or packed twice. Whoever takes the pieces must forget what came before.
    """
    stream: Any = pa.CompressedInputStream(pa.PythonFile(file, mode="r"), kind)
    unpacked = 0
    while True:
        try:
            piece: bytes = stream.read(_PIECE)
        except (OSError, pa.ArrowException) as error:
            raise PackedError(
                f"it cannot be unpacked, it may be cut short or damaged ({kind})",
                f"展開できません。途中で切れているか壊れている可能性があります ({kind})",
            ) from error
        if not piece:
            return
        if not unpacked and packing(piece):
            raise PackedError("something packed inside something packed", "圧縮の中に圧縮があります")
        unpacked += len(piece)
        if unpacked > limit:
            raise PackedError(
                f"it unpacks to more than {limit} bytes", f"展開後の大きさが上限の {limit} バイトを超えます"
            )
        if unpacked > ratio_from and unpacked > ratio * size():
            raise PackedError(
                f"it unpacks to more than {ratio} times its size", f"展開後の大きさが元の {ratio} 倍を超えます"
            )
        yield piece
