"""The rows that one batch of commands works on, in memory, and every change made to them.

Changes are made through this class alone. Each leaves behind how to take it back, so that one command's changes
can be dropped (it crashed, or it was a dry run) while those of the commands before it stay.
"""

from collections.abc import Iterator
from dataclasses import field, replace

from shipledger.command import OrderKey, Origin, is_id_in_digits
from shipledger.document import Document
from shipledger.event import Event, EventType
from shipledger.file_import import FileImport, Imported
from shipledger.fulfillment import (
    CarrierEvent,
    FulfilledLine,
    Fulfillment,
    FulfillmentStatus,
    NumberUse,
    Tracking,
)
from shipledger.key import Key
from shipledger.order import Order, OrderContent, OrderDetails, OrderLine, due_by
from shipledger.outcome import Done
from shipledger.routing import NO_ROUTING, Partner, Routing, routing_of
from shipledger.timestamp import Microseconds
from shipledger.undo_log import UndoLog
from shipledger.value import dataclass
from shipledger.webhook import Endpoint

_OF_NEW_PARCELS = {EventType.FULFILLMENT_CREATED, EventType.ORDER_FULFILLED}


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order that the batch adds: its row, and what its sender said of it."""

    order: Order
    content: OrderContent
    created_at: Microseconds


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """The answer to the first request with an idempotency key, and the fingerprint of that request."""

    account: str
    key: str
    fingerprint: bytes
    done: Done
    created_at: Microseconds


@dataclass(slots=True)
class WorkingSet:
    """What was loaded for a batch, and what the batch adds and changes.

    `orders`, `keys`, `endpoints` and `imports` are by id, `references` lead to ids, `kept` are by account and key.
    `repeats` are earlier fulfillments that still stand, newest first, by order id and tracking number; `uses` tell, by
    tracking number, of these and of a few of other orders. `details` are by order id, `fulfillments` and their
    `timelines` by id: of those that commands name. The id iterators hold as many as the batch may need.
    """

    fulfillment_ids: Iterator[int]
    event_ids: Iterator[int]
    order_ids: Iterator[int]
    orders: dict[int, Order] = field(default_factory=dict)
    references: dict[str, int] = field(default_factory=dict)
    kept: dict[tuple[str, str], KeptAnswer] = field(default_factory=dict)
    repeats: dict[tuple[int, str], list[Fulfillment]] = field(default_factory=dict)
    uses: dict[str, list[Fulfillment | NumberUse]] = field(default_factory=dict)
    keys: dict[int, Key] = field(default_factory=dict)
    partners: dict[str, Partner] = field(default_factory=dict)
    routing: Routing = NO_ROUTING
    details: dict[int, OrderDetails] = field(default_factory=dict)
    fulfillments: dict[int, Fulfillment] = field(default_factory=dict)
    timelines: dict[int, list[CarrierEvent]] = field(default_factory=dict)
    cancelled: dict[tuple[int, str], list[Fulfillment]] = field(default_factory=dict)
    """Earlier fulfillments that were cancelled, as `repeats`; for those that are taken over."""
    endpoints: dict[int, Endpoint] = field(default_factory=dict)
    feed_end: int = 0
    feed_end_to_be: int = 0
    """The last place of the feed, now and when all that is committed has its place; where endpoints were loaded."""
    imports: dict[int, FileImport] = field(default_factory=dict)

    new_orders: list[NewOrder] = field(default_factory=list)
    new_fulfillments: list[Fulfillment] = field(default_factory=list)
    new_events: list[Event] = field(default_factory=list)
    new_carrier_events: list[CarrierEvent] = field(default_factory=list)
    new_kept: list[KeptAnswer] = field(default_factory=list)
    new_keys: list[Key] = field(default_factory=list)
    new_endpoints: list[Endpoint] = field(default_factory=list)
    resumed_endpoints: list[Endpoint] = field(default_factory=list)
    changed_orders: dict[int, Order] = field(default_factory=dict)
    changed_lines: dict[tuple[int, int], OrderLine] = field(default_factory=dict)
    changed_keys: dict[int, Key] = field(default_factory=dict)
    changed_partners: list[Partner] = field(default_factory=list)
    changed_endpoints: dict[int, Endpoint] = field(default_factory=dict)
    changed_details: set[int] = field(default_factory=set)
    changed_fulfillments: set[int] = field(default_factory=set)
    new_imports: list[FileImport] = field(default_factory=list)
    changed_imports: dict[int, FileImport] = field(default_factory=dict)
    new_imported: list[Imported] = field(default_factory=list)
    forgotten: list[Imported] = field(default_factory=list)
    has_replayed: bool = False
    """Whether an answer is given again: it must be as durable as a fresh one, also where nothing else is saved."""
    _undo: UndoLog = field(default_factory=UndoLog)

    def find(self, key: OrderKey) -> Order | None:
        """The order that a request names, if the ledger has it."""
        if isinstance(key, int):
            return self.orders.get(key)
        order_id = self.references.get(key)
        if order_id is None and is_id_in_digits(key):
            order_id = int(key)
        return None if order_id is None else self.orders.get(order_id)

    def might_mean(self, key: OrderKey) -> list[Order]:
        """The orders that a request may name, whichever of them gives or takes references within the batch."""
        if isinstance(key, int):
            ids = [key]
        else:
            ids = [self.references.get(key, 0)]
            if is_id_in_digits(key):
                ids.append(int(key))
        return [order for order in map(self.orders.get, ids) if order is not None]

    def add_order(self, content: OrderContent, fingerprint: bytes, now: Microseconds) -> Order:
        """Add an order, all of it open."""
        order_id = content.id if content.id is not None else next(i for i in self.order_ids if i not in self.orders)
        lines = [
            OrderLine(order_id, position, line.sku, line.quantity, partner=line.partner, title=line.title)
            for position, line in enumerate(content.lines)
        ]
        ordered = sum(line.ordered for line in lines)
        due = due_by(content.ship_by, content.deliver_by)
        order = Order(order_id, content.reference, ordered, content=fingerprint, lines=lines, due_by=due)
        order.partners = {line.partner for line in lines if line.partner is not None}
        self._undo.put(self.orders, order.id, order)
        if order.reference is not None:
            self._undo.put(self.references, order.reference, order.id)
        told = replace(content, lines=(), hold_reason=None, cancelled_at=None)
        self._undo.put(self.details, order.id, OrderDetails(told, now))
        self._undo.append(self.new_orders, NewOrder(order, content, now))
        return order

    def change_order(self, order: Order, name: str, value: object) -> None:
        """Set a field of an order."""
        self._undo.set(order, name, value)
        self.changed_orders[order.id] = order

    def change_details(self, order: Order, details: OrderDetails) -> None:
        """Set what is known of an order beside its quantities. A new reference must be free."""
        reference = details.content.reference
        if reference != order.reference:
            if order.reference is not None:
                self._undo.drop(self.references, order.reference)
            if reference is not None:
                self._undo.put(self.references, reference, order.id)
            self.change_order(order, "reference", reference)
        self.change_order(order, "due_by", due_by(details.content.ship_by, details.content.deliver_by))
        self._undo.put(self.details, order.id, details)
        self.changed_details.add(order.id)

    def cancel_lines(self, order: Order, cancelled: list[tuple[OrderLine, int]]) -> None:
        """Cancel these quantities of these lines, which must remain on them."""
        for line, quantity in cancelled:
            self._undo.set(line, "cancelled", line.cancelled + quantity)
            self.changed_lines[line.order_id, line.position] = line
        self.change_order(order, "cancelled", order.cancelled + sum(quantity for _, quantity in cancelled))

    def uncancel_lines(self, order: Order, shipped: list[tuple[OrderLine, int]]) -> None:
        """Take back that these quantities were cancelled: they turn out to have been shipped."""
        self.cancel_lines(order, [(line, -quantity) for line, quantity in shipped])

    def add_fulfillment(
        self,
        origin: Origin,
        order: Order,
        taken: list[tuple[OrderLine, int]],
        tracking: Tracking,
        now: Microseconds,
        *,
        status: FulfillmentStatus = FulfillmentStatus.CREATED,
        shipped_at: Microseconds | None = None,
    ) -> Fulfillment:
        """Add a fulfillment that takes these quantities from these lines, which must remain on them.

        One that is cancelled already takes nothing. `shipped_at` is when it was shipped, if that was not now.
        """
        lines = tuple([FulfilledLine(line.position, line.sku, quantity, line.partner) for line, quantity in taken])
        id_, order_id = next(self.fulfillment_ids), order.id
        fulfillment = Fulfillment(id_, order_id, status, tracking, now, origin.account, lines)
        self.new_fulfillments.append(fulfillment)
        if status is FulfillmentStatus.CANCELLED:
            self._undo.note(self.new_fulfillments.pop)
            return fulfillment
        self._undo.note(_take_back_fulfillment, self.new_fulfillments, self.repeats, self.uses, order, taken)
        for line, quantity in taken:
            line.fulfilled += quantity
            order.fulfilled += quantity
            if order.due_by is not None and not line.remaining:
                self._undo.set(line, "on_time", (now if shipped_at is None else shipped_at) <= order.due_by)
            self.changed_lines[order_id, line.position] = line
        self.changed_orders[order_id] = order
        self.repeats.setdefault((order_id, tracking.number), []).insert(0, fulfillment)
        self.uses.setdefault(tracking.number, []).insert(0, fulfillment)
        return fulfillment

    def give_back(self, order: Order, lines: list[tuple[OrderLine, int]]) -> None:
        """Return these quantities to the lines that a fulfillment took them from."""
        for line, quantity in lines:
            self._undo.set(line, "fulfilled", line.fulfilled - quantity)
            self._undo.set(line, "on_time", None)
            self.changed_lines[line.order_id, line.position] = line
        self.change_order(order, "fulfilled", order.fulfilled - sum(quantity for _, quantity in lines))

    def change_fulfillment(self, changed: Fulfillment) -> None:
        """Put a fulfillment in the place of what it was, also among those that later parcels may repeat."""
        before = self.fulfillments[changed.id]
        place = before.order_id, before.tracking.number
        standing = [earlier for earlier in self.repeats.get(place, []) if earlier.id != changed.id]
        self._undo.put(self.repeats, place, standing)
        uses = [use for use in self.uses.get(before.tracking.number, []) if use.id != changed.id]
        self._undo.put(self.uses, before.tracking.number, uses)
        if changed.status is not FulfillmentStatus.CANCELLED:
            place = changed.order_id, changed.tracking.number
            standing = sorted([changed, *self.repeats.get(place, [])], key=lambda one: one.id, reverse=True)
            self._undo.put(self.repeats, place, standing)
            uses = self.uses.get(changed.tracking.number, [])
            self._undo.put(self.uses, changed.tracking.number, [changed, *uses])
        self._undo.put(self.fulfillments, changed.id, changed)
        self.changed_fulfillments.add(changed.id)

    def add_carrier_event(self, event: CarrierEvent) -> None:
        """Put an event on a fulfillment's timeline."""
        self._undo.put(self.timelines, event.fulfillment_id, [*self.timelines.get(event.fulfillment_id, []), event])
        self._undo.append(self.new_carrier_events, event)

    def add_event(
        self, origin: Origin, type_: EventType, order: Order, data: Document | None, now: Microseconds
    ) -> None:
        """Add a fact about an order; see `Event` for data None."""
        order.event_count += 1
        self.changed_orders[order.id] = order
        self.new_events.append(Event(next(self.event_ids), type_, order.id, order.event_count, now, origin, data))
        self._undo.note(_take_back_event, self.new_events, order)

    def add_administrative_event(self, origin: Origin, type_: EventType, data: Document, now: Microseconds) -> None:
        """Add a fact about no order: it is in the audit trail, and never in the feed."""
        self._undo.append(self.new_events, Event(next(self.event_ids), type_, None, None, now, origin, data))

    def add_key(self, key: Key) -> None:
        """Add a key."""
        self._undo.put(self.keys, key.id, key)
        self._undo.append(self.new_keys, key)

    def change_key(self, key: Key, name: str, value: int) -> None:
        """Set a field of a key."""
        self._undo.set(key, name, value)
        self.changed_keys[key.id] = key

    def put_partner(self, partner: Partner) -> None:
        """Add a partner, or give it other rules. Orders that come later in the batch are routed by them."""
        self._undo.put(self.partners, partner.name, partner)
        self._undo.append(self.changed_partners, partner)
        self._undo.set(self, "routing", routing_of(self.partners.values()))

    def add_endpoint(self, endpoint: Endpoint) -> None:
        """Add a receiver of webhooks."""
        self._undo.put(self.endpoints, endpoint.id, endpoint)
        self._undo.append(self.new_endpoints, endpoint)

    def change_endpoint(self, endpoint: Endpoint, name: str, value: object) -> None:
        """Set a field of a receiver of webhooks."""
        self._undo.set(endpoint, name, value)
        self.changed_endpoints[endpoint.id] = endpoint

    def resume_messages(self, endpoint: Endpoint) -> None:
        """Have what was held for it sent in the order of the feed, each with all its attempts ahead."""
        self._undo.append(self.resumed_endpoints, endpoint)

    def add_import(self, begun: FileImport) -> None:
        """Add an import, of which nothing is known yet."""
        self._undo.put(self.imports, begun.id, begun)
        self._undo.append(self.new_imports, begun)

    def change_import(self, known: FileImport, name: str, value: object) -> None:
        """Set a field of an import."""
        self._undo.set(known, name, value)
        self.changed_imports[known.id] = known

    def add_imported(self, imported: Imported) -> None:
        """Remember that an import made a fulfillment."""
        self._undo.append(self.new_imported, imported)

    def forget_imported(self, made: Imported) -> None:
        """Forget that an import made a fulfillment, and the answer that kept it from being made again."""
        self._undo.append(self.forgotten, made)

    def keep_answer(self, answer: KeptAnswer) -> None:
        """Keep the answer to a request with an idempotency key, for ever. The key must be unused."""
        self.kept[answer.account, answer.key] = answer
        self.new_kept.append(answer)
        self._undo.note(_take_back_answer, self.new_kept, self.kept)

    def mark(self) -> int:
        """A point in time to which `drop_since` can go back."""
        return self._undo.mark()

    def drop_since(self, mark: int) -> None:
        """Take back every change made since the mark. Rows stay listed as changed, with their old values."""
        self._undo.drop_since(mark)

    @property
    def is_changed(self) -> bool:
        """Whether there is anything to save."""
        return bool(
            self.new_orders
            or self.new_fulfillments
            or self.new_events
            or self.new_carrier_events
            or self.new_kept
            or self.changed_keys
            or self.has_imports
        )

    @property
    def has_news_for_partners(self) -> bool:
        """Whether a partner may have to be told of an event: not of parcels of the operator's own lines."""
        if not {event.type for event in self.new_events} <= _OF_NEW_PARCELS:
            return True
        return bool({line.partner for made in self.new_fulfillments for line in made.lines} - {None})

    @property
    def has_imports(self) -> bool:
        """Whether anything of imports is to be saved."""
        return bool(self.new_imports or self.changed_imports or self.new_imported or self.forgotten)

    @property
    def has_administration(self) -> bool:
        """Whether anything of keys, partners or endpoints is to be saved."""
        return bool(
            self.new_keys
            or self.changed_keys
            or self.changed_partners
            or self.new_endpoints
            or self.changed_endpoints
            or self.resumed_endpoints
        )


def _take_back_fulfillment(
    new_fulfillments: list[Fulfillment],
    repeats: dict[tuple[int, str], list[Fulfillment]],
    uses: dict[str, list[Fulfillment | NumberUse]],
    order: Order,
    taken: list[tuple[OrderLine, int]],
) -> None:
    for line, quantity in taken:
        line.fulfilled -= quantity
        order.fulfilled -= quantity
    number = new_fulfillments.pop().tracking.number
    if len(repeats[order.id, number]) > 1:
        repeats[order.id, number].pop(0)
    else:
        del repeats[order.id, number]
    if len(uses[number]) > 1:
        uses[number].pop(0)
    else:
        del uses[number]


def _take_back_event(new_events: list[Event], order: Order) -> None:
    new_events.pop()
    order.event_count -= 1


def _take_back_answer(new_kept: list[KeptAnswer], kept: dict[tuple[str, str], KeptAnswer]) -> None:
    answer = new_kept.pop()
    del kept[answer.account, answer.key]
