"""SIGKILL of a node, or of one of its workers: the others go on, and nothing that was acknowledged is lost."""

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from shipledger.boot.ledgers import migrate
from shipledger.commit.batch import commit_batch
from shipledger.needs import needs_of
from shipledger.outcome import Done, Unavailable
from shipledger.storage import postgres_connection
from shipledger.storage.postgres import PostgresLedger
from shipledger.storage.postgres_connection import _WRITER
from tests.commit.commands import NOW, order, ship
from tests.postgres_server import Databases
from tests.serving import Server, running
from tests.simulation.postgres_load import InsistentLoad, create_orders, expect_each_once, expect_replayed

GONE_SECONDS_MAX = 10
REPLACED_SECONDS_MAX = 5
STATUS = {signal.SIGTERM: 0, signal.SIGINT: 130}


@pytest.fixture
def url(databases: Databases) -> Iterator[str]:
    url = databases.create_empty()
    yield url
    databases.drop(url)


@pytest.fixture
def pair_of_workers(url: str, tmp_path: Path) -> Iterator[Server]:
    with running(url, "--workers", "2", log=tmp_path / "log") as server:
        create_orders(server)
        wait_for_workers(server, other_than=set())
        yield server


def workers(server: Server) -> set[int]:
    return {child.pid for child in psutil.Process(server.process.pid).children() if child.status() != "zombie"}


def wait_for_workers(server: Server, *, other_than: set[int], count: int = 2) -> set[int]:
    deadline = time.monotonic() + REPLACED_SECONDS_MAX
    while len(found := workers(server) - other_than) < count:
        assert time.monotonic() < deadline, f"{found} and not {count} new workers"
        time.sleep(0.02)
    return found


def wait_until_gone(pids: set[int]) -> None:
    _, alive = psutil.wait_procs([psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)], GONE_SECONDS_MAX)
    assert alive == []


def test_a_killed_node_takes_nothing_with_it_and_the_others_go_on(url: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        nodes = [stack.enter_context(running(url, log=tmp_path / f"{at}.log")) for at in range(3)]
        create_orders(nodes[0])
        load = InsistentLoad("node", [node.port for node in nodes], clients=48)
        with load.running():
            load.wait_for_acknowledged(300)
            nodes[1].kill()
            killed = time.monotonic()
            load.wait_for_acknowledged(600)
        assert load.errors(nodes[0].port, nodes[2].port) == {}, "the others have no error of their own"
        assert load.errors(nodes[1].port).keys() == {"gone"}, "or it was not killed under load"
        expect_each_once(load, url)
        of_the_killed = [answer.key for answer in load.answers if answer.port == nodes[1].port and answer.reply]
        expect_replayed(load, of_the_killed[-50:], nodes[2])
        moved = {answer.key for answer in load.answers if answer.port == nodes[1].port and not answer.reply}
        assert moved <= load.acknowledged.keys(), "what was in its hands is done at another"
    took = max(answer.at for answer in load.answers if answer.key in moved and answer.is_acknowledged) - killed
    print(f"\n{len(load.acknowledged)} acknowledged, none lost; {len(moved)} moved on within {took:.2f} s of the kill")


def test_a_node_that_freezes_in_the_middle_of_a_batch_does_not_hold_the_others_up(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = f"idle_in_transaction_session_timeout = {postgres_connection.IDLE_MILLISECONDS_MAX}"
    soon = [setting.replace(limit, "idle_in_transaction_session_timeout = 500") for setting in _WRITER]
    monkeypatch.setattr(postgres_connection, "_WRITER", soon)
    migrate(url)
    frozen, other = PostgresLedger(url), PostgresLedger(url)
    commit_batch(other, [order(1, ("A", 9))], NOW)
    parcel = ship(1, ("A", 1), key="once")

    def freeze_while_the_other_ships() -> None:
        with frozen.transaction():
            working_set = frozen.load(needs_of([parcel]))
            (outcome,) = commit_batch(other, [parcel], NOW)
            assert isinstance(outcome, Done)
            working_set.has_replayed = True
            frozen.save(working_set)

    with pytest.raises(Unavailable):
        freeze_while_the_other_ships()
    (again,) = commit_batch(frozen, [parcel], NOW)
    assert isinstance(again, Done)
    assert again.replayed, "it goes on by itself"
    for ledger in (frozen, other):
        ledger.close()


def test_a_killed_worker_is_replaced_and_the_other_goes_on(url: str, pair_of_workers: Server) -> None:
    load = InsistentLoad("worker", [pair_of_workers.port])
    before = workers(pair_of_workers)
    with load.running():
        load.wait_for_acknowledged(200)
        psutil.Process(min(before)).kill()
        wait_for_workers(pair_of_workers, other_than=before, count=1)
        load.wait_for_acknowledged(200)
    assert len(workers(pair_of_workers)) == 2
    assert load.errors().keys() <= {"gone"}
    expect_each_once(load, url)


def test_workers_whose_parent_is_killed_finish_and_leave(url: str, pair_of_workers: Server) -> None:
    load = InsistentLoad("orphans", [pair_of_workers.port], patience_seconds=0)
    orphans = workers(pair_of_workers)
    with load.running():
        load.wait_for_acknowledged(200)
        pair_of_workers.process.kill()
        pair_of_workers.process.wait()
        wait_until_gone(orphans)
    expect_each_once(load, url)
    with running(url, "--port", str(pair_of_workers.port)) as again:
        expect_replayed(load, sorted(load.acknowledged)[:20], again)


@pytest.mark.parametrize("number", STATUS)
def test_workers_leave_with_their_parent_and_lose_nothing(
    url: str, pair_of_workers: Server, number: signal.Signals
) -> None:
    load = InsistentLoad("stop", [pair_of_workers.port], patience_seconds=0)
    told = workers(pair_of_workers)
    with load.running():
        load.wait_for_acknowledged(200)
        pair_of_workers.process.send_signal(number)
        assert pair_of_workers.process.wait(GONE_SECONDS_MAX) == STATUS[number]
    assert not any(map(psutil.pid_exists, told))
    assert load.errors().keys() <= {"gone", "503"}
    expect_each_once(load, url)
