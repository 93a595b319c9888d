"""Files of a sandbox: read, written, listed, watched. Paths are relative to the project, or `/home/user/PROJECT/…`."""

from __future__ import annotations

import asyncio
import base64
import itertools
from typing import AsyncIterator, Awaitable, Callable, Dict, List, Literal, Mapping, Optional, Union, overload

from ._callbacks import Handler
from ._paths import Place, entry, place
from ._room import Room
from ._transfer import MAX_UPLOADS, Content, Upload, opened
from ._watch import AsyncWatchHandle, listing
from .errors import AlreadyExistsError, EmbedenvError, FileKindError, InvalidArgumentError, LimitError, NotFoundError
from .models import EntryInfo, FilesystemEvent, FileType, WriteInfo

AT_ONCE = 1024 * 1024
"""Bytes that are written by one message; what is longer goes in pieces."""
MAX_LISTED = 100_000
"""Entries that one `list` tells at most."""
DOWNLOADS = 3
"""How often a file is asked for anew because its bytes did not come."""


class AsyncFiles:
    """Files of a sandbox: `sandbox.files`.

    A relative path is in the project of the sandbox object, `main` unless told otherwise; `/home/user/P/rest` is `rest`
    in project P. `..`, a NUL, the empty path and other absolute paths raise `InvalidArgumentError` (`bad_path`), and so
    do links that lead out of the project.
    """

    def __init__(self, room: Room, project: str) -> None:
        self._room = room
        self._project = project
        self._uploads = itertools.count(1)
        self._turns = asyncio.Semaphore(MAX_UPLOADS)

    @overload
    async def read(self, path: str, format: Literal["text"] = "text") -> str: ...

    @overload
    async def read(self, path: str, format: Literal["bytes"]) -> bytes: ...

    @overload
    async def read(self, path: str, format: Literal["stream"]) -> AsyncIterator[bytes]: ...

    async def read(
        self, path: str, format: Literal["text", "bytes", "stream"] = "text"
    ) -> Union[str, bytes, AsyncIterator[bytes]]:
        """Reads a file of any size, with what people have typed into it: as text in UTF-8, as bytes, or as a stream of
        bytes that is read while it comes.

        Raises:
            NotFoundError: there is no such file.
            FileKindError: `is_a_folder`, or `not_text` if it is not UTF-8.
        """
        where = entry(path, self._project)
        if format == "stream":
            return self._room.rest.download(await self._address(where))
        data = await self._download(where)
        if format == "bytes":
            return data
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise FileKindError(f"{path} is not text in UTF-8", code="not_text") from None

    async def write(self, path: str, data: Content) -> WriteInfo:
        """Writes a file, whole or not at all, making it and its folders if need be. `data` is text, bytes, or something
        open for reading. Whoever has the file open sees what changed.

        Raises:
            FileKindError: a folder stands there.
            QuotaExceededError: it does not fit into the room.
        """
        where = entry(path, self._project)
        source, size = await asyncio.to_thread(opened, data)
        if size <= AT_ONCE:
            content = base64.b64encode(await asyncio.to_thread(source.read, size)).decode()
            command = {"type": "write", "path": where.path, "content": content, "encoding": "base64"}
            await self._done(where, command, f"writing {path}", repeat=True)
        else:
            async with self._turns:
                await Upload(self._room, next(self._uploads), where, source, size).run()
        return WriteInfo(where.name, FileType.FILE, where.absolute)

    async def list(self, path: str = ".", depth: int = 1) -> List[EntryInfo]:
        """What is in a folder: folders first, then by name. With a `depth`, also what is in its folders, so many levels
        deep, each folder before what is in it.

        Raises:
            NotFoundError: there is no such folder.
            FileKindError: it is a file.
            LimitError: it is more than 100,000 entries.
        """
        if depth < 1:
            raise InvalidArgumentError("depth is a whole number from 1", code="bad_request")
        return await self._listed(place(path, self._project), depth, MAX_LISTED)

    async def exists(self, path: str) -> bool:
        """Whether there is something by that path."""
        where = place(path, self._project)
        try:
            await self._room.connection.request({"type": "list", "project": where.project, "path": where.path})
        except NotFoundError:
            return False
        except FileKindError:
            # A file, or below one: which of the two, its folder tells.
            return where.path == "" or await self._find(where) is not None
        return True

    async def get_info(self, path: str) -> EntryInfo:
        """What stands at a path.

        Raises:
            NotFoundError: nothing.
        """
        found = await self._find(entry(path, self._project))
        if found is None:
            raise NotFoundError(f"{path} does not exist", code="not_found")
        return found

    async def make_dir(self, path: str) -> bool:
        """Makes a folder, and the folders it is in. Returns whether it was made, and false if it was there.

        Raises:
            AlreadyExistsError: a file stands there.
        """
        where = entry(path, self._project)
        try:
            create = {"type": "create", "item": "folder", "path": where.path}
            await self._done(where, create, f"making {path}", repeat=True)
        except AlreadyExistsError:
            found = await self._find(where)
            if found is not None and found.type is not FileType.DIR:
                raise
            return False
        except NotFoundError:
            # A folder above is missing. A tree is laid into what there is.
            tree: Dict[str, object] = {}
            for name in reversed(where.path.split("/")):
                tree = {"name": name, "type": "folder", "children": [tree] if tree else []}
            await self._done(where, {"type": "project"}, f"making {path}", repeat=True, file_structure=tree)
        return True

    async def rename(self, old_path: str, new_path: str) -> EntryInfo:
        """Gives an entry another path in its project. Nothing is overwritten; open documents follow.

        Raises:
            NotFoundError: there is no such entry, or no folder for it.
            AlreadyExistsError: something stands at the new path.
            InvalidArgumentError: the two are in different projects, or one in the other.
        """
        old, new = entry(old_path, self._project), entry(new_path, self._project)
        if old.project != new.project:
            raise InvalidArgumentError("an entry can't be moved to another project", code="bad_path")
        move = {"type": "move", "project": old.project, "path": old.path, "to": new.path}

        async def is_moved() -> bool:
            return await self._find(old) is None and await self._find(new) is not None

        await self._room.connection.done(move, what=f"moving {old_path}", check=is_moved)
        return await self.get_info(new.absolute)

    async def remove(self, path: str) -> None:
        """Removes an entry, a folder with all that is in it.

        Raises:
            NotFoundError: there is no such entry.
        """
        where = entry(path, self._project)

        async def is_removed() -> bool:
            return await self._find(where) is None

        await self._done(where, {"type": "delete", "path": where.path}, f"removing {path}", check=is_removed)

    async def watch_dir(
        self,
        path: str,
        on_event: Handler[FilesystemEvent],
        on_exit: Optional[Handler[Optional[EmbedenvError]]] = None,
    ) -> AsyncWatchHandle:
        """Tells what changes in a folder, not in the folders in it: what is created, written and removed. A renamed
        entry is one removed and one created. What changed while the connection was broken is told afterwards.

        `on_exit` is called once it ends: with `None` after `stop`, else with why.

        Raises:
            NotFoundError: there is no such folder.
        """
        handle = AsyncWatchHandle(self._room, place(path, self._project), on_event, on_exit)
        await handle._start()
        return handle

    async def _done(
        self,
        where: Place,
        command: Mapping[str, object],
        what: str,
        *,
        repeat: bool = False,
        check: Optional[Callable[[], Awaitable[bool]]] = None,
        **members: object,
    ) -> None:
        frame = {"type": "cmd", "project_name": where.project, "command": command, **members}
        await self._room.connection.done(frame, what=what, repeat=repeat, check=check)

    async def _find(self, where: Place) -> Optional[EntryInfo]:
        try:
            entries = await listing(self._room, where.parent, MAX_LISTED)
        except (NotFoundError, FileKindError):
            return None
        return next((found for found in entries if found.name == where.name), None)

    async def _listed(self, where: Place, depth: int, most: int) -> List[EntryInfo]:
        found: List[EntryInfo] = []
        for listed in await listing(self._room, where, most):
            found.append(listed)
            if depth > 1 and listed.type is FileType.DIR:
                try:
                    found += await self._listed(where.child(listed.name), depth - 1, most - len(found))
                except NotFoundError:
                    # It was removed meanwhile.
                    continue
            if len(found) > most:
                raise LimitError(f"{where.absolute} has more than {MAX_LISTED} entries", code="too_large")
        return found

    async def _address(self, where: Place) -> str:
        asked = {"type": "download", "project": where.project, "path": where.path}
        told = await self._room.connection.request(asked)
        # What is saved of a folder is an archive, and is called so.
        if told["name"] == f"{where.name}.zip":
            raise FileKindError(f"{where.absolute} is a folder", code="is_a_folder")
        return str(told["address"])

    async def _download(self, where: Place) -> bytes:
        for attempt in itertools.count(1):
            address = await self._address(where)
            try:
                return b"".join([chunk async for chunk in self._room.rest.download(address)])
            except EmbedenvError:
                # The address is good once, and while this client is in the room: a restart of the server ends both.
                if attempt == DOWNLOADS:
                    raise
        raise AssertionError("the last attempt returns or raises")
