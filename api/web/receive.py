"""The HTTP receiver: `POST /api/v1/events?source=ID`, answered once the batch is on disk.

Rules:
- Who sends is known before a byte of the body is read, and is the source it writes for (`api.web.oauth.sender`).
- A body is read without holding a thread, however slowly it comes, up to the limit and no further; then it is unpacked
  and kept by a thread. Nothing of a body that breaks off, is damaged, or is not what its digest says, is kept.
- Records are not judged here: what is no event goes to quarantine, and `/api/v1/deliveries/{receipt}` says why.
- No room, or too many senders at once: 429 with Retry-After. The sender still has its batch.
"""

import asyncio
import hashlib
import pathlib
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC
from typing import IO, Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from api.web.errors import ProblemError
from api.web.oauth import Sender, machines_of
from api.web.security import address_of, installation_of
from audit.access.machines import Machine
from audit.store.errors import StoreError
from audit.texts import Texts
from ingest.formats.registry import canonical_format
from ingest.receivers.model import IdempotencyError, InboxFullError, InboxTooLargeError, Receipt
from ingest.receivers.unpacking import PackedError, unpack

__all__ = ["router"]

router = APIRouter(prefix="/api/v1")

_IN_MEMORY = 8 << 20
"""A longer body waits in a file; most are shorter."""
_AT_ONCE = 64
"""So many bodies at once: more are told to come again."""
_AT_ONCE_EACH = 16
"""So many of one source, so that its slow senders leave room for the others."""
_LATER = 5
_SILENT_SECONDS = 30.0
"""A sender that says nothing for so long has gone."""
_SLOW_SECONDS, _SLOWEST = 120.0, 256
"""After so many seconds a body must have come at so many bytes a second, or the sender keeps others out."""
_MOST_PIECES = 4096
_WAIT_SECONDS = 30
_PIECE = 1 << 20
_SHOWN = 100

_FULL = Texts("受信が混み合っています。Retry-After の後に再送してください", "busy: send again after Retry-After")
_LARGE = Texts("本文が上限を超えています。分けて送ってください", "the body is larger than the limit: send it in parts")
_SLOW = Texts("本文が届きません", "the body did not come")
_CUT = Texts("本文が途中で切れました", "the body broke off")
_ENCODING = Texts("Content-Encoding は gzip・zstd・identity のいずれかです", "Content-Encoding: gzip, zstd or identity")
_KEY = Texts("この Idempotency-Key は別の内容で使われています", "this Idempotency-Key was used with another body")
_FORMAT = Texts("format: 未知の形式です", "format: unknown")
_NO_RECEIPT = Texts("この受領番号の配信はありません", "no delivery of this receipt")

Key = Annotated[
    str, Header(alias="idempotency-key", max_length=200, description="The same key and body is the same delivery.")
]
Digest = Annotated[str, Header(alias="content-digest", max_length=500, description="RFC 9530, sha-256.")]
Signature = Annotated[str, Header(alias="x-jws-signature", max_length=4000, description="Detached JWS, ADR 0010.")]
Prefer = Annotated[str, Header(max_length=100, description="`wait=N`: answer when the batch is in the log.")]
Format = Annotated[str, Query(max_length=40, description="The body's format; the source's profile says otherwise.")]
Name = Annotated[str, Query(max_length=200, description="What to call the delivery, a file name for example.")]


@router.post("/events", status_code=202, openapi_extra={"requestBody": {"content": {"application/x-ndjson": {}}}})
async def receive(
    request: Request,
    machine: Sender,
    key: Key = "",
    digest: Digest = "",
    signature: Signature = "",
    prefer: Prefer = "",
    name: Name = "",
    fmt: Annotated[Format, Query(alias="format")] = "",
) -> Response:
    """Take in a batch. The answer is a receipt, under which `/api/v1/deliveries/{receipt}` tells what became of it."""
    machines, address = machines_of(request), address_of(request)
    expected = await run_in_threadpool(machines.expected_digest, machine, digest, signature, address=address)
    packed = _packing(request)
    form = _canonical(fmt)
    async with _room(request, machine.source), _body(request, hashed=expected is not None) as (body, sha256):
        machines.check_digest(machine, expected, sha256, address=address)
        receipt = await run_in_threadpool(_keep, request, machine, name or "http", body, packed, form, key)
    seconds = _seconds(prefer)
    if seconds:
        await run_in_threadpool(installation_of(request).inbox.wait_until_done, receipt.name, seconds)
    return await run_in_threadpool(_answer, request, machine, receipt)


@router.get("/deliveries/{receipt}")
def delivery(request: Request, machine: Sender, receipt: Annotated[str, Path(max_length=100)]) -> dict[str, Any]:
    """What became of a batch, and why records of it are in quarantine."""
    installation = installation_of(request)
    fate = installation.inbox.fate(receipt)
    if fate is None or fate.source != machine.source:
        raise ProblemError(404, _NO_RECEIPT)
    found: dict[str, Any] = {
        "receipt": receipt,
        "source": fate.source,
        "state": "waiting" if fate.waiting else "stored",
    }
    if not fate.waiting:
        outcome = fate.outcome
        for count in ("read", "stored", "duplicates", "quarantined", "masked"):
            found[count] = getattr(outcome, count)
        refused = installation.book.refused(fate.number, _SHOWN) if outcome.quarantined else []
        found["refused"] = [{"line": record.line, "reasons": list(record.reasons)} for record in refused]
        if (before := outcome.quarantined - len(refused)) > 0 and len(refused) < _SHOWN:
            found["refused_before"] = (
                before  # the same bytes of the same source: their reasons are where they came first
            )
    return found


class Announcement(BaseModel):
    """A batch that will come."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200, description="The delivery's name.")
    rows: int = Field(ge=0, le=10**9, description="How many records it has.")
    due: AwareDatetime = Field(description="When it must have arrived, with an offset.")
    sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$", description="Of its bytes; may be left out.")


@router.post("/announcements", status_code=204)
def announce(request: Request, machine: Sender, announcement: Announcement) -> Response:
    """Announce a batch: when it does not come in time or is short, that is a finding about the source."""
    due = announcement.due.astimezone(UTC)
    installation_of(request).gaps.announce(
        machine.source, announcement.name, announcement.rows, due, announcement.sha256
    )
    return Response(status_code=204)


def _packing(request: Request) -> str:
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding in {"gzip", "zstd", "x-gzip"}:
        return encoding.removeprefix("x-")
    if encoding in {"", "identity"}:
        return ""
    raise ProblemError(415, _ENCODING)


def _canonical(fmt: str) -> str:
    try:
        return canonical_format(fmt) if fmt else ""
    except ValueError as error:
        raise ProblemError(422, _FORMAT) from error


def _seconds(prefer: str) -> int:
    value = prefer.replace(" ", "").removeprefix("wait=")
    return min(int(value), _WAIT_SECONDS) if value.isascii() and value.isdigit() else 0


@asynccontextmanager
async def _room(request: Request, source: str) -> AsyncIterator[None]:
    """Let in so many bodies at once, and so many of one source."""
    state = request.app.state
    if not hasattr(state, "receiving"):
        state.receiving = Counter[str]()
    if state.receiving.total() >= _AT_ONCE or state.receiving[source] >= _AT_ONCE_EACH:
        raise ProblemError(429, _FULL, retry_after=1)
    state.receiving[source] += 1
    try:
        yield
    finally:
        state.receiving[source] -= 1


@asynccontextmanager
async def _body(request: Request, *, hashed: bool) -> AsyncIterator[tuple["_Body", str]]:
    """The whole body as it came over the wire, and its SHA-256 where somebody asks for it."""
    settings = installation_of(request).settings
    announced = request.headers.get("content-length", "0")
    if announced.isascii() and announced.isdigit() and int(announced) > settings.max_body:
        raise ProblemError(413, _LARGE)
    hashing, body = hashlib.sha256(), _Body(settings.data)
    try:
        async for piece in _pieces(request):
            if body.size + len(piece) > settings.max_body:
                raise ProblemError(413, _LARGE)
            if hashed:
                hashing.update(piece)
            try:
                body.write(piece)
            except OSError as error:
                raise ProblemError(429, _FULL, retry_after=_LATER) from error
        yield body, hashing.hexdigest()
    finally:
        body.close()


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    """The pieces of a body as they come, from a sender that neither falls silent nor only dribbles."""
    pieces, begun, received = aiter(request.stream()), asyncio.get_running_loop().time(), 0
    while True:
        left = begun + _SLOW_SECONDS + received / _SLOWEST - asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(min(left, _SILENT_SECONDS)):
                piece = await anext(pieces, None)
        except TimeoutError as error:
            raise ProblemError(408, _SLOW) from error
        except ClientDisconnect as error:
            raise ProblemError(400, _CUT) from error
        if piece is None:
            return
        if piece:
            received += len(piece)
            yield piece


class _Body:
    """The pieces of a body: in memory as they came, and once they are many in a file."""

    closed = False

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder
        self._pieces: list[bytes] = []
        self._file: IO[bytes] | None = None
        self._source: Iterator[bytes] = iter(())
        self._left = b""
        self.size = 0
        self.read_so_far = 0

    def write(self, piece: bytes) -> None:
        """Add a piece."""
        self.size += len(piece)
        if self._file is None and self.size > _IN_MEMORY:
            self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - closed with the body
            self._file.writelines(self._pieces)
            self._pieces = []
        if self._file is None:
            self._pieces.append(piece)
            if len(self._pieces) > _MOST_PIECES:  # small ones cost many times their size
                self._pieces = [b"".join(self._pieces)]
        else:
            self._file.write(piece)

    def pieces(self) -> Iterator[bytes]:
        """All of it, in order."""
        if self._file is None:
            yield from self._pieces
            return
        self._file.seek(0)
        while piece := self._file.read(_PIECE):
            yield piece

    def packed(self, kind: str, limit: int) -> Iterator[bytes]:
        """All of it, unpacked."""
        self._source = self.pieces()
        yield from unpack(self, kind, lambda: self.read_so_far, limit=limit)

    def read(self, size: int) -> bytes:
        """The next bytes, for whoever unpacks."""
        if not self._left:
            self._left = next(self._source, b"")
        given, self._left = self._left[:size], self._left[size:]
        self.read_so_far += len(given)
        return given

    def close(self) -> None:
        """Let go of the file; unpacking closes what it reads, and then nothing is left to do."""
        if self._file is not None:
            self._file.close()


def _keep(request: Request, machine: Machine, name: str, body: _Body, packed: str, fmt: str, key: str) -> Receipt:
    """Unpack and keep; in a thread, because it waits for the disk."""
    installation = installation_of(request)
    pieces = body.packed(packed, installation.settings.max_unpacked) if packed else body.pieces()
    try:
        return installation.inbox.accept(machine.source, name, pieces, fmt=fmt, key=key)
    except PackedError as error:
        raise ProblemError(400, error.reason) from error
    except InboxFullError as error:
        raise ProblemError(429, _FULL, retry_after=error.retry_after) from error
    except OSError as error:  # of the body, where it waited in a file
        raise ProblemError(429, _FULL, retry_after=_LATER) from error
    except InboxTooLargeError as error:
        raise ProblemError(413, _LARGE) from error
    except IdempotencyError as error:
        raise ProblemError(409, _KEY) from error


def _answer(request: Request, machine: Machine, receipt: Receipt) -> Response:
    try:
        fate = installation_of(request).inbox.fate(receipt.name)
    except StoreError:  # it is kept, and that is what the sender must know
        fate = None
    stored = fate is not None and not fate.waiting
    content: dict[str, Any] = {
        "receipt": receipt.name,
        "source": machine.source,
        "bytes": receipt.size,
        "sha256": receipt.sha256,
        "repeated": receipt.repeated,
        "state": "stored" if stored else "waiting",
    }
    if fate is not None and stored:
        for count in ("read", "stored", "duplicates", "quarantined", "masked"):
            content[count] = getattr(fate.outcome, count)
    location = {"location": f"/api/v1/deliveries/{receipt.name}?source={machine.source}"}
    return JSONResponse(content, status_code=200 if stored else 202, headers=location)
