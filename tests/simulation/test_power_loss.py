"""The power is cut under the embedded ledger itself: whatever was acknowledged is in what the disk kept.

The product's own ledger, migration and batches run on a disk that loses what was not synced (see power_loss.py). The
power is cut after each I/O call in turn: in the middle of a commit, of a checkpoint, of the making of the file.
"""

import contextlib
import itertools
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import apsw
import pytest

from shipledger.boot.ledgers import migrate
from shipledger.command import Command
from shipledger.commit.batch import commit_batch
from shipledger.outcome import Done, Unavailable
from shipledger.storage.migrate import SchemaError, migrate_sqlite
from shipledger.storage.sqlite import SqliteLedger
from shipledger.storage.sqlite_checking import check_ledger
from tests.commit.commands import NOW, new_ledger, order, ship
from tests.simulation.power_loss import PowerLossDisk
from tests.simulation.test_power_loss_disk import root

__all__ = ["root"]  # the fixture

NAME = "ledger.db"
BATCHES = 12
CHECKPOINT_PAGES = 24
SEEDS = 2


def batch(number: int) -> list[Command]:
    """An order, and parcels of it and of the order before it. Keys name what is there to be lost."""
    here, before = number + 1, max(number, 1)
    return [
        order(here, ("A", 3), ("B", 2), reference=f"#{here}"),
        ship(here, ("A", 1), number=f"{number}-a", key=f"{number}-a"),
        ship(before, ("B", 1), number=f"{number}-b", key=f"{number}-b"),
        ship(f"#{here}", ("A", 9), number=f"{number}-refused", key=f"{number}-refused"),
        ship(before, ("A", 1), number=f"{number}-c", key=f"{number}-c"),
    ]


@dataclass
class Life:
    """One life of a ledger on a disk, until the end of its work or of its power."""

    disk: PowerLossDisk
    synchronous: str
    acknowledged: set[str] = field(default_factory=set)
    not_applied: set[str] = field(default_factory=set)
    """Keys that were answered 503: provably not applied."""

    def run(self) -> None:
        path, ledger = self.disk.directory / NAME, None
        try:
            connection = apsw.Connection(str(path), vfs=self.disk.vfs_name)
            with contextlib.closing(connection):
                migrate_sqlite(connection)
            ledger = SqliteLedger(
                path, vfs=self.disk.vfs_name, synchronous=self.synchronous, checkpoint_pages=CHECKPOINT_PAGES
            )
            for number in range(BATCHES):
                self._commit(ledger, batch(number))
        except apsw.Error:
            assert self.disk.is_off
        finally:
            if ledger is not None:
                with contextlib.suppress(apsw.Error):
                    ledger.close()

    def _commit(self, ledger: SqliteLedger, commands: list[Command]) -> None:
        for command, outcome in zip(commands, commit_batch(ledger, commands, NOW), strict=True):
            key = command.idempotency_key
            if key is not None and isinstance(outcome, Done):
                self.acknowledged.add(key)
            elif key is not None and isinstance(outcome, Unavailable):
                self.not_applied.add(key)


@dataclass
class Tally:
    """What many cuts did to a ledger."""

    cuts: int = 0
    in_checkpoint: int = 0
    lost: int = 0
    unsound: list[str] = field(default_factory=list)
    wrongly_applied: list[str] = field(default_factory=list)

    def judge(self, life: Life, survivors: Path) -> None:
        self.cuts += 1
        self.in_checkpoint += life.disk.unsynced(NAME) > 0
        try:
            stored = recovered(survivors / NAME)
        except (apsw.Error, SchemaError, AssertionError) as problem:
            self.unsound.append(str(problem))
            return
        self.lost += not life.acknowledged <= stored
        self.wrongly_applied += sorted(stored & life.not_applied)

    def __str__(self) -> str:
        return (
            f"{self.cuts} cuts ({self.in_checkpoint} in a checkpoint): {self.lost} lost something acknowledged,"
            f" {len(self.unsound)} left an unsound ledger"
        )


def recovered(path: Path) -> set[str]:
    """Open what survived as `serve` does, prove it sound, and tell the keys in it."""
    migrate(path)
    broken = [finding for finding in check_ledger(path) if finding.broken]
    assert not broken, broken
    with contextlib.closing(apsw.Connection(str(path))) as connection:
        return {key for (key,) in connection.execute("SELECT key FROM kept_answers")}


def sweep(
    folder: Path, prepare: Callable[[Path], object], *, synchronous: str = "FULL", powersafe: bool = False
) -> Tally:
    """A life for each I/O call to be cut after, and for each of them some of the things that the disk may keep."""
    tally = Tally()
    for cut in itertools.count():
        prepare(folder / "disk")
        with contextlib.closing(PowerLossDisk(folder / "disk", powersafe_overwrite=powersafe)) as disk:
            disk.cut_after(cut)
            life = Life(disk, synchronous)
            life.run()
            for seed in range(SEEDS):
                disk.survivors(folder / "survivors", Random(f"{cut}/{seed}"))
                tally.judge(life, folder / "survivors")
                shutil.rmtree(folder / "survivors")
        shutil.rmtree(folder / "disk")
        if not disk.is_off:
            assert len(life.acknowledged) == 3 * BATCHES
            print(f"\nsynchronous={synchronous} powersafe={powersafe}: {tally}")
            return tally
    raise AssertionError("unreachable")


@pytest.fixture
def migrated(root: Path) -> Callable[[Path], object]:
    """Lays a ledger with a current schema where it is asked to, synced."""
    (root / "migrated").mkdir()
    new_ledger(root / "migrated" / NAME).close()
    return lambda folder: shutil.copytree(root / "migrated", folder)


@pytest.mark.parametrize("powersafe", [False, True])
def test_no_cut_loses_what_was_acknowledged(
    root: Path,
    migrated: Callable[[Path], object],
    powersafe: bool,
) -> None:
    tally = sweep(root, migrated, powersafe=powersafe)
    assert (tally.lost, tally.unsound, tally.wrongly_applied) == (0, [], [])
    assert tally.cuts > 300
    assert tally.in_checkpoint > 20


def test_no_cut_while_the_ledger_is_made_loses_anything(root: Path) -> None:
    tally = sweep(root, Path.mkdir)
    assert (tally.lost, tally.unsound, tally.wrongly_applied) == (0, [], [])
    assert tally.cuts > 300


def test_control_without_syncs_the_same_cuts_lose_what_was_acknowledged(
    root: Path,
    migrated: Callable[[Path], object],
) -> None:
    tally = sweep(root, migrated, synchronous="OFF")
    assert tally.lost + len(tally.unsound) > tally.cuts // 10
    assert tally.unsound
