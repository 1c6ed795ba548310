"""A fulfillment after it was made, as CONTRACT.md has it: its tracking, its timeline, and how it is taken back."""

from typing import Any

import pytest

from shipledger.limits import CARRIER_EVENTS_MAX
from tests.http.ledger_dump import codes, dump, refuse
from tests.http.orders_to_ship import JSON, parcel, record_order, remaining, text, unique
from tests.serving import Reply, Server

pytestmark = pytest.mark.on_both_databases

UPS = "https://wwwapps.ups.com/WebTracking/track?track=yes&trackNums="
EVENT = {"status": "in_transit", "occurred_at": "2026-05-01T10:00:00Z", "message": "Sorted", "location": "Leipzig"}


def patch(server: Server, path: str, value: Any, key: str | None = None) -> Reply:
    headers = JSON if key is None else {**JSON, "Idempotency-Key": key}
    return server.send("PATCH", path, text(value), headers)


@pytest.fixture
def made(server: Server) -> dict[str, Any]:
    """A fulfillment of 2 MUG, of an order of 5."""
    request = parcel(record_order(server, ("MUG", 5)), ("MUG", 2), tracking_url="https://old.example/1", carrier="UPS")
    document: dict[str, Any] = server.post("/v1/fulfillments", request).json()
    return document


def place(made: dict[str, Any], action: str = "") -> str:
    return f"/v1/fulfillments/{made['id']}{action}"


def shown(server: Server, made: dict[str, Any]) -> dict[str, Any]:
    document: dict[str, Any] = server.get(place(made)).json()
    return document


def told(server: Server, order_id: int) -> list[str]:
    """The types of an order's events."""
    events = dump(server.database)["events"]
    return [row[3] for row in sorted(events) if row[1] == order_id]


OWN = "its own number"


def own(value: Any, made: dict[str, Any]) -> Any:
    return value.replace(OWN, made["tracking_number"]) if isinstance(value, str) else value


def without_warnings(reply: Reply) -> dict[str, Any]:
    return {name: value for name, value in reply.json().items() if name != "warnings"}


# Tracking


@pytest.mark.parametrize(
    ("change", "becomes"),
    [
        ({}, {}),
        ({"carrier": "DHL"}, {"carrier": "DHL"}),
        ({"carrier": None}, {"carrier": "amazon"}),
        ({"carrier": " "}, {"carrier": "amazon"}),
        ({"tracking_url": None}, {"tracking_url": UPS + OWN}),
        ({"tracking_url": "https://new.example/2"}, {"tracking_url": "https://new.example/2"}),
        ({"tracking_number": " N2 "}, {"tracking_number": "N2", "tracking_url": UPS + "N2"}),
        (
            {"tracking_number": "1Z5R89390357567127"},
            {
                "tracking_number": "1Z5R89390357567127",
                "carrier": "ups",
                "tracking_url": UPS + "1Z5R89390357567127",
            },
        ),
        (
            {"tracking_number": "TBA000000000001", "tracking_url": "https://new.example/2", "carrier": "DHL"},
            {"tracking_number": "TBA000000000001", "tracking_url": "https://new.example/2", "carrier": "DHL"},
        ),
        ({"tracking_number": OWN}, {}),
    ],
    ids=str,
)
def test_what_is_given_is_corrected_and_the_rest_stays(
    server: Server, made: dict[str, Any], change: dict[str, Any], becomes: dict[str, Any]
) -> None:
    change, becomes = ({name: own(value, made) for name, value in one.items()} for one in (change, becomes))
    events = ["fulfillment.tracking_changed"] if becomes else []
    reply = patch(server, place(made), change)
    assert (reply.status, without_warnings(reply)) == (200, {**made, **becomes})
    assert shown(server, made) == {**made, **becomes}
    assert told(server, made["order_id"])[2:] == events
    assert patch(server, place(made), change).json() == reply.json()
    assert told(server, made["order_id"])[2:] == events, "the same again is no second event"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"tracking_number": None}, ("required", "tracking_number")),
        ({"tracking_number": ""}, ("required", "tracking_number")),
        ({"tracking_number": 1}, ("not_a_text", "tracking_number")),
        ({"tracking_number": "x" * 256}, ("too_long", "tracking_number")),
        ({"tracking_number": "a\u200bb"}, ("hidden_characters", "tracking_number")),
        ({"tracking_url": "javascript:alert(1)"}, ("not_a_web_address", "tracking_url")),
        ({"carrier": ["UPS"]}, ("not_a_text", "carrier")),
        ({"tracking": "N2"}, ("unknown_field", "tracking")),
    ],
    ids=str,
)
def test_a_correction_that_says_nothing_sensible_is_refused(
    server: Server, made: dict[str, Any], change: dict[str, Any], fault: tuple[str, str]
) -> None:
    assert codes(refuse(server, 400, "PATCH", place(made), text(change), JSON)) == [fault]


def test_a_number_that_another_fulfillment_of_the_order_has_is_a_warning(server: Server, made: dict[str, Any]) -> None:
    number = unique("TBA") + "0000"
    other = server.post("/v1/fulfillments", parcel(made["order_id"], ("MUG", 1), tracking_number=number)).json()
    reply = patch(server, place(made), {"tracking_number": number, "id": 7})
    found = [warning["code"] for warning in reply.json()["warnings"]]
    assert found == ["unknown_field", "tracking_number_repeated"]
    assert str(other["id"]) in reply.json()["warnings"][1]["message"]
    server.post(place(other, "/cancel"), {})
    assert "warnings" not in patch(server, place(made), {"tracking_number": number}).json()


# Taken back


def test_a_cancelled_fulfillment_gives_its_quantities_back_once(server: Server, made: dict[str, Any]) -> None:
    for _ in range(2):
        reply = server.send("POST", place(made, "/cancel"))
        assert (reply.status, reply.json()) == (200, {**made, "status": "cancelled"})
    assert shown(server, made) == {**made, "status": "cancelled"}
    assert remaining(server, made["order_id"]) == {"MUG": 5}
    assert told(server, made["order_id"]) == ["order.created", "fulfillment.created", "fulfillment.cancelled"]
    assert server.post("/v1/fulfillments", parcel(made["order_id"], ("MUG", 5))).status == 200


def test_quantities_return_to_the_very_lines_that_they_came_from(server: Server) -> None:
    order_id = record_order(server, ("MUG", 2), ("MUG", 3))
    first = server.post("/v1/fulfillments", parcel(order_id, ("MUG", 1))).json()
    second = server.post("/v1/fulfillments", parcel(order_id, ("MUG", 3))).json()
    assert [line["fulfilled"] for line in server.get(f"/v1/orders/{order_id}").json()["line_items"]] == [2, 2]
    server.post(place(first, "/cancel"), {})
    assert [line["fulfilled"] for line in server.get(f"/v1/orders/{order_id}").json()["line_items"]] == [1, 2]
    server.post(place(second, "/cancel"), {})
    assert [line["fulfilled"] for line in server.get(f"/v1/orders/{order_id}").json()["line_items"]] == [0, 0]


def test_what_is_given_back_to_a_cancelled_order_is_cancelled(server: Server, made: dict[str, Any]) -> None:
    server.post(f"/v1/orders/{made['order_id']}/cancel", {})
    assert server.get(f"/v1/orders/{made['order_id']}").json()["status"] == "fulfilled"
    server.post(place(made, "/cancel"), {})
    order = server.get(f"/v1/orders/{made['order_id']}").json()
    assert (order["status"], order["totals"]) == (
        "cancelled",
        {"ordered": 5, "fulfilled": 0, "cancelled": 5, "remaining": 0},
    )


def test_a_cancelled_fulfillment_is_changed_no_more(server: Server, made: dict[str, Any]) -> None:
    server.post(place(made, "/cancel"), {})
    for method, path, value in (("PATCH", "", {"carrier": "DHL"}), ("POST", "/events", EVENT)):
        reply = refuse(server, 409, method, place(made, path), text(value), JSON)
        assert (reply.json()["error"], codes(reply)) == ("Fulfillment Cancelled", [("fulfillment_cancelled", "id")])


def test_only_a_whole_fulfillment_is_cancelled(server: Server, made: dict[str, Any]) -> None:
    lines = [{"sku": "MUG", "quantity": 1}]
    reply = refuse(server, 400, "POST", place(made, "/cancel"), text({"line_items": lines}), JSON)
    assert codes(reply) == [("only_whole", "line_items")]
    assert codes(refuse(server, 400, "POST", place(made, "/cancel"), text({"lineItems": lines}), JSON)) == [
        ("unknown_field", "lineItems")
    ]


# On its way


def heard(server: Server, made: dict[str, Any], *statuses_and_hours: tuple[str, int]) -> list[str]:
    """The status after each event."""
    return [
        server.post(place(made, "/events"), {"status": status, "occurred_at": f"2026-05-01T{hour:02}:00:00Z"}).json()[
            "status"
        ]
        for status, hour in statuses_and_hours
    ]


@pytest.mark.parametrize(
    ("events", "statuses"),
    [
        (
            [("in_transit", 1), ("out_for_delivery", 2), ("delivered", 3)],
            ["in_transit", "out_for_delivery", "delivered"],
        ),
        ([("out_for_delivery", 2), ("in_transit", 1)], ["out_for_delivery", "out_for_delivery"]),
        ([("in_transit", 1), ("failed", 1)], ["in_transit", "failed"]),
        ([("failed", 1), ("in_transit", 2)], ["failed", "in_transit"]),
        ([("delivered", 1), ("in_transit", 2), ("failed", 3)], ["delivered", "delivered", "delivered"]),
        ([("delivered", 1), ("returned", 2), ("in_transit", 3)], ["delivered", "returned", "returned"]),
        ([("returned", 3), ("delivered", 1)], ["returned", "returned"]),
        ([("in_transit", 2), ("delivered", 1)], ["in_transit", "delivered"]),
        ([("returned", 1), ("in_transit", 2)], ["returned", "in_transit"]),
    ],
    ids=str,
)
def test_the_status_is_that_of_the_event_that_occurred_last(
    server: Server, made: dict[str, Any], events: list[tuple[str, int]], statuses: list[str]
) -> None:
    assert heard(server, made, *events) == statuses
    assert shown(server, made) == {**made, "status": statuses[-1]}
    timeline = server.get(place(made, "/events")).json()
    assert {event["status"] for event in timeline["events"]} == {status for status, _ in events}
    moments = [event["occurred_at"] for event in timeline["events"]]
    assert moments == sorted(moments, reverse=True)
    changes = sum(before != after for before, after in zip(["created", *statuses], statuses, strict=False))
    assert told(server, made["order_id"])[2:] == ["fulfillment.status_changed"] * changes


def test_the_same_event_again_is_no_second_one(server: Server, made: dict[str, Any]) -> None:
    first = server.post(place(made, "/events"), EVENT)
    again = server.post(place(made, "/events"), {**EVENT, "occurred_at": "2026-05-01T12:00:00+02:00"})
    assert (first.status, again.status, again.json()) == (200, 200, first.json())
    server.post(place(made, "/events"), {**EVENT, "location": "Berlin"})
    found = server.get(place(made, "/events")).json()["events"]
    assert [(event["location"], event["message"]) for event in found] == [("Berlin", "Sorted"), ("Leipzig", "Sorted")]
    assert list(found[0]) == ["status", "occurred_at", "message", "location", "received_at"]


@pytest.mark.parametrize(
    ("event", "fault"),
    [
        ({}, ("required", "status")),
        ({"status": "cancelled"}, ("not_a_status", "status")),
        ({"status": "lost"}, ("not_a_status", "status")),
        ({"status": 1}, ("not_a_text", "status")),
        ({**EVENT, "occurred_at": "yesterday"}, ("not_a_moment", "occurred_at")),
        ({**EVENT, "occurred_at": "2999-01-01T00:00:00Z"}, ("in_the_future", "occurred_at")),
        ({**EVENT, "message": "x" * 1001}, ("too_long", "message")),
        ({**EVENT, "message": "\u0007"}, ("hidden_characters", "message")),
        ({**EVENT, "location": {}}, ("not_a_text", "location")),
        ({**EVENT, "happened_at": "2026-05-01"}, ("unknown_field", "happened_at")),
    ],
    ids=lambda value: str(value)[:60],
)
def test_an_event_that_says_nothing_sensible_is_refused(
    server: Server, made: dict[str, Any], event: dict[str, Any], fault: tuple[str, str]
) -> None:
    assert codes(refuse(server, 400, "POST", place(made, "/events"), text(event), JSON)) == [fault]


def test_a_timeline_has_an_end(server: Server, made: dict[str, Any]) -> None:
    for number in range(CARRIER_EVENTS_MAX):
        assert server.post(place(made, "/events"), {**EVENT, "message": str(number)}).status == 200
    reply = refuse(server, 400, "POST", place(made, "/events"), text(EVENT), JSON)
    assert codes(reply) == [("too_many", "status")]
    assert server.post(place(made, "/events"), {**EVENT, "message": "7"}).status == 200, "the same is no second one"
    assert len(server.get(place(made, "/events")).json()["events"]) == CARRIER_EVENTS_MAX


# All of them


CHANGES = [("PATCH", "", {"carrier": "DHL"}), ("POST", "/cancel", {}), ("POST", "/events", EVENT)]


@pytest.mark.parametrize(("method", "action", "value"), CHANGES)
def test_under_a_key_the_first_answer_is_given_again(
    server: Server, made: dict[str, Any], method: str, action: str, value: dict[str, Any]
) -> None:
    headers = {**JSON, "Idempotency-Key": unique("key")}
    first = server.send(method, place(made, action), text(value), headers)
    patch(server, place(made), {"carrier": "FedEx"})
    server.post(place(made, "/cancel"), {})
    again = server.send(method, place(made, action), text(value), headers)
    assert (again.status, again.body, again.headers["idempotent-replayed"]) == (200, first.body, "true")
    assert "idempotent-replayed" not in first.headers
    for other_method, other_action, other in (
        ("PATCH", "", {"carrier": "X"}),
        ("POST", "/events", {"status": "failed"}),
    ):
        reply = refuse(server, 422, other_method, place(made, other_action), text(other), headers)
        assert reply.json()["error"] == "Idempotency-Key Reused"


@pytest.mark.parametrize(("method", "action", "value"), [*CHANGES, ("GET", "/events", None)])
@pytest.mark.parametrize("id_", ["0", "999999999", "9" * 19, "9" * 30, "1.5", "x", "%00"])
def test_what_is_not_there_is_not_found(server: Server, method: str, action: str, value: Any, id_: str) -> None:
    body = None if value is None else text(value)
    reply = refuse(server, 404, method, f"/v1/fulfillments/{id_}{action}", body, JSON)
    assert reply.json() == {"error": "Not Found", "message": "There is nothing here."}
