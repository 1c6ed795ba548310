"""Turns between accounts, and room for each: nobody's rush makes another wait behind all of it."""

from collections import deque
from collections.abc import Iterable
from typing import Generic, TypeVar

from shipledger.outcome import Unavailable

CROWDING = 8
"""An account may have so many times as many commands waiting as there are places left: alone it has eight ninths of the
queue, and whoever comes then still finds room."""


class Room:
    """The places of the queue, and whose commands are in them."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._taken: dict[str, int] = {}

    def take(self, account: str) -> None:
        """Take a place. Raises Unavailable where there is none, or none for this account."""
        taken = self._taken.get(account, 0)
        if self._free <= 0 or taken > CROWDING * self._free:
            raise Unavailable("too many requests are waiting")
        self._free -= 1
        self._taken[account] = taken + 1

    def give_back(self, account: str, places: int) -> None:
        """Give back places that were taken."""
        self._free += places
        left = self._taken[account] - places
        if left:
            self._taken[account] = left
        else:
            del self._taken[account]


Waiting = TypeVar("Waiting")


class Turns(Generic[Waiting]):
    """What waits, a line for each account; they take turns, one at a time."""

    def __init__(self) -> None:
        self._lines: dict[str, deque[Waiting]] = {}

    def __bool__(self) -> bool:
        return bool(self._lines)

    def add(self, account: str, waiting: Iterable[Waiting]) -> None:
        """Put them at the end of their account's line."""
        line = self._lines.get(account)
        if line is None:
            self._lines[account] = deque(waiting)
        else:
            line.extend(waiting)

    def take(self, count: int) -> list[Waiting]:
        """At most so many, in turn. Whose turn was last begins the next time with the others."""
        taken: list[Waiting] = []
        while self._lines and len(taken) < count:
            if len(self._lines) == 1:
                ((account, line),) = self._lines.items()
                taken += [line.popleft() for _ in range(min(count - len(taken), len(line)))]
                if not line:
                    del self._lines[account]
                break
            account, line = next(iter(self._lines.items()))
            taken.append(line.popleft())
            del self._lines[account]
            if line:
                self._lines[account] = line
        return taken
