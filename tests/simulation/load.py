"""Many clients at once, over real sockets: each remembers what it sent and what was acknowledged, by its own names."""

import asyncio
import contextlib
import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import apsw

from tests.serving import Reply

Result = TypeVar("Result")

ACKNOWLEDGED = (200, 201)
GONE = (OSError, asyncio.IncompleteReadError)


def request(path: str, value: object, key: str | None = None) -> bytes:
    """A POST as it goes over the wire."""
    body = json.dumps(value).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    if key is not None:
        head += f"Idempotency-Key: {key}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def shipment(order_id: int, sku: str, quantity: int = 1, number: str = "1Z", key: str | None = None) -> bytes:
    """The published request."""
    lines = [{"sku": sku, "quantity": quantity}]
    return request("/v1/fulfillments", {"order_id": order_id, "line_items": lines, "tracking_number": number}, key)


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sent: bytes) -> Reply:
    """Send one request and read its answer. Raises one of GONE where the connection ends before that."""
    writer.write(sent)
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:]) if name}
    return Reply(int(head[0].split()[1]), headers, await reader.readexactly(int(headers["content-length"])))


async def with_connections(
    port: int, count: int, talk: Callable[[int, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[Result]]
) -> list[Result]:
    """Open all the connections, then talk on all of them at once."""
    streams = [await asyncio.open_connection("127.0.0.1", port) for _ in range(count)]
    try:
        return list(await asyncio.gather(*(talk(at, *stream) for at, stream in enumerate(streams))))
    finally:
        for _, writer in streams:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def all_at_once(port: int, requests: Sequence[bytes]) -> list[Reply]:
    """Each request from a client of its own, all at the same moment; the answers in the order of the requests."""

    async def client(at: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Reply:
        return await exchange(reader, writer, requests[at])

    return asyncio.run(with_connections(port, len(requests), client))


@dataclass
class Stored:
    """What a ledger holds, by the clients' names."""

    keys: set[str] = field(default_factory=set)
    names: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, database: Path | str) -> "Stored":
        connection = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READONLY)
        names = "SELECT tracking_number FROM fulfillments UNION ALL SELECT reference FROM orders"
        with connection:
            keys = {key for (key,) in connection.execute("SELECT key FROM kept_answers")}
            stored = cls(keys, Counter(name for (name,) in connection.execute(names)))
        connection.close()
        return stored


@dataclass
class Load:
    """Clients that each send one request after the other: mostly parcels of a few shared orders, some new orders.

    Every request has a key, which is also its tracking number or its order's reference.
    """

    name: str
    port: int
    orders: Sequence[int]
    sku: str
    clients: int = 64
    sent: dict[str, bytes] = field(default_factory=dict)
    acknowledged: dict[str, Reply] = field(default_factory=dict)
    refused: Counter[int] = field(default_factory=Counter)
    answers: list[tuple[int, float]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _has_stopped: bool = False

    @contextmanager
    def running(self) -> Iterator[None]:
        """Send for as long as the block lasts; whoever has no answer at its end gets it, or loses its connection."""
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield
        finally:
            self._has_stopped = True
            thread.join()

    def wait_for_answers(self, count: int, seconds_max: float = 20) -> None:
        deadline = time.monotonic() + seconds_max
        while len(self.answers) < count:
            assert time.monotonic() < deadline, f"{len(self.answers)} answers in {seconds_max} s"
            time.sleep(0.005)

    @property
    def unanswered(self) -> set[str]:
        """Keys of which nobody knows whether they were applied."""
        return self.sent.keys() - self.acknowledged.keys()

    def lost(self, stored: Stored) -> set[str]:
        """What was acknowledged and is missing, be it the thing or its kept answer."""
        return {key for key in self.acknowledged if key not in stored.keys or not stored.names[key]}

    def _run(self) -> None:
        with contextlib.suppress(OSError):  # the server is gone before all have come
            asyncio.run(with_connections(self.port, self.clients, self._client))

    async def _client(self, at: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not self._has_stopped:
            number = next(self._numbers)
            key = f"{self.name}-{number}"
            if number % 10 == 9:
                order = {"reference": key, "line_items": [{"sku": self.sku, "quantity": 1}]}
                self.sent[key] = request("/v1/orders", order, key)
            else:
                self.sent[key] = shipment(self.orders[number % len(self.orders)], self.sku, number=key, key=key)
            began = time.perf_counter()
            try:
                reply = await exchange(reader, writer, self.sent[key])
            except GONE:
                return
            self.answers.append((reply.status, time.perf_counter() - began))
            if reply.status in ACKNOWLEDGED:
                self.acknowledged[key] = reply
            else:
                self.refused[reply.status] += 1

    def repeat(self, port: int, keys: Sequence[str]) -> dict[str, Reply]:
        """Send these requests again, with their keys."""
        waiting, replies = iter(keys), dict[str, Reply]()

        async def client(_: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for key in waiting:
                replies[key] = await exchange(reader, writer, self.sent[key])

        asyncio.run(with_connections(port, self.clients, client))
        return replies
