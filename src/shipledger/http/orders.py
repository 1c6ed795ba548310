"""Orders: create one, read one, list them."""

from shipledger.http.answer import Answer, json_answer, refusal_answer
from shipledger.http.call import Call
from shipledger.http.fields import Findings
from shipledger.http.listing import ListSpec, answer_list, choice_filter, late_filter, range_filters, text_filter
from shipledger.http.order_request import read_create_order
from shipledger.http.parameters import idempotency_key, not_found, path_id, require_known_parameters
from shipledger.order import OrderStatus
from shipledger.outcome import Done
from shipledger.refusal import Reason, Refusal
from shipledger.storage.port import OrderFilter

LIST = ListSpec(
    "orders",
    {
        "status": choice_filter("status", "Orders with this status.", OrderStatus),
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


async def _created(call: Call, done: Done) -> Answer:
    headers = [(b"location", b"/v1/orders/%d" % (done.made_id or 0))]
    if done.replayed:
        headers.append((b"idempotent-replayed", b"true"))
    if done.is_new:
        return json_answer(done.body, 201, headers)
    return json_answer(await call.read(call.services.reading.order, done.made_id, call.origin.partner), 200, headers)


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
