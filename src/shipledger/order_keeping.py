"""The rules of an order after it came in: it is changed, held and released, and cancelled, whole or in part.

Each is the operator's alone. Asked for again, it is answered with the order as it is, and no event tells of it.
"""

from dataclasses import replace

from shipledger.command import CancelOrder, ChangeOrder, HoldOrder, OrderCommand, ReleaseOrder
from shipledger.document import Document, order_document, order_event_document, with_warnings
from shipledger.event import EventType
from shipledger.order import Order, OrderStatus
from shipledger.outcome import Done, Outcome
from shipledger.refusal import Detail, Reason, Refusal
from shipledger.share import check_quantities, check_skus, share_of, take
from shipledger.timestamp import Microseconds
from shipledger.working_set import WorkingSet


def change_order(command: ChangeOrder, working_set: WorkingSet, now: Microseconds) -> Outcome:
    """Set what is known of an order beside its lines. Its reference must be no other order's."""
    order = _find(command, working_set)
    if order is None:
        return Refusal(Reason.ORDER_NOT_FOUND)
    details = working_set.details[order.id]
    changed = replace(details, content=replace(details.content, **command.changes))
    if changed == details:
        return _as_it_is(command, order, working_set)
    if working_set.references.get(changed.content.reference or "", order.id) != order.id:
        message = "Another order has this reference."
        return Refusal(Reason.ORDER_EXISTS, (Detail("order_exists", "reference", message),))
    working_set.change_details(order, changed)
    return _changed(command, order, EventType.ORDER_CHANGED, working_set, now)


def hold_order(command: HoldOrder, working_set: WorkingSet, now: Microseconds) -> Outcome:
    """Hold an order. One that is held already is held for the new reason from now on."""
    order = _find(command, working_set)
    if order is None:
        return Refusal(Reason.ORDER_NOT_FOUND)
    if order.on_hold and order.hold_reason == command.reason:
        return _as_it_is(command, order, working_set)
    working_set.change_order(order, "on_hold", True)
    working_set.change_order(order, "hold_reason", command.reason)
    return _changed(command, order, EventType.ORDER_HELD, working_set, now)


def release_order(command: ReleaseOrder, working_set: WorkingSet, now: Microseconds) -> Outcome:
    """Release an order that is on hold."""
    order = _find(command, working_set)
    if order is None:
        return Refusal(Reason.ORDER_NOT_FOUND)
    if not order.on_hold:
        return _as_it_is(command, order, working_set)
    working_set.change_order(order, "on_hold", False)
    working_set.change_order(order, "hold_reason", None)
    return _changed(command, order, EventType.ORDER_RELEASED, working_set, now)


def cancel_order(command: CancelOrder, working_set: WorkingSet, now: Microseconds) -> Outcome:
    """Cancel what remains of an order, for good, or some of it. What was shipped stays shipped."""
    order = _find(command, working_set)
    if order is None:
        return Refusal(Reason.ORDER_NOT_FOUND)
    share = share_of(order, command.share, None)
    if command.lines is not None:
        refusal = check_skus([share]) or check_quantities([share])
        if refusal is not None:
            return refusal
    elif order.cancelled_at is not None:
        return _as_it_is(command, order, working_set)
    working_set.cancel_lines(order, take(share))
    # By its lines, an order is cancelled as a whole where nothing of it was shipped. Where something was, a fulfillment
    # that is cancelled later gives back what may be shipped again: nobody cancelled that.
    if command.lines is not None and order.status is not OrderStatus.CANCELLED:
        return _changed(command, order, EventType.ORDER_CHANGED, working_set, now)
    working_set.change_order(order, "cancelled_at", now)
    return _changed(command, order, EventType.ORDER_CANCELLED, working_set, now)


def _find(command: OrderCommand, working_set: WorkingSet) -> Order | None:
    return None if command.origin.partner is not None else working_set.orders.get(command.order_id)


def _written_down(order: Order, working_set: WorkingSet) -> Document:
    details = working_set.details[order.id]
    return order_document(order, details.content, details.created_at)


def _as_it_is(command: OrderCommand, order: Order, working_set: WorkingSet) -> Done:
    document = _written_down(order, working_set)
    return Done(with_warnings(document, command.cautions), is_new=False)


def _changed(command: OrderCommand, order: Order, type_: EventType, working_set: WorkingSet, now: Microseconds) -> Done:
    document = _written_down(order, working_set)
    working_set.add_event(command.origin, type_, order, order_event_document(document), now)
    return Done(with_warnings(document, command.cautions))
