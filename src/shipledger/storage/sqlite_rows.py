"""SQLite's rows as orders and fulfillments: shared by the side that writes and the side that reads."""

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import apsw
import msgspec

from shipledger.document import Document, order_document
from shipledger.fulfillment import FulfilledLine, Fulfillment, FulfillmentStatus, Tracking
from shipledger.order import Order, OrderContent, OrderLine
from shipledger.storage.statements import load_statements

STATEMENTS = load_statements("sqlite")

encode_json = msgspec.json.Encoder().encode


def json_text(value: object) -> str | None:
    """A value for a JSON column; None is NULL."""
    return None if value is None else encode_json(value).decode()


def from_json_text(text: str | None) -> Any:
    """A JSON column's value; NULL is None."""
    return None if text is None else msgspec.json.decode(text)


def order_from_row(row: tuple[Any, ...]) -> Order:
    """An order from the columns of `load_orders`."""
    id_, reference, ordered, fulfilled, cancelled, on_hold, hold_reason, cancelled_at, event_count, content = row
    return Order(
        id_, reference, ordered, fulfilled, cancelled, bool(on_hold), hold_reason, cancelled_at, event_count, content
    )


def line_from_row(row: tuple[Any, ...]) -> OrderLine:
    """An order line from the columns of `load_lines` or `load_whole_lines`."""
    return OrderLine(*row)


def whole_orders(connection: apsw.Connection, order_ids: Iterable[int]) -> dict[int, Document]:
    """Orders by id, written down with all their lines and without their fulfillments."""
    ids = json.dumps(list(order_ids))
    lines: defaultdict[int, list[OrderLine]] = defaultdict(list)
    for row in connection.execute(STATEMENTS["load_whole_lines"], (ids,)):
        lines[row[0]].append(line_from_row(row))
    documents = {}
    for row in connection.execute(STATEMENTS["load_whole_orders"], (ids,)):
        order = order_from_row(row[:10])
        order.lines = lines[order.id]
        channel, email, address, service, ship_by, deliver_by, metadata, created_at = row[10:]
        content = OrderContent(
            order.id,
            (),
            order.reference,
            channel,
            email,
            from_json_text(address),
            service,
            ship_by,
            deliver_by,
            from_json_text(metadata),
        )
        documents[order.id] = order_document(order, content, created_at)
    return documents


def fulfillments_from_rows(connection: apsw.Connection, rows: Iterable[tuple[Any, ...]]) -> list[Fulfillment]:
    """Fulfillments from the columns of `load_repeats`, in the order of the rows, with their lines."""
    rows = list(rows)
    if not rows:
        return []
    lines: defaultdict[int, list[FulfilledLine]] = defaultdict(list)
    ids = json.dumps([row[0] for row in rows])
    for fulfillment_id, position, sku, quantity in connection.execute(STATEMENTS["load_fulfillment_lines"], (ids,)):
        lines[fulfillment_id].append(FulfilledLine(position, sku, quantity))
    return [
        Fulfillment(
            id_, order_id, FulfillmentStatus(status), Tracking(number, url, carrier), created_at, account,
            tuple(lines[id_]),
        )
        for id_, order_id, status, number, url, carrier, created_at, account in rows
    ]  # fmt: skip
