"""Proves the invariants of a ledger on PostgreSQL."""

from collections.abc import Iterable

from shipledger.storage.invariants import Finding, find_broken, finding
from shipledger.storage.migrate import missing_postgres_migrations
from shipledger.storage.postgres_connection import connect
from shipledger.storage.rows import Row

_NEITHER_OR_BOTH = """
    SELECT id FROM events
    LEFT JOIN event_positions ON event_positions.event_id = events.id
    LEFT JOIN unnumbered_events ON unnumbered_events.event_id = events.id
    WHERE (order_id IS NOT NULL) <> ((event_positions.event_id IS NULL) <> (unnumbered_events.event_id IS NULL))
"""
_PLACED = "(SELECT * FROM events WHERE id NOT IN (SELECT event_id FROM unnumbered_events))"
_OUT_OF_ORDER = """
    SELECT order_id, sequence FROM (
        SELECT order_id, sequence, position, lag(position) OVER (PARTITION BY order_id ORDER BY sequence) AS before
        FROM events JOIN event_positions ON event_positions.event_id = events.id
    ) AS placed
    WHERE before > position
"""


def check_ledger(url: str) -> list[Finding]:
    """Every invariant of the ledger at this URL, checked at one moment, beside the nodes that write it.

    Raises SchemaError where the schema is newer than this version or altered, and psycopg.Error where it is no ledger.
    """
    with connect(url, is_writer=False) as connection, connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")

        def select(sql: str) -> Iterable[Row]:
            return connection.execute(sql.encode()).fetchall()

        missing = [(f"{migration.version:04}", migration.name) for migration in missing_postgres_migrations(connection)]
        if missing:
            return [finding("the schema is up to date", missing)]
        return [
            *find_broken(select, "CAST(CAST(data AS json) ->> 'id' AS bigint)", _PLACED),
            finding("every event of an order has a place in the feed, or waits for one", select(_NEITHER_OR_BOTH)),
            finding("the feed keeps the order of each order's events", select(_OUT_OF_ORDER)),
        ]
