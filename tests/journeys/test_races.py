"""Hundreds of clients want the same thing at the same moment, over real sockets."""

import asyncio
import itertools
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from shipledger.boot.ledgers import check_ledger
from tests.commit.altered_server import altered
from tests.serving import Engine, Reply, Server
from tests.simulation.load import all_at_once, exchange, request, shipment, with_connections

pytestmark = pytest.mark.on_both_databases

CLIENTS = 200
KEY_CLIENTS = 50
ids = itertools.count(1)


def new_order(server: Server, **lines: int) -> int:
    order_id = next(ids)
    order = {"id": order_id, "line_items": [{"sku": sku, "quantity": quantity} for sku, quantity in lines.items()]}
    assert server.post("/v1/orders", order).status == 201
    return order_id


def line_of(server: Server, order_id: int, sku: str = "A") -> dict[str, Any]:
    lines: list[dict[str, Any]] = server.get(f"/v1/orders/{order_id}").json()["line_items"]
    return next(line for line in lines if line["sku"] == sku)


@contextmanager
def watched(server: Server, order_id: int) -> Iterator[list[dict[str, Any]]]:
    """Everything that a reader sees of the order's first line while the block runs."""
    seen: list[dict[str, Any]] = []
    has_ended = threading.Event()

    def watch() -> None:
        while not has_ended.is_set():
            seen.append(line_of(server, order_id))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        has_ended.set()
        watcher.join()


def race(server: Server, quantity: int) -> None:
    """Each of many clients wants one piece of a line: as many as there are get it, whatever a reader sees meanwhile."""
    order_id = new_order(server, A=quantity)
    wanted = [shipment(order_id, "A", number=f"{order_id}-{client}") for client in range(CLIENTS)]
    with watched(server, order_id) as seen:
        replies = all_at_once(server.port, wanted)
    assert Counter(reply.status for reply in replies) == Counter({200: quantity, 400: CLIENTS - quantity})
    for reply in replies:
        if reply.status == 400:
            expect_refused_as_published(reply)
    fulfilled = [line["fulfilled"] for line in (*seen, line_of(server, order_id))]
    assert fulfilled == sorted(fulfilled)
    assert (min(fulfilled) >= 0, fulfilled[-1]) == (True, quantity)
    assert all(line["fulfilled"] + line["remaining"] == line["ordered"] == quantity for line in seen)
    winners = {reply.json()["tracking_number"] for reply in replies if reply.status == 200}
    assert stored_numbers(server, order_id) == Counter(winners)


def expect_refused_as_published(reply: Reply) -> None:
    body = reply.json()
    assert body["error"] == "Invalid SKU or Quantity"
    assert body["message"] == "One or more line items have an invalid SKU or quantity specified."
    assert [(detail["code"], detail["remaining"]) for detail in body["details"]] == [("nothing_remaining", 0)]


def stored_numbers(server: Server, order_id: int) -> Counter[str]:
    fulfillments = server.get(f"/v1/fulfillments?order_id={order_id}&limit=200").json()["fulfillments"]
    return Counter(fulfillment["tracking_number"] for fulfillment in fulfillments)


@pytest.mark.parametrize("quantity", [1, 100])
def test_a_line_is_never_over_fulfilled(server: Server, quantity: int) -> None:
    race(server, quantity)


def test_clients_that_want_several_pieces_share_a_line_to_its_last_piece(server: Server) -> None:
    order_id = new_order(server, A=100)
    wanted = [shipment(order_id, "A", quantity=1 + client % 3, number=str(client)) for client in range(CLIENTS)]
    replies = all_at_once(server.port, wanted)
    given = [reply.json()["line_items"][0]["quantity"] for reply in replies if reply.status == 200]
    line = line_of(server, order_id)
    assert (sum(given), line["fulfilled"], line["remaining"]) == (100, 100, 0)


def test_one_key_makes_one_fulfillment_however_many_send_it(server: Server) -> None:
    order_id = new_order(server, A=100)
    replies = all_at_once(server.port, [shipment(order_id, "A", number="once", key=f"key-{order_id}")] * KEY_CLIENTS)
    assert [reply.status for reply in replies] == [200] * KEY_CLIENTS
    assert len({reply.body for reply in replies}) == 1
    assert len({reply.headers["location"] for reply in replies}) == 1
    assert ["idempotent-replayed" in reply.headers for reply in replies].count(False) == 1
    assert stored_numbers(server, order_id) == Counter(["once"])
    assert line_of(server, order_id)["fulfilled"] == 1


def test_one_key_for_many_requests_makes_the_first_of_them(server: Server) -> None:
    order_id = new_order(server, A=100)
    wanted = [shipment(order_id, "A", number=f"N{client}", key=f"key-{order_id}") for client in range(KEY_CLIENTS)]
    replies = all_at_once(server.port, wanted)
    assert Counter(reply.status for reply in replies) == Counter({200: 1, 422: KEY_CLIENTS - 1})
    (winner,) = [reply.json()["tracking_number"] for reply in replies if reply.status == 200]
    assert stored_numbers(server, order_id) == Counter([winner])


def test_the_same_order_sent_by_many_is_created_once(server: Server) -> None:
    reference = f"race-{next(ids)}"
    order = request("/v1/orders", {"reference": reference, "line_items": [{"sku": "A", "quantity": 1}]})
    replies = all_at_once(server.port, [order] * KEY_CLIENTS)
    assert Counter(reply.status for reply in replies) == Counter({201: 1, 200: KEY_CLIENTS - 1})
    assert len({reply.json()["id"] for reply in replies}) == 1
    assert len(server.get(f"/v1/orders?reference={reference}").json()["orders"]) == 1


def test_parcels_of_two_orders_in_opposite_order_never_wait_for_each_other(server: Server) -> None:
    orders, rounds, clients = [new_order(server, A=10_000) for _ in range(2)], 5, 64

    async def client(at: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> list[Reply]:
        groups = [{"order_id": order_id, "line_items": [{"sku": "A", "quantity": 1}]} for order_id in orders]
        parcel = {"line_items_by_fulfillment_order": groups[:: 1 if at % 2 else -1], "tracking_number": f"P{at}"}
        sent = request("/v1/fulfillments", parcel)
        return [await exchange(reader, writer, sent) for _ in range(rounds)]

    replies = [reply for each in asyncio.run(with_connections(server.port, clients, client)) for reply in each]
    assert Counter(reply.status for reply in replies) == Counter({200: rounds * clients})
    assert [line_of(server, order_id)["fulfilled"] for order_id in orders] == [rounds * clients] * 2


def test_a_parcel_of_two_orders_is_whole_or_not_at_all(server: Server) -> None:
    scarce, plenty = new_order(server, A=20), new_order(server, A=10_000)
    groups = [{"order_id": order_id, "line_items": [{"sku": "A", "quantity": 1}]} for order_id in (plenty, scarce)]
    parcel = request("/v1/fulfillments", {"line_items_by_fulfillment_order": groups, "tracking_number": "both"})
    replies = all_at_once(server.port, [parcel] * CLIENTS)
    assert Counter(reply.status for reply in replies) == Counter({200: 20, 400: CLIENTS - 20})
    assert [line_of(server, order_id)["fulfilled"] for order_id in (scarce, plenty)] == [20, 20]


def test_the_ledger_of_all_these_races_is_sound(server: Server) -> None:
    assert [finding for finding in check_ledger(server.database) if finding.broken] == []


def test_control_without_the_rule_the_database_refuses_what_would_be_too_much(engine: Engine) -> None:
    with altered(engine.new_database(), ("without_quantity_rule",)) as server:
        order_id = new_order(server, A=1)
        replies = all_at_once(server.port, [shipment(order_id, "A", number=str(at)) for at in range(CLIENTS)])
        assert Counter(reply.status for reply in replies) == Counter({200: 1, 500: CLIENTS - 1})
        assert line_of(server, order_id)["fulfilled"] == 1
        assert [finding for finding in check_ledger(server.database) if finding.broken] == []
        with pytest.raises(AssertionError, match="500"):
            race(server, 1)


def test_control_without_the_rule_and_the_constraint_a_line_is_over_fulfilled(engine: Engine) -> None:
    with altered(engine.new_database(), ("without_quantity_rule",), ("without_quantity_constraints",)) as server:
        order_id = new_order(server, A=1)
        all_at_once(server.port, [shipment(order_id, "A", number=str(at)) for at in range(CLIENTS)])
        assert line_of(server, order_id)["fulfilled"] == CLIENTS
        with pytest.raises(AssertionError, match=f"200: {CLIENTS}"):
            race(server, 1)
