"""Ten thousand clients that connect and say nothing: the server stays up, and those who ask are answered as before."""

import os
import resource
import socket
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from tests.http.key_holders import Holder, close_server
from tests.http.orders_to_ship import unique
from tests.serving import running

CONNECTIONS = int(os.environ.get("SHIPLEDGER_TEST_IDLE_CONNECTIONS", "10000"))
REQUESTS = 300
SPARE_FILES = 500
BEGUN = (b"", b"GET / HT", b"POST /v1/orders HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n")
"""What the silent ones have said before: nothing, some of a head, a head without its body."""


@contextmanager
def many_files() -> Iterator[None]:
    """So many open files as the connections need. Skips where the system does not allow them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + SPARE_FILES
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"a process may open {hard} files here, and {wanted} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def p99(operator: Holder, order_id: int) -> float:
    """Of single requests, in milliseconds."""
    taken = []
    for _ in range(REQUESTS):
        began = time.perf_counter()
        parcel = {"order_id": order_id, "tracking_number": unique("T"), "line_items": [{"sku": "A", "quantity": 1}]}
        assert operator.post("/v1/fulfillments", parcel).status == 200
        taken.append((time.perf_counter() - began) * 1_000)
    return statistics.quantiles(taken, n=100)[98]


def mebibytes(operator: Holder) -> float:
    memory: int = psutil.Process(operator.server.process.pid).memory_info().rss
    return memory / 2**20


def connect(port: int) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=10)
    client.sendall(BEGUN[client.fileno() % len(BEGUN)])
    return client


def is_open(client: socket.socket) -> bool:
    client.setblocking(False)
    try:
        return client.recv(1) != b""
    except BlockingIOError:
        return True
    except ConnectionError:
        return False


def test_idle_connections_hold_nobody_up_and_come_to_their_end(tmp_path: Path) -> None:
    """Takes some 30 s: half-sent requests are closed after 10 s."""
    with many_files(), running(tmp_path / "ledger.db") as server, ExitStack() as silent:
        operator = close_server(server)
        order = {"line_items": [{"sku": "A", "quantity": 10**6}]}
        order_id = operator.post("/v1/orders", order).json()["id"]
        before, memory = p99(operator, order_id), mebibytes(operator)
        clients = [silent.enter_context(connect(server.port)) for _ in range(CONNECTIONS)]
        during, held = p99(operator, order_id), mebibytes(operator)
        still_open = sum(map(is_open, clients))
        print(
            f"\n{CONNECTIONS} silent connections ({still_open} still open): p99 {before:.1f} -> {during:.1f} ms,"
            f" memory {memory:.0f} -> {held:.0f} MiB"
        )
        begun = [client for client in clients if client.fileno() % len(BEGUN)]
        deadline = time.monotonic() + 40
        while any(map(is_open, begun)):
            assert time.monotonic() < deadline, "half-sent requests are closed within 30 s"
            time.sleep(0.25)
        assert operator.get("/v1/orders").status == 200
        assert len(operator.get(f"/v1/fulfillments?order_id={order_id}").json()["fulfillments"]) == 50
