"""Reads what a reconciliation looks at."""

from shipledger.command import OrderKey, is_id_in_digits
from shipledger.fulfillment import Fulfillment
from shipledger.limits import RECONCILED_IN_RANGE_MAX
from shipledger.reconciliation import Reconcile, Recorded
from shipledger.storage.list_sql import FULFILLMENT_COLUMNS
from shipledger.storage.loading import whole_fulfillments
from shipledger.storage.snapshot import Snapshot
from shipledger.timestamp import MICROSECONDS_A_SECOND, Microseconds

CLOCKS_APART: Microseconds = 3_600 * MICROSECONDS_A_SECOND
"""Ids grow with time, but for this much: the clocks of nodes differ, and one may be set back."""


def recorded_for(ledger: Snapshot, asked: Reconcile) -> Recorded | None:
    """What the ledger has; None where it has more in this time than one answer may hold."""
    order_ids = _order_ids(ledger, {believed.order for believed in asked.believed})
    in_range = _in_range(ledger, asked)
    if in_range is None:
        return None
    pairs = {(order_ids[believed.order], believed.number) for believed in asked.believed if believed.order in order_ids}
    rows = list(ledger.query("load_numbered_fulfillments", sorted(pairs))) if pairs else []
    named = whole_fulfillments(ledger.query, [row for row in rows if asked.account in {None, row[-1]}])
    return Recorded(order_ids, named, in_range)


def _order_ids(ledger: Snapshot, names: set[OrderKey]) -> dict[OrderKey, int]:
    """The orders of these names: a reference goes before an id in digits."""
    references = sorted(name for name in names if isinstance(name, str))
    ids = {name for name in names if isinstance(name, int)} | {
        int(name) for name in references if is_id_in_digits(name)
    }
    by_reference, known = {}, set()
    for row in ledger.query("read_orders", sorted(ids), references):
        known.add(row[0])
        by_reference[row[1]] = row[0]
    found: dict[OrderKey, int] = {}
    for name in names:
        order_id = name if isinstance(name, int) else by_reference.get(name, int(name) if is_id_in_digits(name) else 0)
        if order_id in known:
            found[name] = order_id
    return found


def _in_range(ledger: Snapshot, asked: Reconcile) -> list[Fulfillment] | None:
    conditions = ["id >= ?", "id < ?", "created_at >= ?", "created_at <= ?"]
    values = [
        _first_id_since(ledger, asked.first - CLOCKS_APART),
        _first_id_since(ledger, asked.last + CLOCKS_APART),
        asked.first,
        asked.last,
        *([] if asked.account is None else [asked.account]),
        RECONCILED_IN_RANGE_MAX + 1,
    ]
    if asked.account is not None:
        conditions.append("account = ?")
    sql = f"SELECT {FULFILLMENT_COLUMNS} FROM fulfillments WHERE {' AND '.join(conditions)} ORDER BY id LIMIT ?"
    rows = list(ledger.select(sql, values))
    return whole_fulfillments(ledger.query, rows) if len(rows) <= RECONCILED_IN_RANGE_MAX else None


def _first_id_since(ledger: Snapshot, moment: Microseconds) -> int:
    """About the first id at or after a moment: halves the ids that are left, of which each look reads one row."""
    ((last,),) = ledger.select("SELECT coalesce(max(id), 0) FROM fulfillments", [])
    low, high = 1, int(last) + 1
    while low < high:
        middle = (low + high) // 2
        rows = list(
            ledger.select("SELECT id, created_at FROM fulfillments WHERE id >= ? ORDER BY id LIMIT 1", [middle])
        )
        if rows and rows[0][1] < moment:
            low = int(rows[0][0]) + 1
        else:
            high = middle
    return low
