"""The rows "JSON" of BAD_INPUTS.md, end to end: what is no JSON object is refused, says where, and writes nothing."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.http.ledger_dump import MARK, codes, dump, refuse
from tests.http.orders_to_ship import JSON, NUMBER, parcel, record_order, remaining, text
from tests.serving import Server

PATHS = ("/v1/fulfillments", "/v1/orders")
ORDER_ID = 7001

GOOD = {
    "/v1/fulfillments": f'{{"order_id": {ORDER_ID}, "tracking_number": "{NUMBER}"}}'.encode(),
    "/v1/orders": b'{"line_items": [{"sku": "MUG", "quantity": 1}]}',
}


@pytest.fixture(scope="module", autouse=True)
def order(server: Server) -> None:
    record_order(server, ("MUG", 1_000), id=ORDER_ID)


def extended(good: bytes, member: bytes) -> bytes:
    """A good body with one member more."""
    return good[:-1] + b", " + member + b"}"


BODIES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda good: b"",
    "blank": lambda good: b" \r\n\t",
    "null": lambda good: b"null",
    "list": lambda good: b"[" + good + b"]",
    "empty list": lambda good: b"[]",
    "string": lambda good: b'"x"',
    "number": lambda good: b"42",
    "true": lambda good: b"true",
    "truncated": lambda good: good[:-1],
    "truncated in a string": lambda good: good[:-3],
    "two documents": lambda good: good + b"\n" + good,
    "something behind": lambda good: good + b"x",
    "line comment": lambda good: good + b" // note",
    "block comment": lambda good: good[:1] + b"/* note */" + good[1:],
    "hash comment": lambda good: b"# note\n" + good,
    "single quotes": lambda good: good.replace(b'"', b"'"),
    "bare names": lambda good: re.sub(rb'"(\w+)":', rb"\1:", good),
    "duplicate key": lambda good: extended(good, good[1:-1]),
    "duplicate key in escapes": lambda good: extended(good, b'"\\u0061": 1, "a": 1'),
    "duplicate key within": lambda good: extended(good, b'"more": {"a": 1, "a": 2}'),
    "NaN": lambda good: extended(good, b'"more": NaN'),
    "Infinity": lambda good: extended(good, b'"more": Infinity'),
    "-Infinity": lambda good: extended(good, b'"more": -Infinity'),
    "1e400": lambda good: extended(good, b'"more": 1e400'),
    "an integer of 5,000 digits": lambda good: extended(good, b'"more": ' + b"7" * 5_000),
    "leading zero": lambda good: extended(good, b'"more": 01'),
    "100,000 levels": lambda good: extended(good, b'"more": ' + b"[" * 100_000 + b"]" * 100_000),
    "100,000 levels of objects": lambda good: extended(good, b'"more": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "100,000 levels unclosed": lambda good: b"[" * 100_000,
    "byte order mark": lambda good: b"\xef\xbb\xbf" + good,
    "UTF-16 with mark": lambda good: good.decode().encode("utf-16"),
    "UTF-16 little": lambda good: good.decode().encode("utf-16-le"),
    "UTF-16 big": lambda good: good.decode().encode("utf-16-be"),
    "UTF-32": lambda good: good.decode().encode("utf-32"),
    "Latin-1": lambda good: extended(good, '"more": "é"'.encode("latin-1")),
    "byte FF": lambda good: extended(good, b'"more": "\xff"'),
    "surrogate as UTF-8": lambda good: extended(good, b'"more": "\xed\xa0\x80"'),
    "half a pair": lambda good: extended(good, b'"more": "\\ud800"'),
    "second half alone": lambda good: extended(good, b'"more": "\\udc00"'),
    "half a pair as a name": lambda good: extended(good, b'"\\ud800": 1'),
    "raw control character": lambda good: extended(good, b'"more": "a\nb"'),
    "two commas": lambda good: good[:-1] + b",,}",
    "leading comma": lambda good: b"{," + good[1:],
    "a comma behind": lambda good: good + b",",
    "garbage": lambda good: MARK.encode(),
}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("body", BODIES)
def test_what_is_not_one_json_object_is_refused(server: Server, path: str, body: str) -> None:
    sent = BODIES[body](GOOD[path])
    error = refuse(server, 400, "POST", path, sent, JSON).json()
    assert error["error"] == "Invalid Request"
    detail = error["details"][0]
    assert detail["at"] == "body"
    if detail["code"] == "invalid_json":
        assert re.search(r"line \d+, column \d+", error["message"])
    else:
        assert detail["code"] == "not_an_object"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("member", [b'"more": 1', b'"more": [1e300, 9223372036854775808, "\xc3\xa9", {"a": null}]'])
def test_each_body_is_bad_by_its_one_fault_alone(server: Server, path: str, member: bytes) -> None:
    """The control: what the table spoils is accepted as it is, and the dump sees what is written."""
    good = GOOD[path].replace(b"%d" % ORDER_ID, b"%d" % record_order(server))
    before = dump(server.database)
    assert server.send("POST", path, extended(good, member), JSON).status in {200, 201}
    assert dump(server.database) != before


@pytest.mark.parametrize(
    ("request_fields", "places"),
    [
        ({"tracking_number": "a\x00b"}, [("hidden_characters", "tracking_number")]),
        ({"tracking_number": "a\x1fb"}, [("hidden_characters", "tracking_number")]),
        ({"tracking_number": "a\nb"}, [("hidden_characters", "tracking_number")]),
        ({"tracking_number": "a\x7fb"}, [("hidden_characters", "tracking_number")]),
        ({"tracking_number": "a\x85b"}, [("hidden_characters", "tracking_number")]),
        ({"tracking_url": "https://x.example/\x00"}, [("hidden_characters", "tracking_url")]),
        ({"carrier": "U\x00PS"}, [("hidden_characters", "carrier")]),
        ({"order_id": "10\x0001"}, [("hidden_characters", "order_id")]),
        ({"order_id": 2**63}, [("not_an_order", "order_id")]),
        ({"order_id": -(2**64)}, [("not_an_order", "order_id")]),
    ],
    ids=repr,
)
def test_characters_and_numbers_that_cannot_be_stored_are_refused(
    server: Server, request_fields: dict[str, object], places: list[tuple[str, str]]
) -> None:
    body = text({**parcel(ORDER_ID, ("MUG", 1)), **request_fields})
    assert codes(refuse(server, 400, "POST", "/v1/fulfillments", body, JSON)) == places


@pytest.mark.parametrize("sku", ["MUG\x00", "M\x1fG", "M\nG", "M\x85G", 2**63, -1, 1.5, True, None, {}, [], "", " "])
def test_a_sku_that_cannot_be_stored_is_refused(server: Server, sku: object) -> None:
    fulfillment = refuse(server, 400, "POST", "/v1/fulfillments", text(parcel(ORDER_ID, (sku, 1))), JSON)
    order = refuse(server, 400, "POST", "/v1/orders", text({"line_items": [{"sku": sku, "quantity": 1}]}), JSON)
    for reply in (fulfillment, order):
        assert reply.json()["error"] == "Invalid SKU or Quantity"
        assert [at for _, at in codes(reply)] == ["line_items[0].sku"]


def test_a_trailing_comma_is_the_only_leniency(server: Server) -> None:
    body = f'{{"order_id": {ORDER_ID}, "line_items": [{{"sku": "MUG", "quantity": 1,}},], "tracking_number": "T",}}'
    order_id = record_order(server, ("MUG", 1))
    assert server.send("POST", "/v1/fulfillments", body.replace(str(ORDER_ID), str(order_id)), JSON).status == 200
    assert remaining(server, order_id) == {"MUG": 0}


LOOKALIKES = ["lineItems", "line_item", "items", "LINE_ITEMS", "line-items", "lines", "linesItems", "lineItem"]


@pytest.mark.parametrize("name", LOOKALIKES)
def test_a_misspelt_line_items_never_ships_a_whole_order(server: Server, name: str) -> None:
    misspelt = {"order_id": ORDER_ID, name: [{"sku": MARK, "quantity": 1}]}
    flat = {**misspelt, "tracking_number": NUMBER}
    reply = refuse(server, 400, "POST", "/v1/fulfillments", text(flat), JSON)
    assert codes(reply) == [("unknown_field", name)]
    assert "line_items" in reply.json()["message"]
    enveloped = {"line_items_by_fulfillment_order": [misspelt], "tracking_number": NUMBER}
    reply = refuse(server, 400, "POST", "/v1/fulfillments", text(enveloped), JSON)
    assert codes(reply) == [("unknown_field", f"line_items_by_fulfillment_order[0].{name}")]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("orderId", "order_id"),
        ("orderid", "order_id"),
        ("order-id", "order_id"),
        ("tracking", "tracking_number"),
        ("trackingNumber", "tracking_number"),
        ("tracking_no", "tracking_number"),
        ("trackingUrl", "tracking_url"),
        ("lineItemsByFulfillmentOrder", "line_items_by_fulfillment_order"),
    ],
)
def test_a_field_that_resembles_a_known_one_is_refused(server: Server, name: str, meant: str) -> None:
    body = text({**parcel(ORDER_ID, ("MUG", 1)), name: MARK})
    reply = refuse(server, 400, "POST", "/v1/fulfillments", body, JSON)
    assert codes(reply) == [("unknown_field", name)]
    assert f"{meant} is" in reply.json()["message"]


@pytest.mark.parametrize(("name", "meant"), [("qty", "quantity"), ("Quantity", "quantity"), ("SKU", "sku")])
def test_a_field_of_a_line_that_resembles_a_known_one_is_refused(server: Server, name: str, meant: str) -> None:
    for path, more in (("/v1/fulfillments", {"order_id": ORDER_ID, "tracking_number": NUMBER}), ("/v1/orders", {})):
        body = text({**more, "line_items": [{"sku": "MUG", "quantity": 1, name: 1}]})
        reply = refuse(server, 400, "POST", path, body, JSON)
        assert codes(reply) == [("unknown_field", f"line_items[0].{name}")], path
        assert f"{meant} is" in reply.json()["message"]


def test_unknown_fields_are_ignored_named_and_not_bound(server: Server) -> None:
    order_id = record_order(server, ("MUG", 5))
    strangers = {"partner": "acme", "priority": 1, "account": "other", "notify_customer": True}
    answered = {"id": 5_000_000, "status": "delivered", "created_at": "2001-01-01T00:00:00Z"}
    body = server.post("/v1/fulfillments", {**parcel(order_id, ("MUG", 1)), **strangers, **answered}).json()
    assert (body["status"], body["id"] == 5_000_000, body["created_at"][:4] == "2001") == ("created", False, False)
    assert sorted(warning["at"] for warning in body["warnings"]) == sorted([*strangers, *answered])
    assert {warning["code"] for warning in body["warnings"]} == {"unknown_field"}
    stored = [row for row in dump(server.database)["fulfillments"] if order_id in row]
    assert len(stored) == 1
    assert not {"acme", "other", "delivered", 5_000_000} & set(stored[0])


def test_a_name_that_is_not_safe_to_show_is_not_shown(server: Server) -> None:
    order_id = record_order(server, ("MUG", 5))
    reply = server.post("/v1/fulfillments", {**parcel(order_id, ("MUG", 1)), f"<b>{MARK}</b>": 1})
    assert reply.json()["warnings"][0]["at"] == "(a name with other characters)"
    assert MARK not in reply.body.decode()


def test_what_the_dump_would_miss_is_caught(server: Server, tmp_path: Path) -> None:
    """The control of all tables here: one row more in the file, and the dumps differ."""
    import apsw

    copy = tmp_path / "copy.db"
    shutil.copy(server.database, copy)
    shutil.copy(server.database.with_name(server.database.name + "-wal"), copy.with_name("copy.db-wal"))
    before = dump(copy)
    assert json.dumps(sorted(before)) == json.dumps(sorted(dump(server.database)))
    connection = apsw.Connection(str(copy))
    connection.execute("UPDATE orders SET event_count = event_count + 1 WHERE id = ?", (ORDER_ID,))
    connection.close()
    assert dump(copy) != before
