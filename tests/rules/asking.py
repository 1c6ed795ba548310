"""Requests as a test writes them, and the commands that they mean."""

from dataclasses import dataclass
from typing import Any

from shipledger.command import OPERATOR, CreateFulfillment, CreateOrder, OrderKey, Origin, RepeatedTracking
from shipledger.http.fields import Findings
from shipledger.http.fulfillment_request import ENVELOPE, read_create_fulfillment
from shipledger.order import OrderContent, OrderedLine
from shipledger.refusal import Refusal

Lines = tuple[tuple[str, int], ...]
Group = tuple[OrderKey, Lines | None]


def account_of(partner: str | None) -> str:
    return OPERATOR if partner is None else f"partner:{partner}"


def origin(partner: str | None = None) -> Origin:
    return Origin(account_of(partner), partner, "a test", None, "request-1")


@dataclass(frozen=True)
class Parcel:
    """A request to record a parcel: what is shipped of each order (None: all that remains)."""

    groups: tuple[Group, ...]
    number: str = "T1"
    partner: str | None = None
    key: str | None = None
    dry_run: bool = False
    repeated: RepeatedTracking = RepeatedTracking.ACCEPT

    def body(self) -> dict[str, Any]:
        """As JSON: one order in the flat shape, several in the envelope."""
        groups = [_group(*group) for group in self.groups]
        shape = groups[0] if len(groups) == 1 else {ENVELOPE: groups}
        return {**shape, "tracking_number": self.number}

    def command(self) -> CreateFulfillment | Refusal:
        return read_create_fulfillment(
            self.body(),
            origin(self.partner),
            Findings(),
            idempotency_key=self.key,
            dry_run=self.dry_run,
            repeated=self.repeated,
        )


def _group(order: OrderKey, lines: Lines | None) -> dict[str, Any]:
    if lines is None:
        return {"order_id": order}
    return {"order_id": order, "line_items": [{"sku": sku, "quantity": quantity} for sku, quantity in lines]}


def line(sku: str, quantity: int, partner: str | None = None) -> OrderedLine:
    return OrderedLine(sku, quantity, partner=partner)


def order(id: int | None, *lines: OrderedLine, reference: str | None = None, key: str | None = None) -> CreateOrder:
    return CreateOrder(origin(), OrderContent(id, lines, reference), key)
