"""An import that is undone leaves the quantities of before, and the same file can be imported again."""

import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from shipledger import import_rules
from shipledger.boot.import_undo import undo_import
from shipledger.boot.ledgers import Database, check_ledger, open_reading
from shipledger.command import CancelFulfillment
from shipledger.correcting import cancel_fulfillment
from shipledger.storage.port import OrderFilter
from shipledger.storage.sqlite_reading import open_to_read
from tests.importing.imports import broken_invariants, environment
from tests.importing.shipments import HEADER, import_shipments, ledger_with_orders, shipped
from tests.importing.test_import_fulfillments_command import ORDERS, ROWS, command, run, run_json, shipments_of_all
from tests.serving import running

KILLED_AFTER_BATCHES = """
import os, signal, sys
from shipledger.boot import import_undo
from shipledger.cli.main import main

batches, import_undo.A_BATCH = 3, 100
commit_batch = import_undo.commit_batch

def commit_and_die(*arguments):
    global batches
    outcomes = commit_batch(*arguments)
    batches -= 1
    if batches == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return outcomes

import_undo.commit_batch = commit_and_die
main()
"""
TEXT = HEADER + "#1,A,5,T1,\n#1,B,3,T1,\n#2,A,1,T2,\n#3,B,1,T3,\n"


def quantities(database: Database) -> list[tuple[Any, ...]]:
    with closing(open_reading(database)) as reading:
        orders = reading.orders(OrderFilter(), None, 1_000, None).documents
    return [(order["id"], order["status"], order["totals"], order["line_items"]) for order in orders]


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    place: Database = request.getfixturevalue("postgres_url") if request.param == "postgres" else tmp_path / "ledger.db"
    ledger_with_orders(place)
    return place


def test_undone_the_quantities_are_those_of_before(database: Database, tmp_path: Path) -> None:
    before = quantities(database)
    imported = import_shipments(tmp_path, TEXT, database)
    assert quantities(database) != before
    assert undo_import(database, 1, lambda _: None) == imported.parcels_taken == 3
    assert quantities(database) == before
    assert [finding for finding in check_ledger(database) if finding.broken] == []
    assert undo_import(database, 1, lambda _: None) == 0, "there is nothing left to undo"


def test_the_same_file_can_be_imported_again(database: Database, tmp_path: Path) -> None:
    import_shipments(tmp_path, TEXT, database)
    undo_import(database, 1, lambda _: None)
    again = import_shipments(tmp_path, TEXT, database)
    assert (again.import_id, again.taken, again.rejected) == (2, 4, 0)
    with closing(open_reading(database)) as reading:
        first, second = reading.imports()
    assert (first["undone_at"] is None, second["undone_at"] is None) == (False, True)
    assert [finding for finding in check_ledger(database) if finding.broken] == []


def test_what_another_import_made_stays(database: Database, tmp_path: Path) -> None:
    import_shipments(tmp_path, HEADER + "#1,A,1,T1,\n", database, name="one.csv")
    import_shipments(tmp_path, HEADER + "#1,A,1,T1,\n#2,A,1,T2,\n", database, name="two.csv")
    assert undo_import(database, 2, lambda _: None) == 1, "the first parcel is of the first import"
    assert import_shipments(tmp_path, HEADER + "#1,A,1,T1,\n", database, name="one.csv").repeated == 1


def test_an_undo_that_keeps_the_keys_would_be_caught(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cancel_only(command: Any, working_set: Any, now: int) -> Any:
        return cancel_fulfillment(CancelFulfillment(command.origin, command.made.fulfillment_id), working_set, now)

    monkeypatch.setattr(import_rules, "_take_back", cancel_only)
    import_shipments(tmp_path, TEXT, database)
    with pytest.raises(KeyboardInterrupt):
        undo_import(database, 1, interrupt)
    assert import_shipments(tmp_path, TEXT, database).taken == 0


def interrupt(_: int) -> None:
    raise KeyboardInterrupt


def test_killed_half_way_and_run_again_it_is_undone(tmp_path: Path) -> None:
    database = tmp_path / "ledger.db"
    ledger_with_orders(database, ORDERS)
    before = quantities(database)
    run_json(database, "fulfillments", shipments_of_all(tmp_path))
    call = [sys.executable, "-c", KILLED_AFTER_BATCHES, *command(database, "undo", "1")[3:]]
    done = subprocess.run(call, env=environment(), check=False, capture_output=True, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert broken_invariants(database) == []
    assert run_json(database, "undo", "1") == {"import_id": 1, "taken_back": ROWS - 300}
    assert quantities(database) == before
    assert broken_invariants(database) == []


def test_through_a_server_it_is_undone_as_well(tmp_path: Path) -> None:
    database = tmp_path / "ledger.db"
    ledger_with_orders(database, ORDERS)
    before = quantities(database)
    with running(database):
        file = shipments_of_all(tmp_path)
        run_json(database, "fulfillments", file)
        assert run_json(database, "undo", "1") == {"import_id": 1, "taken_back": ROWS}
        assert quantities(database) == before
        assert run_json(database, "fulfillments", file)["taken"] == ROWS
    assert broken_invariants(database) == []
    assert {row[3] for row in shipped(database)} == {"created", "cancelled"}
    with closing(open_to_read(database)) as connection:
        assert connection.execute("SELECT count(*) FROM imported_fulfillments").get == ROWS


def test_an_import_that_is_not_there_is_1(tmp_path: Path) -> None:
    ledger_with_orders(tmp_path / "ledger.db")
    done = run(tmp_path / "ledger.db", "undo", "7")
    assert (done.returncode, "There is no import 7" in done.stderr) == (1, True)
    assert run(tmp_path / "ledger.db", "undo", "x").returncode == 2
    with running(tmp_path / "ledger.db") as server:
        assert server.post("/v1/imports/7/undo", {}).status == 404
