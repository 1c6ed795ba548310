"""What the operator's setting makes of a request without a key that repeats an order, a tracking number and lines."""

from typing import Any

import pytest

from shipledger.command import RepeatedTracking
from shipledger.outcome import Done
from shipledger.refusal import Reason
from tests.rules.asking import Group, Parcel, line
from tests.rules.desk import Desk, body, faults, items, reason, warnings

ACCEPT, REPLAY, REJECT = RepeatedTracking
TWO_OF_A = (("A", 2),)


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.order(1, line("A", 3), line("A", 3), line("B", 1), reference="#1")
    desk.order(2, line("A", 4))
    return desk


REPEATS: list[tuple[list[Group], list[Group]]] = [
    ([(1, TWO_OF_A)], [(1, TWO_OF_A)]),
    ([(1, TWO_OF_A)], [("#1", TWO_OF_A)]),
    ([(1, TWO_OF_A)], [(1, (("A", 1), ("A", 1)))]),
    ([(1, (("A", 4), ("B", 1)))], [(1, (("B", 1), ("A", 4)))]),
    ([(1, None)], [(1, None)]),
    ([(1, None)], [(1, (("A", 6), ("B", 1)))]),
    ([(1, (("A", 6), ("B", 1)))], [(1, None)]),
    ([(1, TWO_OF_A), (2, TWO_OF_A)], [(1, TWO_OF_A), (2, TWO_OF_A)]),
]


@pytest.mark.parametrize(("first", "again"), REPEATS)
def test_a_repeat_is_replayed(desk: Desk, first: list[Group], again: list[Group]) -> None:
    answer = body(desk.ship(*first))
    before = desk.snapshot()
    made_id = answer.get("id")
    assert desk.ship(*again, repeated=REPLAY) == Done(answer, made_id, is_new=False, replayed=True)
    assert desk.snapshot() == before


@pytest.mark.parametrize(("first", "again"), REPEATS)
def test_a_repeat_is_refused(desk: Desk, first: list[Group], again: list[Group]) -> None:
    desk.ship(*first)
    before = desk.snapshot()
    outcome = desk.ship(*again, repeated=REJECT)
    assert reason(outcome) is Reason.FULFILLMENT_EXISTS
    assert faults(outcome) == [("already_fulfilled", "tracking_number", None, None, None)] * len(first)
    assert desk.snapshot() == before


@pytest.mark.parametrize("mode", [REPLAY, REJECT])
@pytest.mark.parametrize(
    "again",
    [
        Parcel(((1, TWO_OF_A),), "T2"),
        Parcel(((2, TWO_OF_A),)),
        Parcel(((1, (("A", 1),)),)),
        Parcel(((1, (("A", 2), ("B", 1))),)),
        Parcel(((1, None),)),
        Parcel(((1, TWO_OF_A),), key="a key says that it is another parcel"),
    ],
    ids=["number", "order", "quantity", "one more sku", "omitted while something remains", "key"],
)
def test_what_differs_is_no_repeat(desk: Desk, mode: RepeatedTracking, again: Parcel) -> None:
    desk.ship((1, TWO_OF_A))
    outcome = desk.ship(*again.groups, number=again.number, key=again.key, repeated=mode)
    assert isinstance(outcome, Done)
    assert (outcome.is_new, outcome.replayed) == (True, False)
    assert len(desk.ledger.fulfillments) == 2


def test_by_default_a_repeat_is_a_new_fulfillment_with_a_warning(desk: Desk) -> None:
    first = desk.ship((1, TWO_OF_A))
    second = desk.ship((1, TWO_OF_A))
    assert (warnings(first), warnings(second)) == ([], ["tracking_number_repeated"])
    assert desk.fulfilled(1) == [3, 1, 0]


def test_a_repeat_in_the_same_batch_is_one(desk: Desk) -> None:
    parcel = Parcel(((1, TWO_OF_A),), repeated=REPLAY)
    first, second = desk.send(parcel, parcel)
    assert body(first) == body(second)
    assert len(desk.ledger.fulfillments) == 1


def test_a_repeat_is_found_behind_other_parcels_with_its_number(desk: Desk) -> None:
    first = desk.ship((1, TWO_OF_A))
    desk.ship((1, (("A", 1),)))
    assert body(desk.ship((1, TWO_OF_A), repeated=REPLAY)) == body(first)


def test_the_newest_of_several_like_it_is_replayed(desk: Desk) -> None:
    desk.ship((1, TWO_OF_A))
    newest = desk.ship((1, TWO_OF_A))
    assert body(desk.ship((1, TWO_OF_A), repeated=REPLAY))["id"] == body(newest)["id"]


def test_a_parcel_of_which_only_one_order_is_repeated_is_new_or_refused(desk: Desk) -> None:
    desk.ship((1, TWO_OF_A))
    both: tuple[Group, ...] = ((1, TWO_OF_A), (2, TWO_OF_A))
    assert reason(desk.ship(*both, repeated=REJECT)) is Reason.FULFILLMENT_EXISTS
    assert len(body(desk.ship(*both, repeated=REPLAY))["fulfillments"]) == 2
    assert (desk.fulfilled(1), desk.fulfilled(2)) == ([3, 1, 0], [2])


@pytest.mark.parametrize("asker", [None, "west"])
def test_another_accounts_parcel_is_no_repeat(asker: str | None) -> None:
    desk = Desk()
    desk.order(1, line("A", 1, "east"), line("A", 1, "west"), line("A", 1))
    desk.ship((1, (("A", 1),)), partner="east")
    outcome: Any = desk.ship((1, (("A", 1),)), partner=asker, repeated=REPLAY)
    assert (items(body(outcome)), outcome.replayed) == ({"A": 1}, False)


def test_a_repeat_is_found_on_an_order_that_was_held_since(desk: Desk) -> None:
    first = desk.ship((1, TWO_OF_A))
    desk.hold(1)
    assert body(desk.ship((1, TWO_OF_A), repeated=REPLAY)) == body(first)
    assert reason(desk.ship((1, TWO_OF_A), repeated=ACCEPT)) is Reason.ORDER_ON_HOLD
