"""Lists: pages that show everything once, cursors that know their list, filters by what people look for."""

import base64
import hashlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
import pytest

from tests.http.ledger_dump import codes, refuse
from tests.http.orders_to_ship import parcel, record_order
from tests.serving import Engine, Server

pytestmark = pytest.mark.on_both_databases

ORDERS = 23


@pytest.fixture(scope="module")
def ledger(engine: Engine) -> Iterator[Server]:
    """Orders 1 to 23: each third is shipped, each second has a CAP; the first 10 are due day by day in May."""
    with engine.running(SHIPLEDGER_TIMEZONE="Europe/Berlin") as server:
        for number in range(1, ORDERS + 1):
            lines = [("MUG", 2), ("CAP", 1)] if number % 2 == 0 else [("MUG", 2)]
            due = {"deliver_by": f"2026-05-{number:02}"} if number <= 10 else {}
            record_order(server, *lines, id=number, reference=f"#{number}", **due)
            if number % 3 == 0:
                server.post("/v1/fulfillments", parcel(number, ("MUG", 1), tracking_number=f"T{number}"))
                server.post("/v1/fulfillments", parcel(number, tracking_number="SHARED"))
        yield server


def walk(server: Server, resource: str, **query: Any) -> list[dict[str, Any]]:
    """All rows, page by page, as a client does that follows next_cursor alone."""
    rows: list[dict[str, Any]] = []
    page = server.get(f"/v1/{resource}?{urlencode(query)}").json()
    while True:
        rows += page[resource]
        if page["next_cursor"] is None:
            return rows
        assert len(page[resource]) == query["limit"], "only the last page is short"
        page = server.get(
            f"/v1/{resource}?{urlencode({'limit': query['limit'], 'cursor': page['next_cursor']})}"
        ).json()


def ids(rows: list[dict[str, Any]]) -> list[int]:
    return [row["id"] for row in rows]


# Pages


@pytest.mark.parametrize("limit", [1, 2, 7, 22, 23, 24, 200])
def test_pages_show_everything_exactly_once_newest_first(ledger: Server, limit: int) -> None:
    assert ids(walk(ledger, "orders", limit=limit)) == list(range(ORDERS, 0, -1))
    fulfillments = ids(walk(ledger, "fulfillments", limit=limit))
    assert fulfillments == sorted(set(fulfillments), reverse=True)
    assert len(fulfillments) == 2 * (ORDERS // 3)


def test_a_filter_holds_on_every_page(ledger: Server) -> None:
    evens = list(range(ORDERS - 1, 0, -2))
    assert ids(walk(ledger, "orders", limit=3, sku="CAP")) == evens
    shipped = walk(ledger, "fulfillments", limit=3, tracking_number="SHARED")
    assert [row["order_id"] for row in shipped] == list(range(21, 0, -3))


def test_what_is_recorded_meanwhile_disturbs_no_walk(server: Server) -> None:
    old = [record_order(server) for _ in range(6)]
    page = server.get("/v1/orders?limit=4").json()
    record_order(server)
    rest = server.get(f"/v1/orders?cursor={page['next_cursor']}").json()
    assert ids(page["orders"] + rest["orders"]) == old[::-1]


def test_the_link_leads_to_the_next_page(ledger: Server) -> None:
    path, seen = "/v1/orders?limit=10&status=unfulfilled", []
    while path:
        reply = ledger.get(path)
        seen += ids(reply.json()["orders"])
        link = reply.headers.get("link")
        assert (link is None) is (reply.json()["next_cursor"] is None)
        path = link.removeprefix("<").removesuffix('>; rel="next"') if link else ""
    assert seen == [number for number in range(ORDERS, 0, -1) if number % 3]


def test_a_page_has_50_rows_by_default(server: Server) -> None:
    for _ in range(51):
        record_order(server)
    assert len(server.get("/v1/orders").json()["orders"]) == 50


def test_an_empty_list_is_a_list(ledger: Server) -> None:
    assert ledger.get("/v1/orders?reference=none").json() == {"orders": [], "next_cursor": None}
    assert ledger.get("/v1/fulfillments?order_id=1").json() == {"fulfillments": [], "next_cursor": None}


# Cursors


def cursor_of(server: Server, path: str) -> str:
    cursor: str = server.get(path).json()["next_cursor"]
    return cursor


def forged(*content: Any) -> str:
    """A cursor with a check sum that fits: it is no secret."""
    text = msgspec.json.encode(content)
    check = hashlib.blake2b(text, digest_size=8, person=b"shipledger").digest()
    return base64.urlsafe_b64encode(check + text).rstrip(b"=").decode()


def test_a_tampered_cursor_is_refused(ledger: Server) -> None:
    cursor = cursor_of(ledger, "/v1/orders?limit=2")
    tampered = [
        cursor[:-1],
        cursor[1:],
        cursor + "A",
        cursor[::-1],
        cursor[:9] + ("A" if cursor[9] != "A" else "B") + cursor[10:],
    ]
    for text in [*tampered, "", "x", "null", "0", "%00", "%ff", "A" * 10_000, "\u00e9", forged("orders")]:
        reply = refuse(ledger, 400, "GET", f"/v1/orders?cursor={quote(text, safe='%')}")
        assert codes(reply) == [("cursor_invalid", "query.cursor")], text
    assert ledger.get(f"/v1/orders?cursor={cursor}").status == 200


@pytest.mark.parametrize(
    "content",
    [
        ("orders", "operator", {}, [1]),
        ("orders", "operator", {}, [1, 2, 3]),
        ("orders", "operator", {}, []),
        ("orders", "operator", {}, [2**70, 1]),
        ("orders", "operator", {}, ["1", "1"]),
        ("orders", "operator", {"none": "1"}, [1, 1]),
        ("orders", "operator", {"limit": "1"}, [1, 1]),
        ("orders", "operator", {"status": 1}, [1, 1]),
        ("orders", "partner:acme", {}, [1, 1]),
        ("fulfillments", "operator", {}, [1]),
        ("orders", "operator", [], [1, 1]),
    ],
    ids=str,
)
def test_a_forged_cursor_is_refused(ledger: Server, content: tuple[Any, ...]) -> None:
    reply = refuse(ledger, 400, "GET", f"/v1/orders?cursor={forged(*content)}")
    assert codes(reply) == [("cursor_invalid", "query.cursor")]


def test_a_forged_cursor_that_could_be_ours_is_one(ledger: Server) -> None:
    """The control: what the table spoils is accepted as it is, and shows nothing that a list does not show anyway."""
    cursor = forged("orders", "operator", {"sku": "CAP"}, [2**62, 1])
    assert ids(ledger.get(f"/v1/orders?cursor={cursor}").json()["orders"]) == list(range(ORDERS - 1, 0, -2))


def test_a_cursor_belongs_to_its_list_and_filters(ledger: Server) -> None:
    cursor = cursor_of(ledger, "/v1/orders?limit=2&sku=MUG")
    for path in (
        f"/v1/fulfillments?cursor={cursor}",
        f"/v1/orders?cursor={cursor}&sku=CAP",
        f"/v1/orders?cursor={cursor}&sku=MUG&status=unfulfilled",
        f"/v1/orders?cursor={cursor}&status=unfulfilled",
    ):
        assert codes(refuse(ledger, 400, "GET", path)) == [("cursor_invalid", "query.cursor")], path
    assert ledger.get(f"/v1/orders?cursor={cursor}&sku=MUG").status == 200, "its own filters may be sent again"


# Queries


@pytest.mark.parametrize("resource", ["orders", "fulfillments"])
@pytest.mark.parametrize(
    "limit", ["0", "-1", "201", "1e9", "1000000000", "abc", "", "1.0", "+1", "%201", "\u0661", "0x1", "true"]
)
def test_a_limit_that_is_none_is_refused(ledger: Server, resource: str, limit: str) -> None:
    reply = refuse(ledger, 400, "GET", f"/v1/{resource}?limit={quote(limit, safe='%+')}")
    assert codes(reply) == [("limit_invalid", "query.limit")]


@pytest.mark.parametrize("resource", ["orders", "fulfillments"])
def test_a_parameter_that_is_unknown_or_given_twice_is_refused(ledger: Server, resource: str) -> None:
    reply = refuse(ledger, 400, "GET", f"/v1/{resource}?stauts=created")
    assert codes(reply) == [("unknown_parameter", "query")]
    assert "status?" in reply.json()["message"]
    for query in ("page=2", "offset=1", "Limit=1", "=1", "zq9raw=zq9raw", "%00=1"):
        assert codes(refuse(ledger, 400, "GET", f"/v1/{resource}?{query}")) == [("unknown_parameter", "query")], query
    assert codes(refuse(ledger, 400, "GET", f"/v1/{resource}?sku=A&sku=A")) == [("given_twice", "query.sku")]


@pytest.mark.parametrize("path", ["/v1/orders/1", "/v1/fulfillments/1"])
def test_one_thing_takes_no_parameters(ledger: Server, path: str) -> None:
    refuse(ledger, 400, "GET", f"{path}?expand=everything")


@pytest.mark.parametrize(
    ("resource", "query"),
    [
        ("orders", "status=created"),
        ("orders", "status="),
        ("orders", "status=UNFULFILLED"),
        ("orders", "sku="),
        ("orders", "sku=" + "x" * 256),
        ("orders", "sku=%00"),
        ("orders", "reference=%E2%80%AE"),
        ("orders", "tracking_number=%0A"),
        ("orders", "created_at_min=yesterday"),
        ("orders", "created_at_max=2026-05-01T10:00:00"),
        ("orders", "deliver_by_min=2026-02-30"),
        ("orders", "deliver_by_max=0001-01-01T00:00:00%2B14:00"),
        ("fulfillments", "status=unfulfilled"),
        ("fulfillments", "order_id=abc"),
        ("fulfillments", "order_id=-1"),
        ("fulfillments", "order_id=9223372036854775808"),
        ("fulfillments", "order_id=%D9%A1"),
        ("fulfillments", "created_at_min=1777777777"),
    ],
)
def test_a_filter_that_cannot_be_read_is_refused(ledger: Server, resource: str, query: str) -> None:
    reply = refuse(ledger, 400, "GET", f"/v1/{resource}?{query}")
    assert codes(reply) == [("filter_invalid", f"query.{query.partition('=')[0]}")]


# Filters


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"status": "unfulfilled"}, {number for number in range(1, 24) if number % 3}),
        ({"status": "fulfilled"}, set(range(3, 24, 3))),
        ({"status": "partially_fulfilled"}, set()),
        ({"status": "cancelled"}, set()),
        ({"sku": "CAP"}, set(range(2, 24, 2))),
        ({"sku": " CAP "}, set(range(2, 24, 2))),
        ({"sku": "cap"}, set()),
        ({"sku": "CA%"}, set()),
        ({"reference": "#7"}, {7}),
        ({"reference": "7"}, set()),
        ({"tracking_number": "T9"}, {9}),
        ({"tracking_number": "SHARED"}, set(range(3, 24, 3))),
        ({"tracking_number": "SHARED", "sku": "CAP"}, {6, 12, 18}),
        ({"deliver_by_min": "2026-05-08"}, {8, 9, 10}),
        ({"deliver_by_max": "2026-05-03"}, {1, 2, 3}),
        ({"deliver_by_min": "2026-05-04", "deliver_by_max": "2026-05-05"}, {4, 5}),
        # The 5th of May ends at 21:59:59 UTC in Berlin.
        ({"deliver_by_min": "2026-05-05T21:59:59Z", "deliver_by_max": "2026-05-05T21:59:59Z"}, {5}),
        ({"deliver_by_min": "2026-05-05T22:00:00Z", "deliver_by_max": "2026-05-06T21:59:58Z"}, set()),
        ({"created_at_min": "2000-01-01", "sku": "CAP"}, set(range(2, 24, 2))),
        ({"created_at_max": "2000-01-01"}, set()),
        ({"created_at_min": "9999-12-31"}, set()),
    ],
    ids=str,
)
def test_orders_are_found_by(ledger: Server, query: dict[str, str], expected: set[int]) -> None:
    assert set(ids(walk(ledger, "orders", limit=4, **query))) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"status": "created", "sku": "CAP"}, [18, 12, 6]),
        ({"status": "delivered"}, []),
        ({"order_id": "9"}, [9, 9]),
        ({"order_id": "0"}, []),
        ({"reference": "#9"}, [9, 9]),
        ({"tracking_number": "T9"}, [9]),
        ({"sku": "CAP"}, [18, 12, 6]),
        ({"tracking_number": "SHARED", "sku": "CAP", "order_id": "6"}, [6]),
        ({"created_at_min": "2000-01-01", "order_id": "9"}, [9, 9]),
        ({"created_at_max": "2000-01-01"}, []),
    ],
    ids=str,
)
def test_fulfillments_are_found_by(ledger: Server, query: dict[str, str], expected: list[int]) -> None:
    assert [row["order_id"] for row in walk(ledger, "fulfillments", limit=2, **query)] == expected


def test_both_ends_of_a_range_are_included(ledger: Server) -> None:
    """Moments are shown in seconds, so that both ends are seconds as they are shown."""
    orders = walk(ledger, "orders", limit=200)
    for resource, rows in (("orders", orders), ("fulfillments", walk(ledger, "fulfillments", limit=200))):
        shown = rows[0]["created_at"]
        same_second = [row["id"] for row in rows if row["created_at"] == shown]
        assert ids(walk(ledger, resource, limit=200, created_at_min=shown, created_at_max=shown)) == same_second
