"""`POST /v1/orders` and `GET /v1/orders/{id}` as CONTRACT.md has them."""

from typing import Any

import pytest

from tests.http.ledger_dump import codes, dump, refuse
from tests.http.orders_to_ship import JSON, parcel, record_order, text, unique
from tests.serving import Engine, Reply, Server

pytestmark = pytest.mark.on_both_databases

ASSIGNED_MIN = 10**15
LINES = [{"sku": "MUG", "quantity": 5}, {"sku": "TEE", "quantity": 3, "title": "Tee", "partner": "acme"}]
KEYS = ["id", "reference", "status", "on_hold", "hold_reason", "channel", "email", "shipping_address"]
KEYS += ["shipping_service", "ship_by", "deliver_by", "metadata", "created_at", "cancelled_at", "totals", "line_items"]
KEYS += ["fulfillments", "fulfillments_url"]


def refuse_order(server: Server, status: int, request: dict[str, Any]) -> Reply:
    return refuse(server, status, "POST", "/v1/orders", text(request), JSON)


def full_order() -> dict[str, Any]:
    return {
        "id": 660_000 + int(unique("").lstrip("-")),
        "reference": unique("#ref"),
        "channel": "web",
        "email": "ada@example.com",
        "shipping_address": {"name": "Ada", "city": "London", "lines": ["1 St James's Sq"]},
        "shipping_service": "express",
        "ship_by": "2026-05-01T12:00:00+02:00",
        "deliver_by": "2026-05-03",
        "metadata": {"gift": True, "n": [1, 2.5, None], "big": 2**70, "text": "\u00e9\U0001f600"},
        "line_items": LINES,
    }


def test_an_order_is_answered_whole_with_201(server: Server) -> None:
    sent = full_order()
    reply = server.post("/v1/orders", sent)
    assert (reply.status, reply.headers["location"]) == (201, f"/v1/orders/{sent['id']}")
    body = reply.json()
    assert list(body) == KEYS
    for name in ("id", "reference", "channel", "email", "shipping_address", "shipping_service", "metadata"):
        assert body[name] == sent[name], name
    assert (body["status"], body["on_hold"], body["hold_reason"], body["cancelled_at"]) == (
        "unfulfilled",
        False,
        None,
        None,
    )
    assert (body["ship_by"], body["deliver_by"]) == ("2026-05-01T10:00:00Z", "2026-05-03T23:59:59Z")
    assert body["totals"] == {"ordered": 8, "fulfilled": 0, "cancelled": 0, "remaining": 8}
    assert body["line_items"] == [
        {"sku": "MUG", "title": None, "partner": None, "ordered": 5, "fulfilled": 0, "cancelled": 0, "remaining": 5},
        {"sku": "TEE", "title": "Tee", "partner": "acme", "ordered": 3, "fulfilled": 0, "cancelled": 0, "remaining": 3},
    ]
    assert (body["fulfillments"], body["fulfillments_url"]) == ([], f"/v1/fulfillments?order_id={sent['id']}")
    assert server.get(reply.headers["location"]).json() == body


def test_the_same_order_again_is_answered_with_its_present_state(server: Server) -> None:
    sent = full_order()
    first = server.post("/v1/orders", sent)
    server.post("/v1/fulfillments", parcel(sent["id"], ("MUG", 5)))
    before = dump(server.database)
    again = server.post("/v1/orders", sent)
    assert (again.status, again.headers["location"]) == (200, first.headers["location"])
    assert (again.json()["status"], len(again.json()["fulfillments"])) == ("partially_fulfilled", 1)
    assert again.json() == server.get(again.headers["location"]).json()
    assert dump(server.database) == before


@pytest.mark.parametrize(
    "change",
    [
        {"line_items": LINES[:1]},
        {"line_items": LINES[::-1]},
        {"line_items": [{**LINES[0], "quantity": 6}, LINES[1]]},
        {"line_items": [{**LINES[0], "title": "Mug"}, LINES[1]]},
        {"line_items": [LINES[0], {**LINES[1], "partner": None}]},
        {"channel": "shop"},
        {"email": None},
        {"shipping_address": {"name": "Bob"}},
        {"shipping_service": "slow"},
        {"ship_by": "2026-05-01T12:00:00Z"},
        {"deliver_by": None},
        {"metadata": {}},
        {"reference": "#another"},
    ],
    ids=lambda change: str(change)[:40],
)
def test_another_order_under_the_same_id_is_refused(server: Server, change: dict[str, Any]) -> None:
    sent = full_order()
    assert server.post("/v1/orders", sent).status == 201
    reply = refuse_order(server, 409, {**sent, **change})
    assert reply.json()["error"] == "Order Exists"
    assert codes(reply) == [("order_exists", "id")]


def test_another_order_under_the_same_reference_is_refused(server: Server) -> None:
    sent = full_order()
    assert server.post("/v1/orders", sent).status == 201
    assert codes(refuse_order(server, 409, {**sent, "id": None})) == [("order_exists", "reference")]
    assert codes(refuse_order(server, 409, {**sent, "id": sent["id"] + 500_000})) == [("order_exists", "reference")]


def test_the_same_order_in_other_words_is_the_same(server: Server) -> None:
    sent = full_order()
    assert server.post("/v1/orders", sent).status == 201
    reworded = {
        **sent,
        "ship_by": "2026-05-01T10:00:00Z",
        "deliver_by": "2026-05-03T23:59:59.000Z",
        "shipping_address": dict(reversed(sent["shipping_address"].items())),
        "reference": f" {sent['reference']} ",
        "note": "unknown",
    }
    assert server.post("/v1/orders", reworded).status == 200


def test_an_order_without_an_id_is_the_same_by_its_reference(server: Server) -> None:
    sent = {**full_order(), "id": None}
    first, again = server.post("/v1/orders", sent), server.post("/v1/orders", sent)
    assert (first.status, again.status) == (201, 200)
    assert first.json() == again.json()


def test_orders_without_id_and_reference_are_all_new(server: Server) -> None:
    assert record_order(server) != record_order(server)


def test_ids_are_assigned_from_10_15_up_around_those_that_sources_bring(engine: Engine) -> None:
    with engine.running() as server:
        assert record_order(server) == ASSIGNED_MIN
        record_order(server, id=ASSIGNED_MIN + 1)
        record_order(server, id=2**63 - 1)
        second = record_order(server)
        refused = server.post("/v1/orders", {"line_items": []})
        assert refused.status == 400
        third = record_order(server)
        assert ASSIGNED_MIN + 1 < second < third < 2**53, "exact in JavaScript"


def test_an_order_is_replayed_by_its_key(server: Server) -> None:
    key, lines = unique("key"), {"line_items": LINES}
    first, again = (server.post("/v1/orders", lines, {"Idempotency-Key": key}) for _ in range(2))
    assert again.headers["idempotent-replayed"] == "true"
    assert (again.status, again.body, again.headers["location"]) == (201, first.body, first.headers["location"])
    other = text({"line_items": LINES[:1]})
    refuse(server, 422, "POST", "/v1/orders", other, {**JSON, "Idempotency-Key": key})


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("lineItems", "line_items"),
        ("items", "line_items"),
        ("orderId", "id"),
        ("deliverBy", "deliver_by"),
        ("meta_data", "metadata"),
    ],
)
def test_a_field_that_resembles_a_known_one_is_refused(server: Server, name: str, meant: str) -> None:
    reply = refuse_order(server, 400, {"line_items": LINES, name: 1})
    assert codes(reply) == [("unknown_field", name)]
    assert f"{meant} is" in reply.json()["message"]


def test_an_answer_posted_back_under_another_id_is_an_order(server: Server) -> None:
    body = server.post("/v1/orders", full_order()).json()
    lines = [{**line, "quantity": line["ordered"]} for line in body["line_items"]]
    again = server.post(
        "/v1/orders", {**body, "id": None, "reference": unique("#"), "line_items": lines, "status": "fulfilled"}
    )
    assert (again.status, again.json()["status"], again.json()["totals"]) == (201, "unfulfilled", body["totals"])
    assert {warning["code"] for warning in again.json()["warnings"]} == {"unknown_field"}


# What becomes of it


def test_the_status_follows_what_remains(server: Server) -> None:
    order_id = record_order(server, ("MUG", 2))
    for expected in ("unfulfilled", "partially_fulfilled", "fulfilled"):
        order = server.get(f"/v1/orders/{order_id}").json()
        assert order["status"] == expected
        assert 0 <= order["totals"]["fulfilled"] <= order["totals"]["ordered"]
        server.post("/v1/fulfillments", parcel(order_id, ("MUG", 1)))


def test_an_order_shows_its_newest_50_fulfillments_and_where_the_rest_are(server: Server) -> None:
    order_id = record_order(server, ("MUG", 60))
    ids = [server.post("/v1/fulfillments", parcel(order_id, ("MUG", 1))).json()["id"] for _ in range(55)]
    order = server.get(f"/v1/orders/{order_id}").json()
    assert [each["id"] for each in order["fulfillments"]] == sorted(ids, reverse=True)[:50]
    everything = server.get(f"{order['fulfillments_url']}&limit=200").json()
    assert [each["id"] for each in everything["fulfillments"]] == sorted(ids, reverse=True)
    assert everything["next_cursor"] is None


def test_an_order_in_a_list_is_the_order_without_its_fulfillments(server: Server) -> None:
    sent = full_order()
    body = server.post("/v1/orders", sent).json()
    (listed,) = server.get(f"/v1/orders?reference=%23{sent['reference'][1:]}").json()["orders"]
    assert listed == {name: body[name] for name in KEYS[:-2]}
