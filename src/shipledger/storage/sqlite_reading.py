"""The reading side of an embedded ledger: pages and single things, from connections that cannot write."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import apsw

from shipledger.document import Document, fulfillment_document, fulfillments_of, with_fulfillments
from shipledger.limits import ORDER_FULFILLMENTS_SHOWN_MAX
from shipledger.storage.port import FulfillmentFilter, OrderFilter, Page, Position, Range
from shipledger.storage.sqlite_rows import fulfillments_from_rows, whole_orders

BUSY_MILLISECONDS_MAX = 5_000

_FULFILLMENT_COLUMNS = "id, order_id, status, tracking_number, tracking_url, carrier, created_at, account"
_HOLDS_SKU = """
    order_id IN (SELECT order_id FROM order_lines WHERE sku = ?)
    AND EXISTS (SELECT 1 FROM fulfillment_lines WHERE fulfillment_id = fulfillments.id AND sku = ?)
"""
"""The first condition finds few orders by an index; the second looks into their parcels."""


class SqliteReading:
    """The reading side (`shipledger.storage.port.Reading`). Each thread has a connection of its own."""

    def __init__(self, path: Path) -> None:
        """Read the file at this path; it must exist by the first reading."""
        self._path = path
        self._of_thread = threading.local()
        self._connections: list[apsw.Connection] = []

    def order(self, order_id: int) -> Document | None:
        with self._connection as connection:
            document = whole_orders(connection, [order_id]).get(order_id)
            newest = self.fulfillments(FulfillmentFilter(order_id=order_id), None, ORDER_FULFILLMENTS_SHOWN_MAX)
        return document and with_fulfillments(document, newest.documents, fulfillments_of(order_id))

    def orders(self, wanted: OrderFilter, after: Position | None, limit: int) -> Page:
        conditions, values = _conditions(
            ("status = ?", wanted.status),
            ("reference = ?", wanted.reference),
            ("id IN (SELECT order_id FROM order_lines WHERE sku = ?)", wanted.sku),
            ("id IN (SELECT order_id FROM fulfillments WHERE tracking_number = ?)", wanted.tracking_number),
            *_within("created_at", wanted.created_at),
            *_within("deliver_by", wanted.deliver_by),
        )
        if after is not None:
            conditions.append("(created_at, id) < (?, ?)")
            values.extend(after)
        sql = f"SELECT created_at, id FROM orders {_where(conditions)} ORDER BY created_at DESC, id DESC LIMIT ?"
        with self._connection as connection:
            places = list(connection.execute(sql, (*values, limit + 1)))
            documents = whole_orders(connection, [order_id for _, order_id in places[:limit]])
        return Page(
            [documents[order_id] for _, order_id in places[:limit]], places[limit - 1] if len(places) > limit else None
        )

    def fulfillment(self, fulfillment_id: int) -> Document | None:
        sql = f"SELECT {_FULFILLMENT_COLUMNS} FROM fulfillments WHERE id = ?"
        with self._connection as connection:
            found = fulfillments_from_rows(connection, connection.execute(sql, (fulfillment_id,)))
        return fulfillment_document(found[0]) if found else None

    def fulfillments(self, wanted: FulfillmentFilter, after: Position | None, limit: int) -> Page:
        conditions, values = _conditions(
            ("status = ?", wanted.status),
            ("order_id = ?", wanted.order_id),
            ("order_id = (SELECT id FROM orders WHERE reference = ?)", wanted.reference),
            ("tracking_number = ?", wanted.tracking_number),
            (_HOLDS_SKU, wanted.sku),
            *_within("created_at", wanted.created_at),
        )
        if after is not None:
            conditions.append("id < ?")
            values.extend(after)
        sql = f"SELECT {_FULFILLMENT_COLUMNS} FROM fulfillments {_where(conditions)} ORDER BY id DESC LIMIT ?"
        with self._connection as connection:
            rows = list(connection.execute(sql, (*values, limit + 1)))
            documents = [fulfillment_document(found) for found in fulfillments_from_rows(connection, rows[:limit])]
        return Page(documents, (rows[limit - 1][0],) if len(rows) > limit else None)

    def skus(self, order_id: int) -> Sequence[str]:
        sql = "SELECT DISTINCT sku FROM order_lines WHERE order_id = ? ORDER BY sku"
        return [sku for (sku,) in self._connection.execute(sql, (order_id,))]

    @property
    def _connection(self) -> apsw.Connection:
        connection: apsw.Connection | None = getattr(self._of_thread, "connection", None)
        if connection is None:
            connection = open_to_read(self._path)
            self._of_thread.connection = connection
            self._connections.append(connection)
        return connection

    def close(self) -> None:
        for connection in self._connections:
            connection.close()


def open_to_read(path: Path) -> apsw.Connection:
    """A connection that cannot write. Raises apsw.CantOpenError where there is no such file."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    connection.set_busy_timeout(BUSY_MILLISECONDS_MAX)
    return connection


def _conditions(*pairs: tuple[str, Any]) -> tuple[list[str], list[Any]]:
    """The conditions whose value is given, and their values: one for each question mark."""
    given = [(condition, value) for condition, value in pairs if value is not None]
    return [condition for condition, _ in given], [
        value for condition, value in given for _ in range(condition.count("?"))
    ]


def _within(column: str, wanted: Range) -> tuple[tuple[str, Any], tuple[str, Any]]:
    return (f"{column} >= ?", wanted.first), (f"{column} <= ?", wanted.last)


def _where(conditions: list[str]) -> str:
    return f"WHERE {' AND '.join(conditions)}" if conditions else ""
