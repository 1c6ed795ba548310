"""A client that keeps a server busy: many connections, each sending its next request when its last was answered."""

import asyncio
import itertools
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import cast

Request = bytes


@dataclass(slots=True)
class Figures:
    """What a load gave: how long it took, the milliseconds that each answer took, and the answers by status."""

    seconds: float
    milliseconds: list[float]
    statuses: Counter[int]

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.milliseconds) / self.seconds

    def percentile(self, share: float) -> float:
        """The milliseconds within which this share (0 to 1) of the answers came."""
        ordered = sorted(self.milliseconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    def as_json(self) -> str:
        """The figures on one line."""
        return json.dumps(
            {
                "answers": len(self.milliseconds),
                "per_second": round(self.per_second, 1),
                "p50_ms": round(self.percentile(0.5), 2),
                "p99_ms": round(self.percentile(0.99), 2),
                "max_ms": round(max(self.milliseconds), 2),
                "statuses": {str(status): count for status, count in sorted(self.statuses.items())},
            }
        )


@dataclass(slots=True)
class _Run:
    """One load while it runs."""

    next_request: Callable[[], Request | None]
    ends_at: float
    milliseconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)


class _Connection(asyncio.Protocol):
    """One connection of the load; it knows just as much of HTTP as the answers of the server under test need."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._received = b""
        self._sent_at = 0.0
        self._transport: asyncio.Transport | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def _send(self) -> None:
        now = time.perf_counter()
        request = self._run.next_request() if now < self._run.ends_at else None
        if self._transport is None or request is None:
            self._finish(None)
            return
        self._sent_at = now
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        received = self._received = self._received + data if self._received else data
        head_end = received.find(b"\r\n\r\n")
        if head_end < 0:
            return
        length_at = received.index(b"content-length: ") + len(b"content-length: ")
        end = head_end + 4 + int(received[length_at : received.index(b"\r\n", length_at)])
        if len(received) < end:
            return
        self._received = received[end:]
        self._run.milliseconds.append((time.perf_counter() - self._sent_at) * 1_000)
        self._run.statuses[int(received[9:12])] += 1
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        self._finish(exc or ConnectionResetError("the server closed the connection"))

    def _finish(self, error: Exception | None) -> None:
        if self._transport is not None:
            self._transport.close()
        if self.done.done():
            return
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)


async def load(
    port: int, requests: Iterator[Request], *, connections: int, seconds: float, warm_up_seconds: float = 0.0
) -> Figures:
    """Keep a server on this machine busy. Raises OSError where it cannot be reached or hangs up.

    What is answered while the load warms up is not counted.
    """
    if warm_up_seconds:
        await load(port, requests, connections=connections, seconds=warm_up_seconds)
    began = time.perf_counter()
    run = _Run(lambda: next(requests, None), began + seconds)
    loop = asyncio.get_running_loop()
    opened = [await loop.create_connection(lambda: _Connection(run), "127.0.0.1", port) for _ in range(connections)]
    await asyncio.gather(*(connection.done for _, connection in opened))
    return Figures(time.perf_counter() - began, run.milliseconds, run.statuses)


def fulfillment_requests(orders: int, seed: int, api_key: str, *, window: int | None = None) -> Iterator[Request]:
    """Endless requests: one unit of SKU-0 of a random one of these orders (ids from 1), each with a key of its own.

    With a window, of one of so many that follow each other, of which the first leaves with every other request: as a
    warehouse works through what came in. `api_key` lets them in.
    """
    chance = random.Random(seed).random  # noqa: S311 - a load, not a secret
    first = int(chance() * orders)
    for number in itertools.count():
        place = int(chance() * orders) if window is None else first + number // 2 + int(chance() * window)
        body = (
            f'{{"order_id": {place % orders + 1}, "line_items": [{{"sku": "SKU-0", "quantity": 1}}], '
            f'"tracking_number": "{tracking_number(seed, number)}"}}'
        )
        yield post("/v1/fulfillments", body, f"k-{seed}-{number}", api_key)


def tracking_number(seed: int, number: int) -> str:
    """A number as UPS gives them, its check digit right: two of one seed differ, as do almost all of two seeds."""
    digits = f"{seed % 10**6:06}03{number % 10**7:07}"
    total = sum(map(int, digits[::2])) + 2 * sum(map(int, digits[1::2]))
    return f"1Z{digits}{-total % 10}"


def post(path: str, body: str, key: str, api_key: str) -> Request:
    """A POST as bytes."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {api_key}\r\nIdempotency-Key: {key}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()
