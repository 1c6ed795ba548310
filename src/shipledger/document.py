"""How orders and fulfillments are written down as JSON: the same in answers, in lists and in events."""

from collections.abc import Iterable, Mapping
from typing import Any

from shipledger.fulfillment import CarrierEvent, Fulfillment, ToldEvent
from shipledger.key import Key
from shipledger.order import Order, OrderContent
from shipledger.refusal import Caution
from shipledger.routing import KINDS, Partner
from shipledger.timestamp import Microseconds, show, show_exactly_or_none, show_or_none
from shipledger.webhook import Endpoint

Document = dict[str, Any]


def fulfillment_document(fulfillment: Fulfillment) -> Document:
    """A fulfillment; the four keys of the published page come first, in its order."""
    tracking = fulfillment.tracking
    return {
        "order_id": fulfillment.order_id,
        "status": str(fulfillment.status),
        "tracking_number": tracking.number,
        "created_at": show(fulfillment.created_at),
        "id": fulfillment.id,
        "line_items": line_items_document(fulfillment.quantities()),
        "carrier": tracking.carrier,
        "tracking_url": tracking.url,
    }


def line_items_document(quantities: Mapping[str, int]) -> list[Document]:
    """The quantity of each sku that a fulfillment holds."""
    return [{"sku": sku, "quantity": quantity} for sku, quantity in quantities.items()]


def carrier_event_document(event: CarrierEvent) -> Document:
    """Something that happened to a parcel on its way."""
    return {
        "status": str(event.status),
        "occurred_at": show(event.occurred_at),
        "message": event.message,
        "location": event.location,
        "received_at": show(event.received_at),
    }


def whole_fulfillment_document(fulfillment: Fulfillment, timeline: Iterable[CarrierEvent]) -> Document:
    """A fulfillment with all that another ledger needs, to have it as it stands: see `past.py`."""
    taken = [{"position": line.position, "quantity": line.quantity} for line in fulfillment.lines]
    events = [told_event_document(event) for event in timeline]
    return {**fulfillment_document(fulfillment), "taken_from": taken, "events": events}


def told_event_document(event: CarrierEvent | ToldEvent) -> Document:
    """Something that happened to a parcel on its way, as one ledger tells another: to the microsecond."""
    return {
        "status": str(event.status),
        "occurred_at": show_exactly_or_none(event.occurred_at),
        "message": event.message,
        "location": event.location,
    }


def order_document(order: Order, content: OrderContent, created_at: Microseconds) -> Document:
    """An order with all its lines (which must be loaded), without its fulfillments."""
    return {
        "id": order.id,
        "reference": order.reference,
        "status": str(order.status),
        "on_hold": order.on_hold,
        "hold_reason": order.hold_reason,
        "channel": content.channel,
        "email": content.email,
        "shipping_address": content.shipping_address,
        "shipping_service": content.shipping_service,
        "ship_by": show_exactly_or_none(content.ship_by),
        "deliver_by": show_exactly_or_none(content.deliver_by),
        "metadata": content.metadata,
        "created_at": show(created_at),
        "cancelled_at": show_or_none(order.cancelled_at),
        "totals": quantities_document(order.ordered, order.fulfilled, order.cancelled),
        "line_items": [
            {
                "sku": line.sku,
                "title": line.title,
                "partner": line.partner,
                **quantities_document(line.ordered, line.fulfilled, line.cancelled),
            }
            for line in order.lines
        ],
    }


def order_event_document(order: Document) -> Document:
    """An order as events tell it: nothing that names or locates its customer."""
    return {name: value for name, value in order.items() if name not in {"email", "shipping_address"}}


def partner_document(partner: Partner) -> Document:
    """A partner and what is routed to it."""
    rules = {kind: list(partner.rules.of(kind)) for kind in KINDS}
    return {"name": partner.name, **rules, "changed_at": show(partner.changed_at)}


def key_document(key: Key) -> Document:
    """A key, without anything that lets its reader in."""
    return {
        "id": key.id,
        "name": key.name,
        "role": str(key.role),
        "partner": key.partner,
        "scopes": sorted(key.scopes),
        "rate_limit": key.rate_limit,
        "starts_with": key.credential.starts_with,
        "created_at": show(key.created_at),
        "expires_at": show_or_none(key.expires_at),
        "last_used_at": show_or_none(key.last_used_at),
        "revoked_at": show_or_none(key.revoked_at),
        "replaced_by": key.replaced_by,
    }


def endpoint_document(endpoint: Endpoint) -> Document:
    """A webhook endpoint, without what its secret is derived from."""
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "description": endpoint.description,
        "event_types": list(endpoint.event_types),
        "ordered": endpoint.is_ordered,
        "partner": endpoint.partner,
        "enabled": endpoint.disabled_at is None,
        "disabled_at": show_or_none(endpoint.disabled_at),
        "disabled_because": None if endpoint.disabled_because is None else str(endpoint.disabled_because),
        "failing_since": show_or_none(endpoint.failing_since),
        "old_secret_signs_until": show_or_none(endpoint.previous_until),
        "created_at": show(endpoint.created_at),
    }


def with_fulfillments(order: Document, fulfillments: Iterable[Document], more_at: str) -> Document:
    """An order together with its newest fulfillments, and the place of the rest."""
    return {**order, "fulfillments": list(fulfillments), "fulfillments_url": more_at}


def fulfillments_of(order_id: int) -> str:
    """Where all fulfillments of an order are listed."""
    return f"/v1/fulfillments?order_id={order_id}"


def with_warnings(body: Document, cautions: Iterable[Caution]) -> Document:
    """An answer with what its sender should know; a body without any stays as it is."""
    warnings = caution_documents(cautions)
    return {**body, "warnings": warnings} if warnings else body


def caution_documents(cautions: Iterable[Caution]) -> list[Document]:
    """Cautions as the warnings of an answer."""
    return [{"code": caution.code, "at": caution.at, "message": caution.message} for caution in cautions]


def quantities_document(ordered: int, fulfilled: int, cancelled: int) -> dict[str, int]:
    """The four quantities of a line, or of several lines together."""
    return {
        "ordered": ordered,
        "fulfilled": fulfilled,
        "cancelled": cancelled,
        "remaining": ordered - fulfilled - cancelled,
    }
