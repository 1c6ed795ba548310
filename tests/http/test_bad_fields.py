"""The rows "Fields" of BAD_INPUTS.md, end to end: each fault has its name and place, and nothing is written."""

import unicodedata
from typing import Any

import pytest

from tests.http.ledger_dump import MARK, codes, refuse
from tests.http.orders_to_ship import JSON, envelope, parcel, record_order, remaining, text, unique
from tests.serving import Reply, Server

pytestmark = pytest.mark.on_both_databases

QUANTITY_MAX = 10**9
ORDER_ID = 7003
LONG = "x" * 256


@pytest.fixture(scope="module", autouse=True)
def order(server: Server) -> None:
    record_order(server, ("MUG", 10), ("TEE", 3), ("TEE", 4), ("K\u00e4se", 5), id=ORDER_ID, reference="#7003")


def refuse_parcel(server: Server, status: int, request: dict[str, Any]) -> Reply:
    return refuse(server, status, "POST", "/v1/fulfillments", text(request), JSON)


def refuse_order(server: Server, request: dict[str, Any]) -> Reply:
    return refuse(server, 400, "POST", "/v1/orders", text(request), JSON)


# The order


@pytest.mark.parametrize(
    ("order_id", "code"),
    [
        (None, "required"),
        ("", "required"),
        ("  ", "required"),
        (1.5, "not_an_order"),
        (True, "not_an_order"),
        (False, "not_an_order"),
        ({}, "not_an_order"),
        ([ORDER_ID], "not_an_order"),
        (1e300, "not_an_order"),
        (LONG, "too_long"),
        ("#\u200b7003", "hidden_characters"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_an_order_id_that_names_none_is_refused(server: Server, order_id: object, code: str) -> None:
    assert codes(refuse_parcel(server, 400, parcel(order_id, ("MUG", 1)))) == [(code, "order_id")]
    reply = refuse_parcel(server, 400, envelope((ORDER_ID, ("MUG", 1)), (order_id, ("MUG", 1))))
    assert codes(reply) == [(code, "line_items_by_fulfillment_order[1].order_id")]


def test_an_order_id_that_is_missing_is_refused(server: Server) -> None:
    assert codes(refuse_parcel(server, 400, {"tracking_number": "T"})) == [("required", "order_id")]
    reply = refuse_parcel(server, 400, {"tracking_number": "T", "line_items_by_fulfillment_order": [{}]})
    assert codes(reply) == [("required", "line_items_by_fulfillment_order[0].order_id")]


@pytest.mark.parametrize(
    "order_id", [1, 0, -1, 2**63 - 1, -(2**63) + 1, "#none", "1", "9" * 19, "9" * 255, "\u0667\u0660", MARK]
)
def test_an_unknown_order_gets_the_published_404(server: Server, order_id: object) -> None:
    published = {"error": "Order Not Found", "message": "The order with the specified ID was not found."}
    assert refuse_parcel(server, 404, parcel(order_id, ("MUG", 1))).json() == published
    assert refuse_parcel(server, 404, envelope((ORDER_ID,), (order_id,))).json() == published


# Quantities and skus


@pytest.mark.parametrize(
    "quantity", [0, -1, 1.5, True, False, "1", "", None, {}, [1], QUANTITY_MAX + 1, 2**63, 1e300, -1e300, 1e-9, MARK]
)
def test_a_quantity_that_is_none_is_refused(server: Server, quantity: object) -> None:
    expected = [("quantity_required" if quantity is None else "quantity_invalid", "line_items[0].quantity")]
    line = {"sku": "MUG", "quantity": quantity}
    for reply in (
        refuse_parcel(server, 400, {"order_id": ORDER_ID, "line_items": [line], "tracking_number": "T"}),
        refuse_order(server, {"line_items": [line]}),
    ):
        assert reply.json()["error"] == "Invalid SKU or Quantity"
        assert reply.json()["message"] == "One or more line items have an invalid SKU or quantity specified."
        assert codes(reply) == expected


def test_a_line_without_quantity_or_sku_is_refused(server: Server) -> None:
    lines = [{"sku": "MUG"}, {"quantity": 1}, {}]
    for reply in (
        refuse_parcel(server, 400, {"order_id": ORDER_ID, "line_items": lines, "tracking_number": "T"}),
        refuse_order(server, {"line_items": lines}),
    ):
        assert reply.json()["error"] == "Invalid SKU or Quantity"
        assert codes(reply) == [
            ("quantity_required", "line_items[0].quantity"),
            ("sku_required", "line_items[1].sku"),
            ("sku_required", "line_items[2].sku"),
            ("quantity_required", "line_items[2].quantity"),
        ]


def test_a_quantity_of_1_0_is_1(server: Server) -> None:
    order_id = record_order(server, ("MUG", 2))
    assert server.post("/v1/fulfillments", parcel(order_id, ("MUG", 1.0))).json()["line_items"][0]["quantity"] == 1
    assert '"quantity": 1.0' in text(parcel(order_id, ("MUG", 1.0)))
    assert remaining(server, order_id) == {"MUG": 1}


def test_exactly_what_remains_is_taken_and_one_more_is_refused(server: Server) -> None:
    order_id = record_order(server, ("MUG", 5))
    reply = refuse_parcel(server, 400, parcel(order_id, ("MUG", 6)))
    assert reply.json()["details"] == [
        {
            "code": "quantity_exceeds_remaining",
            "at": "line_items[0].quantity",
            "message": "Only 5 of this sku remain to be fulfilled.",
            "sku": "MUG",
            "requested": 6,
            "remaining": 5,
        }
    ]
    assert server.post("/v1/fulfillments", parcel(order_id, ("MUG", 5))).status == 200
    assert codes(refuse_parcel(server, 400, parcel(order_id, ("MUG", 1)))) == [
        ("nothing_remaining", "line_items[0].quantity")
    ]
    assert codes(refuse_parcel(server, 400, parcel(order_id))) == [("nothing_remaining", "order_id")]


def test_the_same_sku_twice_is_summed_then_judged(server: Server) -> None:
    order_id = record_order(server, ("MUG", 5))
    reply = refuse_parcel(server, 400, parcel(order_id, ("MUG", 3), ("MUG", 3)))
    assert codes(reply) == [("quantity_exceeds_remaining", "line_items[0].quantity")]
    assert reply.json()["details"][0]["requested"] == 6
    body = server.post("/v1/fulfillments", parcel(order_id, ("MUG", 3), ("MUG", 2))).json()
    assert body["line_items"] == [{"sku": "MUG", "quantity": 5}]


def test_the_cap_of_quantities_holds_for_sums_too(server: Server) -> None:
    half = QUANTITY_MAX // 2 + 1
    assert codes(refuse_parcel(server, 400, parcel(ORDER_ID, ("MUG", half), ("MUG", half)))) == [
        ("quantity_invalid", "line_items[0].quantity")
    ]
    lines = [{"sku": "MUG", "quantity": half}] * 2
    assert codes(refuse_order(server, {"line_items": lines})) == [("quantity_invalid", "line_items")]
    # Groups of one order are one request for it.
    merged = refuse_parcel(server, 400, envelope((ORDER_ID, ("MUG", half)), (ORDER_ID, ("MUG", half))))
    assert merged.json()["error"] == "Invalid SKU or Quantity"


def test_an_unknown_sku_is_refused_with_the_nearest(server: Server) -> None:
    reply = refuse_parcel(server, 400, parcel(ORDER_ID, ("MUGG", 1), ("MUG", 99), ("nothing like it", 1)))
    assert codes(reply) == [("unknown_sku", "line_items[0].sku"), ("unknown_sku", "line_items[2].sku")]
    near = [(detail["sku"], detail["nearest_sku"], detail["remaining"]) for detail in reply.json()["details"]]
    assert near == [("MUGG", "MUG", 0), ("nothing like it", None, 0)]


@pytest.mark.parametrize(
    "sku",
    ["mug", "Mug", "M\u0443G", "\u041cUG", "M\uff35G"],
    ids=["lower case", "title case", "Cyrillic u", "Cyrillic M", "full width"],
)
def test_a_sku_that_only_looks_alike_is_another(server: Server, sku: str) -> None:
    assert codes(refuse_parcel(server, 400, parcel(ORDER_ID, (sku, 1)))) == [("unknown_sku", "line_items[0].sku")]


def test_a_sku_in_nfd_matches_the_stored_nfc(server: Server) -> None:
    order_id = record_order(server, ("K\u00e4se", 1), (" padded ", 1))
    sku = unicodedata.normalize("NFD", "K\u00e4se")
    assert sku != "K\u00e4se"
    body = server.post("/v1/fulfillments", parcel(order_id, (sku, 1), ("padded", 1))).json()
    assert body["line_items"] == [{"sku": "K\u00e4se", "quantity": 1}, {"sku": "padded", "quantity": 1}]


HIDDEN = {
    "bidi override": "\u202e",
    "bidi isolate": "\u2066",
    "right-to-left mark": "\u200f",
    "zero-width space": "\u200b",
    "zero-width joiner": "\u200d",
    "word joiner": "\u2060",
    "byte order mark": "\ufeff",
    "soft hyphen": "\u00ad",
    "line separator": "\u2028",
    "escape": "\x1b",
    "tab": "\t",
}


@pytest.mark.parametrize("name", HIDDEN)
def test_hidden_characters_in_a_sku_or_a_number_are_refused(server: Server, name: str) -> None:
    spoilt = f"M{HIDDEN[name]}G"
    assert codes(refuse_parcel(server, 400, parcel(ORDER_ID, (spoilt, 1)))) == [("sku_invalid", "line_items[0].sku")]
    assert codes(refuse_parcel(server, 400, parcel(ORDER_ID, ("MUG", 1), tracking_number=spoilt))) == [
        ("hidden_characters", "tracking_number")
    ]
    assert codes(refuse_order(server, {"line_items": [{"sku": spoilt, "quantity": 1}]})) == [
        ("sku_invalid", "line_items[0].sku")
    ]
    assert codes(refuse_order(server, {"reference": spoilt, "line_items": [{"sku": "MUG", "quantity": 1}]})) == [
        ("hidden_characters", "reference")
    ]


# Sizes


def test_2001_lines_are_refused_and_2000_are_taken(server: Server) -> None:
    lines = [("MUG", 1)] * 2_001
    assert codes(refuse_parcel(server, 400, parcel(ORDER_ID, *lines))) == [("too_many", "line_items")]
    over_groups = envelope((ORDER_ID, *lines[:1_000]), (ORDER_ID, *lines[:1_001]))
    assert codes(refuse_parcel(server, 400, over_groups)) == [
        ("too_many", "line_items_by_fulfillment_order[1].line_items")
    ]
    many_groups = envelope(*[(ORDER_ID,)] * 2_001)
    assert codes(refuse_parcel(server, 400, many_groups)) == [("too_many", "line_items_by_fulfillment_order")]
    items = [{"sku": f"S{number}", "quantity": 1} for number in range(2_001)]
    assert codes(refuse_order(server, {"line_items": items})) == [("too_many", "line_items")]
    order_id = record_order(server, *[(f"S{number}", 1) for number in range(2_000)])
    assert server.post("/v1/fulfillments", parcel(order_id, *[(f"S{n}", 1) for n in range(2_000)])).status == 200


def test_texts_of_256_characters_are_refused_and_255_are_taken(server: Server) -> None:
    order_id = record_order(server, (LONG[1:], 1), reference=unique("r" * 200).ljust(255, "."))
    assert codes(refuse_parcel(server, 400, parcel(order_id, (LONG, 1)))) == [("sku_invalid", "line_items[0].sku")]
    for name in ("tracking_number", "carrier"):
        reply = refuse_parcel(server, 400, parcel(order_id, (LONG[1:], 1), **{name: LONG}))
        assert codes(reply) == [("too_long", name)]
    fit = parcel(order_id, (LONG[1:], 1), tracking_number=f" {LONG[1:]} ", carrier=LONG[1:])
    assert server.post("/v1/fulfillments", fit).json()["tracking_number"] == LONG[1:]


@pytest.mark.parametrize("number", [None, "", "   ", 7, 1.5, True, {}, ["T"]])
def test_a_tracking_number_that_is_none_is_refused(server: Server, number: object) -> None:
    code = "required" if number is None or isinstance(number, str) else "not_a_text"
    reply = refuse_parcel(server, 400, parcel(ORDER_ID, ("MUG", 1), tracking_number=number))
    assert codes(reply) == [(code, "tracking_number")]


@pytest.mark.parametrize(
    "number",
    [
        "<script>alert(1)</script>",
        "'; DROP TABLE orders; --",
        "=cmd|' /C calc'!A0",
        "+1-2",
        "@SUM(1)",
        "a b",
        "\u00e9\U0001f600",
        "0",
        "../..",
    ],
)
def test_a_tracking_number_is_never_rejected_for_its_look(server: Server, number: str) -> None:
    order_id = record_order(server, ("MUG", 1))
    reply = server.post("/v1/fulfillments", parcel(order_id, tracking_number=number))
    assert reply.status == 200, reply
    assert reply.json()["tracking_number"] == number
    stored = server.get(reply.headers["location"])
    assert stored.json()["tracking_number"] == number
    assert (stored.headers["content-type"], stored.headers["x-content-type-options"]) == ("application/json", "nosniff")


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JAVASCRIPT:alert(1)",
        "data:text/html,x",
        "ftp://x.example/1",
        "//x.example",
        "x.example/1",
        "http://",
        "http:///x",
        "https://x.example/a b",
        "http://[",
        "file:///etc/passwd",
        f"{MARK}:x",
        7,
        True,
        {},
    ],
)
def test_a_tracking_url_that_is_not_of_the_web_is_refused(server: Server, url: object) -> None:
    reply = refuse_parcel(server, 400, parcel(ORDER_ID, ("MUG", 1), tracking_url=url))
    assert [at for _, at in codes(reply)] == ["tracking_url"]


# Orders


@pytest.mark.parametrize("field", ["ship_by", "deliver_by"])
@pytest.mark.parametrize(
    "moment",
    [
        *("2026-05-01T10:00:00", "2026-05-01 10:00", "2016-12-31T23:59:60Z", "2026-02-30", "2026-13-01"),
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-05-01T24:00:01Z", "20260501", "05/01/2026"),
        *("2026-05-01T10:00:00+99:00", "2026-W18-5", "\u0662\u0660\u0662\u0666-05-01", "tomorrow", MARK),
        *(1_777_777_777, True, {}),
    ],
)
def test_a_moment_that_is_none_is_refused(server: Server, field: str, moment: object) -> None:
    reply = refuse_order(server, {field: moment, "line_items": [{"sku": "MUG", "quantity": 1}]})
    assert [at for _, at in codes(reply)] == [field]


@pytest.mark.parametrize("field", ["metadata", "shipping_address"])
def test_16_kibibytes_are_taken_and_one_byte_more_is_refused(server: Server, field: str) -> None:
    fit = {"a": "x" * (16 * 1024 - len('{"a":""}'))}
    record_order(server, **{field: fit})
    too_large = {"a": fit["a"] + "x"}
    lines = [{"sku": "MUG", "quantity": 1}]
    assert codes(refuse_order(server, {field: too_large, "line_items": lines})) == [("too_large", field)]
    for value, code in (("x", "not_an_object"), ([], "not_an_object"), ({"a": "\x00"}, "hidden_characters")):
        assert codes(refuse_order(server, {field: value, "line_items": lines})) == [(code, field)], value


@pytest.mark.parametrize("order_id", [0, -1, 2**63, 1.5, True, "7", {}, 1e300])
def test_an_order_cannot_bring_an_id_that_is_none(server: Server, order_id: object) -> None:
    reply = refuse_order(server, {"id": order_id, "line_items": [{"sku": "MUG", "quantity": 1}]})
    assert codes(reply) == [("not_an_id", "id")]


@pytest.mark.parametrize("lines", [None, "MUG", {}, 1, True])
def test_lines_that_are_no_list_are_refused(server: Server, lines: object) -> None:
    order = refuse_order(server, {"line_items": lines})
    assert order.json()["error"] == "Invalid Request"
    if lines is not None:
        reply = refuse_parcel(server, 400, {**parcel(ORDER_ID), "line_items": lines})
        assert codes(reply) == [("not_a_list", "line_items")]


@pytest.mark.parametrize("line", [None, "MUG", 1, [], ["MUG", 1]])
def test_a_line_that_is_no_object_is_refused(server: Server, line: object) -> None:
    for reply in (
        refuse_order(server, {"line_items": [line]}),
        refuse_parcel(server, 400, {**parcel(ORDER_ID), "line_items": [line]}),
    ):
        assert reply.json()["error"] == "Invalid SKU or Quantity"
        assert codes(reply) == [("not_a_line", "line_items[0]")]


def test_an_empty_list_is_refused(server: Server) -> None:
    reply = refuse_parcel(server, 400, {**parcel(ORDER_ID), "line_items": []})
    assert reply.json()["error"] == "Invalid SKU or Quantity"
    assert codes(reply) == [("empty", "line_items")]
    assert codes(refuse_order(server, {"line_items": []})) == [("empty", "line_items")]


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({"reference": LONG}, "reference"),
        ({"reference": 7}, "reference"),
        ({"channel": LONG}, "channel"),
        ({"email": "a" * 255}, "email"),
        ({"email": "a\nb@x.example"}, "email"),
        ({"shipping_service": LONG}, "shipping_service"),
        ({"line_items": [{"sku": "MUG", "quantity": 1, "title": LONG}]}, "line_items[0].title"),
        ({"line_items": [{"sku": "MUG", "quantity": 1, "title": "a\x07b"}]}, "line_items[0].title"),
        ({"line_items": [{"sku": "MUG", "quantity": 1, "partner": f"Not {MARK}"}]}, "line_items[0].partner"),
        ({"line_items": [{"sku": "MUG", "quantity": 1, "partner": "a" * 64}]}, "line_items[0].partner"),
    ],
)
def test_a_field_of_an_order_that_does_not_fit_is_refused(server: Server, fields: dict[str, Any], at: str) -> None:
    reply = refuse_order(server, {"line_items": [{"sku": "MUG", "quantity": 1}], **fields})
    assert [place for _, place in codes(reply)] == [at]


def test_all_faults_are_reported_together(server: Server) -> None:
    lines = [{"sku": "", "quantity": 0}]
    reply = refuse_parcel(server, 400, {"order_id": 1.5, "line_items": lines, "tracking_url": "x", "orderId": 1})
    assert reply.json()["error"] == "Invalid Request", "not every fault is in the lines"
    assert [at for _, at in codes(reply)] == [
        "orderId",
        "order_id",
        "line_items[0].sku",
        "line_items[0].quantity",
        "tracking_number",
        "tracking_url",
    ]
