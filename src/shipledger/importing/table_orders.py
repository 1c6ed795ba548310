"""Rows of a table to orders: one table with everything in each row, or one of orders and one of their lines."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from shipledger.export_table import text_of
from shipledger.importing.columns import FIELDS, LINE_FIELDS, Layout
from shipledger.importing.csv_file import CsvFile, Progress
from shipledger.importing.exported_orders import line_of_cells, order_of_cells
from shipledger.importing.json_file import JsonFile
from shipledger.importing.line_values import (
    Line,
    partner_from_text,
    quantity_from_text,
    sku_from_text,
    title_from_text,
)
from shipledger.importing.moments import tidy_moment
from shipledger.importing.order_values import id_of_number, order_from_values
from shipledger.importing.reading import (
    CANCELLATION,
    CANCELLED,
    HEADER_REJECTED,
    HEADER_REPEATED,
    MALFORMED,
    NO_HEADER,
    NO_NUMBER,
    NOTHING,
    QUOTE_NOT_CLOSED,
    Rejected,
)
from shipledger.importing.staging import WHOLE, StagedOrder, Staging
from shipledger.limits import REFERENCE_CHARS_MAX
from shipledger.order import OrderContent
from shipledger.text import tidy
from shipledger.validity import text_fault

Told = Callable[[], object]

ORDER_FIELDS = tuple(name for name in FIELDS if name not in LINE_FIELDS)
_ADDRESS = "shipping_address."
_GUARDED = ("shipping_address.zip", "shipping_address.phone")
"""What Shopify writes with an apostrophe before it, lest a spreadsheet take it for a number."""


@dataclass(frozen=True, slots=True)
class Table:
    """A file of rows, and where its fields are."""

    file: CsvFile | JsonFile
    layout: Layout

    @property
    def width(self) -> int:
        """How many fields a row has."""
        return len(self.file.columns)


def stage_headers(table: Table, staging: Staging[OrderContent], zone: tzinfo, progress: Progress, tell: Told) -> None:
    """Stage the orders of a table without lines. A row that cannot be taken is kept in mind for its lines."""
    for line, fields in table.file.rows(progress):
        staging.rows += 1
        tell()
        try:
            name, fault = _name_and_fault(table, fields)
        except Rejected as rejected:
            staging.reject(0, line, WHOLE, rejected.reason)
            continue
        if staging.find(name) is not None:
            staging.reject(0, line, WHOLE, fault or HEADER_REPEATED)
        else:
            header = fault or _header(table, fields or [], name, zone)
            staging.add_order(name, header, header_line=line)


def stage_lines(table: Table, staging: Staging[OrderContent], zone: tzinfo, progress: Progress, tell: Told) -> None:
    """Stage the lines of a table; where it is the only one, its rows speak for the orders, too."""
    has_headers = staging.lines_file != 0
    read_line = _line_reader(table.layout)
    order_at = table.layout.places["order"]
    known_text, number, refusal = None, 0, None
    for line, fields in table.file.rows(progress):
        staging.rows += 1
        tell()
        try:
            if fields is None or len(fields) != table.width or fields[order_at] != known_text:
                known_text = None
                number, refusal = _order_of_row(table, fields, staging, zone, has_headers=has_headers)
                known_text = fields[order_at] if fields else None
                if refusal is not None and has_headers:
                    refusal = HEADER_REJECTED + refusal
            if refusal is not None:
                raise Rejected(refusal)
            staging.add_line(number, line, 0, read_line(fields))
        except Rejected as rejected:
            staging.reject(staging.lines_file, line, WHOLE, rejected.reason)


def _order_of_row(
    table: Table, fields: list[str] | None, staging: Staging[OrderContent], zone: tzinfo, *, has_headers: bool
) -> StagedOrder:
    """The order that a row belongs to. The first row of an order in the only table speaks for the order."""
    name, fault = _name_and_fault(table, fields)
    found = staging.find(name)
    if found is None and has_headers:
        raise Rejected(fault or NO_HEADER)
    if fault is not None:
        if found is None and table.layout.is_shopify:
            staging.add_order(name, fault)
        raise Rejected(fault)
    return staging.add_order(name, _header(table, fields or [], name, zone)) if found is None else found


def _name_and_fault(table: Table, fields: list[str] | None) -> tuple[str, str | None]:
    """The order number of a row, which even a malformed row may tell, and what is wrong with the row as a whole."""
    fault = QUOTE_NOT_CLOSED if fields is None else MALFORMED if len(fields) != table.width else None
    place = table.layout.places["order"]
    name = tidy(fields[place]) if fields is not None and place < len(fields) else ""
    if name in {"", NOTHING}:
        raise Rejected(fault or NO_NUMBER)
    text = text_fault(name, REFERENCE_CHARS_MAX)
    if text is not None:
        raise Rejected(fault or f"the order number {text[1]}")
    return name, fault


def _header(table: Table, fields: Sequence[str], name: str, zone: tzinfo) -> OrderContent | str:
    """What a row says of its order, or why no row of that order can be taken."""
    layout = table.layout
    if layout.is_export:
        return order_of_cells({field: text_of(fields[place]) for field, place in layout.places.items()}, zone)
    texts = {field: fields[place].strip() for field, place in layout.places.items()}
    texts = {field: text for field, text in texts.items() if text not in {"", NOTHING}}
    if layout.has_invoices and name[0] == "C" and id_of_number(name[1:]) is not None:
        return CANCELLATION
    if "cancelled" in texts:
        return CANCELLED
    values: dict[str, Any] = {field: text for field, text in texts.items() if field not in LINE_FIELDS}
    address = {
        field.removeprefix(_ADDRESS): text.removeprefix("'") if layout.is_shopify and field in _GUARDED else text
        for field, text in texts.items()
        if field.startswith(_ADDRESS)
    }
    values["id"] = id_of_number(texts.get("id", "") if "id" in layout.places else name)
    values["reference"] = texts.get("reference", name)
    values["shipping_address"] = address or None
    if "ordered_at" in texts:
        values["metadata"] = {"ordered_at": tidy_moment(texts["ordered_at"], zone)}
    try:
        return order_from_values(values, zone)
    except Rejected as rejected:
        return rejected.reason


def _line_reader(layout: Layout) -> Callable[[Any], Line]:
    """Reads the fields of a line from a row."""
    if layout.is_export:
        return lambda fields: line_of_cells({name: text_of(fields[at]) for name, at in layout.places.items()})
    sku_at, quantity_at = layout.places["sku"], layout.places["quantity"]
    title_at, partner_at = layout.places.get("title"), layout.places.get("partner")

    def read(fields: list[str]) -> Line:
        return (
            sku_from_text(fields[sku_at]),
            quantity_from_text(fields[quantity_at]),
            None if title_at is None else title_from_text(fields[title_at]),
            None if partner_at is None else partner_from_text(fields[partner_at]),
            0,
        )

    return read
