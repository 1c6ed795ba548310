"""python -m bench.bulk: bulk requests against pgbench, single requests beside them, and a client that reads at last.

python -m bench.bulk [--rounds 5] [--items 100000] [--orders 20000]
"""

import argparse
import json
import random
import resource
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import uvloop

from bench.yardstick import CLIENTS, Yardstick, yardstick
from shipledger.bench.load import fulfillment_requests, load, tracking_number
from shipledger.boot.benchmark import API_KEY, seed_orders, server

BESIDE = 10_000
"""Items of each bulk request that single ones are sent beside."""
BESIDE_SECONDS = 5.0
SINGLE_CONNECTIONS = 8


@dataclass(frozen=True)
class Bulk:
    """A bulk request as it went: items a second from its first byte to its last, and what was answered."""

    per_second: float
    summary: dict[str, object]


def items(count: int, orders: int, seed: int) -> bytes:
    """Lines: one unit of a random order each, with a key of its own."""
    chance = random.Random(seed)  # noqa: S311 - a load, not a secret
    lines = [
        json.dumps(
            {
                "order_id": chance.randint(1, orders),
                "line_items": [{"sku": "SKU-0", "quantity": 1}],
                "tracking_number": tracking_number(seed, number),
                "idempotency_key": f"k-{seed}-{number}",
            }
        )
        for number in range(count)
    ]
    return "\n".join(lines).encode()


def send(port: int, body: bytes, count: int, *, reads_at_last: bool = False) -> Bulk:
    """Send a bulk request, reading meanwhile or only then."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        head = (
            "POST /v1/fulfillments/bulk HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\n"
            f"Authorization: Bearer {API_KEY}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        began = time.perf_counter()
        sending = threading.Thread(target=client.sendall, args=(head.encode() + body,))
        sending.start()
        if reads_at_last:
            sending.join()
        tail = b""
        while data := client.recv(2**20):
            tail = (tail + data)[-1000:]
        sending.join()
        seconds = time.perf_counter() - began
    last = next(line for line in tail.split(b"\n") if line.startswith(b'{"summary"'))
    summary = json.loads(last)["summary"]
    if summary["taken"] != count:
        raise RuntimeError(f"not all items were taken: {summary}")
    return Bulk(count / seconds, summary)


def resident_mib(pid: int) -> float:
    """The memory of a server and of its processes, what they share counted once each."""
    process = psutil.Process(pid)
    return float(sum(each.memory_info().rss for each in (process, *process.children(recursive=True))) / 2**20)


def cpu_seconds(pid: int) -> list[float]:
    """What a server and its processes have used of the processor so far."""
    process = psutil.Process(pid)
    return [sum(each.cpu_times()[:2]) for each in (process, *process.children(recursive=True))]


@contextmanager
def ledger(postgres: Yardstick | None, orders: int) -> Iterator[Path | str]:
    """A new ledger with so many orders: embedded, or on this PostgreSQL."""
    with ExitStack() as stack:
        if postgres is None:
            database: Path | str = (
                Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="shipledger-bench-"))) / "ledger.db"
            )
        else:
            database = stack.enter_context(postgres.database())
        seed_orders(database, orders)
        yield database


def throughput(postgres: Yardstick | None, count: int, orders: int) -> float:
    """Items a second of one bulk request, after a small one."""
    with ledger(postgres, orders) as database, server(database) as (pid, port):
        send(port, items(2_000, orders, seed=time.time_ns()), 2_000)
        body = items(count, orders, seed=time.time_ns())
        before = cpu_seconds(pid)
        measured = send(port, body, count)
        used = [(after - earlier) / count * 1e6 for earlier, after in zip(before, cpu_seconds(pid), strict=True)]
    name = "SQLite" if postgres is None else "PostgreSQL"
    print(f"  {name}: {measured.per_second:,.0f}/s; us of processor an item: {', '.join(f'{us:.0f}' for us in used)}")
    return measured.per_second


def singles_beside(postgres: Yardstick | None, orders: int) -> str:
    """How soon single requests are answered alone, and while one bulk request of 10,000 follows the other."""
    with ledger(postgres, orders) as database, server(database) as (_, port):
        requests = fulfillment_requests(orders, time.time_ns(), API_KEY)

        def measure() -> str:
            figures = uvloop.run(
                load(port, requests, connections=SINGLE_CONNECTIONS, seconds=BESIDE_SECONDS, warm_up_seconds=0.5)
            )
            p50, p99, slowest = figures.percentile(0.5), figures.percentile(0.99), max(figures.milliseconds)
            return f"{figures.per_second:,.0f}/s, p50 {p50:.1f} ms, p99 {p99:.1f} ms, slowest {slowest:.1f} ms"

        alone, ended, speeds = measure(), threading.Event(), list[float]()
        bodies = [items(BESIDE, orders, seed=time.time_ns() + number) for number in range(20)]

        def keep_sending() -> None:
            while bodies and not ended.is_set():
                speeds.append(send(port, bodies.pop(), BESIDE).per_second)

        bulk = threading.Thread(target=keep_sending)
        bulk.start()
        beside = measure()
        ended.set()
        bulk.join()
    return f"alone {alone}\n  beside bulks of {BESIDE:,} ({statistics.median(speeds):,.0f} items/s): {beside}"


def reads_at_last(count: int, orders: int) -> str:
    """What it costs the server when everything is sent before one answer is read."""
    with ledger(None, orders) as database, server(database) as (pid, port):
        send(port, items(2_000, orders, seed=time.time_ns()), 2_000)
        before, peak, ended = resident_mib(pid), [0.0], threading.Event()

        def watch() -> None:
            while not ended.wait(0.02):
                peak.append(resident_mib(pid))

        watching = threading.Thread(target=watch)
        watching.start()
        measured = send(port, items(count, orders, seed=time.time_ns()), count, reads_at_last=True)
        ended.set()
        watching.join()
    memory = f"server {before:.0f} MiB before, {max(peak):.0f} at most"
    return f"{count:,} items sent before one answer was read: {measured.per_second:,.0f}/s; {memory}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--orders", type=int, default=20_000)
    given = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    with yardstick() as postgres:
        ratios: dict[str, list[float]] = {"SQLite": [], "PostgreSQL": []}
        for number in range(1, given.rounds + 1):
            sqlite = throughput(None, given.items, given.orders)
            if postgres is None:
                print("No pgbench beside it: the yardstick's scripts are missing (../shared/bench).")
                continue
            by_hand = postgres.per_second()
            on_postgres = throughput(postgres, given.items, given.orders)
            ratios["SQLite"].append(sqlite / by_hand)
            ratios["PostgreSQL"].append(on_postgres / by_hand)
            print(f"round {number} of {given.rounds}: pgbench -c {CLIENTS} {by_hand:,.0f}/s", flush=True)
        for name, found in ratios.items():
            if found:
                spread = f"{min(found):.2f} to {max(found):.2f}"
                print(
                    f"{name}, bulk / pgbench: {statistics.median(found):.2f} (median of {len(found)} rounds, {spread})"
                )
        print(f"SQLite, {SINGLE_CONNECTIONS} connections of single requests: {singles_beside(None, given.orders)}")
        if postgres is not None:
            print(f"PostgreSQL, the same: {singles_beside(postgres, given.orders)}")
        print(f"SQLite: {reads_at_last(given.items, given.orders)}")


if __name__ == "__main__":
    main()
