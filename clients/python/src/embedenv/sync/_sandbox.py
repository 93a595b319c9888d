"""The synchronous face of `embedenv._sandbox`. Made by scripts/generate.py: change that module instead."""

from __future__ import annotations

from types import TracebackType
from typing import List, Mapping, Optional, Type, Union

from ._commands import Commands
from ._documents import Documents
from ._files import Files
from .._loop import run
from ._pty import Pty
from .._sandbox import AsyncSandbox, AsyncSandboxPaginator, PORT_TTL, PROJECT
from ..models import JoinKey, OpenedRoom, Role, SandboxInfo, SandboxQuery

class Sandbox:
    """A sandbox, and this client's place in its room.

    Make one with `create` or `connect`. It comes back by itself when its connection breaks, also over a restart of the
    server: what is under way goes on, nothing is done twice, and output has no hole. As a context manager it is killed
    at the end if it was created here, and only left if it was connected to.

    `files`, `commands`, `pty` and `documents` are what can be done with it; `sandbox_id` is the room's id.
    """

    files: Files
    commands: Commands
    pty: Pty
    documents: Documents

    def __init__(self, of: AsyncSandbox) -> None:
        """For this package."""
        self._async = of
        self.files = Files(of.files)
        self.commands = Commands(of.commands)
        self.pty = Pty(of.pty)
        self.documents = Documents(of.documents)

    @classmethod
    def create(
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
    ) -> Sandbox:
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
        return Sandbox(run(AsyncSandbox.create(space=space, timeout=timeout, envs=envs, metadata=metadata, project=project, user=user, idempotency_key=idempotency_key, url=url, public_key=public_key, secret_key=secret_key, request_timeout=request_timeout)))

    @classmethod
    def connect(
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
    ) -> Sandbox:
        """Joins a room that there is: by its id, as an owner, with the key pair; or by a `join` key, with its role and
        without a key pair. One that sleeps wakes with its files. The rest is as in `create`; a `timeout` is set anew.

        Raises:
            NotFoundError: there is no such room.
            AuthenticationError: the key opens nothing (`unknown_join_key`), or there is no key pair.
        """
        return Sandbox(run(AsyncSandbox.connect(sandbox_id=sandbox_id, timeout=timeout, envs=envs, join=join, project=project, user=user, url=url, public_key=public_key, secret_key=secret_key, request_timeout=request_timeout)))

    @staticmethod
    def open_room(
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
        return run(AsyncSandbox.open_room(space=space, timeout=timeout, metadata=metadata, files=files, project=project, role=role, ttl=ttl, uses=uses, idempotency_key=idempotency_key, url=url, public_key=public_key, secret_key=secret_key))

    @staticmethod
    def list(
        query: Optional[SandboxQuery] = None,
        limit: Optional[int] = None,
        *,
        url: Optional[str] = None,
        public_key: Optional[str] = None,
        secret_key: Optional[str] = None,
    ) -> SandboxPaginator:
        """The rooms of the key pair's account that live, in pages of up to `limit` (1 to 100, 50 if not given)."""
        return SandboxPaginator(AsyncSandbox.list(query=query, limit=limit, url=url, public_key=public_key, secret_key=secret_key))

    @property
    def sandbox_id(self) -> str:
        """The room's id."""
        return self._async.sandbox_id

    @property
    def role(self) -> Role:
        """What this client may do in the room."""
        return self._async.role

    def kill(
        self: Union[Sandbox, str],
        *,
        url: Optional[str] = None,
        public_key: Optional[str] = None,
        secret_key: Optional[str] = None,
    ) -> bool:
        """Ends the room, with its files and all that runs in it. Returns whether it was there.

        On a sandbox, or on the class with a room's id: `Sandbox.kill(sandbox_id)`. Takes the key pair.
        """
        return run(AsyncSandbox.kill(self if isinstance(self, str) else self._async, url=url, public_key=public_key, secret_key=secret_key))

    def set_timeout(
        self: Union[Sandbox, str],
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
        run(AsyncSandbox.set_timeout(self if isinstance(self, str) else self._async, timeout=timeout, url=url, public_key=public_key, secret_key=secret_key))

    def get_info(
        self: Union[Sandbox, str],
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
        return run(AsyncSandbox.get_info(self if isinstance(self, str) else self._async, url=url, public_key=public_key, secret_key=secret_key))

    def projects(self) -> List[str]:
        """The names of the projects there are: the folders in `/home/user`."""
        return run(self._async.projects())

    def create_join_key(
        self, role: Union[Role, str] = Role.EDITOR, ttl: Optional[int] = None, uses: Optional[int] = None
    ) -> JoinKey:
        """Makes a key with which somebody else joins, with a role up to one's own: `viewer`, `editor` or `owner`. It is
        good for `ttl` seconds and `uses` joins, or as long as the room.

        Raises:
            ForbiddenError: one's own role does not allow it.
            LimitError: a room has so many keys.
            UncertainError: the connection broke over it; there may be a key that nobody has.
        """
        return run(self._async.create_join_key(role=role, ttl=ttl, uses=uses))

    def revoke_join_key(self, key: Union[JoinKey, str]) -> None:
        """Has nobody join with a key any more, and sends away who did.

        Raises:
            NotFoundError: there is no such key.
        """
        run(self._async.revoke_join_key(key=key))

    def share_url(
        self, role: Union[Role, str] = Role.EDITOR, ttl: Optional[int] = None, uses: Optional[int] = None
    ) -> str:
        """Makes a key, and returns the address of a page that joins with it; see `create_join_key`."""
        return run(self._async.share_url(role=role, ttl=ttl, uses=uses))

    def get_host(self, port: int, ttl: int = PORT_TTL) -> str:
        """The host at which anybody sees what listens on a port of the sandbox, for `ttl` seconds from now. Takes the
        owner's role. The scheme is the server's own: `get_url` has it.

        Raises:
            UnavailableError: the server has no host names for ports (docs/previews.md); `get_url` may have an address.
        """
        return run(self._async.get_host(port=port, ttl=ttl))

    def get_url(self, port: int, ttl: int = PORT_TTL) -> str:
        """The address at which anybody sees what listens on a port of the sandbox; see `get_host`. Where the server has
        no host names for ports, its path holds a secret, and it is good for 12 hours.
        """
        return run(self._async.get_url(port=port, ttl=ttl))

    def close(self) -> None:
        """Leaves the room. It lives on, and what runs in it runs on."""
        run(self._async.close())

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        run(self._async.__aexit__(kind, error, trace))


class SandboxPaginator:
    """The pages of a list of rooms."""

    def __init__(self, of: AsyncSandboxPaginator) -> None:
        """For this package."""
        self._async = of

    @property
    def has_next(self) -> bool:
        """Whether there is another page."""
        return self._async.has_next

    def next_items(self) -> List[SandboxInfo]:
        """The next page.

        Raises:
            InvalidArgumentError: there is none.
        """
        return run(self._async.next_items())
