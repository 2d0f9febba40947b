"""Lines out of any stream: the same lines however the stream is cut, in bounded memory."""

import io
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest import reader
from ingest.reader import LongLine, read_blocks

LIMIT = 50


class Drip(io.RawIOBase):
    """A stream that gives at most so many bytes at a time, as a pipe or a socket may."""

    def __init__(self, data: bytes, step: int) -> None:
        self._data, self._step = io.BytesIO(data), step

    def read(self, size: int = -1) -> bytes:
        return self._data.read(min(self._step, size) if size >= 0 else self._step)


def read(stream: Drip, *, drain: bool = True) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []
    for block in read_blocks(stream, LIMIT):  # type: ignore[arg-type]  # it reads, and that is all that is asked
        if isinstance(block, LongLine):
            found.append((block.line, b"".join(block.pieces) if drain else b"long"))
        else:
            found += block.lines
    return found


def expected(data: bytes) -> list[tuple[int, bytes]]:
    lines = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    bare = [line[:-1] if line.endswith(b"\r") and len(line) <= LIMIT + 1 else line for line in lines]
    return [(n, line) for n, line in enumerate(bare, start=1) if line.strip()]


PIECES = st.lists(
    st.sampled_from((b"\n", b"\r\n", b"a", b"\r", b" ", b"\x00", b"\xff", b"line", b"x" * 49, b"x" * 60, b"y" * 120)),
    max_size=30,
).map(b"".join)


@pytest.fixture(autouse=True, scope="module")
def small_blocks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(reader, "BLOCK_BYTES", 64)
        patched.setattr(reader, "_PIECE", 16)
        patched.setattr(reader, "_LINES", 3)
        yield


@given(data=PIECES, step=st.sampled_from((3, 7, 64, 1000)))
@example(data=b"a" + b"x" * 49 + b"\r\r\n", step=3)  # the end of a long line may be cut between CR and LF
def test_every_line_comes_once_with_its_number(data: bytes, step: int) -> None:
    found = read(Drip(data, step))
    assert [n for n, _ in found] == [n for n, _ in expected(data)]
    for (_, line), (_, wanted) in zip(found, expected(data), strict=True):
        assert line in ((wanted, wanted.removesuffix(b"\r")) if len(wanted) > LIMIT else (wanted,))


@given(data=PIECES)
def test_a_long_line_nobody_wants_is_passed_over(data: bytes) -> None:
    assert [n for n, _ in read(Drip(data, 64), drain=False)] == [n for n, _ in expected(data)]


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"\n\n", []),
        (b"a", [(1, b"a")]),
        (b"a\n", [(1, b"a")]),
        (b"a\r\nb", [(1, b"a"), (2, b"b")]),
        (b"\xef\xbb\xbfa\n\xef\xbb\xbfb", [(1, b"a"), (2, b"\xef\xbb\xbfb")]),
        (b"a\n \t\nb", [(1, b"a"), (3, b"b")]),
        (b"x" * 50 + b"\r\n", [(1, b"x" * 50)]),
        (b"x" * 51 + b"\nb", [(1, b"x" * 51), (2, b"b")]),
        (b"x" * 500 + b"\nb", [(1, b"x" * 500), (2, b"b")]),
        (b"a\n" + b"x" * 500, [(1, b"a"), (2, b"x" * 500)]),
    ],
)
def test_lines(data: bytes, lines: list[tuple[int, bytes]]) -> None:
    assert read(Drip(data, 64)) == lines


def test_blocks_are_bounded() -> None:
    blocks = list(read_blocks(io.BytesIO(b"a\n" * 100), LIMIT))
    assert all(not isinstance(block, LongLine) and len(block.lines) <= 3 for block in blocks)
