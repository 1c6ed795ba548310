"""`shipledger export`: to stdout or a file, beside a running server, and into another ledger."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from shipledger.boot.ledgers import Database, migrate, open_ledger, open_reading
from shipledger.commit.batch import commit_batch
from shipledger.storage.port import FulfillmentFilter
from tests.commit.commands import NOW, order, ship
from tests.importing.imports import environment, import_files, ledger_orders
from tests.importing.real_files import REAL_FILES
from tests.journeys.every_state import SKUS_ON_SEVERAL_LINES, fill_with_every_state
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


def importing(database: Database, kind: str, file: Path, *options: str) -> dict[str, Any]:
    """The report of an import of this file."""
    url = database if isinstance(database, str) else f"sqlite:///{database}"
    given = [kind, str(file), *options, "--database", url, "--json"]
    command = [sys.executable, "-m", "shipledger", "import", *given]
    done = subprocess.run(command, env=environment(), check=False, capture_output=True, timeout=60)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def exported(database: Database, kind: str) -> list[dict[str, Any]]:
    """What is exported, but for what an import documents as its own: ids of fulfillments, and moments of recording."""
    new = {"created_at"} if kind == "orders" else {"id", "created_at"}
    rows = [json.loads(line) for line in run(database, kind).stdout.splitlines()]
    told = [{name: value for name, value in row.items() if name not in new} for row in rows]
    return sorted(told, key=lambda row: int(row["id"])) if kind == "orders" else told


def assert_equal_ledgers(one: Database, other: Database) -> None:
    for kind in ("orders", "fulfillments"):
        assert exported(other, kind) == exported(one, kind)
    for database in (one, other):
        url = database if isinstance(database, str) else f"sqlite:///{database}"
        command = [sys.executable, "-m", "shipledger", "check", "--database", url]
        checked = subprocess.run(command, env=environment(), check=False, capture_output=True, timeout=60)
        assert checked.returncode == 0, checked.stdout


@pytest.fixture(scope="module")
def exported_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    fill_with_every_state(folder / "one.db")
    for kind in ("orders", "fulfillments"):
        assert run(folder / "one.db", kind, "--output", folder / f"{kind}.ndjson").returncode == 0
    return folder


@pytest.fixture
def exports(exported_once: Path, tmp_path: Path) -> Path:
    """A folder with a ledger of every state, and its exports."""
    for file in exported_once.iterdir():
        shutil.copy(file, tmp_path)
    return tmp_path


@pytest.fixture(params=["sqlite", "postgres"])
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    place: Database = request.getfixturevalue("postgres_url") if request.param == "postgres" else tmp_path / "other.db"
    migrate(place)
    return place


def test_a_partner_is_not_told_where_its_lines_lie(exports: Path) -> None:
    with closing(open_reading(exports / "one.db")) as reading:
        wanted = FulfillmentFilter()
        told = reading.whole_fulfillments(wanted, None, 100, "north")
        assert told == reading.fulfillments(wanted, None, 100, "north")
        assert told.documents


def import_both(database: Database, folder: Path) -> None:
    for kind in ("orders", "fulfillments"):
        report = importing(database, kind, folder / f"{kind}.ndjson")
        assert (report["rejected"], report["repeated"]) == (0, 0), report


def test_exported_and_imported_elsewhere_ledgers_are_equal(exports: Path, elsewhere: Database) -> None:
    import_both(elsewhere, exports)
    assert_equal_ledgers(exports / "one.db", elsewhere)
    events = run(elsewhere, "events").stdout
    for kind in ("orders", "fulfillments"):
        report = importing(elsewhere, kind, exports / f"{kind}.ndjson")
        assert (report["taken"], report["rejected"]) == (0, 0), "again it is a no-op"
    assert run(elsewhere, "events").stdout == events


def test_through_a_server_the_ledgers_are_equal_too(exports: Path) -> None:
    migrate(exports / "other.db")
    with running(exports / "other.db"):
        import_both(exports / "other.db", exports)
        assert importing(exports / "other.db", "fulfillments", exports / "fulfillments.ndjson")["taken"] == 0
    assert_equal_ledgers(exports / "one.db", exports / "other.db")


def test_uploaded_they_are_equal_too(exports: Path) -> None:
    migrate(exports / "other.db")
    importing(exports / "other.db", "orders", exports / "orders.ndjson")
    with running(exports / "other.db") as server:
        text = (exports / "fulfillments.ndjson").read_bytes()
        upload = server.send("POST", "/v1/uploads", text, {"Content-Type": "application/x-ndjson"}).json()
        assert (upload["rejected"], upload["taken"]) == (0, upload["rows"])
        place = f"/v1/uploads/{upload['id']}"
        server.send("POST", f"{place}/confirm")
        while (found := server.get(place).json())["status"] == "running":
            time.sleep(0.05)
        assert (found["status"], found["taken"]) == ("done", upload["taken"])
    assert_equal_ledgers(exports / "one.db", exports / "other.db")


def test_a_dry_run_says_what_would_be_and_writes_nothing(exports: Path) -> None:
    migrate(exports / "other.db")
    orders = importing(exports / "other.db", "orders", exports / "orders.ndjson", "--dry-run")
    assert (orders["rejected"], orders["taken"]) == (0, orders["rows"])
    assert exported(exports / "other.db", "orders") == []
    importing(exports / "other.db", "orders", exports / "orders.ndjson")
    parcels = importing(exports / "other.db", "fulfillments", exports / "fulfillments.ndjson", "--dry-run")
    assert (parcels["rejected"], parcels["taken"]) == (0, parcels["rows"])
    assert exported(exports / "other.db", "fulfillments") == []


def test_what_was_broken_off_is_gone_on_with(exports: Path, elsewhere: Database) -> None:
    for kind in ("orders", "fulfillments"):
        lines = (exports / f"{kind}.ndjson").read_bytes().splitlines(keepends=True)
        (exports / "some.ndjson").write_bytes(b"".join(lines[len(lines) // 2 :]))
        some = importing(elsewhere, kind, exports / "some.ndjson")["taken"]
        report = importing(elsewhere, kind, exports / f"{kind}.ndjson")
        assert some > 0 < report["taken"]
        assert (report["repeated"], report["rejected"]) == (some, 0)
    assert_equal_ledgers(exports / "one.db", elsewhere)


def test_imported_where_it_was_exported_it_is_a_no_op(exports: Path) -> None:
    before = exported(exports / "one.db", "fulfillments")
    report = importing(exports / "one.db", "fulfillments", exports / "fulfillments.ndjson")
    assert (report["taken"], report["rejected"]) == (0, 0)
    assert exported(exports / "one.db", "fulfillments") == before


def test_an_import_that_is_undone_can_be_done_again(exports: Path) -> None:
    migrate(exports / "other.db")
    import_both(exports / "other.db", exports)
    command = [sys.executable, "-m", "shipledger", "import", "undo", "1"]
    place = ["--database", f"sqlite:///{exports}/other.db"]
    assert subprocess.run([*command, *place], env=environment(), check=False, timeout=60).returncode == 0
    assert all(row["status"] == "cancelled" for row in exported(exports / "other.db", "fulfillments"))
    assert importing(exports / "other.db", "fulfillments", exports / "fulfillments.ndjson")["rejected"] == 0
    standing = [
        [row for row in exported(exports / name, "fulfillments") if row["status"] != "cancelled"]
        for name in ("one.db", "other.db")
    ]
    assert standing[0] == standing[1]
    assert exported(exports / "other.db", "orders") == exported(exports / "one.db", "orders")


@pytest.mark.parametrize(
    ("kind", "left_out"),
    [
        ("orders", "cancelled_at"),
        ("orders", "on_hold"),
        ("orders", "line_items.cancelled"),
        ("fulfillments", "status"),
        ("fulfillments", "taken_from"),
        ("fulfillments", "events"),
    ],
)
def test_what_an_export_leaves_out_is_missed(exports: Path, kind: str, left_out: str) -> None:
    """The control: ledgers that differ in one thing are not taken for equal."""
    empty = {"cancelled_at": None, "on_hold": False, "status": "created"}
    rows = [json.loads(line) for line in (exports / f"{kind}.ndjson").read_text().splitlines()]
    for row in rows:
        if left_out == "line_items.cancelled":
            row["line_items"] = [{**line, "cancelled": 0} for line in row["line_items"]]
        else:
            row[left_out] = empty.get(left_out, [])
    (exports / f"{kind}.ndjson").write_text("".join(json.dumps(row) + "\n" for row in rows))
    migrate(exports / "other.db")
    for each in ("orders", "fulfillments"):
        importing(exports / "other.db", each, exports / f"{each}.ndjson")
    with pytest.raises(AssertionError):
        assert_equal_ledgers(exports / "one.db", exports / "other.db")


def table_of(database: Path, kind: str) -> list[dict[str, str]]:
    text = run(database, kind, "--format", "csv").stdout.decode()
    rows = [{**row, "created_at": "", "fulfillment_id": ""} for row in csv.DictReader(io.StringIO(text))]
    return sorted((row for row in rows if row["order_id"] not in SKUS_ON_SEVERAL_LINES), key=str)


def test_tables_say_as_much_as_their_columns(exports: Path) -> None:
    migrate(exports / "other.db")
    for kind in ("orders", "fulfillments"):
        file = exports / f"{kind}.csv"
        assert run(exports / "one.db", kind, "--format", "csv", "--output", file).returncode == 0
        report = importing(exports / "other.db", kind, file)
        assert (report["rejected"], report["repeated"]) == (0, 0), report
    for kind in ("orders", "fulfillments"):
        assert table_of(exports / "other.db", kind) == table_of(exports / "one.db", kind)
