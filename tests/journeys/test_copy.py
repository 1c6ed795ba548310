"""`shipledger copy` moves an embedded ledger to PostgreSQL: all of it, also after a kill, and retries still replay."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import apsw
import pytest

from shipledger.boot.ledgers import check_ledger
from shipledger.command import AddCarrierEvent, CancelFulfillment, CancelOrder, Command, HoldOrder
from shipledger.commit.batch import commit_batch
from shipledger.fulfillment import FulfillmentStatus
from shipledger.key import RotateKey
from shipledger.outcome import Done
from shipledger.storage import copying
from shipledger.storage.copying import TABLES, CopyRefused, copy_ledger
from shipledger.storage.postgres import PostgresLedger
from shipledger.storage.postgres_reading import postgres_reading
from shipledger.storage.sqlite_reading import sqlite_reading
from tests.commit.commands import ORIGIN, new_ledger, order, ship
from tests.postgres_server import Databases, execute
from tests.rules.key_asking import create as create_key

ORDERS = 300


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A ledger with orders, some fulfilled, with keys, texts of every kind and an id from its own counter."""
    path = tmp_path / "source.db"
    ledger = new_ledger(path)
    orders = [order(id_, ("Ä-sku", 3), ("b", 2), reference=f"#{id_}ß") for id_ in range(1, ORDERS + 1)]
    parcels = [ship(id_, ("Ä-sku", 1), number=f"T{id_}\\\t", key=f"k{id_}") for id_ in range(1, ORDERS + 1)]
    commit_batch(ledger, [*orders, order(None, ("c", 1))], now=1)
    commit_batch(ledger, [create_key(1), RotateKey(ORIGIN, 1, create_key(2).credential, overlap_seconds=9)], now=2)
    commit_batch(ledger, [*parcels, *(ship(id_) for id_ in range(1, 50))], now=2)
    delivered = AddCarrierEvent(ORIGIN, 1, FulfillmentStatus.DELIVERED, 2, "ß", None)
    changes: list[Command] = [
        delivered,
        CancelFulfillment(ORIGIN, 2),
        HoldOrder(ORIGIN, 3, "Ä"),
        CancelOrder(ORIGIN, 4),
    ]
    assert all(isinstance(outcome, Done) for outcome in commit_batch(ledger, changes, now=3))
    ledger.close()
    return path


@pytest.fixture
def target(databases: Databases) -> Any:
    with databases.dropped_at_the_end(databases.create_empty) as create:
        yield create()


def _rows(source: Path) -> dict[str, list[tuple[Any, ...]]]:
    file = apsw.Connection(str(source))
    rows = {
        table.name: sorted(file.execute(f"SELECT {', '.join(table.columns)} FROM {table.name}")) for table in TABLES
    }
    file.close()
    return rows


def _copied_rows(target: str) -> dict[str, list[tuple[Any, ...]]]:
    return {
        table.name: sorted(execute(target, f"SELECT {', '.join(table.columns)} FROM {table.name}")) for table in TABLES
    }


def test_every_row_is_copied_and_both_ledgers_are_sound(source: Path, target: str) -> None:
    counts = copy_ledger(source, target, lambda *_: None)
    assert (counts["orders"], counts["carrier_events"]) == (ORDERS + 1, 1)
    assert _copied_rows(target) == _rows(source)
    assert not any(finding.broken for ledger in (source, target) for finding in check_ledger(ledger))


def test_the_new_ledger_goes_on_where_the_old_one_was(source: Path, target: str) -> None:
    copy_ledger(source, target, lambda *_: None)
    ledger = PostgresLedger(target)
    again, new, newer = commit_batch(
        ledger,
        [ship(7, ("Ä-sku", 1), number="T7\\\t", key="k7"), ship(299, ("b", 1), number="new"), order(None, ("c", 1))],
        now=3,
    )
    ledger.close()
    assert isinstance(again, Done)
    assert (again.replayed, again.body["tracking_number"]) == (True, "T7\\\t")
    assert isinstance(new, Done)
    assert new.made_id == max(row[0] for row in _rows(source)["fulfillments"]) + 1
    assert isinstance(newer, Done)
    assert newer.made_id == 10**15 + 1
    assert not any(finding.broken for finding in check_ledger(target))


def test_the_feed_keeps_its_order(source: Path, target: str) -> None:
    copy_ledger(source, target, lambda *_: None)
    old, new = sqlite_reading(source), postgres_reading(target)
    assert new.events(0, 5_000, None) == old.events(0, 5_000, None)
    old.close()
    new.close()


@pytest.mark.parametrize("after_steps", [1, 4, 9, 14])
def test_a_copy_that_was_interrupted_is_gone_on_with(
    source: Path, target: str, after_steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "ROWS_A_STEP", 100)
    steps = iter(range(after_steps))

    def interrupt(*_: object) -> None:
        if next(steps, None) is None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_ledger(source, target, interrupt)
    copy_ledger(source, target, lambda *_: None)
    assert _copied_rows(target) == _rows(source)
    assert not any(finding.broken for finding in check_ledger(target))


def _command(source: Path, target: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "shipledger", "copy", f"sqlite:///{source}", target, "--json"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_a_killed_command_is_gone_on_with_and_nobody_serves_its_target_meanwhile(source: Path, target: str) -> None:
    process = _command(source, target)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        if execute(target, "SELECT to_regclass('unfinished_copy')") != [(None,)]:
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.005)
    process.communicate()
    if process.returncode == -signal.SIGKILL:
        settings = os.environ | {"SHIPLEDGER_DATABASE": target, "SHIPLEDGER_PORT": "0"}
        served = subprocess.run(
            [sys.executable, "-m", "shipledger", "serve"], env=settings, capture_output=True, timeout=20, check=False
        )
        assert served.returncode == 1
        assert b"unfinished copy" in served.stderr
    process = _command(source, target)
    printed, errors = process.communicate(timeout=30)
    if process.returncode == 1:  # it had been finished before the signal came
        assert b"has orders already" in errors
    else:
        assert json.loads(printed)["orders"] == ORDERS + 1
    assert _copied_rows(target) == _rows(source)


def test_a_target_that_is_not_empty_is_refused(source: Path, target: str) -> None:
    copy_ledger(source, target, lambda *_: None)
    with pytest.raises(CopyRefused, match="has orders already"):
        copy_ledger(source, target, lambda *_: None)


def test_the_unfinished_copy_of_another_ledger_is_refused(source: Path, target: str, tmp_path: Path) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_ledger(source, target, interrupt)
    other = tmp_path / "other.db"
    new_ledger(other).close()
    with pytest.raises(CopyRefused, match="unfinished copy of another ledger"):
        copy_ledger(other, target, lambda *_: None)


def test_a_source_that_is_missing_is_refused(target: str, tmp_path: Path) -> None:
    with pytest.raises(CopyRefused, match="no ledger"):
        copy_ledger(tmp_path / "none.db", target, lambda *_: None)
