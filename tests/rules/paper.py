"""Orders and fulfillments as one would keep them on paper, and what may be expected of a request."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from shipledger.order import OrderContent
from shipledger.outcome import Done
from shipledger.refusal import Reason

Document = dict[str, Any]


@dataclass
class PaperLine:
    sku: str
    ordered: int
    partner: str | None
    shipped: int = 0
    cancelled: int = 0

    @property
    def open(self) -> int:
        return self.ordered - self.shipped - self.cancelled


@dataclass
class PaperOrder:
    id: int
    sent: OrderContent
    lines: list[PaperLine]
    reference: str | None
    ship_by: int | None
    metadata: dict[str, Any] | None = None
    hold_reason: str | None = None
    is_cancelled: bool = False
    events: list[str] = field(default_factory=lambda: ["order.created"])

    def of(self, partner: str | None) -> list[PaperLine]:
        """The lines that a partner has (None: all)."""
        return [line for line in self.lines if partner in (None, line.partner)]

    def remaining(self, partner: str | None) -> Counter[str]:
        return +Counter([line.sku for line in self.of(partner) for _ in range(line.open)])

    @property
    def status(self) -> str:
        if not any(line.shipped for line in self.lines):
            return "unfulfilled" if self.remaining(None) else "cancelled"
        return "partially_fulfilled" if self.remaining(None) else "fulfilled"


@dataclass
class PaperFulfillment:
    order_id: int
    number: str
    account: str
    contents: Counter[str]
    held: Counter[int]
    """How many pieces it took from each line, by the line's position."""
    made: Document
    document: Document
    """As it was made, and as it is now."""
    partners: set[str | None]
    """Whose lines it holds something of; they see it."""
    given_url: str | None = None
    given_carrier: str | None = None
    """What was given since the number was."""
    timeline: list[tuple[int, str, str | None]] = field(default_factory=list)
    """Moment, status and message of each event, as they came."""

    @property
    def stands(self) -> bool:
        return str(self.document["status"]) != "cancelled"


Fault = tuple[str, str | None, int | None, int | None]


@dataclass(frozen=True)
class Refused:
    """Expected: no, for this reason, with these faults (code, sku, requested, remaining)."""

    reason: Reason
    faults: frozenset[Fault] = frozenset()


@dataclass(frozen=True)
class Shipped:
    """Expected: yes, with this taken from each order, and so many warnings of a repeated number."""

    shares: list[tuple[int, Counter[str]]]
    repeated_numbers: int
    is_used_elsewhere: bool
    """Whether it is warned that another order has the number."""


@dataclass(frozen=True)
class Recorded:
    """Expected: a new order."""


@dataclass(frozen=True)
class Same:
    """Expected: exactly this answer."""

    done: Done


@dataclass(frozen=True)
class Changed:
    """Expected: yes, with the order and the fulfillment as they are then; `is_new` where it was not so before."""

    order: PaperOrder
    fulfillment: PaperFulfillment | None = None
    is_new: bool = True
    repeated_numbers: int = 0
    is_used_elsewhere: bool = False


Expected = Refused | Shipped | Recorded | Same | Changed


def numbered_orders(fulfillments: Iterable[PaperFulfillment], number: str, partner: str | None) -> set[int]:
    """The orders of which a fulfillment that stands, and that the partner sees, has this number."""
    return {
        one.order_id
        for one in fulfillments
        if one.stands and one.number == number and (partner is None or partner in one.partners)
    }
