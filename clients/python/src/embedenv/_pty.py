"""Terminals in a sandbox: a shell on a pseudo-terminal, for something that draws it and somebody who types."""

from __future__ import annotations

import asyncio
from typing import List, Mapping, Optional, Union

from ._callbacks import Calls, Handler, spawn
from ._commands import result, where
from ._connection import uncertain
from ._logs import Log
from ._orders import AnswerLost
from ._room import Room
from ._streams import ByteOutput
from ._wire import Frame, numbered_input
from .errors import ConflictError, ConnectionLostError, LimitError, NotFoundError
from .models import CommandResult, PtySize

MAX_TYPED = 1024 * 1024
"""Bytes that may be typed at once."""
SIZE = PtySize(rows=24, cols=80)
"""The size of a terminal of which nothing else is said."""


class AsyncPtyHandle:
    """A terminal that was opened, or that was connected to."""

    def __init__(self, room: Room, pid: int, on_data: Handler[bytes], *, is_attached: bool) -> None:
        self._room = room
        self._pid = pid
        self._calls = Calls()
        self._out = ByteOutput(self._calls, on_data)
        self._log: Log = room.follow(pid, self._out, is_attached=is_attached)

    @property
    def pid(self) -> int:
        """Its number in the room. It is given once, as long as the room lasts."""
        return self._pid

    async def wait(self) -> CommandResult:
        """Waits until its shell has ended and all that it showed was handed on. The result has no output.

        Raises:
            NotFoundError: somebody closed it, `kill` too.
            ConnectionLostError: the server could not be reached any more, or `disconnect` was called.
            UnavailableError: its sandbox is gone.
        """
        try:
            exit = await asyncio.shield(self._out.exit)
        finally:
            if self._out.exit.done():
                self._room.leave([self._pid])
        await self._calls.drained()
        return result(exit, "", "", self._log.lost)

    async def send_input(self, data: Union[str, bytes]) -> None:
        """Types something; see `AsyncPty.send_input`."""
        await send_input(self._room, self._pid, data)

    async def resize(self, size: PtySize) -> None:
        """Gives it another size; see `AsyncPty.resize`."""
        await resize(self._room, self._pid, size)

    async def kill(self) -> bool:
        """Closes it and ends what runs in it. Returns whether it was there."""
        return await close(self._room, self._pid)

    async def disconnect(self) -> None:
        """Follows it no longer. It stays open; `pty.connect` follows it again."""
        self._room.leave([self._pid])
        self._log.fail(ConnectionLostError("the terminal is not followed any more", code="closed"))
        spawn(self._log.detach(), "detach")


class AsyncPty:
    """Terminals of a sandbox: `sandbox.pty`."""

    def __init__(self, room: Room, project: str, envs: Mapping[str, str]) -> None:
        self._room = room
        self._project = project
        self._envs = dict(envs)

    async def create(
        self,
        size: PtySize = SIZE,
        on_data: Optional[Handler[bytes]] = None,
        cwd: Optional[str] = None,
        envs: Optional[Mapping[str, str]] = None,
    ) -> AsyncPtyHandle:
        """Opens a terminal with a shell, in the project's folder or in `cwd`. `on_data` gets what it shows.

        Everybody in the room sees it. It stays when this client leaves.

        Raises:
            LimitError: a room has so many terminals and commands at once.
            UncertainError: the connection broke over it, and the server has forgotten whose that was.
        """
        frame: Frame = {"type": "terminal-open", "cols": size.cols, "rows": size.rows}
        frame.update(where(cwd, self._project, {**self._envs, **(envs or {})}))
        handles: List[AsyncPtyHandle] = []

        def opened(reply: Frame) -> None:
            # What it shows may be the next frame.
            handles.append(AsyncPtyHandle(self._room, reply["terminal"], on_data or _nobody, is_attached=True))

        async with self._room.opening:
            while not handles:
                newest = self._room.newest
                try:
                    await self._room.connection.order(dict(frame), answered=opened)
                except AnswerLost as lost:
                    terminal = await self._room.started_after(newest, "terminal")
                    if terminal is not None:
                        return await self._adopt(terminal["terminal"], on_data or _nobody)
                    # The room lists whatever this client has opened: nothing was.
                    if lost.is_forgotten:
                        raise uncertain("opening the terminal") from None
        return handles[0]

    async def connect(self, pid: int, on_data: Handler[bytes]) -> AsyncPtyHandle:
        """Follows a terminal that was opened elsewhere, or before; what it has shown comes first, up to 2 MiB of it.

        Raises:
            NotFoundError: there is no such terminal.
            ConflictError: this object follows it already.
        """
        await self._room.connection.joined()
        terminal = self._room.terminals.get(pid)
        if terminal is None or terminal["kind"] in ("process", "errors"):
            raise NotFoundError(f"there is no terminal {pid}", code="not_found")
        if self._room.is_followed(pid):
            raise ConflictError(f"the terminal {pid} is followed already", code="conflict")
        return await self._adopt(pid, on_data)

    async def send_input(self, pid: int, data: Union[str, bytes]) -> None:
        """Types something into a terminal: text and keys, as a terminal sends them. Returns when it is on its way; it
        arrives once, and in order, also over a broken connection.

        Raises:
            NotFoundError: there is no such terminal, or its shell has ended.
        """
        await send_input(self._room, pid, data)

    async def resize(self, pid: int, size: PtySize) -> None:
        """Gives a terminal another size. It has the size of whoever typed into it last: if that is somebody else, it
        changes when this client types.
        """
        await resize(self._room, pid, size)

    async def kill(self, pid: int) -> bool:
        """Closes a terminal and ends what runs in it. Returns whether it was there."""
        return await close(self._room, pid)

    async def _adopt(self, pid: int, on_data: Handler[bytes]) -> AsyncPtyHandle:
        handle = AsyncPtyHandle(self._room, pid, on_data, is_attached=False)
        await handle._log.attach()
        return handle


async def send_input(room: Room, pid: int, data: Union[str, bytes]) -> None:
    """Types into a terminal."""
    typed = data.encode() if isinstance(data, str) else bytes(data)
    if len(typed) > MAX_TYPED:
        raise LimitError(f"up to {MAX_TYPED} bytes are typed at once", code="too_large")
    terminal = room.terminals.get(pid)
    if terminal is None or "exit" in terminal:
        raise NotFoundError(f"there is no terminal {pid} that runs", code="not_found")
    await room.connection.type_in(lambda seq: numbered_input(pid, seq, typed))


async def resize(room: Room, pid: int, size: PtySize) -> None:
    """Says what size there is room for."""
    frame: Frame = {"type": "terminal-resize", "terminal": pid, "cols": size.cols, "rows": size.rows}
    await room.connection.done(frame, what="the new size", repeat=True)


async def close(room: Room, pid: int) -> bool:
    """Closes what has this number."""
    try:
        closing = {"type": "terminal-close", "terminal": pid}
        await room.connection.done(closing, what="closing", repeat=True, settled=NotFoundError)
    except NotFoundError:
        return False
    return True


def _nobody(_: bytes) -> None:
    """Nobody looks at it."""
