"""Which column of a table is which field: guessed from the names that other programs use, or told by --map."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from shipledger.importing.reading import Unreadable

_SHIP_TO = ("ship", "shipping", "shipto", "delivery", "recipient")


def _ship_to(*parts: str) -> tuple[str, ...]:
    return tuple(prefix + part for part in parts for prefix in _SHIP_TO)


ORDER_NUMBERS = (
    *("orderid", "ordernumber", "orderno", "ordernr", "ordernum", "salesorderid", "salesordernumber"),
    *("amazonorderid", "invoiceno", "invoicenumber", "invoiceid", "orderreference", "ordername", "order", "invoice"),
)
FIELDS: dict[str, tuple[str, ...]] = {
    "order": (*ORDER_NUMBERS, "reference"),
    "id": (),
    "reference": ("reference", "orderreference"),
    "sku": (
        *("sku", "lineitemsku", "itemsku", "productsku", "sellersku", "variantsku", "stockcode", "itemcode"),
        *("itemnumber", "itemno", "articlenumber", "articleno", "productcode", "partnumber", "partno"),
        *("productid", "itemid", "articleid"),
    ),
    "quantity": (
        *("quantity", "qty", "lineitemquantity", "orderqty", "orderquantity", "quantityordered", "qtyordered"),
        *("orderedquantity", "itemquantity", "quantitypurchased", "units"),
    ),
    "title": (
        *("title", "lineitemname", "description", "productname", "itemname", "producttitle", "itemtitle"),
        *("productdescription", "itemdescription"),
    ),
    "partner": ("partner", "fulfillmentpartner"),
    "email": ("email", "emailaddress", "customeremail", "buyeremail", "contactemail"),
    "channel": ("channel", "saleschannel", "marketplace"),
    "ship_by": ("shipby", "shipbydate", "latestshipdate", "dispatchby"),
    "deliver_by": (
        *("deliverby", "deliverbydate", "requireddate", "duedate", "latestdeliverydate", "promiseddate", "promisedate"),
    ),
    "ordered_at": (
        *("orderedat", "orderdate", "dateordered", "purchasedate", "invoicedate", "createdat", "datecreated"),
    ),
    "shipping_service": (
        *("shippingservice", "shipmethod", "shippingmethod", "shipvia", "shipservicelevel", "deliverymethod"),
    ),
    "cancelled": ("cancelledat", "canceledat"),
    "shipping_address.name": _ship_to("name"),
    "shipping_address.company": _ship_to("company"),
    "shipping_address.address1": _ship_to("address1", "addressline1", "street", "address"),
    "shipping_address.address2": _ship_to("address2", "addressline2"),
    "shipping_address.city": _ship_to("city"),
    "shipping_address.province": _ship_to("province", "region", "state"),
    "shipping_address.zip": _ship_to("zip", "postalcode", "postcode", "zipcode"),
    "shipping_address.country": _ship_to("country", "countrycode"),
    "shipping_address.phone": _ship_to("phone", "phonenumber"),
}
LINE_FIELDS = ("sku", "quantity", "title", "partner")
SPELLINGS = {"order_id": "order", "order_number": "order", "order_reference": "reference"}
"""What else --map may call a field."""

_SHOPIFY = {"order": ("name",), "id": ("id",), "channel": ("source",)}
"""How Shopify's order export names what elsewhere means something else. It is known by its columns "Lineitem ..."."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where in a row each field is. `is_shopify`: only the first row of an order speaks for the order.

    `is_export`: it is a table of ours (`export_table.py`), whose cells are read as they were written.
    """

    places: dict[str, int]
    columns: Sequence[str]
    is_shopify: bool = False
    unused: list[str] = field(default_factory=list)
    is_export: bool = False

    @property
    def has_invoices(self) -> bool:
        """Whether orders are numbered as invoices, of which those that begin with C are cancellations."""
        return "order" in self.places and plain(self.columns[self.places["order"]]).startswith("invoice")

    def described(self) -> str:
        """Which field was read from which column."""
        return ", ".join(f"{name} = {self.columns[place]}" for name, place in self.places.items())


def plain(name: str) -> str:
    """A column's name without case, spaces and signs."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


Fields = Mapping[str, tuple[str, ...]]
"""What may be read, and the plain names of columns that each is recognised by, the likeliest first."""


def read_mapping(
    texts: Sequence[str], fields: Fields = FIELDS, spellings: Mapping[str, str] = SPELLINGS
) -> dict[str, str]:
    """The texts of --map, `field=column`, by field. Raises Unreadable."""
    mapping = {}
    for text in texts:
        name, separator, column = text.partition("=")
        name = spellings.get(name.strip(), name.strip())
        if not separator or name not in fields:
            raise Unreadable(f"--map takes field=column, where field is one of: {', '.join(fields)}.")
        mapping[name] = column.strip()
    return mapping


def lay_out(
    columns: Sequence[str], mapping: Mapping[str, str], wanted: Sequence[str], fields: Fields = FIELDS
) -> Layout:
    """Find the wanted fields among the columns. A field mapped to nothing is not looked for."""
    known = {plain(column): place for place, column in reversed(list(enumerate(columns)))}
    is_shopify = "name" in known and any(name.startswith("lineitem") for name in known)
    places = {}
    for name in wanted:
        if name in mapping:
            place = _mapped(columns, mapping[name])
        else:
            synonyms = (*(_SHOPIFY.get(name, ()) if is_shopify else ()), *fields[name])
            place = next((known[synonym] for synonym in synonyms if synonym in known), None)
        if place is not None:
            places[name] = place
    if "order" in places and places.get("reference") == places["order"]:
        del places["reference"]
    unused = [column for place, column in enumerate(columns) if place not in places.values()]
    return Layout(places, columns, is_shopify, unused)


def export_layout(columns: Sequence[str], fields: Mapping[str, str]) -> Layout:
    """Where the fields of a table of ours are, of which each has a column of a known name."""
    places = {field_name: columns.index(column) for field_name, column in fields.items()}
    unused = [column for column in columns if column not in fields.values()]
    return Layout(places, columns, unused=unused, is_export=True)


def require_columns_of_mapping(mapping: Mapping[str, str], *tables: Sequence[str]) -> None:
    """Raise Unreadable where --map names a column that no file has."""
    for name, column in mapping.items():
        if column and all(_mapped(columns, column) is None for columns in tables):
            shown = "; ".join(", ".join(columns) for columns in tables)
            raise Unreadable(f"--map {name}={column}: no file has a column {column}. There are: {shown}.")


def require_fields(layout: Layout, needed: Sequence[str], path: str, *, may_have_lines: bool = True) -> None:
    """Raise Unreadable where a needed field has no column; says which columns there are, and how to tell.

    `may_have_lines` says whether another file may hold the lines.
    """
    missing = [name for name in needed if name not in layout.places]
    if missing:
        example = f"--map '{missing[0]}={layout.unused[0] if layout.unused else layout.columns[0]}'"
        raise Unreadable(
            f"{path}: no column was recognised as {' or '.join(missing)}. Its columns are: {', '.join(layout.columns)}."
            f" Say which it is, e.g. {example}"
            + (
                ", or name the file that has the lines with --lines FILE2."
                if "sku" in missing and may_have_lines
                else "."
            )
        )


def _mapped(columns: Sequence[str], column: str) -> int | None:
    if column in columns:
        return columns.index(column)
    return next((place for place, name in enumerate(columns) if column and plain(name) == plain(column)), None)
