"""A file of shipments: how fast it is taken, again, killed half-way and gone on with, and undone; with what memory.

python -m bench.shipments [--rows 100000] [--database URL]
"""

import argparse
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from shipledger.boot.benchmark import ORDERS_A_BATCH
from shipledger.boot.ledgers import Database, clock, migrate, open_ledger, open_reading
from shipledger.commit.batch import commit_batch
from tests.commit.commands import order

ROWS_A_PARCEL = 2


def seed(database: Database, orders: int) -> None:
    """Orders of an A and a B."""
    migrate(database)
    with closing(open_ledger(database)) as ledger:
        for first in range(1, orders + 1, ORDERS_A_BATCH):
            numbers = range(first, min(first + ORDERS_A_BATCH, orders + 1))
            commit_batch(ledger, [order(n, ("A", 1), ("B", 1), reference=f"#{n}") for n in numbers], clock())


def write_file(path: Path, orders: int) -> None:
    """A parcel of two rows for each order."""
    with path.open("w", encoding="utf-8") as file:
        file.write("order,sku,quantity,tracking number\n")
        for number in range(1, orders + 1):
            file.write(f"#{number},A,1,P{number:07}\n#{number},B,1,P{number:07}\n")


def run(url: str, rows: int, what: str, *arguments: str, kill_at: int | None = None) -> None:
    """One command, and what it cost. `kill_at` fulfillments it is killed."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "shipledger", *arguments, "--database", url],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    if kill_at is not None:
        with closing(open_reading(_database(url))) as reading:
            while reading.feed_end() < kill_at and process.poll() is None:
                time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    process.wait()
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(
        f"{what}: exit {process.returncode}, {seconds:.1f} s ({rows / seconds:,.0f} rows a second), {cpu:.1f} s of CPU,"
        f" at most {after.ru_maxrss / 1024:.0f} MiB so far",
        flush=True,
    )


def _database(url: str) -> Database:
    return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:") else url


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--database", help="an empty one; a file that is thrown away otherwise")
    given = parser.parse_args()
    orders = given.rows // ROWS_A_PARCEL
    with tempfile.TemporaryDirectory(prefix="shipledger-bench-") as folder:
        url = given.database or f"sqlite:///{folder}/ledger.db"
        file = Path(folder) / "shipped.csv"
        seed(_database(url), orders)
        write_file(file, orders)
        os.chdir(folder)  # where rejects would be written
        with closing(open_reading(_database(url))) as reading:
            half = reading.feed_end() + orders // 2
        take = ("import", "fulfillments", str(file))
        run(url, given.rows // 2, "killed half-way", *take, kill_at=half)
        run(url, given.rows // 2, "gone on with", *take)
        run(url, given.rows, "again", *take)
        run(url, given.rows, "undone", "import", "undo", "1")
        run(url, given.rows, "whole", *take)
        run(url, given.rows, "check", "check")


if __name__ == "__main__":
    main()
