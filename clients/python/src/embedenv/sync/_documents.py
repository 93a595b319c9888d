"""The synchronous face of `embedenv._documents`. Made by scripts/generate.py: change that module instead."""

from __future__ import annotations

from typing import Optional

from .._callbacks import Handler
from .._documents import AsyncDocument, AsyncDocuments
from .._loop import run
from .._wire import Frame, document
from ..errors import EmbedenvError
from ..models import DocumentChange

class Document:
    """An open document. It follows what everybody types, over broken connections too, until it is closed.

    Positions count Python's characters, from 0.
    """

    def __init__(self, of: AsyncDocument) -> None:
        """For this package."""
        self._async = of

    @property
    def text(self) -> str:
        """What it reads now."""
        return self._async.text

    @property
    def path(self) -> str:
        """Where its file is; it follows when the file is renamed."""
        return self._async.path

    @property
    def read_only(self) -> Optional[str]:
        """Why it can't be edited, or `None`: `not-text`, `binary`, `too-large` or `role`."""
        return self._async.read_only

    def edit(self, start: int, end: int, text: str) -> None:
        """Puts `text` in the place of the characters from `start` up to `end`. Returns once the server has it written
        down; everybody who has the document open sees it, and the file follows within two seconds.

        Raises:
            ForbiddenError: it is `read_only`.
            InvalidArgumentError: there are no such characters.
            LimitError: the text would have more than 2 MiB.
            ConflictError: the document began anew, without this edit; `text` is what it reads now.
        """
        run(self._async.edit(start=start, end=end, text=text))

    def insert(self, at: int, text: str) -> None:
        """Inserts a text; see `edit`."""
        run(self._async.insert(at=at, text=text))

    def append(self, text: str) -> None:
        """Puts a text behind what there is; see `edit`."""
        run(self._async.append(text=text))

    def set_text(self, text: str) -> None:
        """Makes it read so, by changing no more than the one stretch that differs; see `edit`."""
        run(self._async.set_text(text=text))

    def save(self) -> None:
        """Has it written into its file now, and returns when it is."""
        run(self._async.save())

    def close(self) -> None:
        """Follows it no longer."""
        run(self._async.close())

    def joined(self) -> None:
        """Another connection: the document is opened on it, and what either lacks is sent."""
        self._async.joined()

    def lost(self) -> None:
        """What was on its way may not have arrived; it is sent again with what else the server lacks."""
        self._async.lost()

    def frame(self, frame: Frame) -> None:
        """Where a document stands."""
        self._async.frame(frame=frame)

    def message(self, document: int, data: bytes) -> None:
        """What others have typed, and what the server asks for."""
        self._async.message(document=document, data=data)

    def failed(self, error: EmbedenvError) -> None:
        """It can't be followed any more."""
        self._async.failed(error=error)


class Documents:
    """Documents of a sandbox: `sandbox.documents`. Needs the extra `embedenv[documents]`."""

    def __init__(self, of: AsyncDocuments) -> None:
        """For this package."""
        self._async = of

    def open(self, path: str, on_change: Optional[Handler[DocumentChange]] = None) -> Document:
        """Opens a text file as a document. `on_change` is told each change from then on, the object's own too; when it
        is slow, several as one.

        Raises:
            NotFoundError: there is no such file.
            FileKindError: it is a folder.
            ImportError: the extra is not installed.
        """
        return Document(run(self._async.open(path=path, on_change=on_change)))
