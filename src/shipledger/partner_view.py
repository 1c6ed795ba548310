"""What a partner sees of the ledger: its own lines, and what follows from them. Nothing here tells of another's.

The operator sees all: wherever `Partner` is None, things are as they are.
"""

from collections.abc import Iterable
from dataclasses import replace

from shipledger.document import Document, line_items_document, quantities_document
from shipledger.fulfillment import FulfilledLine, Fulfillment, summed
from shipledger.order import status_of

Partner = str | None
"""Who looks: a partner by its name, or, where it is None, the operator."""

OPERATORS_OWN = frozenset({"email", "metadata"})
"""What a partner is not shown of an order that it may see. It ships: it is shown where to, how, by when and why not."""


def order_seen_by(partner: Partner, order: Document) -> Document | None:
    """An order as a partner sees it: its own lines, with totals and a status of these alone.

    None where it has no line of the order, which does not exist for it then.
    """
    if partner is None:
        return order
    lines = [line for line in order["line_items"] if line["partner"] == partner]
    if not lines:
        return None
    ordered, fulfilled, cancelled = (
        sum(line[name] for line in lines) for name in ("ordered", "fulfilled", "cancelled")
    )
    seen = {name: None if name in OPERATORS_OWN else value for name, value in order.items()}
    return {
        **seen,
        "status": str(status_of(ordered, fulfilled, cancelled)),
        "totals": quantities_document(ordered, fulfilled, cancelled),
        "line_items": lines,
    }


def fulfillment_seen_by(partner: Partner, fulfillment: Fulfillment) -> Fulfillment | None:
    """A fulfillment as a partner sees it: what it holds of the partner's lines, whoever recorded it.

    None where it holds nothing of them. A partner's own holds nothing else.
    """
    if partner is None:
        return fulfillment
    lines = tuple(line for line in fulfillment.lines if line.partner == partner)
    return replace(fulfillment, lines=lines) if lines else None


def event_told_to(partner: Partner, event: Document, contents: Iterable[FulfilledLine]) -> Document:
    """An event as a partner is told of it; `contents` are what the fulfillment holds that it is of, if it is of one.

    The sequence counts events that the partner knows nothing of, so that it is left out. Ids grow within an order.
    """
    if partner is None:
        return event
    data = event["data"]
    if is_of_fulfillment(event):
        own = summed((line.sku, line.quantity) for line in contents if line.partner == partner)
        data = {**data, "line_items": line_items_document(own)}
    else:
        data = order_seen_by(partner, data)
    return {**event, "sequence": None, "data": data}


def is_of_fulfillment(event: Document) -> bool:
    """Whether an event tells of a fulfillment; all others tell of an order."""
    return str(event["type"]).startswith("fulfillment.")
