"""A fulfillment: one parcel of one order, with its tracking number, and what was in it."""

from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum
from typing import TypedDict

from shipledger.check_digit import CheckResult
from shipledger.timestamp import Microseconds
from shipledger.value import dataclass


class FulfillmentStatus(StrEnum):
    """Where a parcel is."""

    CREATED = "created"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    DELIVERED = "delivered"
    FAILED = "failed"
    RETURNED = "returned"
    CANCELLED = "cancelled"


REPORTED = frozenset(FulfillmentStatus) - {FulfillmentStatus.CANCELLED}
"""What an event on a parcel's way may say. A fulfillment is cancelled by its sender, not on its way."""

MAY_FOLLOW = {
    FulfillmentStatus.CREATED: REPORTED,
    FulfillmentStatus.IN_TRANSIT: REPORTED,
    FulfillmentStatus.OUT_FOR_DELIVERY: REPORTED,
    FulfillmentStatus.FAILED: REPORTED,
    FulfillmentStatus.RETURNED: REPORTED,
    FulfillmentStatus.DELIVERED: frozenset({FulfillmentStatus.RETURNED}),
    FulfillmentStatus.CANCELLED: frozenset[FulfillmentStatus](),
}
"""The table of transitions: what may come at any time after a status."""


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


class TrackingChanges(TypedDict, total=False):
    """What a correction of a tracking sets, by the names of `Tracking`; None clears."""

    number: str
    url: str | None
    carrier: str | None


@dataclass(frozen=True, slots=True)
class CarrierEvent:
    """Something that happened to a parcel on its way. `position` counts a fulfillment's events from 1, as they came."""

    fulfillment_id: int
    position: int
    status: FulfillmentStatus
    occurred_at: Microseconds
    message: str | None
    location: str | None
    received_at: Microseconds

    def tells_the_same_as(self, other: "CarrierEvent") -> bool:
        """Whether it is the other one, sent again."""
        return replace(other, position=self.position, received_at=self.received_at) == self


@dataclass(frozen=True, slots=True)
class ToldEvent:
    """Such an event as another ledger tells it. `occurred_at` None: nobody says when."""

    status: FulfillmentStatus
    occurred_at: Microseconds | None = None
    message: str | None = None
    location: str | None = None


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
        totals: dict[str, int] = {}
        for line in self.lines:
            totals[line.sku] = totals.get(line.sku, 0) + line.quantity
        return totals

    @property
    def partners(self) -> frozenset[str | None]:
        """Those that see it, beside the operator: whose lines are in it."""
        return frozenset([line.partner for line in self.lines])


@dataclass(frozen=True, slots=True)
class NumberUse:
    """What is loaded of a fulfillment that stands to tell that its tracking number is in use: it, and who sees it.

    Of its partners those are told who look; the operator sees all.
    """

    id: int
    order_id: int
    partners: frozenset[str | None]


def status_by(timeline: Iterable[CarrierEvent]) -> FulfillmentStatus:
    """The status that a parcel's events amount to: that of the latest, and of two at one moment the later received.

    What may follow narrows down and never widens: once delivered, a parcel may come back, and nothing else.
    """
    status, may_follow = FulfillmentStatus.CREATED, REPORTED
    for event in sorted(timeline, key=lambda event: (event.occurred_at, event.position)):
        if event.status in may_follow:
            status = event.status
            may_follow &= MAY_FOLLOW[status]
    return status


def summed(quantities: Iterable[tuple[str, int]]) -> dict[str, int]:
    """The total of each sku, in the order in which the skus are first named."""
    totals: dict[str, int] = {}
    for sku, quantity in quantities:
        totals[sku] = totals.get(sku, 0) + quantity
    return totals
