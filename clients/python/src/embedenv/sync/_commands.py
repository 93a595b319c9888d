"""The synchronous face of `embedenv._commands`. Made by scripts/generate.py: change that module instead."""

from __future__ import annotations

from typing import Any, List, Literal, Mapping, Optional, Union, cast, overload

from .._callbacks import Handler
from .._commands import AsyncCommandHandle, AsyncCommands, DEFAULT, MAX_OUTPUT, Timeout
from .._loop import run
from ..models import CommandResult, ProcessInfo

class CommandHandle:
    """A command that was started, or that was connected to. Its output is followed over broken connections."""

    def __init__(self, of: AsyncCommandHandle) -> None:
        """For this package."""
        self._async = of

    @property
    def pid(self) -> int:
        """Its number in the room. It is given once, as long as the room lasts."""
        return self._async.pid

    @property
    def stdout(self) -> str:
        """What it has printed on standard output so far."""
        return self._async.stdout

    @property
    def stderr(self) -> str:
        """What it has printed on standard error so far."""
        return self._async.stderr

    @property
    def exit_code(self) -> Optional[int]:
        """Its exit code, or `None` while it runs."""
        return self._async.exit_code

    def wait(self) -> CommandResult:
        """Waits until it has ended, and everything that it printed was handed to the handlers.

        Raises:
            CommandExitError: it ended with another code than 0.
            TimeoutError: it was ended by its `timeout`; `result` has what it printed.
            NotFoundError: somebody closed it, or it was forgotten.
            ConnectionLostError: the server could not be reached any more, or `disconnect` was called.
            UnavailableError: its sandbox is gone.
        """
        return run(self._async.wait())

    def kill(self) -> bool:
        """Kills it and what it started in its process group (SIGKILL). Returns whether it was still running."""
        return run(self._async.kill())

    def send_stdin(self, data: Union[str, bytes]) -> None:
        """Feeds it, and returns once it has taken that. It must have been started with `stdin=True`.

        Raises:
            NotFoundError: nobody reads: it has ended, or closed its input.
            UncertainError: the server was killed over it: some of it may have been read, or all, or nothing.
        """
        run(self._async.send_stdin(data=data))

    def close_stdin(self) -> None:
        """Ends its input: a program that reads it to the end gets there."""
        run(self._async.close_stdin())

    def disconnect(self) -> None:
        """Follows it no longer. It runs on; `commands.connect` follows it again."""
        run(self._async.disconnect())


class Commands:
    """Commands of a sandbox: `sandbox.commands`."""

    def __init__(self, of: AsyncCommands) -> None:
        """For this package."""
        self._async = of

    @overload
    def run(
        self,
        cmd: str,
        background: Literal[False] = False,
        envs: Optional[Mapping[str, str]] = None,
        cwd: Optional[str] = None,
        on_stdout: Optional[Handler[str]] = None,
        on_stderr: Optional[Handler[str]] = None,
        stdin: bool = False,
        timeout: Timeout = DEFAULT,
        max_output: int = MAX_OUTPUT,
    ) -> CommandResult: ...

    @overload
    def run(
        self,
        cmd: str,
        background: Literal[True],
        envs: Optional[Mapping[str, str]] = None,
        cwd: Optional[str] = None,
        on_stdout: Optional[Handler[str]] = None,
        on_stderr: Optional[Handler[str]] = None,
        stdin: bool = False,
        timeout: Timeout = DEFAULT,
        max_output: int = MAX_OUTPUT,
    ) -> CommandHandle: ...

    def run(
        self,
        cmd: str,
        background: bool = False,
        envs: Optional[Mapping[str, str]] = None,
        cwd: Optional[str] = None,
        on_stdout: Optional[Handler[str]] = None,
        on_stderr: Optional[Handler[str]] = None,
        stdin: bool = False,
        timeout: Timeout = DEFAULT,
        max_output: int = MAX_OUTPUT,
    ) -> Union[CommandResult, CommandHandle]:
        """Runs a line of shell in the project's folder, or in `cwd`, and waits for its end; with `background`, returns
        a handle at once.

        `envs` are added to those of the sandbox object. The handlers get text as it comes. With `stdin` it can be fed;
        otherwise its input is at its end. After `timeout` seconds it is killed, in the sandbox itself: 60 if it is
        waited for and none in the background, unless given; `None` or 0 is none. Of each stream up to `max_output`
        bytes are kept. Whoever stops waiting (cancellation, Ctrl+C) kills it.

        Raises:
            CommandExitError: it ended with another code than 0.
            TimeoutError: it ran into its time limit; `result` has what it printed.
            LimitError: a room runs so many commands at once.
            UncertainError: the connection broke over its start, and the server has forgotten whose that was.
        """
        done: Union[CommandResult, AsyncCommandHandle] = run(cast(Any, self._async).run(cmd=cmd, background=background, envs=envs, cwd=cwd, on_stdout=on_stdout, on_stderr=on_stderr, stdin=stdin, timeout=timeout, max_output=max_output))
        if isinstance(done, AsyncCommandHandle):
            return CommandHandle(done)
        return done

    def list(self) -> List[ProcessInfo]:
        """What runs in the room: commands and terminals, whoever started them."""
        return run(self._async.list())

    def connect(
        self,
        pid: int,
        on_stdout: Optional[Handler[str]] = None,
        on_stderr: Optional[Handler[str]] = None,
        max_output: int = MAX_OUTPUT,
    ) -> CommandHandle:
        """Follows a command that was started elsewhere, or before, from its first byte, as far as the last 2 MiB of
        each stream reach.

        Raises:
            NotFoundError: there is no such command.
            ConflictError: this object follows it already.
        """
        return CommandHandle(run(self._async.connect(pid=pid, on_stdout=on_stdout, on_stderr=on_stderr, max_output=max_output)))

    def kill(self, pid: int) -> bool:
        """Kills a command and what it started in its process group (SIGKILL). Returns whether it was running."""
        return run(self._async.kill(pid=pid))

    def send_stdin(self, pid: int, data: Union[str, bytes]) -> None:
        """Feeds a command; see `CommandHandle.send_stdin`."""
        run(self._async.send_stdin(pid=pid, data=data))

    def close_stdin(self, pid: int) -> None:
        """Ends the input of a command."""
        run(self._async.close_stdin(pid=pid))
