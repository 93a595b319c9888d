"""Files that several people edit at once, as the room's editors do: Yjs documents over the sandbox's connection."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Deque, Optional, Tuple

from ._callbacks import Calls, Handler, spawn
from ._orders import Lost
from ._paths import Place, entry
from ._room import Room
from ._wire import Frame, document
from .errors import (
    ConflictError,
    ConnectionLostError,
    EmbedenvError,
    ForbiddenError,
    InvalidArgumentError,
    LimitError,
    TimeoutError,
    again,
)
from .models import DocumentChange

if TYPE_CHECKING:
    from ._yjs import Replica

MAX_DOCUMENT = 2 * 1024 * 1024
"""The longest text, in bytes of UTF-8."""


class AsyncDocument:
    """An open document. It follows what everybody types, over broken connections too, until it is closed.

    Positions count Python's characters, from 0.
    """

    def __init__(self, room: Room, where: Place) -> None:
        self._room = room
        self._where = where
        self._on_change: Optional[Handler[DocumentChange]] = None
        self._calls = Calls()
        self._replica: Replica = _replica()
        self._text = ""
        self._told = ""
        self._is_behind = False
        self._number: Optional[int] = None
        self._epoch: Optional[int] = None
        self._read_only: Optional[str] = None
        self._is_synced = asyncio.Event()
        self._is_closed = False
        self._error: Optional[EmbedenvError] = None
        self._edits = 0
        self._held = 0
        self._sent = 0
        self._on_their_way: Deque[Tuple[int, int]] = deque()
        self._abandoned = 0
        self._moved = asyncio.Event()
        self._opening: Optional[asyncio.Task[None]] = None

    @property
    def text(self) -> str:
        """What it reads now."""
        return self._text

    @property
    def path(self) -> str:
        """Where its file is; it follows when the file is renamed."""
        return self._where.absolute

    @property
    def read_only(self) -> Optional[str]:
        """Why it can't be edited, or `None`: `not-text`, `binary`, `too-large` or `role`."""
        return self._read_only

    async def edit(self, start: int, end: int, text: str) -> None:
        """Puts `text` in the place of the characters from `start` up to `end`. Returns once the server has it written
        down; everybody who has the document open sees it, and the file follows within two seconds.

        Raises:
            ForbiddenError: it is `read_only`.
            InvalidArgumentError: there are no such characters.
            LimitError: the text would have more than 2 MiB.
            ConflictError: the document began anew, without this edit; `text` is what it reads now.
        """
        self._check()
        if not 0 <= start <= end <= len(self._text):
            message = f"there are no characters {start} to {end} in a text of {len(self._text)}"
            raise InvalidArgumentError(message, code="bad_request")
        changed = self._text[:start] + text + self._text[end:]
        if len(changed.encode()) > MAX_DOCUMENT:
            raise LimitError(f"a document has up to {MAX_DOCUMENT} bytes of text", code="too_large")
        if changed == self._text:
            return
        update = self._replica.edit(start, end, text)
        self._edits += 1
        mine = self._edits
        self._changed(is_local=True)
        if self._is_synced.is_set():
            from . import _yjs

            self._send(_yjs.message(_yjs.UPDATE, update))
        await self._until_held(mine)

    async def insert(self, at: int, text: str) -> None:
        """Inserts a text; see `edit`."""
        await self.edit(at, at, text)

    async def append(self, text: str) -> None:
        """Puts a text behind what there is; see `edit`."""
        await self.edit(len(self._text), len(self._text), text)

    async def set_text(self, text: str) -> None:
        """Makes it read so, by changing no more than the one stretch that differs; see `edit`."""
        from . import _yjs

        start, removed, inserted = _yjs.splice(self._text, text)
        await self.edit(start, start + len(removed), inserted)

    async def save(self) -> None:
        """Has it written into its file now, and returns when it is."""
        self._check()
        while True:
            await self._synced()
            try:
                await self._room.connection.request({"type": "save", "document": self._number}, once=True)
                return
            except Lost:
                continue

    async def close(self) -> None:
        """Follows it no longer."""
        if not self._is_closed:
            self._leave(ConnectionLostError("the document was closed here", code="closed"))
            if self._number is not None:
                closing = self._room.connection.request({"type": "close", "document": self._number}, once=True)
                spawn(closing, "close document")
        await self._calls.drained()

    async def _open(self, on_change: Optional[Handler[DocumentChange]]) -> None:
        self._room.followers.add(self)
        try:
            while True:
                await self._room.connection.joined()
                try:
                    await self._ask()
                    break
                except Lost:
                    continue
            await self._synced()
            self._told, self._on_change = self._text, on_change
        except BaseException:
            self._leave(ConnectionLostError("the document could not be opened", code="closed"))
            raise

    async def _ask(self) -> None:
        """Opens it on the connection that stands.

        Raises:
            Lost: the connection broke.
        """
        asked = {"type": "open", "project": self._where.project, "path": self._where.path}
        await self._room.connection.request(asked, once=True, answered=self._opened)

    def _opened(self, frame: Frame) -> None:
        from . import _yjs

        if self._epoch is not None and self._epoch != frame["epoch"]:
            # The document was made anew, and this copy must not be merged into it.
            self._replica = _replica()
            self._abandoned = self._edits
            self._moved.set()
        self._number, self._epoch = frame["document"], frame["epoch"]
        self._read_only = frame.get("read_only")
        self._forget_way()
        self._is_synced.clear()
        if self._read_only == "binary":
            self._is_synced.set()
        self._room.connection.send_raw(document(frame["document"], _yjs.message(_yjs.STEP_1, self._replica.state)))

    def _forget_way(self) -> None:
        self._sent = 0
        self._on_their_way.clear()

    def _send(self, message: bytes) -> None:
        assert self._number is not None, "it is open"
        self._sent += 1
        self._on_their_way.append((self._sent, self._edits))
        self._room.connection.send_raw(document(self._number, message))

    async def _until_held(self, edit: int) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + self._room.connection.timeout
        while self._held < edit:
            if self._abandoned >= edit:
                raise ConflictError("the document began anew, without this edit", code="conflict")
            if self._error is not None:
                raise again(self._error)
            self._moved.clear()
            try:
                await asyncio.wait_for(self._moved.wait(), until - loop.time())
            except asyncio.TimeoutError:
                raise TimeoutError("the server did not say in time that it has the edit", code="timed_out") from None

    async def _synced(self) -> None:
        try:
            await asyncio.wait_for(self._is_synced.wait(), self._room.connection.timeout)
        except asyncio.TimeoutError:
            raise TimeoutError("the document did not come in time", code="timed_out") from None
        if self._error is not None:
            raise again(self._error)

    def _check(self) -> None:
        if self._error is not None:
            raise again(self._error)
        if self._read_only is not None:
            raise ForbiddenError(f"the document can't be edited: {self._read_only}", code="forbidden")

    def _changed(self, *, is_local: bool) -> None:
        self._text = self._replica.text
        if self._on_change is None or self._is_behind:
            return
        if self._calls.is_much:
            self._is_behind = True
            spawn(self._catch_up(), "catch up")
        else:
            self._tell(is_local)

    def _tell(self, is_local: bool) -> None:
        from . import _yjs

        before, self._told = self._told, self._text
        if self._on_change is not None and before != self._told:
            change = DocumentChange(self._told, *_yjs.splice(before, self._told), is_local)
            self._calls.put(self._on_change, change, len(self._told))

    async def _catch_up(self) -> None:
        """What changes while the handler is slow is told as one change."""
        await self._calls.eased()
        self._is_behind = False
        self._tell(False)

    def _leave(self, error: EmbedenvError) -> None:
        self._is_closed = True
        self._error = self._error or error
        self._room.followers.discard(self)
        if self._opening is not None and self._opening is not asyncio.current_task():
            self._opening.cancel()
        self._is_synced.set()
        self._moved.set()

    async def _again(self) -> None:
        try:
            await self._ask()
        except Lost:
            return
        except EmbedenvError as error:
            self.failed(error)

    def joined(self) -> None:
        """Another connection: the document is opened on it, and what either lacks is sent."""
        if self._epoch is not None:
            self._opening = asyncio.create_task(self._again(), name="embedenv document")

    def lost(self) -> None:
        """What was on its way may not have arrived; it is sent again with what else the server lacks."""
        self._is_synced.clear()
        self._number = None
        self._forget_way()

    def frame(self, frame: Frame) -> None:
        """Where a document stands."""
        if self._number is None or frame.get("document") != self._number:
            return
        if frame["type"] == "document":
            while self._on_their_way and self._on_their_way[0][0] <= frame["received"]:
                self._held = self._on_their_way.popleft()[1]
            self._moved.set()
        elif frame["type"] == "document-moved":
            self._where = Place(self._where.project, frame["path"])
        elif frame["type"] == "document-closed":
            self.lost()
            self.joined()

    def message(self, document: int, data: bytes) -> None:
        """What others have typed, and what the server asks for."""
        if self._number is None or document != self._number:
            return
        from . import _yjs

        is_new = False
        for step, payload in _yjs.messages(data):
            if step == _yjs.STEP_1:
                lacking = self._replica.lacking(payload)
                self._send(_yjs.message(_yjs.STEP_2, lacking))
            else:
                self._replica.apply(payload)
                is_new = True
                self._is_synced.set()
        if is_new:
            self._changed(is_local=False)

    def failed(self, error: EmbedenvError) -> None:
        """It can't be followed any more."""
        self._leave(error)


class AsyncDocuments:
    """Documents of a sandbox: `sandbox.documents`. Needs the extra `embedenv[documents]`."""

    def __init__(self, room: Room, project: str) -> None:
        self._room = room
        self._project = project

    async def open(self, path: str, on_change: Optional[Handler[DocumentChange]] = None) -> AsyncDocument:
        """Opens a text file as a document. `on_change` is told each change from then on, the object's own too; when it
        is slow, several as one.

        Raises:
            NotFoundError: there is no such file.
            FileKindError: it is a folder.
            ImportError: the extra is not installed.
        """
        opened = AsyncDocument(self._room, entry(path, self._project))
        await opened._open(on_change)
        return opened


def _replica() -> Replica:
    try:
        from ._yjs import Replica
    except ImportError as error:
        raise ImportError("documents need pycrdt: pip install 'embedenv[documents]'") from error
    return Replica()
