"""Loads orders and fulfillments: the same steps for both databases, each with SQL of its own."""

from collections.abc import Callable, Iterable

from shipledger.document import Document
from shipledger.fulfillment import CarrierEvent, Fulfillment, NumberUse
from shipledger.needs import FoundNeeds, Needs
from shipledger.partner_view import Partner, order_seen_by
from shipledger.storage.import_rows import import_from_row
from shipledger.storage.partner_routing import partners_from_rows
from shipledger.storage.rows import (
    Row,
    carrier_event_from_row,
    fulfillments_from_rows,
    kept_answer_from_row,
    key_from_row,
    line_from_row,
    order_details_from_row,
    order_documents,
    order_from_row,
)
from shipledger.storage.webhook_rows import endpoint_from_row
from shipledger.working_set import WorkingSet

Query = Callable[..., Iterable[Row]]
"""Runs a statement by its name with values: a list stands for a column of rows to join with, a list of tuples for
several columns; anything else is a plain value."""


def load_rows(query: Query, needs: Needs, working_set: WorkingSet) -> None:
    """Kept answers, orders and what is loaded whole, then lines, earlier fulfillments, and those that commands name.

    What does not depend on each other is asked for before any of it is read: a database at the end of a wire answers
    all of it in one trip.
    """
    for place in query("load_fulfillment_places", sorted(needs.fulfillments)) if needs.fulfillments else ():
        needs.add_place(*place)
    ids, references = needs.order_names()
    kept_rows = query("load_kept_answers", sorted(needs.kept)) if needs.kept else ()
    order_rows = query("load_orders", ids, references) if needs.lines else ()
    early_lines = needs.lines_of_ids()
    early_line_rows = query("load_lines", sorted(early_lines)) if early_lines else ()
    # Almost every number is new, so that nothing more is to be asked about it. Asked once the orders are locked.
    numbers = sorted({number for _, number, _ in needs.repeats})
    number_rows = query("load_numbers_in_use", numbers) if numbers else ()
    key_rows = query("load_keys") if needs.keys else ()
    partner_rows = query("load_partners") if needs.routing else ()
    endpoint_rows = query("load_endpoints") if needs.endpoints else ()
    bounds = query("feed_bounds") if needs.endpoints else ()
    imports = query("load_imports") if needs.imports else ()
    for row in kept_rows:
        kept = kept_answer_from_row(row)
        working_set.kept[kept.account, kept.key] = kept
    for row in order_rows:
        order = order_from_row(row)
        working_set.orders[order.id] = order
        if order.reference is not None:
            working_set.references[order.reference] = order.id
    if needs.routing:
        working_set.partners, working_set.routing = partners_from_rows(partner_rows)
    for row in key_rows:
        key = key_from_row(row)
        working_set.keys[key.id] = key
    for row in endpoint_rows:
        endpoint = endpoint_from_row(row)
        working_set.endpoints[endpoint.id] = endpoint
    for working_set.feed_end, working_set.feed_end_to_be in bounds:
        pass
    working_set.imports = {row[0]: import_from_row(row) for row in imports}
    wanted = needs.of_found(working_set.might_mean, {number for (number,) in number_rows})
    wanted.lines -= early_lines
    _load_parts(query, wanted, needs, working_set, early_line_rows)
    _load_named(query, needs, working_set)


def _load_named(query: Query, needs: Needs, working_set: WorkingSet) -> None:
    """Fulfillments and details of orders. Once its order is locked, nobody else changes a fulfillment."""
    if needs.details:
        for row in query("load_whole_orders", sorted(needs.details)):
            working_set.details[row[0]] = order_details_from_row(row)
    if not needs.fulfillments:
        return
    ids = sorted(needs.fulfillments)
    for fulfillment in whole_fulfillments(query, list(query("load_fulfillments", ids))):
        working_set.fulfillments[fulfillment.id] = fulfillment
    for event in carrier_events(query, ids):
        working_set.timelines.setdefault(event.fulfillment_id, []).append(event)


def carrier_events(query: Query, fulfillment_ids: list[int]) -> list[CarrierEvent]:
    """What was heard of parcels, each parcel's events in the order in which they came."""
    return [carrier_event_from_row(row) for row in query("load_carrier_events", fulfillment_ids)]


def _load_parts(
    query: Query, wanted: FoundNeeds, needs: Needs, working_set: WorkingSet, early_lines: Iterable[Row]
) -> None:
    """Lines of the orders that were found, the partners that have some, earlier fulfillments, and some of others."""
    some_lines = query("load_lines", sorted(wanted.lines)) if wanted.lines else ()
    all_lines = query("load_whole_lines", wanted.whole_orders) if wanted.whole_orders else ()
    own_lines = query("load_partner_lines", sorted(wanted.partner_lines)) if wanted.partner_lines else ()
    partners = query("load_partner_orders", sorted(wanted.partners)) if wanted.partners else ()
    repeats = query("load_repeats", sorted(wanted.repeats, key=str), needs.repeats_max) if wanted.repeats else ()
    uses = query("load_number_uses", sorted(wanted.uses, key=str), needs.uses_max) if wanted.uses else ()
    cancelled = query("load_cancelled", sorted(wanted.cancelled), needs.repeats_max) if wanted.cancelled else ()
    # An order that came between the two questions was not found and is not locked, but its lines are there.
    found_early = [row for row in early_lines if row[0] in working_set.orders]
    lines = {row[:2]: row for rows in (found_early, some_lines, all_lines, own_lines) for row in rows}
    for _, row in sorted(lines.items()):
        working_set.orders[row[0]].lines.append(line_from_row(row))
    for order_id, partner in partners:
        working_set.orders[order_id].partners.add(partner)
    newest_first = {row[0]: row for row in repeats}
    for fulfillment in whole_fulfillments(query, list(newest_first.values())):
        place = (fulfillment.order_id, fulfillment.tracking.number)
        working_set.repeats.setdefault(place, []).append(fulfillment)
        working_set.uses.setdefault(fulfillment.tracking.number, []).append(fulfillment)
    for fulfillment in whole_fulfillments(query, list(cancelled)):
        place = (fulfillment.order_id, fulfillment.tracking.number)
        working_set.cancelled.setdefault(place, []).append(fulfillment)
    for number, fulfillment_id, order_id, partner in uses:
        use = NumberUse(fulfillment_id, order_id, frozenset({partner}))
        working_set.uses.setdefault(number, []).append(use)


def whole_fulfillments(query: Query, rows: list[Row]) -> list[Fulfillment]:
    """Fulfillments in the order of the rows, which have the columns of `load_repeats`."""
    if not rows:
        return []
    return fulfillments_from_rows(rows, query("load_fulfillment_lines", [row[0] for row in rows]))


def whole_orders(query: Query, order_ids: Iterable[int], partner: Partner = None) -> dict[int, Document]:
    """Orders by id, written down without their fulfillments: whole, or as a partner sees those that it may see."""
    ids = list(order_ids)
    if not ids:
        return {}
    if partner is None:
        lines = list(query("load_whole_lines", ids))
    else:
        lines = list(query("load_partner_lines", [(order_id, partner) for order_id in ids]))
    whole = order_documents(query("load_whole_orders", ids), lines)
    return {id_: seen for id_, document in whole.items() if (seen := order_seen_by(partner, document)) is not None}
