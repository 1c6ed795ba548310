"""Orders as JSON: our own, rows, and what Shopify and WooCommerce write; and Shopify's export as CSV."""

import json
from pathlib import Path
from typing import Any

import pytest

from shipledger.importing.order_files import open_order_files
from shipledger.importing.reading import Unreadable
from tests.importing.imports import counts, import_files, ledger_orders, order_lines, order_row, run_json

OWN = {
    "id": 7,
    "reference": "#7",
    "email": "a@example.com",
    "deliver_by": "2024-04-30",
    "metadata": {"gift": True},
    "line_items": [
        {"sku": 730143, "quantity": 2.0, "title": "Cable"},
        {"sku": "CAP", "quantity": 1, "partner": "acme"},
    ],
}


def imported_json(folder: Path, value: Any, name: str = "orders.json") -> Any:
    text = value if isinstance(value, str) else json.dumps(value)
    (folder / name).write_text(text, encoding="utf-8")
    return import_files(folder / "ledger.db", folder / name)


@pytest.mark.parametrize(
    "value",
    [
        OWN,
        [OWN],
        {"orders": [OWN]},
        {"order": OWN},
        json.dumps(OWN) + "\n" + json.dumps({**OWN, "id": 8, "reference": "#8"}) + "\n",
        "\ufeff" + json.dumps(OWN, indent=2),
    ],
    ids=["object", "array", "orders", "order", "ndjson", "indented with a byte order mark"],
)
def test_our_own_orders_are_read_from_every_wrapping(tmp_path: Path, value: Any) -> None:
    assert imported_json(tmp_path, value).reasons == {}
    assert order_row(tmp_path / "ledger.db", "#7", "id") == 7
    assert order_lines(tmp_path / "ledger.db", "#7") == [("730143", 2, "Cable"), ("CAP", 1, None)]
    assert order_row(tmp_path / "ledger.db", "#7", "metadata") == '{"gift":true}'


def test_one_order_a_file_of_lines_is_told_by_its_name(tmp_path: Path) -> None:
    imported_json(tmp_path, OWN, "one.ndjson")
    assert set(ledger_orders(tmp_path / "ledger.db")) == {"#7"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": None, "reference": None}, "no order number"),
        ({"id": True}, "the order's id is not an integer from 1 to 9223372036854775807"),
        ({"id": 2**63}, "the order's id is not an integer from 1 to 9223372036854775807"),
        ({"reference": "x" * 256}, "reference must have at most 255 characters"),
        ({"email": 5}, "email must be a text"),
        ({"ship_by": "soon"}, "ship_by is not a date (write 2024-04-30, or 2024-04-30T12:00:00Z)"),
        ({"metadata": []}, "metadata must be a JSON object"),
        ({"metadata": {"x": "\u0000"}}, "metadata must not hold the character U+0000"),
        ({"shipping_address": {"x": "y" * 16_384}}, "shipping_address must be at most 16384 bytes of JSON"),
        ({"line_items": {}}, "the order has no line that could be taken"),
        ({"line_items": "CAP"}, "line_items must be a list"),
    ],
)
def test_an_order_that_cannot_be_taken_is_rejected_whole(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    imported = imported_json(tmp_path, {**OWN, **change})
    assert set(imported.reasons) == {reason}
    assert (imported.taken, imported.orders_rejected) == (0, 1)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"quantity": 1}, "no sku"),
        ({"sku": None, "quantity": 1}, "no sku"),
        ({"sku": -1, "quantity": 1}, "the sku is not a text"),
        ({"sku": True, "quantity": 1}, "the sku is not a text"),
        ({"sku": "A", "quantity": "1"}, "the quantity is not a whole number"),
        ({"sku": "A", "quantity": True}, "the quantity is not a whole number"),
        ({"sku": "A", "quantity": 1.5}, "the quantity is not a whole number"),
        ({"sku": "A"}, "the quantity is not a whole number"),
        ({"sku": "A", "quantity": -1}, "the quantity is below 1"),
        ({"sku": "A", "quantity": 1, "title": 5}, "the title is not a text"),
        ({"sku": "A", "quantity": 1, "partner": "No Name"}, "the partner is not a short name of a-z, 0-9, - and _"),
        ("A", "the line is not an object with sku and quantity"),
    ],
)
def test_a_line_that_cannot_be_taken_is_rejected_alone(tmp_path: Path, line: Any, reason: str) -> None:
    imported = imported_json(tmp_path, {**OWN, "line_items": [line, {"sku": "OK", "quantity": 1}]})
    assert imported.reasons == {reason: 1}
    assert order_lines(tmp_path / "ledger.db", "#7") == [("OK", 1, None)]


def test_the_same_order_twice_in_a_file_is_a_repetition_and_another_is_none(tmp_path: Path) -> None:
    other = {**OWN, "email": "b@example.com"}
    assert counts(imported_json(tmp_path, [OWN, OWN, other])) == (6, 2, 2, 2)


def test_rows_may_be_objects(tmp_path: Path) -> None:
    rows = [
        {"InvoiceNo": 536365, "StockCode": "85123A", "Quantity": 6, "Description": None},
        {"InvoiceNo": 536365, "StockCode": 71053, "Quantity": 6.0, "Description": "Lantern", "more": 1},
        {"InvoiceNo": "C536379", "StockCode": "D", "Quantity": -1},
        {"InvoiceNo": 536365, "StockCode": {"a": 1}, "Quantity": 1},
    ]
    imported = imported_json(tmp_path, "\n".join(json.dumps(row) for row in rows), "rows.ndjson")
    assert counts(imported) == (4, 2, 0, 2)
    assert order_lines(tmp_path / "ledger.db", "536365") == [("85123A", 6, None), ("71053", 6, "Lantern")]


def test_whole_orders_take_no_map_and_no_file_of_lines(tmp_path: Path) -> None:
    file = tmp_path / "orders.json"
    file.write_text(json.dumps(OWN), encoding="utf-8")
    for lines, maps in ((file, ()), (None, ("sku=sku",))):
        with pytest.raises(Unreadable, match="neither --lines nor --map"):
            open_order_files(file, lines, maps)


SHOPIFY_EXPORT = """\
Name,Email,Financial Status,Created at,Shipping Method,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,\
Shipping Name,Shipping Street,Shipping Address1,Shipping City,Shipping Zip,Shipping Country,Cancelled at,Id,Source
#1001,bob@example.com,paid,2024-04-30 10:00:00 -0400,Standard,2,Mug - Blue,5.00,MUG-BLUE,\
Bob Norman,Chestnut 92,Chestnut 92,Louisville,'40202,US,,450789469,web
#1001,bob@example.com,,,,1,Tee,9.00,TEE-M,,,,,,,,,
#1002,eve@example.com,refunded,2024-05-01 10:00:00 -0400,Standard,1,Cap,9.00,CAP,\
Eve,Elm 1,Elm 1,Boston,'02110,US,2024-05-02 10:00:00 -0400,450789470,web
#1002,eve@example.com,,,,1,Tee,9.00,TEE-M,,,,,,,,,
#1003,ann@example.com,paid,2024-05-03 10:00:00 -0400,Standard,1,Gift, card,9.00,,\
Ann,Elm 2,Elm 2,Boston,'02110,US,,450789471,web
#1003,ann@example.com,,,,1,Tee,9.00,TEE-M,,,,,,,,,
#1004,joe@example.com,paid,2024-05-03 10:00:00 -0400,Standard,1,No sku,9.00,,Joe,E 2,E 2,Boston,1,US,,450789472,web
#1004,joe@example.com,,,,1,Tee,9.00,TEE-M,,,,,,,,,
"""


def test_shopifys_export_is_recognised(tmp_path: Path) -> None:
    """The first row of an order says what the later ones leave blank, also where its own line cannot be taken."""
    (tmp_path / "export.csv").write_text(SHOPIFY_EXPORT, encoding="utf-8")
    imported = import_files(tmp_path / "ledger.db", tmp_path / "export.csv")
    assert imported.reasons == {
        "the order is cancelled": 2,
        "another number of fields than the header has (is a text with the delimiter in it not quoted?)": 2,
        "no sku": 1,
    }
    assert set(ledger_orders(tmp_path / "ledger.db")) == {"#1001", "#1004"}
    assert order_lines(tmp_path / "ledger.db", "#1001") == [("MUG-BLUE", 2, "Mug - Blue"), ("TEE-M", 1, "Tee")]
    order = ledger_orders(tmp_path / "ledger.db")["#1001"]
    assert order_row(tmp_path / "ledger.db", "#1001", "id") == 450789469
    assert order[4:8] == (
        "web",
        "bob@example.com",
        '{"name":"Bob Norman","address1":"Chestnut 92","city":"Louisville","zip":"40202","country":"US"}',
        "Standard",
    )
    assert order_row(tmp_path / "ledger.db", "#1001", "metadata") == '{"ordered_at":"2024-04-30T14:00:00Z"}'
    assert order_row(tmp_path / "ledger.db", "#1004", "email") == "joe@example.com"


def test_shopifys_order_keeps_what_it_says(shared_data: Path, tmp_path: Path) -> None:
    _, report = run_json(
        tmp_path / "ledger.db", shared_data / "shopify/pyapi_order.json", "--rejects", tmp_path / "rejects.ndjson"
    )
    assert report["orders"]["taken"] == 1
    ledger = tmp_path / "ledger.db"
    assert order_row(ledger, "#1001", "id") == 450789469
    assert order_row(ledger, "#1001", "email") == "bob.norman@hostmail.com"
    assert order_row(ledger, "#1001", "metadata") == '{"ordered_at":"2008-01-10T16:00:00Z"}'
    assert json.loads(order_row(ledger, "#1001", "shipping_address"))["city"] == "Louisville"
    assert order_lines(ledger, "#1001")[0][:2] == ("IPOD2008GREEN", 1)


def test_woocommerces_order_keeps_what_it_says(shared_data: Path, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.db"
    run_json(ledger, shared_data / "woocommerce/order_02.json", "--rejects", tmp_path / "rejects.ndjson")
    assert order_row(ledger, "727", "id") == 727
    assert order_row(ledger, "727", "email") == "john.doe@example.com"
    assert order_row(ledger, "727", "metadata") == '{"ordered_at":"2017-03-22T19:28:02Z"}'
    assert order_row(ledger, "727", "shipping_service") == "Flat Rate"
    assert order_lines(ledger, "727") == [("Bar3", 1, "Ship Your Idea &ndash; Color: Black, Size: M Test")]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("cancelled", "the order is cancelled"),
        ("refunded", "the order is refunded"),
        ("failed", "the order is failed"),
        ("trash", "the order is in the trash"),
        ("processing", None),
        ("completed", None),
    ],
)
def test_woocommerces_orders_that_are_not_to_be_shipped(tmp_path: Path, status: str, reason: str | None) -> None:
    order = {"id": 1, "number": "1", "order_key": "wc_1", "status": status, "line_items": OWN["line_items"]}
    assert imported_json(tmp_path, order).reasons == ({} if reason is None else {reason: 2})
