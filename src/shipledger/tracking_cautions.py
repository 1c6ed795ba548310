"""What a parcel's tracking number reminds of in the ledger: its own order, and parcels recorded before."""

from collections.abc import Sequence

from shipledger.order import Order
from shipledger.origin import Origin
from shipledger.partner_view import fulfillment_seen_by
from shipledger.refusal import Caution
from shipledger.tracking import AT
from shipledger.working_set import WorkingSet


def ledger_cautions(
    origin: Origin, number: str, orders: Sequence[Order], working_set: WorkingSet, besides: int | None = None
) -> list[Caution]:
    """What the sender of a number for a parcel of these orders should know. A partner is told of what it sees.

    `besides` is the fulfillment that gets the number, where it is there already.
    """
    cautions = _named_orders(number, orders)
    if not working_set.uses.get(number):
        return cautions  # almost every number is new
    cautions += _repeated_numbers(origin, number, orders, working_set, besides)
    elsewhere = _used_elsewhere(origin, number, orders, working_set)
    return [*cautions, elsewhere] if elsewhere else cautions


def _named_orders(number: str, orders: Sequence[Order]) -> list[Caution]:
    for order in orders:
        if number in (str(order.id), order.reference) or f"#{number}" == order.reference:
            message = "This is the number of the order itself; a tracking number is the carrier's."
            return [Caution("tracking_looks_like_order", AT, message)]
    return []


def _repeated_numbers(
    origin: Origin, number: str, orders: Sequence[Order], working_set: WorkingSet, besides: int | None
) -> list[Caution]:
    cautions = []
    for order in orders:
        for earlier in working_set.repeats.get((order.id, number), []):
            if earlier.id != besides and fulfillment_seen_by(origin.partner, earlier) is not None:
                message = f"Fulfillment {earlier.id} of order {order.id} has this tracking number already."
                cautions.append(Caution("tracking_number_repeated", AT, message))
                break
    return cautions


def _used_elsewhere(origin: Origin, number: str, orders: Sequence[Order], working_set: WorkingSet) -> Caution | None:
    """One parcel of another order is told of, however many there are: the newest of those that were looked at."""
    own = {order.id for order in orders}
    uses = [
        use
        for use in working_set.uses.get(number, ())
        if use.order_id not in own and (origin.partner is None or origin.partner in use.partners)
    ]
    if not uses:
        return None
    newest = max(uses, key=lambda use: use.id)
    message = f"Fulfillment {newest.id} of another order, {newest.order_id}, has this tracking number already."
    return Caution("tracking_number_on_another_order", AT, message)
