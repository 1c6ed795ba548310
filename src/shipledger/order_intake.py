"""The rules of an order that comes in: new, sent again, or in another's place."""

from shipledger.command import CreateOrder
from shipledger.document import fulfillments_of, order_document, order_event_document, with_fulfillments, with_warnings
from shipledger.event import EventType
from shipledger.order import Order, OrderStatus
from shipledger.outcome import Done, Outcome
from shipledger.refusal import Detail, Reason, Refusal
from shipledger.routing import routed
from shipledger.timestamp import Microseconds
from shipledger.working_set import WorkingSet


def create_order(command: CreateOrder, working_set: WorkingSet, now: Microseconds) -> Outcome:
    """Record an order. The same order again is no new one; another under its id or reference is refused.

    Partners bring none: to them there is no such thing, nor does an answer tell of orders that there are.
    """
    if command.origin.partner is not None:
        return Refusal(Reason.NOT_FOUND)
    content = command.content
    fingerprint = command.fingerprint()
    by_id = None if content.id is None else working_set.orders.get(content.id)
    by_reference = (
        None if content.reference is None else working_set.orders.get(working_set.references.get(content.reference, 0))
    )
    for field_name, known in (("id", by_id), ("reference", by_reference)):
        if known is not None and known.content != fingerprint:
            message = f"Another order has this {field_name}; send the order as it was first sent, or under its own."
            return Refusal(Reason.ORDER_EXISTS, (Detail("order_exists", field_name, message),))
    known = by_id or by_reference
    if known is not None:
        return Done({}, known.id, is_new=False)
    order = working_set.add_order(routed(content, working_set.routing), fingerprint, now)
    _tell(EventType.ORDER_CREATED, command, order, working_set, now)
    if content.has_a_past:
        _go_through_its_past(command, order, working_set, now)
    document = order_document(order, content, now)
    body = with_fulfillments(document, [], fulfillments_of(order.id))
    return Done(with_warnings(body, command.cautions), order.id)


def _go_through_its_past(command: CreateOrder, order: Order, working_set: WorkingSet, now: Microseconds) -> None:
    """Have an order from another ledger stand as it stood there, but for what was shipped: its parcels come later.

    Nothing remains of an order that was cancelled, at no moment; what its parcels say was shipped is then not cancelled
    any more (`taking_over.py`).
    """
    content = command.content
    told = zip(order.lines, content.lines, strict=True)
    cancelled = [(line, line.ordered if content.cancelled_at else of_line.cancelled) for line, of_line in told]
    working_set.cancel_lines(order, [(line, quantity) for line, quantity in cancelled if quantity])
    if order.status is OrderStatus.CANCELLED:
        working_set.change_order(order, "cancelled_at", content.cancelled_at or now)
        _tell(EventType.ORDER_CANCELLED, command, order, working_set, now)
    elif order.cancelled:
        _tell(EventType.ORDER_CHANGED, command, order, working_set, now)
    if content.hold_reason is not None:
        working_set.change_order(order, "on_hold", True)
        working_set.change_order(order, "hold_reason", content.hold_reason)
        _tell(EventType.ORDER_HELD, command, order, working_set, now)


def _tell(type_: EventType, command: CreateOrder, order: Order, working_set: WorkingSet, now: Microseconds) -> None:
    document = order_event_document(order_document(order, command.content, now))
    working_set.add_event(command.origin, type_, order, document, now)
