"""The background loop of the synchronous face: one thread for all sandboxes of a process, started when first used."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import AsyncIterator, Coroutine, Iterator, Optional, TypeVar

from ._callbacks import in_threads

T = TypeVar("T")


class _Loop:
    """A loop on a thread of its own, which ends with the process."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="embedenv", daemon=True)
        self.thread.start()


_lock = threading.Lock()
_loop: Optional[_Loop] = None


def _running() -> _Loop:
    global _loop
    with _lock:
        # A forked process has the object and not the thread.
        if _loop is None or _loop.process != os.getpid():
            _loop = _Loop()
        return _loop


def run(work: Coroutine[object, object, T]) -> T:
    """Does something on the loop, and waits for it. Whoever is interrupted while waiting cancels it."""
    background = _running()
    if threading.current_thread() is background.thread:
        work.close()
        raise RuntimeError("a coroutine can't wait for a Sandbox: give it a plain function, or use AsyncSandbox")

    async def within() -> T:
        in_threads.set(True)
        return await work

    future = asyncio.run_coroutine_threadsafe(within(), background.loop)
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


def iterate(source: AsyncIterator[T]) -> Iterator[T]:
    """What comes of an asynchronous iterator, one after the other."""

    async def following() -> T:
        return await source.__anext__()

    try:
        while True:
            try:
                item = run(following())
            except StopAsyncIteration:
                return
            yield item
    finally:
        close = getattr(source, "aclose", None)
        if close is not None:
            run(close())
