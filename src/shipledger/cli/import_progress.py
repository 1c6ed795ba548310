"""How far an import is, on a terminal: bytes read, then rows in the ledger, each against all there are."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

    from shipledger.boot.order_import import Progress as ImportProgress


class _Silent:
    def read(self, bytes_read: int, rows: int) -> None:
        pass

    def recorded(self, rows: int) -> None:
        pass


class _Bars:
    def __init__(self, shown: "Progress", bytes_all: int) -> None:
        self._shown = shown
        self._reading = shown.add_task("reading", total=bytes_all, rows="")
        self._recording = shown.add_task("recording", total=None, start=False, rows="")

    def read(self, bytes_read: int, rows: int) -> None:
        self._shown.update(self._reading, completed=bytes_read, rows=f"{rows:,} rows")
        self._shown.update(self._recording, total=rows)

    def recorded(self, rows: int) -> None:
        self._shown.start_task(self._recording)
        self._shown.update(self._recording, advance=rows)


@contextmanager
def shown_progress(bytes_all: int) -> Iterator["ImportProgress"]:
    """The bars, or, where stderr is no terminal, nothing."""
    if not sys.stderr.isatty():
        yield _Silent()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[rows]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as shown:
        yield _Bars(shown, bytes_all)
