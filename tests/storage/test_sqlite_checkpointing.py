"""The log of an embedded ledger is moved into its file beside a busy writer, and does not grow without end."""

import threading
import time
from pathlib import Path

import pytest

from shipledger.boot.ledgers import migrate
from shipledger.command import CreateFulfillment
from shipledger.commit.batch import commit_batch
from shipledger.storage import sqlite_checkpointing
from shipledger.storage.migrate import PAGE_BYTES
from shipledger.storage.sqlite import SqliteLedger
from shipledger.storage.sqlite_checking import check_ledger
from shipledger.storage.sqlite_checkpointing import Checkpointer
from tests.commit.commands import order, ship

PAGES = 200
LONG_LOG = 1_000_000
"""No batch of a test makes the log so long that the thread moves it by itself."""
BATCHES = 400


def _log_bytes_after_many_batches(path: Path) -> int:
    """The longest that the log became while one batch followed the other."""
    migrate(path)
    ledger = SqliteLedger(path, checkpoint_pages=PAGES)
    commit_batch(ledger, [order(id_, ("A", 10_000)) for id_ in range(1, 41)], now=1)
    longest = 0
    for number in range(BATCHES):
        commands: list[CreateFulfillment] = [ship(id_, ("A", 1), number=f"T{number}-{id_}") for id_ in range(1, 41)]
        commit_batch(ledger, commands, now=number)
        longest = max(longest, path.with_name(path.name + "-wal").stat().st_size)
    ledger.close()
    return longest


def test_the_log_stays_short_under_a_busy_writer(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    longest = _log_bytes_after_many_batches(path)
    print(f"the log had at most {longest // PAGE_BYTES} pages; it is moved from {PAGES} on")
    assert longest < path.stat().st_size / 2
    assert not any(finding.broken for finding in check_ledger(path))


def _bytes_moved_beside_the_writer(path: Path) -> int:
    """What the thread alone moves of the log of a few batches into the ledger's file."""
    migrate(path)
    before = path.stat().st_size
    ledger = SqliteLedger(path, checkpoint_pages=LONG_LOG)
    checkpointer = ledger._checkpointer
    commit_batch(ledger, [order(id_, ("A", 10_000)) for id_ in range(1, 2_001)], now=1)
    checkpointer._move_most()
    moved = path.stat().st_size - before
    ledger.close()
    return moved


def test_the_log_is_moved_beside_the_writer(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    assert _bytes_moved_beside_the_writer(path) == path.stat().st_size - _new_ledger_bytes(tmp_path / "new.db") > 0


def _new_ledger_bytes(path: Path) -> int:
    migrate(path)
    return path.stat().st_size


def test_rounds_go_on_until_two_in_succession_were_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    migrate(tmp_path / "ledger.db")
    checkpointer = Checkpointer(tmp_path / "ledger.db", None, pages=1)
    # One was short, but the second synced, and much was committed beside it.
    moves = iter(
        [(64_000, 64_300), (64_300, 64_300), (64_300, 68_000), (68_000, 68_100), (68_100, 68_200), (68_200, 68_300)]
    )

    def move(_: object) -> int:
        moved, checkpointer._length = next(moves)
        return moved

    monkeypatch.setattr(sqlite_checkpointing, "_move", move)
    checkpointer._move_most()
    checkpointer.stop()
    assert checkpointer._length == 68_300


def test_a_log_that_the_writer_never_finishes_grows_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Checkpointer, "finish", lambda *_: None)
    path = tmp_path / "ledger.db"
    assert _log_bytes_after_many_batches(path) > path.stat().st_size / 2


def test_a_thread_that_is_told_to_stop_while_it_moves_the_log_ends(tmp_path: Path) -> None:
    is_moving = threading.Event()

    class Busy(Checkpointer):
        def _move_most(self) -> None:
            is_moving.set()
            while not self._is_stopping:
                time.sleep(0.001)
            time.sleep(0.05)  # until stop has woken the thread, which is not waiting
            super()._move_most()

    path = tmp_path / "ledger.db"
    migrate(path)
    checkpointer = Busy(path, None, pages=1)
    checkpointer._is_long.set()
    assert is_moving.wait(10)
    stopping = threading.Thread(target=checkpointer.stop, daemon=True)
    stopping.start()
    stopping.join(10)
    assert not stopping.is_alive()
