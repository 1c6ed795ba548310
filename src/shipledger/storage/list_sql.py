"""The queries of lists, in SQL that both databases understand; values stand for question marks in their order.

A partner's lists begin at its own rows: what it may not see takes no place in a page, and no time to skip.
"""

from typing import Any

from shipledger.order import OPEN, OrderStatus, phase_of
from shipledger.partner_view import Partner
from shipledger.storage.port import AuditFilter, FulfillmentFilter, OrderFilter, Position, Range

FULFILLMENT_COLUMNS = (
    "id, order_id, status, tracking_number, tracking_url, carrier, tracking_check, created_at, account"
)
_AUDIT_COLUMNS = "id, type, created_at, actor, key_id, request_id, order_id, sequence, data"

DUE = "coalesce(ship_by, deliver_by)"
IS_OPEN = f"phase = '{OPEN}'"
"""Both as the index of open orders by their date has them. An order is late that is open after it was due."""
_DUE_NOT_BY_INDEX = "coalesce(+ship_by, deliver_by)"
LATE_SORTED_MAX = 5_000
_FILTERED = "id, created_at, status, phase, on_hold, reference, deliver_by"
_FEW_LATE = f"""
    (SELECT {_FILTERED} FROM orders WHERE {IS_OPEN} AND {DUE} < ? ORDER BY {DUE} LIMIT {LATE_SORTED_MAX}) AS late
"""
_AMONG_MANY_LATE = f"{IS_OPEN} AND {_DUE_NOT_BY_INDEX} < ?"
"""Late orders: so few that they are found by their date and sorted by age, or so many that the newest are found soon
without. Its limit keeps a planner from finding the few another way."""

_SHARE_IS_OPEN = "status NOT IN ('fulfilled', 'cancelled')"

_HOLDS_SKU = """
    order_id IN (SELECT order_id FROM order_lines WHERE sku = ?)
    AND EXISTS (SELECT 1 FROM fulfillment_lines WHERE fulfillment_id = fulfillments.id AND sku = ?)
"""
"""The first condition finds few orders by an index; the second looks into their parcels."""

_HOLDS_OWN = "EXISTS (SELECT 1 FROM fulfillment_lines WHERE fulfillment_id = fulfillments.id AND partner = ?)"
_HOLDS_OWN_SKU = """
    order_id IN (SELECT order_id FROM order_lines WHERE sku = ? AND partner = ?)
    AND EXISTS (SELECT 1 FROM fulfillment_lines WHERE fulfillment_id = fulfillments.id AND sku = ? AND partner = ?)
"""

Condition = tuple[str, Any]
"""A condition, and the value that each of its question marks stands for, or, as a tuple, the values; None where it is
not asked for."""

Select = tuple[str, list[Any]]


def list_orders(
    wanted: OrderFilter, after: Position | None, limit: int, partner: Partner, *, are_many_late: bool = False
) -> Select:
    """created_at and id of the orders of a page, newest first, and of one more where there is one.

    `are_many_late` says how late ones are found.
    """
    if partner is not None:
        return _list_partner_orders(wanted, after, limit, partner)
    conditions = [
        *_of_status(wanted.status),
        ("on_hold" if wanted.on_hold else "NOT on_hold", wanted.on_hold),
        ("reference = ?", wanted.reference),
        ("id IN (SELECT order_id FROM order_lines WHERE sku = ?)", wanted.sku),
        ("id IN (SELECT order_id FROM fulfillments WHERE tracking_number = ?)", wanted.tracking_number),
        *_within("created_at", wanted.created_at),
        *_within("deliver_by", wanted.deliver_by),
        (_AMONG_MANY_LATE, wanted.late_at if are_many_late else None),
        ("(created_at, id) < (?, ?)", after),
    ]
    where, values = _where(conditions)
    source, late = "orders", []
    if wanted.late_at is not None and not are_many_late:
        source, late = _FEW_LATE, [wanted.late_at]
    sql = f"SELECT created_at, id FROM {source} {where} ORDER BY created_at DESC, id DESC LIMIT ?"
    return sql, [*late, *values, limit + 1]


def _list_partner_orders(wanted: OrderFilter, after: Position | None, limit: int, partner: str) -> Select:
    """The same of what a partner sees: its totals of an order, as filters and status have it, are rows of their own."""
    of_order = "EXISTS (SELECT 1 FROM orders WHERE id = partner_orders.order_id AND"
    names_few = any((wanted.sku, wanted.reference, wanted.tracking_number))
    conditions: list[Condition] = [
        # Where a filter finds few orders by an index, the partner's own index is not to be taken instead.
        ("partner || '' = ?" if names_few else "partner = ?", partner),
        ("status = ?", wanted.status),
        ("order_id = (SELECT id FROM orders WHERE reference = ?)", wanted.reference),
        ("order_id IN (SELECT order_id FROM order_lines WHERE sku = ? AND partner = ?)", _with(wanted.sku, partner)),
        (
            f"order_id IN (SELECT order_id FROM fulfillments WHERE tracking_number = ? AND {_HOLDS_OWN})",
            _with(wanted.tracking_number, partner),
        ),
        *_within("created_at", wanted.created_at),
        (f"{of_order} deliver_by >= ?)", wanted.deliver_by.first),
        (f"{of_order} deliver_by <= ?)", wanted.deliver_by.last),
        (f"{_SHARE_IS_OPEN} AND {of_order} {_DUE_NOT_BY_INDEX} < ?)", wanted.late_at),
        ("(created_at, order_id) < (?, ?)", after),
    ]
    where, values = _where(conditions)
    order = "ORDER BY created_at DESC, order_id DESC"
    return f"SELECT created_at, order_id FROM partner_orders {where} {order} LIMIT ?", [*values, limit + 1]


def list_fulfillments(wanted: FulfillmentFilter, after: Position | None, limit: int, partner: Partner) -> Select:
    """The columns of the fulfillments of a page, newest first, and of one more where there is one."""
    conditions: list[Condition] = [
        ("status = ?", wanted.status),
        ("order_id = ?", wanted.order_id),
        ("order_id = (SELECT id FROM orders WHERE reference = ?)", wanted.reference),
        ("tracking_number = ?", wanted.tracking_number),
        *_within("created_at", wanted.created_at),
    ]
    source, id_ = "fulfillments", "id"
    if partner is None:
        conditions.append((_HOLDS_SKU, wanted.sku))
    elif any((wanted.order_id, wanted.reference, wanted.tracking_number, wanted.sku)):
        own_sku = None if wanted.sku is None else (wanted.sku, partner, wanted.sku, partner)
        conditions += [(_HOLDS_OWN, partner), (_HOLDS_OWN_SKU, own_sku)]
    else:
        # By its own lines, which lie in the order of the list: a parcel of several is one row.
        conditions.append(("own.partner = ?", partner))
        source, id_ = "fulfillment_lines AS own JOIN fulfillments ON id = own.fulfillment_id", "own.fulfillment_id"
    where, values = _where([*conditions, (f"{id_} < ?", after)])
    columns = FULFILLMENT_COLUMNS.replace("id", id_, 1)
    distinct = "DISTINCT " if id_ != "id" else ""
    return f"SELECT {distinct}{columns} FROM {source} {where} ORDER BY {id_} DESC LIMIT ?", [*values, limit + 1]


def skus_of(order_id: int, partner: Partner) -> Select:
    """The skus of an order, each once."""
    where, values = _where([("order_id = ?", order_id), ("partner = ?", partner)])
    return f"SELECT DISTINCT sku FROM order_lines {where} ORDER BY sku", values


def list_audit(wanted: AuditFilter, after: Position | None, limit: int) -> Select:
    """The columns of `audit_document` for the changes of a page, newest first, and for one more where there is one."""
    conditions = [
        ("type = ?", wanted.type),
        ("order_id = ?", wanted.order_id),
        ("key_id = ?", wanted.key_id),
        ("actor = ?", wanted.actor),
        ("request_id = ?", wanted.request_id),
        *_within("created_at", wanted.created_at),
        ("id < ?", after),
    ]
    where, values = _where(conditions)
    return f"SELECT {_AUDIT_COLUMNS} FROM events {where} ORDER BY id DESC LIMIT ?", [*values, limit + 1]


def _of_status(status: str | None) -> list[Condition]:
    """The index has the phase; open orders are looked through for their status."""
    if status is None:
        return []
    phase = phase_of(OrderStatus(status))
    return [("phase = ?", phase), ("status = ?", status if phase == OPEN else None)]


def _within(column: str, wanted: Range) -> tuple[Condition, Condition]:
    return (f"{column} >= ?", wanted.first), (f"{column} <= ?", wanted.last)


def _with(value: str | None, partner: str) -> tuple[str, str] | None:
    return None if value is None else (value, partner)


def _where(conditions: list[Condition]) -> Select:
    given = [(condition, value) for condition, value in conditions if value is not None]
    values: list[Any] = []
    for condition, value in given:
        values += value if isinstance(value, tuple) else [value] * condition.count("?")
    where = " AND ".join(condition for condition, _ in given)
    return f"WHERE {where}" if given else "", values
