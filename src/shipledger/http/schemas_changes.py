"""The shapes of requests that change what was recorded, and of a parcel's timeline, for the OpenAPI document."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from shipledger.http.schemas import Moment, OptionalText, RequestedLine
from shipledger.limits import (
    CARRIER_EVENT_LOCATION_CHARS_MAX,
    CARRIER_EVENT_MESSAGE_CHARS_MAX,
    CARRIER_EVENTS_MAX,
    HOLD_REASON_CHARS_MAX,
    LINES_MAX,
    TRACKING_NUMBER_CHARS_MAX,
)


class ChangeOrder(Struct):
    """What is to be changed; null clears, and what is absent stays as it is."""

    reference: OptionalText | None = None
    ship_by: Moment | None = None
    deliver_by: Moment | None = None
    shipping_address: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None


class CancelOrder(Struct):
    """What is to be cancelled. Without lines: all that remains of the order."""

    line_items: Annotated[list[RequestedLine], Meta(min_length=1, max_length=LINES_MAX)] | None = None


class HoldOrder(Struct):
    """Why the order is held."""

    reason: Annotated[str, Meta(min_length=1, max_length=HOLD_REASON_CHARS_MAX, examples=["address check"])]


class ReleaseOrder(Struct):
    """Nothing needs to be said."""


class ChangeTracking(Struct):
    """What is to be corrected; null clears, and what is absent stays as it is."""

    tracking_number: Annotated[str, Meta(min_length=1, max_length=TRACKING_NUMBER_CHARS_MAX)] | None = None
    tracking_url: str | None = None
    carrier: OptionalText | None = None


class CancelFulfillment(Struct):
    """Nothing needs to be said: a fulfillment is cancelled whole."""


ReportedStatus = Literal["created", "in_transit", "out_for_delivery", "delivered", "failed", "returned"]


class AddCarrierEvent(Struct):
    """What happened to a parcel on its way."""

    status: ReportedStatus
    occurred_at: Moment | None = None
    message: Annotated[str, Meta(max_length=CARRIER_EVENT_MESSAGE_CHARS_MAX)] | None = None
    location: Annotated[str, Meta(max_length=CARRIER_EVENT_LOCATION_CHARS_MAX)] | None = None


class CarrierEvent(Struct):
    """Something that happened to a parcel on its way."""

    status: ReportedStatus
    occurred_at: Moment
    message: str | None
    location: str | None
    received_at: Moment


class Timeline(Struct):
    """All that was heard of a parcel, the latest first."""

    events: Annotated[list[CarrierEvent], Meta(max_length=CARRIER_EVENTS_MAX)]
    next_cursor: None
