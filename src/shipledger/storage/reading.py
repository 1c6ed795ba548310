"""The reading side of a ledger, on either database."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from shipledger.document import (
    Document,
    carrier_event_document,
    fulfillment_document,
    fulfillments_of,
    partner_document,
    whole_fulfillment_document,
    with_fulfillments,
)
from shipledger.file_import import Imported, import_document
from shipledger.fulfillment import CarrierEvent, Fulfillment
from shipledger.key import Key
from shipledger.limits import ORDER_FULFILLMENTS_SHOWN_MAX
from shipledger.order import Order
from shipledger.partner_view import Partner, fulfillment_seen_by
from shipledger.reconciliation import Reconcile, Recorded
from shipledger.storage.administration_reading import all_keys, audit_page, keys_page
from shipledger.storage.event_reading import events_after, feed_after
from shipledger.storage.import_rows import import_from_row
from shipledger.storage.list_sql import (
    list_fulfillments,
    list_orders,
    skus_of,
)
from shipledger.storage.loading import carrier_events, whole_fulfillments, whole_orders
from shipledger.storage.partner_routing import partner_from_row
from shipledger.storage.port import (
    AuditFilter,
    FeedGap,
    FeedPage,
    FulfillmentFilter,
    KeyFilter,
    LateFilter,
    OrderFilter,
    Page,
    PlacedEvent,
    Position,
)
from shipledger.storage.reconciliation_reading import recorded_for
from shipledger.storage.rehearsal import RehearsalLedger
from shipledger.storage.report_reading import are_many_late, late_page, partner_documents
from shipledger.storage.rows import Row, order_from_row
from shipledger.storage.snapshot import Snapshot
from shipledger.storage.webhook_reading import WebhookReading
from shipledger.timestamp import Microseconds


class LedgerReading:
    """The reading side (`shipledger.storage.port.Reading`), over snapshots of either database."""

    def __init__(self, snapshot: Callable[[], AbstractContextManager[Snapshot]], close: Callable[[], None]) -> None:
        self._snapshot = snapshot
        self.close = close
        self.webhooks = WebhookReading(snapshot)

    def order(self, order_id: int, partner: Partner) -> Document | None:
        with self._snapshot() as ledger:
            order = whole_orders(ledger.query, [order_id], partner).get(order_id)
            if order is None:
                return None
            wanted = FulfillmentFilter(order_id=order_id)
            newest = _fulfillments(ledger, wanted, None, ORDER_FULFILLMENTS_SHOWN_MAX, partner)
        return with_fulfillments(order, newest.documents, fulfillments_of(order_id))

    def orders(self, wanted: OrderFilter, after: Position | None, limit: int, partner: Partner) -> Page:
        with self._snapshot() as ledger:
            are_many = wanted.late_at is not None and are_many_late(ledger, wanted.late_at)
            places = list(ledger.select(*list_orders(wanted, after, limit, partner, are_many_late=are_many)))
            orders = whole_orders(ledger.query, [order_id for _, order_id in places[:limit]], partner)
        documents = [orders[order_id] for _, order_id in places[:limit]]
        return Page(documents, places[limit - 1] if len(places) > limit else None)

    def orders_named(self, ids: list[int], references: list[str]) -> list[Order]:
        """The orders that have one of these ids or references, without their lines."""
        with self._snapshot() as ledger:
            return [order_from_row(row) for row in ledger.query("read_orders", ids, references)]

    def rehearsal(self) -> RehearsalLedger:
        """A ledger that decides as this one would, and writes nothing."""
        return RehearsalLedger(self._snapshot)

    def recorded_for(self, asked: Reconcile) -> Recorded | None:
        with self._snapshot() as ledger:
            return recorded_for(ledger, asked)

    def imports(self) -> list[Document]:
        with self._snapshot() as ledger:
            return [import_document(import_from_row(row)) for row in ledger.query("load_imports")]

    def imported(self, import_id: int, limit: int) -> list[Imported]:
        sql = "SELECT fulfillment_id, account, key FROM imported_fulfillments WHERE import_id = ?"
        with self._snapshot() as ledger:
            rows = ledger.select(f"{sql} ORDER BY fulfillment_id DESC LIMIT ?", [import_id, limit])
            return [Imported(import_id, *row) for row in rows]

    def fulfillment(self, fulfillment_id: int, partner: Partner) -> Document | None:
        with self._snapshot() as ledger:
            found = _seen(ledger, list(ledger.query("load_fulfillments", [fulfillment_id])), partner)
        return fulfillment_document(found[0]) if found else None

    def timeline(self, fulfillment_id: int, partner: Partner) -> list[Document] | None:
        with self._snapshot() as ledger:
            if not _seen(ledger, list(ledger.query("load_fulfillments", [fulfillment_id])), partner):
                return None
            events = carrier_events(ledger.query, [fulfillment_id])
        events.sort(key=lambda event: (event.occurred_at, event.position), reverse=True)
        return [carrier_event_document(event) for event in events]

    def fulfillments(self, wanted: FulfillmentFilter, after: Position | None, limit: int, partner: Partner) -> Page:
        with self._snapshot() as ledger:
            return _fulfillments(ledger, wanted, after, limit, partner)

    def whole_fulfillments(
        self, wanted: FulfillmentFilter, after: Position | None, limit: int, partner: Partner
    ) -> Page:
        if partner is not None:  # the place of a line tells of the others' lines
            return self.fulfillments(wanted, after, limit, partner)
        timelines: defaultdict[int, list[CarrierEvent]] = defaultdict(list)
        with self._snapshot() as ledger:
            found, end = _page_of_fulfillments(ledger, wanted, after, limit, partner)
            for event in carrier_events(ledger.query, [one.id for one in found]):
                timelines[event.fulfillment_id].append(event)
        return Page([whole_fulfillment_document(one, timelines[one.id]) for one in found], end)

    def late_orders(self, now: Microseconds, wanted: LateFilter, after: Position | None, limit: int) -> Page:
        with self._snapshot() as ledger:
            return late_page(ledger, now, wanted.partner, after, limit)

    def partners(self) -> list[Document]:
        with self._snapshot() as ledger:
            return partner_documents(ledger)

    def events(self, after: int, limit: int, partner: Partner) -> list[PlacedEvent]:
        with self._snapshot() as ledger:
            return events_after(ledger, after, limit, partner)

    def feed(self, after_id: int, limit: int, partner: Partner) -> FeedPage | FeedGap:
        with self._snapshot() as ledger:
            return feed_after(ledger, after_id, limit, partner)

    def feed_end(self) -> int:
        with self._snapshot() as ledger:
            ((place,),) = ledger.query("feed_end")
        return int(place)

    def routed_to(self, name: str | None) -> list[Document]:
        with self._snapshot() as ledger:
            partners = [partner_from_row(row) for row in ledger.query("load_partners") if name in (None, row[0])]
        return [partner_document(partner) for partner in partners]

    def keys(self) -> Sequence[Key]:
        with self._snapshot() as ledger:
            return all_keys(ledger)

    def keys_listed(self, wanted: KeyFilter, after: Position | None, limit: int, _: Partner) -> Page:
        with self._snapshot() as ledger:
            return keys_page(ledger, wanted, after, limit)

    def audit(self, wanted: AuditFilter, after: Position | None, limit: int, _: Partner) -> Page:
        with self._snapshot() as ledger:
            return audit_page(ledger, wanted, after, limit)

    def skus(self, order_id: int, partner: Partner) -> Sequence[str]:
        with self._snapshot() as ledger:
            return [sku for (sku,) in ledger.select(*skus_of(order_id, partner))]


def _fulfillments(
    ledger: Snapshot, wanted: FulfillmentFilter, after: Position | None, limit: int, partner: Partner
) -> Page:
    found, end = _page_of_fulfillments(ledger, wanted, after, limit, partner)
    return Page([fulfillment_document(one) for one in found], end)


def _page_of_fulfillments(
    ledger: Snapshot, wanted: FulfillmentFilter, after: Position | None, limit: int, partner: Partner
) -> tuple[list[Fulfillment], Position | None]:
    rows = list(ledger.select(*list_fulfillments(wanted, after, limit, partner)))
    return _seen(ledger, rows[:limit], partner), (rows[limit - 1][0],) if len(rows) > limit else None


def _seen(ledger: Snapshot, rows: list[Row], partner: Partner) -> list[Fulfillment]:
    whole = whole_fulfillments(ledger.query, rows)
    return [seen for fulfillment in whole if (seen := fulfillment_seen_by(partner, fulfillment)) is not None]
