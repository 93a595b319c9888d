"""What is on its way to the server: requests that are asked again, and commands that have a number and are done once.

Everything that waits for an answer is listed here, in order, and survives the connection. Sends nothing itself.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Callable, Deque, Dict, Optional, Union

from ._wire import Frame
from .errors import EmbedenvError

MAX_WAITING = 256
"""Requests and commands that may wait at once; whoever has one more waits for room."""
MAX_WAITING_BYTES = 48 * 1024 * 1024
"""Bytes that they may have together, likewise. One message alone is always taken."""

Answered = Callable[[Frame], None]
"""Is called with an answer before the next frame is looked at."""


class AnswerLost(Exception):
    """A command is not under way any more, and what became of it was not heard.

    Unless `uncertain`, it was carried out, with success or not. `is_forgotten` says that the server does not know this
    client any more, nor what is of its making.
    """

    def __init__(self, uncertain: bool, is_forgotten: bool) -> None:
        super().__init__(uncertain, is_forgotten)
        self.uncertain = uncertain
        self.is_forgotten = is_forgotten


class Lost(Exception):
    """The connection broke on which something was asked that another connection can't answer."""


class Waiting:
    """Something that was asked and is not answered."""

    def __init__(self, data: Union[str, bytes], seq: Optional[int], once: bool, answered: Optional[Answered]) -> None:
        self.data = data
        self.seq = seq
        """Its number, if it is a command."""
        self.once = once
        """It is about this connection, and no other."""
        self.answered = answered
        self.is_sent = False
        self.answer: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()

    @property
    def is_silent(self) -> bool:
        """It is answered by no frame of its own: that it was carried out is all that will be heard."""
        return isinstance(self.data, bytes)

    def fail(self, error: Exception) -> None:
        """Says why there will be no answer, if somebody still waits for one."""
        if not self.answer.done():
            self.answer.set_exception(error)
            # Whoever gave up waiting does not hear of it.
            self.answer.exception()


class Orders:
    """All that waits, by its id and in the order in which it was asked."""

    def __init__(self) -> None:
        self._waiting: Dict[int, Waiting] = {}
        self._bytes = 0
        self._last_id = 0
        self._last_seq = 0
        self._freed = asyncio.Event()
        self.outgoing: Deque[Waiting] = deque()
        """What is to be sent on the connection that stands."""

    async def admit(
        self,
        make: Callable[[int, int], Union[str, bytes]],
        *,
        numbered: bool,
        once: bool = False,
        answered: Optional[Answered] = None,
    ) -> int:
        """Lists something as soon as there is room, and returns its id; `make` makes its message of id and number."""
        while len(self._waiting) >= MAX_WAITING or self._bytes >= MAX_WAITING_BYTES:
            self._freed.clear()
            await self._freed.wait()
        number, seq = self._last_id + 1, self._last_seq + 1
        waiting = Waiting(make(number, seq), seq if numbered else None, once, answered)
        self._last_id = number
        if numbered:
            self._last_seq = seq
        self._waiting[number] = waiting
        self._bytes += len(waiting.data)
        self.outgoing.append(waiting)
        return number

    def get(self, number: int) -> Optional[Waiting]:
        """What has this id."""
        return self._waiting.get(number)

    def forget(self, number: int) -> None:
        """Makes room: it is answered, or nobody waits for it any more."""
        waiting = self._waiting.pop(number, None)
        if waiting is not None:
            self._bytes -= len(waiting.data)
            self._freed.set()

    def executed(self, seq: int) -> None:
        """The server carried out everything up to a number."""
        for number in [number for number, waiting in self._waiting.items() if waiting.is_silent]:
            numbered = self._waiting[number].seq
            if numbered is not None and numbered <= seq:
                self.forget(number)

    def lost(self) -> None:
        """The connection is gone: what it alone could answer fails, and the rest waits for the next."""
        self.outgoing.clear()
        for waiting in self._waiting.values():
            if waiting.once:
                waiting.fail(Lost())

    def resumed(self, executed: int, uncertain: Optional[int]) -> None:
        """Another connection stands, and the server knows this client: what it has not carried out goes out again."""
        self._settle(executed, lambda seq, _: seq <= executed, lambda seq: AnswerLost(seq == uncertain, False))

    def renewed(self, executed: int) -> None:
        """Another connection stands, on which this client is somebody new: what was sent may have been carried out."""
        self._settle(executed, lambda _, is_sent: is_sent, lambda _: AnswerLost(True, True))

    def fail_all(self, error: Callable[[], EmbedenvError]) -> None:
        """There will be no other connection."""
        self.outgoing.clear()
        for waiting in self._waiting.values():
            waiting.fail(error())

    def _settle(
        self, executed: int, is_settled: Callable[[int, bool], bool], lost: Callable[[int], AnswerLost]
    ) -> None:
        self._last_seq = max(self._last_seq, executed)
        self.outgoing.clear()
        for number, waiting in list(self._waiting.items()):
            if waiting.seq is not None and is_settled(waiting.seq, waiting.is_sent):
                if waiting.is_silent:
                    self.forget(number)
                waiting.fail(lost(waiting.seq))
            elif not waiting.answer.done():
                waiting.is_sent = False
                self.outgoing.append(waiting)
