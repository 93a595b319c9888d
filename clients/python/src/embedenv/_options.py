"""Where the server is and who asks, from arguments or the environment."""

from __future__ import annotations

import os
from typing import NamedTuple, Optional, Tuple
from urllib.parse import urlsplit, urlunsplit

from .errors import AuthenticationError, InvalidArgumentError

DEFAULT_URL = "http://127.0.0.1:8080"
"""Where a server listens that nobody told otherwise."""
REQUEST_TIMEOUT = 60.0
"""Seconds that one request may take, with coming back after a lost connection, unless told otherwise."""


class Options(NamedTuple):
    """A server, and the key pair if there is one."""

    url: str
    public_key: Optional[str]
    secret_key: Optional[str]
    request_timeout: float

    @property
    def pair(self) -> Tuple[str, str]:
        """The key pair.

        Raises:
            AuthenticationError: `no_key_pair`, if there is none.
        """
        if not self.public_key or not self.secret_key:
            raise AuthenticationError(
                "this takes a key pair: EMBEDENV_PUBLIC_KEY and EMBEDENV_SECRET_KEY, or public_key and secret_key",
                code="no_key_pair",
            )
        return self.public_key, self.secret_key

    @property
    def socket_url(self) -> str:
        """The address of the WebSocket. A join key opens its room whatever space the address names."""
        parts = urlsplit(self.url)
        scheme = "wss" if parts.scheme == "https" else "ws"
        return urlunsplit((scheme, parts.netloc, parts.path.rstrip("/") + "/ws/spaces/default/", "", ""))

    def share_url(self, join_key: str) -> str:
        """The address of a page that joins by a key."""
        return f"{self.url}/w#join={join_key}"


def options(
    url: Optional[str] = None,
    public_key: Optional[str] = None,
    secret_key: Optional[str] = None,
    request_timeout: Optional[float] = None,
) -> Options:
    """What was given, else what the environment says: `EMBEDENV_URL`, `EMBEDENV_PUBLIC_KEY`, `EMBEDENV_SECRET_KEY`."""
    address = (url or os.environ.get("EMBEDENV_URL") or DEFAULT_URL).rstrip("/")
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise InvalidArgumentError(f"{address!r} is no http:// or https:// address of a server", code="bad_request")
    timeout = REQUEST_TIMEOUT if request_timeout is None else request_timeout
    if not timeout > 0:
        raise InvalidArgumentError("request_timeout is a number of seconds above 0", code="bad_request")
    return Options(
        address,
        public_key or os.environ.get("EMBEDENV_PUBLIC_KEY"),
        secret_key or os.environ.get("EMBEDENV_SECRET_KEY"),
        timeout,
    )
