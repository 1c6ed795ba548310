"""Orders: create one, read one, list them."""

from functools import partial
from typing import Any

from shipledger.command import CreateOrder
from shipledger.document import Document
from shipledger.http.answer import Answer, fault_answer, json_answer, refusal_answer
from shipledger.http.bulk import Trade, answer_bulk
from shipledger.http.call import Call
from shipledger.http.fields import Findings
from shipledger.http.listing import (
    ListSpec,
    answer_list,
    choice_filter,
    late_filter,
    range_filters,
    text_filter,
    true_or_false_filter,
)
from shipledger.http.order_request import ITEM, read_create_order
from shipledger.http.parameters import idempotency_key, not_found, path_id, require_known_parameters
from shipledger.order import OrderStatus
from shipledger.outcome import Done, Fault, Outcome
from shipledger.refusal import Reason, Refusal
from shipledger.storage.port import OrderFilter

LIST = ListSpec(
    "orders",
    {
        "status": choice_filter("status", "Orders with this status.", OrderStatus),
        "on_hold": true_or_false_filter("on_hold", "Orders that are on hold (true), or that are not (false)."),
        "sku": text_filter("sku", "Orders that hold this sku."),
        "reference": text_filter("reference", "The order with this reference."),
        "tracking_number": text_filter("tracking_number", "Orders of which a parcel has this tracking number."),
        **range_filters("created_at", "Created"),
        **range_filters("deliver_by", "To be delivered"),
        "late": late_filter(),
    },
    OrderFilter,
    position_length=2,
)


async def create(call: Call) -> Answer:
    """Record an order."""
    require_known_parameters(call, frozenset())
    findings = Findings()
    key = idempotency_key(call, findings)
    command = read_create_order(call.body, call.origin, call.services.zone, findings, idempotency_key=key)
    outcome = command if isinstance(command, Refusal) else await call.services.submit(command)
    if isinstance(outcome, Refusal):
        return refusal_answer(outcome)
    return await _created(call, outcome)


async def bulk_create(call: Call) -> Answer:
    """Record many orders."""
    require_known_parameters(call, frozenset({"atomic"}))
    trade = Trade(partial(_read_item, call), partial(_answer_items, call))
    return await answer_bulk(call, trade, Findings())


def _read_item(call: Call, values: dict[str, Any], findings: Findings, key: str | None) -> CreateOrder | Refusal:
    zone = call.services.zone
    return read_create_order(values, call.origin, zone, findings, idempotency_key=key, vocabulary=ITEM)


async def _answer_items(call: Call, outcomes: list[Outcome | Fault]) -> list[Answer]:
    known = [outcome.made_id for outcome in outcomes if isinstance(outcome, Done) and not outcome.is_new]
    present = await call.read(_present_states, call, known) if known else {}
    return [_answer_item(outcome, present) for outcome in outcomes]


def _answer_item(outcome: Outcome | Fault, present: dict[int | None, Document | None]) -> Answer:
    if isinstance(outcome, Fault):
        return fault_answer(outcome)
    if isinstance(outcome, Refusal):
        return refusal_answer(outcome)
    return _taken(outcome, present.get(outcome.made_id))


def _present_states(call: Call, ids: list[int | None]) -> dict[int | None, Document | None]:
    return {
        order_id: call.services.reading.order(order_id, call.origin.partner) for order_id in ids if order_id is not None
    }


async def _created(call: Call, done: Done) -> Answer:
    return _taken(
        done, None if done.is_new else await call.read(call.services.reading.order, done.made_id, call.origin.partner)
    )


def _taken(done: Done, present: Document | None) -> Answer:
    """An order that was recorded; `present` is its present state where it was known before."""
    headers = [(b"location", b"/v1/orders/%d" % (done.made_id or 0))]
    if done.replayed:
        headers.append((b"idempotent-replayed", b"true"))
    return json_answer(done.body, 201, headers) if done.is_new else json_answer(present, 200, headers)


async def read(call: Call) -> Answer:
    """One order, with its newest fulfillments."""
    require_known_parameters(call, frozenset())
    document = await call.read(call.services.reading.order, path_id(call, Reason.ORDER_NOT_FOUND), call.origin.partner)
    if document is None:
        raise not_found(Reason.ORDER_NOT_FOUND)
    return json_answer(document)


async def list_(call: Call) -> Answer:
    """Orders, newest first."""
    return await answer_list(call, LIST, call.services.reading.orders)
