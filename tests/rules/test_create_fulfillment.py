"""What becomes of a request to record a parcel."""

from typing import Any

import pytest

from shipledger import fulfilling
from shipledger.outcome import Crashed, Done
from shipledger.refusal import Reason
from tests.rules.asking import Group, Parcel, line, order
from tests.rules.desk import Desk, body, faults, items, reason, warnings

ENVELOPE = "line_items_by_fulfillment_order"


def test_the_answer_begins_with_the_published_keys(desk: Desk) -> None:
    desk.order(450789469, line("RPBF24-1941", 1))
    outcome = desk.ship((450789469, (("RPBF24-1941", 1),)), number="1ZE356F8YW01937117")
    assert list(body(outcome).items()) == [
        ("order_id", 450789469),
        ("status", "created"),
        ("tracking_number", "1ZE356F8YW01937117"),
        ("created_at", "2024-04-30T12:00:00Z"),
        ("id", 1),
        ("line_items", [{"sku": "RPBF24-1941", "quantity": 1}]),
        ("carrier", "ups"),
        ("tracking_url", "https://wwwapps.ups.com/WebTracking/track?track=yes&trackNums=1ZE356F8YW01937117"),
    ]
    assert outcome == Done(body(outcome), made_id=1)


@pytest.mark.parametrize(
    ("lines", "fulfilled", "contents"),
    [
        ((("A", 1),), [1, 0, 0, 0], {"A": 1}),
        ((("A", 2),), [2, 0, 0, 0], {"A": 2}),
        ((("A", 3),), [2, 0, 1, 0], {"A": 3}),
        ((("A", 6),), [2, 0, 4, 0], {"A": 6}),
        ((("A", 2), ("B", 1), ("A", 1)), [2, 1, 1, 0], {"A": 3, "B": 1}),
        ((("C", 1), ("B", 1)), [0, 1, 0, 1], {"B": 1, "C": 1}),
        (None, [2, 3, 4, 5], {"A": 6, "B": 3, "C": 5}),
    ],
)
def test_lines_of_one_sku_are_filled_in_their_order(
    desk: Desk, lines: Any, fulfilled: list[int], contents: dict[str, int]
) -> None:
    desk.order(1, line("A", 2), line("B", 3), line("A", 4), line("C", 5))
    shipped = items(body(desk.ship((1, lines))))
    assert list(shipped.items()) == list(contents.items()), "a fulfillment lists its skus in the order's order"
    assert desk.fulfilled(1) == fulfilled


def test_omitted_lines_are_all_that_remains(desk: Desk) -> None:
    desk.order(1, line("A", 2), line("B", 1), line("C", 1))
    desk.ship((1, (("A", 1), ("C", 1))))
    assert items(body(desk.ship((1, None)))) == {"A": 1, "B": 1}


# Refusals.


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ([(1, (("A", 3),))], [("quantity_exceeds_remaining", "line_items[0].quantity", "A", 3, 2)]),
        ([(1, (("A", 1), ("B", 1), ("A", 2)))], [("quantity_exceeds_remaining", "line_items[0].quantity", "A", 3, 2)]),
        ([(1, (("B", 1), ("GONE", 1)))], [("nothing_remaining", "line_items[1].quantity", "GONE", 1, 0)]),
        ([(1, (("X", 1), ("A", 1)))], [("unknown_sku", "line_items[0].sku", "X", 1, 0)]),
        ([(1, (("a", 1),))], [("unknown_sku", "line_items[0].sku", "a", 1, 0)]),
        ([(3, None)], [("nothing_remaining", "order_id", None, None, 0)]),
        (
            [(1, (("A", 9),)), (2, (("A", 9),)), (3, None)],
            [
                ("quantity_exceeds_remaining", f"{ENVELOPE}[0].line_items[0].quantity", "A", 9, 2),
                ("quantity_exceeds_remaining", f"{ENVELOPE}[1].line_items[0].quantity", "A", 9, 5),
                ("nothing_remaining", f"{ENVELOPE}[2].order_id", None, None, 0),
            ],
        ),
        (
            [(1, (("X", 1),)), (2, (("A", 9),)), (3, (("Y", 1),))],
            [
                ("unknown_sku", f"{ENVELOPE}[0].line_items[0].sku", "X", 1, 0),
                ("unknown_sku", f"{ENVELOPE}[2].line_items[0].sku", "Y", 1, 0),
            ],
        ),
    ],
)
def test_each_fault_of_the_lines_is_named(desk: Desk, groups: list[Group], expected: object) -> None:
    desk.order(1, line("A", 2), line("B", 1), line("GONE", 1))
    desk.order(2, line("A", 5))
    desk.order(3, line("A", 1))
    desk.ship((1, (("GONE", 1),)), (3, None))
    before = desk.snapshot()
    outcome = desk.ship(*groups)
    assert reason(outcome) is Reason.INVALID_LINES
    assert faults(outcome) == expected
    assert desk.snapshot() == before


def test_the_order_of_an_unknown_sku_is_told_so_that_the_nearest_can_be_found(desk: Desk) -> None:
    desk.order(7, line("A", 1), reference="#7")
    outcome = desk.ship(("#7", (("AA", 1),)))
    assert not isinstance(outcome, Done | Exception)
    assert [fault.order_id for fault in outcome.details] == [7]


MISSING: Group = (99, (("A", 1),))
CANCELLED: Group = (2, (("A", 1),))
HELD: Group = (3, (("A", 1),))
UNKNOWN_SKU: Group = (1, (("X", 1),))
TOO_MANY: Group = (4, (("A", 99),))
GOOD: Group = (5, (("A", 1),))


@pytest.mark.parametrize(
    ("groups", "expected", "places"),
    [
        ([TOO_MANY, UNKNOWN_SKU, HELD, CANCELLED, MISSING], Reason.ORDER_NOT_FOUND, []),
        ([TOO_MANY, UNKNOWN_SKU, HELD, CANCELLED], Reason.ORDER_ON_HOLD, [2, 3]),
        ([TOO_MANY, UNKNOWN_SKU, CANCELLED, HELD], Reason.ORDER_CANCELLED, [2, 3]),
        ([GOOD, TOO_MANY, UNKNOWN_SKU], Reason.INVALID_LINES, [2]),
        ([GOOD, TOO_MANY], Reason.INVALID_LINES, [1]),
    ],
    ids=["order exists", "on hold", "cancelled", "skus", "quantities"],
)
def test_each_check_is_made_for_all_orders_before_the_next(
    desk: Desk, groups: list[Group], expected: Reason, places: list[int]
) -> None:
    for order_id in range(1, 6):
        desk.order(order_id, line("A", 1))
    desk.cancel(2)
    desk.hold(3)
    before = desk.snapshot()
    outcome = desk.ship(*groups)
    assert reason(outcome) is expected
    assert [int(at.split("[")[1].split("]")[0]) for _, at, *_ in faults(outcome)] == places
    assert desk.snapshot() == before


@pytest.mark.parametrize(
    ("name", "expected", "code"),
    [("hold", Reason.ORDER_ON_HOLD, "order_on_hold"), ("cancel", Reason.ORDER_CANCELLED, "order_cancelled")],
)
def test_nothing_leaves_an_order_that_is_held_or_cancelled(desk: Desk, name: str, expected: Reason, code: str) -> None:
    desk.order(1, line("A", 1))
    getattr(desk, name)(1)
    for lines in ((("A", 1),), (("X", 1),), None):
        outcome = desk.ship((1, lines))
        assert (reason(outcome), faults(outcome)) == (expected, [(code, "order_id", None, None, None)]), lines


# The names of orders, and groups of one order.


@pytest.mark.parametrize(
    ("name", "order_id"),
    [("#1", 1), (1, 1), ("1", 1), ("2", 3), (2, 2), ("3", 3), ("003", 3), ("9" * 19, None), ("-1", None), ("4", None)],
)
def test_a_string_is_a_reference_or_else_an_id_and_an_integer_always_an_id(
    desk: Desk, name: int | str, order_id: int | None
) -> None:
    desk.order(1, line("A", 1), reference="#1")
    desk.order(2, line("A", 1))
    desk.order(3, line("A", 1), reference="2")
    outcome = desk.ship((name, None))
    assert reason(outcome) is Reason.ORDER_NOT_FOUND if order_id is None else body(outcome)["order_id"] == order_id


@pytest.mark.parametrize("names", [(1, 1), (1, "#1"), ("#1", "1")])
def test_groups_of_one_order_are_merged(desk: Desk, names: tuple[int | str, int | str]) -> None:
    desk.order(1, line("A", 2), line("B", 1), reference="#1")
    first, second = names
    too_many = desk.ship((first, (("A", 2),)), (second, (("A", 1),)))
    assert faults(too_many) == [("quantity_exceeds_remaining", f"{ENVELOPE}[0].line_items[0].quantity", "A", 3, 2)]
    outcome = desk.ship((first, (("A", 1),)), (second, (("A", 1), ("B", 1))))
    assert items(body(outcome)) == {"A": 2, "B": 1}
    assert "fulfillments" not in body(outcome)


@pytest.mark.parametrize("names", [(1, 1), (1, "#1")])
def test_groups_that_both_omit_their_lines_are_merged(desk: Desk, names: tuple[int | str, int | str]) -> None:
    desk.order(1, line("A", 2), reference="#1")
    assert items(body(desk.ship((names[0], None), (names[1], None)))) == {"A": 2}


@pytest.mark.parametrize("names", [(1, 1), (1, "#1")])
@pytest.mark.parametrize("lines", [((("A", 1),), None), (None, (("A", 1),))], ids=["named first", "omitted first"])
def test_groups_of_one_order_with_and_without_lines_contradict_each_other(desk: Desk, names: Any, lines: Any) -> None:
    desk.order(1, line("A", 2), reference="#1")
    outcome = desk.ship((names[0], lines[0]), (names[1], lines[1]))
    assert reason(outcome) is Reason.INVALID_REQUEST
    assert faults(outcome) == [("contradicting_groups", f"{ENVELOPE}[1].order_id", None, None, None)]


# Several orders.


def test_several_orders_are_one_parcel_of_one_fulfillment_each(desk: Desk) -> None:
    desk.order(1, line("A", 2))
    desk.order(2, line("B", 1))
    outcome = desk.ship((2, None), (1, (("A", 1),)), number="TBA000000000009")
    parcel = body(outcome)
    assert list(parcel) == ["status", "tracking_number", "created_at", "fulfillments"]
    assert (parcel["status"], parcel["tracking_number"]) == ("created", "TBA000000000009")
    assert [(one["order_id"], items(one), one["id"]) for one in parcel["fulfillments"]] == [
        (2, {"B": 1}, 1),
        (1, {"A": 1}, 2),
    ]
    assert list(parcel["fulfillments"][0])[:4] == ["order_id", "status", "tracking_number", "created_at"]
    assert outcome == Done(parcel, made_id=None)


def test_a_parcel_of_several_orders_is_applied_whole_or_not_at_all(desk: Desk) -> None:
    desk.order(1, line("A", 1))
    desk.order(2, line("A", 1))
    assert reason(desk.ship((1, None), (2, (("A", 2),)))) is Reason.INVALID_LINES
    assert (desk.fulfilled(1), desk.fulfilled(2)) == ([0], [0])


# Events and warnings.


def test_an_order_is_told_to_be_fulfilled_exactly_when_nothing_remains(desk: Desk) -> None:
    desk.order(1, line("A", 2), line("B", 1))
    created, fulfillment, fulfilled = "order.created", "fulfillment.created", "order.fulfilled"
    desk.ship((1, (("A", 2),)))
    assert desk.events(1) == [created, fulfillment]
    desk.ship((1, (("B", 2),)))
    assert desk.events(1) == [created, fulfillment]
    desk.ship((1, (("B", 1),)))
    assert desk.events(1) == [created, fulfillment, fulfillment, fulfilled]
    assert [event.sequence for event in desk.ledger.events] == [1, 2, 3, 4]


def test_only_the_orders_that_a_parcel_completes_are_told_to_be_fulfilled(desk: Desk) -> None:
    desk.order(1, line("A", 2))
    desk.order(2, line("A", 2))
    desk.ship((1, (("A", 1),)), (2, (("A", 2),)))
    assert desk.events(1) == ["order.created", "fulfillment.created"]
    assert desk.events(2) == ["order.created", "fulfillment.created", "order.fulfilled"]


def test_an_event_holds_the_fulfillment_as_it_was_answered(desk: Desk) -> None:
    desk.order(1, line("A", 2))
    desk.ship((1, (("A", 1),)))
    answered = dict(body(desk.ship((1, None))))
    assert answered.pop("warnings")
    told = [event.data for event in desk.ledger.events if event.type == "fulfillment.created"]
    assert told[-1] == answered


@pytest.mark.parametrize(
    ("groups", "number", "expected"),
    [
        ([(1, (("A", 1),))], "T1", ["tracking_number_repeated"]),
        ([("#1", (("A", 1),))], "T1", ["tracking_number_repeated"]),
        ([(1, (("A", 1),)), (2, None)], "T1", ["tracking_number_repeated"]),
        ([(2, (("A", 1),))], "T1", ["tracking_number_on_another_order"]),
        ([(1, (("A", 1),))], "t1", []),
    ],
)
def test_a_number_used_before_is_a_warning(desk: Desk, groups: list[Group], number: str, expected: list[str]) -> None:
    desk.order(1, line("A", 9), reference="#1")
    desk.order(2, line("A", 9))
    desk.ship((1, (("A", 1),)), number="T1")
    assert warnings(desk.ship(*groups, number=number)) == expected


# Batches.


def test_a_later_command_of_a_batch_sees_what_an_earlier_one_did(desk: Desk) -> None:
    take_two = Parcel((("#1", (("A", 2),)),))
    made, first, second, third = desk.send(order(None, line("A", 3), reference="#1"), take_two, take_two, take_two)
    assert items(body(first)) == {"A": 2}
    expected = [("quantity_exceeds_remaining", "line_items[0].quantity", "A", 2, 1)]
    assert [faults(second), faults(third)] == [expected, expected]
    assert desk.fulfilled(body(made)["id"]) == [2]


def test_a_command_that_crashes_half_way_loses_its_own_changes_only(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.order(1, line("A", 9))
    desk.order(2, line("A", 9))
    fulfil = fulfilling._fulfil

    def fulfil_or_crash(command: Any, share: Any, *rest: Any) -> Any:
        if command.tracking.number == "CRASH" and share.order.id == 2:
            raise ZeroDivisionError
        return fulfil(command, share, *rest)

    monkeypatch.setattr(fulfilling, "_fulfil", fulfil_or_crash)
    both = ((1, (("A", 2),)), (2, (("A", 2),)))
    before, crashed, after = desk.send(Parcel(both, "T1"), Parcel(both, "CRASH", key="k"), Parcel(both, "T2"))
    assert isinstance(crashed, Crashed)
    assert isinstance(before, Done)
    assert isinstance(after, Done)
    assert (desk.fulfilled(1), desk.fulfilled(2)) == ([4], [4])
    assert [made.tracking.number for made in desk.ledger.fulfillments] == ["T1", "T1", "T2", "T2"]
    assert [event.sequence for event in desk.ledger.events if event.order_id == 1] == [1, 2, 3]
    assert desk.stored.kept == {}


# Dry run.


@pytest.mark.parametrize("groups", [[(1, None)], [(1, None), (2, None)]], ids=["one order", "two orders"])
def test_a_dry_run_answers_what_would_be_created_and_changes_nothing(desk: Desk, groups: list[Group]) -> None:
    desk.order(1, line("A", 2))
    desk.order(2, line("A", 2))
    before = desk.snapshot()
    outcome = desk.ship(*groups, dry_run=True, key="k")
    assert desk.snapshot() == before
    dry = body(outcome)
    assert outcome == Done(dry, made_id=None)
    real = body(desk.ship(*groups, key="k"))
    for document in [dry, *dry.get("fulfillments", [])]:
        assert document["status"] == "dry_run"
        assert document.get("id") is None
    assert _without_status_and_id(dry) == _without_status_and_id(real)


def _without_status_and_id(document: dict[str, Any]) -> dict[str, Any]:
    rest = {name: value for name, value in document.items() if name not in {"status", "id", "fulfillments"}}
    return rest | {"fulfillments": [_without_status_and_id(one) for one in document.get("fulfillments", [])]}


def test_a_dry_run_takes_nothing_from_those_after_it_in_its_batch(desk: Desk) -> None:
    desk.order(1, line("A", 1))
    dry, real = desk.send(Parcel(((1, None),), dry_run=True), Parcel(((1, None),)))
    assert items(body(dry)) == items(body(real)) == {"A": 1}
    assert warnings(real) == []


def test_a_dry_run_is_refused_as_the_request_would_be(desk: Desk) -> None:
    desk.order(1, line("A", 1))
    wanted = (1, (("A", 2),))
    assert desk.ship(wanted, dry_run=True) == desk.ship(wanted)
