"""Reads a ledger on PostgreSQL. Each thread has a connection, made anew where it was lost."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import psycopg

from shipledger.outcome import Unavailable
from shipledger.storage.postgres_connection import AWAY, Connection, connect, query
from shipledger.storage.reading import LedgerReading
from shipledger.storage.rows import Row
from shipledger.storage.snapshot import Snapshot


def postgres_reading(url: str) -> LedgerReading:
    """The reading side of the ledger at this URL. Reading raises Unavailable while the database is away."""
    of_thread = threading.local()
    connections: dict[int, Connection] = {}

    def opened() -> Connection:
        connection: Connection | None = getattr(of_thread, "connection", None)
        if connection is None or connection.closed:
            connection = of_thread.connection = connect(url, is_writer=False)
            connections[threading.get_ident()] = connection
        return connection

    @contextmanager
    def snapshot() -> Iterator[Snapshot]:
        try:
            connection = _alive(opened)
            with connection.transaction():
                connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                yield Snapshot(partial(query, connection), partial(_select, connection))
        except AWAY as error:
            raise Unavailable(str(error)) from error

    def close() -> None:
        for connection in connections.values():
            with suppress(psycopg.Error):
                connection.close()

    return LedgerReading(snapshot, close)


def _alive(opened: Any) -> Connection:
    """A connection that answers: one that was lost since it was last used is replaced, once.

    So is one to a standby, which may lag: it was taken while there was no primary.
    """
    connection: Connection = opened()
    try:
        is_current = connection.execute("SELECT NOT pg_is_in_recovery()").fetchone() == (True,)
    except AWAY:
        is_current = False
    if not is_current:
        connection.close()
        connection = opened()
    return connection


def _select(connection: Connection, sql: str, values: Sequence[Any]) -> Iterable[Row]:
    return connection.execute(sql.replace("?", "%s").encode(), values).fetchall()
