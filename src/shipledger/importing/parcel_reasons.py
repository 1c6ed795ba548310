"""Why a parcel of a file is not taken, by the codes and statuses of the refusals that say so."""

from shipledger.outcome import Crashed, Done, Fault, Outcome

NO_ORDER = "the ledger has no order with this number"
OTHER_QUANTITIES = "the ledger has a fulfillment with this order and tracking number, and other quantities"
NOT_TAKEN = "the ledger could not record the fulfillment"

REASONS = {
    "order_not_found": NO_ORDER,
    "other_quantities": OTHER_QUANTITIES,
    "unknown_sku": "the order has no line with this sku",
    "quantity_exceeds_remaining": "more than what remains of this sku",
    "nothing_remaining": "nothing of this sku remains to be fulfilled",
    "order_cancelled": "the order is cancelled",
    "order_on_hold": "the order is on hold",
    "in_the_future": "an event of its timeline lies in the future",
}

Said = bool | str
"""What the ledger says to a parcel: whether it is new, or why it was not taken."""


def said_of(outcome: Outcome | Fault) -> Said:
    """What the ledger says. Raises Fault where it cannot take anything now."""
    if isinstance(outcome, Done):
        return outcome.is_new and not outcome.replayed
    if isinstance(outcome, Crashed):
        return NOT_TAKEN
    if isinstance(outcome, Fault):
        raise outcome
    code = outcome.details[0].code if outcome.details else outcome.reason.name.lower()
    return said_of_code(code)


def said_of_code(code: str) -> Said:
    """The same for the code of a refusal. A key that was used says that the ledger took just these lines before."""
    return False if code == "idempotency_key_reused" else REASONS.get(code, NOT_TAKEN)
