"""The reading side of a ledger, on either database."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from shipledger.document import Document, fulfillment_document, fulfillments_of, with_fulfillments
from shipledger.limits import ORDER_FULFILLMENTS_SHOWN_MAX
from shipledger.order import Order
from shipledger.storage.list_sql import DUE, DUE_NOT_BY_INDEX, FULFILLMENT_COLUMNS, list_fulfillments, list_orders
from shipledger.storage.loading import whole_fulfillments, whole_orders
from shipledger.storage.port import (
    FeedGap,
    FeedPage,
    FulfillmentFilter,
    LateFilter,
    OrderFilter,
    Page,
    PlacedEvent,
    Position,
)
from shipledger.storage.report_reading import are_many_late, late_page, partner_documents
from shipledger.storage.rows import event_document, order_from_row
from shipledger.storage.snapshot import Snapshot
from shipledger.timestamp import Microseconds


class LedgerReading:
    """The reading side (`shipledger.storage.port.Reading`), over snapshots of either database."""

    def __init__(self, snapshot: Callable[[], AbstractContextManager[Snapshot]], close: Callable[[], None]) -> None:
        self._snapshot = snapshot
        self.close = close

    def order(self, order_id: int) -> Document | None:
        with self._snapshot() as ledger:
            order = whole_orders(ledger.query, [order_id]).get(order_id)
            newest = _fulfillments(ledger, FulfillmentFilter(order_id=order_id), None, ORDER_FULFILLMENTS_SHOWN_MAX)
        return order and with_fulfillments(order, newest.documents, fulfillments_of(order_id))

    def orders(self, wanted: OrderFilter, after: Position | None, limit: int) -> Page:
        with self._snapshot() as ledger:
            due = DUE_NOT_BY_INDEX if wanted.late_at is not None and are_many_late(ledger, wanted.late_at) else DUE
            places = list(ledger.select(*list_orders(wanted, after, limit, due)))
            orders = whole_orders(ledger.query, [order_id for _, order_id in places[:limit]])
        documents = [orders[order_id] for _, order_id in places[:limit]]
        return Page(documents, places[limit - 1] if len(places) > limit else None)

    def orders_named(self, ids: list[int], references: list[str]) -> list[Order]:
        """The orders that have one of these ids or references, without their lines."""
        with self._snapshot() as ledger:
            return [order_from_row(row) for row in ledger.query("load_orders", ids, references)]

    def fulfillment(self, fulfillment_id: int) -> Document | None:
        with self._snapshot() as ledger:
            rows = list(ledger.select(f"SELECT {FULFILLMENT_COLUMNS} FROM fulfillments WHERE id = ?", [fulfillment_id]))
            found = whole_fulfillments(ledger.query, rows)
        return fulfillment_document(found[0]) if found else None

    def fulfillments(self, wanted: FulfillmentFilter, after: Position | None, limit: int) -> Page:
        with self._snapshot() as ledger:
            return _fulfillments(ledger, wanted, after, limit)

    def late_orders(self, now: Microseconds, wanted: LateFilter, after: Position | None, limit: int) -> Page:
        with self._snapshot() as ledger:
            return late_page(ledger, now, wanted.partner, after, limit)

    def partners(self) -> list[Document]:
        with self._snapshot() as ledger:
            return partner_documents(ledger)

    def events(self, after: int, limit: int) -> list[PlacedEvent]:
        with self._snapshot() as ledger:
            return [PlacedEvent(row[0], event_document(row[1:])) for row in ledger.query("load_events", after, limit)]

    def feed(self, after_id: int, limit: int) -> FeedPage | FeedGap:
        with self._snapshot() as ledger:
            place = 0
            if after_id:
                found = list(ledger.query("event_place", after_id))
                if not found:
                    return FeedGap(None)
                ((place,),) = found
            events = [event_document(row[1:]) for row in ledger.query("load_events", place, limit)]
        return FeedPage(events, events[-1]["id"] if events else after_id)

    def feed_end(self) -> int:
        with self._snapshot() as ledger:
            ((place,),) = ledger.query("feed_end")
        return int(place)

    def skus(self, order_id: int) -> Sequence[str]:
        with self._snapshot() as ledger:
            rows = ledger.select("SELECT DISTINCT sku FROM order_lines WHERE order_id = ? ORDER BY sku", [order_id])
            return [sku for (sku,) in rows]


def _fulfillments(ledger: Snapshot, wanted: FulfillmentFilter, after: Position | None, limit: int) -> Page:
    rows = list(ledger.select(*list_fulfillments(wanted, after, limit)))
    documents = [fulfillment_document(found) for found in whole_fulfillments(ledger.query, rows[:limit])]
    return Page(documents, (rows[limit - 1][0],) if len(rows) > limit else None)
