"""What `GET /v1/tracking/{number}` tells, and what a fulfillment's number tells when it is created."""

from typing import Any
from urllib.parse import quote

import pytest

from shipledger.limits import TRACKING_NUMBER_CHARS_MAX
from tests.http.orders_to_ship import parcel, record_order
from tests.serving import Server

pytestmark = pytest.mark.on_both_databases

UPS = "1ZE356F8YW01937117"
UPS_WRONG = "1ZE356F8YW01937118"
UPS_PAGE = "https://wwwapps.ups.com/WebTracking/track?track=yes&trackNums="


def explain(server: Server, number: str) -> Any:
    reply = server.get(f"/v1/tracking/{quote(number, safe='')}")
    assert reply.status == 200, reply
    return reply.json()


def warned(body: dict[str, Any]) -> list[tuple[str, str]]:
    return [(warning["code"], warning["at"]) for warning in body.get("warnings", [])]


def test_a_number_is_explained(server: Server) -> None:
    ups = {"carrier": "ups", "name": "UPS", "check_digit": "verified", "tracking_url": UPS_PAGE + UPS}
    assert explain(server, UPS) == {"candidates": [ups], "warnings": []}
    assert explain(server, " 1z E356F8 YW0193 7117 ") == {"candidates": [ups], "warnings": []}


def test_candidates_come_best_first(server: Server) -> None:
    assert [(one["carrier"], one["check_digit"]) for one in explain(server, "LX123456785CN")["candidates"]] == [
        ("post_cn", "verified"),
        ("dhl", "none"),
    ]


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (UPS_WRONG, "tracking_check_failed"),
        ("<script>alert(1)</script>"[:8], "tracking_format_unknown"),
        ("'; DROP TABLE orders", "tracking_format_unknown"),
        ("50% off? #1 + more & more", "tracking_format_unknown"),
        ("é" * TRACKING_NUMBER_CHARS_MAX, "tracking_format_unknown"),
        ("+49 30 1234567", "tracking_looks_like_phone"),
    ],
)
def test_what_is_odd_is_a_warning(server: Server, number: str, code: str) -> None:
    body = explain(server, number)
    assert (body["candidates"], warned(body)) == ([], [(code, "tracking_number")])


@pytest.mark.parametrize(
    "path",
    [
        "%00",
        "%ff",
        "..%2f",
        "%2e",
        "1Z%2F1",
        "%20",
        "%E2%80%AE1Z",
        "1%0AZ",
        "x" * 256,
        "x" * 10_000,
        "a/b",
        "%ED%A0%80",
    ],
)
def test_what_no_fulfillment_can_have_is_404(server: Server, path: str) -> None:
    reply = server.get(f"/v1/tracking/{path}")
    assert reply.status == 404
    assert reply.json().keys() == {"error", "message"}


def test_an_unknown_parameter_is_400_and_another_method_405(server: Server) -> None:
    assert server.get(f"/v1/tracking/{UPS}?carrier=ups").status == 400
    assert server.post(f"/v1/tracking/{UPS}", {}).status == 405


@pytest.mark.parametrize(
    ("given", "carrier", "url", "codes"),
    [
        ({"tracking_number": UPS}, "ups", UPS_PAGE + UPS, []),
        ({"tracking_number": UPS, "tracking_url": "https://x.example/1"}, "ups", "https://x.example/1", []),
        ({"tracking_number": "1Z5R89390357567127", "carrier": "UPS"}, "UPS", f"{UPS_PAGE}1Z5R89390357567127", []),
        ({"tracking_number": UPS_WRONG}, None, None, [("tracking_check_failed", "tracking_number")]),
        ({"tracking_number": "hello"}, None, None, [("tracking_format_unknown", "tracking_number")]),
        ({"tracking_number": "hi", "carrier": "By bike"}, "By bike", None, [("carrier_unknown", "carrier")]),
    ],
)
def test_a_number_fills_what_was_not_given(
    server: Server, given: dict[str, str], carrier: str | None, url: str | None, codes: list[tuple[str, str]]
) -> None:
    order_id = record_order(server)
    body = server.post("/v1/fulfillments", parcel(order_id, ("MUG", 1), **given)).json()
    assert (body["tracking_number"], body["carrier"], body["tracking_url"]) == (given["tracking_number"], carrier, url)
    codes_but_repeats = [warning for warning in warned(body) if warning[0] != "tracking_number_on_another_order"]
    assert codes_but_repeats == codes
    stored = server.get(f"/v1/fulfillments/{body['id']}").json()
    assert (stored["carrier"], stored["tracking_url"]) == (carrier, url)


def test_a_number_of_this_and_of_another_order_is_warned_of(server: Server) -> None:
    orders, number = [record_order(server), record_order(server)], "TBA777777777777"
    sent = [
        (orders[0], []),
        (orders[0], ["tracking_number_repeated"]),
        (orders[1], ["tracking_number_on_another_order"]),
    ]
    for order_id, expected in sent:
        body = server.post("/v1/fulfillments", parcel(order_id, ("MUG", 1), tracking_number=number)).json()
        assert [code for code, _ in warned(body)] == expected
    order_id = record_order(server)
    body = server.post("/v1/fulfillments", parcel(order_id, ("MUG", 1), tracking_number=str(order_id))).json()
    assert "tracking_looks_like_order" in [code for code, _ in warned(body)]
