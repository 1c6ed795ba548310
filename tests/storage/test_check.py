"""`shipledger check` proves the invariants: green on a sound ledger, and each found broken where it is."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import apsw
import pytest

from shipledger.boot.ledgers import Database, check_ledger, migrate, open_ledger
from shipledger.command import AddCarrierEvent, CancelFulfillment, CancelOrder
from shipledger.commit.batch import commit_batch
from shipledger.file_import import BeginImport
from shipledger.fulfillment import FulfillmentStatus
from shipledger.key import RotateKey
from shipledger.needs import needs_of
from shipledger.outcome import Done
from shipledger.storage.invariants import INVARIANTS
from shipledger.storage.postgres_connection import connect
from shipledger.storage.postgres_sequencer import number_events
from tests.commit.commands import NOW, ORIGIN, order, ship
from tests.postgres_server import Databases, execute
from tests.rules.key_asking import create

BREAKS = [
    ("no line is over-fulfilled", "UPDATE order_lines SET fulfilled = 9 WHERE order_id = 1", "1 A 0"),
    (
        "a line's fulfilled quantity is the sum of its parcels",
        "UPDATE order_lines SET fulfilled = 2 WHERE order_id = 1 AND sku = 'A'",
        "1 A 0",
    ),
    ("a line's fulfilled quantity is the sum of its parcels", "UPDATE fulfillment_lines SET quantity = 2", "1 A 0"),
    ("a line's fulfilled quantity is the sum of its parcels", "UPDATE fulfillments SET status = 'cancelled'", "1 A 0"),
    ("what a parcel holds is on its order", "UPDATE fulfillment_lines SET sku = 'Z'", "1 Z 0"),
    ("what a parcel holds is on its order", "UPDATE fulfillments SET order_id = 2", "1 A 0"),
    ("what a parcel holds is on its order", "UPDATE fulfillments SET order_id = 77", "1 A 0"),
    ("what a parcel holds is on its order", "DELETE FROM fulfillments WHERE id = 1", "1 A 0"),
    (
        "what a parcel holds belongs to the partner of its line",
        "UPDATE fulfillment_lines SET partner = 'acme'",
        "1 A 0",
    ),
    (
        "a partner's totals of an order are the sums of its lines",
        "UPDATE order_lines SET partner = 'acme' WHERE order_id = 2",
        "2 acme",
    ),
    (
        "a partner's totals of an order are the sums of its lines",
        """INSERT INTO partner_orders (order_id, partner, ordered, fulfilled, cancelled, created_at)
        VALUES (2, 'acme', 5, 0, 0, 0)""",
        "2 acme",
    ),
    (
        "each partner is told of what it sees, and of nothing else",
        """INSERT INTO partner_orders (order_id, partner, ordered, fulfilled, cancelled, created_at)
        VALUES (2, 'acme', 5, 0, 0, 0)""",
        "acme 2",
    ),
    ("a parcel holds something", "DELETE FROM fulfillment_lines", "1"),
    ("an order's totals are the sums of its lines", "UPDATE orders SET ordered = 7 WHERE id = 2", "2"),
    ("an order's totals are the sums of its lines", "UPDATE orders SET fulfilled = 2 WHERE id = 1", "1"),
    ("an order's totals are the sums of its lines", "DELETE FROM order_lines WHERE order_id = 2", "2"),
    ("an order's status is what its totals amount to", "UPDATE orders SET status = 'fulfilled' WHERE id = 2", "2"),
    ("an order's status is what its totals amount to", "UPDATE orders SET status = 'unfulfilled' WHERE id = 1", "1"),
    (
        "an order's phase is open, or the status it closed with",
        "UPDATE orders SET phase = 'fulfilled' WHERE id = 2",
        "2",
    ),
    ("a partner's totals are what its lines amount to", "UPDATE partner_totals SET open_quantity = 77", ""),
    ("a partner's totals are what its lines amount to", "UPDATE partner_totals SET open_orders = 1", ""),
    ("a partner's totals are what its lines amount to", "UPDATE partner_totals SET lines_on_time = 1", ""),
    ("a partner's totals are what its lines amount to", "UPDATE partner_totals SET lines_late = 1", ""),
    ("a partner's totals are what its lines amount to", "DELETE FROM partner_totals", ""),
    ("a partner's numbers are those of its fulfillments", "UPDATE partner_totals SET numbers = 9", "operator"),
    ("a partner's numbers are those of its fulfillments", "UPDATE partner_totals SET numbers_failed = 9", "operator"),
    (
        "a partner's totals are what its lines amount to",
        "UPDATE order_lines SET partner = 'acme' WHERE order_id = 2",
        "acme",
    ),
    ("nothing remains of a cancelled order", "UPDATE orders SET cancelled_at = 1 WHERE id = 2", "2"),
    ("only an order on hold has a reason for it", "UPDATE orders SET hold_reason = 'fraud' WHERE id = 2", "2"),
    ("a parcel's timeline is numbered from 1 without a gap", "UPDATE carrier_events SET position = 3", "2"),
    ("a parcel's status is on its timeline", "DELETE FROM carrier_events", "2"),
    ("a parcel's status is on its timeline", "UPDATE fulfillments SET status = 'failed' WHERE id = 1", "1"),
    (
        "every cancelled parcel has one event that tells of it, and no other has",
        "UPDATE fulfillments SET status = 'cancelled' WHERE id = 1",
        "1",
    ),
    (
        "every cancelled parcel has one event that tells of it, and no other has",
        "UPDATE events SET type = 'fulfillment.changed' WHERE type = 'fulfillment.cancelled'",
        "3",
    ),
    (
        "every cancelled order has one event that tells of it, and no other has",
        "UPDATE orders SET cancelled_at = 1 WHERE id = 2",
        "2",
    ),
    (
        "every cancelled order has one event that tells of it, and no other has",
        "UPDATE events SET type = 'order.changed' WHERE type = 'order.cancelled'",
        "3",
    ),
    (
        "an order's events are numbered from 1 without a gap",
        "UPDATE events SET sequence = 5 WHERE order_id = 1 AND sequence = 2",
        "1",
    ),
    ("an order's events are numbered from 1 without a gap", "UPDATE orders SET event_count = 3 WHERE id = 2", "2"),
    (
        "an order's events are numbered from 1 without a gap",
        "UPDATE events SET order_id = 77, sequence = 1 WHERE order_id = 1 AND sequence = 2",
        "77",
    ),
    ("an order's events are numbered from 1 without a gap", "DELETE FROM events WHERE order_id = 2", "2"),
    (
        "every parcel has one event that tells of its creation",
        "UPDATE events SET type = 'order.fulfilled' WHERE type = 'fulfillment.created'",
        "1",
    ),
    (
        "every parcel has one event that tells of its creation",
        "UPDATE events SET data = replace(data, '\"id\":1,', '\"id\":9,') WHERE type = 'fulfillment.created'",
        "1",
    ),
    (
        "every order has one event that tells of its creation",
        "UPDATE events SET type = 'order.fulfilled' WHERE type = 'order.created' AND order_id = 2",
        "2",
    ),
    (
        "every key has one event that tells of its creation",
        "UPDATE events SET type = 'key.revoked' WHERE type = 'key.rotated' OR data LIKE '{\"id\":2,%'",
        "2",
    ),
    ("a key that was replaced names a later one", "UPDATE keys SET replaced_by = 3 WHERE id = 1", "1"),
    ("a key that was replaced names a later one", "UPDATE keys SET replaced_by = 1 WHERE id = 2", "2"),
    ("what a kept answer names exists", "UPDATE kept_answers SET made_id = 77 WHERE key = 'k'", "k"),
    ("what an import made is kept from being made again", "DELETE FROM kept_answers WHERE key = 'import-1'", "1 4"),
    ("what an import made is kept from being made again", "UPDATE kept_answers SET made_id = 1", "1 4"),
    ("the schema is up to date", "DELETE FROM migrations", "0001 orders_and_fulfillments"),
]

SQLITE_BREAKS = [
    (
        "every reference leads somewhere",
        "UPDATE order_lines SET order_id = 99 WHERE order_id = 2",
        "order_lines None orders 0",
    ),
    (
        "the file is sound",
        """PRAGMA writable_schema = ON;
        UPDATE sqlite_schema SET sql = replace(sql, 'created_at, id', 'id, created_at') WHERE name = 'orders_by_age'""",
        "row 1 missing from index orders_by_age",
    ),
]

POSTGRES_BREAKS = [
    (
        "every event of an order has a place in the feed, or waits for one",
        "DELETE FROM event_positions WHERE event_id = 2",
        "2",
    ),
    (
        "every event of an order has a place in the feed, or waits for one",
        "INSERT INTO unnumbered_events VALUES (1)",
        "1",
    ),
    (
        "the feed keeps the order of each order's events",
        "UPDATE event_positions SET position = 99 WHERE event_id = 1",
        "1 2",
    ),
]


@pytest.fixture
def sqlite(tmp_path: Path) -> Path:
    return sound_ledger(tmp_path / "ledger.db")


@pytest.fixture
def postgres(databases: Databases) -> Iterator[str]:
    with databases.dropped_at_the_end(databases.create) as create:
        url = sound_ledger(create())
        with connect(url, is_writer=True) as connection:
            assert number_events(connection) == 10
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> Any:
    """Each database in turn."""
    return request.getfixturevalue(request.param)


Place = TypeVar("Place", bound=Database)


def sound_ledger(place: Place) -> Place:
    """One order of which something was shipped under a key, one of which nothing was, one that was cancelled, a key.

    Of the cancelled one, a parcel was delivered, and another was taken back. The key was replaced.
    """
    migrate(place)
    ledger = open_ledger(place)
    commit_batch(ledger, [order(1, ("A", 5), ("B", 1)), order(2, ("C", 5)), ship(1, ("A", 1), key="k")], NOW)
    commit_batch(ledger, [order(3, ("D", 5)), ship(3, ("D", 1)), ship(3, ("D", 2))], NOW)
    delivered = AddCarrierEvent(ORIGIN, 2, FulfillmentStatus.DELIVERED)
    done = commit_batch(ledger, [delivered, CancelFulfillment(ORIGIN, 3), CancelOrder(ORIGIN, 3)], NOW)
    assert all(isinstance(outcome, Done) for outcome in done), done
    commit_batch(ledger, [create(1), RotateKey(ORIGIN, 1, create(2).credential, overlap_seconds=9)], NOW)
    commit_batch(ledger, [BeginImport(ORIGIN, "shipped.csv", "1")], NOW)
    commit_batch(ledger, [replace(ship(2, ("C", 1), key="import-1"), import_id=1)], NOW)
    ledger.close()
    return place


def run_check(database: Database, *arguments: str) -> subprocess.CompletedProcess[str]:
    url = database if isinstance(database, str) else f"sqlite:///{database}"
    command = [sys.executable, "-m", "shipledger", "check", "--database", url, *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)


def break_by_hand(database: Database, sql: str) -> None:
    """Run a statement that no rule and no constraint stands in the way of."""
    if isinstance(database, str):
        ours = "contype IN ('c', 'f') AND connamespace = 'public'::regnamespace"
        constraints = execute(database, f"SELECT conrelid::regclass, conname FROM pg_constraint WHERE {ours}")
        for table, name in constraints:
            execute(database, f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        execute(database, sql)
        return
    connection = apsw.Connection(str(database))
    connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 0)
    connection.execute("PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF")
    connection.execute(sql)
    connection.close()


def assert_found_broken(database: Database, invariant: str, example: str) -> None:
    broken = {finding.invariant: finding for finding in check_ledger(database) if finding.broken}
    assert invariant in broken, broken
    assert broken[invariant].broken >= 1
    assert example in broken[invariant].examples


def test_a_sound_ledger_is_green(database: Database) -> None:
    findings = check_ledger(database)
    assert {finding.invariant for finding in findings} > INVARIANTS.keys()
    assert [finding for finding in findings if finding.broken] == []


def test_an_empty_ledger_is_green(tmp_path: Path, postgres_url: str) -> None:
    migrate(tmp_path / "ledger.db")
    for database in (tmp_path / "ledger.db", postgres_url):
        assert [finding for finding in check_ledger(database) if finding.broken] == [], database


@pytest.mark.parametrize(("invariant", "sql", "example"), BREAKS)
def test_each_invariant_is_found_broken(database: Database, invariant: str, sql: str, example: str) -> None:
    break_by_hand(database, sql)
    assert_found_broken(database, invariant, example)


@pytest.mark.parametrize(("invariant", "sql", "example"), SQLITE_BREAKS)
def test_each_invariant_of_a_file_is_found_broken(sqlite: Path, invariant: str, sql: str, example: str) -> None:
    break_by_hand(sqlite, sql)
    assert_found_broken(sqlite, invariant, example)


@pytest.mark.parametrize(("invariant", "sql", "example"), POSTGRES_BREAKS)
def test_each_invariant_of_the_feed_is_found_broken(postgres: str, invariant: str, sql: str, example: str) -> None:
    break_by_hand(postgres, sql)
    assert_found_broken(postgres, invariant, example)


def test_no_invariant_is_left_out_of_the_tables(sqlite: Path, postgres: str) -> None:
    told = {invariant for invariant, _, _ in BREAKS}
    for database, breaks in ((sqlite, SQLITE_BREAKS), (postgres, POSTGRES_BREAKS)):
        proved = {finding.invariant for finding in check_ledger(database)}
        assert proved - told == {invariant for invariant, _, _ in breaks}


def test_the_command_ends_with_0_on_a_sound_ledger_and_names_what_it_proved(database: Database) -> None:
    result = run_check(database)
    assert (result.returncode, result.stderr) == (0, "")
    assert [line[:6] for line in result.stdout.splitlines()] == ["ok    "] * (len(INVARIANTS) + 2)


def test_the_command_ends_with_1_on_a_broken_ledger_and_names_what_is_broken(database: Database) -> None:
    break_by_hand(database, "UPDATE orders SET status = 'fulfilled' WHERE id = 2")
    result = run_check(database)
    assert result.returncode == 1
    assert "BROKEN an order's status is what its totals amount to\n         2\n" in result.stdout


@pytest.mark.parametrize(
    ("sql", "status", "sound"),
    [("SELECT 1", 0, True), ("DELETE FROM fulfillment_lines WHERE fulfillment_id = 1", 1, False)],
)
def test_json_is_one_object_for_a_program(database: Database, sql: str, status: int, sound: bool) -> None:
    break_by_hand(database, sql)
    result = run_check(database, "--json")
    answer = json.loads(result.stdout)
    assert (result.returncode, answer["sound"]) == (status, sound)
    assert {"invariant": "a parcel holds something", "broken": int(not sound), "examples": [] if sound else ["1"]} in (
        answer["invariants"]
    )


@pytest.mark.parametrize("content", [None, b"not a ledger, but a text of more than a hundred bytes" * 9])
def test_what_is_no_ledger_is_said_to_be_none(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "ledger.db"
    if content is not None:
        path.write_bytes(content)
    result = run_check(path)
    assert (result.returncode, result.stdout) == (1, "")
    assert f"{path} cannot be opened as a ledger" in result.stderr
    assert path.exists() is (content is not None), "a check makes no file"


def test_a_ledger_of_a_newer_version_is_not_judged(database: Database) -> None:
    break_by_hand(database, "INSERT INTO migrations VALUES (999, 'later', '', 0)")
    result = run_check(database)
    assert result.returncode == 1
    assert "newer Shipledger" in result.stderr


def test_a_ledger_is_checked_while_it_is_written(database: Database) -> None:
    ledger = open_ledger(database)
    with ledger.transaction():
        ledger.load(needs_of([ship(1, key="k")]))
        assert run_check(database).returncode == 0
    ledger.close()


def test_an_address_where_no_database_is_is_named_without_its_password() -> None:
    result = run_check("postgresql://shipledger:secret@127.0.0.1:1/ledger")
    assert (result.returncode, result.stdout) == (1, "")
    assert "127.0.0.1:1/ledger cannot be opened as a ledger" in result.stderr
    assert "secret" not in result.stderr
