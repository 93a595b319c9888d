"""A room as this client sees it: what runs in it, and who here hears of what. Hands each frame to whom it is about.

Commands, terminals, files and documents register here what they follow; nothing here knows what they do with it.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Awaitable, Callable, Dict, List, Optional, Protocol, Set
from weakref import WeakValueDictionary

from ._callbacks import spawn
from ._connection import Connection
from ._logs import Log, Sink, closed
from ._options import Options
from ._rest import Rest
from ._wire import DOCUMENT, OUTPUT, SNAPSHOT, Binary, Frame
from .errors import EmbedenvError, UnavailableError, again, error_of

_log = logging.getLogger("embedenv")


class Follower(Protocol):
    """Something that follows a part of the room: an upload, a watched folder, an open document."""

    def joined(self) -> None:
        """Another connection stands: it is to be asked for again."""

    def lost(self) -> None:
        """The connection broke."""

    def frame(self, frame: Frame) -> None:
        """A frame that may be about it."""

    def message(self, document: int, data: bytes) -> None:
        """Messages of a document."""

    def failed(self, error: EmbedenvError) -> None:
        """There will be no other connection."""


class Room:
    """The room at the other end of the connection."""

    def __init__(
        self, options: Options, rest: Rest, join: Optional[str], mint: Optional[Callable[[], Awaitable[str]]], user: str
    ) -> None:
        self.options = options
        self.rest = rest
        self.id = ""
        self.role = ""
        self.connection = Connection(options.socket_url, join, mint, user, options.request_timeout, self)
        self.terminals: Dict[int, Frame] = {}
        """What runs, or has run and is kept, by its number."""
        self.opening = asyncio.Lock()
        """Held while something is started: so what appears meanwhile, if an answer is lost, is that."""
        self.feeding: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        """Held while a command is fed, so that inputs which go in pieces don't mix."""
        self.unheard: Set[int] = set()
        """Commands of which it was not heard whether they have taken what they were fed last."""
        self.followers: Set[Follower] = set()
        self._logs: Dict[int, Log] = {}
        self._members: Set[int] = set()
        self._epoch: Optional[int] = None

    # What the connection tells.

    def joined(self, frame: Frame) -> None:
        """A connection stands: every log goes on from where it was, if it is still there."""
        self.id, self.role = frame["room"], frame["role"]
        self._members.add(frame["member"])
        self.terminals = {terminal["terminal"]: terminal for terminal in frame["terminals"]}
        is_another = self._epoch is not None and self._epoch != frame["sandbox_epoch"]
        self._epoch = frame["sandbox_epoch"]
        for number, log in list(self._logs.items()):
            if is_another:
                log.fail(UnavailableError("its sandbox has ended, and the program with it", code="sandbox_unavailable"))
            elif number not in self.terminals:
                log.fail(closed(number))
            elif not log.is_held:
                spawn(log.attach(), "attach")
        for follower in list(self.followers):
            follower.joined()

    def lost(self) -> None:
        """The connection broke."""
        for log in self._logs.values():
            log.disconnected()
        for follower in list(self.followers):
            follower.lost()

    def frame(self, frame: Frame) -> None:
        """A text frame that answers nothing."""
        kind = frame["type"]
        if kind == "terminal":
            number = frame["terminal"]
            self.terminals[number] = frame
            if number in self._logs:
                self._logs[number].stands(frame)
        elif kind == "terminal-closed":
            number = frame["terminal"]
            self.terminals.pop(number, None)
            self.unheard.discard(number)
            if number in self._logs:
                self._logs[number].fail(closed(number))
        elif kind == "terminal-gap":
            if frame["terminal"] in self._logs:
                self._logs[frame["terminal"]].gap(frame["to"])
        elif kind in ("process-started", "terminal-opened"):
            # Whoever started it has given up waiting, and nobody else knows of it.
            unwanted = {"type": "terminal-close", "terminal": frame.get("process", frame.get("terminal"))}
            spawn(self.connection.done(unwanted, what="closing"), "close")
        elif kind == "error":
            _log.warning("the server says: %s", error_of(frame["code"], frame["message"]))
        else:
            for follower in list(self.followers):
                follower.frame(frame)

    def binary(self, frame: Binary) -> Optional[Awaitable[None]]:
        """A binary frame."""
        if frame.kind == DOCUMENT:
            for follower in list(self.followers):
                follower.message(frame.about, frame.payload)
            return None
        log = self._logs.get(frame.about)
        if log is not None and frame.kind == OUTPUT:
            return log.output(frame.offset, frame.payload)
        if log is not None and frame.kind == SNAPSHOT:
            log.screen(frame.offset, frame.payload)
        return None

    def ended(self, error: EmbedenvError) -> None:
        """There will be no other connection."""
        for log in list(self._logs.values()):
            log.fail(again(error))
        for follower in list(self.followers):
            follower.failed(again(error))

    # What commands and terminals ask for.

    def follow(self, number: int, sink: Sink, *, is_attached: bool) -> Log:
        """Has the output of a log go to a sink. Attach it, unless the server does so by itself."""
        log = Log(self.connection, number, sink, is_attached=is_attached)
        self._logs[number] = log
        return log

    def leave(self, numbers: List[int]) -> None:
        """Nothing of these logs is wanted any more."""
        for number in numbers:
            self._logs.pop(number, None)

    def is_followed(self, number: int) -> bool:
        """Whether the output of a log goes to a sink here already."""
        return number in self._logs

    @property
    def newest(self) -> int:
        """The highest number of what runs or has run. Numbers are given once and go up."""
        return max(self.terminals, default=0)

    async def started_after(self, number: int, kind: str) -> Optional[Frame]:
        """What this client has started since, of which the answer was lost; call it with `opening` held."""
        await self.connection.caught_up()
        for terminal in self.terminals.values():
            if terminal["kind"] == kind and terminal["terminal"] > number and terminal.get("opener") in self._members:
                return terminal
        return None

    async def close(self) -> None:
        """Leaves."""
        await self.connection.close()
        await self.rest.close()
