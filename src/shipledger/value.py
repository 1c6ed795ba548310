"""Values: the type checker lets nobody change one, and making one costs no more than an object that may be changed.

A class that `dataclasses` freezes has each field set by a call, which is five times as slow; a request makes dozens.
"""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 - known from here
else:

    def dataclass(*, frozen: bool = False, slots: bool = False) -> Callable[[type], type]:
        """`dataclasses.dataclass`, except that frozen ones are left to the type checker."""
        return dataclasses.dataclass(slots=slots, unsafe_hash=frozen)
