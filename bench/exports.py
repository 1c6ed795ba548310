"""Whether an export of many fulfillments gets in the way of single requests, and what memory it takes.

python -m bench.exports [--fulfillments 1000000] [--rounds 3] [--seconds 6]
"""

import argparse
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import uvloop

from shipledger.bench.load import fulfillment_requests, load
from shipledger.boot.benchmark import API_KEY, CONNECTIONS, resident_mib, seed_orders, server
from shipledger.boot.ledgers import clock, open_ledger
from shipledger.command import OPERATOR, CreateFulfillment, Origin, RequestedLine, RequestedOrder
from shipledger.commit.batch import commit_batch
from shipledger.fulfillment import Tracking

ORDERS = 20_000
A_BATCH = 500
_ORIGIN = Origin(OPERATOR, None, "bench", None, "bench")


def record(path: Path, fulfillments: int) -> None:
    with closing(open_ledger(path)) as ledger:
        for first in range(0, fulfillments, A_BATCH):
            commit_batch(ledger, [_parcel(number) for number in range(first, first + A_BATCH)], clock())


def _parcel(number: int) -> CreateFulfillment:
    lines = (RequestedLine("SKU-0", 1, "line_items[0]"),)
    share = RequestedOrder(number % ORDERS + 1, lines, "order_id")
    return CreateFulfillment(_ORIGIN, (share,), Tracking(f"T{number:09}", carrier="UPS"))


def by_command(path: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "shipledger", "export", "fulfillments", "--database", f"sqlite:///{path}"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def by_api(port: int) -> "subprocess.Popen[bytes]":
    code = (
        "import sys, urllib.request as u\n"
        "asked = u.Request(sys.argv[1], headers={'Authorization': 'Bearer ' + sys.argv[2]})\n"
        "with u.urlopen(asked) as answer:\n"
        "    while answer.read(65536): pass\n"
    )
    url = f"http://127.0.0.1:{port}/v1/exports/fulfillments"
    return subprocess.Popen([sys.executable, "-c", code, url, API_KEY])


def measure(what: str, port: int, seconds: float, export: "subprocess.Popen[bytes] | None") -> None:
    requests = fulfillment_requests(ORDERS, time.time_ns(), API_KEY)
    figures = uvloop.run(load(port, requests, connections=CONNECTIONS, seconds=seconds, warm_up_seconds=0.5))
    state = ""
    if export is not None:
        state = "goes on" if export.poll() is None else "ended before"
        export.terminate()
        export.wait()
    print(f"| {what} | {figures.per_second:,.0f} | {figures.percentile(0.99):.1f} | {state} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fulfillments", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=6)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="shipledger-bench-") as folder:
        path = Path(folder) / "ledger.db"
        seed_orders(path, ORDERS)
        record(path, arguments.fulfillments)
        export, most = by_command(path), 0
        while export.poll() is None:
            most = max(most, psutil.Process(export.pid).memory_info().rss)
            time.sleep(0.05)
        print(f"the command alone: at most {most / 2**20:.0f} MiB")
        with server(path) as (pid, port):
            print(f"the server before: {resident_mib(pid):.0f} MiB")
            export = by_api(port)
            export.wait()
            print(f"the server after an export alone: {resident_mib(pid):.0f} MiB")
            print("| single requests | a second | p99 ms | the export |\n|---|---|---|---|")
            for _ in range(arguments.rounds):
                measure("alone", port, arguments.seconds, None)
                measure("beside the command", port, arguments.seconds, by_command(path))
                measure("beside the API's", port, arguments.seconds, by_api(port))


if __name__ == "__main__":
    main()
