"""What calls answer with. All are immutable values; sizes are in bytes, durations in seconds, times in UTC."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Dict, Mapping, Optional


class FileType(enum.Enum):
    """What an entry of a folder is."""

    FILE = "file"
    DIR = "dir"
    SYMLINK = "symlink"
    OTHER = "other"


class FilesystemEventType(enum.Enum):
    """What happened to an entry of a watched folder."""

    CREATE = "create"
    WRITE = "write"
    REMOVE = "remove"


class Role(str, enum.Enum):
    """What somebody may do in a room: watch; watch and work; and decide who else sees it."""

    VIEWER = "viewer"
    EDITOR = "editor"
    OWNER = "owner"


@dataclass(frozen=True)
class EntryInfo:
    """An entry of a folder. `path` is absolute; `size` is 0 for folders."""

    name: str
    type: FileType
    path: str
    size: int
    modified_time: datetime


@dataclass(frozen=True)
class WriteInfo:
    """A file that was written."""

    name: str
    type: FileType
    path: str


@dataclass(frozen=True)
class FilesystemEvent:
    """A change of a watched folder; `entry` is what stands there now, if anything."""

    name: str
    type: FilesystemEventType
    entry: Optional[EntryInfo] = None


@dataclass(frozen=True)
class CommandResult:
    """How a command ended.

    `exit_code` is 128 and the signal's number if a signal ended it, which `error` names. `elapsed` and `cpu` are in
    seconds, `memory` is the most that one of its processes had, in bytes; each is `None` if it is not known.
    `lost` is how many bytes of output are not in `stdout` and `stderr`: beyond `max_output`, or printed and
    overwritten while this client was not connected.
    """

    stdout: str
    stderr: str
    exit_code: int
    error: Optional[str] = None
    signal: Optional[int] = None
    elapsed: Optional[float] = None
    cpu: Optional[float] = None
    memory: Optional[int] = None
    lost: int = 0


@dataclass(frozen=True)
class ProcessInfo:
    """A command or terminal that runs in a room. `pid` is its number in the room, not the kernel's.

    `kind` is `process` for one that was started by `commands.run`, here or elsewhere, and `terminal`, `run` or `shell`
    for those that people opened. `cmd` is what lists show of it.
    """

    pid: int
    kind: str
    cmd: str
    project: str


@dataclass(frozen=True)
class PtySize:
    """The size of a terminal, in characters."""

    rows: int
    cols: int


@dataclass(frozen=True)
class JoinKey:
    """A key with which somebody joins a room. `expires` and `uses` are `None` where there is no such limit."""

    number: int
    key: str
    role: Role
    expires: Optional[datetime]
    uses: Optional[int]


@dataclass(frozen=True)
class SandboxInfo:
    """A room, as its key pair's holder sees it.

    `state` is how its sandbox stands: `starting`, `ready` or `gone`; one that is gone wakes, with its files, when
    somebody joins. `end_at` is `None` for a room that has no end of its own.
    """

    sandbox_id: str
    space: str
    state: str
    metadata: Dict[str, str]
    started_at: datetime
    last_used_at: datetime
    end_at: Optional[datetime]
    connections: int


@dataclass(frozen=True)
class SandboxQuery:
    """Which rooms to list: those whose metadata has all of these."""

    metadata: Mapping[str, str]


@dataclass(frozen=True)
class OpenedRoom:
    """A room that was opened for somebody's browser.

    `join_key` is what the browser gets, and `share_url` a page that has it already. `owner_key` is for the backend:
    with it `connect(join=…)` works without the key pair.
    """

    sandbox_id: str
    join_key: str
    share_url: str
    owner_key: str
    remaining_credits: int


@dataclass(frozen=True)
class DocumentChange:
    """What changed in a document: at `start`, `removed` gave way to `inserted`, and now it reads `text`.

    `start` counts Python's characters. `is_local` says that the change was made by this very object.
    """

    text: str
    start: int
    removed: str
    inserted: str
    is_local: bool


def moment(milliseconds: int) -> datetime:
    """A time of the server's, which counts milliseconds since 1970."""
    return datetime.fromtimestamp(milliseconds / 1000, tz=timezone.utc)


def maybe_moment(milliseconds: Optional[int]) -> Optional[datetime]:
    """As `moment`, if there is one."""
    return None if milliseconds is None else moment(milliseconds)


def join_key(frame: Mapping[str, Any]) -> JoinKey:
    """A key as the server tells it, over either door."""
    return JoinKey(
        number=frame["number"],
        key=frame["join"],
        role=Role(frame["role"]),
        expires=maybe_moment(frame.get("expires")),
        uses=frame.get("uses"),
    )


def sandbox_info(room: Mapping[str, Any]) -> SandboxInfo:
    """A room as the server tells it."""
    return SandboxInfo(
        sandbox_id=room["room"],
        space=room["space"],
        state=room["sandbox"],
        metadata=dict(room.get("metadata") or {}),
        started_at=moment(room["created"]),
        last_used_at=moment(room["last_used"]),
        end_at=maybe_moment(room.get("ends_at")),
        connections=room["connections"],
    )
