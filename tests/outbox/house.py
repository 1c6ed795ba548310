"""A ledger and its relay in one place, on a clock that the test moves: days pass at once."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from shipledger.command import Command
from shipledger.commit.batch import commit_batch
from shipledger.outbox.address_guard import AddressGuard, read_networks
from shipledger.outbox.relay import Relay
from shipledger.outbox.sender import Sender
from shipledger.outbox.signature import SecretMaker, shown_secret, signature_fault
from shipledger.outbox.storage import Storage
from shipledger.outcome import Done, Outcome
from shipledger.storage.port import Errand, Rows, Step
from shipledger.storage.postgres_connection import connect
from shipledger.storage.postgres_sequencer import number_events
from shipledger.timestamp import MICROSECONDS_A_SECOND
from shipledger.webhook import ChangeEndpoint, CreateEndpoint, Endpoint, EndpointChanges, Sealed
from tests.commit.commands import NOW, ORIGIN, order
from tests.outbox.receiver import Received
from tests.storage.conftest import Database, PostgresDatabase

MAKER = SecretMaker(b"the key of this house, all of it")
SALT = b"s" * 16
SEALED = Sealed(SALT, MAKER.check())
SECONDS_MAX = 0.5
"""What a receiver may take in these tests."""


@dataclass
class House:
    """`now` is the clock of everything, `chance` what waits are lengthened by, `read_seconds` how late readings are."""

    database: Database
    now: int = NOW
    chance: float = 0.0
    read_seconds: float = 0.0
    orders: Iterable[int] = field(default_factory=lambda: iter(range(1, 10**6)))

    def __post_init__(self) -> None:
        self.ledger: Any = self.database.ledger()
        self.reading: Any = self.database.reading()
        self.writer = ThreadPoolExecutor(1)
        self.readers = ThreadPoolExecutor(2)

    def close(self) -> None:
        self.writer.shutdown()
        self.readers.shutdown()
        self.ledger.close()
        self.reading.close()

    def pass_seconds(self, seconds: float) -> None:
        self.now += int(seconds * MICROSECONDS_A_SECOND)

    async def commit(self, *commands: Command) -> list[Outcome]:
        """A batch, with its events in their places."""
        outcomes = await self._write(commit_batch, self.ledger, commands, self.now)
        if isinstance(self.database, PostgresDatabase):
            with connect(self.database.url, is_writer=True) as connection:
                number_events(connection)
        assert all(isinstance(outcome, Done) for outcome in outcomes), outcomes
        found: list[Outcome] = outcomes
        return found

    async def register(self, url: str, *types: str, **rest: Any) -> int:
        command = CreateEndpoint(ORIGIN, url, None, types or ("*",), rest.pop("is_ordered", False), SEALED, **rest)
        return await self.made(command)

    async def made(self, command: Command) -> int:
        (done,) = await self.commit(command)
        assert isinstance(done, Done)
        return done.made_id or 0

    async def change(self, endpoint_id: int, **changes: Any) -> None:
        await self.commit(ChangeEndpoint(ORIGIN, endpoint_id, EndpointChanges(**changes)))

    async def create_orders(self, count: int = 1) -> list[int]:
        """Each is one event."""
        ids = [next(iter(self.orders)) for _ in range(count)]
        await self.commit(*(order(id_, ("A", 9)) for id_ in ids))
        return ids

    def endpoint(self, endpoint_id: int) -> Endpoint:
        found: Endpoint = next(one for one in self.reading.webhooks.endpoints(None) if one.id == endpoint_id)
        return found

    def messages(self) -> list[tuple[Any, ...]]:
        """How far each message is, and how often it was tried, in the order of the feed."""
        return self.database.query("SELECT status, attempts FROM webhook_messages ORDER BY endpoint_id, place")

    def next_due(self) -> int | None:
        """When the next message is due; None where none waits."""
        ((due,),) = self.database.query("SELECT min(due_at) FROM webhook_messages WHERE status = 'pending'")
        return None if due is None else int(due)

    async def replay(self, endpoint_id: int, event_ids: list[int]) -> int:
        step = Step("replay_events", (endpoint_id, event_ids, self.now))
        (replayed,) = await self._carry_out(Errand((step,)))
        return len(replayed)

    async def work_off(self, relay: Relay) -> None:
        """Move the clock from one message that is due to the next, until none waits."""
        while (due := self.next_due()) is not None:
            self.now = max(self.now, due)
            await work(relay)

    async def _write(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self.writer, function, *arguments)

    async def _carry_out(self, errand: Errand) -> list[Rows]:
        found: list[Rows] = await self._write(self.ledger.carry_out, errand)
        return found

    async def _read(self, reading: Callable[..., Any], *arguments: Any) -> Any:
        found = await asyncio.get_running_loop().run_in_executor(self.readers, reading, *arguments)
        await asyncio.sleep(self.read_seconds)
        return found

    @property
    def storage(self) -> Storage:
        return Storage(self._carry_out, self._read, self.reading.webhooks)

    @asynccontextmanager
    async def relay(
        self, name: str = "here", *, seconds_max: float = SECONDS_MAX, retention_days: int = 0
    ) -> AsyncIterator[Relay]:
        guard = AddressGuard(read_networks("127.0.0.0/8"))
        sender = Sender(guard, "test", lambda: self.now, seconds_max=seconds_max)
        relay = Relay(
            name,
            self.storage,
            sender,
            lambda: MAKER,
            lambda: self.now,
            lambda: self.chance,
            retention_days=retention_days,
        )
        try:
            yield relay
        finally:
            await relay.stop()


async def work(relay: Relay) -> None:
    """Send all that is due now."""
    await relay.turn()
    await relay.settle()


def verify(came: Received) -> None:
    """As of the moment that its timestamp says: the clock of these tests is not the one on the wall."""
    secret = shown_secret(MAKER.secret(SALT))
    fault = signature_fault(secret, came.headers, came.body, int(came.headers["webhook-timestamp"]))
    assert fault is None, fault


def live(database: Database, story: Callable[[House], Any]) -> None:
    """Run a story in a house of its own."""

    async def run() -> None:
        house = House(database)
        try:
            await story(house)
        finally:
            house.close()

    asyncio.run(run())
