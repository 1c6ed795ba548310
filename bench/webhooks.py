"""What webhooks cost, and how fast they are.

python -m bench.webhooks drain [--events 50000] [--database URL]
python -m bench.webhooks steady [--rate 1000] [--seconds 20] [--rounds 3] [--database URL]
python -m bench.webhooks hanging [--seconds 20]

The receivers are a process of their own, which says no more than 204. Rates are those of a client that does not wait.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import statistics
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import uvloop

from shipledger.bench.load import post
from shipledger.boot.benchmark import API_KEY, seed_orders
from tests.outbox.webhook_server import SETTINGS
from tests.serving import Server, running

ORDERS = 20_000
CONNECTIONS = 64
LEAST_URGENT = 19
AUTHORIZATION = {"Authorization": f"Bearer {API_KEY}"}


class _Receiving(asyncio.Protocol):
    """Takes POSTs, and notes when each came and when what it tells of was sent. Under /hang it never answers."""

    def __init__(self, lags: list[float]) -> None:
        self._lags = lags
        self._received = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator:
            return
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(body) < length or head.startswith(b"POST /hang"):
            return
        self._received = body[length:]
        sent_at = body.partition(b'"tracking_number":"')[2].partition(b'"')[0]
        if sent_at.isdigit():
            self._lags.append((time.time_ns() - int(sent_at)) / 1e9)
        else:
            self._lags.append(0.0)
        self._transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")


def _receive(told: Connection, stopping: Event) -> None:
    os.nice(LEAST_URGENT)  # in life, receivers have machines of their own
    lags: list[float] = []

    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(lambda: _Receiving(lags), "127.0.0.1", 0)
        told.send(server.sockets[0].getsockname()[1])
        while not stopping.is_set():
            await asyncio.sleep(0.05)
            if told.poll():
                told.recv()
                told.send(len(lags))

    uvloop.run(serve())
    told.send(lags)


class Receiver:
    """The process that receives."""

    def __init__(self) -> None:
        self._here, there = multiprocessing.Pipe()
        self._stopping = multiprocessing.Event()
        self.process = multiprocessing.Process(target=_receive, args=(there, self._stopping), daemon=True)
        self.process.start()
        self.port: int = self._here.recv()

    def count(self) -> int:
        self._here.send(None)
        found: int = self._here.recv()
        return found

    def stop(self) -> list[float]:
        """The lag of each message, in seconds."""
        self._stopping.set()
        lags: list[float] = self._here.recv()
        self.process.join()
        return lags


@contextmanager
def ledger_and_server(folder: Path, database: str | None, **settings: str) -> Iterator[Server]:
    """A server over a ledger of ORDERS orders."""
    if database is None:
        path: Any = folder / "ledger.db"
        if not path.exists():
            seed_orders(path, ORDERS)
    else:
        path = database
    with running(path, log=folder / "server.log", **SETTINGS, **settings) as server:
        yield server


class _Paced(asyncio.Protocol):
    """A connection that sends a request when it is free and one is due. It costs little of the cores that it shares."""

    def __init__(self, free: deque["_Paced"], waiting: deque[tuple[float, bytes]], took: list[float]) -> None:
        self._free, self._waiting, self._took = free, waiting, took
        self._received = b""
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._free.append(self)

    def send(self, due: float, request: bytes) -> None:
        self._due = due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator or len(body) < int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]):
            return
        if not head.startswith(b"HTTP/1.1 200"):
            self.lost.set_exception(ConnectionError(head.decode(errors="replace")))
            return
        self._received = b""
        self._took.append((time.perf_counter() - self._due) * 1_000)
        if self._waiting:
            self.send(*self._waiting.popleft())
        else:
            self._free.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.lost.done():
            self.lost.set_exception(exc or ConnectionResetError("the server closed the connection"))


async def pace(port: int, rate: int, seconds: float) -> list[float]:
    """Parcels at a steady rate, whatever becomes of them; returns the milliseconds that each answer took."""
    free: deque[_Paced] = deque()
    waiting: deque[tuple[float, bytes]] = deque()
    took: list[float] = []
    loop = asyncio.get_running_loop()
    opened = [
        await loop.create_connection(lambda: _Paced(free, waiting, took), "127.0.0.1", port) for _ in range(CONNECTIONS)
    ]
    begin, total = time.perf_counter(), int(rate * seconds)
    for number in range(total):
        due = begin + number / rate
        if (early := due - time.perf_counter()) > 0:
            await asyncio.sleep(early)
        stamp = str(time.time_ns())
        body = {
            "order_id": number % ORDERS + 1,
            "line_items": [{"sku": "SKU-0", "quantity": 1}],
            "tracking_number": stamp,
        }
        request = post("/v1/fulfillments", json.dumps(body), f"{os.getpid()} {stamp}", API_KEY)
        if free:
            free.popleft().send(due, request)
        else:
            waiting.append((due, request))
    while len(took) < total:
        await asyncio.sleep(0.01)
        for _, connection in opened:
            if connection.lost.done():
                connection.lost.result()
    for transport, connection in opened:
        connection.lost.cancel()
        transport.close()
    return took


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def register(server: Server, url: str) -> str:
    """A receiver of parcels; returns the path of its webhook."""
    asked = {"url": url, "event_types": ["fulfillment.created"]}
    answer = server.post("/v1/webhooks", asked, AUTHORIZATION)
    if answer.status != HTTPStatus.CREATED:
        raise ConnectionError(answer.body.decode())
    return answer.headers["location"]


def cpu_seconds(server: Server) -> float:
    process = psutil.Process(server.process.pid)
    times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    return float(sum(found.user + found.system for found in times))


def drain(events: int, database: str | None) -> None:
    """A backlog is made while the endpoint is disabled, and sent when it is enabled and nothing else goes on."""
    receiver = Receiver()
    with tempfile.TemporaryDirectory(prefix="shipledger-bench-") as folder:
        with ledger_and_server(Path(folder), database, SHIPLEDGER_RELAY="off") as server:
            endpoint = register(server, f"http://127.0.0.1:{receiver.port}/")
            made = 0
            while made < events:
                made += len(uvloop.run(pace(server.port, 6_000, min(events - made, 12_000) / 6_000)))
        with ledger_and_server(Path(folder), database) as server:
            began, before = time.perf_counter(), cpu_seconds(server)
            first: float | None = None
            while (count := receiver.count()) < made:
                if count and first is None:
                    first = time.perf_counter()
                time.sleep(0.05)
            seconds = time.perf_counter() - (first or began)
            cpu = cpu_seconds(server) - before
        print(
            f"drained {made:,} of {endpoint} in {seconds:.1f} s: {made / seconds:,.0f} a second,"
            f" {cpu / made * 1e6:.0f} us of CPU each"
        )
    receiver.stop()


def steady(rate: int, seconds: float, rounds: int, database: str | None) -> None:
    """Creates at a steady rate, without and with a receiver, in turn."""
    ratios = []
    with tempfile.TemporaryDirectory(prefix="shipledger-bench-") as folder:
        for number in range(1, rounds + 1):
            p99 = {}
            for has_receiver in (False, True):
                receiver = Receiver()
                with ledger_and_server(Path(folder), database) as server:
                    url = f"http://127.0.0.1:{receiver.port}/"
                    endpoint = register(server, url)
                    if not has_receiver:
                        server.send("DELETE", endpoint, None, AUTHORIZATION)
                    uvloop.run(pace(server.port, rate, 2))
                    before = cpu_seconds(server)
                    took = uvloop.run(pace(server.port, rate, seconds))
                    cpu = cpu_seconds(server) - before
                    p99[has_receiver] = percentile(took, 0.99)
                    if has_receiver:
                        time.sleep(2)
                        server.send("DELETE", endpoint, None, AUTHORIZATION)
                lags = receiver.stop()
                told = f", lag p50 {percentile(lags, 0.5):.2f} s p99 {percentile(lags, 0.99):.2f} s" if lags else ""
                print(
                    f"round {number} {'with' if has_receiver else 'without'} a receiver: p50"
                    f" {percentile(took, 0.5):.1f} ms p99 {p99[has_receiver]:.1f} ms,"
                    f" {cpu / len(took) * 1e6:.0f} us of CPU a create, {len(lags):,} received{told}",
                    flush=True,
                )
            ratios.append(p99[True] / p99[False])
    print(
        f"creates' p99 with / without: median {statistics.median(ratios):.2f}, {min(ratios):.2f} to {max(ratios):.2f}"
    )


def hanging(rate: int, seconds: float) -> None:
    """The lag of a receiver, alone and beside one that never answers."""
    with tempfile.TemporaryDirectory(prefix="shipledger-bench-") as folder:
        for hangs in (False, True, False, True):
            receiver = Receiver()
            with ledger_and_server(Path(folder), None) as server:
                url = f"http://127.0.0.1:{receiver.port}/"
                endpoints = [register(server, url)]
                if hangs:
                    endpoints.append(register(server, url + "hang"))
                uvloop.run(pace(server.port, rate, seconds))
                time.sleep(2)
                for endpoint in endpoints:
                    server.send("DELETE", endpoint, None, AUTHORIZATION)
            lags = receiver.stop()
            print(
                f"{'beside one that hangs' if hangs else 'alone'}: {len(lags):,} received, lag p50"
                f" {percentile(lags, 0.5):.3f} s p99 {percentile(lags, 0.99):.3f} s",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["drain", "steady", "hanging"])
    parser.add_argument("--events", type=int, default=50_000)
    parser.add_argument("--rate", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--database")
    given = parser.parse_args()
    if given.what == "drain":
        drain(given.events, given.database)
    elif given.what == "steady":
        steady(given.rate, given.seconds, given.rounds, given.database)
    else:
        hanging(given.rate, given.seconds)


if __name__ == "__main__":
    main()
