"""SIGKILL in the middle of a bulk request: sent again as a whole, it is applied once, and answered as at first."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from random import Random
from typing import Any

import pytest

from shipledger.boot.ledgers import check_ledger
from tests.http.bulk_requests import FULFILLMENTS, ORDERS, lines_of, read_answer, read_reply, send_items, upload
from tests.http.orders_to_ship import parcel
from tests.serving import Engine, Server

pytestmark = pytest.mark.on_both_databases

ITEMS = 3_000
SKU = "MUG"
KILLS = 4


def items() -> list[dict[str, Any]]:
    """Parcels of one unit of few orders; some cannot be, and one in ten has the key of the one before it."""
    found: list[dict[str, Any]] = []
    for at in range(ITEMS):
        number = f"kill-{at}"
        item = parcel(f"#{at % 5}", (SKU if at % 7 else "NONE", 1), tracking_number=number, idempotency_key=number)
        found.append(found[-1] if at % 10 == 9 else item)
    return found


def send_until_killed(server: Server, body: bytes, seconds: float) -> list[dict[str, Any]]:
    """The lines that came before the server was killed: so many seconds after the first, or before it for none."""
    with upload(server, FULFILLMENTS, len(body)) as client:
        client.sendall(body)
        received = client.recv(100)
        while seconds and b'"index"' not in received:
            received += client.recv(4096)
        time.sleep(seconds)
        server.kill()
        with suppress(ConnectionError):
            while data := client.recv(65_536):
                received += data
    # Chunks of the transfer stand on lines of their own; the last line may be torn.
    whole = received.partition(b"\r\n\r\n")[2].rpartition(b"\n")[0]
    return [json.loads(line) for line in whole.split(b"\n") if line.startswith(b'{"index"') and line.endswith(b"}")]


def parcels(server: Server) -> Counter[str]:
    """How often each tracking number was shipped."""
    return Counter(fulfillment["tracking_number"] for fulfillment in everything(server))


def everything(server: Server) -> Iterator[dict[str, Any]]:
    path: str | None = "/v1/fulfillments?limit=200"
    while path is not None:
        page = server.get(path).json()
        yield from page["fulfillments"]
        path = page["next_cursor"] and f"/v1/fulfillments?limit=200&cursor={page['next_cursor']}"


def test_nothing_is_doubled_or_lost_where_all_is_sent_again_after_each_kill(engine: Engine) -> None:
    """Takes some seconds a kill: each starts a server anew."""
    rng, database, sent = Random(KILLS), engine.new_database(), items()
    orders = [{"reference": f"#{at}", "line_items": [{"sku": SKU, "quantity": ITEMS}]} for at in range(5)]
    body, answered, broken_off = lines_of(sent).encode(), dict[int, dict[str, Any]](), 0
    for kill in range(KILLS):
        with engine.running(database) as server:
            assert set(send_items(server, ORDERS, orders).statuses) <= {200, 201}
            lines = send_until_killed(server, body, rng.uniform(0, 0.05) * kill)
            broken_off += len(lines) < ITEMS
            for line in lines:
                if line["status"] == 500:  # the committing process is killed a moment before the other
                    assert line["code"] == "outcome_unknown"
                    continue
                assert answered.setdefault(line["index"], line)["body"] == line["body"], "answered as at first"
    with engine.running(database) as server:
        with upload(server, FULFILLMENTS, len(body)) as client:
            client.sendall(body)
            answer = read_reply(read_answer(client).body)
        shipped = parcels(server)
    assert answered, "or nothing was answered before a kill"
    assert broken_off, "or all kills came too late"
    for index, line in answered.items():
        assert (line["status"], line["body"]) == (answer.statuses[index], answer.bodies[index])
        assert answer.lines[index].get("replayed", False) is (line["status"] == 200)
    taken = {item["tracking_number"] for item, status in zip(sent, answer.statuses, strict=True) if status == 200}
    assert shipped == dict.fromkeys(taken, 1)
    assert len(answer.lines) == ITEMS
    print(f"\n{engine.name}: {len(answered)} items were answered before {KILLS} kills, {answer.summary}")
    assert [finding.invariant for finding in check_ledger(database) if finding.broken] == []
