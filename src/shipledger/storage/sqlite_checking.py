"""The invariants of a ledger, each as a query that finds what breaks it. A sound ledger gives no rows."""

from dataclasses import dataclass
from pathlib import Path

import apsw

from shipledger.storage.migrate import missing_migrations
from shipledger.storage.sqlite_reading import open_to_read

EXAMPLES_SHOWN_MAX = 5

INVARIANTS = {
    "no line is over-fulfilled": """
        SELECT order_id, sku, position FROM order_lines
        WHERE fulfilled < 0 OR cancelled < 0 OR fulfilled + cancelled > ordered
    """,
    "a line's fulfilled quantity is the sum of its parcels": """
        SELECT line.order_id, line.sku, line.position FROM order_lines AS line
        LEFT JOIN (
            SELECT parcel.order_id, taken.sku, taken.position, sum(taken.quantity) AS quantity
            FROM fulfillment_lines AS taken JOIN fulfillments AS parcel ON parcel.id = taken.fulfillment_id
            WHERE parcel.status <> 'cancelled'
            GROUP BY parcel.order_id, taken.sku, taken.position
        ) AS taken ON taken.order_id = line.order_id AND taken.sku = line.sku AND taken.position = line.position
        WHERE line.fulfilled <> ifnull(taken.quantity, 0)
    """,
    "what a parcel holds is on its order": """
        SELECT taken.fulfillment_id, taken.sku, taken.position
        FROM fulfillment_lines AS taken JOIN fulfillments AS parcel ON parcel.id = taken.fulfillment_id
        LEFT JOIN order_lines AS line
            ON line.order_id = parcel.order_id AND line.sku = taken.sku AND line.position = taken.position
        WHERE line.order_id IS NULL
    """,
    "a parcel holds something": """
        SELECT id FROM fulfillments
        WHERE NOT EXISTS (SELECT 1 FROM fulfillment_lines WHERE fulfillment_id = fulfillments.id)
    """,
    "an order's totals are the sums of its lines": """
        SELECT id FROM orders
        LEFT JOIN (
            SELECT order_id, sum(ordered) AS ordered, sum(fulfilled) AS fulfilled, sum(cancelled) AS cancelled
            FROM order_lines GROUP BY order_id
        ) AS line ON line.order_id = orders.id
        WHERE (orders.ordered, orders.fulfilled, orders.cancelled)
            IS NOT (line.ordered, line.fulfilled, line.cancelled)
    """,
    "an order's status is what its totals amount to": """
        SELECT id FROM orders
        WHERE status <> CASE
            WHEN ordered = fulfilled + cancelled THEN iif(fulfilled > 0, 'fulfilled', 'cancelled')
            ELSE iif(fulfilled > 0, 'partially_fulfilled', 'unfulfilled')
        END
    """,
    "an order's events are numbered from 1 without a gap": """
        SELECT id FROM orders
        LEFT JOIN (
            SELECT order_id, count(*) AS told, min(sequence) AS first, max(sequence) AS last
            FROM events GROUP BY order_id
        ) AS event ON event.order_id = orders.id
        WHERE event_count = 0 OR (event_count, 1, event_count) IS NOT (told, first, last)
    """,
    "every parcel has one event that tells of its creation": """
        SELECT parcel.id FROM fulfillments AS parcel
        LEFT JOIN (
            SELECT data ->> 'id' AS fulfillment_id, count(*) AS told FROM events
            WHERE type = 'fulfillment.created' GROUP BY data ->> 'id'
        ) AS event ON event.fulfillment_id = parcel.id
        WHERE event.told IS NOT 1
    """,
    "every order has one event that tells of its creation": """
        SELECT id FROM orders
        LEFT JOIN (
            SELECT order_id, count(*) AS told FROM events WHERE type = 'order.created' GROUP BY order_id
        ) AS event ON event.order_id = orders.id
        WHERE told IS NOT 1
    """,
    "what a kept answer names exists": """
        SELECT key FROM kept_answers
        WHERE made_id IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM fulfillments WHERE id = made_id)
            AND NOT EXISTS (SELECT 1 FROM orders WHERE id = made_id)
    """,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """An invariant, how many rows break it, and the first of them."""

    invariant: str
    broken: int
    examples: list[str]


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
    missing = [f"{migration.version:04} {migration.name}" for migration in missing_migrations(connection)]
    if missing:
        return [Finding("the schema is up to date", len(missing), missing)]
    return [
        _finding("the file is sound", connection, "SELECT * FROM pragma_integrity_check WHERE integrity_check <> 'ok'"),
        _finding("every reference leads somewhere", connection, "SELECT * FROM pragma_foreign_key_check"),
        *(_finding(invariant, connection, sql) for invariant, sql in INVARIANTS.items()),
    ]


def _finding(invariant: str, connection: apsw.Connection, sql: str) -> Finding:
    rows = list(connection.execute(sql))
    return Finding(invariant, len(rows), [" ".join(str(value) for value in row) for row in rows[:EXAMPLES_SHOWN_MAX]])
