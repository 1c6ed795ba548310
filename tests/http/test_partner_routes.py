"""`/v1/partners`: what is routed to whom."""

from typing import Any

import pytest

from tests.http.ledger_dump import codes, dump, refuse
from tests.http.orders_to_ship import JSON, record_order, text, unique
from tests.serving import Reply, Server

pytestmark = pytest.mark.on_both_databases


def put(server: Server, name: str, **rules: Any) -> Reply:
    return server.send("PUT", f"/v1/partners/{name}", text(rules), JSON)


def partners_of(server: Server, order_id: int) -> list[str | None]:
    return [line["partner"] for line in server.get(f"/v1/orders/{order_id}").json()["line_items"]]


def test_lines_go_to_the_partner_that_has_a_rule_for_them(server: Server) -> None:
    name, prefix = unique("acme"), unique("P")
    reply = put(server, name, sku_prefixes=[f"{prefix}-", f"{prefix}-"], skus=[f" {prefix} ", 770001])
    assert reply.status == 200
    shown = reply.json()
    assert shown == {
        "name": name, "skus": [prefix, "770001"], "sku_prefixes": [f"{prefix}-"], "channels": [],
        "changed_at": shown["changed_at"],
    }  # fmt: skip
    assert server.get(f"/v1/partners/{name}").json() == shown
    assert shown in server.get("/v1/partners").json()["partners"]
    order_id = record_order(server, (f"{prefix}-1", 1), (prefix, 1), ("770001", 1), (f"x{prefix}", 1))
    assert partners_of(server, order_id) == [name, name, name, None]


def test_rules_are_replaced_and_the_same_ones_again_write_nothing(server: Server) -> None:
    name, sku = unique("acme"), unique("S")
    first = put(server, name, skus=[sku])
    before = dump(server.database)
    assert put(server, name, skus=[sku]).body == first.body
    assert dump(server.database) == before
    assert put(server, name).json()["skus"] == []
    assert partners_of(server, record_order(server, (sku, 1))) == [None]


def test_a_rule_of_another_partner_is_refused(server: Server) -> None:
    sku = unique("S")
    put(server, unique("first"), skus=[sku])
    reply = refuse(server, 409, "PUT", f"/v1/partners/{unique('second')}", text({"skus": ["FREE", sku]}), JSON)
    assert codes(reply) == [("rule_taken", "skus[1]")]


@pytest.mark.parametrize(
    ("name", "rules", "expected"),
    [
        ("Acme", {}, [("not_a_partner", "path.name")]),
        ("a" * 64, {}, [("not_a_partner", "path.name")]),
        ("acme", {"skus": "A"}, [("not_a_list", "skus")]),
        ("acme", {"skus": ["A", ""], "channels": [None]}, [("not_a_text", "skus[1]"), ("not_a_text", "channels[0]")]),
        ("acme", {"sku_prefixes": [True, 1.5, "A" * 256]}, None),
        ("acme", {"skus": ["A\u200b"]}, [("hidden_characters", "skus[0]")]),
        ("acme", {"prefixes": ["A"]}, [("unknown_field", "prefixes")]),
        ("acme", {"skus": [f"S{at}" for at in range(10_001)]}, [("too_many", "")]),
    ],
    ids=str,
)
def test_bad_rules_are_named(server: Server, name: str, rules: dict[str, Any], expected: Any) -> None:
    reply = refuse(server, 400, "PUT", f"/v1/partners/{name}", text(rules), JSON)
    assert expected is None or codes(reply) == expected


def test_a_partner_without_rules_is_not_found(server: Server) -> None:
    refuse(server, 404, "GET", "/v1/partners/nobody")
    refuse(server, 404, "GET", "/v1/partners/%00")
