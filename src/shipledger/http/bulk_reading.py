"""Finds the items of a bulk body as it comes: one a line, or the entries of one JSON array. Memory: one item."""

import re
from typing import Protocol

from shipledger.http.answer import Refused, refused
from shipledger.limits import BODY_BYTES_MAX

Piece = bytes | Refused
"""The text of an item, or what is said in the place of one that cannot be read."""

SPACE = b" \t\r\n"

# A run of anything but structure, strings included as wholes, then the next sign of structure, if it has come yet. An
# unclosed string is its quote. Every quantifier is possessive, so that a hostile body costs one pass.
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_IN_ITEM = re.compile(rb'[^"\[\]{}]*+(?:' + _STRING + rb'[^"\[\]{}]*+)*+([\[\]{}"])?', re.DOTALL)
_IN_ARRAY = re.compile(rb'[^"\[\]{},]*+(?:' + _STRING + rb'[^"\[\]{},]*+)*+([\[\]{},"])?', re.DOTALL)


class Splitter(Protocol):
    """Cuts a body into items."""

    ends_at_fault: bool
    """Whether nothing can be read behind an item that is no JSON."""

    def split(self, chunk: bytes) -> list[Piece]:
        """The items that this chunk brings to their end."""
        ...

    def finish(self) -> list[Piece]:
        """What the end of the body brings to an end."""
        ...


def splitter_of(first: bytes) -> Splitter:
    """The splitter for a body that begins with this, spaces stripped."""
    return ArraySplitter() if first.startswith(b"[") else LineSplitter()


class LineSplitter:
    """Items one a line. Blank lines are none."""

    ends_at_fault = False

    def __init__(self) -> None:
        self._rest = b""
        self._is_too_large = False

    def split(self, chunk: bytes) -> list[Piece]:
        lines = (self._rest + chunk).split(b"\n")
        self._rest = lines.pop()
        if lines and self._is_too_large:  # it was answered when it grew too large; this is its end
            self._is_too_large = False
            del lines[0]
        pieces: list[Piece] = [
            line if len(line) <= BODY_BYTES_MAX else _too_large() for line in lines if line.strip(SPACE)
        ]
        if self._is_too_large:
            self._rest = b""
        elif len(self._rest) > BODY_BYTES_MAX:
            self._rest, self._is_too_large = b"", True
            pieces.append(_too_large())
        return pieces

    def finish(self) -> list[Piece]:
        return [self._rest] if self._rest.strip(SPACE) else []


class ArraySplitter:
    """Items as the entries of one array. A comma may trail the last, as everywhere."""

    ends_at_fault = True

    def __init__(self) -> None:
        self._text = b""
        """From where the present item begins."""
        self._at = 0
        """How far that was looked through."""
        self._depth = 0
        self._has_ended = False

    def split(self, chunk: bytes) -> list[Piece]:
        self._text += chunk
        pieces: list[Piece] = []
        begin = 0
        while not self._has_ended:
            found = (_IN_ARRAY if self._depth == 1 else _IN_ITEM).match(self._text, self._at)
            sign = found[1] if found else None
            if found is None or sign is None:
                self._at = len(self._text)
                break
            if sign == b'"':
                self._at = found.start(1)
                break
            self._at = found.end(1)
            if sign in b"[{":
                self._depth += 1
                begin = self._at if self._depth == 1 else begin
                continue
            if sign != b"," and self._depth > 1:
                self._depth -= 1
                continue
            self._has_ended = sign != b","
            item = self._text[begin : self._at - 1]
            if not self._has_ended or item.strip(SPACE):
                pieces.append(item if len(item) <= BODY_BYTES_MAX else _too_large())
            begin = self._at
        self._text, self._at = self._text[begin:], self._at - begin
        return pieces + self._judge_rest()

    def _judge_rest(self) -> list[Piece]:
        if not self._has_ended:
            return [_too_large()] if len(self._text) > BODY_BYTES_MAX else []
        has_more = bool(self._text.strip(SPACE))
        self._text = b""
        return [_not_an_array("The array has already ended here; send one array in a request.")] if has_more else []

    def finish(self) -> list[Piece]:
        return [] if self._has_ended else [_not_an_array("The body ends before the array does.")]


def _too_large() -> Refused:
    return refused(413, f"An item must have at most {BODY_BYTES_MAX} bytes.")


def _not_an_array(message: str) -> Refused:
    return refused(400, message, code="invalid_json", at="body")
