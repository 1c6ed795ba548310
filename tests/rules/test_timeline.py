"""What a parcel's events amount to, as a table; and which of them are one."""

import itertools
from dataclasses import replace

import pytest

from shipledger.command import AddCarrierEvent
from shipledger.fulfillment import MAY_FOLLOW, REPORTED, CarrierEvent, FulfillmentStatus, status_by
from shipledger.limits import CARRIER_EVENT_AHEAD_HOURS_MAX
from shipledger.timestamp import MICROSECONDS_A_SECOND
from tests.rules.asking import line, origin
from tests.rules.desk import NOON, Desk, faults

EVENT = CarrierEvent(1, 1, FulfillmentStatus.IN_TRANSIT, NOON, "sorted", "Leipzig", NOON)


def heard(*told: tuple[str, int]) -> list[CarrierEvent]:
    """Events with these statuses, at these moments, in the order in which they came."""
    return [
        replace(EVENT, position=at, status=FulfillmentStatus(status), occurred_at=moment)
        for at, (status, moment) in enumerate(told, 1)
    ]


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ([], "created"),
        ([("in_transit", 1)], "in_transit"),
        ([("in_transit", 2), ("created", 1)], "in_transit"),
        ([("out_for_delivery", 2), ("in_transit", 1)], "out_for_delivery"),
        ([("in_transit", 1), ("failed", 1)], "failed"),
        ([("failed", 1), ("in_transit", 1)], "in_transit"),
        ([("delivered", 1), ("failed", 2)], "delivered"),
        ([("failed", 2), ("delivered", 1)], "delivered"),
        ([("failed", 2), ("delivered", 3)], "delivered"),
        ([("delivered", 1), ("returned", 2)], "returned"),
        ([("delivered", 1), ("returned", 2), ("delivered", 3)], "returned"),
        ([("returned", 1), ("delivered", 2)], "delivered"),
        ([("returned", 1), ("in_transit", 2)], "in_transit"),
    ],
    ids=str,
)
def test_the_status_is_that_of_the_latest_event_that_may_follow(told: list[tuple[str, int]], status: str) -> None:
    assert status_by(heard(*told)) == status


def test_the_order_of_arrival_matters_only_at_one_moment() -> None:
    told = [("in_transit", 1), ("delivered", 2), ("failed", 3), ("returned", 4)]
    assert {status_by(heard(*order)) for order in itertools.permutations(told)} == {FulfillmentStatus.RETURNED}


def test_the_table_tells_of_every_status_and_cancelled_is_none_that_is_heard() -> None:
    assert MAY_FOLLOW.keys() == set(FulfillmentStatus)
    assert FulfillmentStatus.CANCELLED not in set.union(*map(set, MAY_FOLLOW.values())) | REPORTED
    assert MAY_FOLLOW[FulfillmentStatus.DELIVERED] == {FulfillmentStatus.RETURNED}
    assert not MAY_FOLLOW[FulfillmentStatus.CANCELLED]


@pytest.mark.parametrize(
    ("change", "is_same"),
    [
        ({"position": 9, "received_at": NOON + 1}, True),
        ({"status": FulfillmentStatus.FAILED}, False),
        ({"occurred_at": NOON + 1}, False),
        ({"message": None}, False),
        ({"location": "Bonn"}, False),
        ({"fulfillment_id": 2}, False),
    ],
    ids=str,
)
def test_an_event_is_known_by_what_it_tells(change: dict[str, int], is_same: bool) -> None:
    assert replace(EVENT, **change).tells_the_same_as(EVENT) is is_same  # type: ignore[arg-type]


@pytest.mark.parametrize(("ahead_seconds", "is_refused"), [(0, False), (1, True)])
def test_an_event_lies_at_most_a_day_ahead(desk: Desk, ahead_seconds: int, is_refused: bool) -> None:
    desk.order(1, line("A", 1))
    desk.ship((1, None))
    moment = NOON + (CARRIER_EVENT_AHEAD_HOURS_MAX * 3600 + ahead_seconds) * MICROSECONDS_A_SECOND
    (outcome,) = desk.send(AddCarrierEvent(origin(), 1, FulfillmentStatus.FAILED, moment))
    if is_refused:
        assert [fault[:2] for fault in faults(outcome)] == [("in_the_future", "occurred_at")]
    assert desk.stored.fulfillments[0].status == ("created" if is_refused else "failed")
