"""How to take back what a batch changed in memory, the latest change first."""

from collections.abc import Callable
from typing import TypeVar

Name = TypeVar("Name")
Row = TypeVar("Row")


class UndoLog:
    """Makes changes, and notes for each what takes it back."""

    def __init__(self) -> None:
        self._calls: list[tuple[Callable[..., object], *tuple[object, ...]]] = []

    def note(self, call: Callable[..., object], *arguments: object) -> None:
        """Remember what takes a change back. Nothing in it may lead here: such a circle is left to the collector."""
        self._calls.append((call, *arguments))

    def set(self, row: object, name: str, value: object) -> None:
        """Set a field of a row."""
        self._calls.append((setattr, row, name, getattr(row, name)))
        setattr(row, name, value)

    def append(self, rows: list[Row], row: Row) -> None:
        """Put a row at the end."""
        self._calls.append((rows.pop,))
        rows.append(row)

    def put(self, rows: dict[Name, Row], key: Name, row: Row) -> None:
        """Put a row under a key."""
        self._calls.append((rows.__setitem__, key, rows[key]) if key in rows else (rows.pop, key, None))
        rows[key] = row

    def drop(self, rows: dict[Name, Row], key: Name) -> None:
        """Remove the row under a key."""
        self._calls.append((rows.__setitem__, key, rows.pop(key)))

    def mark(self) -> int:
        """A point in time to which `drop_since` can go back."""
        return len(self._calls)

    def drop_since(self, mark: int) -> None:
        """Take back every change made since the mark."""
        while len(self._calls) > mark:
            call, *arguments = self._calls.pop()
            call(*arguments)
