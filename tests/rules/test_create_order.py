"""What becomes of a request to record an order."""

from dataclasses import replace
from typing import Any

import pytest

from shipledger.command import CreateOrder
from shipledger.limits import ASSIGNED_ORDER_ID_MIN
from shipledger.order import OrderContent, OrderedLine, OrderStatus, status_of
from shipledger.outcome import Done
from shipledger.refusal import Caution, Reason
from tests.rules.asking import line, order, origin
from tests.rules.desk import NOON, Desk, body, faults, reason, warnings

FULL = OrderContent(
    id=7,
    lines=(OrderedLine("A", 2, "A mug"), OrderedLine("A", 1, None, "east")),
    reference="#7",
    channel="shop",
    email="ann@example.com",
    shipping_address={"city": "Lyon"},
    shipping_service="Express",
    ship_by=NOON,
    deliver_by=NOON,
    metadata={"gift": True},
)


def test_the_answer_is_the_whole_order(desk: Desk) -> None:
    (outcome,) = desk.send(CreateOrder(origin(), FULL))
    noon = "2024-04-30T12:00:00Z"
    quantities = {"fulfilled": 0, "cancelled": 0}
    assert body(outcome) == {
        "id": 7,
        "reference": "#7",
        "status": "unfulfilled",
        "on_hold": False,
        "hold_reason": None,
        "channel": "shop",
        "email": "ann@example.com",
        "shipping_address": {"city": "Lyon"},
        "shipping_service": "Express",
        "ship_by": noon,
        "deliver_by": noon,
        "metadata": {"gift": True},
        "created_at": noon,
        "cancelled_at": None,
        "totals": {"ordered": 3, "remaining": 3, **quantities},
        "line_items": [
            {"sku": "A", "title": "A mug", "partner": None, "ordered": 2, "remaining": 2, **quantities},
            {"sku": "A", "title": None, "partner": "east", "ordered": 1, "remaining": 1, **quantities},
        ],
        "fulfillments": [],
        "fulfillments_url": "/v1/fulfillments?order_id=7",
    }
    assert outcome == Done(body(outcome), made_id=7)


def test_its_event_does_not_name_or_locate_the_customer(desk: Desk) -> None:
    (outcome,) = desk.send(CreateOrder(origin(), FULL))
    (event,) = desk.ledger.events
    left_out = {"email", "shipping_address", "fulfillments", "fulfillments_url"}
    assert (event.type, event.sequence) == ("order.created", 1)
    assert event.data == {name: value for name, value in body(outcome).items() if name not in left_out}


@pytest.mark.parametrize(
    ("first", "again"),
    [
        (order(1, line("A", 1)), order(1, line("A", 1))),
        (order(None, line("A", 1), reference="#1"), order(None, line("A", 1), reference="#1")),
        (order(1, line("A", 1), reference="#1"), order(1, line("A", 1), reference="#1")),
        (CreateOrder(origin(), FULL), CreateOrder(origin(), replace(FULL, metadata={"gift": True}))),
    ],
)
@pytest.mark.parametrize("is_one_batch", [True, False])
def test_the_same_order_again_is_no_new_one(
    desk: Desk, first: CreateOrder, again: CreateOrder, is_one_batch: bool
) -> None:
    outcomes = desk.send(first, again) if is_one_batch else [*desk.send(first), *desk.send(again)]
    assert outcomes[1] == Done({}, body(outcomes[0])["id"], is_new=False)
    assert len(desk.ledger.events) == len(desk.stored.orders) == 1


def test_the_same_order_is_known_again_after_some_of_it_was_shipped(desk: Desk) -> None:
    desk.order(1, line("A", 2))
    desk.ship((1, (("A", 1),)))
    assert desk.send(order(1, line("A", 2))) == [Done({}, 1, is_new=False)]


@pytest.mark.parametrize(
    ("another", "place"),
    [
        (order(1, line("A", 2), reference="#1"), "id"),
        (order(1, line("A", 1)), "id"),
        (order(1, line("A", 1), reference="#2"), "id"),
        (order(2, line("A", 1), reference="#1"), "reference"),
        (order(None, line("A", 1), reference="#1"), "reference"),
        (order(1, line("A", 1, partner="east"), reference="#1"), "id"),
        (order(1, line("A", 1), line("B", 1), reference="#1"), "id"),
        (order(5, line("B", 1), reference="#1"), "id"),
        (order(1, line("B", 1), reference="#5"), "id"),
    ],
)
def test_another_order_under_a_known_id_or_reference_is_refused(desk: Desk, another: CreateOrder, place: str) -> None:
    desk.order(1, line("A", 1), reference="#1")
    desk.order(5, line("B", 1), reference="#5")
    before = desk.snapshot()
    (outcome,) = desk.send(another)
    assert reason(outcome) is Reason.ORDER_EXISTS
    assert faults(outcome) == [("order_exists", place, None, None, None)]
    assert desk.snapshot() == before


def test_lines_in_another_order_are_another_order(desk: Desk) -> None:
    desk.order(1, line("A", 1), line("B", 1))
    assert reason(desk.send(order(1, line("B", 1), line("A", 1)))[0]) is Reason.ORDER_EXISTS


def test_orders_without_a_name_are_always_new(desk: Desk) -> None:
    nameless = order(None, line("A", 1))
    assert [body(outcome)["id"] for outcome in desk.send(nameless, nameless)] == [
        ASSIGNED_ORDER_ID_MIN,
        ASSIGNED_ORDER_ID_MIN + 1,
    ]


def test_an_id_that_a_source_brought_is_not_assigned_again(desk: Desk) -> None:
    nameless = order(None, line("A", 1))
    desk.order(ASSIGNED_ORDER_ID_MIN, line("A", 1))
    brought = order(ASSIGNED_ORDER_ID_MIN + 1, line("A", 1))
    assert [body(outcome)["id"] for outcome in desk.send(brought, nameless, nameless)] == [
        ASSIGNED_ORDER_ID_MIN + 1,
        ASSIGNED_ORDER_ID_MIN + 2,
        ASSIGNED_ORDER_ID_MIN + 3,
    ]


def test_an_id_may_be_another_orders_reference(desk: Desk) -> None:
    desk.order(1, line("A", 1))
    desk.order(2, line("A", 1), reference="1")
    assert sorted(desk.stored.orders) == [1, 2]


def test_warnings_are_answered_and_told_to_nobody_else(desk: Desk) -> None:
    caution = Caution("unknown_field", "colour", "This field is not known and was ignored.")
    (outcome,) = desk.send(CreateOrder(origin(), FULL, cautions=(caution,)))
    assert warnings(outcome) == ["unknown_field"]
    data: Any = desk.ledger.events[0].data
    assert "warnings" not in data


@pytest.mark.parametrize(
    ("ordered", "fulfilled", "cancelled", "status"),
    [
        (3, 0, 0, OrderStatus.UNFULFILLED),
        (3, 0, 2, OrderStatus.UNFULFILLED),
        (3, 1, 0, OrderStatus.PARTIALLY_FULFILLED),
        (3, 1, 1, OrderStatus.PARTIALLY_FULFILLED),
        (3, 3, 0, OrderStatus.FULFILLED),
        (3, 1, 2, OrderStatus.FULFILLED),
        (3, 0, 3, OrderStatus.CANCELLED),
    ],
)
def test_the_status_follows_the_quantities(ordered: int, fulfilled: int, cancelled: int, status: OrderStatus) -> None:
    assert status_of(ordered, fulfilled, cancelled) is status
