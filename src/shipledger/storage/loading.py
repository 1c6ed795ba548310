"""Loads orders and fulfillments: the same steps for both databases, each with SQL of its own."""

from collections.abc import Callable, Iterable
from operator import itemgetter

from shipledger.document import Document
from shipledger.fulfillment import Fulfillment
from shipledger.needs import Needs
from shipledger.storage.rows import (
    Row,
    fulfillments_from_rows,
    kept_answer_from_row,
    line_from_row,
    order_documents,
    order_from_row,
)
from shipledger.working_set import WorkingSet

Query = Callable[..., Iterable[Row]]
"""Runs a statement by its name with values: a list stands for a column of rows to join with, a list of tuples for
several columns; anything else is a plain value."""


def load_rows(query: Query, needs: Needs, working_set: WorkingSet) -> None:
    """Kept answers first, then orders, lines, and earlier fulfillments."""
    if needs.kept:
        for row in query("load_kept_answers", sorted(needs.kept)):
            kept = kept_answer_from_row(row)
            working_set.kept[kept.account, kept.key] = kept
    if not needs.lines:
        return
    ids, references = needs.order_names()
    for row in query("load_orders", ids, references):
        order = order_from_row(row)
        working_set.orders[order.id] = order
        if order.reference is not None:
            working_set.references[order.reference] = order.id
    wanted = needs.of_found(working_set.find)
    _load_lines(query, sorted(wanted.lines), wanted.whole_orders, working_set)
    _load_repeats(query, sorted(wanted.repeats), needs.repeats_max, working_set)


def _load_lines(query: Query, lines: list[tuple[int, str]], whole_orders: list[int], working_set: WorkingSet) -> None:
    rows = list(query("load_lines", lines)) if lines else []
    if whole_orders:
        rows += query("load_all_lines", whole_orders)
    for row in sorted(rows, key=itemgetter(0, 1)):
        working_set.orders[row[0]].lines.append(line_from_row(row))


def _load_repeats(query: Query, repeats: list[tuple[int, str]], repeats_max: int, working_set: WorkingSet) -> None:
    rows = list(query("load_repeats", repeats, repeats_max)) if repeats else []
    for fulfillment in whole_fulfillments(query, rows):
        place = (fulfillment.order_id, fulfillment.tracking.number)
        working_set.repeats.setdefault(place, []).append(fulfillment)


def whole_fulfillments(query: Query, rows: list[Row]) -> list[Fulfillment]:
    """Fulfillments in the order of the rows, which have the columns of `load_repeats`."""
    if not rows:
        return []
    return fulfillments_from_rows(rows, query("load_fulfillment_lines", [row[0] for row in rows]))


def whole_orders(query: Query, order_ids: Iterable[int]) -> dict[int, Document]:
    """Orders by id, written down with all their lines and without their fulfillments."""
    ids = list(order_ids)
    if not ids:
        return {}
    lines = list(query("load_whole_lines", ids))
    return order_documents(query("load_whole_orders", ids), lines)
