"""Commands and outcomes as bytes: how the process that talks to clients and the one that commits understand each other.

A frame is its length in four bytes and a message: a number, its lane, and values with their kinds. What travels all
the time goes as MessagePack; anything else, and what MessagePack cannot hold, is pickled, which is safe where both ends
are one program and nobody else can write.
"""

import pickle
import struct
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from shipledger.command import CreateFulfillment
from shipledger.outcome import Done

_PICKLED = 0
_TYPES: tuple[type[Any], ...] = (CreateFulfillment, Done)
_KINDS = {type_: kind for kind, type_ in enumerate(_TYPES, start=_PICKLED + 1)}
_DECODERS = [msgspec.msgpack.Decoder(type_).decode for type_ in (bytes, *_TYPES)]
_LENGTH = struct.Struct("<I")

_encode = msgspec.msgpack.Encoder().encode
_decode_message = msgspec.msgpack.Decoder(tuple[int, bool, list[tuple[int, msgspec.Raw]]]).decode


def frame(number: int, values: Sequence[object], *, in_bulk: bool = False) -> bytes:
    """A message with these values."""
    try:
        message = _encode((number, in_bulk, [_packed(value) for value in values]))
    except OverflowError:  # an integer of more than 64 bits, in an order's metadata
        message = _encode((number, in_bulk, [_pickled(value) for value in values]))
    return _LENGTH.pack(len(message)) + message


def _packed(value: object) -> tuple[int, object]:
    kind = _KINDS.get(type(value))
    return _pickled(value) if kind is None else (kind, value)


def _pickled(value: object) -> tuple[int, bytes]:
    return _PICKLED, pickle.dumps(value, pickle.HIGHEST_PROTOCOL)


class Frames:
    """Takes bytes as they come, and gives the messages that are complete."""

    def __init__(self) -> None:
        self._received = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, bool, list[Any]]]:
        """The number, the lane and the values of each message that these bytes complete."""
        received = self._received
        received += data
        start = 0
        while len(received) >= start + _LENGTH.size:
            begin = start + _LENGTH.size
            end = begin + _LENGTH.unpack_from(received, start)[0]
            if len(received) < end:
                break
            number, in_bulk, values = _decode_message(bytes(received[begin:end]))
            start = end
            yield number, in_bulk, [_value(kind, raw) for kind, raw in values]
        del received[:start]


def _value(kind: int, raw: msgspec.Raw) -> Any:
    value = _DECODERS[kind](raw)
    return pickle.loads(value) if kind == _PICKLED else value  # noqa: S301 - our own process wrote it
