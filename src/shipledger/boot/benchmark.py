"""Measures a ledger: a server over it in a process of its own, and a load from this one."""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvloop

from shipledger.bench.load import Figures, fulfillment_requests, load
from shipledger.boot.ledgers import Database, clock, migrate, open_ledger
from shipledger.command import OPERATOR, CreateOrder, Origin
from shipledger.commit.batch import commit_batch
from shipledger.key import PUBLIC_BYTES, SECRET_BYTES, CreateKey, Role, mint
from shipledger.order import OrderContent, OrderedLine

CONNECTIONS = 64
ORDERS = 20_000
ORDERS_A_BATCH = 1_000
WARM_UP_SECONDS = 1.0
_ORIGIN = Origin(OPERATOR, None, "bench", None, "bench")
API_KEY, _CREDENTIAL = mint(b"bench" * ((PUBLIC_BYTES + SECRET_BYTES) // 5))
"""The key of every ledger that is measured and thrown away: it lets in by key, as a server in earnest does."""
_SERVES = re.compile(rb"Shipledger serves .* at http://[^:]+:(\d+) ")


@dataclass(frozen=True)
class Measurement:
    """The figures of a load, and the memory of the server before and after it, in MiB."""

    figures: Figures
    resident_mib_before: float
    resident_mib_after: float


def seed_orders(database: Database, orders: int) -> None:
    """A new ledger with a key and this many orders of two lines, ids from 1."""
    migrate(database)
    ledger = open_ledger(database)
    commit_batch(ledger, [CreateKey(_ORIGIN, _CREDENTIAL, "bench", Role.OPERATOR, None, None)], clock())
    lines = (OrderedLine("SKU-0", 1_000_000), OrderedLine("SKU-1", 1_000_000))
    for first in range(1, orders + 1, ORDERS_A_BATCH):
        ids = range(first, min(first + ORDERS_A_BATCH, orders + 1))
        batch = [CreateOrder(_ORIGIN, OrderContent(id_, lines, f"#{id_}")) for id_ in ids]
        commit_batch(ledger, batch, clock())
    ledger.close()


@contextmanager
def server(database: Database, **environment: str) -> Iterator[tuple[int, int]]:
    """`shipledger serve` over this ledger: its process id and its port."""
    url = database if isinstance(database, str) else f"sqlite:///{database}"
    settings = os.environ | {"SHIPLEDGER_DATABASE": url, "SHIPLEDGER_PORT": "0"} | environment
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen([sys.executable, "-m", "shipledger", "serve"], env=settings, stderr=log)
        try:
            while not (serves := _SERVES.search(os.pread(log.fileno(), 65_536, 0))):
                if process.poll() is not None:
                    raise RuntimeError(f"the server did not start: {os.pread(log.fileno(), 65_536, 0).decode()}")
                time.sleep(0.02)
            yield process.pid, int(serves[1])
        finally:
            process.terminate()
            process.wait()


def resident_mib(pid: int) -> float:
    """The memory that a server and its committing process hold now; 0 where there is no /proc to tell.

    What both share is counted twice.
    """
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        pages = [int(Path(f"/proc/{each}/statm").read_text(encoding="ascii").split()[1]) for each in (pid, *children)]
    except OSError:
        return 0.0
    return sum(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20


def measure(seconds: float, *, orders: int = ORDERS, connections: int = CONNECTIONS, **environment: str) -> Measurement:
    """Single requests against a new embedded ledger."""
    with tempfile.TemporaryDirectory(prefix="shipledger-bench-") as folder:
        path = Path(folder) / "ledger.db"
        seed_orders(path, orders)
        return measure_ledger(path, seconds, orders=orders, connections=connections, window=None, **environment)


def measure_ledger(
    database: Database,
    seconds: float,
    *,
    orders: int,
    connections: int = CONNECTIONS,
    window: int | None = None,
    **environment: str,
) -> Measurement:
    """Single requests against a ledger that holds orders 1 to `orders`; `window` as in `fulfillment_requests`."""
    with server(database, **environment) as (pid, port):
        requests = fulfillment_requests(orders, time.time_ns(), API_KEY, window=window)
        before = resident_mib(pid)
        figures = uvloop.run(
            load(port, requests, connections=connections, seconds=seconds, warm_up_seconds=WARM_UP_SECONDS)
        )
        after = resident_mib(pid)
    return Measurement(figures, before, after)
