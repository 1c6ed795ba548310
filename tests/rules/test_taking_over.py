"""What another ledger recorded is recorded as it stands there, and nobody else gets past a hold that way."""

from dataclasses import replace
from typing import Any

import pytest

from shipledger.command import (
    AddCarrierEvent,
    CreateFulfillment,
    CreateOrder,
    Origin,
    RequestedLine,
    TakeOverFulfillment,
    parcel_of_file,
    requested_order,
)
from shipledger.file_import import BeginImport
from shipledger.fulfillment import FulfillmentStatus, ToldEvent, Tracking
from shipledger.order import OrderContent, OrderedLine
from shipledger.past import ParcelPast, parcel_past, past_document
from shipledger.refusal import Reason
from shipledger.timestamp import MICROSECONDS_A_SECOND
from tests.rules.asking import line, origin
from tests.rules.desk import NOON, Desk, body, faults, reason

DAY = 86_400 * MICROSECONDS_A_SECOND
EARLIER = ParcelPast(7, NOON - DAY)
LATER = ParcelPast(7, NOON + 1)
IN_TRANSIT, DELIVERED = FulfillmentStatus.IN_TRANSIT, FulfillmentStatus.DELIVERED


def with_order(desk: Desk, *lines: OrderedLine, **past: Any) -> None:
    """Have order 1 come from another ledger, a day after its parcels were recorded there."""
    desk.send(CreateOrder(origin(), OrderContent(1, lines, **past)), BeginImport(origin(), "file", "its content"))


def parcel(
    past: ParcelPast, *lines: tuple[str, int], who: Origin | None = None, number: str = "T1"
) -> TakeOverFulfillment:
    asked = [RequestedLine(sku, quantity, "line_items[0]") for sku, quantity in lines]
    given = CreateFulfillment(who or origin(), (requested_order(1, asked, "order_id"),), Tracking(number))
    command = parcel_of_file(given, 1, past)
    assert isinstance(command, TakeOverFulfillment)
    return command


@pytest.mark.parametrize(
    ("past", "why"),
    [
        ({"hold_reason": "why"}, Reason.ORDER_ON_HOLD),
        ({"cancelled_at": NOON - 1}, Reason.ORDER_CANCELLED),
    ],
)
def test_only_what_is_older_than_its_order_gets_past_a_hold(desk: Desk, past: dict[str, Any], why: Reason) -> None:
    with_order(desk, line("A", 5), **past)
    before = desk.snapshot()
    assert reason(desk.send(parcel(LATER, ("A", 1)))[0]) is why
    assert reason(desk.ship((1, (("A", 1),)))) is why
    assert desk.snapshot() == before
    assert body(desk.send(parcel(EARLIER, ("A", 2)))[0])["status"] == "created"
    assert desk.fulfilled(1) == [2]


def test_a_partner_takes_nothing_over(desk: Desk) -> None:
    with_order(desk, line("A", 5, "north"), hold_reason="why")
    before = desk.snapshot()
    assert reason(desk.send(parcel(EARLIER, ("A", 1), who=origin("north")))[0]) is Reason.ORDER_NOT_FOUND
    assert desk.snapshot() == before


def test_an_order_stands_as_it_stood(desk: Desk) -> None:
    with_order(desk, OrderedLine("A", 5, cancelled=2), line("B", 1), hold_reason="why")
    order = desk.stored.orders[1]
    assert [(one.cancelled, one.remaining) for one in order.lines] == [(2, 3), (0, 1)]
    assert (order.hold_reason, order.cancelled_at) == ("why", None)
    assert desk.events(1) == ["order.created", "order.changed", "order.held"]
    with_order(desk, OrderedLine("A", 5, cancelled=2), line("B", 1), hold_reason="another")
    assert desk.events(1) == ["order.created", "order.changed", "order.held"], "what is known is left alone"


def test_an_order_of_which_all_was_cancelled_is_cancelled(desk: Desk) -> None:
    with_order(desk, OrderedLine("A", 5, cancelled=5))
    assert desk.stored.orders[1].cancelled_at == NOON
    assert desk.events(1) == ["order.created", "order.cancelled"]


def test_what_was_shipped_of_a_cancelled_order_is_not_cancelled(desk: Desk) -> None:
    with_order(desk, line("A", 5), cancelled_at=NOON - 1)
    order = desk.stored.orders[1]
    assert (order.fulfilled, order.cancelled, order.cancelled_at) == (0, 5, NOON - 1)
    desk.send(parcel(EARLIER, ("A", 2)))
    order = desk.stored.orders[1]
    assert (order.fulfilled, order.cancelled, order.remaining) == (2, 3, 0)
    assert desk.events(1)[2:] == ["fulfillment.created", "order.changed"]
    too_many = desk.send(parcel(replace(EARLIER, id=8), ("A", 4), number="T2"))[0]
    assert faults(too_many) == [("quantity_exceeds_remaining", "line_items[0].quantity", "A", 4, 3)]


def test_what_went_through_its_past_has_an_event_for_each_step(desk: Desk) -> None:
    with_order(desk, line("A", 2))
    timeline = (ToldEvent(IN_TRANSIT, NOON - 2), ToldEvent(DELIVERED, NOON - 1), ToldEvent(IN_TRANSIT, NOON - 3))
    (done,) = desk.send(parcel(replace(EARLIER, timeline=timeline), ("A", 2)))
    assert body(done)["status"] == "delivered"
    told = ["fulfillment.created", "fulfillment.status_changed", "fulfillment.status_changed", "order.fulfilled"]
    assert desk.events(1)[1:] == told
    assert [event.position for event in desk.stored.carrier_events] == [1, 2, 3]
    (again,) = desk.send(AddCarrierEvent(origin(), 1, IN_TRANSIT, NOON - 3))
    assert body(again)["status"] == "delivered", "an event that is known is no new one"
    assert len(desk.stored.carrier_events) == 3


def test_one_that_was_cancelled_takes_nothing(desk: Desk) -> None:
    with_order(desk, line("A", 2))
    desk.ship((1, (("A", 2),)))
    (done,) = desk.send(parcel(replace(EARLIER, is_cancelled=True), ("A", 2)))
    assert body(done)["status"] == "cancelled"
    assert desk.fulfilled(1) == [2]
    assert desk.events(1)[-2:] == ["fulfillment.created", "fulfillment.cancelled"]


def test_lines_are_filled_as_they_were(desk: Desk) -> None:
    with_order(desk, line("A", 2), line("A", 2, "north"), line("A", 2))
    desk.send(parcel(replace(EARLIER, taken_from=((1, 2), (2, 1), (9, 1))), ("A", 4)))
    assert desk.fulfilled(1) == [1, 2, 1], "what no line is named for goes to the first that has room"


def test_alike_ones_are_told_apart(desk: Desk) -> None:
    with_order(desk, line("A", 5))
    alike = [parcel(replace(EARLIER, id=10 + nth, nth=nth), ("A", 1)) for nth in (1, 2, 3)]
    desk.ship((1, (("A", 1),)))
    for _ in range(2):
        desk.send(*alike)
        assert desk.fulfilled(1) == [3], "the first of them is what the ledger had"


def test_a_number_that_was_corrected_since_is_of_no_other_parcel(desk: Desk) -> None:
    with_order(desk, line("A", 5))
    desk.send(parcel(EARLIER, ("A", 1)))
    corrected = desk.send(parcel(replace(EARLIER, is_cancelled=True), ("A", 1), number="T2"))[0]
    assert (body(corrected)["status"], body(corrected)["tracking_number"]) == ("created", "T1")
    assert len(desk.stored.fulfillments) == 1
    desk.send(parcel(replace(EARLIER, recorded_at=EARLIER.recorded_at - DAY), ("A", 1), number="T2"))
    assert desk.fulfilled(1) == [2], "the same id in another ledger is another parcel"


def test_what_nobody_can_know_yet_is_refused(desk: Desk) -> None:
    with_order(desk, line("A", 5))
    before = desk.snapshot()
    (refused,) = desk.send(parcel(replace(EARLIER, timeline=(ToldEvent(DELIVERED, NOON + 2 * DAY),)), ("A", 1)))
    assert faults(refused)[0][0] == "in_the_future"
    (refused,) = desk.send(parcel(EARLIER, ("Z", 1)))
    assert faults(refused)[0][0] == "unknown_sku"
    assert desk.snapshot() == before


PAST = {"id": 1, "created_at": "2024-04-30T12:00:00Z", "status": "delivered"}


def test_a_status_without_events_is_an_event() -> None:
    assert parcel_past(PAST).timeline == (ToldEvent(DELIVERED),)
    assert parcel_past({**PAST, "status": "created"}).timeline == ()
    assert parcel_past({**PAST, "status": "cancelled"}).is_cancelled


def test_a_past_is_read_as_it_was_written() -> None:
    timeline = (ToldEvent(IN_TRANSIT, NOON + 1, "It left.", "Köln"), ToldEvent(DELIVERED))
    past = ParcelPast(7, NOON, taken_from=((0, 2), (3, 1)), timeline=timeline, nth=2)
    assert parcel_past(past_document(past)) == past
    assert parcel_past(past_document(replace(past, is_cancelled=True))) == replace(past, is_cancelled=True)


@pytest.mark.parametrize(
    "fault",
    [
        {"id": 0},
        {"id": "1"},
        {"id": True},
        {"created_at": None},
        {"created_at": "yesterday"},
        {"status": "sent"},
        {"status": None},
        {"events": [{"status": "cancelled"}]},
        {"events": [{"status": "delivered", "occurred_at": 5}]},
        {"events": [{"status": "delivered", "message": 5}]},
        {"events": [{"status": "delivered", "message": "\x07"}]},
        {"events": [{"status": "delivered"}] * 201},
        {"events": {}},
        {"taken_from": [1]},
        {"taken_from": [{"position": -1, "quantity": 1}]},
        {"taken_from": [{"position": 0, "quantity": 0}]},
        {"nth": 0},
    ],
)
def test_a_past_that_cannot_be_is_refused(fault: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parcel_past({**PAST, **fault})
