"""Wires the house together: the one place where rooms meet."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import apsw

from shipledger.boot.settings import Settings
from shipledger.commit.batch_committer import BatchCommitter
from shipledger.http.access import admit_openly
from shipledger.http.application import Application
from shipledger.http.call import Services
from shipledger.http.docs_page import docs_page, welcome_page
from shipledger.http.meta import VERSION
from shipledger.http.openapi import openapi_document
from shipledger.http.routes import ROUTES
from shipledger.storage.ledger_lock import LedgerLock
from shipledger.storage.migrate import Migration, migrate_sqlite
from shipledger.storage.sqlite import SqliteLedger
from shipledger.storage.sqlite_reading import SqliteReading

READERS_MAX = 4
"""Threads that read the ledger for pages, each with a connection of its own."""


@dataclass(frozen=True, slots=True)
class Serving:
    """A ledger that is open for writing, and the application that serves it."""

    application: Application
    lock: LedgerLock


def clock() -> int:
    """Now, in microseconds since 1970."""
    return time.time_ns() // 1_000


def migrate(database: Path) -> list[Migration]:
    """Bring the schema up to date; makes the file where there is none. The caller holds the ledger's lock."""
    connection = apsw.Connection(str(database))
    try:
        return migrate_sqlite(connection)
    finally:
        connection.close()


@contextmanager
def serving(settings: Settings) -> Iterator[Serving]:
    """The application over an open ledger, its committer running; at the end, what was handed in is committed.

    Raises LedgerInUse where another process writes this ledger, and SchemaError where it is not one of this version.
    """
    settings.database.parent.mkdir(parents=True, exist_ok=True)
    lock = LedgerLock(settings.database)
    try:
        migrate(settings.database)
        committer = BatchCommitter(
            SqliteLedger(settings.database), clock, batch_max=settings.batch_max, queue_max=settings.queue_max
        )
        reading = SqliteReading(settings.database)
        readers = ThreadPoolExecutor(READERS_MAX, thread_name_prefix="reader")
        document = openapi_document(ROUTES, VERSION)
        services = Services(
            submit=committer.submit,
            reading=reading,
            readers=readers,
            zone=settings.timezone,
            repeated=settings.repeated_tracking,
            openapi=document,
            docs=docs_page(document),
            welcome=welcome_page(document),
        )
        committer.start()
        try:
            yield Serving(Application(ROUTES, services, admit_openly), lock)
        finally:
            committer.close()
            readers.shutdown()
            reading.close()
    finally:
        lock.release()
