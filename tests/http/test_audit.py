"""The audit trail: who did what and when, with which key and which request, for every change."""

import pytest

from shipledger.event import EventType
from tests.http.key_holders import Holder, close_server
from tests.http.ledger_dump import codes
from tests.http.orders_to_ship import unique
from tests.serving import Server

pytestmark = pytest.mark.on_both_databases


@pytest.fixture(scope="module")
def operator(server: Server) -> Holder:
    return close_server(server)


def changes(operator: Holder, query: str) -> list[dict[str, object]]:
    reply = operator.get(f"/v1/audit?{query}")
    assert reply.status == 200, reply
    found: list[dict[str, object]] = reply.json()["audit"]
    return found


def order_with(holder: Holder, partner: str | None = None) -> tuple[int, str]:
    """A new order's id, and the id of the request that made it."""
    line = {"sku": "MUG", "quantity": 5} | ({} if partner is None else {"partner": partner})
    reply = holder.post("/v1/orders", {"reference": unique("#"), "line_items": [line]})
    assert reply.status == 201, reply
    return reply.json()["id"], reply.headers["x-request-id"]


def test_each_change_says_who_made_it_with_which_key_and_request(operator: Holder) -> None:
    partner = operator.partner("acme")
    order_id, ordering = order_with(operator, "acme")
    parcel = {"order_id": order_id, "tracking_number": "T1", "line_items": [{"sku": "MUG", "quantity": 5}]}
    shipping = partner.post("/v1/fulfillments", parcel)
    assert shipping.status == 200
    told = changes(operator, f"order_id={order_id}")
    shown = [(row["type"], row["actor"], row["key_id"], row["request_id"], row["sequence"]) for row in told]
    request_id = shipping.headers["x-request-id"]
    assert shown == [
        ("order.fulfilled", "of acme", partner.id, request_id, 3),
        ("fulfillment.created", "of acme", partner.id, request_id, 2),
        ("order.created", "operator", operator.id, ordering, 1),
    ]
    assert isinstance(told[1]["data"], dict)
    assert told[1]["data"]["id"] == shipping.json()["id"]


def test_administration_is_in_it_too(operator: Holder) -> None:
    other = operator.make(unique("watched"))
    operator.delete(f"/v1/keys/{other.id}")
    told = changes(operator, "limit=2")
    assert [(row["type"], row["order_id"], row["sequence"]) for row in told] == [
        ("key.revoked", None, None),
        ("key.created", None, None),
    ]
    routed = operator.server.send(
        "PUT", "/v1/partners/acme", '{"skus": ["MUG"]}', {**operator.headers, "Content-Type": "application/json"}
    )
    assert routed.status == 200
    (told_of,) = changes(operator, f"request_id={routed.headers['x-request-id']}")
    assert (told_of["type"], told_of["key_id"]) == ("partner.changed", operator.id)


def test_it_is_narrowed_by_each_filter(operator: Holder) -> None:
    other = operator.make(unique("filtered"))
    order_id, request_id = order_with(other)
    name = operator.get(f"/v1/keys/{other.id}").json()["name"]
    for query in (f"key_id={other.id}", f"request_id={request_id}", f"actor={name}", f"order_id={order_id}"):
        assert [row["request_id"] for row in changes(operator, query)] == [request_id], query
    assert changes(operator, f"key_id={other.id}&type=key.created") == []
    assert changes(operator, "created_at_min=2999-01-01") == []
    assert len(changes(operator, "created_at_min=2020-01-01&limit=3")) == 3
    assert codes(operator.get("/v1/audit?type=nothing")) == [("filter_invalid", "query.type")]
    for event_type in EventType:
        assert operator.get(f"/v1/audit?type={event_type}").status == 200


def test_it_is_read_in_pages_and_skips_nothing(operator: Holder) -> None:
    for _ in range(5):
        order_with(operator)
    ids: list[int] = []
    query = "limit=3"
    while query:
        page = operator.get(f"/v1/audit?{query}").json()
        ids += [row["id"] for row in page["audit"]]
        query = f"cursor={page['next_cursor']}&limit=3" if page["next_cursor"] else ""
    assert ids == sorted(set(ids), reverse=True)
    assert len(ids) > 5


def test_what_is_refused_or_repeated_is_no_change(operator: Holder) -> None:
    before = changes(operator, "limit=1")
    operator.post("/v1/orders", {})
    operator.post("/v1/keys", {"name": "x"})
    assert changes(operator, "limit=1") == before


def test_no_change_tells_an_email_an_address_or_a_secret(operator: Holder) -> None:
    order = {"email": "anna@example.com", "shipping_address": {"city": "Berlin-Mitte"}}
    operator.post("/v1/orders", {**order, "line_items": [{"sku": "MUG", "quantity": 1}]})
    other = operator.make("secret")
    shown = operator.get("/v1/audit?limit=200").body.decode()
    for text in ("anna@example.com", "Berlin-Mitte", other.key, other.key.rpartition("_")[2]):
        assert text not in shown
