"""An order after it came in, as CONTRACT.md has it: changed, held and released, cancelled whole and by lines."""

from typing import Any

import pytest

from tests.http.ledger_dump import codes, dump, refuse
from tests.http.orders_to_ship import JSON, parcel, record_order, remaining, text, unique
from tests.serving import Reply, Server

pytestmark = pytest.mark.on_both_databases

NO_FULFILLMENTS = {"fulfillments", "fulfillments_url"}


def order(server: Server, order_id: int) -> dict[str, Any]:
    """An order as lists show it."""
    shown = server.get(f"/v1/orders/{order_id}").json()
    return {name: value for name, value in shown.items() if name not in NO_FULFILLMENTS}


def told(server: Server, order_id: int) -> list[str]:
    """The types of an order's events after the first."""
    return [row[3] for row in sorted(dump(server.database)["events"]) if row[1] == order_id][1:]


def change(server: Server, order_id: int, value: Any) -> Reply:
    return server.send("PATCH", f"/v1/orders/{order_id}", text(value), JSON)


def act(server: Server, order_id: int, action: str, value: Any = None) -> Reply:
    return server.send("POST", f"/v1/orders/{order_id}/{action}", None if value is None else text(value), JSON)


@pytest.fixture
def order_id(server: Server) -> int:
    fields = {"reference": unique("#o"), "metadata": {"a": 1}, "deliver_by": "2026-05-03", "email": "a@example.com"}
    return record_order(server, ("MUG", 5), ("TEE", 3), ("MUG", 2), **fields)


# Changed


@pytest.mark.parametrize(
    ("value", "becomes"),
    [
        ({}, {}),
        ({"metadata": {"b": [2]}}, {"metadata": {"b": [2]}}),
        ({"metadata": None}, {"metadata": None}),
        ({"deliver_by": None, "ship_by": "2026-05-01"}, {"deliver_by": None, "ship_by": "2026-05-01T23:59:59Z"}),
        ({"shipping_address": {"city": "Bonn"}}, {"shipping_address": {"city": "Bonn"}}),
        ({"reference": None}, {"reference": None}),
        ({"reference": "  "}, {"reference": None}),
        ({"metadata": {"a": 1}, "deliver_by": "2026-05-03"}, {}),
    ],
    ids=str,
)
def test_what_is_given_is_changed_and_the_rest_stays(
    server: Server, order_id: int, value: dict[str, Any], becomes: dict[str, Any]
) -> None:
    expected = {**order(server, order_id), **becomes}
    for _ in range(2):
        reply = change(server, order_id, value)
        assert (reply.status, reply.json()) == (200, expected)
        assert order(server, order_id) == expected
        assert told(server, order_id) == (["order.changed"] if becomes else [])


def test_an_order_is_found_by_its_new_reference_and_the_old_one_is_free(server: Server, order_id: int) -> None:
    old, new = order(server, order_id)["reference"], unique("#new")
    assert change(server, order_id, {"reference": new}).json()["reference"] == new
    assert server.post("/v1/fulfillments", parcel(new, ("MUG", 1))).json()["order_id"] == order_id
    assert server.post("/v1/fulfillments", parcel(old, ("MUG", 1))).status == 404
    other = record_order(server, ("CAP", 1))
    reply = refuse(server, 409, "PATCH", f"/v1/orders/{other}", text({"reference": new}), JSON)
    assert (reply.json()["error"], codes(reply)) == ("Order Exists", [("order_exists", "reference")])
    assert change(server, other, {"reference": old}).status == 200


def test_the_same_order_again_is_compared_with_what_was_first_sent(server: Server) -> None:
    order_id = 880_000 + int(unique("").lstrip("-"))
    sent = {"id": order_id, "reference": unique("#s"), "line_items": [{"sku": "A", "quantity": 1}]}
    assert server.post("/v1/orders", sent).status == 201
    change(server, order_id, {"reference": unique("#t"), "metadata": {"x": 1}})
    again = server.post("/v1/orders", sent)
    assert (again.status, again.json()["metadata"]) == (200, {"x": 1})
    assert refuse(server, 409, "POST", "/v1/orders", text({**sent, "metadata": {"x": 1}}), JSON).status == 409


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ({"reference": 1}, ("not_a_text", "reference")),
        ({"reference": "x" * 256}, ("too_long", "reference")),
        ({"ship_by": "soon"}, ("not_a_moment", "ship_by")),
        ({"deliver_by": 5}, ("not_a_text", "deliver_by")),
        ({"shipping_address": "Bonn"}, ("not_an_object", "shipping_address")),
        ({"metadata": {"x": "y" * 17_000}}, ("too_large", "metadata")),
        ({"metdata": {}}, ("unknown_field", "metdata")),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_change_that_says_nothing_sensible_is_refused(
    server: Server, order_id: int, value: dict[str, Any], fault: tuple[str, str]
) -> None:
    assert codes(refuse(server, 400, "PATCH", f"/v1/orders/{order_id}", text(value), JSON)) == [fault]


def test_what_cannot_be_changed_is_named_in_a_warning(server: Server, order_id: int) -> None:
    before = order(server, order_id)
    reply = change(server, order_id, {**before, "line_items": [], "email": "b@example.com"})
    assert {warning["at"] for warning in reply.json()["warnings"]} >= {"line_items", "email", "status", "totals"}
    assert order(server, order_id) == before


# Held and released


def test_an_order_on_hold_is_not_fulfilled_until_it_is_released(server: Server, order_id: int) -> None:
    for reason, events in (("fraud", 1), ("fraud", 1), ("address", 2)):
        reply = act(server, order_id, "hold", {"reason": reason})
        assert (reply.status, reply.json()) == (200, order(server, order_id))
        assert (reply.json()["on_hold"], reply.json()["hold_reason"]) == (True, reason)
        assert told(server, order_id) == ["order.held"] * events
    refused = refuse(server, 409, "POST", "/v1/fulfillments", text(parcel(order_id, ("MUG", 1))), JSON)
    assert (refused.json()["error"], codes(refused)) == ("Order On Hold", [("order_on_hold", "order_id")])
    for _ in range(2):
        reply = act(server, order_id, "release")
        assert (reply.status, reply.json()["on_hold"], reply.json()["hold_reason"]) == (200, False, None)
    assert told(server, order_id) == ["order.held", "order.held", "order.released"]
    assert server.post("/v1/fulfillments", parcel(order_id, ("MUG", 1))).status == 200


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ({}, ("required", "reason")),
        ({"reason": " "}, ("required", "reason")),
        ({"reason": 1}, ("not_a_text", "reason")),
        ({"reason": "x" * 256}, ("too_long", "reason")),
        ({"hold_reason": "x"}, ("required", "reason")),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_hold_says_why(server: Server, order_id: int, value: dict[str, Any], fault: tuple[str, str]) -> None:
    assert codes(refuse(server, 400, "POST", f"/v1/orders/{order_id}/hold", text(value), JSON)) == [fault]


def test_orders_on_hold_are_listed(server: Server) -> None:
    marked = unique("SKU")
    held, free = (record_order(server, (marked, 1)) for _ in range(2))
    act(server, held, "hold", {"reason": "fraud"})

    def found(query: str) -> list[int]:
        return [one["id"] for one in server.get(f"/v1/orders?sku={marked}&{query}").json()["orders"]]

    assert (found("on_hold=true"), found("on_hold=false"), found("")) == ([held], [free], [free, held])
    assert codes(refuse(server, 400, "GET", "/v1/orders?on_hold=maybe")) == [("filter_invalid", "query.on_hold")]


# Cancelled


def test_cancelling_leaves_what_was_shipped_and_nothing_else(server: Server, order_id: int) -> None:
    server.post("/v1/fulfillments", parcel(order_id, ("MUG", 6)))
    for _ in range(2):
        reply = act(server, order_id, "cancel")
        assert (reply.status, reply.json()) == (200, order(server, order_id))
        assert (reply.json()["status"], reply.json()["cancelled_at"] is None) == ("fulfilled", False)
        assert reply.json()["totals"] == {"ordered": 10, "fulfilled": 6, "cancelled": 4, "remaining": 0}
    assert [line["cancelled"] for line in order(server, order_id)["line_items"]] == [0, 3, 1]
    assert told(server, order_id) == ["fulfillment.created", "order.cancelled"]
    refused = refuse(server, 409, "POST", "/v1/fulfillments", text(parcel(order_id, ("MUG", 1))), JSON)
    assert (refused.json()["error"], codes(refused)) == ("Order Cancelled", [("order_cancelled", "order_id")])


def test_an_order_of_which_nothing_was_shipped_is_cancelled(server: Server, order_id: int) -> None:
    assert act(server, order_id, "cancel", {}).json()["status"] == "cancelled"
    assert order_id in [one["id"] for one in server.get("/v1/orders?status=cancelled").json()["orders"]]


def test_some_of_an_order_is_cancelled_by_lines(server: Server, order_id: int) -> None:
    lines = [{"sku": "MUG", "quantity": 4}, {"sku": "TEE", "quantity": 1}, {"sku": "MUG", "quantity": 2}]
    reply = act(server, order_id, "cancel", {"line_items": lines})
    assert (reply.status, reply.json()) == (200, order(server, order_id))
    assert [line["cancelled"] for line in reply.json()["line_items"]] == [5, 1, 1]
    assert (reply.json()["status"], reply.json()["cancelled_at"]) == ("unfulfilled", None)
    assert told(server, order_id) == ["order.changed"]
    assert server.post("/v1/fulfillments", parcel(order_id)).json()["line_items"] == [
        {"sku": "TEE", "quantity": 2},
        {"sku": "MUG", "quantity": 1},
    ]


def test_cancelling_every_line_of_an_order_cancels_it_where_nothing_was_shipped(server: Server, order_id: int) -> None:
    made = server.post("/v1/fulfillments", parcel(order_id, ("MUG", 7))).json()
    reply = act(server, order_id, "cancel", {"line_items": [{"sku": "TEE", "quantity": 3}]})
    assert (reply.json()["status"], reply.json()["cancelled_at"]) == ("fulfilled", None)
    server.post(f"/v1/fulfillments/{made['id']}/cancel", {})
    assert remaining(server, order_id) == {"MUG": 7, "TEE": 0}, "what was shipped by mistake can be shipped anew"
    reply = act(server, order_id, "cancel", {"line_items": [{"sku": "MUG", "quantity": 7}]})
    assert (reply.json()["status"], reply.json()["cancelled_at"] is None) == ("cancelled", False)
    assert told(server, order_id)[1:] == ["order.changed", "fulfillment.cancelled", "order.cancelled"]


@pytest.mark.parametrize(
    ("lines", "faults"),
    [
        ([{"sku": "TEE", "quantity": 4}], [("quantity_exceeds_remaining", "line_items[0].quantity")]),
        ([{"sku": "MUGG", "quantity": 1}], [("unknown_sku", "line_items[0].sku")]),
        ([{"sku": "TEE"}], [("quantity_required", "line_items[0].quantity")]),
        ([{"sku": "TEE", "quantity": 0}], [("quantity_invalid", "line_items[0].quantity")]),
        ([], [("empty", "line_items")]),
    ],
    ids=str,
)
def test_more_than_remains_is_not_cancelled(
    server: Server, order_id: int, lines: list[dict[str, Any]], faults: list[tuple[str, str]]
) -> None:
    reply = refuse(server, 400, "POST", f"/v1/orders/{order_id}/cancel", text({"line_items": lines}), JSON)
    assert (reply.json()["error"], codes(reply)) == ("Invalid SKU or Quantity", faults)
    if faults[0][0] == "unknown_sku":
        assert reply.json()["details"][0]["nearest_sku"] == "MUG"


@pytest.mark.parametrize("field", ["lineItems", "items", "line_item"])
def test_a_typo_never_cancels_a_whole_order(server: Server, order_id: int, field: str) -> None:
    request = text({field: [{"sku": "TEE", "quantity": 1}]})
    assert codes(refuse(server, 400, "POST", f"/v1/orders/{order_id}/cancel", request, JSON)) == [
        ("unknown_field", field)
    ]


# All of them

CHANGES = [
    ("PATCH", "", {"metadata": {"k": 1}}),
    ("POST", "/cancel", {"line_items": [{"sku": "MUG", "quantity": 1}]}),
    ("POST", "/cancel", {}),
    ("POST", "/hold", {"reason": "fraud"}),
    ("POST", "/release", {}),
]


@pytest.mark.parametrize(("method", "action", "value"), CHANGES, ids=str)
def test_under_a_key_the_first_answer_is_given_again(
    server: Server, order_id: int, method: str, action: str, value: dict[str, Any]
) -> None:
    headers = {**JSON, "Idempotency-Key": unique("key")}
    first = server.send(method, f"/v1/orders/{order_id}{action}", text(value), headers)
    assert first.status == 200
    change(server, order_id, {"metadata": {"later": True}})
    act(server, order_id, "release")
    before = dump(server.database)
    again = server.send(method, f"/v1/orders/{order_id}{action}", text(value), headers)
    assert (again.status, again.body, again.headers["idempotent-replayed"]) == (200, first.body, "true")
    assert dump(server.database) == before
    other = refuse(server, 422, "POST", f"/v1/orders/{order_id}/hold", text({"reason": "other"}), headers)
    assert other.json()["error"] == "Idempotency-Key Reused"


@pytest.mark.parametrize(("method", "action", "value"), CHANGES, ids=str)
@pytest.mark.parametrize("id_", ["0", "999999999", "9" * 30, "x"])
def test_an_order_that_is_not_there_is_not_found(
    server: Server, method: str, action: str, value: dict[str, Any], id_: str
) -> None:
    reply = refuse(server, 404, method, f"/v1/orders/{id_}{action}", text(value), JSON)
    assert reply.json() == {"error": "Order Not Found", "message": "The order with the specified ID was not found."}


def test_events_tell_of_no_address(server: Server, order_id: int) -> None:
    change(server, order_id, {"shipping_address": {"street": "zq9street"}})
    act(server, order_id, "hold", {"reason": "x"})
    for row in dump(server.database)["events"]:
        assert "zq9street" not in str(row)
        assert "a@example.com" not in str(row)
