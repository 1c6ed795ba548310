"""Objects that are orders with their lines: our own, Shopify's and WooCommerce's."""

from collections.abc import Callable
from datetime import tzinfo
from typing import Any

from shipledger.importing.csv_file import Progress
from shipledger.importing.exported_orders import is_exported_order, with_past
from shipledger.importing.json_file import LINES, JsonFile
from shipledger.importing.line_values import exported_line, line_from_json
from shipledger.importing.moments import tidy_moment
from shipledger.importing.order_values import order_from_values
from shipledger.importing.reading import NO_LINES, NOT_JSON, Rejected
from shipledger.importing.shopify import is_shopify, order_of_shopify
from shipledger.importing.staging import WHOLE, Staging
from shipledger.importing.woocommerce import is_woocommerce, order_of_woocommerce
from shipledger.order import OrderContent

DELETED = "the order was deleted"


def stage_orders(
    file: JsonFile, staging: Staging[OrderContent], zone: tzinfo, progress: Progress, tell: Callable[[], object]
) -> None:
    """Stage every order. Each of its lines counts as a row; an order without lines is one row."""
    for line, record in file.records(progress):
        items = (record or {}).get(LINES)
        count = len(items) if isinstance(items, list) else 0
        staging.rows += max(1, count)
        tell()
        try:
            if file.deleted_from is not None and line >= file.deleted_from:
                raise Rejected(DELETED)
            content, lines = _order(record, zone)
            read_line = exported_line if is_exported_order(record or {}) else line_from_json
        except Rejected as rejected:
            staging.add_order(str(line), rejected.reason)
            for item in range(count) if count else [WHOLE]:
                staging.reject(0, line, item, rejected.reason)
            continue
        number, _ = staging.add_order(str(line), content)
        for item, values in enumerate(lines):
            try:
                staging.add_line(number, line, item, read_line(values))
            except Rejected as rejected:
                staging.reject(0, line, item, rejected.reason)


def _order(record: dict[str, Any] | None, zone: tzinfo) -> tuple[OrderContent, list[Any]]:
    if record is None:
        raise Rejected(NOT_JSON)
    if is_shopify(record):
        values = order_of_shopify(record)
    elif is_woocommerce(record):
        values = order_of_woocommerce(record)
    else:
        values = record
    lines = values.get(LINES)
    if not lines:
        raise Rejected(NO_LINES)
    if not isinstance(lines, list):
        raise Rejected("line_items must be a list")
    if values is not record and isinstance(values["ordered_at"], str):
        values["metadata"] = {"ordered_at": tidy_moment(values["ordered_at"], zone)}
    content = order_from_values(values, zone)
    return with_past(content, values, zone) if is_exported_order(values) else content, lines
