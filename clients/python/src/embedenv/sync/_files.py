"""The synchronous face of `embedenv._files`. Made by scripts/generate.py: change that module instead."""

from __future__ import annotations

from typing import Any, AsyncIterator, Iterator, List, Literal, Optional, Union, cast, overload

from .._callbacks import Handler
from .._files import AsyncFiles
from .._loop import iterate, run
from .._transfer import Content
from ._watch import WatchHandle
from ..errors import EmbedenvError
from ..models import EntryInfo, FilesystemEvent, WriteInfo

class Files:
    """Files of a sandbox: `sandbox.files`.

    A relative path is in the project of the sandbox object, `main` unless told otherwise; `/home/user/P/rest` is `rest`
    in project P. `..`, a NUL, the empty path and other absolute paths raise `InvalidArgumentError` (`bad_path`), and so
    do links that lead out of the project.
    """

    def __init__(self, of: AsyncFiles) -> None:
        """For this package."""
        self._async = of

    @overload
    def read(self, path: str, format: Literal["text"] = "text") -> str: ...

    @overload
    def read(self, path: str, format: Literal["bytes"]) -> bytes: ...

    @overload
    def read(self, path: str, format: Literal["stream"]) -> Iterator[bytes]: ...

    def read(
        self, path: str, format: Literal["text", "bytes", "stream"] = "text"
    ) -> Union[str, bytes, Iterator[bytes]]:
        """Reads a file of any size, with what people have typed into it: as text in UTF-8, as bytes, or as a stream of
        bytes that is read while it comes.

        Raises:
            NotFoundError: there is no such file.
            FileKindError: `is_a_folder`, or `not_text` if it is not UTF-8.
        """
        done: Union[str, bytes, AsyncIterator[bytes]] = run(cast(Any, self._async).read(path=path, format=format))
        if isinstance(done, AsyncIterator):
            return iterate(done)
        return done

    def write(self, path: str, data: Content) -> WriteInfo:
        """Writes a file, whole or not at all, making it and its folders if need be. `data` is text, bytes, or something
        open for reading. Whoever has the file open sees what changed.

        Raises:
            FileKindError: a folder stands there.
            QuotaExceededError: it does not fit into the room.
        """
        return run(self._async.write(path=path, data=data))

    def list(self, path: str = ".", depth: int = 1) -> List[EntryInfo]:
        """What is in a folder: folders first, then by name. With a `depth`, also what is in its folders, so many levels
        deep, each folder before what is in it.

        Raises:
            NotFoundError: there is no such folder.
            FileKindError: it is a file.
            LimitError: it is more than 100,000 entries.
        """
        return run(self._async.list(path=path, depth=depth))

    def exists(self, path: str) -> bool:
        """Whether there is something by that path."""
        return run(self._async.exists(path=path))

    def get_info(self, path: str) -> EntryInfo:
        """What stands at a path.

        Raises:
            NotFoundError: nothing.
        """
        return run(self._async.get_info(path=path))

    def make_dir(self, path: str) -> bool:
        """Makes a folder, and the folders it is in. Returns whether it was made, and false if it was there.

        Raises:
            AlreadyExistsError: a file stands there.
        """
        return run(self._async.make_dir(path=path))

    def rename(self, old_path: str, new_path: str) -> EntryInfo:
        """Gives an entry another path in its project. Nothing is overwritten; open documents follow.

        Raises:
            NotFoundError: there is no such entry, or no folder for it.
            AlreadyExistsError: something stands at the new path.
            InvalidArgumentError: the two are in different projects, or one in the other.
        """
        return run(self._async.rename(old_path=old_path, new_path=new_path))

    def remove(self, path: str) -> None:
        """Removes an entry, a folder with all that is in it.

        Raises:
            NotFoundError: there is no such entry.
        """
        run(self._async.remove(path=path))

    def watch_dir(
        self,
        path: str,
        on_event: Handler[FilesystemEvent],
        on_exit: Optional[Handler[Optional[EmbedenvError]]] = None,
    ) -> WatchHandle:
        """Tells what changes in a folder, not in the folders in it: what is created, written and removed. A renamed
        entry is one removed and one created. What changed while the connection was broken is told afterwards.

        `on_exit` is called once it ends: with `None` after `stop`, else with why.

        Raises:
            NotFoundError: there is no such folder.
        """
        return WatchHandle(run(self._async.watch_dir(path=path, on_event=on_event, on_exit=on_exit)))
