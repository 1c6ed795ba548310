"""Partners see and fill their own lines; all else does not exist for them."""

from typing import Any

import pytest

from shipledger.refusal import Reason, Refusal
from tests.rules.asking import Group, line
from tests.rules.desk import Desk, body, faults, items, reason, warnings


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.order(1, line("A", 3, "east"), line("A", 4, "west"), line("A", 5), line("B", 1), reference="#1")
    desk.order(2, line("A", 1, "west"))
    return desk


@pytest.mark.parametrize(
    ("partner", "lines", "fulfilled"),
    [
        ("east", (("A", 2),), [2, 0, 0, 0]),
        ("west", (("A", 4),), [0, 4, 0, 0]),
        ("east", None, [3, 0, 0, 0]),
        ("west", None, [0, 4, 0, 0]),
        (None, (("A", 8),), [3, 4, 1, 0]),
        (None, None, [3, 4, 5, 1]),
    ],
)
def test_a_partner_fills_its_own_lines_and_the_operator_all(
    desk: Desk, partner: str | None, lines: Any, fulfilled: list[int]
) -> None:
    body(desk.ship((1, lines), partner=partner))
    assert desk.fulfilled(1) == fulfilled


@pytest.mark.parametrize(
    ("partner", "lines", "expected"),
    [
        ("east", (("A", 4),), ("quantity_exceeds_remaining", "line_items[0].quantity", "A", 4, 3)),
        ("east", (("B", 1),), ("unknown_sku", "line_items[0].sku", "B", 1, 0)),
        ("west", (("A", 5),), ("quantity_exceeds_remaining", "line_items[0].quantity", "A", 5, 4)),
        (None, (("A", 13),), ("quantity_exceeds_remaining", "line_items[0].quantity", "A", 13, 12)),
    ],
)
def test_details_are_computed_from_what_a_partner_may_see(
    desk: Desk, partner: str | None, lines: Any, expected: object
) -> None:
    assert faults(desk.ship((1, lines), partner=partner)) == [expected]


def test_nothing_remains_for_a_partner_whose_own_lines_are_shipped(desk: Desk) -> None:
    desk.ship((1, None), partner="east")
    assert faults(desk.ship((1, None), partner="east")) == [("nothing_remaining", "order_id", None, None, 0)]
    assert items(body(desk.ship((1, None), partner="west"))) == {"A": 4}


@pytest.mark.parametrize("partner", ["east", "north"])
@pytest.mark.parametrize("name", [2, "2"])
def test_an_order_without_a_line_of_a_partner_does_not_exist_for_it(desk: Desk, partner: str, name: int | str) -> None:
    desk.cancel(2)
    missing = desk.ship((99, None), partner=partner)
    assert desk.ship((name, (("X", 9),)), partner=partner) == missing == Refusal(Reason.ORDER_NOT_FOUND)


def test_a_parcel_with_one_order_that_a_partner_may_not_see_is_refused_whole(desk: Desk) -> None:
    groups: list[Group] = [(1, None), (2, None)]
    assert reason(desk.ship(*groups, partner="east")) is Reason.ORDER_NOT_FOUND
    assert desk.fulfilled(1) == [0, 0, 0, 0]


def test_an_order_is_told_to_be_fulfilled_only_once_all_of_it_is(desk: Desk) -> None:
    desk.ship((1, None), partner="east")
    desk.ship((1, None), partner="west")
    assert "order.fulfilled" not in desk.events(1)
    desk.ship((1, None))
    assert desk.events(1)[-1] == "order.fulfilled"


def test_a_warning_of_a_repeated_number_is_given_only_of_what_a_partner_may_see(desk: Desk) -> None:
    one = (1, (("A", 1),))
    assert warnings(desk.ship(one, partner="west")) == []
    assert warnings(desk.ship(one, partner="east")) == []
    assert warnings(desk.ship(one, partner="west")) == ["tracking_number_repeated"], "also behind another's parcel"
    assert warnings(desk.ship(one)) == ["tracking_number_repeated"]


def test_partners_with_one_key_do_not_meet(desk: Desk) -> None:
    first = desk.ship((1, None), partner="east", key="k")
    second = desk.ship((1, None), partner="west", key="k")
    assert (items(body(first)), items(body(second))) == ({"A": 3}, {"A": 4})


def test_an_event_says_who_acted(desk: Desk) -> None:
    desk.ship((1, None), partner="east")
    event = desk.ledger.events[-1]
    assert (event.origin.account, event.origin.partner, event.origin.request_id) == (
        "partner:east",
        "east",
        "request-1",
    )


def test_a_parcel_of_the_operator_s_warns_the_partners_whose_lines_it_holds(desk: Desk) -> None:
    desk.ship((1, (("A", 4),)))  # 3 of east's, and 1 of west's
    assert warnings(desk.ship((1, (("A", 1),)), partner="west")) == ["tracking_number_repeated"]
    desk.ship((1, (("B", 1),)), number="T2")
    assert warnings(desk.ship((1, (("A", 1),)), partner="west", number="T2")) == []
