"""What may be asked of the ledger, in the imperative. Commands are plain values: they can be compared and sent."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum
from typing import Any

from shipledger.file_import import ImportCommand, parcel_key, taken_over_key
from shipledger.fulfillment import FulfillmentStatus, Tracking, TrackingChanges, summed
from shipledger.key import KeyCommand
from shipledger.limits import ID_MAX
from shipledger.order import OrderChanges, OrderContent
from shipledger.origin import OPERATOR as OPERATOR  # noqa: PLC0414 - known from here
from shipledger.origin import Origin as Origin  # noqa: PLC0414 - known from here
from shipledger.past import ParcelPast
from shipledger.refusal import Caution
from shipledger.routing import PutPartner
from shipledger.timestamp import Microseconds
from shipledger.value import dataclass
from shipledger.webhook import EndpointCommand

_FULFILLMENT_DIGEST = hashlib.blake2b(digest_size=16, person=b"fulfillment")
OrderKey = int | str
"""How a request names an order: an integer is its id; a string its reference, or, failing that, the id in digits."""


@dataclass(frozen=True, slots=True)
class RequestedLine:
    """A quantity of one sku, lines of one sku already summed. `at` is where the request first names the sku."""

    sku: str
    quantity: int
    at: str


@dataclass(frozen=True, slots=True)
class RequestedOrder:
    """One order's share of a parcel. `lines` is None where the request omits them: everything that remains."""

    order: OrderKey
    lines: tuple[RequestedLine, ...] | None
    at: str


class RepeatedTracking(StrEnum):
    """What becomes of a request without a key that repeats an order, a tracking number and its lines."""

    ACCEPT = "accept"
    REPLAY = "replay"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class CreateFulfillment:
    """Record that these lines of these orders were shipped in one parcel: all of them, or nothing.

    `tracking` is what is recorded. `given` is what the sender said of it, where the number told more: a repeat is known
    by that, also when more numbers are understood by then.
    """

    origin: Origin
    orders: tuple[RequestedOrder, ...]
    tracking: Tracking
    idempotency_key: str | None = None
    dry_run: bool = False
    repeated: RepeatedTracking = RepeatedTracking.ACCEPT
    cautions: tuple[Caution, ...] = ()
    given: Tracking | None = None
    import_id: int | None = None
    """The import that it comes from. In files, one order and tracking number are one parcel."""

    def fingerprint(self) -> bytes:
        """Equal for requests that mean the same: both shapes, any order of lines. Warnings are no part of it.

        No text of a request holds control characters, so that these keep its parts apart.
        """
        given = self.given or self.tracking
        parts = [given.number, given.url or "", given.carrier or ""]
        parts += sorted([_order_text(order) for order in self.orders])
        digest = _FULFILLMENT_DIGEST.copy()
        digest.update("\x1d".join(parts).encode())
        return digest.digest()


@dataclass(frozen=True, slots=True)
class TakeOverFulfillment:
    """Record a parcel that another ledger recorded, as it stands there. Only imports ask for this."""

    origin: Origin
    share: RequestedOrder
    tracking: Tracking
    past: ParcelPast
    import_id: int
    idempotency_key: str
    cautions: tuple[Caution, ...] = ()

    def fingerprint(self) -> bytes:
        """Equal for the same parcel, whatever became of it since."""
        return _digest(["take_over_fulfillment", self.past.id, _order_text(self.share)])


@dataclass(frozen=True, slots=True)
class CreateOrder:
    """Record an order that is to be shipped."""

    origin: Origin
    content: OrderContent
    idempotency_key: str | None = None
    cautions: tuple[Caution, ...] = ()

    def fingerprint(self) -> bytes:
        """Equal for orders of equal content."""
        return content_fingerprint(self.content)


@dataclass(frozen=True, slots=True)
class ChangeOrder:
    """Set what is known of an order beside its lines."""

    origin: Origin
    order_id: int
    changes: OrderChanges
    idempotency_key: str | None = None
    cautions: tuple[Caution, ...] = ()

    def fingerprint(self) -> bytes:
        """Equal for the same changes of the same order."""
        return _digest(["change_order", self.order_id, self.changes])


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Cancel what remains of an order; with `lines`, so much of it and no more."""

    origin: Origin
    order_id: int
    lines: tuple[RequestedLine, ...] | None = None
    idempotency_key: str | None = None
    cautions: tuple[Caution, ...] = ()

    def fingerprint(self) -> bytes:
        """Equal for the same quantities of the same order, in any order of lines."""
        return _digest(["cancel_order", _order_text(self.share)])

    @property
    def share(self) -> RequestedOrder:
        """The same, as a parcel's request would name it."""
        return RequestedOrder(self.order_id, self.lines, "line_items")


@dataclass(frozen=True, slots=True)
class HoldOrder:
    """Forbid that anything of an order is fulfilled, until it is released."""

    origin: Origin
    order_id: int
    reason: str
    idempotency_key: str | None = None
    cautions: tuple[Caution, ...] = ()

    def fingerprint(self) -> bytes:
        """Equal for the same order and reason."""
        return _digest(["hold_order", self.order_id, self.reason])


@dataclass(frozen=True, slots=True)
class ReleaseOrder:
    """Allow an order that is on hold to be fulfilled again."""

    origin: Origin
    order_id: int
    idempotency_key: str | None = None
    cautions: tuple[Caution, ...] = ()

    def fingerprint(self) -> bytes:
        """Equal for the same order."""
        return _digest(["release_order", self.order_id])


@dataclass(frozen=True, slots=True)
class ChangeTracking:
    """Correct how a parcel is followed."""

    origin: Origin
    fulfillment_id: int
    changes: TrackingChanges
    idempotency_key: str | None = None
    cautions: tuple[Caution, ...] = ()

    def fingerprint(self) -> bytes:
        """Equal for the same changes of the same fulfillment."""
        return _digest(["change_tracking", self.fulfillment_id, self.changes])


@dataclass(frozen=True, slots=True)
class CancelFulfillment:
    """Take a fulfillment back: its quantities return to the lines that they came from."""

    origin: Origin
    fulfillment_id: int
    idempotency_key: str | None = None
    cautions: tuple[Caution, ...] = ()

    def fingerprint(self) -> bytes:
        """Equal for the same fulfillment."""
        return _digest(["cancel_fulfillment", self.fulfillment_id])


@dataclass(frozen=True, slots=True)
class AddCarrierEvent:
    """Put an event on a fulfillment's timeline. `occurred_at` None is the moment at which it is recorded."""

    origin: Origin
    fulfillment_id: int
    status: FulfillmentStatus
    occurred_at: Microseconds | None = None
    message: str | None = None
    location: str | None = None
    idempotency_key: str | None = None
    cautions: tuple[Caution, ...] = ()

    def fingerprint(self) -> bytes:
        """Equal for the same event of the same fulfillment."""
        told = [self.status, self.occurred_at, self.message, self.location]
        return _digest(["add_carrier_event", self.fulfillment_id, told])


OrderCommand = ChangeOrder | CancelOrder | HoldOrder | ReleaseOrder
FulfillmentCommand = ChangeTracking | CancelFulfillment | AddCarrierEvent
Administration = KeyCommand | PutPartner | EndpointCommand | ImportCommand
Command = CreateFulfillment | TakeOverFulfillment | CreateOrder | OrderCommand | FulfillmentCommand | Administration


@dataclass(frozen=True, slots=True)
class AllOrNone:
    """Commands that are carried out together, in one transaction and in their order, or not at all.

    `is_spoiled` where something that belongs to them was refused before: they are judged, and none is carried out.
    """

    commands: tuple[Command, ...]
    is_spoiled: bool = False


def parcel_of_file(
    asked: CreateFulfillment, import_id: int, past: ParcelPast | None
) -> CreateFulfillment | TakeOverFulfillment:
    """What a file asks for that names this parcel of one order, with the key that the parcel has in every file."""
    (share,) = asked.orders
    if past is None:
        lines = [(line.sku, line.quantity) for line in share.lines or ()]
        key = parcel_key(share.order, asked.tracking.number, lines)
        return replace(asked, idempotency_key=key, import_id=import_id)
    key = taken_over_key(share.order, past.id, past.recorded_at)
    return TakeOverFulfillment(asked.origin, share, asked.tracking, past, import_id, key)


def content_fingerprint(content: OrderContent) -> bytes:
    """Equal for orders whose sender said the same of them."""
    lines = [[line.sku, line.quantity, line.title, line.partner] for line in content.lines]
    rest: list[Any] = [
        content.id,
        content.reference,
        content.channel,
        content.email,
        content.shipping_address,
        content.shipping_service,
        content.ship_by,
        content.deliver_by,
        content.metadata,
    ]
    return _digest(["create_order", rest, lines])


def is_id_in_digits(text: str) -> bool:
    """Whether a reference may be read as an id: ASCII digits, and no greater number than an id can be."""
    return text.isascii() and text.isdigit() and len(text) <= len(str(ID_MAX)) and int(text) <= ID_MAX


def _order_text(order: RequestedOrder) -> str:
    lines = ["all"] if order.lines is None else sorted([f"{line.quantity}\x1f{line.sku}" for line in order.lines])
    return "\x1e".join((type(order.order).__name__, str(order.order), *lines))


def _digest(value: object) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def requested_order(order: OrderKey, lines: Iterable[RequestedLine] | None, at: str) -> RequestedOrder:
    """An order's share with the quantities of one sku summed, each at the place where the sku is first named."""
    if lines is None:
        return RequestedOrder(order, None, at)
    lines = list(lines)
    places: dict[str, str] = {}
    for line in lines:
        places.setdefault(line.sku, line.at)
    totals = summed((line.sku, line.quantity) for line in lines)
    return RequestedOrder(order, tuple(RequestedLine(sku, total, places[sku]) for sku, total in totals.items()), at)
