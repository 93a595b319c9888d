"""Commands and terminals, over both faces."""

from __future__ import annotations

import asyncio
import threading
from typing import List

import pytest

from embedenv import (
    AsyncSandbox,
    CommandExitError,
    ConflictError,
    InvalidArgumentError,
    NotFoundError,
    PtySize,
    Sandbox,
    TimeoutError,
)
from server import Server

WITHIN = 20.0


def test_a_command_tells_its_output_its_errors_and_how_it_ended(shared: Sandbox) -> None:
    out: List[str] = []
    err: List[str] = []
    told_in = set()

    def take(text: str) -> None:
        out.append(text)
        told_in.add(threading.current_thread())

    shared.files.write("in/it/file", "here\n")
    done = shared.commands.run(
        'cat file; echo "$GREETING" >&2; printf "\\303"; sleep 0.05; printf "\\244"',
        cwd="in/it",
        envs={"GREETING": "hello"},
        on_stdout=take,
        on_stderr=err.append,
    )
    # A letter that comes in two pieces is one letter.
    assert (done.stdout, done.stderr, done.exit_code) == ("here\nä", "hello\n", 0)
    assert ("".join(out), "".join(err)) == (done.stdout, done.stderr)
    assert threading.main_thread() not in told_in
    assert done.elapsed is not None and 0.05 <= done.elapsed < WITHIN and done.lost == 0
    with pytest.raises(CommandExitError) as caught:
        shared.commands.run("echo out; echo wrong >&2; exit 3")
    assert (caught.value.exit_code, caught.value.stdout, caught.value.stderr) == (3, "out\n", "wrong\n")
    with pytest.raises(InvalidArgumentError):
        shared.commands.run("pwd", cwd="/tmp")


def test_a_command_past_its_time_is_ended_and_what_it_printed_is_kept(shared: Sandbox) -> None:
    with pytest.raises(TimeoutError) as caught:
        shared.commands.run("echo begun; sleep 600", timeout=0.5)
    assert caught.value.code == "timed_out" and caught.value.result is not None
    assert caught.value.result.stdout == "begun\n"


def test_a_command_in_the_background_is_fed_found_followed_elsewhere_and_killed(server: Server) -> None:
    with Sandbox.create(envs={"NAME": "cat"}, **server.options) as sandbox:
        fed = sandbox.commands.run('while read -r line; do echo "$NAME: $line"; done', background=True, stdin=True)
        fed.send_stdin("one\n")
        fed.send_stdin(b"x" * 500_000 + b"\n")
        key = sandbox.create_join_key("editor")
        with Sandbox.connect(join=key.key, url=server.url) as other:
            (found,) = other.commands.list()
            assert found.pid == fed.pid and found.kind == "process"
            followed = other.commands.connect(fed.pid)
            with pytest.raises(ConflictError):
                other.commands.connect(fed.pid)
            fed.close_stdin()
            done = fed.wait()
            assert done.stdout == f"cat: one\ncat: {'x' * 500_000}\n"
            assert followed.wait().stdout == done.stdout
        with pytest.raises(NotFoundError):
            fed.send_stdin("nobody reads\n")
        slept = sandbox.commands.run("sleep 600", background=True)
        assert slept.exit_code is None and slept.kill()
        with pytest.raises(CommandExitError) as caught:
            slept.wait()
        assert caught.value.result.signal == 9 and not slept.kill()


def test_much_output_has_no_hole_and_a_slow_handler_loses_nothing(shared: Sandbox) -> None:
    lines = 400_000
    taken: List[str] = []

    def slowly(text: str) -> None:
        # The sandbox is asked something from within, which takes as long as it takes.
        if len(taken) % 64 == 0:
            assert not shared.files.exists("nothing")
        taken.append(text)

    done = shared.commands.run(f"seq {lines}", on_stdout=slowly, max_output=1000)
    assert "".join(taken) == "".join(f"{number}\n" for number in range(1, lines + 1))
    assert len(done.stdout) <= 1000 and "".join(taken).startswith(done.stdout)
    assert done.lost == len("".join(taken)) - len(done.stdout)


def test_who_stops_waiting_ends_the_command(server: Server) -> None:
    async def case() -> None:
        async with await AsyncSandbox.create(**server.options) as sandbox:
            begun = asyncio.Event()

            async def begins(_: str) -> None:
                begun.set()

            waiting = asyncio.create_task(
                sandbox.commands.run("trap 'echo ended > ended' EXIT; echo begun; sleep 600", on_stdout=begins)
            )
            await asyncio.wait_for(begun.wait(), WITHIN)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            # The signal is ahead of this on its way.
            await sandbox.commands.run("true")
            assert [process.cmd for process in await sandbox.commands.list()] == []

    asyncio.run(case())


def test_a_handler_that_fails_is_heard_of_by_who_waits(shared: Sandbox) -> None:
    def fails(_: str) -> None:
        raise LookupError("the handler")

    with pytest.raises(LookupError, match="the handler"):
        shared.commands.run("echo something", on_stdout=fails)


def test_a_terminal_is_typed_into_resized_and_closed(server: Server) -> None:
    async def case() -> None:
        async with await AsyncSandbox.create(envs={"NAME": "pty"}, **server.options) as sandbox:
            shown = bytearray()
            came = asyncio.Condition()

            async def show(data: bytes) -> None:
                async with came:
                    shown.extend(data)
                    came.notify_all()

            async def until(text: bytes) -> None:
                async with came:
                    await asyncio.wait_for(came.wait_for(lambda: text in shown), WITHIN)

            terminal = await sandbox.pty.create(PtySize(rows=30, cols=100), show)
            await terminal.send_input("stty size; echo from-$NAME\n")
            await until(b"30 100")
            await until(b"from-pty")
            await terminal.resize(PtySize(rows=40, cols=120))
            await terminal.send_input("stty size\n")
            await until(b"40 120")
            (found,) = await sandbox.commands.list()
            assert (found.pid, found.kind) == (terminal.pid, "terminal")
            await terminal.send_input("exit 5\n")
            assert (await asyncio.wait_for(terminal.wait(), WITHIN)).exit_code == 5
            other = await sandbox.pty.create()
            assert await other.kill() and not await sandbox.pty.kill(other.pid)
            with pytest.raises(NotFoundError):
                await other.wait()

    asyncio.run(case())
