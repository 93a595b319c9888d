"""Output on its way to its caller: as text or bytes, kept up to a limit, and told to a handler."""

from __future__ import annotations

import asyncio
import codecs
from typing import List, Optional

from ._callbacks import Calls, Handler
from ._wire import Frame
from .errors import EmbedenvError

RESET = b"\x1bc"
"""What resets a terminal (ECMA-48 RIS)."""


class Output:
    """One stream of a program, of which an `_logs.Log` tells."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.exit: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        """How the program ended, once all of this stream is here."""

    @property
    def is_full(self) -> bool:
        return self.calls.is_much

    @property
    def is_flooded(self) -> bool:
        return self.calls.is_too_much

    async def eased(self) -> None:
        await self.calls.eased()

    def ended(self, exit: Frame) -> None:
        if not self.exit.done():
            self.exit.set_result(exit)

    def failed(self, error: EmbedenvError) -> None:
        if not self.exit.done():
            self.exit.set_exception(error)
            # Nobody may wait for it.
            self.exit.exception()


class TextOutput(Output):
    """A stream of text in UTF-8. What is not becomes U+FFFD."""

    def __init__(self, calls: Calls, handler: Optional[Handler[str]], most: int) -> None:
        super().__init__(calls)
        self._handler = handler
        self._most = most
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._kept: List[str] = []
        self._size = 0
        self.dropped = 0
        """Bytes that are not kept because there were too many."""

    @property
    def text(self) -> str:
        """What came so far and was kept."""
        return "".join(self._kept)

    def data(self, data: bytes) -> None:
        self._take(self._decoder.decode(data), len(data))

    def screen(self, data: bytes) -> None:
        # A screen is made for terminals; what a pipe's reader lost is counted and no more.
        return None

    def ended(self, exit: Frame) -> None:
        self._take(self._decoder.decode(b"", final=True), 0)
        super().ended(exit)

    def _take(self, text: str, size: int) -> None:
        if self._size + size <= self._most:
            self._kept.append(text)
            self._size += size
        else:
            self.dropped += size
            # From here on nothing is kept, so that what is kept has no hole.
            self._most = self._size
        if text and self._handler is not None:
            self.calls.put(self._handler, text, size)


class ByteOutput(Output):
    """What a terminal shows, as bytes for something that draws it."""

    def __init__(self, calls: Calls, handler: Handler[bytes]) -> None:
        super().__init__(calls)
        self._handler = handler

    def data(self, data: bytes) -> None:
        self.calls.put(self._handler, data, len(data))

    def screen(self, data: bytes) -> None:
        self.data(RESET + data)
