"""Late and on time: judged by ship_by, or by deliver_by where there is no ship_by, when a line is completed."""

from dataclasses import replace

import pytest

from shipledger.order import OrderContent, due_by
from shipledger.timestamp import MICROSECONDS_A_SECOND
from tests.rules.asking import Parcel, line, order
from tests.rules.desk import NOON, Desk, body

BEFORE, AFTER = NOON - 1, NOON + 1
DAY = 24 * 60 * 60 * MICROSECONDS_A_SECOND


@pytest.mark.parametrize(
    ("ship_by", "deliver_by", "due"),
    [
        (None, None, None),
        (None, NOON, NOON),
        (NOON, None, NOON),
        (BEFORE, AFTER, BEFORE),
        (AFTER, BEFORE, AFTER),
    ],
)
def test_an_order_is_due_by_ship_by_and_else_by_deliver_by(
    ship_by: int | None, deliver_by: int | None, due: int | None
) -> None:
    assert due_by(ship_by, deliver_by) == due


@pytest.mark.parametrize(
    ("ship_by", "deliver_by", "on_time"),
    [
        (NOON, None, True),
        (AFTER, None, True),
        (BEFORE, None, False),
        (None, NOON, True),
        (None, BEFORE, False),
        (BEFORE, NOON + DAY, False),
        (NOON, NOON - DAY, True),
        (None, None, None),
    ],
)
def test_a_line_is_on_time_when_what_completed_it_was_created_by_then(
    ship_by: int | None, deliver_by: int | None, on_time: bool | None
) -> None:
    desk = due_order(ship_by, deliver_by)
    body(desk.ship((1, (("A", 2), ("B", 1)))))
    assert [line.on_time for line in desk.stored.orders[1].lines] == [on_time, None], "B is not complete"
    body(desk.ship((1, None)))
    assert [line.on_time for line in desk.stored.orders[1].lines] == [on_time, on_time]


def test_a_line_is_judged_when_it_is_completed_and_not_when_it_is_begun() -> None:
    desk = due_order(NOON, None)
    body(desk.ship((1, (("A", 1),))))
    desk.stored.orders[1] = replace(desk.stored.orders[1], due_by=BEFORE)
    body(desk.ship((1, (("A", 1),))))
    assert desk.stored.orders[1].lines[0].on_time is False


def test_a_line_that_was_judged_stays_so_when_the_date_is_moved() -> None:
    desk = due_order(BEFORE, None)
    body(desk.ship((1, (("A", 2),))))
    desk.stored.orders[1] = replace(desk.stored.orders[1], due_by=AFTER)
    body(desk.ship((1, None)))
    assert [line.on_time for line in desk.stored.orders[1].lines] == [False, True]


def test_a_dry_run_judges_nothing() -> None:
    desk = due_order(NOON, None)
    desk.send(Parcel(((1, None),), dry_run=True), Parcel(((1, (("B", 1),)),)))
    assert [line.on_time for line in desk.stored.orders[1].lines] == [None, None]


def due_order(ship_by: int | None, deliver_by: int | None) -> Desk:
    """Order 1 with two of A and three of B."""
    desk = Desk()
    content = OrderContent(1, (line("A", 2), line("B", 3)), ship_by=ship_by, deliver_by=deliver_by)
    desk.send(replace(order(1), content=content))
    return desk
