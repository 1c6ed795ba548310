"""What a reconciliation reads: what was recorded in its time, whatever the ids, and never too much of it."""

from collections.abc import Iterator

import pytest

from shipledger.reconciliation import Believed, Reconcile
from shipledger.storage import reconciliation_reading
from shipledger.storage.port import Ledger
from shipledger.storage.reading import LedgerReading
from tests.commit.commands import NOW, order, ship
from tests.storage.conftest import Database
from tests.storage.test_conformance import commit

SECOND = 1_000_000
HOUR = 3_600 * SECOND


@pytest.fixture
def reading(database: Database, ledger: Ledger) -> Iterator[LedgerReading]:
    """A fulfillment every two hours, T0 to T39; one by a clock that was half an hour late."""
    commit(ledger, order(1, ("A", 100), reference="#1"), order(2, ("A", 1), reference="1"), now=NOW)
    for number in range(40):
        at = NOW + 2 * number * HOUR - (HOUR // 2 if number == 20 else 0)
        commit(ledger, ship(1, ("A", 1), number=f"T{number}"), now=at)
    found = database.reading()
    assert isinstance(found, LedgerReading)
    yield found
    found.close()


@pytest.mark.parametrize(
    ("first", "last", "numbers"),
    [
        (0, 0, [0]),
        (0, 2 * HOUR, [0, 1]),
        (1, 2 * HOUR - 1, []),
        (38 * HOUR, 40 * HOUR, [19, 20]),
        (39 * HOUR + HOUR // 2, 39 * HOUR + HOUR // 2, [20]),
        (76 * HOUR, 999 * HOUR, [38, 39]),
        (-9 * HOUR, -1, []),
        (-9 * HOUR, 999 * HOUR, list(range(40))),
    ],
)
def test_both_ends_are_included(reading: LedgerReading, first: int, last: int, numbers: list[int]) -> None:
    recorded = reading.recorded_for(Reconcile(NOW + first, NOW + last, (), None))
    assert recorded is not None
    assert [made.tracking.number for made in recorded.in_range] == [f"T{number}" for number in numbers]


def test_orders_are_named_as_in_requests(reading: LedgerReading) -> None:
    names = (1, "#1", "1", "2", 3, "#3", "9" * 25)
    believed = tuple(Believed(0, name, "T0") for name in names)
    recorded = reading.recorded_for(Reconcile(NOW, NOW, believed, None))
    assert recorded is not None
    assert recorded.order_ids == {1: 1, "#1": 1, "1": 2, "2": 2}, "a reference goes before an id"
    assert [made.tracking.number for made in recorded.named] == ["T0"]


def test_more_than_one_answer_may_hold_is_none(reading: LedgerReading, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciliation_reading, "RECONCILED_IN_RANGE_MAX", 39)
    assert reading.recorded_for(Reconcile(NOW, NOW + 999 * HOUR, (), None)) is None
    assert reading.recorded_for(Reconcile(NOW + 1, NOW + 999 * HOUR, (), None)) is not None
