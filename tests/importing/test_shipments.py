"""Fulfillments from files: rows of one order and tracking number are one fulfillment, once, in whatever file."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from shipledger import fulfilling
from shipledger.boot.ledgers import open_ledger
from shipledger.commit.batch import commit_batch
from shipledger.importing.parcel_files import open_parcel_file
from shipledger.importing.parcel_reasons import NO_ORDER, OTHER_QUANTITIES
from shipledger.importing.reading import Unreadable
from tests.commit.commands import NOW, ship
from tests.importing.imports import broken_invariants
from tests.importing.shipments import HEADER, import_shipments, ledger_with_orders, shipped, verdicts
from tests.storage.test_conformance import made_id


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    ledger_with_orders(tmp_path / "ledger.db")
    return tmp_path


def counts(folder: Path, text: str, **options: str) -> tuple[int, int, int, int]:
    imported = import_shipments(folder, text, **options)
    assert broken_invariants(folder / "ledger.db") == []
    return imported.rows, imported.taken, imported.repeated, imported.rejected


def test_rows_of_one_order_and_tracking_number_are_one_fulfillment_wherever_they_lie(folder: Path) -> None:
    rows = "#1,A,1,T1,UPS\n#2,A,1,T1,UPS\n#1,B,2,T1,UPS\n#1,A,1,T2,\n#1,A,1,T1,DHL\n"
    assert counts(folder, HEADER + rows) == (5, 5, 0, 0)
    assert [row[:2] + row[4:] for row in shipped(folder / "ledger.db")] == [
        (1, "T1", "A", 2),
        (1, "T1", "B", 2),
        (1, "T2", "A", 1),
        (2, "T1", "A", 1),
    ]


@pytest.mark.parametrize(
    "header",
    [
        "Order Number;Item No;Qty shipped;Tracking No;Carrier",
        "sales_order_number;SKU;Quantity;AWB;Courier",
        "Reference;Seller SKU;units;Consignment;tracking company",
        "order_id;sku;quantity;tracking_number;carrier",
    ],
)
def test_columns_are_guessed(folder: Path, header: str) -> None:
    assert counts(folder, f"{header}\n#1;A;1;T1;UPS\n") == (1, 1, 0, 0)
    assert shipped(folder / "ledger.db") == [(1, "T1", "UPS", "created", "A", 1)]


def test_columns_can_be_named(folder: Path) -> None:
    text = "Auftrag,Artikel,Menge,Sendung\n1,A,2,T1\n"
    maps = ("order=Auftrag", "sku=Artikel", "quantity=Menge", "tracking=Sendung")
    assert import_shipments(folder, text, maps=maps).taken == 1
    with pytest.raises(Unreadable, match="no column was recognised as order or sku"):
        import_shipments(folder, text)
    with pytest.raises(Unreadable, match="--map takes field=column"):
        import_shipments(folder, text, maps=("weight=Menge",))


def test_an_order_is_named_by_its_reference_or_else_by_its_id(folder: Path) -> None:
    assert counts(folder, HEADER + "1,A,1,T1,\n#2,A,1,T2,\n") == (2, 2, 0, 0)
    assert [row[0] for row in shipped(folder / "ledger.db")] == [1, 2]


def test_the_same_file_again_is_a_no_op(folder: Path) -> None:
    text = HEADER + "#1,A,1,T1,UPS\n#1,B,1,T1,UPS\n#2,A,1,T2,UPS\n"
    first = import_shipments(folder, text)
    before = shipped(folder / "ledger.db")
    again = import_shipments(folder, text)
    assert (first.taken, again.taken, again.repeated) == (3, 0, 3)
    assert (first.import_id, again.import_id) == (1, 1), "the same file is the same import"
    assert shipped(folder / "ledger.db") == before


def test_a_file_that_holds_some_of_the_same_records_the_rest(folder: Path) -> None:
    assert counts(folder, HEADER + "#1,A,1,T1,UPS\n#1,B,1,T1,UPS\n") == (2, 2, 0, 0)
    overlapping = HEADER + "#2,A,1,T2,UPS\n#1,B,1,T1,ups\n#1,A,1,T1,\n"
    assert counts(folder, overlapping, name="next.csv") == (3, 1, 2, 0)


@pytest.mark.parametrize("rows", ["#1,A,2,T1,\n", "#1,A,1,T1,\n#1,B,1,T1,\n", "#1,B,1,T1,\n", "1,A,2,T1,\n"])
def test_the_same_order_and_tracking_number_with_other_quantities_is_rejected(folder: Path, rows: str) -> None:
    import_shipments(folder, HEADER + "#1,A,1,T1,\n")
    imported = import_shipments(folder, HEADER + rows)
    assert imported.reasons == {OTHER_QUANTITIES: rows.count("\n")}


@pytest.mark.parametrize("name", ["#1", "1"])
def test_what_was_recorded_through_the_api_is_not_recorded_again(folder: Path, name: str) -> None:
    with closing(open_ledger(folder / "ledger.db")) as ledger:
        commit_batch(ledger, [ship(1, ("A", 1), ("B", 1), number="T1")], NOW)
    assert counts(folder, HEADER + f"{name},A,1,T1,\n{name},B,1,T1,\n") == (2, 0, 2, 0)
    assert import_shipments(folder, HEADER + f"{name},A,1,T1,\n").reasons == {OTHER_QUANTITIES: 1}


def test_without_that_rule_it_would_be(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fulfilling, "_parcel_of_a_file", lambda *asked: None)
    with closing(open_ledger(folder / "ledger.db")) as ledger:
        commit_batch(ledger, [ship(1, ("A", 1), number="T1")], NOW)
    assert counts(folder, HEADER + "#1,A,1,T1,\n") == (1, 1, 0, 0)


REJECTED = [
    ("#9,A,1,T,", NO_ORDER),
    ("#1,Z,1,T,", "the order has no line with this sku"),
    ("#1,A,6,T,", "more than what remains of this sku"),
    (",A,1,T,", "no order number"),
    ("#1,,1,T,", "no sku"),
    ("#1,A,0,T,", "the quantity is below 1"),
    ("#1,A,x,T,", "the quantity is not a whole number"),
    ("#1,A,1,,", "no tracking number"),
    ("#1,A,1,NULL,", "no tracking number"),
    ("#1,A,1,T\u200b,", "the tracking number must not hold control, zero-width or direction characters"),
    ("#1,A,1," + "x" * 256 + ",", "the tracking number must have at most 255 characters"),
    ("#1,A,1,T," + "x" * 256, "the carrier must have at most 255 characters"),
    ("#1,A,1,T", "another number of fields than the header has (is a text with the delimiter in it not quoted?)"),
]


@pytest.mark.parametrize(("row", "reason"), REJECTED)
def test_a_row_that_cannot_be_taken_comes_back_with_the_reason(folder: Path, row: str, reason: str) -> None:
    imported = import_shipments(folder, f"{HEADER}#2,A,1,OK,\n{row}\n")
    assert imported.reasons == {reason: 1}
    assert (imported.taken, imported.rejects) == (1, folder / "shipped.csv.rejects.csv")
    kept = (folder / "shipped.csv.rejects.csv").read_text(encoding="utf-8")
    assert kept == f'rejected_line,rejected_reason,{HEADER}3,"{reason}",{row}\n'


@pytest.mark.parametrize(("row", "reason"), REJECTED)
def test_a_dry_run_says_the_same_and_writes_nothing(folder: Path, row: str, reason: str) -> None:
    before = (folder / "ledger.db").read_bytes()
    assert verdicts(folder, f"{HEADER}#2,A,1,OK,\n{row}\n") == [(2, "taken", None), (3, "rejected", reason)]
    assert (folder / "ledger.db").read_bytes() == before
    assert not list(folder.glob("*rejects*"))


def test_a_parcel_is_taken_whole_or_not_at_all(folder: Path) -> None:
    imported = import_shipments(folder, HEADER + "#1,A,1,T1,\n#2,A,1,T2,\n#1,B,0,T1,\n#1,B,1,T1,\n")
    assert imported.reasons == {"another row of this parcel was rejected": 2, "the quantity is below 1": 1}
    assert (imported.taken, imported.parcels_taken, imported.parcels_rejected) == (1, 1, 1)
    mended = (folder / "shipped.csv.rejects.csv").read_text().replace("B,0", "B,2")
    assert import_shipments(folder, mended, name="mended.csv").taken == 3


def test_a_dry_run_knows_what_the_file_takes_before(folder: Path) -> None:
    text = HEADER + "#1,A,3,T1,\n#1,A,2,T2,\n#1,A,1,T3,\n"
    assert [verdict for _, verdict, _ in verdicts(folder, text)] == ["taken", "taken", "rejected"]
    import_shipments(folder, text)
    assert [verdict for _, verdict, _ in verdicts(folder, text)] == ["repeated", "repeated", "rejected"]


def test_a_dry_run_reads_a_ledger_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    ledger_with_orders(postgres_url)
    text = HEADER + "#1,A,3,T1,\n#1,A,3,T2,\n"
    assert [verdict for _, verdict, _ in verdicts(tmp_path, text, postgres_url)] == ["taken", "rejected"]
    imported = import_shipments(tmp_path, text, postgres_url)
    assert (imported.taken, imported.rejected, imported.import_id) == (1, 1, 1)
    assert [verdict for _, verdict, _ in verdicts(tmp_path, text, postgres_url)] == ["repeated", "rejected"]


def test_a_fulfillment_that_was_cancelled_is_not_imported(folder: Path) -> None:
    text = "order,sku,quantity,tracking number,status\n#1,A,1,T1,cancelled\n#1,A,1,T2,delivered\n"
    assert import_shipments(folder, text).reasons == {"the fulfillment is cancelled": 1}


def test_objects_are_whole_parcels(folder: Path) -> None:
    parcels = [
        {
            "order_id": 1,
            "tracking_number": "T1",
            "line_items": [{"sku": "A", "quantity": 1}, {"sku": "B", "quantity": 1}],
        },
        {"order_id": "#2", "tracking_number": "T2", "line_items": [{"sku": "A", "quantity": 1}], "carrier": "UPS"},
        {"order_id": 1.5, "tracking_number": "T3", "line_items": [{"sku": "A", "quantity": 1}]},
        {"order_id": 1, "tracking_number": 7, "line_items": [{"sku": "A", "quantity": 1}]},
        {"order_id": 1, "tracking_number": "T5", "line_items": []},
        {"order_id": 1, "tracking_number": "T6", "line_items": [{"sku": "A", "quantity": 1}], "status": "cancelled"},
    ]
    text = "".join(json.dumps(parcel) + "\n" for parcel in parcels)
    imported = import_shipments(folder, text, name="shipped.ndjson")
    assert (imported.rows, imported.taken, imported.rejected) == (7, 3, 4)
    assert [row[:2] + row[4:] for row in shipped(folder / "ledger.db")] == [
        (1, "T1", "A", 1),
        (1, "T1", "B", 1),
        (2, "T2", "A", 1),
    ]


def test_rows_as_objects_come_back_with_the_reason(folder: Path) -> None:
    row = {"order": "#9", "sku": "A", "quantity": 1, "tracking number": "T1"}
    imported = import_shipments(folder, json.dumps([row]), name="shipped.json")
    assert imported.rejects is not None
    reason = "the ledger has no order with this number"
    assert json.loads(imported.rejects.read_bytes()) == {"rejected_line": 1, "rejected_reason": reason, **row}


@pytest.mark.parametrize("text", ["", "order,sku\n", "{}", "no table", "[" * 100_000])
def test_what_is_no_file_of_shipments_is_unreadable(folder: Path, text: str) -> None:
    file = folder / "shipped.csv"
    file.write_text(text)
    with pytest.raises(Unreadable):
        open_parcel_file(file, ())


def test_what_was_cancelled_by_hand_does_not_come_back(folder: Path) -> None:
    """The key outlives the fulfillment, whose cancellation is a decision of its own."""
    text = HEADER + "#1,A,1,T1,\n"
    import_shipments(folder, text)
    with closing(open_ledger(folder / "ledger.db")) as ledger:
        (outcome,) = commit_batch(ledger, [ship(1, ("A", 1), number="T9")], NOW)
    assert made_id(outcome) == 2  # type: ignore[arg-type]
    with closing(open_ledger(folder / "ledger.db")) as ledger:
        ledger._connection.execute("UPDATE fulfillments SET status = 'cancelled' WHERE id = 1")  # type: ignore[attr-defined]
    assert import_shipments(folder, text).repeated == 1
