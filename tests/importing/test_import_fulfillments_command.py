"""`shipledger import fulfillments`: exit statuses, JSON, through a server, killed and resumed, exported and back."""

import csv
import io
import json
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from shipledger.storage.sqlite_reading import open_to_read
from tests.importing.imports import broken_invariants, environment, import_files, ledger_orders
from tests.importing.shipments import HEADER, ledger_with_orders, shipped
from tests.serving import running

KILLED_AFTER_BATCHES = """
import os, signal, sys
from shipledger.boot import fulfillment_import
from shipledger.cli.main import main

batches, fulfillment_import.PARCELS_A_BATCH = 3, 100
commit_batch = fulfillment_import.commit_batch

def commit_and_die(*arguments):
    global batches
    outcomes = commit_batch(*arguments)
    batches -= 1
    if batches == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return outcomes

fulfillment_import.commit_batch = commit_and_die
main()
"""
ORDERS = 600


def command(database: Path, *arguments: str | Path) -> list[str]:
    given = [*map(str, arguments), "--database", f"sqlite:///{database}"]
    return [sys.executable, "-m", "shipledger", "import", *given]


def run(database: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    call = command(database, *arguments)
    return subprocess.run(call, env=environment(), check=False, capture_output=True, text=True, timeout=60)


def run_json(database: Path, *arguments: str | Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(run(database, *arguments, "--json").stdout)
    return report


def shipments_of_all(folder: Path) -> Path:
    file = folder / "shipped.csv"
    rows = (f"{n},A,2,T{n},UPS\n" for n in range(1, ORDERS + 1))
    more = (f"#{n},B,1,U{n},\n" for n in range(1, ORDERS + 1, 2))
    file.write_text(HEADER + "".join(rows) + "".join(more), encoding="utf-8")
    return file


ROWS = ORDERS + ORDERS // 2


def test_exit_statuses_and_the_one_object(tmp_path: Path) -> None:
    ledger_with_orders(tmp_path / "ledger.db")
    good, mixed = tmp_path / "good.csv", tmp_path / "mixed.csv"
    good.write_text(HEADER + "#1,A,1,T1,\n")
    mixed.write_text(HEADER + "#1,A,1,T1,\n#9,A,1,T1,\n")
    assert run(tmp_path / "ledger.db", "fulfillments", good).returncode == 0
    done = run(tmp_path / "ledger.db", "fulfillments", mixed, "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout) == {
        "rows": 2,
        "taken": 0,
        "repeated": 1,
        "rejected": 1,
        "fulfillments": {"taken": 0, "repeated": 1, "rejected": 1},
        "reasons": {"the ledger has no order with this number": 1},
        "rejects": str(tmp_path / "mixed.csv.rejects.csv"),
        "import_id": 2,
    }
    assert run(tmp_path / "ledger.db", "fulfillments", tmp_path / "nothing.csv").returncode == 2
    assert run(tmp_path / "ledger.db", "fulfillments", good, "--map", "sku=Nothing").returncode == 2
    assert run(tmp_path / "ledger.db", "fulfillments").returncode == 2


def test_a_dry_run_ends_with_a_verdict_a_row(tmp_path: Path) -> None:
    ledger_with_orders(tmp_path / "ledger.db")
    file = tmp_path / "shipped.csv"
    file.write_text(HEADER + "#9,A,1,T1,\n#1,A,1,T1,\n")
    done = run(tmp_path / "ledger.db", "fulfillments", file, "--dry-run")
    assert done.returncode == 1
    assert list(csv.reader(io.StringIO(done.stdout))) == [
        ["line", "verdict", "reason"],
        ["2", "rejected", "the ledger has no order with this number"],
        ["3", "taken", ""],
    ]


def test_killed_half_way_and_run_again_everything_is_there_once(tmp_path: Path) -> None:
    file = shipments_of_all(tmp_path)
    for name in ("killed.db", "undisturbed.db"):
        ledger_with_orders(tmp_path / name, ORDERS)
    call = [sys.executable, "-c", KILLED_AFTER_BATCHES, *command(tmp_path / "killed.db", "fulfillments", file)[3:]]
    done = subprocess.run(call, env=environment(), check=False, capture_output=True, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    half = len(shipped(tmp_path / "killed.db"))
    assert 0 < half < ROWS
    report = run_json(tmp_path / "killed.db", "fulfillments", file)
    assert (report["taken"], report["repeated"], report["rejected"]) == (ROWS - half, half, 0)
    run_json(tmp_path / "undisturbed.db", "fulfillments", file)
    assert shipped(tmp_path / "killed.db") == shipped(tmp_path / "undisturbed.db")
    assert broken_invariants(tmp_path / "killed.db") == []
    (one,) = run_json(tmp_path / "killed.db", "list")["imports"]
    assert (one["id"], one["file"], one["rows"], one["taken"]) == (
        report["import_id"],
        "shipped.csv",
        ROWS,
        ROWS - half,
    )
    assert run_json(tmp_path / "killed.db", "fulfillments", file)["repeated"] == ROWS


def test_through_a_server_the_ledger_is_the_same(tmp_path: Path) -> None:
    file = shipments_of_all(tmp_path)
    for name in ("served.db", "alone.db"):
        ledger_with_orders(tmp_path / name, ORDERS)
    with running(tmp_path / "served.db") as server:
        report = run_json(tmp_path / "served.db", "fulfillments", file)
        assert (report["taken"], report["rejected"]) == (ROWS, 0)
        assert run_json(tmp_path / "served.db", "fulfillments", file)["repeated"] == ROWS
        (one,) = server.get("/v1/imports").json()["imports"]
        assert (one["taken"], one["repeated"]) == (ROWS, 0), "what an earlier run took stays taken"
    run_json(tmp_path / "alone.db", "fulfillments", file)
    assert shipped(tmp_path / "served.db") == shipped(tmp_path / "alone.db")
    assert broken_invariants(tmp_path / "served.db") == []


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"order_id": "#9", "line_items": [{"sku": "A", "quantity": 1}], "tracking_number": "T"}, "order_not_found"),
        ({"order_id": 1, "line_items": [{"sku": "Z", "quantity": 1}], "tracking_number": "T"}, "unknown_sku"),
        ({"order_id": 1, "line_items": [{"sku": "A", "quantity": 6}], "tracking_number": "T"},
         "quantity_exceeds_remaining"),
        ({"order_id": 1, "line_items": [{"sku": "A", "quantity": 0}], "tracking_number": "T"}, "quantity_invalid"),
        ({"order_id": 1, "tracking_number": "T"}, "not_one_order"),
        ({"order_id": 1, "line_items": [{"sku": "A", "quantity": 1}], "tracking_number": "T", "past": 7},
         "past_invalid"),
        (7, "not_an_object"),
    ],
)  # fmt: skip
def test_a_parcel_that_is_refused_says_why(tmp_path: Path, row: Any, code: str) -> None:
    ledger_with_orders(tmp_path / "ledger.db")
    good = {"order_id": 1, "line_items": [{"sku": "A", "quantity": 1}], "tracking_number": "T1"}
    with running(tmp_path / "ledger.db") as server:
        begun = server.post("/v1/imports", {"file": "x.csv", "fingerprint": "1"})
        assert begun.status == 201
        reply = server.post(f"/v1/imports/{begun.json()['id']}/fulfillments", {"fulfillments": [row, good]})
        assert reply.json()["results"] == [
            {"code": code, "id": None, "is_new": False},
            {"code": None, "id": 1, "is_new": True},
        ]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/imports", {"file": "", "fingerprint": "1"}, 400),
        ("/v1/imports", {"file": "x" * 256, "fingerprint": "1"}, 400),
        ("/v1/imports", {"file": "x"}, 400),
        ("/v1/imports/9/fulfillments", {"fulfillments": []}, 404),
        ("/v1/imports/1/fulfillments", {"fulfillments": []}, 400),
        ("/v1/imports/1/fulfillments", {"fulfillments": [{}] * 201}, 400),
        ("/v1/imports/1/finish", {"rows": -1, "taken": 0, "repeated": 0, "rejected": 0}, 400),
        ("/v1/imports/1/finish", {"rows": 1}, 400),
        ("/v1/imports/9/finish", {"rows": 1, "taken": 0, "repeated": 0, "rejected": 0}, 404),
    ],
)
def test_bad_requests_of_imports(tmp_path: Path, path: str, body: Any, status: int) -> None:
    ledger_with_orders(tmp_path / "ledger.db")
    with running(tmp_path / "ledger.db") as server:
        assert server.post("/v1/imports", {"file": "x.csv", "fingerprint": "1"}).status == 201
        assert server.post("/v1/imports", {"file": "x.csv", "fingerprint": "1"}).status == 200
        assert server.post(path, body).status == status


def test_exported_and_imported_elsewhere_the_ledgers_are_equal(tmp_path: Path) -> None:
    one, other = tmp_path / "one.db", tmp_path / "other.db"
    ledger_with_orders(one, ORDERS)
    run_json(one, "fulfillments", shipments_of_all(tmp_path))
    for name in ("orders", "fulfillments"):
        output = ["--output", str(tmp_path / f"{name}.ndjson"), "--database", f"sqlite:///{one}"]
        call = [sys.executable, "-m", "shipledger", "export", name, *output]
        subprocess.run(call, env=environment(), check=True, timeout=60)
    assert import_files(other, tmp_path / "orders.ndjson").rejected == 0
    report = run_json(other, "fulfillments", tmp_path / "fulfillments.ndjson")
    assert (report["taken"], report["rejected"]) == (ROWS, 0)
    assert shipped(other) == shipped(one)
    assert ledger_orders(other) == ledger_orders(one)
    assert quantities(other) == quantities(one)
    assert broken_invariants(other) == []


def quantities(database: Path) -> list[tuple[Any, ...]]:
    with closing(open_to_read(database)) as connection:
        return list(connection.execute("SELECT id, status, ordered, fulfilled, cancelled FROM orders ORDER BY id"))
