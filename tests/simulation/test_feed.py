"""A reader of the feed, beside many writers, is told every event once, in one order that never skips."""

import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import apsw
import psutil  # type: ignore[import-untyped]
import psycopg
import pytest

from shipledger.boot.ledgers import Database, check_ledger, migrate, open_ledger, open_reading
from shipledger.command import Command
from shipledger.commit.batch import commit_batch
from shipledger.outcome import Done
from shipledger.storage import postgres_sequencer
from shipledger.storage.port import Ledger
from shipledger.storage.postgres import PostgresLedger
from shipledger.storage.postgres_sequencer import Sequencer
from tests.commit.commands import NOW, order, ship
from tests.postgres_server import Databases, execute
from tests.serving import Server, running
from tests.simulation.postgres_load import create_orders

ORDERS = range(1, 21)
WRITERS = 4
BATCHES = 60
PAGE = 7
SECONDS_MAX = 30
TAKE_OVER_SECONDS_MAX = 1


@dataclass(frozen=True)
class Told:
    """An event as a reader was told of it."""

    place: int
    id: int
    order_id: int
    sequence: int


Read = Callable[[int], list[Told]]
"""The next events after a place."""


class SlowLedger(PostgresLedger):
    """Another connection's events become visible between the time that its own are given ids and its COMMIT."""

    def _commit(self, batch: uuid.UUID) -> None:
        time.sleep(0.02)
        super()._commit(batch)


def write(ledger: Ledger, seed: int) -> None:
    """Batches of parcels of shared orders, and of new orders."""
    rng = Random(seed)
    for _ in range(BATCHES):
        commands: list[Command] = [ship(rng.choice(ORDERS), ("A", 1)) for _ in range(rng.randint(1, 5))]
        commands.append(order(None, ("A", 1)))
        assert all(isinstance(outcome, Done) for outcome in commit_batch(ledger, commands, NOW))
    ledger.close()


def read_beside(ledgers: list[Ledger], read: Read) -> list[Told]:
    """What a reader is told while all of these are written, and until it is told nothing more."""
    told: list[Told] = []
    with ThreadPoolExecutor(len(ledgers)) as pool:
        writing = [pool.submit(write, ledger, seed) for seed, ledger in enumerate(ledgers)]
        quiet_since = time.monotonic()
        while time.monotonic() < quiet_since + 1 or not all(future.done() for future in writing):
            page = read(told[-1].place if told else 0)
            told += page
            if page:
                quiet_since = time.monotonic()
        for future in writing:
            future.result()
    return told


def expect_every_event_once_in_order(told: list[Told], database: Database) -> None:
    with open_reading_of(database) as read:
        again: list[Told] = []
        while page := read(again[-1].place if again else 0):
            again += page
    assert {event.id for event in again} == stored_ids(database), "the whole feed holds every event"
    assert {event.id for event in again} - {event.id for event in told} == set(), "skipped"
    assert told == again, "told once, and in the order in which all others are told"
    sequences = defaultdict(list)
    for event in told:
        sequences[event.order_id].append(event.sequence)
    assert {order_id for order_id, found in sequences.items() if found != list(range(1, len(found) + 1))} == set()


@contextmanager
def open_reading_of(database: Database) -> Iterator[Read]:
    reading = open_reading(database)

    def read(after: int) -> list[Told]:
        return [
            Told(placed.place, placed.document["id"], placed.document["order_id"], placed.document["sequence"])
            for placed in reading.events(after, PAGE, None)
        ]

    yield read
    reading.close()


def stored_ids(database: Database) -> set[int]:
    if isinstance(database, str):
        return {event_id for (event_id,) in execute(database, "SELECT id FROM events")}
    connection = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READONLY)
    ids = {event_id for (event_id,) in connection.execute("SELECT id FROM events")}
    connection.close()
    return ids


@pytest.fixture
def url(databases: Databases) -> Iterator[str]:
    url = databases.create()
    yield url
    databases.drop(url)


@contextmanager
def two_sequencers(url: str) -> Iterator[None]:
    sequencers = [Sequencer(url), Sequencer(url)]
    for sequencer in sequencers:
        sequencer.start()
    yield
    for sequencer in sequencers:
        sequencer.stop()


def with_orders(database: Database) -> Database:
    ledger = open_ledger(database)
    commit_batch(ledger, [order(order_id, ("A", 10_000)) for order_id in ORDERS], NOW)
    ledger.close()
    return database


def writers(url: str) -> list[Ledger]:
    return [SlowLedger(url), *[PostgresLedger(url) for _ in range(WRITERS - 1)]]


def test_a_reader_beside_many_writers_is_told_every_event_once_and_in_order(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_sequencer, "EVENTS_A_STEP", 10)
    with_orders(url)
    with two_sequencers(url), open_reading_of(url) as read:
        told = read_beside(writers(url), read)
    expect_every_event_once_in_order(told, url)
    assert [finding for finding in check_ledger(url) if finding.broken] == []


def test_a_reader_beside_the_writer_of_an_embedded_ledger_is_told_the_same_way(tmp_path: Path) -> None:
    migrate(tmp_path / "ledger.db")
    database = with_orders(tmp_path / "ledger.db")
    with open_reading_of(database) as read:
        told = read_beside([open_ledger(database)], read)
    expect_every_event_once_in_order(told, database)


def test_control_a_reader_by_id_skips_what_is_committed_later(url: str) -> None:
    with_orders(url)
    with two_sequencers(url), psycopg.connect(url, autocommit=True) as connection:

        def read_by_id(last: int) -> list[Told]:
            sql = "SELECT id, id, order_id, sequence FROM events WHERE id > %s ORDER BY id LIMIT %s"
            return [Told(*row) for row in connection.execute(sql, (last, PAGE)).fetchall()]

        told = read_beside(writers(url), read_by_id)
    assert {event.id for event in told} < stored_ids(url)
    with pytest.raises(AssertionError, match="skipped"):
        expect_every_event_once_in_order(told, url)


def test_a_killed_nodes_sequencer_is_taken_over_within_a_second(url: str, tmp_path: Path) -> None:
    took = []
    with ExitStack() as stack, open_reading_of(url) as read:
        nodes = [stack.enter_context(running(url, log=tmp_path / f"{at}.log")) for at in range(3)]
        create_orders(nodes[0])
        while len(nodes) > 1:
            last = wait_for_events(read, len(stored_ids(url)))
            sequencing = next(node for node in nodes if node.process.pid == sequencing_process(url, nodes))
            sequencing.kill()
            nodes.remove(sequencing)
            killed = time.monotonic()
            assert nodes[0].post("/v1/orders", {"line_items": [{"sku": "A", "quantity": 1}]}).status == 201
            assert wait_for_events(read, last + 1) == last + 1
            took.append(time.monotonic() - killed)
    print(f"\ntaken over within {max(took):.2f} s")
    assert max(took) < TAKE_OVER_SECONDS_MAX


def wait_for_events(read: Read, count: int) -> int:
    """Until the feed is that long; returns its length."""
    deadline = time.monotonic() + SECONDS_MAX
    while not read(count - 1):
        assert time.monotonic() < deadline, f"no event at place {count}"
        time.sleep(0.005)
    return count


def sequencing_process(url: str, nodes: list[Server]) -> int:
    """The node whose sequencer's turn it is: found by the port that it comes from."""
    lock = "(classid::bigint << 32 | objid::bigint) = hashtextextended('shipledger sequencer', 0)"
    ports = f"SELECT client_port FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE granted AND {lock}"
    ((port,),) = execute(url, ports)
    for node in nodes:
        if port in [connection.laddr.port for connection in psutil.Process(node.process.pid).net_connections()]:
            return int(node.process.pid)
    raise AssertionError(f"no node has port {port}")
