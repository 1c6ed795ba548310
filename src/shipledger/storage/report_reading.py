"""Reports: what is late, and how each partner does. Both read few rows, however many orders there are."""

from collections import defaultdict
from typing import Any

from shipledger.document import Document
from shipledger.partner_totals import OPERATORS_OWN
from shipledger.storage.list_sql import DUE, IS_OPEN, LATE_SORTED_MAX
from shipledger.storage.port import Page, Position
from shipledger.storage.rows import Row
from shipledger.storage.snapshot import Snapshot
from shipledger.timestamp import MICROSECONDS_A_SECOND, Microseconds, show

LOOKED_THROUGH_MAX = 500
"""Late orders that a page looks through for those of one partner: it may come out short, but it never takes long."""

_TOTALS = """
    SELECT partner, sum(open_quantity), sum(open_orders), sum(lines_on_time), sum(lines_late), sum(numbers),
        sum(numbers_failed)
    FROM partner_totals
    GROUP BY partner
    ORDER BY partner
"""


def late_page(ledger: Snapshot, now: Microseconds, partner: str | None, after: Position | None, limit: int) -> Page:
    """Orders that are late, the longest first; where a partner is named, those of which something of its remains."""
    looked_through = limit if partner is None else max(limit, LOOKED_THROUGH_MAX)
    rows = _late_rows(ledger, now, after, looked_through + 1)
    shares = _open_shares(ledger, [row[1] for row in rows[:looked_through]])
    documents: list[Document] = []
    end: Position | None = None
    for row in rows[:looked_through]:
        if len(documents) == limit:
            break
        end = row[:2]
        if partner is None or any(share["partner"] == partner for share in shares[row[1]]):
            documents.append(_late_document(row, shares[row[1]], now))
    return Page(documents, end if rows and end != rows[-1][:2] else None)


def are_many_late(ledger: Snapshot, now: Microseconds) -> bool:
    """Whether sorting all late orders would take long."""
    # In the order of the index: a planner that expects many late orders looks for the first of them without it.
    late_ones = f"SELECT 1 FROM orders WHERE {IS_OPEN} AND {DUE} < ? ORDER BY {DUE} LIMIT ?"
    sql = f"SELECT count(*) FROM ({late_ones}) AS late"
    ((late,),) = ledger.select(sql, [now, LATE_SORTED_MAX + 1])
    return int(late) > LATE_SORTED_MAX


def _late_rows(ledger: Snapshot, now: Microseconds, after: Position | None, limit: int) -> list[Row]:
    # SQLite seeks by the first condition alone, and not by the second.
    beyond, place = (f"AND {DUE} >= ? AND ({DUE}, id) > (?, ?)", [after[0], *after]) if after else ("", [])
    columns = f"{DUE}, id, reference, status, on_hold, ordered - fulfilled - cancelled"
    sql = f"SELECT {columns} FROM orders WHERE {IS_OPEN} AND {DUE} < ? {beyond} ORDER BY {DUE}, id LIMIT ?"
    return list(ledger.select(sql, [now, *place, limit]))


def _open_shares(ledger: Snapshot, order_ids: list[int]) -> dict[int, list[Document]]:
    """What remains of each order, by partner; the operator's own comes first."""
    shares: defaultdict[int, list[Document]] = defaultdict(list)
    if order_ids:
        for order_id, partner, lines, remaining in ledger.query("load_what_remains", order_ids):
            shares[order_id].append({"partner": partner or None, "lines": lines, "remaining": int(remaining)})
    return shares


def _late_document(row: Row, shares: list[Document], now: Microseconds) -> Document:
    due, order_id, reference, status, on_hold, remaining = row
    return {
        "order_id": order_id,
        "reference": reference,
        "status": status,
        "on_hold": bool(on_hold),
        "due_by": show(due),
        "late_by_seconds": (now - due) // MICROSECONDS_A_SECOND,
        "remaining": remaining,
        "partners": shares,
    }


def partner_documents(ledger: Snapshot) -> list[Document]:
    """How each partner does; the operator's own lines come first."""
    return [_partner_document(*row) for row in ledger.select(_TOTALS, [])]


def _partner_document(partner: str, *totals: Any) -> Document:
    open_quantity, open_orders, on_time, late, numbers, failed = map(int, totals)
    return {
        "partner": None if partner == OPERATORS_OWN else partner,
        "open_orders": open_orders,
        "open_quantity": open_quantity,
        "lines_on_time": on_time,
        "lines_late": late,
        "on_time_share": _share(on_time, on_time + late),
        "numbers": numbers,
        "numbers_failed": failed,
        "numbers_failed_share": _share(failed, numbers),
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
