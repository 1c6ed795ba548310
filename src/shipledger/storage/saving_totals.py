"""Saves what a batch adds to the totals of partners: beside its other rows, in the same transaction."""

from shipledger.partner_totals import totals_change
from shipledger.storage.loading import Query
from shipledger.storage.rows import Row
from shipledger.working_set import WorkingSet


class TotalsToSave:
    """What a batch adds to the totals. Made before its rows are saved; `rows` is asked for afterwards."""

    def __init__(self, working_set: WorkingSet, query: Query) -> None:
        self._query = query
        self._change = totals_change(working_set)
        self._open_before = self._open_shares(self._change.maybe_opened)

    def rows(self) -> list[Row]:
        """The rows of `add_partner_totals`, sorted: two writers never wait for each other in a circle."""
        self._change.settle(self._open_before, self._open_shares(self._change.maybe_closed))
        return [
            (
                partner, totals.open_quantity, totals.open_orders, totals.lines_on_time, totals.lines_late,
                totals.numbers, totals.numbers_failed,
            )
            for partner, totals in sorted(self._change.totals.items())
        ]  # fmt: skip

    def _open_shares(self, shares: list[tuple[int, str]]) -> list[tuple[int, str]]:
        return [(order_id, partner) for order_id, partner in self._query("load_open_shares", shares)] if shares else []
