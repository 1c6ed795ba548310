"""Lines are asked for together with their orders, where an id names them."""

from collections.abc import Iterable
from typing import Any

from shipledger.needs import needs_of
from shipledger.storage.loading import load_rows
from shipledger.storage.rows import Row
from shipledger.working_set import WorkingSet
from tests.commit.commands import ship

ORDER: Row = (1, "#1", 5, 0, 0, 0, None, None, 1, b"", None)
LINES: list[Row] = [(1, 0, "A", 5, 0, 0, None, None), (2, 0, "A", 5, 0, 0, None, None)]


def _loaded(orders: list[Row]) -> tuple[WorkingSet, list[str]]:
    """What is loaded for parcels of the orders 1 and 2, and what was asked in which order, where both have lines."""
    asked: list[str] = []

    def query(name: str, *_: Any) -> Iterable[Row]:
        asked.append(name)
        return {"load_orders": orders, "load_lines": LINES}.get(name, [])

    working_set = WorkingSet(iter(()), iter(()), iter(()))
    load_rows(query, needs_of([ship(1, ("A", 1)), ship(2, ("A", 1))]), working_set)
    return working_set, asked


def test_lines_of_ids_are_asked_for_once_and_with_their_orders() -> None:
    working_set, asked = _loaded([ORDER, (2, None, *ORDER[2:])])
    assert [len(order.lines) for order in working_set.orders.values()] == [1, 1]
    assert asked.count("load_lines") == 1
    assert asked.index("load_lines") == asked.index("load_orders") + 1


def test_lines_of_an_order_that_came_after_the_orders_were_asked_for_are_left_out() -> None:
    working_set, _ = _loaded([ORDER])
    assert {order.id: len(order.lines) for order in working_set.orders.values()} == {1: 1}
