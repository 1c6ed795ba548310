"""A server that is killed between any two steps on the way of an event to its receiver loses none and invents none.

Events that are sent, pending and dead together are exactly the committed ones. SHIPLEDGER_TEST_WEBHOOK_KILLS is how
often each point is died at.
"""

import json
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import pytest

from shipledger.storage.sqlite_reading import open_to_read
from tests.outbox.altered_relay import altered
from tests.outbox.receiver import Receiver, receiving
from tests.outbox.webhook_server import SETTINGS, register, wait_for
from tests.postgres_server import Databases, execute
from tests.serving import Database, Server, running

KILLS = int(os.environ.get("SHIPLEDGER_TEST_WEBHOOK_KILLS", "1"))
POINTS = tuple(f"{step} {when}" for step in ("fan-out", "claim", "send", "record") for when in ("begins", "ended"))
ORDERS = 40
CLIENTS = 4
SHIFTS_MAX = 50
DEAD_SECONDS_MAX = 20
ENDING_SECONDS = 0.1
"""A server whose relay is dead answers what it has and takes no more: clients would be refused many times a second."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def rows(database: Database, sql: str) -> list[tuple[Any, ...]]:
    if isinstance(database, str):
        return execute(database, sql)
    with closing(open_to_read(database)) as connection:
        return list(connection.execute(sql))


def create_until_dead(server: Server, name: str) -> None:
    """Orders of a few clients at once, each until it has sent its share or the server is gone."""

    def create(client: int) -> None:
        for number in range(ORDERS // CLIENTS):
            order = {"reference": f"{name} {client} {number}", "line_items": [{"sku": "A", "quantity": 1}]}
            try:
                server.post("/v1/orders", order)
            except OSError:
                return

    clients = [threading.Thread(target=create, args=(client,)) for client in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()


def missing_and_invented(database: Database, receiver: Receiver, secret: str) -> tuple[set[int], set[int]]:
    """Committed events that are no message, or not taken though they are sent; and messages that tell of no event."""
    events = dict(rows(database, "SELECT id, data FROM events WHERE order_id IS NOT NULL"))
    messages = dict(rows(database, "SELECT event_id, status FROM webhook_messages"))
    taken: defaultdict[int, set[bytes]] = defaultdict(set)
    for came in receiver.taken:
        taken[int(came.id)].add(came.body)
        came.verified(secret)
    sent = {event_id for event_id, status in messages.items() if status == "sent"}
    missing = (events.keys() - messages.keys()) | (sent - taken.keys())
    invented = (messages.keys() - events.keys()) | (taken.keys() - events.keys())
    for event_id in taken.keys() & events.keys():
        told = [json.loads(body)["data"] for body in taken[event_id]]
        if told != [json.loads(events[event_id])]:
            invented.add(event_id)
    return missing, invented


def nothing_waits(database: Database) -> bool:
    fanned = rows(database, "SELECT place FROM feed_marks WHERE name = 'fanned_out'")
    place = "position) FROM event_positions" if isinstance(database, str) else "id) FROM events WHERE order_id > 0"
    (last,) = rows(database, f"SELECT max({place}")
    waiting = rows(database, "SELECT 1 FROM webhook_messages WHERE status = 'pending'")
    return fanned == [last] and not waiting


def die_at_each_point(
    database: Database, receiver: Receiver, start: Callable[..., AbstractContextManager[Server]]
) -> str:
    """Returns the secret, when all that was committed meanwhile had its time to be sent."""
    with start(database) as server:
        secret: str = register(server, receiver.url)["secret"]
    for round_ in range(KILLS):
        for point in POINTS:
            with start(database, ("kill_at", point, round_ + 1)) as server:
                shifts = 0
                while server.process.poll() is None:
                    create_until_dead(server, f"{round_} {point} {shifts}")
                    time.sleep(ENDING_SECONDS)
                    shifts += 1
                    assert shifts < SHIFTS_MAX, point
    with start(database) as server:
        create_until_dead(server, "at last")
        wait_for(lambda: nothing_waits(database), 60)
    return secret


@pytest.mark.timeout(120 + 60 * KILLS)
def test_an_embedded_ledger_that_is_killed_between_any_two_steps_tells_of_exactly_what_was_committed(
    tmp_path: Path, receiver: Receiver
) -> None:
    """Takes a server's start for each of eight points: half a minute on a slow machine."""
    database = tmp_path / "ledger.db"

    def start(database: Database, *alterations: tuple[Any, ...]) -> AbstractContextManager[Server]:
        return altered(database, *alterations, **SETTINGS)

    secret = die_at_each_point(database, receiver, start)
    assert missing_and_invented(database, receiver, secret) == (set(), set())
    assert len(receiver.taken) > ORDERS


@pytest.mark.timeout(180 + 120 * KILLS)
def test_a_node_that_is_killed_between_any_two_steps_leaves_its_work_to_others(
    databases: Databases, tmp_path: Path, receiver: Receiver
) -> None:
    """Another node goes on when the leases of the killed one ran out: eight times a second or two, and the starts."""
    with databases.dropped_at_the_end(databases.create) as create:
        database = create()

        def start(database: Database, *alterations: tuple[Any, ...]) -> AbstractContextManager[Server]:
            return altered(database, ("short_leases", 2), *alterations, log=tmp_path / "node.log", **SETTINGS)

        with running(database, log=tmp_path / "other.log", **SETTINGS, SHIPLEDGER_RELAY="off"):
            secret = die_at_each_point(database, receiver, start)
        assert missing_and_invented(database, receiver, secret) == (set(), set())
        assert len(receiver.taken) > ORDERS


def test_an_outbox_that_is_written_after_its_commit_is_caught(tmp_path: Path, receiver: Receiver) -> None:
    """The control. What came before is told first, so that the step that dies is one with orders to tell of."""
    database = tmp_path / "ledger.db"
    with running(database, **SETTINGS) as server:
        secret = register(server, receiver.url)["secret"]
        create_until_dead(server, "before")
        wait_for(lambda: nothing_waits(database))
    with altered(database, ("mark_before_messages", 1), **SETTINGS) as server:
        create_until_dead(server, "lost")
        server.process.wait(DEAD_SECONDS_MAX)
    with running(database, **SETTINGS) as server:
        create_until_dead(server, "at last")
        wait_for(lambda: nothing_waits(database))
    missing, invented = missing_and_invented(database, receiver, secret)
    assert missing
    assert not invented
