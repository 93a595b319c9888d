"""A sandbox: opened with a key pair or joined with a key, and what can be done with it."""

from __future__ import annotations

from types import TracebackType
from typing import Awaitable, Callable, Dict, List, Mapping, Optional, Type, Union
from urllib.parse import urlsplit

from ._commands import AsyncCommands
from ._connection import uncertain
from ._documents import AsyncDocuments
from ._files import AsyncFiles
from ._options import Options, options
from ._orders import AnswerLost
from ._paths import checked_project
from ._pty import AsyncPty
from ._rest import Rest
from ._room import Room
from ._wire import Frame
from .errors import InvalidArgumentError, NotFoundError, UnavailableError
from .models import JoinKey, OpenedRoom, Role, SandboxInfo, SandboxQuery, join_key, sandbox_info

PROJECT = "main"
"""The project of a sandbox object, unless told otherwise."""
PORT_TTL = 24 * 60 * 60
"""Seconds for which `get_host` opens a port, unless told otherwise."""
USER = "Python"
"""What the others in the room see, unless told otherwise."""
MAX_USER = 64
"""Characters of the name that the others in the room see."""


class AsyncSandbox:
    """A sandbox, and this client's place in its room.

    Make one with `create` or `connect`. It comes back by itself when its connection breaks, also over a restart of the
    server: what is under way goes on, nothing is done twice, and output has no hole. As a context manager it is killed
    at the end if it was created here, and only left if it was connected to.

    `files`, `commands`, `pty` and `documents` are what can be done with it; `sandbox_id` is the room's id.
    """

    files: AsyncFiles
    commands: AsyncCommands
    pty: AsyncPty
    documents: AsyncDocuments

    def __init__(self, room: Room, project: str, envs: Mapping[str, str], *, is_created: bool) -> None:
        """For `create` and `connect`."""
        self._room = room
        self._is_created = is_created
        self.files = AsyncFiles(room, project)
        self.commands = AsyncCommands(room, project, envs)
        self.pty = AsyncPty(room, project, envs)
        self.documents = AsyncDocuments(room, project)

    @classmethod
    async def create(
        cls,
        space: Optional[str] = None,
        timeout: Optional[int] = None,
        envs: Optional[Mapping[str, str]] = None,
        metadata: Optional[Mapping[str, str]] = None,
        *,
        project: str = PROJECT,
        user: Optional[str] = None,
        idempotency_key: Optional[str] = None,
        url: Optional[str] = None,
        public_key: Optional[str] = None,
        secret_key: Optional[str] = None,
        request_timeout: Optional[float] = None,
    ) -> AsyncSandbox:
        """Opens a room, which costs one credit, and joins it as its owner.

        `space` is a profile of the server's, the default one if not given. After `timeout` seconds the room ends with
        its files; without, once it was unused for as long as the server says. `envs` are for all that this object
        starts. `metadata` is for `list`: up to 32 texts, 4 KiB in all. `project` is the folder that relative paths and
        commands are in, `user` what the others see. With the same `idempotency_key` it is the same room for 48 hours.

        `url`, `public_key` and `secret_key` are taken from EMBEDENV_URL, EMBEDENV_PUBLIC_KEY and EMBEDENV_SECRET_KEY
        unless given. `request_timeout` is how many seconds one request may take, 60 unless given.

        Raises:
            AuthenticationError: there is no key pair, or it is not good.
            QuotaExceededError: no credits are left (`no_credits`), or another quota of the pair's is used up.
            UnavailableError: the sandbox could not be started; the credit is given back.
        """
        asked = options(url, public_key, secret_key, request_timeout)
        project = checked_project(project)
        rest = Rest(asked)
        try:
            opened = await rest.open_room(space, timeout, metadata, idempotency_key)
            room = Room(asked, rest, opened.owner, _minting(rest, opened.room), _named(user))
            await room.connection.start()
        except BaseException:
            await rest.close()
            raise
        return cls(room, project, envs or {}, is_created=True)

    @classmethod
    async def connect(
        cls,
        sandbox_id: Optional[str] = None,
        timeout: Optional[int] = None,
        envs: Optional[Mapping[str, str]] = None,
        *,
        join: Optional[str] = None,
        project: str = PROJECT,
        user: Optional[str] = None,
        url: Optional[str] = None,
        public_key: Optional[str] = None,
        secret_key: Optional[str] = None,
        request_timeout: Optional[float] = None,
    ) -> AsyncSandbox:
        """Joins a room that there is: by its id, as an owner, with the key pair; or by a `join` key, with its role and
        without a key pair. One that sleeps wakes with its files. The rest is as in `create`; a `timeout` is set anew.

        Raises:
            NotFoundError: there is no such room.
            AuthenticationError: the key opens nothing (`unknown_join_key`), or there is no key pair.
        """
        asked = options(url, public_key, secret_key, request_timeout)
        project = checked_project(project)
        if (sandbox_id is None) == (join is None):
            raise InvalidArgumentError("connect takes the id of a room or a join key", code="bad_request")
        rest = Rest(asked)
        try:
            mint = _minting(rest, sandbox_id) if sandbox_id is not None else None
            if timeout is not None:
                if sandbox_id is None:
                    raise InvalidArgumentError("a timeout takes the key pair and the room's id", code="bad_request")
                await rest.set_timeout(sandbox_id, timeout)
            room = Room(asked, rest, join, mint, _named(user))
            await room.connection.start()
        except BaseException:
            await rest.close()
            raise
        return cls(room, project, envs or {}, is_created=False)

    @staticmethod
    async def open_room(
        space: Optional[str] = None,
        timeout: Optional[int] = None,
        metadata: Optional[Mapping[str, str]] = None,
        *,
        files: Optional[Mapping[str, str]] = None,
        project: str = PROJECT,
        role: Union[Role, str] = Role.EDITOR,
        ttl: Optional[int] = None,
        uses: Optional[int] = None,
        idempotency_key: Optional[str] = None,
        url: Optional[str] = None,
        public_key: Optional[str] = None,
        secret_key: Optional[str] = None,
    ) -> OpenedRoom:
        """Opens a room for somebody's browser: all that a backend does before its frontend joins, in one call. `files`
        are texts by their paths, written into `project`. The rest is as in `create`, and for the key as in
        `create_join_key`.
        """
        asked = options(url, public_key, secret_key)
        role = _role(role)
        async with Rest(asked) as rest:
            opened = await rest.open_room(space, timeout, metadata, idempotency_key)
            if files:
                await rest.plant(opened.room, checked_project(project), files)
            key = opened.join
            if role is not Role.EDITOR or ttl is not None or uses is not None:
                key = str((await rest.mint(opened.room, role.value, ttl, uses))["join"])
        return OpenedRoom(opened.room, key, asked.share_url(key), opened.owner, opened.remaining_credits)

    @staticmethod
    def list(
        query: Optional[SandboxQuery] = None,
        limit: Optional[int] = None,
        *,
        url: Optional[str] = None,
        public_key: Optional[str] = None,
        secret_key: Optional[str] = None,
    ) -> AsyncSandboxPaginator:
        """The rooms of the key pair's account that live, in pages of up to `limit` (1 to 100, 50 if not given)."""
        return AsyncSandboxPaginator(options(url, public_key, secret_key), query, limit)

    @property
    def sandbox_id(self) -> str:
        """The room's id."""
        return self._room.id

    @property
    def role(self) -> Role:
        """What this client may do in the room."""
        return Role(self._room.role)

    async def kill(
        self: Union[AsyncSandbox, str],
        *,
        url: Optional[str] = None,
        public_key: Optional[str] = None,
        secret_key: Optional[str] = None,
    ) -> bool:
        """Ends the room, with its files and all that runs in it. Returns whether it was there.

        On a sandbox, or on the class with a room's id: `AsyncSandbox.kill(sandbox_id)`. Takes the key pair.
        """
        if isinstance(self, str):
            async with Rest(options(url, public_key, secret_key)) as rest:
                return await _end(rest, self)
        ended = await _end(self._room.rest, self._room.id)
        await self.close()
        return ended

    async def set_timeout(
        self: Union[AsyncSandbox, str],
        timeout: Optional[int],
        *,
        url: Optional[str] = None,
        public_key: Optional[str] = None,
        secret_key: Optional[str] = None,
    ) -> None:
        """Has the room end so many seconds from now (up to 30 days), or with `None` at no time of its own.

        On a sandbox, or on the class with a room's id. Takes the key pair.

        Raises:
            NotFoundError: there is no such room.
        """
        if isinstance(self, str):
            async with Rest(options(url, public_key, secret_key)) as rest:
                return await rest.set_timeout(self, timeout)
        await self._room.rest.set_timeout(self._room.id, timeout)

    async def get_info(
        self: Union[AsyncSandbox, str],
        *,
        url: Optional[str] = None,
        public_key: Optional[str] = None,
        secret_key: Optional[str] = None,
    ) -> SandboxInfo:
        """How the room stands.

        On a sandbox, or on the class with a room's id. Takes the key pair.

        Raises:
            NotFoundError: there is no such room.
        """
        if isinstance(self, str):
            async with Rest(options(url, public_key, secret_key)) as rest:
                return sandbox_info(await rest.room(self))
        return sandbox_info(await self._room.rest.room(self._room.id))

    async def projects(self) -> List[str]:
        """The names of the projects there are: the folders in `/home/user`."""
        answer = await self._room.connection.request({"type": "projects"})
        return [str(name) for name in answer["projects"]]

    async def create_join_key(
        self, role: Union[Role, str] = Role.EDITOR, ttl: Optional[int] = None, uses: Optional[int] = None
    ) -> JoinKey:
        """Makes a key with which somebody else joins, with a role up to one's own: `viewer`, `editor` or `owner`. It is
        good for `ttl` seconds and `uses` joins, or as long as the room.

        Raises:
            ForbiddenError: one's own role does not allow it.
            LimitError: a room has so many keys.
            UncertainError: the connection broke over it; there may be a key that nobody has.
        """
        frame: Frame = {"type": "key-mint", "role": _role(role).value}
        if ttl is not None:
            frame["ttl"] = ttl
        if uses is not None:
            frame["uses"] = uses
        try:
            return join_key(await self._room.connection.order(frame))
        except AnswerLost:
            raise uncertain("making the key") from None

    async def revoke_join_key(self, key: Union[JoinKey, str]) -> None:
        """Has nobody join with a key any more, and sends away who did.

        Raises:
            NotFoundError: there is no such key.
        """
        text = key.key if isinstance(key, JoinKey) else key
        revoking = {"type": "key-revoke", "join": text}
        await self._room.connection.done(revoking, what="revoking the key", repeat=True, settled=NotFoundError)

    async def share_url(
        self, role: Union[Role, str] = Role.EDITOR, ttl: Optional[int] = None, uses: Optional[int] = None
    ) -> str:
        """Makes a key, and returns the address of a page that joins with it; see `create_join_key`."""
        key = await self.create_join_key(role, ttl, uses)
        return self._room.options.share_url(key.key)

    async def get_host(self, port: int, ttl: int = PORT_TTL) -> str:
        """The host at which anybody sees what listens on a port of the sandbox, for `ttl` seconds from now. Takes the
        owner's role. The scheme is the server's own: `get_url` has it.

        Raises:
            UnavailableError: the server has no host names for ports (docs/previews.md); `get_url` may have an address.
        """
        parts = urlsplit(await self.get_url(port, ttl))
        if parts.path.strip("/"):
            raise UnavailableError("the server has no host name for each port; use get_url", code="unavailable")
        return parts.netloc

    async def get_url(self, port: int, ttl: int = PORT_TTL) -> str:
        """The address at which anybody sees what listens on a port of the sandbox; see `get_host`. Where the server has
        no host names for ports, its path holds a secret, and it is good for 12 hours.
        """
        opening = {"type": "port-open", "port": port, "ttl": ttl}
        await self._room.connection.done(opening, what="opening the port", repeat=True)
        return str((await self._room.connection.request({"type": "preview", "port": port}))["url"])

    async def close(self) -> None:
        """Leaves the room. It lives on, and what runs in it runs on."""
        await self._room.close()

    async def __aenter__(self) -> AsyncSandbox:
        return self

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        try:
            if self._is_created:
                await self.kill()
        finally:
            await self.close()


class AsyncSandboxPaginator:
    """The pages of a list of rooms."""

    def __init__(self, asked: Options, query: Optional[SandboxQuery], limit: Optional[int]) -> None:
        """For `AsyncSandbox.list`."""
        self._options = asked
        self._metadata: Dict[str, str] = dict(query.metadata) if query else {}
        self._limit = limit
        self._after: Optional[str] = None
        self._has_next = True

    @property
    def has_next(self) -> bool:
        """Whether there is another page."""
        return self._has_next

    async def next_items(self) -> List[SandboxInfo]:
        """The next page.

        Raises:
            InvalidArgumentError: there is none.
        """
        if not self._has_next:
            raise InvalidArgumentError("there is no other page", code="bad_request")
        async with Rest(self._options) as rest:
            page = await rest.rooms(self._metadata, self._limit, self._after)
        self._after = page.get("next")
        self._has_next = self._after is not None
        return [sandbox_info(room) for room in page["rooms"]]


def _minting(rest: Rest, room: str) -> Callable[[], Awaitable[str]]:
    """Makes keys for this client's own joins: each is good once, since whoever comes back uses none."""

    async def mint() -> str:
        return str((await rest.mint(room, Role.OWNER.value, uses=1))["join"])

    return mint


async def _end(rest: Rest, room: str) -> bool:
    try:
        await rest.end_room(room)
    except NotFoundError:
        return False
    return True


def _role(role: Union[Role, str]) -> Role:
    try:
        return Role(role)
    except ValueError:
        raise InvalidArgumentError(f"a role is viewer, editor or owner, not {role!r}", code="bad_request") from None


def _named(user: Optional[str]) -> str:
    """What the others see."""
    if user is not None and not 0 < len(user.strip()) <= MAX_USER:
        raise InvalidArgumentError(f"a user's name has 1 to {MAX_USER} characters", code="bad_request")
    return user or USER
