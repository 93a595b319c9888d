"""One server for all tests, and one room for those that need no other."""

from __future__ import annotations

from typing import Iterator

import pytest

from embedenv import Sandbox
from server import Server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A server that is never killed."""
    server = Server()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def shared(server: Server) -> Iterator[Sandbox]:
    """A sandbox for tests that leave alone what is not theirs."""
    with Sandbox.create(**server.options) as sandbox:
        yield sandbox


@pytest.fixture
def crashing() -> Iterator[Server]:
    """A server that may be killed."""
    server = Server()
    yield server
    server.stop()
