"""A bulk request is read, committed and answered piece by piece, whatever its client does meanwhile.

SHIPLEDGER_TEST_BULK_ITEMS sets how many items are sent before one answer is read.
"""

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest

from shipledger.http import answer_spool
from shipledger.http.answer_spool import AnswerSpool
from tests.http.bulk_requests import (
    END,
    FULFILLMENTS,
    ORDERS,
    chunk,
    lines_of,
    read_answer,
    read_reply,
    send_items,
    upload,
)
from tests.http.orders_to_ship import parcel, record_order, remaining, unique
from tests.serving import Engine, Server

ITEMS = int(os.environ.get("SHIPLEDGER_TEST_BULK_ITEMS", "20000"))
MEMORY_MIB_MAX = 64
"""Of growth; the answers to 100,000 items have 22 MiB, and their commands many times as much."""


def resident_mib(server: Server) -> float:
    """Of a server and its workers; without the process that commits to a file, whose page cache fills meanwhile."""
    process = psutil.Process(server.process.pid)
    children = [] if isinstance(server.database, Path) else process.children()
    resident: float = sum(each.memory_info().rss for each in [process, *children])
    return resident / 2**20


def one_each(order: int, count: int) -> Iterator[dict[str, Any]]:
    """So many parcels of one unit, each with a key and a number of its own."""
    name = unique("bulk")
    return (
        parcel(order, ("MUG", 1), tracking_number=f"{name}-{at}", idempotency_key=f"{name}-{at}") for at in range(count)
    )


@pytest.mark.on_both_databases
@pytest.mark.timeout(60 + ITEMS // 500)
def test_who_sends_everything_before_reading_is_answered_all_of_it(server: Server) -> None:
    order = record_order(server, ("MUG", ITEMS))
    send_items(server, FULFILLMENTS, one_each(record_order(server, ("MUG", 500)), 500))  # warm
    body = lines_of(one_each(order, ITEMS)).encode()
    before, peak = resident_mib(server), 0.0
    with upload(server, FULFILLMENTS, len(body)) as client:
        client.settimeout(60)
        began = time.monotonic()
        for at in range(0, len(body), 2**20):
            client.sendall(body[at : at + 2**20])
            peak = max(peak, resident_mib(server))
        sent = time.monotonic() - began
        answer = read_reply(read_answer(client).body)
    peak = max(peak, resident_mib(server))
    seconds = time.monotonic() - began
    print(
        f"\n{ITEMS:,} items ({len(body) / 2**20:.0f} MiB) sent in {sent:.1f} s, answered in {seconds:.1f} s;"
        f" server {before:.0f} MiB before, {peak:.0f} at most"
    )
    assert answer.summary["statuses"] == {"200": ITEMS}
    assert remaining(server, order) == {"MUG": 0}
    assert peak - before < MEMORY_MIB_MAX


@pytest.mark.on_both_databases
def test_items_are_answered_while_others_still_come(server: Server) -> None:
    order = record_order(server, ("MUG", 9))
    with upload(server, FULFILLMENTS) as client, client.makefile("rb") as answer:
        for index, item in enumerate(one_each(order, 3)):
            client.sendall(chunk(lines_of([item]).encode()))
            lines = iter(answer.readline, b"")
            line = json.loads(next(line for line in lines if line.startswith(b"{")))
            assert (line["index"], line["status"]) == (index, 200)
        assert remaining(server, order) == {"MUG": 6}, "and they are in the ledger"
        client.sendall(END)
        assert any(b'"items":3' in line for line in iter(answer.readline, b"0\r\n"))


def test_what_was_sent_whole_before_a_client_left_is_taken_and_a_torn_item_is_not(server: Server) -> None:
    order = record_order(server, ("MUG", 9))
    whole, torn = one_each(order, 2)
    with upload(server, FULFILLMENTS) as client:
        client.sendall(chunk((lines_of([whole]) + json.dumps(torn)).encode()))
        wait_until(lambda: remaining(server, order) == {"MUG": 8})
    with upload(server, FULFILLMENTS, length=10**6) as client:
        client.sendall(json.dumps(torn).encode())
        client.shutdown(socket.SHUT_WR)
        answered = b"".join(iter(lambda: client.recv(4096), b""))
    assert b"index" not in answered  # its head may be there: the body had begun when the client left
    time.sleep(0.2)  # nothing tells that a client is known to have gone
    assert remaining(server, order) == {"MUG": 8}
    assert send_items(server, FULFILLMENTS, [torn]).lines[0].get("replayed") is None


def wait_until(is_so: Any, seconds_max: float = 10) -> None:
    deadline = time.monotonic() + seconds_max
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_client_that_leaves_without_reading_does_not_keep_its_answers(server: Server) -> None:
    """Their temporary file is closed; a line that is no JSON makes much to read of little."""
    before = open_files(server)
    with upload(server, FULFILLMENTS) as client:
        client.sendall(chunk(b"{\n" * 60_000))
        wait_until(lambda: open_files(server) > before, seconds_max=30)
    wait_until(lambda: open_files(server) <= before, seconds_max=30)


def open_files(server: Server) -> int:
    """Of those that have no name any more."""
    links = []
    for place in Path(f"/proc/{server.process.pid}/fd").iterdir():
        with suppress(OSError):
            links.append(str(place.readlink()))
    return sum(link.endswith("(deleted)") for link in links)


def test_a_server_that_is_told_to_stop_says_to_each_item_that_it_was_not_taken(tmp_path: Path, engine: Engine) -> None:
    with engine.running(tmp_path / "ledger.db") as server:
        order = record_order(server, ("MUG", 9))
        before, *after = one_each(order, 3)
        with upload(server, FULFILLMENTS) as client:
            client.sendall(chunk(lines_of([before]).encode()))
            wait_until(lambda: remaining(server, order) == {"MUG": 8})
            server.process.send_signal(signal.SIGTERM)
            wait_until(lambda: not accepts(server))
            client.sendall(chunk(lines_of(after).encode()) + END)
            answer = read_reply(read_answer(client).body)
        assert answer.statuses == [200, 503, 503]
        assert server.process.wait(10) == 0
    with engine.running(tmp_path / "ledger.db") as server:
        assert remaining(server, order) == {"MUG": 8}


def accepts(server: Server) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", server.port), timeout=1):
            return True
    except OSError:
        return False


def test_a_server_that_is_told_to_stop_does_not_wait_for_a_client_without_end(tmp_path: Path, engine: Engine) -> None:
    with engine.running(tmp_path / "ledger.db") as server, upload(server, FULFILLMENTS) as client:
        client.sendall(chunk(b"{}\n"))
        assert b"200" in client.recv(15)
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 10


@pytest.mark.on_both_databases
def test_single_requests_are_answered_beside_bulk_ones(server: Server) -> None:
    """How soon is measured by `python -m bench.bulk`."""
    order, mine = record_order(server, ("MUG", 12_000)), record_order(server, ("MUG", 10**6))
    bulks = [threading.Thread(target=send_items, args=(server, FULFILLMENTS, one_each(order, 3_000))) for _ in range(4)]
    for bulk in bulks:
        bulk.start()
    waits = []
    while any(bulk.is_alive() for bulk in bulks):
        began = time.monotonic()
        assert server.post("/v1/fulfillments", parcel(mine, ("MUG", 1))).status == 200
        waits.append(time.monotonic() - began)
    for bulk in bulks:
        bulk.join()
    print(f"\n{len(waits)} singles beside 4 bulks of 3,000: slowest {max(waits) * 1000:.0f} ms")
    assert len(waits) > 3
    assert remaining(server, order) == {"MUG": 0}


def test_an_item_that_is_too_large_costs_no_memory(server: Server) -> None:
    good = lines_of([{"line_items": [{"sku": "MUG", "quantity": 1}]}]).encode()
    before = resident_mib(server)
    with upload(server, ORDERS) as client:
        client.sendall(chunk(good + b'{"metadata": "'))
        for _ in range(128):
            client.sendall(chunk(b"x" * 2**20))
        client.sendall(chunk(b'"}\n' + good) + END)
        answer = read_reply(read_answer(client).body)
    assert answer.statuses == [201, 413, 201]
    assert resident_mib(server) - before < MEMORY_MIB_MAX


def test_a_spool_gives_back_what_came_in_its_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Through memory and file, and back: written faster than read, read faster than written, and by turns."""
    monkeypatch.setattr(answer_spool, "MEMORY_BYTES_MAX", 100)
    monkeypatch.setattr(answer_spool, "READ_BYTES", 64)
    spool, written, read = AnswerSpool(), [], b""
    for round_ in range(6):
        for at in range(30 if round_ % 2 else 2):
            written.append(f"{round_}-{at};".encode() * (at % 7 + 1))
            spool.write(written[-1])
            assert spool._bytes_in_memory <= 100
        for _ in range(4):
            read += spool.read()
        if round_ == 3:
            while data := spool.read():
                read += data
            assert read == b"".join(written)
            assert spool._file is not None
            assert spool._file.seek(0, os.SEEK_END) == 0, "an empty file holds no disk"
    while data := spool.read():
        read += data
    spool.close()
    assert read == b"".join(written)
