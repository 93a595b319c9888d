"""The REST API, as far as the SDK needs it: rooms and join keys of a key pair, and the bytes of downloads.

What failed on its way is tried again where that can't do anything twice: everything here but making a join key, and
opening a room too, which has an idempotency key.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any, AsyncIterator, Dict, List, Mapping, NamedTuple, Optional, Tuple, Union
from urllib.parse import quote

import httpx

from ._options import Options
from ._version import __version__
from .errors import ConnectionLostError, EmbedenvError, TimeoutError, error_of

ATTEMPTS = 4
"""How often a request is sent before its failure is told."""
FIRST_WAIT = 0.25
"""Seconds before the second attempt; each further wait is twice the last."""
LONGEST_WAIT = 10.0
"""The longest wait that a busy server can ask for, in seconds."""
BUSY = (429, 503)
"""Statuses that say to come again later."""
CHUNK = 64 * 1024
"""Bytes of a download that are handed on at once."""


class Opened(NamedTuple):
    """What opening a room is answered with."""

    room: str
    join: str
    owner: str
    remaining_credits: int


class Rest:
    """A client of one server. Holds connections: `close` it."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._http = httpx.AsyncClient(
            base_url=options.url,
            timeout=options.request_timeout,
            headers={"User-Agent": f"embedenv-python/{__version__}"},
        )

    async def __aenter__(self) -> Rest:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Gives its connections back."""
        await self._http.aclose()

    async def open_room(
        self,
        space: Optional[str],
        timeout: Optional[int],
        metadata: Optional[Mapping[str, str]],
        idempotency_key: Optional[str],
    ) -> Opened:
        """Opens a room, for one credit. However often that has to be sent, it is one room."""
        wanted: Dict[str, Any] = {}
        if space is not None:
            wanted["space"] = space
        if timeout is not None:
            wanted["timeout"] = timeout
        if metadata:
            wanted["metadata"] = dict(metadata)
        key = idempotency_key or uuid.uuid4().hex
        answer = await self._ask("POST", "/rooms", json=wanted, headers={"Idempotency-Key": key})
        return Opened(answer["room"], answer["join"], answer["owner"], answer["remaining_credits"])

    async def room(self, room: str) -> Dict[str, Any]:
        """How a room stands."""
        return await self._ask("GET", f"/rooms/{_part(room)}")

    async def rooms(self, query: Mapping[str, str], limit: Optional[int], after: Optional[str]) -> Dict[str, Any]:
        """A page of the rooms that live."""
        asked: List[Tuple[str, Union[str, int, float, bool, None]]] = []
        asked += [("metadata", f"{name}={value}") for name, value in query.items()]
        if limit is not None:
            asked.append(("limit", str(limit)))
        if after is not None:
            asked.append(("after", after))
        return await self._ask("GET", "/rooms", params=httpx.QueryParams(asked))

    async def end_room(self, room: str) -> None:
        """Ends a room, with its files."""
        await self._ask("DELETE", f"/rooms/{_part(room)}")

    async def set_timeout(self, room: str, timeout: Optional[int]) -> None:
        """Sets anew when a room ends, in seconds from now."""
        await self._ask("PATCH", f"/rooms/{_part(room)}", json={"timeout": timeout})

    async def plant(self, room: str, project: str, files: Mapping[str, str]) -> None:
        """Writes files into a project."""
        await self._ask("POST", f"/rooms/{_part(room)}/projects", json={"name": project, "files": dict(files)})

    async def mint(
        self, room: str, role: str, ttl: Optional[int] = None, uses: Optional[int] = None, minutes: Optional[int] = None
    ) -> Dict[str, Any]:
        """Makes a join key."""
        wanted: Dict[str, Any] = {"role": role}
        for name, value in (("ttl", ttl), ("uses", uses), ("minutes", minutes)):
            if value is not None:
                wanted[name] = value
        return await self._ask("POST", f"/rooms/{_part(room)}/keys", attempts=1, json=wanted)

    async def download(self, address: str) -> AsyncIterator[bytes]:
        """The bytes behind an address that the room gave, in order. It has a secret of its own and gets no other."""
        try:
            async with self._http.stream("GET", address) as response:
                if response.is_error:
                    raise problem(
                        response.status_code, await response.aread(), response.headers.get("content-type", "")
                    )
                async for chunk in response.aiter_bytes(CHUNK):
                    yield chunk
        except httpx.TransportError as error:
            raise _lost(error) from error

    async def _ask(self, method: str, path: str, *, attempts: int = ATTEMPTS, **request: Any) -> Dict[str, Any]:
        pair = self._options.pair
        wait = FIRST_WAIT
        for attempt in range(1, attempts + 1):
            pause = wait
            try:
                response = await self._http.request(method, f"/api/v1{path}", auth=pair, **request)
            except httpx.TransportError as lost:
                if attempt == attempts:
                    raise _lost(lost) from lost
            else:
                if not response.is_error:
                    answer: Dict[str, Any] = response.json() if response.content else {}
                    return answer
                error = problem(response.status_code, response.content, response.headers.get("content-type", ""))
                # The server has tried for long enough to start a sandbox, and has given the credit back.
                is_busy = response.status_code in BUSY and error.code != "sandbox_unavailable"
                if not is_busy or attempt == attempts:
                    raise error
                pause = _retry_after(response.headers, wait)
            await asyncio.sleep(pause)
            wait *= 2
        raise AssertionError("the last attempt returns or raises")


def _part(name: str) -> str:
    """A room's id as a part of an address."""
    return quote(name, safe="")


def _retry_after(headers: httpx.Headers, otherwise: float) -> float:
    try:
        return min(max(float(headers.get("Retry-After", otherwise)), 0.0), LONGEST_WAIT)
    except ValueError:
        return otherwise


def _lost(error: httpx.TransportError) -> EmbedenvError:
    if isinstance(error, httpx.TimeoutException):
        return TimeoutError(f"the server did not answer in time: {error or type(error).__name__}", code="timed_out")
    return ConnectionLostError(f"the server can't be reached: {error or type(error).__name__}", code="connection_lost")


def problem(status: int, body: bytes, content_type: str) -> EmbedenvError:
    """The error of an answer that is one: problem details, or whatever stands in between has to say."""
    if "json" in content_type:
        try:
            told = json.loads(body)
            return error_of(str(told["code"]), str(told.get("detail") or told.get("title")), status)
        except (ValueError, KeyError, TypeError, AttributeError):
            pass
    code = "too_many_requests" if status == 429 else "unavailable" if status >= 500 else "bad_request"
    return error_of(code, f"the server answered with HTTP {status}", status)
