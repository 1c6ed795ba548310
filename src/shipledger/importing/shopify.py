"""Shopify's order, as its Admin API writes it, in the shape of `POST /v1/orders`."""

from typing import Any

from shipledger.importing.reading import CANCELLED, Rejected


def is_shopify(record: dict[str, Any]) -> bool:
    """Whether this is an order of Shopify's."""
    return "financial_status" in record


def order_of_shopify(record: dict[str, Any]) -> dict[str, Any]:
    """Its own number (name, "#1001") becomes the reference."""
    if record.get("cancelled_at"):
        raise Rejected(CANCELLED)
    services = [line.get("title") for line in record.get("shipping_lines") or () if isinstance(line, dict)]
    return {
        "id": record.get("id"),
        "reference": record.get("name"),
        "channel": record.get("source_name"),
        "email": record.get("email") or record.get("contact_email"),
        "shipping_address": record.get("shipping_address"),
        "shipping_service": services[0] if services else None,
        "ordered_at": record.get("created_at"),
        "line_items": record.get("line_items"),
    }
