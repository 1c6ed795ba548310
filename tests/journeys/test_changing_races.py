"""Clients cancel, hold, take back and create at the same moment, over real sockets: nothing is counted twice."""

import itertools
from collections import Counter
from typing import Any

import pytest

from shipledger.boot.ledgers import check_ledger
from tests.commit.altered_server import altered
from tests.serving import Engine, Reply, Server
from tests.simulation.load import all_at_once, request, shipment

pytestmark = pytest.mark.on_both_databases

CLIENTS = 200
ids = itertools.count(50_001)


def new_order(server: Server, quantity: int) -> int:
    order_id = next(ids)
    order = {"id": order_id, "line_items": [{"sku": "A", "quantity": quantity}]}
    assert server.post("/v1/orders", order).status == 201
    return order_id


def totals(server: Server, order_id: int) -> dict[str, int]:
    shown = server.get(f"/v1/orders/{order_id}").json()
    (line,) = shown["line_items"]
    assert {name: line[name] for name in shown["totals"]} == shown["totals"]
    quantities: dict[str, int] = shown["totals"]
    assert quantities["fulfilled"] + quantities["cancelled"] + quantities["remaining"] == quantities["ordered"]
    return quantities


def cancelling(order_id: int, quantity: int | None = None) -> bytes:
    lines = {} if quantity is None else {"line_items": [{"sku": "A", "quantity": quantity}]}
    return request(f"/v1/orders/{order_id}/cancel", lines)


def creating(order_id: int, count: int) -> list[bytes]:
    return [shipment(order_id, "A", number=f"{order_id}-{at}") for at in range(count)]


def taken(replies: list[Reply]) -> int:
    return [reply.status for reply in replies].count(200)


def race(server: Server, quantity: int) -> None:
    """Half of the clients want a piece, the other half cancel one: together they get what there is."""
    order_id = new_order(server, quantity)
    wanted = [creating(order_id, CLIENTS // 2), [cancelling(order_id, 1)] * (CLIENTS // 2)]
    replies = all_at_once(server.port, list(itertools.chain.from_iterable(zip(*wanted, strict=True))))
    created, cancelled = taken(replies[::2]), taken(replies[1::2])
    assert created + cancelled == quantity
    assert totals(server, order_id) == {
        "ordered": quantity, "fulfilled": created, "cancelled": cancelled, "remaining": 0,
    }  # fmt: skip
    # Where every piece was cancelled before one was shipped, the order itself is cancelled.
    assert Counter(reply.status for reply in replies) in (
        Counter({200: quantity, 400: CLIENTS - quantity}),
        Counter({200: quantity, 400: CLIENTS // 2 - cancelled, 409: CLIENTS // 2 - created}),
    )


@pytest.mark.parametrize("quantity", [1, 60])
def test_creating_and_cancelling_share_a_line_to_its_last_piece(server: Server, quantity: int) -> None:
    race(server, quantity)


def test_whoever_comes_after_the_order_was_cancelled_ships_nothing(server: Server) -> None:
    order_id = new_order(server, 1_000)
    wanted = creating(order_id, CLIENTS)
    replies = all_at_once(server.port, [*wanted[:100], cancelling(order_id), *wanted[100:]])
    created = Counter(reply.status for reply in [*replies[:100], *replies[101:]])
    assert replies[100].status == 200
    assert created[200] + created[409] == CLIENTS
    left = totals(server, order_id)
    assert left == {"ordered": 1_000, "fulfilled": created[200], "cancelled": 1_000 - created[200], "remaining": 0}


def test_a_fulfillment_is_taken_back_once_however_many_cancel_it(server: Server) -> None:
    order_id = new_order(server, 3)
    made = server.post("/v1/fulfillments", {"order_id": order_id, "tracking_number": f"{order_id}-all"}).json()
    back = [request(f"/v1/fulfillments/{made['id']}/cancel", {})] * 100
    replies = all_at_once(server.port, [*back, *creating(order_id, 100)])
    assert len({reply.body for reply in replies[:100]}) == 1
    assert replies[0].json()["status"] == "cancelled"
    assert totals(server, order_id)["fulfilled"] == taken(replies[100:]) <= 3


def test_what_is_given_back_while_the_order_is_cancelled_is_shipped_or_cancelled(server: Server) -> None:
    order_id = new_order(server, 40)
    replies = all_at_once(server.port, creating(order_id, 40))
    made = [reply.json()["id"] for reply in replies]
    back = [request(f"/v1/fulfillments/{id_}/cancel", {}) for id_ in made]
    replies = all_at_once(server.port, [*back[:20], cancelling(order_id), *back[20:]])
    assert {reply.status for reply in replies} == {200}
    assert totals(server, order_id) == {"ordered": 40, "fulfilled": 0, "cancelled": 40, "remaining": 0}


def test_many_who_hold_release_and_change_an_order_leave_one_whole_state(server: Server) -> None:
    order_id = new_order(server, 10)
    wanted = [
        request(f"/v1/orders/{order_id}/{action}", body)
        for at in range(60)
        for action, body in (("hold", {"reason": f"r{at % 3}"}), ("release", {}))
    ]
    replies = all_at_once(server.port, [*wanted, *creating(order_id, 40)])
    assert {reply.status for reply in replies[:120]} == {200}
    assert {reply.status for reply in replies[120:]} <= {200, 400, 409}
    shown: dict[str, Any] = server.get(f"/v1/orders/{order_id}").json()
    assert shown["on_hold"] is (shown["hold_reason"] is not None)
    assert shown["totals"]["fulfilled"] == taken(replies[120:]) <= 10


def test_one_event_of_a_parcel_is_one_however_many_send_it(server: Server) -> None:
    order_id = new_order(server, 1)
    made = server.post("/v1/fulfillments", {"order_id": order_id, "tracking_number": f"{order_id}-one"}).json()
    event = {"status": "in_transit", "occurred_at": "2026-05-01T10:00:00Z"}
    others = [{"status": "failed", "occurred_at": f"2026-05-01T09:00:{at:02}Z"} for at in range(40)]
    wanted = [request(f"/v1/fulfillments/{made['id']}/events", sent) for sent in [*[event] * 40, *others]]
    replies = all_at_once(server.port, wanted)
    assert {reply.status for reply in replies} == {200}
    timeline = server.get(f"/v1/fulfillments/{made['id']}/events").json()["events"]
    assert len(timeline) == 41
    assert server.get(f"/v1/fulfillments/{made['id']}").json()["status"] == "in_transit"


def test_one_reference_goes_to_one_of_many_orders(server: Server) -> None:
    orders = [new_order(server, 1) for _ in range(30)]
    wanted = {"reference": f"#wanted-{orders[0]}"}
    replies = all_at_once(server.port, [patch(f"/v1/orders/{order_id}", wanted) for order_id in orders])
    assert Counter(reply.status for reply in replies) == Counter({200: 1, 409: 29})


def patch(path: str, value: object) -> bytes:
    return request(path, value).replace(b"POST", b"PATCH", 1)


def test_the_ledger_of_all_these_races_is_sound(server: Server) -> None:
    assert [finding for finding in check_ledger(server.database) if finding.broken] == []


def test_control_without_the_rule_the_database_refuses_what_would_be_too_much(engine: Engine) -> None:
    with altered(engine.new_database(), ("without_cancelling_rule",)) as server:
        with pytest.raises(AssertionError):
            race(server, 1)
        assert [finding for finding in check_ledger(server.database) if finding.broken] == []
