"""Watched folders. The room says that one has changed; what changed in it is found by comparing it with before."""

from __future__ import annotations

import asyncio
from typing import Dict, List, Optional

from ._callbacks import Calls, Handler, spawn
from ._orders import Lost
from ._paths import Place
from ._room import Room
from ._wire import Frame
from .errors import EmbedenvError, LimitError
from .models import EntryInfo, FilesystemEvent, FilesystemEventType, FileType, moment

MAX_WATCHED = 10_000
"""Entries of a folder that can be watched."""

_KINDS = {"file": FileType.FILE, "folder": FileType.DIR, "link": FileType.SYMLINK}


async def listing(room: Room, where: Place, most: int, *, watch: bool = False) -> List[EntryInfo]:
    """Everything in a folder, page by page. With `watch`, the room tells of its changes on this connection.

    Raises:
        LimitError: it has more than `most` entries.
        Lost: the connection broke, with `watch`.
    """
    found: List[EntryInfo] = []
    asked: Frame = {"type": "list", "project": where.project, "path": where.path}
    if watch:
        asked["watch"] = True
    while True:
        page = await room.connection.request(dict(asked), once=watch)
        for entry in page["entries"]:
            kind = _KINDS.get(entry["kind"], FileType.OTHER)
            path = where.child(entry["name"]).absolute
            found.append(EntryInfo(entry["name"], kind, path, entry["size"], moment(entry["modified"])))
        if len(found) > most:
            raise LimitError(f"{where.absolute} has more than {most} entries", code="too_large")
        if "next" not in page:
            return found
        asked["after"] = page["next"]


class AsyncWatchHandle:
    """A watched folder."""

    def __init__(
        self,
        room: Room,
        where: Place,
        on_event: Handler[FilesystemEvent],
        on_exit: Optional[Handler[Optional[EmbedenvError]]],
    ) -> None:
        self._room = room
        self._where = where
        self._on_event = on_event
        self._on_exit = on_exit
        self._calls = Calls()
        self._known: Dict[str, EntryInfo] = {}
        self._changed = asyncio.Event()
        self._task: Optional[asyncio.Task[None]] = None

    async def stop(self) -> None:
        """Watches no longer. What was seen by now is still told."""
        if self._leave():
            others = [other for other in self._room.followers if isinstance(other, AsyncWatchHandle)]
            if all(other._where != self._where for other in others):
                asked = {"type": "unwatch", "project": self._where.project, "path": self._where.path}
                spawn(self._room.connection.request(asked, once=True), "unwatch")
            self._exit(None)
        await self._calls.drained()

    async def _start(self) -> None:
        self._room.followers.add(self)
        try:
            while True:
                await self._room.connection.joined()
                try:
                    self._known = await self._look()
                    break
                except Lost:
                    continue
        except BaseException:
            self._room.followers.discard(self)
            raise
        self._task = asyncio.create_task(self._run(), name="embedenv watch")

    async def _look(self) -> Dict[str, EntryInfo]:
        entries = await listing(self._room, self._where, MAX_WATCHED, watch=True)
        return {entry.name: entry for entry in entries}

    async def _run(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self._calls.eased()
            try:
                now = await self._look()
            except Lost:
                continue
            except EmbedenvError as error:
                return self.failed(error)
            before, self._known = self._known, now
            for event in differences(before, now):
                self._calls.put(self._on_event, event, len(event.name))

    def _leave(self) -> bool:
        """Follows the room no longer. Returns whether it did."""
        if self not in self._room.followers:
            return False
        self._room.followers.discard(self)
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
        return True

    def _exit(self, error: Optional[EmbedenvError]) -> None:
        if self._on_exit is not None:
            self._calls.put(self._on_exit, error)

    def joined(self) -> None:
        """Another connection: it is watched anew, and what changed meanwhile is seen."""
        self._changed.set()

    def lost(self) -> None:
        """Nothing is heard of it until then."""

    def frame(self, frame: Frame) -> None:
        """Something in the folder may have changed."""
        if frame["type"] == "changed" and (frame["project"], frame["path"]) == self._where:
            self._changed.set()

    def message(self, document: int, data: bytes) -> None:
        """Not about folders."""

    def failed(self, error: EmbedenvError) -> None:
        """It can't be watched any more."""
        if self._leave():
            self._exit(error)


def differences(before: Dict[str, EntryInfo], now: Dict[str, EntryInfo]) -> List[FilesystemEvent]:
    """What happened to a folder between two looks at it."""
    events = [FilesystemEvent(name, FilesystemEventType.REMOVE) for name in before if name not in now]
    for name, entry in now.items():
        was = before.get(name)
        if was is not None and was.type is not entry.type:
            events.append(FilesystemEvent(name, FilesystemEventType.REMOVE))
            was = None
        if was is None:
            events.append(FilesystemEvent(name, FilesystemEventType.CREATE, entry))
        # The time of a folder changes with its entries, of which is not told here.
        elif entry.type is not FileType.DIR and (was.size, was.modified_time) != (entry.size, entry.modified_time):
            events.append(FilesystemEvent(name, FilesystemEventType.WRITE, entry))
    return events
