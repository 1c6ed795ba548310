"""Opens a ledger, whichever database keeps it: a file of this machine (a path) or PostgreSQL (a URL)."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import apsw
import psycopg

from shipledger.storage import postgres_checking, sqlite_checking
from shipledger.storage.copying import is_unfinished
from shipledger.storage.invariants import Finding
from shipledger.storage.ledger_lock import LedgerLock
from shipledger.storage.migrate import (
    Migration,
    SchemaError,
    migrate_postgres,
    migrate_sqlite,
    missing_migrations,
    missing_postgres_migrations,
)
from shipledger.storage.port import WritingLedger
from shipledger.storage.postgres import PostgresLedger
from shipledger.storage.postgres_connection import connect
from shipledger.storage.postgres_reading import postgres_reading
from shipledger.storage.reading import LedgerReading
from shipledger.storage.sqlite import BUSY_MILLISECONDS_MAX, SqliteLedger
from shipledger.storage.sqlite_reading import open_to_read, sqlite_reading

Database = Path | str
"""Where a ledger is kept: the path of an embedded one, or a PostgreSQL URL, which goes to libpq as it is."""


def clock() -> int:
    """Now, in microseconds since 1970."""
    return time.time_ns() // 1_000


@contextmanager
def held_for_writing(database: Database) -> Iterator[LedgerLock | None]:
    """A ledger whose schema is current and that this process may write. An embedded one is locked, and made if missing.

    Raises LedgerInUse where another process writes the file, and SchemaError where it is not one of this version.
    """
    with _locked(database) as lock:
        migrate(database)
        yield lock


def bring_up_to_date(database: Database) -> list[Migration]:
    """Apply what its schema lacks to a ledger that no other process writes. Raises as `held_for_writing`."""
    with _locked(database):
        return migrate(database)


@contextmanager
def _locked(database: Database) -> Iterator[LedgerLock | None]:
    if isinstance(database, str):
        yield None
        return
    database.parent.mkdir(parents=True, exist_ok=True)
    lock = LedgerLock(database)
    try:
        yield lock
    finally:
        lock.release()


def migrate(database: Database) -> list[Migration]:
    """Bring the schema up to date. The caller holds an embedded ledger's lock. Raises SchemaError."""
    if isinstance(database, str):
        with connect(database, is_writer=True) as connection:
            if is_unfinished(connection):
                raise SchemaError("This ledger is the target of an unfinished copy: run shipledger copy again.")
            return migrate_postgres(connection)
    file = apsw.Connection(str(database))
    # Others may read it meanwhile, and a ledger that is being made does not yet let them read beside a writer.
    file.set_busy_timeout(BUSY_MILLISECONDS_MAX)
    try:
        return migrate_sqlite(file)
    finally:
        file.close()


def require_current(database: Database) -> None:
    """Raise SchemaError where a ledger's schema is not this version's, and the driver's error where there is none."""
    if isinstance(database, str):
        with connect(database, is_writer=False) as connection:
            missing = missing_postgres_migrations(connection)
    else:
        with closing(open_to_read(database)) as file:
            missing = missing_migrations(file)
    if missing:
        raise SchemaError("The ledger's schema is not up to date: run shipledger migrate first.")


def open_ledger(database: Database) -> WritingLedger:
    """The writing side of a ledger that is held for writing."""
    return PostgresLedger(database) if isinstance(database, str) else SqliteLedger(database)


def check_ledger(database: Database) -> list[Finding]:
    """What breaks each invariant of a ledger. Raises SchemaError, and the driver's error where it cannot be read."""
    return (
        postgres_checking.check_ledger(database)
        if isinstance(database, str)
        else sqlite_checking.check_ledger(database)
    )


def has_keys(database: Database) -> bool:
    """Whether a key was ever made for this ledger, which need not be there yet.

    Raises the driver's error where it cannot be read, and Unavailable where it is away.
    """
    if isinstance(database, Path) and not database.exists():
        return False
    with closing(open_reading(database)) as reading:
        try:
            return bool(reading.keys())
        except (apsw.SQLError, psycopg.errors.UndefinedTable):  # a ledger of before there were keys, or none yet
            return False


def open_reading(database: Database) -> LedgerReading:
    """The reading side of a ledger."""
    return postgres_reading(database) if isinstance(database, str) else sqlite_reading(database)
