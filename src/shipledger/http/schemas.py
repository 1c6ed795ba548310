"""The shapes of requests and answers, for the OpenAPI document. Tests hold what is read and written against them."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from shipledger.limits import (
    HOLD_REASON_CHARS_MAX,
    ID_MAX,
    IDEMPOTENCY_KEY_CHARS_MAX,
    LINES_MAX,
    QUANTITY_MAX,
    ROUTING_RULES_MAX,
    SKU_CHARS_MAX,
    TRACKING_NUMBER_CHARS_MAX,
)

Id = Annotated[int, Meta(ge=1, le=ID_MAX)]
Sku = Annotated[str, Meta(min_length=1, max_length=SKU_CHARS_MAX, examples=["RPBF24-1941"])]
SkuNumber = Annotated[int, Meta(ge=0, le=ID_MAX)]
Quantity = Annotated[int, Meta(ge=1, le=QUANTITY_MAX, examples=[1])]
Moment = Annotated[str, Meta(examples=["2024-04-30T12:00:00Z"])]
Text = Annotated[str, Meta(min_length=1, max_length=SKU_CHARS_MAX)]
OptionalText = Annotated[str, Meta(max_length=SKU_CHARS_MAX)]
"""Blank is as good as absent."""
Key = Annotated[str, Meta(min_length=1, max_length=IDEMPOTENCY_KEY_CHARS_MAX, pattern="^[!-~]([ -~]*[!-~])?$")]


class RequestedLine(Struct):
    """How much of a sku was shipped."""

    sku: Annotated[Sku | SkuNumber, Meta(description="A string, or an integer, which is taken as its digits.")]
    quantity: Quantity


class RequestedGroup(Struct):
    """What was shipped of one order."""

    order_id: Annotated[
        Id | Text, Meta(description="An integer is the order's id; a string its reference, or else its id in digits.")
    ]
    line_items: Annotated[list[RequestedLine], Meta(min_length=1, max_length=LINES_MAX)] | None = None
    """Omitted: everything that remains of the order."""


class CreateFulfillment(Struct):
    """A parcel: the orders that it holds something of, in one of two shapes, and its tracking number."""

    tracking_number: Annotated[
        str, Meta(min_length=1, max_length=TRACKING_NUMBER_CHARS_MAX, examples=["1ZE356F8YW01937117"])
    ]
    order_id: Annotated[Id | Text, Meta(examples=[450789469])] | None = None
    line_items: Annotated[list[RequestedLine], Meta(min_length=1, max_length=LINES_MAX)] | None = None
    line_items_by_fulfillment_order: (
        Annotated[list[RequestedGroup], Meta(min_length=1, max_length=LINES_MAX)] | None
    ) = None
    tracking_url: str | None = None
    carrier: OptionalText | None = None


class FulfilledLine(Struct):
    """What was really taken of a sku."""

    sku: str
    quantity: int


class Warning(Struct):  # noqa: A001 - the trade's word, and the name of the field
    """Something to know of a request that was accepted."""

    code: str
    at: str
    message: str


class Fulfillment(Struct):
    """One parcel of one order. `id` is null for a dry run."""

    order_id: int
    status: str
    tracking_number: str
    created_at: Moment
    id: int | None
    line_items: list[FulfilledLine]
    carrier: str | None
    tracking_url: str | None
    warnings: list[Warning] = []


class Parcel(Struct):
    """One parcel of several orders: a fulfillment for each."""

    status: str
    tracking_number: str
    created_at: Moment
    fulfillments: list[Fulfillment]
    warnings: list[Warning] = []


class FulfillmentList(Struct):
    """A page of fulfillments, newest first. `next_cursor` is null on the last."""

    fulfillments: list[Fulfillment]
    next_cursor: str | None


class Candidate(Struct):
    """A carrier whose numbers look like this one."""

    carrier: str
    name: str
    check_digit: Literal["verified", "none"]
    tracking_url: str | None


class TrackingNumber(Struct):
    """What a tracking number tells: the carriers that it may belong to, the best first."""

    candidates: list[Candidate]
    warnings: list[Warning]


class OrderedLine(Struct):
    """A line of an order, as its source knows it. Lines without a partner are the operator's own."""

    sku: Sku | SkuNumber
    quantity: Quantity
    title: OptionalText | None = None
    partner: Annotated[str, Meta(pattern="^([a-z0-9][a-z0-9_-]*)?$", max_length=63)] | None = None


class CreateOrder(Struct):
    """An order that is to be shipped. Without an id it gets one from 10^15 up."""

    line_items: Annotated[list[OrderedLine], Meta(min_length=1, max_length=LINES_MAX)]
    id: Id | None = None
    reference: Annotated[OptionalText, Meta(examples=["#1001"])] | None = None
    channel: OptionalText | None = None
    email: Annotated[str, Meta(max_length=254)] | None = None
    shipping_address: dict[str, Any] | None = None
    shipping_service: OptionalText | None = None
    ship_by: Moment | None = None
    deliver_by: Moment | None = None
    metadata: dict[str, Any] | None = None


class BulkFulfillment(CreateFulfillment):
    """An item of a bulk request: a parcel, and its own key."""

    idempotency_key: Key | None = None


class OrderPast(Struct):
    """How an order stood in the ledger that it comes from, but for what was shipped of it."""

    cancelled: list[Annotated[int, Meta(ge=0, le=QUANTITY_MAX)]] | None = None
    """Of each line, in their order."""
    cancelled_at: Moment | None = None
    hold_reason: Annotated[str, Meta(max_length=HOLD_REASON_CHARS_MAX)] | None = None


class BulkOrder(CreateOrder):
    """An item of a bulk request: an order, its own key, and, where another ledger had it, its past."""

    idempotency_key: Key | None = None
    past: OrderPast | None = None


class BulkSummary(Struct):
    """What became of all items. `complete` is false where the rest of the body could not be read."""

    items: int
    taken: int
    replayed: int
    refused: int
    statuses: dict[str, int]
    complete: bool
    message: str | None = None


class BulkLine(Struct):
    """An item's line of a bulk answer: what a request of its own would get."""

    index: int
    status: int
    body: dict[str, Any]
    replayed: bool = False
    code: str | None = None


class BulkEnd(Struct):
    """The last line of a bulk answer. Without it, the answer is not whole."""

    summary: BulkSummary


class Totals(Struct):
    """Quantities over all lines."""

    ordered: int
    fulfilled: int
    cancelled: int
    remaining: int


class OrderLine(Struct):
    """A line of an order, and how far it is."""

    sku: str
    title: str | None
    partner: str | None
    ordered: int
    fulfilled: int
    cancelled: int
    remaining: int


class ListedOrder(Struct):
    """An order as lists show it."""

    id: int
    reference: str | None
    status: str
    on_hold: bool
    hold_reason: str | None
    channel: str | None
    email: str | None
    shipping_address: dict[str, Any] | None
    shipping_service: str | None
    ship_by: Moment | None
    deliver_by: Moment | None
    metadata: dict[str, Any] | None
    created_at: Moment
    cancelled_at: Moment | None
    totals: Totals
    line_items: list[OrderLine]


class Order(ListedOrder):
    """An order with its newest 50 fulfillments, and where the rest are listed."""

    fulfillments: list[Fulfillment]
    fulfillments_url: str
    warnings: list[Warning] = []


class ChangedOrder(ListedOrder):
    """An order after it was changed, without its fulfillments."""

    warnings: list[Warning] = []


class OrderList(Struct):
    """A page of orders, newest first. `next_cursor` is null on the last."""

    orders: list[ListedOrder]
    next_cursor: str | None


class Event(Struct):
    """One fact: what happened, to which order, and the order or the fulfillment as it was then."""

    id: int
    type: str
    created_at: Moment
    order_id: int
    sequence: int | None
    data: dict[str, Any]


class EventList(Struct):
    """What happened after an event, in the order of the feed."""

    events: list[Event]
    next_cursor: str


class PutPartner(Struct):
    """What is routed to a partner, in place of what was. A rule belongs to one partner; {} takes all away."""

    skus: Annotated[list[Sku | SkuNumber], Meta(max_length=ROUTING_RULES_MAX, examples=[["RPBF24-1941"]])] | None = None
    sku_prefixes: Annotated[list[Sku | SkuNumber], Meta(max_length=ROUTING_RULES_MAX)] | None = None
    channels: Annotated[list[Sku | SkuNumber], Meta(max_length=ROUTING_RULES_MAX)] | None = None


class Partner(Struct):
    """A partner and what is routed to it."""

    name: str
    skus: list[str]
    sku_prefixes: list[str]
    channels: list[str]
    changed_at: Moment
    warnings: list[Warning] = []


class PartnerList(Struct):
    """Every partner that something was routed to, by name, on one page."""

    partners: list[Partner]
    next_cursor: str | None


class Error(Struct):
    """An error that its title says all about."""

    error: str
    message: str


class Gone(Struct):
    """What was asked for is no longer kept; `oldest` is the id of the oldest event that is."""

    error: str
    message: str
    oldest: int


class Detail(Struct):
    """One fault. Faults of lines say which sku, how many were asked for, how many remain, and the nearest known sku."""

    code: str
    at: str
    message: str
    sku: str | None = None
    requested: int | None = None
    remaining: int | None = None
    nearest_sku: str | None = None


class DetailedError(Struct):
    """An error, and each of its faults."""

    error: str
    message: str
    details: list[Detail]


class Health(Struct):
    """Whether the server is alive, or ready to write."""

    status: str


class Welcome(Struct):
    """Where to go next."""

    name: str
    version: str
    links: dict[str, str]
