"""A key that floods, and eight clients beside it: how much of their goodput and of their p99 they keep.

The flood sends 1,000 requests a second, whatever becomes of them, on a key limited to 100. The eight send 40 a second
each. Both keep to their times, and a request's time counts from when it was due. Each round measures the eight alone
and under the flood; the medians of five rounds are shown.

    python -m bench.flood [--rounds 5] [--seconds 4]
"""

import argparse
import asyncio
import json
import multiprocessing
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path
from statistics import median

import psutil  # type: ignore[import-untyped]
import uvloop

from shipledger.bench.load import post
from shipledger.boot.benchmark import API_KEY, seed_orders, server
from shipledger.boot.key_desk import key_desk

ORDERS = 5_000
CLIENTS, REQUESTS_A_SECOND = 8, 40
FLOOD_A_SECOND, FLOOD_CONNECTIONS, FLOOD_LIMIT = 1_000, 50, 100


@dataclass
class Answers:
    """The milliseconds of each answer from when its request was due, and the answers by status."""

    milliseconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    def p99(self) -> float:
        ordered = sorted(self.milliseconds)
        return ordered[len(ordered) * 99 // 100]


async def paced(port: int, key: str, name: str, a_second: float, seconds: float, answers: Answers) -> None:
    """One connection that sends its requests when they are due."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began = time.perf_counter() + hash(name) % 100 / 100 / a_second
    for number in range(int(a_second * seconds)):
        due = began + number / a_second
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        line = {"sku": "SKU-0", "quantity": 1}
        order_id = hash((name, number)) % ORDERS + 1
        body = json.dumps({"order_id": order_id, "line_items": [line], "tracking_number": f"T{number}"})
        writer.write(post("/v1/fulfillments", body, f"{name}-{number}", key))
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
        answers.milliseconds.append((time.perf_counter() - due) * 1_000)
        answers.statuses[int(head[9:12])] += 1
    writer.close()


def run(port: int, key: str, connections: int, a_second: float, seconds: float) -> Answers:
    """So many connections, each sending so many requests a second."""
    answers = Answers()

    async def all_of_them() -> None:
        began = time.time_ns()
        names = [f"{began}-{number}" for number in range(connections)]
        await asyncio.gather(*(paced(port, key, name, a_second, seconds, answers) for name in names))

    uvloop.run(all_of_them())
    return answers


def flooded(port: int, key: str, seconds: float) -> tuple[Answers, Answers]:
    """The eight under the flood, and the flood, which has a process of its own and begins a second before."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        share = FLOOD_A_SECOND / FLOOD_CONNECTIONS
        flood = pool.apply_async(run, (port, key, FLOOD_CONNECTIONS, share, seconds + 2))
        time.sleep(1.5)
        eight = run(port, API_KEY, CLIENTS, REQUESTS_A_SECOND, seconds)
        return eight, flood.get()


def cpu_seconds(pid: int) -> float:
    """What a server and its committing process have used so far."""
    server = psutil.Process(pid)
    times = [process.cpu_times() for process in (server, *server.children())]
    return float(sum(used.user + used.system for used in times))


def main() -> None:
    """Measure, and print the medians."""
    parser = argparse.ArgumentParser(prog="python -m bench.flood", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    arguments = parser.parse_args()
    goodput, slower, flood = [], [], Answers()
    with tempfile.TemporaryDirectory(prefix="shipledger-flood-") as folder:
        path = Path(folder) / "ledger.db"
        seed_orders(path, ORDERS)
        with server(path) as (pid, port):
            with key_desk(path, UTC) as send:
                asked = {"name": "flood", "role": "partner", "partner": "flood", "rate_limit": FLOOD_LIMIT}
                key = str(send("create", None, asked)["secret"])
            for _ in range(arguments.rounds):
                marks = [cpu_seconds(pid)]
                alone = run(port, API_KEY, CLIENTS, REQUESTS_A_SECOND, arguments.seconds)
                marks.append(cpu_seconds(pid))
                eight, flood = flooded(port, key, arguments.seconds)
                marks.append(cpu_seconds(pid))
                goodput.append(eight.statuses[200] / alone.statuses[200])
                slower.append(eight.p99() / alone.p99())
                cores = (marks[1] - marks[0]) / arguments.seconds, (marks[2] - marks[1]) / (arguments.seconds + 2)
                print(f"cores alone {cores[0]:.2f}, under the flood {cores[1]:.2f}; ", end="")
                print(f"p99 alone {alone.p99():.1f} ms, under the flood {eight.p99():.1f} ms; {dict(eight.statuses)}")
    print(f"the flood was answered {dict(flood.statuses)}")
    print(f"medians: {median(goodput):.0%} of the goodput, {median(slower):.2f} times the p99")


if __name__ == "__main__":
    main()
