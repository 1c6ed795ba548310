"""A storage that is too slow for its load: refused at once or answered in time, over HTTP; and clients that go away."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commit.altered_server import altered
from tests.serving import Server
from tests.simulation.load import Load, shipment

COMMIT_SECONDS = 0.05
BATCH_MAX = 16
QUEUE_MAX = 64
CLIENTS = 256
LOAD_SECONDS = 4.0
SKU = "SOAP-3"


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose disk takes 50 ms a commit, with a short queue and small batches."""
    settings = {"SHIPLEDGER_QUEUE_MAX": str(QUEUE_MAX), "SHIPLEDGER_BATCH_MAX": str(BATCH_MAX)}
    database = tmp_path_factory.mktemp("slow") / "ledger.db"
    with altered(database, ("slow_commits", COMMIT_SECONDS), **settings) as server:
        order = {"id": 1, "line_items": [{"sku": SKU, "quantity": 10**9}]}
        assert server.post("/v1/orders", order).status == 201
        yield server


def kibibytes(server: Server) -> int:
    """The memory that the server has in use; 0 where the system does not say."""
    status = Path(f"/proc/{server.process.pid}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), 0)


def test_overload_is_refused_at_once_and_what_is_taken_is_answered_in_time(slow: Server) -> None:
    load = Load("overload", slow.port, [1], SKU, clients=CLIENTS)
    with load.running():
        load.wait_for_answers(CLIENTS)
        before, began, first = kibibytes(slow), time.monotonic(), len(load.acknowledged)
        time.sleep(LOAD_SECONDS)
        done, seconds = len(load.acknowledged) - first, time.monotonic() - began
        after = kibibytes(slow)
    assert load.refused.keys() == {503}, "nothing but Service Unavailable"
    assert load.refused[503] > done, "or it was no overload"
    capacity = BATCH_MAX / COMMIT_SECONDS
    taken = sorted(seconds for status, seconds in load.answers if status != 503)
    p99 = taken[len(taken) * 99 // 100]
    in_queue = (QUEUE_MAX / BATCH_MAX + 2) * COMMIT_SECONDS
    print(
        f"\noverload: {done / seconds:.0f}/s done of {capacity:.0f}/s at most, {load.refused[503]} refused;"
        f" accepted p50 {taken[len(taken) // 2] * 1_000:.0f} ms, p99 {p99 * 1_000:.0f} ms"
        f" (queue: {in_queue * 1_000:.0f} ms); memory {before / 1024:.1f} -> {after / 1024:.1f} MiB"
    )
    assert done / seconds > capacity / 3, "goodput stays"
    assert p99 < 5 * in_queue, "what waits is bounded by the queue"
    assert after - before < 32 * 1024, "memory does not grow with what is refused"


def test_a_refused_request_says_when_to_come_again_and_was_not_applied(slow: Server) -> None:
    load = Load("refused", slow.port, [1], SKU, clients=CLIENTS)
    with load.running():
        load.wait_for_answers(CLIENTS)
        while (reply := slow.post("/v1/fulfillments", published("unlucky"))).status != 503:
            assert reply.status == 200
    assert reply.headers["retry-after"].isdigit()
    assert reply.json()["error"] == "Service Unavailable"
    never = [key for key in load.unanswered if key.startswith("refused-")]
    assert len(never) == load.refused[503] > 0
    assert [key for key in never[:50] if found(slow, key)] == []


def published(number: str) -> dict[str, object]:
    return {"order_id": 1, "line_items": [{"sku": SKU, "quantity": 1}], "tracking_number": number}


def found(server: Server, number: str) -> list[object]:
    fulfillments: list[object] = server.get(f"/v1/fulfillments?tracking_number={number}").json()["fulfillments"]
    return fulfillments


def test_a_client_that_goes_away_mid_batch_is_committed_and_its_retry_replays(slow: Server) -> None:
    with socket.create_connection(("127.0.0.1", slow.port)) as client:
        client.sendall(shipment(1, SKU, number="gone", key="gone"))
    deadline = time.monotonic() + 10
    while not found(slow, "gone"):
        assert time.monotonic() < deadline
    reply = slow.post("/v1/fulfillments", published("gone"), {"Idempotency-Key": "gone"})
    assert (reply.status, reply.headers["idempotent-replayed"]) == (200, "true")
    answered = reply.json()
    answered.pop("warnings", None)
    assert [answered] == found(slow, "gone")


def test_a_retry_that_overtakes_its_first_request_gets_the_same_answer(slow: Server) -> None:
    replies = []
    clients = [socket.create_connection(("127.0.0.1", slow.port)) for _ in range(5)]
    for client in clients:
        client.sendall(shipment(1, SKU, number="twice", key="twice"))
    for client in clients:
        with client, client.makefile("rb") as answer:
            head = b"".join(iter(answer.readline, b"\r\n"))
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            replies.append(answer.read(length))
    assert len(set(replies)) == 1
    assert len(found(slow, "twice")) == 1
