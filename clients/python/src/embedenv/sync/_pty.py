"""The synchronous face of `embedenv._pty`. Made by scripts/generate.py: change that module instead."""

from __future__ import annotations

from typing import Mapping, Optional, Union

from .._callbacks import Handler
from .._loop import run
from .._pty import AsyncPty, AsyncPtyHandle, SIZE
from ..models import CommandResult, PtySize

class PtyHandle:
    """A terminal that was opened, or that was connected to."""

    def __init__(self, of: AsyncPtyHandle) -> None:
        """For this package."""
        self._async = of

    @property
    def pid(self) -> int:
        """Its number in the room. It is given once, as long as the room lasts."""
        return self._async.pid

    def wait(self) -> CommandResult:
        """Waits until its shell has ended and all that it showed was handed on. The result has no output.

        Raises:
            NotFoundError: somebody closed it, `kill` too.
            ConnectionLostError: the server could not be reached any more, or `disconnect` was called.
            UnavailableError: its sandbox is gone.
        """
        return run(self._async.wait())

    def send_input(self, data: Union[str, bytes]) -> None:
        """Types something; see `Pty.send_input`."""
        run(self._async.send_input(data=data))

    def resize(self, size: PtySize) -> None:
        """Gives it another size; see `Pty.resize`."""
        run(self._async.resize(size=size))

    def kill(self) -> bool:
        """Closes it and ends what runs in it. Returns whether it was there."""
        return run(self._async.kill())

    def disconnect(self) -> None:
        """Follows it no longer. It stays open; `pty.connect` follows it again."""
        run(self._async.disconnect())


class Pty:
    """Terminals of a sandbox: `sandbox.pty`."""

    def __init__(self, of: AsyncPty) -> None:
        """For this package."""
        self._async = of

    def create(
        self,
        size: PtySize = SIZE,
        on_data: Optional[Handler[bytes]] = None,
        cwd: Optional[str] = None,
        envs: Optional[Mapping[str, str]] = None,
    ) -> PtyHandle:
        """Opens a terminal with a shell, in the project's folder or in `cwd`. `on_data` gets what it shows.

        Everybody in the room sees it. It stays when this client leaves.

        Raises:
            LimitError: a room has so many terminals and commands at once.
            UncertainError: the connection broke over it, and the server has forgotten whose that was.
        """
        return PtyHandle(run(self._async.create(size=size, on_data=on_data, cwd=cwd, envs=envs)))

    def connect(self, pid: int, on_data: Handler[bytes]) -> PtyHandle:
        """Follows a terminal that was opened elsewhere, or before; what it has shown comes first, up to 2 MiB of it.

        Raises:
            NotFoundError: there is no such terminal.
            ConflictError: this object follows it already.
        """
        return PtyHandle(run(self._async.connect(pid=pid, on_data=on_data)))

    def send_input(self, pid: int, data: Union[str, bytes]) -> None:
        """Types something into a terminal: text and keys, as a terminal sends them. Returns when it is on its way; it
        arrives once, and in order, also over a broken connection.

        Raises:
            NotFoundError: there is no such terminal, or its shell has ended.
        """
        run(self._async.send_input(pid=pid, data=data))

    def resize(self, pid: int, size: PtySize) -> None:
        """Gives a terminal another size. It has the size of whoever typed into it last: if that is somebody else, it
        changes when this client types.
        """
        run(self._async.resize(pid=pid, size=size))

    def kill(self, pid: int) -> bool:
        """Closes a terminal and ends what runs in it. Returns whether it was there."""
        return run(self._async.kill(pid=pid))
