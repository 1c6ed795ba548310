"""`shipledger export`: to stdout or a file, beside a running server, and into another ledger."""

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from shipledger.boot.ledgers import Database, migrate, open_ledger
from shipledger.commit.batch import commit_batch
from tests.commit.commands import NOW, order, ship
from tests.importing.imports import environment, import_files, ledger_orders
from tests.importing.real_files import REAL_FILES
from tests.serving import running

ORDERS = 1_200
"""More than two pages."""


def run(database: Database, *arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    url = database if isinstance(database, str) else f"sqlite:///{database}"
    command = [sys.executable, "-m", "shipledger", "export", *map(str, arguments), "--database", url]
    return subprocess.run(command, env=environment(), check=False, capture_output=True, timeout=60)


def fill(database: Database) -> None:
    migrate(database)
    with closing(open_ledger(database)) as ledger:
        numbers = range(1, ORDERS + 1)
        commit_batch(ledger, [order(number, ("A", 2), reference=f"#{number}") for number in numbers], NOW)
        commit_batch(ledger, [ship(number, ("A", 1)) for number in numbers], NOW)


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    place: Database = request.getfixturevalue("postgres_url") if request.param == "postgres" else tmp_path / "ledger.db"
    fill(place)
    return place


def test_every_row_is_written_once(database: Database) -> None:
    kinds = ("orders", b"order_id,", 1), ("fulfillments", b"fulfillment_id,", 1), ("events", b"event_id,", 2)
    for name, columns, times in kinds:
        done = run(database, name)
        assert (done.returncode, done.stdout.count(b"\n"), done.stderr) == (0, times * ORDERS, b"")
        done = run(database, name, "--format", "csv")
        assert (done.returncode, done.stdout.count(b"\n")) == (0, times * ORDERS + 1)
        assert done.stdout.startswith(columns)


def test_filters_are_those_of_the_list(database: Database) -> None:
    assert run(database, "orders", "--reference", "#7").stdout.count(b"\n") == 1
    assert run(database, "fulfillments", "--order-id", "7").stdout.count(b"\n") == 1
    assert run(database, "orders", "--status", "fulfilled").stdout == b""
    wrong = run(database, "orders", "--status", "gone")
    assert (wrong.returncode, wrong.stdout) == (2, b"")
    assert b"--status must be one of unfulfilled" in wrong.stderr


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    fill(tmp_path / "ledger.db")
    output = tmp_path / "orders.csv"
    output.write_text("of yesterday")
    assert run(tmp_path / "nothing.db", "orders", "--output", output).returncode == 1
    assert output.read_text() == "of yesterday"
    assert run(tmp_path / "ledger.db", "orders", "--output", output).returncode == 0
    assert output.read_bytes().count(b"\n") == ORDERS
    assert sorted(path.name for path in tmp_path.iterdir() if "orders" in path.name) == ["orders.csv"]


def test_it_reads_beside_a_running_server(tmp_path: Path) -> None:
    fill(tmp_path / "ledger.db")
    with running(tmp_path / "ledger.db"):
        assert run(tmp_path / "ledger.db", "orders").stdout.count(b"\n") == ORDERS


def test_where_there_is_no_ledger_it_says_so(tmp_path: Path) -> None:
    done = run(tmp_path / "nothing.db", "orders")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"cannot be opened as a ledger" in done.stderr
    assert not (tmp_path / "nothing.db").exists()


def test_a_reader_that_has_enough_ends_it_quietly(tmp_path: Path) -> None:
    fill(tmp_path / "ledger.db")
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "shipledger", "export", "orders", "--database", f"sqlite:///{tmp_path}/ledger.db"]
    done = subprocess.run(command, env=environment(), check=False, stdout=writer, stderr=subprocess.PIPE, timeout=60)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")


def test_exported_orders_imported_elsewhere_are_the_same_orders(tmp_path: Path, shared_data: Path) -> None:
    for files in REAL_FILES:
        import_files(tmp_path / "one.db", *(shared_data / name for name in files.files))
    assert run(tmp_path / "one.db", "orders", "--output", tmp_path / "orders.ndjson").returncode == 0
    imported = import_files(tmp_path / "other.db", tmp_path / "orders.ndjson")
    assert imported.rejected == 0
    assert ledger_orders(tmp_path / "other.db") == ledger_orders(tmp_path / "one.db")
