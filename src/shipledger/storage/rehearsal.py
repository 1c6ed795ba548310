"""A ledger to rehearse on: it reads another one, and keeps to itself what a batch would take."""

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from shipledger.needs import Needs
from shipledger.order import Order, OrderLine
from shipledger.storage.loading import load_rows
from shipledger.storage.rows import Row
from shipledger.storage.snapshot import Snapshot
from shipledger.working_set import WorkingSet


class RehearsalLedger:
    """`shipledger.storage.port.Ledger` for parcels of known orders: what one takes is missing for those after it."""

    def __init__(self, snapshot: Callable[[], AbstractContextManager[Snapshot]]) -> None:
        """`snapshot` reads the ledger as it is."""
        self._snapshot = snapshot
        self._now: Snapshot | None = None
        self._changed: defaultdict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0])
        """What was shipped of a line, and what was cancelled, beyond what is stored."""
        self._changed_of_order: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._snapshot() as self._now:
            yield

    def load(self, needs: Needs) -> WorkingSet:
        working_set = WorkingSet(itertools.count(1), itertools.count(1), itertools.count(1))
        load_rows(self._query, needs, working_set)
        for order in working_set.orders.values():
            _add(order, self._changed_of_order[order.id])
            for line in order.lines:
                _add(line, self._changed[order.id, line.position])
                line.stored = (line.fulfilled, line.cancelled, line.on_time)
        return working_set

    def _query(self, name: str, *values: Any) -> list[Row]:
        if self._now is None:
            raise RuntimeError("there is no transaction")
        return list(self._now.query("read_orders" if name == "load_orders" else name, *values))

    def save(self, working_set: WorkingSet) -> None:
        for line in working_set.changed_lines.values():
            fulfilled, cancelled, _ = line.stored or (line.fulfilled, line.cancelled, None)
            for changed in (self._changed[line.order_id, line.position], self._changed_of_order[line.order_id]):
                changed[0] += line.fulfilled - fulfilled
                changed[1] += line.cancelled - cancelled

    def close(self) -> None:
        pass


def _add(counted: Order | OrderLine, changed: list[int]) -> None:
    counted.fulfilled += changed[0]
    counted.cancelled += changed[1]
