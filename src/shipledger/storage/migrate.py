"""Brings a ledger's schema up to date: numbered SQL files, each applied once, in order, in its own transaction."""

import hashlib
import re
import time
from dataclasses import dataclass
from importlib import resources
from typing import Any

import apsw
import psycopg

PAGE_BYTES = 2_048
"""Of an embedded ledger's file. A fulfillment changes five pages here and there, and each is written, summed and synced
whole: with SQLite's usual 4,096 a COMMIT takes a quarter longer."""
_FILE_NAME = re.compile(r"(\d{4})_(\w+)\.(sqlite|postgres)\.sql")


class SchemaError(Exception):
    """The ledger's schema is not one that this version can work with; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step of the schema."""

    version: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """Of the file's text, so that a step which was edited after it was applied is noticed."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations(dialect: str) -> list[Migration]:
    """Every step of a dialect, in order."""
    found = []
    for file in resources.files("shipledger.storage").joinpath("migrations").iterdir():
        match = _FILE_NAME.fullmatch(file.name)
        if match and match[3] == dialect:
            found.append(Migration(int(match[1]), match[2], file.read_text(encoding="utf-8")))
    return sorted(found, key=lambda migration: migration.version)


def migrate_postgres(connection: psycopg.Connection[Any]) -> list[Migration]:
    """Apply what is missing and return it. Nodes that start together wait for each other. Raises SchemaError."""
    with connection.transaction():
        connection.execute("SET LOCAL statement_timeout = 0")
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('shipledger migrations', 0))")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS migrations"
            " (version integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, applied_at bigint NOT NULL)"
        )
        missing = missing_postgres_migrations(connection)
        for migration in missing:
            connection.execute(migration.sql.encode())
            connection.execute(
                "INSERT INTO migrations (version, name, checksum, applied_at) VALUES (%s, %s, %s, %s)",
                (migration.version, migration.name, migration.checksum, time.time_ns() // 1_000),
            )
    return missing


def migrate_sqlite(connection: apsw.Connection) -> list[Migration]:
    """Apply what is missing and return it. Raises SchemaError where the ledger is newer, or was altered."""
    connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")  # of a new file; one that is there keeps its own
    connection.execute(
        "CREATE TABLE IF NOT EXISTS migrations"
        " (version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT"
    )
    missing = missing_migrations(connection)
    for migration in missing:
        with connection:
            connection.execute(migration.sql)
            connection.execute(
                "INSERT INTO migrations (version, name, checksum, applied_at) VALUES (?, ?, ?, ?)",
                (migration.version, migration.name, migration.checksum, time.time_ns() // 1_000),
            )
    return missing


def missing_postgres_migrations(connection: psycopg.Connection[Any]) -> list[Migration]:
    """The steps that a ledger on PostgreSQL lacks. Raises SchemaError where it is newer, or was altered."""
    if connection.execute("SELECT to_regclass('migrations')").fetchone() == (None,):
        return _missing("postgres", {})
    return _missing("postgres", dict(connection.execute("SELECT version, checksum FROM migrations").fetchall()))


def missing_migrations(connection: apsw.Connection) -> list[Migration]:
    """The steps that a ledger lacks. Raises SchemaError where it is newer than this version, or altered."""
    has_table = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'migrations'").get
    return _missing("sqlite", dict(connection.execute("SELECT version, checksum FROM migrations")) if has_table else {})


def _missing(dialect: str, applied: dict[int, str]) -> list[Migration]:
    """`applied` are checksums by version."""
    known = migrations(dialect)
    newest = max((migration.version for migration in known), default=0)
    if any(version > newest for version in applied):
        raise SchemaError("This ledger was written by a newer Shipledger; run that version, or a newer one.")
    for migration in known:
        if applied.get(migration.version, migration.checksum) != migration.checksum:
            raise SchemaError(f"Migration {migration.version:04} was changed after it was applied to this ledger.")
    return [migration for migration in known if migration.version not in applied]
