"""Orders, fulfillments and events as rows of a table, for files that spreadsheets open. New columns come last."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from shipledger.document import Document

FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a text begins with that a spreadsheet takes for a formula; the last four are the wide forms of the first."""
_DISARM = "'"

Cells = list[Any]


@dataclass(frozen=True, slots=True)
class ExportTable:
    """The columns of a table, and the rows that a document is written down as."""

    columns: Sequence[str]
    rows: Callable[[Document], Iterable[Cells]]

    def header(self) -> str:
        """The first line."""
        return _csv([list(self.columns)])

    def text(self, documents: Iterable[Document]) -> str:
        """The lines of these documents."""
        return _csv(_shown(row) for document in documents for row in self.rows(document))


_ORDER_COLUMNS = (
    *("id", "reference", "status", "on_hold", "hold_reason", "channel", "email", "shipping_service", "ship_by"),
    *("deliver_by", "created_at", "cancelled_at", "shipping_address", "metadata"),
)
_LINE_COLUMNS = ("sku", "title", "partner", "ordered", "fulfilled", "cancelled", "remaining")
_FULFILLMENT_COLUMNS = ("id", "order_id", "status", "tracking_number", "carrier", "tracking_url", "created_at")
_EVENT_COLUMNS = ("id", "type", "created_at", "order_id", "sequence", "actor", "key_id", "request_id", "data")


def _order_rows(order: Document) -> Iterator[Cells]:
    whole = [order[name] for name in _ORDER_COLUMNS]
    for line in order["line_items"]:
        yield [*whole, *(line[name] for name in _LINE_COLUMNS)]


def _fulfillment_rows(fulfillment: Document) -> Iterator[Cells]:
    whole = [fulfillment[name] for name in _FULFILLMENT_COLUMNS]
    for line in fulfillment["line_items"]:
        yield [*whole, line["sku"], line["quantity"]]


def _event_rows(event: Document) -> Iterator[Cells]:
    yield [event[name] for name in _EVENT_COLUMNS]


ORDERS = ExportTable(("order_id", *_ORDER_COLUMNS[1:], *_LINE_COLUMNS), _order_rows)
FULFILLMENTS = ExportTable(("fulfillment_id", *_FULFILLMENT_COLUMNS[1:], "sku", "quantity"), _fulfillment_rows)
EVENTS = ExportTable(("event_id", *_EVENT_COLUMNS[1:]), _event_rows)


def is_table(table: ExportTable, columns: Sequence[str]) -> bool:
    """Whether a table with these columns is one that was exported, with others beside them perhaps."""
    return set(table.columns) <= set(columns)


def text_of(cell: str) -> str | None:
    """The text that a cell stands for; None where it is empty."""
    is_disarmed = cell.startswith(_DISARM) and cell[1:].startswith(FORMULAS)
    return (cell[1:] if is_disarmed else cell) or None


def importable_order(order: Document) -> Document:
    """An order as `import orders` takes it, too: each line says its quantity."""
    return {**order, "line_items": [{"quantity": line["ordered"], **line} for line in order["line_items"]]}


def _csv(rows: Iterable[Cells]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _shown(row: Cells) -> list[str]:
    return [_cell(value) for value in row]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return _DISARM + value if value.startswith(FORMULAS) else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
