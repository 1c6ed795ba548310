"""From the JSON of `POST /v1/orders` to a command."""

from dataclasses import replace
from datetime import tzinfo
from typing import Any

from shipledger.command import CreateOrder, Origin
from shipledger.http.fields import Fields, Findings, whole_number
from shipledger.http.lookalikes import Vocabulary
from shipledger.limits import (
    ADDRESS_BYTES_MAX,
    CHANNEL_CHARS_MAX,
    EMAIL_CHARS_MAX,
    HOLD_REASON_CHARS_MAX,
    LINES_MAX,
    METADATA_BYTES_MAX,
    PARTNER_CHARS_MAX,
    QUANTITY_MAX,
    REFERENCE_CHARS_MAX,
    SHIPPING_SERVICE_CHARS_MAX,
    TITLE_CHARS_MAX,
)
from shipledger.order import OrderContent, OrderedLine
from shipledger.refusal import Refusal
from shipledger.validity import has_too_much_of_a_sku, is_partner_name

ORDER = Vocabulary(
    frozenset(
        {
            "id",
            "reference",
            "channel",
            "email",
            "shipping_address",
            "shipping_service",
            "ship_by",
            "deliver_by",
            "metadata",
            "line_items",
        }
    ),
    frozenset(
        {
            "status",
            "on_hold",
            "hold_reason",
            "created_at",
            "cancelled_at",
            "totals",
            "fulfillments",
            "fulfillments_url",
            "warnings",
        }
    ),
    {"items": "line_items", "lines": "line_items", "orderid": "id", "ordernumber": "reference", "name": "reference"},
)
ITEM = replace(ORDER, fields=ORDER.fields | {"idempotency_key", "past"})
"""What an item of a bulk request may hold: its key as well, which alone comes in a header, and its past."""
PAST = Vocabulary(frozenset({"cancelled", "cancelled_at", "hold_reason"}))
LINE = Vocabulary(
    frozenset({"sku", "title", "quantity", "partner"}),
    frozenset({"ordered", "fulfilled", "cancelled", "remaining"}),
    {"qty": "quantity", "count": "quantity", "amount": "quantity", "itemsku": "sku", "productsku": "sku"},
)


def read_create_order(
    values: dict[str, Any],
    origin: Origin,
    zone: tzinfo,
    findings: Findings,
    *,
    idempotency_key: str | None = None,
    vocabulary: Vocabulary = ORDER,
) -> CreateOrder | Refusal:
    """The command that a request means. `findings` may hold faults already, of its headers and its query."""
    order = Fields(values, vocabulary, findings)
    content = OrderContent(
        id=order.id("id"),
        reference=order.text("reference", REFERENCE_CHARS_MAX),
        lines=_lines(order, findings),
        channel=order.text("channel", CHANNEL_CHARS_MAX),
        email=order.text("email", EMAIL_CHARS_MAX),
        shipping_address=order.json_object("shipping_address", ADDRESS_BYTES_MAX),
        shipping_service=order.text("shipping_service", SHIPPING_SERVICE_CHARS_MAX, prose=True),
        ship_by=order.moment("ship_by", zone),
        deliver_by=order.moment("deliver_by", zone),
        metadata=order.json_object("metadata", METADATA_BYTES_MAX),
    )
    if "past" in vocabulary.fields:
        content = _with_past(content, order, zone, findings)
    return findings.refusal() or CreateOrder(origin, content, idempotency_key, tuple(findings.cautions))


def _with_past(content: OrderContent, order: Fields, zone: tzinfo, findings: Findings) -> OrderContent:
    """An order as it stood in the ledger that it comes from, where its sender tells."""
    value = order.value("past")
    if value is None:
        return content
    if not isinstance(value, dict):
        findings.fault("not_an_object", "past", "past must be an object.")
        return content
    past = Fields(value, PAST, findings, "past")
    cancelled = past.value("cancelled")
    lines = content.lines
    if cancelled is not None and not findings.faults:
        if not _are_quantities_of(cancelled, lines):
            message = "past.cancelled must be a list with a whole number for each line, of at most what was ordered."
            findings.fault("quantity_invalid", "past.cancelled", message)
        else:
            lines = tuple(replace(line, cancelled=int(part)) for line, part in zip(lines, cancelled, strict=True))
    return replace(
        content,
        lines=lines,
        hold_reason=past.text("hold_reason", HOLD_REASON_CHARS_MAX, prose=True),
        cancelled_at=past.moment("cancelled_at", zone),
    )


def _are_quantities_of(values: Any, lines: tuple[OrderedLine, ...]) -> bool:
    if not isinstance(values, list) or len(values) != len(lines):
        return False
    numbers = [whole_number(value) for value in values]
    return all(part is not None and 0 <= part <= line.quantity for part, line in zip(numbers, lines, strict=True))


def _lines(order: Fields, findings: Findings) -> tuple[OrderedLine, ...]:
    value = order.value("line_items")
    if value is None:
        findings.fault("required", "line_items", "line_items is required.")
    elif not isinstance(value, list):
        findings.fault("not_a_list", "line_items", "line_items must be a list of objects with sku and quantity.")
    elif not value:
        findings.fault("empty", "line_items", "line_items is empty: name what was ordered.", in_lines=True)
    elif len(value) > LINES_MAX:
        findings.fault("too_many", "line_items", f"An order may have at most {LINES_MAX} lines.")
    else:
        lines = [_line(values, f"line_items[{index}]", findings) for index, values in enumerate(value)]
        found = tuple(line for line in lines if line is not None)
        _judge_sums(found, findings)
        return found
    return ()


def _line(values: Any, place: str, findings: Findings) -> OrderedLine | None:
    if not isinstance(values, dict):
        findings.fault("not_a_line", place, f"{place} must be an object with sku and quantity.", in_lines=True)
        return None
    line = Fields(values, LINE, findings, place)
    sku, quantity = line.sku(), line.quantity()
    title = line.text("title", TITLE_CHARS_MAX, prose=True)
    partner = line.text("partner", PARTNER_CHARS_MAX)
    if partner is not None and not is_partner_name(partner):
        message = f"{line.at('partner')} must be a short name of a-z, 0-9, - and _, e.g. acme-east."
        findings.fault("not_a_partner", line.at("partner"), message)
    return None if sku is None or quantity is None else OrderedLine(sku, quantity, title, partner)


def _judge_sums(lines: tuple[OrderedLine, ...], findings: Findings) -> None:
    if has_too_much_of_a_sku(lines):
        message = f"The quantities of one sku may add up to at most {QUANTITY_MAX}."
        findings.fault("quantity_invalid", "line_items", message, in_lines=True)
