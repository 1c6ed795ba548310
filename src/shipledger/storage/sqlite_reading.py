"""Reads an embedded ledger beside its writer. Each thread has a connection, which cannot write."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import apsw

from shipledger.storage.reading import LedgerReading
from shipledger.storage.snapshot import Snapshot
from shipledger.storage.sqlite_query import query

BUSY_MILLISECONDS_MAX = 5_000


def sqlite_reading(path: Path) -> LedgerReading:
    """The reading side of the ledger in this file, which must exist by the first reading."""
    of_thread = threading.local()
    connections: list[apsw.Connection] = []

    @contextmanager
    def snapshot() -> Iterator[Snapshot]:
        if not hasattr(of_thread, "connection"):
            of_thread.connection = open_to_read(path)
            connections.append(of_thread.connection)
        connection: apsw.Connection = of_thread.connection
        with connection:
            yield Snapshot(partial(query, connection), connection.execute)

    def close() -> None:
        for connection in connections:
            connection.close()

    return LedgerReading(snapshot, close)


def open_to_read(path: Path) -> apsw.Connection:
    """A connection that cannot write. Raises apsw.CantOpenError where there is no such file."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    connection.set_busy_timeout(BUSY_MILLISECONDS_MAX)
    return connection
