"""Facts, in the past tense. An event is written in the transaction of the change that it tells of."""

from enum import StrEnum

from shipledger.command import Origin
from shipledger.document import Document
from shipledger.timestamp import Microseconds
from shipledger.value import dataclass


class EventType(StrEnum):
    """What happened."""

    ORDER_CREATED = "order.created"
    ORDER_CHANGED = "order.changed"
    ORDER_HELD = "order.held"
    ORDER_RELEASED = "order.released"
    ORDER_FULFILLED = "order.fulfilled"
    ORDER_CANCELLED = "order.cancelled"
    FULFILLMENT_CREATED = "fulfillment.created"
    FULFILLMENT_TRACKING_CHANGED = "fulfillment.tracking_changed"
    FULFILLMENT_STATUS_CHANGED = "fulfillment.status_changed"
    FULFILLMENT_CANCELLED = "fulfillment.cancelled"

    WEBHOOK_CREATED = "webhook.created"
    WEBHOOK_CHANGED = "webhook.changed"
    WEBHOOK_ROTATED = "webhook.rotated"
    WEBHOOK_DELETED = "webhook.deleted"

    KEY_CREATED = "key.created"
    KEY_ROTATED = "key.rotated"
    KEY_REVOKED = "key.revoked"
    PARTNER_CHANGED = "partner.changed"


@dataclass(frozen=True, slots=True)
class Event:
    """One fact about one order. `sequence` counts the order's events from 1; `origin` says who caused it, and how.

    Of administration, both are None: such a fact is in the audit trail, and never in the feed.

    `data` is the thing as it was then. None stands for the order as its batch leaves it, read when the event is saved:
    an order that a parcel completes need not be loaded whole to decide that.
    """

    id: int
    type: EventType
    order_id: int | None
    sequence: int | None
    created_at: Microseconds
    origin: Origin
    data: Document | None
