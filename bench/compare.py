"""make bench: batches, one transaction a request, and pgbench, in turn, five times; medians of ratios.

python bench/compare.py [--rounds 5] [--seconds 5] [--orders 20000]
"""

import argparse
import os
import platform
import statistics
from dataclasses import dataclass, field

from bench.yardstick import CLIENTS, Yardstick, yardstick
from shipledger.boot.benchmark import Measurement, measure, measure_ledger, seed_orders


@dataclass
class Rounds:
    """What each round gave, in their order."""

    batched: list[Measurement] = field(default_factory=list)
    single: list[Measurement] = field(default_factory=list)
    pgbench: list[float] = field(default_factory=list)
    postgres: list[Measurement] = field(default_factory=list)


def run(rounds: int, seconds: float, orders: int, postgres: Yardstick | None) -> Rounds:
    """Every contestant in turn, so that a machine that slows down slows all of them."""
    found = Rounds()
    for number in range(1, rounds + 1):
        found.batched.append(measure(seconds, orders=orders))
        found.single.append(measure(seconds, orders=orders, SHIPLEDGER_BATCH_MAX="1"))
        if postgres is not None:
            found.pgbench.append(postgres.per_second())
            with postgres.database() as url:
                seed_orders(url, orders)  # just imported, and never analysed: the plans of a first day
                found.postgres.append(measure_ledger(url, seconds, orders=orders))
        print(f"round {number} of {rounds}: {_round_line(found)}", flush=True)
    return found


def _round_line(found: Rounds) -> str:
    line = f"batches {found.batched[-1].figures.per_second:,.0f}/s, singly {found.single[-1].figures.per_second:,.0f}/s"
    if not found.pgbench:
        return line
    return f"{line}, pgbench {found.pgbench[-1]:,.0f}/s, PostgreSQL {found.postgres[-1].figures.per_second:,.0f}/s"


def report(found: Rounds) -> str:
    """The rounds as a Markdown table with medians, and the medians of the ratios within each round."""
    rows = [
        "| | fulfillments a second | p50 ms | p99 ms | server MiB before, after |",
        "|---|---|---|---|---|",
        _row("SQLite, batches (the default)", found.batched),
        _row("SQLite, one transaction a request (`SHIPLEDGER_BATCH_MAX=1`)", found.single),
    ]
    ratios = [
        _ratio("batches / one transaction a request, throughput", _speeds(found.batched), _speeds(found.single)),
        _ratio("batches / one transaction a request, p99", _p99s(found.batched), _p99s(found.single)),
    ]
    if found.pgbench:
        rows.append(
            f"| pgbench -c {CLIENTS}, the same transaction by hand | {statistics.median(found.pgbench):,.0f} | | | |"
        )
        rows.append(_row("PostgreSQL, batches, right after an import", found.postgres))
        ratios.append(_ratio(f"SQLite, batches / pgbench -c {CLIENTS}", _speeds(found.batched), found.pgbench))
        ratios.append(_ratio(f"PostgreSQL, batches / pgbench -c {CLIENTS}", _speeds(found.postgres), found.pgbench))
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, load generator and databases included"
    return "\n".join([f"Machine: {machine}.", "", *rows, "", *ratios])


def _row(name: str, measured: list[Measurement]) -> str:
    def median(values: list[float]) -> float:
        return statistics.median(values)

    figures = [each.figures for each in measured]
    before = median([each.resident_mib_before for each in measured])
    after = median([each.resident_mib_after for each in measured])
    speed = median([each.per_second for each in figures])
    p50, p99 = (median([each.percentile(share) for each in figures]) for share in (0.5, 0.99))
    return f"| {name} | {speed:,.0f} | {p50:.1f} | {p99:.1f} | {before:.0f}, {after:.0f} |"


def _speeds(measured: list[Measurement]) -> list[float]:
    return [each.figures.per_second for each in measured]


def _p99s(measured: list[Measurement]) -> list[float]:
    return [each.figures.percentile(0.99) for each in measured]


def _ratio(name: str, upper: list[float], lower: list[float]) -> str:
    ratios = [above / below for above, below in zip(upper, lower, strict=True)]
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
    return f"- {name}: {statistics.median(ratios):.2f} (median of {len(ratios)} rounds, {spread})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--orders", type=int, default=20_000)
    arguments = parser.parse_args()
    with yardstick() as postgres:
        if postgres is None:
            print("No pgbench beside it: the yardstick's scripts are missing (../shared/bench).")
        print(report(run(arguments.rounds, arguments.seconds, arguments.orders, postgres)))


if __name__ == "__main__":
    main()
