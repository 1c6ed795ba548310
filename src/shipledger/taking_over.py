"""The rules of a parcel that another ledger recorded: it is to stand here as it stands there.

What an order forbids now, it did not forbid then: a parcel that is older here than its order was shipped before that
could be held or cancelled here. Of one that is newer, an order on hold or cancelled takes nothing, as always.
"""

from collections.abc import Sequence
from dataclasses import replace

from shipledger.command import TakeOverFulfillment
from shipledger.correcting import check_event
from shipledger.document import fulfillment_document
from shipledger.event import EventType
from shipledger.file_import import Imported
from shipledger.fulfilling import check_states
from shipledger.fulfillment import CarrierEvent, Fulfillment, FulfillmentStatus, status_by
from shipledger.order import Order, OrderLine
from shipledger.outcome import Done, Outcome
from shipledger.refusal import Detail, Reason, Refusal
from shipledger.share import Share, check_skus, share_of
from shipledger.timestamp import Microseconds
from shipledger.working_set import WorkingSet

Taken = list[tuple[OrderLine, int]]


def take_over_fulfillment(command: TakeOverFulfillment, working_set: WorkingSet, now: Microseconds) -> Outcome:
    """Record a parcel with its past. Only the operator may: a partner has no other ledger here."""
    order = None if command.origin.partner is not None else working_set.find(command.share.order)
    if order is None:
        return Refusal(Reason.ORDER_NOT_FOUND)
    known = _known(command, order, working_set)
    if known is not None:
        return Done(fulfillment_document(known), known.id, is_new=False, replayed=True)
    share = share_of(order, command.share, None)
    timeline = _timeline(command, now)
    refusal = _check_state(command, share, working_set) or check_skus([share]) or _check_timeline(timeline, now)
    if refusal is not None:
        return refusal
    taken = _taken(command, share)
    if isinstance(taken, Refusal):
        return taken
    # Nothing below this line can be refused.
    made = _add(command, order, taken, timeline, working_set, now)
    working_set.add_imported(Imported(command.import_id, made.id, command.origin.account, command.idempotency_key))
    return Done(fulfillment_document(made), made.id)


def _known(command: TakeOverFulfillment, order: Order, working_set: WorkingSet) -> Fulfillment | None:
    """The fulfillment that it is, where the ledger has it from elsewhere: one that holds the same and is as it is."""
    earlier = working_set.cancelled if command.past.is_cancelled else working_set.repeats
    wanted = {line.sku: line.quantity for line in command.share.lines or ()}
    like_it = [one for one in earlier.get((order.id, command.tracking.number), []) if one.quantities() == wanted]
    return like_it[command.past.nth - 1] if len(like_it) >= command.past.nth else None


def _check_state(command: TakeOverFulfillment, share: Share, working_set: WorkingSet) -> Refusal | None:
    details = working_set.details.get(share.order.id)
    is_older = details is not None and command.past.recorded_at <= details.created_at
    return None if is_older or command.past.is_cancelled else check_states([share])


def _timeline(command: TakeOverFulfillment, now: Microseconds) -> list[CarrierEvent]:
    """What happened to it on its way; its fulfillment has no id yet."""
    return [
        CarrierEvent(
            fulfillment_id=0,
            position=position,
            status=told.status,
            occurred_at=now if told.occurred_at is None else told.occurred_at,
            message=told.message,
            location=told.location,
            received_at=now,
        )
        for position, told in enumerate(command.past.timeline, 1)
    ]


def _check_timeline(timeline: Sequence[CarrierEvent], now: Microseconds) -> Refusal | None:
    return next((refusal for event in timeline if (refusal := check_event(event, now)) is not None), None)


def _taken(command: TakeOverFulfillment, share: Share) -> Taken | Refusal:
    """What it took from which lines: from those that it names as far as they go, then from the first that go."""
    lines = {line.position: line for line in sorted(share.all_lines, key=lambda line: line.position)}
    wanted = {line.sku: line.quantity for line in share.asked.lines or ()}
    taken: dict[int, int] = {}
    for position, quantity in [*command.past.taken_from, *((line.position, line.ordered) for line in lines.values())]:
        line = lines.get(position)
        if line is None:
            continue
        room = _room(command, share.order, line) - taken.get(position, 0)
        part = min(quantity, room, wanted.get(line.sku, 0))
        if part > 0:
            taken[position] = taken.get(position, 0) + part
            wanted[line.sku] -= part
    too_many = next((line for line in share.asked.lines or () if wanted[line.sku]), None)
    if too_many is None:
        return [(lines[position], quantity) for position, quantity in sorted(taken.items())]
    remaining = too_many.quantity - wanted[too_many.sku]
    code = "quantity_exceeds_remaining" if remaining else "nothing_remaining"
    message = f"Only {remaining} of this sku remain to be fulfilled."
    at = f"{too_many.at}.quantity"
    return Refusal(Reason.INVALID_LINES, (Detail(code, at, message, too_many.sku, too_many.quantity, remaining),))


def _room(command: TakeOverFulfillment, order: Order, line: OrderLine) -> int:
    """How much it may hold of a line. Of a cancelled order all that was not shipped counts as cancelled, so far."""
    if command.past.is_cancelled:
        return line.ordered
    return line.remaining if order.cancelled_at is None else line.remaining + line.cancelled


def _add(
    command: TakeOverFulfillment,
    order: Order,
    taken: Taken,
    timeline: Sequence[CarrierEvent],
    working_set: WorkingSet,
    now: Microseconds,
) -> Fulfillment:
    """Add it as it is, with an event for each step that it made."""
    past, origin = command.past, command.origin
    if order.cancelled_at is not None and not past.is_cancelled:
        working_set.uncancel_lines(order, taken)
    status = FulfillmentStatus.CANCELLED if past.is_cancelled else status_by(timeline)
    made = working_set.add_fulfillment(
        origin, order, taken, command.tracking, now, status=status, shipped_at=past.recorded_at
    )
    then = replace(made, status=FulfillmentStatus.CREATED)
    working_set.add_event(origin, EventType.FULFILLMENT_CREATED, order, fulfillment_document(then), now)
    for event in timeline:
        working_set.add_carrier_event(replace(event, fulfillment_id=made.id))
        then, before = replace(made, status=status_by(timeline[: event.position])), then
        if then != before:
            document = fulfillment_document(then)
            working_set.add_event(origin, EventType.FULFILLMENT_STATUS_CHANGED, order, document, now)
    if past.is_cancelled:
        working_set.add_event(origin, EventType.FULFILLMENT_CANCELLED, order, fulfillment_document(made), now)
    elif order.cancelled_at is not None:
        working_set.add_event(origin, EventType.ORDER_CHANGED, order, None, now)
    elif order.fulfilled + order.cancelled == order.ordered:
        working_set.add_event(origin, EventType.ORDER_FULFILLED, order, None, now)
    return made
