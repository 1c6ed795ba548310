"""Orders as our own export tells them: with what was cancelled of them, and why they are on hold."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import tzinfo
from typing import Any

import msgspec

from shipledger.importing.line_values import (
    Line,
    cancelled_of,
    partner_from_text,
    quantity_from_text,
    sku_from_text,
    title_from_text,
)
from shipledger.importing.moments import moment_field
from shipledger.importing.order_values import id_of_number, order_from_values
from shipledger.importing.reading import Rejected
from shipledger.limits import HOLD_REASON_CHARS_MAX
from shipledger.order import OrderContent
from shipledger.text import tidy
from shipledger.validity import text_fault

EXPORT_FIELDS = {
    **{name: name for name in ("reference", "channel", "email", "shipping_service", "ship_by", "deliver_by")},
    **{name: name for name in ("shipping_address", "metadata", "on_hold", "hold_reason", "cancelled_at")},
    **{name: name for name in ("sku", "title", "partner", "cancelled")},
    "order": "order_id",
    "quantity": "ordered",
}
"""The columns of our table of orders that are read: what is left out follows from them, or is the import's own."""
_STATE = {"status", "on_hold", "hold_reason", "cancelled_at", "totals"}
"""What an order says that was exported, and one that is to be made does not."""


def is_exported_order(record: Mapping[str, Any]) -> bool:
    """Whether this is an order of our own export."""
    return record.keys() >= _STATE


def with_past(content: OrderContent, values: Mapping[str, Any], zone: tzinfo) -> OrderContent:
    """An order as it stood in the ledger that it comes from. Raises Rejected."""
    cancelled_at = values["cancelled_at"]
    if cancelled_at is not None and not isinstance(cancelled_at, str):
        raise Rejected("cancelled_at must be a text")
    return replace(
        content,
        hold_reason=_hold_reason(values["hold_reason"]) if values["on_hold"] else None,
        cancelled_at=None if cancelled_at is None else moment_field("cancelled_at", cancelled_at, zone),
    )


def order_of_cells(cells: Mapping[str, str | None], zone: tzinfo) -> OrderContent | str:
    """An order without its lines from a row of our table, or why no row of it can be taken."""
    try:
        values = {
            **cells,
            "id": id_of_number(cells["order"] or ""),
            "on_hold": cells["on_hold"] == "true",
            "shipping_address": _object(cells, "shipping_address"),
            "metadata": _object(cells, "metadata"),
        }
        return with_past(order_from_values(values, zone), values, zone)
    except Rejected as rejected:
        return rejected.reason


def line_of_cells(cells: Mapping[str, str | None]) -> Line:
    """A line of an order from a row of our table. Raises Rejected."""
    sku, title, partner = (cells[name] or "" for name in ("sku", "title", "partner"))
    quantity, cancelled = quantity_from_text(cells["quantity"] or ""), cells["cancelled"] or ""
    return (
        sku_from_text(sku),
        quantity,
        title_from_text(title),
        partner_from_text(partner),
        cancelled_of(int(cancelled) if cancelled.isascii() and cancelled.isdigit() else None, quantity),
    )


def _object(cells: Mapping[str, str | None], name: str) -> Any:
    text = cells[name]
    try:
        return None if text is None else msgspec.json.decode(text)
    except (ValueError, RecursionError):
        raise Rejected(f"{name} must be a JSON object") from None


def _hold_reason(value: Any) -> str:
    text = tidy(value) if isinstance(value, str) else ""
    if not text:
        raise Rejected("the order is on hold, and no hold_reason says why")
    fault = text_fault(text, HOLD_REASON_CHARS_MAX, prose=True)
    if fault is not None:
        raise Rejected(f"hold_reason {fault[1]}")
    return text
