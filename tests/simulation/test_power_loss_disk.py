"""The disk that loses its cache, tested with plain SQLite: it spares what was synced, and it catches what was not.

A workload of batches runs on the disk; the power is cut after each of its I/O calls in turn, so also in the middle of a
commit, of a checkpoint and of the creation of the database. A batch is acknowledged once its COMMIT returned.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import apsw
import pytest

from tests.simulation.power_loss import PowerCut, PowerLossDisk

LOGGER = logging.getLogger(__name__)  # --log-cli-level=INFO shows what each sweep saw
BATCHES = 10
ROWS = 5
NAME = "ledger.db"
SCHEMA = """
BEGIN;
CREATE TABLE entries (batch INTEGER, position INTEGER, payload BLOB UNIQUE, UNIQUE (batch, position));
CREATE TABLE totals (batches INTEGER);
INSERT INTO totals VALUES (0);
COMMIT
"""


@dataclass
class Tally:
    """What a sweep saw. `lost` holds, for each cut that lost any, how many acknowledged batches were missing."""

    cuts: int = 0
    database_unsynced: int = 0
    lost: list[int] = field(default_factory=list)
    corrupt: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.cuts} cuts ({self.database_unsynced} with unsynced writes to the database file), "
            f"{len(self.lost)} lost acknowledged batches (at most {max(self.lost, default=0)}), "
            f"{len(self.corrupt)} corrupt"
        )


class Workload:
    """The schema, always made safely, is batch 0; batches 1 to BATCHES run with the level under test."""

    def __init__(self, disk: PowerLossDisk, journal_mode: str, synchronous: str) -> None:
        self.acknowledged = -1
        self._disk = disk
        self._journal_mode = journal_mode
        self._synchronous = synchronous

    def run(self) -> None:
        """Work until the end, or until the power is cut."""
        connection = None
        try:
            connection = apsw.Connection(str(self._disk.directory / NAME), vfs=self._disk.vfs_name)
            self._work(connection)
        except PowerCut:
            assert self._disk.is_off
        finally:
            if connection is not None:
                with contextlib.suppress(apsw.Error):
                    connection.close()

    def _work(self, connection: apsw.Connection) -> None:
        setup = "EXTRA" if self._synchronous == "EXTRA" else "FULL"
        connection.execute(f"PRAGMA synchronous={setup}; PRAGMA journal_mode={self._journal_mode}").fetchall()
        connection.execute("PRAGMA wal_autocheckpoint=12").fetchall()
        connection.execute(SCHEMA)
        self.acknowledged = 0
        connection.execute(f"PRAGMA synchronous={self._synchronous}")
        for batch in range(1, BATCHES + 1):
            self._commit(connection, batch)
            self.acknowledged = batch

    def _commit(self, connection: apsw.Connection, batch: int) -> None:
        rng = Random(batch)
        connection.execute("BEGIN IMMEDIATE")
        rows = [(batch, position, rng.randbytes(300)) for position in range(ROWS)]
        connection.executemany("INSERT INTO entries VALUES (?, ?, ?)", rows)
        connection.execute("UPDATE totals SET batches = ?", (batch,))
        connection.execute("COMMIT")


def recovered(directory: Path) -> int:
    """Open what survived with the ordinary VFS: the last batch there is, or -1 without a schema. Raises if corrupt."""
    with contextlib.closing(apsw.Connection(str(directory / NAME))) as connection:
        connection.execute("PRAGMA synchronous=OFF")  # for speed: nobody cuts the power of this one
        problems = connection.execute("PRAGMA integrity_check").fetchall()
        if problems != [("ok",)]:
            raise apsw.CorruptError(str(problems))
        if connection.execute("SELECT count(*) FROM sqlite_schema WHERE type = 'table'").get == 0:
            return -1
        last: int = connection.execute("SELECT batches FROM totals").get
        found = connection.execute("SELECT batch, count(*) FROM entries GROUP BY batch ORDER BY batch").fetchall()
    if found != [(batch, ROWS) for batch in range(1, last + 1)]:
        raise apsw.CorruptError(f"batches are not whole: {last} of them, but {found}")
    return last


def cuts(
    root: Path, journal_mode: str, synchronous: str, *, powersafe: bool = False, step: int = 1
) -> Iterator[tuple[int, PowerLossDisk, int]]:
    """Run the workload again and again, cut after each I/O call: the call, the disk and the last acknowledged batch."""
    for n in itertools.count(0, step):
        directory = root / f"disk-{n}"
        directory.mkdir(parents=True)
        disk = PowerLossDisk(directory, powersafe_overwrite=powersafe)
        disk.cut_after(n)
        workload = Workload(disk, journal_mode, synchronous)
        workload.run()
        yield n, disk, workload.acknowledged
        disk.close()
        shutil.rmtree(directory)
        if not disk.is_off:
            assert workload.acknowledged == BATCHES
            return


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """Where the disks are simulated: in memory where that can be had, as thousands of small files are made."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else tmp_path) as directory:
        yield Path(directory)


def judge(tally: Tally, directory: Path, acknowledged: int) -> None:
    tally.cuts += 1
    try:
        last = recovered(directory)
    except (apsw.CorruptError, apsw.NotADBError, apsw.SQLError) as problem:
        tally.corrupt.append(str(problem))
        return
    finally:
        shutil.rmtree(directory)
    assert last <= acknowledged + 1, "more than the batch in flight came from nowhere"
    if last < acknowledged:
        tally.lost.append(acknowledged - last)


def sweep(root: Path, journal_mode: str, synchronous: str, *, powersafe: bool = False, possibilities: int = 2) -> Tally:
    tally = Tally()
    for n, disk, acknowledged in cuts(root, journal_mode, synchronous, powersafe=powersafe):
        tally.database_unsynced += possibilities * (disk.unsynced(NAME) > 0)
        for seed in range(possibilities):
            survivors = root / f"survivors-{n}-{seed}"
            disk.survivors(survivors, Random(f"{n}/{seed}"))
            judge(tally, survivors, acknowledged)
    LOGGER.info("%s %s powersafe=%s: %s", journal_mode, synchronous, powersafe, tally)
    assert tally.cuts > 200
    return tally


@pytest.mark.parametrize("powersafe", [False, True])
def test_wal_with_synchronous_full_keeps_whatever_was_acknowledged(root: Path, powersafe: bool) -> None:
    tally = sweep(root, "WAL", "FULL", powersafe=powersafe)
    assert tally.lost == []
    assert tally.corrupt == []
    assert tally.database_unsynced > 20, "in WAL mode, that is in the middle of a checkpoint"


def test_control_synchronous_off_loses_and_corrupts(root: Path) -> None:
    tally = sweep(root, "WAL", "OFF")
    assert len(tally.lost) > tally.cuts // 10
    assert tally.corrupt


def test_wal_with_synchronous_normal_loses_the_latest_but_never_corrupts(root: Path) -> None:
    tally = sweep(root, "WAL", "NORMAL")
    assert len(tally.lost) > tally.cuts // 10
    assert tally.corrupt == []


def test_a_deleted_journal_comes_back_unless_the_directory_was_synced(root: Path) -> None:
    """SQLite documents that DELETE with FULL may roll back the last commit, and that EXTRA is there against it."""
    full = sweep(root / "full", "DELETE", "FULL", possibilities=1)
    assert set(full.lost) == {1}
    assert full.corrupt == []
    extra = sweep(root / "extra", "DELETE", "EXTRA", possibilities=1)
    assert extra.lost == []
    assert extra.corrupt == []


def test_a_second_cut_during_the_recovery_loses_nothing_either(root: Path) -> None:
    tally = Tally()
    for n, disk, acknowledged in cuts(root, "WAL", "FULL", step=7):
        for second in itertools.count():
            survivors, again = root / f"first-{n}-{second}", root / f"second-{n}-{second}"
            disk.survivors(survivors, Random(n))
            with contextlib.closing(PowerLossDisk(survivors)) as recovering:
                recovering.cut_after(second)
                with contextlib.suppress(PowerCut):
                    connection = apsw.Connection(str(survivors / NAME), vfs=recovering.vfs_name)
                    with contextlib.closing(connection):
                        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                recovering.survivors(again, Random(second))
            shutil.rmtree(survivors)
            judge(tally, again, acknowledged)
            if not recovering.is_off:
                break
    LOGGER.info("cut during recovery: %s", tally)
    assert tally.cuts > 200
    assert tally.lost == []
    assert tally.corrupt == []


def test_the_power_stays_off_and_what_survives_depends_on_the_seed_alone(tmp_path: Path) -> None:
    with contextlib.closing(PowerLossDisk(tmp_path)) as disk:
        connection = apsw.Connection(str(tmp_path / NAME), vfs=disk.vfs_name)
        connection.execute("PRAGMA synchronous=OFF; PRAGMA journal_mode=WAL; CREATE TABLE t (x)").fetchall()
        disk.cut_after(0)
        served = disk.calls
        for _ in range(3):
            with pytest.raises(PowerCut):
                connection.execute("INSERT INTO t VALUES (1)")
        assert disk.calls == served
        images = []
        for run, seed in enumerate([*range(8), *range(8)]):
            disk.survivors(tmp_path / str(run), Random(seed))
            images.append({path.name: path.read_bytes() for path in (tmp_path / str(run)).iterdir()})
        assert images[:8] == images[8:]
        assert any(image != images[0] for image in images)
        assert any(NAME not in image for image in images), "a file whose directory entry was not synced may vanish"
        with contextlib.suppress(apsw.Error):
            connection.close()


def test_bytes_outside_a_write_change_only_where_that_is_not_claimed_impossible(tmp_path: Path) -> None:
    """A synced file, and one unsynced write of ten bytes in the middle of a sector of it."""
    for powersafe in (False, True):
        directory = tmp_path / str(powersafe)
        directory.mkdir()
        (directory / NAME).write_bytes(b"s" * 2048)
        with contextlib.closing(PowerLossDisk(directory, powersafe_overwrite=powersafe)) as disk:
            flags = [apsw.SQLITE_OPEN_MAIN_DB | apsw.SQLITE_OPEN_READWRITE, 0]
            file = disk._vfs.xOpen(str(directory / NAME), flags)
            file.xWrite(b"w" * 10, 600)
            file.xClose()
            collateral = False
            for seed in range(200):
                disk.survivors(tmp_path / f"{powersafe}-{seed}", Random(seed))
                image = (tmp_path / f"{powersafe}-{seed}" / NAME).read_bytes()
                assert (len(image), image[:512], image[1024:]) == (2048, b"s" * 512, b"s" * 1024)
                collateral |= image[512:600] + image[610:1024] != b"s" * (88 + 414)
        assert collateral is not powersafe


def test_a_file_made_by_other_means_counts_as_not_yet_synced(tmp_path: Path) -> None:
    directory = tmp_path / "disk"
    directory.mkdir()
    with contextlib.closing(PowerLossDisk(directory)) as disk:
        with contextlib.closing(apsw.Connection(str(directory / NAME))) as connection:
            connection.execute("CREATE TABLE t (x)")
        content = (directory / NAME).read_bytes()
        with contextlib.closing(apsw.Connection(str(directory / NAME), vfs=disk.vfs_name)) as connection:
            assert connection.execute("SELECT count(*) FROM t").get == 0
        found = set()
        for seed in range(50):
            disk.survivors(tmp_path / str(seed), Random(seed))
            path = tmp_path / str(seed) / NAME
            found.add(path.read_bytes() if path.exists() else None)
    assert {None, b"", content} < found, "vanished, empty, whole, and torn besides"
