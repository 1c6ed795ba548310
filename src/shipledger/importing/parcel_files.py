"""From a file of shipments, as warehouses send them, to staged parcels."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial
from pathlib import Path
from typing import Any

from shipledger.export_table import FULFILLMENTS, is_table, text_of
from shipledger.importing.columns import (
    FIELDS,
    ORDER_NUMBERS,
    Layout,
    export_layout,
    lay_out,
    read_mapping,
    require_columns_of_mapping,
    require_fields,
)
from shipledger.importing.csv_file import CsvFile, Progress
from shipledger.importing.json_file import LINES, JsonFile
from shipledger.importing.line_values import Line, line_from_json, quantity_from_text, sku_from_text
from shipledger.importing.order_files import TOLD_EVERY_ROWS, open_file
from shipledger.importing.order_values import id_of_number
from shipledger.importing.parcel import (
    ParcelContent,
    order_name,
    parcel_name,
    past_of,
    tracking_number,
    tracking_of,
)
from shipledger.importing.reading import MALFORMED, NO_LINES, NOT_JSON, QUOTE_NOT_CLOSED, Rejected, Told, Unreadable
from shipledger.importing.staging import WHOLE, StagedOrder, Staging
from shipledger.limits import ID_MAX

PARCEL_FIELDS: Mapping[str, tuple[str, ...]] = {
    "order": (*ORDER_NUMBERS, "reference", "customerorder", "customerreference", "yourreference", "ponumber"),
    "sku": FIELDS["sku"],
    "quantity": (
        *("quantityshipped", "qtyshipped", "shippedquantity", "shippedqty", "quantityfulfilled", "fulfilledquantity"),
        *FIELDS["quantity"],
    ),
    "tracking_number": (
        *("trackingnumber", "trackingno", "trackingnr", "trackingcode", "trackingid", "tracking", "trackingref"),
        *("consignmentnumber", "consignment", "waybillnumber", "waybill", "airwaybill", "awb", "parcelnumber"),
        *("shipmentnumber", "barcode"),
    ),
    "carrier": (
        *("carrier", "carriername", "carriercode", "courier", "couriername", "shippingcarrier", "trackingcompany"),
    ),
    "tracking_url": ("trackingurl", "trackinglink"),
    "status": ("status", "fulfillmentstatus", "shipmentstatus"),
}
EXPORT_FIELDS = {
    **{
        name: name for name in ("sku", "quantity", "tracking_number", "carrier", "tracking_url", "status", "created_at")
    },
    "id": "fulfillment_id",
    "order": "order_id",
}
"""The columns of our own table of fulfillments."""
SPELLINGS = {"order_id": "order", "order_number": "order", "reference": "order", "tracking": "tracking_number"}
ROW_REJECTED = "another row of this parcel was rejected"
CANCELLED = "the fulfillment is cancelled"
_NO_ORDER = "order_id must be the order's id or its reference"


@dataclass(slots=True)
class ParcelFile:
    """A file of shipments, opened and understood. `layout` is None where each object is a whole parcel."""

    file: CsvFile | JsonFile
    layout: Layout | None = None

    @property
    def bytes(self) -> int:
        """How much there is to read."""
        return self.file.path.stat().st_size

    def described(self) -> str:
        """How the file is read, and which of its columns are not."""
        text = f"{self.file.path}: {self.file.described}"
        if self.layout is None:
            return text
        unused = f"; not used: {', '.join(self.layout.unused)}" if self.layout.unused else ""
        return f"{text}; {self.layout.described()}{unused}"


def open_parcel_file(path: Path, maps: Sequence[str]) -> ParcelFile:
    """Open a file of shipments. Raises Unreadable."""
    mapping = read_mapping(maps, PARCEL_FIELDS, SPELLINGS)
    file = open_file(path)
    if isinstance(file, JsonFile) and file.holds_orders:
        if mapping:
            raise Unreadable("A file of whole fulfillments takes no --map: they hold their lines.")
        return ParcelFile(file)
    require_columns_of_mapping(mapping, file.columns)
    if not mapping and is_table(FULFILLMENTS, file.columns):
        return ParcelFile(file, export_layout(file.columns, EXPORT_FIELDS))
    layout = lay_out(file.columns, mapping, tuple(PARCEL_FIELDS), PARCEL_FIELDS)
    require_fields(layout, ["order", "sku", "quantity", "tracking_number"], str(path), may_have_lines=False)
    return ParcelFile(file, layout)


def stage_parcels(source: ParcelFile, _zone: tzinfo, told: Told) -> Staging[ParcelContent]:
    """Read everything. `told` hears now and then how many bytes and rows were read. Raises Unreadable."""
    staging = Staging(ParcelContent)
    progress = Progress()

    def tell() -> None:
        if staging.rows % TOLD_EVERY_ROWS == 0:
            told(progress.at(), staging.rows)

    if source.layout is not None:
        _stage_rows(source.file, source.layout, staging, progress, tell)
    elif isinstance(source.file, JsonFile):
        _stage_objects(source.file, staging, progress, tell)
    staging.finish_reading()
    told(source.bytes, staging.rows)
    return staging


def _stage_rows(
    file: CsvFile | JsonFile,
    layout: Layout,
    staging: Staging[ParcelContent],
    progress: Progress,
    tell: Callable[[], object],
) -> None:
    """Stage rows, wherever those of one parcel lie. The first of them speaks for its carrier and its page."""
    width, places = len(file.columns), layout.places
    sku_at, quantity_at = places["sku"], places["quantity"]
    known_at = [places[name] for name in ("order", "tracking_number", "id") if name in places]
    known: list[str] | None = None
    number = 0
    for line, fields in file.rows(progress):
        staging.rows += 1
        tell()
        try:
            if fields is None or len(fields) != width:
                raise Rejected(QUOTE_NOT_CLOSED if fields is None else MALFORMED)
            if (
                not layout.is_export
                and "status" in places
                and fields[places["status"]].strip().lower() in {"cancelled", "canceled"}
            ):
                raise Rejected(CANCELLED)
            named = [fields[at] for at in known_at]
            if named != known:
                known = None
                number, _ = _parcel_of_row(fields, layout, staging)
                known = named
            sku = (text_of(fields[sku_at]) or "") if layout.is_export else fields[sku_at]
            _add_line(staging, number, line, 0, partial(_line, sku, fields[quantity_at]))
        except Rejected as rejected:
            staging.reject(0, line, WHOLE, rejected.reason)


def _line(sku: str, quantity: str) -> Line:
    return sku_from_text(sku), quantity_from_text(quantity), None, None, 0


def _parcel_of_row(fields: list[str], layout: Layout, staging: Staging[ParcelContent]) -> StagedOrder:
    places = layout.places
    if layout.is_export:
        content = _parcel(_record_of_cells({name: text_of(fields[at]) for name, at in places.items()}))
        return staging.find(content.name) or staging.add_order(content.name, content)
    order, number = order_name(fields[places["order"]]), tracking_number(fields[places["tracking_number"]])
    found = staging.find(parcel_name(order, number))
    if found is not None:
        return found
    url, carrier = (fields[places[name]] if name in places else "" for name in ("tracking_url", "carrier"))
    content = ParcelContent(order, tracking_of(number, url, carrier))
    return staging.add_order(content.name, content)


def _record_of_cells(cells: Mapping[str, str | None]) -> dict[str, Any]:
    """A row of our own table as the object that it was written from."""
    return {**cells, "id": id_of_number(cells["id"] or ""), "order_id": id_of_number(cells["order"] or "")}


def _stage_objects(
    file: JsonFile, staging: Staging[ParcelContent], progress: Progress, tell: Callable[[], object]
) -> None:
    """Stage whole parcels, as `GET /v1/fulfillments` shows them. Each of their lines counts as a row."""
    for line, record in file.records(progress):
        items = (record or {}).get(LINES)
        count = len(items) if isinstance(items, list) else 0
        staging.rows += max(1, count)
        tell()
        try:
            content = _parcel(record)
            if not isinstance(items, list) or not items:
                raise Rejected(NO_LINES)
        except Rejected as rejected:
            for item in range(count) if count else [WHOLE]:
                staging.reject(0, line, item, rejected.reason)
            continue
        # Each parcel of another ledger is one by itself, be it told twice: the ledger knows it then.
        name = content.name if content.past is None else f"{content.name}\x1f{line}"
        number, _ = staging.find(name) or staging.add_order(name, content)
        for item, values in enumerate(items):
            _add_line(staging, number, line, item, partial(line_from_json, values))


def _add_line(staging: Staging[ParcelContent], number: int, line: int, item: int, read: Callable[[], Line]) -> None:
    """A parcel is taken whole or not at all: with one row of it, all are rejected."""
    try:
        staging.add_line(number, line, item, read())
    except Rejected as rejected:
        staging.reject(0, line, item, rejected.reason)
        staging.refuse(number, ROW_REJECTED)


def _parcel(record: dict[str, Any] | None) -> ParcelContent:
    if record is None:
        raise Rejected(NOT_JSON)
    past = past_of(record)
    if past is None and record.get("status") == "cancelled":
        raise Rejected(CANCELLED)
    order = record.get("order_id", record.get("reference"))
    if isinstance(order, str):
        order = order_name(order)
    elif not isinstance(order, int) or isinstance(order, bool) or not 0 < order <= ID_MAX:
        raise Rejected(_NO_ORDER)
    number, url, carrier = (record.get(name) or "" for name in ("tracking_number", "tracking_url", "carrier"))
    for text, name in ((number, "tracking_number"), (url, "tracking_url"), (carrier, "carrier")):
        if not isinstance(text, str):
            raise Rejected(f"the {name} is not a text")
    tracking = tracking_of(tracking_number(number), url, carrier)
    return ParcelContent(order, tracking, id=None if past is None else past.id, past=past)
