"""The one WebSocket of a sandbox: joins, sends, matches answers to requests, notices death, comes back by itself.

Task tree: one `_run` from `start` to `close`, which carries one connection after the other; beside each connection a
task that sends. What comes in is told to a `Listener`, one frame after the other, which must not wait.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import secrets
from collections import deque
from typing import Any, Awaitable, Callable, Deque, Dict, NamedTuple, Optional, Protocol, Type, Union

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from ._orders import Answered, AnswerLost, Lost, Orders
from ._rest import problem
from ._wire import Binary, Frame, decode
from .errors import (
    AuthenticationError,
    ConnectionLostError,
    EmbedenvError,
    LimitError,
    RateLimitError,
    RoomEndedError,
    TimeoutError,
    UnavailableError,
    UncertainError,
    again,
    error_of,
)

PROTOCOL = 2
"""The protocol that is spoken: a full client's."""
REACH = 10.0
"""Seconds for reaching the server."""
JOIN = 75.0
"""Seconds for the answer to `join`: the server may have to start a sandbox, for which it takes a minute at most."""
FIRST_ATTEMPTS = 3
"""How often the first connection is tried; once it stood, it is tried for as long as `RETURN`."""
RETURN = 600.0
"""Seconds after which a connection that could not be made again is given up, and with it all that waits for it."""
SHORTEST_WAIT, LONGEST_WAIT = 0.1, 5.0
"""Seconds between attempts: twice as many each time, and up to as many again by chance."""
PING = 20.0
"""Seconds after which a silent server is asked whether it is there, and after as many again is not."""
MAX_FRAME = 64 * 1024 * 1024
"""The longest message that is taken, in bytes."""
MINTS = 3
"""How often in a row another join key is made because the last one opens nothing."""

_log = logging.getLogger("embedenv")

_FINAL_CLOSES = {4401: "bad_credentials", 4402: "no_credits", 4404: "unknown_join_key", 4410: "room_ended"}
"""Close codes after which coming back is of no use."""
_REFUSED = 1008
_TOO_MANY_ATTEMPTS = 4429


class Listener(Protocol):
    """Who hears what comes in."""

    def joined(self, frame: Frame) -> None:
        """A connection stands."""

    def lost(self) -> None:
        """It broke; another will come, or `ended`."""

    def frame(self, frame: Frame) -> None:
        """A text frame that answers nothing."""

    def binary(self, frame: Binary) -> Optional[Awaitable[None]]:
        """A binary frame. What is returned is waited for before the next frame is looked at."""

    def ended(self, error: EmbedenvError) -> None:
        """There will be no other connection."""


class _End(NamedTuple):
    """How one connection ended."""

    error: EmbedenvError
    joined: bool
    is_final: bool


class Connection:
    """A connection to a room, over as many sockets as it takes."""

    def __init__(
        self,
        url: str,
        join: Optional[str],
        mint: Optional[Callable[[], Awaitable[str]]],
        user: str,
        timeout: float,
        listener: Listener,
    ) -> None:
        """`join` is the key to come by, or `mint` makes one; with both, another is made once that is good no more."""
        self._url = url
        self._join = join
        self._mint = mint
        self._user = user
        self._timeout = timeout
        self._listener = listener
        self._instance = secrets.token_hex(16)
        self._resume: Optional[str] = None
        self._max_message = MAX_FRAME
        self._orders = Orders()
        self._raw: Deque[bytes] = deque()
        self._wake = asyncio.Event()
        self._up = asyncio.Event()
        self._error: Optional[EmbedenvError] = None
        self._task: Optional[asyncio.Task[None]] = None

    async def start(self) -> None:
        """Joins; returns when the room is joined.

        Raises:
            EmbedenvError: it could not be.
        """
        self._task = asyncio.create_task(self._run(), name="embedenv connection")
        try:
            await self._up.wait()
        except BaseException:
            await self.close()
            raise
        self._check()

    async def close(self) -> None:
        """Leaves. What waits for an answer is told that there will be none."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._finish(ConnectionLostError("the sandbox's connection was closed here", code="closed"))

    @property
    def timeout(self) -> float:
        """Seconds that one request may take."""
        return self._timeout

    async def request(self, frame: Frame, *, once: bool = False, answered: Optional[Answered] = None) -> Frame:
        """Asks something that changes nothing; over a broken connection it is asked again, unless `once`.

        Raises:
            Lost: the connection broke, with `once`.
            TimeoutError: there was no answer in time.
            EmbedenvError: the answer was an error.
        """
        return await self._ask(frame, numbered=False, once=once, answered=answered)

    async def order(self, frame: Frame, *, answered: Optional[Answered] = None) -> Frame:
        """Has something carried out, once.

        Raises:
            AnswerLost: it was carried out, or may have been, and the answer is lost.
            TimeoutError: there was no answer in time; it may yet be carried out, if it was sent.
            EmbedenvError: the answer was an error.
        """
        return await self._ask(frame, numbered=True, answered=answered)

    async def done(
        self,
        frame: Frame,
        *,
        what: str,
        repeat: bool = False,
        settled: Optional[Type[EmbedenvError]] = None,
        check: Optional[Callable[[], Awaitable[bool]]] = None,
    ) -> None:
        """Has something carried out whose answer says no more than that.

        If the answer is lost: with `repeat`, for what comes to the same, it is carried out once more, and the error
        `settled` then says that it had been; with `check`, that is asked whether it was.

        Raises:
            UncertainError: it may have been carried out, or in part, or not.
        """
        is_lost = False
        while True:
            try:
                await self.order(dict(frame))
                return
            except AnswerLost as lost:
                is_lost = True
                if repeat:
                    continue
                if check is not None:
                    await self.caught_up()
                    if await check():
                        return
                elif not lost.uncertain:
                    return
                raise uncertain(what) from None
            except EmbedenvError as error:
                if is_lost and settled is not None and isinstance(error, settled):
                    return
                raise

    async def caught_up(self) -> None:
        """Waits until whatever was begun on a connection of before is over, and was told of."""
        while True:
            try:
                await self.order({"type": "ping"})
                return
            except AnswerLost:
                continue

    async def type_in(self, make: Callable[[int], bytes]) -> None:
        """Sends numbered input: `make` makes the frame of its number. Returns when it is on its way."""
        self._check()
        try:
            await asyncio.wait_for(self._orders.admit(lambda _, seq: make(seq), numbered=True), self._timeout)
        except asyncio.TimeoutError:
            raise _slow("what was typed before was not taken") from None
        self._wake.set()

    def send_raw(self, data: bytes) -> None:
        """Sends a binary frame that nobody waits for, on the connection that stands, if one does."""
        if self._up.is_set():
            self._raw.append(data)
            self._wake.set()

    async def joined(self) -> None:
        """Waits until a connection stands.

        Raises:
            EmbedenvError: there will be none, or not in time.
        """
        try:
            await asyncio.wait_for(self._up.wait(), self._timeout)
        except asyncio.TimeoutError:
            raise _slow("no connection to the server") from None
        self._check()

    def _check(self) -> None:
        if self._error is not None:
            raise again(self._error)

    async def _ask(
        self, frame: Frame, *, numbered: bool, once: bool = False, answered: Optional[Answered] = None
    ) -> Frame:
        self._check()
        if once and not self._up.is_set():
            raise Lost()

        def make(number: int, seq: int) -> str:
            frame["id"] = number
            if numbered:
                frame["seq"] = seq
            text = json.dumps(frame, ensure_ascii=False, separators=(",", ":"))
            # A message over the limit would end every connection it is sent on.
            if len(text) * 4 > self._max_message and len(text.encode()) > self._max_message:
                raise LimitError(f"the message is longer than {self._max_message} bytes", code="too_large")
            return text

        loop = asyncio.get_running_loop()
        until = loop.time() + self._timeout
        number: Optional[int] = None
        try:
            admitted = self._orders.admit(make, numbered=numbered, once=once, answered=answered)
            number = await asyncio.wait_for(admitted, self._timeout)
            self._wake.set()
            waiting = self._orders.get(number)
            assert waiting is not None, "it was just admitted"
            return await asyncio.wait_for(waiting.answer, until - loop.time())
        except asyncio.TimeoutError:
            asked = self._orders.get(number) if number is not None else None
            is_open = numbered and asked is not None and asked.is_sent
            raise _slow(f"no answer to {frame['type']}", "; it may yet be carried out" if is_open else "") from None
        finally:
            if number is not None:
                self._orders.forget(number)

    async def _run(self) -> None:
        try:
            await self._live()
        except Exception as error:
            # A frame that is not as the protocol says, or a mistake here: nobody must wait for what will not come.
            _log.exception("the connection failed")
            self._finish(UnavailableError(f"the connection failed: {error!r}", code="internal"))

    async def _live(self) -> None:
        loop = asyncio.get_running_loop()
        attempts = mints = 0
        wait = SHORTEST_WAIT
        since: Optional[float] = None
        while True:
            end = await self._carry()
            self._up.clear()
            self._raw.clear()
            self._orders.lost()
            if end.joined:
                attempts = mints = 0
                wait, since = SHORTEST_WAIT, loop.time()
                self._listener.lost()
            attempts += 1
            _log.debug("the connection ended: %s", end.error)
            if end.error.code == "unknown_join_key" and not end.joined and self._mint and mints < MINTS:
                mints += 1
                self._join = None
            elif end.is_final:
                return self._finish(end.error)
            if since is None and attempts >= FIRST_ATTEMPTS:
                return self._finish(end.error)
            if since is not None and loop.time() - since > RETURN:
                return self._finish(end.error)
            await asyncio.sleep(wait * (1 + random.random()))
            wait = min(wait * 2, LONGEST_WAIT)

    def _finish(self, error: EmbedenvError) -> None:
        if self._error is not None:
            return
        self._error = error
        self._up.set()
        self._orders.fail_all(lambda: again(error))
        self._listener.ended(error)

    async def _carry(self) -> _End:
        """One connection from its first byte to its last."""
        joined = False
        refusal: Optional[EmbedenvError] = None
        try:
            if self._join is None:
                assert self._mint is not None, "there is a key, or a way to one"
                self._join = await self._mint()
            async with connect(
                self._url,
                compression=None,
                open_timeout=REACH,
                close_timeout=2,
                ping_interval=PING,
                ping_timeout=PING,
                max_size=MAX_FRAME,
            ) as socket:
                await socket.send(json.dumps(self._first()))
                while not joined:
                    message = await asyncio.wait_for(socket.recv(), JOIN)
                    frame = json.loads(message) if isinstance(message, str) else {}
                    if frame.get("type") == "joined":
                        self._take_up(frame)
                        joined = True
                    elif frame.get("type") == "error":
                        refusal = error_of(frame["code"], frame["message"])
                sender = asyncio.create_task(self._send(socket), name="embedenv sender")
                try:
                    async for message in socket:
                        await self._take(message)
                finally:
                    sender.cancel()
                    await asyncio.gather(sender, return_exceptions=True)
            return _after_close(socket.close_code, socket.close_reason, refusal, joined)
        except ConnectionClosed as closed:
            received = closed.rcvd
            code, reason = (received.code, received.reason) if received else (None, None)
            return _after_close(code, reason, refusal, joined)
        except InvalidStatus as refused:
            return _after_status(refused)
        except EmbedenvError as error:
            return _End(error, joined, not isinstance(error, (UnavailableError, TimeoutError, RateLimitError)))
        except (OSError, asyncio.TimeoutError, InvalidHandshake) as error:
            message = f"{self._url} can't be reached: {error or type(error).__name__}"
            return _End(ConnectionLostError(message, code="connection_lost"), joined, False)

    def _first(self) -> Dict[str, Any]:
        first = {
            "type": "join",
            "join": self._join,
            "protocol": PROTOCOL,
            "instance": self._instance,
            "user": self._user,
        }
        return {**first, "resume": self._resume} if self._resume else first

    def _take_up(self, frame: Frame) -> None:
        """The room is joined: settles what was carried out, and sends the rest."""
        self._resume = frame.get("resume")
        self._max_message = frame["max_message"]
        if frame.get("resumed"):
            self._orders.resumed(frame.get("executed", 0), frame.get("uncertain"))
        else:
            self._orders.renewed(frame.get("executed", 0))
        self._listener.joined(frame)
        self._up.set()
        self._wake.set()

    async def _send(self, socket: ClientConnection) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._orders.outgoing or self._raw:
                data: Union[str, bytes]
                if self._orders.outgoing:
                    waiting = self._orders.outgoing.popleft()
                    if waiting.answer.done():
                        continue
                    waiting.is_sent = True
                    data = waiting.data
                else:
                    data = self._raw.popleft()
                await socket.send(data)

    async def _take(self, message: Union[str, bytes]) -> None:
        if isinstance(message, bytes):
            binary = decode(message)
            pause = self._listener.binary(binary) if binary else None
            if pause is not None:
                await pause
            return
        frame: Frame = json.loads(message)
        if frame["type"] == "executed":
            return self._orders.executed(frame["seq"])
        number = frame.get("id")
        waiting = self._orders.get(number) if isinstance(number, int) else None
        if waiting is None:
            self._listener.frame(frame)
        elif frame["type"] == "error":
            waiting.fail(error_of(frame["code"], frame["message"]))
        elif not waiting.answer.done():
            if waiting.answered is not None:
                waiting.answered(frame)
            waiting.answer.set_result(frame)


def uncertain(what: str) -> UncertainError:
    """What is said of something that may have been done."""
    message = f"the connection broke over it, and {what} may have been carried out, or in part, or not"
    return UncertainError(message, code="uncertain")


def _slow(what: str, more: str = "") -> TimeoutError:
    return TimeoutError(f"{what} in time{more}", code="timed_out")


def _after_close(code: Optional[int], reason: Optional[str], refusal: Optional[EmbedenvError], joined: bool) -> _End:
    if code in _FINAL_CLOSES and code is not None:
        name = _FINAL_CLOSES[code]
        if name == "room_ended":
            return _End(RoomEndedError("the room has ended", code=name), joined, True)
        if name == "unknown_join_key" and joined:
            return _End(AuthenticationError("the join key was revoked", code=name), joined, True)
        return _End(refusal or error_of(name, reason or "the server refused"), joined, True)
    if code in (_REFUSED, _TOO_MANY_ATTEMPTS):
        error = refusal or error_of("bad_request", reason or "the server refused the connection")
        return _End(error, joined, code == _REFUSED and not joined)
    message = f"the connection to the server broke ({code or 'no close'}{f': {reason}' if reason else ''})"
    return _End(refusal or ConnectionLostError(message, code="connection_lost"), joined, False)


def _after_status(refused: InvalidStatus) -> _End:
    response = refused.response
    body = response.body if isinstance(response.body, (bytes, bytearray)) else b""
    error = problem(response.status_code, bytes(body), response.headers.get("content-type", ""))
    return _End(error, False, response.status_code < 500 and response.status_code != 429)
