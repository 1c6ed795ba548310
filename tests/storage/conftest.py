"""The databases that the conformance suite runs on. Another one needs a class here, and no change to the suite."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import apsw
import pytest

from shipledger.boot.ledgers import migrate
from shipledger.storage.port import Ledger, Reading
from shipledger.storage.postgres import PostgresLedger
from shipledger.storage.postgres_reading import postgres_reading
from shipledger.storage.reading import LedgerReading
from shipledger.storage.sqlite import SqliteLedger
from shipledger.storage.sqlite_reading import sqlite_reading
from tests.postgres_server import execute


class Database(Protocol):
    """A new, empty database with a current schema."""

    def ledger(self) -> Ledger: ...

    def reading(self) -> Reading: ...

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a statement, from a connection of its own."""

    def content(self) -> object:
        """Differs after anything was written, if only a row that stayed as it was."""


class SqliteDatabase:
    """A file."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "ledger.db"
        migrate(self.path)

    def ledger(self) -> SqliteLedger:
        return SqliteLedger(self.path)

    def reading(self) -> LedgerReading:
        return sqlite_reading(self.path)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        connection = apsw.Connection(str(self.path))
        try:
            return list(connection.execute(sql))
        finally:
            connection.close()

    def content(self) -> object:
        log = self.path.with_name(self.path.name + "-wal")
        return self.path.read_bytes(), log.read_bytes() if log.exists() else b""


class PostgresDatabase:
    """A database of a PostgreSQL server."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ledger(self) -> PostgresLedger:
        return PostgresLedger(self.url)

    def reading(self) -> LedgerReading:
        return postgres_reading(self.url)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        return execute(self.url, sql)

    def content(self) -> object:
        tables = self.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
        return [self.query(f"SELECT xmin, ctid, * FROM {table} ORDER BY ctid") for (table,) in tables]


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """Each database in turn."""
    if request.param == "sqlite":
        return SqliteDatabase(tmp_path)
    return PostgresDatabase(request.getfixturevalue("postgres_url"))


@pytest.fixture
def ledger(database: Database) -> Iterator[Ledger]:
    opened = database.ledger()
    yield opened
    opened.close()


@pytest.fixture
def reading(database: Database, ledger: Ledger) -> Iterator[Reading]:
    opened = database.reading()
    yield opened
    opened.close()
