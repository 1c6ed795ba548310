"""How long the reports take on a large ledger: half of its orders late, three partners, a tenth of the lines complete.

python -m bench.reports sqlite:///PATH|postgresql://... [--orders 1000000] [--rounds 20]

The ledger is made where it has no orders yet, and kept, so that the next run measures the same one.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from contextlib import closing

from shipledger.boot.ledgers import Database, clock, migrate, open_ledger, open_reading
from shipledger.boot.settings import read_settings
from shipledger.command import (
    OPERATOR,
    CreateFulfillment,
    CreateOrder,
    Origin,
    RequestedLine,
    RequestedOrder,
)
from shipledger.commit.batch import commit_batch
from shipledger.fulfillment import Tracking
from shipledger.order import OrderContent, OrderedLine
from shipledger.storage.port import LateFilter, OrderFilter
from shipledger.storage.postgres_connection import connect

ORDERS_A_BATCH = 1_000
PARTNERS = (None, "acme", "east", "rare")
DAY = 86_400_000_000
_ORIGIN = Origin(OPERATOR, None, "bench", None, "bench")


def fill(database: Database, orders: int) -> None:
    """Orders of two lines of one sku each; the partner "rare" has one line in 100,000."""
    migrate(database)
    now = clock()
    with closing(open_ledger(database)) as ledger:
        for first in range(1, orders + 1, ORDERS_A_BATCH):
            ids = range(first, min(first + ORDERS_A_BATCH, orders + 1))
            batch = [CreateOrder(_ORIGIN, _order(order_id, now + (order_id * 7 % 200 - 100) * DAY)) for order_id in ids]
            parcels = [_parcel(order_id) for order_id in ids if order_id % 10 == 0]
            commit_batch(ledger, [*batch, *parcels], now)
    if isinstance(database, str):
        with connect(database, is_writer=True) as connection:
            connection.execute("SET statement_timeout = 0")
            connection.execute("VACUUM ANALYZE")


def _order(order_id: int, due: int) -> OrderContent:
    partner = "rare" if order_id % 100_000 == 0 else PARTNERS[order_id % 3]
    lines = OrderedLine("SKU-0", 5, partner=partner), OrderedLine("SKU-1", 5)
    return OrderContent(order_id, lines, f"#{order_id}", ship_by=due)


def _parcel(order_id: int) -> CreateFulfillment:
    lines = (RequestedLine("SKU-0", 5, "line_items[0]"),)
    return CreateFulfillment(_ORIGIN, (RequestedOrder(order_id, lines, "order_id"),), Tracking(f"T{order_id}"))


def measure(what: str, read: Callable[[], object], rounds: int) -> None:
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        read()
        seconds.append(time.perf_counter() - began)
    first, *rest = (second * 1_000 for second in seconds)
    print(f"| {what} | {first:.1f} | {statistics.median(rest):.1f} | {max(rest):.1f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database")
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    database = read_settings({**os.environ, "SHIPLEDGER_DATABASE": arguments.database}).database
    migrate(database)
    with closing(open_reading(database)) as reading:
        if not reading.orders(OrderFilter(), None, 1, None).documents:
            began = time.perf_counter()
            fill(database, arguments.orders)
            print(f"{arguments.orders:,} orders recorded in {time.perf_counter() - began:.0f} s", flush=True)
        now, rounds = clock(), arguments.rounds
        page = reading.late_orders(now, LateFilter(), None, 50)
        print("| ms | first | median | worst |\n|---|---|---|---|")
        measure("late, first page", lambda: reading.late_orders(now, LateFilter(), None, 50), rounds)
        measure("late, second page", lambda: reading.late_orders(now, LateFilter(), page.next, 50), rounds)
        measure("late, page of 200", lambda: reading.late_orders(now, LateFilter(), None, 200), rounds)
        measure("late, of a partner", lambda: reading.late_orders(now, LateFilter("acme"), None, 50), rounds)
        measure("late, of a rare partner", lambda: reading.late_orders(now, LateFilter("rare"), None, 50), rounds)
        measure("late, of nobody", lambda: reading.late_orders(now, LateFilter("nobody"), None, 50), rounds)
        measure("partners", reading.partners, rounds)
        measure("orders?late=true", lambda: reading.orders(OrderFilter(late_at=now), None, 50, None), rounds)
        few = now - 100 * DAY
        measure("orders?late=true, few", lambda: reading.orders(OrderFilter(late_at=few), None, 50, None), rounds)


if __name__ == "__main__":
    main()
