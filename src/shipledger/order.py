"""Orders and their lines: what was ordered, what was shipped of it, what remains."""

from dataclasses import field
from enum import StrEnum
from typing import Any, TypedDict

from shipledger.timestamp import Microseconds
from shipledger.value import dataclass


class OrderStatus(StrEnum):
    """How far an order is. `cancelled` means that nothing of it was shipped and nothing remains."""

    UNFULFILLED = "unfulfilled"
    PARTIALLY_FULFILLED = "partially_fulfilled"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"


OPEN = "open"
"""The phase of an order of which something remains."""


def phase_of(status: OrderStatus) -> str:
    """Whether an order is open, or what it closed with: the part of its status that seldom changes."""
    return str(status) if status in (OrderStatus.FULFILLED, OrderStatus.CANCELLED) else OPEN


def status_of(ordered: int, fulfilled: int, cancelled: int) -> OrderStatus:
    """The status that quantities amount to: fulfilled as soon as nothing remains and something was shipped."""
    if ordered == fulfilled + cancelled:
        return OrderStatus.FULFILLED if fulfilled else OrderStatus.CANCELLED
    return OrderStatus.PARTIALLY_FULFILLED if fulfilled else OrderStatus.UNFULFILLED


@dataclass(slots=True)
class OrderLine:
    """One line of an order. `position` counts from 0 in the order; the same sku may stand on several lines."""

    order_id: int
    position: int
    sku: str
    ordered: int
    fulfilled: int = 0
    cancelled: int = 0
    partner: str | None = None
    on_time: bool | None = None
    """Whether the fulfillment that completed the line was in time; None: not completed, or by no certain date."""
    title: str | None = None
    stored: tuple[int, int, bool | None] | None = None
    """What was fulfilled and cancelled by its row, and `on_time` there; None for a line that has no row yet."""

    @property
    def remaining(self) -> int:
        """What may still be shipped of this line."""
        return self.ordered - self.fulfilled - self.cancelled

    @property
    def completed_on_time(self) -> bool | None:
        """As `on_time`, also where what completed the line was taken back."""
        return None if self.ordered - self.fulfilled - self.cancelled else self.on_time


def due_by(ship_by: Microseconds | None, deliver_by: Microseconds | None) -> Microseconds | None:
    """The moment after which an order is late: when it must leave, or, where nobody said, when it must arrive."""
    return deliver_by if ship_by is None else ship_by


@dataclass(slots=True)
class Order:
    """An order as the rules need it: its totals over all its lines, and those lines that were loaded, by position."""

    id: int
    reference: str | None
    ordered: int
    fulfilled: int = 0
    cancelled: int = 0
    on_hold: bool = False
    hold_reason: str | None = None
    cancelled_at: Microseconds | None = None
    event_count: int = 0
    content: bytes = b""
    """The fingerprint of the order as it was first sent (see `OrderContent.fingerprint`)."""
    lines: list[OrderLine] = field(default_factory=list)
    due_by: Microseconds | None = None
    """When it must have left (see `due_by`)."""
    stored: tuple[int, int, bool, str | None, Microseconds | None] | None = None
    """What its row has of `fulfilled` to `cancelled_at`; None for an order that has no row yet."""
    partners: set[str] = field(default_factory=set)
    """Those that have a line of it, as far as they were asked for."""

    @property
    def status(self) -> OrderStatus:
        """How far the order is, by its totals."""
        return status_of(self.ordered, self.fulfilled, self.cancelled)

    @property
    def phase(self) -> str:
        """Whether it is open, or what it closed with."""
        return phase_of(self.status)

    @property
    def remaining(self) -> int:
        """What may still be shipped of all its lines."""
        return self.ordered - self.fulfilled - self.cancelled

    @property
    def is_in_stored_state(self) -> bool:
        """Whether nothing but quantities and status differs from its row: what else there is changes seldom."""
        if self.stored is None:
            return False
        fulfilled, cancelled, on_hold, hold_reason, cancelled_at = self.stored
        if self.on_hold is not on_hold or self.hold_reason != hold_reason or self.cancelled_at != cancelled_at:
            return False
        return phase_of(status_of(self.ordered, fulfilled, cancelled)) == self.phase


@dataclass(frozen=True, slots=True)
class OrderedLine:
    """A line as its order's sender wrote it."""

    sku: str
    quantity: int
    title: str | None = None
    partner: str | None = None
    cancelled: int = 0
    """How much of it was cancelled in the ledger that the order comes from."""


@dataclass(frozen=True, slots=True)
class OrderContent:
    """What an order's sender says of it. `shipping_address` and `metadata` are JSON objects, kept as given.

    `hold_reason` and `cancelled_at` are how it stood in the ledger that it comes from, if it comes from one.
    """

    id: int | None
    lines: tuple[OrderedLine, ...]
    reference: str | None = None
    channel: str | None = None
    email: str | None = None
    shipping_address: dict[str, Any] | None = None
    shipping_service: str | None = None
    ship_by: Microseconds | None = None
    deliver_by: Microseconds | None = None
    metadata: dict[str, Any] | None = None
    hold_reason: str | None = None
    cancelled_at: Microseconds | None = None

    @property
    def has_a_past(self) -> bool:
        """Whether it comes with what became of it elsewhere."""
        is_stopped = self.hold_reason is not None or self.cancelled_at is not None
        return is_stopped or any(line.cancelled for line in self.lines)


@dataclass(frozen=True, slots=True)
class OrderDetails:
    """What is known of an order beside its quantities, as it is now. The lines of `content` are left out."""

    content: OrderContent
    created_at: Microseconds


class OrderChanges(TypedDict, total=False):
    """What a change of an order sets, by the names of `OrderContent`; None clears."""

    reference: str | None
    ship_by: Microseconds | None
    deliver_by: Microseconds | None
    shipping_address: dict[str, Any] | None
    metadata: dict[str, Any] | None
