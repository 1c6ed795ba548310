"""A server that is told to stop finishes what it has taken, loses nothing that it answered, and is soon gone."""

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shipledger.boot.ledgers import check_ledger
from shipledger.storage.ledger_lock import lock_path, serving_process
from tests.commit.altered_server import altered
from tests.serving import Server, running, start
from tests.simulation.load import Load, Stored, shipment

SKU = "SOAP-3"
GONE_SECONDS_MAX = 10
INTERRUPTED = 130
STATUS = {signal.SIGTERM: 0, signal.SIGINT: INTERRUPTED}
NOT_BEGUN = (b"Fatal Python error: init_", b"Could not import runpy module")
SLOW = ("slow_commits", 0.2)


def create_order(server: Server) -> None:
    assert server.post("/v1/orders", {"id": 1, "line_items": [{"sku": SKU, "quantity": 10**9}]}).status == 201


def stop(server: Server, number: signal.Signals) -> int:
    server.process.send_signal(number)
    return server.process.wait(GONE_SECONDS_MAX)


@pytest.mark.parametrize("number", STATUS)
def test_a_server_under_load_finishes_its_batch_and_loses_nothing(tmp_path: Path, number: signal.Signals) -> None:
    with running(tmp_path / "ledger.db") as server:
        create_order(server)
        load = Load("stop", server.port, [1], SKU)
        with load.running():
            load.wait_for_answers(200)
            status = stop(server, number)
    assert status == STATUS[number]
    assert load.refused.keys() <= {503}
    stored = Stored.of(server.database)
    assert load.lost(stored) == set()
    assert [finding for finding in check_ledger(server.database) if finding.broken] == []
    with running(server.database) as again:
        replies = load.repeat(again.port, list(load.sent))
    assert {reply.status for reply in replies.values()} <= {200, 201}
    assert [key for key, first in load.acknowledged.items() if replies[key].body != first.body] == []


def test_whatever_was_taken_is_answered(tmp_path: Path) -> None:
    """A slow disk: the requests wait in the queue as the signal comes, and each of them still gets its answer."""
    with altered(tmp_path / "ledger.db", SLOW, SHIPLEDGER_BATCH_MAX="8") as server:
        create_order(server)
        clients = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(40)]
        for at, client in enumerate(clients):
            client.sendall(shipment(1, SKU, number=f"taken-{at}", key=f"taken-{at}"))
        while "taken-0" not in Stored.of(server.database).keys:
            assert server.process.poll() is None
        # The first of five batches is committed: by then the rest have long been waiting.
        server.process.send_signal(signal.SIGTERM)
        statuses = []
        for client in clients:
            with client, client.makefile("rb") as answer:
                statuses.append(answer.readline().split()[1])
        assert server.process.wait(GONE_SECONDS_MAX) == 0
    assert statuses == [b"200"] * 40
    assert {f"taken-{at}" for at in range(40)} <= Stored.of(server.database).keys


def test_a_client_that_never_finishes_its_request_does_not_keep_the_server(tmp_path: Path) -> None:
    with (
        running(tmp_path / "ledger.db") as server,
        socket.create_connection(("127.0.0.1", server.port)) as idle,
        socket.create_connection(("127.0.0.1", server.port)) as slow,
    ):
        slow.sendall(shipment(1, SKU)[:-5])
        assert server.get("/healthz").status == 200
        assert stop(server, signal.SIGTERM) == 0
        assert idle.recv(1) == b""


def test_a_stopped_server_takes_no_more_and_leaves_its_ledger_free(tmp_path: Path) -> None:
    with running(tmp_path / "ledger.db") as server:
        assert stop(server, signal.SIGTERM) == 0
        with pytest.raises(ConnectionRefusedError):
            server.get("/healthz")
        assert serving_process(tmp_path / "ledger.db") is None
    start(server.database).stop()


@pytest.mark.parametrize("number", STATUS)
@pytest.mark.parametrize("moment", ["0.05 s", "0.15 s", "the ledger is locked"])
def test_a_server_that_is_stopped_while_it_starts_is_gone_as_well(
    tmp_path: Path, number: signal.Signals, moment: str
) -> None:
    database = tmp_path / "ledger.db"
    command = [sys.executable, "-m", "shipledger", "serve", "--port", "0", "--database", f"sqlite:///{database}"]
    with (tmp_path / "ledger.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    if moment.endswith(" s"):
        time.sleep(float(moment.removesuffix(" s")))
    else:
        while not lock_path(database).exists():
            assert process.poll() is None
    process.send_signal(number)
    try:
        process.wait(GONE_SECONDS_MAX)
    finally:
        process.kill()
    # Python itself may not have been ready for the signal: then it ends by it, or with 1 and one of these lines.
    is_not_begun = any(line in (tmp_path / "ledger.log").read_bytes() for line in NOT_BEGUN)
    assert process.returncode in {STATUS[number], -number} or (process.returncode == 1 and is_not_begun)
    start(database).stop()
