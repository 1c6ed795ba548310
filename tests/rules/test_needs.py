"""What is loaded for a batch: the rows that its commands need, and no others."""

from typing import Any

import pytest

from shipledger.command import (
    AddCarrierEvent,
    CancelFulfillment,
    CancelOrder,
    ChangeOrder,
    ChangeTracking,
    Command,
    CreateOrder,
    HoldOrder,
    OrderKey,
    ReleaseOrder,
    RepeatedTracking,
    RequestedLine,
)
from shipledger.fulfillment import FulfillmentStatus
from shipledger.needs import REPEATS_COMPARED_MAX, Needs, needs_of
from shipledger.order import Order
from shipledger.refusal import Refusal
from tests.rules.asking import Parcel, line, order, origin

A = (("A", 1),)
B = (("B", 1),)
NUMBERS = {"T1", "T2"}
"""Tracking numbers in use."""


def needed(*requests: Parcel | CreateOrder) -> Needs:
    commands = [request.command() if isinstance(request, Parcel) else request for request in requests]
    return needs_of(command for command in commands if not isinstance(command, Refusal))


def might_mean(key: OrderKey) -> list[Order]:
    """Order 1, also known as "#1", and order 2."""
    order_id = {1: 1, "1": 1, "#1": 1, 2: 2, "2": 2}.get(key)
    return [] if order_id is None else [Order(order_id, None, 9)]


@pytest.mark.parametrize(
    ("requests", "lines", "whole_orders"),
    [
        ([Parcel(((1, A),))], {(1, "A")}, []),
        ([Parcel(((1, A), (2, B)))], {(1, "A"), (2, "B")}, []),
        ([Parcel(((1, A),)), Parcel(((1, B),))], {(1, "A"), (1, "B")}, []),
        ([Parcel(((1, A),)), Parcel((("#1", B),))], {(1, "A"), (1, "B")}, []),
        ([Parcel(((1, None),))], set(), [1]),
        ([Parcel(((1, None),)), Parcel(((1, A),))], set(), [1]),
        ([Parcel(((1, A),)), Parcel(((1, None),))], set(), [1]),
        ([Parcel(((1, A),)), Parcel((("#1", None),))], set(), [1]),
        ([Parcel(((1, A),), partner="east")], {(1, "A")}, []),
        ([Parcel(((1, None),), partner="east")], set(), []),
        ([Parcel(((1, None),), partner="east"), Parcel(((1, A),))], {(1, "A")}, []),
        ([Parcel(((3, A),)), Parcel((("#3", None),))], set(), []),
        ([order(1, line("A", 1), reference="#1")], set(), []),
        ([order(1, line("A", 1)), Parcel(((1, B),))], {(1, "B")}, []),
    ],
)
def test_lines(requests: list[Any], lines: set[tuple[int, str]], whole_orders: list[int]) -> None:
    found = needed(*requests).of_found(might_mean, NUMBERS)
    assert (found.lines, found.whole_orders) == (lines, whole_orders)


def test_lines_are_asked_for_early_where_an_id_names_their_order() -> None:
    needs = needed(Parcel(((1, A), (2, B))), Parcel((("#1", B), (3, None))), Parcel((("4", A),)))
    assert needs.lines_of_ids() == {(1, "A"), (2, "B")}


@pytest.mark.parametrize(
    ("requests", "ids", "references"),
    [
        ([Parcel(((7, A),))], [7], []),
        ([Parcel((("#7", A),))], [], ["#7"]),
        ([Parcel((("7", A),))], [7], ["7"]),
        ([Parcel((("007", A),))], [7], ["007"]),
        ([Parcel((("\u0667", A),))], [], ["\u0667"]),
        ([Parcel((("7" * 20, A),))], [], ["7" * 20]),
        ([order(7, line("A", 1), reference="#7")], [7], ["#7"]),
        ([order(None, line("A", 1))], [], []),
    ],
)
def test_orders_are_looked_for_by_all_that_a_name_may_mean(
    requests: list[Any], ids: list[int], references: list[str]
) -> None:
    assert needed(*requests).order_names() == (ids, references)


def test_earlier_fulfillments_with_the_same_order_and_number() -> None:
    found = needed(Parcel((("#1", A), (2, A), (3, A)), "T1"), Parcel(((1, A),), "T2")).of_found(might_mean, NUMBERS)
    assert found.repeats == {(1, "T1", None), (2, "T1", None), (1, "T2", None)}


@pytest.mark.parametrize(
    ("requests", "repeats_max"),
    [
        ([Parcel(((1, A),))], 1),
        ([Parcel(((1, A),), repeated=RepeatedTracking.REPLAY)], REPEATS_COMPARED_MAX),
        ([Parcel(((1, A),), repeated=RepeatedTracking.REJECT), Parcel(((1, A),))], REPEATS_COMPARED_MAX),
        ([Parcel(((1, A),), partner="east")], 1),
    ],
    ids=["a warning needs one", "a replay compares", "the most of a batch", "a partner's are looked for by themselves"],
)
def test_how_many_earlier_fulfillments(requests: list[Any], repeats_max: int) -> None:
    assert needed(*requests).repeats_max == repeats_max


def test_a_number_that_nothing_has_is_not_asked_about_again() -> None:
    found = needed(Parcel(((1, A),), "T1"), Parcel(((1, A),), "new")).of_found(might_mean, NUMBERS)
    assert {number for _, number, _ in found.repeats | found.uses} == {"T1"}


@pytest.mark.parametrize(
    ("requests", "partners", "partner_lines"),
    [
        ([Parcel(((1, A),))], set(), set()),
        ([Parcel(((1, A),), partner="east")], {(1, "east")}, set()),
        ([Parcel((("#1", None),), partner="east")], {(1, "east")}, {(1, "east")}),
        ([Parcel(((1, None),), partner="east"), Parcel(((1, None),))], {(1, "east")}, set()),
        ([Parcel(((3, None),), partner="east")], set(), set()),
    ],
    ids=["the operator sees all", "its skus", "all of its own lines", "all lines", "no order"],
)
def test_whether_a_partner_has_a_line_and_its_own_lines(
    requests: list[Any], partners: set[tuple[int, str]], partner_lines: set[tuple[int, str]]
) -> None:
    found = needed(*requests).of_found(might_mean, NUMBERS)
    assert (found.partners, found.partner_lines) == (partners, partner_lines)


def test_earlier_fulfillments_are_those_that_the_asker_sees() -> None:
    found = needed(Parcel(((1, A),), "T1", partner="east"), Parcel(((1, A),), "T1")).of_found(might_mean, NUMBERS)
    assert found.repeats == {(1, "T1", "east"), (1, "T1", None)}


def test_answers_are_looked_for_by_account_and_key() -> None:
    needs = needed(
        Parcel(((1, A),), key="k"),
        Parcel(((1, A),), key="k", partner="east"),
        Parcel(((1, A),)),
        order(1, line("A", 1), key="o"),
    )
    assert needs.kept == {("operator", "k"), ("partner:east", "k"), ("operator", "o")}


def test_ids_are_reserved_only_where_orders_are_added() -> None:
    assert needed(Parcel(((1, A),))).orders_to_add == 0
    assert needed(order(None, line("A", 1)), order(1, line("A", 1))).orders_to_add == 2


def needed_after(*commands: Command) -> Needs:
    """What is needed once it is known that fulfillment 7 holds A of order 1."""
    needs = needs_of(commands)
    if 7 in needs.fulfillments:
        needs.add_place(7, 1, "A")
    return needs


OPERATOR = origin()


@pytest.mark.parametrize(
    ("command", "lines", "whole_orders", "details"),
    [
        (HoldOrder(OPERATOR, 1, "fraud"), set(), [1], {1}),
        (ReleaseOrder(OPERATOR, 3), set(), [], {3}),
        (CancelOrder(OPERATOR, 1, (RequestedLine("A", 1, ""),)), set(), [1], {1}),
        (ChangeOrder(OPERATOR, 1, {"reference": "2"}), set(), [1], {1}),
        (CancelFulfillment(OPERATOR, 7), {(1, "A")}, [], set()),
        (CancelFulfillment(OPERATOR, 8), set(), [], set()),
        (AddCarrierEvent(OPERATOR, 7, FulfillmentStatus.FAILED), {(1, "A")}, [], set()),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, (set, list)) else "",
)
def test_a_change_needs_its_order_whole_or_what_its_fulfillment_holds(
    command: Command, lines: set[tuple[int, str]], whole_orders: list[int], details: set[int]
) -> None:
    needs = needed_after(command)
    found = needs.of_found(might_mean, NUMBERS)
    assert (found.lines, found.whole_orders, needs.details) == (lines, whole_orders, details)
    assert needs.events_to_add == 1


def test_a_new_reference_is_claimed_and_whoever_has_it_is_looked_for() -> None:
    needs = needs_of([ChangeOrder(OPERATOR, 1, {"reference": "#2"})])
    assert (needs.new_order_names, needs.order_names()) == ({"#2"}, ([1], ["#2"]))
    assert needs_of([ChangeOrder(OPERATOR, 1, {"reference": None})]).new_order_names == set()


def test_what_is_named_by_a_reference_that_the_batch_gives_is_needed_of_both_orders() -> None:
    renaming = ChangeOrder(OPERATOR, 1, {"reference": "2"})
    parcel = Parcel((("2", A),), "T1", partner="east").command()
    assert not isinstance(parcel, Refusal)
    found = needs_of([renaming, parcel]).of_found(might_mean, NUMBERS)
    assert found.partners == {(1, "east"), (2, "east")}
    assert (found.whole_orders, found.lines) == ([1], {(2, "A")})
    assert found.repeats == found.uses == {(1, "T1", "east"), (2, "T1", "east")}


def test_a_new_number_is_looked_for_on_the_order_of_its_fulfillment() -> None:
    found = needed_after(ChangeTracking(origin("east"), 7, {"number": "T1"})).of_found(might_mean, NUMBERS)
    assert found.repeats == {(1, "T1", "east")}
    assert needed_after(ChangeTracking(OPERATOR, 7, {"carrier": "UPS"})).of_found(might_mean, NUMBERS).repeats == set()


def test_more_repeats_are_loaded_where_the_batch_itself_cancels_some() -> None:
    parcel = Parcel(((1, A),)).command()
    assert not isinstance(parcel, Refusal)
    assert needs_of([parcel, *(CancelFulfillment(OPERATOR, id_) for id_ in (7, 8, 8))]).repeats_max == 3
