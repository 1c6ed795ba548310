"""Exports over HTTP: every row that the filters leave, streamed, in either format."""

import csv
import io
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.http.key_holders import close_server
from tests.http.ledger_dump import codes
from tests.http.orders_to_ship import parcel, record_order
from tests.http.test_lists import walk
from tests.serving import Engine, Server

pytestmark = pytest.mark.on_both_databases

ORDERS = 450
"""More than two pages."""


@pytest.fixture(scope="module")
def server(engine: Engine) -> Iterator[Server]:
    with engine.running() as server:
        for number in range(1, ORDERS + 1):
            record_order(server, ("MUG", 2), ("=CAP", 1), id=number, reference=f"#{number}")
            if number % 2:
                server.post("/v1/fulfillments", parcel(number, ("MUG", 1), tracking_number=f"+{number}"))
        yield server


def exported(server: Server, name: str, query: str = "") -> list[Any]:
    reply = server.get(f"/v1/exports/{name}?{query}")
    assert (reply.status, reply.headers["content-type"]) == (200, "application/x-ndjson")
    return [json.loads(line) for line in reply.body.splitlines()]


def table(server: Server, name: str, query: str = "") -> list[dict[str, str]]:
    reply = server.get(f"/v1/exports/{name}?format=csv&{query}")
    assert (reply.status, reply.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    assert reply.headers["content-disposition"] == f'attachment; filename="{name}.csv"'
    return list(csv.DictReader(io.StringIO(reply.body.decode(), newline="")))


@pytest.mark.parametrize("query", ["", "status=unfulfilled", "sku=MUG", "reference=%237", "created_at_min=2999-01-01"])
def test_an_export_holds_what_the_list_holds(server: Server, query: str) -> None:
    filters = dict(part.split("=") for part in query.split("&") if part)
    listed = walk(server, "orders", limit=200, **{name: text.replace("%23", "#") for name, text in filters.items()})
    for order in listed:
        for line in order["line_items"]:
            line["quantity"] = line["ordered"]
    assert exported(server, "orders", query) == listed


def test_an_export_of_fulfillments_holds_what_the_list_holds(server: Server) -> None:
    listed = walk(server, "fulfillments", limit=200)
    more = {"taken_from": [{"position": 0, "quantity": 1}], "events": []}
    assert exported(server, "fulfillments") == [{**fulfillment, **more} for fulfillment in listed]
    assert [row["order_id"] for row in exported(server, "fulfillments", "order_id=7")] == [7]


def test_a_table_has_a_row_a_line_and_no_formula(server: Server) -> None:
    rows = table(server, "orders", "status=partially_fulfilled")
    assert len(rows) == 2 * ORDERS // 2
    assert {row["sku"] for row in rows} == {"MUG", "'=CAP"}
    assert {(row["sku"], row["remaining"]) for row in rows} == {("MUG", "1"), ("'=CAP", "1")}
    (row,) = table(server, "fulfillments", "order_id=7")
    assert (row["tracking_number"], row["sku"], row["quantity"]) == ("'+7", "MUG", "1")


def test_an_export_of_events_is_the_audit_trail(server: Server) -> None:
    assert exported(server, "events") == walk(server, "audit", limit=200)
    created, made = table(server, "events", "order_id=7")[::-1]
    assert (created["type"], made["type"]) == ("order.created", "fulfillment.created")
    assert (made["actor"], made["key_id"], made["sequence"]) == ("open", "", "2")
    assert made["request_id"]
    assert json.loads(made["data"])["tracking_number"] == "+7"


def test_a_table_without_rows_has_its_header(server: Server) -> None:
    reply = server.get("/v1/exports/fulfillments?format=csv&order_id=999")
    assert reply.body.decode().startswith("fulfillment_id,order_id,")
    assert reply.body.count(b"\n") == 1


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("format=xlsx", ("format_invalid", "query.format")),
        ("status=gone", ("filter_invalid", "query.status")),
        ("limit=5", ("unknown_parameter", "query")),
        ("format=csv&format=csv", ("given_twice", "query.format")),
    ],
)
def test_what_an_export_does_not_know_is_refused(server: Server, query: str, fault: tuple[str, str]) -> None:
    reply = server.get(f"/v1/exports/orders?{query}")
    assert (reply.status, codes(reply)) == (400, [fault])


def test_a_head_of_an_export_reads_nothing(server: Server) -> None:
    reply = server.send("HEAD", "/v1/exports/orders")
    assert (reply.status, reply.body) == (200, b"")


def test_a_client_that_leaves_is_not_in_the_way(server: Server) -> None:
    for _ in range(8):
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(b"GET /v1/exports/orders HTTP/1.1\r\nHost: localhost\r\n\r\n")
            client.recv(100)
    assert len(exported(server, "orders")) == ORDERS


def test_a_partner_s_export_holds_its_own(engine: Engine) -> None:
    with engine.running() as server:
        operator = close_server(server)
        for number, partners in enumerate([("east", "west"), ("west",), (None, "east")], start=1):
            lines = [{"sku": "A", "quantity": 2, "partner": partner} for partner in partners]
            assert operator.post("/v1/orders", {"id": number, "line_items": lines}).status == 201
        east = operator.partner("east")
        assert east.post("/v1/fulfillments", parcel(1, ("A", 1))).status == 200
        assert operator.post("/v1/fulfillments", parcel(2, ("A", 1))).status == 200
        orders = [json.loads(line) for line in east.get("/v1/exports/orders").body.splitlines()]
        assert [(order["id"], [line["partner"] for line in order["line_items"]]) for order in orders] == [
            (3, ["east"]),
            (1, ["east"]),
        ]
        made = [json.loads(line) for line in east.get("/v1/exports/fulfillments").body.splitlines()]
        assert [fulfillment["order_id"] for fulfillment in made] == [1]
        assert len(operator.get("/v1/exports/fulfillments").body.splitlines()) == 2
        assert east.get("/v1/exports/events").status == 403
        assert east.get("/v1/reports/late").status == 403
