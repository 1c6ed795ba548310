"""What a sender believes, held against what was recorded: missing, extra, different, or equal."""

from dataclasses import replace

import pytest

from shipledger.fulfillment import FulfilledLine, Fulfillment, FulfillmentStatus, Tracking
from shipledger.reconciliation import Believed, Reconcile, Recorded, reconcile
from tests.rules.desk import NOON


def made(order_id: int, number: str, *lines: tuple[str, int], status: str = "created", at: int = NOON) -> Fulfillment:
    taken = tuple(FulfilledLine(position, sku, quantity) for position, (sku, quantity) in enumerate(lines))
    return Fulfillment(len(number), order_id, FulfillmentStatus(status), Tracking(number), at, "operator", taken)


ONE = made(1, "T1", ("A", 2), ("B", 1))
CANCELLED = replace(ONE, status=FulfillmentStatus.CANCELLED)
SAME = Believed(0, 1, "T1", {"A": 2, "B": 1})


@pytest.mark.parametrize(
    ("believed", "recorded", "verdict", "differences"),
    [
        ([SAME], [ONE], "equal", []),
        ([Believed(0, "#1", "T1", {"B": 1, "A": 2})], [ONE], "equal", []),
        ([Believed(0, 1, "T1")], [ONE], "equal", []),
        ([Believed(0, 1, "T1", None, "created")], [ONE], "equal", []),
        ([Believed(0, 1, "T1", {"A": 2}), Believed(1, 1, "T1", {"B": 1})], [ONE], "equal", []),
        ([SAME], [made(1, "T1", ("A", 2)), made(1, "T1", ("B", 1))], "equal", []),
        ([SAME], [made(1, "T1", ("A", 1)), made(1, "T1", ("A", 1)), made(1, "T1", ("B", 1))], "equal", []),
        ([SAME], [ONE, replace(CANCELLED, id=9)], "equal", []),
        ([SAME], [], "missing", []),
        ([Believed(0, 2, "T1", {"A": 2, "B": 1})], [], "missing", []),
        ([Believed(0, 9, "T1")], [], "missing", []),
        ([Believed(0, 1, "T1", {"A": 2})], [ONE], "different", ["line_items"]),
        ([Believed(0, 1, "T1", {"A": 2, "B": 2})], [ONE], "different", ["line_items"]),
        ([Believed(0, 1, "T1", {"A": 2, "B": 1, "C": 1})], [ONE], "different", ["line_items"]),
        ([Believed(0, 1, "T1", {"A": 2, "B": 1}, "delivered")], [ONE], "different", ["status"]),
        ([Believed(0, 1, "T1", {"A": 1}, "delivered")], [ONE], "different", ["line_items", "status"]),
        ([SAME], [CANCELLED], "different", ["status"]),
        ([Believed(0, 1, "T1", None, "cancelled")], [CANCELLED], "equal", []),
        ([], [], "extra", []),
    ],
)
def test_each_parcel_is_equal_missing_extra_or_different(
    believed: list[Believed], recorded: list[Fulfillment], verdict: str, differences: list[str]
) -> None:
    in_range = recorded if believed else [ONE]
    asked = Reconcile(NOON, NOON, tuple(believed), None)
    answer = reconcile(asked, Recorded({1: 1, "#1": 1, 2: 2}, recorded, in_range))
    counts = answer["counts"]
    assert [name for name in ("equal", "missing", "extra", "different") if counts[name]] == [verdict]
    assert counts[verdict] == 1
    if verdict != "equal":
        (found,) = answer[verdict]
        assert found.get("differences", []) == differences
    assert counts["named"] == (1 if believed else 0)


def test_what_was_recorded_at_another_time_is_no_surprise_when_it_is_named() -> None:
    answer = reconcile(Reconcile(NOON, NOON, (SAME,), None), Recorded({1: 1}, [ONE], []))
    assert (answer["counts"]["equal"], answer["counts"]["recorded"]) == (1, 0)


def test_what_is_cancelled_is_not_extra() -> None:
    answer = reconcile(Reconcile(NOON, NOON, (), None), Recorded({}, [], [CANCELLED, made(2, "T2", ("A", 1))]))
    assert [found["tracking_number"] for found in answer["extra"]] == ["T2"]
    assert answer["counts"]["recorded"] == 1
