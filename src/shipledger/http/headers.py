"""A request's headers as they came."""

from collections.abc import Mapping
from typing import Any


def values_of(scope: Mapping[str, Any], name: bytes) -> list[str]:
    """Every value of the header of this (lower-case) name. The server hands names on in lower case."""
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]
