"""A ledger to rehearse on: it reads another one, and keeps to itself what a batch would take."""

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from shipledger.needs import Needs
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
        self._taken: defaultdict[tuple[int, int], int] = defaultdict(int)
        self._taken_of_order: defaultdict[int, int] = defaultdict(int)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._snapshot() as self._now:
            yield

    def load(self, needs: Needs) -> WorkingSet:
        working_set = WorkingSet(itertools.count(1), itertools.count(1), itertools.count(1))
        load_rows(self._query, needs, working_set)
        for order in working_set.orders.values():
            order.fulfilled += self._taken_of_order.get(order.id, 0)
            for line in order.lines:
                line.fulfilled += self._taken.get((order.id, line.position), 0)
                line.stored = line.state
        return working_set

    def _query(self, name: str, *values: Any) -> list[Row]:
        if self._now is None:
            raise RuntimeError("there is no transaction")
        return list(self._now.query("read_orders" if name == "load_orders" else name, *values))

    def save(self, working_set: WorkingSet) -> None:
        for line in working_set.changed_lines.values():
            taken = line.stored.remaining - line.remaining if line.stored is not None else 0
            self._taken[line.order_id, line.position] += taken
            self._taken_of_order[line.order_id] += taken

    def close(self) -> None:
        pass
