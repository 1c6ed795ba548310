"""Copies an embedded ledger to PostgreSQL, table by table in the order of their keys: a copy can be gone on with."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
import psycopg
from psycopg import sql

from shipledger.storage.ledger_lock import LedgerLock
from shipledger.storage.migrate import SchemaError, migrate_postgres, missing_migrations
from shipledger.storage.postgres_connection import STATEMENTS, Connection, connect
from shipledger.storage.sqlite_reading import open_to_read

ROWS_A_STEP = 10_000
"""Rows that one transaction copies: what is copied again after a kill, at most."""

MARKER = "unfinished_copy"
"""A table that the target has for as long as its copy is not finished; nobody serves it meanwhile."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table, its columns, and those that its rows are known by, in whose order they are copied."""

    name: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    booleans: frozenset[str] = frozenset()


TABLES = (
    Table(
        "orders",
        ("id",),
        (
            "id", "status", "phase", "ordered", "fulfilled", "cancelled", "on_hold", "event_count", "content",
            "created_at", "cancelled_at", "hold_reason", "reference", "channel", "email", "shipping_address",
            "shipping_service", "ship_by", "deliver_by", "metadata",
        ),
        frozenset({"on_hold"}),
    ),
    Table(
        "order_lines",
        ("order_id", "sku", "position"),
        ("order_id", "sku", "position", "ordered", "fulfilled", "cancelled", "partner", "title", "on_time"),
        frozenset({"on_time"}),
    ),
    Table(
        "fulfillments",
        ("id",),
        ("id", "order_id", "status", "tracking_number", "tracking_url", "carrier", "tracking_check", "account",
         "created_at"),
    ),
    Table(
        "fulfillment_lines",
        ("fulfillment_id", "position"),
        ("fulfillment_id", "position", "sku", "quantity", "partner"),
    ),
    Table("partners", ("name",), ("name", "rules", "changed_at")),
    Table(
        "partner_orders",
        ("order_id", "partner"),
        ("order_id", "partner", "ordered", "fulfilled", "cancelled", "created_at"),
    ),
    Table(
        "carrier_events",
        ("fulfillment_id", "position"),
        ("fulfillment_id", "position", "status", "occurred_at", "received_at", "message", "location"),
    ),
    Table(
        "events",
        ("id",),
        ("id", "order_id", "sequence", "type", "created_at", "actor", "key_id", "request_id", "data"),
    ),
    Table(
        "kept_answers",
        ("account", "key"),
        ("account", "key", "fingerprint", "body", "made_id", "is_new", "created_at"),
        frozenset({"is_new"}),
    ),
    Table(
        "keys",
        ("id",),
        (
            "id", "public_part", "digest", "name", "role", "partner", "scopes", "rate_limit", "created_at",
            "expires_at", "last_used_at", "revoked_at", "replaced_by",
        ),
    ),
    Table(
        "webhook_endpoints",
        ("id",),
        (
            "id", "partner", "url", "description", "event_types", "is_ordered", "created_at", "starts_after", "salt",
            "previous_salt", "previous_until", "key_check", "disabled_at", "disabled_because", "deleted_at",
            "failing_since", "in_order_up_to",
        ),
        frozenset({"is_ordered"}),
    ),
    Table(
        "webhook_messages",
        ("endpoint_id", "event_id"),
        (
            "endpoint_id", "event_id", "place", "order_id", "status", "attempts", "due_at", "added_at", "finished_at",
        ),
    ),
    Table(
        "webhook_attempts",
        ("endpoint_id", "attempted_at", "event_id"),
        ("endpoint_id", "attempted_at", "event_id", "duration_ms", "status", "error", "answer"),
    ),
    Table("feed_marks", ("name",), ("name", "place")),
    Table(
        "imports",
        ("id",),
        (
            "id", "file", "content", "created_at", "rows", "taken", "repeated", "rejected", "finished_at", "undone_at",
        ),
    ),
    Table(
        "imported_fulfillments",
        ("import_id", "fulfillment_id"),
        ("import_id", "fulfillment_id", "account", "key"),
    ),
    Table(
        "partner_totals",
        ("partner", "slot"),
        (
            "partner", "slot", "open_quantity", "open_orders", "lines_on_time", "lines_late", "numbers",
            "numbers_failed",
        ),
    ),
)  # fmt: skip


class CopyRefused(Exception):
    """The target is not one that the source can be copied to; the message says why."""


def copy_ledger(source: Path, target: str, progress: Callable[[str, int, int], None]) -> dict[str, int]:
    """Copy every row, and return how many each table has now. `progress` is told a table, its copied and all its rows.

    Run again after it was interrupted, it goes on where it was. Raises CopyRefused, LedgerInUse, SchemaError, and the
    drivers' errors where either ledger is away.
    """
    if not source.is_file():
        raise CopyRefused(f"There is no ledger at {source}.")
    lock = LedgerLock(source)
    try:
        with _opened(source) as file, connect(target, is_writer=True) as server:
            _begin(source, server)
            counts = {table.name: _copy_table(table, file, server, progress) for table in TABLES}
            _finish(file, server)
    finally:
        lock.release()
    return counts


@contextmanager
def _opened(source: Path) -> Iterator[apsw.Connection]:
    file = open_to_read(source)
    try:
        if missing_migrations(file):
            raise SchemaError(f"The schema of {source} is not up to date: run shipledger migrate first.")
        yield file
    finally:
        file.close()


def _begin(source: Path, server: Connection) -> None:
    migrate_postgres(server)
    name = str(source.resolve())
    with server.transaction():
        if is_unfinished(server):
            row = server.execute(f"SELECT source FROM {MARKER}").fetchone()
            if row != (name,):
                raise CopyRefused(f"The target holds an unfinished copy of another ledger, {row and row[0]}.")
        elif server.execute("SELECT 1 FROM orders LIMIT 1").fetchone():
            raise CopyRefused("The target has orders already: copy to a new database.")
        else:
            server.execute(f"CREATE TABLE {MARKER} (source text NOT NULL)")
            server.execute(f"INSERT INTO {MARKER} (source) VALUES (%s)", (name,))


def is_unfinished(server: psycopg.Connection[Any]) -> bool:
    """Whether a ledger is the target of a copy that is not finished."""
    return server.execute("SELECT to_regclass(%s)", (MARKER,)).fetchone() != (None,)


def _copy_table(
    table: Table, file: apsw.Connection, server: Connection, progress: Callable[[str, int, int], None]
) -> int:
    every: int = file.execute(f"SELECT count(*) FROM {table.name}").get
    counted = server.execute(f"SELECT count(*) FROM {table.name}").fetchone()
    copied = counted[0] if counted else 0
    progress(table.name, copied, every)
    for rows in _steps(table, file, _last_key(table, server)):
        with server.transaction(), server.cursor().copy(_copy_statement(table)) as lines:
            for row in rows:
                lines.write_row(row)
        copied += len(rows)
        progress(table.name, copied, every)
    return copied


def _last_key(table: Table, server: Connection) -> tuple[Any, ...] | None:
    order = ", ".join(f"{column} DESC" for column in table.key)
    return server.execute(f"SELECT {', '.join(table.key)} FROM {table.name} ORDER BY {order} LIMIT 1").fetchone()


def _steps(table: Table, file: apsw.Connection, after: tuple[Any, ...] | None) -> Iterator[list[list[Any]]]:
    """The rows after a key, in the order of their keys. Texts sort by their bytes in both databases."""
    key = ", ".join(table.key)
    where = f"WHERE ({key}) > ({', '.join('?' for _ in table.key)})" if after else ""
    rows = file.execute(f"SELECT {', '.join(table.columns)} FROM {table.name} {where} ORDER BY {key}", after or ())
    step: list[list[Any]] = []
    for row in rows:
        step.append(
            [
                bool(value) if name in table.booleans and value is not None else value
                for name, value in zip(table.columns, row, strict=True)
            ]
        )
        if len(step) == ROWS_A_STEP:
            yield step
            step = []
    if step:
        yield step


def _copy_statement(table: Table) -> sql.Composed:
    return sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table.name), sql.SQL(", ").join(map(sql.Identifier, table.columns))
    )


def _finish(file: apsw.Connection, server: Connection) -> None:
    """Go on counting where the source was; its events keep their places in the feed, which were their ids."""
    next_order_id = file.execute("SELECT value FROM counters WHERE name = 'order_ids'").get
    with server.transaction():
        server.execute(
            "INSERT INTO event_positions (position, event_id) SELECT id, id FROM events WHERE order_id IS NOT NULL"
        )
        server.execute(STATEMENTS["tell_partners"].encode())
        for sequence, table in (("fulfillment_ids", "fulfillments"), ("event_ids", "events")):
            last: int | None = file.execute(f"SELECT max(id) FROM {table}").get
            if last is not None:
                server.execute("SELECT setval(%s::regclass, %s)", (sequence, last))
        if next_order_id is not None:
            server.execute("SELECT setval('order_ids', %s, false)", (next_order_id,))
        server.execute(f"DROP TABLE {MARKER}")
    server.execute("ANALYZE")
