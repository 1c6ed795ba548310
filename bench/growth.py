"""Whether a ledger slows down or swells as it grows.

python -m bench.growth orders [--few 10000] [--many 1000000] [--rounds 5] [--seconds 5] [--window 5000]
python -m bench.growth fulfillments [--total 1000000] [--step 100000]
"""

import argparse
import itertools
import statistics
import tempfile
import time
from pathlib import Path

import uvloop

from shipledger.bench.load import fulfillment_requests, load
from shipledger.boot.benchmark import API_KEY, CONNECTIONS, measure_ledger, resident_mib, seed_orders, server

HOUR_SECONDS = 3_600.0


def compare_sizes(few: int, many: int, rounds: int, seconds: float, window: int | None) -> None:
    """Single requests against a small and a large ledger, in turn: of any order, or of those in a window."""
    with tempfile.TemporaryDirectory(prefix="shipledger-bench-") as folder:
        paths = {orders: Path(folder) / f"{orders}.db" for orders in (few, many)}
        for orders, path in paths.items():
            began = time.perf_counter()
            seed_orders(path, orders)
            print(f"{orders:,} orders recorded in {time.perf_counter() - began:.0f} s", flush=True)
        ratios = []
        for number in range(1, rounds + 1):
            speeds = {}
            for orders, path in paths.items():
                figures = measure_ledger(path, seconds, orders=orders, window=window).figures
                speeds[orders] = figures.per_second
            ratios.append(speeds[many] / speeds[few])
            print(
                f"round {number}: {few:,} orders {speeds[few]:,.0f}/s, {many:,} orders {speeds[many]:,.0f}/s",
                flush=True,
            )
        print(f"{many:,} / {few:,} orders: {statistics.median(ratios):.2f}, {min(ratios):.2f} to {max(ratios):.2f}")


def record_many(total: int, step: int) -> None:
    """One server that records this many fulfillments: its speed and its memory, step by step."""
    with tempfile.TemporaryDirectory(prefix="shipledger-bench-") as folder:
        path = Path(folder) / "ledger.db"
        seed_orders(path, 20_000)
        requests = fulfillment_requests(20_000, time.time_ns(), API_KEY)
        print("| fulfillments | a second | p99 ms | server MiB | ledger MiB |\n|---|---|---|---|---|")
        with server(path) as (pid, port):
            for recorded in range(step, total + 1, step):
                some = itertools.islice(requests, step)
                figures = uvloop.run(load(port, some, connections=CONNECTIONS, seconds=HOUR_SECONDS))
                sizes = f"{resident_mib(pid):.0f} | {path.stat().st_size / 2**20:.0f}"
                speed, p99 = figures.per_second, figures.percentile(0.99)
                print(f"| {recorded:,} | {speed:,.0f} | {p99:.1f} | {sizes} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_subparsers(dest="what", required=True)
    sizes = what.add_parser("orders")
    sizes.add_argument("--few", type=int, default=10_000)
    sizes.add_argument("--many", type=int, default=1_000_000)
    sizes.add_argument("--rounds", type=int, default=5)
    sizes.add_argument("--seconds", type=float, default=5)
    sizes.add_argument("--window", type=int)
    many = what.add_parser("fulfillments")
    many.add_argument("--total", type=int, default=1_000_000)
    many.add_argument("--step", type=int, default=100_000)
    arguments = parser.parse_args()
    if arguments.what == "orders":
        compare_sizes(arguments.few, arguments.many, arguments.rounds, arguments.seconds, arguments.window)
    else:
        record_many(arguments.total, arguments.step)


if __name__ == "__main__":
    main()
