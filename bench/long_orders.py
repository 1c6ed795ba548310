"""What one more fulfillment costs on a long order: on 2,000 lines, and beside 1,000 fulfillments, against a small one.

python -m bench.long_orders [--database URL] [--rounds 200]

In one process and one transaction each, in turn. A new embedded ledger, or an empty PostgreSQL database.
"""

import argparse
import itertools
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from shipledger.boot.ledgers import Database, migrate, open_ledger
from shipledger.command import (
    OPERATOR,
    CancelFulfillment,
    Command,
    CreateFulfillment,
    CreateOrder,
    Origin,
    RequestedLine,
    RequestedOrder,
)
from shipledger.commit.batch import commit_batch
from shipledger.fulfillment import Tracking
from shipledger.order import OrderContent, OrderedLine
from shipledger.outcome import Done
from shipledger.storage.port import Ledger

ORIGIN = Origin(OPERATOR, None, "bench", None, "bench")
LINES, FULFILLMENTS, STEP = 2_000, 1_000, 100
PLENTY = 10**6
SMALL, LONG, BUSY, ALIKE, CANCELLED = range(1, 6)

numbers = itertools.count(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", help="an empty PostgreSQL database; else an embedded ledger")
    parser.add_argument("--rounds", type=int, default=200)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="shipledger-bench-") as folder:
        place: Database = arguments.database or Path(folder) / "ledger.db"
        migrate(place)
        ledger = open_ledger(place)
        try:
            record(ledger)
            compare(ledger, arguments.rounds)
        finally:
            ledger.close()


def record(ledger: Ledger) -> None:
    """The orders, and the fulfillments that are there already."""
    for order_id in (SMALL, BUSY, ALIKE, CANCELLED):
        commit(ledger, order(order_id, 1))
    commit(ledger, order(LONG, LINES))
    for _ in range(FULFILLMENTS // STEP):
        commit(ledger, *(ship(BUSY, fresh()) for _ in range(STEP)), *(ship(ALIKE, "1Z") for _ in range(STEP)))
        made = commit(ledger, *(ship(CANCELLED, "1Z") for _ in range(STEP)))
        commit(ledger, *(CancelFulfillment(ORIGIN, done.made_id or 0) for done in made))


def compare(ledger: Ledger, rounds: int) -> None:
    cases: dict[str, Callable[[], Command]] = {
        "a small order": lambda: ship(SMALL, fresh()),
        "2,000 lines": lambda: ship(LONG, fresh(), f"SKU-{next(numbers) % LINES}"),
        "1,000 fulfillments": lambda: ship(BUSY, fresh()),
        "1,000 with the same number": lambda: ship(ALIKE, "1Z"),
        "1,000 cancelled, of the same number": lambda: ship(CANCELLED, "1Z"),
    }
    took: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name, make in cases.items():
            command = make()
            began = time.perf_counter()
            commit(ledger, command)
            took[name].append(time.perf_counter() - began)
    small = statistics.median(took["a small order"])
    for name, seconds in took.items():
        median = statistics.median(seconds)
        print(f"{name:36} {median * 1e6:6.0f} us, {median / small:.2f} of a small order", flush=True)


def commit(ledger: Ledger, *commands: Command) -> list[Done]:
    outcomes = commit_batch(ledger, commands, time.time_ns() // 1_000)
    done = [outcome for outcome in outcomes if isinstance(outcome, Done)]
    if len(done) < len(commands):
        raise RuntimeError(f"not carried out: {outcomes}")
    return done


def order(order_id: int, lines: int) -> CreateOrder:
    ordered = tuple(OrderedLine(f"SKU-{at}", PLENTY) for at in range(lines))
    return CreateOrder(ORIGIN, OrderContent(order_id, ordered))


def ship(order_id: int, number: str, sku: str = "SKU-0") -> CreateFulfillment:
    line = RequestedLine(sku, 1, "line_items[0]")
    return CreateFulfillment(ORIGIN, (RequestedOrder(order_id, (line,), "order_id"),), Tracking(number))


def fresh() -> str:
    return f"N{next(numbers)}"


if __name__ == "__main__":
    main()
