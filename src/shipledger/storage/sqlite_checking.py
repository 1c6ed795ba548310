"""Proves the invariants of an embedded ledger."""

from pathlib import Path

import apsw

from shipledger.storage.invariants import Finding, find_broken, finding
from shipledger.storage.migrate import missing_migrations
from shipledger.storage.sqlite_reading import open_to_read


def check_ledger(path: Path) -> list[Finding]:
    """Every invariant of the ledger in this file, checked at one moment, beside a serving process if there is one.

    Raises SchemaError where the schema is newer than this version or altered, and apsw.Error where it is no ledger.
    """
    connection = open_to_read(path)
    try:
        with connection:
            findings = _findings(connection)
    finally:
        connection.close()
    return findings


def _findings(connection: apsw.Connection) -> list[Finding]:
    missing = [(f"{migration.version:04}", migration.name) for migration in missing_migrations(connection)]
    if missing:
        return [finding("the schema is up to date", missing)]
    damage = connection.execute("SELECT * FROM pragma_integrity_check WHERE integrity_check <> 'ok'")
    return [
        finding("the file is sound", damage),
        finding("every reference leads somewhere", connection.execute("SELECT * FROM pragma_foreign_key_check")),
        *find_broken(connection.execute, "CAST(data ->> 'id' AS INTEGER)"),
    ]
