"""Calling back: handlers of callers, in the order of what they are told, without holding up the connection.

An async handler is awaited. A plain one is called in the event loop by an `AsyncSandbox`, and in a thread of its own
turn by a `Sandbox`, so that it may use the sandbox itself.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections import deque
from typing import Any, Awaitable, Callable, Deque, Optional, Set, Tuple, TypeVar, Union

T = TypeVar("T")

Handler = Callable[[T], Union[Awaitable[None], None]]
"""What is called back: a function or a coroutine function."""

MUCH = 1024 * 1024
"""With as many bytes waiting for a handler the connection waits for it, for up to `PATIENCE`."""
PATIENCE = 1.0
"""Seconds."""
TOO_MUCH = 32 * 1024 * 1024
"""With as many bytes waiting no more is asked for, until there is less than `MUCH`."""

in_threads: contextvars.ContextVar[bool] = contextvars.ContextVar("embedenv_in_threads", default=False)
"""Set in what the synchronous face starts: plain handlers are called in threads."""

_log = logging.getLogger("embedenv")
_background: Set[asyncio.Task[Any]] = set()


def spawn(work: Awaitable[Any], name: str) -> None:
    """Has something done that nobody waits for. What fails is logged."""

    async def within() -> None:
        try:
            await work
        except Exception as error:
            _log.debug("%s: %s", name, error)

    task = asyncio.create_task(within(), name=f"embedenv {name}")
    _background.add(task)
    task.add_done_callback(_background.discard)


class Calls:
    """Calls that wait for their turn: one after the other, for as long as none fails."""

    def __init__(self) -> None:
        self._waiting: Deque[Tuple[Handler[Any], Any, int]] = deque()
        self._bytes = 0
        self._task: Optional[asyncio.Task[None]] = None
        self._error: Optional[BaseException] = None
        self._eased = asyncio.Event()

    @property
    def is_much(self) -> bool:
        """More waits than is good."""
        return self._bytes > MUCH

    @property
    def is_too_much(self) -> bool:
        """More waits than may."""
        return self._bytes > TOO_MUCH

    def put(self, handler: Handler[T], value: T, size: int = 0) -> None:
        """Calls a handler in its turn. Its value counts for so many bytes."""
        if self._error is not None:
            return
        self._waiting.append((handler, value, size))
        self._bytes += size
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="embedenv callbacks")

    async def eased(self) -> None:
        """Waits until less waits than is much."""
        while self.is_much:
            self._eased.clear()
            await self._eased.wait()

    async def drained(self) -> None:
        """Waits until every call is made, and raises what the first raised that failed."""
        while self._task is not None and not self._task.done():
            await asyncio.wait({self._task})
        if self._error is not None:
            raise self._error

    async def _run(self) -> None:
        while self._waiting:
            handler, value, size = self._waiting.popleft()
            try:
                await call(handler, value)
            except Exception as error:
                self._error = error
                self._waiting.clear()
                self._bytes = size
            self._bytes -= size
            if not self.is_much:
                self._eased.set()


async def call(handler: Handler[T], value: T) -> None:
    """Calls one handler, and waits for it."""
    if in_threads.get() and not asyncio.iscoroutinefunction(handler):
        answer = await asyncio.get_running_loop().run_in_executor(None, handler, value)
    else:
        answer = handler(value)
    if answer is not None:
        await answer
