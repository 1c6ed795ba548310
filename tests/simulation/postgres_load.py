"""Clients that send each request, with its key, until it is acknowledged, at one node after the other; and what a
ledger on PostgreSQL must hold of theirs.
"""

import asyncio
import itertools
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from shipledger.boot.ledgers import check_ledger
from shipledger.limits import QUANTITY_MAX
from tests.postgres_server import execute
from tests.serving import Reply, Server
from tests.simulation.load import ACKNOWLEDGED, GONE, Stored, exchange, request, shipment

SKU = "SOAP-3"
ORDERS = range(1, 5)
RETRY_SECONDS = 0.05
ANSWER_SECONDS_MAX = 40


@dataclass(frozen=True)
class Answer:
    """An answer to a client, or None where its connection ended first; `port` is the node's."""

    key: str
    port: int
    reply: Reply | None
    at: float

    @property
    def is_acknowledged(self) -> bool:
        return self.reply is not None and self.reply.status in ACKNOWLEDGED


@dataclass
class InsistentLoad:
    """Each client begins at one of the nodes, and goes to the next after every error.

    A key is also the tracking number of its parcel, or the reference of its order: the clients' own name.
    """

    name: str
    ports: Sequence[int]
    clients: int = 24
    patience_seconds: float = ANSWER_SECONDS_MAX
    """How long a client sends one request again and again. Where it is 0, requests may stay unanswered."""
    sent: dict[str, bytes] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    gave_up: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _has_stopped: bool = False

    @contextmanager
    def running(self) -> Iterator[None]:
        """Send for as long as the block lasts; what was sent by its end is sent on until it is acknowledged."""
        thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        thread.start()
        try:
            yield
        finally:
            self._has_stopped = True
            thread.join()
        assert not (self.gave_up and self.patience_seconds), f"{len(self.gave_up)} were never acknowledged"

    @property
    def acknowledged(self) -> dict[str, Reply]:
        return {answer.key: answer.reply for answer in self.answers if answer.reply and answer.is_acknowledged}

    def lost(self, stored: Stored) -> set[str]:
        """What was acknowledged and is missing, be it the thing or its kept answer."""
        return {key for key in self.acknowledged if key not in stored.keys or not stored.names[key]}

    def errors(self, *ports: int) -> Counter[str]:
        """What else was answered by these nodes (by all, if none is named)."""
        return Counter(
            str(answer.reply.status) if answer.reply else "gone"
            for answer in self.answers
            if not answer.is_acknowledged and (not ports or answer.port in ports)
        )

    def wait_for_acknowledged(self, count: int, seconds_max: float = 20) -> float:
        """Until that many more are; returns when the first of them was."""
        begin, deadline = len(self.answers), time.monotonic() + seconds_max
        while True:
            fresh = [answer.at for answer in self.answers[begin:] if answer.is_acknowledged]
            if len(fresh) >= count:
                return fresh[0]
            assert time.monotonic() < deadline, f"{len(fresh)} acknowledged in {seconds_max} s; {self.errors()}"
            time.sleep(0.005)

    async def _run(self) -> None:
        await asyncio.gather(*(self._client(at) for at in range(self.clients)))

    async def _client(self, at: int) -> None:
        ports = itertools.cycle([*self.ports[at % len(self.ports) :], *self.ports[: at % len(self.ports)]])
        port, streams = next(ports), None
        while not self._has_stopped:
            key, deadline = self._next_key(), time.monotonic() + self.patience_seconds
            while True:
                reply = None
                with suppress(*GONE, TimeoutError):
                    async with asyncio.timeout(ANSWER_SECONDS_MAX):
                        streams = streams or await asyncio.open_connection("127.0.0.1", port)
                        reply = await exchange(*streams, self.sent[key])
                self.answers.append(Answer(key, port, reply, time.monotonic()))
                if self.answers[-1].is_acknowledged:
                    break
                if streams:
                    streams[1].close()
                port, streams = next(ports), None
                await asyncio.sleep(RETRY_SECONDS)
                if time.monotonic() > deadline:
                    self.gave_up.append(key)
                    break
        if streams:
            streams[1].close()

    def _next_key(self) -> str:
        number = next(self._numbers)
        key = f"{self.name}-{number}"
        if number % 10 == 9:
            order = {"reference": key, "line_items": [{"sku": SKU, "quantity": 1}]}
            self.sent[key] = request("/v1/orders", order, key)
        else:
            self.sent[key] = shipment(ORDERS[number % len(ORDERS)], SKU, number=key, key=key)
        return key


def create_orders(server: Server) -> None:
    """The few orders that all clients share, which never run out."""
    for order_id in ORDERS:
        order = {"id": order_id, "line_items": [{"sku": SKU, "quantity": QUANTITY_MAX}]}
        assert server.post("/v1/orders", order).status == 201


def stored_in(url: str) -> Stored:
    """What a ledger holds, by the clients' names."""
    keys = {key for (key,) in execute(url, "SELECT key FROM kept_answers")}
    names = execute(url, "SELECT tracking_number FROM fulfillments UNION ALL SELECT reference FROM orders")
    return Stored(keys, Counter(name for (name,) in names if name))


def expect_each_once(load: InsistentLoad, url: str) -> None:
    """Whatever was acknowledged is there, nothing is there twice, and the ledger is sound."""
    stored = stored_in(url)
    assert load.lost(stored) == set(), "lost"
    assert {name: count for name, count in stored.names.items() if count > 1} == {}, "applied twice"
    assert stored.keys == set(stored.names), "a key is stored with what it made, or not at all"
    assert {finding.invariant: finding.examples for finding in check_ledger(url) if finding.broken} == {}


def expect_replayed(load: InsistentLoad, keys: Sequence[str], server: Server) -> None:
    """The first answers are given again by this node."""
    for key in keys:
        path, body = load.sent[key].split(b" ")[1].decode(), load.sent[key].partition(b"\r\n\r\n")[2]
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        again = server.send("POST", path, body.decode(), headers)
        assert again.body == load.acknowledged[key].body, key
        assert again.headers["idempotent-replayed"] == "true", key
