"""Rooms: opened, found, shared, ended."""

from __future__ import annotations

import asyncio
import urllib.request
from datetime import datetime, timedelta, timezone

import pytest

from embedenv import (
    AsyncSandbox,
    AuthenticationError,
    ConnectionLostError,
    EmbedenvError,
    ForbiddenError,
    InvalidArgumentError,
    NotFoundError,
    Role,
    RoomEndedError,
    Sandbox,
    SandboxQuery,
)
from server import Server


def test_a_room_is_opened_listed_given_time_joined_again_and_ended(server: Server) -> None:
    tag = {"course": "python 101", "who": "ada=1&2"}
    sandbox = Sandbox.create(timeout=3600, metadata=tag, idempotency_key="rooms-1", **server.options)
    again = Sandbox.create(timeout=3600, metadata=tag, idempotency_key="rooms-1", **server.options)
    assert again.sandbox_id == sandbox.sandbox_id and sandbox.role is Role.OWNER
    again.close()
    with pytest.raises(ConnectionLostError) as caught:
        again.projects()
    assert caught.value.code == "closed"
    pages = Sandbox.list(SandboxQuery(metadata=tag), limit=1, **server.options)
    (found,) = pages.next_items()
    assert found.sandbox_id == sandbox.sandbox_id and found.metadata == tag
    assert found.end_at is not None and abs(found.end_at - _in(3600)) < timedelta(seconds=60)
    assert not pages.has_next
    assert Sandbox.list(SandboxQuery(metadata={"course": "another"}), **server.options).next_items() == []
    sandbox.set_timeout(7200)
    end = Sandbox.get_info(sandbox.sandbox_id, **server.options).end_at
    assert end is not None and abs(end - _in(7200)) < timedelta(seconds=60)
    Sandbox.set_timeout(sandbox.sandbox_id, None, **server.options)
    assert sandbox.get_info().end_at is None
    sandbox.files.write("kept", "kept")
    with Sandbox.connect(sandbox.sandbox_id, **server.options) as joined:
        assert joined.files.read("kept") == "kept"
    # Whoever only joined leaves the room as it was.
    assert sandbox.files.exists("kept")
    assert Sandbox.kill(sandbox.sandbox_id, **server.options)
    assert not Sandbox.kill(sandbox.sandbox_id, **server.options)
    with pytest.raises(RoomEndedError):
        sandbox.commands.run("true")
    with pytest.raises(NotFoundError):
        Sandbox.connect(sandbox.sandbox_id, **server.options)


def test_a_backend_opens_a_room_and_hands_a_key_to_a_browser(server: Server) -> None:
    opened = Sandbox.open_room(files={"main.py": "print('hi')\n"}, role="viewer", uses=1, **server.options)
    assert opened.share_url == f"{server.url}/w#join={opened.join_key}"
    with Sandbox.connect(join=opened.join_key, url=server.url) as browser:
        assert browser.role is Role.VIEWER and browser.files.read("main.py") == "print('hi')\n"
        with pytest.raises(ForbiddenError):
            browser.files.write("main.py", "")
        with pytest.raises(AuthenticationError):
            browser.kill()
    with pytest.raises(AuthenticationError) as caught:
        Sandbox.connect(join=opened.join_key, url=server.url)
    assert caught.value.code == "unknown_join_key"
    with Sandbox.connect(join=opened.owner_key, url=server.url) as owner:
        assert owner.role is Role.OWNER


def test_who_came_by_a_key_that_is_revoked_is_out(server: Server) -> None:
    async def case() -> None:
        async with await AsyncSandbox.create(**server.options) as sandbox:
            key = await sandbox.create_join_key(Role.EDITOR, ttl=60)
            guest = await AsyncSandbox.connect(join=key.key, url=server.url)
            slept = await guest.commands.run("sleep 600", background=True)
            await sandbox.revoke_join_key(key)
            with pytest.raises(AuthenticationError):
                await slept.wait()
            with pytest.raises(AuthenticationError):
                await guest.projects()
            await guest.close()

    asyncio.run(case())


def test_a_port_is_seen_at_a_host_of_its_own(server: Server) -> None:
    with Sandbox.create(**server.options) as sandbox:
        sandbox.files.write("index.html", "served")
        web = sandbox.commands.run("python3 -m http.server 8000", background=True)
        listens = "import socket; socket.create_connection(('127.0.0.1', 8000))"
        sandbox.commands.run(f'until python3 -c "{listens}" 2> /dev/null; do :; done')
        host = sandbox.get_host(8000)
        assert sandbox.get_url(8000) == f"http://{host}/"
        # No resolver of this machine need know the name.
        request = urllib.request.Request(server.url, headers={"Host": host})
        assert urllib.request.urlopen(request, timeout=20).read() == b"served"
        web.kill()


def test_what_is_wrong_with_a_request_is_told_by_its_class(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("EMBEDENV_URL", "EMBEDENV_PUBLIC_KEY", "EMBEDENV_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)

    def code(kind: type[EmbedenvError], **arguments: object) -> str:
        given = {**server.options, **arguments}
        with pytest.raises(kind) as caught:
            Sandbox.create(**given)  # type: ignore[arg-type]
        return caught.value.code

    assert code(AuthenticationError, public_key=None) == "no_key_pair"
    assert code(AuthenticationError, secret_key="sk_wrong") == "bad_credentials"
    assert code(NotFoundError, space="none") == "unknown_space"
    assert code(InvalidArgumentError, url="ftp://x") == "bad_request"
    assert code(InvalidArgumentError, project="a/b") == "bad_path"
    assert code(ConnectionLostError, url="http://127.0.0.1:1") == "connection_lost"
    with pytest.raises(InvalidArgumentError):
        Sandbox.connect(**server.options)


def _in(seconds: int) -> datetime:
    return datetime.now(timezone.utc) + timedelta(seconds=seconds)
