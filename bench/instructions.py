"""What a recorded fulfillment costs in instructions of the processor: the same on a busy machine as on a quiet one.

python -m bench.instructions [--side committing|serving] [--batch 32] [--fulfillments 640]

On SQLite. The committing side is taken without HTTP; the serving side with it, from the bytes of a request to those of
its answer, while another process commits, which is not counted. Counted by valgrind, as the difference between a short
run and a longer one. It says nothing of caches, of the disk and of the kernel.
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

from bench.serving import serve_in_waves
from shipledger.boot.benchmark import seed_orders
from shipledger.boot.garbage import calm_the_collector
from shipledger.boot.ledgers import open_ledger
from shipledger.commit.batch import commit_batch
from tests.commit.commands import NOW, ship

ORDERS = 400
BATCHES_BEFORE = 5
_COLLECTED = re.compile(r"==(\d+)== Collected : (\d+)")


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


def counted(batches: int, given: argparse.Namespace) -> int:
    """The instructions of a process that does nothing else."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", sys.executable, "-m"]
    size = ["--batch", str(given.batch), "--fulfillments", str(given.fulfillments)]
    run = [*command, "bench.instructions", "--side", given.side, "--batches", str(batches), *size]
    environment = os.environ | {"PYTHONHASHSEED": "0"}
    with subprocess.Popen(run, env=environment, stderr=subprocess.PIPE, text=True) as process:
        told = process.communicate()[1]
    # The process that commits is one of its own, and counted by itself.
    own = dict(_COLLECTED.findall(told))
    return int(own[str(process.pid)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", choices=("committing", "serving"), default="committing")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--fulfillments", type=int, default=640)
    parser.add_argument("--batches", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    more = max(1, given.fulfillments // given.batch)
    if given.batches is not None:
        if given.side == "committing":
            record(given.batches, given.batch)
        else:
            serve_in_waves(given.batches, given.batch, BATCHES_BEFORE + more)
        return
    before, after = (counted(BATCHES_BEFORE + batches, given) for batches in (0, more))
    print(f"batches of {given.batch}: {(after - before) / (more * given.batch):,.0f} instructions a fulfillment")


if __name__ == "__main__":
    main()
