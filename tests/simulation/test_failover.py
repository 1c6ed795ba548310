"""The primary dies under load and its synchronous standby takes over: nothing that was acknowledged is lost.

Nodes name both servers in their URL and find the new primary by themselves. Clients send each request with its key
until it is acknowledged, and what the ledger holds is compared by their own names. SHIPLEDGER_TEST_FAILOVERS sets the
number of kills.

A promoted standby waits for nobody until it has a standby of its own, as where there are two machines: for that time an
acknowledgement is as durable as one machine. The next kill comes once the new standby is synchronous.
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from tests.serving import Server, running
from tests.simulation.postgres_load import (
    ORDERS,
    InsistentLoad,
    create_orders,
    expect_each_once,
    expect_replayed,
    stored_in,
)
from tests.simulation.postgres_pair import DATABASE, Pair

FAILOVERS = int(os.environ.get("SHIPLEDGER_TEST_FAILOVERS", "5"))
FOLLOW_SECONDS_MAX = 5
ACKNOWLEDGED_BETWEEN_KILLS = 200


@contextmanager
def two_nodes(pair: Pair, folder: Path) -> Iterator[list[Server]]:
    with running(pair.url, log=folder / "first.log") as first, running(pair.url, log=folder / "second.log") as second:
        create_orders(first)
        yield [first, second]


def first_acknowledged_after(load: InsistentLoad, moment: float) -> float:
    load.wait_for_acknowledged(1)
    return min(answer.at for answer in load.answers if answer.is_acknowledged and answer.at > moment)


@pytest.mark.timeout(120 + 15 * FAILOVERS)
def test_no_failover_loses_what_was_acknowledged(tmp_path: Path) -> None:
    """Takes about four seconds a kill: for each, a standby is copied from the new primary under load."""
    rng, followed, paused = Random(FAILOVERS), list[float](), list[float]()
    with Pair(is_synchronous=True) as pair, two_nodes(pair, tmp_path) as nodes:
        load = InsistentLoad("failover", [node.port for node in nodes])
        with load.running():
            for failover in range(FAILOVERS):
                if failover:
                    pair.renew()
                load.wait_for_acknowledged(ACKNOWLEDGED_BETWEEN_KILLS)
                time.sleep(rng.uniform(0, 0.3))
                killed = time.monotonic()
                promoted = pair.fail_over()
                followed.append(first_acknowledged_after(load, promoted) - promoted)
                paused.append(followed[-1] + promoted - killed)
        expect_each_once(load, pair.standby.url(DATABASE))
        expect_replayed(load, rng.sample(sorted(load.acknowledged), 100), nodes[0])
    print(
        f"\n{FAILOVERS} fail-overs: {len(load.acknowledged)} acknowledged, none lost; otherwise {dict(load.errors())};"
        f" first acknowledged {max(followed):.2f} s after the promotion at the most, {max(paused):.2f} s after the kill"
    )
    assert max(followed) < FOLLOW_SECONDS_MAX
    assert load.errors(), "or the kills did not come under load"


def test_control_an_asynchronous_standby_that_lags_loses_what_was_acknowledged(tmp_path: Path) -> None:
    """On loopback a standby is behind by next to nothing, so what sends to it is stopped just before the kill."""
    with Pair(is_synchronous=False) as pair, two_nodes(pair, tmp_path) as nodes:
        load = InsistentLoad("lagging", [node.port for node in nodes])
        with load.running():
            load.wait_for_acknowledged(ACKNOWLEDGED_BETWEEN_KILLS)
            ((sender,),) = pair.primary.execute("SELECT pid FROM pg_stat_replication")
            os.kill(sender, signal.SIGSTOP)
            load.wait_for_acknowledged(ACKNOWLEDGED_BETWEEN_KILLS)
            promoted = pair.fail_over()
            first_acknowledged_after(load, promoted)
        assert load.lost(stored_in(pair.standby.url(DATABASE)))
        with pytest.raises(AssertionError, match="lost"):
            expect_each_once(load, pair.standby.url(DATABASE))


@pytest.mark.parametrize("primary", ["first", "second"])
def test_a_node_writes_and_reads_on_the_primary_wherever_that_is_named(tmp_path: Path, primary: str) -> None:
    with Pair(is_synchronous=True) as pair:
        if primary == "second":
            pair.fail_over()
            pair.renew()
        with running(pair.url, log=tmp_path / "log") as node:
            pair.standby.execute("SELECT pg_wal_replay_pause()")
            create_orders(node)
            assert node.get(f"/v1/orders/{ORDERS[0]}").status == 200, "the standby does not show it"
            pair.standby.execute("SELECT pg_wal_replay_resume()")
