"""Output logs of the room: terminals, and standard output and error of commands. Each is followed by its offset over
broken connections, so that what comes has no hole and nothing twice; what the server lost is counted.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Awaitable, Optional, Protocol

from ._callbacks import PATIENCE, spawn
from ._orders import Lost
from ._wire import Frame
from .errors import EmbedenvError, NotFoundError

if TYPE_CHECKING:
    from ._connection import Connection


class Sink(Protocol):
    """Where the output of one log goes."""

    def data(self, data: bytes) -> None:
        """The next bytes."""

    def screen(self, data: bytes) -> None:
        """Bytes are lost; these draw what a terminal shows now."""

    @property
    def is_full(self) -> bool:
        """It can't take more for now."""

    async def eased(self) -> None:
        """Waits until it can."""

    def ended(self, exit: Frame) -> None:
        """All is here, and this is how the program ended."""

    def failed(self, error: EmbedenvError) -> None:
        """No more will come."""


class Log:
    """One log, as far as it was read here."""

    def __init__(self, connection: Connection, number: int, sink: Sink, *, is_attached: bool) -> None:
        self.number = number
        self.lost = 0
        """Bytes that never came."""
        self._connection = connection
        self._sink = sink
        self._next = 0
        self._is_attached = is_attached
        self.is_held = False
        """Nothing more of it is sent until what came is taken."""
        self.is_over = False

    def output(self, offset: int, data: bytes) -> Optional[Awaitable[None]]:
        """Output that begins at an offset; what is known of it is passed over."""
        known = self._next - offset
        if known < 0:
            self.lost -= known
        elif known >= len(data):
            return None
        else:
            data = data[known:]
        self._next = offset + max(known, 0) + len(data)
        self._sink.data(data)
        return self._pause() if self._sink.is_full and self._is_attached and not self.is_held else None

    def screen(self, offset: int, data: bytes) -> None:
        """What came before an offset is lost here."""
        if offset > self._next:
            self.lost += offset - self._next
            self._next = offset
        if not self.is_over:
            self._sink.screen(data)

    def stands(self, terminal: Frame) -> None:
        """The room said how it stands. Its end counts once its output is here, which is when a reader is told of it."""
        exit = terminal.get("exit")
        if exit is not None and self._is_attached and not self.is_over:
            self.is_over = True
            self._sink.ended(exit)

    def fail(self, error: EmbedenvError) -> None:
        """Nothing more will come of it."""
        if not self.is_over:
            self.is_over = True
            self._sink.failed(error)

    def disconnected(self) -> None:
        """The connection broke."""
        self._is_attached = False

    async def attach(self) -> None:
        """Has its output sent, from where it was left on."""

        def attached(reply: Frame) -> None:
            self._is_attached = True
            if reply["from"] > self._next:
                self.screen(reply["from"], b"")

        try:
            asked = {"type": "terminal-attach", "terminal": self.number, "from": self._next}
            await self._connection.request(asked, once=True, answered=attached)
        except Lost:
            # The next connection attaches it anew.
            return
        except NotFoundError:
            self.fail(closed(self.number))
        except EmbedenvError as error:
            self.fail(error)

    async def detach(self) -> None:
        """Has nothing more of it sent."""
        self._is_attached = False
        try:
            await self._connection.request({"type": "terminal-detach", "terminal": self.number}, once=True)
        except (Lost, NotFoundError):
            return

    async def _pause(self) -> None:
        """Holds the connection up while its output is not taken; after a while, only this log."""
        try:
            await asyncio.wait_for(self._sink.eased(), PATIENCE)
        except asyncio.TimeoutError:
            self.is_held = True
            spawn(self._hold(), "hold")

    async def _hold(self) -> None:
        try:
            await self.detach()
            await self._sink.eased()
        finally:
            self.is_held = False
        if not self.is_over:
            await self.attach()


def closed(number: int) -> NotFoundError:
    """What is said of a command or terminal that somebody closed."""
    return NotFoundError(f"number {number} was closed", code="not_found")
