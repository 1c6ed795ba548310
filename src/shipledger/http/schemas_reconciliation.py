"""The shapes of reconciliations."""

from typing import Annotated

from msgspec import Meta, Struct, field

from shipledger.http.schemas import Fulfillment, Moment, RequestedLine, Text
from shipledger.limits import ID_MAX, LINES_MAX, RECONCILED_MAX, TRACKING_NUMBER_CHARS_MAX


class BelievedFulfillment(Struct):
    """A fulfillment as its sender believes it to be. Without line_items or status, these are not compared."""

    order_id: Annotated[int, Meta(ge=-ID_MAX, le=ID_MAX)] | Text
    """One that no order can have is missing, like any other that the ledger does not know."""
    tracking_number: Annotated[str, Meta(min_length=1, max_length=TRACKING_NUMBER_CHARS_MAX)]
    line_items: Annotated[list[RequestedLine], Meta(min_length=1, max_length=LINES_MAX)] | None = None
    status: str | None = None


class CreateReconciliation(Struct):
    """What its sender believes to have shipped from a moment to another, both included."""

    fulfillments: Annotated[list[BelievedFulfillment], Meta(max_length=RECONCILED_MAX)]
    to: Moment
    from_: Moment = field(name="from")


class ReconciliationCounts(Struct):
    """How many there are of each."""

    named: int
    recorded: int
    equal: int
    missing: int
    extra: int
    different: int


class MissingFulfillment(Struct):
    """What its sender believes shipped, and the ledger has not recorded."""

    index: int
    order_id: int | str
    tracking_number: str


class DifferentFulfillment(MissingFulfillment):
    """What both have, with what differs: line_items, status, or both."""

    differences: list[str]
    recorded: list[Fulfillment]


class Reconciliation(Struct):
    """What is missing, extra and different."""

    counts: ReconciliationCounts
    missing: list[MissingFulfillment]
    extra: list[Fulfillment]
    different: list[DifferentFulfillment]
