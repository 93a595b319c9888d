"""The binary frames of the protocol, whose numbers are little endian. See docs/protocol.md, "Binary frames"."""

from __future__ import annotations

import struct
from typing import Any, Dict, NamedTuple, Optional

Frame = Dict[str, Any]
"""A text frame: one JSON object."""

OUTPUT, INPUT, DOCUMENT, SNAPSHOT, NUMBERED_INPUT, PIECE = 1, 2, 3, 4, 5, 6
"""The first byte of each kind of binary frame."""

_HEAD = struct.Struct("<BI")
_HEAD_WITH_NUMBER = struct.Struct("<BIQ")


class Binary(NamedTuple):
    """A binary frame: what it is about, and where its bytes begin if it says so."""

    kind: int
    about: int
    offset: int
    payload: bytes


def decode(frame: bytes) -> Optional[Binary]:
    """Reads a frame of the server's; `None` if it is of no kind that is known here."""
    if len(frame) >= _HEAD.size and frame[0] == DOCUMENT:
        kind, about = _HEAD.unpack_from(frame)
        return Binary(kind, about, 0, frame[_HEAD.size :])
    if len(frame) >= _HEAD_WITH_NUMBER.size and frame[0] in (OUTPUT, SNAPSHOT):
        kind, about, offset = _HEAD_WITH_NUMBER.unpack_from(frame)
        return Binary(kind, about, offset, frame[_HEAD_WITH_NUMBER.size :])
    return None


def document(number: int, messages: bytes) -> bytes:
    """Messages of the Yjs protocols for an open document."""
    return _HEAD.pack(DOCUMENT, number) + messages


def numbered_input(terminal: int, seq: int, data: bytes) -> bytes:
    """What is typed into a terminal, as a command of this number."""
    return _HEAD_WITH_NUMBER.pack(NUMBERED_INPUT, terminal, seq) + data


def piece(upload: int, offset: int, data: bytes) -> bytes:
    """The next bytes of an upload."""
    return _HEAD_WITH_NUMBER.pack(PIECE, upload, offset) + data
