"""The rows of a batch: every change can be taken back, and so the changes of one command alone."""

import copy
import itertools
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest

from shipledger.decision import decide
from shipledger.event import EventType
from shipledger.fulfillment import CarrierEvent, FulfillmentStatus, Tracking
from shipledger.limits import ASSIGNED_ORDER_ID_MIN
from shipledger.order import OrderContent, OrderedLine
from shipledger.outcome import Done
from shipledger.refusal import Refusal
from shipledger.working_set import KeptAnswer, WorkingSet
from tests.rules.asking import Parcel, line, order, origin
from tests.rules.desk import NOON

GIVEN_OUT = {"fulfillment_ids", "event_ids", "order_ids"}
"""Ids may be lost."""
LISTED = {"changed_orders", "changed_lines", "changed_details", "changed_fulfillments"}
"""Rows that were changed back stay listed, with their old values."""


def new_working_set() -> WorkingSet:
    return WorkingSet(itertools.count(1), itertools.count(1), itertools.count(ASSIGNED_ORDER_ID_MIN))


@pytest.fixture
def working_set() -> WorkingSet:
    """One order, of which a parcel was shipped."""
    working_set = new_working_set()
    decide(order(1, line("A", 5), line("A", 5), reference="#1"), working_set, NOON)
    ship(working_set)
    working_set.fulfillments[1] = working_set.new_fulfillments[0]
    return working_set


def rows_of(working_set: WorkingSet) -> dict[str, Any]:
    names = {field.name for field in fields(working_set)} - GIVEN_OUT - LISTED - {"_undo"}
    return copy.deepcopy({name: getattr(working_set, name) for name in names})


def ship(working_set: WorkingSet) -> None:
    command = Parcel(((1, (("A", 1),)),)).command()
    assert not isinstance(command, Refusal)
    decide(command, working_set, NOON)


def add_named_order(working_set: WorkingSet) -> None:
    working_set.add_order(OrderContent(2, (OrderedLine("A", 1),), "#2"), b"", NOON)


def add_nameless_order(working_set: WorkingSet) -> None:
    working_set.add_order(OrderContent(None, (OrderedLine("A", 1),)), b"", NOON)


def add_fulfillment(working_set: WorkingSet) -> None:
    one = working_set.orders[1]
    working_set.add_fulfillment(origin(), one, [(one.lines[0], 2), (one.lines[1], 3)], Tracking("T1"), NOON)


def add_fulfillment_with_a_new_number(working_set: WorkingSet) -> None:
    one = working_set.orders[1]
    working_set.add_fulfillment(origin(), one, [(one.lines[1], 1)], Tracking("T2"), NOON)


def add_event(working_set: WorkingSet) -> None:
    working_set.add_event(origin(), EventType.ORDER_FULFILLED, working_set.orders[1], None, NOON)


def keep_answer(working_set: WorkingSet) -> None:
    working_set.keep_answer(KeptAnswer("operator", "k", b"", Done({}), NOON))


def cancel_lines(working_set: WorkingSet) -> None:
    one = working_set.orders[1]
    working_set.cancel_lines(one, [(one.lines[0], 1), (one.lines[1], 2)])


def hold(working_set: WorkingSet) -> None:
    working_set.change_order(working_set.orders[1], "hold_reason", "fraud")


def change_details(working_set: WorkingSet) -> None:
    known = working_set.details[1]
    content = replace(known.content, reference="#9", deliver_by=NOON)
    working_set.change_details(working_set.orders[1], replace(known, content=content))


def take_the_reference_away(working_set: WorkingSet) -> None:
    known = working_set.details[1]
    working_set.change_details(working_set.orders[1], replace(known, content=replace(known.content, reference=None)))


def take_back(working_set: WorkingSet) -> None:
    one, parcel = working_set.orders[1], working_set.fulfillments[1]
    working_set.give_back(one, [(one.lines[0], 1)])
    working_set.change_fulfillment(replace(parcel, status=FulfillmentStatus.CANCELLED))


def correct(working_set: WorkingSet) -> None:
    working_set.change_fulfillment(replace(working_set.fulfillments[1], tracking=Tracking("T3")))


def hear(working_set: WorkingSet) -> None:
    working_set.add_carrier_event(CarrierEvent(1, 1, FulfillmentStatus.FAILED, NOON, None, None, NOON))


CHANGES = [
    cancel_lines,
    hold,
    change_details,
    take_the_reference_away,
    take_back,
    correct,
    hear,
    add_named_order,
    add_nameless_order,
    add_fulfillment,
    add_fulfillment_with_a_new_number,
    add_event,
    keep_answer,
    ship,
]
Change = Callable[[WorkingSet], None]


@pytest.mark.parametrize(
    "changes", [*([change] for change in CHANGES), CHANGES], ids=lambda c: c[-1].__name__ + str(len(c))
)
def test_every_change_can_be_taken_back(working_set: WorkingSet, changes: list[Change]) -> None:
    before, mark = rows_of(working_set), working_set.mark()
    for change in changes:
        change(working_set)
    assert rows_of(working_set) != before
    working_set.drop_since(mark)
    assert rows_of(working_set) == before


def test_what_was_changed_before_the_mark_stays(working_set: WorkingSet) -> None:
    add_fulfillment(working_set)
    kept = rows_of(working_set)
    mark = working_set.mark()
    add_fulfillment(working_set)
    working_set.drop_since(mark)
    working_set.drop_since(mark)
    assert rows_of(working_set) == kept


def test_changes_after_a_drop_can_be_taken_back_too(working_set: WorkingSet) -> None:
    before, mark = rows_of(working_set), working_set.mark()
    for change in CHANGES:
        change(working_set)
        working_set.drop_since(mark)
        assert rows_of(working_set) == before, change.__name__


def test_where_all_was_taken_back_there_is_nothing_to_save() -> None:
    working_set = new_working_set()
    is_changed = [working_set.is_changed]
    add_named_order(working_set)
    is_changed.append(working_set.is_changed)
    working_set.drop_since(0)
    is_changed.append(working_set.is_changed)
    assert is_changed == [False, True, False]


def test_changed_rows_are_listed_with_their_present_values(working_set: WorkingSet) -> None:
    mark = working_set.mark()
    add_fulfillment(working_set)
    assert working_set.changed_lines[1, 1].fulfilled == 3
    working_set.drop_since(mark)
    assert working_set.changed_lines[1, 1].fulfilled == 0
    assert working_set.changed_orders[1] is working_set.orders[1]


def test_an_id_is_never_given_out_twice(working_set: WorkingSet) -> None:
    mark = working_set.mark()
    add_fulfillment(working_set)
    dropped = working_set.new_fulfillments[-1].id
    working_set.drop_since(mark)
    add_fulfillment(working_set)
    assert working_set.new_fulfillments[-1].id == dropped + 1


def test_a_forgotten_change_is_caught(working_set: WorkingSet) -> None:
    """The control: a change made past the working set stays."""
    before, mark = rows_of(working_set), working_set.mark()
    working_set.orders[1].lines[0].fulfilled += 1
    working_set.drop_since(mark)
    assert rows_of(working_set) != before
