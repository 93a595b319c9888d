"""The program under test as a child process, on a folder of its own, and a network that breaks when it is told to.
Ends what it started, and never talks to a server that it did not start.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Dict, List, Optional, Set, TypedDict

from embedenv import Sandbox

START = 60.0
"""Seconds that it may take until it listens."""
END = 15.0
"""Seconds that it may take to end."""

REPOSITORY = Path(__file__).resolve().parents[3]


class Where(TypedDict):
    """Arguments of the SDK."""

    url: str
    public_key: str
    secret_key: str


class Server:
    """A server with a key pair. `kill` and `start` are a crash and what follows."""

    def __init__(self) -> None:
        self.program = os.environ.get("EMBEDENV_BIN", str(REPOSITORY / "target/debug/embedenv"))
        self.folder = tempfile.mkdtemp(prefix="embedenv-python-")
        self.url = ""
        self.log: List[str] = []
        self._listens = threading.Event()
        self._process: Optional[subprocess.Popen[str]] = None
        self.start()
        made = self.run("keys", "create", "--credits", "1000", "--json")
        self.key: Dict[str, str] = json.loads(made)

    @property
    def options(self) -> Where:
        """Where it is and who asks."""
        return self.at(self.url)

    def at(self, url: str) -> Where:
        """The same, another way."""
        return {"url": url, "public_key": self.key["public_key"], "secret_key": self.key["secret_key"]}

    def run(self, *arguments: str) -> str:
        """What the program prints beside the server."""
        command = [self.program, *arguments, "--data-dir", self.folder]
        return subprocess.run(command, env=_environment(), check=True, capture_output=True, text=True).stdout

    def start(self) -> None:
        """Starts it, on the port of before if there was one."""
        listen = self.url.partition("://")[2] or "127.0.0.1:0"
        self._listens.clear()
        self._process = subprocess.Popen(
            [self.program, "serve", "--listen", listen, "--data-dir", self.folder],
            env=_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._read, args=(self._process,), daemon=True).start()
        if not self._listens.wait(START):
            raise AssertionError("the server does not listen\n" + "\n".join(self.log))

    def kill(self) -> None:
        """Ends it the way a crash does."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(END)

    def stop(self) -> None:
        """Ends its rooms, whose sandboxes outlive it, and then it, and removes its folder."""
        assert self._process is not None
        if self._process.poll() is not None:
            self.start()
        try:
            while rooms := Sandbox.list(limit=100, **self.options).next_items():
                for room in rooms:
                    Sandbox.kill(room.sandbox_id, **self.options)
            self._process.send_signal(signal.SIGTERM)
            code = self._process.wait(END)
            assert code == 0, f"it ended with {code}\n" + "\n".join(self.log)
        finally:
            self._process.kill()
            shutil.rmtree(self.folder, ignore_errors=True)

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.log.append(line.rstrip())
            found = re.search(r"listening on (http://\S+)", line)
            if found:
                self.url = found[1]
                self._listens.set()


def _environment() -> Dict[str, str]:
    """The environment without what the tests are told by: the program takes `EMBEDENV_…` for settings of its own."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("EMBEDENV_")}
    return {**others, "EMBEDENV_ENGINE": os.environ.get("EMBEDENV_TEST_ENGINE", "local")}


class Network:
    """A way to a server that can be cut: what is on it is lost then, and it may be used again at once."""

    def __init__(self, url: str) -> None:
        host, _, port = url.partition("://")[2].rpartition(":")
        self._to = (host, int(port))
        self._ways: Set[asyncio.Task[None]] = set()
        self._server: Optional[asyncio.Server] = None
        self._moved = asyncio.Condition()
        self._is_silent = False
        self.sent = 0
        """Bytes that went to the server."""
        self.came = 0
        """Bytes that came from it."""
        self.cuts = 0

    async def open(self) -> str:
        """Begins, and returns the address to use instead of the server's."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def until(self, *, sent: int = 0, came: int = 0) -> None:
        """Waits until so many bytes have gone and come."""
        async with self._moved:
            await self._moved.wait_for(lambda: self.sent >= sent and self.came >= came)

    def silence(self) -> None:
        """Nothing comes from the server any more, until the next cut."""
        self._is_silent = True

    async def cut(self) -> None:
        """Breaks every connection, in whatever it is just doing."""
        self.cuts += 1
        for way in list(self._ways):
            way.cancel()
        await asyncio.gather(*self._ways, return_exceptions=True)
        self._is_silent = False

    async def close(self) -> None:
        """Ends it."""
        assert self._server is not None
        self._server.close()
        await self.cut()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        way = asyncio.current_task()
        assert way is not None
        self._ways.add(way)
        far: Optional[asyncio.StreamWriter] = None
        try:
            far_reader, far = await asyncio.open_connection(*self._to)
            ends = [self._pass(reader, far, is_back=False), self._pass(far_reader, writer, is_back=True)]
            tasks = [asyncio.create_task(end) for end in ends]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        except (OSError, asyncio.CancelledError):
            return
        finally:
            self._ways.discard(way)
            for writing in (writer, far):
                if writing is not None:
                    writing.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_back: bool) -> None:
        while data := await reader.read(16 * 1024):
            if is_back and self._is_silent:
                continue
            writer.write(data)
            await writer.drain()
            async with self._moved:
                if is_back:
                    self.came += len(data)
                else:
                    self.sent += len(data)
                self._moved.notify_all()
