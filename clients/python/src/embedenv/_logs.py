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
        """It should be given no more for now."""

    @property
    def is_flooded(self) -> bool:
        """It can be given no more for now."""

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
        self._is_patient = True
        """The connection waits for the sink when that is full."""
        self.is_held = False
        """Nothing more of it is sent until what came is taken."""
        self.is_over = False

    def output(self, offset: int, data: bytes) -> Optional[Awaitable[None]]:
        """Output that begins at an offset; what is known of it is passed over."""
        self.gap(offset)
        data = data[self._next - offset :]
        if not data or self.is_over:
            return None
        self._next += len(data)
        self._sink.data(data)
        if not self._sink.is_full:
            self._is_patient = True
        elif self._is_patient:
            return self._pause()
        elif self._sink.is_flooded and self._is_attached and not self.is_held:
            self.is_held = True
            spawn(self._hold(), "hold")
        return None

    def gap(self, to: int) -> None:
        """What was not here yet of what came before an offset is lost here."""
        if to > self._next:
            self.lost += to - self._next
            self._next = to

    def screen(self, offset: int, data: bytes) -> None:
        """Instead of what was lost before an offset, what a terminal shows then."""
        self.gap(offset)
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
            self.gap(reply["from"])

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
        """Holds the connection up while its output is not taken, and the program with it; but not for long, since
        whoever takes it may be waiting for something else that the connection carries.
        """
        try:
            await asyncio.wait_for(self._sink.eased(), PATIENCE)
        except asyncio.TimeoutError:
            self._is_patient = False

    async def _hold(self) -> None:
        """Has no more sent until what came is taken. A program that nobody else reads then overwrites its output."""
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
