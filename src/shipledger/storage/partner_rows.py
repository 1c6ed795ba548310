"""What partners see of orders, as rows: their totals, which follow from the lines that a batch adds and changes."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from shipledger.order import OrderLine
from shipledger.working_set import NewOrder


def new_partner_order_rows(new_orders: Iterable[NewOrder]) -> Iterator[tuple[Any, ...]]:
    """The rows of `add_partner_order`: one for each partner that has a line of a new order."""
    for new in new_orders:
        for partner in sorted(new.order.partners):
            own = [line for line in new.order.lines if line.partner == partner]
            quantities = (sum(getattr(line, name) for line in own) for name in ("ordered", "fulfilled", "cancelled"))
            yield (new.order.id, partner, *quantities, new.created_at)


def partner_order_changes(changed_lines: Iterable[OrderLine]) -> Iterator[tuple[Any, ...]]:
    """The rows of `change_partner_order`: by how much totals change. A line may have been set back to what it was."""
    changes: defaultdict[tuple[int, str], list[int]] = defaultdict(lambda: [0, 0])
    for line in changed_lines:
        if line.partner is not None and line.stored is not None:
            fulfilled, cancelled, _ = line.stored
            change = changes[line.order_id, line.partner]
            change[0] += line.fulfilled - fulfilled
            change[1] += line.cancelled - cancelled
    for (order_id, partner), change in sorted(changes.items()):
        if any(change):
            yield (*change, order_id, partner)
