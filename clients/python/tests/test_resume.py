"""Connections that break and servers that are killed: nothing is done twice, and no output has a hole."""

from __future__ import annotations

import asyncio
import random
from typing import List

import pytest

from embedenv import AsyncSandbox, UncertainError
from server import Network, Server

WITHIN = 60.0
TICKS = "for n in $(seq {}); do echo out $n; echo err $n >&2; sleep 0.01; done; exit 0"


def ticks(kind: str, count: int) -> str:
    return "".join(f"{kind} {number}\n" for number in range(1, count + 1))


def test_a_killed_and_restarted_server_loses_nothing_of_a_command_a_terminal_and_a_document(crashing: Server) -> None:
    async def case() -> None:
        async with await AsyncSandbox.create(**crashing.options) as sandbox:
            await sandbox.files.write("text", "text\n")
            document = await sandbox.documents.open("text")
            heard: List[str] = []
            command = await sandbox.commands.run(TICKS.format(600), background=True, on_stdout=heard.append)
            fed = await sandbox.commands.run("cat", background=True, stdin=True)
            shown: List[bytes] = []
            terminal = await sandbox.pty.create(on_data=shown.append)
            for round in range(3):
                await fed.send_stdin(f"before {round}\n")
                crashing.kill()
                # What is asked for meanwhile waits, and is done once the server is there again.
                meanwhile = asyncio.gather(
                    fed.send_stdin(f"during {round}\n"),
                    terminal.send_input(f"echo typed-$((6 * 7))-{round}\n"),
                    document.append(f"edited {round}\n"),
                    sandbox.files.write(f"written {round}", str(round)),
                    sandbox.commands.run(f"echo started {round} >> started"),
                )
                await asyncio.to_thread(crashing.start)
                await asyncio.wait_for(meanwhile, WITHIN)
            await fed.close_stdin()
            expected = "".join(f"before {round}\nduring {round}\n" for round in range(3))
            assert (await asyncio.wait_for(fed.wait(), WITHIN)).stdout == expected
            done = await asyncio.wait_for(command.wait(), WITHIN)
            assert (done.stdout, done.stderr, done.lost) == (ticks("out", 600), ticks("err", 600), 0)
            assert "".join(heard) == done.stdout
            assert document.text == "text\n" + "".join(f"edited {round}\n" for round in range(3))
            await document.save()
            assert await sandbox.files.read("text") == document.text
            assert await sandbox.files.read("started") == "".join(f"started {round}\n" for round in range(3))
            assert await sandbox.files.read("written 2") == "2"
            await terminal.send_input("exit\n")
            await asyncio.wait_for(terminal.wait(), WITHIN)
            screen = b"".join(shown)
            assert [screen.count(f"typed-42-{round}".encode()) for round in range(3)] == [1, 1, 1]

    asyncio.run(case())


def test_over_a_network_that_breaks_again_and_again_everything_is_done_exactly_once(server: Server) -> None:
    async def case() -> None:
        network = Network(server.url)
        chance = random.Random(7)
        async with await AsyncSandbox.create(**server.at(await network.open())) as sandbox:
            data = chance.randbytes(6 * 1024 * 1024)

            async def breaking() -> None:
                while True:
                    # After some bytes more, wherever in a frame that is.
                    await network.until(came=network.came + chance.randrange(100, 6_000))
                    await network.cut()

            fed = await sandbox.commands.run("cat", background=True, stdin=True)
            output = await sandbox.commands.run(TICKS.format(300), background=True)
            document_is_open = await sandbox.files.write("text", "")
            document = await sandbox.documents.open(document_is_open.path)
            cutting = asyncio.create_task(breaking())

            async def feed() -> None:
                for number in range(200):
                    await fed.send_stdin(f"{number}\n")

            async def start() -> None:
                for number in range(40):
                    done = await sandbox.commands.run(f"echo {number} | tee -a started; echo of {number} >&2")
                    assert (done.stdout, done.stderr) == (f"{number}\n", f"of {number}\n")

            async def edit() -> None:
                for number in range(100):
                    await document.append(f"{number}\n")

            await asyncio.wait_for(asyncio.gather(feed(), start(), edit(), sandbox.files.write("large", data)), WITHIN)
            cutting.cancel()
            assert network.cuts > 20
            await fed.close_stdin()
            assert (await fed.wait()).stdout == "".join(f"{number}\n" for number in range(200))
            done = await output.wait()
            assert (done.stdout, done.stderr, done.lost) == (ticks("out", 300), ticks("err", 300), 0)
            assert await sandbox.files.read("started") == "".join(f"{number}\n" for number in range(40))
            assert document.text == "".join(f"{number}\n" for number in range(100))
            assert await sandbox.files.read("large", "bytes") == data
            assert await sandbox.commands.list() == []
        await network.close()

    asyncio.run(case())


def test_a_command_goes_on_when_its_client_has_gone_and_is_found_again(crashing: Server) -> None:
    async def case() -> None:
        first = await AsyncSandbox.create(**crashing.options)
        command = await first.commands.run(TICKS.format(100), background=True)
        await first.close()
        crashing.kill()
        crashing.start()
        async with await AsyncSandbox.connect(first.sandbox_id, **crashing.options) as second:
            done = await (await second.commands.connect(command.pid)).wait()
            assert (done.stdout, done.stderr) == (ticks("out", 100), ticks("err", 100))
            await second.kill()

    asyncio.run(case())


def test_what_may_have_been_done_is_said_to_be_uncertain_and_not_done_again(crashing: Server) -> None:
    """A server that has forgotten who this was can't say what it has done of what was sent."""

    async def case() -> None:
        network = Network(crashing.url)
        sandbox = await AsyncSandbox.create(**crashing.at(await network.open()))
        sandbox._room.connection._resume = "rt_of_nobody"
        network.silence()
        more = network.sent + 1
        making = asyncio.create_task(sandbox.create_join_key())
        await network.until(sent=more)
        await network.cut()
        with pytest.raises(UncertainError) as caught:
            await asyncio.wait_for(making, WITHIN)
        assert caught.value.code == "uncertain"
        await sandbox.kill()
        await network.close()

    asyncio.run(case())
