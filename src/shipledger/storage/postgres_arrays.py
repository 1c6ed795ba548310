"""Columns of rows as PostgreSQL reads arrays in its binary format, in a third of the time that the driver takes."""

import struct
from collections.abc import Callable, Sequence
from typing import Any

Column = Sequence[Any]

_HEADER = struct.Struct(">iiIii")
"""Dimensions, whether there may be NULLs, the type of the values, how many there are, and the number of the first."""
_EMPTY = struct.Struct(">iiI")
_LENGTH = struct.Struct(">i").pack
_NULL = _LENGTH(-1)


def _bytes(values: Column) -> list[bytes]:
    return [_NULL if value is None else _LENGTH(len(value)) + value for value in values]


def _texts(values: Column) -> list[bytes]:
    return [_NULL if value is None else _LENGTH(len(text := value.encode())) + text for value in values]


def _of_one_length(code: str) -> Callable[[Column], list[bytes]]:
    length, pack = struct.calcsize(f">{code}"), struct.Struct(f">i{code}").pack
    return lambda values: [_NULL if value is None else pack(length, value) for value in values]


_TYPES = {
    "bigint": (20, _of_one_length("q")),
    "boolean": (16, _of_one_length("?")),
    "bytea": (17, _bytes),
    "integer": (23, _of_one_length("i")),
    "text": (25, _texts),
}
"""The number that PostgreSQL has for a type, and how its values are written."""


def array_of(type_: str) -> Callable[[Column], bytes]:
    """What writes a column of this type."""
    number, written = _TYPES[type_]

    def array(values: Column) -> bytes:
        if not values:
            return _EMPTY.pack(0, 0, number)
        return _HEADER.pack(1, 1, number, len(values), 1) + b"".join(written(values))

    return array
