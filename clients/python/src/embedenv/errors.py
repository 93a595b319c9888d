"""What can go wrong: one class for each kind, all below `EmbedenvError`, each with the server's stable code.

Match on the class, or on `code` for more; `message` is for people. What the SDK itself finds has a code, too:
`connection_lost`, `uncertain`, `closed`, `room_ended`, `command_failed`, `no_key_pair`.
"""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Dict, Optional, Type

if TYPE_CHECKING:
    from .models import CommandResult


class EmbedenvError(Exception):
    """Everything that this SDK raises on purpose.

    `code` is stable and for programs, `message` is for people, `status` is the HTTP status where there was one.
    """

    code: str
    message: str
    status: Optional[int]

    def __init__(self, message: str, *, code: str = "internal", status: Optional[int] = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status

    def __str__(self) -> str:
        return f"{self.message} ({self.code})"


class InvalidArgumentError(EmbedenvError, ValueError):
    """What was asked for is not well formed: a path that leads out of the project, a value out of range."""


class NotFoundError(EmbedenvError):
    """There is nothing by that name: no such file, command, room or space."""


class RoomEndedError(NotFoundError):
    """The room has ended, and its files with it: killed, out of time, or unused for too long."""


class AlreadyExistsError(EmbedenvError):
    """There is something by that name already."""


class FileKindError(EmbedenvError):
    """A folder where a file was expected, a file where a folder was, or something that is neither."""


class ForbiddenError(EmbedenvError):
    """The role or the key pair does not allow it."""


class AuthenticationError(EmbedenvError):
    """The key pair or the join key is not good, or there is none."""


class QuotaExceededError(EmbedenvError):
    """Credits, disk, memory or another quota is used up."""


class LimitError(EmbedenvError):
    """It is larger than it may be, or there are as many as there may be."""


class RateLimitError(EmbedenvError):
    """Too many requests or attempts; wait before the next."""


class ConflictError(EmbedenvError):
    """Something else happened at the same time."""


class TimeoutError(EmbedenvError, builtins.TimeoutError):
    """It took longer than it may. A command that ran into its `timeout` has what it printed in `result`."""

    result: Optional[CommandResult] = None


class UnavailableError(EmbedenvError):
    """The server or the sandbox can't do it now, or failed."""


class ConnectionLostError(UnavailableError):
    """There is no connection to the server, and it could not be made again in time; or it was closed here."""


class UncertainError(EmbedenvError):
    """The answer is lost for good: it may have been carried out, or in part, or not. It is not done a second time."""


class CommandExitError(EmbedenvError):
    """A command ended with another exit code than 0."""

    def __init__(self, result: CommandResult) -> None:
        said = result.stderr.strip() or result.error or ""
        super().__init__(
            f"the command exited with code {result.exit_code}" + (f": {said[-SHOWN:]}" if said else ""),
            code="command_failed",
        )
        self.result = result

    @property
    def stdout(self) -> str:
        """What it printed on standard output."""
        return self.result.stdout

    @property
    def stderr(self) -> str:
        """What it printed on standard error."""
        return self.result.stderr

    @property
    def exit_code(self) -> int:
        """Its exit code; 128 and the signal's number if a signal ended it."""
        return self.result.exit_code


SHOWN = 500
"""Characters of a command's last words that its error's message shows."""

_BY_CODE: Dict[str, Type[EmbedenvError]] = {
    "bad_json": InvalidArgumentError,
    "bad_request": InvalidArgumentError,
    "unknown_type": InvalidArgumentError,
    "bad_path": InvalidArgumentError,
    "not_found": NotFoundError,
    "unknown_space": NotFoundError,
    "room_ended": RoomEndedError,
    "already_exists": AlreadyExistsError,
    "is_a_folder": FileKindError,
    "not_a_folder": FileKindError,
    "not_regular": FileKindError,
    "not_text": FileKindError,
    "forbidden": ForbiddenError,
    "forbidden_target": ForbiddenError,
    "bad_credentials": AuthenticationError,
    "unknown_join_key": AuthenticationError,
    "no_key_pair": AuthenticationError,
    "quota_exceeded": QuotaExceededError,
    "no_credits": QuotaExceededError,
    "too_large": LimitError,
    "limit_reached": LimitError,
    "too_many_attempts": RateLimitError,
    "too_many_requests": RateLimitError,
    "conflict": ConflictError,
    "already_done": ConflictError,
    "timed_out": TimeoutError,
    "handshake_timeout": TimeoutError,
    "sandbox_unavailable": UnavailableError,
    "unavailable": UnavailableError,
    "unreachable": UnavailableError,
    "internal": UnavailableError,
    "connection_lost": ConnectionLostError,
    "closed": ConnectionLostError,
    "uncertain": UncertainError,
}


def error_of(code: str, message: str, status: Optional[int] = None) -> EmbedenvError:
    """The error of a code, also of one that a newer server has."""
    return _BY_CODE.get(code, EmbedenvError)(message, code=code, status=status)


def again(error: EmbedenvError) -> EmbedenvError:
    """The same error to be raised once more, without the traceback of before."""
    return error_of(error.code, error.message, error.status)
