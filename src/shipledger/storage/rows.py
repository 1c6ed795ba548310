"""Rows as orders and fulfillments, and a working set as rows: the same for both databases."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from shipledger.check_digit import CheckResult
from shipledger.document import Document, order_document, order_event_document
from shipledger.fulfillment import CarrierEvent, FulfilledLine, Fulfillment, FulfillmentStatus, Tracking
from shipledger.key import Credential, Key, Role, Scope
from shipledger.order import Order, OrderContent, OrderDetails, OrderLine
from shipledger.outcome import Done
from shipledger.routing import Partner
from shipledger.storage.import_rows import import_rows
from shipledger.storage.partner_routing import partner_row
from shipledger.storage.partner_rows import new_partner_order_rows, partner_order_changes
from shipledger.storage.webhook_rows import endpoint_rows
from shipledger.timestamp import show
from shipledger.working_set import KeptAnswer, WorkingSet

Row = tuple[Any, ...]

encode_json = msgspec.json.Encoder().encode


def json_text(value: object) -> str | None:
    """A value for a column of JSON text; None is NULL."""
    return None if value is None else encode_json(value).decode()


def from_json_text(text: str | None) -> Any:
    """The value of a column of JSON text; NULL is None."""
    return None if text is None else msgspec.json.decode(text)


def order_from_row(row: Row) -> Order:
    """An order from the columns of `load_orders`."""
    id_, reference, ordered, fulfilled, cancelled, on_hold, hold_reason, cancelled_at, event_count, content, due = row
    stored = (fulfilled, cancelled, bool(on_hold), hold_reason, cancelled_at)
    return Order(id_, reference, ordered, *stored, event_count, content, [], due, stored)


def line_from_row(row: Row) -> OrderLine:
    """An order line from the columns of `load_lines`, or of those statements that give its title, too."""
    order_id, position, sku, ordered, fulfilled, cancelled, partner, on_time, *title = row
    if on_time is not None:
        on_time = bool(on_time)
    line = OrderLine(order_id, position, sku, ordered, fulfilled, cancelled, partner, on_time, *title)
    line.stored = (fulfilled, cancelled, on_time)
    return line


def kept_answer_from_row(row: Row) -> KeptAnswer:
    """A kept answer from the columns of `load_kept_answers`."""
    account, key, fingerprint, body, made_id, is_new, created_at = row
    done = Done(from_json_text(body), made_id, is_new=bool(is_new), replayed=True)
    return KeptAnswer(account, key, fingerprint, done, created_at)


def key_from_row(row: Row) -> Key:
    """A key from the columns of `load_keys`."""
    id_, public_part, digest, name, role, partner, scopes, *rest = row
    held = frozenset(Scope(scope) for scope in from_json_text(scopes))
    return Key(id_, Credential(public_part, digest), name, Role(role), partner, held, *rest)


def _key_row(key: Key) -> Row:
    return (
        key.id, key.credential.public_part, key.credential.digest, key.name, str(key.role), key.partner,
        json_text(sorted(key.scopes)), key.rate_limit, key.created_at, key.expires_at, key.last_used_at,
        key.revoked_at, key.replaced_by,
    )  # fmt: skip


def order_documents(order_rows: Iterable[Row], line_rows: Iterable[Row]) -> dict[int, Document]:
    """Orders by id, written down with all their lines, from the columns of `load_whole_orders` and `..._lines`."""
    lines: defaultdict[int, list[OrderLine]] = defaultdict(list)
    for row in line_rows:
        lines[row[0]].append(line_from_row(row))
    documents = {}
    for row in order_rows:
        order = order_from_row(row[:11])
        order.lines = lines[order.id]
        details = order_details_from_row(row)
        documents[order.id] = order_document(order, details.content, details.created_at)
    return documents


def order_details_from_row(row: Row) -> OrderDetails:
    """What is known of an order beside its quantities, from the columns of `load_whole_orders`."""
    id_, reference = row[:2]
    channel, email, address, service, ship_by, deliver_by, metadata, created_at = row[11:]
    content = OrderContent(
        id_, (), reference, channel, email, from_json_text(address), service, ship_by, deliver_by,
        from_json_text(metadata),
    )  # fmt: skip
    return OrderDetails(content, created_at)


def fulfillments_from_rows(rows: Iterable[Row], line_rows: Iterable[Row]) -> list[Fulfillment]:
    """Fulfillments in the order of the rows, from the columns of `load_repeats` and `load_fulfillment_lines`."""
    lines: defaultdict[int, list[FulfilledLine]] = defaultdict(list)
    for fulfillment_id, *line in line_rows:
        lines[fulfillment_id].append(FulfilledLine(*line))
    return [
        Fulfillment(
            id_, order_id, FulfillmentStatus(status), Tracking(number, url, carrier, CheckResult(check)), created_at,
            account, tuple(lines[id_]),
        )
        for id_, order_id, status, number, url, carrier, check, created_at, account in rows
    ]  # fmt: skip


def event_document(row: Row) -> Document:
    """An event as the feed tells it, from the columns of `load_events` after the first."""
    id_, type_, created_at, order_id, sequence, data = row
    return {
        "id": id_,
        "type": type_,
        "created_at": show(created_at),
        "order_id": order_id,
        "sequence": sequence,
        "data": from_json_text(data),
    }


def audit_document(row: Row) -> Document:
    """A change as the audit trail tells it, from the columns of `list_audit`."""
    id_, type_, created_at, actor, key_id, request_id, order_id, sequence, data = row
    return {
        "id": id_,
        "type": type_,
        "created_at": show(created_at),
        "actor": actor,
        "key_id": key_id,
        "request_id": request_id,
        "order_id": order_id,
        "sequence": sequence,
        "data": from_json_text(data),
    }


def rows_to_save(
    working_set: WorkingSet, whole_orders: Callable[[set[int]], dict[int, Document]], *, states_apart: bool
) -> Iterator[tuple[str, list[Row]]]:
    """Each statement that saves the working set, with its rows, in an order that no reference stands in the way of.

    Statements without rows are left out. `whole_orders` is called after the orders' rows were handed out: events tell
    of orders as the batch leaves them. `states_apart`: orders that stay in their state have a statement of their own.
    """
    statements = _statements(working_set, whole_orders, states_apart=states_apart)
    return ((statement, rows) for statement, rows in statements if rows)


def _statements(
    working_set: WorkingSet, whole_orders: Callable[[set[int]], dict[int, Document]], *, states_apart: bool
) -> Iterator[tuple[str, list[Row]]]:
    # Most batches add fulfillments and do nothing else: what they have not done is not even looked for.
    added = {new.order.id for new in working_set.new_orders}
    if added:
        yield from _new_order_rows(working_set)
    if working_set.changed_orders:
        yield from _order_change_rows(working_set, added, states_apart=states_apart)
    if working_set.new_fulfillments:
        yield from _fulfillment_rows(working_set)
    yield from _change_rows(working_set, working_set.changed_details - added)
    if working_set.has_imports:
        yield from import_rows(working_set)
    if working_set.has_administration:
        yield from _administration_rows(working_set)
    texts: dict[int, str | None] = {}
    if working_set.new_events:
        told = {event.order_id for event in working_set.new_events if event.data is None and event.order_id is not None}
        yield "add_event", _event_rows(working_set, whole_orders(told) if told else {}, texts)
    yield "add_kept_answer", [
        (kept.account, kept.key, kept.fingerprint, texts.get(id(kept.done.body)) or json_text(kept.done.body),
         kept.done.made_id, kept.done.is_new, kept.created_at)
        for kept in working_set.new_kept
    ]  # fmt: skip


def _new_order_rows(working_set: WorkingSet) -> Iterator[tuple[str, list[Row]]]:
    new_orders = working_set.new_orders
    yield "add_order", [_new_order_row(new.order, working_set.details[new.order.id]) for new in new_orders]
    yield "add_order_line", [_new_line_row(line) for new in new_orders for line in new.order.lines]
    yield "add_partner_order", list(new_partner_order_rows(new_orders))


def _order_change_rows(
    working_set: WorkingSet, added: set[int], *, states_apart: bool
) -> Iterator[tuple[str, list[Row]]]:
    """Orders that have a row, and their lines."""
    quantities, all_of_it = [], []
    for order in working_set.changed_orders.values():
        if order.id in added:
            continue
        if states_apart and order.is_in_stored_state:
            quantities.append((*_quantities(order), order.id))
        else:
            all_of_it.append((*_quantities(order), *_state(order), order.id))
    yield "change_order", quantities
    yield "change_order_and_state", all_of_it
    lines = [line for line in working_set.changed_lines.values() if line.order_id not in added]
    yield (
        "change_order_line",
        [
            (line.fulfilled, line.cancelled, line.completed_on_time, line.order_id, line.sku, line.position)
            for line in lines
        ],
    )
    yield "change_partner_order", list(partner_order_changes(lines))


def _administration_rows(working_set: WorkingSet) -> Iterator[tuple[str, list[Row]]]:
    yield "add_key", [_key_row(key) for key in working_set.new_keys]
    yield (
        "change_key",
        [
            (key.expires_at, key.last_used_at, key.revoked_at, key.replaced_by, key.id)
            for key in working_set.changed_keys.values()
        ],
    )
    yield "put_partner", [partner_row(partner) for partner in _latest(working_set.changed_partners)]
    yield from endpoint_rows(working_set)


def _latest(partners: list[Partner]) -> Iterable[Partner]:
    """A partner that a batch changed twice has one row."""
    return {partner.name: partner for partner in partners}.values()


def _new_order_row(order: Order, details: OrderDetails) -> Row:
    content = details.content
    return (
        order.id, str(order.status), order.phase, order.ordered, order.fulfilled, order.cancelled, order.on_hold,
        order.event_count, order.content, details.created_at, order.cancelled_at, order.hold_reason, order.reference,
        content.channel, content.email, json_text(content.shipping_address), content.shipping_service, content.ship_by,
        content.deliver_by, json_text(content.metadata),
    )  # fmt: skip


def _new_line_row(line: OrderLine) -> Row:
    return (
        line.order_id, line.sku, line.position, line.ordered, line.fulfilled, line.cancelled, line.partner, line.title,
        line.completed_on_time,
    )  # fmt: skip


def _quantities(order: Order) -> Row:
    return str(order.status), order.fulfilled, order.cancelled, order.event_count


def _state(order: Order) -> Row:
    return order.phase, order.on_hold, order.hold_reason, order.cancelled_at


def _change_rows(working_set: WorkingSet, order_ids: set[int]) -> Iterator[tuple[str, list[Row]]]:
    """The statements that save what was changed of stored fulfillments and of the details of these stored orders."""
    details = [(order_id, working_set.details[order_id].content) for order_id in sorted(order_ids)]
    yield "change_order_details", [
        (known.reference, json_text(known.shipping_address), known.ship_by, known.deliver_by,
         json_text(known.metadata), order_id)
        for order_id, known in details
    ]  # fmt: skip
    changed = [working_set.fulfillments[id_] for id_ in sorted(working_set.changed_fulfillments)]
    yield (
        "change_fulfillment",
        [
            (
                str(one.status),
                one.tracking.number,
                one.tracking.url,
                one.tracking.carrier,
                str(one.tracking.check),
                one.id,
            )
            for one in changed
        ],
    )
    yield "add_carrier_event", [
        (event.fulfillment_id, event.position, str(event.status), event.occurred_at, event.received_at, event.message,
         event.location)
        for event in working_set.new_carrier_events
    ]  # fmt: skip


def carrier_event_from_row(row: Row) -> CarrierEvent:
    """An event of a parcel from the columns of `load_carrier_events`."""
    fulfillment_id, position, status, *rest = row
    return CarrierEvent(fulfillment_id, position, FulfillmentStatus(status), *rest)


def _fulfillment_rows(working_set: WorkingSet) -> Iterator[tuple[str, list[Row]]]:
    new_fulfillments = working_set.new_fulfillments
    # What was loaded is locked, so that it is there: no reference has the database prove it once more.
    if strange := {made.order_id for made in new_fulfillments} - working_set.orders.keys():
        raise LookupError(f"a parcel is of orders that were not loaded: {strange}")
    yield "add_fulfillment", [
        (made.id, made.order_id, str(made.status), made.tracking.number, made.tracking.url, made.tracking.carrier,
         str(made.tracking.check), made.account, made.created_at)
        for made in new_fulfillments
    ]  # fmt: skip
    yield (
        "add_fulfillment_line",
        [
            (made.id, line.position, line.sku, line.quantity, line.partner)
            for made in new_fulfillments
            for line in made.lines
        ],
    )


def _event_rows(working_set: WorkingSet, orders: dict[int, Document], texts: dict[int, str | None]) -> list[Row]:
    """The rows of events. `texts` takes what they tell, by identity: most answers are what their event tells."""
    rows: list[Row] = []
    for event in working_set.new_events:
        data = order_event_document(orders[event.order_id or 0]) if event.data is None else event.data
        text = texts[id(event.data)] = json_text(data)
        origin = event.origin
        rows.append(
            (event.id, event.order_id, event.sequence, str(event.type), event.created_at, origin.actor, origin.key_id,
             origin.request_id, text)
        )  # fmt: skip
    return rows
