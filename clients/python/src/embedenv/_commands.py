"""Commands in a sandbox: started, followed, fed, ended."""

from __future__ import annotations

import asyncio
import base64
import enum
import signal as signals
from typing import Dict, List, Literal, Mapping, Optional, Union, overload

from ._callbacks import Calls, Handler, spawn
from ._connection import uncertain
from ._logs import Log
from ._orders import AnswerLost
from ._paths import place
from ._room import Room
from ._streams import TextOutput
from ._wire import Frame
from .errors import (
    CommandExitError,
    ConflictError,
    ConnectionLostError,
    InvalidArgumentError,
    LimitError,
    NotFoundError,
    TimeoutError,
)
from .models import CommandResult, ProcessInfo

COMMAND_TIMEOUT = 60.0
"""Seconds after which a command that is waited for is ended, unless told otherwise."""
MAX_OUTPUT = 16 * 1024 * 1024
"""Bytes of each stream that are kept for its result, unless told otherwise."""
MAX_INPUT = 192 * 1024
"""Bytes of input that are sent at once; more goes in pieces. The server takes 256 KiB of Base64."""
NOT_TAKEN = 0.05
"""Seconds after which it is asked again whether input was taken."""
SIGNALLED = 128
"""What a shell adds to a signal's number."""


class Default(enum.Enum):
    """The type of `DEFAULT`."""

    DEFAULT = "default"


DEFAULT = Default.DEFAULT
"""Stands for the time limit that a command has when none is given."""

Timeout = Union[float, None, Default]


class AsyncCommandHandle:
    """A command that was started, or that was connected to. Its output is followed over broken connections."""

    def __init__(
        self,
        room: Room,
        pid: int,
        errors: int,
        on_stdout: Optional[Handler[str]],
        on_stderr: Optional[Handler[str]],
        max_output: int,
        *,
        is_started: bool,
        is_attached: bool,
    ) -> None:
        self._room = room
        self._pid = pid
        self._errors = errors
        self._is_started = is_started
        self._calls = Calls()
        self._out = TextOutput(self._calls, on_stdout, max_output)
        self._err = TextOutput(self._calls, on_stderr, max_output)
        self._logs: List[Log] = [
            room.follow(pid, self._out, is_attached=is_attached),
            room.follow(errors, self._err, is_attached=is_attached),
        ]
        self._result: Optional[CommandResult] = None
        self._over = asyncio.create_task(self._end(), name=f"embedenv command {pid}")
        # Nobody may wait for it.
        self._over.add_done_callback(lambda over: over.cancelled() or over.exception())

    @property
    def pid(self) -> int:
        """Its number in the room. It is given once, as long as the room lasts."""
        return self._pid

    @property
    def stdout(self) -> str:
        """What it has printed on standard output so far."""
        return self._out.text

    @property
    def stderr(self) -> str:
        """What it has printed on standard error so far."""
        return self._err.text

    @property
    def exit_code(self) -> Optional[int]:
        """Its exit code, or `None` while it runs."""
        return self._result.exit_code if self._result else None

    async def wait(self) -> CommandResult:
        """Waits until it has ended, and everything that it printed was handed to the handlers.

        Raises:
            CommandExitError: it ended with another code than 0.
            TimeoutError: it was ended by its `timeout`; `result` has what it printed.
            NotFoundError: somebody closed it, or it was forgotten.
            ConnectionLostError: the server could not be reached any more, or `disconnect` was called.
            UnavailableError: its sandbox is gone.
        """
        # Whoever stops waiting does not stop it for others.
        exit = await asyncio.shield(self._over)
        result = self._result
        assert result is not None, "it is over"
        await self._calls.drained()
        if exit.get("timed_out"):
            slow = TimeoutError("the command was ended by its time limit", code="timed_out")
            slow.result = result
            raise slow
        if result.exit_code != 0:
            raise CommandExitError(result)
        return result

    async def kill(self) -> bool:
        """Kills it and what it started in its process group (SIGKILL). Returns whether it was still running."""
        return await kill(self._room, self._pid)

    async def send_stdin(self, data: Union[str, bytes]) -> None:
        """Feeds it, and returns once it has taken that. It must have been started with `stdin=True`.

        Raises:
            NotFoundError: nobody reads: it has ended, or closed its input.
            UncertainError: the server was killed over it: some of it may have been read, or all, or nothing.
        """
        await send_stdin(self._room, self._pid, data)

    async def close_stdin(self) -> None:
        """Ends its input: a program that reads it to the end gets there."""
        await send_stdin(self._room, self._pid, b"", end=True)

    async def disconnect(self) -> None:
        """Follows it no longer. It runs on; `commands.connect` follows it again."""
        self._forget()
        error = ConnectionLostError("the command is not followed any more", code="closed")
        for log in self._logs:
            log.fail(error)
        for log in self._logs:
            spawn(log.detach(), "detach")

    def _forget(self) -> None:
        self._room.leave([self._pid, self._errors])

    async def _end(self) -> Frame:
        try:
            exit, _ = await asyncio.gather(self._out.exit, self._err.exit)
        finally:
            self._forget()
        lost = sum(log.lost for log in self._logs) + self._out.dropped + self._err.dropped
        self._result = result(exit, self.stdout, self.stderr, lost)
        if self._is_started:
            # A room keeps so many ended commands: this one was read.
            closing = self._room.connection.done({"type": "terminal-close", "terminal": self._pid}, what="closing")
            spawn(closing, "close")
        return exit


class AsyncCommands:
    """Commands of a sandbox: `sandbox.commands`."""

    def __init__(self, room: Room, project: str, envs: Mapping[str, str]) -> None:
        self._room = room
        self._project = project
        self._envs = dict(envs)

    @overload
    async def run(
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
    async def run(
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
    ) -> AsyncCommandHandle: ...

    async def run(
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
    ) -> Union[CommandResult, AsyncCommandHandle]:
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
        seconds = (None if background else COMMAND_TIMEOUT) if timeout is DEFAULT else timeout
        assert not isinstance(seconds, Default), "replaced above"
        frame = self._frame(cmd, envs, cwd, stdin, seconds or None)
        handle = await self._start(frame, on_stdout, on_stderr, max_output)
        if background:
            return handle
        try:
            return await handle.wait()
        except asyncio.CancelledError:
            spawn(handle.kill(), "kill")
            raise

    async def list(self) -> List[ProcessInfo]:
        """What runs in the room: commands and terminals, whoever started them."""
        await self._room.connection.joined()
        return [
            ProcessInfo(number, terminal["kind"], terminal["title"], terminal["project"])
            for number, terminal in sorted(self._room.terminals.items())
            if terminal["kind"] != "errors" and "exit" not in terminal
        ]

    async def connect(
        self,
        pid: int,
        on_stdout: Optional[Handler[str]] = None,
        on_stderr: Optional[Handler[str]] = None,
        max_output: int = MAX_OUTPUT,
    ) -> AsyncCommandHandle:
        """Follows a command that was started elsewhere, or before, from its first byte, as far as the last 2 MiB of
        each stream reach.

        Raises:
            NotFoundError: there is no such command.
            ConflictError: this object follows it already.
        """
        await self._room.connection.joined()
        process = self._room.terminals.get(pid)
        if process is None or process["kind"] != "process":
            raise NotFoundError(f"there is no command {pid}", code="not_found")
        if self._room.is_followed(pid):
            raise ConflictError(f"the command {pid} is followed already", code="conflict")
        return await self._adopt(process, on_stdout, on_stderr, max_output, is_started=False)

    async def kill(self, pid: int) -> bool:
        """Kills a command and what it started in its process group (SIGKILL). Returns whether it was running."""
        return await kill(self._room, pid)

    async def send_stdin(self, pid: int, data: Union[str, bytes]) -> None:
        """Feeds a command; see `AsyncCommandHandle.send_stdin`."""
        await send_stdin(self._room, pid, data)

    async def close_stdin(self, pid: int) -> None:
        """Ends the input of a command."""
        await send_stdin(self._room, pid, b"", end=True)

    def _frame(
        self, cmd: str, envs: Optional[Mapping[str, str]], cwd: Optional[str], stdin: bool, timeout: Optional[float]
    ) -> Frame:
        frame: Frame = {"type": "process-start", "command": cmd, "stdin": stdin}
        frame.update(where(cwd, self._project, {**self._envs, **(envs or {})}))
        if timeout is not None:
            if not 0 < timeout < float("inf"):
                raise InvalidArgumentError("timeout is a number of seconds above 0, or None", code="bad_request")
            frame["timeout"] = max(1, round(timeout * 1000))
        return frame

    async def _start(
        self,
        frame: Frame,
        on_stdout: Optional[Handler[str]],
        on_stderr: Optional[Handler[str]],
        max_output: int,
    ) -> AsyncCommandHandle:
        handles: List[AsyncCommandHandle] = []

        def started(reply: Frame) -> None:
            # Its output may be the next frame.
            pid, errors = reply["process"], reply["errors"]
            handles.append(
                AsyncCommandHandle(
                    self._room, pid, errors, on_stdout, on_stderr, max_output, is_started=True, is_attached=True
                )
            )

        async with self._room.opening:
            while not handles:
                newest = self._room.newest
                try:
                    await self._room.connection.order(dict(frame), answered=started)
                except AnswerLost as lost:
                    process = await self._room.started_after(newest, "process")
                    if process is not None:
                        return await self._adopt(process, on_stdout, on_stderr, max_output, is_started=True)
                    # The room lists whatever this client has started: nothing was.
                    if lost.is_forgotten:
                        raise uncertain("starting the command") from None
                except asyncio.CancelledError:
                    for handle in handles:
                        spawn(handle.kill(), "kill")
                    raise
        return handles[0]

    async def _adopt(
        self,
        process: Frame,
        on_stdout: Optional[Handler[str]],
        on_stderr: Optional[Handler[str]],
        max_output: int,
        *,
        is_started: bool,
    ) -> AsyncCommandHandle:
        pid, errors = process["terminal"], process["errors"]
        handle = AsyncCommandHandle(
            self._room, pid, errors, on_stdout, on_stderr, max_output, is_started=is_started, is_attached=False
        )
        await asyncio.gather(*(log.attach() for log in handle._logs))
        return handle


def where(cwd: Optional[str], project: str, envs: Mapping[str, str]) -> Frame:
    """The members that say where something is started, and with which environment."""
    begins = place(cwd, project) if cwd is not None else place(".", project)
    frame: Dict[str, object] = {"project": begins.project}
    if begins.path:
        frame["folder"] = begins.path
    if envs:
        frame["environment"] = dict(envs)
    return frame


async def kill(room: Room, pid: int) -> bool:
    """Kills what has this number. Returns whether it was running."""
    known = room.terminals.get(pid)
    if known is not None and "exit" in known:
        return False
    try:
        signal = {"type": "terminal-signal", "terminal": pid, "signal": "kill"}
        await room.connection.done(signal, what="the signal", repeat=True, settled=NotFoundError)
    except NotFoundError:
        return False
    return True


async def send_stdin(room: Room, pid: int, data: Union[str, bytes], *, end: bool = False) -> None:
    """Feeds a command piece by piece, each once the one before was taken."""
    rest = memoryview(data.encode() if isinstance(data, str) else bytes(data))
    if not rest and not end:
        return
    async with room.feeding.setdefault(pid, asyncio.Lock()):
        while True:
            piece, rest = rest[:MAX_INPUT], rest[MAX_INPUT:]
            frame: Frame = {"type": "process-input", "process": pid, "encoding": "base64"}
            frame["data"] = base64.b64encode(piece).decode()
            if end and not rest:
                frame["end"] = True
            await _feed(room, frame)
            if not rest:
                return


async def _feed(room: Room, frame: Frame) -> None:
    """Feeds one piece."""
    pid = frame["process"]
    try:
        if pid in room.unheard:
            # A piece is refused while the one before waits. That must not happen to this one, whose answer may be lost.
            await _taken(room, pid)
        room.unheard.add(pid)
        await room.connection.order(frame)
        room.unheard.discard(pid)
    except AnswerLost as lost:
        if lost.uncertain:
            raise uncertain("the input") from None
    except (NotFoundError, ConflictError) as error:
        raise NotFoundError(f"nobody reads the input: {error.message}", code=error.code) from None


async def _taken(room: Room, pid: int) -> None:
    """Waits until a command has taken what it was fed before: until it may be fed nothing at all."""
    loop = asyncio.get_running_loop()
    until = loop.time() + room.connection.timeout
    while True:
        try:
            await room.connection.order({"type": "process-input", "process": pid, "data": ""})
            return
        except AnswerLost:
            continue
        except LimitError:
            if loop.time() > until:
                raise TimeoutError("the input of before was not taken in time", code="timed_out") from None
            await asyncio.sleep(NOT_TAKEN)


def result(exit: Frame, stdout: str, stderr: str, lost: int) -> CommandResult:
    """How a program ended, of the room's word for it."""
    number = exit.get("signal")
    elapsed, cpu = exit.get("elapsed"), exit.get("cpu")
    error = None
    if number is not None:
        error = f"ended by {_signal_name(number)}"
        if elapsed is None:
            error += ", with its sandbox"
    return CommandResult(
        stdout=stdout,
        stderr=stderr,
        exit_code=SIGNALLED + number if number is not None else exit["code"],
        error=error,
        signal=number,
        elapsed=None if elapsed is None else elapsed / 1000,
        cpu=None if cpu is None else cpu / 1000,
        memory=exit.get("memory"),
        lost=lost,
    )


def _signal_name(number: int) -> str:
    try:
        return signals.Signals(number).name
    except ValueError:
        return f"signal {number}"
