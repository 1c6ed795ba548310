"""The published data sets: each number of rows taken and rejected, again without a change, and through a server."""

from pathlib import Path

import pytest

from tests.importing.imports import broken_invariants, ledger_orders, order_row, run, run_json
from tests.importing.real_files import NO_ORDERS, NORTHWIND, REAL_FILES, RealFile
from tests.serving import running


def summary(said: RealFile, *, repeated: bool = False, rejects: list[str | None] | None = None) -> dict[str, object]:
    taken, orders = (0, 0) if repeated else (said.taken, said.orders)
    paths = rejects or [None]
    return {
        "rows": said.rows,
        "taken": taken,
        "repeated": said.taken - taken,
        "rejected": said.rows - said.taken,
        "orders": {"taken": orders, "repeated": said.orders - orders, "rejected": said.orders_rejected},
        "reasons": said.reasons,
        "rejects": paths[0],
        "more_rejects": paths[1:],
    }


def without_rejects(report: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in report.items() if "rejects" not in name}


@pytest.mark.parametrize("said", REAL_FILES, ids=str)
def test_every_row_is_counted_and_a_second_import_changes_nothing(
    shared_data: Path, tmp_path: Path, said: RealFile
) -> None:
    ledger, arguments = tmp_path / "ledger.db", said.copied(shared_data, tmp_path)
    status, report = run_json(ledger, *arguments)
    assert without_rejects(report) == without_rejects(summary(said))
    assert status == (1 if said.reasons else 0)
    recorded = ledger_orders(ledger)
    assert len(recorded) == said.orders

    status, report = run_json(ledger, *arguments)
    assert without_rejects(report) == without_rejects(summary(said, repeated=True))
    assert status == (1 if said.reasons else 0)
    assert ledger_orders(ledger) == recorded
    assert broken_invariants(ledger) == []


@pytest.mark.parametrize("name", NO_ORDERS)
def test_a_file_without_orders_is_said_to_be_one(shared_data: Path, tmp_path: Path, name: str) -> None:
    arguments = RealFile((name,), 0, 0, 0, 0).copied(shared_data, tmp_path)
    done = run(tmp_path / "ledger.db", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "holds no orders" in done.stderr or "no column was recognised as" in done.stderr
    assert not (tmp_path / "ledger.db").exists()


@pytest.mark.parametrize("said", REAL_FILES[:5], ids=str)
def test_through_a_server_the_ledger_is_the_same(shared_data: Path, tmp_path: Path, said: RealFile) -> None:
    arguments = said.copied(shared_data, tmp_path)
    run_json(tmp_path / "alone.db", *arguments)
    with running(tmp_path / "served.db"):
        _, first = run_json(tmp_path / "served.db", *arguments)
        _, second = run_json(tmp_path / "served.db", *arguments)
    assert without_rejects(first) == without_rejects(summary(said))
    assert without_rejects(second) == without_rejects(summary(said, repeated=True))
    assert ledger_orders(tmp_path / "served.db") == ledger_orders(tmp_path / "alone.db")
    assert broken_invariants(tmp_path / "served.db") == []


def test_both_date_dialects_are_the_same_orders(shared_data: Path, tmp_path: Path) -> None:
    """One writes 2008-06-13, the other 2008-06-13 0:00:00; 20 of the 32 orders are in both."""
    in_dates, in_midnights = REAL_FILES[3], REAL_FILES[4]
    run_json(tmp_path / "ledger.db", *in_midnights.copied(shared_data, tmp_path))
    _, report = run_json(tmp_path / "ledger.db", *in_dates.copied(shared_data, tmp_path))
    assert report["orders"] == {"taken": 12, "repeated": 20, "rejected": 0}


def test_northwind_keeps_what_it_says_of_an_order(shared_data: Path, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.db"
    run_json(ledger, *NORTHWIND.copied(shared_data, tmp_path), "--timezone", "America/New_York")
    reference, *_, address, service, ship_by, deliver_by, metadata, lines = ledger_orders(ledger)["10248"]
    assert (reference, order_row(ledger, "10248", "id")) == ("10248", 10248)
    assert address == (
        '{"name":"Vins et alcools Chevalier","address1":"59 rue de l\'Abbaye","city":"Reims","zip":"51100",'
        '"country":"France"}'
    ), "a region written as NULL is none"
    assert (service, ship_by, metadata) == ("3", None, '{"ordered_at":"1996-07-04"}')
    assert deliver_by == 838_958_399_000_000, "the end of 1 August 1996 in New York"
    assert [line[:2] for line in lines] == [("11", 12), ("42", 10), ("72", 5)]


def test_rejected_rows_of_northwind_are_in_the_layouts_of_both_files(shared_data: Path, tmp_path: Path) -> None:
    arguments = NORTHWIND.copied(shared_data, tmp_path)
    _, report = run_json(tmp_path / "ledger.db", *arguments)
    for path, source, count in zip(
        [report["rejects"], *report["more_rejects"]], NORTHWIND.files, [176, 439], strict=True
    ):
        rejects = Path(path).read_text(encoding="utf-8").splitlines()
        sent = (tmp_path / source).read_text(encoding="utf-8").splitlines()
        assert len(rejects) == 1 + count
        assert rejects[0] == f"rejected_line,rejected_reason,{sent[0]}"
        for row in rejects[1:]:
            line, _, rest = row.partition(",")
            assert rest.endswith(f'",{sent[int(line) - 1]}'), f"line {line} is not the sender's own"
