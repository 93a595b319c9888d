"""A text as a Yjs document, and the messages of the y-protocols about it. Needs pycrdt, and knows no connection."""

from __future__ import annotations

from typing import List, NamedTuple, Tuple

from pycrdt import Doc, Text

SYNC = 0
STEP_1, STEP_2, UPDATE = 0, 1, 2
"""Kinds of messages of the sync protocol: "this is what I have", what the other lacks, an edit."""
NAME = "content"
"""What the room calls the text in its documents."""


class Message(NamedTuple):
    """A sync message; of other protocols nothing is kept."""

    step: int
    payload: bytes


class Replica:
    """A copy of a document."""

    def __init__(self) -> None:
        self._doc: Doc[Text] = Doc()
        self._text = self._doc.get(NAME, type=Text)

    @property
    def text(self) -> str:
        """What it reads."""
        return str(self._text)

    @property
    def state(self) -> bytes:
        """What it has, as a state vector."""
        return self._doc.get_state()

    def lacking(self, state: bytes) -> bytes:
        """What somebody lacks who has this."""
        return self._doc.get_update(state)

    def apply(self, update: bytes) -> None:
        """Takes what somebody else has."""
        self._doc.apply_update(update)

    def edit(self, start: int, end: int, text: str) -> bytes:
        """Puts `text` in the place of the characters from `start` up to `end`. Returns the update that says so."""
        before = self.text
        first = len(before[:start].encode())
        last = first + len(before[start:end].encode())
        state = self.state
        with self._doc.transaction():
            # pycrdt counts bytes of UTF-8.
            if last > first:
                del self._text[first:last]
            if text:
                self._text.insert(first, text)
        return self.lacking(state)


def message(step: int, payload: bytes) -> bytes:
    """A sync message as it goes over the wire."""
    return bytes((SYNC, step)) + _number(len(payload)) + payload


def messages(frame: bytes) -> List[Message]:
    """The sync messages of a frame, in their order.

    Raises:
        ValueError: it is cut off, or of no kind that is known.
    """
    found: List[Message] = []
    at = 0
    while at < len(frame):
        kind = frame[at]
        step = -1
        if kind == SYNC:
            step = frame[at + 1] if at + 1 < len(frame) else -1
            at += 2
        elif kind == 1:
            at += 1
        elif kind == 3:
            at += 1
            continue
        else:
            raise ValueError(f"a message of the unknown kind {kind}")
        length, at = _read_number(frame, at)
        if at + length > len(frame):
            raise ValueError("a message is cut off")
        if kind == SYNC:
            found.append(Message(step, frame[at : at + length]))
        at += length
    return found


def splice(before: str, after: str) -> Tuple[int, str, str]:
    """The one place at which two texts differ: where it starts, what is there before and what after."""
    start = 0
    most = min(len(before), len(after))
    while start < most and before[start] == after[start]:
        start += 1
    end = 0
    while end < most - start and before[-1 - end] == after[-1 - end]:
        end += 1
    return start, before[start : len(before) - end], after[start : len(after) - end]


def _number(number: int) -> bytes:
    """A whole number in the lib0 encoding."""
    digits = bytearray()
    while number >= 0x80:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    digits.append(number)
    return bytes(digits)


def _read_number(frame: bytes, at: int) -> Tuple[int, int]:
    number = shift = 0
    while at < len(frame):
        digit = frame[at]
        at += 1
        number |= (digit & 0x7F) << shift
        shift += 7
        if digit < 0x80:
            return number, at
    raise ValueError("a number is cut off")
