"""Nothing is dropped in silence: what is not taken lies in the rejects as it was sent, with its line and the reason."""

import csv
import json
from pathlib import Path

import pytest

from shipledger.importing.reading import Unreadable
from shipledger.importing.staging import Staging
from tests.importing.imports import counts, import_files, import_text, order_lines

HIDDEN = "must not hold control, zero-width or direction characters"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,,1", "no sku"),
        ("1,NULL,1", "no sku"),
        ("1,  ,1", "no sku"),
        ("1," + "x" * 256 + ",1", "the sku must have at most 255 characters"),
        ("1,A\u202eB,1", f"the sku {HIDDEN}"),
        ("1,A\u200bB,1", f"the sku {HIDDEN}"),
        ("1,A,0", "the quantity is below 1"),
        ("1,A,-3", "the quantity is below 1"),
        ("1,A,-0.0", "the quantity is below 1"),
        ("1,A,1000000001", "the quantity is above 1000000000"),
        ("1,A,1.5", "the quantity is not a whole number"),
        ("1,A,one", "the quantity is not a whole number"),
        ("1,A,", "the quantity is not a whole number"),
        ("1,A,1e2", "the quantity is not a whole number"),
        ("1,A,٣", "the quantity is not a whole number"),
        ("1,A," + "9" * 5_000, "the quantity is not a whole number"),
        (",A,1", "no order number"),
        ("NULL,A,1", "no order number"),
        ("x" * 256 + ",A,1", "the order number must have at most 255 characters"),
        ("#1\u200b,A,1", f"the order number {HIDDEN}"),
        ("1,A", "another number of fields than the header has (is a text with the delimiter in it not quoted?)"),
        ("1,A,1,", "another number of fields than the header has (is a text with the delimiter in it not quoted?)"),
    ],
)
def test_a_row_that_cannot_be_taken_is_kept_as_it_was_sent(tmp_path: Path, row: str, reason: str) -> None:
    imported = import_text(tmp_path, f"order,sku,quantity\n9,OK,1\n{row}\n9,OK-2,1\n")
    assert imported.reasons == {reason: 1}
    assert counts(imported) == (3, 2, 0, 1)
    assert imported.rejects == [tmp_path / "orders.csv.rejects.csv"]
    kept = imported.rejects[0].read_text(encoding="utf-8")
    assert kept == f'rejected_line,rejected_reason,order,sku,quantity\n3,"{reason}",{row}\n'


@pytest.mark.parametrize("quantity", ["6", " 6 ", "6.0", "+6", "006", "6.00"])
def test_a_whole_number_may_be_written_as_spreadsheets_do(tmp_path: Path, quantity: str) -> None:
    import_text(tmp_path, f"order,sku,quantity\n1,A,{quantity}\n")
    assert order_lines(tmp_path / "ledger.db", "1") == [("A", 6, None)]


def test_a_rejected_line_does_not_take_its_order_along(tmp_path: Path) -> None:
    imported = import_text(tmp_path, "order,sku,quantity\n1,A,0\n1,B,2\n2,A,0\n")
    assert (imported.orders_taken, imported.orders_rejected) == (1, 1)
    assert order_lines(tmp_path / "ledger.db", "1") == [("B", 2, None)]


def test_an_order_of_too_many_lines_is_rejected_whole(tmp_path: Path) -> None:
    rows = "".join(f"{order},SKU-{n},1\n" for order, lines in ((1, 2_000), (2, 2_001)) for n in range(lines))
    imported = import_text(tmp_path, f"order,sku,quantity\n{rows}")
    assert counts(imported) == (4_001, 2_000, 0, 2_001)
    assert imported.reasons == {"the order has more than 2000 lines": 2_001}


def test_an_order_of_too_much_of_a_sku_is_rejected_whole(tmp_path: Path) -> None:
    imported = import_text(tmp_path, "order,sku,quantity\n1,A,600000000\n1,A,400000001\n2,A,600000000\n2,A,400000000\n")
    assert imported.reasons == {"the quantities of one sku add up to more than 1000000000": 2}
    assert imported.orders_taken == 1


@pytest.mark.parametrize(("column", "number"), [("InvoiceNo", "C536365"), ("invoice_number", "C1")])
def test_cancellation_invoices_are_not_applied(tmp_path: Path, column: str, number: str) -> None:
    imported = import_text(tmp_path, f"{column},sku,quantity\n{number},A,1\n{number},B,-1\n")
    assert imported.reasons == {"a cancellation invoice": 2}


@pytest.mark.parametrize(("column", "number"), [("order", "C536365"), ("InvoiceNo", "CHF-1"), ("InvoiceNo", "CA12")])
def test_an_order_that_begins_with_c_is_no_cancellation(tmp_path: Path, column: str, number: str) -> None:
    assert import_text(tmp_path, f"{column},sku,quantity\n{number},A,1\n").reasons == {}


def test_another_order_under_the_same_number_is_not_taken(tmp_path: Path) -> None:
    import_text(tmp_path, "order,sku,quantity\n1,A,1\n2,B,1\n")
    imported = import_text(tmp_path, "order,sku,quantity\n1,A,2\n1,C,2\n2,B,1\n")
    assert imported.reasons == {"the ledger has another order with this number": 2}
    assert counts(imported) == (3, 0, 1, 2)
    assert order_lines(tmp_path / "ledger.db", "1") == [("A", 1, None)]


def test_rejects_that_were_mended_can_be_imported(tmp_path: Path) -> None:
    imported = import_text(tmp_path, "order;sku;quantity;title\n1;A;1;Tea; green\n2;B;1;x\n")
    mended = tmp_path / "mended.csv"
    mended.write_text(imported.rejects[0].read_text(encoding="utf-8").replace("Tea; green", '"Tea; green"'), "utf-8")
    assert counts(import_files(tmp_path / "ledger.db", mended)) == (1, 1, 0, 0)
    assert order_lines(tmp_path / "ledger.db", "1") == [("A", 1, "Tea; green")]


def test_rejects_keep_encoding_line_ends_and_rows_of_several_lines(tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_bytes('order,sku,quantity,title\r\n1,Ä,0,"two\r\nlines"\r\n1,Ö,1,x\r\n1,Ü,0,last'.encode("utf-16"))
    (rejects,) = import_files(tmp_path / "ledger.db", file).rejects
    assert rejects.read_bytes().decode("utf-16") == (
        "rejected_line,rejected_reason,order,sku,quantity,title\r\n"
        '2,"the quantity is below 1",1,Ä,0,"two\r\nlines"\r\n'
        '5,"the quantity is below 1",1,Ü,0,last\r\n'
    )


def test_there_is_no_rejects_file_where_nothing_was_rejected(tmp_path: Path) -> None:
    import_text(tmp_path, "order,sku,quantity\n1,A,0\n")
    assert (tmp_path / "orders.csv.rejects.csv").exists()
    imported = import_text(tmp_path, "order,sku,quantity\n1,A,1\n")
    assert imported.rejects == []
    assert not (tmp_path / "orders.csv.rejects.csv").exists(), "those of the run before"


def test_rejects_are_never_written_over_another_file(tmp_path: Path) -> None:
    (tmp_path / "notes.csv").write_text("mine", encoding="utf-8")
    for name in ("notes.csv", "orders.csv", "no-such-folder/rejects.csv"):
        with pytest.raises(Unreadable, match="rejects"):
            import_text(tmp_path, "order,sku,quantity\n1,A,0\n", rejects=tmp_path / name)
    assert (tmp_path / "notes.csv").read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "ledger.db").exists()


def test_rejects_of_objects_are_objects(tmp_path: Path) -> None:
    order = {
        "reference": "A",
        "line_items": [{"sku": "X", "quantity": 0}, {"sku": "Y", "quantity": 1}, {"quantity": 1}],
    }
    file = tmp_path / "orders.ndjson"
    file.write_text(json.dumps(order) + "\nnot json\n\n" + json.dumps({"line_items": []}) + "\n", encoding="utf-8")
    imported = import_files(tmp_path / "ledger.db", file)
    assert counts(imported) == (5, 1, 0, 4)
    assert [json.loads(line) for line in imported.rejects[0].read_text(encoding="utf-8").splitlines()] == [
        {
            "rejected_line": 1,
            "rejected_reason": "the quantity is below 1",
            **order,
            "line_items": [order["line_items"][0]],
        },
        {"rejected_line": 1, "rejected_reason": "no sku", **order, "line_items": [order["line_items"][2]]},
        {"rejected_line": 2, "rejected_reason": "not a JSON object", "text": "not json"},
        {
            "rejected_line": 4,
            "rejected_reason": "the order has no line that could be taken",
            "line_items": [],
        },
    ]


def imbalances(folder: Path) -> list[str]:
    """What is wrong with the balance of an import: each row is to be in the ledger or in the rejects."""
    rows = [f"{n % 40},SKU-{n},{n % 7 - 1},title {n}" + (",x" if n % 11 == 0 else "") for n in range(500)]
    imported = import_text(folder, "order,sku,quantity,title\n" + "\n".join(rows) + "\n")
    rejected = set()
    for path in imported.rejects:
        with path.open(encoding="utf-8", newline="") as file:
            rejected |= {row[3] for row in list(csv.reader(file))[1:]}
    taken = {sku for n in range(40) for sku, *_ in order_lines(folder / "ledger.db", str(n))}
    found = [f"{sku} is nowhere" for sku in {f"SKU-{n}" for n in range(500)} - taken - rejected]
    found += [f"{sku} is in both" for sku in taken & rejected]
    if (500, len(taken), len(rejected)) != (imported.rows, imported.taken, imported.rejected):
        found.append(f"{len(taken)} taken and {len(rejected)} rejected are told as {counts(imported)}")
    return found


def test_every_row_is_in_the_ledger_or_in_the_rejects(tmp_path: Path) -> None:
    assert imbalances(tmp_path) == []


def test_a_row_that_is_dropped_in_silence_would_be_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Staging, "reject", lambda *_: None)
    assert len(imbalances(tmp_path)) > 100
