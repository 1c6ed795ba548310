"""Reports: what is late and how each partner does, as the operator reads them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.http.ledger_dump import codes
from tests.http.orders_to_ship import parcel
from tests.http.test_lists import ids, walk
from tests.serving import Engine, Server

pytestmark = pytest.mark.on_both_databases

LATE = 7
FAILED = "1ZE356F8YW01937118"
"""A number with a wrong check digit."""


def in_days(days: float) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


def record(server: Server, order_id: int, *lines: tuple[str, int, str | None], **fields: Any) -> None:
    items = [{"sku": sku, "quantity": quantity, "partner": partner} for sku, quantity, partner in lines]
    assert server.post("/v1/orders", {"id": order_id, "line_items": items, **fields}).status == 201


@pytest.fixture(scope="module")
def server(engine: Engine) -> Iterator[Server]:
    """Orders 1 to 7 are late, the first the longest; those from 11 on are not, each for another reason."""
    with engine.running() as server:
        for order_id in range(1, LATE + 1):
            partner = "east" if order_id % 2 else "west"
            lines = ("A", 2, partner), ("B", 1, None)
            record(server, order_id, *lines, reference=f"#{order_id}", ship_by=in_days(order_id - 10))
        record(server, 11, ("A", 1, "east"), ship_by=in_days(1))
        record(server, 12, ("A", 1, "east"), ship_by=in_days(1), deliver_by=in_days(-1))
        record(server, 13, ("A", 1, "east"))
        record(server, 14, ("A", 1, "east"), ship_by=in_days(-1))
        record(server, 15, ("A", 1, "west"), ("B", 1, None), deliver_by=in_days(1))
        ship(server, 14)
        ship(server, 15)
        ship(server, 1, ("A", 2))
        assert server.post("/v1/fulfillments", parcel(13, ("A", 1), tracking_number=FAILED)).status == 200
        yield server


def ship(server: Server, order_id: int, *lines: tuple[str, int]) -> None:
    assert server.post("/v1/fulfillments", parcel(order_id, *lines)).status == 200


def late_ids(server: Server, **query: Any) -> list[int]:
    return [row["order_id"] for row in server.get(f"/v1/reports/late?{urlencode(query)}").json()["late_orders"]]


def test_an_order_is_late_that_was_due_and_of_which_something_remains(server: Server) -> None:
    assert late_ids(server) == list(range(1, LATE + 1)), "the longest first"


def test_a_late_order_says_how_late_it_is_and_what_remains_by_partner(server: Server) -> None:
    first, second, *_ = server.get("/v1/reports/late").json()["late_orders"]
    day = 24 * 60 * 60
    assert 9 * day <= first.pop("late_by_seconds") < 9 * day + 600
    assert first == {
        "order_id": 1,
        "reference": "#1",
        "status": "partially_fulfilled",
        "on_hold": False,
        "due_by": first["due_by"],
        "remaining": 1,
        "partners": [{"partner": None, "lines": 1, "remaining": 1}],
    }
    assert second["partners"] == [
        {"partner": None, "lines": 1, "remaining": 1},
        {"partner": "west", "lines": 1, "remaining": 2},
    ]


@pytest.mark.parametrize("limit", [1, 2, 6, 7, 8])
def test_pages_show_every_late_order_once(server: Server, limit: int) -> None:
    assert [row["order_id"] for row in pages(server, limit=limit)] == list(range(1, LATE + 1))


@pytest.mark.parametrize("limit", [1, 2, 50])
def test_a_partner_s_page_holds_what_it_holds_up(server: Server, limit: int) -> None:
    assert [row["order_id"] for row in pages(server, limit=limit, partner="east")] == [3, 5, 7], (
        "of 1 its share is done"
    )
    assert [row["order_id"] for row in pages(server, limit=limit, partner="west")] == [2, 4, 6]
    assert pages(server, limit=limit, partner="nobody") == []


def pages(server: Server, **query: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    cursor: dict[str, Any] = query
    while True:
        page = server.get(f"/v1/reports/late?{urlencode(cursor)}").json()
        rows += page["late_orders"]
        if page["next_cursor"] is None:
            return rows
        cursor = {"limit": query["limit"], "cursor": page["next_cursor"]}


def test_lists_of_orders_can_be_narrowed_to_what_is_late(server: Server) -> None:
    assert ids(walk(server, "orders", limit=3, late="true")) == list(range(LATE, 0, -1))
    assert ids(walk(server, "orders", limit=3, late="true", status="partially_fulfilled")) == [1]


@pytest.mark.parametrize("text", ["false", "1", "yes", ""])
def test_late_is_true_or_absent(server: Server, text: str) -> None:
    reply = server.get(f"/v1/orders?late={text}")
    assert (reply.status, codes(reply)) == (400, [("filter_invalid", "query.late")])


def test_a_partner_is_told_by_what_remains_and_what_was_on_time(server: Server) -> None:
    own, east, west = server.get("/v1/reports/partners").json()["partners"]
    assert own == {
        "partner": None,
        "open_orders": 7,
        "open_quantity": 7,
        "lines_on_time": 1,
        "lines_late": 0,
        "on_time_share": 1.0,
        "numbers": 4,
        "numbers_failed": 1,
        "numbers_failed_share": 0.25,
    }
    assert (east["partner"], west["partner"]) == ("east", "west")
    assert (east["open_orders"], east["open_quantity"]) == (5, 8)
    assert (east["lines_on_time"], east["lines_late"], east["on_time_share"]) == (0, 2, 0.0)
    assert (west["open_orders"], west["open_quantity"], west["on_time_share"]) == (3, 6, 1.0)


@pytest.mark.parametrize("query", ["limit=0", "partner=", "status=unfulfilled", "cursor=AAAA"])
def test_a_report_refuses_what_it_does_not_know(server: Server, query: str) -> None:
    assert server.get(f"/v1/reports/late?{query}").status == 400
    assert server.get(f"/v1/reports/partners?{query}").status == 400
