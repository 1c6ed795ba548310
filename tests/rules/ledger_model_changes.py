"""The ledger on paper, after creation: orders are changed, held and cancelled; fulfillments corrected and cancelled."""

import copy
from collections import Counter
from typing import TYPE_CHECKING

from shipledger.command import (
    AddCarrierEvent,
    CancelFulfillment,
    CancelOrder,
    ChangeOrder,
    ChangeTracking,
    FulfillmentCommand,
    HoldOrder,
    OrderCommand,
    ReleaseOrder,
)
from shipledger.refusal import Reason
from shipledger.tracking import understood
from tests.rules.paper import Changed, Expected, Fault, PaperFulfillment, PaperOrder, Refused, numbered_orders

if TYPE_CHECKING:
    from tests.rules.ledger_model import LedgerModel


def expect_change(model: "LedgerModel", command: OrderCommand | FulfillmentCommand) -> Expected:
    """What should become of it."""
    if isinstance(command, ChangeTracking | CancelFulfillment | AddCarrierEvent):
        return _expect_of_fulfillment(model, command)
    known = model.orders.get(command.order_id)
    if known is None or command.origin.partner is not None:
        return Refused(Reason.ORDER_NOT_FOUND)
    order = copy.deepcopy(known)
    match command:
        case ChangeOrder():
            return _change(model, order, command)
        case CancelOrder():
            return _cancel(order, command)
        case HoldOrder():
            return _told(order, "order.held", is_new=_hold(order, command.reason))
        case ReleaseOrder():
            return _told(order, "order.released", is_new=_hold(order, None))


def _told(order: PaperOrder, event: str, *, is_new: bool = True) -> Changed:
    order.events += [event] * is_new
    return Changed(order, is_new=is_new)


def _hold(order: PaperOrder, reason: str | None) -> bool:
    before, order.hold_reason = order.hold_reason, reason
    return before != reason


def _change(model: "LedgerModel", order: PaperOrder, command: ChangeOrder) -> Expected:
    before = order.reference, order.metadata, order.ship_by
    order.reference = command.changes.get("reference", order.reference)
    order.metadata = command.changes.get("metadata", order.metadata)
    order.ship_by = command.changes.get("ship_by", order.ship_by)
    others = [other.reference for other in model.orders.values() if other.id != order.id]
    if order.reference is not None and order.reference in others:
        return Refused(Reason.ORDER_EXISTS, frozenset({("order_exists", None, None, None)}))
    return _told(order, "order.changed", is_new=(order.reference, order.metadata, order.ship_by) != before)


def _cancel(order: PaperOrder, command: CancelOrder) -> Expected:
    if command.lines is None:
        is_new = not order.is_cancelled
        order.is_cancelled = True
        _strike_out(order, order.remaining(None))
        return _told(order, "order.cancelled", is_new=is_new)
    wanted, remaining = Counter({line.sku: line.quantity for line in command.lines}), order.remaining(None)
    unknown: set[Fault] = {
        ("unknown_sku", sku, count, 0) for sku, count in wanted.items() if sku not in {line.sku for line in order.lines}
    }
    too_many: set[Fault] = {
        ("quantity_exceeds_remaining" if remaining[sku] else "nothing_remaining", sku, count, remaining[sku])
        for sku, count in wanted.items()
        if count > remaining[sku]
    }
    if unknown or too_many:
        return Refused(Reason.INVALID_LINES, frozenset(unknown or too_many))
    _strike_out(order, wanted)
    order.is_cancelled = order.status == "cancelled"
    return _told(order, "order.cancelled" if order.is_cancelled else "order.changed")


def _strike_out(order: PaperOrder, contents: Counter[str]) -> None:
    for sku in contents.elements():
        next(line for line in order.lines if line.sku == sku and line.open).cancelled += 1


def _expect_of_fulfillment(model: "LedgerModel", command: FulfillmentCommand) -> Expected:
    found = [one for one in model.fulfillments if one.made["id"] == command.fulfillment_id]
    if not found or (command.origin.partner is not None and found[0].account != command.origin.account):
        return Refused(Reason.NOT_FOUND)
    fulfillment = copy.deepcopy(found[0])
    order = copy.deepcopy(model.orders[fulfillment.order_id])
    if isinstance(command, CancelFulfillment):
        return _take_back(order, fulfillment)
    if not fulfillment.stands:
        return Refused(Reason.FULFILLMENT_CANCELLED, frozenset({("fulfillment_cancelled", None, None, None)}))
    if isinstance(command, AddCarrierEvent):
        return _hear(order, fulfillment, command)
    return _correct(model, order, fulfillment, command)


def _take_back(order: PaperOrder, fulfillment: PaperFulfillment) -> Changed:
    if not fulfillment.stands:
        return Changed(order, fulfillment, is_new=False)
    fulfillment.document["status"] = "cancelled"
    for at in fulfillment.held.elements():
        order.lines[at].shipped -= 1
        order.lines[at].cancelled += order.is_cancelled
    order.events.append("fulfillment.cancelled")
    return Changed(order, fulfillment)


def _hear(order: PaperOrder, fulfillment: PaperFulfillment, command: AddCarrierEvent) -> Changed:
    assert command.occurred_at is not None
    event = command.occurred_at, str(command.status), command.message
    if event in fulfillment.timeline:
        return Changed(order, fulfillment, is_new=False)
    fulfillment.timeline.append(event)
    status, was_delivered = "created", False
    for _, said, _ in sorted(fulfillment.timeline, key=lambda told: told[0]):
        if said == "returned" or not was_delivered:
            status = said
        was_delivered |= said == "delivered"
    if status != fulfillment.document["status"]:
        fulfillment.document["status"] = status
        order.events.append("fulfillment.status_changed")
    return Changed(order, fulfillment)


def _correct(
    model: "LedgerModel", order: PaperOrder, fulfillment: PaperFulfillment, command: ChangeTracking
) -> Changed:
    document, changes = fulfillment.document, command.changes
    before = dict(document)
    if changes.get("number", fulfillment.number) != fulfillment.number:
        fulfillment.number = document["tracking_number"] = changes["number"]
        fulfillment.given_url = fulfillment.given_carrier = None
    fulfillment.given_url = changes.get("url", fulfillment.given_url)
    fulfillment.given_carrier = changes.get("carrier", fulfillment.given_carrier)
    if changes:
        tracking = understood(fulfillment.number, fulfillment.given_url, fulfillment.given_carrier).tracking
        document["tracking_url"], document["carrier"] = tracking.url, tracking.carrier
    is_new = document != before
    order.events += ["fulfillment.tracking_changed"] * is_new
    others = [one for one in model.fulfillments if one.made["id"] != fulfillment.made["id"]]
    numbered = numbered_orders(others, fulfillment.number, command.origin.partner) if "number" in changes else set()
    return Changed(order, fulfillment, is_new, order.id in numbered, bool(numbered - {order.id}))
