"""The synchronous face of `embedenv._watch`. Made by scripts/generate.py: change that module instead."""

from __future__ import annotations

from .._loop import run
from .._watch import AsyncWatchHandle
from .._wire import Frame
from ..errors import EmbedenvError

class WatchHandle:
    """A watched folder."""

    def __init__(self, of: AsyncWatchHandle) -> None:
        """For this package."""
        self._async = of

    def stop(self) -> None:
        """Watches no longer. What was seen by now is still told."""
        run(self._async.stop())

    def joined(self) -> None:
        """Another connection: it is watched anew, and what changed meanwhile is seen."""
        self._async.joined()

    def lost(self) -> None:
        """Nothing is heard of it until then."""
        self._async.lost()

    def frame(self, frame: Frame) -> None:
        """Something in the folder may have changed."""
        self._async.frame(frame=frame)

    def message(self, document: int, data: bytes) -> None:
        """Not about folders."""
        self._async.message(document=document, data=data)

    def failed(self, error: EmbedenvError) -> None:
        """It can't be watched any more."""
        self._async.failed(error=error)
