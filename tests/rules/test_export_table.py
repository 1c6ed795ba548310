"""Exports as tables: columns that stay, and no cell that a spreadsheet takes for a formula."""

import csv
import io
from typing import Any

import pytest

from shipledger import export_table
from shipledger.document import fulfillment_document, order_document
from shipledger.export_table import ExportTable, importable_order
from shipledger.fulfillment import FulfilledLine, Fulfillment, FulfillmentStatus, Tracking
from shipledger.order import Order, OrderContent, OrderLine
from tests.rules.desk import NOON

OF_ORDERS = """
    order_id reference status on_hold hold_reason channel email shipping_service ship_by deliver_by created_at
    cancelled_at shipping_address metadata sku title partner ordered fulfilled cancelled remaining
"""


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        (export_table.ORDERS, OF_ORDERS),
        (
            export_table.FULFILLMENTS,
            "fulfillment_id order_id status tracking_number carrier tracking_url created_at sku quantity",
        ),
        (export_table.EVENTS, "event_id type created_at order_id sequence actor key_id request_id data"),
    ],
)
def test_columns_stay_as_they_are(table: ExportTable, columns: str) -> None:
    assert list(table.columns)[: len(columns.split())] == columns.split(), "new ones come last"
    assert rows(table.header()) == [list(table.columns)]


@pytest.mark.parametrize(
    ("number", "cell"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+491701234567", "'+491701234567"),
        ("-1", "'-1"),
        ("@SUM(1+1)", "'@SUM(1+1)"),
        ("\tTAB", "'\tTAB"),
        ("\rCR", "'\rCR"),
        ("\nLF", "'\nLF"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("1Z=1", "1Z=1"),
        ("'=1", "'=1"),
        ("", ""),
        ('a,"b"', 'a,"b"'),
    ],
)
def test_no_cell_is_taken_for_a_formula(number: str, cell: str) -> None:
    made = Fulfillment(
        7, 1, FulfillmentStatus.CREATED, Tracking(number), NOON, "operator", (FulfilledLine(0, number, 2),)
    )
    (row,) = rows(export_table.FULFILLMENTS.text([fulfillment_document(made)]))
    assert row == ["7", "1", "created", cell, "", "", "2024-04-30T12:00:00Z", cell, "2"]


def test_an_order_is_a_row_a_line() -> None:
    first, second = rows(export_table.ORDERS.text([sample_order()]))
    assert first[:14] == second[:14]
    assert first[:5] == ["1", "#1", "unfulfilled", "true", ""]
    assert first[8] == "2024-04-30T12:00:00.000001Z"
    assert first[12:14] == ['{"city":"Köln"}', ""]
    assert [first[14:], second[14:]] == [
        ["A", "", "", "2", "0", "0", "2"],
        ["'=B", "'=1+1", "acme", "3", "0", "0", "3"],
    ]


def test_an_exported_order_can_be_imported() -> None:
    assert [line["quantity"] for line in importable_order(sample_order())["line_items"]] == [2, 3]


def sample_order() -> dict[str, Any]:
    lines = [OrderLine(1, 0, "A", 2), OrderLine(1, 1, "=B", 3, partner="acme", title="=1+1")]
    content = OrderContent(1, (), "#1", shipping_address={"city": "Köln"}, ship_by=NOON + 1)
    return order_document(Order(1, "#1", 5, on_hold=True, lines=lines), content, NOON)


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))
