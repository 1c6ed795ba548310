"""One measurement: a new ledger of some orders, a server over it in a process of its own, and a load from this one."""

import json
import os
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
from shipledger.boot.ledgers import clock, migrate
from shipledger.command import OPERATOR, CreateOrder, Origin
from shipledger.commit.batch import commit_batch
from shipledger.order import OrderContent, OrderedLine
from shipledger.storage.sqlite import SqliteLedger

CONNECTIONS = 64
ORDERS = 20_000
_ORIGIN = Origin(OPERATOR, None, "bench", None, "bench")
_START_SECONDS_MAX = 20


@dataclass(frozen=True)
class Measurement:
    """The figures of a load, and what the server and the ledger weighed: MiB resident, MiB on disk."""

    figures: Figures
    resident_mib_before: float
    resident_mib_after: float
    ledger_mib: float


def seed_orders(path: Path, orders: int) -> None:
    """A new ledger with this many orders of two lines, ids from 1."""
    migrate(path)
    ledger = SqliteLedger(path)
    lines = (OrderedLine("SKU-0", 1_000_000), OrderedLine("SKU-1", 1_000_000))
    for first in range(1, orders + 1, 1_000):
        batch = [
            CreateOrder(_ORIGIN, OrderContent(id_, lines, f"#{id_}"))
            for id_ in range(first, min(first + 1_000, orders + 1))
        ]
        commit_batch(ledger, batch, clock())
    ledger.close()


@contextmanager
def server(path: Path, **environment: str) -> Iterator[tuple[int, int]]:
    """`shipledger serve` over this ledger: its process id and its port."""
    settings = os.environ | {"SHIPLEDGER_DATABASE": f"sqlite:///{path}", "SHIPLEDGER_PORT": "0"} | environment
    process = subprocess.Popen([sys.executable, "-m", "shipledger", "serve"], env=settings, stderr=subprocess.DEVNULL)
    try:
        yield process.pid, _port(path, process)
    finally:
        process.terminate()
        process.wait()


def _port(path: Path, process: "subprocess.Popen[bytes]") -> int:
    lock = path.with_name(path.name + ".lock")
    deadline = time.monotonic() + _START_SECONDS_MAX
    while time.monotonic() < deadline and process.poll() is None:
        try:
            text = json.loads(lock.read_text())
        except (OSError, ValueError):
            text = {}
        if text.get("pid") == process.pid and text.get("url"):
            return int(text["url"].rsplit(":", 1)[1])
        time.sleep(0.02)
    raise RuntimeError("the server did not start")


def resident_mib(pid: int) -> float:
    """The memory that a process holds now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def measure(seconds: float, *, orders: int = ORDERS, connections: int = CONNECTIONS, **environment: str) -> Measurement:
    """Single requests against a new ledger."""
    with tempfile.TemporaryDirectory(prefix="shipledger-bench-") as folder:
        path = Path(folder) / "ledger.db"
        seed_orders(path, orders)
        return measure_ledger(path, seconds, orders=orders, connections=connections, **environment)


def measure_ledger(path: Path, seconds: float, *, orders: int, connections: int, **environment: str) -> Measurement:
    """Single requests against a ledger that holds orders 1 to `orders`."""
    with server(path, **environment) as (pid, port):
        requests = fulfillment_requests(orders, seed=time.time_ns())
        before = resident_mib(pid)
        figures = uvloop.run(load(port, requests, connections=connections, seconds=seconds, warm_up_seconds=1))
        after = resident_mib(pid)
    return Measurement(figures, before, after, path.stat().st_size / 2**20)
