"""SIGKILL under load, at random moments and at named points: whatever was acknowledged is in the ledger afterwards.

One ledger grows through all the random kills, so that each recovery finds a larger one. What was acknowledged is
compared by the client's own names (keys, tracking numbers, references): an id that was lost is handed out again.
SHIPLEDGER_TEST_CRASHES sets the number of random kills.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from shipledger.boot.ledgers import check_ledger
from shipledger.limits import QUANTITY_MAX
from tests.commit.altered_server import altered
from tests.serving import Server, start
from tests.simulation.load import ACKNOWLEDGED, Load, Stored

CRASHES = int(os.environ.get("SHIPLEDGER_TEST_CRASHES", "30"))
ORDERS = range(1, 5)
SKU = "SOAP-3"
ANSWERED_BEFORE = ("date", "x-request-id", "idempotent-replayed")
"""Headers in which a replayed answer may differ from the first."""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A ledger with a few orders that never run out."""
    server = start(tmp_path / "ledger.db")
    for order_id in ORDERS:
        order = {"id": order_id, "line_items": [{"sku": SKU, "quantity": QUANTITY_MAX}]}
        assert server.post("/v1/orders", order).status == 201
    server.stop()
    return tmp_path / "ledger.db"


def expect_nothing_lost(load: Load, server: Server) -> None:
    """After a restart: everything acknowledged is there once and answered alike; the rest is there at most once."""
    stored = Stored.of(server.database)
    assert load.lost(stored) == set()
    assert {name: count for name, count in stored.names.items() if count > 1 and name} == {}
    assert stored.keys == {name for name in stored.names if name}, "a key is stored with what it made, or not at all"
    assert {finding.invariant: finding.examples for finding in check_ledger(server.database) if finding.broken} == {}
    again = load.repeat(server.port, list(load.sent))
    for key, first in load.acknowledged.items():
        assert again[key].body == first.body, key
        assert again[key].headers["idempotent-replayed"] == "true", key
        assert same_headers(again[key].headers) == same_headers(first.headers), key
    for key in load.unanswered:
        assert again[key].status in ACKNOWLEDGED, again[key]
        assert ("idempotent-replayed" in again[key].headers) is (key in stored.keys), key
    after = Stored.of(server.database)
    assert [after.names[key] for key in load.sent] == [1] * len(load.sent)


def same_headers(headers: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in ANSWERED_BEFORE}


@pytest.mark.timeout(120 + 4 * CRASHES)
def test_no_random_kill_loses_what_was_acknowledged(database: Path) -> None:
    """Takes about a second a crash: a server is put under load, killed, restarted, and asked everything again."""
    rng, recoveries, acknowledged, unanswered = Random(CRASHES), [], 0, 0
    server = start(database)
    try:
        for crash in range(CRASHES):
            load = Load(f"crash-{crash}", server.port, ORDERS, SKU)
            with load.running():
                load.wait_for_answers(1)
                time.sleep(rng.uniform(0, 0.3))
                rng.choice([server.kill, server.kill_serving_process, server.kill_committing_process])()
            began = time.monotonic()
            server = start(database)
            recoveries.append(time.monotonic() - began)
            expect_nothing_lost(load, server)
            acknowledged += len(load.acknowledged)
            unanswered += len(load.unanswered)
    finally:
        server.kill()
    print(
        f"\n{CRASHES} kills: {acknowledged} acknowledged, {unanswered} unanswered;"
        f" slowest start after a kill {max(recoveries):.2f} s"
    )
    assert acknowledged > CRASHES
    assert unanswered > CRASHES, "or the kills did not come under load"


POINTS = [
    ("kill_at", "load begins", 9),
    ("kill_at", "load ended", 9),
    ("kill_at", "save begins", 9),
    ("kill_at", "save ended", 9),
    ("kill_at", "commit begins", 9),
    ("kill_at", "commit ended", 9),
    ("kill_in_checkpoint", 100),
    ("kill_in_checkpoint", 333),
]


@pytest.mark.parametrize("point", POINTS, ids=[" ".join(map(str, point)) for point in POINTS])
def test_no_kill_at_a_named_point_loses_what_was_acknowledged(database: Path, point: tuple[Any, ...]) -> None:
    with altered(database, point) as dying:
        load = Load("named", dying.port, ORDERS, SKU)
        with load.running():
            dying.process.wait(20)
    assert load.acknowledged
    assert load.unanswered
    for server in restarted(database):
        expect_nothing_lost(load, server)


def test_what_was_committed_but_not_yet_answered_is_applied_once(database: Path) -> None:
    with altered(database, ("kill_at", "commit ended", 1)) as dying:
        load = Load("first", dying.port, ORDERS, SKU, clients=1)
        with load.running():
            dying.process.wait(20)
    assert "first-0" in load.unanswered
    assert {name for name in Stored.of(database).names if name} == {"first-0"}
    for server in restarted(database):
        expect_nothing_lost(load, server)


def test_control_a_server_that_answers_before_commit_loses_what_it_acknowledged(database: Path) -> None:
    with altered(database, ("answer_before_commit", 1_000)) as hasty:
        load = Load("hasty", hasty.port, ORDERS, SKU)
        with load.running():
            load.wait_for_answers(500)
            hasty.kill()
    for server in restarted(database):
        assert load.lost(Stored.of(server.database))
        with pytest.raises(AssertionError):
            expect_nothing_lost(load, server)


def restarted(database: Path) -> Iterator[Server]:
    server = start(database)
    try:
        yield server
    finally:
        server.kill()
