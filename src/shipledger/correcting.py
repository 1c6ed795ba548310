"""The rules of a fulfillment after it was made: its tracking is corrected, its parcel is heard of, it is cancelled.

A partner may do so with its own fulfillments, and no other is there for it.
"""

from collections.abc import Iterable
from dataclasses import replace

from shipledger.command import AddCarrierEvent, CancelFulfillment, ChangeTracking, FulfillmentCommand
from shipledger.document import fulfillment_document, with_warnings
from shipledger.event import EventType
from shipledger.fulfillment import CarrierEvent, Fulfillment, FulfillmentStatus, Tracking, TrackingChanges, status_by
from shipledger.limits import CARRIER_EVENT_AHEAD_HOURS_MAX, CARRIER_EVENTS_MAX
from shipledger.outcome import Done, Outcome
from shipledger.refusal import Caution, Detail, Reason, Refusal
from shipledger.timestamp import MICROSECONDS_A_SECOND, Microseconds
from shipledger.tracking import Understood, candidates, understood
from shipledger.tracking_cautions import ledger_cautions
from shipledger.working_set import WorkingSet

_AHEAD_MAX: Microseconds = CARRIER_EVENT_AHEAD_HOURS_MAX * 3600 * MICROSECONDS_A_SECOND


def change_tracking(command: ChangeTracking, working_set: WorkingSet, now: Microseconds) -> Outcome:
    """Correct how a parcel is followed, and complete it from its number as when it was created."""
    fulfillment = _find(command, working_set)
    if isinstance(fulfillment, Refusal):
        return fulfillment
    if fulfillment.status is FulfillmentStatus.CANCELLED:
        return _refused_as_cancelled()
    if not command.changes:
        return _as_it_is(command, fulfillment)
    found = _understood(fulfillment.tracking, command.changes)
    order = working_set.orders[fulfillment.order_id]
    cautions = [*command.cautions, *found.cautions]
    if "number" in command.changes:
        cautions += ledger_cautions(command.origin, found.tracking.number, [order], working_set, fulfillment.id)
    changed = replace(fulfillment, tracking=found.tracking)
    if changed == fulfillment:
        return Done(with_warnings(fulfillment_document(fulfillment), cautions), is_new=False)
    return _changed(command, changed, EventType.FULFILLMENT_TRACKING_CHANGED, cautions, working_set, now)


def _understood(tracking: Tracking, changes: TrackingChanges) -> Understood:
    """What was not given with a new number belonged to the old one, unless the new one names no carrier."""
    number = changes.get("number", tracking.number)
    is_new = number != tracking.number
    was_made_here = tracking.url == understood(tracking.number, None, tracking.carrier).tracking.url
    url = changes.get("url", None if is_new or was_made_here else tracking.url)
    carrier = changes.get("carrier", None if is_new and candidates(number) else tracking.carrier)
    return understood(number, url, carrier)


def cancel_fulfillment(command: CancelFulfillment, working_set: WorkingSet, now: Microseconds) -> Outcome:
    """Take a fulfillment back. What it gives back to a cancelled order is cancelled, too."""
    fulfillment = _find(command, working_set)
    if isinstance(fulfillment, Refusal):
        return fulfillment
    if fulfillment.status is FulfillmentStatus.CANCELLED:
        return _as_it_is(command, fulfillment)
    order = working_set.orders[fulfillment.order_id]
    lines = {line.position: line for line in order.lines}
    given_back = [(lines[held.position], held.quantity) for held in fulfillment.lines]
    working_set.give_back(order, given_back)
    if order.cancelled_at is not None:
        working_set.cancel_lines(order, given_back)
    changed = replace(fulfillment, status=FulfillmentStatus.CANCELLED)
    return _changed(command, changed, EventType.FULFILLMENT_CANCELLED, command.cautions, working_set, now)


def add_carrier_event(command: AddCarrierEvent, working_set: WorkingSet, now: Microseconds) -> Outcome:
    """Put an event on the timeline of a parcel; its status is what all its events amount to."""
    fulfillment = _find(command, working_set)
    if isinstance(fulfillment, Refusal):
        return fulfillment
    if fulfillment.status is FulfillmentStatus.CANCELLED:
        return _refused_as_cancelled()
    timeline = working_set.timelines.get(fulfillment.id, [])
    event = CarrierEvent(
        fulfillment_id=fulfillment.id,
        position=len(timeline) + 1,
        status=command.status,
        occurred_at=now if command.occurred_at is None else command.occurred_at,
        message=command.message,
        location=command.location,
        received_at=now,
    )
    if any(event.tells_the_same_as(known) for known in timeline):
        return _as_it_is(command, fulfillment)
    refusal = check_event(event, now)
    if refusal is not None:
        return refusal
    working_set.add_carrier_event(event)
    status = status_by([*timeline, event])
    if status is fulfillment.status:
        return Done(with_warnings(fulfillment_document(fulfillment), command.cautions))
    changed = replace(fulfillment, status=status)
    return _changed(command, changed, EventType.FULFILLMENT_STATUS_CHANGED, command.cautions, working_set, now)


def check_event(event: CarrierEvent, now: Microseconds) -> Refusal | None:
    """Refuse one too many, and one that nobody can know of yet."""
    faults = []
    if event.occurred_at > now + _AHEAD_MAX:
        message = f"occurred_at lies more than {CARRIER_EVENT_AHEAD_HOURS_MAX} hours ahead."
        faults.append(Detail("in_the_future", "occurred_at", message))
    if event.position > CARRIER_EVENTS_MAX:
        message = f"A fulfillment may have at most {CARRIER_EVENTS_MAX} events."
        faults.append(Detail("too_many", "status", message))
    return Refusal(Reason.INVALID_REQUEST, tuple(faults)) if faults else None


def _find(command: FulfillmentCommand, working_set: WorkingSet) -> Fulfillment | Refusal:
    fulfillment = working_set.fulfillments.get(command.fulfillment_id)
    if fulfillment is None or (command.origin.partner is not None and fulfillment.account != command.origin.account):
        return Refusal(Reason.NOT_FOUND)
    return fulfillment


def _as_it_is(command: FulfillmentCommand, fulfillment: Fulfillment) -> Done:
    return Done(with_warnings(fulfillment_document(fulfillment), command.cautions), is_new=False)


def _refused_as_cancelled() -> Refusal:
    reason = Reason.FULFILLMENT_CANCELLED
    return Refusal(reason, (Detail("fulfillment_cancelled", "id", reason.sentence),))


def _changed(
    command: FulfillmentCommand,
    changed: Fulfillment,
    type_: EventType,
    cautions: Iterable[Caution],
    working_set: WorkingSet,
    now: Microseconds,
) -> Done:
    working_set.change_fulfillment(changed)
    document = fulfillment_document(changed)
    working_set.add_event(command.origin, type_, working_set.orders[changed.order_id], document, now)
    return Done(with_warnings(document, cautions))
