"""WooCommerce's order, as its REST API writes it, in the shape of `POST /v1/orders`."""

from typing import Any

from shipledger.importing.reading import Rejected

_NOT_TO_SHIP = ("cancelled", "refunded", "failed", "trash")


def is_woocommerce(record: dict[str, Any]) -> bool:
    """Whether this is an order of WooCommerce's."""
    return "order_key" in record


def order_of_woocommerce(record: dict[str, Any]) -> dict[str, Any]:
    """Its own number becomes the reference. Its dates are in the shop's zone, and once more in UTC."""
    status = record.get("status")
    if status in _NOT_TO_SHIP:
        raise Rejected(f"the order is {'in the trash' if status == 'trash' else status}")
    billing, shipping = (_object(record.get(name)) for name in ("billing", "shipping"))
    services = [_object(line).get("method_title") for line in record.get("shipping_lines") or ()]
    in_utc = record.get("date_created_gmt")
    items = record.get("line_items")
    return {
        "id": record.get("id"),
        "reference": record.get("number"),
        "channel": record.get("created_via"),
        "email": billing.get("email"),
        "shipping_address": shipping if any(shipping.values()) else billing or None,
        "shipping_service": services[0] if services else None,
        "ordered_at": f"{in_utc}Z" if in_utc else record.get("date_created"),
        "line_items": [{**_object(item), "title": _object(item).get("name")} for item in items]
        if isinstance(items, list)
        else items,
    }


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
