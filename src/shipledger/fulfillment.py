"""A fulfillment: one parcel of one order, with its tracking number, and what was in it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from shipledger.check_digit import CheckResult
from shipledger.timestamp import Microseconds


class FulfillmentStatus(StrEnum):
    """Where a parcel is."""

    CREATED = "created"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    DELIVERED = "delivered"
    FAILED = "failed"
    RETURNED = "returned"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class FulfilledLine:
    """A quantity that a fulfillment took from one line (by its position) of its order. `partner` is the line's."""

    position: int
    sku: str
    quantity: int
    partner: str | None = None


@dataclass(frozen=True, slots=True)
class Tracking:
    """How a parcel is followed: its number, its page, its carrier, and what the number's check digit says."""

    number: str
    url: str | None = None
    carrier: str | None = None
    check: CheckResult = CheckResult.NONE


@dataclass(frozen=True, slots=True)
class Fulfillment:
    """What was shipped in one parcel. `account` is who recorded it: the operator or a partner."""

    id: int
    order_id: int
    status: FulfillmentStatus
    tracking: Tracking
    created_at: Microseconds
    account: str
    lines: tuple[FulfilledLine, ...]

    def quantities(self) -> dict[str, int]:
        """The quantity of each sku, lines of one sku summed, in the order in which they were filled."""
        return summed((line.sku, line.quantity) for line in self.lines)


@dataclass(frozen=True, slots=True)
class NumberUse:
    """Where a tracking number was used before: a fulfillment that stands, its order, and partners who see it there.

    Of the partners those are told who look; the operator sees all.
    """

    fulfillment_id: int
    order_id: int
    partners: frozenset[str | None]


def use_of_number(fulfillment: Fulfillment) -> NumberUse:
    """A fulfillment as a use of its tracking number."""
    return NumberUse(fulfillment.id, fulfillment.order_id, frozenset(line.partner for line in fulfillment.lines))


def summed(quantities: Iterable[tuple[str, int]]) -> dict[str, int]:
    """The total of each sku, in the order in which the skus are first named."""
    totals: dict[str, int] = {}
    for sku, quantity in quantities:
        totals[sku] = totals.get(sku, 0) + quantity
    return totals
