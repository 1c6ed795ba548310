"""What a recorded fulfillment costs in instructions of the processor: the same on a busy machine as on a quiet one.

python -m bench.instructions [--batch 32] [--fulfillments 640]

In process, without HTTP, on SQLite; counted by valgrind, as the difference between a short run and a longer one. It
says nothing of caches, of the disk and of the kernel.
"""

import argparse
import os
import random
import re
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from shipledger.boot.benchmark import seed_orders
from shipledger.boot.garbage import calm_the_collector
from shipledger.boot.ledgers import open_ledger
from shipledger.commit.batch import commit_batch
from tests.commit.commands import NOW, ship

ORDERS = 400
BATCHES_BEFORE = 5
_COLLECTED = re.compile(r"Collected : (\d+)")


def record(batches: int, batch: int) -> None:
    """So many batches of parcels, each with a key and a number of its own, of random orders."""
    calm_the_collector()
    chance = random.Random(1)  # noqa: S311 - a load, not a secret
    with tempfile.TemporaryDirectory(prefix="shipledger-bench-") as folder:
        seed_orders(Path(folder) / "ledger.db", ORDERS)
        with closing(open_ledger(Path(folder) / "ledger.db")) as ledger:
            for number in range(batches):
                names = [f"{number}-{at}" for at in range(batch)]
                parcels = [ship(chance.randint(1, ORDERS), ("SKU-0", 1), key=name, number=name) for name in names]
                commit_batch(ledger, parcels, NOW)


def counted(batches: int, batch: int) -> int:
    """The instructions of a process that does nothing else."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", sys.executable, "-m"]
    run = [*command, "bench.instructions", "--batches", str(batches), "--batch", str(batch)]
    done = subprocess.run(
        run, env=os.environ | {"PYTHONHASHSEED": "0"}, check=True, stderr=subprocess.PIPE, text=True
    )  # fmt: skip
    return int(_COLLECTED.findall(done.stderr)[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--fulfillments", type=int, default=640)
    parser.add_argument("--batches", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.batches is not None:
        record(given.batches, given.batch)
        return
    more = max(1, given.fulfillments // given.batch)
    before = counted(BATCHES_BEFORE, given.batch)
    after = counted(BATCHES_BEFORE + more, given.batch)
    print(f"batches of {given.batch}: {(after - before) / (more * given.batch):,.0f} instructions a fulfillment")


if __name__ == "__main__":
    main()
