"""Files on their way into a sandbox, in pieces: an upload goes on where it was after a broken connection."""

from __future__ import annotations

import asyncio
import io
import os
import secrets
import tempfile
from typing import IO, Optional, Tuple, Union

from ._orders import AnswerLost, Lost
from ._paths import Place
from ._room import Room
from ._wire import Frame, piece
from .errors import EmbedenvError, LimitError, NotFoundError, TimeoutError, error_of

PIECE = 256 * 1024
"""Bytes of one piece."""
AHEAD = 4
"""Pieces that are on their way at once, unanswered."""
MAX_UPLOADS = 4
"""Uploads under way at once; the server takes 8 on a connection."""
MAX_UPLOAD = 4 * 1024**3
"""The largest file."""
SPOOLED = 8 * 1024 * 1024
"""Bytes of what can't be read twice that are kept in memory; more goes through a temporary file."""

Content = Union[str, bytes, bytearray, memoryview, IO[bytes], IO[str]]
"""What can be written into a file: text, bytes, or something that is open for reading."""


class Upload:
    """One upload. Hears of the room while it is under way."""

    def __init__(self, room: Room, number: int, place: Place, source: IO[bytes], size: int) -> None:
        self._room = room
        self._number = number
        self._source = source
        self._size = size
        self._start = source.tell()
        self._about: Frame = {
            "project": place.project,
            "path": place.path,
            "key": secrets.token_urlsafe(24),
            "size": size,
            "overwrite": True,
        }
        self._acknowledged = 0
        self._is_lost = False
        self._error: Optional[EmbedenvError] = None
        self._moved = asyncio.Event()

    async def run(self) -> None:
        """Sends it, and has it put into its place."""
        connection = self._room.connection
        self._room.followers.add(self)
        try:
            while self._acknowledged < self._size or self._size == 0:
                await connection.joined()
                self._is_lost = False
                try:
                    begin = {"type": "upload", "upload": self._number, **self._about}
                    stands = await connection.request(begin, once=True)
                    self._acknowledged = stands["offset"]
                    await self._send()
                except Lost:
                    continue
                break
        except BaseException:
            await self._abort()
            raise
        finally:
            self._room.followers.discard(self)
        await self._finish()

    async def _send(self) -> None:
        offset = self._acknowledged
        while self._acknowledged < self._size:
            while offset < self._size and offset - self._acknowledged < AHEAD * PIECE:
                data = await asyncio.to_thread(self._read, offset)
                self._room.connection.send_raw(piece(self._number, offset, data))
                offset += len(data)
            self._moved.clear()
            if self._error is not None:
                raise self._error
            if self._is_lost:
                raise Lost()
            try:
                await asyncio.wait_for(self._moved.wait(), self._room.connection.timeout)
            except asyncio.TimeoutError:
                raise TimeoutError("a piece of the upload was not taken in time", code="timed_out") from None

    def _read(self, offset: int) -> bytes:
        self._source.seek(self._start + offset)
        data = self._source.read(min(PIECE, self._size - offset))
        if not data:
            raise error_of("bad_request", "what is written became shorter while it was sent")
        return data

    async def _finish(self) -> None:
        may_be_done = False
        while True:
            try:
                await self._room.connection.order({"type": "upload-finish", **self._about})
                return
            except AnswerLost:
                may_be_done = True
            except NotFoundError:
                # What was finished is known by its key no more.
                if may_be_done:
                    return
                raise

    async def _abort(self) -> None:
        try:
            aborted = self._room.connection.order({"type": "upload-abort", "key": self._about["key"]})
            await asyncio.wait_for(aborted, self._room.connection.timeout)
        except (EmbedenvError, AnswerLost, asyncio.TimeoutError):
            # The server forgets what nobody adds to.
            return

    def joined(self) -> None:
        """It is asked for again by `run`."""

    def lost(self) -> None:
        """The connection broke."""
        self._is_lost = True
        self._moved.set()

    def frame(self, frame: Frame) -> None:
        """A piece was taken, or was not."""
        if frame.get("upload") != self._number:
            return
        if frame["type"] == "upload-stands":
            self._acknowledged = max(self._acknowledged, frame["offset"])
        elif frame["type"] == "upload-failed":
            self._error = error_of(frame["code"], frame["message"])
        self._moved.set()

    def message(self, document: int, data: bytes) -> None:
        """Not about files."""

    def failed(self, error: EmbedenvError) -> None:
        """There will be no other connection."""
        self._error = error
        self._moved.set()


def opened(content: Content) -> Tuple[IO[bytes], int]:
    """What is to be written, as something that can be read anywhere, and its length. Reads what can't be."""
    if isinstance(content, str):
        content = content.encode()
    if isinstance(content, (bytes, bytearray, memoryview)):
        data = bytes(content)
        return io.BytesIO(data), len(data)
    source = content
    first = source.read(0)
    if isinstance(first, bytes) and source.seekable():
        start = source.tell()
        end = source.seek(0, os.SEEK_END)
        source.seek(start)
        return source, _checked(end - start)  # type: ignore[return-value]
    spool = tempfile.SpooledTemporaryFile(max_size=SPOOLED)  # noqa: SIM115
    size = 0
    while chunk := source.read(PIECE):
        data = chunk.encode() if isinstance(chunk, str) else chunk
        size = _checked(size + len(data))
        spool.write(data)
    spool.seek(0)
    return spool, size


def _checked(size: int) -> int:
    if size > MAX_UPLOAD:
        raise LimitError(f"a file has up to {MAX_UPLOAD} bytes", code="too_large")
    return size
