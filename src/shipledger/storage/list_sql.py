"""The queries of lists, in SQL that both databases understand; values stand for question marks in their order."""

from typing import Any

from shipledger.storage.port import FulfillmentFilter, OrderFilter, Position, Range

FULFILLMENT_COLUMNS = "id, order_id, status, tracking_number, tracking_url, carrier, created_at, account"

DUE = "coalesce(ship_by, deliver_by)"
IS_OPEN = "status NOT IN ('fulfilled', 'cancelled')"
"""Both as the index of open orders by their date has them. An order is late that is open after it was due."""
DUE_NOT_BY_INDEX = "coalesce(+ship_by, deliver_by)"
"""The same moment, for which no index is taken: where many are late, the newest of them are found soon without."""

_HOLDS_SKU = """
    order_id IN (SELECT order_id FROM order_lines WHERE sku = ?)
    AND EXISTS (SELECT 1 FROM fulfillment_lines WHERE fulfillment_id = fulfillments.id AND sku = ?)
"""
"""The first condition finds few orders by an index; the second looks into their parcels."""

Condition = tuple[str, Any]
"""A condition, and the value that each of its question marks stands for; None where it is not asked for."""


def list_orders(wanted: OrderFilter, after: Position | None, limit: int, due: str = DUE) -> tuple[str, list[Any]]:
    """created_at and id of the orders of a page, newest first, and of one more where there is one.

    `due` says how late ones are found: DUE or DUE_NOT_BY_INDEX.
    """
    conditions = [
        ("status = ?", wanted.status),
        ("reference = ?", wanted.reference),
        ("id IN (SELECT order_id FROM order_lines WHERE sku = ?)", wanted.sku),
        ("id IN (SELECT order_id FROM fulfillments WHERE tracking_number = ?)", wanted.tracking_number),
        *_within("created_at", wanted.created_at),
        *_within("deliver_by", wanted.deliver_by),
        (f"{IS_OPEN} AND {due} < ?", wanted.late_at),
    ]
    where, values = _where(conditions)
    if after is not None:
        where, values = _and(where, "(created_at, id) < (?, ?)"), [*values, *after]
    return f"SELECT created_at, id FROM orders {where} ORDER BY created_at DESC, id DESC LIMIT ?", [*values, limit + 1]


def list_fulfillments(wanted: FulfillmentFilter, after: Position | None, limit: int) -> tuple[str, list[Any]]:
    """The columns of the fulfillments of a page, newest first, and of one more where there is one."""
    conditions = [
        ("status = ?", wanted.status),
        ("order_id = ?", wanted.order_id),
        ("order_id = (SELECT id FROM orders WHERE reference = ?)", wanted.reference),
        ("tracking_number = ?", wanted.tracking_number),
        (_HOLDS_SKU, wanted.sku),
        *_within("created_at", wanted.created_at),
    ]
    where, values = _where(conditions)
    if after is not None:
        where, values = _and(where, "id < ?"), [*values, *after]
    return f"SELECT {FULFILLMENT_COLUMNS} FROM fulfillments {where} ORDER BY id DESC LIMIT ?", [*values, limit + 1]


def _within(column: str, wanted: Range) -> tuple[Condition, Condition]:
    return (f"{column} >= ?", wanted.first), (f"{column} <= ?", wanted.last)


def _where(conditions: list[Condition]) -> tuple[str, list[Any]]:
    given = [(condition, value) for condition, value in conditions if value is not None]
    where = " AND ".join(condition for condition, _ in given)
    values = [value for condition, value in given for _ in range(condition.count("?"))]
    return f"WHERE {where}" if given else "", values


def _and(where: str, condition: str) -> str:
    return f"{where} AND {condition}" if where else f"WHERE {condition}"
