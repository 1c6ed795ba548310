"""Fulfillments: create one, read one, list them."""

from functools import partial
from typing import Any

from shipledger.command import CreateFulfillment
from shipledger.fulfillment import FulfillmentStatus
from shipledger.http.answer import Answer, fault_answer, json_answer, refusal_answer
from shipledger.http.bulk import Trade, answer_bulk
from shipledger.http.call import Call
from shipledger.http.fields import Findings
from shipledger.http.fulfillment_request import (
    ITEM,
    RequestedParcel,
    create_fulfillment,
    read_create_fulfillment,
    read_parcel,
)
from shipledger.http.listing import ListSpec, answer_list, choice_filter, id_filter, range_filters, text_filter
from shipledger.http.nearest_skus import nearest_skus
from shipledger.http.parameters import dry_run, idempotency_key, not_found, path_id, require_known_parameters
from shipledger.http.plain_parcel import plain_item
from shipledger.outcome import Done, Fault, Outcome
from shipledger.refusal import Reason, Refusal
from shipledger.storage.port import FulfillmentFilter

LIST = ListSpec(
    "fulfillments",
    {
        "order_id": id_filter("order_id", "Fulfillments of this order."),
        "status": choice_filter("status", "Fulfillments with this status.", FulfillmentStatus),
        "tracking_number": text_filter("tracking_number", "Fulfillments with this tracking number."),
        "reference": text_filter("reference", "Fulfillments of the order with this reference."),
        "sku": text_filter("sku", "Fulfillments that hold this sku."),
        **range_filters("created_at", "Created"),
    },
    FulfillmentFilter,
)
_CREATE_PARAMETERS = frozenset({"dry_run"})
_BULK_PARAMETERS = frozenset({"atomic", "dry_run"})


async def create(call: Call) -> Answer:
    """Record a parcel."""
    require_known_parameters(call, _CREATE_PARAMETERS)
    findings = Findings()
    is_dry, key = dry_run(call, findings), idempotency_key(call, findings)
    # A parcel has no faults of its own; the headers and the query may.
    parcel = (
        findings.refusal() or call.body if isinstance(call.body, RequestedParcel) else read_parcel(call.body, findings)
    )
    if isinstance(parcel, Refusal):
        return await _refused(call, parcel)
    command = create_fulfillment(
        parcel, call.origin, findings, idempotency_key=key, dry_run=is_dry, repeated=call.services.repeated
    )
    outcome = await call.services.submit(command)
    if isinstance(outcome, Refusal):
        return await _refused(call, outcome)
    return _created(outcome)


async def bulk_create(call: Call) -> Answer:
    """Record many parcels."""
    require_known_parameters(call, _BULK_PARAMETERS)
    findings = Findings()
    is_dry = dry_run(call, findings)
    trade = Trade(
        partial(_read_item, call, is_dry=is_dry),
        partial(_answer_items, call),
        partial(_read_usual_item, call, is_dry=is_dry),
    )
    return await answer_bulk(call, trade, findings, dry_run=is_dry)


def _read_item(
    call: Call, values: dict[str, Any], findings: Findings, key: str | None, *, is_dry: bool
) -> CreateFulfillment | Refusal:
    return read_create_fulfillment(
        values,
        call.origin,
        findings,
        dry_run=is_dry,
        idempotency_key=key,
        repeated=call.services.repeated,
        vocabulary=ITEM,
    )


def _read_usual_item(call: Call, text: bytes, *, is_dry: bool) -> CreateFulfillment | None:
    parcel, key = plain_item(text) or (None, None)
    if parcel is None:
        return None
    return create_fulfillment(
        parcel, call.origin, Findings(), idempotency_key=key, dry_run=is_dry, repeated=call.services.repeated
    )


async def _answer_items(call: Call, outcomes: list[Outcome | Fault]) -> list[Answer]:
    return [_created(outcome) if isinstance(outcome, Done) else await _refused(call, outcome) for outcome in outcomes]


async def _refused(call: Call, outcome: Refusal | Fault) -> Answer:
    if isinstance(outcome, Fault):
        return fault_answer(outcome)
    return refusal_answer(outcome, await nearest_skus(call, outcome))


def _created(done: Done) -> Answer:
    answer = json_answer(done.body)
    if done.made_id is not None:
        answer.headers.append((b"location", b"/v1/fulfillments/%d" % done.made_id))
    if done.replayed:
        answer.headers.append((b"idempotent-replayed", b"true"))
    return answer


async def read(call: Call) -> Answer:
    """One fulfillment."""
    require_known_parameters(call, frozenset())
    document = await call.read(call.services.reading.fulfillment, path_id(call, Reason.NOT_FOUND), call.origin.partner)
    if document is None:
        raise not_found(Reason.NOT_FOUND)
    return json_answer(document)


async def list_(call: Call) -> Answer:
    """Fulfillments, newest first."""
    return await answer_list(call, LIST, call.services.reading.fulfillments)
