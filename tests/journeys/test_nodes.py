"""Three nodes with four workers in all on one database: they hold to every rule together, whichever is asked."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import pytest

from shipledger.boot.ledgers import check_ledger
from tests.commit.altered_server import altered
from tests.postgres_server import Databases
from tests.serving import Reply, Server, running
from tests.simulation.load import exchange, request, shipment

CLIENTS = 200
KEY_CLIENTS = 60
WORKERS = (1, 1, 2)
ids = itertools.count(1)


@contextmanager
def nodes_on(url: str, *alterations: tuple[Any, ...]) -> Iterator[list[Server]]:
    begin = partial(altered, url, *alterations) if alterations else partial(running, url)
    with ExitStack() as stack:
        yield [stack.enter_context(begin(SHIPLEDGER_WORKERS=str(workers))) for workers in WORKERS]


@pytest.fixture(scope="module")
def url(databases: Databases) -> Iterator[str]:
    with databases.dropped_at_the_end(databases.create_empty) as create:
        yield create()


@pytest.fixture(scope="module")
def nodes(url: str) -> Iterator[list[Server]]:
    with nodes_on(url) as started:
        yield started


def all_at_once(nodes: list[Server], requests: list[bytes]) -> list[Reply]:
    """Each request from a client of its own, all at the same moment, as many to each worker as to any other."""
    ports = itertools.cycle([node.port for node, workers in zip(nodes, WORKERS, strict=True) for _ in range(workers)])

    async def ask() -> list[Reply]:
        streams = [await asyncio.open_connection("127.0.0.1", next(ports)) for _ in requests]
        try:
            return await asyncio.gather(
                *(exchange(*stream, sent) for stream, sent in zip(streams, requests, strict=True))
            )
        finally:
            for _, writer in streams:
                writer.close()

    return asyncio.run(ask())


def new_order(nodes: list[Server], quantity: int) -> int:
    order_id = next(ids)
    order = {"id": order_id, "line_items": [{"sku": "A", "quantity": quantity}]}
    assert nodes[0].post("/v1/orders", order).status == 201
    return order_id


def line_of(node: Server, order_id: int) -> dict[str, Any]:
    (line,) = node.get(f"/v1/orders/{order_id}").json()["line_items"]
    return dict(line)


def stored_numbers(node: Server, order_id: int) -> Counter[str]:
    fulfillments = node.get(f"/v1/fulfillments?order_id={order_id}&limit=200").json()["fulfillments"]
    return Counter(fulfillment["tracking_number"] for fulfillment in fulfillments)


def race(nodes: list[Server], quantity: int) -> None:
    order_id = new_order(nodes, quantity)
    wanted = [shipment(order_id, "A", number=f"{order_id}-{client}") for client in range(CLIENTS)]
    replies = all_at_once(nodes, wanted)
    assert Counter(reply.status for reply in replies) == Counter({200: quantity, 400: CLIENTS - quantity})
    winners = Counter(reply.json()["tracking_number"] for reply in replies if reply.status == 200)
    for node in nodes:
        line = line_of(node, order_id)
        assert (line["fulfilled"], line["remaining"]) == (quantity, 0)
        assert stored_numbers(node, order_id) == winners


@pytest.mark.parametrize("quantity", [1, 100])
def test_a_line_is_never_over_fulfilled_by_several_nodes(nodes: list[Server], quantity: int) -> None:
    race(nodes, quantity)


def test_one_key_sent_to_all_nodes_at_once_makes_one_fulfillment(nodes: list[Server]) -> None:
    order_id = new_order(nodes, 100)
    replies = all_at_once(nodes, [shipment(order_id, "A", number="once", key=f"key-{order_id}")] * KEY_CLIENTS)
    assert [reply.status for reply in replies] == [200] * KEY_CLIENTS
    assert len({(reply.body, reply.headers["location"]) for reply in replies}) == 1
    assert ["idempotent-replayed" in reply.headers for reply in replies].count(False) == 1
    assert stored_numbers(nodes[-1], order_id) == Counter(["once"])
    assert line_of(nodes[-1], order_id)["fulfilled"] == 1


def test_one_key_for_different_requests_on_all_nodes_makes_the_first_of_them(nodes: list[Server]) -> None:
    order_id = new_order(nodes, 100)
    wanted = [shipment(order_id, "A", number=f"N{client}", key=f"key-{order_id}") for client in range(KEY_CLIENTS)]
    replies = all_at_once(nodes, wanted)
    assert Counter(reply.status for reply in replies) == Counter({200: 1, 422: KEY_CLIENTS - 1})
    (winner,) = [reply.json()["tracking_number"] for reply in replies if reply.status == 200]
    assert stored_numbers(nodes[-1], order_id) == Counter([winner])


def test_one_order_sent_to_all_nodes_at_once_is_recorded_once(nodes: list[Server]) -> None:
    reference = f"race-{next(ids)}"
    order = request("/v1/orders", {"reference": reference, "line_items": [{"sku": "A", "quantity": 1}]})
    replies = all_at_once(nodes, [order] * KEY_CLIENTS)
    assert Counter(reply.status for reply in replies) == Counter({201: 1, 200: KEY_CLIENTS - 1})
    assert len({reply.json()["id"] for reply in replies}) == 1


def test_orders_without_a_name_get_ids_of_their_own_on_all_nodes(nodes: list[Server]) -> None:
    order = request("/v1/orders", {"line_items": [{"sku": "A", "quantity": 1}]})
    replies = all_at_once(nodes, [order] * KEY_CLIENTS)
    assert len({reply.json()["id"] for reply in replies}) == KEY_CLIENTS


def test_what_one_node_answered_every_other_node_shows_at_once(nodes: list[Server]) -> None:
    order_id = new_order(nodes, 100)
    for at in range(1, 31):
        reply = nodes[at % 3].post("/v1/fulfillments", parcel(order_id))
        assert [line_of(node, order_id)["fulfilled"] for node in nodes] == [at] * 3
        shown = [node.get(reply.headers["location"]).body for node in nodes]
        assert len(set(shown)) == 1


def parcel(order_id: int) -> dict[str, Any]:
    return {"order_id": order_id, "line_items": [{"sku": "A", "quantity": 1}], "tracking_number": "1Z"}


def test_the_ledger_of_all_these_races_is_sound(nodes: list[Server], url: str) -> None:
    assert [finding for finding in check_ledger(url) if finding.broken] == []


def test_control_without_row_locks_the_race_is_lost(databases: Databases) -> None:
    with databases.dropped_at_the_end(databases.create_empty) as create:
        with nodes_on(create(), ("without_row_locks",)) as nodes, pytest.raises(AssertionError, match="Counter"):
            several_races(nodes)
        with nodes_on(create()) as nodes:
            several_races(nodes)


def several_races(nodes: list[Server]) -> None:
    """Now and then nobody reads what another is changing."""
    for _ in range(10):
        race(nodes, 100)
