"""Columns are recognised by their names, --map tells them, and what cannot be recognised is asked for."""

from pathlib import Path

import pytest

from shipledger.importing.columns import FIELDS, lay_out, read_mapping
from shipledger.importing.order_files import open_order_files
from shipledger.importing.reading import Unreadable
from tests.importing.imports import import_files, import_text, ledger_orders, order_lines, order_row, run


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ("Order ID,SKU,Qty,Item name", {"order": 0, "sku": 1, "quantity": 2, "title": 3}),
        ("InvoiceNo,StockCode,Description,Quantity", {"order": 0, "sku": 1, "title": 2, "quantity": 3}),
        ("SalesOrderNumber,SalesOrderID,OrderQty,ProductID", {"order": 1, "quantity": 2, "sku": 3}),
        ("product_id,sku,order_number,quantity_ordered", {"sku": 1, "order": 2, "quantity": 3}),
        ("reference,sku,quantity", {"order": 0, "sku": 1, "quantity": 2}),
        ("order-id,reference,sku,quantity", {"order": 0, "reference": 1, "sku": 2, "quantity": 3}),
        ("name,sku,quantity,order", {"sku": 1, "quantity": 2, "order": 3}),
        ("Name,Id,Lineitem sku,Lineitem quantity,Source", {"order": 0, "id": 1, "sku": 2, "quantity": 3, "channel": 4}),
        (
            "order,shipName,ShipTo Street,Delivery postcode,recipient_city",
            {
                "order": 0,
                "shipping_address.name": 1,
                "shipping_address.address1": 2,
                "shipping_address.zip": 3,
                "shipping_address.city": 4,
            },
        ),
        ("orderID,requiredDate,ShipMethod,e-mail", {"order": 0, "deliver_by": 1, "shipping_service": 2, "email": 3}),
    ],
)
def test_columns_are_recognised_by_their_names(columns: str, found: dict[str, int]) -> None:
    assert lay_out(columns.split(","), {}, tuple(FIELDS)).places == found


def test_the_map_goes_over_what_is_recognised(tmp_path: Path) -> None:
    text = "Bestellung,Artikel,Menge,sku,title\n7,A-1,3,ignored,also\n"
    import_text(tmp_path, text, maps=["order_id=Bestellung", "sku=Artikel", "quantity=menge", "title="])
    assert order_lines(tmp_path / "ledger.db", "7") == [("A-1", 3, None)]


def test_parts_of_the_address_can_be_mapped(tmp_path: Path) -> None:
    import_text(tmp_path, "order,sku,quantity,Ort\n7,A,1,Kiel\n", maps=["shipping_address.city=Ort"])
    assert order_row(tmp_path / "ledger.db", "7", "shipping_address") == '{"city":"Kiel"}'


@pytest.mark.parametrize(
    ("maps", "says"),
    [
        (["sku"], "--map takes field=column"),
        (["colour=x"], "--map takes field=column, where field is one of: order, id"),
        (["sku=Nummer"], "no file has a column Nummer. There are: a, b, c"),
    ],
)
def test_a_wrong_map_is_refused(tmp_path: Path, maps: list[str], says: str) -> None:
    file = tmp_path / "orders.csv"
    file.write_text("a,b,c\n", encoding="utf-8")
    with pytest.raises(Unreadable, match=says):
        open_order_files(file, None, maps)


def test_a_column_that_is_not_recognised_is_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text("order,Artikel,quantity\n1,A,1\n", encoding="utf-8")
    done = run(tmp_path / "ledger.db", file)
    assert done.returncode == 2
    assert "no column was recognised as sku. Its columns are: order, Artikel, quantity." in done.stderr
    assert "--map 'sku=Artikel'" in done.stderr


def test_it_says_what_it_reads_and_what_it_does_not(tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text("order,sku,quantity,colour\n1,A,1,red\n", encoding="utf-8")
    assert "order = order, sku = sku, quantity = quantity; not used: colour" in run(tmp_path / "l.db", file).stderr


@pytest.mark.parametrize(
    ("number", "order_id"),
    [
        ("1001", 1001),
        ("#1001", None),
        ("AMZ-112-4410921", None),
        ("007", None),
        ("0", None),
        (str(2**63 - 1), 2**63 - 1),
        (str(2**63), None),
        ("1e3", None),
        ("١٢٣", None),
    ],
)
def test_a_purely_numeric_number_is_the_id_and_the_reference(tmp_path: Path, number: str, order_id: int | None) -> None:
    import_text(tmp_path, f"order,sku,quantity\n{number},A,1\n")
    stored = order_row(tmp_path / "ledger.db", number, "id")
    assert stored == order_id if order_id else stored >= 10**15


def test_lines_of_an_order_may_lie_anywhere(tmp_path: Path) -> None:
    rows = "".join(f"{n % 3},SKU-{n},{n}\n" for n in range(1, 10))
    assert import_text(tmp_path, f"order,sku,quantity\n{rows}").orders_taken == 3
    assert order_lines(tmp_path / "ledger.db", "1") == [("SKU-1", 1, None), ("SKU-4", 4, None), ("SKU-7", 7, None)]


def test_the_first_row_of_an_order_speaks_for_it(tmp_path: Path) -> None:
    import_text(tmp_path, "order,sku,quantity,email\n1,A,1,a@example.com\n1,B,1,\n1,C,1,c@example.com\n")
    assert order_row(tmp_path / "ledger.db", "1", "email") == "a@example.com"


def test_headers_and_lines_are_joined(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("OrderID,email\n1,a@example.com\n2,\n2,\n3,\n", encoding="utf-8")
    (tmp_path / "lines.tsv").write_text("OrderID\tSKU\tQty\n2\tB\t1\n1\tA\t1\n4\tD\t1\n2\tC\t0\n", encoding="utf-8")
    imported = import_files(tmp_path / "ledger.db", tmp_path / "orders.csv", tmp_path / "lines.tsv")
    assert set(ledger_orders(tmp_path / "ledger.db")) == {"1", "2"}
    assert imported.reasons == {
        "an earlier row of the orders file has this order number": 1,
        "no row of the orders file has this order number": 1,
        "the order has no line that could be taken": 1,
        "the quantity is below 1": 1,
    }
    assert (imported.rows, imported.taken) == (8, 4)


def test_a_map_is_read_by_the_name_of_its_field() -> None:
    assert read_mapping(["order_number=Nr", " sku = Art.-Nr. "]) == {"order": "Nr", "sku": "Art.-Nr."}
