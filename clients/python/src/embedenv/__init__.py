"""Embedenv from Python: sandboxes that really run code, and that people share.

```python
from embedenv import Sandbox

with Sandbox.create() as sandbox:
    sandbox.files.write("main.py", "print(6 * 7)")
    print(sandbox.commands.run("python main.py").stdout)
```

`AsyncSandbox` is the same with `await`. See docs/python.md.
"""

from ._commands import DEFAULT, AsyncCommandHandle, AsyncCommands
from ._documents import AsyncDocument, AsyncDocuments
from ._files import AsyncFiles
from ._pty import AsyncPty, AsyncPtyHandle
from ._sandbox import AsyncSandbox, AsyncSandboxPaginator
from ._version import __version__
from ._watch import AsyncWatchHandle
from .errors import (
    AlreadyExistsError,
    AuthenticationError,
    CommandExitError,
    ConflictError,
    ConnectionLostError,
    EmbedenvError,
    FileKindError,
    ForbiddenError,
    InvalidArgumentError,
    LimitError,
    NotFoundError,
    QuotaExceededError,
    RateLimitError,
    RoomEndedError,
    TimeoutError,
    UnavailableError,
    UncertainError,
)
from .models import (
    CommandResult,
    DocumentChange,
    EntryInfo,
    FilesystemEvent,
    FilesystemEventType,
    FileType,
    JoinKey,
    OpenedRoom,
    ProcessInfo,
    PtySize,
    Role,
    SandboxInfo,
    SandboxQuery,
    WriteInfo,
)
from .sync._commands import CommandHandle, Commands
from .sync._documents import Document, Documents
from .sync._files import Files
from .sync._pty import Pty, PtyHandle
from .sync._sandbox import Sandbox, SandboxPaginator
from .sync._watch import WatchHandle

__all__ = [
    "DEFAULT",
    "AlreadyExistsError",
    "AsyncCommandHandle",
    "AsyncCommands",
    "AsyncDocument",
    "AsyncDocuments",
    "AsyncFiles",
    "AsyncPty",
    "AsyncPtyHandle",
    "AsyncSandbox",
    "AsyncSandboxPaginator",
    "AsyncWatchHandle",
    "AuthenticationError",
    "CommandExitError",
    "CommandHandle",
    "CommandResult",
    "Commands",
    "ConflictError",
    "ConnectionLostError",
    "Document",
    "DocumentChange",
    "Documents",
    "EmbedenvError",
    "EntryInfo",
    "FileKindError",
    "FileType",
    "Files",
    "FilesystemEvent",
    "FilesystemEventType",
    "ForbiddenError",
    "InvalidArgumentError",
    "JoinKey",
    "LimitError",
    "NotFoundError",
    "OpenedRoom",
    "ProcessInfo",
    "Pty",
    "PtyHandle",
    "PtySize",
    "QuotaExceededError",
    "RateLimitError",
    "Role",
    "RoomEndedError",
    "Sandbox",
    "SandboxInfo",
    "SandboxPaginator",
    "SandboxQuery",
    "TimeoutError",
    "UnavailableError",
    "UncertainError",
    "WatchHandle",
    "WriteInfo",
    "__version__",
]
