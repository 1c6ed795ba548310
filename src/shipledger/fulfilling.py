"""The rules of a parcel: whether its lines may be taken from their orders, and what becomes of them."""

from collections.abc import Iterable
from dataclasses import replace

from shipledger.command import CreateFulfillment, RepeatedTracking, RequestedLine, RequestedOrder
from shipledger.document import Document, fulfillment_document, with_warnings
from shipledger.event import EventType
from shipledger.file_import import Imported
from shipledger.fulfillment import Fulfillment
from shipledger.order import Order
from shipledger.outcome import Done, Outcome
from shipledger.refusal import Caution, Detail, Reason, Refusal
from shipledger.share import Share, check_quantities, check_skus, share_of, take
from shipledger.timestamp import Microseconds
from shipledger.tracking_cautions import ledger_cautions
from shipledger.working_set import WorkingSet


def create_fulfillment(command: CreateFulfillment, working_set: WorkingSet, now: Microseconds) -> Outcome:
    """Take the lines of every order of the parcel, or refuse it whole. Each check is made for all orders at once."""
    shares = _find_orders(command, working_set)
    if isinstance(shares, Refusal):
        return shares
    if command.import_id is not None:
        known = _parcel_of_a_file(command, shares, working_set)
        if known is not None:
            return known
    # A key says whether a request is a repeat; without one, the operator's setting does.
    if command.idempotency_key is None and command.repeated is not RepeatedTracking.ACCEPT:
        repeat = _repeat_of_an_earlier_parcel(command, shares, working_set)
        if repeat is not None:
            return repeat
    refusal = check_states(shares) or check_skus(shares) or check_quantities(shares)
    if refusal is not None:
        return refusal
    orders = [share.order for share in shares]
    cautions = [*command.cautions, *ledger_cautions(command.origin, command.tracking.number, orders, working_set)]
    # Nothing below this line can be refused.
    parcel = [_fulfil(command, share, working_set, now) for share in shares]
    if command.import_id is not None and command.idempotency_key is not None:
        for made in parcel:
            account, key = command.origin.account, command.idempotency_key
            working_set.add_imported(Imported(command.import_id, made["id"], account, key))
    return _done(command, parcel, cautions)


def _find_orders(command: CreateFulfillment, working_set: WorkingSet) -> list[Share] | Refusal:
    """The orders of a parcel; two names of one order are merged."""
    partner = command.origin.partner
    asked: dict[int, RequestedOrder] = {}
    for group in command.orders:
        order = working_set.find(group.order)
        if order is None or not _is_visible(order, partner):
            return Refusal(Reason.ORDER_NOT_FOUND)
        merged = merge(asked[order.id], group) if order.id in asked else group
        if isinstance(merged, Refusal):
            return merged
        asked[order.id] = merged
    return [share_of(working_set.orders[order_id], group, partner) for order_id, group in asked.items()]


def _is_visible(order: Order, partner: str | None) -> bool:
    return partner is None or partner in order.partners


def merge(first: RequestedOrder, second: RequestedOrder) -> RequestedOrder | Refusal:
    """Two groups of one order as one. One that names lines and one that omits them contradict each other."""
    if (first.lines is None) is not (second.lines is None):
        message = (
            "One group of this order names its line_items and another omits them: name them in both, or in neither."
        )
        return Refusal(Reason.INVALID_REQUEST, (Detail("contradicting_groups", second.at, message),))
    if first.lines is None or second.lines is None:
        return first
    lines = {line.sku: line for line in first.lines}
    for line in second.lines:
        known = lines.get(line.sku)
        lines[line.sku] = RequestedLine(line.sku, known.quantity + line.quantity, known.at) if known else line
    return RequestedOrder(first.order, tuple(lines.values()), first.at)


def _parcel_of_a_file(command: CreateFulfillment, shares: list[Share], working_set: WorkingSet) -> Outcome | None:
    """What becomes of a parcel of a file that the ledger has already, whoever recorded it."""
    for share in shares:
        standing = working_set.repeats.get((share.order.id, command.tracking.number), [])
        wanted = {line.sku: line.quantity for line in share.asked.lines or ()}
        for fulfillment in standing:
            if fulfillment.quantities() == wanted:
                return replace(_done(command, [fulfillment_document(fulfillment)], ()), is_new=False, replayed=True)
        if standing:
            message = f"Fulfillment {standing[0].id} has this order and tracking number, and other quantities."
            return Refusal(Reason.FULFILLMENT_EXISTS, (Detail("other_quantities", "tracking_number", message),))
    return None


def _repeat_of_an_earlier_parcel(
    command: CreateFulfillment, shares: list[Share], working_set: WorkingSet
) -> Outcome | None:
    """The answer to a request that repeats an order, a tracking number and lines, if the operator wants no repeats."""
    earlier = [_earlier(command, share, working_set) for share in shares]
    found = [fulfillment for fulfillment in earlier if fulfillment is not None]
    if command.repeated is RepeatedTracking.REJECT and found:
        details = tuple(
            Detail("already_fulfilled", "tracking_number", f"Fulfillment {fulfillment.id} holds these lines already.")
            for fulfillment in found
        )
        return Refusal(Reason.FULFILLMENT_EXISTS, details)
    if command.repeated is RepeatedTracking.REPLAY and len(found) == len(shares):
        parcel = [fulfillment_document(fulfillment) for fulfillment in found]
        return replace(_done(command, parcel, command.cautions), is_new=False, replayed=True)
    return None


def _earlier(command: CreateFulfillment, share: Share, working_set: WorkingSet) -> Fulfillment | None:
    """The newest fulfillment that holds just what is asked for.

    Where lines are omitted, a repeat finds nothing that remains: the parcel with this number is what took it.
    """
    earlier = [
        fulfillment
        for fulfillment in working_set.repeats.get((share.order.id, command.tracking.number), [])
        if fulfillment.account == command.origin.account
    ]
    if share.asked.lines is None:
        nothing_remains = not any(line.remaining for line in share.all_lines)
        return earlier[0] if earlier and nothing_remains else None
    wanted = {line.sku: line.quantity for line in share.asked.lines}
    return next((fulfillment for fulfillment in earlier if fulfillment.quantities() == wanted), None)


def check_states(shares: list[Share]) -> Refusal | None:
    """Refuse orders that are cancelled or on hold."""
    faults = []
    for share in shares:
        if share.order.cancelled_at is not None:
            faults.append((Reason.ORDER_CANCELLED, "order_cancelled", share.asked.at))
        elif share.order.on_hold:
            faults.append((Reason.ORDER_ON_HOLD, "order_on_hold", share.asked.at))
    if not faults:
        return None
    return Refusal(faults[0][0], tuple(Detail(code, at, reason.sentence) for reason, code, at in faults))


def _fulfil(command: CreateFulfillment, share: Share, working_set: WorkingSet, now: Microseconds) -> Document:
    origin, order = command.origin, share.order
    document = fulfillment_document(working_set.add_fulfillment(origin, order, take(share), command.tracking, now))
    working_set.add_event(origin, EventType.FULFILLMENT_CREATED, order, document, now)
    if order.fulfilled + order.cancelled == order.ordered:
        working_set.add_event(origin, EventType.ORDER_FULFILLED, order, None, now)
    return document


def _done(command: CreateFulfillment, parcel: list[Document], cautions: Iterable[Caution]) -> Done:
    """The answer: a fulfillment where the parcel is of one order, and a list of them otherwise."""
    made_id = None if command.dry_run or len(parcel) > 1 else parcel[0]["id"]
    if command.dry_run:
        parcel = [{**document, "status": "dry_run", "id": None} for document in parcel]
    body = parcel[0]
    if len(parcel) > 1:
        shared = {name: body[name] for name in ("status", "tracking_number", "created_at")}
        body = {**shared, "fulfillments": parcel}
    return Done(with_warnings(body, cautions), made_id)
